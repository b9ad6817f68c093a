"""log: everything that happened to a file, as a table.

    cat files/.versions/plan.md/log        in the mount
    log PATH                               in /ctl and as `lsfs log`

Columns, separated by tabs: version (`v2`; `-` where nothing is there), time, size in bytes, mode, owner, what happened, path. A line is a
line: control characters in paths are written \\t, \\n, \\x1b.
"""

import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syscalls.errors import InvalidArgument, NotFound, NotPermitted
from syscalls.names import escaped
from syscalls.options import parse, path_of
from syscalls.when import shown

if TYPE_CHECKING:
    from syscalls.control import Command

COLUMNS = ("version", "time", "size", "mode", "owner", "what", "path")


def log_of(past: Any, path: bytes, readable: Callable[[Any], bool] | None = None) -> bytes:
    """The table, oldest first, with a line of names above it; where `readable` is given, of the rows that are. `past` is
    `lsfs.history.past.Past`; call it in a thread. Raises NotPermitted where there are rows, and none is readable."""
    lines = ["\t".join(COLUMNS)]
    numbers = {row.id: version.number for version in past.versions(path) for row in version.rows}
    rows = past.history(path)
    shown = rows if readable is None else [row for row in rows if readable(row)]
    if rows and not shown:
        raise NotPermitted(
            f"You may not read {os.fsdecode(path)}, so its history is not yours to read either."
        )
    # what stood before a row is what it was renamed from, or what was at its path: two histories may run side by side
    by_id = {row.id: row for row in shown}
    last: dict[bytes, Any] = {}
    for row in shown:
        before = last.get(row.path) if row.source is None else by_id.get(row.source)
        version = f"v{numbers[row.id]}" if row.id in numbers else "-"
        lines.append(_line(version, past.time_of(row.born), row, _what(before, row)))
        if row.gone:
            lines.append(_line("-", past.time_of(row.died), row, "removed"))
        last[row.path] = row
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _line(version: str, at: float | None, row: Any, what: str) -> str:
    when = shown(at) if at else "-"
    path = escaped(os.fsdecode(row.path))
    return "\t".join(
        (version, when, str(row.size), f"{stat.S_IMODE(row.mode):04o}", f"{row.uid}:{row.gid}", what, path)
    )


def _what(before: Any, row: Any) -> str:
    if before is None or before.gone or before.died is None or before.died < row.born:
        return "renamed" if row.source is not None else "made"
    if row.path != before.path:
        return f"renamed from {escaped(os.fsdecode(before.path))}"
    said = []
    if (row.content, row.size, row.target) != (before.content, before.size, before.target):
        said.append("written")
    if row.mode != before.mode:
        said.append("mode")
    if (row.uid, row.gid) != (before.uid, before.gid):
        said.append("owner")
    if row.xattrs != before.xattrs:
        said.append("attributes")
    return " ".join(said) or "touched"


async def reply(command: "Command") -> str:
    """The table of a path. Raises NotFound where nothing ever was there."""
    words, _ = parse("log", command.text)
    if not words:
        raise InvalidArgument("`log` needs the path of a file, as ls shows it below files/.")
    path = path_of(words[0])
    history = command.history
    await history.noted(2.0)
    viewer, trusted = command.viewer, command.viewer.uid in (0, command.owner)
    if not trusted and not history.permits(path, viewer):
        raise NotPermitted(f"You may not read {words[0]}, so its history is not yours to read either.")
    if not history.past.knows(path) and not history.past.history(path):
        raise NotFound(f"History knows no file {words[0]}; write the path as ls shows it below files/.")

    def make(past: Any) -> bytes:
        return log_of(
            past, path, None if trusted else lambda row: history.permits_then(row.path, row, viewer, past)
        )

    table: bytes = await history.in_thread(make)
    return table.decode("utf-8", "surrogateescape").rstrip("\n")
