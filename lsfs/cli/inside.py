"""inside: a path as it is typed, as a mount and a path below its files/.

A path inside a mount says which mount is meant, absolute or from the current directory; any other name is a path below files/, with or
without `files/`. Nothing has to be there: what was removed has a path, too.

Only `files`, and the folder files/ of a mount itself, mean everything: an empty path, the top of a mount, and places outside of one (`/`,
`.` somewhere else) mean nothing, since what a script or a slip of the hand leaves empty must not be everything that there is.
"""

import os

from lsfs import mountinfo
from lsfs.cli import client
from lsfs.mountinfo import Mount
from lsfs.refusals import CommandRefused

FILES = "files"


def inside(path: str, mountpoint: str | None = None) -> tuple[Mount, str]:
    """The mount, and the path from its top: `files`, `files/src/a.md`, `trash/2026-11-27/a.md`. Raises NotMounted, and
    CommandRefused for what is no path in one."""
    if not path:
        raise CommandRefused("an empty path is no path; for everything, write `files`")
    typed = os.path.abspath(path)
    whole = (
        os.path.join(os.path.realpath(os.path.dirname(typed)), os.path.basename(typed))
        if typed != "/"
        else typed
    )
    found = mountinfo.for_path(whole) if mountpoint is None else client.locate(mountpoint)
    if found is not None and (
        whole == found.mountpoint or whole.startswith(found.mountpoint.rstrip("/") + "/")
    ):
        rest = os.path.relpath(whole, found.mountpoint)
        if mountpoint is None:
            found = client.locate(found.mountpoint)  # its daemon may be gone
    else:
        found = client.locate(mountpoint)
        rest = os.path.normpath(path)
        if rest.startswith("/"):
            raise CommandRefused(
                f"{path} is in no mount; write a path inside one, or as ls shows it below files/"
            )
    first = rest.partition("/")[0]
    if first in (".", ".."):
        raise CommandRefused(f"{path} is outside of files/; for everything, write `files`")
    if first == FILES:
        return found, rest
    return found, rest if first == "trash" else f"{FILES}/{rest}"
