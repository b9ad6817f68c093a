"""rollback: make an old version the newest one, lsfs-rollback(1); with it lsfs-undo(1) and lsfs-undelete(1).

Clients of `ctl`: the plan is asked for, shown, and executed by its token when the user has said yes.
"""

import json
import shlex
import sys
import time
from typing import Any

import click

from lsfs.cli import client, say
from lsfs.cli.inside import inside
from lsfs.cli.query import plain
from lsfs.mountinfo import Mount
from lsfs.refusals import EngineDown
from syscalls.rollback import counted

REFUSED = 1
LINES = 40  # changes that are shown on a terminal
MARKS = {"create": "+", "restore": "~", "attributes": ".", "remove": "-"}
PATIENCE = 600.0  # seconds that a long rollback is waited for, after the mount has said that it takes long

_mount = click.option("--mount", "mountpoint", metavar="MNT", help="Which mount, where there are several.")
_options = (
    click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing."),
    click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON."),
    click.option("--yes", is_flag=True, help="Do it without asking."),
    click.option("--force", is_flag=True, help="Even though somebody has a file in it open for writing."),
    _mount,
)


def _with(command: Any) -> Any:
    for option in reversed(_options):
        command = option(command)
    return command


@click.command()
@click.argument("path")
@click.option("--to", metavar="WHEN", help="A snapshot's name, `latest`, or a time such as 2026-11-22T10:00.")
@click.option("--version", metavar="N", help="The version N of a file.")
@click.option("--versions", metavar="N", help="As many versions of a file back.")
@_with
def rollback(
    path: str,
    to: str | None,
    version: str | None,
    versions: str | None,
    dry_run: bool,
    as_json: bool,
    yes: bool,
    force: bool,
    mountpoint: str | None,
) -> int:
    """Make an old version of PATH the newest one: of a file, of a folder and all below it, or of everything (`files`).

    Shows the plan and asks; all of it is done, or nothing. Exits with 1 when it was not confirmed.
    """
    how = [
        (name, text)
        for name, text in (("to", to), ("version", version), ("versions", versions))
        if text is not None
    ]
    if len(how) != 1:
        raise click.UsageError("say one of --to, --version and --versions")
    mount, place = inside(path, mountpoint)
    name, text = how[0]
    line = f"rollback --{name} {shlex.quote(text)}{' --dry-run' if dry_run else ''} -- {shlex.quote(place)}"
    return carry_out(mount, line, dry_run=dry_run, as_json=as_json, yes=yes, force=force)


@click.command()
@_with
def undo(dry_run: bool, as_json: bool, yes: bool, force: bool, mountpoint: str | None) -> int:
    """Take the last rollback, or the last call that changed files, back; the next `lsfs undo` does it again.

    Shows the plan and asks, as `lsfs rollback` does. Exits with 1 when it was not confirmed.
    """
    line = "undo --dry-run" if dry_run else "undo"
    return carry_out(client.locate(mountpoint), line, dry_run=dry_run, as_json=as_json, yes=yes, force=force)


@click.command()
@click.argument("path")
@click.option("--as", "target", metavar="PATH", help="Where to put it; without it, where it was.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a sentence.")
@_mount
def undelete(path: str, target: str | None, as_json: bool, mountpoint: str | None) -> int:
    """Put back what was removed: PATH in trash/, or what was removed last at PATH below files/; a folder with what went with it."""
    mount, place = inside(path, mountpoint)
    where = f" --as {shlex.quote(inside(target, mount.mountpoint)[1])}" if target is not None else ""
    reply = client.control(mount, f"undelete{where} -- {shlex.quote(place)}")
    click.echo(json.dumps({"call": "undelete", "path": place, "reply": reply}) if as_json else plain(reply))
    return 0


def carry_out(mount: Mount, line: str, *, dry_run: bool, as_json: bool, yes: bool, force: bool) -> int:
    """Ask for a plan, show it, and execute it when that is wanted."""
    answer = client.control(mount, line)
    plan: dict[str, Any] = json.loads(answer)
    if as_json:
        click.echo(answer)
    else:
        show(plan)
    if dry_run or not plan["token"]:
        return 0
    if not yes and not confirmed():
        say("nothing was changed")
        return REFUSED
    done = execute(mount, plan["token"], force)
    if as_json:
        say(plain(done))
    else:
        click.echo(plain(done))
    return 0


def execute(mount: Mount, token: str, force: bool) -> str:
    """Have a plan executed. What takes longer than the mount waits is asked for again: it goes on meanwhile."""
    latest = time.monotonic() + PATIENCE
    while True:
        began = time.monotonic()
        try:
            return client.control(mount, f"rollback --token {token}{' --force' if force else ''}")
        except EngineDown:
            if time.monotonic() > latest or time.monotonic() - began < 1.0:
                raise


def confirmed() -> bool:
    """Does the user say yes? Where nobody can be asked, no."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        say("nobody can be asked here; --yes does it without asking")
        return False
    return click.confirm("Do it?", default=False)


def show(plan: dict[str, Any]) -> None:
    """The plan for a person: each path behind a mark, and the sum."""
    for change in plan["changes"][:LINES]:
        slash = "/" if change["type"] == "folder" else ""
        click.echo(f"{MARKS[change['what']]} {plain(change['path'])}{slash}")
    more = len(plan["changes"]) - LINES + plan["more"]
    if more > 0:
        click.echo(f"  … and {more} more")
    for path in plan["busy"]:
        say(f"{plain(path)} is open for writing; wait until it is closed, or say --force")
    if not any(plan["counts"].values()):
        click.echo(f"{plain(plan['path'])} is as it was at {plain(plan['to'])}; there is nothing to do.")
        return
    if plan.get("redo"):
        click.echo(
            f"This does again what the last undo took back: {plain(plan['to'].removeprefix('after '))}."
        )
    click.echo(
        f"{plain(plan['path'])} to {plain(plan['to'])}: {counted(plan['counts'])}; {plan['bytes']} bytes."
    )
