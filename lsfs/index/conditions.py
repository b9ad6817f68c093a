"""conditions: what a prompt demands (words, phrases, prefixes, AND, OR, NOT) and where it looks, as SQL over the files of a view.

A file fulfils a word, phrase or prefix that stands in its text, wherever, or in its path, exactly as `syscalls.terms` defines it: the
text is asked for in the exact index (`terms`), the path is read. The SQL names `f` and `c` as `view` says, and `spelled`, which `install`
gives a connection. Pure: nothing is executed here.
"""

import json
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from lsfs.engine.types import expand
from lsfs.index import terms
from lsfs.index.view import LIVE, View
from syscalls.errors import InvalidArgument
from syscalls.terms import leaves, tokens

Sql = tuple[str, list[Any]]
DEPTH = 100
ALL: Sql = ("1", [])
# a path can spell words of ASCII only if it has their bytes, or characters that may fold to them: most need no more than this look
_PERHAPS = (
    "(instr(lower(f.parent || '/' || f.name), ?) or length(f.name) <> length(cast(f.name as text)) "
    "or length(f.parent) <> length(cast(f.parent as text)))"
)


def condition(tree: Sequence | None, exact: bool = False, depth: int = 0) -> Sql:
    """The condition tree of a prompt as SQL. Raises InvalidArgument where it is none or nested too deeply.

    exact: nothing else is asked, so a file without text is only meant where its path has a word of it: `NOT draft` is no picture."""
    if tree is None:
        return ALL
    if depth > DEPTH:
        raise InvalidArgument("The condition is nested too deeply: use fewer parentheses.")
    match tree:
        case ("word" | "phrase" | "prefix" as kind, str(text)):
            found = _occurs(text, kind == "prefix")
        case ("not", part):
            sql, values = condition(part, False, depth + 1)
            found = f"not ({sql})", values
        case (("and" | "or") as operator, [*some]) if some:
            parts = [condition(part, False, depth + 1) for part in some]
            found = f" {operator} ".join(f"({sql})" for sql, _ in parts), _values(parts)
        case _:
            raise InvalidArgument(f"A condition cannot read {str(tree)[:60]!r}.")
    if not exact:
        return found
    named = [_spelled(tokens(text), kind == "prefix") for kind, text in leaves(tree) if tokens(text)]
    return f"({found[0]}) and (c.id is not null or {_either(named)[0] or '0'})", found[1] + _values(named)


def _occurs(text: str, prefix: bool) -> Sql:
    wanted = tokens(text)
    if not wanted:  # nothing but punctuation: it demands nothing
        return ALL
    spelled, values = _spelled(wanted, prefix)
    return (
        f"coalesce(c.id, -1) in (select rowid >> 20 from terms where terms match ?) or ({spelled})",
        [terms.expression(wanted, prefix), *values],
    )


def _spelled(wanted: list[str], prefix: bool) -> Sql:
    """The path has these words one after the other."""
    perhaps: Sql = (_PERHAPS, [max(wanted, key=len)]) if "".join(wanted).isascii() else ALL
    return f"{perhaps[0]} and spelled(f.parent, f.name, ?)", [
        *perhaps[1],
        " " + " ".join(wanted) + ("" if prefix else " "),
    ]


def install(db: sqlite3.Connection) -> None:
    """Give a connection the function that the SQL names."""
    db.create_function(
        "spelled", 3, lambda parent, name, said: said in _said(parent, name), deterministic=True
    )


@lru_cache(maxsize=4096)
def _said(parent: bytes, name: bytes) -> str:
    """The words of a path, each between blanks."""
    path = parent + b"/" + name
    return f" {' '.join(tokens(path.decode('utf-8', 'replace')))} "


def scope(query: dict, view: View = LIVE) -> Sql | None:
    """Folder, within, types, after, before and uid of a query as SQL; None where it looks everywhere."""
    found = []
    if query.get("folder"):
        found.append(_below(query["folder"]))
    if query.get("within"):
        found.append(_either([_below(path) for path in query["within"]]))
    if query.get("types"):
        found.append(_types(query["types"], view))
    for key, test in (("after", "f.mtime_ns >= ?"), ("before", "f.mtime_ns < ?"), ("uid", "f.uid = ?")):
        if query.get(key) is not None:
            found.append((test, [query[key]]))
    if not found:
        return None
    return " and ".join(f"({sql})" for sql, _ in found), _values(found)


def _either(some: list[Sql]) -> Sql:
    return " or ".join(f"({sql})" for sql, _ in some), _values(some)


def _values(some: list[Sql]) -> list[Any]:
    return [value for _, values in some for value in values]


def _below(path: bytes) -> Sql:
    """The file at `path`, or every file below the folder at `path`."""
    if not path:
        return ALL
    parent, _, name = path.rpartition(b"/")
    return (
        "f.parent = ? or (f.parent >= ? and f.parent < ?) or (f.parent = ? and f.name = ?)",
        [path, path + b"/", path + b"0", parent, name],
    )


def _types(words: Sequence[str], view: View) -> Sql:
    """Files of these types (`code`, `md`, `pdf`), or with these suffixes where no type has that name."""
    # a suffix says what its writer meant, also where the content is another (a workbook is a zip)
    suffixes = sorted({word.lower().lstrip(".") for word in words})
    names = sorted({name for word in words for name in expand(word.lower())})
    return view.typed, [json.dumps(suffixes), json.dumps(names)] * len(view.words)
