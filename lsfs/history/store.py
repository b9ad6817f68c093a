"""The state folder: its lock, its history database, and the versions of their layout.

<folder>/.lsfs/            0700, ignored by git, hidden from the mount
    lock                   held with flock(2) by the daemon for as long as it runs
    history.db             SQLite, WAL, synchronous=FULL; written by the daemon alone, read by the engine
    packs/                 the pieces of large contents (`lsfs.history.objects`)
    held/                  what was overwritten or removed a moment ago (`lsfs.history.guard`), what a rollback makes ready
    vectors.db, index/     the engine's: durable embeddings, and what can be rebuilt from them
    link.key, serve        what signs links, and where they are served (`lsfs.links`)
    daemon.log, engine.log

Ownership: `State` is made once by the daemon, before the mount, and closed last of all.
"""

import contextlib
import errno
import fcntl
import os
import pathlib
import sqlite3
import stat
import urllib.parse

from lsfs.config import STATE
from lsfs.history import objects
from lsfs.refusals import NoPermission, StateHeld, StateNewer, StateUnusable

SCHEMA = 2
INCREMENTAL = 2  # of `pragma auto_vacuum`

# Rows are temporal: a row is visible at every sequence S with born <= S < died. A folder scope is a range of `parent`,
# a hit is a digest; both are asked by the engine in the middle of a search, hence the indexes.
TABLES = """
create table meta (key text primary key, value) without rowid;
create table file (
    id integer primary key, parent blob not null, name blob not null, kind text not null,
    size integer not null, mtime_ns integer not null, ctime_ns integer not null, ino integer not null,
    mode integer not null, uid integer not null, gid integer not null,
    digest blob, type text, suffix text not null, state text not null,
    dirty integer not null, complete integer not null, error text,
    born integer not null, died integer, died_at real);
create unique index file_live on file (parent, name) where died is null;
create index file_digest on file (digest) where died is null;
create index file_any_digest on file (digest);
create index file_moved on file (ino, mtime_ns) where died is null;
create index file_dirty on file (id) where died is null and dirty = 1;
create index file_pending on file (parent) where died is null and complete = 0;
create index file_failed on file (born) where died is null and error is not null;
create index file_died on file (died_at) where died is not null;
create virtual table path_words using fts5 (words, tokenize = 'porter unicode61 remove_diacritics 2');
create table question (folder blob not null, prompt text not null, born integer not null, died integer, kept blob);
create unique index question_live on question (folder, prompt) where died is null;
"""

# The second step: history. `file` is the index's own catalogue of what is there now; `entry` is what was there, always: everything
# below the folder, ignored files too. A cell (`content`) is shared by the rows whose bytes are the same; until they are captured, the
# live file that its live row names is the content itself.
HISTORY = f"""
create table moment (sequence integer primary key, at real not null, sum blob not null, chain blob not null,
    pruned integer not null default 0);
create index moment_at on moment (at);
create table entry (
    id integer primary key, parent blob not null, name blob not null, mode integer not null, uid integer not null, gid integer not null,
    size integer not null, mtime_ns integer not null, ctime_ns integer not null, ino integer not null,
    target blob, xattrs blob, content integer, source integer, indexed integer not null,
    born integer not null, died integer, gone integer not null default 0);
create unique index entry_live on entry (parent, name) where died is null;
create index entry_past on entry (parent, name, born);
create index entry_content on entry (content) where content is not null;
create index entry_ino on entry (ino);
create index entry_source on entry (source) where source is not null;
create index entry_died on entry (died) where died is not null;
create index entry_born on entry (born);
create table content (id integer primary key, size integer not null, digest blob, held text, captured integer);
create index content_digest on content (digest) where digest is not null;
create index content_held on content (id) where held is not null;
create index content_waiting on content (id) where digest is null;
create index content_captured on content (captured) where captured is not null;
{objects.TABLES}
create table snapshot (name blob primary key, sequence integer not null, made real not null, automatic integer not null default 0);
create index snapshot_sequence on snapshot (sequence);
create table dead_path (id integer primary key, parent blob not null, name blob not null, unique (parent, name));
create virtual table dead_path_words using fts5 (words, tokenize = 'porter unicode61 remove_diacritics 2');
create table redo (id integer primary key, kind text not null, path blob not null, entry integer, step blob);
create table tombstone (digest blob primary key, path blob not null, purged real not null, uid integer not null);
insert into meta values ('journal', 0);
"""


