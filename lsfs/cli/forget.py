"""forget: take a saved question off the list; with --purge, remove all that a file ever was. lsfs-forget(1)."""

import json
import shlex
import time
from typing import Any

import click

from lsfs.cli import client, say
from lsfs.cli.inside import inside
from lsfs.cli.query import plain
from lsfs.cli.rollback import confirmed
from lsfs.cli.words import Prompted
from lsfs.mountinfo import Mount
from lsfs.refusals import CommandRefused, EngineDown

REFUSED, UNPROVEN = 1, 4
LONGER = "takes longer"  # what the mount says of a line that goes on; any other refusal ends it
PATIENCE = 3600.0  # seconds that a purge of a large history is waited for


@click.command(cls=Prompted)
@click.argument("prompt", nargs=-1, required=True, metavar="PROMPT...")
@click.option(
    "--purge",
    is_flag=True,
    help="PROMPT is a path: remove every version of it from history and index, for good.",
)
@click.option("--live", is_flag=True, help="With --purge: remove the files themselves, too.")
@click.option(
    "--everywhere", is_flag=True, help="With --purge: versions of other files with the same bytes, too."
)
@click.option("--dry-run", is_flag=True, help="With --purge: show what would go, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --purge: print the plan, and the proof, as JSON.")
@click.option("--yes", is_flag=True, help="With --purge: do it without asking.")
@click.option("--mount", "mountpoint", metavar="MNT", help="Which mount, where there are several.")
def forget(
    prompt: tuple[str, ...],
    purge: bool,
    live: bool,
    everywhere: bool,
    dry_run: bool,
    as_json: bool,
    yes: bool,
    mountpoint: str | None,
) -> int:
    """Take a saved PROMPT off the list of query/; no file is touched.

    With --purge, PROMPT is a path below files/: everything that it ever was is removed from versions, snapshots and index. That cannot be
    undone; the plan is shown first. Exits with 1 when it was not confirmed, with 4 when something of it may be left.
    """
    if not purge:
        for name, given in (
            ("live", live),
            ("everywhere", everywhere),
            ("dry-run", dry_run),
            ("json", as_json),
            ("yes", yes),
        ):
            if given:
                raise click.UsageError(f"--{name} goes with --purge")
        click.echo(client.control(client.locate(mountpoint), " ".join(["forget", *prompt])))
        return 0
    if len(prompt) > 1:
        raise click.UsageError("--purge takes one path; quote a name with blanks")
    mount, place = inside(prompt[0], mountpoint)
    flags = "".join(
        f" --{name}"
        for name, given in (("live", live), ("everywhere", everywhere), ("dry-run", dry_run))
        if given
    )
    return carry_out(
        mount, f"purge{flags} -- {shlex.quote(place)}", dry_run=dry_run, as_json=as_json, yes=yes
    )


def carry_out(mount: Mount, line: str, *, dry_run: bool, as_json: bool, yes: bool) -> int:
    """Ask for the plan, show it, and execute it when that is wanted."""
    from syscalls.purge import outcome, planned

    answer = client.control(mount, line)
    plan: dict[str, Any] = json.loads(answer)
    click.echo(answer if as_json else plain(planned(plan)))
    if plan["refused"]:
        raise CommandRefused(plain(plan["refused"]))
    if dry_run:
        return 0
    if not yes and not confirmed():
        say("nothing was removed")
        return REFUSED
    done = execute(mount, plan["token"])
    click.echo(json.dumps(done) if as_json else plain(outcome(done)))
    return 0 if done["proof"]["holds"] else UNPROVEN


def execute(mount: Mount, token: str) -> dict[str, Any]:
    """Have it done. What takes longer than the mount waits is asked for again: it goes on meanwhile."""
    latest = time.monotonic() + PATIENCE
    while True:
        began = time.monotonic()
        try:
            done: dict[str, Any] = json.loads(client.control(mount, f"purge --token {token}"))
            return done
        except EngineDown as error:
            if time.monotonic() > latest or time.monotonic() - began < 1.0 or LONGER not in str(error):
                raise
