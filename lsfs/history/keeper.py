"""keeper: gives the past its time, and its room.

    every hour       what the policy keeps no longer goes (`lsfs.history.keeping`, `lsfs.history.collect`)
    every half a minute, when the daemon weighs the state folder, what exceeds the quota goes, the oldest first

The first of these waits where the time of day has leapt ahead, until it has been so for an hour.

Threading: in the loop. Each step is a call in the catalogue's thread, and holds `Capture.chunks`, so that changes and large captures come
in between.
"""

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import trio

from lsfs.history.collect import GRACE, Collection, used
from lsfs.history.keeping import Kept, Leaps, Retention
from lsfs.history.past import Past

if TYPE_CHECKING:
    from lsfs.history.capture import Capture
    from lsfs.history.follow import Follow

log = logging.getLogger(__name__)

HOUR = 3600.0
LEAST = 1 / 64  # of the sequences, the oldest ones, that go at a time when the quota is exceeded

Answer = TypeVar("Answer")


class Numbers(NamedTuple):
    """What /status says of history. bytes: history.db and packs; waiting: contents that are still live files; since: seconds since the
    epoch."""

    versions: int
    snapshots: int
    bytes: int
    waiting: int
    since: float | None


def count(past: Past) -> Numbers:
    """Of a store, over a connection that only reads. In a thread."""
    database = past.database

    def one(query: str) -> int:
        return int(database.execute(query).fetchone()[0])

    return Numbers(
        one("select count(*) from entry"),
        one("select count(*) from snapshot"),
        used(database, os.fspath(past.state / "packs")),
        one("select count(*) from content where digest is null and held is null"),
        past.first(),
    )


class Keeper:
    """Owned by `History`. `dropped` is told of the names of snapshots that went."""

    def __init__(
        self,
        collection: Collection,
        capture: "Capture",
        retention: Retention,
        quota: int,
        dropped: Callable[[list[bytes]], None],
    ) -> None:
        self.collection = collection
        self.capture = capture
        self.retention = retention
        self.quota = quota
        self.trouble: str | None = None
        self.follow: Follow
        self._dropped = dropped
        self._tidy = False
        self._alone = trio.Lock()
        self._leaps: Leaps | None = None
        self._leapt: str | None = None
        """What is said while a clock that was set is not believed."""
        self._paused: float | None = None
        """Seconds since old versions were last removed, while a pause before this mount, or a clock that is wrong, is not believed."""
        self._full: str | None = None

    async def collect(self) -> None:
        """Let go what the policy keeps no longer; nothing while the time of day is not believed."""
        async with self._alone:
            try:
                now = time.time()
                if await self._ahead(now):
                    return
                kept = await self.follow.in_thread(self.collection.due, self.retention, now)
                await self._remove(kept, GRACE)
                await self.follow.in_thread(self.collection.finished)
            except (OSError, sqlite3.Error) as error:
                log.warning("old versions stay for now: %s", error)

    async def _ahead(self, now: float) -> bool:
        """Is the time of day not to be believed yet? While this daemon lives that is a clock that was set; before, it may be a pause."""
        steady, begun = time.clock_gettime(time.CLOCK_BOOTTIME), self._leaps is not None
        if self._leaps is None:
            self._leaps = Leaps(await self.follow.in_thread(self.collection.last) or None, steady)
        ahead = self._leaps.ahead(now, steady)
        if not ahead:
            self._leapt = self._paused = None
        elif begun and self._paused is None and self._leapt is None:
            self._leapt = (
                f"The clock went ahead by {ahead / 86400:.0f} days, so no old versions are removed until it has been so for an hour;"
                " set it right, where it is wrong."
            )
            log.warning("%s", self._leapt)
        elif not begun:
            self._paused = ahead
            log.info("old versions were last removed %.0f days ago, and stay for another hour", ahead / 86400)
        return ahead > 0

    async def weigh(self, taken: int) -> None:
        """Let go what exceeds the quota, of which `taken` bytes are used; and, once an hour, what has had its time."""
        while self.follow.scanning:
            await self.follow.moved_on()
        if not self._tidy:
            self._tidy = True
            with contextlib.suppress(OSError, sqlite3.Error):
                await self._step(self.collection.tidy)
        if self._leapt or abs(time.time() - await self.follow.in_thread(self.collection.last)) > HOUR:
            await self.collect()
        async with self._alone:
            try:
                self._full = await self._fit(taken)
                self.trouble = self._full or self._leapt
            except (OSError, sqlite3.Error) as error:
                log.warning("history was not brought below its quota: %s", error)

    async def _fit(self, taken: int) -> str | None:
        before, floor = taken, None
        while taken > self.quota:
            share = max(LEAST, (taken - self.quota) / taken / 4)
            floor = await self.follow.in_thread(self.collection.oldest, share)
            if floor is None:
                said = (
                    f"History takes {taken >> 20} MiB, its quota is {self.quota >> 20} MiB, and all that is left is what is there now, or"
                    " what snapshots show; drop a snapshot (rmdir snapshots/NAME), or raise [history] quota in lsfs.conf."
                )
                if self._full is None:
                    log.warning("%s", said)
                return said
            await self._remove(await self.follow.in_thread(self.collection.without, floor), 0.0)
            taken = await self.follow.in_thread(self.collection.used)
        if floor is not None:
            said = "history exceeded its quota (%d KiB): what is older than sequence %d is gone, but for snapshots (%d KiB)"
            log.info(said, before >> 10, floor, taken >> 10)
        return None

    async def _remove(self, kept: Kept, grace: float) -> None:
        before = self.collection.removed
        steps = self.collection.steps(kept, grace=grace)
        while (names := await self._step(lambda: next(steps, None))) is not None:
            if names:
                self._dropped(names)
        if self.collection.removed > before:
            while await self._step(self.collection.shrink):
                await trio.lowlevel.checkpoint()

    async def _step(self, step: Callable[[], Answer]) -> Answer:
        async with self.capture.chunks:
            return await self.follow.in_thread(step)
