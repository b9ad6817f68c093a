"""decoding: the likeliest roles of the tokens of a sentence that make a call: a beam search through a linear chain (Lafferty et al. 2001).

A role begins with B and goes on with I (Ramshaw and Marcus 1995), each at most once where an argument takes one value; what the arguments
take is asked of the reader of roles, so that the best way that is a call is found, not the best way.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

Found = TypeVar("Found")
NEVER = -1e9
WIDTH, TRIED = 24, 24


class Chain:
    """The tags that a call knows, and how they follow each other."""

    def __init__(
        self,
        tags: Sequence[str],
        known: Sequence[int],
        between: Sequence[Sequence[float]],
        start: Sequence[float],
        many: frozenset[str],
    ) -> None:
        self.known = list(known)
        self.names = [tags[at] for at in known]
        self.many = many
        self.start = [
            NEVER if name[0] == "I" else start[at] for at, name in zip(known, self.names, strict=True)
        ]
        self.follow = [
            [
                (there, between[at][to])
                for there, (to, after) in enumerate(zip(known, self.names, strict=True))
                if after[0] != "I" or after[2:] == name[2:]
            ]
            for at, name in zip(known, self.names, strict=True)
        ]

    def best(
        self, scores: Sequence[Sequence[float]], makes: Callable[[list[str]], Found | None]
    ) -> tuple[float, tuple[int, ...], Found] | None:
        """The likeliest tags of which `makes` makes something, with the log of their probability, and as `likely` takes them."""
        rows = [[row[at] for at in self.known] for row in scores]
        total = self._total(rows)
        for score, path in self._paths(rows):
            found = makes([self.names[at] for at in path])
            if found is not None:
                return score - total, path, found
        return None

    def likely(self, scores: Sequence[Sequence[float]], path: Sequence[int]) -> float:
        """The log of the probability of tags, by other scores."""
        rows = [[row[at] for at in self.known] for row in scores]
        score = self.start[path[0]] + rows[0][path[0]]
        for before, at, row in zip(path, path[1:], rows[1:], strict=False):
            score += dict(self.follow[before])[at] + row[at]
        return score - self._total(rows)

    def _total(self, rows: Sequence[Sequence[float]]) -> float:
        """The log of the sum over all ways."""
        before = [a + b for a, b in zip(self.start, rows[0], strict=True)]
        for row in rows[1:]:
            most = max(before)
            sums = [0.0] * len(row)
            for at, one in enumerate(before):
                if one - most > -40:
                    for to, score in self.follow[at]:
                        sums[to] += math.exp(one - most + score)
            before = [
                most + math.log(one) + more if one else NEVER for one, more in zip(sums, row, strict=True)
            ]
        most = max(before)
        return most + math.log(sum(math.exp(one - most) for one in before))

    def _paths(self, rows: Sequence[Sequence[float]]) -> list[tuple[float, tuple[int, ...]]]:
        """The best ways, in which nothing that is said once is said twice."""
        Way = tuple[float, tuple[int, ...], frozenset[str]]
        ways: list[Way] = [
            (
                score + more,
                (at,),
                frozenset([self.names[at][2:]]) if at and self.names[at][0] == "B" else frozenset(),
            )
            for at, (score, more) in enumerate(zip(self.start, rows[0], strict=True))
            if score > NEVER / 2
        ]
        ways = sorted(ways, key=lambda way: -way[0])[:WIDTH]
        for row in rows[1:]:
            least = ways[0][0] - 12
            grown: list[Way] = []
            for score, path, used in ways:
                for to, more in self.follow[path[-1]]:
                    new = score + more + row[to]
                    if new < least - 12:
                        continue
                    name = self.names[to]
                    if name[0] == "B":
                        role = name[2:]
                        if role in used and role not in self.many:
                            continue
                        grown.append((new, (*path, to), used | {role}))
                    else:
                        grown.append((new, (*path, to), used))
            if not grown:
                return []
            ways = sorted(grown, key=lambda way: -way[0])[:WIDTH]
        return [(score, path) for score, path, _ in ways[:TRIED]]
