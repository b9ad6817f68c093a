"""contents: the bytes of what history keeps, by digest: how they are encoded, and how they are read.

Threading: functions are pure. A `Contents`, with all it opened, may be used by many threads: its lock is held for one chunk at a time.
"""

import errno
import hashlib
import os
import sqlite3
import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path

import zstandard

from syscalls.errors import LsfsError

DIGEST = 32
_CACHE = 8 << 20  # decoded chunks kept by a Contents
_ASKED = 500  # digests in one query
_PIECE = 2 << 20  # read at a time, where all of a content is verified


class Missing(LsfsError):
    """History does not have the bytes that it should have."""

    errno = errno.ENODATA


class Corrupt(LsfsError):
    """The bytes that history has are not those that it was given."""

    errno = errno.EIO


class _Zstd(threading.local):
    """Level 1 halves text; 3 costs more than it gains. No two threads may use one compressor; making one costs as much as using it."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1)
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def digest_of(data: bytes | memoryview) -> bytes:
    """The name of a content."""
    return hashlib.blake2b(data, digest_size=DIGEST).digest()


def encode(data: bytes | memoryview) -> tuple[str, bytes | memoryview]:
    packed = _zstd.compressor.compress(data)
    return ("zstd", packed) if 8 * len(packed) <= 7 * len(data) else ("raw", data)


def decode(digest: bytes, size: int, encoding: str, data: bytes) -> bytes | None:
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


def split(chunks: bytes) -> Iterator[bytes]:
    return (chunks[at : at + DIGEST] for at in range(0, len(chunks), DIGEST))


def found(database: sqlite3.Connection, columns: str, digests: Iterable[bytes]) -> Iterator[tuple]:
    """These columns of the chunks with these digests, those that are there."""
    asked = list(digests)
    for start in range(0, len(asked), _ASKED):
        part = asked[start : start + _ASKED]
        yield from database.execute(
            f"select {columns} from chunk where digest in ({','.join('?' * len(part))})", part
        )


def known_chunks(database: sqlite3.Connection, digests: Iterable[bytes]) -> set[bytes]:
    """Which of these digests are chunks."""
    return {digest for (digest,) in found(database, "digest", digests)}


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
        plain = decode(digest, size, encoding, data)
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
        digests = list(split(content.chunk_digests()))
        with self._lock:
            sizes = dict(found(self._database, "digest, size", set(digests)))
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
            row = next(found(self._database, "size, pack, offset, length, encoding", [digest]), None)
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
            fd = os.open(place(self._packs, name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise Missing(
                f"The file packs/{name} of the state folder is missing: restore it from a copy."
            ) from None
        try:
            encoded = os.pread(fd, length, offset)
        finally:
            os.close(fd)
        data = decode(digest, size, encoding, encoded)
        if data is None:
            raise _damaged(f"The chunk {digest.hex()}, in packs/{name} at {offset},")
        return data


def place(packs: Path, name: str) -> Path:
    if not name.isalnum():  # a database from elsewhere names no file outside
        raise Corrupt(f"history.db names a pack {name!r}, which cannot be: run `lsfs fsck`.")
    return packs / name


def _damaged(what: str) -> Corrupt:
    return Corrupt(
        f"{what} is damaged: restore the state folder from a copy, or see what `lsfs fsck --data` can repair."
    )


def _lost(digest: bytes) -> Missing:
    return Missing(f"History has no chunk {digest.hex()}: run `lsfs fsck` to see which versions had it.")
