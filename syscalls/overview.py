"""overview: what changed in a folder, or everywhere, between two moments, in words.

    compare files --from before --to now        in /ctl and as `lsfs compare`; `snapshots/diff/before..now` is the same as a diff

Markdown: one sentence with the counts, a line for each file that was made, removed or renamed, and below a heading for each that changed
what `syscalls.compare` says of it. Only what a reader may read, then and now, is told and counted.
"""

import os
import stat
import time
from collections.abc import Callable
from typing import Any

from syscalls.compare import in_words
from syscalls.errors import LsfsError
from syscalls.names import escaped

MOST_TOLD = 50
"""Changed files of which it is said what changed in them; the others are only named."""
MOST_NAMED = 1_000
"""Files that are named under one heading."""
MOST_CHARACTERS = 256 << 10
PATIENCE = 20.0
"""Seconds that go into telling."""


def overview(
    past: Any,
    first: int,
    second: int,
    names: tuple[str, str],
    readable: Callable[[bytes, Any], bool],
    below: bytes = b"",
) -> bytes:
    """What changed at and below `below` between the sequences `first` and `second`, which a reader knows as `names`; of all that is
    `readable(path, row)`. `past` is `lsfs.history.past.Past`; call it in a thread."""
    end = time.monotonic() + PATIENCE
    made: list[tuple[bytes, Any]] = []
    removed: dict[int, tuple[bytes, Any]] = {}
    changed: list[tuple[bytes, Any, Any]] = []
    for path, before, after in past.changes(first, second, below):
        if not all(row is None or readable(path, row) for row in (before, after)):
            continue
        if any(row is not None and stat.S_ISDIR(row.mode) for row in (before, after)):
            continue
        if before is not None and after is not None and before.kind == after.kind:
            changed.append((path, before, after))
            continue
        if before is not None:
            removed[before.id] = (path, before)
        if after is not None:
            made.append((path, after))
    renamed = [
        (removed.pop(source), (path, row))
        for path, row in made
        if (source := _source(past, row, removed)) is not None
    ]
    fresh = {id(row) for _, (_, row) in renamed}
    made = [(path, row) for path, row in made if id(row) not in fresh]
    said = [_sentence(names, len(made), len(removed), len(renamed), len(changed))]
    said += _named("Made", [f"{_shown(path)} ({row.size:,} bytes)" for path, row in made])
    said += _named("Removed", [f"{_shown(path)} ({row.size:,} bytes)" for path, row in removed.values()])
    said += _named("Renamed", [f"{_shown(old)} -> {_shown(new)}" for (old, _), (new, _) in renamed])
    size, rest = 0, []
    for number, (path, before, after) in enumerate(changed):
        if number >= MOST_TOLD or size > MOST_CHARACTERS or time.monotonic() > end:
            rest.append(_shown(path))
            continue
        text = _change(past, before, after, names)
        size += len(text)
        said += [f"## {_shown(path)}", "", text, ""]
    said += _named("Changed as well", rest)
    return ("\n".join(said).rstrip("\n") + "\n").encode("utf-8", "replace")


def _source(past: Any, row: Any, removed: dict[int, Any]) -> int | None:
    """Which of the removed rows a new one was renamed from."""
    seen = 0
    while row is not None and row.source is not None and seen < 100:
        if row.source in removed:
            found: int = row.source
            return found
        row = past.by_id(row.source)
        seen += 1
    return None


def _change(past: Any, before: Any, after: Any, names: tuple[str, str]) -> str:
    said = []
    if (before.content, before.size, before.target) != (after.content, after.size, after.target):
        try:
            if stat.S_ISREG(after.mode):
                said.append(in_words(past, before, after, *names).decode("utf-8", "replace").rstrip("\n"))
            else:
                said.append(
                    f"It leads to {_shown(after.target or b'')} (was {_shown(before.target or b'')})."
                )
        except LsfsError as error:
            said.append(str(error))
    if before.mode != after.mode:
        said.append(f"Mode {stat.S_IMODE(before.mode):04o} -> {stat.S_IMODE(after.mode):04o}.")
    if (before.uid, before.gid) != (after.uid, after.gid):
        said.append(f"Owner {before.uid}:{before.gid} -> {after.uid}:{after.gid}.")
    return "\n".join(said) or "Its time was set, its content is the same."


def _sentence(names: tuple[str, str], made: int, removed: int, renamed: int, changed: int) -> str:
    counts = [(made, "made"), (removed, "removed"), (renamed, "renamed"), (changed, "changed")]
    what = ", ".join(f"{number} {word}" for number, word in counts if number)
    between = f"Between {names[0]} and {names[1]}"
    return f"{between}: {what}.\n" if what else f"{between} nothing changed.\n"


def _named(heading: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"- and {len(lines) - MOST_NAMED:,} more"] if len(lines) > MOST_NAMED else []
    return [f"## {heading}", "", *(f"- {line}" for line in lines[:MOST_NAMED]), *more, ""]


def _shown(path: bytes) -> str:
    return escaped(os.fsdecode(path))
