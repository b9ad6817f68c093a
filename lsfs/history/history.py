"""History: versions, snapshots, the past, as the rest of the daemon uses them. The port `mounts.ports.History`.

    /files ── Guard ──> Follow ──> Entries, Capture          what happens becomes rows and objects
    /snapshots, .versions, /trash ──> Past                   what happened is read back

Threading: in the loop. `settled` makes all that was closed so far part of the last sequence; a snapshot is a name for that sequence.
"""

import contextlib
import errno
import os
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from lsfs.config import STATE, Settings
from lsfs.history import disk
from lsfs.history.back import nothing_removed, removed_at
from lsfs.history.capture import Capture
from lsfs.history.collect import Collection
from lsfs.history.entries import Entries, Entry, Off
from lsfs.history.guard import Guard
from lsfs.history.held import Held
from lsfs.history.keeper import Keeper, Numbers, count
from lsfs.history.keeping import Retention
from lsfs.history.objects import Objects
from lsfs.history.past import Bytes, Changed, Past, PerThread, Snapshot
from lsfs.history.purging import Purging
from lsfs.history.rollback import Rollback
from lsfs.history.store import State, refuse_links
from syscalls.errors import Exists, InvalidArgument, LsfsError, NotFound, TryAgain
from syscalls.values import Viewer
from syscalls.when import when

if TYPE_CHECKING:
    from lsfs.history.follow import Follow

Answer = TypeVar("Answer")

PATIENCE = 30.0  # seconds that a snapshot waits for the first scan, and for what was closed before it
NANO = 1_000_000_000
LATEST, NOW = b"latest", b"now"


class HistoryOff(LsfsError):
    """History is asked for, and switched off."""

    errno = errno.EOPNOTSUPP


class Unwritable(LsfsError):
    """History has no room."""

    errno = errno.ENOSPC


OFF = "History is switched off for this folder ([history] enabled in lsfs.conf): there are no versions."


