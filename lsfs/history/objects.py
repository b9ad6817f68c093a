"""objects: every content that history keeps, once, under the digest of its bytes.

history.db: object        a content up to LARGE is its row, as it is or compressed; of a larger one the row lists its chunks
history.db: chunk         where a chunk lies
<state>/packs/<name>      the chunks that were new when a large content was captured, one behind the other and nothing else

Order of writing: `pack` returns when its file is on the disk; then the caller commits the rows, then acknowledges. A kill in between
leaves a pack that no row names (`stray_packs`). Removal runs the other way: rows first, and after the commit `discard` removes the
packs that hold nothing any more, and takes the dead chunks out of the others by holes: no pack is ever written again, nothing moves.

Threading: `prepare` and `pack` run in any thread. `Objects` belongs to the catalogue thread, inside the caller's transaction. A
`Contents`, with all it opened, may be used by many threads: its lock is held for one chunk at a time.
"""

import ctypes
import errno
import functools
import hashlib
import os
import sqlite3
import threading
import time
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import zstandard

from lsfs.history.chunks import Chunker
from syscalls.errors import LsfsError, TryAgain

TABLES = """
create table object (id integer primary key, digest blob not null unique, size integer not null, encoding text not null,
    data blob not null);
create index object_chunks on object (id) where encoding = 'chunks';
create table chunk (id integer primary key, digest blob not null unique, size integer not null, pack text not null,
    offset integer not null, length integer not null, encoding text not null);
create index chunk_pack on chunk (pack, offset);
"""
LARGE = 256 << 10
DIGEST = 32
_PIECE = 2 << 20  # read at a time
_HOLE = 4 << 20  # of a sparse file: one chunk of zeros, kept once
_CACHE = 8 << 20  # decoded chunks kept by a Contents
_ASKED = 500  # digests in one query
_TICK = 0.02  # seconds: the clock by which the kernel stamps files ticks every 1 to 10 ms
_COARSE = 5  # that clock, CLOCK_REALTIME_COARSE
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


class Missing(LsfsError):
    """History does not have the bytes that it should have."""

    errno = errno.ENODATA


class Corrupt(LsfsError):
    """The bytes that history has are not those that it was given."""

    errno = errno.EIO


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
class Prepared:
    """A content as it will be kept in its row."""

    digest: bytes
    size: int
    encoding: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """A large content as it will be kept. chunks: their digests, joined. pack: where the new ones are; None where none is new."""

    digest: bytes
    size: int
    chunks: bytes
    new: tuple[Placed, ...]
    pack: str | None


