"""records: tables, JSON and lines of JSON, broken at their records; what stands in a JSON document is titled by its path of keys.

    {"users": [{"id": 1, "address": {…}}, …]}        records users[0], users[1] …; in a large one, users[0].address

Nothing is parsed, so a broken document has records too, as far as its brackets say. One pass, no recursion, whatever the nesting.

Threading: pure functions.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lsfs.engine.breaks import ENTRY, JOINED, LINE, PARAGRAPH, TITLE, Row, lines

_SHALLOW = 2  # a member of an object is a record down to this depth: {"packages": {"name": {…}}}
_SHOWN = 8  # keys of a path
_KEY = 60  # characters of a key
_DEEP = 1000  # brackets that are remembered
_LONGEST = 400  # characters of brackets alone
_WIDE = 100  # characters of one line after which a comma is a place to break
_TOKEN = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|[{}\[\],:\n]|[^\s{}\[\],:"]+')


def table(text: str) -> Iterator[Row]:
    """The rows of a CSV file, under its header. A quoted cell may go over several lines."""
    titles: tuple[str, ...] = ()
    inside = False
    for number, start, line in lines(text):
        if line and not line.isspace():
            yield start, start + len(line), number, LINE if inside else ENTRY, titles
            if not titles:
                titles = (line.strip()[:TITLE],)
        if line.count('"') % 2:
            inside = not inside


@dataclass(slots=True)
class _Open:
    """An object or array that is not closed yet. record: it, or what it stands in, is an element of an array of containers."""

    array: bool
    path: tuple[str, ...]
    record: bool
    count: int = 0


def tree(text: str, each_line: bool = False) -> Iterator[Row]:
    """The rows of a JSON document, or with `each_line` of a file in which each line is one."""
    opened: list[_Open] = []
    start, number, level = 0, 1, ENTRY  # of the row that is being read
    titles: tuple[str, ...] = ()
    key: tuple[int, str] | None = None  # where a member begins, and its name
    named = fresh = False  # a colon followed the key; nothing but the opening bracket is before
    empty = True  # the row has no token yet
    deeper = 0  # brackets that are open beyond what is remembered
    for token in _TOKEN.finditer(text):
        said, at = token[0], token.start()
        if said == "\n":
            if not empty:
                yield start, at, number, level, titles
            number += 1
            if each_line:
                opened.clear()
                key, named, deeper = None, False, 0
            start, empty = at + 1, True
            level, titles = (ENTRY if each_line else LINE), opened[-1].path if opened else ()
            continue
        if empty and said not in "}]":
            titles = opened[-1].path if opened else ()
        if level == JOINED and empty:
            start = at
        if said in "{[":
            above = opened[-1] if opened else None
            begins = key[0] if key is not None and named else at
            name = (
                key[1] if key is not None and named else f"[{above.count}]" if above and above.array else ""
            )
            path = (*(above.path if above else ()), name)[:_SHOWN] if name else (above.path if above else ())
            record = above is not None and (above.record or above.array)
            before = text[start:begins]
            if above is not None and not fresh and name:
                whole = not each_line and not above.record and (above.array or len(opened) <= _SHALLOW)
                if begins > start and not before.isspace():
                    yield start, start + len(before.rstrip()), number, level, titles
                    start = begins
                level, titles = ENTRY if whole else PARAGRAPH, path
            elif not before or before.isspace():
                titles = path
            if len(opened) < _DEEP:
                opened.append(_Open(said == "[", path, record))
            else:
                deeper += 1
            key, named, fresh, empty = None, False, True, False
            if token.end() - start >= _LONGEST:
                yield start, token.end(), number, level, titles
                start, level, empty = token.end(), JOINED, True
            continue
        empty = False
        if said in "}]":
            if deeper:
                deeper -= 1
            elif opened:
                opened.pop()
            key, named = None, False
        elif said == ",":
            if opened:
                opened[-1].count += 1
            key, named = None, False
            if token.end() - start >= _WIDE:
                yield start, token.end(), number, level, titles
                start, level, titles, empty = token.end(), JOINED, opened[-1].path if opened else (), True
        elif said == ":":
            named = key is not None
        elif key is None and opened and not opened[-1].array:
            key = (at, _name(said))
            continue
        if said != ":":
            fresh = False
    if not empty:
        yield start, len(text), number, level, titles


def _name(said: str) -> str:
    name = said[:400].strip('"')
    if "\\" in name:
        with contextlib.suppress(ValueError):
            name = str(json.loads(f'"{name}"'))
    return " ".join(name.split())[:_KEY]


def path(keys: Sequence[str]) -> str:
    """`users[0].address` of its keys."""
    return "".join(key if key.startswith("[") or not at else f".{key}" for at, key in enumerate(keys))
