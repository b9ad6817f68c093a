"""folder: the port `syscalls.ports.Folder` of one mount: the user's folder as calls read and change it, with the rights of who asks.

    change    a plan (`planned`), carried out as a rollback is (`lsfs.history.carry`): staged beside the folder, logged, renamed into place
    append    one write(2) at the end of the very file, which the guard has kept before, as `>>` does through the mount
    touch     utimensat(2)

Threading: in the loop; one at a time, and none while a rollback is carried out. Plans are made, and contents read, in threads. What was
begun is a job of its own (`jobs`): it goes on where who asked for it is cancelled. A kill leaves all of a change or nothing; of an append
what a kill leaves of any write(2).
"""

import contextlib
import errno
import os
import secrets
import sqlite3
import stat
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import trio

from lsfs.beneath import open_beneath
from lsfs.editing.adopted import adopt
from lsfs.editing.jobs import Job, Jobs
from lsfs.editing.names import READ, WRITE, failed, for_reading, for_writing, granted, opened, resolved, said
from lsfs.editing.planned import Planner, Unseen
from lsfs.history import paths, redo
from lsfs.history.carry import Moved
from lsfs.history.history import Unwritable
from lsfs.history.past import Changed, Past
from lsfs.history.plan import Plan
from lsfs.history.readable import Readable
from lsfs.history.rollback import LIFE, PLANS, TRIES, VOID, who
from mounts import files_linux as linux
from mounts.files_handle import strip_set_id
from mounts.ports import Guard
from syscalls.errors import (
    Busy,
    Denied,
    InvalidArgument,
    IsFolder,
    NotFolder,
    NotFound,
    NotPermitted,
    NotRegular,
    NotSupported,
    ReadOnly,
    TooLarge,
    TryAgain,
)
from syscalls.values import Edit, Viewer

if TYPE_CHECKING:
    from lsfs.history.history import History

PATIENCE = 30.0  # seconds that a change waits for the one before it
_LITTLE = 1 << 20  # bytes that are read in the loop


class Offered(NamedTuple):
    """A change that was shown, and not made. `until`: when it is forgotten, by the loop's clock."""

    what: str
    edits: tuple[Edit, ...]
    uid: int
    sequence: int
    until: float


