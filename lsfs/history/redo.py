"""redo: what a rollback is about to do, written down before it does anything.

One commit puts a row for each step into `redo`; another one, with the rows of history, takes them out again. Whoever finds some of them
at a mount completes what was begun (`lsfs.history.act`). The first row, of kind `begin`, says what all of it is about.

    redo.kind    begin, or the kind of the change (`lsfs.history.plan`)
    redo.path    the scope, or the path of the change
    redo.entry   the row of history that is put back, if one is
    redo.step    msgpack: begin {stage, note, exact};
                 a change [number in the stage, inode that was staged, what shall be there, what was there]

Called in the catalogue's thread, inside its transaction.
"""

import sqlite3
import stat
from typing import Any, NamedTuple

import msgpack

from lsfs.history.entries import Entry
from lsfs.history.plan import ATTRIBUTES, CREATE, REMOVE, RESTORE

BEGIN = "begin"
LAST = "rollback"  # the key in `meta` of what `lsfs undo` takes back; of another user than the mount's, with his number


class Step(NamedTuple):
    """A change on its way. ino: of what is staged under `number`, 0 where nothing is."""

    number: int
    kind: str
    path: bytes
    ino: int
    old: Entry | None
    new: Entry | None

    @property
    def was_folder(self) -> bool:
        return self.old is not None and stat.S_ISDIR(self.old.mode)

    @property
    def is_folder(self) -> bool:
        return self.new is not None and stat.S_ISDIR(self.new.mode)

    @property
    def clears(self) -> bool:
        """Must what is there go before anything comes to its place?"""
        return self.kind == REMOVE or (self.kind == RESTORE and self.was_folder != self.is_folder)

    @property
    def places(self) -> bool:
        """Does something new come to the path?"""
        return self.kind in (CREATE, RESTORE)

    @property
    def dresses(self) -> bool:
        """Are attributes set in place?"""
        return self.kind == ATTRIBUTES or (self.places and self.is_folder)


class Task(NamedTuple):
    """All of a rollback. note: what `undo` has to know of it, {} where there is nothing to be undone; exact: nothing may be in the way."""

    scope: bytes
    stage: str
    note: dict[str, Any]
    steps: tuple[Step, ...]
    exact: bool = False


def write(database: sqlite3.Connection, task: Task) -> None:
    """From the commit of this on it must be completed."""
    database.execute("delete from redo")
    database.execute(
        "insert into redo (kind, path, step) values (?, ?, ?)",
        (
            BEGIN,
            task.scope,
            msgpack.packb(
                {"stage": task.stage, "note": task.note, "exact": task.exact},
                unicode_errors="surrogateescape",
            ),
        ),
    )
    database.executemany(
        "insert into redo (kind, path, entry, step) values (?, ?, ?, ?)",
        (
            (
                step.kind,
                step.path,
                None if step.new is None else step.new.id,
                msgpack.packb([step.number, step.ino, step.new, step.old]),
            )
            for step in task.steps
        ),
    )


def read(database: sqlite3.Connection) -> Task | None:
    """What was begun and not completed."""
    rows = database.execute("select kind, path, step from redo order by id").fetchall()
    if not rows or rows[0][0] != BEGIN:
        return None
    begin = msgpack.unpackb(rows[0][2], unicode_errors="surrogateescape")
    steps = []
    for kind, path, packed in rows[1:]:
        number, ino, new, old = msgpack.unpackb(packed)
        steps.append(Step(number, kind, path, ino, old and Entry(*old), new and Entry(*new)))
    return Task(rows[0][1], begin["stage"], begin["note"], tuple(steps), begin.get("exact", False))


def done(database: sqlite3.Connection, note: dict[str, Any]) -> None:
    """It is completed: what undoes it is kept."""
    database.execute("delete from redo")
    if note:
        remember(database, note)


def remember(database: sqlite3.Connection, note: dict[str, Any]) -> None:
    """This is what `lsfs undo` of a user takes back next."""
    key = _key(note.get("who", 0))
    database.execute(
        "insert or replace into meta values (?, ?)",
        (key, msgpack.packb(note, unicode_errors="surrogateescape")),
    )


def last(database: sqlite3.Connection, who: int = 0) -> dict[str, Any] | None:
    """What `lsfs undo` of a user takes back: {scope, before, what, who}; {paths} where it was about nothing else in the scope, {undone}
    where it may have been an undo itself (`undone`). who: 0 is the mount's owner, and root."""
    row = database.execute("select value from meta where key = ?", (_key(who),)).fetchone()
    return None if row is None else msgpack.unpackb(row[0], unicode_errors="surrogateescape")


def undone(note: dict[str, Any]) -> bool:
    """Was it an undo, so that taking it back does something again?"""
    return note.get("undone", note["what"].startswith("before ") and "paths" in note)


def _key(who: int) -> str:
    return f"{LAST} {who}" if who else LAST
