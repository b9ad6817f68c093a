"""serve: the engine's calls, and the threads that answer them.

    main         reads the socket, answers what is quick, hands on the rest
    index, rich  `indexer`: files to words
    embed        `embedder`: passages to vectors, to Lance
    search ×2    `questions`: `index.search` on read-only connections
    insight ×2   `insights`: sentences compared, files by topic
    lexing       has `lexing`'s segments made, by a process
    progress     tells the numbers at most once a second

The daemon hears everything through `tell`, one lock, one message at a time. The engine lives as long as the socket: at its end, and at
`stop`, it commits what it has and exits. It starts light: torch and LanceDB are imported in the threads that need them.
"""

import errno
import json
import logging
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsfs import models
from lsfs.engine import protocol, purge
from lsfs.engine.embedder import Embedder, resident
from lsfs.engine.indexer import Indexer
from lsfs.engine.insights import Insights
from lsfs.engine.kept import Object
from lsfs.engine.lexing import Lexing
from lsfs.engine.meaning import Meaning
from lsfs.engine.questions import Questions
from lsfs.index.store import Store
from syscalls.errors import LsfsError

log = logging.getLogger(__name__)

SEARCHERS = 2
INSIGHTS = 2  # a summary takes a second; meanwhile another one is not to wait
NICE = 5  # of the threads that index: a person's own work goes first
DAY = 86_400.0
FAREWELL = 2.0  # seconds the threads have to end
WORTH = 1_000  # passages embedded or files read before an engine that grew is replaced: one that starts large is not replaced for ever


