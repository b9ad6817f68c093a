"""best: the passages that BM25 says most of, from a lexicon, without a look at most of those that have a common word.

Words are taken the rarest first. Once the words that are left cannot lift a passage that has none of those taken above the last of the
best, only passages found so far are asked for them (MaxScore: Turtle and Flood, Query evaluation: strategies and optimizations, 1995).
Those who can still be among the best then get their score in FTS5's order of operations, so it has the same bits.

Threading: pure, but for the lexicon that the caller owns.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lsfs.index.lexicon import Lexicon, Part
from lsfs.index.postings import K1, B, saturation, times_of
from lsfs.index.words import fts5_idf

SLACK = 1e-9  # of a score: partial sums are rounded otherwise than whole ones
FEW = 16  # times fewer rows than a word has are looked up one by one


class Word(NamedTuple):
    """idf: times how often the question says it."""

    stem: str
    idf: float


def match(
    lexicon: Lexicon, terms: Sequence[str], limit: int, contents: Sequence[int] | None = None
) -> list[tuple[int, float]] | None:
    """As `words.match`: the `limit` best (passage, bm25) for any of these terms, best first, of some contents (None = all).

    None where only FTS5 knows."""
    stems = lexicon.stems(terms)
    if stems is None:
        return None
    if limit < 1:
        return []
    counts = {stem: sum(part.count(stem) for part in lexicon.parts) for stem in stems}
    idf = {stem: fts5_idf(count, lexicon.rows) for stem, count in counts.items()}
    said = [stem for stem in stems if counts[stem]]
    words = [Word(stem, idf[stem] * times) for stem, times in Counter(said).items()]
    ids: np.ndarray = np.zeros(0, np.int64)
    scores: np.ndarray = np.zeros(0)
    for part in lexicon.parts:
        floor = float(np.partition(scores, -limit)[-limit]) if len(scores) >= limit else 0.0
        every = contents is None
        rows = _candidates(lexicon, part, words, limit, floor) if every else part.rows_of(contents or ())
        some = exact(part, said, idf, rows, lexicon.average)
        ids = np.concatenate([ids, part.of.ids[rows[some > 0]]])
        scores = np.concatenate([scores, some[some > 0]])
    order = np.lexsort((ids, -scores))[:limit]
    return list(zip(ids[order].tolist(), scores[order].tolist(), strict=True))


def exact(
    part: Part, said: Sequence[str], idf: dict[str, float], rows: np.ndarray, average: float
) -> np.ndarray:
    """BM25 of some rows, term for term as FTS5 adds it up."""
    lengths = part.of.lengths[rows].astype(np.float64)
    shares = {}
    for stem in dict.fromkeys(said):
        shares[stem] = idf[stem] * saturation(times_of(part.posting(stem), rows), lengths, average)
    scores = np.zeros(len(rows))
    for stem in said:
        scores += shares[stem]
    return scores


def _candidates(lexicon: Lexicon, part: Part, words: list[Word], limit: int, floor: float) -> np.ndarray:
    """The rows (ascending) that can be among the `limit` best, or among those with more than `floor`."""
    average = lexicon.average
    bounds = {word: word.idf * part.of.peak(word.stem, average) for word in words if part.count(word.stem)}
    left = sorted(bounds, key=lambda word: part.count(word.stem))
    above = sum(bounds.values())  # what the words left can add
    scores = lexicon.scratch(len(part.of))
    found: list[np.ndarray] = []
    least, size = floor, 0
    ripe = above  # twice `above` is less once the last of the best can have as much
    while left and above >= least * (1 - SLACK):
        word = left.pop(0)
        above -= bounds[word]
        rows, times = part.posting(word.stem)
        before = scores[rows]
        scores[rows] = before + word.idf * _saturation(part, rows, times, average)
        fresh = rows[before == 0.0] if found else rows
        found.append(fresh)
        size += len(fresh)
        if left and size >= limit and 2 * above <= ripe * (1 + SLACK):
            last = _last_of_best(np.concatenate([scores[rows] for rows in found]), limit)
            least, ripe = max(least, last), last + above  # it rises by no more than words taken can add
    candidates = np.concatenate(found) if found else np.zeros(0, "<u4")
    values = scores[candidates]
    scores[candidates] = 0.0  # as it was found
    left.sort(key=lambda word: -bounds[word])
    while True:
        if len(values) > limit:
            least = max(least, _last_of_best(values, limit))
        kept = values + max(0.0, above) >= least * (1 - SLACK)
        candidates, values = candidates[kept], values[kept]
        if not left:
            return np.sort(candidates)
        word = left.pop(0)
        above -= bounds[word]
        candidates, values = _sorted(candidates, values)
        times = times_of(part.posting(word.stem), candidates)
        values = values + word.idf * _saturation(part, candidates, times, average)


def _sorted(rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(rows)
    return rows[order], values[order]


def _saturation(part: Part, rows: np.ndarray, times: np.ndarray, average: float) -> np.ndarray:
    lengths = part.of.lengths[rows]
    return times * (K1 + 1.0) / (times + (K1 * (1 - B) + (K1 * B / average) * lengths))


def _last_of_best(values: np.ndarray, limit: int) -> float:
    return float(np.partition(values, -limit)[-limit])
