"""lexicon: an FTS5 table's inverted index once more, as segments and a tail, of which the best rows are found in milliseconds.

FTS5 looks at each row that has a word: 1.5 µs, and a common word is in a third of all passages. Here a word's rows are an array, and those
of common words are not read where they cannot change who is best. What is found, and its score, is what FTS5 says: bit for bit.

    segments    immutable files beside words.db, made by `engine.lexing` in a process of its own; a manifest names those in use
    tail        what lies in none of them yet, in memory

Both are derived. Whether they know all rows is seen by a comparison with those of FTS5, each time that segments are opened. From then on
rows that came are added to the tail (their ids are higher, but those of contents that were being written), and that rows went is seen from
the number that FTS5 itself keeps: they are marked in their segment. Where not all are known (the files are of another epoch, or too much is
new), the question is answered by FTS5. An error, such as the end of a question's deadline, leaves what is to be learnt once more.

Threading: an instance belongs to one thread.
"""

import json
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lsfs.index.postings import Broken, Posting, Segment, times_of
from lsfs.index.source import Mark, Source, totals
from lsfs.index.tail import Stems, Tail

log = logging.getLogger(__name__)

LATE = 60.0  # seconds
MOST = 4000  # rows of the tail: at 60 µs each
LEAST = 20_000  # rows below which FTS5 is as fast


