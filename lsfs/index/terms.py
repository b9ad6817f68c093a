"""terms: the exact index, by which conditions are answered: the words of whole contents, as `syscalls.terms` defines them.

An FTS5 table beside that of passages (`words`), which ranks: no stems here, no titles, no pieces of identifiers, all of a text however long
it is, and phrases wherever they stand in it. A row is a slice of SLICE words of a content, its id content << 20 | ordinal; each
begins with the last OVERLAP words of the one before, so that a phrase, which has no more words than that, lies whole in one of them.

The words are separated before FTS5 sees them, so its `ascii` tokenizer, which knows nothing of Unicode, only parts them at blanks: what a
word is never depends on the version of SQLite. `said` keeps them compressed, since FTS5 can only take out what it is told again.

Threading: pure, but for the connection that the caller owns.
"""

import sqlite3
import unicodedata
import zlib
from collections.abc import Iterable, Iterator

from lsfs.index.backlog import LAST_ORDINAL, SHIFT
from syscalls.terms import MOST_IN_PHRASE, chunks, tokens

SLICE = 50_000  # words: about 0.2 s of writing
OVERLAP = MOST_IN_PHRASE
TABLES = """
create virtual table terms using fts5 (said, content = '', tokenize = 'ascii');
create table said (id integer primary key, words blob not null)
"""
# what `tokens` says depends on it
UNICODE = unicodedata.unidata_version


def slices(text: str) -> Iterator[str]:
    """The rows of a content: its words, separated by blanks. Costs more than writing them, so it is done before a transaction begins."""
    held: list[str] = []
    fresh = 0  # of those held
    for part in chunks(text):
        words = tokens(part)
        held += words
        fresh += len(words)
        while len(held) > SLICE:
            yield " ".join(held[:SLICE])
            held = held[SLICE - OVERLAP :]
            fresh = len(held) - OVERLAP
    if fresh > 0:
        yield " ".join(held)


def put(db: sqlite3.Connection, content: int, rows: Iterable[str], first: int = 0) -> None:
    """Add rows of a content, counted from `first`."""
    for row, words in enumerate(rows, (content << SHIFT) + first):
        db.execute("insert into terms (rowid, said) values (?, ?)", (row, words))
        db.execute("insert into said values (?, ?)", (row, zlib.compress(words.encode(), 1)))


def rows(db: sqlite3.Connection, content: int) -> Iterator[str]:
    """The rows of a content."""
    for (words,) in db.execute(
        "select words from said where id between ? and ? order by id",
        (content << SHIFT, content << SHIFT | LAST_ORDINAL),
    ):
        yield zlib.decompress(words).decode()


def take(db: sqlite3.Connection, content: int, most: int = LAST_ORDINAL + 1) -> int:
    """Remove `most` rows of a content; how many there were."""
    rows = db.execute(
        "select id, words from said where id between ? and ? limit ?",
        (content << SHIFT, content << SHIFT | LAST_ORDINAL, most),
    ).fetchall()
    for row, words in rows:
        db.execute(
            "insert into terms (terms, rowid, said) values ('delete', ?, ?)",
            (row, zlib.decompress(words).decode()),
        )
        db.execute("delete from said where id = ?", (row,))
    return len(rows)


def clear(db: sqlite3.Connection) -> None:
    """Forget everything."""
    db.execute("insert into terms (terms) values ('delete-all')")
    db.execute("delete from said")


def expression(wanted: Iterable[str], prefix: bool = False) -> str:
    """The FTS5 expression for these words one after the other; prefix: the last of them need only begin a word."""
    return f'"{" ".join(wanted)}"{" *" if prefix else ""}'
