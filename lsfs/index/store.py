"""store: words.db, what the engine knows about contents: their passages, their words, and which passages still wait for a vector.

<state>/index/words.db is disposable: WAL with synchronous=NORMAL, thrown away and made anew when it is corrupt or was made by another
version or for another model; Lance, which speaks of its ids, goes with it. A content is known by the digest of its bytes; who may see it,
and under which paths, is for history alone.

A passage's id says whose it is: content << 20 | ordinal. So no join is needed to come from a found passage to its content, and ids are
never used again (autoincrement), which Lance relies on. A passage counts once its content has a row: a huge content is written in slices,
its row last, and what a kill leaves of it (`partial`) is swept away.

Threading: one connection for writing, shared by the indexer and the embedder under `lock`, which nobody holds for longer than a slice
takes; `glance` and each search read with connections of their own and never wait for a writer.
"""

import contextlib
import hashlib
import logging
import os
import shutil
import sqlite3
import threading
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lsfs.engine.document import Cut
from lsfs.index import terms, words
from lsfs.index.backlog import LAST_ORDINAL, SHIFT, Backlog, knows_history, tier
from lsfs.index.glance import Glance

log = logging.getLogger(__name__)

VERSION = 9
SLICE = 500_000  # characters written in one transaction: about 0.2 s
BROKEN = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)  # all else may pass by itself

TABLES = f"""
create table meta (key text primary key, value) without rowid;
create table content (id integer primary key autoincrement, digest blob not null unique, type text not null, passages integer not null,
    embedded integer not null default 0, added real not null);
create table passage (id integer primary key, first_line integer not null, last_line integer not null, key blob, title text not null,
    text text not null);
create index passage_key on passage (key) where key is not null;
create table waiting (passage integer primary key, tier integer not null);
create index waiting_tier on waiting (tier, passage);
create table partial (content integer primary key, type text not null);
create table dropped (key blob primary key, at real not null) without rowid;
{words.TABLE};
{terms.TABLES};
"""


class Outdated(Exception):
    """words.db was made by another version, for another model, or only half."""


class Row(NamedTuple):
    """A passage as it is written down; key is None where it shall have no vector."""

    ordinal: int
    first_line: int
    last_line: int
    key: bytes | None
    title: str
    text: str
    parts: str


def embedded_text(title: str, text: str) -> str:
    """What the model reads of a passage."""
    return f"{title}\n{text}" if title else text


def key_of(title: str, text: str) -> bytes:
    """The durable name of a passage's vector: equal text, equal vector, in whatever file."""
    return hashlib.blake2b(embedded_text(title, text).encode("utf-8", "replace"), digest_size=16).digest()


def read_only(path: str | os.PathLike[str]) -> str:
    """The SQLite URI that opens a database for reading."""
    return f"file:{urllib.parse.quote(os.fsencode(path))}?mode=ro"


def rows_of(cuts: Sequence[Cut], type: str, meaning: bool, first: int = 0) -> list[Row]:
    """The rows of these cuts of a content of a type, counted from `first`. Costs more than writing them, so no lock is held meanwhile."""
    rows = []
    for ordinal, cut in enumerate(cuts, first):
        title, text = words.clean(cut.title), words.clean(cut.text)
        key = key_of(title, text) if meaning and cut.embed else None
        rows.append(
            Row(ordinal, cut.first_line, cut.last_line, key, title, text, words.parts(text, type, title))
        )
    return rows


def size_of(cuts: Iterable[Cut]) -> int:
    """Characters to be written."""
    return sum(len(cut.text) for cut in cuts)


def text_of(cuts: Iterable[Cut]) -> str:
    """A text of which nothing is known but its passages."""
    return "\n".join(cut.text for cut in cuts)


