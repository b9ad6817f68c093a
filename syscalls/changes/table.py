"""table: what changed in a CSV or TSV file: columns by their names, rows by a column whose values tell them apart.

That column is guessed: one called id, key, name … if its values occur once each in both versions, else the first such one. Without one,
rows are matched as lines are.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from syscalls.changes.matching import increasing, opcodes
from syscalls.changes.pairs import pairs
from syscalls.changes.text import Changes, Unreadable, code, counted, quote, shown, tally

KEYS = ("id", "key", "uuid", "code", "sku", "email", "name", "date", "time")
MOST_COLUMNS = 1000
MOST_LIKENED = 400  # pairs of columns
NAMED = 3


@dataclass(slots=True)
class _Table:
    header: list[str]
    rows: list[list[str]]


def compare_table(old: str, new: str, suffix: str) -> Changes:
    """The columns and rows added, removed, changed and moved. Unreadable where a version is no table."""
    before, after = _read(old, suffix), _read(new, suffix)
    columns, said = _columns(before, after)
    ways = [(before.header.index(one), after.header.index(other)) for one, other in columns]
    ours = [tuple(row[i] for i, _ in ways) for row in before.rows]
    theirs = [tuple(row[j] for _, j in ways) for row in after.rows]
    names = [name for _, name in columns]
    key = _key(names, ours, theirs)
    counts = {"added": 0, "removed": 0, "changed": 0, "moved": 0}
    items: dict[str, list[str]] = {verb: [] for verb in counts}
    if key is None:
        _by_place(names, ours, theirs, items)
    else:
        _by_key(names, ours, theirs, key, items)
        place_old, place_new = ways[key]
        kept = {row[key] for row in ours} & {row[key] for row in theirs}
        # rows that came or went are told with the columns that only they have
        items["added"] = [f"added: {_row(row)}" for row in after.rows if row[place_new] not in kept]
        items["removed"] = [f"removed: {_row(row)}" for row in before.rows if row[place_old] not in kept]
    for verb, told in items.items():
        counts[verb] = len(told)
    clauses = said if len(said) <= NAMED else [f"{counted(len(said), 'change')} of columns"]
    rows = tally({verb: {"row": number} for verb, number in counts.items()})
    sections = [("Columns", tuple(said))] if said else []
    title = "Rows" if key is None else f"Rows (by {code(names[key], 60)})"
    sections += [
        (title, tuple(item for verb in ("changed", "added", "removed", "moved") for item in items[verb]))
    ]
    return Changes(
        (*clauses, *([rows] if rows else [])), tuple(section for section in sections if section[1])
    )


def _columns(before: _Table, after: _Table) -> tuple[list[tuple[str, str]], list[str]]:
    """The columns of both as pairs of names, and what is said of the others."""
    gone = [name for name in before.header if name not in after.header]
    came = [name for name in after.header if name not in before.header]
    renamed: dict[str, str] = {}
    for name in gone if len(gone) * len(came) <= MOST_LIKENED else ():
        values = [row[before.header.index(name)] for row in before.rows]
        for other in came:
            if other in renamed.values():
                continue
            others = [row[after.header.index(other)] for row in after.rows]
            common = (Counter(values) & Counter(others)).total()
            least = 0.5 if before.header.index(name) == after.header.index(other) else 0.8
            if len(set(values)) > 1 and common >= least * min(len(values), len(others)) > 0:
                renamed[name] = other
                break
    said = [f"the column {quote(name, 60)} renamed to {quote(other, 60)}" for name, other in renamed.items()]
    said += [f"the column {quote(name, 60)} added" for name in came if name not in renamed.values()]
    said += [f"the column {quote(name, 60)} removed" for name in gone if name not in renamed]
    both = [
        (name, renamed.get(name, name)) for name in before.header if name in after.header or name in renamed
    ]
    places = [after.header.index(other) for _, other in both]
    kept = set(increasing(places))
    said += [
        f"the column {quote(other, 60)} moved" for index, (_, other) in enumerate(both) if index not in kept
    ]
    return both, said


def _key(names: list[str], ours: list[tuple[str, ...]], theirs: list[tuple[str, ...]]) -> int | None:
    ranked = sorted(
        range(len(names)),
        key=lambda i: (KEYS.index(n) if (n := names[i].strip().casefold()) in KEYS else 99, i),
    )
    for column in ranked[:20]:
        first, second = ({row[column] for row in rows} - {""} for rows in (ours, theirs))
        if (
            len(first) == len(ours)
            and len(second) == len(theirs)
            and 2 * len(first & second) >= min(len(first), len(second))
        ):
            return column
    return None


def _by_key(
    names: list[str],
    ours: list[tuple[str, ...]],
    theirs: list[tuple[str, ...]],
    key: int,
    items: dict[str, list[str]],
) -> None:
    place = {row[key]: index for index, row in enumerate(ours)}
    known = [row for row in theirs if row[key] in place]
    kept = set(increasing([place[row[key]] for row in known]))
    for index, row in enumerate(known):
        before = ours[place[row[key]]]
        if before != row:
            items["changed"].append(f"{code(row[key], 60)}: {_cells(names, before, row)}")
        if index not in kept:
            items["moved"].append(f"{code(row[key], 60)} moved from row {place[row[key]] + 1}")


def _by_place(
    names: list[str], ours: list[tuple[str, ...]], theirs: list[tuple[str, ...]], items: dict[str, list[str]]
) -> None:
    gone: list[int] = []
    came: list[int] = []
    for tag, i1, i2, j1, j2 in opcodes(ours, theirs):
        if tag != "equal":
            gone += range(i1, i2)
            came += range(j1, j2)
    where: dict[tuple[str, ...], list[int]] = {}
    for i in reversed(gone):
        where.setdefault(ours[i], []).append(i)
    moved = {j: where[theirs[j]].pop() for j in came if where.get(theirs[j])}
    items["moved"] += [f"row {i + 1} moved to row {j + 1}: {_row(theirs[j])}" for j, i in moved.items()]
    left = set(gone) - set(moved.values())
    gone, came = [i for i in gone if i in left], [j for j in came if j not in moved]
    same = pairs([" ".join(ours[i]) for i in gone], [" ".join(theirs[j]) for j in came], 0.6)
    for a, b in same:
        items["changed"].append(f"row {came[b] + 1}: {_cells(names, ours[gone[a]], theirs[came[b]])}")
    used_old, used_new = {a for a, _ in same}, {b for _, b in same}
    items["added"] += [
        f"row {j + 1} added: {_row(theirs[j])}" for b, j in enumerate(came) if b not in used_new
    ]
    items["removed"] += [
        f"row {i + 1} removed: {_row(ours[i])}" for a, i in enumerate(gone) if a not in used_old
    ]


def _cells(names: list[str], before: tuple[str, ...], row: tuple[str, ...]) -> str:
    told = [
        f"{code(name, 60)} {code(one, 80)} → {code(other, 80)}"
        for name, one, other in zip(names, before, row, strict=True)
        if one != other
    ]
    return ", ".join(told[:5]) + (f" and {counted(len(told) - 5, 'column')} more" if len(told) > 5 else "")


def _row(row: Sequence[str]) -> str:
    return code(", ".join(shown(cell, 60) for cell in row[:20]), 160)


def _read(text: str, suffix: str) -> _Table:
    head = text[:10_000].split("\n")[:20]
    marks = "\t" if suffix in ("tsv", "tab") else max(",;\t|", key=lambda mark: _regular(head, mark))
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=marks, strict=True) if row]
    except csv.Error as error:
        raise Unreadable(str(error)) from error
    width = max((len(row) for row in rows), default=0)
    if width < 2 or width > MOST_COLUMNS:
        raise Unreadable("one column, or too many")
    if width * len(rows) > 2 * sum(map(len, rows)):
        raise Unreadable("rows of very different lengths")
    rows = [row + [""] * (width - len(row)) for row in rows]
    first = rows[0]
    if len(set(first)) == len(first) and not any(_is_number(cell) for cell in first) and all(first):
        return _Table(first, rows[1:])
    return _Table([f"column {index + 1}" for index in range(width)], rows)


def _regular(lines: list[str], mark: str) -> int:
    numbers = Counter(line.count(mark) for line in lines if line)
    number, lines_alike = max(numbers.items(), key=lambda pair: pair[1], default=(0, 0))
    return lines_alike if number else 0


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
