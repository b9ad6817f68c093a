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
        self._read: dict[int, dict[int, np.ndarray]] = {}  # content → passage → vector

    def read(self, contents: Iterable[int], passages: Iterable[int]) -> None:
        """Have at hand the vectors of these contents: of all their passages if they are few, else of those among `passages`."""
        fresh = set(contents) - self._read.keys()
        if not fresh or self._vectors is None or len(fresh) > MOST:
            return
        chosen = [passage for passage in passages if content_of(passage) in fresh]
        rows = self._db.execute(
            "select p.id, p.key from json_each(?) j join content c on c.id = j.value and c.passages <= ? "
            f"join passage p on p.id between c.id << {SHIFT} and (c.id << {SHIFT}) + ? where p.key is not null "
            "union select p.id, p.key from json_each(?) j join passage p on p.id = j.value where p.key is not null",
            (json.dumps(sorted(fresh)), WHOLE, WHOLE, json.dumps(chosen)),
        ).fetchall()
        vectors = self._vectors.get(key for _, key in rows)
        self._read |= {content: {} for content in fresh}
        for passage, key in rows:
            if key in vectors:
                self._read[content_of(passage)][passage] = vectors[key]

    def of(
        self, contents: Collection[int], passages: Iterable[int], prompt: "np.ndarray"
    ) -> dict[int, float]:
        """By passage, of these contents (`read`)."""
        self.read(contents, passages)
        return {
            passage: float(vector @ prompt)
            for content in contents
            for passage, vector in self._read.get(content, {}).items()
        }
