"""carry: a plan carried out, and completed after a kill.

    stage   new inodes with the old contents are made beside the folder, and synced
    gate    operations that change something wait for a moment; where the scope has moved since the plan, `Moved` says so
    log     the steps are written down in one commit: from here on it is completed, by the next mount if this one is killed
    act     each staged inode is exchanged with what is there, which so is kept; sync; one commit with the rows, which ends it
    tell    the kernel forgets what is not so any more, the index hears of it

Threading: in the loop. Contents are written in a thread; log and act have the catalogue's thread to themselves, so that nothing is noted
between the two. A kill before `log` leaves a stage, which the next mount removes.
"""

import contextlib
import errno
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import trio

from lsfs.history import back, disk, redo
from lsfs.history.act import Act
from lsfs.history.contents import Missing
from lsfs.history.entries import Entry
from lsfs.history.past import Bytes, Changed
from lsfs.history.plan import Change, Plan, within
from lsfs.history.redo import Step, Task
from lsfs.history.stage import Stage, sweep
from syscalls.errors import Exists, LsfsError

if TYPE_CHECKING:
    from lsfs.history.history import History

TRIES = 4  # of a content that changes while it is read
PAUSES = (0.1, 0.5, 2.0)  # seconds between tries to write what has been done


class Busy(LsfsError):
    """Somebody has a file open for writing."""

    errno = errno.EBUSY


class NoRoom(LsfsError):
    """The disk has not got the room."""

    errno = errno.ENOSPC


class Refused(LsfsError):
    """The disk refused a step; everything is as it was."""

    errno = errno.EIO


class Moved(Exception):
    """The scope is not what the plan says any more."""


