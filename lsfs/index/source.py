"""source: the two FTS5 tables that a lexicon knows by segments: the words of passages (WORDS), and those of live files' paths (PATHS).

A row's words never change under its id, so a segment stays true while its rows are there. What would break that is told by a mark, which is
kept beside the segments: words.db was made anew (its epoch), or history.db gave an id once more that a removed row of `file` had, which it
may do with the highest one: then that row was born after the sequence of the mark.

Threading: pure, but for the connection that the caller owns: words.db with history.db attached as `history`.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lsfs.index import words
from lsfs.index.backlog import SHIFT

Mark = list[Any]


class Source(NamedTuple):
    """name: of its files; weights: of its columns; shift: what an id is shifted by to be what a question is narrowed to (a content);
    mark: of now; holds: whether segments with a mark, whose last id is that, are true; rows: what the table's columns were given, of ids;
    gone: the rows that went since a time, as far as that is written down; written: the contents that are being written, which get rows
    after later ones have theirs."""

    name: str
    schema: str
    table: str
    columns: tuple[str, ...]
    weights: tuple[float, ...]
    shift: int
    mark: Callable[[sqlite3.Connection], Mark]
    holds: Callable[[sqlite3.Connection, Mark, int], bool]
    rows: Callable[[sqlite3.Connection, Sequence[int]], list[tuple]]
    gone: Callable[[sqlite3.Connection, float], list[int]]
    written: Callable[[sqlite3.Connection], list[int]]

    @property
    def sizes(self) -> str:
        """FTS5's table of its rows' lengths."""
        return f"{self.schema}.{self.table}_docsize"

    @property
    def manifest(self) -> str:
        """The name of the file that names the segments in use."""
        return f"{self.name}.segments"


def totals(db: sqlite3.Connection, source: Source) -> tuple[int, float]:
    """How many rows the table has, and how many tokens on average: what FTS5 notes in the first record of its data."""
    row = db.execute(f"select block from {source.schema}.{source.table}_data where id = 1").fetchone()
    numbers = varints(row[0]) if row else []
    count = numbers[0] if numbers else 0
    return count, (sum(numbers[1:]) / count if count else 1.0)


def varints(data: bytes) -> list[int]:
    """SQLite's variable-length integers (its file format, section 1.6), short of nine bytes."""
    found, value = [], 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            found.append(value)
            value = 0
    return found


def _epoch(db: sqlite3.Connection) -> Mark:
    return list(db.execute("select value from main.meta where key = 'epoch'").fetchone() or [])


def _passages(db: sqlite3.Connection, ids: Sequence[int]) -> list[tuple]:
    rows = db.execute(
        "select p.id, p.title, p.text, coalesce(c.type, u.type) from main.passage p left join main.content c on c.id = p.id >> 20 "
        f"left join main.partial u on u.content = p.id >> 20 where p.id in ({_marks(ids)}) order by p.id",
        ids,
    )
    return [words.with_parts(*row) for row in rows]


WORDS = Source(
    name="words",
    schema="main",
    table="words",
    columns=words.COLUMNS,
    weights=words.WEIGHTS,
    shift=SHIFT,
    mark=_epoch,
    holds=lambda db, mark, last: mark == _epoch(db),
    rows=_passages,
    gone=lambda db, since: [],
    written=lambda db: [row[0] for row in db.execute("select content from main.partial")],
)


def _sequence(db: sqlite3.Connection) -> Mark:
    rows = dict(db.execute("select key, value from history.meta where key in ('folder', 'sequence')"))
    return [rows.get("folder"), rows.get("sequence", 0)]


def _never_again(db: sqlite3.Connection, mark: Mark, last: int) -> bool:
    row = db.execute(
        "select born from history.file where id <= ? order by id desc limit 1", (last,)
    ).fetchone()
    return mark[0] == _sequence(db)[0] and (row is None or row[0] <= mark[1])


PATHS = Source(
    name="paths",
    schema="history",
    table="path_words",
    columns=("words",),
    weights=(1.0,),
    shift=0,
    mark=_sequence,
    holds=_never_again,
    rows=lambda db, ids: db.execute(
        f"select id, c0 from history.path_words_content where id in ({_marks(ids)}) order by id", ids
    ).fetchall(),
    gone=lambda db, since: [
        row[0] for row in db.execute("select id from history.file where died_at >= ?", (since,))
    ],
    written=lambda db: [],
)

SOURCES = (WORDS, PATHS)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
