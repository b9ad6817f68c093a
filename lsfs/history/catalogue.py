"""The catalogue: which files the folder holds, with what content, since which sequence.

Called by `lsfs.history.follow`, in a worker thread, one call at a time (its limiter is 1): nothing here is locked, and every
public method is one transaction, so a kill at any moment leaves the state before or after it. The engine reads the same
tables through its own read-only connection. Truth runs one way: what lstat says about the folder overrules a row; a row
overrules the index.
"""

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lsfs.beneath import stat_beneath
from lsfs.history import paths
from lsfs.history.entries import Entries, Entry, look
from lsfs.history.ignore import Ignore

# What must agree for a row to still describe the file: mtime can be set back by its owner, ctime cannot.
_SIGNATURE = ("size", "mtime_ns", "ctime_ns", "ino")
_COLUMNS = "parent, name, kind, size, mtime_ns, ctime_ns, ino, mode, uid, gid, digest, type, suffix, state, dirty, complete, error"
# Three searches of the index file_live: SQLite reads all rows where the three conditions are joined by `or`.
_AT_OR_BELOW = (
    "select {0} from file where died is null and parent = ? and name = ?"
    " union all select {0} from file where died is null and parent = ?"
    " union all select {0} from file where died is null and parent >= ? and parent < ?"
)
STATE = b".lsfs"
GRACE_SECONDS = 24 * 3600.0
FEW = 1_000  # rows to be read that are counted at each commit


@dataclass(frozen=True, slots=True)
class Counts:
    """files: live rows. pending: those not wholly indexed. unread: those whose content has to be read. failed: those that cannot be.
    sequence: of the last commit."""

    files: int
    pending: int
    unread: int
    failed: int
    sequence: int


def _signature(found: os.stat_result) -> tuple[int, int, int, int]:
    return (
        found.st_size,
        paths.stamp(found.st_mtime_ns),
        paths.stamp(found.st_ctime_ns),
        paths.number(found.st_ino),
    )


