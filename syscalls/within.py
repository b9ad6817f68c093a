"""within: where a call is to ask: `--in` of keywords, semantic, integrated and combine."""

import stat
from typing import TYPE_CHECKING

from syscalls.errors import NotFolder

if TYPE_CHECKING:
    from syscalls.control import Command


async def folder_of(command: "Command", path: bytes | None) -> bytes:
    """The folder that is asked, b"" for all of it. Raises NotFound, Denied, and NotFolder for what is a file."""
    if not path:
        return b""
    if command.folder is not None:
        found = await command.folder.stat(path, command.viewer)
        if not stat.S_ISDIR(found.st_mode):
            raise NotFolder(
                "A question is asked below a folder, and this is none: leave --in out, or name the folder it is in."
            )
    return path
