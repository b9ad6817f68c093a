"""fuse_wait: how pyfuse3's tasks wait for the next request.

Most requests come in bursts: `find`, `git status` and `tar` send the next one some 10 µs after they have read
the last reply. Going to sleep in epoll and being woken costs more than the request itself, so after each one
the descriptor is polled for a moment first. `scripts/bench files --without spin` shows what that is worth.

pyfuse3 asks its module global `trio` for a lock and for `wait_readable`; `Waits` stands in for it (the way
pyfuse3.asyncio does) and hands everything else on.

Threading: the daemon's loop. The poll lets go of the GIL, so threads go on meanwhile.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any

import trio

SPIN = 50_000
"""ns to poll before going to sleep: about what it costs to be woken."""
IN_A_ROW = 32
"""Requests served before the other tasks of the loop get their turn, in one or two milliseconds."""
MOST_LUCK = 8
"""Polls in vain that a burst may end with; then the next are left out until requests come quickly again."""


class Lock:
    """A fair lock whose holder does not yield to others when it is free."""

    __slots__ = ("_held", "_waiting")

    def __init__(self) -> None:
        self._held = False
        self._waiting = trio.lowlevel.ParkingLot()

    async def __aenter__(self) -> None:
        if self._held:
            await self._waiting.park()  # whoever leaves hands the lock over: it stays held
        else:
            self._held = True

    async def __aexit__(self, *exception: object) -> None:
        if self._waiting:
            self._waiting.unpark()
        else:
            self._held = False


class Lowlevel:
    """`trio.lowlevel` with a `wait_readable` that polls first."""

    def __init__(self, agreed: Callable[[], bool] | None) -> None:
        self._poll: Any = None
        self._agreed = agreed
        self._closing = False
        self._served = 0
        self._luck = MOST_LUCK

    def __getattr__(self, name: str) -> Any:
        return getattr(trio.lowlevel, name)

    def notify_closing(self, fd: int) -> None:
        """Whoever waits, or is about to, hears that it is over."""
        self._closing = True
        trio.lowlevel.notify_closing(fd)

    async def wait_readable(self, fd: int) -> None:
        poll = self._poll
        if poll is None:
            poller = select.poll()
            poller.register(fd, select.POLLIN)
            self._poll = poll = poller.poll
        elif self._agreed is not None and self._agreed():
            self._agreed = None
        self._served += 1
        if self._served >= IN_A_ROW:
            self._served = 0
            await trio.lowlevel.checkpoint()
            if self._closing:  # which nobody heard meanwhile
                raise trio.ClosedResourceError
        if self._luck > 0:
            until = time.perf_counter_ns() + SPIN
            while not poll(0):
                if time.perf_counter_ns() > until:
                    self._luck -= 1
                    break
            else:
                if self._luck < MOST_LUCK:
                    self._luck += 1
                return
        elif poll(0):
            return
        self._served = 0
        began = time.perf_counter_ns()
        await trio.lowlevel.wait_readable(fd)
        if time.perf_counter_ns() - began < 2 * SPIN:
            self._luck = min(self._luck + 1, MOST_LUCK)


class Waits:
    """What pyfuse3 takes for the module trio. *agreed* is called when the first request was handled, and again until it says
    yes."""

    def __init__(self, agreed: Callable[[], bool] | None = None) -> None:
        self.lowlevel = Lowlevel(agreed)
        self.Lock = Lock

    def __getattr__(self, name: str) -> Any:
        return getattr(trio, name)
