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
import fcntl
import logging
import os
import pathlib
import re
import sqlite3
import stat
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import msgpack
import trio

from lsfs.history import paths
from lsfs.history.entries import Extra, packed_xattrs
from lsfs.history.objects import LARGE

log = logging.getLogger(__name__)

FICLONE = 0x40049409
PIECE = 64 << 20
MINUTE = 60.0
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NAME = re.compile(r"[0-9]{1,20}|stage-[0-9A-Za-z_-]{1,64}/[0-9A-Za-z._-]{1,64}", re.ASCII)
"""What a held file is called; a name from a database or a journal that came along is held against it."""
STATE = b".lsfs"
MOST_JOURNAL = 16 << 20
"""Bytes of the journal after which those that are committed go."""
MOST_WAITING = 64 << 20
"""Bytes that may wait for a commit, in memory."""
RESTED = 2.0
"""Seconds after which a state was no passing one."""
RESERVE = 100
"""Of a disk, one part of this many is left free: what would need it is not kept."""
_STAT = ("st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size")
_copying = trio.CapacityLimiter(4)


class Stat:
    """What `os.stat_result` says, from the journal."""

    def __init__(self, values: dict[str, int]) -> None:
        self.__dict__.update(values)
        self.st_rdev = 0

    @staticmethod
    def packed(found: os.stat_result) -> dict[str, int]:
        """The values that a version needs."""
        values = {name: getattr(found, name) for name in _STAT}
        return values | {name: paths.stamp(getattr(found, name)) for name in ("st_mtime_ns", "st_ctime_ns")}


class Secured(NamedTuple):
    """What a path was a moment ago: its bytes in `data`, or in the file `held`, or (a symlink) nothing but `extra`."""

    number: int
    path: bytes
    found: Any
    extra: Extra
    data: bytes | None
    held: str | None
    at: float
    after: Any = None
    """Its attributes since, where nothing but its times was set: the bytes are the same."""


