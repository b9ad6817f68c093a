"""held: what was removed or overwritten a moment ago, until it is in the store: files, copies, and a journal that says whose they were.

<folder>/.lsfs/held/ is always on the file system of the user's folder, so that a link is enough to keep what is removed. A folder may come
from anywhere, its .lsfs with it: nothing in there leads elsewhere (names are held against a pattern, links are never followed).

Threading: written in the loop (`guard`), large copies in a thread; read at the next mount (`Capture.recover`) and by whoever looks back.
"""

import contextlib
import errno
import fcntl
import logging
import os
import pathlib
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgpack

from lsfs.history import paths
from lsfs.history.entries import Extra

log = logging.getLogger(__name__)

FICLONE = 0x40049409
PIECE = 64 << 20
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NAME = re.compile(r"[0-9]{1,20}|stage-[0-9A-Za-z_-]{1,64}/[0-9A-Za-z._-]{1,64}", re.ASCII)
"""What a held file is called; a name from a database or a journal that came along is held against it."""
MOST_JOURNAL = 16 << 20
"""Bytes of the journal after which those that are committed go."""
_STAT = ("st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size")


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
