"""fusion: the score of a file from what the signals say about it.

    score = Σ weight(s) · part(s) / Σ weight(s)      over the signals s in use
    part  = value / best value among all candidates  of words, path and name
          = the cosine itself                        of meaning

The scores themselves are fused, never ranks (measured on LoCoMo sessions: RRF with k=60 falls below BM25 alone, .789 against .824, and this
reaches .845). BM25 has no scale of its own, so it is taken relative to the best; a cosine has one, and is not stretched: where the nearest
passage is far from the question, words decide, where it is near, meaning does. Stretched to the best as well it did as well on the sets
that were tuned on, and worse on those that were not (CoSQA .526, now .546; CISI .440, now .446). A signal that says nothing of a file adds
0. A signal that is not in use (no model yet, mode:words) is left out of the division too, so a score always lies between 0 and 1.

Threading: pure.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

# Tuned on git_flask, cacm and conversations 26 and 30 of LoCoMo only (nDCG@10; flat between .7 and 1.2 for meaning).
WEIGHTS = {
    "words": 0.5,  # BM25 of the best passage. Adding the second best, or the whole file, moved nothing (±.001)
    "meaning": 1.0,  # cosine of the best passage, about .55 for a good one
    "name": 2.0,  # in use only where a file is called just what was asked: then it comes first, since all others weigh less together
    "path": 0.2,  # BM25 of the path's words: git_flask .486 to .535, nothing lost where paths say nothing; falls again at .4
}
ABSOLUTE = frozenset({"meaning"})  # values that have a scale of their own


def fuse(signals: Mapping[str, Mapping[Key, float]]) -> dict[Key, tuple[float, dict[str, float]]]:
    """(score, parts) of every candidate; `signals`: name → candidate → value, only those in use."""
    total = sum(WEIGHTS[name] for name in signals)
    candidates = {key: None for values in signals.values() for key in values}
    normal = {name: normalised(name, values) for name, values in signals.items()}
    scored = {}
    for key in candidates:
        parts = {name: values.get(key, 0.0) for name, values in normal.items()}
        scored[key] = sum(WEIGHTS[name] * value for name, value in parts.items()) / total, parts
    return scored


def normalised(name: str, values: Mapping[Key, float]) -> dict[Key, float]:
    """The parts of one signal, between 0 and 1; what is negative says nothing."""
    unit = 1.0 if name in ABSOLUTE else max(values.values(), default=0.0)
    return {key: min(1.0, max(0.0, value) / unit) for key, value in values.items()} if unit > 0 else {}
