"""permission: who may read what, by the rules of the kernel. Pure, but for the names of users."""

import functools
import pwd
import stat
import struct

from syscalls.values import Viewer

_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _GROUP_OWNER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20


def may_read(mode: int, uid: int, gid: int, viewer: Viewer) -> bool:
    """Whether `viewer` may read a file or list a directory of this mode and owner."""
    return viewer.uid == 0 or bool(_class(mode, uid, gid, viewer) & stat.S_IROTH)


def may_search(mode: int, uid: int, gid: int, viewer: Viewer) -> bool:
    """Whether `viewer` may pass through a directory. Root always may (CAP_DAC_READ_SEARCH)."""
    return viewer.uid == 0 or bool(_class(mode, uid, gid, viewer) & stat.S_IXOTH)


def may_write(mode: int, uid: int, gid: int, viewer: Viewer) -> bool:
    """Whether `viewer` may write to a file of this mode and owner."""
    return viewer.uid == 0 or bool(_class(mode, uid, gid, viewer) & stat.S_IWOTH)


def acl_grants(acl: bytes, uid: int, gid: int, viewer: Viewer, wanted: int) -> bool:
    """Whether a POSIX access list (the value of system.posix_acl_access: version 2, then tag, bits and number of each entry) of an
    object of this owner grants `viewer` the bits `wanted`. The algorithm is that of acl(5); where the mask is empty Linux does not
    look at the list at all, so that those it names have what all others have."""
    if viewer.uid == 0:
        return True
    entries = [_ENTRY.unpack_from(acl, start) for start in range(4, len(acl) - 7, 8)]
    named = any(tag == _MASK for tag, _, _ in entries)
    mask = next((bits for tag, bits, _ in entries if tag == _MASK), 7)
    groups = viewer.groups | {viewer.gid}
    if viewer.uid != uid and not any(
        bits for tag, bits, _ in entries if tag == (_MASK if named else _GROUP_OWNER)
    ):
        return gid not in groups and any(
            tag == _OTHER and bits & wanted == wanted for tag, bits, _ in entries
        )
    if viewer.uid == uid:
        return any(tag == _OWNER and bits & wanted == wanted for tag, bits, _ in entries)
    for tag, bits, number in entries:
        if tag == _USER and number == viewer.uid:
            return bits & mask & wanted == wanted
    mine = [
        bits
        for tag, bits, number in entries
        if (tag == _GROUP_OWNER and gid in groups) or (tag == _GROUP and number in groups)
    ]
    if mine:
        return any(bits & mask & wanted == wanted for bits in mine)
    return any(tag == _OTHER and bits & wanted == wanted for tag, bits, _ in entries)


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


@functools.lru_cache(maxsize=256)
def name_of(uid: int) -> str:
    """The name of a user; his number where he has none here."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)