class Store:
    """The writing side of words.db. `epoch` changes whenever everything is forgotten."""

    def __init__(self, folder: Path, catalogue: str, model: str) -> None:
        """Open or make <folder>/words.db for the model with the identity `model`; `catalogue` is history.db, read for hello and collect.

        Raises sqlite3.Error or OSError where it cannot be opened now but may be later (locked, disk full): nothing is deleted then."""
        self.path = folder / "words.db"
        self.lock = threading.RLock()
        folder.mkdir(exist_ok=True)  # not its parents: a state folder that was removed is not made again
        try:
            self.db = self._open(model)
        except (sqlite3.DatabaseError, Outdated) as error:
            if isinstance(error, sqlite3.Error) and error.sqlite_errorcode & 0xFF not in BROKEN:
                raise
            log.warning("words.db is made anew: %s", error)
            for name in ("words.db", "words.db-wal", "words.db-shm"):
                (folder / name).unlink(missing_ok=True)
            self.db = self._open(model)
        self.db.execute("attach ? as history", (read_only(catalogue),))
        self.epoch: str = self._meta("epoch")
        self.backlog = Backlog(self.db, self.lock, self.writing)
        self.glance = Glance(read_only(self.path), read_only(catalogue))

    def _open(self, model: str) -> sqlite3.Connection:
        db = sqlite3.connect(
            f"file:{urllib.parse.quote(os.fsencode(self.path))}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            db.execute("pragma busy_timeout = 10000")
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = normal")
            db.execute("pragma cache_size = -32000")
            version = db.execute("pragma user_version").fetchone()[0]
            if version:
                meta = dict(db.execute("select key, value from meta")) if version == VERSION else {}
                if (meta.get("model"), meta.get("unicode")) != (model, terms.UNICODE) or not {
                    "epoch",
                    "born",
                } <= meta.keys():
                    raise Outdated("it was made by another version or for another model")
            else:
                shutil.rmtree(self.path.with_name("lance"), ignore_errors=True)  # ids begin again
                self._make(db, model)
            for table in ("words", "terms"):
                db.execute(f"select count(*) from {table} where {table} match 'x'").fetchone()
        except (sqlite3.Error, Outdated):
            db.close()
            raise
        return db

    @staticmethod
    def _make(db: sqlite3.Connection, model: str) -> None:
        """The schema and what is said of it, in one transaction: a kill leaves all or nothing."""
        values = ", ".join(f"('{key}', '{value}')" for key, value in _birth())
        db.executescript(
            f"begin immediate; {TABLES} insert into meta values {values}, "
            f"('model', '{model.replace(chr(39), chr(39) * 2)}'), ('unicode', '{terms.UNICODE}'); pragma user_version = {VERSION}; commit;"
        )

    def _meta(self, key: str) -> str:
        with self.lock:
            return self.db.execute("select value from meta where key = ?", (key,)).fetchone()[0]

    def close(self) -> None:
        """Close the connections."""
        self.glance.close()
        with self.lock:
            self.db.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back on an error."""
        with self.lock:
            self.db.execute("begin immediate")
            try:
                yield self.db
                self.db.execute("commit")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("rollback")
                raise

    def known(self, digest: bytes) -> bool | None:
        """None: never seen; otherwise whether all vectors of this content are in Lance."""
        with self.lock:
            row = self.db.execute("select embedded from content where digest = ?", (digest,)).fetchone()
        return None if row is None else bool(row[0])

    # contents

    def add(
        self,
        digest: bytes,
        type: str,
        cuts: Sequence[Cut],
        meaning: bool,
        fresh: bool,
        rows: Sequence[Row] | None = None,
        said: Iterable[str] | None = None,
    ) -> bool:
        """Add a content with its passages inside the caller's transaction. True when no passage has to be embedded.

        rows: what `rows_of` made of the cuts, and said: what `terms.slices` made of the text, where the caller did that before the
        transaction; without it the text is that of the cuts."""
        rows = rows_of(cuts, type, meaning) if rows is None else rows
        embedded = all(row.key is None for row in rows)
        content = self._reserve(digest, type, len(rows), embedded)
        self._write(content, rows)
        terms.put(self.db, content, terms.slices(text_of(cuts)) if said is None else said)
        self._wait(content, (row.ordinal for row in rows if row.key is not None), fresh)
        return embedded

    def add_large(
        self,
        digest: bytes,
        type: str,
        cuts: Sequence[Cut],
        meaning: bool,
        fresh: bool,
        said: Iterable[str] | None = None,
    ) -> bool:
        """As `add`, in transactions of SLICE characters: others write in between, and the content is found when all of it is there."""
        cuts = cuts[: LAST_ORDINAL + 1]
        with self.writing() as db:
            content = self._reserve(digest, type, 0, False)
            db.execute("delete from content where id = ?", (content,))  # its id stays used
            db.execute("insert into partial values (?, ?)", (content, type))
        asked: list[int] = []
        for part, first in _slices(cuts):
            rows = rows_of(part, type, meaning, first)
            with self.writing():
                self._write(content, rows)
            asked += [row.ordinal for row in rows if row.key is not None]
        for n, part_said in enumerate(terms.slices(text_of(cuts)) if said is None else said):
            with self.writing() as db:
                terms.put(db, content, [part_said], n)
        with self.writing() as db:
            db.execute(
                "insert into content (id, digest, type, passages, embedded, added) values (?, ?, ?, ?, ?, ?)",
                (content, digest, type, len(cuts), int(not asked), time.time()),
            )
            self._wait(content, asked, fresh)
            db.execute("delete from partial where content = ?", (content,))
        return not asked

    def _reserve(self, digest: bytes, type: str, passages: int, embedded: bool) -> int:
        content = self.db.execute(
            "insert into content (digest, type, passages, embedded, added) values (?, ?, ?, ?, ?)",
            (digest, type, passages, int(embedded), time.time()),
        ).lastrowid
        assert content is not None
        return content

    def _write(self, content: int, rows: Sequence[Row]) -> None:
        low = content << SHIFT
        self.db.executemany(
            "insert into passage values (?, ?, ?, ?, ?, ?)",
            ((low + r.ordinal, r.first_line, r.last_line, r.key, r.title, r.text) for r in rows),
        )
        words.put(self.db, ((low + r.ordinal, r.title, r.text, r.parts) for r in rows))

    def _wait(self, content: int, ordinals: Iterable[int], fresh: bool) -> None:
        low = content << SHIFT
        self.db.executemany(
            "insert into waiting values (?, ?)", ((low + n, tier(n, fresh)) for n in ordinals)
        )
        self.backlog.asked(content)

    def _sweep(self, content: int, type: str) -> None:
        """Remove the passages of a content without a row, slice by slice."""
        low, high = content << SHIFT, content << SHIFT | LAST_ORDINAL
        while True:
            with self.lock:
                found = self.db.execute(
                    "select id, title, text from passage where id between ? and ? order by id limit 400",
                    (low, high),
                ).fetchall()
            if not found:
                break
            rows = [words.with_parts(id, title, text, type) for id, title, text in found]
            with self.writing() as db:
                words.take(db, rows)
                db.executemany("delete from passage where id = ?", ((row[0],) for row in found))
        left = 1
        while left:
            with self.writing() as db:
                left = terms.take(db, content, 1)
        with self.writing() as db:
            db.execute("delete from partial where content = ?", (content,))

    def sweep(self) -> None:
        """Remove what a kill left half written or half removed. Called by the indexer before anything else."""
        with self.lock:
            left = self.db.execute("select content, type from partial").fetchall()
        for content, type in left:
            self._sweep(content, type)

    def reset(self) -> str:
        """Forget everything; ids go on counting. Returns the new epoch."""
        with self.writing() as db:
            for table in ("content", "passage", "waiting", "partial", "dropped"):
                db.execute(f"delete from {table}")
            db.execute("insert into words (words) values ('delete-all')")
            terms.clear(db)
            db.executemany("insert or replace into meta values (?, ?)", _birth())
        self.epoch = self._meta("epoch")
        return self.epoch

    def age(self) -> float:
        """Seconds since everything was last forgotten."""
        return time.time() - float(self._meta("born"))

    def collect(self, grace: float) -> list[int]:
        """Remove contents older than `grace` seconds that no live row of the catalogue names, nor one that died within `grace`, nor any
        row of history: what can be asked for in the past can be found there.

        Their keys are noted in `dropped`, so that their vectors outlive them for a while. Returns their ids."""
        now = time.time()
        with self.lock:
            past = "and not exists (select 1 from history.content k join history.entry e on e.content = k.id where k.digest = c.digest)"
            gone = self.db.execute(
                "select id, type from main.content c where added < ? and not exists (select 1 from history.file "
                f"where digest = c.digest and (died is null or coalesce(died_at, 0) >= ?)) {past if knows_history(self.db) else ''}",
                (now - grace, now - grace),
            ).fetchall()
        for content, type in gone:
            span = (content << SHIFT, content << SHIFT | LAST_ORDINAL)
            with self.writing() as db:
                db.execute(
                    "insert or replace into dropped select key, ? from passage where id between ? and ? and key is not null",
                    (now, *span),
                )
                db.execute("delete from waiting where passage between ? and ?", span)
                db.execute("delete from content where id = ?", (content,))
                db.execute("insert into partial values (?, ?)", (content, type))
            self._sweep(content, type)
        return [row[0] for row in gone]

    def forget_dropped(self, keep: float) -> None:
        """The vectors of what was dropped more than `keep` seconds ago are gone."""
        with self.writing() as db:
            db.execute("delete from dropped where at <= ?", (time.time() - keep,))


def _slices(cuts: Sequence[Cut]) -> Iterator[tuple[Sequence[Cut], int]]:
    first = size = 0
    for n, cut in enumerate(cuts):
        if size and size + len(cut.text) > SLICE:
            yield cuts[first:n], first
            first, size = n, 0
        size += len(cut.text)
    if first < len(cuts):
        yield cuts[first:], first


def _birth() -> list[tuple[str, str]]:
    return [("epoch", os.urandom(8).hex()), ("born", str(time.time()))]
