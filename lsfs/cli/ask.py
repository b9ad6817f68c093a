"""ask: say what is to be done, see the command that would do it, and confirm it: lsfs-ask(1).

A client of `ctl`: the plan is asked for, shown, and executed by its token when the user has said yes.
"""

import json
from typing import Any

import click

from lsfs.cli import client, say
from lsfs.cli.call import show
from lsfs.cli.query import plain
from lsfs.cli.rollback import MARKS, REFUSED, confirmed
from lsfs.mountinfo import Mount
from syscalls.arguments import line
from syscalls.table import CALLS

CALL = next(call for call in CALLS if call.word == "ask")
AMBIGUOUS = UNSURE = 1


@click.command()
@click.argument("prompt", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--mount", "mountpoint", metavar="MNT", help="Which mount, where there are several.")
def ask(prompt: tuple[str, ...], dry_run: bool, as_json: bool, yes: bool, mountpoint: str | None) -> int:
    """Do what PROMPT says, in words: "lock the budget for two hours", "what changed in plan.md between v2 and v5".

    Shows the command that would run, and asks. Exits with 1 when it was not confirmed, when several files may be meant, or when --yes is
    said to what only one of its two readers understands so.
    """
    mount = client.locate(mountpoint)
    values: dict[str, Any] = {"PROMPT": (" ".join(prompt),)}
    answer = client.control(mount, line(CALL, values | {"dry-run": True} if dry_run else values))
    plan: dict[str, Any] = json.loads(answer)
    if as_json:
        click.echo(answer)
    else:
        shown(plan)
    if plan.get("candidates"):
        return AMBIGUOUS
    if dry_run or not plan["token"]:
        return 0
    if yes and not plan.get("sure"):
        say(
            "this is not understood surely enough for --yes: nothing was done; run the command above, or ask without --yes"
        )
        return UNSURE
    if not yes and not confirmed():
        say("nothing was done")
        return REFUSED
    return executed(mount, plan["token"])


def executed(mount: Mount, token: str) -> int:
    """Have done what a token stands for, and print what was replied."""
    show(client.control(mount, line(CALL, {"token": token})))
    return 0


def shown(plan: dict[str, Any]) -> None:
    """The plan for a person: the command, what it does, and what its own plan says."""
    for note in plan["notes"]:
        say(plain(note))
    for command in plan.get("candidates", ()):
        click.echo(f"  lsfs {plain(command)}")
    for command in plan["commands"]:
        click.echo(f"lsfs {plain(command)}")
    click.echo(plain(plan["says"]))
    inner = plan.get("plan")
    if inner is None:
        return
    for change in inner["changes"]:
        click.echo(f"{MARKS.get(change.get('what', ''), ' ')} {plain(change['path'])}")
    if inner["more"]:
        click.echo(f"  … and {inner['more']} more")
    counts = ", ".join(f"{number} to {kind}" for kind, number in inner.get("counts", {}).items() if number)
    if counts:
        click.echo(f"{counts}.")