class Held:
    """The folder held/, on the file system of the user's folder: links that keep what was removed, copies, and the journal."""

    def __init__(self, folder: pathlib.Path) -> None:
        """folder: its place, <folder>/.lsfs/held wherever the state is. It is made when it is needed first."""
        self.folder = folder
        self._fd = -1
        self._journal = -1
        self.last = 0
        """The number of the last one that was held, or written down."""
        self.read_up_to = 0
        """Bytes of the journal that `read` has read."""

    def fd(self) -> int:
        """A descriptor of it."""
        if self._fd < 0:
            self.folder.parent.mkdir(mode=0o700, exist_ok=True)
            above = self._opened(self.folder.parent)
            try:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(self.folder.name, 0o700, dir_fd=above)
                self._fd = os.open(self.folder.name, FOLDER, dir_fd=above)
            finally:
                os.close(above)
        return self._fd

    def _opened(self, folder: pathlib.Path) -> int:
        """A folder may come from anywhere, its .lsfs with it: nothing in there leads us elsewhere."""
        fd = os.open(folder, FOLDER)
        if os.fstat(fd).st_uid not in (0, os.geteuid()):
            os.close(fd)
            raise PermissionError(errno.EPERM, "belongs to somebody else", os.fspath(folder))
        return fd

    def _there(self) -> bool:
        """Has it been made? (Looking makes nothing.)"""
        return self._fd >= 0 or os.path.lexists(self.folder)

    def _open(self, name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=self.fd())

    def path(self, name: str) -> pathlib.Path:
        """Where a held file is. Raises FileNotFoundError for a name that none has."""
        if not NAME.fullmatch(name):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return self.folder / name

    def whole(self, name: str) -> bytes:
        """The bytes of a held file. Raises OSError."""
        self.path(name)
        fd = self._open(name, os.O_RDONLY)
        with open(fd, "rb") as stream:
            return stream.read()

    def next(self) -> int:
        """A number that names no held file, above all before it."""
        self.last = max(self.last + 1, time.time_ns() // 1000)
        return self.last

    def write(self, secured: Secured, sync: bool) -> None:
        """Write it down in the journal."""
        if self._journal < 0:
            self._journal = os.open(
                "journal",
                os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW,
                0o600,
                dir_fd=self.fd(),
            )
        record = secured._asdict() | {"found": Stat.packed(secured.found)}
        if secured.after is not None:
            record["after"] = Stat.packed(secured.after)
        data = msgpack.packb(record)
        written = os.write(self._journal, data)
        if written != len(
            data
        ):  # a full disk: nothing could be read that is written behind a part of a record
            os.ftruncate(self._journal, os.fstat(self._journal).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if sync:
            os.fdatasync(self._journal)

    def read(self) -> Iterator[Secured]:
        """What the journal says, up to the first record that a kill cut off."""
        self.read_up_to = 0
        try:
            fd = self._open("journal", os.O_RDONLY) if self._there() else -1
        except FileNotFoundError:
            return
        if fd < 0:
            return
        with open(fd, "rb") as stream:
            unpacker = msgpack.Unpacker(stream, strict_map_key=False, max_buffer_size=0)
            try:
                for record in unpacker:
                    extra = Extra(*record["extra"])
                    after = Stat(record["after"]) if record["after"] else None
                    yield Secured(**record | {"found": Stat(record["found"]), "extra": extra, "after": after})
                    self.read_up_to = unpacker.tell()
            except (ValueError, TypeError, KeyError, msgpack.UnpackException) as error:
                log.warning("the journal of history ends early: %s", error)

    def cut(self) -> None:
        """What `read` could not read goes: nothing could be read that is written behind it."""
        self._truncate(self.read_up_to)

    def clear(self) -> None:
        """All of the journal is committed."""
        self._truncate(0)

    def _truncate(self, size: int) -> None:
        if self._journal >= 0:
            os.ftruncate(self._journal, size)
        elif self._there():
            with contextlib.suppress(FileNotFoundError):
                fd = self._open("journal", os.O_WRONLY)
                try:
                    os.ftruncate(fd, size)
                finally:
                    os.close(fd)

    def grown(self) -> bool:
        """Is the journal so large that what is committed of it is to go?"""
        return self._journal >= 0 and os.fstat(self._journal).st_size > MOST_JOURNAL

    def renew(self, pending: list[Secured]) -> None:
        """A journal of these records alone takes the place of the journal. Raises OSError, and leaves it as it was then."""
        name = "journal.new"
        fd = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        old, self._journal = self._journal, fd
        try:
            for secured in pending:
                self.write(secured, False)
            os.fdatasync(fd)
            os.rename(name, "journal", src_dir_fd=self.fd(), dst_dir_fd=self.fd())
        except BaseException:
            self._journal = old
            os.close(fd)
            raise
        os.close(old)

    def names(self) -> list[str]:
        """The files held."""
        try:
            found = os.listdir(self.fd()) if self._there() else []
        except FileNotFoundError:
            return []
        return sorted(name for name in found if name.isascii() and name.isdecimal())

    def drop(self, name: str) -> None:
        """A held file is in the store, or needed by nobody. The last one of a stage (`lsfs.history.stage`) takes it along."""
        if not NAME.fullmatch(name):
            return
        with contextlib.suppress(OSError):  # what cannot go now is dropped at the next mount
            os.unlink(name, dir_fd=self.fd())
        stage = name.rpartition("/")[0]
        if stage:
            with contextlib.suppress(OSError):
                os.rmdir(stage, dir_fd=self.fd())

    def close(self) -> None:
        """Let the descriptors go, and the folder where nothing is in it."""
        for fd in (self._journal, self._fd):
            if fd >= 0:
                os.close(fd)
        self._journal = self._fd = -1
        with contextlib.suppress(OSError):
            if os.path.getsize(self.folder / "journal") == 0:
                os.unlink(self.folder / "journal")
        with contextlib.suppress(OSError):
            os.rmdir(self.folder)


class Guard:
    """The port `mounts.ports.Guard`. In the loop.

    kept     (path) -> (size, mtime_ns, ino, captured, shown by a snapshot) of its live row, or None
    note     told of each `Secured`
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
            if row is None or row[1:3] != (paths.stamp(found.st_mtime_ns), paths.number(found.st_ino)):
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
            if row is None or row[3] or row[:3] != _signature(before):
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
        if row is not None and row[:3] == _signature(found):
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


def copy(source: int, folder: int, name: str, size: int, sync: bool) -> None:
    """Copy an open file into a new one in `folder`: by reference where the disk can. Raises OSError, and leaves nothing then."""
    target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        try:
            fcntl.ioctl(target, FICLONE, source)
        except OSError:
            copy_data(source, target, size)
        if sync:
            os.fdatasync(target)
    except BaseException:
        os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(target)


def copy_data(source: int, target: int, size: int) -> None:
    """The bytes of `source`, holes kept. Raises OSError."""
    os.ftruncate(target, size)
    at = 0
    while at < size:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
            end = os.lseek(source, at, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:  # a hole up to the end
                return
            end = size
        while at < end:
            moved = os.copy_file_range(source, target, min(PIECE, end - at), at, at)
            if not moved:
                return
            at += moved


def _signature(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, paths.stamp(found.st_mtime_ns), paths.number(found.st_ino)
