"""embedder: passages without a vector get one, and Lance learns of them; prompts get theirs in between.

Order of writing: the passages are in words.db; their vectors are committed to vectors.db; Lance gets the rows; words.db forgets that they
wait; the daemon hears that the content is complete. A kill between any two of these loses no vector: what lies in vectors.db is never
computed again, and `mirror` compares Lance with words.db at the start.

Threading: `Embedder.run` is one thread and the only writer of vectors.db and Lance. Its forward passes are small, since a prompt waits for
the one at hand (`meaning.Turns`).
"""

import collections
import ctypes
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsfs.engine.meaning import REFUSALS, Meaning
from lsfs.engine.mirror import Mirror
from lsfs.index.backlog import FRESH, Waiting, content_of
from lsfs.index.store import Store, embedded_text
from lsfs.models import grouped

if TYPE_CHECKING:
    import numpy as np

    from lsfs.index.lance import Table
    from lsfs.index.vectors import Vectors

log = logging.getLogger(__name__)

# Batches leave the heap in holes, which are given back after each commit. Measured over 2,200 passages, by OpenVINO: 455 MiB and no
# slower than 490 MiB without; by torch, over 1,000: 33 a second and 760 MiB, 37 and 1,100 MiB without; with large blocks from mmap instead
# (27 % of the time in the kernel) 30 and 710 MiB.
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's

WINDOW = 1024  # passages taken from the queue at once: sorted by length they make even batches (1.2 to 1.9 times faster)
COMMIT_CHARACTERS = 16_000  # of passages whose vectors are committed together: about 0.3 s of work, the most that a kill costs
FLUSH_ROWS = 512  # rows of one Lance commit while there is a backlog
FLUSH_SECONDS = 2.0
PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between two trials to write
NAP = 30.0  # seconds between two looks whether what sleeps in the backlog is somebody's again
FLUSH_FRESH_SECONDS = 0.3  # what was just written is findable by meaning so much after its vector is there


