"""confidence: how sure it is that a question is answered by something that was found.

    confidence = 1 / (1 + e^-z),   z = bias + Σ coefficient(s) · strongest(s)
    strongest(s) = the highest part(s) among the hits

over the signals s of a question that was searched in one of three ways: by words and meaning, by words alone (no model, mode:words), by
meaning alone (mode:meaning). Where both were, the higher one of both and of meaning alone: an answer in other words is one. The parts are
those of `results.json`. They carry what is absolute: a cosine has a scale of its own, and those of words, near and context are divided by
the root of the best of them (`fusion`), so the strongest grows with the share that it has of what a passage with all the words would reach.
The part of path is relative to the best file alone, and says nothing here but that a word occurs.

Only hits that the viewer may see are looked at, with the parts that he is shown: it tells nothing of other files.

Threading: pure.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from syscalls.values import Hit, Prompt, Results

SIGNALS = ("words", "near", "context", "meaning", "path", "speaker", "date", "name")
"""All that there are, in the order in which they are shown: the keys of WEIGHTS in `lsfs.index.fusion`, as a test holds it to."""

LOW = 0.18  # under it an answer says that it is probably none

# By logistic regression on git_flask, cacm and conversations 26 and 30 of LoCoMo: questions whose answers are among the first ten, against
# the same with their answers taken out, and against questions of other folders. Of the others 8 to 9 in 10 come out under .25, of those
# with an answer 1 in 30; an answer that is gone shows less, as what is left is about the same (area under the curve .61 to .81).
BOTH = {"bias": -4.0, "meaning": 3.8, "words": 4.5, "near": 0.7, "name": 4.0}
WORDS = {"bias": -5.5, "words": 9.5, "near": 2.9, "name": 6.0}
MEANING = {"bias": -4.15, "meaning": 8.9}

NOTHING = "Probably nothing here answers this question: "
NO_WORD = "no word of it occurs in what was found"
FEW_WORDS = "only few or common words of it occur together in what was found"
FAR = "nothing is near enough in meaning"


def confidence(hits: Sequence[Hit], signals: Collection[str]) -> float:
    """From 0 to 1, rounded to four digits; 0 of no hits. signals: those in use."""
    if not hits:
        return 0.0
    found = strongest(hits, signals)
    z = max(
        by["bias"] + sum(weight * found.get(name, 0.0) for name, weight in by.items() if name != "bias")
        for by in coefficients(found)
    )
    return round(1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, z)))), 4)


def strongest(hits: Sequence[Hit], signals: Collection[str]) -> dict[str, float]:
    """The highest part of each signal in use. Where no hit has a cosine, as long as nothing is embedded, meaning is not."""
    found = {name: max((hit.parts.get(name, 0.0) for hit in hits), default=0.0) for name in signals}
    if not found.get("meaning"):
        found.pop("meaning", None)
    return found


def coefficients(found: Collection[str]) -> list[dict[str, float]]:
    """Those that count for what was searched by these signals."""
    if "meaning" not in found:
        return [WORDS]
    return [BOTH, MEANING] if "words" in found else [MEANING]


def of_answer(prompt: Prompt, hits: Sequence[Hit], signals: Collection[str]) -> float | None:
    """The confidence of an answer; None where nothing was ranked: where only a condition or a scope was said, what fulfils it answers.
    So it is where files are compared with files: the nearest ones are what was asked for, however near."""
    if prompt.exact or prompt.like or not (prompt.words or prompt.meaning.strip()) or (hits and not signals):
        return None
    return confidence(hits, signals)


def doubt(results: Results) -> str:
    """The sentence that says that probably nothing of this is an answer, and why; "" where nothing was found or there is no such doubt."""
    if results.confidence is None or results.confidence >= LOW or not results.hits:
        return ""
    found = strongest(results.hits, results.signals)
    why = []
    if "words" in found:
        why.append(FEW_WORDS if found["words"] > 0 or found.get("path", 0.0) > 0 else NO_WORD)
    if "meaning" in found:
        why.append(FAR)
    return NOTHING + ", and ".join(why) + "."


def narrowed(results: Results, hits: tuple[Hit, ...]) -> Results:
    """The answer with some of its hits alone, and what is said of them all."""
    called = any(hit.parts.get("name", 0.0) > 0 for hit in hits)
    signals = tuple(name for name in results.signals if name != "name" or called)
    sure = None if results.confidence is None else confidence(hits, signals)
    return replace(results, hits=hits, signals=signals, confidence=sure)
