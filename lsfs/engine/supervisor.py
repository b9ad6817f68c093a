"""The engine as the daemon sees it: a child that may die, and calls that may have to wait for the next one.

Runs in the daemon's loop. `run` keeps one engine alive for as long as its nursery lives: it starts one, says hello, reads
until the socket ends, reaps it, waits a little longer after each quick death, and starts the next. Nothing here ever makes
an operation on a file wait; a call waits for an engine until its own deadline and then raises TryAgain.
"""

import contextlib
import json
import logging
import math
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import IO

import trio

from lsfs.config import NO_MODEL, Settings
from lsfs.engine import protocol
from lsfs.pace import Pace
from syscalls.errors import LsfsError, TryAgain

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0  # seconds between a death and the next start, doubled each time
HEALTHY = 60.0  # an engine that lived this long starts the doubling anew
HEARTBEAT, PATIENCE = (
    30.0,
    120.0,
)  # seconds between two looks at an engine, and how long one may take to answer
FAREWELL = 5.0  # seconds a stopping engine has before it is killed
DOWN = "The search engine is starting again; ask once more in a moment (see /status)."


class Died(Exception):
    """The engine went away between a call and its answer."""


def environment(settings: Settings, root_fd: int, socket_fd: int) -> dict[str, str]:
    """The engine's environment: its settings, libraries that are quiet and ask no network, and this daemon's modules."""
    engine = {
        "root_fd": root_fd,
        "socket_fd": socket_fd,
        "state": os.fspath(settings.state),
        "catalogue": os.fspath(settings.state / "history.db"),
        "model": "" if settings.model == NO_MODEL else settings.model,
        "max_file_size": settings.max_file_size,
        "extract_timeout": settings.extract_timeout,
        "extract_memory": settings.extract_memory,
        "ocr": settings.ocr,
        "backend": settings.backend,
        "engine_memory": settings.engine_memory,
    }
    return os.environ | {
        "LSFS_ENGINE": json.dumps(engine),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "RUST_LOG": "error",
        "PYTHONUNBUFFERED": "1",
        # The daemon stands in "/": the engine must find the same code, wherever it was started from.
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(os.path.abspath(entry) for entry in sys.path if entry)),
    }