class Engine:
    """One engine over one socket."""

    def __init__(self, settings: dict, sock: socket.socket) -> None:
        """settings: see `__main__`. Raises OSError or sqlite3.Error where the state folder is not usable."""
        self._sock, self._sending = sock, threading.Lock()
        self._state = Path(settings["state"])
        self._catalogue: str = settings["catalogue"]
        self._memory: int = settings.get("engine_memory", 1200 << 20)
        self.model: str = settings.get("model", "all-MiniLM-L6-v2")
        found, error, count = _find(self.model)
        self._identity = found.identity if found else "none"
        self._wanted = bool(self.model)
        # without a model at all nothing ever becomes complete by waiting; with one that is missing, passages wait for it
        self._store = Store(
            self._state / "index",
            self._catalogue,
            f"{self._identity}:{'vectors' if self._wanted else 'words'}",
        )
        threads = settings.get("threads") or min(2, os.cpu_count() or 1)
        self.meaning = Meaning(found, error, threads, settings.get("backend", "auto"))
        self.embedder = Embedder(
            self._store, self._state, self._identity, self.meaning, self.tell, self._moved
        )
        self.embedder.after_batch = self._weigh
        self.indexer = Indexer(
            self._store,
            settings["root_fd"],
            count,
            self._wanted,
            settings,
            self.tell,
            self.embedder.wake,
            self._moved,
        )
        self.indexer.after_batch = self._weigh
        if self._wanted:  # a broken one is moved aside here, before several threads open it
            from lsfs.index.vectors import Vectors

            Vectors(self._state / "vectors.db", self._identity).close()
        paths = (self._store.path, self._catalogue, self._state / "vectors.db" if self._wanted else None)
        self._questions = Questions(paths, self._identity, self.meaning, self.embedder, self.tell, self._fail)
        self._insights = Insights(paths, self._identity, self.meaning, self.tell, self._fail)
        self.lexing = Lexing(self._state / "index", self._catalogue)
        self._progress = threading.Event()
        self._stopping = threading.Event()
        self._recycling = False
        self._threads: list[threading.Thread] = []
        self.calls: dict[str, Callable[[int, dict], dict | None]] = {
            "hello": self._hello,
            "index": self._index,
            "index_objects": self._index_objects,
            "search": self._search,
            "stats": lambda number, arguments: self.stats(),
            "rebuild": self._rebuild,
            "collect": self._collect,
            "purge": purge.answer(self),
            "warm": self._warm,
            "stop": self._stop,
            **self._insights.calls(),
        }

    # the socket

    def tell(self, message: dict) -> None:
        """Send one message to the daemon; a daemon that is gone is noticed by `run`."""
        with self._sending:
            try:
                protocol.send(self._sock, message)
            except OSError:
                self._stopping.set()

    def run(self) -> None:
        """Serve until the socket ends or `stop` is called."""
        self._start("index", self.indexer.run, NICE)
        self._start("rich", self.indexer.run_rich, NICE)
        if self._wanted:
            self._start("embed", self.embedder.run, NICE)
        for number in range(SEARCHERS):
            self._start(f"search-{number}", self._questions.run, 0)
        for number in range(INSIGHTS):
            self._start(f"insight-{number}", self._insights.run, 0)
        self._start("lexing", self.lexing.run, NICE)
        self._start("progress", self._tell_progress, 0)
        while not self._stopping.is_set():
            try:
                message = protocol.receive(self._sock)
            except (OSError, protocol.ProtocolError) as error:
                log.error("the daemon's messages cannot be read: %s", error)
                break
            if message is None:
                break
            self._dispatch(message)
        self._end()

    def _start(self, name: str, work: Callable[[], None], nice: int) -> None:
        def guarded() -> None:
            try:
                if nice:
                    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
                work()
            except (
                Exception
            ):  # outermost of a thread: without it the engine is of no use, the daemon starts another
                log.exception("the thread %s ended", name)
                os._exit(1)

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _dispatch(self, message: dict) -> None:
        number, arguments = message.get("id", 0), message.get("args") or {}
        call = self.calls.get(message.get("call", ""))
        try:
            if call is None:
                raise protocol.ProtocolError(f"The engine has no call {message.get('call')!r}.")
            answer = call(number, arguments)
        except Exception as error:  # outermost of a call
            self._fail(number, error)
            return
        if answer is not None:
            self.tell({"id": number, "ok": answer})

    def _fail(self, number: int, error: Exception) -> None:
        if isinstance(error, LsfsError):
            self.tell({"id": number, "error": [error.errno, str(error)]})
        elif isinstance(error, (KeyError, TypeError, ValueError, protocol.ProtocolError)):
            log.exception("a call was not understood")
            self.tell(
                {
                    "id": number,
                    "error": [errno.EINVAL, f"The engine does not understand this call ({error})."],
                }
            )
        else:
            log.exception("a call failed")
            self.tell(
                {
                    "id": number,
                    "error": [
                        errno.EIO,
                        f"The engine failed ({type(error).__name__}: {error}); see engine.log.",
                    ],
                }
            )

    # calls

    def _hello(self, number: int, arguments: dict) -> None:
        """In a thread of its own: over a large folder it takes long, and the daemon asks for `stats` to see whether the engine lives."""

        def work() -> None:
            glance = self._store.glance
            answer = {
                "epoch": self._store.epoch,
                "model": self.model,
                "missing": glance.missing(),
                "incomplete": glance.disagreeing(complete=True),
            }
            self.tell({"id": number, "ok": answer})
            if done := glance.disagreeing(complete=False):
                self.tell({"event": "complete", "digests": done})

        def guarded() -> None:
            try:
                work()
            except Exception as error:  # outermost of a call
                # At the end nobody waits for it any more, and what it reads may be closed.
                if not self._stopping.is_set():
                    self._fail(number, error)

        threading.Thread(target=guarded, name="hello", daemon=True).start()

    def _index(self, number: int, arguments: dict) -> dict:
        self.indexer.put(arguments["paths"], bool(arguments.get("fresh")))
        self._moved()
        return {}

    def _index_objects(self, number: int, arguments: dict) -> dict:
        """Read contents that only history has: `objects`, pairs of a digest and a name. The event `objects` tells those that are done."""
        self.indexer.put([Object(digest, name) for digest, name in arguments["objects"]], False)
        self._moved()
        return {}

    def _search(self, number: int, arguments: dict) -> None:
        self._questions.put(number, arguments)
        self._moved()

    def _warm(self, number: int, arguments: dict) -> dict:
        self.meaning.load()
        return {}

    def _rebuild(self, number: int, arguments: dict) -> None:
        def job() -> None:
            epoch = self._store.reset()
            self.tell({"event": "epoch", "epoch": epoch})  # before any outcome of it
            if self._wanted:
                self.embedder.do(self.embedder.forget)
            self.tell({"id": number, "ok": {"epoch": epoch}})
            self._moved()

        self._do(number, job)

    def _collect(self, number: int, arguments: dict) -> None:
        grace, keep = float(arguments.get("grace", DAY)), float(arguments.get("keep", DAY))

        def job() -> None:
            contents = self._store.collect(grace)
            # after a rebuild unread files have vectors that no passage names yet: those are kept until everything was read
            store = self._store
            whole = store.age() >= keep and not len(self.indexer) and not store.glance.missing()
            removed: list[int] = []
            if self._wanted:
                self.embedder.do(
                    lambda: removed.append(self.embedder.collect(contents, keep if whole else None))
                )
            self.tell({"id": number, "ok": {"contents": len(contents), "vectors": sum(removed)}})
            self._moved()

        self._do(number, job)

    def _do(self, number: int, job: Callable[[], None]) -> None:
        """Run a call's job in the first lane, between two transactions."""

        def guarded() -> None:
            try:
                job()
            except Exception as error:  # outermost of a call
                self._fail(number, error)

        self.indexer.do(guarded)

    def _stop(self, number: int, arguments: dict) -> dict:
        self._stopping.set()
        return {}

    def stats(self) -> dict:
        """The numbers of `stats` and of the event `progress`."""
        return self._store.glance.counts() | {
            "unbegun": self._store.glance.unbegun(),
            "memory": resident(),
            "embeddings": self.embedder.embeddings,
            "reused": self.embedder.reused,
            "prompts": self.meaning.prompts,
            "searches": self._questions.searches,
            "queued": len(self.indexer),
            "model": self.model,
            "meaning": self.meaning.state,
            "error": self.meaning.error or self.embedder.error,
        }

    # progress, memory, the end

    def _moved(self) -> None:
        self._progress.set()

    def _tell_progress(self) -> None:
        while not self._stopping.is_set():
            self._progress.wait()
            self._progress.clear()
            self.tell({"event": "progress"} | self.stats())
            self._stopping.wait(1.0)

    def _weigh(self) -> None:
        """Called after each commit, of words and of vectors: an engine that grew too large asks to be replaced."""
        done = self.embedder.embeddings + self.indexer.outcomes
        if done >= WORTH and resident() > self._memory and not self._stopping.is_set():
            log.info("%d MiB resident: this engine ends, the next one goes on", resident() >> 20)
            self._recycling = True
            self._stopping.set()
            self._sock.shutdown(socket.SHUT_RD)  # wakes `run`, which ends everything and then says so

    def _end(self) -> None:
        """Let the threads finish what they are committing."""
        self._stopping.set()
        self._progress.set()
        self.indexer.stop()
        self.embedder.stop()
        self.lexing.stop()
        for _ in range(SEARCHERS):
            self._questions.stop()
        for _ in range(INSIGHTS):
            self._insights.stop()
        until = time.monotonic() + FAREWELL
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if not any(thread.is_alive() for thread in self._threads):
            self._store.close()
        if self._recycling:
            self.tell({"event": "recycle"})


