"""lines: what changed between two lists of lines, for whatever has no structure that is known here."""

from collections.abc import Sequence

from syscalls.changes.matching import opcodes
from syscalls.changes.pairs import pairs
from syscalls.changes.text import Changes, became, code, counted, shown, tally

MOST_SHOWN = 4  # lines of one block
LIKENED = 60  # lines on either side of a replaced block that are paired by likeness,
MOST_LIKENED = 60_000  # and pairs of them in a whole file
TELLING = 4  # characters of a line that can have moved: a brace that is gone here and new there has not


def compare_lines(
    old: Sequence[str], new: Sequence[str], numbered: bool = True, telling: int = TELLING
) -> Changes:
    """The lines added, removed, changed and moved, with their numbers in the new version (of removed ones: in the old).

    numbered  False for lines that were picked out of a file, whose numbers nobody could look up
    telling   characters of a line that can have moved
    """
    if not old or not new:
        verb = "added" if new else "removed"
        items_alone = tuple(_block(verb, 1, new or old, numbered))
        return Changes((tally({verb: {"line": len(new or old)}}),), (("Lines", items_alone),))
    codes = opcodes(old, new)
    gone = [i for tag, i1, i2, _, _ in codes if tag != "equal" for i in range(i1, i2)]
    came = [j for tag, _, _, j1, j2 in codes if tag != "equal" for j in range(j1, j2)]
    moved = _moved(old, new, gone, came, telling)
    likened = 0
    left = set(gone) - {i for i, _ in moved}
    fresh = set(came) - {j for _, j in moved}
    counts = {"added": 0, "removed": 0, "changed": 0, "moved": len(moved)}
    items: list[tuple[int, str]] = []
    for tag, i1, i2, j1, j2 in codes:
        if tag == "equal":
            continue
        here, there = [i for i in range(i1, i2) if i in left], [j for j in range(j1, j2) if j in fresh]
        became_of: dict[int, int] = {}
        likened += min(len(here), LIKENED) * min(len(there), LIKENED)
        if here and there and max(len(here), len(there)) <= LIKENED and likened <= MOST_LIKENED:
            became_of = {here[a]: there[b] for a, b in pairs([old[i] for i in here], [new[j] for j in there])}
        counts["changed"] += len(became_of)
        for i, j in became_of.items():
            items.append((j, f"{_where(j, j + 1, numbered)}changed: {became(old[i], new[j], 'code')}"))
        removed = [i for i in here if i not in became_of]
        added = [j for j in there if j not in became_of.values()]
        counts["removed"] += len(removed)
        counts["added"] += len(added)
        for first, end in _ranges(removed):
            items += [(j1, item) for item in _block("removed", first + 1, old[first:end], numbered)]
        for first, end in _ranges(added):
            items += [(first, item) for item in _block("added", first + 1, new[first:end], numbered)]
    for (i, j), number in _joined(moved):
        to = f" to line {j + 1}" if numbered else ""
        rest = f" and {counted(number - 1, 'line')} more" if number > 1 else ""
        items.append((j, f"{_where(i, i + number, numbered)}moved{to}: {code(new[j])}{rest}"))
    clause = tally({verb: {"line": number} for verb, number in counts.items()})
    if (
        numbered
        and not gone
        and counts["added"] == len(new) - len(old) > 0
        and fresh == set(range(len(old), len(new)))
    ):
        clause += " at the end"
    items.sort(key=lambda pair: pair[0])
    return Changes(
        (clause,) if clause else (), (("Lines", tuple(item for _, item in items)),) if items else ()
    )


def counts_of(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many lines were added, and how many removed."""
    codes = [code for code in opcodes(old, new) if code[0] != "equal"]
    return sum(j2 - j1 for *_, j1, j2 in codes), sum(i2 - i1 for _, i1, i2, _, _ in codes)


def added_removed(added: int, removed: int) -> str:
    """`3 lines added, 1 removed`."""
    return tally({"added": {"line": added}, "removed": {"line": removed}})


def _where(first: int, end: int, numbered: bool) -> str:
    if not numbered:
        return ""
    return f"line {end} " if end - first == 1 else f"lines {first + 1}-{end} "


def _block(verb: str, first: int, lines: Sequence[str], numbered: bool) -> list[str]:
    texts = [line for line in lines if shown(line, 10)]
    where = _where(first - 1, first - 1 + len(lines), numbered)
    if not texts:
        return [f"{where}{verb} ({'blank' if len(lines) == 1 else 'all blank'})"]
    told = ", ".join(code(line, 160) for line in texts[:MOST_SHOWN])
    if len(texts) > MOST_SHOWN:
        told += f" and {counted(len(texts) - MOST_SHOWN, 'line')} more"
    return [f"{where}{verb}: {told}"]


def _moved(
    old: Sequence[str], new: Sequence[str], gone: list[int], came: list[int], telling: int
) -> list[tuple[int, int]]:
    where: dict[str, list[int]] = {}
    for i in reversed(gone):
        if len(old[i].strip()) >= telling:
            where.setdefault(old[i], []).append(i)
    return [(where[new[j]].pop(), j) for j in came if where.get(new[j])]


def _joined(moved: list[tuple[int, int]]) -> list[tuple[tuple[int, int], int]]:
    blocks: list[tuple[tuple[int, int], int]] = []
    for i, j in moved:
        if blocks:
            (first_i, first_j), number = blocks[-1]
            if (first_i + number, first_j + number) == (i, j):
                blocks[-1] = ((first_i, first_j), number + 1)
                continue
        blocks.append(((i, j), 1))
    return blocks


def _ranges(indexes: list[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for index in indexes:
        if ranges and ranges[-1][1] == index:
            ranges[-1] = (ranges[-1][0], index + 1)
        else:
            ranges.append((index, index + 1))
    return ranges
