"""fuse_entries: a directory's entries as the kernel takes them, and the entry that tells it nothing new.

Every listing by readdirplus overwrites what the kernel holds of each entry, and makes it forget the access
control lists: `ls -l` then asks for each of them again. The protocol has a word for "believe what you know":
an entry whose node is 0 is listed, with its number and type, and nothing else happens. pyfuse3 sets node and
number together; `known` makes the difference where the layout of its object is the expected one, which is
tried out once at import. Elsewhere every entry is told whole: slower, and as right.
"""

from __future__ import annotations

import ctypes
from typing import Any

from pyfuse3 import EntryAttributes

_MARK = 0x5EED_FACE_CAFE_F00D
_REACH = 8
"""Words of the object that are searched for the node: it stands right behind the object's head."""


def _find() -> int | None:
    """The offset of the node in an EntryAttributes, in bytes; None if it cannot be told from the number."""
    entry = EntryAttributes()
    entry.st_ino = _MARK
    words = (ctypes.c_uint64 * _REACH).from_address(id(entry))
    found = [index for index in range(_REACH) if words[index] == _MARK]
    if len(found) != 2:  # the node, and the number among the attributes
        return None
    words[found[0]] = 0
    if entry.st_ino != 0 or words[found[1]] != _MARK:
        return None
    return 8 * found[0]


_NODE = _find()


def known(told: EntryAttributes) -> EntryAttributes | None:
    """*told*, which the kernel was told in full, made an entry that tells it nothing new; None where there is no such thing."""
    if _NODE is None:
        return None
    ctypes.c_uint64.from_address(id(told) + _NODE).value = 0
    return told


def translated(node: Any, attributes: Any) -> EntryAttributes:
    """What the kernel is told of *node*; pyfuse3's own timeouts are 300 s, so both are always set."""
    entry = EntryAttributes()
    entry.st_ino = node.id
    entry.generation = node.generation
    entry.entry_timeout = node.entry_timeout
    entry.attr_timeout = node.attr_timeout
    entry.st_mode = attributes.st_mode
    entry.st_nlink = attributes.st_nlink
    entry.st_uid = attributes.st_uid
    entry.st_gid = attributes.st_gid
    entry.st_rdev = attributes.st_rdev
    entry.st_size = attributes.st_size
    entry.st_blksize = attributes.st_blksize
    entry.st_blocks = attributes.st_blocks
    entry.st_atime_ns = attributes.st_atime_ns
    entry.st_mtime_ns = attributes.st_mtime_ns
    entry.st_ctime_ns = attributes.st_ctime_ns
    return entry
