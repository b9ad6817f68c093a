"""inside: a path as it is typed, as a mount and a path below its files/.

A path inside a mount says which mount is meant, absolute or from the current directory; any other name is a path below files/, with or
without `files/`. Nothing has to be there: what was removed has a path, too.

Only `files`, and the folder files/ of a mount itself, mean everything: an empty path, the top of a mount, and places outside of one (`/`,
`.` somewhere else) mean nothing, since what a script or a slip of the hand leaves empty must not be everything that there is.

A link that a shell shows in an answer (`query/PROMPT/01-a.md`, those of `.query` and of groups) means the file that it leads to.
"""

import os
import re

from lsfs import mountinfo
from lsfs.cli import client
from lsfs.mountinfo import Mount
from lsfs.refusals import CommandRefused

FILES = "files"
_ANSWER = re.compile(r"(?s)query/.|(?:.*/)?\.query/.")  # below it are links to files


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
    rest = _led(found, rest)
    first = rest.partition("/")[0]
    if first in (".", ".."):
        raise CommandRefused(f"{path} is outside of files/; for everything, write `files`")
    if first == FILES:
        return found, rest
    return found, rest if first == "trash" else f"{FILES}/{rest}"


def _led(mount: Mount, rest: str) -> str:
    """The path of the file that a link of an answer leads to; any other path as it is."""
    if not _ANSWER.match(rest):
        return rest
    if rest.startswith("query/") and os.path.lexists(os.path.join(mount.mountpoint, FILES, rest)):
        return rest  # a folder of the user's that is called so
    for place in (rest, f"{FILES}/{rest}"):  # `papers/.query/…` is below files/
        link = os.path.join(mount.mountpoint, place)
        try:
            target = os.path.relpath(os.path.join(os.path.dirname(link), os.readlink(link)), mount.mountpoint)
        except OSError:
            continue
        if target.startswith(f"{FILES}/"):
            return target
    return rest
