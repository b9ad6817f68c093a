"""prose: what changed in a text with headings: sections, and under each heading the sentences, items, rows and lines of code.

A sentence that is gone from one place and found in another was moved, and is said to be. One that shares at least half of its words with
a new one became it.
"""

from collections import Counter

from syscalls.changes.document import TOP, Document, Unit, read_document
from syscalls.changes.matching import opcodes
from syscalls.changes.outline import Outline
from syscalls.changes.pairs import MOST_PAIRS, pairs
from syscalls.changes.text import Changes, became, counted, listed, quote, tally, words

MOST_LIKENED = 300_000  # pairs of sentences, all sections together; about a second
NAMED = 3  # sections, and changes of headings, that the first sentence names one by one


def compare_prose(old: str, new: str, suffix: str) -> Changes:
    """The changes from `old` to `new`. `suffix`: "md", "adoc", "org", "tex", "rst" or "txt": how headings are written."""
    return _Comparison(read_document(old, suffix), read_document(new, suffix)).changes()


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new
        self.outline = Outline(old.nodes, new.nodes)
        self.gone: list[tuple[int, int]] = []  # (section, unit) that have no partner yet
        self.came: list[tuple[int, int]] = []
        self.counts: dict[
            int, dict[str, Counter[str]]
        ] = {}  # by section of the new one (of the old one: ~section)
        self.items: dict[int, list[tuple[int, str]]] = {}
        self.across: list[str] = []
        self.left = MOST_LIKENED

    def changes(self) -> Changes:
        for i, units in enumerate(self.old.units):
            j = self.outline.of.get(i)
            texts = [unit.text for unit in units]
            others = [unit.text for unit in self.new.units[j]] if j is not None else []
            for tag, i1, i2, j1, j2 in opcodes(texts, others):
                if tag != "equal":
                    self.gone += [(i, k) for k in range(i1, i2)]
                    self.came += [(j, k) for k in range(j1, j2)] if j is not None else []
        self.came += [(j, k) for j in self.outline.added for k in range(len(self.new.units[j]))]
        self.came.sort()
        self._moved()
        self._changed(within=True)
        self._changed(within=False)
        for i, k in self.gone:
            place = self.outline.of.get(i, ~i)
            self._note(
                place, "removed", self.old.units[i][k], k, f"removed: {quote(self.old.units[i][k].text)}"
            )
        for j, k in self.came:
            self._note(j, "added", self.new.units[j][k], k, f"added: {quote(self.new.units[j][k].text)}")
        return self._told()

    def _note(self, place: int, verb: str, unit: Unit, order: int, item: str) -> None:
        verbs = self.counts.setdefault(
            place, {verb: Counter() for verb in ("added", "removed", "changed", "moved")}
        )
        verbs[verb][unit.noun] += 1
        self.items.setdefault(place, []).append((order, item))

    def _drop(self, gone: set[tuple[int, int]], came: set[tuple[int, int]]) -> None:
        self.gone = [place for place in self.gone if place not in gone]
        self.came = [place for place in self.came if place not in came]

    def _moved(self) -> None:
        where: dict[str, list[tuple[int, int]]] = {}
        for i, k in reversed(self.gone):
            where.setdefault(self.old.units[i][k].text, []).append((i, k))
        found: list[tuple[tuple[int, int], tuple[int, int]]] = []
        for j, k in self.came:
            text = self.new.units[j][k].text
            origins = where.get(text)
            if origins and (
                len(text) >= 12 or len(words(text)) >= 3 or self.outline.of.get(origins[-1][0]) == j
            ):
                found.append((origins.pop(), (j, k)))
        self._drop({origin for origin, _ in found}, {place for _, place in found})
        block: list[tuple[tuple[int, int], tuple[int, int]]] = []
        for pair in found:
            if block and _follows(block[-1], pair):
                block.append(pair)
            else:
                self._say_moved(block)
                block = [pair]
        self._say_moved(block)

    def _say_moved(self, block: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        if not block:
            return
        (i, _), (j, k) = block[0]
        units = [self.new.units[j][place] for _, (_, place) in block]
        nouns = Counter(unit.noun for unit in units)
        text = quote(" ".join(unit.text for unit in units))
        if self.outline.of.get(i) == j:
            for unit in units[1:]:
                self.counts.setdefault(j, {v: Counter() for v in ("added", "removed", "changed", "moved")})
                self.counts[j]["moved"][unit.noun] += 1
            self._note(j, "moved", units[0], k, f"moved within the section: {text}")
            return
        way = f"from {_place(self.old.title(i))} to {_place(self.new.title(j))}"
        self.across.append(f"{listed(counted(number, noun) for noun, number in nouns.items())} moved {way}")
        self.items.setdefault(j, []).append((k, f"moved here from {_place(self.old.title(i))}: {text}"))

    def _changed(self, within: bool) -> None:
        """Pair what is left by likeness: first in each section, then anywhere, where more must agree."""
        gone, came = self.gone, self.came
        olds = [self.old.units[i][k] for i, k in gone]
        news = [self.new.units[j][k] for j, k in came]
        groups: dict[int, tuple[list[int], list[int]]] = {}
        for index, (i, _) in enumerate(gone):
            groups.setdefault(self.outline.of.get(i, -1) if within else 0, ([], []))[0].append(index)
        for index, (j, _) in enumerate(came):
            groups.setdefault(j if within else 0, ([], []))[1].append(index)
        used_old, used_new = set(), set()
        for first, second in groups.values():
            texts, others = [olds[n].text for n in first], [news[n].text for n in second]
            most = min(MOST_PAIRS, self.left)
            self.left -= len(first) * len(second) if len(first) * len(second) <= most else 0
            for a, b in pairs(texts, others, 0.5 if within else 0.8, most):
                before, after = olds[first[a]], news[second[b]]
                (i, _), (j, k) = gone[first[a]], came[second[b]]
                if not within and min(len(words(before.text)), len(words(after.text))) < 5:
                    continue
                used_old.add(gone[first[a]])
                used_new.add(came[second[b]])
                told = f"changed: {became(before.text, after.text)}"
                if not within and self.outline.of.get(i) != j:
                    told = f"moved here from {_place(self.old.title(i))} and {told}"
                self._note(j, "changed", after, k, told)
        self._drop(used_old, used_new)

    def _told(self) -> Changes:
        clauses = []
        places = sorted(self.counts, key=lambda p: p if p >= 0 else len(self.new.nodes) + ~p)
        if len(places) <= NAMED:
            for place in places:
                clauses.append(tally(self._plain(place)) + self._under(place))
        else:
            total: dict[str, Counter[str]] = {
                verb: Counter() for verb in ("added", "removed", "changed", "moved")
            }
            for place in places:
                for verb, nouns in self.counts[place].items():
                    total[verb] += nouns
            clauses.append(
                tally({verb: dict(n) for verb, n in total.items()}) + f" in {len(places)} sections"
            )
        clauses += self._few(self.across, "moves of text")
        headings = self._headings()
        clauses += self._few(headings, "changes of headings")
        sections = [("Headings", tuple(headings))] if headings else []
        order = sorted(self.items, key=lambda p: p if p >= 0 else len(self.new.nodes) + ~p)
        for place in order:
            items = tuple(item for _, item in sorted(self.items[place], key=lambda pair: pair[0]))
            title = self.new.title(place) if place >= 0 else f"{self.old.title(~place)} (section removed)"
            sections.append((title or "Text", items))
        return Changes(tuple(clauses), tuple(sections))

    def _plain(self, place: int) -> dict[str, dict[str, int]]:
        return {verb: dict(nouns) for verb, nouns in self.counts[place].items()}

    def _few(self, said: list[str], what: str) -> list[str]:
        return said if len(said) <= NAMED else [*said[: NAMED - 1], f"{len(said) - NAMED + 1} more {what}"]

    def _under(self, place: int) -> str:
        title = self.new.title(place) if place >= 0 else self.old.title(~place)
        if place < 0:
            return f" with the section {quote(title, 80)}"
        return f" {'at' if not place else 'under'} {_place(title)}" if title else ""

    def _headings(self) -> list[str]:
        old, new, outline = self.old, self.new, self.outline
        said = [f"the section {_place(new.title(j))} added" for j in outline.added]
        said += [f"the section {_place(old.title(i))} removed" for i in outline.removed]
        said += [
            f"the heading {_place(old.title(i))} renamed to {_place(new.title(j))}"
            for i, j in outline.renamed
        ]
        moved = set()
        for i, j in outline.moved():
            moved.add(j)
            parent, before = new.nodes[j].parent, outline.before(j)
            if before > 0:
                where = f"after {_place(new.title(before))}"
            elif parent:
                where = f"to the beginning of {_place(new.title(parent))}"
            else:
                where = f"to {TOP}"
            inside = outline.of.get(old.nodes[i].parent) != parent
            within = (
                f", from {_place(old.title(old.nodes[i].parent))}" if inside and old.nodes[i].parent else ""
            )
            within += f", into {_place(new.title(parent))}" if inside and parent and before > 0 else ""
            said.append(f"the section {_place(new.title(j))} moved {where}{within}")
        for i, j in sorted(outline.of.items(), key=lambda pair: pair[1]):
            levels = old.nodes[i].level, new.nodes[j].level
            if levels[0] != levels[1] and j not in moved and new.nodes[j].parent not in moved:
                said.append(f"the heading {_place(new.title(j))} went from level {levels[0]} to {levels[1]}")
        return said


def _place(title: str) -> str:
    return title if title in ("", TOP) else quote(title, 80)


def _follows(
    last: tuple[tuple[int, int], tuple[int, int]], pair: tuple[tuple[int, int], tuple[int, int]]
) -> bool:
    return all(one[0] == other[0] and one[1] + 1 == other[1] for one, other in zip(last, pair, strict=True))
