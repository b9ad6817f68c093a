"""undelete: put back what was removed: a file, or a folder with what went with it.

    mv trash/2026-11-27/old/a.md files/b.md            with plain tools
    undelete trash/2026-11-27/old/a.md --as b.md       in /ctl and as `lsfs undelete`
    undelete old/a.md                                  what was removed last at that path, to where it was

Nothing is replaced by it.
"""

import os
import re
from typing import TYPE_CHECKING

from syscalls.errors import InvalidArgument, NotFound
from syscalls.options import parse, path_of
from syscalls.when import when

if TYPE_CHECKING:
    from syscalls.control import Command

_TRASH = re.compile(r"/*trash/([^/]+)/+(.+)", re.DOTALL)
NANO = 1_000_000_000


async def reply(command: "Command") -> str:
    """A sentence that says what was put where."""
    words, options = parse("undelete", command.text, values=("as",))
    if not words:
        raise InvalidArgument("Write `undelete PATH`, or `undelete trash/DAY/PATH`, and where to with --as.")
    first = end = None
    match = _TRASH.fullmatch(words[0])
    if match is not None:
        first, end = day(match[1])
    path = path_of(match[2] if match is not None else words[0])
    target = path_of(options["as"]) if "as" in options else path
    await command.history.settled()
    row = command.history.removed_at(path, first, end, command.viewer)
    count = await command.history.undelete(row, target, command.viewer)
    more = "" if count == 1 else f", and {count - 1} more with it"
    return f"files/{os.fsdecode(target)} is there again{more}."


def day(text: str) -> tuple[float, float]:
    """When a day of the trash begins and ends, in seconds since the epoch. Raises NotFound."""
    try:
        first, end = when(text)
    except ValueError:
        raise NotFound(f"There is no day {text[:40]!r} in the trash; `ls trash` lists them.") from None
    return first / NANO, end / NANO
