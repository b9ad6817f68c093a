"""conditions: what a prompt demands (phrases, AND, OR, NOT, -word) and where it looks, as SQL over the live files.

A file satisfies a word or a phrase that stands in one of its passages or in its path. The SQL names `f` (history.file) and `c` (content,
null where a file has no text). Pure: nothing is executed here.
"""

from collections.abc import Sequence
from typing import Any

from lsfs.engine.types import expand
from lsfs.index.words import exactly
from syscalls.errors import InvalidArgument

Sql = tuple[str, list[Any]]
DEPTH = 100
ALL: Sql = ("1", [])
LIVE = "f.died is null and f.state in ('text', 'other', 'failed')"


def condition(tree: Sequence | None, depth: int = 0) -> Sql:
    """The condition tree of a prompt as SQL. Raises InvalidArgument where it is none or nested too deeply."""
    if tree is None:
        return ALL
    if depth > DEPTH:
        raise InvalidArgument("The condition is nested too deeply: use fewer parentheses.")
    match tree:
        case ("word" | "phrase", str(text)):
            return _occurs(text)
        case ("not", part):
            sql, values = condition(part, depth + 1)
            return f"not ({sql})", values
        case (("and" | "or") as operator, [*some]) if some:
            found = [condition(part, depth + 1) for part in some]
            return f" {operator} ".join(f"({sql})" for sql, _ in found), [
                value for _, values in found for value in values
            ]
    raise InvalidArgument(f"A condition cannot read {str(tree)[:60]!r}.")


def _occurs(text: str) -> Sql:
    expression = exactly(text)
    if expression is None:  # nothing but punctuation: it demands nothing
        return ALL
    return (
        "f.id in (select rowid from history.path_words where path_words match ?) or "
        "coalesce(c.id, -1) in (select rowid >> 20 from words where words match ?)",
        [expression, expression],
    )


def scope(query: dict) -> Sql | None:
    """Folder, within, types, after, before and uid of a query as SQL; None where it looks everywhere."""
    found = []
    if query.get("folder"):
        found.append(_below(query["folder"]))
    if query.get("within"):
        found.append(_either([_below(path) for path in query["within"]]))
    if query.get("types"):
        found.append(_either([_type(word) for word in query["types"]]))
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


def _type(word: str) -> Sql:
    """Files of a type (`code`, `md`, `pdf`), or with this suffix where no type has that name."""
    names = sorted(expand(word.lower()))
    if not names:
        return "f.suffix = ?", [word.lower().lstrip(".")]
    # a suffix says what its writer meant, also where the content is another (a workbook is a zip)
    return f"f.type in ({','.join('?' * len(names))}) or f.suffix = ?", [*names, word.lower().lstrip(".")]
