"""create: make a file or a folder in a mount, lsfs-create(1); with it lsfs-append(1) and lsfs-replace(1).

--from is any path of this machine, or `-` for stdin. What is in the mount already is copied by the mount itself; what comes from outside is
brought in by plain file operations of the user who calls (`lsfs.cli.bring`), and so is a text that is too long for a line to `ctl`.
"""

import errno
import io
import json
import os
import sys
import time
from typing import Any, BinaryIO

import click

from lsfs import mountinfo
from lsfs.cli import client, say
from lsfs.cli.bring import OWN, Brought, aside, bring, progress
from lsfs.cli.call import printed
from lsfs.cli.inside import inside
from lsfs.cli.query import plain
from lsfs.mountinfo import Mount
from lsfs.refusals import CommandRefused, EngineDown, NoPermission
from syscalls.arguments import line
from syscalls.create import Created, outcome
from syscalls.options import path_of
from syscalls.table import CALLS

LEFT = 1
LINE = 60_000  # bytes of a line to ctl
PATIENCE, PAUSE = (
    300.0,
    0.5,
)  # seconds that history may take for what was brought in, and between two questions
_BY_WORD = {call.word: call for call in CALLS}


def _with(command: Any) -> Any:
    for option in reversed(
        (
            click.argument("path"),
            click.option("--text", metavar="TEXT", help="The text, as it is."),
            click.option("--from", "source", metavar="FILE", help="What has it: any path of this machine, or - for stdin."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a sentence."),
            click.option("--mount", "mountpoint", metavar="MNT", help="Which mount, where there are several."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@_with
def create(path: str, text: str | None, source: str | None, as_json: bool, mountpoint: str | None) -> int:
    """Make a file at PATH, or a folder where PATH ends in a slash. All of it is there at once; what is there is never replaced.

    Exits with 1 where something of a folder was left out: a FIFO, a socket, a device.
    """
    if text is not None and source is not None:
        raise click.UsageError("say --text or --from, not both")
    mount, place = _place(path, mountpoint)
    slash = "/" if path.endswith("/") else ""
    given = None if source is None else _source(source, mount)
    target = os.path.join(mount.mountpoint, place)
    if isinstance(given, str) and given.startswith("files"):
        return _said(mount, "create", place + slash, {"from": given, "json": as_json})
    if given is None and len(text or "") < LINE // 4:
        return _said(mount, "create", place + slash, {"text": text, "json": as_json})
    stream = io.BytesIO((text or "").encode("utf-8", "surrogateescape")) if given is None else given
    if slash and not (isinstance(stream, str) and os.path.isdir(stream)):
        raise CommandRefused(f"{source or 'a text'} is no folder; write {path} without a slash at its end")
    told = progress()
    try:
        return _brought(mount, place, bring(stream, target, told), as_json)
    except OSError as error:
        raise _refused(error, place, target, source) from error


@click.command()
@_with
def append(path: str, text: str | None, source: str | None, as_json: bool, mountpoint: str | None) -> int:
    """Put text, or what FILE has, at the end of the file PATH. No line break is added."""
    return _into("append", path, text, source, as_json, mountpoint)


@click.command()
@_with
def replace(path: str, text: str | None, source: str | None, as_json: bool, mountpoint: str | None) -> int:
    """Give the file PATH another content, all at once; its rights and its owner stay."""
    return _into("replace", path, text, source, as_json, mountpoint)


def _into(
    word: str, path: str, text: str | None, source: str | None, as_json: bool, mountpoint: str | None
) -> int:
    if (text is None) == (source is None):
        raise click.UsageError("say either --text or --from")
    mount, place = _place(path, mountpoint)
    given = None if source is None else _source(source, mount)
    if isinstance(given, str) and given.startswith("files"):
        return _said(mount, word, place, {"from": given, "json": as_json})
    if text is not None and len(text) < LINE // 4:
        return _said(mount, word, place, {"text": text, "json": as_json})
    if isinstance(given, str) and not os.path.isfile(given):
        raise CommandRefused(f"{source} is {'a folder' if os.path.isdir(given) else 'no file'}; name a file")
    stream: BinaryIO
    if text is not None:
        stream = io.BytesIO(text.encode("utf-8", "surrogateescape"))
    else:
        stream = open(given, "rb") if isinstance(given, str) else given  # type: ignore[assignment]  # noqa: SIM115
    target = os.path.join(mount.mountpoint, place)
    try:
        with stream, aside(stream, os.path.dirname(target)) as there:
            return _said(
                mount, word, place, {"from": os.path.relpath(there, mount.mountpoint), "json": as_json}
            )
    except OSError as error:
        raise _refused(error, place, target, source) from error


def _place(path: str, mountpoint: str | None) -> tuple[Mount, str]:
    """The mount and the path in it, which is one below files/."""
    mount, place = inside(path, mountpoint)
    if not place.startswith("files/"):
        raise CommandRefused(f"{path} is no path below files/; name a file or folder there")
    return mount, place


def _source(source: str, mount: Mount) -> str | BinaryIO:
    """What --from says: `files/…` in this mount, an absolute path outside of it, or stdin."""
    if source == "-":
        return sys.stdin.buffer
    whole = os.path.realpath(source)
    found = mountinfo.for_path(whole) if os.path.lexists(source) else None
    if found is not None and found.mountpoint == mount.mountpoint:
        rest = os.path.relpath(whole, mount.mountpoint)
        return rest if rest.partition("/")[0] == "files" else whole
    if os.path.lexists(source):
        return (
            whole if os.path.lexists(whole) else os.path.abspath(source)
        )  # a pipe of /dev/fd has no other name
    if not os.path.isabs(source):
        place = inside(source, mount.mountpoint)[1]
        if os.path.lexists(os.path.join(mount.mountpoint, place)):
            return place
    raise CommandRefused(f"there is nothing at {source}")


def _said(mount: Mount, word: str, place: str, options: dict[str, Any]) -> int:
    """One line to `ctl`, its answer on stdout."""
    call = _BY_WORD[word]
    slash = place.endswith("/")
    values: dict[str, Any] = {"PATH": path_of(place)}
    if options.get("from") is not None:
        values["from"] = path_of(options["from"])
    if options.get("text") is not None:
        values["text"] = options["text"]
    if options.get("json"):
        values["json"] = True
    if not slash:
        return printed(call, values, mount)
    from lsfs.cli.call import show

    values["PATH"] += b"/"
    show(client.control(mount, line(call, values)))
    return 0


def _adopted(mount: Mount, place: str) -> str:
    """Have the mount note for `undo` what was brought to a path; how it is taken back."""
    said = line(_BY_WORD["create"], {"PATH": path_of(place), "adopt": True})
    latest = time.monotonic() + PATIENCE
    while True:
        try:
            client.control(mount, said)
            return "`lsfs undo` takes it back"
        except EngineDown:  # history still takes it in
            if time.monotonic() > latest:
                break
            time.sleep(PAUSE)
        except (CommandRefused, NoPermission):
            break
    return "`lsfs delete` takes it back, `lsfs undo` does not"


def _brought(mount: Mount, place: str, done: Brought, as_json: bool) -> int:
    for one in done.left:
        own = os.path.basename(one) in OWN
        why = "its name is one of lsfs's own" if own else "it is neither a file, a folder nor a symlink"
        say(f"{plain(one)} was left out: {why}")
    undo = _adopted(mount, place) if done.files or done.folders else ""
    if as_json:
        said = {
            "path": place,
            "files": done.files,
            "folders": done.folders,
            "bytes": done.size,
            "left": done.left,
        }
        click.echo(json.dumps(said))
    elif done.files or done.folders:
        made = Created(b"", done.files, done.folders, done.size)
        click.echo(plain(outcome(place, made, undo)))
    return LEFT if done.left else 0


def _refused(error: OSError, place: str, target: str, source: str | None) -> Exception:
    beside = str(error.filename or target).startswith(os.path.dirname(target))  # and nothing of the source
    if error.errno == errno.EEXIST:
        if os.path.basename(target) in OWN:
            return CommandRefused(f"{place} is a name of lsfs's own; choose another one")
        return CommandRefused(f"there is something at {place} already; give another path, or `replace` it")
    if error.errno == errno.ENOENT and beside:
        return CommandRefused(f"the folder of {place} is not there; make it first")
    if error.errno == errno.EINVAL and not beside:
        return CommandRefused(f"{source} cannot be copied into itself; give another path")
    if error.errno in (errno.EACCES, errno.EPERM):
        return NoPermission(f"{error.filename or place}: {error.strerror}")
    return error
