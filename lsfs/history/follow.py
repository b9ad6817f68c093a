"""Following the folder: every change, from the mount or from behind it, ends in the catalogue and in the index.

    mount ── touched, moved ──┐                      ┌── index ──> engine
    watch ── hinted ──────────┼─> apply (catalogue) ─┤
    scan  ── at mount, lost ──┘                      └<─ indexed, complete ── engine

Everything here runs in the daemon's loop; the catalogue is called in one worker thread at a time, and each call is one
commit. `touched`, `moved` and `hinted` only append to a list, so an operation on a file never waits for any of this.

Nothing here is lost by a kill: what was not committed is found by the scan at the next mount, and a row stays dirty until
the engine's outcome for it is committed.
"""

import logging
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import trio

from lsfs.engine.supervisor import Died, Engine
from lsfs.history import paths
from lsfs.history.catalogue import Catalogue, Counts
from lsfs.history.readable import Readable
from lsfs.history.scan import scan
from lsfs.history.watch import Watch
from syscalls.errors import LsfsError, NotFound
from syscalls.values import Viewer

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

WINDOW = 256  # paths asked of the engine and not answered yet
QUIET = 1.0  # seconds a file written behind the mount, and not closed, has to rest before it is read
LATEST = 10.0  # but no longer than this after its first change
RESCAN = 60.0  # seconds between scans where not every folder can be watched
DEATHS = 3  # engines that may die over one file, asked alone, before that file is given up
PRUNE = 3600.0
FAILURES = 50  # files that could not be indexed, as /status names them
# Before 6.13 two writes within one clock tick (4 ms) leave the same mtime and ctime: there a written file is read again.
COARSE_CLOCK = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) < (6, 13)


