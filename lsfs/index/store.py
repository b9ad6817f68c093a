"""store: words.db, what the engine knows about contents: their passages, their words, and which passages still wait for a vector.

<state>/index/words.db is disposable: WAL with synchronous=NORMAL, thrown away and made anew when it does not open or was made by another
version or for another model. A content is known by the digest of its bytes; who may see it, and under which paths, is for history alone.

A passage's id says whose it is: content << 20 | ordinal. So no join is needed to come from a found passage to its content, and ids are
never used again (autoincrement), which Lance relies on.

Threading: one connection for writing, shared by the indexer and the embedder under `lock`; each search opens its own read-only one.
"""

import contextlib
import hashlib
import logging
import os
import sqlite3
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsfs.engine.document import Cut
from lsfs.index import words

log = logging.getLogger(__name__)

VERSION = 1
SHIFT = 20
LAST_ORDINAL = (1 << SHIFT) - 1
FRESH, FIRST, REST = (
    0,
    1,
    2,
)  # tiers of `waiting`: what a user just wrote, the first passage of every file, all others

TABLES = f"""
create table meta (key text primary key, value) without rowid;
create table content (id integer primary key autoincrement, digest blob not null unique, type text not null, passages integer not null,
    embedded integer not null default 0, added real not null);
create table passage (id integer primary key, first_line integer not null, last_line integer not null, key blob, title text not null,
    text text not null);
create index passage_key on passage (key) where key is not null;
create table waiting (passage integer primary key, tier integer not null);
create index waiting_tier on waiting (tier, passage);
{words.TABLE};
"""


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


def embedded_text(title: str, text: str) -> str:
    """What the model reads of a passage."""
    return f"{title}\n{text}" if title else text


def key_of(title: str, text: str) -> bytes:
    """The durable name of a passage's vector: equal text, equal vector, in whatever file."""
    return hashlib.blake2b(embedded_text(title, text).encode("utf-8", "replace"), digest_size=16).digest()


def read_only(path: str | os.PathLike[str]) -> str:
    """The SQLite URI that opens a database for reading."""
    return f"file:{urllib.parse.quote(os.fsencode(path))}?mode=ro"


