"""The entries: everything below the folder, in time.

A row of `entry` says what was at a path from the sequence `born` on until the sequence `died`: type, rights, owner, time, extended
attributes, a symlink's target, and for a regular file the cell of its content. Rows with the same bytes share a cell (chmod, rename, hard
link); a cell without a digest is not captured yet, and then the live file of its live row is the content itself.

Called in the catalogue's thread, inside its transaction; `sequence` is the one of the commit under way. Rows only grow, but for two
kinds that nobody can have seen: what was born in this very commit, and what `coalesce` thins out because a file is written all the time.
"""

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgpack

from lsfs.beneath import open_beneath
from lsfs.history import paths
from lsfs.history.chain import seal
from lsfs.history.objects import Objects, Prepared

COLUMNS = (
    "parent, name, mode, uid, gid, size, mtime_ns, ctime_ns, ino, target, xattrs, content, source, indexed"
)
_AT_OR_BELOW = (
    "select {0} from entry where died is null and parent = ? and name = ?"
    " union all select {0} from entry where died is null and parent = ?"
    " union all select {0} from entry where died is null and parent >= ? and parent < ?"
)
_KEPT_XATTRS = ("user.", "system.posix_acl_")
MINUTE = 60.0
RESTED = 2.0
"""Seconds after which a version is kept, however many there were before it."""
MISSED = 8
"""Commits after which a file that was missed, and turns up elsewhere, is another file."""
PURGED = 0  # the content of versions whose bytes shall be nowhere (`lsfs.history.purge`); nothing is ever captured into it


class Entry(NamedTuple):
    """A row of `entry`."""

    id: int
    parent: bytes
    name: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    ctime_ns: int
    ino: int
    target: bytes | None
    xattrs: bytes | None
    content: int | None
    source: int | None
    indexed: int
    born: int
    died: int | None
    gone: int

    @property
    def path(self) -> bytes:
        """Below the folder."""
        return paths.join(self.parent, self.name)

    @property
    def kind(self) -> int:
        """The type, as stat.S_IFMT gives it."""
        return stat.S_IFMT(self.mode)


ROW = f"id, {COLUMNS}, born, died, gone"


class Extra(NamedTuple):
    """What lstat does not say: a symlink's target (or a device's number), and the extended attributes."""

    target: bytes | None
    xattrs: bytes | None


class Captured(NamedTuple):
    """A content that was read in time: prepared for the store, or a file in held/ that has it."""

    prepared: Prepared | None
    held: str | None = None


def extra_of(fd: int, found: os.stat_result) -> Extra:
    """Of the object open (O_PATH) at `fd`."""
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFLNK:
        return Extra(os.readlink(b"", dir_fd=fd), None)
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        return Extra(b"%d" % found.st_rdev, None)
    return Extra(None, packed_xattrs(b"/proc/self/fd/%d" % fd))


def packed_xattrs(path: bytes) -> bytes | None:
    """The extended attributes that a version has, as a msgpack map; None where there are none."""
    try:
        names = [name for name in os.listxattr(path) if name.startswith(_KEPT_XATTRS)]
        values = {name: os.getxattr(path, name) for name in sorted(names)}
    except OSError:
        return None
    return msgpack.packb(values) if values else None


def look(root_fd: int, path: bytes) -> Callable[[os.stat_result], Extra]:
    """How to learn the rest of an object of which lstat is known."""

    def extra(found: os.stat_result) -> Extra:
        try:  # what it is by now may be something else
            fd = open_beneath(root_fd, path, os.O_PATH | os.O_NOFOLLOW)
        except OSError:
            return Extra(None, None)
        try:
            if stat.S_IFMT(os.fstat(fd).st_mode) != stat.S_IFMT(found.st_mode):
                return Extra(None, None)
            return extra_of(fd, found)
        finally:
            os.close(fd)

    return extra


