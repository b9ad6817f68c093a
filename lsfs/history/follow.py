"""Following the folder: every change, from the mount or from behind it, ends in the catalogue and in the index.

    mount ── touched, moved, secured ──┐                        ┌── index ──> engine
    watch ── hinted ───────────────────┼─> _apply (catalogue) ──┤ Feed
    scan  ── at mount, lost ───────────┘        │               └<─ indexed, complete ── engine
                                                └── Capture: contents of versions

Everything here runs in the daemon's loop; the catalogue is called in one worker thread at a time, and each call is one
commit. `touched`, `moved` and `hinted` only append to a list, so an operation on a file never waits for any of this; a burst
of changes is committed when it is over, or when a question is asked.
Nothing is lost by a kill: what was not committed is found by the scan at the next mount.
"""

import contextlib
import errno
import logging
import math
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import trio

from lsfs.engine.supervisor import Engine
from lsfs.history import paths
from lsfs.history.burst import TELLING, outcome
from lsfs.history.capture import Capture
from lsfs.history.catalogue import Catalogue, Counts
from lsfs.history.feed import Feed
from lsfs.history.held import Secured
from lsfs.history.ignore import NAME as IGNORE
from lsfs.history.readable import Readable
from lsfs.history.scan import scan
from lsfs.history.watch import Watch
from syscalls.errors import LsfsError, NotFound
from syscalls.values import Viewer

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

REST = 0.1  # seconds without a change until changes are committed; a question does not wait for that
BURST = 5.0  # seconds that a burst of changes may go on before it is committed all the same
QUIET = 1.0  # seconds a file written behind the mount, and not closed, has to rest before it is read
LATEST = 10.0  # but no longer than this after its first change
RESCAN = 60.0  # seconds between scans where not every folder can be watched
PRUNE = 3600.0  # seconds between two times of dropping what died a day ago
COLLECT, OVERWRITTEN = (
    300.0,
    600.0,
)  # contents that were overwritten so long ago leave the index, at these intervals
AGAIN = 5.0  # seconds until what history could not take (a full disk) is tried again
WARMING = 3.0  # seconds in which an engine that has just started is slower than `settle` allows
QUICK, SLOW = (
    0.005,
    60.0,
)  # seconds: of a commit that the loop may wait for; after a longer one, until it may again
MUCH = 8 << 20  # bytes that were secured: they are not to wait for the end of a burst
MOST_PENDING, MOST_CHECKED = (
    10_000,
    1_000,
)  # files looked at to say how many are pending: the owner's, other viewers'
FAILURES = 50  # files that could not be indexed, as /status names them
# Before 6.13 two writes within one clock tick (4 ms) leave the same mtime and ctime: there a written file is read again.
COARSE_CLOCK = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) < (6, 13)


NO_INDEX = "Indexing is switched off for this folder ([index] enabled in lsfs.conf), so there is nothing to ask or rebuild."


class IndexOff(LsfsError):
    """A question was asked of a folder that is not indexed."""

    errno = errno.EOPNOTSUPP


