"""files: the files of a view that one query looks at.

Threading: an instance belongs to one thread (its connection does).
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeVar

from lsfs.index.conditions import Sql
from lsfs.index.view import View

Value = TypeVar("Value")


class File(NamedTuple):
    """A candidate; stale: its content may have been replaced since it was read. Whoever may read one file of a folder may read all that
    have the same uid, gid and mode."""

    content: int | None
    parent: bytes
    name: bytes
    stale: bool
    mtime_ns: int
    uid: int
    gid: int
    mode: int

    @property
    def path(self) -> bytes:
        return self.parent + b"/" + self.name if self.parent else self.name

    @property
    def rights(self) -> tuple[int, int, int]:
        return self.uid, self.gid, self.mode

    @classmethod
    def of(cls, content: int | None, parent: bytes, name: bytes, stale: int, *rest: int) -> "File":
        """From a row of `Files.columns`."""
        return cls(content, parent, name, bool(stale), *rest)


class Files:
    """The candidates of a query, by file id. contents: what it is confined to, None = nothing."""

    def __init__(self, db: sqlite3.Connection, view: View, where: Sql | None = None) -> None:
        """where: only files that fulfil it, all of which are candidates from the beginning."""
        self.db, self.view = db, view
        self.columns = f"f.id, c.id, f.parent, f.name, {view.stale}, f.mtime_ns, f.uid, f.gid, f.mode"
        self.found: dict[int, File] = {}
        self.contents: set[int] | None = None
        self._met: set[int] = set()
        if where is not None:
            self.found = self._rows(
                f"from {view.table} f {view.content} where {view.seen} and ({where[0]})", where[1]
            )
            self.contents = self.known()

    @property
    def confined(self) -> bool:
        """Whether all candidates are known."""
        return self.contents is not None

    def known(self) -> set[int]:
        """The contents of the candidates."""
        return {file.content for file in self.found.values() if file.content is not None}

    def meet(self, contents: Iterable[int]) -> None:
        """Whoever has one of these contents is a candidate; where the query is confined, all are known."""
        fresh = [] if self.confined else sorted(set(contents) - self._met)
        if fresh:
            self._met.update(fresh)
            self.found |= self._rows(
                f"from json_each(?) j {self.view.of_contents} where {self.view.seen}", [json.dumps(fresh)]
            )

    def there(self, ids: Collection[int]) -> dict[int, File]:
        """Those of some files of the catalogue that are in view."""
        return self._rows(
            f"from json_each(?) j cross join history.file f on f.id = j.value {self.view.content} where {self.view.seen}",
            [json.dumps(list(ids))],
        )

    def having(self, values: Mapping[int, Value]) -> dict[int, Value]:
        """By file, what is said of its content."""
        return {
            file: values[content]
            for file, (content, *_) in self.found.items()
            if content is not None and content in values
        }

    def _rows(self, of: str, values: list) -> dict[int, File]:
        return {file: File.of(*row) for file, *row in self.db.execute(f"select {self.columns} {of}", values)}