class _Zstd(threading.local):
    """Level 1 halves text; 3 costs more than it gains. No two threads may use one compressor; making one costs as much as using it."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1)
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def digest_of(data: bytes | memoryview) -> bytes:
    """The name of a content."""
    return hashlib.blake2b(data, digest_size=DIGEST).digest()


def _encode(data: bytes | memoryview) -> tuple[str, bytes | memoryview]:
    packed = _zstd.compressor.compress(data)
    return ("zstd", packed) if 8 * len(packed) <= 7 * len(data) else ("raw", data)


def _decode(digest: bytes, size: int, encoding: str, data: bytes) -> bytes | None:
    """What was encoded; None where that is not what it was."""
    try:
        if encoding == "zstd":
            # the frame says how much memory it wants: a damaged one may want all of it
            if zstandard.frame_content_size(data) != size:
                return None
            data = _zstd.decompressor.decompress(data)
    except zstandard.ZstdError:
        return None
    return data if len(data) == size and digest_of(data) == digest else None


def prepare(data: bytes) -> Prepared:
    """What is to be kept of a content up to LARGE."""
    encoding, encoded = _encode(data)
    return Prepared(digest_of(data), len(data), encoding, bytes(encoded))


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
        encoding, encoded = _encode(piece)
        self.new.append(Placed(digest, len(piece), self._offset, len(encoded), encoding))
        self._offset += len(encoded)
        left = memoryview(encoded)
        while left:
            left = left[os.write(self._fd, left) :]

    def sync(self) -> None:
        """The pack and its name are on the disk."""
        if self.name is not None:
            os.fsync(self._fd)
            _sync_folder(self._folder)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def abandon(self) -> None:
        if self.name is not None:
            (self._folder / self.name).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _split(chunks: bytes) -> Iterator[bytes]:
    return (chunks[at : at + DIGEST] for at in range(0, len(chunks), DIGEST))


def _found(database: sqlite3.Connection, columns: str, digests: Iterable[bytes]) -> Iterator[tuple]:
    """These columns of the chunks with these digests, those that are there."""
    asked = list(digests)
    for start in range(0, len(asked), _ASKED):
        part = asked[start : start + _ASKED]
        yield from database.execute(
            f"select {columns} from chunk where digest in ({','.join('?' * len(part))})", part
        )


def known_chunks(database: sqlite3.Connection, digests: Iterable[bytes]) -> set[bytes]:
    """Which of these digests are chunks."""
    return {digest for (digest,) in _found(database, "digest", digests)}


class Objects:
    """The writing side. Nothing here commits: every method is part of the caller's transaction, but those about pack files."""

    def __init__(self, database: sqlite3.Connection, state: Path) -> None:
        self.database = database
        self.packs = state / "packs"
        self.packs.mkdir(0o700, exist_ok=True)
        _sync_folder(state)

    def has(self, digest: bytes) -> bool:
        """Is this content kept?"""
        return bool(self.database.execute("select 1 from object where digest = ?", (digest,)).fetchone())

    def known_chunks(self, digests: Iterable[bytes]) -> set[bytes]:
        """Which of these digests are chunks."""
        return known_chunks(self.database, digests)

    def put(self, content: Prepared) -> None:
        """Keep a small content, unless it is kept already."""
        self._insert(content.digest, content.size, content.encoding, content.data)

    def _insert(self, digest: bytes, size: int, encoding: str, data: bytes) -> None:
        self.database.execute(
            "insert or ignore into object (digest, size, encoding, data) values (?, ?, ?, ?)",
            (digest, size, encoding, data),
        )

    def put_packed(self, content: Packed) -> list[str]:
        """Keep a large content, unless it is kept already. Returns what to give to `discard` after the commit: its pack, where another
        capture of the same bytes came first.

        Raises Torn where chunks that were known when it was packed have been removed since: discard its pack and pack it again."""
        packs = [] if content.pack is None else [content.pack]
        if self.has(content.digest):
            return packs
        here = {chunk.digest for chunk in content.new}
        elsewhere = set(_split(content.chunks)) - here
        if elsewhere - self.known_chunks(elsewhere):
            raise Torn("Parts of the content were removed from history while it was read: it is read again.")
        before = self.database.total_changes
        self.database.executemany(
            "insert or ignore into chunk (digest, size, offset, length, encoding, pack) values (?, ?, ?, ?, ?, ?)",
            ((*chunk, content.pack) for chunk in content.new),
        )
        whole = self.database.total_changes - before == len(content.new)
        self._insert(content.digest, content.size, "chunks", content.chunks)
        return [] if whole else packs

    def remove(self, digests: Iterable[bytes]) -> list[str]:
        """Keep these contents no more, nor the chunks that no other content has. Returns what to give to `discard` after the commit.

        Where one of them is large, the lists of all other large contents are read once: 0.1 s for a million chunks."""
        left: set[bytes] = set()
        for digest in digests:
            removed = self.database.execute(
                "delete from object where digest = ? returning encoding, data", (digest,)
            ).fetchall()
            for encoding, data in removed:
                if encoding == "chunks":
                    left.update(_split(data))
        if left:
            for (data,) in self.database.execute("select data from object where encoding = 'chunks'"):
                left.difference_update(_split(data))
        packs = {name for (name,) in _found(self.database, "pack", left)}
        self.database.executemany("delete from chunk where digest = ?", ((digest,) for digest in left))
        return sorted(packs)

    def discard(self, packs: Iterable[str]) -> None:
        """After the commit: remove those of these packs that hold no chunk, and give back the room between the chunks of the others.

        What was there is zeros when this returns, on the disk too. It may be called again, and harms no chunk that a row names."""
        assert not self.database.in_transaction, "rows that are not committed may come back"
        for name in packs:
            live = self.database.execute(
                "select offset, length from chunk where pack = ? order by offset", (name,)
            ).fetchall()
            path = _place(self.packs, name)
            if live:
                _hollow(path, live)
            else:
                path.unlink(missing_ok=True)
        _sync_folder(self.packs)

    def stray_packs(self) -> list[str]:
        """The packs that no chunk names: left by a kill. Asked when no `pack` is under way, or under way is what it returns."""
        named = {name for (name,) in self.database.execute("select distinct pack from chunk")}
        return sorted(set(os.listdir(self.packs)) - named)

    def compact(self) -> None:
        """Give back what a kill between a commit and its `discard` left in the packs."""
        self.discard(
            [name for (name,) in self.database.execute("select distinct pack from chunk order by pack")]
        )


def _place(packs: Path, name: str) -> Path:
    if not name.isalnum():  # a database from elsewhere names no file outside
        raise Corrupt(f"history.db names a pack {name!r}, which cannot be: run `lsfs fsck`.")
    return packs / name


