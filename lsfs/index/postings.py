"""postings: a segment, an immutable file of which passages have which words, so that a question reads arrays instead of rows.

    header      HEADER bytes of JSON: how much there is, and where
    postings    of each term: rows (uint32, ascending), then how often each has it (uint16, by words.WEIGHTS), filled up to 4 bytes
    ids         int64 of each row, ascending: the passage
    lengths     uint32 of each row: its tokens
    starts      int64 of each term: where its postings lie
    counts      uint32 of each term: how many rows have it
    peaks       float32 of each term: the highest that `saturation` says in any row, at the segment's own average length
    ends        int64 of each term: where it ends in `terms`
    terms       UTF-8, ascending, one after the other

Terms are FTS5's own tokens. A segment is written under another name and synced before it is renamed, and never changed; it is derived from
words.db and can be thrown away at any time.

Threading: a segment that is open can be read by any thread.
"""

import bisect
import heapq
import json
import mmap
import os
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

VERSION = 1
HEADER = 4096
KNOWN = 8192  # places of terms remembered
MOST = 0xFFFF  # times that a passage has a word
SECTIONS = (
    ("ids", "<i8"),
    ("lengths", "<u4"),
    ("starts", "<i8"),
    ("counts", "<u4"),
    ("peaks", "<f4"),
    ("ends", "<i8"),
    ("terms", "u1"),
)
K1, B = 1.2, 0.75  # of FTS5's bm25()


class Broken(Exception):
    """A file is no segment, or of another version."""


class Unfit(Exception):
    """What is written does not fit the format."""


class Posting(NamedTuple):
    """rows (uint32, ascending) that have a term, and how often each has it."""

    rows: np.ndarray
    times: np.ndarray


NONE = Posting(np.zeros(0, "<u4"), np.zeros(0, "<u2"))


def saturation(times: np.ndarray, lengths: np.ndarray, average: float) -> np.ndarray:
    """What BM25 multiplies the idf by (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; FTS5's order of operations)."""
    return (times * (K1 + 1.0)) / (times + K1 * (1 - B + B * lengths / average))


def times_of(posting: Posting, rows: np.ndarray) -> np.ndarray:
    """How often each of some rows (uint32, ascending) has the term, as float64."""
    held, times = posting
    if len(held) < len(rows):  # the fewer are looked up among the more
        found = np.zeros(len(rows))
        place = np.asarray(np.searchsorted(rows, held))
        place[place == len(rows)] = 0
        there = rows[place] == held
        found[place[there]] = times[there]
        return found
    if not len(rows):
        return np.zeros(0)
    place = np.asarray(np.searchsorted(held, rows))
    place[place == len(held)] = 0
    return np.where(held[place] == rows, times[place], 0).astype(np.float64)


