"""The guard: nothing overwrites or removes a content that history does not have.

Called by /files, in the loop, just before a file's bytes are changed or its last name goes. What history has already costs one look into
the database. What it has not is secured first:

    removed, renamed over    a link in held/ keeps the inode: no byte is read, however large the file is
    overwritten, truncated   its bytes are copied: small ones into the journal, large ones into held/ (by reference where the disk can)

Each is written down in held/journal before the operation goes on (a write survives the end of the daemon; what is older than the last
commit is synced too, and so survives a power cut), then told to `Follow`, whose next commit makes a version of it. `Capture.recover` finds
what a kill left.

When history cannot be written, the user's operation goes on all the same, and `trouble` says so.
"""

import contextlib
import errno
import logging
import os
import sqlite3
import stat
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import trio

from lsfs.history import paths
from lsfs.history.entries import Extra, packed_xattrs
from lsfs.history.held import Held, Secured, copy
from lsfs.history.objects import LARGE

log = logging.getLogger(__name__)

MINUTE = 60.0
STATE = b".lsfs"
MOST_WAITING = 64 << 20
"""Bytes that may wait for a commit, in memory."""
RESTED = 2.0
"""Seconds after which a state was no passing one."""
RESERVE = 100
"""Of a disk, one part of this many is left free: what would need it is not kept."""
_copying = trio.CapacityLimiter(4)