class Part:
    """A segment or the tail, with the rows that are still there. alive: bool of each row; None = all."""

    def __init__(self, of: Segment | Tail, shift: int) -> None:
        self.of, self._shift = of, shift
        self.alive: np.ndarray | None = None
        self._counts: dict[str, int] = {}

    @property
    def living(self) -> int:
        """How many rows are still there."""
        return len(self.of) if self.alive is None else int(self.alive.sum())

    @property
    def ids(self) -> np.ndarray:
        """Of the rows that are still there."""
        return self.of.ids if self.alive is None else self.of.ids[self.alive]

    def posting(self, term: str) -> Posting:
        """Who has a term."""
        found = self.of.posting(term)
        if self.alive is None:
            return found
        there = self.alive[found.rows]
        return Posting(found.rows[there], found.times[there])

    def count(self, term: str) -> int:
        """How many have a term."""
        if self.alive is None:
            return self.of.count(term)
        if term not in self._counts:
            self._counts[term] = len(self.posting(term).rows)
        return self._counts[term]

    def only(self, ids: np.ndarray) -> None:
        """Only these are still there. What went is never back: an id that is there again is another row's."""
        alive = np.isin(self.of.ids, ids, assume_unique=True)
        if not alive.all():
            self.alive, self._counts = alive if self.alive is None else self.alive & alive, {}

    def without(self, ids: np.ndarray) -> None:
        """These are not there any more."""
        gone = np.isin(self.of.ids, ids)
        if gone.any():
            self.alive, self._counts = ~gone if self.alive is None else self.alive & ~gone, {}

    def rows_of(self, contents: Sequence[int]) -> np.ndarray:
        """The rows of these contents (of these ids, where rows have none), ascending."""
        low = np.unique(np.asarray(contents, np.int64))
        first = np.searchsorted(self.of.ids, low << self._shift)
        last = np.searchsorted(self.of.ids, (low + 1) << self._shift)
        sizes = last - first
        starts: np.ndarray = np.repeat(first - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        rows = (starts + np.arange(len(starts))).astype("<u4")
        return rows if self.alive is None else rows[self.alive[rows]]


class Lexicon:
    """What the segments and the tail of a source know, for one connection to words.db."""

    def __init__(self, db: sqlite3.Connection, folder: Path, source: Source, stems: Stems) -> None:
        """folder: that of words.db."""
        self._db, self._folder, self._source, self._stems = db, folder, source, stems
        self._manifest: tuple[int, int] | None = None
        self._mark: Mark | None = None  # of the segments
        self._told: Mark | None = None  # of when was last looked
        self._seen = -1  # data_version
        self._newest = 0  # the highest id known
        self._written: list[int] = []  # `Source.written`, when was last looked
        self._compared = False  # all rows were known when was last looked
        self._asked = 0.0  # time.time() at which was asked who went
        self._scratch = np.zeros(0)
        self.segments: list[Part] = []
        self.tail = self._part(Tail(source))
        self.rows = 0
        self.average = 1.0
        self.ready = False

    def close(self) -> None:
        """Close what it keeps in memory."""
        self._tail.close()

    def _part(self, of: Segment | Tail) -> Part:
        return Part(of, self._source.shift)

    @property
    def _tail(self) -> Tail:
        assert isinstance(self.tail.of, Tail)
        return self.tail.of

    @property
    def parts(self) -> list[Part]:
        """The segments, largest first, and the tail."""
        return [*self.segments, self.tail] if len(self.tail.of) else self.segments

    def refresh(self) -> bool:
        """Learn what changed, inside the caller's transaction; whether all passages are known."""
        try:
            stat = os.stat(self._folder / self._source.manifest)
        except FileNotFoundError:
            self.ready = False
            return False
        manifest = _identity(stat)
        self._db.execute(
            f"select 1 from {self._source.schema}.meta"
        ).fetchone()  # the transaction begins to read
        version = self._db.execute(f"pragma {self._source.schema}.data_version").fetchone()[0]
        if manifest == self._manifest and version == self._seen:
            return self.ready
        self.ready, self._seen = False, -1
        self._forget_other_rows()
        if manifest != self._manifest:
            self._open(manifest)
        compared, self._compared = self._compared, False
        ready, written = self._holds() and self._agrees(compared), self._source.written(self._db)
        self.ready, self._compared, self._written, self._seen = ready, ready, written, version
        return ready

    def _forget_other_rows(self) -> None:
        """The tail begins again where its ids may be those of other rows by now."""
        if self._told is not None and not self._source.holds(self._db, self._told, self._newest):
            self._tail.close()
            self.tail = self._part(Tail(self._source))
            self._newest, self._compared = self._last_id(), False
        self._told = self._source.mark(self._db)

    def _holds(self) -> bool:
        last = max((int(part.of.ids[-1]) for part in self.segments), default=0)
        return self._mark is not None and self._source.holds(self._db, self._mark, last)

    def _last_id(self) -> int:
        return max((int(part.of.ids[-1]) for part in self.parts), default=0)

    def _open(self, manifest: tuple[int, int]) -> None:
        before = {part.of.name: part for part in self.segments if isinstance(part.of, Segment)}
        try:
            with (self._folder / self._source.manifest).open() as file:
                if _identity(os.fstat(file.fileno())) != manifest:  # newer than what this transaction sees
                    raise Broken("they are being replaced")
                said = json.load(file)
            self._mark = said["mark"]
            self.segments = [
                before.get(name) or self._part(Segment(self._folder / name)) for name in said["segments"]
            ]
        except (OSError, ValueError, KeyError, TypeError, Broken) as error:
            # the next ones may have been named, and these removed, since this was read
            log.info("the segments of %s are not used: %s", self._source.name, error)
            self.segments, self._mark, manifest = [], None, (0, 0)
        self.segments.sort(key=lambda part: -len(part.of))
        self._compared = False
        if covered := [id_ for id_ in self._tail.ids.tolist() if self._has(id_)]:
            self.tail = self._part(self._tail.without(self._db, covered))
        self._newest = self._last_id()
        self._manifest = manifest

    def _has(self, passage: int) -> bool:
        for part in self.segments:
            row = int(np.searchsorted(part.of.ids, passage))
            if row < len(part.of) and part.of.ids[row] == passage:
                return True
        return False

    def _agrees(self, compared: bool) -> bool:
        """Add what came, and mark what went; whether all that FTS5 has is known. compared: all was known when was last looked."""
        self.rows, self.average = totals(self._db, self._source)
        # a transaction that began before may be seen now
        now = time.time()
        gone = self._source.gone(self._db, self._asked - LATE) if self._asked else []
        for part in self.parts if gone else []:
            part.without(np.array(gone, np.int64))
        self._asked = now
        if not self._added(self._came()):
            return False
        if compared and sum(part.living for part in self.parts) == self.rows:
            return True
        there = self._there()
        for part in self.parts:
            part.only(there)
        known = np.concatenate([part.ids for part in self.parts] or [np.zeros(0, np.int64)])
        return (
            self._added(np.setdiff1d(there, known).tolist())
            and sum(part.living for part in self.parts) == self.rows
        )

    def _there(self) -> np.ndarray:
        # as one text, which takes a third of the time of as many rows
        text = self._db.execute(f"select group_concat(id) from {self._source.sizes}").fetchone()[0]
        return np.fromstring(text, np.int64, sep=",") if text else np.zeros(0, np.int64)

    def _came(self) -> list[int]:
        """What is newer than all that is known, and newer than what is known of contents that were being written; not much too much."""
        spans = [(self._newest, np.iinfo(np.int64).max)]
        for content in self._written:
            below = (content + 1) << self._source.shift
            known = [part.of.ids[: np.searchsorted(part.of.ids, below)] for part in self.parts]
            last = max((int(ids[-1]) for ids in known if len(ids)), default=0)
            spans.append((max(last, (content << self._source.shift) - 1), below - 1))
        found = {
            row[0]
            for span in spans
            for row in self._db.execute(
                f"select id from {self._source.sizes} where id > ? and id <= ? limit ?", (*span, MOST + 1)
            )
        }
        return sorted(found)

    def _added(self, ids: list[int]) -> bool:
        if len(self.tail.of) + len(ids) > MOST:
            return False
        if ids:
            if self.tail.alive is not None:
                self.tail = self._part(
                    self._tail.without(self._db, self._tail.ids[~self.tail.alive].tolist())
                )
            self._tail.add(self._db, ids)
            self.tail = self._part(self._tail)
            self._newest = max(self._newest, *ids)
        return True

    # questions

    def scratch(self, rows: int) -> np.ndarray:
        """At least `rows` zeros (float64), which the caller leaves as zeros."""
        if len(self._scratch) < rows:
            self._scratch = np.zeros(rows)
        return self._scratch

    def stems(self, terms: Iterable[str]) -> list[str] | None:
        """The tokens that FTS5 looks for; None where one of these terms is not a token, but several or none."""
        found = [self._stems.of(term) for term in terms]
        return None if None in found else found  # type: ignore[return-value]

    def alike(self, one: str, other: str) -> bool:
        """Whether two words are one to the index: of one stem."""
        return self._stems.of(one) == self._stems.of(other) is not None

    def count(self, term: str) -> int | None:
        """How many passages have a term; None where only FTS5 knows."""
        stem = self._stems.of(term)
        return None if stem is None else sum(part.count(stem) for part in self.parts)

    def having(self, term: str, contents: Iterable[int], most: int) -> set[int] | None:
        """Those of some contents of which a passage is among the first `most` that have a term; None where only FTS5 knows."""
        stem = self._stems.of(term)
        if stem is None:
            return None
        found: set[int] = set()
        asked = list(contents)
        last = self._last(stem, most)
        for part in self.parts:
            rows = part.rows_of(asked)
            ids = part.of.ids[rows[times_of(part.posting(stem), rows) > 0]]
            found |= set((ids[ids <= last] >> self._source.shift).tolist())
        return found

    def _last(self, stem: str, most: int) -> int:
        """The last passage of the first `most` that have a term."""
        if sum(part.count(stem) for part in self.parts) <= most:
            return np.iinfo(np.int64).max
        ids = np.concatenate([part.of.ids[part.posting(stem).rows] for part in self.parts])
        return int(np.partition(ids, most - 1)[most - 1])


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_ino, stat.st_mtime_ns
