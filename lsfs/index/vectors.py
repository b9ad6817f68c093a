"""vectors: every embedding ever computed, durably, by (model, digest of the embedded text).

<state>/vectors.db is the one costly thing the engine owns: WAL with synchronous=FULL, committed before Lance hears of a vector. Lance is
rebuilt from here without embedding again, and a passage that any file ever had is never embedded twice.

Threading: an instance belongs to one thread (the embedder writes, each search reads with its own); SQLite serialises them.
"""

import logging
import os
import sqlite3
import time
import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

log = logging.getLogger(__name__)

VERSION = 1
CHUNK = 500
MAPPED = 8 << 30  # bytes that `scattered` maps: one vector of many costs 12 µs instead of 27
TABLE = "create table vector (model text not null, key blob not null, value blob not null, primary key (model, key)) without rowid"


class Vectors:
    """The vectors of one model (by its identity)."""

    def __init__(self, path: Path, model: str) -> None:
        """Open or make the database; one that is not a database any more is moved aside, not deleted."""
        self._model = model
        try:
            self._db = self._open(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
            log.error(
                "%s cannot be read (%s): it is kept as %s and a new one is made", path, error, aside.name
            )
            path.rename(aside)
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            self._db = self._open(path)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(
            f"file:{urllib.parse.quote(os.fsencode(path))}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = full")
            db.execute("pragma busy_timeout = 10000")
            db.execute("begin immediate")
            if not db.execute("pragma user_version").fetchone()[0]:
                db.execute(TABLE)
                db.execute(f"pragma user_version = {VERSION}")
            db.execute("commit")
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def scattered(self) -> "Vectors":
        """For one who reads few vectors, from anywhere: through the kernel's cache of pages, which then counts as resident memory."""
        self._db.execute(f"pragma mmap_size = {MAPPED}")
        return self

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _rows(self, columns: str, keys: Sequence[bytes]) -> Iterable[tuple]:
        for start in range(0, len(keys), CHUNK):
            part = keys[start : start + CHUNK]
            marks = ",".join("?" * len(part))
            yield from self._db.execute(
                f"select {columns} from vector where model = ? and key in ({marks})", (self._model, *part)
            )

    def has(self, keys: Iterable[bytes]) -> set[bytes]:
        """Which of these keys have a vector."""
        return {row[0] for row in self._rows("key", list(set(keys)))}

    def get(self, keys: Iterable[bytes]) -> dict[bytes, np.ndarray]:
        """The vectors of these keys, those that are there."""
        return {
            key: np.frombuffer(value, dtype="<f4") for key, value in self._rows("key, value", list(set(keys)))
        }

    def put(self, items: Iterable[tuple[bytes, np.ndarray]]) -> None:
        """Keep these vectors; they are on the disk when this returns."""
        rows = [(self._model, key, np.asarray(vector, dtype="<f4").tobytes()) for key, vector in items]
        self._db.execute("begin immediate")
        try:
            self._db.executemany("insert or ignore into vector values (?, ?, ?)", rows)
            self._db.execute("commit")
        finally:
            if self._db.in_transaction:
                self._db.execute("rollback")

    def dimension(self) -> int:
        """The length of this model's vectors, 0 while there are none."""
        row = self._db.execute(
            "select length(value) from vector where model = ? limit 1", (self._model,)
        ).fetchone()
        return row[0] // 4 if row else 0

    def count(self) -> int:
        """How many vectors of this model are kept."""
        return self._db.execute("select count(*) from vector where model = ?", (self._model,)).fetchone()[0]

    def collect(self, words: str, keep: float) -> int:
        """Drop the vectors, of any model, that no passage of the words.db at URI `words` names, nor one dropped within `keep` seconds.

        Returns how many."""
        self._db.execute("attach ? as index_", (words,))
        try:
            return self._db.execute(
                "delete from vector where not exists (select 1 from index_.passage where passage.key = vector.key) "
                "and not exists (select 1 from index_.dropped where dropped.key = vector.key and dropped.at > ?)",
                (time.time() - keep,),
            ).rowcount
        finally:
            self._db.execute("detach index_")
