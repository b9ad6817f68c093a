"""files_handle: an open file of /files: a descriptor of the backing file.

Reads and writes are done in the loop: on local disks a thread costs two to five times the call itself. Only
what waits for the disk (fsync, writes to a file opened with O_SYNC) goes to a thread.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import trio

from mounts.nodes import Handle

if TYPE_CHECKING:
    from mounts.files_entry import File

SET_ID = stat.S_ISUID | stat.S_ISGID
_disk = trio.CapacityLimiter(16)
"""Threads that wait for the disk at one time; more would not make it faster."""


def strip_set_id(fd: int) -> None:
    """Take set-user-id (and set-group-id, where it is not a mark for locking) from a file that was written by
    somebody who is not root: the kernel leaves it to us, and does not do it for the daemon's own root."""
    mode = stat.S_IMODE(os.fstat(fd).st_mode)
    if mode & SET_ID:
        kept = mode & ~stat.S_ISUID
        if mode & stat.S_IXGRP:
            kept &= ~stat.S_ISGID
        if kept != mode:
            os.chmod(b"/proc/self/fd/%d" % fd, kept)


async def wait_for_disk(fd: int, datasync: bool) -> None:
    """fsync(2) or fdatasync(2) in a thread."""
    await trio.to_thread.run_sync(os.fdatasync if datasync else os.fsync, fd, limiter=_disk)


class OpenFile(Handle):
    """One open(2) of *node*. Owns *fd*."""

    __slots__ = ("fd", "node", "unreported", "truncated", "_strips", "_synchronous")

    def __init__(self, fd: int, node: File, flags: int, *, strips: bool, keep_cache: bool) -> None:
        super().__init__(keep_cache=keep_cache)
        self.fd = fd
        self.node = node
        self.unreported = False
        """Written since the last report."""
        self.truncated = False
        """Emptied by open(2): reported when the handle goes, or with the first write. A shell's `echo x > f`
        sends a flush before the write, and nobody is to be told of the empty state between."""
        self._strips = strips
        self._synchronous = bool(flags & (os.O_DSYNC | os.O_SYNC))
        if node.handles is None:
            node.handles = [self]
        else:
            node.handles.append(self)

    async def read(self, offset: int, size: int) -> bytes:
        return os.pread(self.fd, size, offset)

    async def write(self, offset: int, data: bytes) -> int:
        if self._synchronous:
            count: int = await trio.to_thread.run_sync(os.pwrite, self.fd, data, offset, limiter=_disk)
        else:
            count = os.pwrite(self.fd, data, offset)
        self.unreported = True
        if self._strips:
            strip_set_id(self.fd)
        return count

    async def flush(self) -> None:
        if self.unreported:
            os.close(os.dup(self.fd))  # some backing file systems report a failed write only here
            self._report()

    async def fsync(self, datasync: bool) -> None:
        await wait_for_disk(self.fd, datasync)

    async def release(self) -> None:
        node = self.node
        try:
            if self.unreported or self.truncated:
                self._report()
        finally:
            node.handles = [other for other in node.handles or () if other is not self] or None
            os.close(self.fd)
            node.tree.settle(node)

    def _report(self) -> None:
        self.unreported = self.truncated = False
        self.node.written(os.fstat(self.fd))