class Follow:
    """The owner of the catalogue's thread. Also the ports `mounts.ports.Changes` and `syscalls.ports.Files`."""

    def __init__(
        self,
        catalogue: Catalogue,
        engine: Engine,
        watch: Watch,
        *,
        hidden: frozenset[bytes],
        indexing: bool,
        settle: float = 1.0,
        capture: Capture | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.capture = capture
        self.busy: Callable[[], frozenset[bytes]] = frozenset
        """The paths that are being written through the mount just now; in the loop. Set by the daemon."""
        self._busy: frozenset[bytes] = frozenset()
        self.engine = engine
        self.watch = watch
        self.hidden = hidden
        self.indexing = indexing
        self.longest_settle = settle
        self.readable = Readable(catalogue.root_fd)
        self.feed = Feed(
            catalogue,
            engine,
            commit=self.commit,
            query=self.in_thread,
            look=self.hinted,
            done=self._done,
        )
        self.trouble: str | None = None
        self.scanning = True
        self.counts: Counts = catalogue.counts()
        self.failures: list[tuple[str, str]] = []
        self.unscanned: dict[bytes, str] = {}
        self._thread = trio.CapacityLimiter(1)
        self._changes: list[tuple] = []
        self._changed = trio.Event()
        self._urgent = trio.Event()
        self._scans: dict[bytes, None] = {b"": None}  # the first scan
        self._changed.set()
        self._applying: list[tuple] = []
        self._walking: bytes | None = None
        self._ticket = self._hints = 0
        self._folders_touched = 0
        self._waiting: dict[bytes, int] = {}  # closed through the mount, not yet searchable by words
        self._moved_on = trio.Event()
        self._slow_until = 0.0
        self.waiting = 0  # bytes that were secured, and are in memory until they are committed
        self._last_change = 0.0
        self._hinted: set[tuple[bytes, str]] = set()  # of the changes, since the last rename
        self._secured: set[bytes] = set()  # paths of what was secured, and is not committed yet
        self._noted = self._written = 0  # changes that came, and those that are committed
        self._ours: dict[bytes, int] = {}  # changed through the mount -> reads of the watch before
        self._later: dict[bytes, tuple[float, float, str]] = {}  # path -> (due, first, kind)
        self._later_changed = trio.Event()
        self.leaving = False
        """The mount is about to go: who watches it is told that this was all."""

    # What the mount and the watch say: called in the loop, answered at once ---------------------------------------

    def touched(self, path: bytes, written: bool = False) -> None:
        """Content, metadata or existence at `path` changed through the mount; `written`: its bytes did, whatever its times say."""
        self._note("written" if written else "touched", path)

    def retimed(self, path: bytes, before: os.stat_result, after: os.stat_result) -> None:
        """The times of a file were set through the mount, and nothing else of it."""
        self._append(("retimed", path, before, after))

    def moved(
        self, old: bytes, new: bytes, exchange: bool = False, found: os.stat_result | None = None
    ) -> None:
        """A rename through the mount. `found`: what a file was just before."""
        if exchange:
            self._note("replaced", old)
            self._note("replaced", new, old)
        else:
            self._ours[old] = self.watch.reads
            self._note("moved", new, old, found)

    def restored(self, path: bytes) -> None:
        """A rollback made `path` what its row says: only the index has to hear of it."""
        self._note("hinted", path)

    def secured(self, secured: Secured) -> None:
        """What a path was before it was overwritten or removed (`Guard`)."""
        self.waiting += len(secured.data or b"")
        if self.waiting > MUCH:
            self.hurry()
        self._secured.add(secured.path)
        self._append(("secured", secured.path, secured))

    def displaced(self, path: bytes) -> bool:
        """Was something at `path` secured that is not committed yet? Then its row does not say what was there last."""
        return path in self._secured

    def held_up(self) -> list[Secured]:
        """What was secured, and is not committed yet."""
        return [change[2] for change in (*self._applying, *self._changes) if change[0] == "secured"]

    def hurry(self) -> None:
        """Somebody waits for what was noted: the burst is over."""
        self._urgent.set()

    def _note(self, kind: str, path: bytes, *rest: Any) -> None:
        self._ticket += 1
        if self.indexing:
            self._waiting[path] = self._ticket
        self._ours[path] = self.watch.reads
        self._append((kind, path, *rest))

    def hinted(self, path: bytes, settled: bool, modified: bool = False) -> None:
        """Something at `path` changed behind the mount, perhaps. Unsettled: it is still being written. `modified`: its bytes were."""
        kind = ("echoed" if self._is_ours(path) else "modified") if modified else "hinted"
        if settled:
            self._later.pop(path, None)
            self._hints += 1
            if (path, kind) not in self._hinted:
                # it is looked at when the burst is over; another hint is not to prolong it
                self._hinted.add((path, kind))
                self._append((kind, path))
        else:
            now = trio.current_time()
            _, first, before = self._later.get(path, (0.0, now, "hinted"))
            kind = max(kind, before, key=lambda kind: TELLING[kind])
            self._later[path] = (min(now + QUIET, first + LATEST), first, kind)
            self._later_changed.set()

    def _is_ours(self, path: bytes) -> bool:
        """Is a hint that is being handed on the echo of what was done through the mount? The watch tells of that as of all else."""
        return self._ours.get(path, -1) >= self.watch.reads - 1 or path in self.busy()

    def lost(self) -> None:
        """Events were dropped: scan everything."""
        self._scans[b""] = None
        self._changed.set()

    def _append(self, change: tuple) -> None:
        if change[0] not in TELLING:
            self._hinted.clear()  # a name may be another file's from now on
        self._noted += 1
        self._last_change = time.monotonic()
        self._changes.append(change)
        self._changed.set()

    # Tasks ----------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Apply, scan, feed and record until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._apply)
            nursery.start_soon(self._patience)
            nursery.start_soon(self._regularly)
            if self.indexing:
                nursery.start_soon(self.feed.run)
            if self.capture is not None:
                nursery.start_soon(self._capture)

    async def _capture(self) -> None:
        while self.capture is not None:
            try:
                await self.capture.run(self)
            except Exception:  # a bug of ours costs a content, never the mount
                log.exception("capturing failed, and goes on")
                await trio.sleep(AGAIN)

    def quiet(self) -> bool:
        """Has nothing happened for a moment, so that work in the background disturbs nobody?"""
        busy = self.scanning or self._scans or self._walking is not None or self._changes
        return not busy and time.monotonic() - self._last_change > REST

    async def committed(self, deadline: float = 10.0) -> bool:
        """Wait until all that was noted so far is committed; False where that takes longer than `deadline` seconds."""
        limit = self._noted
        with trio.move_on_after(deadline):
            failures = 0
            while self._written < limit and failures < 2:
                self._urgent.set()
                await self._moved_on.wait()
                failures += bool(self.trouble)
        return self._written >= limit

    async def in_thread(self, call: Callable[..., Answer], *arguments: object) -> Answer:
        """Call a function in the catalogue's thread, where it has the database to itself."""
        return await trio.to_thread.run_sync(call, *arguments, limiter=self._thread)

    async def commit(self, call: Callable[..., Answer], *arguments: object, counting: bool = True) -> Answer:
        """Call a function in the catalogue's thread, inside one commit; `counting`: it may change what /status counts."""
        try:
            if not counting and self._quick():
                began = time.monotonic()
                answer = self._transact(counting, call, *arguments)
                self._slow_until = began + SLOW if time.monotonic() - began > QUICK else 0.0
            else:
                answer = await self.in_thread(self._transact, counting, call, *arguments)
        except sqlite3.Error as error:
            # Never the end of the mount: users' files go on; what could not be committed is tried again.
            if self.trouble is None:
                log.error("history cannot be written: %s", error)
            self.trouble = (
                f"History and index cannot be written ({error}); files are served as ever. Free some space."
            )
            raise
        self.trouble = None
        self._after_commit()
        return answer

    async def alone(self, call: Callable[..., Answer], *arguments: object) -> Answer:
        """Call a function that makes commits of its own in the catalogue's thread: nothing is noted between them."""
        try:
            return await self.in_thread(call, *arguments)
        finally:
            with contextlib.suppress(sqlite3.Error):
                await self.in_thread(self._count)
            self._after_commit()

    def _quick(self) -> bool:
        """May a small commit be made in the loop? Where the thread is free, and the disk was quick the last time: it costs less than
        changing threads."""
        return self._thread.borrowed_tokens == 0 and time.monotonic() > self._slow_until

    def _transact(self, counting: bool, call: Callable[..., Answer], *arguments: object) -> Answer:
        with self.catalogue.transaction():
            answer = call(*arguments)
        if counting:
            self._count()
        return answer

    def _count(self) -> None:
        """In the thread, after a commit: what /status says, so that looking at it asks nobody."""
        counts = self.catalogue.counts()
        failures = self.catalogue.errors(FAILURES) if counts.failed else []
        self.failures = [(os.fsdecode(path), error) for path, error in failures]
        self.counts = counts

    def _after_commit(self) -> None:
        self.feed.wake()
        self._move_on()

    def _move_on(self) -> None:
        self._moved_on.set()
        self._moved_on = trio.Event()

    def leave(self) -> None:
        """The mount is about to go; nobody is to wait for what happens."""
        self.leaving = True
        self._move_on()

    async def _apply(self) -> None:
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            if self._changes:
                await self._gather()
                await self._take()
            elif self._scans:
                await self._walk(next(iter(self._scans)))
            if self._changes or self._scans:
                self._changed.set()

    async def _gather(self) -> None:
        """Wait until a burst of changes is over, or somebody waits for what it changed. An untar touches each path several times, and
        whoever makes the burst is not to share the interpreter with its bookkeeping."""
        latest = trio.current_time() + BURST
        while not self._urgent.is_set():
            noted = len(self._changes)
            with trio.move_on_after(REST):
                await self._urgent.wait()
            if len(self._changes) == noted or trio.current_time() >= latest:
                break
        self._urgent = trio.Event()

    async def _take(self) -> None:
        """Write all changes noted so far; tell the feed, the scan and those who wait what follows."""
        ticket, noted = self._ticket, self._noted
        changes, self._changes = self._changes, []
        self._hinted.clear()
        self._applying = changes
        self._busy = self.busy()
        try:
            verdicts, folders = await self.commit(self._write, changes)
        except sqlite3.Error:
            self._changes[:0] = changes
            if self.capture is not None:
                self.capture.failed()
            self._after_commit()  # whoever waits is told that there is trouble
            with trio.move_on_after(AGAIN):
                await self._urgent.wait()
            return
        except Exception:
            if self.capture is not None:
                self.capture.failed()
            log.exception("what changed could not be noted; scanning the folder")
            for _, path, *_ in changes:
                self._waiting.pop(path, None)
            for change in changes:
                if change[0] == "secured":  # what was overwritten is found by no scan
                    await self._secure_alone(change)
            self._written = noted
            self.lost()
            return
        finally:
            self._applying = []
        self._written = noted
        held_up = self.held_up()
        self.waiting = sum(len(secured.data or b"") for secured in held_up)
        self._secured = {secured.path for secured in held_up}
        self._ours = {path: read for path, read in self._ours.items() if read >= self.watch.reads - 1}
        if self.capture is not None:
            for path in self.capture.committed(held_up):
                self._append(("hinted", path))
        renamed = {change[1] for change in changes if change[0] in ("moved", "replaced")}
        # What has to be read below a folder that was renamed has a new name to be waited for.
        tops = tuple(path + b"/" for path in renamed) if self.indexing else ()
        for path, verdict in verdicts.items() if tops else ():
            if verdict in ("dirty", "waiting") and path.startswith(tops):
                self._waiting.setdefault(path, ticket)
        for path, verdict in verdicts.items():
            if verdict == "dirty" or (verdict == "waiting" and path not in self.feed.flying):
                self.feed.want(path)
            elif verdict == "folder":
                self._folders_touched += 1
                # a watch goes along with its folder, but what was being scanned there was scanned under another name
                if path in renamed or not (self.watch.complete and self.watch.holds(path)):
                    folders[path] = None
        self._scans.update(folders)
        for path in {change[1] for change in changes}:
            if verdicts.get(path) not in ("dirty", "waiting") and self._waiting.get(path, math.inf) <= ticket:
                del self._waiting[path]
        self._after_commit()

    async def _secure_alone(self, change: tuple) -> None:
        try:
            await self.commit(self._write, [change])
        except sqlite3.Error:
            self._changes.insert(0, change)
        except Exception:
            log.exception("what was at %r is not kept", os.fsdecode(change[1]))

    def _write(self, changes: list[tuple]) -> tuple[dict[bytes, str], dict[bytes, None]]:
        """In the thread: what follows for each path, and the folders to scan because what is ignored there changed."""
        verdicts: dict[bytes, str] = {}
        folders: dict[bytes, None] = {}
        moves, looked = outcome(changes)
        for kind, path, *rest in moves:
            for name in (path, *rest[:1]) if kind in ("moved", "replaced") else ():
                if paths.split(name)[1] == IGNORE:
                    folders[self.catalogue.ignore.reload(name)] = None
            if kind == "secured":
                if self.capture is not None:
                    self.capture.secured(rest[0])
                continue
            if kind == "retimed":
                self.catalogue.entries.retimed(path, *rest)
                continue
            self.catalogue.ignore.reload(paths.join(path, IGNORE))  # a folder brings its own rules along
            if kind == "moved":
                self.catalogue.moved(rest[0], path, rest[1])
                for gone in [
                    known for known in verdicts if known == rest[0] or known.startswith(rest[0] + b"/")
                ]:
                    del verdicts[gone]
                verdicts.update(dict.fromkeys(self.catalogue.dirty_below(path), "dirty"))
            else:
                self.catalogue.kill_below(path)
                if rest:
                    self.catalogue.exchanged(rest[0], path)
            if looked.get(path) not in ("touched", "written"):
                looked[path] = "moved"  # whatever the watch says: a rename explains another ctime
        for path, kind in looked.items():
            if paths.split(path)[1] == IGNORE:
                folders[self.catalogue.ignore.reload(path)] = None
            verdicts[path] = self.catalogue.touched(
                path,
                written=kind == "written",
                doubtful=kind == "touched" and COARSE_CLOCK,
                busy=path in self._busy,
                behind=kind in ("modified", "echoed"),
                echo=kind == "echoed",
            )
            if verdicts[path] == "folder":
                self.catalogue.ignore.reload(paths.join(path, IGNORE))
        if self.capture is not None:
            self.capture.fresh(self.catalogue.entries.uncaptured)
        return verdicts, folders

    async def _walk(self, top: bytes) -> None:
        self._walking = top
        del self._scans[top]
        below = top + b"/" if top else b""
        self.unscanned = {
            path: why for path, why in self.unscanned.items() if path != top and not path.startswith(below)
        }
        await self.in_thread(self.catalogue.ignore.reload, paths.join(top, IGNORE))
        steps = scan(
            self.catalogue,
            top,
            watch=self.watch.add,
            hidden=self.hidden,
            unreadable=lambda path, error: self.unscanned.__setitem__(path, error.strerror or ""),
            busy=lambda: self._busy,
        )
        started = time.monotonic()
        try:
            self._busy = self.busy()
            while await self.in_thread(self._step, steps) is not None:
                self._after_commit()
                self._busy = self.busy()
                if self._changes:
                    await self._take()  # a file that was just closed does not wait for the end of a scan
        except sqlite3.Error as error:
            self.trouble = (
                f"History and index cannot be written ({error}); files are served as ever. Free some space."
            )
            self._scans[top] = None
            self._walking = None
            await trio.sleep(AGAIN)
            return
        except Exception:  # a bug of ours costs the index a folder, never the mount
            log.exception("scanning %r failed", os.fsdecode(top))
            self.unscanned[top] = "an error of lsfs; the log of the daemon has it"
        if not top:
            self.scanning = False
        if not top and top not in self.unscanned:
            log.info("scanned the folder in %.2f s: %d files", time.monotonic() - started, self.counts.files)
        self._walking = None
        self._after_commit()

    def _step(self, steps: Iterator[int]) -> int | None:
        dirty = next(steps, None)
        self._count()
        return dirty

    async def _patience(self) -> None:
        """Read files that are being written behind the mount once they rest."""
        while True:
            due = min((when for when, _, _ in self._later.values()), default=math.inf)
            with trio.move_on_at(due):
                await self._later_changed.wait()
            self._later_changed = trio.Event()
            now = trio.current_time()
            for path in [path for path, (when, _, _) in self._later.items() if when <= now]:
                self._append((self._later.pop(path)[2], path))

    async def _regularly(self) -> None:
        last = collected = trio.current_time()
        while True:
            await trio.sleep(RESCAN)
            if not self.watch.complete:
                self.lost()
            if trio.current_time() - last >= PRUNE:
                last = trio.current_time()
                with contextlib.suppress(sqlite3.Error):
                    await self.commit(self.catalogue.forget_dead)
            if self.indexing and trio.current_time() - collected >= COLLECT:
                collected = trio.current_time()
                await self._collect()

    async def _collect(self) -> None:
        try:
            await self.engine.call("collect", {"grace": OVERWRITTEN}, 60.0)
        except LsfsError as error:
            log.warning("unused contents stay in the index for now: %s", error)

    async def finish(self) -> None:
        """Commit what has been noted and heard; called once, after the mount is gone."""
        with contextlib.suppress(sqlite3.Error):  # the scan of the next mount finds it all
            if self._changes:
                await self._take()
            await self.feed.finish()

    # Waiting, and what the index knows ---------------------------------------------------------------------------------

    def _done(self, path: bytes) -> None:
        if all(change[1] != path for change in (*self._changes, *self._applying)):
            self._waiting.pop(path, None)

    @property
    def generation(self) -> int:
        """Grows with every change of what a question could find, from the moment of the close on. A folder's new rights and
        a model that has been loaded take no sequence, and count all the same."""
        return self.counts.sequence + self._ticket + self._hints + self._folders_touched + self.feed.loads

    @property
    def pending_files(self) -> int:
        """Files not wholly indexed, those included that are known only as a change; at least 1 while a scan runs."""
        if not self.indexing:
            return 0
        unknown = self.scanning or self._scans or self._walking is not None or not self.feed.agreed
        waiting = len(self._changes) + len(self._applying) + len(self._later)
        return max(self.counts.pending + waiting, int(bool(unknown)))

    async def moved_on(self) -> None:
        """Wait for the next commit."""
        await self._moved_on.wait()

    async def settle(self, deadline: float) -> None:
        """Wait, `deadline` s at most, until what was closed through the mount before this call is searchable by words.

        `settle` of lsfs.conf is what an engine that is at work may take. While there is none (it died, it starts), nothing can be read and
        no question be answered either, so that time is not counted; and one that has just started loads its libraries meanwhile."""
        limit = self._ticket
        if self._waiting or self._changes:
            self._urgent.set()
        with trio.move_on_after(deadline):
            while self._waits(limit):
                await self.engine.present()
                starts, warming = self.engine.starts, self.engine.age() < WARMING
                with trio.move_on_after(WARMING if warming else self.longest_settle):
                    while self._waits(limit):
                        await self._moved_on.wait()
                if self.engine.starts == starts and self.engine.state == "ready":
                    break

    def _waits(self, limit: int) -> bool:
        return any(ticket <= limit for ticket in self._waiting.values())

    async def pending(self, within: bytes, viewer: Viewer, deadline: float = 1.0) -> int:
        """Files at or below `within` that are not wholly indexed and that `viewer` may read, counted up to MOST_PENDING.

        When the catalogue is too busy to say within `deadline` s, the last count of the whole folder stands in for the owner,
        and 1 for others.
        """
        trusted = viewer.uid in (0, os.geteuid())
        if not self.indexing:
            return 0
        if trusted and not within:
            return self.pending_files
        with trio.move_on_after(deadline):
            limit = MOST_PENDING if trusted else MOST_CHECKED
            found = await self.in_thread(self.catalogue.pending, within, limit)
            return len(found) if trusted else sum(1 for path in found if self.readable(path, viewer))
        return self.pending_files if trusted else 1

    async def scan(self, path: bytes) -> int:
        """Compare a folder, or one file, with the catalogue now. Returns how many files have to be read (again).

        Raises NotFound when nothing is, or was, at `path`.
        """
        if path and not await self.in_thread(self.catalogue.knows, path):
            raise NotFound(
                f"There is nothing at {os.fsdecode(path)!r}; write the path as ls shows it below files/."
            )
        if path:
            self._append(("hinted", path))
        self._scans[path] = None
        self._urgent.set()
        self._changed.set()
        while path in self._scans or self._changes or self._applying or self._walking == path:
            await self._moved_on.wait()
        return len(await self.in_thread(self.catalogue.unread, path))

    async def looked(self, path: bytes) -> None:
        """Compare a folder, or one file, with history now, and wait for nothing else; what is not there is noted as gone."""
        if path:
            self._append(("hinted", path))
        self._scans[path] = None
        self._changed.set()
        while path in self._scans or self._walking == path:
            self._urgent.set()
            await self._moved_on.wait()

    async def rebuild(self) -> None:
        """Throw the index away and build it from the folder and the durable vectors, without embedding anything again."""
        if not self.indexing:
            raise IndexOff(NO_INDEX)
        answer = await self.engine.call("rebuild", {}, 60.0)
        await self.feed.hello({"epoch": answer["epoch"], "missing": [], "incomplete": []})