class Segment:
    """An open segment. Raises Broken or OSError where the file is not one."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            try:
                header = json.loads(file.read(HEADER))
                if header["version"] != VERSION or header["size"] != size:
                    raise Broken(f"{path.name} is of another version, or cut off")
            except (ValueError, KeyError, TypeError) as error:
                raise Broken(f"{path.name} is no segment") from error
            self._map = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)
        arrays = {
            name: np.frombuffer(self._map, kind, *reversed(header["sections"][name]))
            for name, kind in SECTIONS
        }
        self.name = path.name
        self.ids, self.lengths = arrays["ids"], arrays["lengths"]
        if not len(self.ids):
            raise Broken(f"{path.name} has no rows")
        self._starts, self._counts, self._peaks = arrays["starts"], arrays["counts"], arrays["peaks"]
        self._ends, self._terms = arrays["ends"], memoryview(arrays["terms"].data)
        self.average = max(1.0, float(header["average"]))
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def _term(self, place: int) -> bytes:
        return bytes(self._terms[int(self._ends[place - 1]) if place else 0 : int(self._ends[place])])

    def _place(self, term: str) -> int:
        """-1 where no row has it."""
        place = self._places.get(term)
        if place is None:
            wanted = term.encode()
            place = bisect.bisect_left(range(len(self._ends)), wanted, key=self._term)
            if place == len(self._ends) or self._term(place) != wanted:
                place = -1
            if len(self._places) >= KNOWN:
                self._places.clear()
            self._places[term] = place
        return place

    def count(self, term: str) -> int:
        """How many rows have it."""
        place = self._place(term)
        return int(self._counts[place]) if place >= 0 else 0

    def peak(self, term: str, average: float) -> float:
        """What no row exceeds in `saturation`, where the average length is this.

        From another average c times as high, no denominator is less than a c-th."""
        place = self._place(term)
        return float(self._peaks[place]) * 1.000001 * max(1.0, average / self.average) if place >= 0 else 0.0

    def posting(self, term: str) -> Posting:
        """Who has it."""
        place = self._place(term)
        return self._at(place) if place >= 0 else NONE

    def _at(self, place: int) -> Posting:
        start, count = int(self._starts[place]), int(self._counts[place])
        return Posting(
            np.frombuffer(self._map, "<u4", count, start),
            np.frombuffer(self._map, "<u2", count, start + 4 * count),
        )

    def items(self) -> Iterator[tuple[bytes, Posting]]:
        """All terms, ascending, each with who has it."""
        for place in range(len(self._ends)):
            yield self._term(place), self._at(place)


def write(path: Path, ids: np.ndarray, lengths: np.ndarray, items: Iterable[tuple[bytes, Posting]]) -> None:
    """A new segment at `path`, on the disk when this returns. `items` come ascending by their terms, in UTF-8. Raises Unfit, OSError."""
    coming = path.with_suffix(".coming")
    average = float(lengths.sum()) / max(1, len(lengths))
    long: np.ndarray = lengths.astype(np.float64)
    starts: list[int] = []
    counts: list[int] = []
    peaks: list[float] = []
    ends: list[int] = []
    terms = bytearray()
    try:
        with coming.open("wb") as file:
            file.write(b" " * HEADER)
            at = HEADER
            for term, (rows, times) in items:
                if len(times) and int(times.max()) > MOST:
                    raise Unfit(f"a passage has a word more than {MOST} times")
                starts.append(at)
                counts.append(len(rows))
                peaks.append(
                    float(
                        saturation(times.astype(np.float64), long[rows], max(1.0, average)).max(initial=0.0)
                    )
                )
                terms += term
                ends.append(len(terms))
                data = rows.astype("<u4").tobytes() + times.astype("<u2").tobytes()
                at += file.write(data + b"\0" * (-len(data) % 4))
            sections = {}
            arrays = {"ids": ids, "lengths": lengths, "starts": starts, "counts": counts, "peaks": peaks, "ends": ends,
                      "terms": np.frombuffer(bytes(terms), "u1")}  # fmt: skip
            for name, kind in SECTIONS:
                at += file.write(b"\0" * (-at % 8))
                data = np.asarray(arrays[name], dtype=kind).tobytes()
                sections[name] = [at, len(arrays[name])]
                at += file.write(data)
            header = {"version": VERSION, "size": at, "average": average, "sections": sections}
            file.seek(0)
            file.write(json.dumps(header).encode().ljust(HEADER))
            _sync(file)
        coming.rename(path)
    finally:
        coming.unlink(missing_ok=True)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def merge(path: Path, segments: Sequence[Segment], living: Sequence[np.ndarray | None]) -> None:
    """One segment of several; `living`: of each which rows stay (bool), None = all."""
    kept = [
        np.arange(len(s)) if alive is None else np.flatnonzero(alive)
        for s, alive in zip(segments, living, strict=True)
    ]
    ids = np.concatenate([s.ids[rows] for s, rows in zip(segments, kept, strict=True)])
    lengths = np.concatenate([s.lengths[rows] for s, rows in zip(segments, kept, strict=True)])
    order = np.argsort(ids, kind="stable")
    place: np.ndarray = np.empty(len(ids), np.int64)
    place[order] = np.arange(len(ids))
    into = []  # of each segment: old row → new row, -1 = gone
    start = 0
    for segment, rows in zip(segments, kept, strict=True):
        moved: np.ndarray = np.full(len(segment), -1, np.int64)
        moved[rows] = place[start : start + len(rows)]
        into.append(moved)
        start += len(rows)
    write(path, ids[order], lengths[order], _merged(segments, into))


def _merged(segments: Sequence[Segment], into: Sequence[np.ndarray]) -> Iterator[tuple[bytes, Posting]]:
    def numbered(number: int, segment: Segment) -> Iterator[tuple[bytes, int, Posting]]:
        return ((term, number, posting) for term, posting in segment.items())

    held: list[tuple[np.ndarray, np.ndarray]] = []
    last: bytes | None = None
    merged = heapq.merge(*(numbered(*pair) for pair in enumerate(segments)), key=itemgetter(0, 1))
    for term, number, (rows, times) in merged:
        if term != last:
            if last is not None and (found := _joined(held)) is not None:
                yield last, found
            held, last = [], term
        held.append((into[number][rows], times))
    if last is not None and (found := _joined(held)) is not None:
        yield last, found


def _joined(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> Posting | None:
    rows = np.concatenate([rows for rows, _ in parts]) if len(parts) > 1 else parts[0][0]
    times = np.concatenate([times for _, times in parts]) if len(parts) > 1 else parts[0][1]
    if len(rows) and rows.min() < 0:
        times, rows = times[rows >= 0], rows[rows >= 0]
    if not len(rows):
        return None
    if len(parts) > 1 and (np.diff(rows) < 0).any():
        order = np.argsort(rows, kind="stable")
        rows, times = rows[order], times[order]
    return Posting(rows, times)
