"""purge: the proof. Before a content goes, a few pieces of it are taken: of its bytes, of its bytes as they are stored, and a few words one
behind the other. Afterwards no file of the state folder may hold any of them.

A piece that says little (zeros, one character over and over) proves nothing and is not taken; a content of a few bytes is looked for as a
whole. Where no piece of a content can be taken, that it is gone is not proven, and is not said. Where another content has the same
paragraph, its bytes are still there, and rightly: then the proof says which file has them.

Threading: any thread.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from lsfs.history.contents import DIGEST, Contents, Missing
from syscalls.errors import LsfsError

PIECE = 48  # bytes
PIECES = 6  # of a content
MOST = 400
BLOCK = 8 << 20
PHRASE = 6  # words
VARIETY = 12  # different bytes that a piece has at least
SHORT, SHORT_VARIETY = 6, 5  # the same of a content that is shorter than a piece
_EMPTY = hashlib.blake2b(digest_size=DIGEST).digest()
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass
class Needles:
    """What is looked for afterwards. phrases: runs of words, as they stand in the text; untold: contents of which there is no piece."""

    pieces: set[bytes] = field(default_factory=set)
    phrases: list[str] = field(default_factory=list)
    untold: set[bytes] = field(default_factory=set)

    def join(self, other: "Needles") -> None:
        """What was taken before a purge that was cut off."""
        self.pieces |= other.pieces
        self.phrases = list(dict.fromkeys([*other.phrases, *self.phrases]))
        self.untold |= other.untold

    def take(self, data: bytes) -> bool:
        """Pieces of some bytes; whether there are any."""
        taken = False
        step = max(1, (len(data) - PIECE) // (PIECES - 1))
        for start in range(0, max(1, len(data) - PIECE + 1), step):
            piece = data[start : start + PIECE]
            if len(piece) >= 16 and len(set(piece)) >= VARIETY:
                taken = True
                if len(self.pieces) < MOST:
                    self.pieces.add(piece)
        whole = data.strip() if len(data) <= PIECE else b""
        if not taken and len(whole) >= SHORT and len(set(whole)) >= SHORT_VARIETY:
            taken = True
            if len(self.pieces) < MOST:
                self.pieces.add(whole)
        return taken

    def read(self, data: bytes) -> bool:
        """Pieces and words of a content; whether there are pieces."""
        taken = self.take(data)
        if len(self.phrases) < PIECES and b"\0" not in data[:4096]:
            words = _WORD.findall(data[: 1 << 20].decode("utf-8", "replace"))
            if len(words) >= PHRASE:
                middle = len(words) // 2
                found = " ".join(words[max(0, middle - PHRASE) : middle][:PHRASE])
                if found not in self.phrases:
                    self.phrases.append(found)
        return taken


def needles(
    contents: Contents, digests: Iterable[bytes], files: Iterable[Path], stored: Iterator[tuple[bytes, bytes]]
) -> Needles:
    """Of contents, of live files and of what is stored of them, by digest."""
    found, told = Needles(), set()
    for digest in digests:
        try:
            content = contents.open(digest)
            found.untold.add(digest)
            for start in range(0, min(content.size, 4 * BLOCK), BLOCK):
                if found.read(content.read(start, BLOCK)):
                    told.add(digest)
        except Missing:
            continue  # it was purged before
        except LsfsError:
            found.untold.add(digest)
    for path in files:
        try:
            with open(path, "rb", opener=_no_link) as stream:
                data = stream.read(BLOCK)
                digest, taken = _digest(stream, data), found.read(data)
        except OSError:
            continue
        (told if taken else found.untold).add(digest)
    for digest, data in stored:
        if found.take(data):
            told.add(digest)
    found.untold -= told | {_EMPTY}
    return found


def _digest(stream: BinaryIO, begun: bytes) -> bytes:
    """Of a file of which this was read."""
    whole = hashlib.blake2b(begun, digest_size=DIGEST)
    while data := stream.read(BLOCK):
        whole.update(data)
    return whole.digest()


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
