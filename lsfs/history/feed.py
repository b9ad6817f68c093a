"""The feed: what the engine is asked to read, in which order, and what becomes of its answers.

Files closed through the mount come first, then the backlog (the dirty rows of the catalogue, by id); a window bounds what
is asked and not answered yet. After a death of the engine, what was in flight is asked one file at a time, to learn which
of them it was.

Runs in the daemon's loop; owned by `Follow`, whose `commit` is the only way to the catalogue. Nothing here is lost by a kill:
a row stays dirty until the engine's outcome for it is committed.
"""

import sqlite3
import time
from collections.abc import Awaitable, Callable

import trio

from lsfs.engine.supervisor import Died, Engine
from lsfs.history.catalogue import Catalogue
from lsfs.pace import Pace

WINDOW = 256  # paths asked of the engine and not answered yet
AGAIN = 5.0  # seconds until what history could not take (a full disk) is tried again
DEATHS = 3  # engines that may die over one file, asked alone, before that file is given up

Commit = Callable[..., Awaitable[None]]


class Feed:
    """The queue to the engine.

    commit(call, *arguments)  runs a function inside one commit, in the catalogue's thread
    query(call, *arguments)   the same without a commit
    look(path, settled)       asks for another look at a path
    done(path)                says that a file's outcome is committed, and nothing newer is known of it
    """

    def __init__(
        self,
        catalogue: Catalogue,
        engine: Engine,
        *,
        commit: Commit,
        query: Callable[..., Awaitable[list[tuple[int, bytes]]]],
        look: Callable[[bytes, bool], None],
        done: Callable[[bytes], None],
    ) -> None:
        self.catalogue = catalogue
        self.engine = engine
        self.flying: set[bytes] = set()
        self.meaning = ""
        self.pace = Pace()  # of files read
        self.loads = (
            0  # changes of the model's state: an answer given while it was loading is not the last word
        )
        self._commit = commit
        self._query = query
        self._look = look
        self._done = done
        self._fresh: dict[bytes, None] = {}
        self._suspects: dict[bytes, int] = {}
        self._after = 0
        self._hungry = trio.Event()
        self._heard = trio.Event()
        self.agreed = (
            False  # with the index of the engine that lives now; before that nobody knows what is indexed
        )
        self.epoch = ""
        self._outcomes: list[dict] = []  # each with the epoch of the index that it was made for
        self._complete: list[bytes] = []

    async def run(self) -> None:
        """Feed and listen until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._feed)
            nursery.start_soon(self._listen)

    def want(self, path: bytes) -> None:
        """This file comes before the backlog."""
        self._fresh[path] = None

    def wake(self) -> None:
        """There may be something to ask for."""
        self._hungry.set()

    # Asking -------------------------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        while True:
            await self._hungry.wait()
            self._hungry = trio.Event()
            while self.engine.state == "ready":
                wanted, fresh = self._next_fresh(), True
                if not wanted:
                    wanted, fresh = await self._backlog_or_nothing(), False
                # looking into the backlog takes a while: what is sent to an engine that died meanwhile nobody would take back
                if not wanted or self.engine.state != "ready":
                    break
                self.flying.update(wanted)
                try:
                    await self.engine.ask("index", {"paths": wanted, "fresh": fresh})
                except Died:
                    break  # `died` has taken them back

    def _next_fresh(self) -> list[bytes]:
        # Fresh files pass the backlog and its window: they are few, and somebody is waiting for them.
        free = (path for path in self._fresh if path not in self.flying and path not in self._suspects)
        wanted = [path for path, _ in zip(free, range(WINDOW), strict=False)]
        if not wanted and self._suspects and not self.flying:
            wanted = [next(iter(self._suspects))]
        for path in wanted:
            self._fresh.pop(path, None)
        return wanted

    async def _backlog_or_nothing(self) -> list[bytes]:
        try:
            return await self._next_backlog()
        except sqlite3.Error:
            await trio.sleep(AGAIN)
            return []

    async def _next_backlog(self) -> list[bytes]:
        room = WINDOW - len(self.flying)
        if self._suspects or room < WINDOW // 2:
            return []
        while rows := await self._query(self.catalogue.backlog, room, self._after):
            self._after = rows[-1][0]
            wanted = [path for _, path in rows if path not in self.flying]
            if wanted:
                return wanted
        self._after = 0
        return []

    # Listening ----------------------------------------------------------------------------------------------------

    async def hello(self, answer: dict) -> None:
        """A new engine is here, or a new index: agree on what is indexed."""
        await self._record()  # what an earlier one had said comes first
        self.epoch = answer["epoch"]
        await self._commit(self.catalogue.adopt, answer["epoch"], answer["missing"], answer["incomplete"])
        self._after = 0
        self.agreed = True

    def died(self) -> None:
        """The engine ended: what was in flight will be asked again, of the next one, with suspicion."""
        self.agreed = False
        alone = len(self.flying) == 1
        for path in self.flying:
            deaths = self._suspects.get(path, 0) + alone
            self._suspects[path] = deaths
            if deaths >= DEATHS:
                del self._suspects[path]
                sentence = f"The search engine died {DEATHS} times while reading it; it is left out until it changes."
                outcome = {"path": path, "state": "failed", "complete": True, "error": sentence}
                self._outcomes.append(outcome | {"epoch": self.epoch})
        self.flying.clear()
        self._heard.set()

    async def event(self, message: dict) -> None:
        """An event of the engine. Those that arrive during a commit share the next one."""
        if message["event"] == "indexed":
            epoch = message.get("epoch", self.epoch)
            self._outcomes.extend(outcome | {"epoch": epoch} for outcome in message["outcomes"])
        elif message["event"] == "epoch":
            await self.hello({"epoch": message["epoch"], "missing": [], "incomplete": []})
        elif message["event"] == "complete":
            self._complete.extend(message["digests"])
        elif message["event"] == "progress" and message["meaning"] != self.meaning:
            self.meaning = message["meaning"]
            self.loads += 1
        self._heard.set()

    async def _listen(self) -> None:
        while True:
            await self._heard.wait()
            self._heard = trio.Event()
            try:
                await self._record()
            except sqlite3.Error:  # `commit` has said so; the outcomes were put back
                await trio.sleep(AGAIN)
                self._heard.set()
            self.wake()

    async def _record(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        complete, self._complete = self._complete, []
        if not outcomes and not complete:
            return
        again = [outcome["path"] for outcome in outcomes if outcome["state"] == "unstable"]
        gone = [outcome["path"] for outcome in outcomes if outcome["state"] == "gone"]
        # What was said of an index that is no more is not recorded: those files are dirty again already.
        known = [
            outcome
            for outcome in outcomes
            if outcome["state"] not in ("unstable", "gone") and outcome["epoch"] == self.epoch
        ]
        try:
            await self._commit(self._store, known, complete)
        except sqlite3.Error:
            self._outcomes[:0], self._complete[:0] = outcomes, complete
            raise
        self.pace.add(len(known), time.monotonic())
        for outcome in outcomes:
            self.flying.discard(outcome["path"])
            self._suspects.pop(outcome["path"], None)
        for path in again:
            self._look(path, False)
        for path in gone:
            self._look(path, True)
        for outcome in known:
            if outcome["path"] not in self._fresh:
                self._done(outcome["path"])

    def _store(self, outcomes: list[dict], complete: list[bytes]) -> None:
        self.catalogue.record(outcomes)
        self.catalogue.completed(complete)

    async def finish(self) -> None:
        """Commit what has been heard."""
        await self._record()
