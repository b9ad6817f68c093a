"""touch: set the times of a file or folder, to now or to another time.

    touch notes/plan.md       touch notes/plan.md --at 2026-11-22T10:00

Content is not touched; nothing is made where nothing is.
"""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from syscalls.options import shown
from syscalls.ports import Folder
from syscalls.values import Viewer

if TYPE_CHECKING:
    from syscalls.control import Command


async def touch(path: bytes, *, folder: Folder, viewer: Viewer, at: int | None = None) -> int:
    """Set both times (ns since the epoch; None: now); the time that was set. Raises NotFound, and what `Folder.touch` raises."""
    await folder.touch(path, viewer, at)
    return (await folder.stat(path, viewer)).st_mtime_ns


async def reply(command: "Command") -> str:
    """A sentence, or JSON, that says which time it has."""
    given = command.given
    assert command.folder is not None
    at = await touch(given["PATH"], folder=command.folder, viewer=command.viewer, at=given.get("at"))
    if "json" in given:
        return json.dumps({"path": shown(given["PATH"]), "mtime": at / 1e9})
    return f"{shown(given['PATH'])} is of {datetime.fromtimestamp(at // 10**9).isoformat()} now."
