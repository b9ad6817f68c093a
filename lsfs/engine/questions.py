"""questions: what is asked waits here for one of two threads, which answer it from read-only connections.

A question by meaning waits for a model that is being loaded until RESERVED seconds before its deadline; so the first one after a start is
answered by meaning too. Where Lance does not answer, it is answered by words, and the embedder fills Lance again.
What is to be like a file waits for no model, since vectors of files are kept.

Threading: `put` any; `run` in as many threads as shall answer.
"""

import queue
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lsfs.engine.embedder import Embedder
from lsfs.engine.meaning import REFUSALS, Meaning
from lsfs.index.search import NotEmbedded, Search, TableBroken
from syscalls.errors import TryAgain

if TYPE_CHECKING:
    import numpy as np

RESERVED = 0.7  # seconds of a deadline that belong to the search itself


class Questions:
    """The questions of one engine. `searches`: how many were begun."""

    def __init__(
        self,
        paths: tuple[Path, str, Path | None],
        identity: str,
        meaning: Meaning,
        embedder: Embedder,
        tell: Callable[[dict], None],
        fail: Callable[[int, Exception], None],
    ) -> None:
        """paths: words.db, history.db, and vectors.db (None where nothing has a vector). fail: answers a call with its error."""
        self._paths, self._identity = paths, identity
        self._meaning, self._embedder = meaning, embedder
        self._tell, self._fail = tell, fail
        self._queue: queue.SimpleQueue[tuple[int, dict, float] | None] = queue.SimpleQueue()
        self.searches = 0

    def put(self, number: int, query: dict) -> None:
        """Answer the call `number` within its deadline."""
        self._queue.put((number, query, time.monotonic() + float(query.get("deadline", 5.0))))

    def stop(self) -> None:
        """End one thread."""
        self._queue.put(None)

    def run(self) -> None:
        """A thread."""
        from lsfs.index.vectors import Vectors

        words, catalogue, kept = self._paths
        search = Search(words, catalogue, Vectors(kept, self._identity).scattered() if kept else None)
        while (question := self._queue.get()) is not None:
            number, query, until = question
            try:
                self._tell({"id": number, "ok": self._answer(search, query, until)})
            except Exception as error:  # outermost of a question
                self._fail(number, error)
        search.close()

    def _answer(self, search: Search, query: dict, until: float) -> dict:
        started = time.monotonic()
        if started >= until:
            raise TryAgain("The engine did not come to this question within its deadline; ask again.")
        self.searches += 1
        vector, table, meaning = None, None, "off"
        said, like = bool(query.get("meaning", "").strip()), bool(query.get("like"))
        if (said or like) and query.get("mode", "both") != "words":
            meaning = self._meaning.state
            if (
                said
                and meaning == "ready"
                and query.get("mode", "both") == "both"
                and self._embedder.table is not None
            ):
                return self._side_by_side(search, query, until, started)
            if said and meaning != "unavailable":
                try:
                    vector = self._meaning.of_prompt(query["meaning"], until - started - RESERVED)
                    meaning = self._meaning.state
                except REFUSALS:
                    meaning = "unavailable"  # for this prompt
            if vector is not None or like:  # files are compared by vectors that are kept
                self._embedder.settled.wait(max(0.0, until - time.monotonic() - RESERVED))
                table = self._embedder.table
            if meaning != "unavailable" or (like and not said and table is not None):
                meaning = "loading" if table is None or (said and vector is None) else "used"
        try:
            answer = search.run(query, vector, table, until)
        except TableBroken as error:
            self._embedder.distrust(table, str(error))
            meaning, answer = "loading", search.run(query, None, None, until)
        if meaning == "used" and any(not found["embedded"] for found in answer.get("like", ())):
            meaning = "loading"  # of the file
        return answer | {"meaning": meaning, "took_ms": _milliseconds(started)}

    def _side_by_side(self, search: Search, query: dict, until: float, started: float) -> dict:
        """The answer, where everything is at hand: the prompt is embedded while its words are looked for."""
        table, meaning = self._embedder.table, "used"

        def of_prompt() -> "np.ndarray | None":
            try:
                return self._meaning.of_prompt(query["meaning"], until - started - RESERVED)
            except REFUSALS:
                return None

        try:
            answer = search.run(query, of_prompt, table, until)
        except NotEmbedded:
            meaning, answer = "unavailable", search.run(query, None, None, until)
        except TableBroken as error:
            self._embedder.distrust(table, str(error))
            meaning, answer = "loading", search.run(query, None, None, until)
        return answer | {"meaning": meaning, "took_ms": _milliseconds(started)}


def _milliseconds(since: float) -> float:
    return round(1000 * (time.monotonic() - since), 2)
