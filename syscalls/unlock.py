"""unlock: end a lock.

    unlock plan.md

For who locked, root, and the owner of the mount.
"""

import json
from typing import TYPE_CHECKING

from syscalls.errors import InvalidArgument
from syscalls.options import shown
from syscalls.ports import Locks
from syscalls.values import Viewer

if TYPE_CHECKING:
    from syscalls.control import Command


async def unlock(path: bytes, *, viewer: Viewer, locks: Locks) -> None:
    """End the lock of this very path, whether or not something is there. Raises NotFound where there is none, Denied, NotPermitted."""
    await locks.unlock(path, viewer)


async def reply(command: "Command") -> str:
    """A sentence, or the path as JSON."""
    if command.locks is None:
        raise InvalidArgument("There are no locks in this mount.")
    path = command.given["PATH"]
    await unlock(path, viewer=command.viewer, locks=command.locks)
    if "json" in command.given:
        return json.dumps({"path": shown(path), "locked": False})
    above = command.locks.locked(path)
    if above is not None:
        return f"{shown(path)} is not locked itself any more, but {shown(above[0])} is, and so all that is in it."
    return f"{shown(path)} is not locked any more."
