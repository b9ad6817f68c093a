"""past: lsfs-snapshot(1), lsfs-log(1), lsfs-compare(1): each one line to `ctl`, its answer printed as it is, byte for byte; on a terminal
without what that would obey."""

import shlex
import sys

import click

from lsfs.cli import client
from lsfs.cli.inside import inside
from lsfs.cli.query import plain
from lsfs.refusals import CommandRefused

_mount = click.option("--mount", "mountpoint", metavar="MNT", help="Which mount, where there are several.")


@click.command()
@click.argument("name", required=False)
@click.option("--drop", is_flag=True, help="Take the name back; no file is touched.")
@_mount
def snapshot(name: str | None, drop: bool, mountpoint: str | None) -> int:
    """Give NAME to everything that is there now; without it, list the snapshots: name, time, sequence."""
    if drop and name is None:
        raise click.UsageError("say which snapshot is to be dropped")
    line = "snapshot" + (" --drop" if drop else "") + (f" -- {shlex.quote(name)}" if name is not None else "")
    answer = client.control(client.locate(mountpoint), line)
    if answer:
        _print(answer)
    return 0


@click.command()
@click.argument("path")
@_mount
def log(path: str, mountpoint: str | None) -> int:
    """List everything that happened to the file PATH: version, time, size, mode, owner, what, path, separated by tabs."""
    mount, place = inside(path, mountpoint)
    _print(client.control(mount, f"log -- {shlex.quote(place)}"))
    return 0


@click.command()
@click.argument("path")
@click.option(
    "--from", "old", metavar="X", help="The older one: v3, a snapshot, a time; without it the one before."
)
@click.option("--to", "new", metavar="Y", help="The newer one; without it the newest.")
@click.option("--diff", is_flag=True, help="As a unified diff, for patch(1).")
@click.option(
    "--no-llm",
    is_flag=True,
    help="Without what a language model says of it, where one is named in lsfs.conf.",
)
@_mount
def compare(
    path: str, old: str | None, new: str | None, diff: bool, no_llm: bool, mountpoint: str | None
) -> int:
    """Say in words what changed between two versions of the file PATH."""
    mount, place = inside(path, mountpoint)
    options = [
        f"--{name} {shlex.quote(text)}" for name, text in (("from", old), ("to", new)) if text is not None
    ]
    options += ["--diff"] if diff else []
    options += ["--no-llm"] if no_llm else []
    answer = client.control(mount, " ".join(["compare", *options, "--", shlex.quote(place)]))
    if diff and len(answer.encode("utf-8", "surrogateescape")) + 1 >= client.ANSWER:
        raise CommandRefused(
            f"the diff is longer than {client.ANSWER >> 20} MiB; read it as files/.versions/PATH/vX..vY.diff"
        )
    _print(answer)
    return 0


def _print(answer: str) -> None:
    """`click.echo` would take colours out of a diff, which patch(1) then refuses."""
    if sys.stdout.isatty():
        click.echo(plain(answer))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(answer.encode("utf-8", "surrogateescape") + b"\n")
    sys.stdout.buffer.flush()
