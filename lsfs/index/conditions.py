"""conditions: what a prompt demands (phrases, AND, OR, NOT, -word) and where it looks, as SQL over the files of a view.

A file satisfies a word or a phrase that stands in one of its passages or in its path. The SQL names `f` and `c` as `view` says. Pure:
nothing is executed here.
"""

import json
from collections.abc import Sequence
from typing import Any

from lsfs.engine.types import expand
from lsfs.index.view import LIVE, View
from lsfs.index.words import exactly
from syscalls.errors import InvalidArgument

Sql = tuple[str, list[Any]]
DEPTH = 100
ALL: Sql = ("1", [])


def condition(tree: Sequence | None, view: View = LIVE, depth: int = 0) -> Sql:
    """The condition tree of a prompt as SQL. Raises InvalidArgument where it is none or nested too deeply."""
    if tree is None:
        return ALL
    if depth > DEPTH:
        raise InvalidArgument("The condition is nested too deeply: use fewer parentheses.")
    match tree:
        case ("word" | "phrase", str(text)):
            return _occurs(text, view)
        case ("not", part):
            sql, values = condition(part, view, depth + 1)
            return f"not ({sql})", values
        case (("and" | "or") as operator, [*some]) if some:
            found = [condition(part, view, depth + 1) for part in some]
            return f" {operator} ".join(f"({sql})" for sql, _ in found), [
                value for _, values in found for value in values
            ]
    raise InvalidArgument(f"A condition cannot read {str(tree)[:60]!r}.")


def _occurs(text: str, view: View) -> Sql:
    expression = exactly(text)
    if expression is None:  # nothing but punctuation: it demands nothing
        return ALL
    return (
        f"f.id in (select f.id from {view.by_path.format(best='')} where {view.seen}) or "
        "coalesce(c.id, -1) in (select rowid >> 20 from words where words match ?)",
        [expression] * (len(view.words) + 1),
    )


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
    return " and ".join(f"({sql})" for sql, _ in found), [value for _, values in found for value in values]


def _either(some: list[Sql]) -> Sql:
    return " or ".join(f"({sql})" for sql, _ in some), [value for _, values in some for value in values]


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
