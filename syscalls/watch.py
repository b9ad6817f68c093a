"""watch: one line for each change of a file or in a folder, as it happens.

    cat files/papers/.versions/.watch            of all at and below a folder; files/.versions/.watch of everything
    cat files/.versions/plan.md/watch            of one file
    watch PATH                                   in /ctl: answers with that path; `lsfs watch PATH` reads it

A line is one of `syscalls.log`: time, what, path, size, mode, owner, separated by tabs. What is listed is what history notes, a moment
after it was closed: a file that is written many times in that moment changed once. Nothing that happened before is repeated.
"""

import json
import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syscalls.errors import NotFound, NotPermitted
from syscalls.log import lines

if TYPE_CHECKING:
    from syscalls.control import Command

FOLDER = b".watch"
FILE = b"watch"


AT_ONCE = 5_000
"""Rows of which the lines are made at once: a folder of a million files may be renamed."""


def news(
    past: Any, path: bytes, since: Any, until: Any, readable: Callable[[Any], bool] | None = None
) -> tuple[list[str], Any]:
    """A line for each of the first things that happened at and below `path` between two places of `lsfs.history.happenings`, of what is
    readable; and the place behind them. In a thread."""
    found, rest = past.happened(since, until, path, AT_ONCE, newest=False)
    return lines(found, readable), until if rest is None else rest


async def reply(command: "Command") -> str:
    """The path below the mount that yields the lines. Raises NotFound, NotPermitted."""
    path: bytes = command.given["PATH"]
    history = command.history
    await history.noted(2.0)
    shown = os.fsdecode(path) or "files"
    if command.viewer.uid not in (0, command.owner) and not history.permits(path, command.viewer):
        raise NotPermitted(f"You may not read {shown}, so what happens there is not yours to read either.")
    row = history.past.entry(path, history.past.sequence()) if path else None
    if path and row is None and not history.past.knows(path):
        raise NotFound(f"There is no {shown}; write the path as ls shows it below files/.")
    if not path or (row is not None and stat.S_ISDIR(row.mode)):
        place = b"/".join(part for part in (b"files", path, b".versions", FOLDER) if part)
    else:
        parent, _, name = path.rpartition(b"/")
        place = b"/".join(part for part in (b"files", parent, b".versions", name, FILE) if part)
    text = "/" + os.fsdecode(place)
    return json.dumps({"path": text}) if "json" in command.given else text
