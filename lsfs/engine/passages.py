"""passages: cut a document into pieces that fit the model's window and follow the document's own structure.

A passage is a slice of the text: whole lines where they fit, else whole sentences, else words. It ends at the strongest break that leaves
it well filled (section, entry, paragraph, line, sentence), carries the heading chain, the enclosing class and function, the path of keys
or the speaker as its title, and begins with the end of the passage before it unless a section lies between. An entry (a turn of a
dialogue, a record, a method) is never cut where it fits, however short the passage before it becomes. The first LIMIT passages of a file
are embedded; what is left of a huge file follows in coarse passages that are found by their words.

Threading: pure function; linear in the text. `count_tokens` is called with batches.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from lsfs.engine.breaks import ENTRY, HOLE, JOINED, SECTION, TITLE
from lsfs.engine.document import Cut, Document
from lsfs.engine.records import path
from lsfs.engine.types import CODE, JSON, RECORDS
from lsfs.engine.units import Unit, halves, units

LIMIT = 2000  # embedded passages of one file, about 1.5 MB of text: the rest of a log or a table says the same again
COARSE = 6000  # characters of a passage that is found by its words only
_BATCH = 2048
_FILLED = 0.4  # a break counts where the passage before it is this full
_SMALL = 0.25  # a section smaller than this is joined with the next one
_LIGHT = 32  # characters that weigh a token whatever the model says: to it a zero width space is nothing, and a line of letters one unknown

CountTokens = Callable[[list[str]], list[int]]


def cut(document: Document, count_tokens: CountTokens, budget: int = 200, overlap: int = 40) -> list[Cut]:
    """The passages of `document`, in order.

    `count_tokens` gives the number of tokens of each string, without special ones. No embedded passage counts more than
    `budget` (a single character always fits); neighbours share up to `overlap` tokens. Every non-blank line is in a passage. The same
    document and counts give the same passages.
    """
    if not document.text or document.text.isspace():
        return []
    stream = units(document)
    passages: list[Cut] = []
    held: list[Unit] = []
    whole = frozenset((ENTRY, SECTION) if document.type in CODE else (ENTRY,))
    begun = covered = 0  # where the last passage begins and ends
    ended = False
    while not ended:
        batch = list(islice(stream, _BATCH))
        ended = len(batch) < _BATCH
        held += _sized(document.text, batch, count_tokens, budget)
        groups, held = _pack(held, budget, overlap, covered, ended, whole)
        for group in _checked(document.text, groups, count_tokens, budget):
            if group[-1].end <= covered:
                continue  # the overlap of a group that was split
            if len(passages) == LIMIT:
                return passages + _coarse(document, covered)
            group = [unit for unit in group if unit.start >= begun]
            passages.append(_passage(document, group))
            begun, covered = group[0].start, group[-1].end
    return passages


def _sized(text: str, batch: list[Unit], count_tokens: CountTokens, budget: int) -> list[Unit]:
    """The units with their tokens counted, those over the budget in parts that are not."""
    done: list[Unit] = []
    work = batch
    _weigh(text, work, count_tokens)
    while any(unit.tokens > budget and unit.end - unit.start > 1 for unit in work):
        done, fresh = [], []
        for unit in work:
            if unit.tokens > budget and unit.end - unit.start > 1:
                parts = [part for part in halves(text, unit) if not text[part.start : part.end].isspace()]
                done += parts
                fresh += parts
            else:
                done.append(unit)
        _weigh(text, fresh, count_tokens)
        work = done
    return work


def _weigh(text: str, some: list[Unit], count_tokens: CountTokens) -> None:
    """Count the tokens of units, one at least: of units without any a passage would never be full."""
    counts = count_tokens([text[unit.start : unit.end] for unit in some]) if some else []
    for unit, tokens in zip(some, counts, strict=True):
        unit.tokens = max(tokens, 1, (unit.end - unit.start) // _LIGHT)


def _pack(
    held: list[Unit], budget: int, overlap: int, covered: int, ended: bool, whole: frozenset[int]
) -> tuple[list[list[Unit]], list[Unit]]:
    """Groups of units that make passages, and the units that wait for more to come (with the overlap before them).

    whole: the levels of what is not cut while it fits."""
    groups: list[list[Unit]] = []
    first = 0
    while first < len(held):
        end, tokens = first, 0
        best, best_level, entry = 0, -1, 0
        while end < len(held):
            unit = held[end]
            # units of a previous passage that only repeat its end are no place to stop, nor may they fill the passage alone
            fresh = end > first and held[end - 1].end > covered
            if fresh:
                if unit.level == HOLE or (unit.level == SECTION and tokens >= budget * _SMALL):
                    best, best_level = end, unit.level
                    break
                if tokens >= budget * _FILLED and unit.level >= best_level:
                    best, best_level = end, unit.level
                if unit.level in whole:
                    entry = end
                if tokens + unit.tokens > budget:
                    if best_level < ENTRY:
                        best = entry or best or end
                    break
            tokens += unit.tokens
            end += 1
        else:
            if not ended:
                break  # where this one ends depends on what comes
            best = end
        groups.append(held[first:best])
        covered = held[best - 1].end
        first = best if best == len(held) else _back(held, first, best, budget, overlap, ended)
    return groups, held[first:]


def _back(held: list[Unit], first: int, best: int, budget: int, overlap: int, ended: bool) -> int:
    """Where the passage after held[first:best] begins: so far back as the overlap allows. Before an entry stand whole entries, and so few
    that it still fits."""
    start = kept = best
    tokens = 0
    entry = held[best].level == ENTRY
    room = min(overlap, budget - (_entry(held, best, budget, ended) if entry else held[best].tokens))
    while start - 1 > first and held[start].level < SECTION and tokens + held[start - 1].tokens <= room:
        start -= 1
        tokens += held[start].tokens
        if not entry or held[start].level >= ENTRY:
            kept = start
    return kept


def _entry(held: list[Unit], start: int, budget: int, ended: bool) -> int:
    """The tokens of the entry that begins at held[start]; the budget where it is larger or its end is not known yet."""
    tokens = 0
    for at in range(start, len(held)):
        if at > start and held[at].level >= ENTRY:
            return tokens
        tokens += held[at].tokens
        if tokens >= budget:
            return budget
    return tokens if ended else budget


def _checked(
    text: str, groups: list[list[Unit]], count_tokens: CountTokens, budget: int
) -> Iterator[list[Unit]]:
    """The groups, those split whose tokens are more than the sum of their parts said."""
    for at in range(0, len(groups), _BATCH):
        some = groups[at : at + _BATCH]
        counts = count_tokens([text[group[0].start : group[-1].end] for group in some])
        for group, tokens in zip(some, counts, strict=True):
            if tokens <= budget or len(group) == 1:
                yield group
            else:
                middle = len(group) // 2
                yield from _checked(text, [group[:middle], group[middle:]], count_tokens, budget)


def _passage(document: Document, group: list[Unit]) -> Cut:
    first, last = group[0], group[-1]
    if document.type in JSON | RECORDS:
        first = next((unit for unit in group if _says(document, unit)), first)
    titles = list(first.titles)
    # sections that were joined share the headings above them; a method is what its passage begins with, and keys are those of all
    shared = SECTION if document.type in CODE else JOINED if document.type in JSON | RECORDS else ENTRY
    for unit in group:
        if unit.level >= shared and unit is not first and _says(document, unit):
            same = 0
            while same < min(len(titles), len(unit.titles)) and titles[same] == unit.titles[same]:
                same += 1
            del titles[same:]
    if titles and document.type in JSON | RECORDS:
        titles = titles if document.type == "csv" else [path(titles)]
    # in code the enclosing definition says it all, a module's first line would crowd it out
    above = "" if titles and document.type in CODE else document.title
    return Cut(
        document.place(group[0].line),
        document.place(last.line),
        _title(above, titles),
        document.text[group[0].start : last.end],
    )


def _says(document: Document, unit: Unit) -> bool:
    """Whether there is more than brackets of JSON, which belong to what is beside them."""
    if document.type not in JSON | RECORDS:
        return True
    return bool(document.text[unit.start : unit.end].strip(" \t,[]{}"))


def _title(document: str, titles: list[str]) -> str:
    """The document's title and the chain below it; where that is long, its end says more than its beginning."""
    chain = titles if titles[:1] == [document] or not document else [document, *titles]
    title = " > ".join(chain)
    while len(title) > TITLE and len(chain) > 1:
        chain = chain[1:]
        title = " > ".join(chain)
    return title[:TITLE]


def _coarse(document: Document, start: int) -> list[Cut]:
    text = document.text
    passages: list[Cut] = []
    line = 1 + text.count("\n", 0, start)
    while start < len(text):
        end = min(start + COARSE, len(text))
        if end < len(text):
            half = start + COARSE // 2
            found = max(text.rfind("\n", half, end), -1)
            found = found if found >= 0 else text.rfind(" ", half, end)
            end = found + 1 if found >= 0 else end
        part = text[start:end]
        body = part.strip()
        if body:
            first = line + part.count("\n", 0, len(part) - len(part.lstrip()))
            last = first + body.count("\n")
            passages.append(
                Cut(document.place(first), document.place(last), document.title, body, embed=False)
            )
        line += part.count("\n")
        start = end
    return passages
