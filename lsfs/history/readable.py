"""Who may read what, asked of the live folder at the moment of the answer.

A question is filtered by the same rule that the kernel applies to /files (mode bits of every folder above, and of the
file): what you could `cat` you may find, nothing else. Synchronous, called in the daemon's loop; about 3 µs a folder.
"""

import errno
import os
import stat
import time

from lsfs.beneath import open_beneath, stat_beneath
from syscalls.permission import may_read, may_search
from syscalls.values import Viewer

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
        if not stat.S_ISREG(found.st_mode) or not may_read(found.st_mode, found.st_uid, found.st_gid, viewer):
            return False
        return viewer.uid in (0, found.st_uid) or not self._has_acl(path)

    def _has_acl(self, path: bytes) -> bool:
        """Does an access list narrow what the mode bits say? Then nobody but the owner finds the file: less, never more."""
        try:
            fd = open_beneath(self.root_fd, path, os.O_PATH | os.O_NOFOLLOW)
        except OSError:
            return True
        try:
            os.getxattr(f"/proc/self/fd/{fd}", "system.posix_acl_access")
        except OSError as error:
            return error.errno not in (errno.ENODATA, errno.EOPNOTSUPP)
        else:
            return True
        finally:
            os.close(fd)

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
        if not may_search(found.st_mode, found.st_uid, found.st_gid, viewer):
            return False
        return viewer.uid in (0, found.st_uid) or not self._has_acl(folder)
