"""rarity: how many passages have a word, and what the words of a question could score together.

Counts are remembered for as long as the index has about as many passages: a word's count, in FTS5 the length of its list, costs 40 ns for
each passage that has it.

Threading: an instance belongs to one thread (its connection does).
"""

import math
import sqlite3
import time
from collections.abc import Iterable

from lsfs.index import dates
from lsfs.index.lexicon import Lexicon
from lsfs.index.words import LEAST, idf

SATURATION = 2.2  # k1 + 1 of FTS5's BM25: what a word scores at most is its idf times this
USUAL = 5  # terms of a question
MOST = 4096  # words remembered
TOLERANCE = 0.1  # of the passages that may have come or gone before a count is taken again
KEPT = 10.0  # seconds for which the number of passages is believed


class Rarity:
    """The counts of one connection to words.db."""

    def __init__(self, db: sqlite3.Connection, lexicon: Lexicon | None = None) -> None:
        self._db, self._lexicon = db, lexicon
        self._counts: dict[str, tuple[int, int]] = {}  # word → (passages that have it, passages there were)
        self._passages, self._until = 0, 0.0

    def passages(self) -> int:
        """How many passages there are."""
        if self._lexicon is not None and self._lexicon.ready:
            return self._lexicon.rows
        if not self._passages or time.monotonic() > self._until:
            self._passages = self._db.execute("select coalesce(sum(passages), 0) from content").fetchone()[0]
            self._until = time.monotonic() + KEPT
        return self._passages

    def count(self, term: str) -> int:
        """How many passages have it."""
        passages = self.passages()
        count, of = self._counts.get(term, (0, -1))
        if not count or abs(passages - of) > TOLERANCE * min(
            passages, max(of, 0)
        ):  # a word that was not there may come
            count = self._asked(term)
            if len(self._counts) >= MOST:
                self._counts.clear()
            self._counts[term] = count, passages
        return min(count, passages)

    def _asked(self, term: str) -> int:
        known = self._lexicon.count(term) if self._lexicon is not None and self._lexicon.ready else None
        if known is not None:
            return known
        return self._db.execute("select count(*) from words where words match ?", (f'"{term}"',)).fetchone()[
            0
        ]

    def idf(self, term: str) -> float:
        """The idf of a term (`words.idf`); 0 for one that no passage has, or half of them."""
        return idf(self.count(term), self.passages())

    def bound(self, terms: Iterable[str]) -> float:
        """What BM25 cannot exceed in a passage that has all these terms (one that no passage has is as rare as can be), times √(USUAL / n)
        for n terms where they are more: no passage has all of a long question, which is none the worse for it. A date is said by its words
        already, so what stands for it (`dates`) counts where some passage has it."""
        counts = [(term, self.count(term)) for term in terms]
        rare = [
            max(LEAST, idf(max(1, count), self.passages()))
            for term, count in counts
            if count or not dates.is_own(term)
        ]
        return SATURATION * sum(rare) * math.sqrt(min(1.0, USUAL / max(1, len(rare))))
