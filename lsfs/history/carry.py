"""carry: a plan carried out, and completed after a kill.

    stage   new inodes with the old contents are made beside the folder, and synced
    gate    operations that change something wait for a moment; where the scope has moved since the plan, `Moved` says so
    log     the steps are written down in one commit: from here on it is completed, by the next mount if this one is killed
    act     each staged inode is exchanged with what is there, which so is kept; sync; one commit with the rows, which ends it
    tell    the kernel forgets what is not so any more, the index hears of it

Threading: in the loop. Contents are written in a thread; log and act have the catalogue's thread to themselves, so that nothing is noted
between the two. A kill before `log` leaves a stage, which the next mount removes. Where a step is refused, all the others are taken back;
what cannot be, as something else came to its path, becomes a version: nothing that was in the folder is removed before history names it.
"""

import contextlib
import errno
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import trio

from lsfs.history import back, disk, redo
from lsfs.history.act import Act
from lsfs.history.capture import Capture
from lsfs.history.catalogue import Catalogue
from lsfs.history.contents import Missing
from lsfs.history.entries import Entry
from lsfs.history.past import Bytes, Changed
from lsfs.history.plan import Change, Plan, within
from lsfs.history.redo import Step, Task
from lsfs.history.stage import Stage, sweep
from syscalls.errors import Busy, Exists, LsfsError, NoRoom
from syscalls.values import Viewer

if TYPE_CHECKING:
    from lsfs.history.history import History

MOST = 5  # paths that a sentence names
TRIES = 4  # of a content that changes while it is read
AT_ONCE = 1 << 20  # bytes of new contents that are captured in the commit which names them
TELLING = 2.0  # seconds that an edit waits until the kernel has forgotten what is there
LATE = 0.1  # seconds that who looks waits for it, where it had not by then
PAUSES = (0.1, 0.5, 2.0)  # seconds between tries to write what has been done

log = logging.getLogger(__name__)


class Refused(LsfsError):
    """The disk refused a step; what was done is taken back."""

    errno = errno.EIO


class Forbidden(Refused):
    """The same, as the disk does not allow it: an immutable file, one that is only appended to."""

    errno = errno.EPERM


class Unnoted(LsfsError):
    """All is done to the folder, and history cannot say so yet."""

    errno = errno.EIO


class Moved(Exception):
    """The scope is not what the plan says any more."""


Fresh = Callable[[Entry], Bytes | None]
"""The bytes of a row that history has not got; None where it has."""


