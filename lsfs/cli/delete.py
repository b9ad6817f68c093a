"""delete: remove files and folders of a mount, lsfs-delete(1); what a question finds only after its plan was shown."""

import json
from typing import Any

import click

from lsfs.cli import call, client, say
from lsfs.cli.query import plain
from lsfs.cli.rollback import LINES, REFUSED, confirmed
from lsfs.mountinfo import Mount
from lsfs.refusals import CommandRefused
from syscalls.arguments import line
from syscalls.table import CALLS, Call

LINE = 64 << 10  # bytes that ctl takes at once (mounts.ctl), with a line break
_CALL = next(one for one in CALLS if one.word == "delete")


def run(row: Call, values: dict[str, Any], mount: Mount, *, yes: bool) -> int:
    """By name and by token at once; by what is in them after the plan was shown."""
    if "matching" not in values:
        said = line(row, values)
        if len(said.encode("utf-8", "surrogateescape")) >= LINE:
            raise CommandRefused(
                f"{len(values['PATH'])} paths are more than one line to ctl takes, and all of them go at once or none; name the folder that"
                " they are in, or fewer of them"
            )
        call.show(client.control(mount, said))
        return 0
    as_json = values.pop("json", False)
    answer = client.control(mount, line(row, values))
    plan: dict[str, Any] = json.loads(answer)
    if as_json:
        click.echo(answer)
    else:
        show(plan)
    if not plan["token"]:
        return 0
    if not yes and not confirmed():
        say("nothing was removed")
        return REFUSED
    done = client.control(mount, line(row, {"token": plan["token"]}))
    if as_json:
        say(plain(done))
    else:
        click.echo(plain(done))
    return 0


def show(plan: dict[str, Any]) -> None:
    """The plan for a person: the files, best first, and how many."""
    for change in plan["changes"][:LINES]:
        click.echo(f"- {plain(change['path'])}  ({change['score']:.2f})")
    count = plan["counts"]["remove"]
    if count > LINES:
        click.echo(f"  … and {count - LINES} more")
    for note in plan["notes"]:
        click.echo(f"note: {plain(note)}")
    what = plain(plan["matching"])
    if count:
        click.echo(f"{count} {'file answers' if count == 1 else 'files answer'} “{what}”.")
    else:
        click.echo(f"No file answers “{what}”; there is nothing to do.")


def _made() -> click.Command:
    command = call.command(_CALL)

    def callback(yes: bool, mountpoint: str | None, **typed: Any) -> int:
        values, mount = call.understood(_CALL, typed, mountpoint)
        return run(_CALL, values, mount, yes=yes)

    command.callback = callback
    command.params.append(
        click.Option(["--yes"], is_flag=True, help="With --matching: do it without asking.")
    )
    return command


delete = _made()