class Entries:
    """The table `entry` and what hangs on it. `advance` moves the catalogue's sequence on within its commit."""

    def __init__(self, database: sqlite3.Connection, objects: Objects, *, pace: int = 30) -> None:
        """pace: versions of one file that are kept within a minute."""
        self.database = database
        self.objects = objects
        self.pace = pace
        self.wanted = -1
        """The sequence that `undo` is to bring back when the edit in place that is under way is done."""
        self.sequence = 0
        self._advance: Callable[[], int] | None = None
        self._moments: dict[int, float] = {}
        self._last = 0
        self.uncaptured: dict[int, bytes] = {}
        """Cells born in this commit, and the path of each: what is to be captured."""
        self._ended: set[int] = set()  # contents of rows that ended in this commit
        self._closed: set[int] = set()
        """Rows born in this commit that say what was closed once: when they end in it, what follows comes later."""
        self.loose = True
        """Whether there may be contents that nobody has captured, born since the file system was last synced."""
        self.scanned_since: int | None = None
        """While a scan runs: the sequence with which it began. What it missed may still turn up under another name."""

    # A commit -------------------------------------------------------------------------------------------------------

    def begin(self, sequence: int, advance: Callable[[], int]) -> None:
        """A commit begins."""
        self.sequence, self._advance = sequence, advance
        self._moments = {}
        self.uncaptured = {}
        self._closed = set()
        self._ended = set()
        self._last = self.database.execute("select coalesce(max(id), 0) from entry").fetchone()[0]

    def _give_up(self, cell: int) -> None:
        """Rows whose bytes are nowhere (written all the time, or behind the mount) are no versions, unless a snapshot shows them."""
        found = self.database.execute(
            "select 1 from content where id = ? and digest is null and held is null and id != ?"
            " and not exists (select 1 from entry where content = ? and died is null)",
            (cell, PURGED, cell),
        ).fetchone()
        if found is None:
            return
        rows = self.database.execute(
            "select id, born, died from entry e where content = ? and not exists"
            " (select 1 from snapshot s where s.sequence >= e.born and s.sequence < e.died)",
            (cell,),
        ).fetchall()
        for row, born, died in rows:
            self.database.execute("delete from entry where id = ?", (row,))
            self.database.execute("update entry set source = null where source = ?", (row,))
            self.database.execute(
                "update moment set pruned = pruned | 1 where sequence in (?, ?)", (born, died)
            )

    def advance(self) -> None:
        """What follows in this commit comes later than what went before."""
        assert self._advance is not None
        self.sequence = self._advance()
        self._closed.clear()

    def _happened(self, at: float | None = None) -> None:
        if self.sequence not in self._moments:
            self._moments[self.sequence] = time.time() if at is None else at

    def finish(self) -> None:
        """The commit is about to be written: seal what it did."""
        for cell in self._ended:
            self._give_up(cell)
        for sequence, at in sorted(self._moments.items()):
            seal(self.database, sequence, at)

    # Rows -----------------------------------------------------------------------------------------------------------

    def row(self, path: bytes) -> Entry | None:
        """The live row of a path."""
        found = self.database.execute(
            f"select {ROW} from entry where parent = ? and name = ? and died is null", paths.split(path)
        ).fetchone()
        return None if found is None else Entry(*found)

    def live(self, parent: bytes) -> dict[bytes, Entry]:
        """The live rows directly in a folder, by name."""
        rows = self.database.execute(f"select {ROW} from entry where parent = ? and died is null", (parent,))
        return {row[2]: Entry(*row) for row in rows}

    def parents_below(self, path: bytes) -> list[bytes]:
        """The folders at and below a path that hold live rows."""
        return [
            row[0]
            for row in self.database.execute(
                "select distinct parent from entry where died is null and (parent = ? or (parent >= ? and parent < ?))",
                (path, *paths.below(path)),
            )
        ]

    def at_or_below(self, path: bytes) -> list[Entry]:
        """The live rows of a path and of all below it."""
        rows = self.database.execute(_AT_OR_BELOW.format(ROW), (*paths.split(path), path, *paths.below(path)))
        return [Entry(*row) for row in rows]

    def _insert(self, values: Sequence[Any]) -> int:
        self._last += 1
        self.database.execute(
            f"insert into entry (id, {COLUMNS}, born) values ({', '.join('?' * 16)})",
            (self._last, *values, self.sequence),
        )
        self._happened()
        return self._last

    def kill(self, row: Entry, *, gone: bool) -> None:
        """A row describes its path no more; `gone` when nothing came in its place and it was not renamed."""
        if gone and self._goes_on(row):
            gone = False
        if gone and row.born == self.sequence and row.source is not None:
            self.advance()  # it was renamed to here and removed in one commit: under this name it is in the trash
        self._end(row, gone=gone)
        if row.indexed:
            self._left(row)

    def _goes_on(self, row: Entry) -> bool:
        """Is what this row says there under another name, to which it was renamed behind the mount?"""
        query = "select 1 from entry where source = ? and died is null and ino = ? limit 1"
        return self.database.execute(query, (row.id, row.ino)).fetchone() is not None

    def _left(self, row: Entry) -> None:
        """The words of a path that is left stay searchable for questions in the past."""
        cursor = self.database.execute(
            "insert or ignore into dead_path (parent, name) values (?, ?)", (row.parent, row.name)
        )
        if cursor.rowcount:
            self.database.execute(
                "insert into dead_path_words (rowid, words) values (?, ?)",
                (cursor.lastrowid, paths.words(row.path)),
            )

    def kill_at_or_below(self, path: bytes, *, gone: bool) -> None:
        """A path and all below it are not there any more."""
        for row in self.at_or_below(path):
            self.kill(row, gone=gone)

    # What the folder says --------------------------------------------------------------------------------------------

    def see(
        self,
        parent: bytes,
        name: bytes,
        found: os.stat_result,
        *,
        known: Entry | None,
        extra: Callable[[os.stat_result], Extra],
        indexed: bool,
        written: bool = False,
        behind: bool = False,
        echo: bool = False,
    ) -> int | None:
        """Make the live row of a path agree with `found`, its lstat. The new cell, where there is one to be captured.

        written   its bytes changed, whatever its times say
        behind    its bytes may have been changed behind the mount
        echo      but something was done through the mount just before, which may be all: what nobody captured is not given up for that
        """
        signature = paths.signature(found)
        rights = (found.st_mode, found.st_uid, found.st_gid)
        ctime = paths.stamp(found.st_ctime_ns)
        kind = stat.S_IFMT(found.st_mode)
        if known is None:
            twin = self._twin(parent, name, found, signature)
            target, xattrs = extra(found)
            return self._add(parent, name, found, target, xattrs, twin, indexed)
        same = (known.size, known.mtime_ns, known.ino) == signature and kind == known.kind
        if written and known.ctime_ns != ctime:  # the time of a file that was written may have been set back
            same = False
        if kind == stat.S_IFDIR == known.kind:  # what is in it has rows of its own
            same = known.ino == signature[2]
        if same and known.ctime_ns == ctime and (known.mode, known.uid, known.gid) == rights:
            if known.indexed != indexed:
                self.database.execute("update entry set indexed = ? where id = ?", (int(indexed), known.id))
            return None
        target, xattrs = extra(found)
        if same and (known.mode, known.uid, known.gid, known.target, known.xattrs) == (
            *rights,
            target,
            xattrs,
        ):
            behind = behind and kind == stat.S_IFREG and found.st_nlink == 1
            if behind and known.content and not (echo and not self.kept(known.content)):
                # nothing that shows explains its ctime: its bytes may be others, and its time have been set back
                self._end(known)
                return self._add(parent, name, found, target, xattrs, None, indexed)
            # A link more or less, or a rename: nothing that a version has is another one.
            self.database.execute("update entry set ctime_ns = ? where id = ?", (ctime, known.id))
            return None
        if not same and known.content:
            self._ended.add(known.content)
        if not same and self._written_all_the_time(known):
            self.coalesce(known)
        else:
            self._end(known)
        cell = known.content if same else None
        source = known.source if known.born == self.sequence else None  # renamed to here in this very commit
        # Another file may have been renamed over this one where nobody saw it: the name that it had shows its content, too.
        twin = None if same or written else self._twin(parent, name, found, signature)
        return self._add(parent, name, found, target, xattrs, twin, indexed, cell=cell, source=source)

    def _end(self, row: Entry, *, gone: bool = False) -> None:
        """A row ends with this sequence; one that no sequence ever saw vanishes."""
        if row.content and not gone:  # (what is missed behind the mount may turn up elsewhere)
            self._ended.add(row.content)
        if row.id in self._closed:
            self.advance()
        if row.born == self.sequence:
            self.database.execute("delete from entry where id = ?", (row.id,))
        else:
            self.database.execute(
                "update entry set died = ?, gone = ? where id = ?", (self.sequence, int(gone), row.id)
            )
            self._happened()

    def _add(
        self,
        parent: bytes,
        name: bytes,
        found: os.stat_result,
        target: bytes | None,
        xattrs: bytes | None,
        twin: Entry | None,
        indexed: bool,
        cell: int | None = None,
        source: int | None = None,
    ) -> int | None:
        fresh = None
        if stat.S_ISREG(found.st_mode) and found.st_size and cell is None:
            if twin is not None and twin.content is not None:
                cell = twin.content
            else:
                fresh = cell = self.cell(found.st_size)
                self.uncaptured[cell] = paths.join(parent, name)
        if twin is not None and source is None and found.st_nlink == 1:
            source = twin.id
        size = found.st_size if stat.S_ISREG(found.st_mode) or target is not None else 0
        self._insert(
            (
                parent, name, found.st_mode, found.st_uid, found.st_gid, size, paths.stamp(found.st_mtime_ns),
                paths.stamp(found.st_ctime_ns), paths.number(found.st_ino), target, xattrs, cell, source, int(indexed),
            )
        )  # fmt: skip
        return fresh

    def cell(self, size: int) -> int:
        """A new cell for a content that nobody has captured."""
        row = self.database.execute("insert into content (size) values (?)", (size,)).lastrowid
        assert row is not None
        self.loose = True
        return row

    def _twin(
        self, parent: bytes, name: bytes, found: os.stat_result, signature: tuple[int, int, int]
    ) -> Entry | None:
        """The row that this new one continues: another name of the same file, or the name that it had before it was renamed
        behind the mount (which the scan may have missed already, in this commit or in the one before)."""
        if not stat.S_ISREG(found.st_mode):
            return None
        # What was missed a few commits ago may turn up only now: a scan follows the hint that brought it about.
        since = (self.sequence if self.scanned_since is None else self.scanned_since) - MISSED
        row = self.database.execute(
            f"select {ROW} from entry where ino = ? and size = ? and mtime_ns = ? and (died is null or died >= ?)"
            " order by died is not null, id desc limit 1",
            (signature[2], signature[0], signature[1], since),
        ).fetchone()
        if row is None:
            return None
        twin = Entry(*row)
        if stat.S_IFMT(twin.mode) != stat.S_IFMT(found.st_mode) or (twin.parent, twin.name) == (parent, name):
            return None
        if twin.gone:
            self.database.execute("update entry set gone = 0 where id = ?", (twin.id,))
        return twin

    def retimed(self, path: bytes, before: os.stat_result, after: os.stat_result) -> None:
        """The times of a file were set through the mount, its bytes are the same."""
        known = self.row(path)
        if known is None or not _is(known, before) or _is(known, after):
            return
        self._end(known)
        self._add(
            known.parent, known.name, after, known.target, known.xattrs, None, bool(known.indexed), cell=known.content,
            source=known.source if known.born == self.sequence else None,
        )  # fmt: skip

    def moved(
        self,
        old: bytes,
        new: bytes,
        found: os.stat_result | None = None,
        extra: Extra | None = None,
        indexed: bool = False,
        now: os.stat_result | None = None,
    ) -> None:
        """A rename through the mount: the rows at and below `old` go on at `new`, with their cells. `found`: what a file that was
        renamed was just before, closed; no row may say so yet. `now`: what is at `new` since."""
        if old == new:
            return
        known = self.row(old)
        if found is not None and (known is None or not _is(known, found)):
            path = old if known is not None else new
            there = self.row(path)
            if there is not None and _is(there, found):
                return  # a scan came before this commit
            if there is not None:
                self._end(there)
            target, xattrs = extra or Extra(None, None)
            twin = self._twin(*paths.split(path), found, paths.signature(found))
            self._add(*paths.split(path), found, target, xattrs, twin, indexed)
            self._closed.add(self._last)
            if known is None:
                return
        rows = self.at_or_below(old)
        if rows:
            self.kill_at_or_below(new, gone=False)
        for row in rows:
            self.kill(row, gone=False)
            parent, name = paths.split(new + row.path[len(old) :])
            source = row.id if row.born != self.sequence else row.source
            values = row._replace(parent=parent, name=name, source=source)
            self._insert(_renamed(values, now if row.path == old else None)[1:15])

    def exchanged(self, one: bytes, other: bytes, now: dict[bytes, os.stat_result | None]) -> None:
        """Two names were exchanged: the rows at and below each go on at the other. `now`: what is at both since."""
        places = ((one, other), (other, one))
        rows = [(row, new + row.path[len(old) :]) for old, new in places for row in self.at_or_below(old)]
        for row, _ in rows:
            self.kill(row, gone=False)
        for row, path in rows:
            parent, name = paths.split(path)
            values = row._replace(parent=parent, name=name, source=row.id)
            self._insert(_renamed(values, now.get(path))[1:15])

    def hard_links(self, ino: int, path: bytes) -> list[bytes]:
        """The other paths at which the live rows know an inode."""
        rows = self.database.execute("select parent, name from entry where ino = ? and died is null", (ino,))
        return [other for other in (paths.join(*row) for row in rows) if other != path]

    def relinked(self, path: bytes, found: os.stat_result) -> None:
        """The file at `path` has a name more or less, which changes its ctime and nothing that a version has."""
        known = self.row(path)
        rights = (found.st_mode, found.st_uid, found.st_gid)
        if known is not None and _is(known, found) and (known.mode, known.uid, known.gid) == rights:
            ctime = paths.stamp(found.st_ctime_ns)
            self.database.execute("update entry set ctime_ns = ? where id = ?", (ctime, known.id))

    def hide(self, path: bytes) -> None:
        """There is a secret in this file: no question finds it, now or later."""
        self.database.execute(
            "update entry set indexed = 0 where parent = ? and name = ? and died is null", paths.split(path)
        )

    # Contents -------------------------------------------------------------------------------------------------------

    def captured(self, cell: int, content: Captured) -> None:
        """The bytes of a cell are kept from now on."""
        if content.prepared is not None:
            self.objects.put(content.prepared)
            self.recorded(cell, content.prepared.digest)
        else:
            self.database.execute("update content set held = ? where id = ? and id > 0", (content.held, cell))

    def recorded(self, cell: int, digest: bytes) -> None:
        """The bytes of a cell are in the store, under this digest."""
        self.database.execute(
            "update content set digest = ?, captured = ?, held = null where id = ? and id > 0 and digest is null",
            (digest, self.sequence, cell),
        )
        self._happened()

    def secured(
        self, path: bytes, found: os.stat_result, extra: Extra, content: Captured, at: float, indexed: bool
    ) -> bool:
        """`path` was like this a moment ago, before it was overwritten or removed: it becomes a version, if it is none yet.

        Returns whether the content was needed."""
        known = self.row(path)
        if known is not None and _is(known, found):
            if known.born == self.sequence:
                self._closed.add(known.id)  # it was renamed to here in this commit, and is about to end in it
            if known.content is None or self.digest(known.content) is not None:
                return False
            self.captured(known.content, content)
            self.uncaptured.pop(known.content, None)
            return True
        # A scan may have come before this commit, and seen what is there since: the row that says what was there has ended already.
        before = self._uncaptured(found)
        if before is not None and before.path == path and not self._came_back(before, found):
            assert before.content is not None
            self.captured(before.content, content)
            return True
        # And the row that says what is there since goes on: its content is captured by nobody yet.
        ahead = known if known is not None and known.ctime_ns > paths.stamp(found.st_ctime_ns) else None
        if known is not None:
            self._end(known)
        # It may have been renamed to here where nobody saw it: its other name has the same content.
        cell = before.content if before is not None else None
        cell = (
            self._add(*paths.split(path), found, extra.target, extra.xattrs, None, indexed, cell=cell) or cell
        )
        self._closed.add(self._last)
        self._happened(at)
        if cell is not None:
            self.captured(cell, content)
            self.uncaptured.pop(cell, None)
        if ahead is not None and ahead.content is not None and not self.kept(ahead.content):
            closed = self.row(path)
            assert closed is not None
            self._end(closed)
            self._insert(ahead[1:15])
        return True

    def _came_back(self, row: Entry, found: os.stat_result) -> bool:
        """Was something else at the path of a row after it, and before the file was there again as `found` says?"""
        query = "select 1 from entry where parent = ? and name = ? and id > ? and ctime_ns < ? limit 1"
        values = (row.parent, row.name, row.id, paths.stamp(found.st_ctime_ns))
        return self.database.execute(query, values).fetchone() is not None

    def _uncaptured(self, found: os.stat_result) -> Entry | None:
        """The last row that says what `found` says, where nobody has captured its content."""
        row = self.database.execute(
            f"select {ROW} from entry where ino = ? and size = ? and mtime_ns = ? and exists (select 1 from content c"
            " where c.id = entry.content and c.digest is null and c.held is null) order by died is not null, id desc limit 1",
            (paths.number(found.st_ino), found.st_size, paths.stamp(found.st_mtime_ns)),
        ).fetchone()
        return None if row is None else Entry(*row)

    def shows(self, cell: int) -> Entry | None:
        """A live row with this content."""
        row = self.database.execute(
            f"select {ROW} from entry where content = ? and died is null limit 1", (cell,)
        ).fetchone()
        return None if row is None else Entry(*row)

    def restored(
        self, path: bytes, found: os.stat_result, extra: Extra, cell: int | None, *, indexed: bool, again: int
    ) -> None:
        """A rollback made `path` what `found` and `extra` say, with the bytes of `cell`: nothing of it has to be captured. The row `again`
        is what was put back, so it is not removed any more."""
        known = self.row(path)
        if known is not None:
            self._end(known)
        if (
            cell is not None
            and not self.database.execute("select 1 from content where id = ?", (cell,)).fetchone()
        ):
            cell = None  # collected meanwhile
        self._add(*paths.split(path), found, extra.target, extra.xattrs, None, indexed, cell=cell)
        self.database.execute("update entry set gone = 0 where id = ? and gone = 1", (again,))

    def kept(self, cell: int) -> bool:
        """Are the bytes of a cell in the store, or in held/, or to be nowhere?"""
        if cell == PURGED:
            return True
        row = self.database.execute(
            "select digest is not null or held is not null from content where id = ?", (cell,)
        ).fetchone()
        return bool(row and row[0])

    def digest(self, cell: int) -> bytes | None:
        """Of a captured cell."""
        row = self.database.execute("select digest from content where id = ?", (cell,)).fetchone()
        return None if row is None else row[0]

    def waiting(self, after: int, largest: int, limit: int, *, everything: bool) -> list[tuple[int, bytes]]:
        """Live files whose content is not captured, by cell: (cell, path). Without `everything` only those that the index reads."""
        rows = self.database.execute(
            "select c.id, e.parent, e.name from content c join entry e on e.content = c.id and e.died is null"
            " where c.digest is null and c.held is null and c.id > ? and c.size <= ? and (? or e.indexed)"
            " group by c.id order by c.id limit ?",
            (after, largest, everything, limit),
        )
        return [(cell, paths.join(parent, name)) for cell, parent, name in rows]

    # Thinning out -----------------------------------------------------------------------------------------------------

    def _written_all_the_time(self, known: Entry) -> bool:
        """Has this file got more versions within a minute than are kept, and did the last one neither rest nor is shown by a snapshot?"""
        if time.time() - known.mtime_ns / 1e9 > RESTED or known.born <= self.wanted:
            return False
        versions = self.database.execute(
            "select count(*) from (select 1 from entry e join moment m on m.sequence = e.born"
            " where e.parent = ? and e.name = ? and m.at > ? order by e.born desc limit ?)",
            (known.parent, known.name, time.time() - MINUTE, self.pace),
        ).fetchone()[0]
        if versions < self.pace:
            return False
        seen = self.database.execute(
            "select 1 from snapshot where sequence >= ? limit 1", (known.born,)
        ).fetchone()
        return seen is None

    def coalesce(self, known: Entry) -> None:
        """This version of a file that is written all the time is not kept; the one before it lasts until the next one."""
        self.database.execute("delete from entry where id = ?", (known.id,))
        self.database.execute(
            "update entry set died = ? where parent = ? and name = ? and died = ?",
            (self.sequence, known.parent, known.name, known.born),
        )
        self._happened()
        self.database.execute("update entry set source = null where source = ?", (known.id,))
        self.database.execute("update moment set pruned = pruned | 1 where sequence = ?", (known.born,))


def _is(row: Entry, found: os.stat_result) -> bool:
    """Does a row say what lstat says of a file's content?"""
    return (row.size, row.mtime_ns, row.ino) == paths.signature(found)


def _renamed(row: Entry, now: os.stat_result | None) -> Entry:
    """A row of what was renamed, which changes its ctime. `now`: its lstat, where that is known; what it was made since is seen later."""
    if now is None or row.kind != stat.S_IFMT(now.st_mode) or not _is(row, now):
        return row
    return row._replace(ctime_ns=paths.stamp(now.st_ctime_ns))


class Off(Entries):
    """History is switched off: nothing is remembered."""

    def row(self, path: bytes) -> None:
        return None

    def live(self, parent: bytes) -> dict[bytes, Entry]:
        return {}

    def parents_below(self, path: bytes) -> list[bytes]:
        return []

    def at_or_below(self, path: bytes) -> list[Entry]:
        return []

    def hard_links(self, ino: int, path: bytes) -> list[bytes]:
        return []

    def see(self, *arguments: Any, **more: Any) -> None:
        return None

    def moved(self, *arguments: Any, **more: Any) -> None:
        return None
