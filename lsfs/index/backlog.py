"""backlog: the passages that wait for a vector, and in which order they get one.

    0  what a user just wrote, the first EARLY passages of each file
    1  the first passage of every other file
    2  the rest of what a user just wrote
    3  all others
    9  asleep: no live file has their content any more, and no snapshot shows one that had; they wake when one does again

So a big file holds up no small one. A content is put to sleep only some time after it was asked for: the daemon writes down whose it
is after it has heard of it.

Threading: any thread; the store's lock and transactions.
"""

import sqlite3
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

SHIFT = 20
LAST_ORDINAL = (1 << SHIFT) - 1
FRESH, FIRST, FRESH_REST, REST, ASLEEP = 0, 1, 2, 3, 9
EARLY = 8
YOUNG = 60.0  # seconds in which the daemon will have written down whose a content is

_LIVE = "select 1 from history.file f join main.content c on c.digest = f.digest where c.id = ? and f.died is null"
_SPANS = (
    "select e.born, e.died from main.content c join history.content k on k.digest = c.digest "
    "join history.entry e on e.content = k.id where c.id = ?"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A passage without a vector in Lance."""

    passage: int
    tier: int
    key: bytes
    title: str
    text: str


def content_of(passage: int) -> int:
    """The content a passage belongs to."""
    return passage >> SHIFT


def knows_history(db: sqlite3.Connection) -> bool:
    """Whether the attached catalogue has the tables of history: one that an older lsfs made has none until the daemon opens it."""
    return db.execute("select 1 from history.sqlite_master where name = 'snapshot'").fetchone() is not None


def tier(ordinal: int, fresh: bool) -> int:
    """When a passage gets its turn."""
    if fresh:
        return FRESH if ordinal < EARLY else FRESH_REST
    return REST if ordinal else FIRST


class Backlog:
    """The table `waiting` of a store."""

    def __init__(
        self,
        db: sqlite3.Connection,
        lock: threading.RLock,
        writing: Callable[[], AbstractContextManager[sqlite3.Connection]],
    ) -> None:
        self.db, self.lock, self.writing = db, lock, writing
        self._asked: dict[int, float] = {}

    def asked(self, content: int) -> None:
        """A content was asked for: the catalogue will soon name it."""
        self._asked[content] = time.monotonic() + YOUNG

    def hurry(self, digest: bytes, fresh: bool) -> None:
        """The content is asked for again: wake its passages and, when `fresh`, let them go before the backlog.

        Inside the caller's transaction or without one."""
        with self.lock:
            row = self.db.execute("select id from content where digest = ?", (digest,)).fetchone()
            if row is None:
                return
            self.asked(row[0])
            self._wake(row[0], fresh)

    def _wake(self, content: int, fresh: bool) -> None:
        low = content << SHIFT
        self.db.execute(
            "update waiting set tier = min(case when ? then case when passage & ? < ? then ? else ? end "
            "when passage & ? then ? else ? end, case tier when ? then ? else tier end) where passage between ? and ?",
            (
                *(fresh, LAST_ORDINAL, EARLY, FRESH, FRESH_REST),
                *(LAST_ORDINAL, REST, FIRST, ASLEEP, ASLEEP, low, low + LAST_ORDINAL),
            ),
        )

    def waiting(self, limit: int) -> list[Waiting]:
        """Passages without a vector in Lance, the most urgent first; those of contents that no live file has are put to sleep."""
        while True:
            with self.lock:
                rows = self.db.execute(
                    "select w.passage, w.tier, p.key, p.title, p.text "
                    "from (select passage, tier from waiting where tier < ? order by tier, passage limit ?) w "
                    "join passage p on p.id = w.passage order by w.tier, w.passage",
                    (ASLEEP, limit),
                ).fetchall()
            dead = self._dead({content_of(row[0]) for row in rows})
            if dead:
                self._put_to_sleep(dead)
            rows = [row for row in rows if content_of(row[0]) not in dead]
            if rows or not dead:
                return [Waiting(*row) for row in rows]

    def _dead(self, contents: set[int]) -> set[int]:
        now = time.monotonic()
        with self.lock:
            old = [content for content in contents if self._asked.get(content, 0.0) < now]
            if len(self._asked) > 10_000:
                self._asked = {content: until for content, until in self._asked.items() if until >= now}
            dead = {content for content in old if self.db.execute(_LIVE, (content,)).fetchone() is None}
            return dead - self._seen(dead) if dead and knows_history(self.db) else dead

    def _seen(self, contents: set[int]) -> set[int]:
        """Those of these contents that a snapshot shows."""
        # sorted once: each row asks for the first snapshot since it was born
        snapshots = [
            row[0] for row in self.db.execute("select sequence from history.snapshot order by sequence")
        ]
        seen = set()
        for content in contents if snapshots else ():
            for born, died in self.db.execute(_SPANS, (content,)):
                first = bisect_left(snapshots, born)
                if first < len(snapshots) and (died is None or snapshots[first] < died):
                    seen.add(content)
                    break
        return seen

    def _put_to_sleep(self, contents: set[int]) -> None:
        with self.writing() as db:
            db.executemany(
                "update waiting set tier = ? where passage between ? and ?",
                ((ASLEEP, content << SHIFT, content << SHIFT | LAST_ORDINAL) for content in contents),
            )

    def wake(self) -> tuple[bool, bool]:
        """Wake what a live file has again. Returns whether anything woke, and whether something still sleeps."""
        with self.lock:
            asleep = {
                content_of(row[0])
                for row in self.db.execute("select passage from waiting where tier = ?", (ASLEEP,))
            }
            dead = self._dead(asleep)
            for content in asleep - dead:
                self._wake(content, False)
        return bool(asleep - dead), bool(dead)

    def mark(self, passages: Sequence[int]) -> list[bytes]:
        """These passages are in Lance now. Returns the digests of the contents that are complete by it."""
        done = []
        with self.writing() as db:
            db.executemany("delete from waiting where passage = ?", ((passage,) for passage in passages))
            for content in sorted({content_of(passage) for passage in passages}):
                low = content << SHIFT
                if db.execute(
                    "select 1 from waiting where passage between ? and ? limit 1", (low, low + LAST_ORDINAL)
                ).fetchone():
                    continue
                db.execute("update content set embedded = 1 where id = ?", (content,))
                done += [row[0] for row in db.execute("select digest from content where id = ?", (content,))]
        return done

    def refuse(self, passages: Sequence[int]) -> list[bytes]:
        """The model cannot take these passages: they are found by their words only. Returns as `mark` does."""
        with self.lock:
            with self.writing() as db:
                db.executemany("update passage set key = null where id = ?", ((p,) for p in passages))
            return self.mark(passages)

    def vectored(self) -> list[tuple[int, bytes]]:
        """(passage, key) of every passage that should have a vector in Lance or wait for one."""
        with self.lock:
            return self.db.execute(
                "select id, key from passage where key is not null and id >> 20 in (select id from content)"
            ).fetchall()

    def all_waiting(self) -> set[int]:
        """Every passage that waits, also those asleep."""
        with self.lock:
            return {row[0] for row in self.db.execute("select passage from waiting")}

    def wait_again(self, passages: Sequence[int]) -> None:
        """These passages turned out not to be in Lance."""
        with self.writing() as db:
            db.executemany(
                "insert or ignore into waiting values (?, ?)",
                ((passage, tier(passage & LAST_ORDINAL, False)) for passage in passages),
            )
            db.executemany(
                "update content set embedded = 0 where id = ?",
                ((c,) for c in {content_of(p) for p in passages}),
            )
