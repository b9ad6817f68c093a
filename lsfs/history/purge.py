"""purge: contents that shall be nowhere any more: which they are, and the commit that lets go of them.

    a version that is purged  stays a row, so that history says that there was something, with the content 0, which has no bytes, and
                              without its extended attributes
    its content               goes: cell, object, chunks (their packs are hollowed out), held files
    the index's own list      has the file by its name alone, until it changes
    tombstone                 says which digest was purged, where it was, when, by whom

Everything that a path ever had goes with it, under its earlier names too. Where another file has, or had, the same bytes, they can only go
with its versions: those are the `shared` of a plan.

Threading: `plan_of` in any thread, with a `Past`; `apply` in the catalogue's thread, inside a commit.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from lsfs.history import paths
from lsfs.history.entries import PURGED, ROW, Entry
from lsfs.history.objects import Objects
from lsfs.history.past import Past
from syscalls.errors import NotFound

_MOST = 500  # values in one query


@dataclass(frozen=True)
class Plan:
    """rows: the versions that lose their content. cells, digests: what goes. live: the rows that are there now. shared: rows of other paths
    with the same bytes. bytes: of the contents, each once."""

    path: bytes
    rows: tuple[Entry, ...]
    cells: frozenset[int]
    digests: frozenset[bytes]
    shared: tuple[Entry, ...]
    files: frozenset[int] = field(default_factory=frozenset)
    """Rows of the index's own list, `file`."""

    @property
    def live(self) -> list[Entry]:
        return [row for row in self.rows if row.died is None]

    def same(self, other: "Plan") -> bool:
        """Would the two do the same?"""
        return (self.rows, self.cells, self.digests, self.shared) == (
            other.rows,
            other.cells,
            other.digests,
            other.shared,
        )


def plan_of(past: Past, path: bytes, digests: Iterable[bytes] = ()) -> Plan:
    """What it takes to purge a path, or all at and below it. Raises NotFound where there is and was nothing."""
    database = past.database
    rows = {row.id: row for row in _ever(past, path)}
    if not rows:
        raise NotFound(
            f"There is nothing at {path.decode('utf-8', 'replace')!r}, and never was; write the path as ls shows it below files/."
        )
    wanted = {row.content for row in rows.values() if row.content}
    found = set(digests) | set(_tombs(database, {row.path for row in rows.values()}))
    found |= {
        digest
        for (digest,) in _in(
            database, "select digest from content where digest is not null and id in", wanted
        )
    }
    files = _files(database, rows.values())
    found |= {digest for _, digest in files if digest is not None}
    cells = wanted | {cell for (cell,) in _in(database, "select id from content where digest in", found)}
    others = {
        row[0]: Entry(*row)
        for row in _in(database, f"select {ROW} from entry where content in", cells)
        if row[0] not in rows
    }
    shared = others | {row.id: row for row in _indexed_elsewhere(past, found, rows, others)}
    mine = frozenset(id for id, _ in files)
    mine |= {id for (id,) in _in(database, "select id from file where digest in", found)}
    ordered = tuple(sorted(rows.values(), key=lambda row: row.id))
    return Plan(
        path,
        ordered,
        frozenset(cells),
        frozenset(found),
        tuple(sorted(shared.values(), key=lambda row: row.id)),
        mine,
    )


def _ever(past: Past, path: bytes) -> Iterable[Entry]:
    """Every regular file's row at or below a path, at any time, with those of its earlier names."""
    where, values = "mode & 0xf000 = 0x8000", []
    if path:
        where += " and ((parent = ? and name = ?) or parent = ? or (parent >= ? and parent < ?))"
        values = [*paths.split(path), path, *paths.below(path)]
    for parent, name in past.database.execute(
        f"select distinct parent, name from entry where {where}", values
    ).fetchall():
        for row in past.history(paths.join(parent, name)):
            if row.kind == 0o100000:
                yield row


def _in(database: sqlite3.Connection, query: str, values: Iterable[object]) -> list[tuple]:
    """`query` ends before a list of values."""
    asked, found = list(values), []
    for start in range(0, len(asked), _MOST):
        part = asked[start : start + _MOST]
        found += database.execute(f"{query} ({','.join('?' * len(part))})", part).fetchall()
    return found


def _tombs(database: sqlite3.Connection, where: set[bytes]) -> list[bytes]:
    """What was purged there before: so a purge that was cut off can be done again."""
    return [digest for (digest,) in _in(database, "select digest from tombstone where path in", where)]


def _files(database: sqlite3.Connection, rows: Iterable[Entry]) -> list[tuple[int, bytes | None]]:
    found = []
    for parent, name in {(row.parent, row.name) for row in rows}:
        found += database.execute(
            "select id, digest from file where parent = ? and name = ?", (parent, name)
        ).fetchall()
    return found


