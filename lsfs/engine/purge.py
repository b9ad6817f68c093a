"""purge: contents that shall not be found any more, nor be anywhere in the index: passages, words, vectors, Lance.

Words: what FTS5 is told to delete it only marks; `optimize` merges all segments into one, and the marks with what they mark. That each word
has gone from exactly as many passages as it was in is then read off FTS5's own vocabulary.
The segments made of them (`lexing`) go whole, and are made again.
Vectors: those of texts that no other passage has. Lance marks, too, so its table is dropped, and filled again from vectors.db.
All pages of both databases are written anew without the free ones.

Threading: in the first lane of the indexer, between two transactions, which makes the counting exact; the embedder's part in its thread.
"""

import contextlib
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsfs.index import terms, words
from lsfs.index.backlog import LAST_ORDINAL, SHIFT
from lsfs.index.store import Store

if TYPE_CHECKING:
    from lsfs.engine.serve import Engine

log = logging.getLogger(__name__)

_TRIES = 20
_SHOWN = 20


def purge(engine: "Engine", store: Store, state: Path, number: int, digests: Sequence[bytes]) -> None:
    """Answer the call `number`: how much went, and, in `left`, words that did not go."""

    def job() -> None:
        contents = _contents(store, digests)
        rows = _rows(store, contents)
        lost = _lost_keys(store, rows)
        before = _counts(store, rows)
        exact = _exact_counts(store, contents)
        with engine.lexing.without():
            _forget(store, contents, rows)
        engine.embedder.do(lambda: engine.embedder.purge(contents)) if engine.model else None
        vectors = _forget_vectors(state / "vectors.db", lost)
        left = _words_left(store, "words", before) + _words_left(store, "terms", exact)
        _rewrite(store.db)
        engine.tell({"id": number, "ok": {"passages": len(rows), "vectors": vectors, "left": left}})

    engine._do(number, job)


def _contents(store: Store, digests: Iterable[bytes]) -> list[int]:
    with store.lock:
        found = [
            store.db.execute("select id from content where digest = ?", (digest,)).fetchone()
            for digest in digests
        ]
    return [row[0] for row in found if row is not None]


Known = tuple[int, bytes | None, str, str, str]  # passage, key, title, text, type


def _rows(store: Store, contents: Iterable[int]) -> list[Known]:
    """The passages of these contents."""
    found: list[Known] = []
    with store.lock:
        for content in contents:
            span = (content << SHIFT, content << SHIFT | LAST_ORDINAL)
            found += store.db.execute(
                "select p.id, p.key, p.title, p.text, c.type from passage p join content c on c.id = ? "
                "where p.id between ? and ?",
                (content, *span),
            ).fetchall()
    return found


def _lost_keys(store: Store, rows: Sequence[Known]) -> list[bytes]:
    """The keys that only these passages have."""
    mine = {row[0] for row in rows}
    lost = []
    with store.lock:
        for key in {row[1] for row in rows if row[1] is not None}:
            if all(id in mine for (id,) in store.db.execute("select id from passage where key = ?", (key,))):
                lost.append(key)
    return lost


def _forget(store: Store, contents: Sequence[int], rows: Sequence[Known]) -> None:
    taken = [words.with_parts(id, title, text, type) for id, _, title, text, type in rows]
    with store.lock:
        store.db.execute("pragma secure_delete = on")
    with store.writing() as db:
        words.take(db, taken)
        for content in contents:
            terms.take(db, content)
        db.executemany("delete from passage where id = ?", ((row[0],) for row in rows))
        db.executemany("delete from waiting where passage = ?", ((row[0],) for row in rows))
        db.executemany("delete from content where id = ?", ((content,) for content in contents))
        db.executemany("delete from dropped where key = ?", ((row[1],) for row in rows if row[1] is not None))
    with store.writing() as db:
        db.execute("insert into words (words) values ('optimize')")
        db.execute("insert into terms (terms) values ('optimize')")


def _forget_vectors(path: Path, keys: Sequence[bytes]) -> int:
    if not keys or not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("pragma busy_timeout = 10000")
        db.execute("pragma secure_delete = on")
        db.execute("begin immediate")
        gone = sum(db.execute("delete from vector where key = ?", (key,)).rowcount for key in keys)
        db.execute("commit")
        _rewrite(db)
    return gone


def _rewrite(db: sqlite3.Connection) -> None:
    db.execute("vacuum main")
    for _ in range(_TRIES):
        if not db.execute("pragma main.wal_checkpoint(truncate)").fetchone()[0]:
            return
        time.sleep(0.1)  # a search is reading: its log is held for a moment


# The words that went ---------------------------------------------------------------------------------------------------


def _counts(store: Store, rows: Sequence[Known]) -> dict[str, tuple[int, int]]:
    """term -> (passages that have it, those of them that go)."""
    with store.lock, contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as mine:
        mine.execute(
            f"create virtual table words using fts5 (title, text, parts, tokenize = '{words.TOKENIZER}')"
        )
        words.put(mine, (words.with_parts(id, title, text, type) for id, _, title, text, type in rows))
        mine.execute("create virtual table vocabulary using fts5vocab (words, 'row')")
        going = dict(mine.execute("select term, doc from vocabulary").fetchall())
        there = _vocabulary(store.db, "words", going)
    return {term: (there.get(term, 0), count) for term, count in going.items()}


def _exact_counts(store: Store, contents: Iterable[int]) -> dict[str, tuple[int, int]]:
    """The same of the exact index: word -> (rows that have it, those of them that go)."""
    with store.lock:
        going = Counter(
            word for content in contents for row in terms.rows(store.db, content) for word in set(row.split())
        )
        there = _vocabulary(store.db, "terms", going)
    return {word: (there.get(word, 0), count) for word, count in going.items()}


def _vocabulary(db: sqlite3.Connection, table: str, wanted: Iterable[str]) -> dict[str, int]:
    db.execute(
        f"create virtual table if not exists temp.vocabulary using fts5vocab ('main', '{table}', 'row')"
    )
    try:
        found = {}
        for term in wanted:
            row = db.execute("select doc from temp.vocabulary where term = ?", (term,)).fetchone()
            if row is not None:
                found[term] = int(row[0])
        return found
    finally:
        db.execute("drop table temp.vocabulary")


def _words_left(store: Store, table: str, before: dict[str, tuple[int, int]]) -> list[str]:
    """Words that are in more rows than they should be: some that were purged are still found by them."""
    with store.lock:
        after = _vocabulary(store.db, table, before)
    left = [term for term, (there, going) in before.items() if after.get(term, 0) > there - going]
    if left:
        log.error("after a purge %d words are in more passages than they should be", len(left))
    return sorted(left)[:_SHOWN]


def answer(engine: "Engine") -> Any:
    """The row of the engine's table of calls."""

    def call(number: int, arguments: dict) -> None:
        purge(engine, engine._store, engine._state, number, arguments["digests"])

    return call
