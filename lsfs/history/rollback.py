"""rollback: make an old state the newest one, all of it or nothing; undo; undelete.

    look    what was closed so far is committed, the scope is scanned, the plan compared, rights and contents checked; nothing is changed
    carry   what is needed is made ready, an automatic snapshot names what is there now, and the plan is carried out (`lsfs.history.carry`);
            where the scope moves meanwhile, all begins anew, unless the plan would be another one than was shown

A rollback is a version like any other: `undo` goes back, over the same scope, to the sequence before it. Nothing is lost by one: what is
replaced is in the snapshot, and what came between the plan and the act became a version.

Threading: in the loop; one at a time. Plans are made in a thread with a `Past` of its own. Descriptors that are open go on showing the
old bytes: files are replaced, never written to.
"""

import contextlib
import logging
import os
import secrets
import sqlite3
import stat
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import trio

from lsfs.beneath import stat_beneath
from lsfs.history import back, redo
from lsfs.history.allowed import Rights
from lsfs.history.back import Wanted
from lsfs.history.carry import Carry, Moved, Refused
from lsfs.history.entries import Entry
from lsfs.history.past import Past
from lsfs.history.plan import Plan, alike
from lsfs.history.shown import shown
from syscalls.errors import Busy, Exists, InvalidArgument, LsfsError, NoRoom, NotFound, TryAgain
from syscalls.values import Viewer

if TYPE_CHECKING:
    from lsfs.history.history import History

LIFE = 600.0  # seconds in which a plan may be executed
PLANS = 20  # of one user, that may wait to be executed
TOKENS = 100
PATIENCE = 3.0  # seconds that an undelete waits for another rollback: a `mv` meanwhile holds its folders, and whoever comes by waits for it
FEW = 8  # paths that are looked at one by one; where there are more, all of their scope is
TRIES = 4  # plans that are made anew because the scope moved
SPARE = 16 << 20  # bytes that shall be left on the disk
BEFORE, AFTER = "before the rollback to ", "after the rollback to "
VOID = "Something has changed since the plan was made, so it is void: ask for the plan again."

log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A plan that was shown. `until`: when it is forgotten, by the loop's clock."""

    wanted: Wanted
    plan: Plan
    uid: int
    until: float


class Done(NamedTuple):
    """What a rollback did. left: paths that were left alone, and why; snapshot: the name of what was there before."""

    plan: Plan
    left: dict[bytes, str]
    snapshot: bytes


class Job:
    """A rollback under way, and those who wait for it."""

    def __init__(self, asked: Asked, viewer: Viewer, force: bool) -> None:
        self.asked = asked
        self.viewer = viewer
        self.force = force
        self.over = trio.Event()
        self.done: Done | None = None
        self.error: LsfsError | None = None


