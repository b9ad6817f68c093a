"""query: ask a question and print the best passages, lsfs-query(1).

A client of `ctl` and of the directory that it answers with: a script without `lsfs` does the same with two reads.
"""

import errno
import json
import os
import shutil
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lsfs.cli import client, say
from lsfs.cli.words import Prompted
from lsfs.refusals import CommandRefused, EngineDown, NotMounted
from syscalls.names import escaped

FOUND, NOTHING = 0, 1
LINES = 3


class Limit(click.ParamType):
    """A number of hits from 1 on, or `all`."""

    name = "limit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).lower()
        if text != "all" and not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
            self.fail(f"{value!r} is no number from 1 on, and not `all`", param, ctx)
        return text


@click.command(cls=Prompted)
@click.argument("prompt", nargs=-1, required=True)
@click.option("--mount", "mountpoint", metavar="MNT", help="Which mount, where there are several.")
@click.option("--json", "as_json", is_flag=True, help="Print results.json as it is.")
@click.option("--why", is_flag=True, help="Print a table of what each score is made of, as in why.tsv.")
@click.option(
    "--limit", type=Limit(), metavar="N|all", help="At most N hits, or all there are; the same as limit:N."
)
def query(
    prompt: tuple[str, ...], mountpoint: str | None, as_json: bool, why: bool, limit: str | None
) -> int:
    """Ask PROMPT and print the best passages, best first.

    Exits with 0 when something was found, with 1 when nothing was.
    """
    mount = client.locate(mountpoint)
    text = " ".join(prompt).strip()
    if limit is not None:
        text += f" limit:{limit}"
    answer = client.control(mount, f"query {text}")
    raw = results(Path(mount.mountpoint, answer.lstrip("/"), "results.json"))
    found: dict[str, Any] = json.loads(raw)
    hits = found.get("hits", [])
    if as_json:
        click.echo(raw.decode("utf-8", "surrogateescape").rstrip("\n"))
    else:
        if why:
            explain(raw)
        else:
            show(hits, mount.mountpoint)
        remark(found, raw)
    return FOUND if hits else NOTHING


def results(path: Path) -> bytes:
    """The bytes of results.json. Raises EngineDown or NotMounted."""
    try:
        return path.read_bytes()
    except BlockingIOError as error:
        raise EngineDown(
            "the engine is not there yet; ask again in a moment, `lsfs status` says more"
        ) from error
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise CommandRefused(
                "this folder is not indexed ([index] enabled in lsfs.conf), so it cannot be asked"
            ) from error
        raise NotMounted(f"{path} cannot be read ({error.strerror}); `lsfs status` says more") from error


def show(hits: list[dict[str, Any]], mountpoint: str) -> None:
    """Each hit as a line `PATH:FIRST-LAST  SCORE` that other tools can take apart, and its best passage, cut to a few lines."""
    width = min(shutil.get_terminal_size().columns, 120)
    for hit in hits:
        passages = hit.get("passages") or []
        lines = ":{}-{}".format(*passages[0]["lines"]) if passages else ""
        path = click.style(plain(escaped(os.path.join(mountpoint, hit["path"]))), bold=True)
        click.echo(f"{path}{lines}  {hit['score']:.3f}")
        if passages:
            words = " ".join(plain(passages[0]["text"]).split())
            text = textwrap.wrap(words, width - 4, max_lines=LINES, placeholder=" …")
            click.echo("".join(f"    {line}\n" for line in text), nl=False)


def explain(raw: bytes) -> None:
    """What each hit's score is made of; nothing where nothing was found. raw: results.json."""
    from syscalls.results import from_json
    from syscalls.why import why_table

    answer = from_json(raw)
    if answer.hits:
        click.echo(plain(why_table(answer)), nl=False)


def plain(text: str) -> str:
    """Text without what a terminal would obey: control characters become `?`, white space stays."""
    return "".join(
        character if character.isprintable() or character in " \t\n" else "?" for character in text
    )


def remark(found: dict[str, Any], raw: bytes) -> None:
    """On stderr: how sure it is that this answers, how the prompt was read, and what could not be searched yet."""
    read = found.get("read") or {}
    notes = read.get("notes", [])
    if not found.get("hits"):
        from syscalls.prompt import parse
        from syscalls.results import advice

        prompt = replace(parse(found.get("prompt", "")), notes=tuple(notes))
        say(f"nothing found. {plain(advice(prompt))}")
    elif (sure := found.get("confidence")) is not None:
        from syscalls.confidence import doubt
        from syscalls.results import from_json, remarks

        answer = from_json(raw)
        notes = remarks(answer)
        why = doubt(answer)
        say(f"confidence {sure:.2f}" + (f". {why}" if why else ""))
    for note in notes:
        say(plain(note))
    if pending := found.get("pending"):
        from syscalls.results import unindexed

        say(unindexed(pending))
    if found.get("meaning") in ("loading", "unavailable") and read.get("mode") != "words":
        say(
            "searched by words alone: the model is "
            + ("still loading" if found["meaning"] == "loading" else "unavailable")
        )
    sys.stderr.flush()