class History:
    """Everything of history that one mount has. `attach` it to what makes it run before anything is asked."""

    def __init__(self, settings: Settings, state: State, root_fd: int) -> None:
        self.settings = settings
        self.enabled = settings.history_enabled
        self.database = state.database
        self.root_fd = root_fd
        self.objects = Objects(state.database, state.folder)
        self.entries = (Entries if self.enabled else Off)(state.database, self.objects, pace=settings.pace)
        own = settings.folder / STATE
        if own != state.folder and own.exists():
            refuse_links(own)
        self.held = Held(own / "held")
        self.past = Past(state.folder, root_fd, self.held)
        self._per_thread = PerThread(self.past)
        self._threads = trio.CapacityLimiter(2)
        self._long = trio.CapacityLimiter(2)
        self._taking = trio.Lock()
        self.capture: Capture | None = None
        self.keeper: Keeper | None = None
        self.numbers: Numbers | None = None
        """What /status says, as it was a moment ago."""
        self.guard: Guard | None = None
        self.follow: Follow
        self.rollback = Rollback(self)
        self.purging = Purging(self)
        self.heard: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
        self.busy: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
        self.drain: Callable[[], None] = lambda: None
        self._snapshots: dict[bytes, Snapshot] = {
            snapshot.name: snapshot for snapshot in self.past.snapshots()
        }
        if self.enabled:
            self.capture = Capture(
                self.entries,
                self.held,
                state.folder,
                root_fd,
                indexed=lambda path: self.follow.catalogue.ignore.verdict(path, False) is None,
                mode=settings.capture,
                largest=settings.history_max_file_size,
            )
            self.keeper = Keeper(
                Collection(state.database, self.objects, self.held),
                self.capture,
                Retention(settings.keep_all, settings.keep_daily),
                settings.quota,
                self._dropped,
            )
            self.guard = Guard(
                self.held,
                kept=self.past.kept,
                note=lambda secured: self.follow.secured(secured),
                displaced=lambda path: self.follow.displaced(path),
                named=self.past.named,
                commit=lambda: self.follow.committed(),
                dear=self._dear,
                waiting=lambda: self.follow.waiting,
                largest=settings.history_max_file_size,
                pace=settings.pace,
            )
            self.capture.relieved = self.guard.recheck

    def attach(self, follow: "Follow") -> None:
        """`follow` commits what happens. What a kill left behind is taken up first."""
        self.follow = follow
        if self.enabled and (not self.settings.read_only or self.rollback.carry.pending):
            self.rollback.carry.recover()
        if self.keeper is not None:
            self.keeper.follow = follow
        if self.capture is not None:
            self.capture.read_only = self.settings.read_only
        if self.capture is not None and not self.settings.read_only:
            with follow.catalogue.transaction():
                left = self.capture.recover()
            self.capture.committed(left)
            for secured in left:
                follow.secured(secured)

    def close(self) -> None:
        """After the last commit."""
        if self.capture is not None:
            self.capture.close()
        self._per_thread.close()
        self.past.close()
        self.held.close()

    # Sequences --------------------------------------------------------------------------------------------------------

    async def noted(self, patience: float) -> None:
        """Wait, `patience` seconds at most, until what was closed before this call is committed; for looks, which are never refused
        because of it."""
        self._on()
        with trio.move_on_after(patience):
            await self.heard()
            self.drain()
            await self.follow.committed(patience)

    def permits(self, path: bytes, viewer: Viewer) -> bool:
        """May `viewer` read today what is at `path`, and pass the folders above it, as far as they are still there?"""
        return self.follow.readable.permits(path, viewer)

    def passes(self, path: bytes, viewer: Viewer) -> bool:
        """May `viewer` go through the folder at `path` and those above it today, as far as they are still there?"""
        return self.follow.readable.passes(path, viewer)

    def permits_then(self, path: bytes, row: Entry, viewer: Viewer, past: Past | None = None) -> bool:
        """The same, and might he have read it then? In a thread with its own `past`."""
        return self.permits(path, viewer) and self.follow.readable.then(row, past or self.past, viewer)

    def readable_at(self, path: bytes, sequence: int, viewer: Viewer) -> bool:
        """Was there a regular file at a path, which `viewer` may read now and might have read then?"""
        row = self.past.entry(path, sequence)
        if row is None or not stat.S_ISREG(row.mode):
            return False
        return viewer.uid in (0, os.geteuid()) or self.permits_then(path, row, viewer)

    async def settled(self, patience: float = PATIENCE) -> int:
        """Wait until all that was closed before this call is committed; the sequence it is in.

        Raises TryAgain where that takes longer than `patience` seconds, Unwritable where history cannot be written."""
        self._on()
        with trio.move_on_after(patience) as scope:
            await self.heard()
            self.drain()
            while self.follow.scanning and not self.follow.trouble:
                self.follow.hurry()
                await self.follow.moved_on()
            if not self.follow.watch.complete:
                await self.follow.scan(b"")
            await self.follow.committed(patience)
        if self.follow.trouble:
            raise Unwritable(self.follow.trouble)
        if scope.cancelled_caught:
            raise TryAgain("History is still taking in what was changed; try again in a moment.")
        return self.past.sequence()

    def sequence_of(self, text: bytes) -> int:
        """The sequence that a snapshot's name, `now`, `latest` or a time stands for. Raises NotFound."""
        self._on()
        snapshot = self._snapshots.get(text)
        if snapshot is not None:
            return snapshot.sequence
        if text == NOW:
            return self.past.sequence()
        if text == LATEST:
            named = [snapshot for snapshot in self._snapshots.values() if not snapshot.automatic]
            if not named:
                raise NotFound("There is no snapshot yet; mkdir snapshots/NAME takes one.")
            return max(named, key=lambda snapshot: (snapshot.made, snapshot.sequence)).sequence
        return self.at(text)

    def at(self, text: bytes) -> int:
        """The sequence at a time, in ISO 8601; a prefix is its first moment. Raises NotFound."""
        self._on()
        try:
            first, _ = when(text.decode("ascii"))
        except (ValueError, UnicodeDecodeError):
            raise NotFound(
                f"There is no snapshot {os.fsdecode(text)!r}, and it is no time: ls snapshots lists them, a time is written as"
                " 2026-11-22T10:00."
            ) from None
        if first > time.time_ns():
            raise NotFound(f"{os.fsdecode(text)} has not come yet.")
        sequence = self.past.at(first / NANO)
        if sequence is None:
            raise NotFound(f"History does not reach back to {os.fsdecode(text)}.")
        return sequence

    # Snapshots --------------------------------------------------------------------------------------------------------

    def snapshots(self) -> list[Snapshot]:
        """All of them, oldest first."""
        return sorted(self._snapshots.values(), key=lambda snapshot: (snapshot.made, snapshot.name))

    def snapshot(self, name: bytes) -> Snapshot | None:
        """One by its name."""
        return self._snapshots.get(name)

    async def take(self, name: bytes, *, automatic: bool = False) -> Snapshot:
        """Give a name to what is there now. It is on the disk when this returns. Raises Exists, TryAgain, Unwritable."""
        self._on()
        async with self._taking:  # what one has to sync, the next one relies on
            return await self._take(name, automatic)

    async def _take(self, name: bytes, automatic: bool) -> Snapshot:
        if name in self._snapshots:
            raise Exists(f"There is a snapshot {os.fsdecode(name)!r} already.")
        await self.busy()
        await self.settled()
        snapshot = await self._change(self._insert, name, automatic)
        if self.entries.loose:
            # contents that are still live files are to be on the disk, too: those of this sequence, whatever is written meanwhile
            try:
                await trio.to_thread.run_sync(self._sync, limiter=self._threads)
            except OSError as error:
                self.entries.loose = True
                await self._change(self._delete, name)
                raise Unwritable(
                    f"What the snapshot shows cannot be written to the disk ({error.strerror})."
                ) from error
        self._snapshots[name] = snapshot
        return snapshot

    def _sync(self) -> None:
        """All of the folder's file system is on the disk. In a thread."""
        self.entries.loose = False
        disk.sync(self.root_fd)

    async def drop(self, name: bytes) -> None:
        """The name goes; what it showed goes with time, unless another snapshot shows it. Raises NotFound."""
        self._on()
        if name not in self._snapshots:
            raise NotFound(f"There is no snapshot {os.fsdecode(name)!r}; ls snapshots lists them.")
        await self._change(self._delete, name)
        self._snapshots.pop(name, None)

    async def rename(self, old: bytes, new: bytes) -> None:
        """Another name for a snapshot. Raises NotFound, Exists."""
        self._on()
        if old not in self._snapshots:
            raise NotFound(f"There is no snapshot {os.fsdecode(old)!r}; ls snapshots lists them.")
        if new in self._snapshots:
            raise Exists(f"There is a snapshot {os.fsdecode(new)!r} already.")
        await self._change(self._rename, old, new)
        self._snapshots[new] = self._snapshots.pop(old)._replace(name=new, automatic=False)

    def _dropped(self, names: list[bytes]) -> None:
        """Names that lsfs gave went with what they named."""
        for name in names:
            self._snapshots.pop(name, None)

    def _insert(self, name: bytes, automatic: bool) -> Snapshot:
        row = self.database.execute("select value from meta where key = 'sequence'").fetchone()
        snapshot = Snapshot(name, int(row[0]), time.time(), automatic)
        self.database.execute(
            "insert into snapshot values (?, ?, ?, ?)",
            (name, snapshot.sequence, snapshot.made, int(automatic)),
        )
        return snapshot

    def _delete(self, name: bytes) -> None:
        self.database.execute("delete from snapshot where name = ?", (name,))

    def _rename(self, old: bytes, new: bytes) -> None:
        self.database.execute("update snapshot set name = ?, automatic = 0 where name = ?", (new, old))

    async def _change(self, call: Callable[..., Answer], *arguments: Any) -> Answer:
        try:
            return await self.follow.commit(call, *arguments, counting=False)
        except sqlite3.IntegrityError as error:
            raise Exists("There is a snapshot of that name already.") from error
        except sqlite3.Error as error:
            raise Unwritable(f"History cannot be written ({error}); free some space.") from error

    # Reading -----------------------------------------------------------------------------------------------------------

    def reads(self, path: bytes) -> bool:
        """Whether the rules let the index read a file here, now: neither secret nor ignored."""
        return self.follow.catalogue.ignore.verdict(path, False) is None

    async def in_thread(
        self, call: Callable[..., Answer], *arguments: Any, limiter: trio.CapacityLimiter | None = None
    ) -> Answer:
        """`call(past, *arguments)` in a thread: for what reads much. What takes seconds brings a limiter of its own, and lets all else
        pass."""
        self._on()
        return await trio.to_thread.run_sync(
            lambda: call(self._per_thread.get(), *arguments), limiter=limiter or self._threads
        )

    async def apart(self, call: Callable[..., Answer], *arguments: Any) -> Answer:
        """The same for what may take seconds: nothing else waits for it."""
        return await self.in_thread(call, *arguments, limiter=self._long)

    async def open(self, row: Entry) -> Bytes:
        """The bytes of a row; what has just been overwritten is waited for. Raises Missing."""
        try:
            return self.past.open(row)
        except Changed:
            await self.settled()
            return self.past.open(row)

    async def undelete(self, row: Entry, target: bytes, viewer: Viewer) -> int:
        """Put a removed row, and what was removed with it, at `target`; how many objects. Raises as `Rollback.undelete`."""
        self._on()
        return await self.rollback.undelete(row, target, viewer)

    def removed_at(
        self,
        path: bytes,
        first: float | None = None,
        end: float | None = None,
        viewer: Viewer | None = None,
    ) -> Entry:
        """The row that was removed last at a path, between two times where they are given. Raises NotFound, also where `viewer` may not
        see it."""
        self._on()
        row = removed_at(self.past, path, first, end)
        if viewer is not None and not self.rollback.sees(row, viewer):
            raise nothing_removed(path)
        return row

    def _on(self) -> None:
        if not self.enabled:
            raise HistoryOff(OFF)

    def forget(self) -> None:
        """What was read of the past is kept in memory no longer."""
        self.past.contents.forget()
        self._per_thread.forget()

    async def weigh(self) -> None:
        """Count what /status says, and let go what exceeds the quota or has had its time. Asked every half a minute."""
        if self.keeper is None:
            return
        if self.guard is not None:
            self.guard.recheck()
        with contextlib.suppress(sqlite3.Error):
            removed = self.keeper.collection.removed
            self.numbers = await self.in_thread(count)
            await self.keeper.weigh(self.numbers.bytes)
            if self.keeper.collection.removed > removed:
                self.numbers = await self.in_thread(count)

    def _dear(self) -> set[str]:
        """The files in held/ that a snapshot shows, those included that no commit knows of yet."""
        found = self.past.dear()
        for secured in self.follow.held_up():
            row = self.past.kept(secured.path) if secured.held is not None else None
            if row is not None and row[4] and secured.held is not None:
                found.add(secured.held)
        return found

    @property
    def trouble(self) -> str | None:
        """Why history is not what it should be, if it is not."""
        for one in (self.guard, self.capture, self.keeper, self.rollback.carry):
            if one is not None and one.trouble:
                return one.trouble
        return None


class AskedPast:
    """The port `syscalls.ports.Files` of a question about a sequence: nothing is waited for, and rights are those of then and now."""

    def __init__(self, history: History, sequence: int) -> None:
        self.history = history
        self.sequence = sequence

    async def settle(self, deadline: float) -> None:
        await trio.lowlevel.checkpoint()

    def readable(self, path: bytes, viewer: Viewer) -> bool:
        return self.history.readable_at(path, self.sequence, viewer)

    async def pending(self, within: bytes, viewer: Viewer, deadline: float) -> int:
        await trio.lowlevel.checkpoint()
        return 0

    async def scan(self, path: bytes) -> int:
        raise InvalidArgument("The past cannot be scanned.")

    async def rebuild(self) -> None:
        raise InvalidArgument("The past has no index of its own.")
