"""scan: look for changes that were made behind the mount, now. Reached as `scan [PATH]` in /ctl and `lsfs scan`."""

import os
from typing import TYPE_CHECKING

from syscalls.ports import Files

if TYPE_CHECKING:
    from syscalls.control import Command


async def scan(path: bytes, *, files: Files) -> int:
    """Compare `path` (b"" is the whole folder) with what is known of it; how many files had changed.

    Raises NotFound when there is no such path.
    """
    return await files.scan(path)


async def reply(command: "Command") -> str:
    changed = await scan(os.fsencode(command.text), files=command.files)
    said = f"{changed} {'file has' if changed == 1 else 'files have'} changed"
    if (command.report(command.viewer).get("engine") or {}).get("state") == "off":
        said += "; they are not indexed, since indexing is switched off ([index] enabled in lsfs.conf)"
    return said
