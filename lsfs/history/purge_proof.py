"""purge: the proof. Before a content goes, a few pieces of it are taken: of its bytes, of its bytes as they are stored, and a few words one
behind the other. Afterwards no file of the state folder may hold any of them.

A piece that says little (zeros, one character over and over) proves nothing and is not taken. Where another content has the same paragraph,
its bytes are still there, and rightly: then the proof says which file has them.

Threading: any thread.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lsfs.history.contents import Contents
from syscalls.errors import LsfsError

PIECE = 48  # bytes
PIECES = 6  # of a content
MOST = 400
BLOCK = 8 << 20
PHRASE = 6  # words
VARIETY = 12  # different bytes that a piece has at least
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass
class Needles:
    """What is looked for afterwards. phrases: runs of words, as they stand in the text."""

    pieces: set[bytes] = field(default_factory=set)
    phrases: list[str] = field(default_factory=list)

    def take(self, data: bytes) -> None:
        """Pieces of some bytes."""
        step = max(1, (len(data) - PIECE) // (PIECES - 1))
        for start in range(0, max(1, len(data) - PIECE + 1), step):
            piece = data[start : start + PIECE]
            if len(self.pieces) < MOST and len(piece) >= 16 and len(set(piece)) >= VARIETY:
                self.pieces.add(piece)

    def read(self, data: bytes) -> None:
        """Pieces and words of a content."""
        self.take(data)
        if len(self.phrases) < PIECES and b"\0" not in data[:4096]:
            words = _WORD.findall(data[: 1 << 20].decode("utf-8", "replace"))
            if len(words) >= PHRASE:
                middle = len(words) // 2
                found = " ".join(words[max(0, middle - PHRASE) : middle][:PHRASE])
                if found not in self.phrases:
                    self.phrases.append(found)


def needles(
    contents: Contents, digests: Iterable[bytes], files: Iterable[Path], stored: Iterator[bytes]
) -> Needles:
    """Of contents, of live files and of what is stored of them."""
    found = Needles()
    for digest in digests:
        try:
            content = contents.open(digest)
            for start in range(0, min(content.size, 4 * BLOCK), BLOCK):
                found.read(content.read(start, BLOCK))
        except LsfsError:
            continue
    for path in files:
        try:
            with open(path, "rb", opener=_no_link) as stream:
                found.read(stream.read(BLOCK))
        except OSError:
            continue
    for data in stored:
        found.take(data)
    return found


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


@dataclass
class Proof:
    """What the search through the state folder found. left: the files in which a piece still is."""

    files: int
    bytes: int
    pieces: int
    left: list[str]


def scan(folders: Iterable[Path], pieces: set[bytes]) -> Proof:
    """Look into every file of these folders for any of these pieces."""
    proof = Proof(0, 0, len(pieces), [])
    wanted = re.compile(b"|".join(re.escape(piece) for piece in sorted(pieces))) if pieces else None
    seen: set[tuple[int, int]] = set()
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in sorted(names):
                path = os.path.join(parent, name)
                try:
                    with open(path, "rb", buffering=0, opener=_no_link) as stream:
                        status = os.fstat(stream.fileno())
                        if (status.st_dev, status.st_ino) in seen:
                            continue
                        seen.add((status.st_dev, status.st_ino))
                        proof.files += 1
                        proof.bytes += status.st_size
                        if wanted is not None and _holds(stream.fileno(), wanted):
                            proof.left.append(os.path.relpath(path, folder))
                except OSError:
                    continue
    return proof


def _holds(fd: int, wanted: "re.Pattern[bytes]") -> bool:
    before, offset = b"", 0
    while data := os.pread(fd, BLOCK, offset):
        if wanted.search(before + data):
            return True
        offset += len(data)
        before = data[-PIECE:]
    return False
