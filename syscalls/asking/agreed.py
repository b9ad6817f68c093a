"""agreed: what a sentence means by both readers, the grammar (`intents`) and the learned one (`learned`).

Where they say the same, it is meant. Where only one says something, or they differ, the surer one is meant if it is sure enough: how sure, is
learned from sentences of writers that the network had not seen (`scripts/asking/crossed.py`). Otherwise the sentence is refused, and what
both made of it is named. What the grammar refuses for good (denials, questions about a command, what is only told) stays refused.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from syscalls.asking.calls import read
from syscalls.asking.evidence import MISSED, evidence, spread
from syscalls.asking.intents import Understood
from syscalls.asking.intents import understood as by_grammar
from syscalls.asking.learned import Guess, guesses
from syscalls.asking.network import sigmoid
from syscalls.asking.plan import planned
from syscalls.asking.roles import bare, usual
from syscalls.asking.saying import Slots
from syscalls.errors import InvalidArgument

WEIGHED = "weighed.json"
FORMATS = ("md", "html", "docx", "txt")
SAME = "same"  # the side of what both readers say
FEW = 3  # words besides the arguments
PLAIN, UNSURE = 10.0, 0.5  # of the grammar's score; of a likelihood


def understood(prompt: str) -> Understood:
    """What a sentence asks for. Never raises."""
    grammar = by_grammar(prompt)
    if grammar.final:
        return grammar
    learned = guesses(prompt)
    found = considered(prompt, grammar, learned)
    if not found:
        return grammar
    best = max(found, key=lambda one: one.likely)
    if best.likely >= weighed()["least"] or _plain(grammar, found) or _short(grammar, found, learned):
        return Understood(best.word, best.slots, sure=best.side == SAME)
    lines = tuple(dict.fromkeys(one.line for one in sorted(found, key=lambda one: -one.likely)))
    if len(lines) > 1:
        return Understood(
            why="This may mean one of two things; say it with other words, or as one of these.", nearest=lines
        )
    return Understood(why=grammar.why or "This is not understood well enough to be done.", nearest=lines)


def _plain(grammar: Understood, found: Sequence["Considered"]) -> bool:
    """Whether the networks mean the same call, and only are not sure of its arguments, and the grammar explains every word."""
    return (
        len(found) == 2
        and found[0].word == grammar.word
        and not grammar.unknown
        and grammar.score >= PLAIN
        and found[0].likely < UNSURE <= found[1].likely
    )


def _short(grammar: Understood, found: Sequence["Considered"], learned: Sequence[Guess]) -> bool:
    """Whether a sentence is hardly more than its arguments, and both readers say the same: 99 of 100 such were right, of writers that
    the network had not seen, who rarely wrote anything as plain as "delete old.txt"."""
    return len(found) == 1 and found[0].side == SAME and not grammar.unknown and len(learned[0].left) <= FEW


@dataclass(frozen=True, slots=True)
class Considered:
    """What one reader, or both, made of a sentence. side: of SIDES; evidence: what `weighed` weighs."""

    word: str
    slots: Slots
    side: str
    evidence: tuple[float, ...]

    @property
    def likely(self) -> float:
        """How likely anything is asked for, times how likely this is it, if so."""
        return self._likely("asked") * self._likely("right")

    def _likely(self, what: str) -> float:
        return sigmoid(
            sum(one * by for one, by in zip(spread(self.side, self.evidence), weighed()[what], strict=True))
        )

    @property
    def line(self) -> str:
        try:
            return planned(self.word, self.slots).line
        except InvalidArgument:
            return self.word


def considered(prompt: str, grammar: Understood, learned: Sequence[Guess]) -> list[Considered]:
    """What the readers propose, with the evidence for each."""
    found = []
    first = learned[0] if learned else None
    if first is not None:
        rival = next((one.score for one in learned[1:] if one.word != first.word), MISSED)
        same = grammar.word == first.word and alike(first.word, grammar.slots, first.slots)
        side = "same" if same else "other" if grammar.word else "alone"
        call = grammar.word == first.word or not grammar.word and first.word in grammar.nearest[:1]
        found.append(Considered(first.word, first.slots, side, evidence(prompt, first, rival, call, grammar)))
        if same:
            return found
    if grammar.word:
        near = [one for one in learned if one.word == grammar.word]
        like = [one for one in near if alike(one.word, grammar.slots, one.slots)]
        nobody = Guess(
            grammar.word, grammar.slots, MISSED, MISSED, first.trust if first is not None else MISSED, ()
        )
        rival = first.score if first is not None else MISSED
        one = replace([*like, *near, nobody][0], slots=grammar.slots)
        found.append(
            Considered(
                grammar.word,
                grammar.slots,
                "second" if like else "grammar",
                evidence(prompt, one, rival, bool(near), grammar),
            )
        )
    return found


def alike(word: str, one: Slots, other: Slots) -> bool:
    """Whether two sets of arguments are the same call; of a question, an article and a mark at its end are nothing."""
    try:
        first, second = (read(word, usual(word, _formatted(word, each))) for each in (one, other))
    except InvalidArgument:
        return False
    return {name: _bare(value) for name, value in first.items()} == {
        name: _bare(value) for name, value in second.items()
    }


def _formatted(word: str, slots: Slots) -> Slots:
    """The format of a translation, where only the name of what it becomes says it."""
    ending = str(slots.get("into", "")).rpartition(".")[2].lower()
    if word == "translate" and "to" not in slots and ending in FORMATS:
        return {**slots, "to": ending}
    return slots


def _bare(value: object) -> object:
    return bare(value) if isinstance(value, str) else value


@functools.cache
def weighed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("syscalls.asking") / WEIGHED).read_text(encoding="utf-8"))
    return found