class Store:
    """The writing side of words.db. `epoch` changes whenever everything is forgotten."""

    def __init__(self, folder: Path, catalogue: str, model: str) -> None:
        """Open or make <folder>/words.db for the model with the identity `model`; `catalogue` is history.db, read for hello and collect."""
        self.path = folder / "words.db"
        self.lock = threading.RLock()
        self._catalogue = catalogue
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self.db = self._open(model)
        except sqlite3.DatabaseError as error:
            log.warning("words.db is made anew: %s", error)
            for name in ("words.db", "words.db-wal", "words.db-shm"):
                (folder / name).unlink(missing_ok=True)
            self.db = self._open(model)
        self.db.execute("attach ? as history", (read_only(catalogue),))
        self.epoch: str = self._meta("epoch")

    def _open(self, model: str) -> sqlite3.Connection:
        db = sqlite3.connect(
            f"file:{urllib.parse.quote(os.fsencode(self.path))}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = normal")
            db.execute("pragma busy_timeout = 10000")
            db.execute("pragma cache_size = -32000")
            version = db.execute("pragma user_version").fetchone()[0]
            if version and (
                version != VERSION
                or db.execute("select value from meta where key = 'model'").fetchone() != (model,)
            ):
                raise sqlite3.DatabaseError("it was made by another version or for another model")
            if not version:
                db.executescript(f"begin immediate; {TABLES} pragma user_version = {VERSION}; commit;")
                db.executemany("insert into meta values (?, ?)", [("model", model), *_birth()])
            db.execute("select count(*) from words where words match 'x'").fetchone()
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def _meta(self, key: str) -> str:
        return self.db.execute("select value from meta where key = ?", (key,)).fetchone()[0]

    def close(self) -> None:
        """Close the connection."""
        with self.lock:
            self.db.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back on an error."""
        with self.lock:
            self.db.execute("begin immediate")
            try:
                yield self.db
            except BaseException:
                self.db.execute("rollback")
                raise
            self.db.execute("commit")

    def known(self, digest: bytes) -> bool | None:
        """None: never seen; otherwise whether all vectors of this content are in Lance."""
        with self.lock:
            row = self.db.execute("select embedded from content where digest = ?", (digest,)).fetchone()
        return None if row is None else bool(row[0])

    def add(self, digest: bytes, type: str, cuts: Sequence[Cut], meaning: bool, fresh: bool) -> bool:
        """Add a content with its passages inside the caller's transaction. True when no passage has to be embedded."""
        cuts = cuts[: LAST_ORDINAL + 1]
        embed = [meaning and cut.embed for cut in cuts]
        content = self.db.execute(
            "insert into content (digest, type, passages, embedded, added) values (?, ?, ?, ?, ?)",
            (digest, type, len(cuts), int(not any(embed)), time.time()),
        ).lastrowid
        assert content is not None
        first = content << SHIFT
        rows = [(first + n, words.clean(cut.title), words.clean(cut.text)) for n, cut in enumerate(cuts)]
        self.db.executemany(
            "insert into passage values (?, ?, ?, ?, ?, ?)",
            (
                (passage, cut.first_line, cut.last_line, key_of(title, text) if asked else None, title, text)
                for (passage, title, text), cut, asked in zip(rows, cuts, embed, strict=True)
            ),
        )
        words.insert(self.db, rows)
        self.db.executemany(
            "insert into waiting values (?, ?)",
            ((first + n, FRESH if fresh else REST if n else FIRST) for n, asked in enumerate(embed) if asked),
        )
        return not any(embed)

    def hurry(self, digest: bytes) -> None:
        """Let the passages of a known content be embedded before the backlog."""
        with self.lock:
            row = self.db.execute(
                "select id from content where digest = ? and embedded = 0", (digest,)
            ).fetchone()
            if row:
                low = row[0] << SHIFT
                self.db.execute(
                    "update waiting set tier = 0 where passage between ? and ?", (low, low + LAST_ORDINAL)
                )

    def waiting(self, limit: int) -> list[Waiting]:
        """Passages without a vector in Lance, the most urgent first."""
        with self.lock:
            rows = self.db.execute(
                "select w.passage, w.tier, p.key, p.title, p.text "
                "from (select passage, tier from waiting order by tier, passage limit ?) w "
                "join passage p on p.id = w.passage order by w.tier, w.passage",
                (limit,),
            ).fetchall()
        return [Waiting(*row) for row in rows]

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

    def vectored(self) -> list[tuple[int, bytes]]:
        """(passage, key) of every passage that should have a vector in Lance or wait for one."""
        with self.lock:
            return self.db.execute("select id, key from passage where key is not null").fetchall()

    def all_waiting(self) -> set[int]:
        """Every passage that waits."""
        with self.lock:
            return {row[0] for row in self.db.execute("select passage from waiting")}

    def wait_again(self, passages: Sequence[int]) -> None:
        """These passages turned out not to be in Lance."""
        with self.writing() as db:
            db.executemany(
                "insert or ignore into waiting values (?, ?)",
                ((passage, REST if passage & LAST_ORDINAL else FIRST) for passage in passages),
            )
            db.executemany(
                "update content set embedded = 0 where id = ?",
                ((c,) for c in {content_of(p) for p in passages}),
            )

    def missing(self) -> list[bytes]:
        """Live text files of the catalogue whose content is not here."""
        with self.lock:
            rows = self.db.execute(
                "select parent, name from history.file f where died is null and state = 'text' "
                "and (digest is null or not exists (select 1 from content where digest = f.digest))"
            ).fetchall()
        return [parent + b"/" + name if parent else name for parent, name in rows]

    def disagreeing(self, complete: bool) -> list[bytes]:
        """Digests of live files that the catalogue calls complete (or incomplete) while this index says the opposite."""
        with self.lock:
            rows = self.db.execute(
                "select distinct c.digest from history.file f join content c on c.digest = f.digest "
                "where f.died is null and f.complete = ? and c.embedded = ?",
                (int(complete), int(not complete)),
            ).fetchall()
        return [row[0] for row in rows]

    def counts(self) -> dict[str, int]:
        """contents, passages, embedded and waiting (passages with and without a vector in Lance)."""
        with self.lock:
            contents, passages = self.db.execute(
                "select count(*), coalesce(sum(passages), 0) from content"
            ).fetchone()
            waiting = self.db.execute("select count(*) from waiting").fetchone()[0]
            keyed = self.db.execute(
                "select count(*) from passage indexed by passage_key where key is not null"
            ).fetchone()[0]
        return {"contents": contents, "passages": passages, "embedded": keyed - waiting, "waiting": waiting}

    def reset(self) -> str:
        """Forget everything; ids go on counting. Returns the new epoch."""
        with self.writing() as db:
            for table in ("content", "passage", "waiting"):
                db.execute(f"delete from {table}")
            db.execute("insert into words (words) values ('delete-all')")
            db.executemany("insert or replace into meta values (?, ?)", _birth())
        self.epoch = self._meta("epoch")
        return self.epoch

    def age(self) -> float:
        """Seconds since everything was last forgotten."""
        return time.time() - float(self._meta("born"))

    def collect(self, grace: float) -> list[int]:
        """Remove contents older than `grace` seconds that no row of the catalogue names, dead rows included. Returns their ids."""
        with self.lock:
            gone = self.db.execute(
                "select id from content c where added < ? and not exists (select 1 from history.file where digest = c.digest)",
                (time.time() - grace,),
            ).fetchall()
        for (content,) in gone:
            low = content << SHIFT
            span = (low, low + LAST_ORDINAL)
            with self.writing() as db:
                words.delete(
                    db,
                    db.execute(
                        "select id, title, text from passage where id between ? and ?", span
                    ).fetchall(),
                )
                db.execute("delete from passage where id between ? and ?", span)
                db.execute("delete from waiting where passage between ? and ?", span)
                db.execute("delete from content where id = ?", (content,))
        return [row[0] for row in gone]


def _birth() -> list[tuple[str, str]]:
    return [("epoch", os.urandom(8).hex()), ("born", str(time.time()))]
