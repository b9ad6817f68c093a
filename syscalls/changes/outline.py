"""outline: two trees of named things (headings, definitions) and which node of one is which of the other.

By name below the same parent, then by name anywhere, then by what they contain, which is how a renamed one is recognised. A node that
moved takes what is below it along: only the node itself is said to have moved.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from syscalls.changes.matching import increasing
from syscalls.changes.pairs import alike
from syscalls.changes.text import words

MOST_NODES = 3000
MOST_PAIRS = 5000  # likened in search of renamed ones
MOST_WORDS = 1_000_000  # looked up for that; about a second
ROUNDS = 20


@dataclass(slots=True)
class Node:
    """A named thing. `parent` is an index into the same list, the first node is the top and its own parent.

    bag  what it contains itself, for likening: lines or words
    """

    name: str
    parent: int
    kind: str = ""
    level: int = 0
    bag: Counter[str] = field(default_factory=Counter)


class Outline:
    """Which old node is which new one (`of`, `back`), and which of them moved."""

    def __init__(self, old: list[Node], new: list[Node]) -> None:
        self.old, self.new = old, new
        self.of: dict[int, int] = {0: 0}
        self.back: dict[int, int] = {0: 0}
        self._children_old, self._children_new = _children(old), _children(new)
        bags: tuple[list[Counter[str]], list[Counter[str]]] | None = None
        for _ in range(ROUNDS):
            before = len(self.of)
            self._by_name()
            self._by_name_anywhere()
            if len(self.of) < min(len(old), len(new)):
                bags = bags or (_whole(old), _whole(new))
                self._by_content(*bags)
            if len(self.of) == before:
                break

    @property
    def added(self) -> list[int]:
        return [j for j in range(len(self.new)) if j not in self.back]

    @property
    def removed(self) -> list[int]:
        return [i for i in range(len(self.old)) if i not in self.of]

    @property
    def renamed(self) -> list[tuple[int, int]]:
        return [(i, j) for j, i in sorted(self.back.items()) if self.old[i].name != self.new[j].name]

    def moved(self) -> list[tuple[int, int]]:
        """(old, new) of nodes that stand elsewhere: below another parent, or in another order below the same one."""
        result = []
        for q, children in enumerate(self._children_new):
            known = [j for j in children if j in self.back]
            stayed = [j for j in known if self.of.get(self.old[self.back[j]].parent) == q]
            kept = {stayed[index] for index in increasing([self.back[j] for j in stayed])}
            result += [(self.back[j], j) for j in known if j not in kept]
        return sorted(result, key=lambda pair: pair[1])

    def before(self, j: int) -> int:
        """The sibling in front of new node `j`; -1 where it is the first."""
        siblings = self._children_new[self.new[j].parent]
        place = siblings.index(j)
        return siblings[place - 1] if place else -1

    def _match(self, i: int, j: int) -> None:
        self.of[i] = j
        self.back[j] = i

    def _free(self, nodes: Iterable[int], taken: dict[int, int]) -> list[int]:
        return [node for node in nodes if node not in taken]

    def _by_name(self) -> None:
        queue = list(self.of.items())
        for i, j in queue:  # grows: the children of what was matched come later
            byname: dict[str, list[int]] = {}
            for child in reversed(self._free(self._children_new[j], self.back)):
                byname.setdefault(self.new[child].name, []).append(child)
            for child in self._free(self._children_old[i], self.of):
                candidates = byname.get(self.old[child].name)
                if candidates:
                    other = candidates.pop()
                    self._match(child, other)
                    queue.append((child, other))

    def _by_name_anywhere(self) -> None:
        once_old = _once(self.old, self._free(range(len(self.old)), self.of))
        once_new = _once(self.new, self._free(range(len(self.new)), self.back))
        for name, i in once_old.items():
            if name in once_new:
                self._match(i, once_new[name])

    def _by_content(self, bags_old: list[Counter[str]], bags_new: list[Counter[str]]) -> None:
        olds = self._free(range(len(self.old)), self.of)
        news = self._free(range(len(self.new)), self.back)
        if len(olds) * len(news) > MOST_PAIRS:
            return
        found = []
        effort = MOST_WORDS
        for i in olds:
            for j in news:
                siblings = self.of.get(self.old[i].parent) == self.new[j].parent
                effort -= 1 + min(len(bags_old[i]), len(bags_new[j]))
                if effort < 0:
                    return
                score = alike(bags_old[i], bags_new[j])
                names = alike(Counter(words(self.old[i].name)), Counter(words(self.new[j].name)))
                size = min(bags_old[i].total(), bags_new[j].total())
                if size < 3 and score < 1:
                    score = min(score, names) if size else names
                if score >= (0.5 if siblings else 0.8 if size > 8 else 2):
                    found.append((-score, -names, abs(i - j), i, j))
        for *_, i, j in sorted(found):
            if i not in self.of and j not in self.back:
                self._match(i, j)


def _children(nodes: list[Node]) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        if index:
            children[node.parent].append(index)
    return children


def _whole(nodes: list[Node]) -> list[Counter[str]]:
    bags = [node.bag.copy() for node in nodes]
    for index in range(len(nodes) - 1, 0, -1):  # children come after their parents
        if nodes[index].parent:
            bags[nodes[index].parent] += bags[index]
    return bags


def _once(nodes: list[Node], indexes: list[int]) -> dict[str, int]:
    names = Counter(nodes[index].name for index in indexes)
    return {nodes[index].name: index for index in indexes if names[nodes[index].name] == 1}
