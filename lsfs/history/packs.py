"""packs: a large content as chunks, in a file of its own beside the database.

<state>/packs/<name>      the chunks that were new when a large content was captured, one behind the other and nothing else

`pack` returns when its file is on the disk; then the caller commits the rows. A kill in between leaves a pack that no row names. No pack is
ever written again, and nothing in it moves: dead chunks are taken out by holes.

Threading: any thread.
"""

import ctypes
import errno
import functools
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lsfs.history.chunks import Chunker
from lsfs.history.contents import DIGEST, digest_of, encode
from syscalls.errors import TryAgain

_PIECE = 2 << 20  # read at a time
_HOLE = 4 << 20  # of a sparse file: one chunk of zeros, kept once
_TICK = 0.02  # seconds: the clock by which the kernel stamps files ticks every 1 to 10 ms
_COARSE = 5  # that clock, CLOCK_REALTIME_COARSE
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


class Torn(TryAgain):
    """The file, or what history knew of it, changed while it was read: nothing was recorded."""


class Stopped(Torn):
    """The caller asked to stop: nothing was recorded."""


class Placed(NamedTuple):
    """A new chunk and its place in the pack."""

    digest: bytes
    size: int
    offset: int
    length: int
    encoding: str


@dataclass(frozen=True, slots=True)
class Packed:
    """A large content as it will be kept. chunks: their digests, joined. pack: where the new ones are; None where none is new."""

    digest: bytes
    size: int
    chunks: bytes
    new: tuple[Placed, ...]
    pack: str | None


def pack(
    fd: int,
    size: int,
    state: Path,
    known: Callable[[Sequence[bytes]], set[bytes]],
    stop: Callable[[], bool],
) -> Packed:
    """Keep the content of an open file of `size` bytes; what is new of it is on the disk when this returns.

    known: which of these digests are chunks already (`known_chunks` on a connection of this thread). stop is asked every few MiB.
    Moves the offset of `fd`. Takes about 8 MiB of memory and 500 bytes a chunk; a hole costs only its hashing.
    Raises Torn where the file is not, or does not stay, as it was said to be; Stopped; OSError. Then nothing is left behind."""
    before = _settled(fd)
    if before.st_size != size:
        raise _torn()
    whole, chunker = hashlib.blake2b(digest_size=DIGEST), Chunker()
    writer = _Pack(state / "packs", known)
    try:
        for piece in _pieces(fd, size):
            if stop():
                raise Stopped("The capture of a large file was stopped: it begins anew at the next mount.")
            whole.update(piece)
            if piece is _zeros():
                writer.add([*chunker.finish(), piece])
            else:
                writer.add(chunker.feed(piece))
        writer.add(chunker.finish())
        if _signature(os.fstat(fd)) != _signature(before):
            raise _torn()
        writer.sync()
    except BaseException:
        writer.abandon()
        raise
    finally:
        writer.close()
    return Packed(whole.digest(), size, bytes(writer.chunks), tuple(writer.new), writer.name)


def _torn() -> Torn:
    return Torn("The file changed while it was read: it is read again once it is quiet.")


def _signature(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _settled(fd: int) -> os.stat_result:
    """fstat, and then wait until the clock is past it: a write in the same tick would leave the times as they are."""
    found, last = os.fstat(fd), time.monotonic() + _TICK
    while time.clock_gettime_ns(_COARSE) <= found.st_ctime_ns and time.monotonic() < last:
        time.sleep(0.001)
    return found


@functools.cache
def _zeros() -> bytes:
    return bytes(_HOLE)


@functools.cache
def _zeros_digest() -> bytes:
    return digest_of(_zeros())


def _pieces(fd: int, size: int) -> Iterator[bytes]:
    """A file from its beginning to its end; the same object over and over for a hole, which is not read."""
    position = 0
    while position < size:
        try:
            data = min(os.lseek(fd, position, os.SEEK_DATA), size)
        except OSError as error:  # ENXIO: a hole to the end; else a file system that cannot tell
            data = size if error.errno == errno.ENXIO else position
        while data - position >= _HOLE:
            yield _zeros()
            position += _HOLE
        if position < size:
            piece = os.pread(fd, min(_PIECE, size - position), position)
            if not piece:
                raise _torn()
            yield piece
            position += len(piece)


class _Pack:
    """A pack being written. The file is made by the first new chunk."""

    def __init__(self, folder: Path, known: Callable[[Sequence[bytes]], set[bytes]]) -> None:
        self.chunks = bytearray()
        self.new: list[Placed] = []
        self.name: str | None = None
        self._folder, self._known = folder, known
        self._seen: set[bytes] = set()
        self._fd = self._offset = -1

    def add(self, pieces: Sequence[bytes | memoryview]) -> None:
        """The next chunks of the content."""
        named = [(_zeros_digest() if piece is _zeros() else digest_of(piece), piece) for piece in pieces]
        asked = list({digest for digest, _ in named} - self._seen)
        self._seen |= self._known(asked) if asked else set()
        for digest, piece in named:
            self.chunks += digest
            if digest not in self._seen:
                self._seen.add(digest)
                self._write(digest, piece)

    def _write(self, digest: bytes, piece: bytes | memoryview) -> None:
        if self._fd < 0:
            name = os.urandom(16).hex()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._fd, self._offset, self.name = os.open(self._folder / name, flags, 0o600), 0, name
        encoding, encoded = encode(piece)
        self.new.append(Placed(digest, len(piece), self._offset, len(encoded), encoding))
        self._offset += len(encoded)
        left = memoryview(encoded)
        while left:
            left = left[os.write(self._fd, left) :]

    def sync(self) -> None:
        """The pack and its name are on the disk."""
        if self.name is not None:
            os.fsync(self._fd)
            sync_folder(self._folder)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def abandon(self) -> None:
        if self.name is not None:
            (self._folder / self.name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def hollow(path: Path, live: Sequence[tuple[int, int]]) -> None:
    """Zero all of a pack but the live (offset, length), ascending; the room goes back to the file system where it can."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        position = 0
        for offset, length in [*live, (os.fstat(fd).st_size, 0)]:
            if offset > position:
                _punch(fd, position, offset - position)
            position = offset + length
        os.fsync(fd)
    finally:
        os.close(fd)


def _punch(fd: int, offset: int, length: int) -> None:
    arguments = (ctypes.c_int64(offset), ctypes.c_int64(length))
    if _libc.fallocate(fd, _KEEP_SIZE | _PUNCH_HOLE, *arguments) == 0:
        return
    if ctypes.get_errno() not in (errno.EOPNOTSUPP, errno.ENOSYS):
        raise OSError(ctypes.get_errno(), "a hole cannot be made in a pack")
    for start in range(offset, offset + length, _HOLE):
        os.pwrite(fd, _zeros()[: offset + length - start], start)
