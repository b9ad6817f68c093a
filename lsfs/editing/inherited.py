"""inherited: what a new file or folder has of the folder that it is made in: group, set-group-id, access list. As the kernel does it.

    setgid folder             the group, and of a new folder the mark itself (mkdir(2), open(2))
    default access list       the list, masked by the mode that was asked for (acl(5), posix_acl_create)

Pure.
"""

import os
import stat
import struct

import msgpack

from lsfs.history.entries import Entry
from syscalls.values import Viewer

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
_ENTRY = struct.Struct("<HHI")
_OWNER, _GROUP, _MASK, _OTHER = 0x01, 0x04, 0x10, 0x20
_PLAIN = {_OWNER, _GROUP, _OTHER}


def owner_of(folder: Entry, viewer: Viewer) -> tuple[int, int]:
    """Whose something new in a folder is: the viewer's, or the daemon's where that cannot give it away."""
    root = os.geteuid() == 0
    uid, gid = (viewer.uid, viewer.gid) if root else (os.geteuid(), os.getegid())
    return uid, folder.gid if folder.mode & stat.S_ISGID else gid


def rights_of(folder: Entry, mode: int, umask: int = 0o022) -> tuple[int, bytes | None]:
    """Mode (with its type) and extended attributes of something new. The umask counts where the folder hands down no list."""
    is_folder = stat.S_ISDIR(mode)
    if is_folder and folder.mode & stat.S_ISGID:
        mode |= stat.S_ISGID
    acl = msgpack.unpackb(folder.xattrs).get(DEFAULT) if folder.xattrs else None
    if acl is None or stat.S_ISLNK(mode):
        return mode & ~umask, None
    mode, own = _masked(acl, mode)
    found = {name: value for name, value in ((ACCESS, own), (DEFAULT, acl if is_folder else None)) if value}
    return mode, msgpack.packb(dict(sorted(found.items()))) if found else None


def _masked(acl: bytes, mode: int) -> tuple[int, bytes | None]:
    """A default list as the list of something new of this mode; None where it says no more than the mode."""
    entries = [_ENTRY.unpack_from(acl, start) for start in range(4, len(acl) - 7, 8)]
    group = _MASK if any(tag == _MASK for tag, _, _ in entries) else _GROUP
    shifts = {_OWNER: 6, group: 3, _OTHER: 0}
    made = []
    for tag, bits, number in entries:
        if tag in shifts:
            bits &= mode >> shifts[tag] & 7
            mode = mode & ~(7 << shifts[tag]) | bits << shifts[tag]
        made.append((tag, bits, number))
    if {tag for tag, _, _ in made} <= _PLAIN:
        return mode, None
    return mode, acl[:4] + b"".join(_ENTRY.pack(*entry) for entry in made)
