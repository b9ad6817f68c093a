"""The past, read: what was at a path at a sequence, and its bytes.

A connection of its own that only reads, used in the loop: a row takes some ten microseconds, and no writer ever makes it wait. Listings of
large folders and whole histories are for a thread (`in_thread` opens another connection). Nothing here changes anything.
"""

import contextlib
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from lsfs.beneath import open_regular, stat_beneath
from lsfs.history import paths
from lsfs.history.contents import Contents, Missing
from lsfs.history.entries import PURGED, ROW, Entry
from lsfs.history.happenings import Happening, Place, happenings, place
from lsfs.history.held import Held
from lsfs.history.store import open_read_only

VISIBLE = "born <= ? and (died is null or died > ?)"


class Bytes(Protocol):
    """The content of a version: `read` from any offset, `close` at the end."""

    size: int

    def read(self, offset: int, size: int) -> bytes: ...

    def close(self) -> None: ...


class Snapshot(NamedTuple):
    """A name for a sequence. made: seconds since the epoch; automatic: lsfs took it itself."""

    name: bytes
    sequence: int
    made: float
    automatic: bool


class Version(NamedTuple):
    """One content of a file: `number` from 1, and the rows (oldest first) with that content; `born`, `died` in seconds since the epoch,
    died None for what is there now."""

    number: int
    rows: tuple[Entry, ...]
    born: float
    died: float | None

    @property
    def last(self) -> Entry:
        """The row that shows it."""
        return self.rows[-1]


class Empty:
    """No bytes."""

    size = 0

    def read(self, offset: int, size: int) -> bytes:
        return b""

    def close(self) -> None:
        pass


class Stored:
    """A content of the store."""

    def __init__(self, contents: Contents, digest: bytes) -> None:
        self._content = contents.open(digest)
        self.size = self._content.size

    def read(self, offset: int, size: int) -> bytes:
        return self._content.read(offset, size)

    def close(self) -> None:
        pass


class Changed(Missing):
    """The file that was the content has just been changed; what it was is in history now, or will be in a moment."""


