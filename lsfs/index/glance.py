"""glance: what words.db and the catalogue say when they are only looked at, for `hello`, `stats` and `progress`.

A connection of its own: a reader of a WAL never waits for who writes. `counts` and `unbegun` do not even wait for another look that takes
long (the `hello` of a large folder): they then give the last numbers.

Threading: any thread.
"""

import sqlite3
import threading

from lsfs.index.backlog import ASLEEP, FIRST, LAST_ORDINAL

PATIENCE = 0.05


class Glance:
    """A reading connection, one look at a time."""

    def __init__(self, store: str, catalogue: str) -> None:
        """store, catalogue: SQLite URIs."""
        self._db = sqlite3.connect(store, uri=True, isolation_level=None, check_same_thread=False)
        self._db.execute("attach ? as history", (catalogue,))
        self._db.execute("pragma busy_timeout = 2000")
        self.lock = threading.Lock()
        self._last = {"contents": 0, "passages": 0, "embedded": 0, "waiting": 0}
        self._unbegun = 0

    def close(self) -> None:
        """Close the connection."""
        with self.lock:
            self._db.close()

    def counts(self) -> dict[str, int]:
        """contents, passages, embedded and waiting (passages with a vector in Lance, and those that will get one)."""
        if self.lock.acquire(timeout=PATIENCE):
            try:
                contents, passages, waiting, asleep, keyed = self._db.execute(
                    "select (select count(*) from content), (select coalesce(sum(passages), 0) from content), "
                    "(select count(*) from waiting), (select count(*) from waiting where tier = ?), "
                    "(select count(*) from passage indexed by passage_key where key is not null)",
                    (ASLEEP,),
                ).fetchone()
            finally:
                self.lock.release()
            # a content that is still being written has keys, but does not wait yet
            self._last = {
                "contents": contents,
                "passages": passages,
                "embedded": keyed - waiting,
                "waiting": waiting - asleep,
            }
        return dict(self._last)

    def unbegun(self) -> int:
        """Contents whose first passage waits for its vector."""
        if self.lock.acquire(timeout=PATIENCE):
            try:
                (self._unbegun,) = self._db.execute(
                    "select count(*) from waiting where tier <= ? and passage & ? = 0", (FIRST, LAST_ORDINAL)
                ).fetchone()
            finally:
                self.lock.release()
        return self._unbegun

    def missing(self) -> list[bytes]:
        """Live text files of the catalogue whose content is not here."""
        with self.lock:
            rows = self._db.execute(
                "select parent, name from history.file f where died is null and state = 'text' "
                "and (digest is null or not exists (select 1 from content where digest = f.digest))"
            ).fetchall()
        return [parent + b"/" + name if parent else name for parent, name in rows]

    def disagreeing(self, complete: bool) -> list[bytes]:
        """Digests of live files that the catalogue calls complete (or incomplete) while this index says the opposite."""
        with self.lock:
            rows = self._db.execute(
                "select distinct c.digest from history.file f join content c on c.digest = f.digest "
                "where f.died is null and f.complete = ? and c.embedded = ?",
                (int(complete), int(not complete)),
            ).fetchall()
        return [row[0] for row in rows]
