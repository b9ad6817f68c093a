"""replace: give a file another content, all at once.

    replace notes/plan.md --text "We ship in July."       replace notes/plan.md --from notes/draft.md

Rights and owner stay; what it was is a version. Whoever has it open for reading goes on reading what it was.
"""

import json
from typing import TYPE_CHECKING

from syscalls.create import text_of
from syscalls.errors import InvalidArgument
from syscalls.options import shown
from syscalls.ports import Folder
from syscalls.values import Edit, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command


async def replace(
    path: bytes, *, folder: Folder, viewer: Viewer, data: bytes = b"", source: bytes | None = None
) -> None:
    """Give the file at `path` these bytes, or those of the file `source`. Raises NotFound where nothing is, and what `Folder.change`
    raises."""
    edit = Edit(path, "replace", data) if source is None else Edit(path, "replace", source=source)
    await folder.change(f"replace {shown(path)}", [edit], viewer)


async def reply(command: "Command") -> str:
    """A sentence, or JSON, that says what was done."""
    given = command.given
    if ("text" in given) == ("from" in given):
        raise InvalidArgument("Say either --text TEXT or --from FILE: what is to be in it.")
    assert command.folder is not None
    path = given["PATH"]
    await replace(
        path,
        folder=command.folder,
        viewer=command.viewer,
        data=text_of(given.get("text", "")),
        source=given.get("from"),
    )
    size = (await command.folder.stat(path, command.viewer)).st_size
    if "json" in given:
        return json.dumps({"path": shown(path), "size": size})
    return f"{shown(path)} has {size} bytes now; `lsfs undo` takes it back."
