"""past: lsfs-snapshot(1), lsfs-compare(1): each one line to `ctl`, its answer printed as it is, byte for byte; on a terminal
without what that would obey."""

import json
import shlex
from typing import Any

import click

from lsfs.cli import client
from lsfs.cli.call import command, show
from lsfs.mountinfo import Mount
from lsfs.refusals import CommandRefused
from syscalls.arguments import line
from syscalls.table import CALLS, Call

_mount = click.option("--mount", "mountpoint", metavar="MNT", help="Which mount, where there are several.")


@click.command()
@click.argument("name", required=False)
@click.option("--drop", is_flag=True, help="Take the name back; no file is touched.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@_mount
def snapshot(name: str | None, drop: bool, as_json: bool, mountpoint: str | None) -> int:
    """Give NAME to everything that is there now; without it, list the snapshots: name, time, sequence."""
    if drop and name is None:
        raise click.UsageError("say which snapshot is to be dropped")
    line = "snapshot" + (" --drop" if drop else "") + (f" -- {shlex.quote(name)}" if name is not None else "")
    answer = client.control(client.locate(mountpoint), line)
    if not as_json:
        show(answer)
    elif name is not None:
        click.echo(json.dumps({"call": "snapshot", "name": name, "reply": answer}))
    else:
        columns = ("name", "time", "sequence")
        rows = [dict(zip(columns, one.split("\t"), strict=False)) for one in answer.split("\n") if one]
        click.echo(json.dumps({"snapshots": rows}))
    return 0


def _compare(call: Call, values: dict[str, Any], mount: Mount) -> int:
    answer = client.control(mount, line(call, values))
    if "diff" in values and len(answer.encode("utf-8", "surrogateescape")) + 1 >= client.ANSWER:
        raise CommandRefused(
            f"the diff is longer than {client.ANSWER >> 20} MiB; read it as files/.versions/PATH/vX..vY.diff or snapshots/diff/X..Y"
        )
    show(answer)
    return 0


compare = command(next(call for call in CALLS if call.word == "compare"), _compare)
