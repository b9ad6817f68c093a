"""Who may read what, asked of the live folder at the moment of the answer.

A question is filtered by the same rule that the kernel applies to /files (mode bits and access lists of every folder above, and of
the file): what you could `cat` you may find, nothing else. Synchronous, called in the daemon's loop; about 3 µs a folder.
"""

import errno
import os
import stat
import time

import msgpack

from lsfs.beneath import open_beneath, stat_beneath
from lsfs.history.entries import Entry
from lsfs.history.past import Past
from syscalls.permission import acl_grants, may_read, may_search
from syscalls.values import Viewer

READ, SEARCH = 4, 1
PASS = 0.02  # seconds for which what is known of a folder holds: the time in which one answer is filtered


class Readable:
    """The live folder as a permission filter."""

    def __init__(self, root_fd: int) -> None:
        self.root_fd = root_fd
        self._folders: dict[tuple[bytes, Viewer], bool] = {}
        self._since = 0.0

    def __call__(self, path: bytes, viewer: Viewer) -> bool:
        """May `viewer` open this regular file for reading? A file that is gone, or no regular file any more, may not be."""
        now = time.monotonic()
        if now - self._since > PASS:
            self._folders.clear()
            self._since = now
        parent, _, _ = path.rpartition(b"/")
        if not self._passable(parent, viewer):
            return False
        try:
            found = stat_beneath(self.root_fd, path)
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and self._granted(path, found, viewer, READ)

    def permits(self, path: bytes, viewer: Viewer) -> bool:
        """May `viewer` read what is at `path` today, or would nothing that is there keep him from it? For the past: what is gone forbids
        nothing, what is there forbids what it forbids."""
        if viewer.uid == 0:
            return True
        if not self.passes(path.rpartition(b"/")[0], viewer):
            return False
        try:
            found = stat_beneath(self.root_fd, path)
        except OSError:
            return True
        return stat.S_ISLNK(found.st_mode) or self._granted(path, found, viewer, READ)

    def passes(self, folder: bytes, viewer: Viewer) -> bool:
        """May `viewer` go through a folder and those above it, as far as they are there?"""
        parts = folder.split(b"/") if folder else []
        for depth in range(1, len(parts) + 1):
            above = b"/".join(parts[:depth])
            if viewer.uid and self._exists(above) and not self._searchable(above, viewer):
                return False
        return True

    def then(self, row: Entry, past: Past, viewer: Viewer) -> bool:
        """Did the rights of a row, and of the folders above it when it was born, let `viewer` read it?"""
        if viewer.uid == 0:
            return True
        if not may_read_row(row, viewer, READ):
            return False
        parts = row.parent.split(b"/") if row.parent else []
        for depth in range(1, len(parts) + 1):
            above = past.entry(b"/".join(parts[:depth]), row.born)
            if above is not None and not may_read_row(above, viewer, SEARCH):
                return False
        return True

    def _exists(self, folder: bytes) -> bool:
        try:
            stat_beneath(self.root_fd, folder)
        except OSError:
            return False
        return True

    def _granted(self, path: bytes, found: os.stat_result, viewer: Viewer, wanted: int) -> bool:
        """Do the mode bits, or the access list where there is one, let `viewer` read or pass? Unknown is no."""
        may = may_read if wanted == READ else may_search
        allowed = may(found.st_mode, found.st_uid, found.st_gid, viewer)
        if viewer.uid in (0, found.st_uid):
            return allowed
        try:
            fd = open_beneath(self.root_fd, path, os.O_PATH | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            acl = os.getxattr(f"/proc/self/fd/{fd}", "system.posix_acl_access")
        except OSError as error:
            return allowed and error.errno in (errno.ENODATA, errno.EOPNOTSUPP)
        finally:
            os.close(fd)
        return acl_grants(acl, found.st_uid, found.st_gid, viewer, wanted)

    def _passable(self, folder: bytes, viewer: Viewer) -> bool:
        key = (folder, viewer)
        known = self._folders.get(key)
        if known is None:
            known = not folder or self._passable(folder.rpartition(b"/")[0], viewer)
            known = known and self._searchable(folder, viewer)
            self._folders[key] = known
        return known

    def _searchable(self, folder: bytes, viewer: Viewer) -> bool:
        try:
            fd = open_beneath(self.root_fd, folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            found = os.fstat(fd)
        finally:
            os.close(fd)
        return self._granted(folder, found, viewer, SEARCH)


def may_read_row(row: Entry, viewer: Viewer, wanted: int) -> bool:
    """The rights of a row, its access list included."""
    acl = msgpack.unpackb(row.xattrs).get("system.posix_acl_access") if row.xattrs else None
    if acl is not None and viewer.uid != row.uid:
        return acl_grants(acl, row.uid, row.gid, viewer, wanted)
    may = may_read if wanted == READ else may_search
    return may(row.mode, row.uid, row.gid, viewer)