class Guard:
    """The port `mounts.ports.Guard`. In the loop.

    kept     (path) -> (size, mtime_ns, ino, captured, shown by a snapshot) of its live row, or None
    note     told of each `Secured`
    displaced  (path) -> whether something there was secured that no commit has taken yet: a kill would make that the last one there
    named    (path, inode) -> a live path of this inode other than `path`, or None
    commit   wait until what was noted is committed
    dear     the files in held/ that a snapshot shows
    waiting  bytes that were noted and no commit has taken yet
    largest  bytes of a file beyond which its versions are not kept
    pace     states of one file that are secured within a minute, beyond those that a commit has seen
    """

    def __init__(
        self,
        held: Held,
        *,
        kept: Callable[[bytes], tuple[int, int, int, bool, bool] | None],
        note: Callable[[Secured], None],
        displaced: Callable[[bytes], bool],
        named: Callable[[bytes, int], bytes | None],
        commit: Callable[[], Awaitable[Any]],
        dear: Callable[[], set[str]],
        waiting: Callable[[], int],
        largest: int,
        pace: int,
    ) -> None:
        self.held = held
        self.trouble: str | None = None
        self._kept = kept
        self._note = note
        self._displaced = displaced
        self._named = named
        self._commit = commit
        self._under_way: set[str] = set()
        self._dear = dear
        self._waiting = waiting
        self._largest = largest
        self._pace = pace
        self._lately: dict[bytes, deque[float]] = {}

    def overwrites(self, path: bytes, fd: int, found: os.stat_result) -> Awaitable[None] | None:
        """The bytes of the file open at `fd` are about to be changed. What is returned is to be awaited before."""
        with self._troubled():
            old = self._needs(path, found)
            return None if old is None else self._keep(path, fd, found, old)
        return None

    def closed(self, path: bytes, fd: int, found: os.stat_result) -> None:
        """One who wrote has closed the file at `fd`, while another goes on writing: what is there now is a version. (Of a large file only
        the last one to close makes one.)"""
        if found.st_size <= LARGE:
            with self._troubled():
                self._keep_small(path, fd, found, False)

    def path_of(self, found: os.stat_result) -> bytes | None:
        """A path by which history knows an inode, whose other names the kernel has forgotten."""
        with self._troubled():
            return self._named(b"", found.st_ino)
        return None

    def keeps(self, path: bytes, fd: int, found: os.stat_result) -> Awaitable[None] | None:
        """The file open at `fd` is being written; what it is now becomes a version all the same."""
        if found.st_size > self._largest or self._full(found.st_size):
            return None
        with self._troubled():
            return self._keep(path, fd, found, True)
        return None

    def _keep(self, path: bytes, fd: int, found: os.stat_result, old: bool) -> Awaitable[None] | None:
        if found.st_size > LARGE:
            return self._copy(path, fd, found, old)
        if self._waiting() > MOST_WAITING:
            return self._keep_later(path, fd, found, old)
        self._keep_small(path, fd, found, old)
        return None

    async def _keep_later(self, path: bytes, fd: int, found: os.stat_result, old: bool) -> None:
        """More was overwritten in a moment than memory should hold: this writer waits for a commit."""
        await self._commit()
        with self._troubled():
            self._keep_small(path, fd, found, old)

    def _keep_small(self, path: bytes, fd: int, found: os.stat_result, old: bool) -> None:
        with self._troubled():
            readable = os.open(b"/proc/self/fd/%d" % fd, os.O_RDONLY | os.O_CLOEXEC)
            try:
                data = os.pread(readable, found.st_size, 0)
                extra = Extra(None, packed_xattrs(b"/proc/self/fd/%d" % readable))
            finally:
                os.close(readable)
            self._secure(Secured(self.held.next(), path, found, extra, data, None, time.time()), sync=old)

    def removes(
        self, path: bytes, at: int, name: bytes, found: os.stat_result, *, written: bool
    ) -> Awaitable[None] | None:
        """The last name of a file is about to go: `name` in the directory `at`. `written`: somebody may still write to it."""
        with self._troubled():
            return self._removes(path, at, name, found, written)
        return None

    def _removes(
        self, path: bytes, at: int, name: bytes, found: os.stat_result, written: bool
    ) -> Awaitable[None] | None:
        if stat.S_ISLNK(found.st_mode):
            row = self._kept(path)
            signature = paths.stamp(found.st_mtime_ns), paths.number(found.st_ino)
            if row is None or row[1:3] != signature or self._displaced(path):
                extra = Extra(os.readlink(name, dir_fd=at), None)
                self._secure(
                    Secured(self.held.next(), path, found, extra, None, None, time.time()), sync=False
                )
            return None
        old = self._needs(path, found)
        if old is None or (found.st_nlink > 1 and self._named(path, found.st_ino) is not None):
            return None  # another name of it, which history knows, keeps its content
        if not written and found.st_nlink == 1:
            number = self.held.next()
            try:
                os.link(name, b"%d" % number, src_dir_fd=at, dst_dir_fd=self.held.fd(), follow_symlinks=False)
            except OSError as error:
                log.debug("no link to %r: %s", path, error)
            else:
                extra = Extra(None, packed_xattrs(os.fsencode(self.held.path(str(number)))))
                self._secure(Secured(number, path, found, extra, None, str(number), time.time()), sync=False)
                return None
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
        if found.st_size > LARGE:
            return self._copy(path, fd, found, old, close=True)
        try:
            self._keep_small(path, fd, found, old)
        finally:
            os.close(fd)
        return None

    def retimes(self, path: bytes, before: os.stat_result, after: os.stat_result) -> bool:
        """The times of a file were set: where its content is that of a live file still, it goes on to be. Whether it was noted."""
        with self._troubled():
            row = self._kept(path)
            if row is None or row[3] or row[:3] != paths.signature(before):
                return False
            self._secure(
                Secured(self.held.next(), path, before, Extra(None, None), None, None, time.time(), after),
                sync=row[4],
            )
            return True
        return False

    def recheck(self) -> None:
        """Is there still trouble?"""
        if self.trouble is None:
            return
        try:
            disk = os.fstatvfs(self.held.fd())
            if disk.f_bavail <= disk.f_blocks // RESERVE:
                return
            fd = os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=self.held.fd())
            try:
                os.write(fd, bytes(4096))
            finally:
                os.close(fd)
        except OSError:  # (or there are no such files here: then the next one that is secured will tell)
            return
        self.trouble = None

    def relieve(self) -> bool:
        """The disk is full: what only waits in held/ to be stored is given up, so that a user's write goes on. What a snapshot shows stays:
        somebody asked for that."""
        dear = self._dear()
        names = [name for name in self.held.names() if name not in dear and name not in self._under_way]
        for name in names:
            self.held.drop(name)
        if names:
            self._failed(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        return bool(names)

    def _needs(self, path: bytes, found: os.stat_result) -> bool | None:
        """None: history has this content, or wants none of it. Otherwise whether it is one that a commit has seen."""
        if not found.st_size or not stat.S_ISREG(found.st_mode) or found.st_size > self._largest:
            return None
        if STATE in path.split(b"/"):
            return None  # of another lsfs: its state is its own affair
        row = self._kept(path)
        if row is not None and row[:3] == paths.signature(found):
            if self._displaced(path):
                return None if self._full(found.st_size) else True
            return None if row[3] or (not row[4] and self._full(found.st_size)) else True
        return None if self._full(found.st_size) else False

    def _often(self, path: bytes, found: os.stat_result) -> bool:
        """Is this one state of many within a minute, and did it not rest?"""
        if time.time() - found.st_mtime > RESTED:
            return False
        now = time.monotonic()
        lately = self._lately.get(path)
        if lately is None:
            if len(self._lately) > 10_000:
                self._lately = {
                    known: times for known, times in self._lately.items() if times[-1] > now - MINUTE
                }
            lately = self._lately[path] = deque(maxlen=self._pace)
        if len(lately) == self._pace and lately[0] > now - MINUTE:
            return True
        lately.append(now)
        return False

    def _full(self, size: int) -> bool:
        """Is there so little room that whoever removes a file now wants just that?"""
        try:
            disk = os.fstatvfs(self.held.fd())
        except OSError as error:
            self._failed(error)
            return True
        free = disk.f_bavail * disk.f_frsize
        if free > size and free > disk.f_blocks * disk.f_frsize // RESERVE:
            return False
        self._failed(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        return True

    def _secure(self, secured: Secured, sync: bool) -> None:
        if self._waiting() > 4 * MOST_WAITING:  # history has not been writable for long
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
        note = sync or secured.held is not None or not self._often(secured.path, secured.found)
        try:
            self.held.write(secured, sync)  # (a kill loses nothing, however often a file is written)
        finally:
            if note:  # what no disk takes now is committed when one does, unless a kill comes first
                self._note(secured)
        self.trouble = None

    async def _copy(
        self, path: bytes, fd: int, found: os.stat_result, old: bool, close: bool = False
    ) -> None:
        """A large file: copied in a thread, while its writer waits."""
        number = self.held.next()
        self._under_way.add(str(number))
        try:
            with self._troubled():
                source = os.open(b"/proc/self/fd/%d" % fd, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    extra = Extra(None, packed_xattrs(b"/proc/self/fd/%d" % source))
                    await trio.to_thread.run_sync(
                        copy, source, self.held.fd(), str(number), found.st_size, old, limiter=_copying
                    )
                    if os.fstat(source).st_mtime_ns != found.st_mtime_ns:  # somebody else went on writing
                        self.held.drop(str(number))
                        return
                finally:
                    os.close(source)
                # by now, others may have been written down: its number in the journal comes after theirs
                self._secure(
                    Secured(self.held.next(), path, found, extra, None, str(number), time.time()), sync=old
                )
        finally:
            self._under_way.discard(str(number))
            if close:
                os.close(fd)

    @contextlib.contextmanager
    def _troubled(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error, OverflowError, ValueError) as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if self.trouble is None:
            log.error("history cannot keep what is overwritten: %s", error)
        why = getattr(error, "strerror", None) or error
        self.trouble = f"History cannot keep what is overwritten or removed ({why}); files are served as ever. Free some space."
