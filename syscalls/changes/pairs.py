"""pairs: which of the texts that are gone became which of the new ones, by the words that they share."""

from collections import Counter
from collections.abc import Sequence

from syscalls.changes.text import words

MOST_PAIRS = 20_000  # that are likened; beyond, only neighbours are
MOST_WORDS = 1_000_000  # looked up for that
NEAR = 3


def alike(old: Counter[str], new: Counter[str]) -> float:
    """How much of both is common: 0 to 1."""
    total = old.total() + new.total()
    if not total:
        return 0.0
    small, large = (old, new) if len(old) <= len(new) else (new, old)
    return 2 * sum(min(number, large[word]) for word, number in small.items() if word in large) / total


def pairs(
    old: Sequence[str],
    new: Sequence[str],
    least: float = 0.5,
    most: int = MOST_PAIRS,
) -> list[tuple[int, int]]:
    """Indexes (i, j) of texts of which old[i] became new[j], in the order of `new`; each occurs once.

    least  how alike two must be; most: how many pairs may be likened before only neighbours are
    """
    if not old or not new:
        return []
    bags_old = [Counter(words(text)) for text in old]
    bags_new = [Counter(words(text)) for text in new]
    found = []
    sizes = sum(map(len, bags_old)) * len(new), sum(map(len, bags_new)) * len(old)
    near = len(old) * len(new) > most or min(sizes) > MOST_WORDS
    for i, bag in enumerate(bags_old):
        place = i * len(new) // len(old)
        first, end = (max(0, place - NEAR), min(len(new), place + NEAR + 1)) if near else (0, len(new))
        for j in range(first, end):
            # the shorter can at most be contained whole
            totals = bag.total(), bags_new[j].total()
            if 2 * min(totals) < least * sum(totals):
                continue
            score = alike(bag, bags_new[j])
            if score >= least:
                found.append((-score, abs(place - j), i, j))
    taken_old: set[int] = set()
    result = []
    taken_new: set[int] = set()
    for _, _, i, j in sorted(found):
        if i not in taken_old and j not in taken_new:
            taken_old.add(i)
            taken_new.add(j)
            result.append((i, j))
    return sorted(result, key=lambda pair: pair[1])
