"""lock: let nobody change a file or folder, until a time or until it is unlocked.

    lock plan.md --for 2h                       for two hours
    lock papers --until 2026-12-01 --why "sent to the printer"

Every tool meets it: EPERM for everybody, root and the one who locked included. `syscalls.unlock` ends it.
"""

import json
import time
from typing import TYPE_CHECKING

from syscalls.errors import InvalidArgument
from syscalls.locked import as_dict, end, moment, reason
from syscalls.options import shown
from syscalls.ports import Locks
from syscalls.values import Lock, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command


async def lock(
    path: bytes, *, viewer: Viewer, locks: Locks, now: float, until: float | None = None, why: str = ""
) -> Lock:
    """Lock a path until a time (seconds since the epoch); None: until it is unlocked.

    A lock of one's own gets this end and this reason. Raises InvalidArgument for a time that is over, NotFound, Denied, NotRegular for
    what is neither a file nor a folder, NotPermitted for who neither owns nor may write it, Exists where somebody else has locked it.
    """
    made = Lock(viewer.uid, now, None if until is None else end(until, now), reason(why))
    await locks.lock(path, made, viewer)
    return made


async def reply(command: "Command") -> str:
    """A sentence, or the lock as JSON."""
    given = command.given
    if "for" in given and "until" in given:
        raise InvalidArgument("`lock` takes --for or --until, not both.")
    if command.locks is None:
        raise InvalidArgument("There are no locks in this mount.")
    now = time.time()
    until = now + given["for"] if "for" in given else given["until"] / 1e9 if "until" in given else None
    made = await lock(
        given["PATH"],
        viewer=command.viewer,
        locks=command.locks,
        now=now,
        until=until,
        why=given.get("why", ""),
    )
    if "json" in given:
        return json.dumps(as_dict(given["PATH"], made))
    how = "until it is unlocked" if made.until is None else f"until {moment(made.until)}"
    return f"{shown(given['PATH'])} is locked {how}; `lsfs unlock` ends that."
