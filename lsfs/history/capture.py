"""Capture: the bytes of a version, from the live file into the store.

    closed after a write      with the commit that notes it, small ones; large ones right after it, in a thread of their own
    secured by the guard      with the next commit: from the journal, or from the file in held/
    there before lsfs came    in the background, when nothing else is to do: text up to SMALL (`capture` of lsfs.conf: small, all, lazy)

A content counts as captured only if its file was the same before and after it was read, and is the one that its row says. What could not
be read so stays a live file, and is tried again when it changes.

Threading: `secured`, `fresh`, `_store` run in the catalogue's thread, inside a commit; `_read` and `_pack` in a thread of their own;
all else in the loop.
"""

import contextlib
import logging
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import trio

from lsfs.beneath import open_regular
from lsfs.history import paths
from lsfs.history.contents import Contents
from lsfs.history.entries import Captured, Entries
from lsfs.history.held import Held, Secured
from lsfs.history.objects import LARGE, Prepared, prepare
from lsfs.history.packs import Packed, Torn, pack
from lsfs.history.store import open_read_only
from syscalls.errors import LsfsError

if TYPE_CHECKING:
    from lsfs.history.follow import Follow

log = logging.getLogger(__name__)

SMALL = 1 << 20  # bytes of what is captured unasked in the background
BATCH, BATCH_BYTES = 64, 8 << 20
IDLE = 0.5  # seconds without a change before the background goes on
AGAIN = 5.0  # seconds until what the disk could not take is tried again
SHARE = 10  # a large file that is written all the time is read for one part of this many


class Read(NamedTuple):
    """What a thread read for a cell."""

    cell: int
    path: bytes
    found: os.stat_result
    content: Prepared | Packed