class Carry:
    """What carries plans out. The daemon sets the callables.

    writers  the paths that somebody has open for writing
    gate     while it is entered, what would change something through the mount waits
    locked   raises NotPermitted where one of these paths is locked, or something in it is; or the file that `found` is of, under another
             name; what it says is for `viewer` (`lsfs.locks.Locks.refuse`)
    veil     while it is entered, who looks at something through the mount waits, so that nobody sees one half of an edit
    stale    tells the kernel that a path is another one
    unsettled  (paths): the kernel forgets these, and keeps none of them while it is entered
    told     waits, so many seconds at most and in a thread, until the kernel has heard all that; says whether it has
    hook     told of each step; tests end the process in it
    """

    def __init__(self, history: "History") -> None:
        self.history = history
        self.writers: Callable[[], frozenset[bytes]] = frozenset
        self.gate: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
        self.locked: Callable[..., None] = lambda some, found=None, viewer=None: None
        self.veil: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
        self.stale: Callable[[bytes], None] = lambda path: None
        self.unsettled: Callable[[Collection[bytes]], AbstractContextManager[Any]] = contextlib.nullcontext
        self.told: Callable[[float], bool] = lambda seconds: True
        self.hook: Callable[[str], None] = lambda what: None
        self.trouble: str | None = None
        self._litter: list[Stage] = []
        self._uncaptured: dict[int, bytes] = {}

    @property
    def pending(self) -> bool:
        """Has one been begun, and not completed?"""
        return redo.read(self.history.past.database) is not None

    async def out(
        self,
        plan: Plan,
        note: dict[str, Any] | None,
        viewer: Viewer,
        *,
        force: bool,
        staged: Callable[[], Any] | None = None,
        fresh: Fresh | None = None,
    ) -> dict[bytes, str]:
        """Carry a plan out: the paths that were left alone, and why. `note` is what `undo` is to know of it; without one nothing
        may be in the way. `staged` is awaited once all is made ready. `fresh` is that of an edit: nothing may be in the way, nothing is
        left alone, and nobody sees one half of it.

        Raises Moved, Busy, NotPermitted, NoRoom, Missing, Refused, Exists, and has changed nothing then, but for what Refused says;
        Unnoted, and all is done then."""
        self.refuse_locked(plan, viewer)
        stage = Stage(self.history.held)
        try:
            steps = await self._stage(stage, plan, fresh)
            if staged is not None:
                await staged()
            exact = note is None or fresh is not None
            task = Task(plan.scope, stage.name, note or {}, steps, exact=exact)
            return await self._act(stage, task, plan, viewer, force=force, edit=fresh is not None)
        finally:
            self._litter.append(stage)

    async def tidy(self) -> None:
        """Remove what was made ready, and what came in its place and history does not need; nobody waits for that."""
        with trio.CancelScope(shield=True):
            litter, self._litter = self._litter, []
            for stage in litter:
                if not await trio.to_thread.run_sync(self._cleaned, stage):
                    self._litter.append(stage)

    def in_the_way(self, places: Collection[bytes], viewer: Viewer) -> list[bytes]:
        """What at or below these paths somebody has open for writing, of that which `viewer` may read."""
        readable = self.history.follow.readable
        return sorted(path for path in self._open(places) if viewer.uid == 0 or readable(path, viewer))

    def refuse_writers(self, places: Collection[bytes], viewer: Viewer, *, edit: bool = False) -> None:
        """Raises Busy where there are some; it names one only where `viewer` may read it."""
        if self._open(places):
            named = [os.fsdecode(path) for path in self.in_the_way(places, viewer)] or ["Something in it"]
            forced = "" if edit else ", or say --force"
            raise Busy(f"{named[0]} is open for writing; wait until it is closed{forced}.")

    def refuse_locked(self, plan: Plan, viewer: Viewer) -> None:
        """Raises NotPermitted where something that a plan changes is locked, whoever asks."""
        self.locked((change.path for change in plan.changes), viewer=viewer)

    def _open(self, places: Collection[bytes]) -> list[bytes]:
        writers = self.writers()
        return [path for path in writers if any(within(path, place) for place in places)] if writers else []

    # Staging ------------------------------------------------------------------------------------------------------------

    async def _stage(self, stage: Stage, plan: Plan, fresh: Fresh | None) -> tuple[Step, ...]:
        for _ in range(TRIES):
            try:
                return await trio.to_thread.run_sync(self._staged, stage, plan, fresh)
            except (
                Changed
            ):  # the live file that it was has just been changed; what it was is about to be stored
                await trio.to_thread.run_sync(self._clean, stage)
                await self.history.settled()
        return await trio.to_thread.run_sync(self._staged, stage, plan, fresh)

    def _staged(self, stage: Stage, plan: Plan, fresh: Fresh | None) -> tuple[Step, ...]:
        """In a thread: all that the plan needs, on the disk."""
        past = self.history.past.another()
        steps: list[Step] = []
        made: dict[tuple[Any, ...], str] = {}

        def open_(row: Entry) -> Bytes:
            return (fresh(row) if fresh is not None else None) or past.open(row)

        try:
            for number, change in enumerate(plan.changes):
                ino = self._one(stage, str(number), change, open_, made) if change.staged else 0
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
            what = f"{os.fsdecode(change.path)} cannot be made ready ({error.strerror}); nothing was changed."
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

    def _cleaned(self, stage: Stage) -> bool:
        """The same; False where it has to be tried again."""
        try:
            self._clean(stage)
        except (OSError, sqlite3.Error) as error:
            log.warning("%s, which a rollback left, cannot be removed yet: %s", stage.name, error)
            return False
        return True

    # Acting -------------------------------------------------------------------------------------------------------------

    async def _act(
        self, stage: Stage, task: Task, plan: Plan, viewer: Viewer, *, force: bool, edit: bool
    ) -> dict[bytes, str]:
        """viewer: who is told what is in the way; with `force` only a lock is."""
        history = self.history
        assert history.capture is not None
        with contextlib.ExitStack() as around:
            told = True
            if edit:  # before anybody waits: who waits in a folder holds it, and the kernel forgets nothing of it meanwhile
                around.enter_context(self.unsettled([change.path for change in plan.changes]))
                told = await trio.to_thread.run_sync(self.told, TELLING)
            around.enter_context(self.gate())
            self.refuse_locked(plan, viewer)  # it may have been locked meanwhile
            if not force:
                self.refuse_writers(plan.places, viewer, edit=edit)
            await history.noted(5.0)
            with contextlib.ExitStack() as veiled, trio.CancelScope(shield=True):
                if edit:
                    veiled.enter_context(self.veil())
                written = self.writers()
                act = Act(
                    history.root_fd,
                    stage,
                    task.steps,
                    exact=task.exact,
                    folders=plan.folders,
                    written=written,
                    hook=self.hook,
                )
                heard = False

                def lifted() -> None:
                    """In the loop, once all is in its place: nobody has to wait until history has noted it."""
                    nonlocal heard
                    heard = True
                    for change in plan.changes:
                        self.stale(change.path)
                    veiled.close()

                try:
                    await history.follow.alone(
                        self._commit, act, task, plan, viewer, edit, lifted if edit and told else None
                    )
                finally:  # whatever became of it, the folder may be another one
                    for change in plan.changes if not heard else ():
                        self.stale(change.path)
                    for path in act.lost:
                        history.follow.touched(path)
                    history.capture.committed(self.history.follow.held_up())
                    if not told:
                        await trio.to_thread.run_sync(self.told, LATE)
        for change in plan.changes:
            history.follow.restored(change.path)
        await self._capture()
        return act.left

    async def _capture(self) -> None:
        """What is new, and was too much to be captured while others wait."""
        cells, self._uncaptured = self._uncaptured, {}
        if cells and self.history.capture is not None:
            with contextlib.suppress(sqlite3.Error):  # it stays a live file, which is its own newest version
                await self.history.follow.commit(self.history.capture.fresh, cells, counting=False)

    def _commit(
        self,
        act: Act,
        task: Task,
        plan: Plan,
        viewer: Viewer,
        edit: bool,
        lifted: Callable[[], None] | None,
    ) -> None:
        """In the catalogue's thread, which nobody else has meanwhile: a lock is acknowledged before, and met here, or afterwards."""
        self.refuse_locked(plan, viewer)
        catalogue, database = self.history.follow.catalogue, self.history.database
        past = self.history.past.another()
        try:
            if back.moved(past, plan, plan.sequence):
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
            if edit and act.left:
                path, why = next(iter(act.left.items()))
                raise OSError(errno.EAGAIN, why, path)
            disk.sync(self.history.root_fd)
        except OSError as error:
            refused = self._back(act, error)
            if edit and act.left and not act.lost and self.trouble is None:
                raise Moved from error
            raise refused from error
        self.hook("synced")
        if lifted is not None:
            trio.from_thread.run_sync(lifted)
        try:
            self._patiently(self._finish, act, task)
        except (OSError, sqlite3.Error) as error:
            done = "changed" if edit else "rolled back"
            self.trouble = (
                f"The files are {done}, but history cannot note it ({error}); free some space, and mount again: the next mount"
                " notes it."
            )
            log.error("%s", self.trouble)
            raise Unnoted(self.trouble) from error
        self.hook("committed")

    def _back(self, act: Act, error: OSError) -> LsfsError:
        """A step was refused: all the others are taken back. What the caller is told."""
        act.back()
        with contextlib.suppress(OSError):
            disk.sync(self.history.root_fd)
        why = f"{_name(error)} cannot be changed ({error.strerror})"
        try:
            self._patiently(self._abandon, act)
        except (OSError, sqlite3.Error) as second:
            self.trouble = (
                f"{why}, so the rollback was taken back{_but(act.lost)}; but history cannot note that ({second}). Free some space; the"
                " next mount tries the rollback again."
            )
            log.error("%s", self.trouble)
            return Refused(self.trouble)
        if act.lost:
            return Refused(f"{why}; everything is as it was{_but(act.lost)}. See to it, and try again.")
        if isinstance(error, FileExistsError):
            return Exists(f"Something came to {_name(error)} meanwhile; give another path.")
        if error.errno in (errno.EPERM, errno.EACCES):
            return Forbidden(f"{why}; everything is as it was. See lsattr(1), and try again.")
        return Refused(f"{why}; everything is as it was. See to it, and try again.")

    def _patiently(self, call: Callable[..., None], *arguments: Any) -> None:
        """Try it some times, while the database cannot be written."""
        for pause in (*PAUSES, None):
            try:
                return call(*arguments)
            except sqlite3.Error:
                if pause is None:
                    raise
                time.sleep(pause)

    def _finish(self, act: Act, task: Task) -> None:
        with self._noting() as (catalogue, capture):
            act.rows(catalogue, capture)
            self._uncaptured = dict(catalogue.entries.uncaptured)
            if sum(step.new.size for step in act.steps if step.ino and step.new) <= AT_ONCE:
                capture.fresh(self._uncaptured)
                self._uncaptured = {}
            redo.done(self.history.database, task.note)

    def _abandon(self, act: Act) -> None:
        with self._noting() as (catalogue, capture):
            act.salvage(catalogue, capture)
            redo.done(self.history.database, {})

    @contextlib.contextmanager
    def _noting(self) -> Iterator[tuple[Catalogue, Capture]]:
        """One commit. Where it fails, what it would have made superfluous stays in the stage."""
        catalogue, capture = self.history.follow.catalogue, self.history.capture
        assert capture is not None
        dropped = list(capture._dropped)
        try:
            with catalogue.transaction():
                yield catalogue, capture
        except BaseException:
            capture._dropped[:] = dropped
            raise

    # After a kill -------------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Before anything is served: complete what was begun, or take it back where the disk refuses; remove what was only made ready.
        Never a reason not to mount."""
        try:
            task = redo.read(self.history.database)
            if task is not None:
                self._complete(task)
            if not self.pending:
                sweep(self.history.held, back.held(self.history.past, ""))
        except (OSError, sqlite3.Error) as error:
            log.warning("what a rollback left cannot be removed: %s", error)
        if self.trouble:
            log.warning("%s", self.trouble)

    def _complete(self, task: Task) -> None:
        stage = Stage(self.history.held, task.stage)
        act = Act(self.history.root_fd, stage, task.steps, exact=task.exact, again=True)
        try:
            try:
                act.disk()
                disk.sync(self.history.root_fd)
            except OSError as error:
                act.back()
                with contextlib.suppress(OSError):
                    disk.sync(self.history.root_fd)
                self._abandon(act)
                why = f"{_name(error)}: {error.strerror}"
                self.trouble = f"A rollback that was cut off cannot be completed ({why}); it was taken back{_but(act.lost)}."
            else:
                self._finish(act, task)
                if act.left:
                    self.trouble = (
                        f"A rollback that was cut off is completed; left alone: {_listed(act.left)}."
                    )
        except (OSError, sqlite3.Error) as error:
            self.trouble = f"A rollback that was cut off cannot be completed ({error}); see to the disk, and mount again."
        finally:
            self._cleaned(stage)


def _but(lost: list[bytes]) -> str:
    """What is not as it was, as the end of a sentence."""
    if not lost:
        return ""
    return f", but for {_listed(lost)}: what was there is in history, `lsfs log` lists it"


def _listed(some: Collection[bytes]) -> str:
    """Some paths: not all, where there are many."""
    named = ", ".join(os.fsdecode(path) for path in sorted(some)[:MOST])
    return named if len(some) <= MOST else f"{named} and {len(some) - MOST} more"


def _name(error: OSError) -> str:
    return os.fsdecode(error.filename) if error.filename else "A path"
