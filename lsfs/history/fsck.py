"""fsck: is the state folder what it should be? One function a check; each yields what it finds.

    database   SQLite's own word: pages, indexes, the words of paths               `fsck_database`
    chain      the sums of the moments, and the chain of them; before any repair     `fsck_chain`
    snapshots  names for sequences that have not come yet
    relations  rows that name rows which are not there                                 `fsck_relations`
    intervals  two things at one path at one time, rows that died before they were born
    contents   cells, objects, chunks, packs; with --data every byte of them         `fsck_contents`
    left       what a kill left: held files, journal, stages, a rollback              `fsck_left`
    index      words.db, vectors.db, Lance                                              `fsck_index`
    folder     the rows of what is there now, and the folder                             `fsck_folder`

A finding harms or it does not: what a kill leaves and the next mount takes up, or what changed in the folder while nothing was mounted,
is said, and is no fault. Without repair everything is read over connections that only read, while the folder is mounted too; with it, the
caller has the lock of the state folder (`lsfs.history.store.State`).

What a repair has to take out of history, it takes out as retention does: the sums that it touches prove nothing any more, and say so. A
content that is damaged is lost; where its live file is there, that is the content itself again, and is captured anew.
"""

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lsfs.config import STATE
from lsfs.history import paths
from lsfs.history.contents import Contents
from lsfs.history.held import Held
from lsfs.history.objects import Objects
from lsfs.history.store import open_read_only
from lsfs.refusals import NoPermission, StateUnusable

log = logging.getLogger(__name__)

MOST = 1000  # findings of one check that are told


class Finding(NamedTuple):
    """thing: a path or a part of the store. can: what can be done. repaired: whether it was; None where nothing was tried."""

    check: str
    thing: str
    wrong: str
    can: str
    harm: bool = True
    repaired: bool | None = None

    @property
    def left(self) -> bool:
        """Is there a fault that is still there?"""
        return self.harm and not self.repaired

    def __str__(self) -> str:
        done = {True: "repaired", False: "not repaired", None: self.can}
        return f"{self.thing}: {self.wrong}: {done[self.repaired]}"