class Rollback:
    """All rollbacks of one mount. `run` is one task of the daemon, which also tells `carry` of the mount."""

    def __init__(self, history: "History") -> None:
        self.history = history
        self.carry = Carry(history)
        self._lock = trio.Lock()
        self._asked: dict[str, Asked] = {}
        self._jobs: dict[str, Job] = {}
        self._give, self._take = trio.open_memory_channel[Job](TOKENS)

    @property
    def pending(self) -> bool:
        """Has one been begun, and not completed?"""
        return self.carry.pending

    # Looking --------------------------------------------------------------------------------------------------------------

    async def plan(
        self,
        path: bytes,
        viewer: Viewer,
        *,
        to: str | None = None,
        version: int | None = None,
        token: bool = True,
    ) -> dict[str, Any]:
        """What a rollback of `path` would do, as JSON says it. to: a snapshot, latest, a time; version: from 1, or from -1 for the one
        before. With a token it can be executed.

        Raises NotFound, InvalidArgument, Denied, NotPermitted, NoRoom, Missing."""
        return await self._show(Wanted(path, None, version, to or _said(version or 0)), viewer, token)

    async def undo(self, viewer: Viewer, *, token: bool = True) -> dict[str, Any]:
        """What it would take to undo the last rollback or edit of this user; `redo` says that this was an undo, which is to be done again.
        Raises NotFound where there was none."""
        note = redo.last(self.history.past.database, who(viewer))
        if note is None:
            raise NotFound("There is nothing to undo: no rollback, and no call that changed files.")
        if not self.history.past.shows(note["before"]):
            raise NotFound(
                "What was there before the last rollback is not kept any more, so it cannot be undone."
            )
        what, redoes = note["what"], redo.undone(note)
        if "paths" not in note and not what.startswith((BEFORE, AFTER)):
            what = f"{AFTER}{what}"
        paths = tuple(note["paths"]) if "paths" in note else None
        wanted = Wanted(note["scope"], note["before"], None, _turned(what), paths, undoes=not redoes)
        return {**await self._show(wanted, viewer, token), "redo": redoes}

    async def _show(self, wanted: Wanted, viewer: Viewer, token: bool) -> dict[str, Any]:
        plan = await self._look(wanted, viewer)
        said = shown(plan, wanted.to, self.carry.in_the_way(plan.places, viewer))
        if token and plan.changes:
            self.carry.refuse_locked(plan, viewer)
            now = trio.current_time()
            self._asked = {name: asked for name, asked in self._asked.items() if asked.until > now}
            mine = [name for name, asked in self._asked.items() if asked.uid == viewer.uid]
            for name in mine[: len(mine) - PLANS + 1 if len(mine) >= PLANS else 0]:
                del self._asked[name]
            said["token"] = secrets.token_hex(8)
            self._asked[said["token"]] = Asked(wanted, plan, viewer.uid, now + LIFE)
        return said

    async def _look(self, wanted: Wanted, viewer: Viewer) -> Plan:
        await self._settle(wanted)
        return await self._compare(wanted, viewer)

    async def _settle(self, wanted: Wanted) -> None:
        """All that was closed so far, and what was changed behind the mount in the scope, is in history."""
        self.refuse_pending()
        await self.history.settled()
        few = wanted.paths is not None and len(wanted.paths) <= FEW
        for path in wanted.paths or () if few else (wanted.scope,):
            if few and not self._is_folder(path):
                self.history.follow.hinted(path, True)
            else:
                await self.history.follow.looked(path)
        await self.history.settled()

    def _is_folder(self, path: bytes) -> bool:
        try:
            return stat.S_ISDIR(stat_beneath(self.history.root_fd, path).st_mode)
        except OSError:
            return False

    def refuse_pending(self) -> None:
        """Raises Refused where one was begun and could not be completed."""
        if self.carry.pending:
            raise Refused(
                "The last rollback has not been completed, as history cannot be written: free some space, and mount again."
            )

    def _resolved(self, wanted: Wanted) -> Wanted:
        if wanted.version is None and wanted.sequence is None:
            return wanted._replace(sequence=self.history.sequence_of(os.fsencode(wanted.to)))
        return wanted

    async def _compare(self, wanted: Wanted, viewer: Viewer) -> Plan:
        plan = await self.history.in_thread(self._planned, self._resolved(wanted), viewer)
        self.refuse_large(plan)
        return plan

    def refuse_large(self, plan: Plan) -> None:
        """Raises NoRoom where the disk has not got what a plan writes."""
        free = os.statvfs(self.history.root_fd)
        if plan.size and plan.size + SPARE > free.f_bavail * free.f_frsize:
            raise NoRoom(
                f"This needs {plan.size} bytes beside what is there, and the disk has not got them; make room first."
            )

    def _planned(self, past: Past, wanted: Wanted, viewer: Viewer) -> Plan:
        rights = self._rights(past, viewer)
        if wanted.paths is None:
            rights.reach(wanted.scope, wanted.version is not None)
        for path in wanted.paths or ():
            rights.pass_(path)
        plan = back.plan_of(past, wanted)
        scope = plan.scope if wanted.paths is None else None
        plan = plan._replace(changes=rights.check(plan.changes, scope))
        back.check_hidden(past, plan.changes)
        back.check_kept(past, plan.changes)
        return plan

    def _rights(self, past: Past, viewer: Viewer) -> Rights:
        readable = self.history.follow.readable

        def then(row: Entry) -> bool:
            there = past.by_id(row.id) or row  # which says where it was, whatever it is to be called now
            return readable.permits(there.path, viewer) and readable.then(there, past, viewer)

        return Rights(past, past.sequence(), viewer, then)

    # Executing ------------------------------------------------------------------------------------------------------------

    async def execute(self, token: str, viewer: Viewer, *, force: bool = False) -> Done:
        """Do what the plan with this token says; asked again, it waits for the one that is under way.

        Raises InvalidArgument where the token is dead, Busy, NoRoom, Missing, TryAgain, and what `plan` raises."""
        job = self._jobs.get(token)
        if job is None:
            asked = self._asked.get(token)
            if asked is None or asked.uid != viewer.uid or asked.until < trio.current_time():
                raise InvalidArgument(
                    "There is no such plan (any more): ask for the plan again, it may be another one by now."
                )
            job = Job(asked, viewer, force)
            try:
                self._give.send_nowait(job)
            except trio.WouldBlock:
                raise TryAgain("Too many rollbacks wait; try again in a moment.") from None
            self._jobs[token] = job
            del self._asked[token]
        elif job.viewer.uid != viewer.uid:
            raise InvalidArgument("There is no such plan: ask for one first.")
        await job.over.wait()
        self._jobs.pop(token, None)
        if job.error is not None:
            raise job.error
        assert job.done is not None
        return job.done

    async def run(self) -> None:
        """Execute plans, one after the other, until cancelled; one that is under way is completed, or taken back."""
        async for job in self._take:
            job.error = TryAgain("The mount is ending; nothing was rolled back.")
            try:
                job.done = await self._perform(job.asked, job.viewer, job.force)
                job.error = None
            except LsfsError as error:
                job.error = error
            except OSError as error:
                job.error = NoRoom(f"The disk refused it ({error.strerror}); nothing was rolled back.")
            except sqlite3.Error as error:
                job.error = NoRoom(
                    f"History cannot be written ({error}), so nothing was rolled back; free some space."
                )
            except Exception:  # a bug of ours, of which the mount is not to die
                log.exception("a rollback failed")
                job.error = Refused("This should not happen; the log of the daemon says more.")
            finally:
                job.over.set()
            await self.carry.tidy()

    async def _perform(self, asked: Asked, viewer: Viewer, force: bool) -> Done:
        async with self._lock:
            await self._settle(asked.wanted)
            plan = asked.plan
            moved = await self.history.in_thread(back.moved, plan, plan.sequence)
            if moved or self._resolved(asked.wanted).sequence != plan.target:
                raise InvalidArgument(VOID)
            if viewer.uid != 0:  # rights above the scope may be others by now
                plan = await self._again(plan, asked.wanted, viewer)
            if not force:
                self.carry.refuse_writers(plan.places, viewer)
            snapshot = b""

            async def staged() -> None:
                nonlocal snapshot
                snapshot = snapshot or await self._snapshot()

            for _ in range(TRIES):
                try:
                    note = {"scope": plan.scope, "what": asked.wanted.to, "who": who(viewer)}
                    note["undone"] = asked.wanted.undoes
                    if asked.wanted.paths is not None:
                        note["paths"] = [change.path for change in plan.changes]
                    left = await self.carry.out(plan, note, viewer, force=force, staged=staged)
                    return Done(plan, left, snapshot)
                except Moved:
                    await self.history.settled()
                    plan = await self._again(plan, asked.wanted, viewer)
            raise TryAgain(
                "The files in it are being changed all the time; nothing was rolled back, try again in a moment."
            )

    async def _again(self, plan: Plan, wanted: Wanted, viewer: Viewer) -> Plan:
        """The plan as it is by now. Raises InvalidArgument where it is not the one that was shown."""
        now = await self._compare(wanted, viewer)
        if not alike(plan, now):
            raise InvalidArgument(VOID)
        return now

    async def _snapshot(self) -> bytes:
        name = f"before-rollback-{datetime.now():%Y-%m-%dT%H-%M-%S}".encode()
        for number in range(1, TOKENS):
            with contextlib.suppress(Exists):
                one = name if number == 1 else b"%s-%d" % (name, number)
                await self.history.take(one, automatic=True)
                return one
        raise TryAgain("There are too many rollbacks in this second; try again in a moment.")

    # Undelete -----------------------------------------------------------------------------------------------------------

    async def undelete(self, row: Entry, target: bytes, viewer: Viewer) -> int:
        """Put what was removed (and, of a folder, all that went with it) at `target`; how many objects.

        Raises Exists where something is there, NotFound where its folder is not, Denied, NotPermitted, Missing, NoRoom; Busy where another
        rollback takes longer than `PATIENCE`."""
        async with self.in_time():
            self.refuse_pending()
            await self.history.settled()
            plan = await self.history.in_thread(self._undeleted, row, target, viewer)
            try:
                await self.carry.out(plan, None, viewer, force=True)
            except Moved:
                raise Exists(
                    f"Something came to {os.fsdecode(target)} meanwhile; give another path."
                ) from None
            finally:
                await self.carry.tidy()
            return len(plan.changes)

    def _undeleted(self, past: Past, row: Entry, target: bytes, viewer: Viewer) -> Plan:
        rights = self._rights(past, viewer)
        rights.pass_(target)
        plan = back.undelete_of(past, row, target)
        plan = plan._replace(changes=rights.check(plan.changes, plan.scope))
        back.check_kept(past, plan.changes)
        return plan

    def sees(self, row: Entry, viewer: Viewer) -> bool:
        """May `viewer` know that what this row says was there, and was removed?"""
        return self._rights(self.history.past, viewer).sees(row)

    @contextlib.asynccontextmanager
    async def in_time(self, patience: float = PATIENCE) -> AsyncIterator[None]:
        """Nothing else is carried out meanwhile. Raises Busy where something is for longer than `patience` seconds."""
        with trio.move_on_after(patience) as scope:
            await self._lock.acquire()
        if scope.cancelled_caught:
            raise Busy("Another rollback is under way; try again when it is done.")
        try:
            yield
        finally:
            self._lock.release()


def _turned(what: str) -> str:
    """What an edit is undone to, and that undone again."""
    if what.startswith("before "):
        return f"after {what.removeprefix('before ')}"
    return f"before {what.removeprefix('after ')}"


def who(viewer: Viewer) -> int:
    """Whose rollback it is: the mount's owner and root are one."""
    return 0 if viewer.uid in (0, os.geteuid()) else viewer.uid


def _said(version: int) -> str:
    """A version as a sentence says it."""
    return f"v{version}" if version > 0 else f"{-version} version{'s' if version < -1 else ''} ago"
