"""fusion: the score of a file from what the signals say about it.

    score = Σ weight(s) · value(s) / best(s)   over the signals s in use, divided by the sum of their weights

where best(s) is the highest value among all candidates: the scores themselves are fused, never ranks (measured on LoCoMo sessions: RRF
with k=60 falls below BM25 alone, .789 against .824, and this reaches .844). A signal that says nothing of a file adds 0. A signal that is
not in use (no model yet, mode:words) is left out of the division too, so a score always lies between 0 and 1.

Threading: pure.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

# Tuned on git_flask, cacm and conversations 26 and 30 of LoCoMo only (nDCG@10; flat between .4 and .6 for words and for meaning).
WEIGHTS = {
    "words": 0.5,  # BM25 of the best passage. Adding the second best, or the whole file, moved nothing (±.001)
    "meaning": 0.5,  # cosine of the best passage; not stretched from the worst one, so that where nothing fits all stay near
    "name": 1.5,  # in use only where a file is called just what was asked for: then it comes first, since all others weigh less together
    "path": 0.2,  # BM25 of the path's words: git_flask .486 to .535, nothing lost where paths say nothing; falls again at .4
}


def fuse(signals: Mapping[str, Mapping[Key, float]]) -> dict[Key, tuple[float, dict[str, float]]]:
    """(score, parts) of every candidate; `signals`: name → candidate → value, only those in use. parts are the normalised values."""
    total = sum(WEIGHTS[name] for name in signals)
    candidates = {key: None for values in signals.values() for key in values}
    normal = {name: normalised(values) for name, values in signals.items()}
    scored = {}
    for key in candidates:
        parts = {name: values.get(key, 0.0) for name, values in normal.items()}
        scored[key] = sum(WEIGHTS[name] * value for name, value in parts.items()) / total, parts
    return scored


def again(values: Mapping[Key, Mapping[str, float]]) -> dict[Key, tuple[float, dict[str, float]]]:
    """`fuse` from the other side: candidate → the "values" of its hit. So who may read only some of the hits gets scores that say nothing
    of the others."""
    names = [name for name in WEIGHTS if any(name in said for said in values.values())]
    if not names:
        return {key: (0.0, {}) for key in values}
    return fuse({name: {key: said.get(name, 0.0) for key, said in values.items()} for name in names})


def normalised(values: Mapping[Key, float]) -> dict[Key, float]:
    """Values relative to the best one; what is negative says nothing."""
    best = max(values.values(), default=0.0)
    return {key: max(0.0, value) / best for key, value in values.items()} if best > 0 else {}