class Capture:
    """Owned by the daemon; `run` is one task. `largest`: bytes beyond which no version is kept; `mode`: small, all or lazy."""

    def __init__(
        self,
        entries: Entries,
        held: Held,
        state: Path,
        root_fd: int,
        *,
        indexed: Callable[[bytes], bool],
        mode: str,
        largest: int,
    ) -> None:
        self.entries = entries
        self.held = held
        self.state = state
        self.root_fd = root_fd
        self.mode = mode
        self.largest = largest
        self.trouble: str | None = None
        self.idle = False
        """Whether nothing is left to be captured."""
        self.packing = False
        """While a thread relies on chunks that are there, none may be removed."""
        self.chunks = trio.Lock()
        """Held while `packing`, and while chunks are removed (`lsfs.history.keeper`)."""
        self.read_only = False
        self.relieved: Callable[[], None] = lambda: None
        """Told of each commit: what was wrong with the disk may be over."""
        self._indexed = indexed
        self._reader = open_read_only(state / "history.db")
        self._known = Contents(self._reader, state)
        self._thread = trio.CapacityLimiter(1)
        self._large: dict[int, tuple[bytes, str | None]] = {}  # cell -> path, or file in held/
        self._rests: dict[bytes, float] = {}  # a large file that was just captured waits until then
        self._dropped: list[str] = []  # files in held/ that the commit under way makes superfluous
        self._unlinked: list[bytes] = []  # paths of those that are there still
        self._serial = 0
        self._work = trio.Event()
        self._stopped = False

    # In the catalogue's thread, inside a commit --------------------------------------------------------------------------

    def secured(self, secured: Secured) -> None:
        """A state that the guard secured becomes a version."""
        self._serial = max(self._serial, secured.number)
        self.entries.database.execute("update meta set value = ? where key = 'journal'", (self._serial,))
        if secured.after is not None:
            self.entries.retimed(secured.path, secured.found, secured.after)
            return
        if secured.held is not None and not self._is_held(secured):
            self._dropped.append(secured.held)
            self._unlinked.append(secured.path)
            return
        content = Captured(None, secured.held)
        data = secured.data
        if data is None and secured.held is not None and secured.found.st_size <= LARGE:
            with contextlib.suppress(OSError):
                data = self.held.whole(secured.held)
        if data is not None:
            content = Captured(prepare(data), None)
        needed = self.entries.secured(
            secured.path, secured.found, secured.extra, content, secured.at, self._indexed(secured.path)
        )
        if secured.held is not None:
            if not needed or content.prepared is not None:
                self._dropped.append(secured.held)
            else:
                self._queue_held()

    def _is_held(self, secured: Secured) -> bool:
        """Is the file in held/ what was secured? Not where a kill came before the user's own operation: then it is a second name of a file
        that is still there; and not where a power cut took what was never synced."""
        assert secured.held is not None
        try:
            found = os.lstat(self.held.path(secured.held))
        except OSError:
            return False
        regular = stat.S_ISREG(found.st_mode)
        return regular and found.st_nlink == 1 and found.st_size == secured.found.st_size

    def forget(self, cells: Iterable[int]) -> None:
        """These contents are not to be captured. In the loop, `chunks` being held."""
        for cell in cells:
            self._large.pop(cell, None)

    def _queue_held(self) -> None:
        for cell, name in self.entries.database.execute(
            "select id, held from content where held is not null"
        ):
            self._large[cell] = (b"", name)  # where it was a live file that waited, that one is gone

    def fresh(self, cells: dict[int, bytes]) -> None:
        """Cells born in this commit: the small ones are captured in it."""
        for cell in cells:
            row = self.entries.shows(cell)
            if row is None or row.size > self.largest:
                continue
            path = row.path
            if row.size > LARGE:
                self._large[cell] = (path, None)
                continue
            read = self._read(cell, path, most=LARGE)
            if read is not None:
                self._store([read])

    def _store(self, reads: Iterable[Read]) -> set[str]:
        """Contents that were read belong to their cells, if these are still what the live row of the path says. Returns the packs in which
        something is used by nobody once this is committed."""
        hollow: set[str] = set()
        for cell, path, found, content in reads:
            row = self.entries.row(path)
            signature = paths.signature(found)
            if row is None or row.content != cell or (row.size, row.mtime_ns, row.ino) != signature:
                if isinstance(content, Packed) and content.pack is not None:
                    hollow.add(content.pack)
                continue
            hollow |= self._put(cell, content)
        return hollow

    def _put(self, cell: int, content: Packed | Prepared) -> set[str]:
        hollow: set[str] = set()
        if isinstance(content, Packed):
            hollow.update(self.entries.objects.put_packed(content))
        else:
            self.entries.objects.put(content)
        self.entries.recorded(cell, content.digest)
        return hollow

    def _store_held(self, cell: int, content: Packed | Prepared, name: str) -> set[str]:
        row = self.entries.database.execute("select size, held from content where id = ?", (cell,)).fetchone()
        if row is not None and row == (content.size, name):
            return self._put(cell, content)
        return {content.pack} if isinstance(content, Packed) and content.pack is not None else set()

    def recover(self) -> list[Secured]:
        """Before anything else, inside a commit: what a kill left. Returns what the journal has and no commit had."""
        database = self.entries.database
        self._serial = database.execute("select value from meta where key = 'journal'").fetchone()[0]
        written = list(self.held.read())
        self.held.cut()
        left = [secured for secured in written if secured.number > self._serial]
        # whatever the clock says by now
        self.held.last = max(
            [self._serial, *(secured.number for secured in written), *map(int, self.held.names())]
        )
        named = {secured.held for secured in left} | {
            name for (name,) in database.execute("select held from content where held is not null")
        }
        for name in self.held.names():
            if name not in named and not self._adopt(name):
                self._dropped.append(name)
        self._queue_held()
        return left

    def _adopt(self, name: str) -> bool:
        """A held file that the journal lost: it is the content of the live row with its inode, if that has none."""
        with contextlib.suppress(OSError):
            found = os.lstat(self.held.path(name))
            if found.st_nlink > 1 or not stat.S_ISREG(found.st_mode):
                return False  # a kill came before the user's own operation: it is a second name of a file that is still there
            changed = self.entries.database.execute(
                "update content set held = ? where digest is null and held is null and id in (select content from entry"
                " where died is null and ino = ? and size = ? and mtime_ns = ?)",
                (name, paths.number(found.st_ino), found.st_size, paths.stamp(found.st_mtime_ns)),
            ).rowcount
            return bool(changed)
        return False

    # In threads ----------------------------------------------------------------------------------------------------------

    def _read(self, cell: int, path: bytes, held: str | None = None, most: int | None = None) -> Read | None:
        """A file, live or held; None where it cannot be read in one piece, is gone, or has more than `most` bytes."""
        try:
            if held is not None:
                fd = os.open(self.held.path(held), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            else:
                fd, _ = open_regular(self.root_fd, path, xdev=False)
        except OSError:
            return None
        try:
            found = os.fstat(fd)
            if most is not None and found.st_size > most:
                return None
            if found.st_size > LARGE:
                content: Prepared | Packed = pack(
                    fd, found.st_size, self.state, self._known.known_chunks, lambda: self._stopped
                )
            else:
                data = os.pread(fd, found.st_size + 1, 0)
                if len(data) != found.st_size or not _same(found, os.fstat(fd)):
                    return None
                content = prepare(data)
            return Read(cell, path, found, content)
        except Torn:
            return None
        finally:
            os.close(fd)

    def _read_many(self, waiting: list[tuple[int, bytes]]) -> tuple[list[Read], int]:
        """As many of these as make a batch, and the last cell that was tried."""
        reads: list[Read] = []
        total = last = 0
        for last, path in waiting:
            with contextlib.suppress(OSError):
                read = self._read(last, path)
                if read is not None:
                    reads.append(read)
                    total += read.found.st_size
            if total > BATCH_BYTES:
                break
        return reads, last

    # In the loop ---------------------------------------------------------------------------------------------------------

    def failed(self) -> None:
        """A commit was not done: nothing that it would have made superfluous goes."""
        self._dropped = []
        self._unlinked = []

    def committed(self, pending: list[Secured]) -> list[bytes]:
        """A commit is done. `pending`: what else was secured meanwhile, so that the journal is still needed. The paths to be looked at:
        of files that lost a name in held/, and so have another ctime."""
        dropped, self._dropped = self._dropped, []
        unlinked, self._unlinked = self._unlinked, []
        if not self.read_only:  # what a kill left is for the next mount that may write
            for name in dropped:
                self.held.drop(name)
            with contextlib.suppress(OSError):
                if not pending:
                    self.held.clear()
                elif self.held.grown():
                    self.held.renew(pending)
        self.relieved()
        self.idle = False
        self._work.set()
        return unlinked

    async def run(self, follow: "Follow") -> None:
        """Large contents as they come, and the background."""
        after = 0
        while True:
            try:
                if self._large:
                    await self._next_large(follow)
                    continue
                if self.mode == "lazy":
                    self.idle = True
                else:
                    after = await self._background(follow, after)
                self.trouble = None
            except Torn:
                continue
            except (OSError, sqlite3.Error, LsfsError) as error:
                self.trouble = (
                    f"History cannot be written ({error}); files are served as ever. Free some space."
                )
                await trio.sleep(AGAIN)
            if self.idle:
                await self._work.wait()
                self._work = trio.Event()

    async def _next_large(self, follow: "Follow") -> None:
        now = time.monotonic()
        due = {cell: self._rests.get(path, 0.0) for cell, (path, _) in self._large.items()}
        cell = min(due, key=lambda cell: due[cell])
        if due[cell] > now:
            with trio.move_on_after(due[cell] - now):
                await self._work.wait()
            self._work = trio.Event()
            return
        await self.chunks.acquire()
        path, held = self._large.pop(cell)
        self.packing = True
        try:
            read = await trio.to_thread.run_sync(self._read, cell, path, held, limiter=self._thread)
            took = time.monotonic() - now
            if held is None and took > 0.2:
                self._rests = {known: until for known, until in self._rests.items() if until > now}
                self._rests[path] = now + SHARE * took
            if read is None:
                return
            if held is not None:
                hollow = await follow.commit(self._store_held, cell, read.content, held)
                self.held.drop(held)
            else:
                hollow = await follow.commit(self._store, [read])
            await self._discard(follow, hollow)
        except BaseException:
            self._large.setdefault(cell, (path, held))
            raise
        finally:
            self.packing = False
            self.chunks.release()

    async def _discard(self, follow: "Follow", hollow: set[str]) -> None:
        """After a commit: what nobody uses any more of these packs goes."""
        if hollow:
            await follow.in_thread(self.entries.objects.discard, hollow)

    async def _background(self, follow: "Follow", after: int) -> int:
        """Capture a few more of the files that were there before; the cell to go on after."""
        if not follow.quiet():
            await trio.sleep(IDLE)
            return after
        largest = min(self.largest, SMALL) if self.mode == "small" else self.largest
        waiting = await follow.in_thread(
            lambda: self.entries.waiting(after, largest, BATCH, everything=self.mode == "all")
        )
        if not waiting:
            self.idle = True
            return after  # what could not be read gets another cell when it changes
        await self.chunks.acquire()
        self.packing = True
        try:
            reads, last = await trio.to_thread.run_sync(self._read_many, waiting, limiter=self._thread)
            if reads:
                await self._discard(follow, await follow.commit(self._store, reads))
        finally:
            self.packing = False
            self.chunks.release()
        return last

    def stop(self) -> None:
        """The mount is gone: a large file that is being read is read at the next one."""
        self._stopped = True

    def close(self) -> None:
        """Let the connection go."""
        self.stop()
        self._reader.close()


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns, one.st_ctime_ns) == (
        other.st_size,
        other.st_mtime_ns,
        other.st_ctime_ns,
    )
