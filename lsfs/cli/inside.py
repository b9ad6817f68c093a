"""inside: a path as it is typed, as a mount and a path below its files/.

A path inside a mount says which mount is meant, absolute or from the current directory; anything else is a path below files/, with or
without `files/`. Nothing has to be there: what was removed has a path, too.
"""

import os

from lsfs import mountinfo
from lsfs.cli import client
from lsfs.mountinfo import Mount

FILES = "files"


def inside(path: str, mountpoint: str | None = None) -> tuple[Mount, str]:
    """The mount, and the path from its top: `files`, `files/src/a.md`, `trash/2026-11-27/a.md`. Raises NotMounted."""
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
        rest = os.path.normpath(path.lstrip("/"))
    first = rest.partition("/")[0]
    if rest == "." or first == FILES:
        return found, FILES if rest == "." else rest
    return found, rest if first == "trash" else f"{FILES}/{rest}"
