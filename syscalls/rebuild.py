"""rebuild: make the index anew. Reached as `rebuild` in /ctl and `lsfs rebuild`.

The index is derived from the files and can always be made again; vectors are kept apart from it and are not
computed again.
"""

from typing import TYPE_CHECKING

from syscalls.ports import Files

if TYPE_CHECKING:
    from syscalls.control import Command


async def rebuild(*, files: Files) -> None:
    """Drop the index and begin it anew. Returns when that has begun; /status says how far it is."""
    await files.rebuild()


async def reply(command: "Command") -> str:
    await rebuild(files=command.files)
    return "the index is being made anew; `cat status` says how far it is"