class Follow:
    """The owner of the catalogue's thread and of the queue to the engine. Also the port `syscalls.ports.Files`."""

    def __init__(
        self,
        catalogue: Catalogue,
        engine: Engine,
        watch: Watch,
        *,
        hidden: frozenset[bytes],
        note: Callable[[str], None],
        indexing: bool,
        settle: float = 1.0,
    ) -> None:
        self.catalogue = catalogue
        self.engine = engine
        self.watch = watch
        self.hidden = hidden
        self.note = note
        self.indexing = indexing
        self.longest_settle = settle
        self.failed = 0
        self.failures: list[tuple[str, str]] = []
        self.readable = Readable(catalogue.root_fd)
        self.scanning = True
        self.counts: Counts = catalogue.counts()
        self.unscanned: dict[bytes, str] = {}
        self._thread = trio.CapacityLimiter(1)
        self._changes: list[tuple] = []
        self._changed = trio.Event()
        self._scans: dict[bytes, None] = {b"": None}  # the first scan
        self._changed.set()
        self._fresh: dict[bytes, None] = {}
        self._flying: set[bytes] = set()
        self._suspects: dict[bytes, int] = {}
        self._backlog_after = 0
        self._hungry = trio.Event()
        self._heard = trio.Event()
        self._committing = 0
        self._walking: bytes | None = None
        self._outcomes: list[dict] = []
        self._complete: list[bytes] = []
        self._ticket = 0
        self._folders_touched = 0
        self._waiting: dict[bytes, int] = {}  # closed through the mount, not yet searchable by words
        self._moved_on = trio.Event()
        self._later: dict[bytes, tuple[float, float]] = {}  # path -> (due, first)
        self._later_changed = trio.Event()

    # What the mount and the watch say: called in the loop, answered at once ---------------------------------------

    def touched(self, path: bytes) -> None:
        """Content, metadata or existence at `path` changed through the mount."""
        self._ticket += 1
        if self.indexing:
            self._waiting[path] = self._ticket
        self._append(("touched", path, self._ticket))

    def moved(self, old: bytes, new: bytes, exchange: bool = False) -> None:
        """A rename through the mount."""
        if exchange:
            self._ticket += 1
            self._append(("replaced", old, 0))
            self._append(("replaced", new, 0))
            return
        self._ticket += 1
        if self.indexing:
            self._waiting[new] = self._ticket
        self._append(("moved", old, new, self._ticket))

    def hinted(self, path: bytes, settled: bool) -> None:
        """Something at `path` changed behind the mount, perhaps. Unsettled: it is still being written."""
        if settled:
            self._later.pop(path, None)
            self._append(("hinted", path))
        else:
            now = trio.current_time()
            first = self._later.get(path, (0.0, now))[1]
            self._later[path] = (min(now + QUIET, first + LATEST), first)
            self._later_changed.set()

    def lost(self) -> None:
        """Events were dropped: scan everything."""
        self._scans[b""] = None
        self._changed.set()

    def _append(self, change: tuple) -> None:
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
                nursery.start_soon(self._feed)
                nursery.start_soon(self._listen)

    async def in_thread(self, call: Callable[..., Answer], *arguments: object) -> Answer:
        """Call a function in the catalogue's thread, where it has the database to itself."""
        return await trio.to_thread.run_sync(call, *arguments, limiter=self._thread)

    async def _apply(self) -> None:
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            if self._changes:
                await self._commit()
            elif self._scans:
                await self._walk(next(iter(self._scans)))
            if self._changes or self._scans:
                self._changed.set()

    async def _commit(self) -> None:
        changes, self._changes = self._changes, []
        self._committing = len(changes)
        verdicts, folders = await self.in_thread(self._write, changes)
        self._committing = 0
        for path, verdict in verdicts.items():
            if verdict == "dirty" or (verdict == "waiting" and path not in self._flying):
                self._fresh[path] = None
                continue
            self._folders_touched += verdict == "folder"
            if verdict == "folder" and not (self.watch.complete and self.watch.holds(path)):
                self._scans[path] = None
        self._scans.update(folders)
        for change in changes:
            if change[0] in ("touched", "moved") and verdicts.get(change[-2]) not in ("dirty", "waiting"):
                self._settled(change[-2], change[-1])
        self._after_commit()

    def _write(self, changes: list[tuple]) -> tuple[dict[bytes, str], dict[bytes, None]]:
        """In the thread: one commit for all changes that came since the last one.

        Returns what follows for each path, and the folders to scan because what is ignored there changed.
        """
        verdicts: dict[bytes, str] = {}
        folders: dict[bytes, None] = {}
        with self.catalogue.transaction():
            for kind, path, *rest in _unique(changes):
                for name in (path, *rest):
                    if paths.split(name)[1] == b".lsfsignore":
                        self.catalogue.ignore.reload(name)
                        folders[paths.split(name)[0]] = None
                if kind == "moved":
                    self.catalogue.moved(path, rest[0])
                    verdicts.pop(path, None)
                    path = rest[0]
                elif kind == "replaced":
                    self.catalogue.kill_below(path)
                verdicts[path] = self.catalogue.touched(path, written=kind == "touched" and COARSE_CLOCK)
        self._count()
        return verdicts, folders

    async def _walk(self, top: bytes) -> None:
        self._walking = top
        del self._scans[top]
        self.unscanned = {path: why for path, why in self.unscanned.items() if top and not path.startswith(top)}
        steps = scan(
            self.catalogue,
            top,
            watch=self.watch.add,
            hidden=self.hidden,
            unreadable=lambda path, error: self.unscanned.__setitem__(path, error.strerror or ""),
        )
        started = time.monotonic()
        while await self.in_thread(self._step, steps) is not None:
            self._after_commit()
            if self._changes:
                await self._commit()  # a file that was just closed does not wait for the end of a scan
        if not top:
            self.scanning = False
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
            due = min((when for when, _ in self._later.values()), default=math.inf)
            with trio.move_on_at(due):
                await self._later_changed.wait()
            self._later_changed = trio.Event()
            now = trio.current_time()
            for path in [path for path, (when, _) in self._later.items() if when <= now]:
                del self._later[path]
                self._append(("hinted", path))

    async def _regularly(self) -> None:
        last = trio.current_time()
        while True:
            await trio.sleep(RESCAN)
            if not self.watch.complete:
                self.lost()
            if trio.current_time() - last >= PRUNE:
                last = trio.current_time()
                await self.in_thread(self._prune)
                if self.indexing:
                    await self._collect()

    def _prune(self) -> None:
        with self.catalogue.transaction():
            self.catalogue.forget_dead()

    async def _collect(self) -> None:
        try:
            await self.engine.call("collect", {}, 60.0)
        except LsfsError as error:
            log.warning("unused contents stay in the index for now: %s", error)

    # The queue to the engine ----------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        while True:
            await self._hungry.wait()
            self._hungry = trio.Event()
            while self.engine.state == "ready":
                fresh = await self._next_fresh()
                if fresh:
                    await self._ask(fresh, True)
                    continue
                backlog = await self._next_backlog()
                if not backlog:
                    break
                await self._ask(backlog, False)

    def _room(self) -> int:
        # After a death, files that were in flight are asked one at a time, to learn which of them it was.
        return (1 if self._suspects else WINDOW) - len(self._flying)

    async def _next_fresh(self) -> list[bytes]:
        # Fresh files pass the backlog and its window: they are few, and somebody is waiting for them.
        take = [path for path in self._fresh if path not in self._flying and path not in self._suspects][:WINDOW]
        if not take and self._suspects and not self._flying:
            take = [next(iter(self._suspects))]
        for path in take:
            self._fresh.pop(path, None)
        return take

    async def _next_backlog(self) -> list[bytes]:
        room = self._room()
        if room <= WINDOW // 2 or self._suspects:
            return []
        rows = await self.in_thread(self.catalogue.backlog, room, self._backlog_after)
        if not rows:
            self._backlog_after = 0
            return []
        self._backlog_after = rows[-1][0]
        found = [path for _, path in rows if path not in self._flying]
        return found or await self._next_backlog()

    async def _ask(self, wanted: list[bytes], fresh: bool) -> None:
        self._flying.update(wanted)
        try:
            await self.engine.ask("index", {"paths": wanted, "fresh": fresh})
        except Died:
            return  # died() has taken them back

    async def hello(self, answer: dict) -> None:
        """A new engine is here, or a new index: agree on what is indexed."""
        await self._record()  # what an earlier one had said comes first
        await self.in_thread(self._adopt, answer)
        self._backlog_after = 0
        self._after_commit()

    def _adopt(self, answer: dict) -> None:
        with self.catalogue.transaction():
            self.catalogue.adopt(answer["epoch"], answer["missing"], answer["incomplete"])
        self._count()

    def died(self) -> None:
        """The engine ended: what was in flight will be asked again, of the next one, with suspicion."""
        alone = len(self._flying) == 1
        for path in self._flying:
            deaths = self._suspects.get(path, 0) + alone
            if deaths >= DEATHS:
                self._suspects.pop(path, None)
                sentence = f"The search engine died {DEATHS} times while reading it; it is left out until it changes."
                self._outcomes.append(
                    {"path": path, "state": "failed", "digest": None, "type": None, "complete": True, "error": sentence}
                )
            else:
                self._suspects[path] = deaths
        self._flying.clear()
        self._heard.set()

    async def event(self, message: dict) -> None:
        """An event of the engine. Those that arrive during a commit share the next one."""
        if message["event"] == "indexed":
            self._outcomes.extend(message["outcomes"])
        elif message["event"] == "complete":
            self._complete.extend(message["digests"])
        self._heard.set()

    async def _listen(self) -> None:
        while True:
            await self._heard.wait()
            self._heard = trio.Event()
            await self._record()
            self._after_commit()

    async def _record(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        complete, self._complete = self._complete, []
        if not outcomes and not complete:
            return
        again = {outcome["path"] for outcome in outcomes if outcome["state"] == "unstable"}
        gone = {outcome["path"] for outcome in outcomes if outcome["state"] == "gone"}
        await self.in_thread(self._store, [o for o in outcomes if o["path"] not in again | gone], complete)
        for path in again:
            self.hinted(path, False)
        for path in gone:
            self._append(("hinted", path))
        for outcome in outcomes:
            path = outcome["path"]
            self._flying.discard(path)
            self._suspects.pop(path, None)
            if path not in self._fresh and path not in again and path in self._waiting:
                self._settled(path, self._waiting[path])

    def _store(self, outcomes: list[dict], complete: list[bytes]) -> None:
        with self.catalogue.transaction():
            self.catalogue.record(outcomes)
            self.catalogue.completed(complete)
        self._count()

    def _count(self) -> None:
        """In the thread, after a commit: what /status says, so that looking at it asks nobody."""
        counts = self.catalogue.counts()
        self.failures = [(os.fsdecode(path), error) for path, error in self.catalogue.errors(FAILURES)]
        self.failed = counts.failed
        self.counts = counts

    # Waiting, and what the index knows ---------------------------------------------------------------------------------

    def _settled(self, path: bytes, ticket: int) -> None:
        if self._waiting.get(path, math.inf) <= ticket:
            del self._waiting[path]

    def _after_commit(self) -> None:
        self._hungry.set()
        self._moved_on.set()
        self._moved_on = trio.Event()

    @property
    def generation(self) -> int:
        """Grows with every change of what a question could find, from the moment of the close on; a folder's new rights
        take no sequence, and count all the same."""
        return self.counts.sequence + self._ticket + self._folders_touched

    @property
    def pending_files(self) -> int:
        """Files not wholly indexed, those included that are known only as a change; at least 1 while a scan runs."""
        if not self.indexing:
            return 0
        scanning = self.scanning or bool(self._scans) or self._walking is not None
        return max(self.counts.pending + len(self._changes) + self._committing, int(scanning))

    async def moved_on(self) -> None:
        """Wait for the next commit."""
        await self._moved_on.wait()

    async def settle(self, deadline: float) -> None:
        """Wait, `deadline` s at most, until what was closed through the mount before this call is searchable by words."""
        mine = dict(self._waiting)
        with trio.move_on_after(min(deadline, self.longest_settle)):
            while any(self._waiting.get(path, math.inf) <= ticket for path, ticket in mine.items()):
                await self._moved_on.wait()

    async def pending(self, within: bytes, viewer: Viewer) -> int:
        """Files at or below `within` that are not wholly indexed and that `viewer` may read."""
        if not self.indexing:
            return 0
        found = await self.in_thread(self.catalogue.pending, within, 10_000)
        if viewer.uid == 0 or viewer.uid == os.geteuid():
            return max(len(found), int(self.scanning))
        return sum(1 for path in found if self.readable(path, viewer))

    async def scan(self, path: bytes) -> int:
        """Compare a folder, or one file, with the catalogue now. Returns how many files have to be read (again).

        Raises NotFound when nothing is, or was, at `path`.
        """
        if path and not await self.in_thread(self.catalogue.knows, path):
            raise NotFound(f"There is nothing at {os.fsdecode(path)!r}; write the path as ls shows it below files/.")
        if path:
            self._append(("hinted", path))
        self._scans[path] = None
        self._changed.set()
        while path in self._scans or self._changes or self._committing or self._walking == path:
            await self._moved_on.wait()
        return len(await self.in_thread(self.catalogue.unread, path))

    async def rebuild(self) -> None:
        """Throw the index away and build it from the folder and the durable vectors, without embedding anything again."""
        answer = await self.engine.call("rebuild", {}, 60.0)
        await self.hello({"epoch": answer["epoch"], "missing": [], "incomplete": []})

    async def finish(self) -> None:
        """Commit what has been noted; called once, after the mount is gone."""
        if self._changes:
            changes, self._changes = self._changes, []
            await self.in_thread(self._write, changes)
        if self._outcomes or self._complete:
            await self.in_thread(self._store, self._outcomes, self._complete)


def _unique(changes: list[tuple]) -> list[tuple]:
    """Drop all but the last of equal (kind, path) between two moves: an untar touches each path several times."""
    kept: list[tuple] = []
    seen: set[tuple] = set()
    for change in reversed(changes):
        if change[0] == "moved":
            kept.append(("moved", change[1], change[2]))
            seen.clear()
        elif (key := change[:2]) not in seen:
            seen.add(key)
            kept.append(key)
    kept.reverse()
    return kept
