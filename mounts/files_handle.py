"""files_handle: an open file of /files: a descriptor of the backing file.

Reads and writes are done in the loop: on local disks a thread costs two to five times the call itself. What
waits for the disk goes to a thread: writes to a file opened with O_SYNC, and fsync unless the disk is quick (`Disk`).
"""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import TYPE_CHECKING

import trio

from mounts.nodes import Handle
from syscalls.errors import NotPermitted

if TYPE_CHECKING:
    from mounts.files_entry import File

SET_ID = stat.S_ISUID | stat.S_ISGID
SHORT, LONG = 0.001, 0.01
"""Seconds: a sync that usually takes less than the one is waited for in the loop; one that took more than the other sends
the next ones to a thread."""
SUSPECT = 1000
"""Syncs done in a thread after one that took long."""
LITTLE = 1 << 20
"""Bytes written to a file since its last sync that a disk takes at once."""
_disk = trio.CapacityLimiter(16)
"""Threads that wait for the disk at one time; more would not make it faster."""


def strip_set_id(fd: int) -> bool:
    """Take set-user-id (and set-group-id, where it is not a mark for locking) from a file that was written by
    somebody who is not root: the kernel leaves it to us, and does not do it for the daemon's own root. Returns whether
    there was one."""
    mode = stat.S_IMODE(os.fstat(fd).st_mode)
    if mode & SET_ID:
        kept = mode & ~stat.S_ISUID
        if mode & stat.S_IXGRP:
            kept &= ~stat.S_ISGID
        if kept != mode:
            os.chmod(b"/proc/self/fd/%d" % fd, kept)
            return True
    return False


class Disk:
    """How long the disk takes to sync, and where to wait for it: a quick disk is waited for in the loop, as a
    thread costs more than the sync; a slow one, or one that has much to write, in a thread."""

    __slots__ = ("_seconds", "_slow")

    def __init__(self) -> None:
        self._seconds = SHORT
        self._slow = 0

    async def wait(self, fd: int, datasync: bool, unsynced: int = 0) -> None:
        """fsync(2) or fdatasync(2) of a file to which *unsynced* bytes were written since the last one."""
        sync = os.fdatasync if datasync else os.fsync
        little = unsynced <= LITTLE
        began = time.perf_counter()
        if self._slow or self._seconds >= SHORT or not little:
            await trio.to_thread.run_sync(sync, fd, limiter=_disk)
            self._slow = max(0, self._slow - 1)
        else:
            sync(fd)
        if little:
            took = time.perf_counter() - began
            self._seconds += (took - self._seconds) / 8
            if took > LONG:
                self._slow = SUSPECT


disk = Disk()


class OpenFile(Handle):
    """One open(2) of *node*. Owns *fd*."""

    __slots__ = ("fd", "node", "unreported", "truncated", "writes", "_strips", "_synchronous")

    def __init__(self, fd: int, node: File, flags: int, *, strips: bool, keep_cache: bool) -> None:
        super().__init__(keep_cache=keep_cache)
        self.fd = fd
        self.node = node
        self.unreported = False
        """Written since the last report."""
        self.truncated = False
        """Emptied by open(2) (`wrote`)."""
        self.writes = bool(flags & os.O_ACCMODE)
        self._strips = strips
        self._synchronous = bool(flags & (os.O_DSYNC | os.O_SYNC))
        if node.handles is None:
            node.handles = [self]
        else:
            node.handles.append(self)

    async def read(self, offset: int, size: int) -> bytes:
        self.node.listed = None  # its access time may be another one now
        return os.pread(self.fd, size, offset)

    async def write(self, offset: int, data: bytes) -> int:
        if self.node.tree.held:
            self._permit()
        if self.node.still is not None:
            await self.node.still.wait()
        if not self.unreported and (wait := self.node.overwritten(self.fd)) is not None:
            await wait
        if self.node.tree.held:  # it may have been locked while this waited
            self._permit()
        try:
            count = await self._write(offset, data)
        except OSError as error:
            # what was removed a moment ago may still take room, until history has read it
            if error.errno != errno.ENOSPC or not self.node.tree.guard.relieve():
                raise
            count = await self._write(offset, data)
        self.node.unsynced += count
        self.node.listed = None
        self.node.tree.wrote = time.monotonic()
        if not self.unreported:
            self.wrote()
        found = os.fstat(self.fd)
        if self._strips and found.st_mode & SET_ID and strip_set_id(self.fd):
            self.node.tree.kernel.attributes(self.node.id)
        self.node.wrote_mtime, self.node.wrote_size = found.st_mtime_ns, found.st_size
        return count

    def _permit(self) -> None:
        try:
            self.node.permit_change()
        except NotPermitted:
            # a page that is mapped would go on showing what was refused
            self.node.tree.kernel.contents(self.node.id)
            raise

    async def _write(self, offset: int, data: bytes) -> int:
        if self._synchronous:
            self.node.tree.storing.append(self)
            try:
                count: int = await trio.to_thread.run_sync(os.pwrite, self.fd, data, offset, limiter=_disk)
            finally:
                self.node.tree.storing.remove(self)
            return count
        return os.pwrite(self.fd, data, offset)

    def wrote(self, *, emptied: bool = False) -> None:
        """There is something to report; if it was only *emptied* by open(2), not before the handle goes, or the first write: a
        shell's `echo x > f` sends a flush before the write, and nobody is to be told of the empty state between."""
        self.node.tree.changing.add(self)
        if emptied:
            self.truncated = True
            return
        self.unreported = True
        for other in self.node.handles or ():
            if (
                other.truncated and not other.unreported and other is not self
            ):  # what it emptied is written by now
                other.truncated = False
                self.node.tree.changing.discard(other)

    async def flush(self) -> None:
        if self.unreported:
            os.close(os.dup(self.fd))  # some backing file systems report a failed write only here
            self._report()

    async def fsync(self, datasync: bool) -> None:
        unsynced, self.node.unsynced = self.node.unsynced, 0
        await disk.wait(self.fd, datasync, unsynced)

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
        self.node.tree.changing.discard(self)
        self.unreported = self.truncated = False
        if self.node.busy():
            self.node.reported(self.fd)
        self.node.written(os.fstat(self.fd))
