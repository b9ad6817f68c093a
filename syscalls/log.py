"""log: everything that happened to a file, or in a folder, as a table.

    cat files/.versions/plan.md/log        in the mount: all of a file
    cat files/papers/.versions/.log        what happened at and below a folder, files/.versions/.log everywhere
    log [PATH]                             in /ctl and as `lsfs log`; without PATH everything

Columns, separated by tabs: of a file version (`v2`; `-` where nothing is there), time, size in bytes, mode, owner, what happened, path; of
a folder time, what, path, size, mode, owner. A line is a line: control characters in paths are written \\t, \\n, \\x1b.
"""

import json
import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syscalls.errors import NotFound, NotPermitted
from syscalls.names import escaped
from syscalls.when import shown

if TYPE_CHECKING:
    from syscalls.control import Command

COLUMNS = ("version", "time", "size", "mode", "owner", "what", "path")
HAPPENED = ("time", "what", "path", "size", "mode", "owner")
MOST = 10_000
"""Lines of what happened in a folder: the newest ones."""
LOOKED = 100_000
"""Things that happened, of which those are picked that somebody may read."""
LINES = 1_000
"""Of those, how many /ctl answers with where nothing else is said."""


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


def _end(after: Any) -> str:
    return "removed" if after is None else f"renamed to {escaped(os.fsdecode(after.path))}"


def happened(
    past: Any,
    path: bytes,
    *,
    first: int = 0,
    most: int = MOST,
    readable: Callable[[Any], bool] | None = None,
) -> tuple[list[str], bool]:
    """A line for each thing that happened at and below `path` after the sequence `first`, oldest first, the newest `most`; and whether
    there may be more. Where `readable` is given, of the rows that are; so many are looked at. `past` is `lsfs.history.past.Past`; call it
    in a thread."""
    after, until = past.place(first), past.place(past.sequence())
    pages: list[list[str]] = []
    count = looked = 0
    page = most if readable is None else max(most, 1_000)
    while until is not None and count < most and looked < LOOKED:
        found, until = past.happened(after, until, path, page, newest=True)
        looked += page
        pages.append(lines(found, readable))
        count += len(pages[-1])
    every = [line for page in reversed(pages) for line in page]
    return every[-most:], until is not None or count > most


def lines(found: Any, readable: Callable[[Any], bool] | None = None) -> list[str]:
    """A line for each of some happenings, of the rows that are readable. What somebody may not read is not named to him either, as what it
    was called before, or is called now."""
    said = []
    for one in found:
        if readable is not None and not readable(one.row):
            continue
        other = one.after if one.ended else one.before
        if other is not None and readable is not None and not readable(other):
            other = None
        what = _end(other) if one.ended else _what(other, one.row)
        said.append(
            "\t".join(
                (
                    shown(one.at) if one.at else "-",
                    what,
                    escaped(os.fsdecode(one.row.path)) or ".",
                    str(one.row.size),
                    f"{stat.S_IMODE(one.row.mode):04o}",
                    f"{one.row.uid}:{one.row.gid}",
                )
            )
        )
    return said


def table(rows: list[str], more: bool) -> bytes:
    """Lines of `happened` below the names of their columns; where there may be more, it says so."""
    head = ["\t".join(HAPPENED)]
    if more:
        head.append(f"# the newest {len(rows)} only")
    return ("\n".join([*head, *rows]) + "\n").encode("utf-8", "surrogateescape")


async def reply(command: "Command") -> str:
    """The table of a path, as JSON with --json. Raises NotFound where nothing ever was there, NotPermitted."""
    path: bytes = command.given.get("PATH", b"")
    history = command.history
    await history.noted(2.0)
    name = os.fsdecode(path) or "files"
    viewer, trusted = command.viewer, command.viewer.uid in (0, command.owner)
    if not trusted and not history.permits(path, viewer):
        raise NotPermitted(f"You may not read {name}, so its history is not yours to read either.")
    past = history.past
    file = bool(path) and past.knows(path)
    if path and not file and not past.history(path) and past.entry(path, past.sequence()) is None:
        raise NotFound(f"History knows no file or folder {name}; write the path as ls shows it below files/.")
    since: int | None = command.given.get("since")
    most: int = min(command.given.get("limit", LINES), MOST)

    def make(past: Any) -> bytes:
        readable = None if trusted else lambda row: history.permits_then(row.path, row, viewer, past)
        if file and since is None and "limit" not in command.given:
            return log_of(past, path, readable)
        first = 0 if since is None else (past.at(since / 1e9) or 0)
        return table(*happened(past, path, first=first, most=most, readable=readable))

    found: bytes = await history.apart(make)
    text = found.decode("utf-8", "surrogateescape").rstrip("\n")
    return _as_json(text) if "json" in command.given else text


def _as_json(text: str) -> str:
    """The table as JSON: a list of objects, the columns being their members."""
    head, *lines = text.split("\n")
    names = head.split("\t")
    rows = [dict(zip(names, line.split("\t"), strict=False)) for line in lines if not line.startswith("# ")]
    return json.dumps({"log": rows})