def _find(name: str) -> tuple[models.Model | None, str | None, Callable[[list[str]], list[int]]]:
    """The model, or why there is none, and how its tokens are counted."""
    if not name:
        return None, "No model is configured: search is by words only.", models.estimate
    try:
        model = models.find(name)
        return model, None, models.Tokenizer(model.folder).count
    except (models.ModelMissing, OSError) as error:
        log.error("%s", error)
        return None, str(error), models.estimate


def settings_of(environment: dict[str, str]) -> dict[str, Any]:
    """The settings in LSFS_ENGINE. Raises KeyError or ValueError where there are none."""
    settings: dict[str, Any] = json.loads(environment["LSFS_ENGINE"])
    for key in ("root_fd", "socket_fd", "state", "catalogue"):
        settings[key]
    return settings


def open_socket(settings: dict[str, Any]) -> socket.socket:
    """The engine's end of the socket pair, not inherited any further."""
    sock = socket.socket(fileno=settings["socket_fd"])
    os.set_inheritable(sock.fileno(), False)
    os.set_inheritable(settings["root_fd"], False)
    return sock


def usable(work: Callable[[], Engine]) -> Engine:
    """`work()`, its errors as one sentence. Raises SystemExit(2)."""
    try:
        return work()
    except (OSError, sqlite3.Error) as error:
        log.error("the state folder is not usable: %s", error)
        raise SystemExit(2) from error
