"""files_locks: what a lock means in /files: EPERM, as of a file that chattr(1) has made immutable, for every tool and every user.

    getfattr -n user.lsfs.lock PATH               by whom, until when, what for; also of what is in a locked folder
    setfattr -n user.lsfs.lock -v 2h PATH         lock it (a duration, a time, or nothing); setfattr -x unlocks it

The attribute is nowhere on the disk. A locked thing keeps its content, attributes and name; a locked folder what is in it, too; the
folders above keep their names. A file is known by its inode, so its other names are closed to writers as well.

Threading: the daemon's loop. Every operation asks before it acts, and again after it has waited, only where something is locked at all
(`Files.held`).
"""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import TYPE_CHECKING

from mounts.nodes import Caller, refuse
from syscalls.errors import NotFound, NotPermitted
from syscalls.locked import meant, refusal, told
from syscalls.options import shown
from syscalls.values import Lock

if TYPE_CHECKING:
    from mounts.files_directory import Directory
    from mounts.files_entry import Entry


def permit_name(directory: Directory, name: bytes, goes: bool) -> None:
    """Raises NotPermitted where *name* in a directory is locked; or, if it *goes*, something below it."""
    locks, path = directory.tree.locks, directory.path_of(name)
    if locks is None or path is None:
        return
    under = locks.locked(path)
    if under is not None:
        raise refusal(*under)
    inner = locks.below(path) if goes else None
    if inner is not None:
        raise NotPermitted(f"{shown(path)} stays where it is: in it, {refusal(*inner)}")


def permit_change(entry: Entry) -> None:
    """Raises NotPermitted where an object is locked, under whatever name."""
    under = found(entry)
    if under is not None:
        raise refusal(*under)


def found(entry: Entry) -> tuple[bytes, Lock] | None:
    """The lock that an object is under, and the path that it is of."""
    locks = entry.tree.locks
    if locks is None or not locks.held:
        return None
    known = _paths(entry)
    for path in known:
        under = locks.locked(path)
        if under is not None:
            return under
    if entry.kind != stat.S_IFREG:
        return None
    there = os.fstat(entry.handles[0].fd) if entry.handles else _look(entry)
    return locks.linked(there) if there is not None and there.st_nlink > len(known) else None


def said(entry: Entry, caller: Caller) -> bytes:
    """The attribute: who locked it. A lock on a path that the caller may not read has no path, and no reason. Raises ENODATA where nobody
    did."""
    under = found(entry)
    if under is None:
        raise refuse(errno.ENODATA)
    path, lock = under
    above: bytes | None = None if path in _paths(entry) else path
    locks = entry.tree.locks
    if locks is not None and not locks.known(path, lock, entry.tree.ports.viewer(caller)):
        above, lock = None, Lock(lock.uid, lock.since, lock.until, "")
    return told(lock, above).encode("utf-8", "surrogateescape")


async def lock(entry: Entry, value: bytes, caller: Caller) -> None:
    """The attribute was set. What the mount itself says of a lock is taken and not obeyed: a copy has it from the original."""
    now = time.time()
    wanted = meant(value, now)
    if wanted is None:
        return
    locks, path = entry.tree.locks, next(iter(_paths(entry)), None)
    if locks is None or path is None:
        raise refuse(errno.EOPNOTSUPP)
    viewer = entry.tree.ports.viewer(caller)
    until, why = wanted
    await locks.lock(path, Lock(viewer.uid, now, until, why), viewer)


async def unlock(entry: Entry, caller: Caller) -> None:
    """The attribute was removed. Raises ENODATA where there is no lock, NotPermitted where it is another's, or a folder's."""
    locks, under = entry.tree.locks, found(entry)
    if locks is None or under is None:
        raise refuse(errno.ENODATA)
    path = next((path for path in _paths(entry) if locks.of(path) is not None), None)
    if path is None:
        raise NotPermitted(f"It is locked with {shown(under[0])}: unlock that.")
    try:
        await locks.unlock(path, entry.tree.ports.viewer(caller))
    except NotFound:
        raise refuse(errno.ENODATA) from None


def _paths(entry: Entry) -> list[bytes]:
    if entry.kind == stat.S_IFDIR:
        path = entry.path()
        return [] if path is None else [path]
    there = (directory.path_of(name) for directory, name in entry.names())
    return [path for path in there if path is not None]


def _look(entry: Entry) -> os.stat_result | None:
    try:
        fd, name = entry.place()
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError:
        return None
