"""doctor: try everything that lsfs needs, lsfs-doctor(1)."""

from pathlib import Path

import click

from lsfs import doctor as trials
from lsfs.config import resolve
from lsfs.refusals import FolderMissing

WELL, PROBLEM = 0, 1


@click.command()
@click.argument("folder", required=False)
@click.option("--only", hidden=True, help="One check, in this process.")
def doctor(folder: str | None, only: str | None) -> int:
    """Try what a mount needs, for real, and say what to do where it fails.

    With FOLDER, as a mount of that folder would.
    """
    place: Path | None = resolve(folder) if folder is not None else None
    if place is not None and not place.is_dir():
        raise FolderMissing(f"{place} is not there, or is not a folder; name a folder that is")
    trials.settings(place)  # a wrong line is refused as `lsfs mount` does
    chosen = trials.CHECKS
    if only is not None:
        chosen = tuple(check._replace(apart=False) for check in chosen if check.name == only)
    code = WELL
    for check in chosen:
        well, sentence = trials.tried(check, place)
        click.echo(f"{'ok' if well else 'problem':<8} {check.name:<10} {sentence}")
        code = code if well else PROBLEM
    return code