class LiveFolder:
    """hidden: names at the top that the mount does not show.

    guard    keeps what is about to be overwritten
    virtual  names that the mount shows in every folder, and that are nowhere; the daemon sets it
    stale    tells the kernel that a path is another one; the daemon sets it
    """

    def __init__(
        self,
        history: "History",
        *,
        hidden: Collection[bytes],
        guard: Guard,
        read_only: bool = False,
    ) -> None:
        self.history = history
        self.guard = guard
        self.read_only = read_only
        self.virtual: Collection[bytes] = ()
        self.stale: Callable[[bytes], None] = lambda path: None
        self._root_fd = history.root_fd
        self._readable = Readable(history.root_fd)
        self._hidden = hidden
        self.jobs = Jobs()
        self._offered: dict[str, Offered] = {}
        self._accepted: dict[
            str, tuple[int, Job[tuple[Edit, ...]]]
        ] = {}  # token -> whose, what is being done

    # Looking --------------------------------------------------------------------------------------------------------------

    async def stat(self, path: bytes, viewer: Viewer) -> os.stat_result:
        """As the port says; symlinks above are followed."""
        await trio.lowlevel.checkpoint()
        with self._opened(self._place(path, viewer, last=False), path, viewer) as fd:
            return os.fstat(fd)

    async def read(self, path: bytes, viewer: Viewer, most: int) -> bytes:
        """As the port says."""
        place = self._place(path, viewer, last=True)
        with self._opened(place, path, viewer) as at:
            found = os.fstat(at)
            if stat.S_ISDIR(found.st_mode):
                raise IsFolder(f"{said(path)} is a folder; name a file in it.")
            if not stat.S_ISREG(found.st_mode):
                raise NotRegular(f"{said(path)} is no regular file, so it has no content.")
            self._grant(at, found, path, viewer, READ)
            fd = os.open(b"/proc/self/fd/%d" % at, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if found.st_size > most:
                raise TooLarge(
                    f"{said(path)} has {found.st_size / 2**20:.1f} MiB, and at most {most / 2**20:.1f} MiB are read at once."
                )
            if found.st_size <= _LITTLE:
                await trio.lowlevel.checkpoint()
                data = _whole(fd, most)
            else:
                data = await trio.to_thread.run_sync(_whole, fd, most)
        finally:
            os.close(fd)
        if len(data) > most:
            raise TooLarge(f"{said(path)} grows, and has more than {most / 2**20:.1f} MiB by now.")
        return data

    async def names(self, path: bytes, viewer: Viewer) -> list[tuple[bytes, os.stat_result]]:
        """As the port says."""
        await trio.lowlevel.checkpoint()
        place = self._place(path, viewer, last=True)
        with self._opened(place, path, viewer, os.O_RDONLY) as fd:
            found = os.fstat(fd)
            if not stat.S_ISDIR(found.st_mode):
                raise NotFolder(f"{said(path)} is no folder.")
            self._grant(fd, found, path, viewer, READ)
            listed = []
            for name in sorted(map(os.fsencode, os.listdir(fd))):
                if (not place and name in self._hidden) or name == b".lsfs":
                    continue
                with contextlib.suppress(FileNotFoundError):
                    listed.append((name, os.stat(name, dir_fd=fd, follow_symlinks=False)))
            return listed

    def _place(self, path: bytes, viewer: Viewer, *, last: bool) -> bytes:
        for_reading(path, self._hidden)
        place = resolved(self._root_fd, path, viewer, self._readable, last=last)
        for_reading(place, self._hidden)
        return place

    @contextlib.contextmanager
    def _opened(self, place: bytes, path: bytes, viewer: Viewer, flags: int = os.O_PATH) -> Iterator[int]:
        """A descriptor of what is at `place`, by which nothing is opened that is no folder and no file."""
        try:
            fd = opened(self._root_fd, place, viewer)
            try:
                if flags != os.O_PATH and stat.S_ISDIR(os.fstat(fd).st_mode):
                    readable = os.open(b"/proc/self/fd/%d" % fd, flags | os.O_CLOEXEC)
                    os.close(fd)
                    fd = readable
                yield fd
            finally:
                os.close(fd)
        except OSError as error:
            raise failed(error, path) from None

    def _grant(self, fd: int, found: os.stat_result, path: bytes, viewer: Viewer, wanted: int) -> None:
        """Raises Denied where the rights of the open object do not let the viewer."""
        if not granted(fd, found, viewer, wanted):
            verb = "write to" if wanted == WRITE else "read"
            raise Denied(f"You may not {verb} {said(path)}; ask its owner.")

    # Changing -------------------------------------------------------------------------------------------------------------

    async def change(
        self, what: str, edits: Sequence[Edit], viewer: Viewer, *, expected: int | None = None
    ) -> None:
        """As the port says."""
        self._writable()
        self._remembered()
        if edits:
            await self.jobs.begin(lambda: self._change(what, edits, viewer, expected)).answer()

    async def _change(self, what: str, edits: Sequence[Edit], viewer: Viewer, expected: int | None) -> None:
        rollback = self.history.rollback
        async with rollback.in_time(PATIENCE):
            try:
                for _ in range(TRIES):
                    plan, planner = await self._planned(edits, viewer, expected)
                    note = {"scope": plan.scope, "what": what, "who": who(viewer)}
                    note["paths"] = [change.path for change in plan.changes]
                    try:
                        await rollback.carry.out(plan, note, viewer, force=False, fresh=planner.fresh)
                    except (Moved, Changed):
                        continue
                    return
            finally:
                await rollback.carry.tidy()
        raise TryAgain(
            "The files in it are being changed all the time; nothing was done, try again in a moment."
        )

    async def _planned(
        self, edits: Sequence[Edit], viewer: Viewer, expected: int | None
    ) -> tuple[Plan, Planner]:
        """The plan of what history knows, once it knows what there is."""
        rollback, follow = self.history.rollback, self.history.follow
        rollback.refuse_pending()
        for edit in edits:  # before history is asked: what somebody is writing, it does not know yet
            for_writing(edit.path, self._hidden, self.virtual)
        rollback.carry.refuse_writers(paths.tops(edit.path for edit in edits), viewer, edit=True)
        await self.history.settled()
        for edit in edits:
            if edit.kind == "remove" and self._is_folder(edit.path):
                await follow.looked(edit.path)
        for _ in range(TRIES):
            try:
                plan, planner = await self.history.in_thread(self._plan, edits, viewer, expected)
            except Unseen as unseen:
                for path in unseen.paths:
                    follow.hinted(path, True)
                await self.history.settled()
                continue
            rollback.refuse_large(plan)
            return plan, planner
        raise TryAgain(
            "The files in it are being changed all the time; nothing was done, try again in a moment."
        )

    def _plan(
        self, past: Past, edits: Sequence[Edit], viewer: Viewer, expected: int | None
    ) -> tuple[Plan, Planner]:
        planner = Planner(past, edits, viewer, self._hidden, self.virtual)
        return planner.plan(expected=expected), planner

    def _is_folder(self, path: bytes) -> bool:
        with contextlib.suppress(OSError):
            fd = open_beneath(self._root_fd, path, os.O_PATH | os.O_NOFOLLOW)
            try:
                return stat.S_ISDIR(os.fstat(fd).st_mode)
            finally:
                os.close(fd)
        return False

    def _writable(self) -> None:
        if self.read_only:
            raise ReadOnly("This mount is read-only, so nothing in it is changed.")

    def _remembered(self) -> None:
        if not self.history.enabled:
            raise NotSupported(
                "History is switched off for this folder ([history] enabled in lsfs.conf), and this call needs it to take back what is done"
                " by half; use plain file tools."
            )

    # A change that is shown first -------------------------------------------------------------------------------------------

    async def offer(self, what: str, edits: Sequence[Edit], viewer: Viewer) -> str:
        """As the port says."""
        self._writable()
        self._remembered()
        plan, _ = await self._planned(edits, viewer, None)
        self.history.rollback.carry.refuse_locked(plan, viewer)
        now = trio.current_time()
        self._offered = {name: one for name, one in self._offered.items() if one.until > now}
        mine = [name for name, one in self._offered.items() if one.uid == viewer.uid]
        for name in mine[: max(0, len(mine) - PLANS + 1)]:
            del self._offered[name]
        token = secrets.token_hex(8)
        self._offered[token] = Offered(what, tuple(edits), viewer.uid, plan.sequence, now + LIFE)
        return token

    async def accept(self, token: str, viewer: Viewer) -> tuple[Edit, ...]:
        """As the port says."""
        whose, job = self._accepted.get(token, (None, None))
        if job is not None and whose == viewer.uid:
            return await self._accepting(token, job)
        one = self._offered.get(token)
        if one is None or one.uid != viewer.uid or one.until < trio.current_time():
            raise InvalidArgument(
                "There is no such plan (any more): ask for the plan again, it may be another one by now."
            )
        self._writable()
        del self._offered[token]
        job = self.jobs.begin(lambda: self._accept(token, one, viewer))
        self._accepted[token] = viewer.uid, job
        return await self._accepting(token, job)

    async def _accepting(self, token: str, job: Job[tuple[Edit, ...]]) -> tuple[Edit, ...]:
        """Wait for it; who does not wait to the end may come back with the token."""
        try:
            return await job.answer()
        finally:
            if job.over.is_set():
                self._accepted.pop(token, None)

    async def _accept(self, token: str, one: Offered, viewer: Viewer) -> tuple[Edit, ...]:
        try:
            await self._change(one.what, one.edits, viewer, one.sequence)
        except (TryAgain, NotFound) as error:
            raise InvalidArgument(VOID) from error
        except Busy:
            self._offered[token] = one  # nothing was done, and it is still what was shown
            raise
        return one.edits

    async def adopt(self, what: str, path: bytes, viewer: Viewer) -> None:
        """As the port says."""
        self._writable()
        self._remembered()
        await self.jobs.begin(lambda: self._adopted(what, path, viewer)).answer()

    async def _adopted(self, what: str, path: bytes, viewer: Viewer) -> None:
        for_writing(path, self._hidden, self.virtual)
        rollback = self.history.rollback
        async with rollback.in_time(PATIENCE):
            rollback.refuse_pending()
            self._pass(path, viewer)
            with self._opened(path, path, viewer) as fd:
                await adopt(self.history, what, path, fd, viewer)

    # In place -------------------------------------------------------------------------------------------------------------

    async def append(self, path: bytes, data: bytes, viewer: Viewer) -> None:
        """As the port says; on the disk when it returns."""
        self._writable()
        await self.jobs.begin(lambda: self._appended(path, data, viewer)).answer()

    async def _appended(self, path: bytes, data: bytes, viewer: Viewer) -> None:
        async with self._in_place(path, f"append {os.fsdecode(path)}", viewer) as (fd, found):
            if stat.S_ISDIR(found.st_mode):
                raise IsFolder(f"{said(path)} is a folder; name a file in it.")
            if not stat.S_ISREG(found.st_mode):
                raise NotRegular(f"{said(path)} is no regular file, or a symlink; name what it leads to.")
            self._grant(fd, found, path, viewer, WRITE)
            self.history.rollback.carry.refuse_writers((path,), viewer, edit=True)
            if not data:
                return
            await self._append(fd, path, data, viewer)

    async def _append(self, place: int, path: bytes, data: bytes, viewer: Viewer) -> None:
        try:
            fd = os.open(b"/proc/self/fd/%d" % place, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise failed(error, path) from None
        try:
            found = os.fstat(fd)
            if (wait := self.guard.overwrites(path, fd, found)) is not None:
                await wait
                self.history.rollback.carry.locked((path,), viewer=viewer)
                found = os.fstat(fd)
            try:
                written = os.write(fd, data)
                if written != len(data):
                    os.ftruncate(fd, found.st_size)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if viewer.uid != 0 and os.geteuid() == 0:
                    strip_set_id(fd)
            except OSError as error:
                raise failed(error, path) from None
            finally:
                self.stale(path)
                self.history.follow.touched(path, True)
            await trio.to_thread.run_sync(os.fdatasync, fd)
        finally:
            os.close(fd)

    async def touch(self, path: bytes, viewer: Viewer, at: int | None = None) -> None:
        """As the port says. Now may be said by whoever may write to it, another time by its owner, as utimensat(2) has it."""
        self._writable()
        await self.jobs.begin(lambda: self._touched(path, viewer, at)).answer()

    async def _touched(self, path: bytes, viewer: Viewer, at: int | None) -> None:
        async with self._in_place(path, f"touch {os.fsdecode(path)}", viewer) as (fd, found):
            trusted = viewer.uid in (0, found.st_uid)
            if not trusted and at is not None:
                raise NotPermitted(
                    f"{said(path)} is not yours, so its time is not yours to set; touch it without --at."
                )
            if not trusted:
                self._grant(fd, found, path, viewer, WRITE)
            now = time.time_ns() if at is None else at
            proc = b"/proc/self/fd/%d" % fd
            try:
                linux.utime(proc, now, now)
                after = os.fstat(fd)
            except OSError as error:
                raise failed(error, path) from None
            if stat.S_ISREG(found.st_mode) and not self.guard.retimes(path, found, after):
                self.history.follow.retimed(path, found, after)
            self.stale(path)
            self.history.follow.touched(path)

    def _pass(self, path: bytes, viewer: Viewer) -> None:
        if not self._readable.passes(paths.split(path)[0], viewer):
            raise Denied(f"You may not pass the folders above {said(path)}; ask their owner.")

    @contextlib.asynccontextmanager
    async def _in_place(
        self, path: bytes, what: str, viewer: Viewer
    ) -> AsyncIterator[tuple[int, os.stat_result]]:
        """What is at a path, for a change in place; once it is done, `undo` takes it back, where it made a version."""
        for_writing(path, self._hidden, self.virtual)
        history, rollback = self.history, self.history.rollback
        async with rollback.in_time(PATIENCE):
            self._pass(path, viewer)
            rollback.carry.locked((path,), viewer=viewer)
            before = None
            if history.enabled:
                rollback.refuse_pending()
                before = await history.settled()
            try:
                history.entries.wanted = -1 if before is None else before
                with self._opened(path, path, viewer) as fd:
                    found = os.fstat(fd)
                    rollback.carry.locked((path,), found, viewer)  # by another name, or meanwhile
                    yield fd, found
                if before is None or stat.S_ISDIR(found.st_mode):
                    return  # a folder's time is nobody's state: `undo` stays what it was
                note = {"scope": path, "what": what, "who": who(viewer), "paths": [path], "before": before}
                # it is done: where history cannot say so (a full disk), /status says that, and nobody is to do it again
                with contextlib.suppress(TryAgain, Unwritable, sqlite3.Error):
                    if await history.settled() != before:
                        await history.follow.commit(redo.remember, history.database, note, counting=False)
            finally:
                history.entries.wanted = -1


def _whole(fd: int, most: int) -> bytes:
    """All bytes of a file; one more than `most` where it has more."""
    parts = []
    left = most + 1
    while left and (part := os.read(fd, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
