"""permission: who may read what, by the rules of the kernel. Pure, but for the names of users."""

import pwd
import stat

from syscalls.values import Viewer


def may_read(mode: int, uid: int, gid: int, viewer: Viewer) -> bool:
    """Whether `viewer` may read a file or list a directory of this mode and owner."""
    return viewer.uid == 0 or bool(_class(mode, uid, gid, viewer) & stat.S_IROTH)


def may_search(mode: int, uid: int, gid: int, viewer: Viewer) -> bool:
    """Whether `viewer` may pass through a directory. Root always may (CAP_DAC_READ_SEARCH)."""
    return viewer.uid == 0 or bool(_class(mode, uid, gid, viewer) & stat.S_IXOTH)


def _class(mode: int, uid: int, gid: int, viewer: Viewer) -> int:
    """The three bits that apply: the first class that matches decides, even if a later one would grant more."""
    if viewer.uid == uid:
        return mode >> 6
    if gid == viewer.gid or gid in viewer.groups:
        return mode >> 3
    return mode


def uid_of(user: str, viewer: Viewer) -> int | None:
    """The number of a user: by name, as a number, or `me`. None if there is no such user."""
    if user == "me":
        return viewer.uid
    try:
        return pwd.getpwnam(user).pw_uid
    except (KeyError, ValueError):
        return int(user) if user.isascii() and user.isdigit() and len(user) < 11 else None