class Carry:
    """What carries plans out. The daemon sets the four callables.

    writers  the paths that somebody has open for writing
    gate     while it is entered, what would change something through the mount waits
    stale    tells the kernel that a path is another one
    hook     told of each step; tests end the process in it
    """

    def __init__(self, history: "History") -> None:
        self.history = history
        self.writers: Callable[[], frozenset[bytes]] = frozenset
        self.gate: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
        self.stale: Callable[[bytes], None] = lambda path: None
        self.hook: Callable[[str], None] = lambda what: None
        self.trouble: str | None = None
        self._litter: list[Stage] = []

    @property
    def pending(self) -> bool:
        """Has one been begun, and not completed?"""
        return redo.read(self.history.past.database) is not None

    async def out(
        self, plan: Plan, note: dict[str, Any] | None, *, force: bool, staged: Callable[[], Any] | None = None
    ) -> dict[bytes, str]:
        """Carry a plan out: the paths that were left alone, and why. `note` is what `undo` is to know of it; without one nothing
        may be in the way. `staged` is awaited once all is made ready.

        Raises Moved, Busy, NoRoom, Missing, Refused, Exists, and has changed nothing then."""
        stage = Stage(self.history.held)
        try:
            steps = await self._stage(stage, plan)
            if staged is not None:
                await staged()
            task = Task(plan.scope, stage.name, note or {}, steps)
            return await self._act(stage, task, plan, force, exact=note is None)
        finally:
            self._litter.append(stage)

    async def tidy(self) -> None:
        """Remove what was made ready, and what came in its place and history does not need; nobody waits for that."""
        with trio.CancelScope(shield=True):
            while self._litter:
                await trio.to_thread.run_sync(self._clean, self._litter.pop())

    def in_the_way(self, scope: bytes) -> list[bytes]:
        """What at or below a path somebody has open for writing."""
        return sorted(path for path in self.writers() if within(path, scope))

    def refuse_writers(self, scope: bytes) -> None:
        """Raises Busy where there are some."""
        open_ = self.in_the_way(scope)
        if open_:
            raise Busy(
                f"{os.fsdecode(open_[0])} is open for writing; wait until it is closed, or say --force."
            )

    # Staging ------------------------------------------------------------------------------------------------------------

    async def _stage(self, stage: Stage, plan: Plan) -> tuple[Step, ...]:
        for _ in range(TRIES):
            try:
                return await trio.to_thread.run_sync(self._staged, stage, plan)
            except (
                Changed
            ):  # the live file that it was has just been changed; what it was is about to be stored
                await trio.to_thread.run_sync(self._clean, stage)
                await self.history.settled()
        return await trio.to_thread.run_sync(self._staged, stage, plan)

    def _staged(self, stage: Stage, plan: Plan) -> tuple[Step, ...]:
        """In a thread: all that the plan needs, on the disk."""
        past = self.history.past.another()
        steps: list[Step] = []
        made: dict[tuple[Any, ...], str] = {}
        try:
            for number, change in enumerate(plan.changes):
                ino = self._one(stage, str(number), change, past.open, made) if change.staged else 0
                steps.append(Step(number, change.kind, change.path, ino, change.old, change.new))
        finally:
            past.close()
        if any(step.ino for step in steps):
            stage.fd()
            disk.sync(self.history.root_fd)
        self.hook("staged")
        return tuple(steps)

    def _one(
        self,
        stage: Stage,
        name: str,
        change: Change,
        open_: Callable[[Entry], Bytes],
        made: dict[tuple[Any, ...], str],
    ) -> int:
        row = change.new
        assert row is not None
        try:
            key = (row.ino, row.content, row.mode, row.uid, row.gid, row.mtime_ns)
            twin = made.get(key) if row.content is not None else None  # they were one file with two names
            if twin is not None:
                return stage.link(twin, name).ino
            made[key] = name
            return stage.make(name, row, open_).ino
        except Changed as error:
            raise Changed(f"{os.fsdecode(change.path)} cannot be put back: {error}") from None
        except (Missing, EOFError) as error:
            raise Missing(f"{os.fsdecode(change.path)} cannot be put back: {error}") from None
        except OSError as error:
            what = f"{os.fsdecode(change.path)} cannot be made ready ({error.strerror}); nothing was rolled back."
            raise (NoRoom if error.errno in (errno.ENOSPC, errno.EDQUOT) else Refused)(what) from error

    def _clean(self, stage: Stage) -> None:
        """Remove a stage, but what history keeps in it."""
        past = self.history.past.another()
        try:
            task = redo.read(past.database)
            if task is not None and task.stage == stage.name:
                return  # the next mount completes it
            stage.close(name.partition("/")[2] for name in back.held(past, stage.name))
        finally:
            past.close()

    # Acting -------------------------------------------------------------------------------------------------------------

    async def _act(
        self, stage: Stage, task: Task, plan: Plan, force: bool, exact: bool = False
    ) -> dict[bytes, str]:
        history = self.history
        with self.gate():
            if not force:
                self.refuse_writers(plan.scope)
            await history.noted(5.0)
            with trio.CancelScope(shield=True):
                written = self.writers()
                act = Act(history.root_fd, stage, task.steps, exact=exact, written=written, hook=self.hook)
                await history.follow.alone(self._commit, act, task, plan.sequence)
                for change in plan.changes:
                    self.stale(change.path)
        assert history.capture is not None
        history.capture.committed(True)
        for change in plan.changes:
            history.follow.restored(change.path)
        return act.left

    def _commit(self, act: Act, task: Task, sequence: int) -> None:
        """In the catalogue's thread, which nobody else has meanwhile."""
        catalogue, database = self.history.follow.catalogue, self.history.database
        past = self.history.past.another()
        try:
            if back.moved(past, task.scope, sequence):
                raise Moved
            if task.note:
                task.note["before"] = past.sequence()
        finally:
            past.close()
        with catalogue.transaction():
            redo.write(database, task)
        self.hook("logged")
        try:
            act.disk()
            disk.sync(self.history.root_fd)
        except OSError as error:
            act.back()
            with contextlib.suppress(OSError):
                disk.sync(self.history.root_fd)
            with catalogue.transaction():
                redo.done(database, {})
            if isinstance(error, FileExistsError):
                raise Exists(f"Something came to {_name(error)} meanwhile; give another path.") from error
            raise Refused(
                f"{_name(error)} cannot be changed ({error.strerror}); everything is as it was. See to it, and try again."
            ) from error
        self.hook("synced")
        for pause in (*PAUSES, None):
            try:
                self._finish(act, task)
                break
            except sqlite3.Error:
                if pause is None:
                    raise
                time.sleep(pause)
        self.hook("committed")

    def _finish(self, act: Act, task: Task) -> None:
        catalogue, capture = self.history.follow.catalogue, self.history.capture
        assert capture is not None
        with catalogue.transaction():
            act.rows(catalogue, capture)
            redo.done(self.history.database, task.note)

    # After a kill -------------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Before anything is served: complete what was begun; remove what was only made ready."""
        task = redo.read(self.history.database)
        if task is not None:
            stage = Stage(self.history.held, task.stage)
            act = Act(self.history.root_fd, stage, task.steps)
            try:
                act.disk()
                disk.sync(self.history.root_fd)
                self._finish(act, task)
            except (OSError, sqlite3.Error) as error:
                self.trouble = f"A rollback that was cut off cannot be completed ({error}); see to the disk, and mount again."
                return
            finally:
                self._clean(stage)
        sweep(self.history.held, back.held(self.history.past, ""))


def _name(error: OSError) -> str:
    return os.fsdecode(error.filename) if error.filename else "A path"
