"""answers: what was asked and answered, kept for as long as it is true.

An answer is kept for one viewer. It is *current* while the generation has not moved since before it was asked, and
never while the model was still loading. An answer that is no longer current still resolves the names that it listed
(a shell expands 01-* and opens it a moment later).

**Saved questions** are answered from what is kept, however old: walking over the mount (find, grep -r, du) searches
nothing. They are kept true by `refresh`, which the daemon calls when the index has settled, and which is no search of
a user. The owner's are kept over a remount, too; the first look by anyone else searches, as does the first of all.
Whatever is served from what is kept is checked again, file by file, against what the viewer may read now.

Threading: everything runs in the daemon's loop. The same question asked by the same viewer twice at once is
searched once.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections import OrderedDict
from dataclasses import replace

import trio

from mounts.ports import Ports
from syscalls.errors import LsfsError, TryAgain
from syscalls.results import from_json, passages_md, results_json
from syscalls.values import Hit, Results, Viewer

Question = tuple[bytes, str]
"""Where it is asked (a folder) and the prompt."""

MOST_ANSWERS = 256
MOST_AT_ONCE = 24  # who wait for a search; more are refused, since each occupies the mount
MOST_BYTES = 16 << 20  # of passages kept; the daemon is to stay below 100 MiB
MOMENT = 2.0  # seconds that saving a question may take
NAME = 255  # bytes of a file name


class Answer:
    """Results, and the generation of the files that they are true for (None: true for nobody who asks later)."""

    def __init__(self, results: Results, generation: int | None) -> None:
        self.results = results
        self.generation = generation
        self.when = time.time_ns()

    @functools.cached_property
    def names(self) -> dict[bytes, bytes]:
        """The names of the hits, best first, and the path that each leads to."""
        width = max(2, len(str(len(self.results.hits))))
        return {_name(rank, width, hit): hit.path for rank, hit in enumerate(self.results.hits, 1)}

    @functools.cached_property
    def documents(self) -> dict[bytes, bytes]:
        """The files that say the same in words."""
        return {b"passages.md": passages_md(self.results), b"results.json": results_json(self.results)}

    @functools.cached_property
    def weight(self) -> int:
        """About how many bytes it takes to keep this, rendered documents included."""
        texts = sum(len(passage.text) for hit in self.results.hits for passage in hit.passages)
        return 3 * texts + 1000 * len(self.results.hits) + 2000


class _Search:
    """A search under way: those who come later and are asked of the same generation wait for it."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.done = trio.Event()
        self.answer: Answer | None = None
        self.error: LsfsError | None = None


