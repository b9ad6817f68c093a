"""cosines: how near passages are to the prompt that meaning did not find, but another signal.

Their vectors are read from vectors.db, mostly before the prompt has one (`read`): while Lance looks for what is nearest.

Threading: an instance belongs to one thread (its connections do).
"""

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from lsfs.index.backlog import SHIFT, content_of

if TYPE_CHECKING:
    import numpy as np

    from lsfs.index.vectors import Vectors

WHOLE = 8  # passages up to which a content is compared with the prompt whole
MOST = 400  # contents


class Cosines:
    """The vectors of some passages, for one query."""

    def __init__(self, db: sqlite3.Connection, vectors: "Vectors | None") -> None:
        """vectors: None = nothing is compared."""
        self._db, self._vectors = db, vectors
        self._whole: set[int] = set()  # contents of which is known whether they are compared whole
        self._read: dict[int, dict[int, np.ndarray | None]] = {}  # content → passage → vector

    def read(self, contents: Collection[int], passages: Iterable[int]) -> None:
        """Have at hand the vectors of these contents: of all their passages if they are few, and of those among `passages`. Not of more
        contents than MOST."""
        some = set(contents)
        if self._vectors is None or len(some) > MOST:
            return
        chosen = [p for p in passages if (c := content_of(p)) in some and p not in self._read.get(c, ())]
        fresh = some - self._whole
        if not chosen and not fresh:
            return
        rows = self._db.execute(
            "select p.id, p.key from json_each(?) j join content c on c.id = j.value and c.passages <= ? "
            f"join passage p on p.id between c.id << {SHIFT} and (c.id << {SHIFT}) + ? where p.key is not null "
            "union select p.id, p.key from json_each(?) j join passage p on p.id = j.value where p.key is not null",
            (json.dumps(sorted(fresh)), WHOLE, WHOLE, json.dumps(chosen)),
        ).fetchall()
        vectors = self._vectors.get(key for _, key in rows)
        self._whole |= fresh
        found: dict[int, np.ndarray | None] = dict.fromkeys(chosen)
        found |= {passage: vectors.get(key) for passage, key in rows}
        for passage, vector in found.items():
            self._read.setdefault(content_of(passage), {})[passage] = vector

    def of(
        self, contents: Collection[int], passages: Iterable[int], prompt: "np.ndarray"
    ) -> dict[int, float]:
        """By passage, of these contents (`read`)."""
        if len(contents) > MOST:
            return {}
        self.read(contents, passages)
        return {
            passage: float(vector @ prompt)
            for content in contents
            for passage, vector in self._read.get(content, {}).items()
            if vector is not None
        }