class State:
    """The opened state folder of one mount.

    Raises `StateHeld` when another daemon has it, `StateNewer` when a later lsfs wrote it, `StateUnusable` when its
    database cannot be read, `NoPermission` when it cannot be made or written.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        try:
            if not self.folder.exists():
                self.folder.mkdir(mode=0o700, parents=True)
            refuse_links(self.folder)
            if self.folder.name == STATE and stat.S_IMODE(os.stat(self.folder).st_mode) & 0o077:
                os.chmod(self.folder, 0o700)  # no other folder that we did not make is changed
            ignored = self.folder / ".gitignore"
            if not ignored.exists():
                ignored.write_text("*\n")
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NoPermission(
                f"The state folder {self.folder} cannot be made or written ({error.strerror}). "
                "Name another one with --state DIR."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            raise StateHeld(
                f"Another lsfs daemon is using {self.folder}. Unmount it first, or give this mount its own --state DIR."
            ) from error
        try:
            self.database = open_history(self.folder / "history.db")
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Close the database, then let the lock go."""
        self.database.close()
        os.close(self._lock)


def refuse_links(folder: pathlib.Path) -> None:
    """A folder may come from anywhere, its .lsfs with it: nothing in there leads us to write elsewhere.

    Raises `StateUnusable` when the state folder, or one of its files, is a symlink.
    """
    held = folder / "held"
    below = sorted(held.iterdir()) if held.is_dir() and not held.is_symlink() else []
    for path in (folder, *sorted(folder.iterdir()), *below):
        if path.is_symlink():
            raise StateUnusable(
                f"{path} is a symlink, and lsfs writes through none: remove it, or name another --state DIR."
            )


def open_history(path: pathlib.Path) -> sqlite3.Connection:
    """Open or make history.db. The connection may be used by one thread at a time; the caller's limiter sees to that."""
    try:
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        database.execute(f"pragma auto_vacuum = {INCREMENTAL}")  # before there is anything in it
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.execute("pragma busy_timeout = 5000")
        version = database.execute("pragma user_version").fetchone()[0]
        if version > SCHEMA:
            database.close()
            raise StateNewer(
                f"{path} was written by a newer lsfs (layout {version}, this one knows {SCHEMA}). "
                "Upgrade lsfs, or name another --state DIR."
            )
        if version < SCHEMA:
            migrate(database, version)
        give_back(database)
    except sqlite3.DatabaseError as error:
        raise StateUnusable(
            f"{path} cannot be read as a database ({error}). "
            "Move it away to start anew; the files of the folder are not in it."
        ) from error
    return database


def give_back(database: sqlite3.Connection) -> None:
    """Have the database give free pages back to the file system, bit by bit (`lsfs.history.collect`). One that was made without that is
    written anew, once; where there is no room for it, it stays as it is."""
    if database.execute("pragma auto_vacuum").fetchone()[0] != INCREMENTAL:
        with contextlib.suppress(sqlite3.OperationalError):
            database.execute(f"pragma auto_vacuum = {INCREMENTAL}")
            database.execute("vacuum")


def open_read_only(path: pathlib.Path) -> sqlite3.Connection:
    """A connection that only reads history.db, which is there. For one thread at a time."""
    database = sqlite3.connect(
        f"file:{urllib.parse.quote(os.fsencode(path))}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    database.execute("pragma busy_timeout = 5000")
    return database


def migrate(database: sqlite3.Connection, version: int) -> None:
    """Bring a database from layout `version` to SCHEMA, one step at a time, each in one transaction."""
    steps = {0: TABLES + "insert into meta values ('sequence', 0);", 1: HISTORY}
    while version < SCHEMA:
        database.executescript(
            f"begin immediate; {steps[version]} pragma user_version = {version + 1}; commit;"
        )
        version += 1
