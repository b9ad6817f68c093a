"""combine: the files of two questions: what answers both, either, or only the first.

    combine A B                  /query/A/and/B/: B asked within what answers A, which it ranks; A does where B is nothing but fields
    combine A B --how either     /query/A/or/B/: the hits of both beside each other
    combine A B --how only       /query/A/not/B/: what answers A, without what answers B

**What answers a question** that demands something (mode:words, a phrase, AND, OR, NOT, -word, a field such as type: or in:) is every
file that fulfils that, however many. A plain question demands nothing, every file is more or less near to it, so what answers it is its
hits: the first 20, or as many as its `limit:` says.

`combine` is what a nested directory shows, too: a chain is a question, and then a word of OPERATIONS and a question, again and again,
read from the left. It takes `Ports.ask`, and two or three searches for each step.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from syscalls.confidence import SIGNALS, narrowed
from syscalls.errors import InvalidArgument
from syscalls.options import shown
from syscalls.prompt import MOST_HITS
from syscalls.results import results_json
from syscalls.retrieve import demands, ranks, understood
from syscalls.values import Hit, Results, Viewer
from syscalls.within import folder_of

if TYPE_CHECKING:
    from syscalls.control import Command

OPERATIONS = ("and", "or", "not")
HOW = {"both": "and", "either": "or", "only": "not"}
MOST_STEPS = 8
READ = {"and": "AND", "or": "OR", "not": "AND NOT"}

Chain = Sequence[str]
Ask = Callable[..., Awaitable[Results]]
"""As `syscalls.ports.Asking`."""
Paths = Collection[bytes]


async def combine(
    chain: Chain, *, ask: Ask, folder: bytes, viewer: Viewer, limit: int | None = None
) -> Results:
    """The answer to a chain of questions below `folder`. `limit`: of the hits, instead of what the questions say.

    Its prompt reads `a AND b`, and its notes say what was counted as an answer. Raises InvalidArgument for a chain that is none or
    has more than MOST_STEPS, and what `ask` raises.
    """
    chain = tuple(chain)
    questions, operations = chain[::2], chain[1::2]
    if len(questions) != len(operations) + 1 or not set(operations) <= set(OPERATIONS):
        raise InvalidArgument("Questions are combined by `and`, `or` and `not`, one between two.")
    if len(operations) > MOST_STEPS:
        raise InvalidArgument(f"A question is refined {MOST_STEPS} times at most; combine fewer.")
    evaluation = _Evaluation(ask, folder, viewer, {}, limit)
    found = await evaluation.ranked(chain, None)
    notes = tuple(dict.fromkeys(_notes(chain, found, viewer)))
    if limit is not None and len(found.hits) > limit:
        found = narrowed(found, found.hits[:limit])
    return replace(
        found,
        prompt=replace(found.prompt, text=reading(chain), notes=notes),
        took_ms=sum(one.took_ms for one in evaluation.asked.values()),
        like=tuple(dict.fromkeys(path for one in evaluation.asked.values() for path in one.like)),
    )


def reading(chain: Chain) -> str:
    """`(a AND b) AND NOT c`: a chain as one reads it."""
    said = chain[0]
    for step, (operation, prompt) in enumerate(zip(chain[1::2], chain[2::2], strict=True)):
        said = f"{f'({said})' if step else said} {READ[operation]} {prompt}"
    return said


def _notes(chain: Chain, found: Results, viewer: Viewer) -> Iterable[str]:
    yield from found.prompt.notes
    counted = [chain[0]] if chain[1:2] != ("or",) else []
    counted += [text for word, text in zip(chain[1::2], chain[2::2], strict=True) if word == "not"]
    for text in counted:
        prompt = understood(text, viewer)
        if not demands(prompt):
            some = "all its hits" if prompt.limit >= MOST_HITS else f"its first {prompt.limit} hits"
            yield f"`{text}` demands nothing, so {some} count as what answers it"


@dataclass
class _Evaluation:
    """One chain being answered. `asked`: each search, once."""

    ask: Ask
    folder: bytes
    viewer: Viewer
    asked: dict[tuple[str, bool, frozenset[bytes] | None], Results]
    limit: int | None

    async def ranked(self, chain: tuple[str, ...], among: Paths | None) -> Results:
        """What is listed of a chain, best first, of the files `among`."""
        if len(chain) == 1:
            return await self.answer(chain[0], among)
        before, operation, last = chain[:-2], chain[-2], chain[-1]
        if operation == "and" and (self.ranks(last) or not any(map(self.ranks, before[::2]))):
            return await self.answer(last, await self.members(before, among))
        if operation == "and":  # what only demands leaves the order as it is
            found = await self.ranked(before, await self.members(chain, among))
            return narrowed(found, found.hits[: understood(last, self.viewer).limit])
        if operation == "or":
            return either(await self.ranked(before, among), await self.answer(last, among))
        return await self.ranked(before, await self.members(chain, among))

    async def members(self, chain: tuple[str, ...], among: Paths | None) -> set[bytes]:
        """All that answers a chain, of the files `among`."""
        before, last = chain[:-2], chain[-1]
        if not before:
            return _paths(await self.answer(last, among, every=True))
        if chain[-2] == "or":
            return await self.members(before, among) | await self.members((last,), among)
        found = await self.members(before, among)
        if chain[-2] == "and":
            return _paths(await self.answer(last, found, every=True))
        # what a plain question finds within so few files would be all of them
        return found - _paths(await self.answer(last, found if self.demands(last) else None, every=True))

    def ranks(self, text: str) -> bool:
        """Whether a question says which files come first: fields alone do not."""
        return ranks(understood(text, self.viewer))

    def demands(self, text: str) -> bool:
        return demands(understood(text, self.viewer))

    async def answer(self, prompt: str, among: Paths | None, every: bool = False) -> Results:
        every = every and self.demands(prompt)
        key = (prompt, every, None if among is None else frozenset(among))
        if key not in self.asked:
            limit = None if every else self.limit
            self.asked[key] = await self.ask(
                prompt, self.folder, self.viewer, among=among, every=every, limit=limit
            )
        return self.asked[key]


def either(one: Results, other: Results) -> Results:
    """The hits of two answers beside each other. A score is relative to the best of its answer, and half of what a hit has in each: what
    answers both comes first."""
    scores: dict[bytes, float] = {}
    hits: dict[bytes, Hit] = {}
    for results in (one, other):
        best = max((hit.score for hit in results.hits), default=0.0)
        for hit in results.hits:
            # where nothing was ranked, each answers as well as any
            share = hit.score / best if best > 0 else 1.0
            scores[hit.path] = scores.get(hit.path, 0.0) + share / 2
            hits[hit.path] = _merged(hits[hit.path], hit) if hit.path in hits else hit
    order = sorted(hits, key=lambda path: (-round(scores[path], 6), path))
    return replace(
        _both(one, other), hits=tuple(replace(hits[path], score=round(scores[path], 6)) for path in order)
    )


def _merged(one: Hit, other: Hit) -> Hit:
    passages = {(passage.first_line, passage.text): passage for passage in (*other.passages, *one.passages)}
    parts = {
        name: max(one.parts.get(name, 0.0), other.parts.get(name, 0.0)) for name in one.parts | other.parts
    }
    return replace(
        one,
        parts=parts,
        passages=tuple(sorted(passages.values(), key=lambda passage: -passage.score)[:3]),
    )


def _both(one: Results, other: Results) -> Results:
    """What is true of two answers together, but for the hits."""
    first, second = one.prompt, other.prompt
    prompt = replace(
        second,
        words=tuple(dict.fromkeys((*first.words, *second.words))),
        like=tuple(dict.fromkeys((*first.like, *second.like))),
        limit=first.limit + second.limit,
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
    )
    said = (one.meaning, other.meaning)
    meaning = next((word for word in ("loading", "unavailable", "used") if word in said), "off")
    sure = [found.confidence for found in (one, other) if found.confidence is not None]
    return replace(
        other,
        prompt=prompt,
        sequence=min(one.sequence, other.sequence),
        pending=max(one.pending, other.pending),
        meaning=meaning,
        signals=tuple(name for name in SIGNALS if name in one.signals or name in other.signals),
        # what fulfils a condition answers it, whatever the other question found
        confidence=max(sure) if len(sure) == 2 else None,
    )


def _paths(results: Results) -> set[bytes]:
    return {hit.path for hit in results.hits}


async def reply(command: "Command") -> str:
    """The paths, best first, one a line."""
    given: dict[str, Any] = command.given
    assert command.ask is not None
    chain = (given["A"], HOW[given.get("how", "both")], given["B"])
    found = await combine(
        chain, ask=command.ask, folder=await folder_of(command, given.get("in")), viewer=command.viewer
    )
    return listed(found, as_json="json" in given)


def listed(results: Results, *, as_json: bool) -> str:
    """The paths of an answer, one a line, or all of it as one JSON object."""
    if as_json:
        return json.dumps(json.loads(results_json(results)))
    return "\n".join(shown(hit.path) for hit in results.hits)
