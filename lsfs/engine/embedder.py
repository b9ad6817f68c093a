"""embedder: passages without a vector get one, and Lance learns of them; prompts get theirs in between.

Order of writing: the passages are in words.db; their vectors are committed to vectors.db; Lance gets the rows; words.db forgets that they
wait; the daemon hears that the content is complete. A kill between any two of these loses no vector: what lies in vectors.db is never
computed again, and `reconcile` compares Lance with words.db at the start.

Threading: `Embedder.run` is one thread and the only writer of vectors.db and Lance. Its batches are small, since a prompt waits for the one
at hand (`meaning.Turns`).
"""

import collections
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsfs.engine.meaning import Meaning
from lsfs.index.store import FRESH, Store, Waiting, content_of, embedded_text

if TYPE_CHECKING:
    import numpy as np

    from lsfs.index.lance import Table
    from lsfs.index.vectors import Vectors

log = logging.getLogger(__name__)

WINDOW = 1024  # passages taken from the queue at once: sorted by length they make even batches (1.2 to 1.9 times faster)
BATCH_CHARACTERS = (
    8_000  # about 2,000 tokens, 0.2 s on two cores: the longest that a prompt waits for its turn
)
BATCH_PASSAGES = 64
FLUSH_ROWS = 512  # rows of one Lance commit while there is a backlog
FLUSH_SECONDS = 2.0
FLUSH_FRESH_SECONDS = 0.3  # what was just written is findable by meaning so much after its vector is there


