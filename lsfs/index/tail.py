"""tail: rows that lie in no segment yet, in an FTS5 table in memory, whose tokens `fts5vocab` tells.

The table is as the source's, with the same tokenizer and the same words, so a row has the same tokens here and there.

Threading: an instance belongs to one thread.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from lsfs.index.postings import NONE, Posting
from lsfs.index.source import Source, varints
from lsfs.index.words import TOKENIZER

SLICE = 500  # rows read at once
LONGEST = 8000  # characters of a word: FTS5 cuts a token after 32,768 bytes, within a character as well


def _table(columns: Iterable[str]) -> sqlite3.Connection:
    """`held`, and what it was `told`."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.execute(
        f"create virtual table held using fts5 ({', '.join(columns)}, content = '', tokenize = '{TOKENIZER}')"
    )
    db.execute("create virtual table told using fts5vocab(held, instance)")
    return db


class Tail:
    """Some rows of a source. `db` of the methods is words.db."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._db = _table(source.columns)
        weights = zip(source.columns, source.weights, strict=True)
        cases = " ".join(f"when '{column}' then {weight:.0f}" for column, weight in weights)
        self._times = f"case col {cases} end"
        self.ids: np.ndarray = np.zeros(0, np.int64)
        self.lengths: np.ndarray = np.zeros(0, np.int64)
        self._postings: dict[str, Posting] = {}

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Add these rows; those that are not there are left out."""
        into = f"insert into held (rowid, {', '.join(self._source.columns)}) values (?{', ?' * len(self._source.columns)})"
        self._db.execute("begin")
        try:
            for start in range(0, len(ids), SLICE):
                self._db.executemany(into, self._source.rows(db, ids[start : start + SLICE]))
            self._db.execute("commit")
        finally:
            if self._db.in_transaction:  # the deadline of a question ended it
                self._db.execute("rollback")
        self._postings.clear()
        sizes = dict(lengths_of(self._db))
        self.ids = np.array(sorted(sizes), np.int64)
        self.lengths = np.array([sizes[id_] for id_ in self.ids.tolist()], np.int64)

    def without(self, db: sqlite3.Connection, ids: Collection[int]) -> "Tail":
        """A tail of the others."""
        left = Tail(self._source)
        gone = set(ids)
        left.add(db, [id_ for id_ in self.ids.tolist() if id_ not in gone])
        self.close()
        return left

    def posting(self, term: str) -> Posting:
        """Who has it."""
        found = self._postings.get(term)
        if found is None:
            rows = self._db.execute(f"select doc, {self._times} from told where term = ?", (term,)).fetchall()
            found = self._postings[term] = (
                self._posting(np.array(rows, np.int64).reshape(-1, 2)) if rows else NONE
            )
        return found

    def _posting(self, instances: np.ndarray) -> Posting:
        rows, place = np.unique(np.searchsorted(self.ids, instances[:, 0]), return_inverse=True)
        times = np.bincount(place, instances[:, 1], len(rows))
        return Posting(rows.astype("<u4"), times.astype(np.int64))

    def count(self, term: str) -> int:
        """How many have it."""
        return len(self.posting(term).rows)

    def peak(self, term: str, average: float) -> float:
        """What no row exceeds (`Segment.peak`): k1 + 1, the limit."""
        return 2.2

    def items(self) -> Iterator[tuple[bytes, Posting]]:
        """All terms, ascending, each with who has it."""
        # grouped by one column alone, which fts5vocab gives in order: nothing is sorted
        told = self._db.execute(
            f"select term, group_concat(doc), group_concat({self._times}) from told group by term"
        )
        for term, docs, times in told:
            yield term.encode(), self._posting(np.stack([_numbers(docs), _numbers(times)], 1))


def _numbers(text: str) -> np.ndarray:
    return np.array(text.split(","), np.int64) if len(text) < 256 else np.fromstring(text, np.int64, sep=",")


def lengths_of(db: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """(id, tokens) of all rows, as FTS5 notes them: a varint for each column."""
    for id_, sizes in db.execute("select id, sz from held_docsize"):
        yield id_, sum(varints(sizes))


class Stems:
    """What FTS5's tokenizer makes of a word."""

    def __init__(self) -> None:
        self._db = _table(("text",))
        self.of = lru_cache(4096)(self._of)

    def _of(self, word: str) -> str | None:
        """Its stem; None where it is not one token, but none or several, or a part of one."""
        if len(word) > LONGEST:
            return None
        self._db.execute("insert into held (rowid, text) values (1, ?)", (word,))
        found = [row[0] for row in self._db.execute("select term from told")]
        self._db.execute("insert into held (held) values ('delete-all')")
        return found[0] if len(found) == 1 else None

    def close(self) -> None:
        """Close the table."""
        self._db.close()
