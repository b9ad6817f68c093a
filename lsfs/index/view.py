"""view: the files that a query sees: those that are there now (LIVE), or those that were there at a sequence (`at`).

A query in the past is the same query with another view. Each view is SQL that names `f`, a file, and `c`, its content in words.db (null
where it has no text), so the rest of a search does not know which of the two it asks:

    now   f is a live row of history.file, which knows its content's digest
    then  f is a row of history.entry that was born and had not died. Its content's digest is known once history has captured it; until
          then the live file is that content itself, and the live row of history.file says what was read there, unless it waits to be
          read again

The words of paths lie in two tables: of live files (path_words) and of paths that were left (dead_path_words). The second is asked only for
paths that are not live, so while nothing changed the scores are those of the live query.

Pure: nothing is executed here. `install` gives a connection the functions that the SQL names.
"""

import json
import sqlite3
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from lsfs.engine.types import RICH, TYPES, suffix_of, type_of
from lsfs.history import paths

_SUFFIXES = {suffix: row.name for row in TYPES for suffix in row.suffixes}
_FILES = frozenset(name.encode() for row in TYPES for name in row.names)


class View(NamedTuple):
    """SQL. A text with `?` is given its values once for each of `words`.

    words       the tables of paths' words
    table       of files
    seen        condition: the file is part of the view
    content     JOIN, from `f` to `c`
    of_contents JOIN, from a table `j` of contents' ids to `c` and `f`
    by_path     FROM, the files whose path matches the expression `?`; `p.score` tells how well. `{best}`: nothing, or BEST
    typed       condition: the file has one of some suffixes or types, two JSON lists
    stale       whether the content of `f` may have been replaced since it was read
    """

    words: tuple[str, ...]
    table: str
    seen: str
    content: str
    of_contents: str
    by_path: str
    typed: str
    stale: str


BEST = "order by score desc, rowid limit {:d}"  # of each table of words
_MATCHING = "(select rowid, -bm25({0}) as score from history.{0} where {0} match ? {{best}})"

LIVE = View(
    words=("path_words",),
    table="history.file",
    seen="f.died is null and f.state in ('text', 'other', 'failed')",
    content="left join main.content c on c.digest = f.digest",
    of_contents="join main.content c on c.id = j.value join history.file f on f.digest = c.digest",
    by_path=f"{_MATCHING.format('path_words')} p join history.file f on f.id = p.rowid",
    typed="f.suffix in (select value from json_each(?)) or f.type in (select value from json_each(?))",
    stale="f.dirty",
)

# `w`, the row of the catalogue that read what the live entry {0} is
_READ = (
    "w.parent = {0}.parent and w.name = {0}.name and w.died is null and w.dirty = 0 and w.digest is not null "
    "and w.size = {0}.size and w.mtime_ns = {0}.mtime_ns and w.ino = {0}.ino"
)
_CONTENT = (
    "left join history.content k on k.id = f.content left join main.content c on c.digest = coalesce(k.digest, "
    # what is live is asked for first, since most of what is visible mostly is
    f"(select w.digest from history.file w where f.died is null and f.content is not null and {_READ.format('f')}), "
    # a renamed file has the cell of the row that died: whoever of its rows is live knows the content of all
    f"(select w.digest from history.entry e join history.file w on {_READ.format('e')} "
    "where e.content = f.content and e.died is null limit 1))"
)


def at(sequence: int) -> View:
    """The files that the index would have known at `sequence`."""
    return View(
        words=("path_words", "dead_path_words"),
        table="history.entry",
        seen=(  # `+`: as a rule most rows were born before, so an index would only be a longer way to them
            f"+f.born <= {sequence:d} and (f.died is null or f.died > {sequence:d}) "
            "and f.indexed = 1 and f.mode & 0xf000 = 0x8000"  # a regular file
        ),
        content=_CONTENT,
        of_contents=(
            "cross join main.content c on c.id = j.value cross join (select digest, id from history.content where digest is not null "
            f"union all select w.digest, k.id from history.file w cross join history.entry e on {_READ.format('e')} and e.died is null "
            "cross join history.content k on k.id = e.content and k.digest is null) k on k.digest = c.digest "
            "cross join history.entry f on f.content = k.id"
        ),
        by_path=(
            f"(select w.parent, w.name, p.score from {_MATCHING.format('path_words')} p join history.file w on w.id = p.rowid "
            f"union all select d.parent, d.name, p.score from {_MATCHING.format('dead_path_words')} p "
            "join history.dead_path d on d.id = p.rowid where not exists "
            "(select 1 from history.file w where w.parent = d.parent and w.name = d.name and w.died is null)) p "
            "cross join history.entry f on f.parent = p.parent and f.name = p.name"
        ),
        # the first one needs no content, and spares most files the way to theirs
        typed="may_be(f.name, ?, ?) and is_of(f.name, c.type, ?, ?)",
        stale="0",
    )


def among(paths: Iterable[bytes], view: View) -> tuple[str, list[Any]]:
    """Only the files at these paths, as SQL and its values. Names are bytes, which JSON does not hold, so they are written in hex."""
    pairs = [[parent.hex(), name.hex()] for parent, _, name in (path.rpartition(b"/") for path in paths)]
    return (
        f"f.id in (select f.id from json_each(?) j cross join {view.table} f on f.parent = from_hex(json_extract(j.value, '$[0]')) "
        f"and f.name = from_hex(json_extract(j.value, '$[1]')) where {view.seen})",
        [json.dumps(pairs)],
    )


def install(db: sqlite3.Connection) -> None:
    """Give a connection the functions that the views name. They are asked for every file in scope, hence the caches."""
    db.create_function("from_hex", 1, bytes.fromhex, deterministic=True)
    db.create_function(
        "may_be", 3, lambda name, *wanted: _may_be(_telling(name), *wanted), deterministic=True
    )
    db.create_function("is_of", 4, lambda name, *wanted: _is_of(_telling(name), *wanted), deterministic=True)


def _telling(name: bytes) -> bytes:
    """What of a name says something about its type: b"Makefile" -> b"makefile", b"a long name.PY" -> b"x.py"."""
    name = name.lower()
    if name in _FILES:
        return name
    stem, dot, suffix = name.rpartition(b".")
    if not dot:
        return b"x"
    return b"x." + suffix if stem.strip(b".") else name


@lru_cache(maxsize=4096)
def _may_be(name: bytes, suffixes: str, types: str) -> bool:
    """Whether a file of this name can be one of these, whatever its content is."""
    wanted = set(json.loads(types))
    said, usual = _said(name), _SUFFIXES.get(suffix_of(name))
    if paths.suffix(name) in json.loads(suffixes) or not RICH.isdisjoint(wanted):
        return True
    if not said and usual is not None:  # a picture by its name: where it is a text, it is no more than that
        return usual in wanted or "text" in wanted
    return not said or said in wanted


@lru_cache(maxsize=4096)
def _is_of(name: bytes, type: str | None, suffixes: str, types: str) -> bool:
    """Whether a file has one of these suffixes or types. `type`: of its content, which may have been read under another name; None where
    no text of it is known: then the name alone says what it is."""
    wanted = json.loads(types)
    if paths.suffix(name) in json.loads(suffixes):
        return True
    if type is None:
        return _SUFFIXES.get(suffix_of(name)) in wanted
    return (type if type in RICH else _said(name) or type) in wanted


def _said(name: bytes) -> str:
    """The type that a text of this name has; "" where its name does not say."""
    said = type_of(name)
    return "" if said == "text" != _SUFFIXES.get(suffix_of(name)) else said
