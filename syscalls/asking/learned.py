"""learned: what a sentence means, by a network that was trained on sentences that many writers wrote (`scripts/asking/train`).

The network says which frame is meant (a call and its flags) and what each token is to it; numbers, durations, times, formats and conditions
are read by the same code as ever, and what is no call with all it needs is no guess. So a value is always what stands in the sentence, or
what is read in it. Pure; the first sentence loads the weights. How sure a guess has to be, `agreed` says.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from math import log
from typing import Any

from syscalls.asking.calls import BY_WORD, WORDS, read
from syscalls.asking.complete import complete
from syscalls.asking.contrary import contrary
from syscalls.asking.decoding import Chain
from syscalls.asking.features import features, row, word
from syscalls.asking.network import Weights, loaded, mean
from syscalls.asking.roles import CONDITION, agrees, given, roles, said, usual
from syscalls.asking.saying import Slots
from syscalls.asking.sound import of_a_folder, sound, unsaid
from syscalls.asking.tokens import Token, plain, tokens
from syscalls.errors import InvalidArgument

WEIGHTS = "learned.bin"
MOST = 80  # tokens of a sentence
FRAMES, UNLIKELY = 4, 0.02  # frames that are tried, and how likely they have to be, but for the first


@dataclass(frozen=True, slots=True)
class Guess:
    """word, slots: the call; frame, tags: the logs of how likely the frame is, and the tags if it is meant; trust: the log of the odds
    that the sentence is a request; left: the words that are no part of an argument; strange, foreign: how many of these nobody
    left like that, and nobody who meant this call; least_…: the same
    of the network that thinks least of it."""

    word: str
    slots: Slots
    frame: float
    tags: float
    trust: float
    left: tuple[str, ...]
    strange: int = 0
    foreign: int = 0
    least_frame: float = 0.0
    least_tags: float = 0.0
    least_trust: float = 0.0

    @property
    def score(self) -> float:
        return self.frame + self.tags


def guesses(prompt: str, by: Weights | None = None) -> tuple[Guess, ...]:
    """What a sentence may mean, the likeliest first. Never raises."""
    text = plain(prompt)
    found = tokens(text)
    if not 0 < len(found) <= MOST:
        return ()
    by = by or weights()
    words = [by.vector(word(one)) for one in found]
    rows = [[row(one) for one in features(found, at)] for at in range(len(found))]
    read_by = [(one, one.sentence(words, rows)) for one in by.networks]
    trusts = [one.trust(states) for one, states in read_by]
    shares = [one.frames(states) for one, states in read_by]
    mixed = mean(shares)
    ranked = sorted(range(len(mixed)), key=lambda at: -mixed[at])[:FRAMES]
    made = []
    for place, at in enumerate(ranked):
        if place and mixed[at] < UNLIKELY:
            break
        call, constants = by.head["frames"][at]
        scores = [one.tags(states, at) for one, states in read_by]
        chain = _chain(by, call)
        makes = functools.partial(_slots, by.head["left"], call, constants, text, found)
        best = chain.best([mean(each) for each in zip(*scores, strict=True)], makes)
        if best is not None:
            slots, left = best[2]
            least = min(chain.likely(one, best[1]) for one in scores)
            made.append(
                Guess(
                    call,
                    slots,
                    log(max(mixed[at], 1e-9)),
                    best[0],
                    sum(trusts) / len(trusts),
                    left,
                    *_unusual(by.head["left"], call, left),
                    log(max(min(one[at] for one in shares), 1e-9)),
                    least,
                    min(trusts),
                )  # fmt: skip
            )
    return tuple(sorted(made, key=lambda one: -one.score))


@functools.cache
def weights() -> Weights:
    return loaded((files("syscalls.asking") / WEIGHTS).read_bytes())


def digest() -> str:
    """Of the weights, as they are installed."""
    return hashlib.sha256((files("syscalls.asking") / WEIGHTS).read_bytes()).hexdigest()


@functools.lru_cache(maxsize=64)
def _chain(by: Weights, call: str) -> Chain:
    tags: list[str] = by.head["tags"]
    known = [0, *(at for at, tag in enumerate(tags) if tag[2:] in roles(call))]
    many = {role for role in CONDITION if role != "expr"}
    if any(one.many for one in BY_WORD[call].arguments):
        many.add("path")
    between = [mean(each) for each in zip(*(one.between for one in by.networks), strict=True)]
    return Chain(tags, known, between, mean([one.start for one in by.networks]), frozenset(many))


def _slots(
    known: Mapping[str, int],
    call: str,
    constants: Mapping[str, Any],
    text: str,
    found: list[Token],
    tags: list[str],
) -> tuple[Slots, tuple[str, ...]] | None:
    """The arguments that tags make of a sentence, and the words that are left; None where they make no call."""
    if not sound(known, found, tags):
        return None
    values: list[tuple[str, str]] = []
    terms: list[tuple[str, list[Token]]] = []
    at = 0
    while at < len(tags):
        end = at + 1
        role = tags[at][2:]
        if role:
            while end < len(tags) and tags[end] == f"I-{role}":
                end += 1
            value = said(role, text, found[at:end])
            if value is None:
                return None
            values.append((role, value))
            if role in CONDITION:
                terms.append((role, found[at:end]))
        at = end
    if unsaid(text, terms) or not agrees(text, [one for _, one in terms], [role for role, _ in terms]):
        return None
    slots = given(call, constants, values)
    if call == "create" and slots is not None and set(slots) <= {"PATH", "text"} and of_a_folder(found, tags):
        if "text" in slots:
            return None
        slots["PATH"] = slots["PATH"].rstrip("/") + "/"
    if slots is None or not complete(call, usual(call, slots)) or contrary(call, slots, found, tags):
        return None
    try:
        read(call, slots)
    except InvalidArgument:
        return None
    return slots, tuple(
        one.text.lower() for one, tag in zip(found, tags, strict=True) if tag == "O" and one.kind != "."
    )


def _unusual(known: Mapping[str, int], call: str, left: tuple[str, ...]) -> tuple[int, int]:
    """How many words are strange, and how many foreign. known: in which calls, as bits, a word was left."""
    bit = 1 << WORDS.index(call)
    strange = sum(one not in known for one in left)
    return strange, sum(one in known and not known[one] & bit for one in left)