def _indexed_elsewhere(
    past: Past, digests: set[bytes], rows: dict[int, Entry], others: dict[int, Entry]
) -> list[Entry]:
    """Live files with the same bytes that history has not captured; the index has read them."""
    found = []
    for parent, name in _in(
        past.database, "select parent, name from file where died is null and digest in", digests
    ):
        row = past.database.execute(
            f"select {ROW} from entry where parent = ? and name = ? and died is null", (parent, name)
        ).fetchone()
        if row is not None and row[0] not in rows and row[0] not in others and row[12]:
            found.append(Entry(*row))
    return found


def whole(plan: Plan) -> Plan:
    """The plan with all that shares its contents."""
    rows = tuple(sorted({*plan.rows, *plan.shared}, key=lambda row: row.id))
    return Plan(
        plan.path,
        rows,
        plan.cells | {row.content for row in rows if row.content},
        plan.digests,
        (),
        plan.files,
    )


@dataclass
class Freed:
    """What is to be given back after the commit."""

    packs: list[str]
    held: list[str]


def apply(database: sqlite3.Connection, objects: Objects, plan: Plan, at: float, uid: int) -> Freed:
    """Let go of it. `database` has `secure_delete` on."""
    database.execute("insert or ignore into content (id, size) values (?, 0)", (PURGED,))
    ids = [row.id for row in plan.rows if row.content is not None]
    seen = [
        (captured,)
        for (captured,) in _in(
            database, "select captured from content where captured is not null and id in", plan.cells
        )
    ]
    database.executemany("update entry set content = ? where id = ?", ((PURGED, id) for id in ids))
    attributed = _attributed(database, plan)
    database.executemany("update entry set xattrs = null where id = ?", ((id,) for id, _ in attributed))
    database.executemany(
        "update moment set pruned = pruned | 1 where sequence = ?",
        [*seen, *((row.born,) for row in plan.rows), *((born,) for _, born in attributed)],
    )
    held = [
        name
        for (name,) in _in(database, "select held from content where held is not null and id in", plan.cells)
    ]
    where = _places(database, plan)
    _let_go(database, plan.cells)
    packs = objects.remove(plan.digests)
    _forget_index(database, plan)
    database.executemany(
        "insert or replace into tombstone (digest, path, purged, uid) values (?, ?, ?, ?)",
        ((digest, path, at, uid) for digest, path in where.items()),
    )
    return Freed(packs, held)


def _attributed(database: sqlite3.Connection, plan: Plan) -> list[tuple[int, int]]:
    """The rows with extended attributes, and when they were born: of the versions, and of whatever else is or was at or below the path."""
    where, values = "xattrs is not null", []
    if plan.path:
        where += " and ((parent = ? and name = ?) or parent = ? or (parent >= ? and parent < ?))"
        values = [*paths.split(plan.path), plan.path, *paths.below(plan.path)]
    found = dict(database.execute(f"select id, born from entry where {where}", values).fetchall())
    ids = [row.id for row in plan.rows if row.xattrs is not None]
    found |= dict(_in(database, "select id, born from entry where xattrs is not null and id in", ids))
    return list(found.items())


def _let_go(database: sqlite3.Connection, cells: Iterable[int]) -> None:
    """The cells go. SQLite would give the highest id to the next one, and who still holds a row of the past would read that: it stays,
    empty."""
    last = database.execute("select max(id) from content").fetchone()[0]
    database.executemany("delete from content where id = ?", ((cell,) for cell in cells if cell != last))
    if last in cells:
        database.execute(
            "update content set digest = null, captured = null, held = null, size = 0 where id = ?", (last,)
        )


def _places(database: sqlite3.Connection, plan: Plan) -> dict[bytes, bytes]:
    """A path at which each of the digests was."""
    found = dict.fromkeys(plan.digests, plan.rows[-1].path)
    cells = {row.content: row.path for row in plan.rows if row.content}
    found |= {
        digest: paths.join(parent, name)
        for digest, parent, name in _in(
            database, "select digest, parent, name from file where digest is not null and id in", plan.files
        )
    }
    found |= {
        digest: cells[cell]
        for cell, digest in _in(
            database, "select id, digest from content where digest is not null and id in", plan.cells
        )
        if cell in cells
    }
    return {digest: path for digest, path in found.items() if digest in plan.digests}


def _forget_index(database: sqlite3.Connection, plan: Plan) -> None:
    """The live files are found by their names until they change; answers that were kept may hold a passage, and are asked for again."""
    database.executemany(
        "update file set state = 'other', digest = null, type = null, dirty = 0, complete = 1, error = null where id = ? and died is null",
        ((id,) for id in plan.files),
    )
    database.executemany("delete from file where id = ? and died is not null", ((id,) for id in plan.files))
    database.execute("update question set kept = null")
