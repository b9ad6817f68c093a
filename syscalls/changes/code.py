"""code: what changed in a source: functions, classes and methods, and the lines outside of them.

A definition is known again by its name, a renamed one by its lines. Of one that changed it is said how much, and its first line where that
changed; the unified diff has the rest.
"""

import ast
from collections import Counter
from collections.abc import Iterator

from syscalls.changes.lines import added_removed, compare_lines, counts_of
from syscalls.changes.matching import opcodes
from syscalls.changes.outline import Outline
from syscalls.changes.source import SUFFIXES, Source, read_source
from syscalls.changes.text import Changes, became, counted, listed

NAMED = 3


def compare_code(old: str, new: str, suffix: str) -> Changes:
    """The changes from one source to another; `suffix` is one of SUFFIXES. What defines nothing on either side gives no clause."""
    row = SUFFIXES[suffix]
    before, after = read_source(old, row), read_source(new, row)
    if len(before.nodes) == len(after.nodes) == 1:
        return Changes()
    outline = Outline(before.nodes, after.nodes)
    said: dict[str, list[tuple[str, str]]] = {}  # verb -> (kind, what it says of one)
    for j in outline.added:
        if after.nodes[j].parent in outline.back:  # what a new class holds came with it
            said.setdefault("added", []).append(
                (after.nodes[j].kind, f"{after.told(j)} added ({after.size(j)})")
            )
    for i in outline.removed:
        if before.nodes[i].parent in outline.of:
            said.setdefault("removed", []).append(
                (before.nodes[i].kind, f"{before.told(i)} removed ({before.size(i)})")
            )
    for i, j in outline.renamed:
        text = f"{before.told(i)} renamed to {after.title(j)}"
        said.setdefault("renamed", []).append((after.nodes[j].kind, text))
    for j, (i, text) in _changed(before, after, outline).items():
        said.setdefault("changed", []).append((after.nodes[j].kind, f"{before.told(i)} changed: {text}"))
    for i, j in outline.moved():
        text = f"{after.told(j)} moved {_where(before, after, outline, i, j)}"
        said.setdefault("moved", []).append((after.nodes[j].kind, text))
    clauses = [clause for verb, them in said.items() for clause in _clauses(verb, them)]
    items = tuple(text for them in said.values() for _, text in them)
    outside = _outside(before, after)
    clauses += [f"{clause} outside of definitions" for clause in outside.clauses]
    sections = [("Definitions", items)] if items else []
    sections += [("Outside of definitions", section) for _, section in outside.sections]
    return Changes(tuple(clauses), tuple(sections))


def _clauses(verb: str, them: list[tuple[str, str]]) -> Iterator[str]:
    if len(them) <= NAMED:
        for _, text in them:
            yield text.partition(f" {verb}:")[0] + (f" {verb}" if verb == "changed" else "")
        return
    kinds = Counter(kind for kind, _ in them)
    yield f"{listed(counted(number, kind) for kind, number in kinds.items())} {verb}"


def _changed(before: Source, after: Source, outline: Outline) -> dict[int, tuple[int, str]]:
    result = {}
    for i, j in sorted(outline.of.items(), key=lambda pair: pair[1]):
        if not j:
            continue
        one, other = before.heads[i], after.heads[j]
        old, new = _body(before.lines[i], one), _body(after.lines[j], other)
        same_head = one.replace(before.nodes[i].name, after.nodes[j].name, 1) == other
        if old == new and same_head:
            continue
        told = []
        if not same_head:
            told.append(f"its first line {became(one, other, 'code')}")
        if _same_tree(before.trees[i], after.trees[j]):
            told.append("only comments or layout")
        codes = [code for code in opcodes(old, new) if code[0] != "equal"]
        if len(codes) == 1 and codes[0][0] == "replace" and counts_of(old, new) == (1, 1):
            told.append(became(old[codes[0][1]], new[codes[0][3]], "code"))
        elif codes:
            told.append(added_removed(*counts_of(old, new)))
        result[j] = (i, ", ".join(told))
    return result


def _body(lines: list[str], head: str) -> list[str]:
    """What is compared: without indentation, blank lines and the first line of the definition."""
    body = [line.strip() for line in lines if line.strip()]
    if head in body:
        body.remove(head)
    return body


def _same_tree(one: ast.AST | None, other: ast.AST | None) -> bool:
    if one is None or other is None:
        return False
    try:
        return ast.dump(one) == ast.dump(other)
    except (RecursionError, ValueError):
        return False


def _where(before: Source, after: Source, outline: Outline, i: int, j: int) -> str:
    parent, ahead = after.nodes[j].parent, outline.before(j)
    came_from = before.nodes[i].parent
    if outline.of.get(came_from) != parent:
        origin = f"out of {before.title(came_from)} " if came_from else ""
        return f"{origin}into {after.title(parent)}" if parent else f"{origin}to the top level"
    return f"after {after.title(ahead)}" if ahead > 0 else "to the beginning"


def _outside(before: Source, after: Source) -> Changes:
    old, new = ([line for line in source.lines[0] if line.strip()] for source in (before, after))
    if old == new:
        return Changes()
    return compare_lines(old, new, numbered=False)
