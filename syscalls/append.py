"""append: put text, or what another file has, at the end of a file, as `>>` does.

    append notes/log.md --text "Shipped."       bytes as they are given: no line break is added
    append notes/log.md --from notes/today.md

The file stays the same file, under all its names; what it was is a version.
"""

import json
from typing import TYPE_CHECKING

from syscalls.create import text_of
from syscalls.errors import InvalidArgument
from syscalls.options import shown
from syscalls.ports import Folder
from syscalls.values import Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

MOST = 64 << 20  # bytes that are appended at once


async def append(path: bytes, data: bytes, *, folder: Folder, viewer: Viewer) -> None:
    """Put `data` at the end of a file. Raises NotFound where nothing is, and what `Folder.append` raises."""
    await folder.append(path, data, viewer)


async def reply(command: "Command") -> str:
    """A sentence, or JSON, that says what was done."""
    given = command.given
    if ("text" in given) == ("from" in given):
        raise InvalidArgument("Say either --text TEXT or --from FILE: what is to be at the end.")
    assert command.folder is not None
    if "from" in given:
        data = await command.folder.read(given["from"], command.viewer, MOST)
    else:
        data = text_of(given["text"])
    await append(given["PATH"], data, folder=command.folder, viewer=command.viewer)
    if "json" in given:
        return json.dumps({"path": shown(given["PATH"]), "appended": len(data)})
    kept = command.history is None or command.history.enabled
    undo = "`lsfs undo` takes it back" if kept else "history is off, so nothing takes it back"
    return f"{shown(given['PATH'])} has {len(data)} bytes more; {undo}."