def _hollow(path: Path, live: Sequence[tuple[int, int]]) -> None:
    """Zero all of a pack but the live (offset, length), ascending; the room goes back to the file system where it can."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
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


class Content:
    """A content, open for reading. Every byte it returns was checked against its digest."""

    def __init__(self, contents: "Contents", digest: bytes, size: int, data: bytes, large: bool) -> None:
        self.digest, self.size = digest, size
        self._contents, self._data, self._large = contents, data, large
        self._ends: array[int] | None = None

    def read(self, offset: int, size: int) -> bytes:
        """As pread(2): less at the end, nothing behind it."""
        stop = min(offset + size, self.size)
        if not self._large:
            return self._data[offset:stop]
        if self._ends is None:
            self._ends = self._contents.ends(self)
        number, parts = bisect_right(self._ends, offset), list[bytes]()
        while offset < stop:
            end = self._ends[number]
            chunk = self._contents.chunk(self.chunk_digests(number, number + 1))
            start = end - len(chunk)
            parts.append(chunk[offset - start : stop - start])
            offset, number = end, number + 1
        return b"".join(parts)

    def chunk_digests(self, first: int = 0, last: int | None = None) -> bytes:
        """The digests of these chunks, joined; none of a small content."""
        return self._data[first * DIGEST : None if last is None else last * DIGEST] if self._large else b""

    def bytes(self) -> bytes:
        """All of it."""
        return self.read(0, self.size)


class Contents:
    """The reading side, over any connection that may be used by the threads which read."""

    def __init__(self, database: sqlite3.Connection, state: Path) -> None:
        self._database, self._packs = database, state / "packs"
        self._lock = threading.Lock()
        self._decoded: OrderedDict[bytes, bytes] = OrderedDict()
        self._kept = 0

    def forget(self) -> None:
        """What was decoded is kept in memory no longer."""
        with self._lock:
            self._decoded.clear()
            self._kept = 0

    def known_chunks(self, digests: Iterable[bytes]) -> set[bytes]:
        """Which of these digests are chunks: what `pack` asks."""
        with self._lock:
            return known_chunks(self._database, digests)

    def open(self, digest: bytes) -> Content:
        """A content by its digest. Raises Missing and Corrupt, as its reads do."""
        with self._lock:
            row = self._database.execute(
                "select size, encoding, data from object where digest = ?", (digest,)
            ).fetchone()
        if row is None:
            raise Missing(
                f"History has no content {digest.hex()}: run `lsfs fsck` to see which versions had it."
            )
        size, encoding, data = row
        if encoding == "chunks":
            return Content(self, digest, size, data, True)
        plain = _decode(digest, size, encoding, data)
        if plain is None:
            raise _damaged(f"The content {digest.hex()}")
        return Content(self, digest, size, plain, False)

    def verify(self, digest: bytes) -> str | None:
        """Read all of a content; a sentence where it is not what it should be. What SQLite says of its own file is raised."""
        try:
            content = self.open(digest)
            whole = hashlib.blake2b(digest_size=DIGEST)
            for start in range(0, content.size, _PIECE):
                whole.update(content.read(start, _PIECE))
        except LsfsError as error:
            return str(error)
        except OSError as error:
            return f"The content {digest.hex()} cannot be read ({error.strerror}): see to the disk of the state folder."
        return None if whole.digest() == digest else str(_damaged(f"The list of chunks of {digest.hex()}"))

    def ends(self, content: Content) -> "array[int]":
        """Where each chunk of a large content ends."""
        digests = list(_split(content.chunk_digests()))
        with self._lock:
            sizes = dict(_found(self._database, "digest, size", set(digests)))
        position, ends = 0, array("q")
        for digest in digests:
            if digest not in sizes:
                raise _lost(digest)
            position += sizes[digest]
            ends.append(position)
        if position != content.size:
            raise _damaged(f"The list of chunks of {content.digest.hex()}")
        return ends

    def chunk(self, digest: bytes) -> bytes:
        """A chunk by its digest, decoded and checked."""
        with self._lock:
            if digest in self._decoded:
                self._decoded.move_to_end(digest)
                return self._decoded[digest]
            row = next(_found(self._database, "size, pack, offset, length, encoding", [digest]), None)
            if row is None:
                raise _lost(digest)
            data = self._fetch(digest, *row)
            self._decoded[digest] = data
            self._kept += len(data)
            while self._kept > _CACHE:
                self._kept -= len(self._decoded.popitem(last=False)[1])
            return data

    def _fetch(self, digest: bytes, size: int, name: str, offset: int, length: int, encoding: str) -> bytes:
        try:
            fd = os.open(_place(self._packs, name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise Missing(
                f"The file packs/{name} of the state folder is missing: restore it from a copy."
            ) from None
        try:
            encoded = os.pread(fd, length, offset)
        finally:
            os.close(fd)
        data = _decode(digest, size, encoding, encoded)
        if data is None:
            raise _damaged(f"The chunk {digest.hex()}, in packs/{name} at {offset},")
        return data


def _damaged(what: str) -> Corrupt:
    return Corrupt(
        f"{what} is damaged: restore the state folder from a copy, or see what `lsfs fsck --data` can repair."
    )


def _lost(digest: bytes) -> Missing:
    return Missing(f"History has no chunk {digest.hex()}: run `lsfs fsck` to see which versions had it.")