class Embedder:
    """Works through what words.db says is waiting. `table` is Lance once it was opened and agrees with words.db."""

    def __init__(
        self,
        store: Store,
        state: Path,
        identity: str,
        meaning: Meaning,
        tell: Callable[[dict], None],
        changed: Callable[[], None],
    ) -> None:
        """state: the state folder; identity: of the model; tell: sends an event; changed: the numbers of `stats` are others now."""
        self._store, self._state, self._identity, self._meaning = store, state, identity, meaning
        self._tell, self._changed = tell, changed
        self.embeddings = 0
        self.error: str | None = None
        self.table: Table | None = None
        self._vectors: Vectors | None = None
        self._pending: list[tuple[Waiting, np.ndarray]] = []
        self._since = 0.0
        self._work = threading.Event()
        self._fresh = threading.Event()
        self._stopping = threading.Event()
        self._jobs: collections.deque[tuple[Callable[[], Any], threading.Event]] = collections.deque()
        self.after_batch: Callable[[], None] = lambda: None

    def wake(self, fresh: bool) -> None:
        """There is something new to embed; `fresh`: somebody just wrote it."""
        if fresh:
            self._fresh.set()
        self._work.set()

    def stop(self) -> None:
        """End `run` after the batch at hand."""
        self._stopping.set()
        self._work.set()

    def do(self, job: Callable[[], Any]) -> None:
        """Run `job` in the embedder's thread, between two batches, and wait for it."""
        done = threading.Event()
        self._jobs.append((job, done))
        self._fresh.set()
        self._work.set()
        while not done.wait(0.1) and not self._stopping.is_set():
            continue

    def run(self) -> None:
        """The thread."""
        from lsfs.index.vectors import Vectors

        self._vectors = Vectors(self._state / "vectors.db", self._identity)
        try:
            self._open()
            while not self._stopping.is_set():
                self._work.clear()
                self._fresh.clear()
                while self._jobs:
                    job, done = self._jobs.popleft()
                    try:
                        job()
                    finally:
                        done.set()
                if (waiting := self._store.waiting(WINDOW)) and self._able():
                    self._window(waiting)
                else:
                    self._flush()
                    self._maintain(idle=True)
                    self._work.wait()
            self._flush()
        finally:
            self._vectors.close()

    def _able(self) -> bool:
        """Whether passages can be given vectors: Lance is open (it is made with the first vector's length) and there is a model."""
        if self.table is None:
            self._open()
        return self.table is not None and self._meaning.state != "unavailable"

    # Lance

    def _open(self) -> None:
        """Open Lance, drop it where it does not open or does not agree with words.db."""
        dimension = self._dimension()
        if not dimension:
            return
        try:
            from lsfs.index.lance import Table
        except ImportError as error:
            self.error = f"LanceDB cannot be loaded ({error}); search is by words only."
            log.error("%s", self.error)
            return
        folder = self._state / "index" / "lance"
        try:
            table = Table(folder, dimension)
            self._reconcile(table)
        except (RuntimeError, OSError, ValueError) as error:
            log.warning("Lance is rebuilt from vectors.db: %s", error)
            self._drop(folder)
            table = Table(folder, dimension)
            self._reconcile(table)
        self.table = table

    def _dimension(self) -> int:
        """The length of a vector: as kept in vectors.db, or as the model says once it is loaded."""
        assert self._vectors is not None
        known = self._vectors.dimension()
        if not known and self._store.counts()["waiting"]:
            known = self._meaning.sentence.dimension if self._meaning.wait() and self._meaning.sentence else 0
        return known

    @staticmethod
    def _drop(folder: Path) -> None:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)

    def _reconcile(self, table: "Table") -> None:
        """Make Lance and words.db agree: what Lance lacks waits again (its vector is in vectors.db), what it has waits no more."""
        import numpy as np

        from lsfs.index.lance import marks

        rows = self._store.vectored()
        there, seen = table.rows() if len(table) else (np.zeros(0, np.int64), np.zeros(0, np.int64))
        expected = dict(
            zip(
                (passage for passage, _ in rows),
                marks([key for _, key in rows]).tolist() if rows else [],
                strict=True,
            )
        )
        found = dict(zip(there.tolist(), seen.tolist(), strict=True))
        if len(found) != len(there) or any(expected.get(passage) != mark for passage, mark in found.items()):
            log.warning("Lance holds rows that words.db does not know: it is filled again from vectors.db")
            table.reset()
            found = {}
        waiting = self._store.all_waiting()
        self._store.wait_again(
            [passage for passage in expected if passage not in found and passage not in waiting]
        )
        if arrived := sorted(waiting & found.keys()):
            self._complete(arrived)

    def _complete(self, passages: list[int]) -> None:
        digests = self._store.mark(passages)
        if digests:
            self._tell({"event": "complete", "digests": digests})
        self._changed()

    def _flush(self) -> None:
        """Give Lance what is pending, then let words.db know."""
        if not self._pending or self.table is None:
            return
        import numpy as np

        pending, self._pending = self._pending, []
        passages = [waiting.passage for waiting, _ in pending]
        self.table.add(
            passages,
            [content_of(p) for p in passages],
            [w.key for w, _ in pending],
            np.stack([vector for _, vector in pending]),
        )
        self._complete(passages)
        self._maintain(idle=False)
        self.after_batch()

    def _maintain(self, idle: bool) -> None:
        if self.table is not None:
            try:
                self.table.maintain(idle)
            except (RuntimeError, OSError, ValueError) as error:
                self.error = f"LanceDB could not tidy its table ({error})."
                log.warning("%s", self.error)

    # vectors

    def _window(self, waiting: list[Waiting]) -> None:
        """Work through one window of the queue; stop early when something fresher came."""
        assert self._vectors is not None
        pending = {w.passage for w, _ in self._pending}
        waiting = [w for w in waiting if w.passage not in pending]
        if not waiting:
            self._flush()
            return
        fresh = waiting[0].tier == FRESH
        if fresh:  # they go first, alone
            waiting = [w for w in waiting if w.tier == FRESH]
        kept = self._vectors.get(w.key for w in waiting)
        for w in waiting:
            if w.key in kept:
                self._append(w, kept[w.key])
        lacking: dict[bytes, list[Waiting]] = {}
        for w in waiting:
            if w.key not in kept:
                lacking.setdefault(w.key, []).append(w)
        if lacking and not self._meaning.wait():
            self._flush()
            return
        for batch in batches(
            sorted(lacking, key=lambda key: (-len(lacking[key][0].text), key)),
            lambda key: len(lacking[key][0].text),
        ):
            vectors = self._embed(
                [embedded_text(lacking[key][0].title, lacking[key][0].text) for key in batch]
            )
            self._vectors.put(zip(batch, vectors, strict=True))
            for key, vector in zip(batch, vectors, strict=True):
                for w in lacking[key]:
                    self._append(w, vector)
            age = time.monotonic() - self._since
            if len(self._pending) >= FLUSH_ROWS or age >= (FLUSH_FRESH_SECONDS if fresh else FLUSH_SECONDS):
                self._flush()
            self._changed()
            if self._stopping.is_set() or self._fresh.is_set():
                break
        if fresh or len(self._pending) >= FLUSH_ROWS:
            self._flush()

    def _append(self, waiting: Waiting, vector: "np.ndarray") -> None:
        if not self._pending:
            self._since = time.monotonic()
        self._pending.append((waiting, vector))

    def _embed(self, texts: list[str]) -> "np.ndarray":
        assert self._meaning.sentence is not None
        with self._meaning.turns.batch():
            vectors = self._meaning.sentence.embed(texts)
        self.embeddings += len(texts)
        return vectors

    # asked for by the daemon, run by `do`

    def forget(self) -> None:
        """Everything was forgotten: Lance too."""
        self._pending = []
        if self.table is not None:
            self.table.reset()

    def collect(self, contents: list[int], whole: bool) -> int:
        """Remove these contents from Lance, and, when the index is `whole`, unused vectors. Returns how many vectors went."""
        from lsfs.index.store import read_only

        assert self._vectors is not None
        gone = set(contents)
        self._pending = [(w, vector) for w, vector in self._pending if content_of(w.passage) not in gone]
        if self.table is not None and contents:
            self.table.delete(contents)
        return self._vectors.collect(read_only(self._store.path)) if whole else 0


def batches(keys: list[bytes], length: Callable[[bytes], int]) -> Iterator[list[bytes]]:
    """Cut keys, longest first, into batches of BATCH_CHARACTERS (counted as padded) and at most BATCH_PASSAGES."""
    start = 0
    while start < len(keys):
        size = max(1, min(BATCH_PASSAGES, BATCH_CHARACTERS // max(1, length(keys[start]))))
        yield keys[start : start + size]
        start += size


def resident() -> int:
    """This process's resident memory in bytes."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
