"""jobs: a change that was begun goes on to its end, whether or not who asked for it still waits (a line to `ctl` waits for a minute).

Threading: in the loop. `run` is one task of the daemon; where it does not run (in a test), who asks carries it out.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

from syscalls.errors import LsfsError, NoRoom, TryAgain

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Job(Generic[Answer]):
    """Something that is being done, and those who wait for it."""

    def __init__(self, act: Callable[[], Awaitable[Answer]]) -> None:
        self.act = act
        self.begun = False
        self.over = trio.Event()
        self.answers: list[Answer] = []
        self.error: Exception = TryAgain("The mount is ending; `lsfs log` says whether it was done.")

    async def perform(self) -> None:
        """Do it; raises nothing but what cancels it."""
        self.begun = True
        try:
            self.answers.append(await self.act())
        except LsfsError as error:
            self.error = error
        except OSError as error:
            self.error = NoRoom(f"The disk refused it ({error.strerror}); nothing was changed.")
        except sqlite3.Error as error:
            self.error = NoRoom(
                f"History cannot be written ({error}), so nothing was changed; free some space."
            )
        except Exception as error:  # a bug of ours, of which the mount is not to die
            log.exception("a change failed")
            self.error = error
        finally:
            self.over.set()

    async def answer(self) -> Answer:
        """What it came to. Raises what was said against it; NoRoom where that was the disk or the database."""
        if not self.begun:
            await self.perform()
        await self.over.wait()
        if not self.answers:
            raise self.error
        return self.answers[0]


class Jobs:
    """All that is being changed in one mount."""

    def __init__(self) -> None:
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        """Until cancelled; what is being put in its place then is completed."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                await trio.sleep_forever()
            finally:
                self._nursery = None

    def begin(self, act: Callable[[], Awaitable[Answer]]) -> Job[Answer]:
        """Have `act()` done; its `answer` need not be waited for."""
        job = Job(act)
        if self._nursery is not None:
            job.begun = True
            self._nursery.start_soon(job.perform)
        return job