class Catalogue:
    """The live and the recently dead rows of `file`, and the sequence. What happens to them happens to `entries`, too."""

    def __init__(self, database: sqlite3.Connection, root_fd: int, ignore: Ignore, entries: Entries) -> None:
        self.database = database
        self.entries = entries
        self.root_fd = root_fd
        self.ignore = ignore
        self.device = os.fstat(root_fd).st_dev
        self.sequence: int = self._meta("sequence")
        self._files: int = database.execute("select count(*) from file where died is null").fetchone()[0]
        self._unread, self._recount = 0, 0.0
        self._belong()

    # Transactions -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """One commit with the next sequence; a commit that changed nothing takes no sequence and syncs nothing."""
        self.database.execute("begin immediate")
        before, files, sequence = self.database.total_changes, self._files, self.sequence
        self.sequence += 1
        self.entries.begin(self.sequence, self._advance)
        try:
            yield
            if self.database.total_changes == before:
                self.sequence = sequence
            else:
                self.entries.finish()
                self.database.execute("update meta set value = ? where key = 'sequence'", (self.sequence,))
            self.database.execute("commit")
        except BaseException:
            self.sequence, self._files = sequence, files
            if self.database.in_transaction:  # a full disk makes SQLite roll back by itself
                self.database.execute("rollback")
            raise

    def _advance(self) -> int:
        self.sequence += 1
        return self.sequence

    def _meta(self, key: str) -> Any:
        row = self.database.execute("select value from meta where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _belong(self) -> None:
        """A state folder may have come to another folder (a copy, --state): then no row says what its files hold."""
        folder = f"{os.statvfs(self.root_fd).f_fsid}:{os.fstat(self.root_fd).st_ino}"
        if self._meta("folder") != folder:
            with self.transaction():
                self.database.execute("insert or replace into meta values ('folder', ?)", (folder,))
                self.database.execute(
                    "update file set state = 'new', digest = null, dirty = 1, complete = 0 where died is null"
                )

    # Rows -----------------------------------------------------------------------------------------------------------

    def row(self, path: bytes) -> sqlite3.Row | None:
        """The live row of a path, with every column of `file`."""
        cursor = self.database.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(
            "select * from file where parent = ? and name = ? and died is null", paths.split(path)
        ).fetchone()

    def _insert_all(self, rows: Sequence[Sequence[Any]]) -> None:
        first = self.database.execute("select coalesce(max(id), 0) + 1 from file").fetchone()[0]
        self.database.executemany(
            f"insert into file (id, {_COLUMNS}, born) values ({', '.join('?' * 19)})",
            ((first + number, *values, self.sequence) for number, values in enumerate(rows)),
        )
        self.database.executemany(
            "insert into path_words (rowid, words) values (?, ?)",
            ((first + number, paths.words(paths.join(*values[:2]))) for number, values in enumerate(rows)),
        )
        self._files += len(rows)

    def kill(self, row_id: int) -> None:
        """The file of a row is at its path no more."""
        self._kill_all([row_id])

    def _kill_all(self, row_ids: Sequence[int]) -> None:
        now = time.time()
        self.database.executemany("delete from path_words where rowid = ?", ((row_id,) for row_id in row_ids))
        self.database.executemany(
            "update file set died = ?, died_at = ? where id = ?",
            ((self.sequence, now, row_id) for row_id in row_ids),
        )
        self._files -= len(row_ids)

    def kill_below(self, path: bytes) -> None:
        """The path and all below it are gone."""
        rows = self.database.execute(
            _AT_OR_BELOW.format("id"), (*paths.split(path), path, *paths.below(path))
        )
        self._kill_all([row_id for (row_id,) in rows.fetchall()])

    def live(self, parent: bytes) -> dict[bytes, tuple[int, tuple[int, ...]]]:
        """name -> (row id, signature) of the live files directly in a folder."""
        return {
            row[1]: (row[0], row[2:])
            for row in self.database.execute(
                "select id, name, size, mtime_ns, ctime_ns, ino from file where parent = ? and died is null",
                (parent,),
            )
        }

    def parents_below(self, path: bytes) -> list[bytes]:
        """The folders at and below a path that hold live rows."""
        return [
            row[0]
            for row in self.database.execute(
                "select distinct parent from file where died is null and (parent = ? or (parent >= ? and parent < ?))",
                (path, *paths.below(path)),
            )
        ]

    # What the folder says ------------------------------------------------------------------------------------------

    def reconcile(
        self, parent: bytes, name: bytes, found: os.stat_result, known: tuple[int, tuple[int, ...]] | None
    ) -> bool:
        """Make the row of one regular file agree with `found`. True when its content has to be read (again)."""
        signature = _signature(found)
        if known is not None and known[1] == signature:
            return False
        if known is not None:
            # The old content stays searchable until the new one has been read: better a moment late than not found.
            self.database.execute(
                "update file set size=?, mtime_ns=?, ctime_ns=?, ino=?, mode=?, uid=?, gid=?, dirty=1, complete=0, error=null where id=?",
                (*signature, found.st_mode, found.st_uid, found.st_gid, known[0]),
            )
            return True
        twin = self.database.execute(
            "select digest, type, state, complete, error, name from file where ino = ? and mtime_ns = ? and size = ? and ctime_ns = ?"
            " and died is null and dirty = 0 limit 1",
            (signature[3], signature[1], signature[0], signature[2]),
        ).fetchone()
        kind = paths.suffix(name)
        if twin is not None and twin[2] in ("text", "other") and paths.suffix(twin[5]) == kind:
            # A folder was renamed behind the mount (its files keep their ctime), or this is a hard link: nothing to read.
            digest, type_, state, complete, error = twin[:5]
            dirty = 0
        else:
            digest, type_, state, complete, error, dirty = None, None, "new", 0, None, 1
        status = (found.st_mode, found.st_uid, found.st_gid)
        content = (digest, type_, kind, state, dirty, complete, error)
        self._insert_all([(parent, name, "file", *signature, *status, *content)])
        return bool(dirty)

    def touched(
        self,
        path: bytes,
        *,
        written: bool = False,
        doubtful: bool = False,
        busy: bool = False,
        behind: bool = False,
        echo: bool = False,
    ) -> str:
        """Something happened at `path`; what follows from it (`busy`: it is being written through the mount just now, so that its content
        is no version yet):

        "clean" nothing to read, "dirty" the content has to be read, "waiting" it had to be already, "folder" there is a
        folder there now. `written` says that bytes changed although the signature may not have (clock ticks of older kernels);
        `doubtful` that nobody knows: then it is read again, and goes on to be the same version. `behind`, `echo`: see `Entries.see`.
        """
        parent, name = paths.split(path)
        try:
            found = stat_beneath(self.root_fd, path)
        except OSError:
            self.kill_below(path)
            known = self.entries.row(path)
            self.entries.kill_at_or_below(path, gone=True)
            self._other_names(known)
            return "clean"
        directory = stat.S_ISDIR(found.st_mode)
        if found.st_dev != self.device:
            self.entries.kill_at_or_below(path, gone=False)
        elif not busy:
            self._see(path, found, written, behind, echo)
        if found.st_dev != self.device or self.ignore.verdict(path, directory):
            self.kill_below(path)
            return "folder" if directory else "clean"
        row = self.row(path)
        if directory:
            if row is not None:
                self.kill(row["id"])
            return "folder"
        if not stat.S_ISREG(found.st_mode):
            self.kill_below(path)
            return "clean"
        if row is None:
            self.kill_below(path)  # what was a folder a moment ago
            return "dirty" if self.reconcile(parent, name, found, None) else "clean"
        if self.reconcile(parent, name, found, (row["id"], tuple(row[column] for column in _SIGNATURE))):
            if found.st_nlink > 1:  # its other names have the new content too, and get no hint of their own
                self.database.execute(
                    "update file set dirty = 1, complete = 0 where ino = ? and ctime_ns != ? and died is null",
                    (paths.number(found.st_ino), paths.stamp(found.st_ctime_ns)),
                )
            return "dirty"
        if (written or doubtful) and not row["dirty"]:
            self.database.execute("update file set dirty = 1, complete = 0 where id = ?", (row["id"],))
            return "dirty"
        return "waiting" if row["dirty"] else "clean"

    def _see(self, path: bytes, found: os.stat_result, written: bool, behind: bool, echo: bool) -> None:
        """History: what is at `path` now."""
        if STATE in path.split(b"/"):
            return  # of another lsfs: its state is its own affair
        known = self.entries.row(path)
        if known is not None and stat.S_ISDIR(known.mode) and not stat.S_ISDIR(found.st_mode):
            self.entries.kill_at_or_below(path, gone=True)
            known = None
        indexed = stat.S_ISREG(found.st_mode) and self.ignore.verdict(path, False) is None
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            # its other names have the same bytes; they get no hint of their own
            for other in self.entries.hard_links(paths.number(found.st_ino), path):
                with contextlib.suppress(OSError):
                    there = stat_beneath(self.root_fd, other)
                    if there.st_ino == found.st_ino:
                        self._see_one(other, there, self.entries.row(other), written)
                        written = False
        self._see_one(path, found, known, written, indexed, behind, echo)

    def _see_one(
        self,
        path: bytes,
        found: os.stat_result,
        known: Entry | None,
        written: bool,
        indexed: bool | None = None,
        behind: bool = False,
        echo: bool = False,
    ) -> None:
        self.entries.see(
            *paths.split(path),
            found,
            known=known,
            extra=look(self.root_fd, path),
            indexed=bool(known and known.indexed) if indexed is None else indexed,
            written=written,
            behind=behind,
            echo=echo,
        )

    def moved(self, old: bytes, new: bytes, found: os.stat_result | None = None) -> None:
        """A rename through the mount: rows move with their digests, so nothing is read or embedded. `found`: what a file was just
        before it."""
        if old == new:
            return
        now, over = self._now(new), self.entries.row(new)
        if found is None:
            self.entries.moved(old, new, now=now)
        else:
            extra = look(self.root_fd, new)(found)
            self.entries.moved(old, new, found, extra, self.ignore.verdict(new, False) is None, now)
        self._other_names(over)
        rows = self._rows_at(old)
        self.kill_below(new)
        self._kill_all([row["id"] for row in rows])
        columns = [column.strip() for column in _COLUMNS.split(",")]
        moved = []
        for row in rows:
            path = paths.join(row["parent"], row["name"])
            target = new + path[len(old) :]
            if self.ignore.verdict(target, False):
                continue
            values = dict(row)
            values["parent"], values["name"] = paths.split(target)
            kind = paths.suffix(values["name"])
            if kind != values["suffix"]:
                values.update(suffix=kind, dirty=1, complete=0)
            if path == old:
                if now is None:
                    continue
                if [paths.number(now.st_ino), now.st_size, paths.stamp(now.st_mtime_ns)] != [
                    row[key] for key in ("ino", "size", "mtime_ns")
                ]:
                    values.update(dirty=1, complete=0)
                values.update(ctime_ns=paths.stamp(now.st_ctime_ns))
            moved.append([values[column] for column in columns])
        self._insert_all(moved)

    def exchanged(self, one: bytes, other: bytes) -> None:
        """Two names were exchanged through the mount."""
        self.entries.exchanged(one, other, {path: self._now(path) for path in (one, other)})

    def _now(self, path: bytes) -> os.stat_result | None:
        try:
            return stat_beneath(self.root_fd, path)
        except OSError:
            return None

    def _other_names(self, row: Entry | None) -> None:
        """The name that a row had went: the other names of the file have another ctime by that, and get no hint of their own."""
        if row is None or row.kind != stat.S_IFREG:
            return
        for other in self.entries.hard_links(row.ino, row.path):
            if (found := self._now(other)) is not None:
                self.entries.relinked(other, found)

    def _rows_at(self, path: bytes) -> list[sqlite3.Row]:
        cursor = self.database.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(
            _AT_OR_BELOW.format("*"), (*paths.split(path), path, *paths.below(path))
        ).fetchall()

    # What the engine says ------------------------------------------------------------------------------------------

    def record(self, outcomes: Iterable[dict]) -> None:
        """Write what the engine read. An outcome of a path that has no row any more is dropped: the path moved, and its
        row, still dirty, will be asked for under its new name."""
        for outcome in outcomes:
            row = self.row(outcome["path"])
            if row is None:
                continue
            if outcome["state"] == "secret":
                self.kill(row["id"])
                self.entries.hide(outcome["path"])
                continue
            seen = {column: outcome.get(column) or row[column] for column in _SIGNATURE}
            changed = any(seen[column] != row[column] for column in _SIGNATURE)
            if row["ino"] != seen["ino"] or (changed and not row["dirty"]):
                continue  # another file has come to this path since; what happened there has its own hint
            values = dict(row) | seen
            # Written again while it was being read: what is known is recorded, and it stays dirty.
            newer = (row["ctime_ns"], row["size"]) > (seen["ctime_ns"], seen["size"])
            values["dirty"] = int(row["dirty"] and newer)
            values.update(
                digest=outcome.get("digest"),
                type=outcome.get("type"),
                state=outcome["state"],
                complete=int(bool(outcome["complete"]) and not values["dirty"]),
                error=outcome.get("error"),
            )
            same = values["digest"] == row["digest"] and row["state"] == values["state"]
            if same or row["state"] == "new":
                self.database.execute(
                    "update file set size=?, mtime_ns=?, ctime_ns=?, ino=?, digest=?, type=?, state=?, dirty=?, complete=?, error=?"
                    " where id=?",
                    tuple(
                        values[key]
                        for key in (*_SIGNATURE, "digest", "type", "state", "dirty", "complete", "error")
                    )
                    + (row["id"],),
                )
            else:
                self.kill(row["id"])
                self._insert_all([[values[column.strip()] for column in _COLUMNS.split(",")]])

    def completed(self, digests: Iterable[bytes]) -> None:
        """All passages of these contents have vectors."""
        self.database.executemany(
            "update file set complete = 1 where digest = ? and died is null and dirty = 0 and complete = 0",
            [(digest,) for digest in digests],
        )

    def adopt(self, epoch: str, missing: Iterable[bytes], incomplete: Iterable[bytes]) -> None:
        """Agree with the index the engine opened: another epoch means that it was rebuilt from nothing."""
        if self._meta("index_epoch") != epoch:
            self.database.execute("insert or replace into meta values ('index_epoch', ?)", (epoch,))
            self.database.execute(
                "update file set dirty = 1, complete = 0, error = null where died is null and state != 'other'"
            )
            return
        for path in missing:
            self.database.execute(
                "update file set dirty = 1, complete = 0 where parent = ? and name = ? and died is null and dirty = 0",
                paths.split(path),
            )
        self.database.executemany(
            "update file set complete = 0 where digest = ? and died is null and complete = 1",
            [(digest,) for digest in incomplete],
        )

    # Questions about all of it --------------------------------------------------------------------------------------

    def counts(self) -> Counts:
        """The numbers for /status."""
        pending = self.database.execute(
            "select count(*) from file where died is null and complete = 0"
        ).fetchone()[0]
        failed = self.database.execute(
            "select count(*) from file where died is null and error is not null"
        ).fetchone()[0]
        return Counts(self._files, pending, min(self._count_unread(), pending), failed, self.sequence)

    def _count_unread(self) -> int:
        """Many are counted once a second only: the engine commits some files at a time, and each would count all the others."""
        now = time.monotonic()
        if self._unread <= FEW or now >= self._recount:
            self._unread = self.database.execute(
                "select count(*) from file where died is null and dirty = 1"
            ).fetchone()[0]
            self._recount = now + 1.0
        return self._unread

    def backlog(self, limit: int, after: int) -> list[tuple[int, bytes]]:
        """The next dirty rows by id: (id, path)."""
        rows = self.database.execute(
            "select id, parent, name from file where died is null and dirty = 1 and id > ? order by id limit ?",
            (after, limit),
        )
        return [(row_id, paths.join(parent, name)) for row_id, parent, name in rows]

    def knows(self, path: bytes) -> bool:
        """Is there anything at a path, in the folder or in the catalogue?"""
        try:
            stat_beneath(self.root_fd, path)
        except OSError:
            return bool(self._rows_at(path))
        return True

    def unread(self, within: bytes) -> list[int]:
        """The ids of the rows at or below `within` whose content has to be read."""
        low, high = paths.below(within)
        rows = self.database.execute(
            "select id from file where died is null and dirty = 1"
            " and (parent = ? or (parent >= ? and parent < ?) or (parent = ? and name = ?))",
            (within, low, high, *paths.split(within)),
        )
        return [row_id for (row_id,) in rows]

    def dirty_below(self, path: bytes) -> list[bytes]:
        """The files below a folder whose content has to be read."""
        rows = self.database.execute(
            "select parent, name from file where died is null and dirty = 1 and parent = ?"
            " union all select parent, name from file where died is null and dirty = 1 and parent >= ? and parent < ?",
            (path, *paths.below(path)),
        )
        return [paths.join(parent, name) for parent, name in rows]

    def pending(self, within: bytes, limit: int) -> list[bytes]:
        """Paths at or below `within` that are not wholly indexed, at most `limit` of them."""
        low, high = paths.below(within)
        rows = self.database.execute(
            "select parent, name from file where died is null and complete = 0"
            " and (parent = ? or (parent >= ? and parent < ?) or (parent = ? and name = ?)) limit ?",
            (within, low, high, *paths.split(within), limit),
        )
        return [paths.join(parent, name) for parent, name in rows]

    def errors(self, limit: int) -> list[tuple[bytes, str]]:
        """The files that could not be indexed, newest first."""
        rows = self.database.execute(
            "select parent, name, error from file where died is null and error is not null order by born desc limit ?",
            (limit,),
        )
        return [(paths.join(parent, name), error) for parent, name, error in rows]

    def forget_dead(self, seconds: float = GRACE_SECONDS) -> None:
        """Drop the rows that died more than `seconds` ago: until then their contents stay indexed, so that a file that
        comes back (a rename behind the mount, an undo) is not embedded again."""
        self.database.execute(
            "delete from file where died is not null and died_at < ?", (time.time() - seconds,)
        )
