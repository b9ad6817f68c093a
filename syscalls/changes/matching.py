"""matching: which items of two sequences correspond, in bounded time: lines of a file, sentences of a text, words of a sentence.

Items common at both ends are matched first. Between them, items that occur exactly once on each side anchor the rest (a function that
moved past a brace is not torn apart by that brace); what lies between two anchors is matched by the greedy O(ND) search of Myers, in
stretches, so that its memory stays small. Both count their steps: a gap that would cost more is left unmatched, which is a longer
difference and never a wrong one.

Pure and deterministic; takes any hashable items. A hundred thousand lines take a fraction of a second, the worst input about two.
"""

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from typing import Literal

Tag = Literal["equal", "delete", "insert", "replace"]
Opcode = tuple[Tag, int, int, int, int]

MOST_STEPS = 2_500_000  # of the search: about a second
MOST_EDITS = 300  # of one stretch; the memory of a stretch grows with its square
FEW_EDITS = 64
SCANS = 12  # how often, on average, an item may be looked at for anchors


def opcodes(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Opcode]:
    """How `old` becomes `new`: (tag, i1, i2, j1, j2), meaning that old[i1:i2] is kept as, or replaced by, new[j1:j2].

    The ranges follow each other without a gap; equal and other ranges alternate. Two empty sequences give an empty list.
    """
    result: list[Opcode] = []
    done_old = done_new = 0
    for i, j, length in _runs(partners(old, new)) + [(len(old), len(new), 0)]:
        if i > done_old and j > done_new:
            result.append(("replace", done_old, i, done_new, j))
        elif i > done_old:
            result.append(("delete", done_old, i, done_new, j))
        elif j > done_new:
            result.append(("insert", done_old, i, done_new, j))
        if length:
            result.append(("equal", i, i + length, j, j + length))
        done_old, done_new = i + length, j + length
    return result