class Engine:
    """One supervised engine. `state` is what /status shows: "starting", "ready", "down" or "stopped"."""

    def __init__(self, settings: Settings, root_fd: int) -> None:
        self.settings = settings
        self.root_fd = root_fd
        self.state = "starting"
        self.pid: int | None = None
        self.starts = 0
        self.replaced = False  # the last end was the engine's own wish, to give memory back
        self.failure: str | None = None  # why the last one could not go on, until one is ready
        self.stats: dict = {}
        self.counted: dict[str, int] = {"embeddings": 0, "reused": 0, "prompts": 0, "searches": 0}
        self.pace = Pace()  # of passages that get a vector
        self._before: dict[str, int] = dict(self.counted)
        self._outbox: trio.MemorySendChannel[bytes] | None = None
        self._ready = trio.Event()
        self._since = 0.0
        self._answers: dict[int, trio.MemorySendChannel] = {}
        self._number = 0
        self._stopping = False

    async def run(
        self,
        hello: Callable[[dict], Awaitable[None]],
        event: Callable[[dict], Awaitable[None]],
        died: Callable[[], None],
    ) -> None:
        """Keep an engine alive until cancelled or stopped.

        `hello(answer)` is awaited before the engine is called ready, `event(message)` for each event in order, `died()`
        after each end. A ready engine is itself an event.
        """
        pause = FIRST_PAUSE
        while not self._stopping:
            started = time.monotonic()
            recycled = False
            try:
                recycled = await self._live(hello, event)
            except* (Died, LsfsError, OSError, protocol.ProtocolError, sqlite3.Error) as group:
                self.failure = f"The search engine could not go on ({group.exceptions[0]!r})."
                log.warning("%s", self.failure)
            self.state = "stopped" if self._stopping else "down"
            self.replaced = recycled
            died()
            if self._stopping:
                break
            if recycled or time.monotonic() - started > HEALTHY:
                pause = FIRST_PAUSE
            await trio.sleep(0 if recycled else pause)
            pause = min(LONGEST_PAUSE, pause * 2)
        self.state = "stopped"

    async def _live(
        self, hello: Callable[[dict], Awaitable[None]], event: Callable[[dict], Awaitable[None]]
    ) -> bool:
        """One life of one engine, from start to reaping. True when it asked to be replaced."""
        self.state = "starting"
        self.starts += 1
        async with self._process() as (stream, process):
            recycled = False
            try:
                async with trio.open_nursery() as nursery:
                    messages, queue = trio.open_memory_channel[dict](1000)
                    self._outbox, outgoing = trio.open_memory_channel[bytes](math.inf)
                    nursery.start_soon(self._read, stream, messages)
                    nursery.start_soon(self._write, stream, outgoing)
                    nursery.start_soon(self._watch, process)
                    await hello(await self.ask("hello", {}))
                    self.state, self._since = "ready", time.monotonic()
                    self._ready.set()
                    self.failure = None
                    await event({"event": "ready"})
                    async for message in queue:
                        if message["event"] == "progress":
                            self._progress(message)
                        elif message["event"] == "recycle":
                            recycled = True
                            log.info("the engine grew past its memory limit and is replaced")
                        elif message["event"] == "complete":
                            await (
                                self.refresh_stats()
                            )  # whoever sees that nothing is pending sees what it took
                        await event(message)
                    nursery.cancel_scope.cancel()
            finally:
                self._lost()
        return recycled

    @contextlib.asynccontextmanager
    async def _process(self) -> AsyncIterator[tuple[trio.SocketStream, subprocess.Popen]]:
        ours, theirs = socket.socketpair()
        with self._log() as output:
            # In the main thread on purpose: the engine asks the kernel to be killed with the thread that started it.
            process = subprocess.Popen(
                [sys.executable, "-m", "lsfs.engine"],
                env=environment(self.settings, self.root_fd, theirs.fileno()),
                pass_fds=(self.root_fd, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
            )
        theirs.close()
        self.pid = process.pid
        pidfd = os.pidfd_open(process.pid)
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        try:
            yield stream, process
        finally:
            with trio.CancelScope(shield=True):
                await stream.aclose()
                with trio.move_on_after(FAREWELL):
                    await trio.lowlevel.wait_readable(pidfd)
                if process.poll() is None:
                    process.kill()
                    with trio.move_on_after(FAREWELL):  # one in uninterruptible sleep is left to init
                        await trio.lowlevel.wait_readable(pidfd)
                status = process.poll()
            os.close(pidfd)
            self.pid = None
            if status and not self._stopping:
                log.warning(
                    "the engine ended with status %s; %s", status, "see engine.log in the state folder"
                )

    @contextlib.contextmanager
    def _log(self) -> Iterator[IO[bytes]]:
        """Where the engine's words go; nowhere when the state folder has gone."""
        path, flags = self.settings.state / "engine.log", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        try:
            fd = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            log.warning("%s cannot be written (%s): what the engine says is lost", path, error.strerror)
            fd = os.open(os.devnull, flags)
        with open(fd, "wb", buffering=0) as output:
            yield output

    async def _read(self, stream: trio.SocketStream, messages: trio.MemorySendChannel) -> None:
        reader = protocol.Reader()
        async with messages:
            with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                async for data in stream:
                    for message in reader.feed(bytes(data)):
                        if "event" in message:
                            await messages.send(message)
                        elif answer := self._answers.pop(message["id"], None):
                            answer.send_nowait(message)
            for answer in self._answers.values():
                answer.close()
            self._answers.clear()

    async def _write(self, stream: trio.SocketStream, outgoing: trio.MemoryReceiveChannel[bytes]) -> None:
        # A task of its own, so that a question that gives up never leaves half a frame on the wire.
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async for frame in outgoing:
                await stream.send_all(frame)

    async def _watch(self, process: subprocess.Popen) -> None:
        """An engine that is alive and does not answer is as good as dead."""
        while True:
            await trio.sleep(HEARTBEAT)
            with trio.move_on_after(PATIENCE) as scope, contextlib.suppress(Died, LsfsError):
                self._progress(await self.ask("stats", {}))
            if scope.cancelled_caught:
                log.warning("the engine has not answered for %d s and is replaced", PATIENCE)
                process.kill()
                return

    def _progress(self, message: dict) -> None:
        self.stats = {key: value for key, value in message.items() if key != "event"}
        done = self._vectored()
        for key, before in self._before.items():
            self.counted[key] = before + self.stats.get(key, 0)
        self.pace.add(self._vectored() - done, time.monotonic())

    def _vectored(self) -> int:
        return self.counted["embeddings"] + self.counted["reused"]

    def _lost(self) -> None:
        self._ready = trio.Event() if self._ready.is_set() else self._ready
        self._before = dict(self.counted)
        self._outbox = None
        self.state = "down"
        for answer in self._answers.values():
            answer.close()
        self._answers.clear()

    async def present(self) -> None:
        """Wait until there is an engine."""
        await self._ready.wait()

    def age(self) -> float:
        """Seconds since the engine that is there was ready."""
        return time.monotonic() - self._since

    async def ask(self, call: str, arguments: dict) -> dict:
        """Ask the engine that lives now. Raises Died when there is none or it ends, LsfsError when it says no."""
        if self._outbox is None:
            raise Died
        self._number += 1
        number = self._number
        send, receive = trio.open_memory_channel[dict](1)
        self._answers[number] = send
        try:
            self._outbox.send_nowait(protocol.pack({"id": number, "call": call, "args": arguments}))
            message = await receive.receive()
        except (trio.EndOfChannel, trio.BrokenResourceError) as error:
            raise Died from error
        finally:
            self._answers.pop(number, None)
        if "error" in message:
            code, sentence = message["error"]
            raise _translated(code, sentence)
        return message["ok"]

    async def call(self, call: str, arguments: dict, deadline: float) -> dict:
        """Ask the engine; wait for the next one, and ask that, if it is down or dies. Raises TryAgain after `deadline` s."""
        with trio.move_on_after(deadline):
            while not self._stopping:
                await self._ready.wait()
                try:
                    return await self.ask(call, arguments)
                except Died:
                    await trio.sleep(0)  # _lost has run or will: then there is a new event to wait for
        raise TryAgain(DOWN)

    async def refresh_stats(self) -> None:
        """Bring the counters up to date (they are otherwise at most a second old)."""
        if self._ready.is_set():
            with trio.move_on_after(1), contextlib.suppress(Died, LsfsError):
                self._progress(await self.ask("stats", {}))

    async def stop(self) -> None:
        """Let the engine finish its commit and end; `run` then returns."""
        self._stopping = True
        with trio.move_on_after(FAREWELL), contextlib.suppress(Died, LsfsError):
            await self.ask("stop", {})


def _translated(code: int, sentence: str) -> LsfsError:
    for kind in LsfsError.__subclasses__():
        if kind.errno == code:
            return kind(sentence)
    return LsfsError(sentence)
