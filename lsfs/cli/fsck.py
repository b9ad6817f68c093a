"""fsck: look whether the state folder of a mount is what it should be, lsfs-fsck(1)."""

import json
import os
from pathlib import Path

import click

from lsfs import mountinfo
from lsfs.config import STATE, resolve
from lsfs.mountinfo import Mount
from lsfs.refusals import FolderMissing

CLEAN, REPAIRED, LEFT = 0, 1, 4


@click.command()
@click.argument("place", required=False, metavar="[FOLDER|MNT]")
@click.option(
    "--data", is_flag=True, help="Read every byte that history keeps, and compare it with its digest."
)
@click.option("--repair", is_flag=True, help="Repair what can be; the folder must not be mounted.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each finding.")
@click.option("--state", metavar="DIR", help="The state folder, where it is not FOLDER/.lsfs.")
def fsck(place: str | None, data: bool, repair: bool, as_json: bool, state: str | None) -> int:
    """Look whether the history and the index of FOLDER are whole.

    Without FOLDER: those of the mount that holds the current directory, else of the only one.
    """
    from lsfs.history import fsck as checks

    folder, where = places(place, state)
    harm, left = 0, 0
    with checks.opened(folder, where, repair=repair, data=data) as store:
        for finding in checks.run(store):
            harm, left = harm + finding.harm, left + finding.left
            click.echo(json.dumps(finding._asdict()) if as_json else _printable(str(finding)))
    return LEFT if left else REPAIRED if harm else CLEAN


def places(place: str | None, state: str | None) -> tuple[Path | None, Path]:
    """The folder, None where only its state folder is known, and the state folder. Raises FolderMissing, NotMounted."""
    from lsfs.cli import client

    mount = (mountinfo.find(place) or mountinfo.for_path(place)) if place is not None else client.locate(None)
    if mount is not None and mount.is_lsfs:
        if not mountinfo.is_dead(mount.mountpoint):
            report = client.report(mount)
            return Path(report["folder"]), Path(report["state"])
        folder = _source(mount)
    else:
        assert place is not None
        folder = resolve(place)
    if not folder.is_dir():
        raise FolderMissing(f"{folder} is not there, or is not a folder; name the folder or its mount")
    return folder, resolve(state) if state is not None else folder / STATE


def _source(mount: Mount) -> Path:
    """The folder of a mount whose daemon is gone."""
    return Path(os.fsdecode(mount.source))


def _printable(line: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in line)
