"""lexing: has the segments of words.db made (`index.segments`), which a question is answered from in a large folder.

A process of its own makes them, at a low priority: once SMALL rows have none, and once more, to merge what can be, when nothing came for
a while. What is newer is in each search's tail, so no question waits for this, and none is answered wrongly without it.

Threading: `run` is a thread that lives as long as the engine, which the process does not outlive; the rest any thread.
"""

import contextlib
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lsfs.index.lexicon import LEAST
from lsfs.index.segments import SMALL, connect, remove
from lsfs.index.source import SOURCES, WORDS, Source, totals

log = logging.getLogger(__name__)

PAUSE = 2.0  # seconds between two looks
QUIET = 5  # looks in a row that saw nothing new: nothing else is to be done


class Seen(NamedTuple):
    """What a source had: rows, and the highest id."""

    rows: int
    newest: int


class Lexing:
    """The segments of one words.db."""

    def __init__(self, index: Path, catalogue: str) -> None:
        """index: the folder of words.db; catalogue: history.db."""
        self._index, self._catalogue = index, catalogue
        self._stopping = threading.Event()
        self._turn = threading.Lock()  # held while a process works, or nothing shall
        self._child: subprocess.Popen[bytes] | None = None
        self._epoch = ""
        self._done: dict[str, Seen] = {}  # by source, when the last process began
        self._seen: dict[str, Seen] = {}
        self._quiet = 0
        self._tidy = False  # merged, since nothing else was to be done

    def run(self) -> None:
        """The thread."""
        while not self._stopping.wait(PAUSE):
            try:
                with self._turn:
                    self.look()
            except (sqlite3.Error, OSError) as error:  # another try comes soon
                log.info("the segments wait: %s", error)

    def stop(self) -> None:
        """End the thread, and the process that works."""
        self._stopping.set()
        self._kill()

    @contextlib.contextmanager
    def without(self) -> Iterator[None]:
        """Remove all segments; none is made before the end."""
        while not self._turn.acquire(timeout=0.05):
            self._kill()
        try:
            remove(self._index)
            self._done = {}
            yield
        finally:
            self._turn.release()

    def look(self) -> None:
        """Have made what is due."""
        with contextlib.closing(connect(self._index, self._catalogue)) as db:
            db.execute("begin")
            epoch = db.execute("select value from main.meta where key = 'epoch'").fetchone()[0]
            if epoch != self._epoch:
                self._epoch, self._done = epoch, {}
            seen = {source.name: _seen(db, source) for source in SOURCES}
            fresh = max(
                _change(db, source, self._done.get(source.name), seen[source.name]) for source in SOURCES
            )
        self._quiet = self._quiet + 1 if seen == self._seen else 0
        self._seen = seen
        if max(some.rows for some in seen.values()) < LEAST:
            if not self._done and (self._index / WORDS.manifest).exists():  # of another epoch
                remove(self._index)
            return
        idle = self._quiet >= QUIET
        if fresh >= SMALL or (idle and not self._tidy):
            self._tidy = idle
            self._make(idle)
            self._done = seen

    def _make(self, idle: bool) -> None:
        package = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
        command = [
            sys.executable,
            "-m",
            "lsfs.index.segments",
            str(self._index),
            self._catalogue,
            str(os.getpid()),
            *(["idle"] if idle else []),
        ]
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/",
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        if self._stopping.is_set():
            self._kill()
        status = self._child.wait()
        self._child = None
        if status > 0:
            log.warning("the segments of words.db were not made (status %d)", status)

    def _kill(self) -> None:
        child = self._child
        if child is not None:
            child.kill()


def _seen(db: sqlite3.Connection, source: Source) -> Seen:
    newest = db.execute(f"select coalesce(max(id), 0) from {source.sizes}").fetchone()[0]
    return Seen(totals(db, source)[0], newest)


def _change(db: sqlite3.Connection, source: Source, before: Seen | None, now: Seen) -> int:
    """How many rows came or went, SMALL at most where they came."""
    if before is None:
        return now.rows
    came = db.execute(
        f"select count(*) from (select 1 from {source.sizes} where id > ? limit ?)", (before.newest, SMALL)
    ).fetchone()[0]
    return max(came, abs(now.rows - before.rows))
