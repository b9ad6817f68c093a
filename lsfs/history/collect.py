"""collect: give back what no kept sequence sees.

    moments   that are not kept any more are marked: nothing can be shown as of them
    rows      of `entry` that died, and that no kept sequence sees
    contents  (cells) that no row has, objects that no cell has, chunks that no object has, packs that no chunk has
    paths     (`dead_path`) at which there is no row

In this order, and each step is a transaction of some thousand rows, so a kill leaves a store in which all that is kept is whole; the next
round goes on. Space in the packs is given back after the commit that no longer names it: what is to be given back is written down in `meta`
until it is.

A row with the highest id of its table is never removed, since SQLite would give its id to the next one, and whoever still holds the old row
would read another file's bytes.

Threading: in the catalogue's thread, outside of its commits (nothing here takes a sequence), and never while a large content is being
packed, which relies on chunks that are there: `lsfs.history.keeper` sees to both.
"""

import contextlib
import json
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lsfs.history.held import Held
from lsfs.history.keeping import Kept, Retention, kept_sequences, since
from lsfs.history.objects import Objects
from lsfs.history.past import Snapshot

log = logging.getLogger(__name__)

STEP = 2000  # rows in one transaction
CELLS = 10_000  # cells looked at in one
CONTENTS = 200  # contents removed in one: each has up to 256 KiB
PAGES = 2000  # of the database, given back at once
SLACK = 256  # free pages that may stay: what comes next fills them
GRACE = 24 * 3600.0  # seconds in which a content that lost its rows may be had again
UNSUMMED, UNSHOWN = 1, 2
"""What `moment.pruned` says: rows of what it did are gone, so that its sum proves nothing; what was there cannot be shown any more."""


class Row(NamedTuple):
    """What the removal of a row of `entry` needs."""

    id: int
    parent: bytes
    name: bytes
    born: int
    died: int
    indexed: int