class LiveFile:
    """A content that is still a file: of the folder, or in held/. Owns its descriptor."""

    def __init__(self, fd: int, found: os.stat_result, guarded: bool) -> None:
        self._fd = fd
        self._found = found
        self._guarded = guarded
        self.size = found.st_size

    def read(self, offset: int, size: int) -> bytes:
        data = os.pread(self._fd, size, offset)
        if self._guarded:
            found = os.fstat(self._fd)
            if _signature(found) != _signature(self._found):
                raise Changed("This version has just been overwritten; read it again.")
        return data

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Past:
    """What history knows. For one thread."""

    def __init__(self, state: Path, root_fd: int, held: Held) -> None:
        self.state = state
        self.root_fd = root_fd
        self.held = held
        self.database: sqlite3.Connection = open_read_only(state / "history.db")
        self.contents = Contents(self.database, state)

    def close(self) -> None:
        """Let the connection go."""
        self.database.close()

    def another(self) -> "Past":
        """One for another thread; the caller closes it."""
        return Past(self.state, self.root_fd, self.held)

    # Sequences ----------------------------------------------------------------------------------------------------------

    def sequence(self) -> int:
        """The last one that is committed."""
        return int(self.database.execute("select value from meta where key = 'sequence'").fetchone()[0])

    def stamp(self) -> int:
        """A number that changes with every commit, those that take no sequence (retention, purge) included."""
        return int(self.database.execute("pragma data_version").fetchone()[0])

    def first(self) -> float | None:
        """When history begins, in seconds since the epoch."""
        row = self.database.execute(
            "select at from moment where pruned & 2 = 0 order by sequence limit 1"
        ).fetchone()
        return None if row is None else row[0]

    def at(self, seconds: float) -> int | None:
        """The sequence that was the last one at a time, of those that are kept; None before the first."""
        row = self.database.execute(
            "select sequence from moment where at <= ? and pruned & 2 = 0 order by at desc, sequence desc limit 1",
            (seconds,),
        ).fetchone()
        return None if row is None else row[0]

    def shows(self, sequence: int) -> bool:
        """Is all that was there at a sequence still known? Retention gives up what no name is for."""
        row = self.database.execute(
            "select pruned from moment where sequence <= ? order by sequence desc limit 1", (sequence,)
        ).fetchone()
        return row is None or not row[0] & 2

    def time_of(self, sequence: int) -> float | None:
        """When a sequence, or the last one before it that did something, was committed."""
        row = self.database.execute(
            "select at from moment where sequence <= ? order by sequence desc limit 1", (sequence,)
        ).fetchone()
        return None if row is None else row[0]

    def snapshots(self) -> list[Snapshot]:
        """All of them, oldest first."""
        rows = self.database.execute(
            "select name, sequence, made, automatic from snapshot order by made, name"
        )
        return [Snapshot(name, sequence, made, bool(automatic)) for name, sequence, made, automatic in rows]

    def snapshot(self, name: bytes) -> Snapshot | None:
        """One by its name."""
        row = self.database.execute(
            "select name, sequence, made, automatic from snapshot where name = ?", (name,)
        ).fetchone()
        return None if row is None else Snapshot(row[0], row[1], row[2], bool(row[3]))

    # Rows ---------------------------------------------------------------------------------------------------------------

    def kept(self, path: bytes) -> tuple[int, int, int, bool, bool] | None:
        """(size, mtime_ns, ino, captured, shown by a snapshot) of the live row of a path."""
        row = self.database.execute(
            "select e.size, e.mtime_ns, e.ino, coalesce(e.content, 0) = 0 or c.digest is not null or c.held is not null,"
            " exists (select 1 from snapshot where sequence >= e.born) from entry e"
            " left join content c on c.id = e.content where e.parent = ? and e.name = ? and e.died is null",
            paths.split(path),
        ).fetchone()
        return None if row is None else (row[0], row[1], row[2], bool(row[3]), bool(row[4]))

    def named(self, path: bytes, ino: int) -> bytes | None:
        """A live path, other than `path`, that history knows an inode by."""
        rows = self.database.execute(
            "select parent, name from entry where ino = ? and died is null", (paths.number(ino),)
        )
        for row in rows.fetchall():
            found = paths.join(*row)
            if found != path:
                with contextlib.suppress(OSError):
                    if stat_beneath(self.root_fd, found).st_ino == ino:
                        return found
        return None

    def dear(self) -> set[str]:
        """The files in held/ that a snapshot shows."""
        rows = self.database.execute(
            "select distinct c.held from content c join entry e on e.content = c.id join snapshot s"
            " on s.sequence >= e.born and (e.died is null or s.sequence < e.died) where c.held is not null"
        )
        return {name for (name,) in rows}

    def entry(self, path: bytes, sequence: int) -> Entry | None:
        """What was at a path at a sequence."""
        # Rows of one path follow each other: only the newest may be there, and of a file that is often written there are many older ones.
        row = self.database.execute(
            f"select {ROW} from entry where parent = ? and name = ? and born <= ? order by born desc limit 1",
            (*paths.split(path), sequence),
        ).fetchone()
        found = None if row is None else Entry(*row)
        return found if found is None or found.died is None or found.died > sequence else None

    def listing(self, parent: bytes, sequence: int) -> list[Entry]:
        """What was directly in a folder, by name."""
        rows = self.database.execute(
            f"select {ROW} from entry where parent = ? and {VISIBLE} order by name",
            (parent, sequence, sequence),
        )
        return [Entry(*row) for row in rows]

    def at_or_below(self, path: bytes, sequence: int) -> Iterator[Entry]:
        """What was at a path and below it, folders before what is in them (sorted by parent and name)."""
        seen = (sequence, sequence)
        low, high = paths.below(path)
        if path:
            yield from map(
                Entry._make,
                self.database.execute(
                    f"select {ROW} from entry where parent = ? and name = ? and {VISIBLE}",
                    (*paths.split(path), *seen),
                ),
            )
            yield from map(
                Entry._make,
                self.database.execute(
                    f"select {ROW} from entry where parent = ? and {VISIBLE} order by name", (path, *seen)
                ),
            )
        yield from map(
            Entry._make,
            self.database.execute(
                f"select {ROW} from entry where parent >= ? and parent < ? and {VISIBLE} order by parent, name",
                (low, high, *seen),
            ),
        )

    def changed(
        self, first: int, second: int, path: bytes = b""
    ) -> list[tuple[bytes, Entry | None, Entry | None]]:
        """(path, before, after) of all that differs at or below `path` between two sequences, by path."""
        return list(self.changes(first, second, path))

    def changes(
        self, first: int, second: int, path: bytes = b""
    ) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
        """The same, one by one."""
        low, high = paths.below(path)
        where, values = "1", []
        if path:
            where = "((parent = ? and name = ?) or parent = ? or (parent >= ? and parent < ?))"
            values = [*paths.split(path), path, low, high]
        one, other = min(first, second), max(first, second)
        rows = self.database.execute(
            f"select parent, name from entry where born > ? and born <= ? and {where}"
            f" union select parent, name from entry where died > ? and died <= ? and {where}",
            (one, other, *values, one, other, *values),
        ).fetchall()
        for whole in sorted(paths.join(*row) for row in rows):
            before, after = self.entry(whole, first), self.entry(whole, second)
            if (before and before.id) != (after and after.id):
                yield whole, before, after

    def happened(
        self, after: Place, until: Place, path: bytes, most: int, *, newest: bool
    ) -> tuple[list[Happening], Place | None]:
        """Some of what happened at and below a path between two places, and where the rest is (`lsfs.history.happenings`)."""
        return happenings(self, after, until, path, most, newest=newest)

    def place(self, sequence: int) -> Place:
        """The place behind everything that happened until a sequence."""
        return place(sequence)

    def versions(self, path: bytes, until: int | None = None) -> list[Version]:
        """The contents that a file had, oldest first: those at this path, and those under the names it had before it was renamed to it."""
        rows = self.history(path, until)
        times = dict(self._times(rows))
        found: list[list[Entry]] = []
        for row in rows:
            if stat.S_ISDIR(row.mode):
                continue
            if found and self.same(found[-1][-1], row):
                found[-1].append(row)
            else:
                found.append([row])
        return [
            Version(number, tuple(some), times[some[0].born], times.get(some[-1].died or -1))
            for number, some in enumerate(found, 1)
        ]

    def same(self, one: Entry, other: Entry) -> bool:
        """Have two rows the same bytes?"""
        if one.kind != other.kind or one.target != other.target or one.size != other.size:
            return False
        if one.content == other.content:
            return True
        if one.content is None or other.content is None:
            return False
        digests = [self.digest(row.content) for row in (one, other) if row.content is not None]
        return digests[0] is not None and digests[0] == digests[1]

    def has(self, cell: int) -> bool:
        """Are the bytes of a cell in the store, in held/, or in a file that is there?"""
        row = self.database.execute(
            "select exists (select 1 from object o where o.digest = c.digest) or c.held is not null"
            " or c.digest is null and exists (select 1 from entry e where e.content = c.id and e.died is null)"
            " from content c where c.id = ?",
            (cell,),
        ).fetchone()
        return bool(row and row[0])

    def digest(self, cell: int) -> bytes | None:
        """Of a captured content."""
        row = self.database.execute("select digest from content where id = ?", (cell,)).fetchone()
        return None if row is None else row[0]

    def history(self, path: bytes, until: int | None = None) -> list[Entry]:
        """All rows of a file, oldest first, across renames."""
        found: dict[int, Entry] = {}
        todo: list[tuple[bytes, int]] = [(path, 1 << 62 if until is None else until)]
        seen: set[bytes] = set()
        while todo:
            here, end = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            rows = [
                Entry(*row)
                for row in self.database.execute(
                    f"select {ROW} from entry where parent = ? and name = ? and born <= ? order by born",
                    (*paths.split(here), end),
                )
            ]
            before: Entry | None = None
            for row in rows:
                found[row.id] = row
                # came from another name, and nothing stood here: what it was there belongs to its history
                if row.source is not None and (before is None or before.died != row.born):
                    source = self.by_id(row.source)
                    if source is not None and source.path != here:
                        todo.append((source.path, min(source.born, end)))
                before = row
        return sorted(found.values(), key=lambda row: (row.born, row.id))

    def names(self, parent: bytes) -> list[bytes]:
        """The files that were ever directly in a folder."""
        rows = self.database.execute(
            "select distinct name from entry where parent = ? and mode & 61440 != 16384 order by name",
            (parent,),
        )
        return [name for (name,) in rows]

    def knows(self, path: bytes) -> bool:
        """Was there ever a file, not a folder, at a path?"""
        row = self.database.execute(
            "select 1 from entry where parent = ? and name = ? and mode & 61440 != 16384 limit 1",
            paths.split(path),
        ).fetchone()
        return row is not None

    def by_id(self, id: int) -> Entry | None:
        """A row by its number."""
        row = self.database.execute(f"select {ROW} from entry where id = ?", (id,)).fetchone()
        return None if row is None else Entry(*row)

    def _times(self, rows: list[Entry]) -> Iterator[tuple[int, float]]:
        wanted = {row.born for row in rows} | {row.died for row in rows if row.died is not None}
        for sequence in wanted:
            at = self.time_of(sequence)
            yield sequence, 0.0 if at is None else at

    # What was removed -------------------------------------------------------------------------------------------------------

    def removed(self, first: float, end: float) -> list[Entry]:
        """The rows that were removed between two times and are not there again, newest first."""
        rows = self.database.execute(
            f"select {', '.join('e.' + column.strip() for column in ROW.split(','))} from moment m join entry e on e.died = m.sequence"
            " where m.at >= ? and m.at < ? and e.gone = 1 and not exists (select 1 from entry l where l.parent = e.parent"
            " and l.name = e.name and l.died is null) order by e.died desc, e.parent, e.name",
            (first, end),
        )
        return [Entry(*row) for row in rows]

    def moved(self, since: int) -> bool:
        """Was something removed, or made where nothing was, after a sequence?"""
        row = self.database.execute(
            "select exists (select 1 from entry where died > ?1 and gone = 1) or exists (select 1 from entry e where e.born > ?1"
            " and not exists (select 1 from entry b where b.parent = e.parent and b.name = e.name and b.died = e.born"
            " and b.born = (select max(born) from entry where parent = e.parent and name = e.name and born < e.born)))",
            (since,),
        ).fetchone()
        return bool(row[0])

    def forgotten(self) -> tuple[float, int]:
        """What changes when retention or a purge took something away, which takes no sequence."""
        row = self.database.execute(
            "select coalesce((select value from meta where key = 'collected'), 0.0), (select count(*) from tombstone)"
        ).fetchone()
        return row[0], row[1]

    def removals(self) -> list[float]:
        """The times at which something was removed, one for each commit."""
        rows = self.database.execute(
            "select distinct m.at from entry e join moment m on m.sequence = e.died where e.gone = 1 and e.died is not null"
        )
        return [at for (at,) in rows]

    # Bytes ------------------------------------------------------------------------------------------------------------------

    def open(self, row: Entry) -> Bytes:
        """The bytes of a row. Raises Missing where they were never captured, Changed where they are about to be."""
        if row.content is None:
            return Empty()
        if row.content == PURGED:
            raise Missing("This version was purged: its bytes are not kept any more.")
        found = self.database.execute(
            "select digest, held from content where id = ?", (row.content,)
        ).fetchone()
        if found is None:
            raise Missing("This version is not kept any more.")
        digest, held = found
        if digest is not None:
            return Stored(self.contents, digest)
        if held is not None:
            try:
                fd = os.open(self.held.path(held), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                raise Changed("This version is being stored; read it again.") from None
            return LiveFile(fd, os.fstat(fd), False)
        for parent, name, *signature in self.database.execute(
            "select parent, name, size, mtime_ns, ino, ctime_ns from entry where content = ? and died is null",
            (row.content,),
        ).fetchall():
            try:
                fd, status = open_regular(self.root_fd, paths.join(parent, name), xdev=False)
            except OSError:
                continue
            if _signature(status) == tuple(signature):
                return LiveFile(fd, status, True)
            os.close(fd)
        raise Changed(
            "This version was changed behind the mount before it was captured: its bytes are not there any more."
        )

    def whole(self, row: Entry, most: int | None = None) -> bytes | None:
        """All bytes of a row; None where they are more than `most`. Raises as `open`."""
        if row.kind == stat.S_IFLNK:
            return row.target or b""
        content = self.open(row)
        try:
            if most is not None and content.size > most:
                return None
            parts = []
            at = 0
            while at < content.size:
                part = content.read(at, 1 << 20)
                if not part:
                    break
                parts.append(part)
                at += len(part)
            return b"".join(parts)
        finally:
            content.close()


class PerThread:
    """A `Past` for each thread that asks; closed together."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._local = threading.local()
        self._made: list[Past] = []

    def get(self) -> Past:
        """That of the calling thread."""
        found: Past | None = getattr(self._local, "past", None)
        if found is None:
            found = self._local.past = self._past.another()
            self._made.append(found)
        return found

    def forget(self) -> None:
        """What was decoded is kept in memory no longer."""
        for past in self._made:
            past.contents.forget()

    def close(self) -> None:
        """Close them all; no thread uses one any more."""
        for past in self._made:
            past.close()
        self._made.clear()


def _signature(found: os.stat_result) -> tuple[int, int, int, int]:
    """What has to be the same for a live file to be what its row says."""
    return (*paths.signature(found), paths.stamp(found.st_ctime_ns))
