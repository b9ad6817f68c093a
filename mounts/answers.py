"""answers: what was asked and answered, kept for as long as it is true.

An answer is kept for one viewer. It is *current* while the generation has not moved since before it was asked, and
never while the model was still loading. An answer that is no longer current still resolves the names that it listed
(a shell expands 01-* and opens it a moment later).

**Saved questions** are answered from what is kept, however old: walking over the mount (find, grep -r, du) searches
nothing. They are kept true by `refresh`, which the daemon calls when the index has settled, and which is no search of
a user. The owner's are kept over a remount, too; the first look by anyone else searches, as does the first of all.
Whatever is served from what is kept is checked again, file by file, against what the viewer may read now; files that were compared
with one (`like:`) only while he may read that one.

The topics of an answer are found when somebody opens by-topic/, and kept beside it; those of a saved question when it is asked, so that
walking over them costs nothing either. So it is with summary.md; of a saved question whose summary is not made yet, one is made by words
for who looks, which embeds nothing.

Threading: everything runs in the daemon's loop, which is not held up: many hits are checked AT_ONCE by AT_ONCE, and the documents of more
than MANY are rendered in a thread before anybody else knows the answer. The same question asked by the same viewer twice at once is
searched once.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import time
from collections import OrderedDict
from dataclasses import replace
from weakref import WeakSet

import trio

from mounts.ports import Ports
from syscalls.answer_names import link_names
from syscalls.combine import combine
from syscalls.confidence import narrowed
from syscalls.errors import LsfsError, TryAgain
from syscalls.grouping import grouped
from syscalls.results import from_json, passages_md, results_json
from syscalls.retrieve import AT_ONCE
from syscalls.summary import summary, summary_md
from syscalls.values import Results, Topic, Viewer
from syscalls.why import why_tsv

Question = tuple[bytes, str, *tuple[str, ...]]
"""Where it is asked (a folder) and the prompt; of one that is refined, the chain of `syscalls.combine`."""

MOST_ANSWERS = 256
MOST_AT_ONCE = 24  # who wait for a search; more are refused, since each occupies the mount
MOST_BYTES = 16 << 20  # of passages kept; the daemon is to stay below 100 MiB
MANY = 500  # hits
MOMENT = 2.0  # seconds that saving a question may take
FRESH = 1.0  # seconds that a look at a saved question waits for an answer that is being asked anew
REST = 10.0  # seconds in which nobody waits, after one has waited in vain
SORTING = 5.0  # seconds that finding topics may take
SUMMING = 5.0  # seconds that the model may take to choose the sentences of a summary
SUMMARY = b"summary.md"


class Answer:
    """Results, and the generation of the files that they are true for (None: true for nobody who asks later).

    topics  of its files; () where there is no model that knows any, None where nobody has asked yet
    """

    def __init__(
        self, results: Results, generation: int | None, topics: tuple[Topic, ...] | None = None
    ) -> None:
        self.results = results
        self.generation = generation
        self.topics = topics
        self.void = False  # it was purged
        self.when = time.time_ns()
        self._groups: dict[str, dict[bytes, dict[bytes, bytes]]] = {}

    @functools.cached_property
    def names(self) -> dict[bytes, bytes]:
        """The names of the hits, best first, and the path that each leads to."""
        return {name: hit.path for name, hit in link_names(self.results.hits).items()}

    def groups(self, by: str) -> dict[bytes, dict[bytes, bytes]]:
        """The groups of a grouping: each is some of `names`. By topic, as far as `topics` are known."""
        if by not in self._groups:
            links = {path: name for name, path in self.names.items()}
            found = grouped(by, self.results.hits, self.results.folder, self.topics)
            self._groups[by] = {
                os.fsencode(name): {links[hit.path]: hit.path for hit in hits} for name, hits in found.items()
            }
        return self._groups[by]

    def voided(self) -> None:
        """What it holds shall not be shown again, by whoever still has it."""
        self.void = True
        empty = replace(self.results, hits=(), signals=(), confidence=None)
        self.results, self.topics, self._groups = empty, (), {}
        for made in ("names", "documents"):
            self.__dict__.pop(made, None)

    def render(self) -> None:
        """Make what a listing shows. For an answer that nobody else has yet: in any thread."""
        self.names, self.documents  # noqa: B018

    def sorted(self, topics: tuple[Topic, ...]) -> None:
        """Its topics are known now."""
        self.topics = () if self.void else topics
        self._groups.pop("topic", None)

    @property
    def summed(self) -> bool:
        """Whether its summary is made: it is one of `documents` then."""
        return SUMMARY in self.documents

    def summarised(self, text: bytes) -> None:
        """Its summary is made now."""
        if not self.void:
            self.documents[SUMMARY] = text

    @property
    def stored(self) -> bytes:
        """What `restored` makes this of again."""
        topics = [(topic.name, [os.fsdecode(path) for path in topic.paths]) for topic in self.topics or ()]
        more = {"topics": topics} | ({"summary": self.documents[SUMMARY].decode()} if self.summed else {})
        return json.dumps({**json.loads(self.documents[b"results.json"]), **more}).encode()

    @classmethod
    def restored(cls, data: bytes) -> Answer:
        """ValueError if `data` is no answer."""
        results, kept = from_json(data), json.loads(data)
        said = kept.get("topics", ())
        topics = tuple(Topic(name, tuple(os.fsencode(path) for path in paths)) for name, paths in said)
        answer = cls(results, None, topics)
        if isinstance(kept.get("summary"), str):
            answer.summarised(kept["summary"].encode())
        return answer

    @functools.cached_property
    def documents(self) -> dict[bytes, bytes]:
        """The files that say the same in words."""
        return {
            b"passages.md": passages_md(self.results),
            b"results.json": results_json(self.results),
            b"why.tsv": why_tsv(self.results),
        }

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
        self._news = trio.Event()  # a saved question has another answer
        self._impatient = 0.0
        self._made: WeakSet[Answer] = WeakSet()  # those that an open directory may still show, too
        self._forgotten = 0
        self.others: WeakSet[Answers] = WeakSet()  # of the past

    def forget(self) -> None:
        """All of them, those of the past included: what they hold shall not be shown again."""
        self._kept.clear()
        self._weight = 0
        self._forgotten += 1
        for answer in list(self._made):
            answer.voided()
        for answers in list(self.others):
            answers.forget()

    def kept(self, question: Question, viewer: Viewer) -> Answer | None:
        """The last answer to this viewer, current or not; what he may no longer read is still in it."""
        answer = self._kept.get((question, viewer))
        if answer is not None:
            self._kept.move_to_end((question, viewer))
        elif viewer == self._owner:
            answer = self._restored(question)
        return answer

    async def served(self, question: Question, viewer: Viewer) -> Answer | None:
        """The answer that looking may serve without a search, if there is one: all of it readable now."""
        answer = self.kept(question, viewer)
        if answer is None or not (self._current(answer) or self._saved(question)):
            return None
        if not all(self._ports.readable(path, viewer) for path in answer.results.like):
            return None  # an order says something of the file that gave it
        hits = []
        for start in range(0, len(answer.results.hits), AT_ONCE):
            if start:
                await trio.lowlevel.checkpoint()
            some = answer.results.hits[start : start + AT_ONCE]
            hits += [hit for hit in some if self._ports.readable(hit.path, viewer)]
        if answer.void:
            return None
        if len(hits) < len(answer.results.hits):
            # its topics are named by words of files that he may not read any more
            answer = Answer(narrowed(answer.results, tuple(hits)), answer.generation)
            self._keep((question, viewer), answer)
        return answer

    async def get(self, question: Question, viewer: Viewer) -> Answer:
        """What looking serves; searches if there is no such answer.

        TryAgain when the engine is down, or too many wait for it already.
        """
        await self.heard(question)
        answer = await self.served(question, viewer)
        if answer is not None:
            return answer
        if self._busy >= MOST_AT_ONCE:
            raise TryAgain("Too many questions at once; ask again in a moment.")
        self._busy += 1
        try:
            return await self._found(question, viewer)
        finally:
            self._busy -= 1

    async def sort(self, question: Question, answer: Answer) -> None:
        """Find the topics of an answer, if they can be found now. Not those of a saved question: they are kept, or not known."""
        if answer.topics is None and not self._saved(question):
            await self._sort(answer)

    async def _sort(self, answer: Answer) -> None:
        insight, paths = self._ports.insight, [hit.path for hit in answer.results.hits]
        if insight is None or not paths:
            answer.sorted(())
            return
        with contextlib.suppress(LsfsError):  # the engine is down: by words, this time
            answer.sorted(tuple(await insight.topics(paths, SORTING) or ()))

    async def sum(self, question: Question, answer: Answer) -> bytes:
        """The summary of an answer, chosen by the model and kept; of a saved question's that is not made yet one by words, not kept."""
        if answer.summed or not self._saved(question):
            await self._sum(answer)
        if answer.summed:
            return answer.documents[SUMMARY]
        return summary_md(await summary(answer.results, None, SUMMING))

    async def _sum(self, answer: Answer) -> None:
        if not answer.summed:
            answer.summarised(summary_md(await summary(answer.results, self._ports.insight, SUMMING)))

    async def heard(self, question: Question) -> None:
        """Wait until what was closed so far counts. Of a saved question, until its answer has been asked anew because of it, which happens
        whether anybody looks or not: a moment at most, and not at all while the folder changes all the time."""
        if not self._saved(question):
            await self._ports.heard()
            return
        key = question, self._owner
        if trio.current_time() < self._impatient or key not in self._kept:
            return
        with trio.move_on_after(FRESH) as scope:
            await self._ports.heard()
            while key in self._kept and not self._current(self._kept[key]):
                await self._news.wait()
        if scope.cancelled_caught:
            self._impatient = trio.current_time() + REST

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
        for (question, viewer), answer in list(self._kept.items()):  # those that a moment was too short for
            if self._saved(question) and not answer.summed:
                await self._sum(answer)
                await self._store(question, viewer, answer)
        return asked

    async def _ask(self, question: Question, viewer: Viewer) -> Answer:
        key = (question, viewer)
        search = self._asking[key] = _Search(self._ports.generation())
        try:
            before = None
            while before != self._forgotten:  # what was found before a purge may be what it removed
                before = self._forgotten
                results = await self._results(question, viewer)
            lasting = results.meaning != "loading" and search.generation == self._ports.generation()
            answer = Answer(results, search.generation if lasting else None)
            self._made.add(answer)
            if len(results.hits) > MANY:
                await trio.to_thread.run_sync(answer.render)
            if answer.void:
                answer.voided()  # what the thread made meanwhile
            search.answer = answer
            self._keep(key, search.answer)
            self._news.set()
            self._news = trio.Event()
            if self._saved(question):
                await self._store(question, viewer, search.answer)
                await self._sort(search.answer)
                await self._sum(search.answer)
                await self._store(question, viewer, search.answer)
            return search.answer
        except LsfsError as error:
            search.error = error
            raise
        finally:
            if self._asking.get(key) is search:
                del self._asking[key]
            search.done.set()

    async def _results(self, question: Question, viewer: Viewer) -> Results:
        if len(question) == 2:
            return await self._ports.ask(question[1], question[0], viewer)
        return await combine(question[1:], ask=self._ports.ask, folder=question[0], viewer=viewer)

    async def _store(self, question: Question, viewer: Viewer, answer: Answer) -> None:
        if viewer == self._owner and not answer.void:
            await self._ports.questions.keep(question[0], question[1], answer.stored)

    def _keep(self, key: tuple[Question, Viewer], answer: Answer) -> None:
        if answer.void:
            return
        self._made.add(answer)
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
        data = self._ports.questions.kept(question[0], question[1]) if self._saved(question) else None
        if data is None:
            return None
        try:
            answer = Answer.restored(data)
        except (ValueError, TypeError):
            return None
        self._keep((question, self._owner), answer)
        return answer

    def _current(self, answer: Answer) -> bool:
        return answer.generation is not None and answer.generation == self._ports.generation()

    def _saved(self, question: Question) -> bool:
        return len(question) == 2 and question[1] in self._ports.questions.saved(question[0])