class Answers:
    """The answers of one mount. `searches` counts those that somebody's looking caused."""

    def __init__(self, ports: Ports) -> None:
        self.searches = 0
        self._ports = ports
        self._kept: OrderedDict[tuple[Question, Viewer], Answer] = OrderedDict()
        self._weight = 0
        self._busy = 0
        self._asking: dict[tuple[Question, Viewer], _Search] = {}
        self._owner = ports.viewer_of_owner()

    def forget(self) -> None:
        """All of them: what they hold shall not be shown again."""
        self._kept.clear()
        self._weight = 0

    def kept(self, question: Question, viewer: Viewer) -> Answer | None:
        """The last answer to this viewer, current or not; what he may no longer read is still in it."""
        answer = self._kept.get((question, viewer))
        if answer is not None:
            self._kept.move_to_end((question, viewer))
        elif viewer == self._owner:
            answer = self._restored(question)
        return answer

    def served(self, question: Question, viewer: Viewer) -> Answer | None:
        """The answer that looking may serve without a search, if there is one: all of it readable now."""
        answer = self.kept(question, viewer)
        if answer is None or not (self._current(answer) or self._saved(question)):
            return None
        hits = tuple(hit for hit in answer.results.hits if self._ports.readable(hit.path, viewer))
        if len(hits) < len(answer.results.hits):
            answer = Answer(replace(answer.results, hits=hits), answer.generation)
            self._keep((question, viewer), answer)
        return answer

    async def get(self, question: Question, viewer: Viewer) -> Answer:
        """What looking serves; searches if there is no such answer.

        TryAgain when the engine is down, or too many wait for it already.
        """
        await self.heard(question)
        answer = self.served(question, viewer)
        if answer is not None:
            return answer
        if self._busy >= MOST_AT_ONCE:
            raise TryAgain("Too many questions at once; ask again in a moment.")
        self._busy += 1
        try:
            return await self._found(question, viewer)
        finally:
            self._busy -= 1

    async def heard(self, question: Question) -> None:
        """Wait until what was closed so far counts; not for a saved question, which is answered from what is kept."""
        if not self._saved(question):
            await self._ports.heard()

    async def _found(self, question: Question, viewer: Viewer) -> Answer:
        search = self._asking.get((question, viewer))
        if search is not None and search.generation == self._ports.generation():
            await search.done.wait()
            if search.answer is not None:
                return search.answer
            if search.error is not None:  # another try would take as long once more
                raise type(search.error)(*search.error.args)
        self.searches += 1
        return await self._ask(question, viewer)

    async def prepare(self, question: Question) -> None:
        """A question was just saved: ask it now, so that looking at it searches nothing. Where that takes longer than a
        moment (a model is being loaded), `refresh` is left to do it."""
        with trio.move_on_after(MOMENT), contextlib.suppress(LsfsError):
            await self._ports.heard()
            await self._ask(question, self._owner)

    async def refresh(self) -> int:
        """Ask the saved questions anew whose answers are not current; how many were asked.

        The daemon calls this when the index has settled, not more often than it likes to pay for. Stops at the
        first question that the engine cannot answer.
        """
        stale = [
            key for key, answer in self._kept.items() if self._saved(key[0]) and not self._current(answer)
        ]
        asked = 0
        new = [
            (question, self._owner)
            for question in self._ports.questions.all()
            if (question, self._owner) not in self._kept
        ]
        for question, viewer in stale + new:
            if not self._saved(question) or (question, viewer) in self._asking:
                continue
            try:
                await self._ask(question, viewer)
            except LsfsError:
                break
            asked += 1
        return asked

    async def _ask(self, question: Question, viewer: Viewer) -> Answer:
        key = (question, viewer)
        search = self._asking[key] = _Search(self._ports.generation())
        try:
            results = await self._ports.ask(question[1], question[0], viewer)
            lasting = results.meaning != "loading" and search.generation == self._ports.generation()
            search.answer = Answer(results, search.generation if lasting else None)
            self._keep(key, search.answer)
            if viewer == self._owner and self._saved(question):
                await self._ports.questions.keep(*question, search.answer.documents[b"results.json"])
            return search.answer
        except LsfsError as error:
            search.error = error
            raise
        finally:
            if self._asking.get(key) is search:
                del self._asking[key]
            search.done.set()

    def _keep(self, key: tuple[Question, Viewer], answer: Answer) -> None:
        old = self._kept.pop(key, None)
        self._weight += answer.weight - (old.weight if old else 0)
        self._kept[key] = answer
        while len(self._kept) > 1 and (len(self._kept) > MOST_ANSWERS or self._weight > MOST_BYTES):
            oldest = next((other for other in self._kept if other != key and not self._saved(other[0])), None)
            if oldest is None:
                oldest = next(iter(self._kept))
            self._weight -= self._kept.pop(oldest).weight

    def _restored(self, question: Question) -> Answer | None:
        """The owner's last answer before a remount: of a saved question, and never current."""
        data = self._ports.questions.kept(*question) if self._saved(question) else None
        if data is None:
            return None
        try:
            answer = Answer(from_json(data), None)
        except ValueError:
            return None
        self._keep((question, self._owner), answer)
        return answer

    def _current(self, answer: Answer) -> bool:
        return answer.generation is not None and answer.generation == self._ports.generation()

    def _saved(self, question: Question) -> bool:
        return question[1] in self._ports.questions.saved(question[0])


def _name(rank: int, width: int, hit: Hit) -> bytes:
    """01-name.md: the name of the file behind its rank, cut before the suffix where both do not fit a name."""
    prefix = b"%0*d-" % (width, rank)
    name = os.path.basename(hit.path)
    if len(prefix) + len(name) <= NAME:
        return prefix + name
    stem, suffix = os.path.splitext(name)
    if len(suffix) > NAME // 4:
        stem, suffix = name, b""
    room = NAME - len(prefix) - len(suffix)
    start = room
    while start > room - 4 and stem[start] & 0xC0 == 0x80:  # not within a character of UTF-8
        start -= 1
    return prefix + stem[: start if start > room - 4 else room] + suffix
