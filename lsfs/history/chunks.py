"""chunks: where a large content is cut, decided by what it holds and not by where that lies.

So two versions of a large file share all but the pieces around a change. A cut falls behind a byte where the gear hash of the 32 bytes
up to it is low; a piece is at least MIN and at most MAX bytes long, 64 KiB on average. The window is shorter than MIN: whether a byte
ends a piece depends on nothing before the piece, and the stream may be fed in whatever sizes.

To read the store nobody needs this file. To share pieces with what is kept already, every number in it has to stay as it is.

Threading: `cuts` is pure; a Chunker belongs to one stream and one thread. numpy, which takes a tenth of a second to import, is loaded
by the first large content.
"""

import functools
import hashlib
from bisect import bisect_left
from typing import Any

MIN = 16 << 10
MAX = 256 << 10
THRESHOLD = (1 << 32) // (
    48 << 10
)  # one byte in 48 KiB qualifies: with MIN before it, pieces of 64 KiB on average
SEED = b"lsfs gear 1"
_STEP = (
    64 << 10
)  # hashed at a time: what numpy makes of it stays in the processor's cache (394 MB/s; 256 KiB: 248)
_DOUBLINGS = (1, 2, 4, 8, 16)


@functools.cache
def gear() -> tuple[int, ...]:
    """A random number for each byte: the first four bytes, little-endian, of blake2b-32(SEED || byte)."""
    digests = (hashlib.blake2b(SEED + bytes([byte]), digest_size=32).digest() for byte in range(256))
    return tuple(int.from_bytes(digest[:4], "little") for digest in digests)


@functools.cache
def _table() -> Any:
    import numpy as np

    return np.array(gear(), dtype=np.uint32)


def _candidates(data: bytes | bytearray | memoryview) -> list[int]:
    """The ends of all windows whose hash is low. H(i) = sum of gear[data[i - k]] << k for k < 32, modulo 2**32.

    Hashes of 2n bytes are made of those of n bytes: five passes over whole arrays instead of a loop over bytes."""
    import numpy as np

    table, values = _table(), np.frombuffer(data, dtype=np.uint8)
    room: Any = np.empty((2, _STEP + 31), dtype=np.uint32)
    found: list[int] = []
    for start in range(0, len(values) - 31, _STEP):
        part = values[start : start + _STEP + 31]
        now, moved = room[:, : len(part)]
        np.take(table, part, out=now, mode="clip")
        for width in _DOUBLINGS:
            np.left_shift(now[:-width], width, out=moved[width:])
            np.add(now[width:], moved[width:], out=now[width:])
        low = np.flatnonzero(now[31:] < THRESHOLD)
        found.extend((low + (start + 32)).tolist())
    return found


def cuts(data: bytes | bytearray | memoryview, final: bool) -> list[int]:
    """The ends of the pieces of `data`, which begins where a piece begins.

    final: the stream ends with `data`, so its last byte ends a piece. Otherwise what lies behind the last cut is not decided yet."""
    size, start, ends = len(data), 0, list[int]()
    found = _candidates(data) if size > MIN else []
    while size > start:
        at = bisect_left(found, start + MIN)
        end = min(found[at] if at < len(found) else size + 1, start + MAX)
        if end > size:
            if not final:
                break
            end = size
        ends.append(end)
        start = end
    return ends


class Chunker:
    """Cuts a stream as it comes. Keeps less than MAX bytes beyond what it was last fed."""

    def __init__(self) -> None:
        self._waiting: list[bytes | memoryview] = []
        self._size = 0

    def feed(self, data: bytes | memoryview) -> list[memoryview]:
        """The next bytes of the stream; returns the pieces that are whole now."""
        self._waiting.append(data)
        self._size += len(data)
        return (
            self._cut(False) if self._size >= MAX else []
        )  # so many hold a cut: looking earlier would cost more than it finds

    def finish(self) -> list[memoryview]:
        """The stream has ended; returns its last pieces. Another stream may follow."""
        return self._cut(True)

    def _cut(self, final: bool) -> list[memoryview]:
        whole = memoryview(b"".join(self._waiting))
        pieces, start = [], 0
        for end in cuts(whole, final):
            pieces.append(whole[start:end])
            start = end
        self._waiting, self._size = [bytes(whole[start:])], len(whole) - start
        return pieces
