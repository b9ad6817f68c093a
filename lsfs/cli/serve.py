"""serve: serve the links of a mount on this machine, lsfs-serve(1)."""

import sys
from pathlib import Path

import click

from lsfs.cli import client, say


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="The port; 0, as without it, is a free one.",
)
@click.option("--mount", "mountpoint", metavar="MNT", help="Which mount, where there are several.")
def serve(port: int, mountpoint: str | None) -> int:
    """Serve the links that are valid, over HTTP and to programs on this machine alone, until it is interrupted or the mount goes.

    Only who has a link's whole address reads its file, and only until it ends; `lsfs link PATH` makes one.
    """
    from lsfs.serve import main, owned

    mount = client.locate(mountpoint)
    owned(mount.mountpoint)
    report = client.report(mount)

    def ready(number: int, addresses: int) -> None:
        where = f"http://127.0.0.1:{number}/"
        click.echo(
            f"serving the links of {mount.mountpoint} at {where}{' and on ::1' if addresses > 1 else ''}"
        )
        sys.stdout.flush()

    ended = main(mount.mountpoint, Path(report["state"]), int(report["pid"]), port, ready)
    if ended:
        say(ended)
    return 0
