"""insights: what the model says of sentences and of files beside the answers to questions: similar, salient, topics.

Sentences that somebody compares again and again (those by which `lsfs ask` knows what is meant) stay embedded, and so do those of the
summaries, apart, so that neither drives out the other. Topics come from the vectors that are kept: nothing is embedded for them.

Threading: `put` any; `run` in threads of its own, so that no question waits for a summary. A forward pass is one batch, after the prompts
that wait and before the passages (`meaning.Turns`).
"""

import contextlib
import json
import logging
import queue
import sqlite3
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsfs.engine.meaning import REFUSALS, Meaning
from lsfs.index import view, words
from lsfs.index.backlog import SHIFT, content_of
from lsfs.index.store import read_only
from syscalls.errors import TryAgain

if TYPE_CHECKING:
    import numpy as np

    from lsfs.index.vectors import Vectors

log = logging.getLogger(__name__)

REMEMBERED = 4096  # sentences of either kind that stay embedded: 6 MB each
READ = 2000  # characters of a sentence that the model is given: its window is shorter
EACH = 16  # passages of a file that stand for it, from its beginning to its end
PASSAGES = 30_000  # of all files together
TELLING = 700  # characters of a passage that may name a topic
FILE, TEXT = 3_000, 4_000_000  # of a file; of all of them
FILES = 400  # looked up at once
STEPS = 2000  # SQLite instructions between two looks at the clock
LATE = "The engine did not come to this within its deadline; ask again."

CALLS = ("similar", "salient", "topics")


