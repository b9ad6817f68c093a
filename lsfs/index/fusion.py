"""fusion: the score of a file from what the signals say about it.

    score = Σ weight(s) · part(s) / Σ weight(s)      over the signals s in use, each part between 0 and 1
    part  = trust · value / max(√best, best)     of words, near and context, whose values share a unit; best = the highest of
                                      Σ weight(s) · value / weight(words) over these three, among all candidates
          = value / best              of path: the highest value among all candidates
          = value                     of meaning, speaker, date and name, which have a scale of their own
    trust = belief / (1 + exp((FOUND · min(1, nearest / NEAR) − best) / STEEP)) where meaning is in use, nearest = the highest cosine;
            else 1. belief: less where plain words are asked of source code (`code`)

The scores themselves are fused, never ranks (reciprocal rank fusion with k=60, which LanceDB does by default, is .05 nDCG@10 behind over
the six sets of DESIGN.md). BM25 has no scale of its own. Taken relative to the best of all candidates, one chance word counts as much as a
perfect match where nothing better is there; taken relative to what a passage with all the words could reach (`rarity.bound`, in which
values of words come here), a long question, which no passage answers word by word, never counts. The root is the geometric mean of the
two. And where no file has much of what was asked, and something is near in meaning, words are little trusted: questions in other words
than their answers (`scripts/eval/semantic`) gain, others lose nothing. Where nothing is near, a single word is all there is. A cosine has
a scale, and is not stretched. A signal that says nothing of a file adds 0. One that is not in use (no model yet, mode:words) is left out
of the division too.

Threading: pure.
"""

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

# Chosen on git_flask, cacm and conversations 26 and 30 of LoCoMo (nDCG@10), each within a flat optimum.
WEIGHTS = {
    "words": 0.8,  # BM25 of the best passage. Adding the second best, or the whole file, moved nothing (±.001)
    "near": 0.32,  # neighbouring words of the question that stand near each other: +.011
    "context": 0.68,  # telling words that a short file lacks, and its neighbours in a numbered series have: dialogue turns +.04
    "meaning": 1.0,  # cosine of the best passage, about .55 for a good one
    "path": 0.2,  # BM25 of the path's words: git_flask .486 to .535, nothing lost where paths say nothing
    "speaker": 0.12,  # who says it is named in the question: dialogue turns +.015
    "date": 1.4,  # in use only where a file has the very date that was asked for
    "name": 4.0,  # in use only where a file is called just what was asked: then it comes first, since all others weigh less together
}
FOUND = 0.23  # share of `rarity.bound` that the best file has, at which words are half trusted
STEEP = 0.04
NEAR = 0.4  # cosine of what is near in meaning; below it words are believed on less
OCCASIONAL = frozenset({"date", "name"})  # said of those alone that have it
LEXICAL = ("words", "near", "context")  # values in one unit, the share of `rarity.bound`
ABSOLUTE = frozenset({"meaning", "speaker", "date", "name"})  # values that have a scale of their own


def fuse(
    signals: Mapping[str, Mapping[Key, float]], belief: float = 1.0
) -> dict[Key, tuple[float, dict[str, float]]]:
    """(score, parts) of every candidate; `signals`: name → candidate → value, only those in use."""
    found = scores(signals, belief)
    parts = shares(signals, found, belief)
    return {key: (score, of) for (key, score), of in zip(found.items(), parts, strict=True)}


def scores(signals: Mapping[str, Mapping[Key, float]], belief: float = 1.0) -> dict[Key, float]:
    """The score of every candidate: what `fuse` says, without the parts."""
    total = sum(WEIGHTS[name] for name in signals) or 1.0
    found: dict[Key, float] = {}
    by_name = units(signals, belief)
    for name, values in signals.items():
        by, weight = by_name[name], WEIGHTS[name] / total
        for key, value in values.items():
            part = value / by if value > 0 and by > 0 else 0.0
            found[key] = found.get(key, 0.0) + weight * (part if part < 1.0 else 1.0)
    return found


def shares(
    signals: Mapping[str, Mapping[Key, float]], keys: Iterable[Key], belief: float = 1.0
) -> Iterator[dict[str, float]]:
    """The parts of some candidates, in their order."""
    by = units(signals, belief)
    for key in keys:
        yield {
            name: min(1.0, max(0.0, values.get(key, 0.0)) / by[name]) if by[name] > 0 else 0.0
            for name, values in signals.items()
        }


def units(signals: Mapping[str, Mapping[Key, float]], belief: float = 1.0) -> dict[str, float]:
    """What the values of each signal are divided by; 0 where it says nothing at all."""
    highest = max(0.0, best(signals))
    nearest = max(signals.get("meaning", {}).values(), default=0.0)
    # above 1, which a word said twice and a long question reach, relative to the best: parts end at 1, and the order would be lost
    believed = belief * trust(highest, nearest) if "meaning" in signals else 1.0
    lexical = max(highest, math.sqrt(highest)) / believed
    return {
        name: 1.0 if name in ABSOLUTE else lexical if name in LEXICAL else max(values.values(), default=0.0)
        for name, values in signals.items()
    }


def best(signals: Mapping[str, Mapping[Key, float]]) -> float:
    """The highest that words, near and context say together of a candidate."""
    found: dict[Key, float] = {}
    for name in LEXICAL:
        by = share(name)
        for key, value in signals.get(name, {}).items():
            found[key] = found.get(key, 0.0) + by * value
    return max(found.values(), default=0.0)


def trust(highest: float, nearest: float) -> float:
    """How far the lexical signals are to be believed, between 0 and 1, where the best of all has `highest`, and the nearest a cosine of
    `nearest`."""
    wanted = FOUND * min(1.0, max(0.0, nearest) / NEAR)
    return 1.0 / (1.0 + math.exp(min(50.0, (wanted - highest) / STEEP)))


def share(name: str) -> float:
    """What a value of a lexical signal counts beside one of words."""
    return WEIGHTS[name] / WEIGHTS["words"] if WEIGHTS["words"] else 1.0