def partners(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[int]:
    """For each item of `old` the index of the equal item in `new` that it corresponds to, -1 where there is none; increasing."""
    numbers: dict[Hashable, int] = {}
    a = [numbers.setdefault(item, len(numbers)) for item in old]
    b = [numbers.setdefault(item, len(numbers)) for item in new]
    matching = _Matching(a, b)
    matching.run()
    return matching.partner


def increasing(values: Sequence[int]) -> list[int]:
    """The indexes of a longest strictly increasing subsequence of `values`."""
    tops: list[int] = []  # the smallest last value of a subsequence of each length
    ends: list[int] = []
    before: list[int] = []
    for index, value in enumerate(values):
        place = bisect_left(tops, value)
        before.append(ends[place - 1] if place else -1)
        if place == len(tops):
            tops.append(value)
            ends.append(index)
        else:
            tops[place] = value
            ends[place] = index
    result = []
    index = ends[-1] if ends else -1
    while index >= 0:
        result.append(index)
        index = before[index]
    return result[::-1]


def _runs(partner: list[int]) -> list[tuple[int, int, int]]:
    runs: list[tuple[int, int, int]] = []
    for i, j in enumerate(partner):
        if j < 0:
            continue
        if runs and runs[-1][0] + runs[-1][2] == i and runs[-1][1] + runs[-1][2] == j:
            runs[-1] = (runs[-1][0], runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((i, j, 1))
    return runs


class _Matching:
    """One run: numbers for items, the partners found so far, and the steps that are left."""

    def __init__(self, a: list[int], b: list[int]) -> None:
        self.a, self.b = a, b
        self.partner = [-1] * len(a)
        self.steps = MOST_STEPS
        self.looks = SCANS * (len(a) + len(b)) + 1000

    def run(self) -> None:
        gaps = [(0, len(self.a), 0, len(self.b))]
        while gaps:
            i1, i2, j1, j2 = self._trim(*gaps.pop())
            if i1 == i2 or j1 == j2:
                continue
            self.looks -= (i2 - i1) + (j2 - j1)
            anchors = self._anchors(i1, i2, j1, j2) if self.looks > 0 else []
            # a single line that moved is an anchor too, and would tear everything else apart
            weak = len(anchors) * 8 < min(i2 - i1, j2 - j1)
            if weak and self.steps > 0 and self._search(i1, i2, j1, j2, FEW_EDITS, whole=True):
                continue
            if anchors:
                ends = [(i1 - 1, j1 - 1), *anchors, (i2, j2)]
                for i, j in anchors:
                    self.partner[i] = j
                between = zip(ends, ends[1:], strict=False)
                inner = [(i + 1, next_i, j + 1, next_j) for (i, j), (next_i, next_j) in between]
                gaps.extend(reversed(inner))
            elif self.steps > 0:
                self._search(i1, i2, j1, j2, MOST_EDITS, whole=False)

    def _trim(self, i1: int, i2: int, j1: int, j2: int) -> tuple[int, int, int, int]:
        a, b, partner = self.a, self.b, self.partner
        while i1 < i2 and j1 < j2 and a[i1] == b[j1]:
            partner[i1] = j1
            i1 += 1
            j1 += 1
        while i1 < i2 and j1 < j2 and a[i2 - 1] == b[j2 - 1]:
            i2 -= 1
            j2 -= 1
            partner[i2] = j2
        return i1, i2, j1, j2

    def _anchors(self, i1: int, i2: int, j1: int, j2: int) -> list[tuple[int, int]]:
        once_old = _once(self.a, i1, i2)
        once_new = _once(self.b, j1, j2)
        pairs = [(i, once_new[item]) for item, i in once_old.items() if item in once_new]
        return [pairs[index] for index in increasing([j for _, j in pairs])]

    def _search(self, i1: int, i2: int, j1: int, j2: int, most: int, whole: bool) -> bool:
        """Match a gap; with `whole`, only if `most` edits suffice for all of it. Whether the end was reached."""
        # what is on one side only has no partner whatever the search does: without it the search is short
        here, there = set(self.a[i1:i2]), set(self.b[j1:j2])
        olds = [i for i in range(i1, i2) if self.a[i] in there]
        news = [j for j in range(j1, j2) if self.b[j] in here]
        a, b = [self.a[i] for i in olds], [self.b[j] for j in news]
        x = y = 0
        while self.steps > 0 and x < len(a) and y < len(b):
            pairs, x, y = self._stretch(a, b, x, y, most)
            if whole and (x < len(a) or y < len(b)):
                return False
            for i, j in pairs:
                self.partner[olds[i]] = news[j]
        return x == len(a) or y == len(b)

    def _stretch(
        self, a: list[int], b: list[int], left: int, top: int, most: int
    ) -> tuple[list[tuple[int, int]], int, int]:
        """The matches from (left, top) to the end, or to the furthest point that `most` edits reach; and that point."""
        width, height = len(a) - left, len(b) - top
        reach = [0] * (2 * most + 3)  # by diagonal k = x - y: the furthest x; index k + middle
        middle = most + 1
        kept: list[list[int]] = []
        steps = self.steps
        edits = found = 0
        for edits in range(most + 1):
            found = edits + 1
            for k in range(-edits, edits + 1, 2):
                down = k == -edits or (k != edits and reach[middle + k - 1] < reach[middle + k + 1])
                x = reach[middle + k + 1] if down else reach[middle + k - 1] + 1
                y = x - k
                start = x
                while x < width and y < height and a[left + x] == b[top + y]:
                    x += 1
                    y += 1
                reach[middle + k] = x
                steps -= 1 + x - start
                if x >= width and y >= height:
                    found = k
                    break
                if steps <= 0:
                    break
            kept.append(reach[middle - edits - 1 : middle + edits + 2])
            if found <= edits or steps <= 0:
                break
        if found > edits:  # not at the end: go on from the point that lies furthest
            inside = [k for k in range(-edits, edits + 1, 2) if _inside(reach[middle + k], k, width, height)]
            # a row in which the steps ran out is not complete
            if steps <= 0 or not inside:
                self.steps = min(steps, 0)
                return [], left, top
            found = max(inside, key=lambda k: (2 * reach[middle + k] - k, -abs(k)))
        self.steps = steps
        x = reach[middle + found]
        end = (left + x, top + x - found)
        return _trace(kept, edits, found, x, left, top), *end


def _once(items: list[int], first: int, end: int) -> dict[int, int]:
    where: dict[int, int] = {}
    for index in range(first, end):
        where[items[index]] = -1 if items[index] in where else index
    return {item: index for item, index in where.items() if index >= 0}


def _inside(x: int, k: int, width: int, height: int) -> bool:
    return x <= width and 0 <= x - k <= height


def _trace(kept: list[list[int]], edits: int, k: int, x: int, left: int, top: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for row in range(edits, -1, -1):
        if row == 0:
            start, step = 0, 0
        else:
            before = kept[row - 1]  # holds the diagonals from -row to row
            down = k == -row or (k != row and before[row + k - 1] < before[row + k + 1])
            start, step = (before[row + k + 1], 1) if down else (before[row + k - 1] + 1, -1)
        pairs.extend((left + at, top + at - k) for at in range(start, x))
        if row == 0:
            break
        k += step
        x = before[row + k]
    return pairs