class Insights:
    """The insights of one engine."""

    def __init__(
        self,
        paths: tuple[Path, str, Path | None],
        identity: str,
        meaning: Meaning,
        tell: Callable[[dict], None],
        fail: Callable[[int, Exception], None],
    ) -> None:
        """paths: words.db, history.db, and vectors.db (None where nothing has a vector). fail: answers a call with its error."""
        self._paths, self._identity, self._meaning = paths, identity, meaning
        self._tell, self._fail = tell, fail
        self._queue: queue.SimpleQueue[tuple[str, int, dict, float] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._compared: OrderedDict[str, np.ndarray] = OrderedDict()
        self._weighed: OrderedDict[str, np.ndarray] = OrderedDict()

    def calls(self) -> dict[str, Callable[[int, dict], None]]:
        """The rows of the engine's table of calls."""
        return {name: self._putter(name) for name in CALLS}

    def _putter(self, name: str) -> Callable[[int, dict], None]:
        def put(number: int, arguments: dict) -> None:
            until = time.monotonic() + float(arguments.get("deadline", 5.0))
            self._queue.put((name, number, arguments, until))

        return put

    def stop(self) -> None:
        """End one thread."""
        self._queue.put(None)

    def run(self) -> None:
        """A thread."""
        work: dict[str, Callable[[dict, float], dict]] = {
            "similar": self._similar,
            "salient": self._salient,
            "topics": self._topics,
        }
        while (asked := self._queue.get()) is not None:
            name, number, arguments, until = asked
            try:
                if time.monotonic() >= until:
                    raise TryAgain(LATE)
                self._tell({"id": number, "ok": work[name](arguments, until)})
            except Exception as error:  # outermost of a call
                self._fail(number, error)

    # sentences

    def _similar(self, arguments: dict, until: float) -> dict:
        text, texts = _read(arguments["text"]), [_read(one) for one in arguments["texts"]]
        vectors = self._vectors([text, *texts], self._compared, until)
        return {"cosines": None if vectors is None else [float(c) for c in vectors[1:] @ vectors[0]]}

    def _salient(self, arguments: dict, until: float) -> dict:
        from lsfs.engine.salience import salient

        texts = [_read(one) for one in (arguments["question"], *arguments["sentences"])]
        vectors = self._vectors(texts, self._weighed, until)
        if vectors is None:
            return {"chosen": None}
        return {"chosen": salient(vectors[0], vectors[1:], int(arguments["most"]))}

    def _vectors(
        self, texts: list[str], kept: "OrderedDict[str, np.ndarray]", until: float
    ) -> "np.ndarray | None":
        """A row a text; None where there is no model. What was embedded stays so, also where the deadline passes before all of it is."""
        import numpy as np

        found: dict[str, np.ndarray] = {}
        with self._lock:
            for text in dict.fromkeys(texts):
                for memory in (self._compared, self._weighed):
                    if text in memory:
                        memory.move_to_end(text)
                        found[text] = memory[text]
        lacking = sorted(set(texts) - found.keys())
        if self._meaning.state == "unavailable":
            return None
        if lacking:
            if not self._meaning.wait(until - time.monotonic()):
                if self._meaning.state == "unavailable":
                    return None
                raise TryAgain("The model is still loading; ask again in a moment.")
            encoder = self._meaning.encoder
            assert encoder is not None
            with self._meaning.turns.sentence():
                parts = encoder.parts(lacking)
            for batch in ([lacking[place] for place in part] for part in parts):
                if time.monotonic() >= until:
                    raise TryAgain(LATE)
                for text, vector in zip(batch, self._embedded(batch), strict=True):
                    found[text] = vector
                    self._keep(kept, text, vector)
        return np.stack([found[text] for text in texts])

    def _embedded(self, batch: "list[str]") -> "Sequence[np.ndarray]":
        """Vectors of one batch; of a text that the model cannot take one that is like nothing."""
        import numpy as np

        encoder = self._meaning.encoder
        assert encoder is not None
        try:
            with self._meaning.turns.sentence():
                vectors = encoder.embed(batch)
            self._meaning.prompts += len(batch)
            return list(np.nan_to_num(vectors))
        except REFUSALS as error:
            if len(batch) == 1:
                log.warning("the model could not take a sentence: %s", error)
                return [np.zeros(encoder.dimension, dtype=np.float32)]
            return [self._embedded([text])[0] for text in batch]

    def _keep(self, kept: "OrderedDict[str, np.ndarray]", text: str, vector: "np.ndarray") -> None:
        with self._lock:
            kept[text] = vector.copy()  # a view would keep its whole batch
            if len(kept) > REMEMBERED:
                kept.popitem(last=False)

    # files

    def _topics(self, arguments: dict, until: float) -> dict:
        from lsfs.engine.topics import names, parts
        from lsfs.index.vectors import Vectors

        words_db, catalogue, kept = self._paths
        if kept is None:
            return {"topics": None}
        paths = sorted(set(arguments["paths"]))
        with contextlib.closing(Vectors(kept, self._identity)) as vectors:
            if not vectors.dimension():
                return {"topics": None if self._meaning.state == "unavailable" else []}
            with contextlib.closing(_open(words_db, catalogue)) as db:
                db.set_progress_handler(lambda: time.monotonic() > until, STEPS)
                try:
                    rows, texts, means = _files(db, vectors, paths, arguments.get("sequence"))
                except sqlite3.OperationalError as error:
                    if "interrupted" not in str(error) and "locked" not in str(error):
                        raise
                    raise TryAgain(LATE) from error
        if not rows:
            return {"topics": []}
        import numpy as np

        groups = parts(np.stack(means))
        called = names([[texts[row] for row in group] for group in groups])
        return {
            "topics": [
                [name, [rows[row] for row in group]] for name, group in zip(called, groups, strict=True)
            ]
        }


def _read(text: str) -> str:
    return words.clean(text[:READ])


def _open(store: Path, catalogue: str) -> sqlite3.Connection:
    db = sqlite3.connect(read_only(store), uri=True, isolation_level=None)
    db.execute("attach ? as history", (read_only(catalogue),))
    db.execute("pragma busy_timeout = 2000")
    view.install(db)
    return db


def _files(
    db: sqlite3.Connection, vectors: "Vectors", paths: Sequence[bytes], sequence: int | None
) -> "tuple[list[bytes], list[str], list[np.ndarray]]":
    """The paths of the files that have vectors, what may name their topics, and a vector of each."""
    import numpy as np

    seen = view.LIVE if sequence is None else view.at(sequence)
    look = (
        f"select c.id, c.passages, {seen.stale} from {seen.table} f {seen.content} "
        f"where {seen.seen} and f.parent = ? and f.name = ? and c.passages > 0"
    )
    each = max(2, min(EACH, PASSAGES // max(1, len(paths))))
    most = min(FILE, TEXT // max(1, len(paths)))
    found: list[bytes] = []
    said: list[str] = []
    means: list[np.ndarray] = []
    db.execute("begin")  # one moment, for all of them
    for start in range(0, len(paths), FILES):
        some: list[tuple[bytes, int, bool]] = []
        wanted: set[int] = set()
        for path in paths[start : start + FILES]:
            parent, _, name = path.rpartition(b"/")
            row = db.execute(look, (parent, name)).fetchone()
            if row is not None:
                content, passages, stale = row
                some.append((path, content, bool(stale)))
                wanted.update((content << SHIFT) + ordinal for ordinal in _spread(passages, each))
        rows = db.execute(
            f"select p.id, p.key, p.title, substr(p.text, 1, {TELLING}) from json_each(?) j "
            "join passage p on p.id = j.value order by p.id",
            (json.dumps(sorted(wanted)),),
        ).fetchall()
        known = vectors.get(key for _, key, *_ in rows if key is not None)
        of: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows:
            of[content_of(row[0])].append(row)
        for path, content, stale in some:
            own = [known[key] for _, key, *_ in of[content] if key in known]
            mean = np.sum(own, 0) if own else np.zeros(1)
            length = float(np.linalg.norm(mean))
            if length > 1e-6:
                found.append(path)
                # what was replaced may have been written for other readers
                said.append("" if stale else _text(of[content], most))
                means.append((mean / length).astype(np.float32))
    return found, said, means


def _spread(count: int, most: int) -> list[int]:
    """`most` of the numbers below `count`, evenly."""
    if count <= most:
        return list(range(count))
    return sorted({round(n * (count - 1) / (most - 1)) for n in range(most)})


def _text(rows: Sequence[tuple[Any, ...]], most: int) -> str:
    """The titles of passages, each once, and their texts."""
    titles = dict.fromkeys(part for _, _, title, _ in rows for part in title.split(" > "))
    return "\n".join([*titles, *(text for *_, text in rows)])[:most]