class Stored:
    """The moments of a database that can still be shown: `lsfs.history.keeping.Moments`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def first(self) -> float | None:
        row = self._database.execute(
            f"select at from moment where pruned & {UNSHOWN} = 0 order by sequence limit 1"
        ).fetchone()
        return None if row is None else row[0]

    def before(self, at: float) -> int | None:
        return self._one(
            f"select sequence from moment where at < ? and pruned & {UNSHOWN} = 0 order by at desc, sequence desc limit 1",
            at,
        )

    def upto(self, sequence: int) -> int | None:
        return self._one(
            "select sequence from moment where sequence <= ? order by sequence desc limit 1", sequence
        )

    def _one(self, query: str, value: float) -> int | None:
        row = self._database.execute(query, (value,)).fetchone()
        return None if row is None else int(row[0])


class Collection:
    """One store. `removed` counts the rows and contents that went."""

    def __init__(self, database: sqlite3.Connection, objects: Objects, held: Held) -> None:
        self.database = database
        self.objects = objects
        self.held = held
        self.moments = Stored(database)
        self.removed = 0
        self._done = Kept((), 0)
        """What the last whole round kept: rows that died before, and that it left, need no second look."""

    def due(self, retention: Retention, now: float) -> Kept:
        """What is kept at the time `now`."""
        return kept_sequences(self.moments, now, retention, self._snapshots())

    def _snapshots(self) -> list[Snapshot]:
        rows = self.database.execute("select name, sequence, made, automatic from snapshot")
        return [Snapshot(name, sequence, made, bool(automatic)) for name, sequence, made, automatic in rows]

    def steps(self, kept: Kept, *, grace: float = GRACE, now: float | None = None) -> Iterator[list[bytes]]:
        """Remove all that `kept` does not see. Each step of the iteration is one transaction; it gives the names of the snapshots that
        went with it."""
        now = time.time() if now is None else now
        self._discard()
        if self.database.execute("select 1 from redo limit 1").fetchone():
            return  # a rollback is under way, or was cut off: it needs what it names
        named = self._named()
        yield from self._mark(kept)
        yield self._forget_names()
        yield from self._rows(kept, named)
        if self._named() <= named:
            yield from self._cells(now - grace)
            self._done = kept

    def nobodys(self) -> set[bytes]:
        """Before a purge: remove, for good, the contents that no row has, however young. Their digests, but for those that something which
        is there now has, too: what the index may still know of them."""
        if self.database.execute("select 1 from redo limit 1").fetchone():
            return set()
        query = (
            "select {} from content c where id > 0 and not exists (select 1 from entry where content = c.id)"
        )
        gone = {digest for (digest,) in self.database.execute(query.format("digest")) if digest is not None}
        cells = [id for (id,) in self.database.execute(query.format("id")).fetchall()]
        last = self.database.execute("select max(id) from content").fetchone()[0]
        self.database.execute("pragma secure_delete = on")
        try:
            for start in range(0, len(cells), CONTENTS):
                self._remove_cells([cell for cell in cells[start : start + CONTENTS] if cell != last])
            if last in cells:
                self._empty(last)
            with self._transaction():  # what nobody names at all
                free = [
                    digest
                    for (digest,) in self.database.execute(
                        "select digest from object where digest not in (select digest from content where digest is not null)"
                    )
                ]
                self._to_discard(self.objects.remove(free))
            self._discard()
            self.tidy()
        finally:
            self.database.execute("pragma secure_delete = off")
        return {digest for digest in gone | set(free) if not self._is_there(digest)}

    def _empty(self, cell: int) -> None:
        """The one with the highest id stays, without its bytes."""
        with self._transaction():
            row = self.database.execute(
                "select captured, held from content where id = ? and not exists (select 1 from entry where content = ?)",
                (cell, cell),
            ).fetchone()
            if row is None:
                return
            self._unsummed([row[0]] if row[0] is not None else [])
            self.database.execute(
                "update content set digest = null, captured = null, held = null, size = 0 where id = ?",
                (cell,),
            )
        if row[1] is not None:
            self.held.drop(row[1])

    def _is_there(self, digest: bytes) -> bool:
        live = "select 1 from file where digest = ? and died is null limit 1"
        return self._has_cell(digest) or self.database.execute(live, (digest,)).fetchone() is not None

    def tidy(self) -> None:
        """Once after a mount: what a kill left in packs/."""
        self.objects.discard(self.objects.stray_packs())

    def last(self) -> float:
        """When all that had had its time was last removed, in seconds since the epoch; 0 where it never was."""
        row = self.database.execute("select value from meta where key = 'collected'").fetchone()
        return row[0] if row else 0.0

    def finished(self) -> None:
        """It was, now."""
        with self._transaction():
            self.database.execute("insert or replace into meta values ('collected', ?)", (time.time(),))

    # Moments -----------------------------------------------------------------------------------------------------------

    def _mark(self, kept: Kept) -> Iterator[list[bytes]]:
        """Before a row goes, the moments that would miss it are known to."""
        after = -1
        while True:
            rows = self.database.execute(
                f"select sequence from moment where sequence > ? and sequence < ? and pruned & {UNSHOWN} = 0"
                " order by sequence limit ?",
                (after, kept.floor, STEP),
            ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            given_up = [(sequence,) for (sequence,) in rows if sequence not in kept]
            with self._transaction():
                self.database.executemany(
                    f"update moment set pruned = pruned | {UNSHOWN} where sequence = ?", given_up
                )
            yield []

    def _forget_names(self) -> list[bytes]:
        """The names that lsfs gave go with what they name."""
        gone = [
            snapshot.name
            for snapshot in self._snapshots()
            if snapshot.automatic and not self._shown(self.moments.upto(snapshot.sequence))
        ]
        with self._transaction():
            self.database.executemany("delete from snapshot where name = ?", ((name,) for name in gone))
        return gone

    def _shown(self, sequence: int | None) -> bool:
        row = self.database.execute("select pruned from moment where sequence = ?", (sequence,)).fetchone()
        return row is not None and not row[0] & UNSHOWN

    # Rows --------------------------------------------------------------------------------------------------------------

    def _rows(self, kept: Kept, named: set[int | None]) -> Iterator[list[bytes]]:
        """Where a name was given meanwhile to what lsfs had taken itself, the next round knows better."""
        died, id = self._start(kept), 0
        while self._named() <= named:
            rows = [
                Row(*row)
                for row in self.database.execute(
                    "select id, parent, name, born, died, indexed from entry where died is not null and died <= ?"
                    " and died >= ? and (died > ? or id > ?) order by died, id limit ?",
                    (kept.floor, died, died, id, STEP),
                )
            ]
            if not rows:
                return
            died, id = rows[-1].died, rows[-1].id
            last = self.database.execute("select max(id) from entry").fetchone()[0]
            gone = [row for row in rows if row.id != last and not kept.sees(row.born, row.died)]
            if gone:
                with self._transaction():
                    self._remove(gone)
            yield []

    def _start(self, kept: Kept) -> int:
        """The sequence at which rows died that were not looked at before."""
        if set(self._done.sequences) <= set(kept.sequences):
            return self._done.floor
        return 0

    def _remove(self, rows: list[Row]) -> None:
        """In a transaction."""
        for row in rows:
            self._bridge(row)
            self.database.execute("delete from entry where id = ?", (row.id,))
        self._unsummed(sequence for row in rows for sequence in (row.born, row.died))
        for path in {(row.parent, row.name) for row in rows if row.indexed}:
            self._leave(path)
        self.removed += len(rows)

    def _bridge(self, row: Row) -> None:
        """The history of a file that was renamed goes on across the rows that are missing."""
        source = self._one("select source from entry where id = ?", row.id)
        if source is not None:
            self.database.execute(
                "update entry set source = ? where parent = ? and name = ? and born = ? and source is null",
                (source, row.parent, row.name, row.died),
            )
        if self._one("select 1 from entry where source = ? limit 1", row.id) is None:
            return
        if source is None:
            query = (
                "select id from entry where parent = ? and name = ? and born < ? order by born desc limit 1"
            )
            source = self._one(query, row.parent, row.name, row.born)
        self.database.execute("update entry set source = ? where source = ?", (source, row.id))

    def _one(self, query: str, *values: int | bytes) -> int | None:
        row = self.database.execute(query, values).fetchone()
        return None if row is None else row[0]

    def _unsummed(self, sequences: Iterable[int]) -> None:
        self.database.executemany(
            f"update moment set pruned = pruned | {UNSUMMED} where sequence = ?",
            ((sequence,) for sequence in set(sequences)),
        )

    def _leave(self, path: tuple[bytes, bytes]) -> None:
        """The words of a path at which no row is left."""
        if self.database.execute(
            "select 1 from entry where parent = ? and name = ? limit 1", path
        ).fetchone():
            return
        for (id,) in self.database.execute(
            "select id from dead_path where parent = ? and name = ?", path
        ).fetchall():
            self.database.execute("delete from dead_path_words where rowid = ?", (id,))
            self.database.execute("delete from dead_path where id = ?", (id,))

    # Contents ----------------------------------------------------------------------------------------------------------

    def _cells(self, until: float) -> Iterator[list[bytes]]:
        """Contents that no row has, but for those that were captured since `until`."""
        young = self.moments.before(until) or 0
        after, last = 0, self.database.execute("select coalesce(max(id), 0) from content").fetchone()[0]
        while after < last:
            rows = self.database.execute(
                "select id from content c where id > ? and id <= ? and id < ? and (captured is null or captured <= ?)"
                " and not exists (select 1 from entry where content = c.id)",
                (after, after + CELLS, last, young),
            ).fetchall()
            after += CELLS
            for start in range(0, len(rows), CONTENTS):
                self._remove_cells([cell for (cell,) in rows[start : start + CONTENTS]])
                yield []
            yield []

    def _remove_cells(self, cells: list[int]) -> None:
        """What was captured since they were looked for is not what it was then, so it is read as it goes."""
        gone: list[tuple[bytes | None, str | None, int | None]] = []
        with self._transaction():
            for cell in cells:
                gone += self.database.execute(
                    "delete from content where id = ? and not exists (select 1 from entry where content = ?)"
                    " returning digest, held, captured",
                    (cell, cell),
                ).fetchall()
            self._unsummed(captured for _, _, captured in gone if captured is not None)
            digests = {digest for digest, _, _ in gone if digest is not None}
            free = [digest for digest in digests if not self._has_cell(digest)]
            self._to_discard(self.objects.remove(free))
        self.removed += len(gone)
        self._discard()
        for _, held, _ in gone:
            if held is not None:
                self.held.drop(held)

    def _has_cell(self, digest: bytes) -> bool:
        return (
            self.database.execute("select 1 from content where digest = ? limit 1", (digest,)).fetchone()
            is not None
        )

    def _to_discard(self, packs: Iterable[str]) -> None:
        """In a transaction: what is to be given back after it, even if a kill comes between."""
        if names := sorted({*packs, *self._discarded()}):
            self.database.execute("insert or replace into meta values ('discard', ?)", (json.dumps(names),))

    def _discarded(self) -> list[str]:
        row = self.database.execute("select value from meta where key = 'discard'").fetchone()
        return json.loads(row[0]) if row else []

    def _discard(self) -> None:
        if names := self._discarded():
            self.objects.discard(names)
            with self._transaction():
                self.database.execute("delete from meta where key = 'discard'")

    # Space -------------------------------------------------------------------------------------------------------------

    def used(self) -> int:
        """Bytes that history takes: the pages of history.db that hold something, and the packs."""
        return used(self.database, os.fspath(self.objects.packs))

    def oldest(self, share: float) -> int | None:
        """Up to which sequence a share of them goes, the oldest ones, of those that no name is for; None where only what is there now, and
        what is named, is left."""
        named = self._named()
        rows = self.database.execute(
            f"select sequence from moment where pruned & {UNSHOWN} = 0 order by sequence"
        ).fetchall()
        free = [sequence for (sequence,) in rows if sequence not in named]
        if not free or free == [rows[-1][0]]:
            return None
        return int(next((sequence for sequence in free[int(len(free) * share) + 1 :]), rows[-1][0]))

    def without(self, floor: int) -> Kept:
        """What is kept where all that is older than `floor` goes, but for what is named."""
        return since(floor, self._named())

    def _named(self) -> set[int | None]:
        return {
            self.moments.upto(snapshot.sequence) for snapshot in self._snapshots() if not snapshot.automatic
        }

    def shrink(self) -> bool:
        """Give free pages of the database back to the file system; whether there are more."""
        free = self._pragma("freelist_count")
        if free <= SLACK or self._pragma("auto_vacuum") != 2:
            return False
        self.database.executescript(
            f"pragma incremental_vacuum({PAGES})"
        )  # `execute` would take one step of it: one page
        if self._pragma("freelist_count") <= SLACK:
            self.database.execute(
                "pragma wal_checkpoint(passive)"
            ).fetchall()  # only then does the file get shorter
            return False
        return True

    def _pragma(self, name: str) -> int:
        return int(self.database.execute(f"pragma {name}").fetchone()[0])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self.database.execute("begin immediate")
        try:
            yield
            self.database.execute("commit")
        except BaseException:
            if self.database.in_transaction:
                self.database.execute("rollback")
            raise


def used(database: sqlite3.Connection, packs: str) -> int:
    """Bytes that history takes, asked over any connection."""
    pages, free, size = (
        database.execute(f"pragma {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    total = (pages - free) * size
    with contextlib.suppress(FileNotFoundError), os.scandir(packs) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return int(total)