class Embedder:
    """Works through what words.db says is waiting. `settled` is set once Lance was opened, or there is none to open."""

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
        self._stopping = threading.Event()
        self._mirror = Mirror(store, state / "index", identity, self._stopping.is_set)
        self.embeddings = 0
        self.reused = 0  # passages that needed none: one with the same words has, or had, a vector
        self.settled = threading.Event()
        self._trouble: str | None = None  # passes by itself: a full disk
        self._remark: str | None = None
        self._refused = 0
        self._vectors: Vectors | None = None
        self._pending: list[tuple[Waiting, np.ndarray]] = []
        self._since = 0.0
        self._work = threading.Event()
        self._fresh = threading.Event()
        self._distrusted = False
        self._jobs: collections.deque[tuple[Callable[[], Any], threading.Event]] = collections.deque()
        self.after_batch: Callable[[], None] = lambda: None

    @property
    def table(self) -> "Table | None":
        """Lance, where it is open and agrees with words.db."""
        return None if self._distrusted else self._mirror.table

    @property
    def error(self) -> str | None:
        """The last sentence about what does not work."""
        return self._trouble or self._remark

    def wake(self, fresh: bool) -> None:
        """There is something new to embed; `fresh`: somebody just wrote it."""
        if fresh:
            self._fresh.set()
        self._work.set()

    def distrust(self, table: "Table | None", error: str) -> None:
        """`table` did not answer a question: it is dropped and filled again."""
        if table is not None and table is self.table:
            log.error("Lance does not answer: %s", error)
            self._distrusted = True
            self.wake(True)

    def stop(self) -> None:
        """End `run` after the batch at hand."""
        self._stopping.set()
        self._work.set()

    def do(self, job: Callable[[], Any]) -> None:
        """Run `job` in the embedder's thread, between two batches, and wait for it."""
        done = threading.Event()
        self._jobs.append((job, done))
        self.wake(True)
        while not done.wait(0.1) and not self._stopping.is_set():
            continue

    def run(self) -> None:
        """The thread. What may pass by itself (a full disk, a locked database) is waited out: nobody loses search by words over it."""
        pause = PAUSE
        while not self._stopping.is_set():
            try:
                idle = self._step()
                if idle is not None:  # everything that could be written is
                    self._trouble, pause = None, PAUSE
            except (sqlite3.Error, OSError, RuntimeError, ValueError) as error:
                self._trouble = f"Vectors cannot be written ({type(error).__name__}: {str(error)[:300]}); lsfs goes on trying."
                log.exception("the embedder waits %.1f s", pause)
                self._changed()
                self._stopping.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            finally:
                self.settled.set()
            if idle is not None:
                self._work.wait(idle or None)
        try:
            self._flush()
            self._mirror.close()
        except (sqlite3.Error, OSError, RuntimeError, ValueError) as error:
            log.warning("Lance was not closed in an orderly way: %s", error)
        if self._vectors is not None:
            self._vectors.close()

    def _step(self) -> float | None:
        """One window of the queue. None: there is more; else how long to wait for work (0: for ever)."""
        from lsfs.index.vectors import Vectors

        if self._vectors is None:
            self._vectors = Vectors(self._state / "vectors.db", self._identity)
        self._work.clear()
        self._fresh.clear()
        while self._jobs:
            job, done = self._jobs.popleft()
            try:
                job()
            finally:
                done.set()
        if self._distrusted:
            self._pending = []
            self._mirror.drop()
            self._distrusted = False
        if self._mirror.table is None:
            self._open()
        self.settled.set()
        backlog = self._store.backlog
        if (waiting := backlog.waiting(WINDOW)) and self._able():
            self._window(waiting)
            return None
        self._flush()
        self._maintain(idle=True)
        woken, asleep = backlog.wake()
        return None if woken and self._able() else NAP if asleep else 0

    def _able(self) -> bool:
        """Whether passages can be given vectors: Lance is open (it is made with the first vector's length) and there is a model."""
        if self._mirror.table is None:
            self._open()
        return self._mirror.table is not None and self._meaning.state != "unavailable"

    # Lance

    def _open(self) -> None:
        """Open Lance, if there are vectors for it."""
        assert self._vectors is not None
        dimension = self._dimension()
        if not dimension:
            return
        self._pending = []  # they still wait, and their vectors are kept
        try:
            self._complete(self._mirror.open(self._vectors, dimension))
        except ImportError as error:
            self._remark = f"LanceDB cannot be loaded ({error}); search is by words only."
            log.error("%s", self._remark)

    def _dimension(self) -> int:
        """The length of a vector: as kept in vectors.db, or as the model says once it is loaded."""
        assert self._vectors is not None
        known = self._vectors.dimension()
        counts = self._store.glance.counts()
        if not known and counts["waiting"] + counts["embedded"]:
            known = self._meaning.encoder.dimension if self._meaning.wait() and self._meaning.encoder else 0
        return known

    def _complete(self, digests: list[bytes]) -> None:
        if digests:
            self._tell({"event": "complete", "digests": digests})
        self._changed()

    def _flush(self) -> None:
        """Give Lance what is pending, then let words.db know."""
        if not self._pending or self._mirror.table is None:
            return
        import numpy as np

        pending, self._pending = self._pending, []
        passages, keys = [w.passage for w, _ in pending], [w.key for w, _ in pending]
        self._complete(self._mirror.add(passages, keys, np.stack([vector for _, vector in pending])))
        self._trouble = None
        self._maintain(idle=False)
        self.after_batch()

    def _maintain(self, idle: bool) -> None:
        if self._mirror.table is not None:
            try:
                self._mirror.table.maintain(idle)
            except (RuntimeError, OSError, ValueError) as error:
                self._remark = f"LanceDB could not tidy its table ({error})."
                log.warning("%s", self._remark)

    # vectors

    def _window(self, waiting: list[Waiting]) -> None:
        """Work through one window of the queue; stop early when something fresher came."""
        assert self._vectors is not None
        pending = {w.passage for w, _ in self._pending}
        waiting = [w for w in waiting if w.passage not in pending]
        if not waiting:
            self._flush()
            return
        tier = waiting[0].tier
        fresh = tier == FRESH
        # A tier alone: sorted by length, passages of a later one would go before it.
        waiting = [w for w in waiting if w.tier == tier]
        kept = self._vectors.get(w.key for w in waiting)
        for w in waiting:
            if w.key in kept:
                self.reused += 1
                self._append(w, kept[w.key])
        lacking: dict[bytes, list[Waiting]] = {}
        for w in waiting:
            if w.key not in kept:
                lacking.setdefault(w.key, []).append(w)
        if lacking and not self._meaning.wait():
            self._flush()
            return
        texts = {key: embedded_text(some[0].title, some[0].text) for key, some in lacking.items()}
        keys = sorted(lacking)
        for places in grouped([len(texts[key]) for key in keys], COMMIT_CHARACTERS):
            batch = [keys[place] for place in places]
            vectors = dict(zip(batch, self._embed([texts[key] for key in batch]), strict=True))
            if self._meaning.state == "unavailable":
                break
            taken = [(key, vector) for key, vector in vectors.items() if vector is not None]
            self._vectors.put(taken)
            for key, vector in taken:
                self.reused += len(lacking[key]) - 1
                for w in lacking[key]:
                    self._append(w, vector)
            self._refuse([w.passage for key in batch if vectors[key] is None for w in lacking[key]])
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

    def _embed(self, texts: list[str]) -> "list[np.ndarray | None]":
        """A vector a text; None for one that the model cannot take. A model that takes nothing any more is given up."""
        vectors = self._vectors_of(texts)
        if vectors is None:
            vectors = [one[0] if (one := self._vectors_of([text])) else None for text in texts]
            if all(vector is None for vector in vectors) and self._vectors_of(["text"]) is None:
                self._meaning.broke(f"The model does not work any more: {self._remark}")
                self._changed()
        self.embeddings += sum(vector is not None for vector in vectors)
        return vectors

    def _vectors_of(self, texts: list[str]) -> "list[np.ndarray | None] | None":
        """None where the model cannot take one of these texts."""
        import numpy as np

        encoder = self._meaning.encoder
        assert encoder is not None
        found: list[np.ndarray] = [np.zeros(0, np.float32)] * len(texts)
        try:
            with self._meaning.turns.batch():
                parts = encoder.parts(texts)
            for part in parts:
                with self._meaning.turns.batch():
                    for place, vector in zip(part, encoder.embed([texts[n] for n in part]), strict=True):
                        found[place] = vector
            vectors = np.stack(found)
            if _TRIM is not None:
                _TRIM(0)
            if not np.isfinite(vectors).all():
                raise ValueError("a vector is not a number")
        except REFUSALS as error:
            self._remark = f"The model could not take a passage ({type(error).__name__}: {str(error)[:200]})."
            log.warning("%s", self._remark)
            return None
        return list(vectors)

    def _refuse(self, passages: list[int]) -> None:
        """These passages are found by their words only."""
        if passages:
            self._refused += len(passages)
            self._remark = f"{self._remark} So far {self._refused} are found by their words only."
            self._complete(self._store.backlog.refuse(passages))

    # asked for by the daemon, run by `do`

    def forget(self) -> None:
        """Everything was forgotten: Lance too."""
        self._pending = []
        if self._mirror.table is not None:
            self._mirror.table.reset()

    def purge(self, contents: list[int]) -> None:
        """These contents leave Lance for good: it only marks what is removed, so its table is dropped, and filled again without them."""
        self.collect(contents, None)
        self._mirror.drop()

    def collect(self, contents: list[int], keep: float | None) -> int:
        """Remove these contents from Lance, and vectors not used for `keep` seconds (None: none). Returns how many vectors went."""
        from lsfs.index.store import read_only

        assert self._vectors is not None
        gone = set(contents)
        self._pending = [(w, vector) for w, vector in self._pending if content_of(w.passage) not in gone]
        if self._mirror.table is not None and contents:
            self._mirror.table.delete(contents)
        if keep is None:
            return 0
        removed = self._vectors.collect(read_only(self._store.path), keep)
        self._store.forget_dropped(keep)
        return removed


def resident() -> int:
    """This process's resident memory in bytes, without pages of files, which the kernel takes back when it needs them."""
    with open("/proc/self/statm", "rb") as statm:
        _, resident, shared, *_ = map(int, statm.read().split())
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
