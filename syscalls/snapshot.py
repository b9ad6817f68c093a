"""snapshot: give a name to everything that is there now; list the names; take one back.

mkdir snapshots/NAME, rmdir snapshots/NAME, mv snapshots/OLD snapshots/NEW        with plain tools
snapshot, snapshot NAME, snapshot --drop NAME                                     in /ctl and as `lsfs snapshot`
"""

import contextlib
import os
from typing import TYPE_CHECKING

from syscalls.errors import InvalidArgument, NotPermitted, ReadOnly
from syscalls.names import escaped
from syscalls.options import parse
from syscalls.when import shown, when

if TYPE_CHECKING:
    from syscalls.control import Command

RESERVED = (".", "..", "at", "diff", "now", "latest")
LONGEST = 255


def snapshot_name(text: str) -> bytes:
    """A snapshot's name in bytes. Raises InvalidArgument where it can be none."""
    name = os.fsencode(text)
    if (
        not name
        or b"/" in name
        or b"\0" in name
        or b"\n" in name
        or text in RESERVED
        or len(name) > LONGEST
        or b".." in name
    ):
        raise InvalidArgument(
            "A snapshot's name is a file name without `..` in it, and not one of at, diff, now, latest."
        )
    with contextlib.suppress(ValueError):
        when(text)
        raise InvalidArgument(
            f"{text} is a time; a snapshot of that name would hide it. Give it another one, such as day-{text}."
        )
    return name


async def reply(command: "Command") -> str:
    """What was done, in a sentence, or the list of snapshots: name, time, sequence, separated by tabs; control characters in names are
    written \\t, \\x1b."""
    words, options = parse("snapshot", command.text, flags=("drop",), most=1)
    history = command.history
    if not words:
        if options:
            raise InvalidArgument("`snapshot --drop` needs the name of a snapshot.")
        return "\n".join(
            f"{escaped(os.fsdecode(one.name))}\t{shown(one.made)}\t{one.sequence}"
            + ("\tautomatic" if one.automatic else "")
            for one in history.snapshots()
        )
    if command.read_only:
        raise ReadOnly(
            "This mount is read-only, so no snapshot is taken or dropped; those there are can be read."
        )
    if command.viewer.uid not in (0, command.owner):
        raise NotPermitted("A snapshot is of the whole mount: only its owner and root take and drop one.")
    name = snapshot_name(words[0])
    if "drop" in options:
        await history.drop(name)
        return f"The snapshot {words[0]} is gone; files are not touched by that."
    await history.take(name)
    return f"/snapshots/{words[0]}"
