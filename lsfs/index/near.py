"""near: neighbouring words of a prompt that stand near each other in a passage.

The unordered windows of the sequential dependence model (Metzler and Croft, A Markov random field model for term dependencies, 2005), with
a presence for a frequency.

Threading: pure, but for the connection that the caller owns.
"""

import sqlite3
from collections.abc import Iterable

import numpy as np

from lsfs.index.words import COMMON, idf

WINDOW = 6  # words: 4 and 8 do nearly as well, 16 does not


class Near:
    """Where some pairs of words stand near each other."""

    def __init__(self, db: sqlite3.Connection, pairs: Iterable[tuple[str, str]], passages: int) -> None:
        """passages: how many there are in all."""
        self._found: list[tuple[np.ndarray, float]] = []  # passages, ascending, and how rare their pair is
        for one, other in pairs:
            # as one value: a row of its own for each takes a third longer, and Python's lock at each
            (said,) = db.execute(
                "select group_concat(rowid) from (select rowid from words where words match ? limit ?)",
                (f'NEAR("{one}" "{other}", {WINDOW})', COMMON),
            ).fetchone()
            rows = np.fromstring(said, np.int64, sep=",") if said else np.zeros(0, np.int64)
            rare = idf(len(rows), passages)
            if rare > 0:
                self._found.append((rows, rare))

    def of(self, passages: Iterable[int]) -> dict[int, float]:
        """Σ idf(pair) of those of these passages that have one."""
        values: dict[int, float] = {}
        asked = np.fromiter(passages, np.int64)
        for rows, rare in self._found:
            for passage in asked[np.isin(asked, rows)].tolist():
                values[passage] = values.get(passage, 0.0) + rare
        return values
