"""files_descriptors: descriptors of the directories in use, never one for each that the kernel knows.

The least recently used is closed first. A directory is opened again from the nearest one above it that is
open, one component at a time, without following a symlink, and only if it is still the same directory.

Threading: the daemon's loop. A descriptor that `of` returns is good until the next-but-one call of `of`; no
caller keeps it over an await.
"""

from __future__ import annotations

import errno
import os
import resource
from collections import OrderedDict
from typing import TYPE_CHECKING

from mounts.nodes import refuse

if TYPE_CHECKING:
    from mounts.files_directory import Directory

LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
STEP = LOOK | os.O_DIRECTORY
MOST = 4096
LEAST = 16
GONE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))


def allowance() -> int:
    """How many directories may stay open: a quarter of what this process may open."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if limit < 0 else max(LEAST, min(MOST, limit // 4))


class Descriptors:
    """O_PATH descriptors of directories; the number is kept in the directory's own `fd`, -1 when it is
    closed."""

    __slots__ = ("_limit", "_recent")

    def __init__(self, limit: int | None = None) -> None:
        self._limit = max(LEAST, allowance() if limit is None else limit)
        self._recent: OrderedDict[Directory, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._recent)

    def of(self, directory: Directory) -> int:
        """A descriptor of *directory*. ENOENT if it was removed, ESTALE if something else has taken its
        place: the kernel then looks the path up again."""
        if directory.fd >= 0:
            self._recent.move_to_end(directory)
            return directory.fd
        if directory.ghost is not None:
            raise refuse(errno.ENOENT)
        try:
            directory.fd = self._open(directory)
        except OSError as error:
            if error.errno != errno.EMFILE:
                raise
            self.shrink(len(self._recent) // 2)  # open files need them more
            directory.fd = self._open(directory)
        self._recent[directory] = None
        self.shrink(self._limit)
        return directory.fd

    def _open(self, directory: Directory) -> int:
        chain = [directory]
        above = directory.parent
        while above is not None and above.fd < 0:
            chain.append(above)
            above = above.parent
        if above is None:
            raise refuse(errno.ESTALE)
        fd, borrowed = above.fd, True
        for step in reversed(chain):
            try:
                below = os.open(step.name, STEP, dir_fd=fd)
            except OSError as error:
                raise refuse(errno.ESTALE) if error.errno in GONE else error from None
            finally:
                if not borrowed:
                    os.close(fd)
            fd, borrowed = below, False
            if not step.is_behind(os.fstat(fd)):
                os.close(fd)
                raise refuse(errno.ESTALE)
        return fd

    def shrink(self, size: int) -> None:
        """Close the least recently used until *size* are left."""
        while len(self._recent) > size:
            directory, _ = self._recent.popitem(last=False)
            fd, directory.fd = directory.fd, -1
            os.close(fd)

    def close(self, directory: Directory) -> None:
        """Close that of *directory*, if it is open."""
        if directory in self._recent:
            del self._recent[directory]
            fd, directory.fd = directory.fd, -1
            os.close(fd)