@dataclass
class Store:
    """The state folder that is looked at. mounted: a daemon is at work in it meanwhile. repair: then `database` may be written."""

    folder: Path | None
    state: Path
    database: sqlite3.Connection
    held: Held
    repair: bool = False
    data: bool = False
    mounted: bool = False

    def __post_init__(self) -> None:
        self.contents = Contents(self.database, self.state)

    def one(self, query: str, *values: object) -> int:
        """The one number that a query answers."""
        row = self.database.execute(query, values).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])

    def fresh(self) -> None:
        """See what a daemon has committed meanwhile: what is damaged may only have been removed."""
        if self.database.in_transaction and not self.repair:
            self.database.execute("rollback")
            self.database.execute("begin")

    def objects(self) -> Objects:
        """The writing side; only for repairs."""
        assert self.repair
        return Objects(self.database, self.state)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A repair: all of it or nothing."""
        assert self.repair
        self.database.execute("begin immediate")
        try:
            yield
            self.database.execute("commit")
        except BaseException:
            if self.database.in_transaction:
                self.database.execute("rollback")
            raise

    def unsummed(self, *sequences: int | None) -> None:
        """These moments lose rows: their sums prove nothing from now on."""
        self.database.executemany(
            "update moment set pruned = pruned | 1 where sequence = ?",
            ((sequence,) for sequence in {*sequences} - {None}),
        )

    def lose(self, cell: int) -> None:
        """The bytes of a cell are not in the store (any more). In a transaction."""
        self.unsummed(self.one("select captured from content where id = ?", cell) or None)
        self.database.execute(
            "update content set digest = null, captured = null, held = null where id = ?", (cell,)
        )
        if self.folder is None:
            return
        # A live file may be the content again: what it is called may have changed since anybody looked, and its ctime with it.
        live = "select id, parent, name, size, mtime_ns, ino from entry where content = ? and died is null"
        for id, parent, name, *signature in self.database.execute(live, (cell,)).fetchall():
            with suppress(OSError):
                found = os.lstat(os.path.join(os.fsencode(self.folder), paths.join(parent, name)))
                if [*paths.signature(found)] == signature:
                    self.database.execute(
                        "update entry set ctime_ns = ? where id = ?", (paths.stamp(found.st_ctime_ns), id)
                    )


Check = Callable[[Store], Iterator[Finding]]


class Row(NamedTuple):
    """A check by its name."""

    name: str
    check: Check


def checks() -> tuple[Row, ...]:
    """All of them, in the order in which they run: what a repair of one does is seen by the next, so the chain comes first."""
    from lsfs.history import (
        fsck_chain,
        fsck_contents,
        fsck_database,
        fsck_folder,
        fsck_index,
        fsck_left,
        fsck_relations,
    )

    return (
        Row("database", fsck_database.database),
        Row("words", fsck_database.words),
        Row("sequence", fsck_relations.sequence),
        Row("snapshots", fsck_chain.snapshots),
        Row("moments", fsck_chain.moments),
        Row("chain", fsck_chain.chain),
        Row("relations", fsck_relations.relations),
        Row("intervals", fsck_relations.intervals),
        Row("paths", fsck_relations.dead_paths),
        Row("left", fsck_left.left),
        Row("held", fsck_left.held),
        Row("objects", fsck_contents.objects),
        Row("chunks", fsck_contents.chunks),
        Row("data", fsck_contents.data),
        Row("cells", fsck_contents.cells),
        Row("orphans", fsck_contents.orphans),
        Row("packs", fsck_contents.packs),
        Row("passages", fsck_index.passages),
        Row("vectors", fsck_index.vectors),
        Row("lance", fsck_index.lance),
        Row("folder", fsck_folder.folder),
    )


def run(store: Store) -> Iterator[Finding]:
    """What is found, check by check. A database that cannot be read ends it."""
    for row in checks():
        try:
            if not store.repair:  # all of a check sees one state, whatever a daemon does meanwhile
                store.database.execute("begin")
            yield from row.check(store)
            if store.database.in_transaction:
                store.database.execute("rollback")
        except sqlite3.DatabaseError as error:
            yield Finding(
                row.name,
                "history.db",
                f"cannot be read ({error})",
                "restore the state folder from a copy, or move it away",
            )
            return


@contextmanager
def opened(folder: Path | None, state: Path, *, repair: bool = False, data: bool = False) -> Iterator[Store]:
    """A state folder, as `run` wants it. Raises StateHeld, StateNewer, StateUnusable, NoPermission as a mount does."""
    with ExitStack() as stack:
        database = stack.enter_context(_writing(state) if repair else _reading(state))
        held = Held((folder / STATE if folder is not None else state) / "held")
        if repair:
            stack.callback(held.close)
        yield Store(folder, state, database, held, repair, data, mounted=not repair and is_held(state))


def _writing(state: Path) -> AbstractContextManager[sqlite3.Connection]:
    from lsfs.history.store import State

    @contextmanager
    def made() -> Iterator[sqlite3.Connection]:
        opened = State(state)
        try:
            yield opened.database
        finally:
            opened.close()

    _there(state)
    return made()


def _reading(state: Path) -> AbstractContextManager[sqlite3.Connection]:
    from lsfs.history.store import SCHEMA, refuse_links
    from lsfs.refusals import StateNewer

    _there(state)
    refuse_links(state)

    @contextmanager
    def made() -> Iterator[sqlite3.Connection]:
        database = open_read_only(state / "history.db")
        try:
            version = database.execute("pragma user_version").fetchone()[0]
            if version > SCHEMA:
                raise StateNewer(
                    f"{state}/history.db was written by a newer lsfs (layout {version}); upgrade lsfs."
                )
            if version < SCHEMA:
                raise StateUnusable(
                    f"{state}/history.db has an older layout ({version}); mount the folder once, or use --repair, to bring it up to date."
                )
            yield database
        except sqlite3.DatabaseError as error:
            raise StateUnusable(f"{state}/history.db cannot be read as a database ({error}).") from error
        finally:
            database.close()

    return made()


def _there(state: Path) -> None:
    try:
        there = (state / "history.db").exists()
    except PermissionError as error:
        raise NoPermission(f"You may not read {state}.") from error
    if not there:
        raise StateUnusable(f"{state} is no state folder of lsfs: there is no history.db in it.")


def is_held(state: Path) -> bool:
    """Does a daemon have the lock of a state folder? It is not asked for, so that a mount that begins just now is not refused."""
    try:
        found = os.stat(state / "lock")
    except OSError:
        return False
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:  # no /proc here: then it has to be tried
        return _tried(state / "lock")
    return any(" FLOCK " in line and line.split()[5].endswith(f":{found.st_ino}") for line in lines)


def _tried(lock: Path) -> bool:
    fd = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False
