"""get: what a file holds and what it is, in one answer: JSON, with --json and without.

    get notes/plan.md                       the file as it is
    get notes/plan.md --version 3           as it was: v3 of `log`

    {"path", "size", "mtime", "mode", "uid", "gid", "type", "version", "versions", "lock", "text" or "base64"}

mtime is in seconds since the epoch, mode in octal. version is the number of this content and versions how many there are; null where
history does not say. `lock` is there while there is one. Bytes that are no UTF-8 come in `base64`. A symlink within the folder is followed.
"""

import base64
import json
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syscalls.errors import Denied, IsFolder, NotFound, TooLarge, TryAgain
from syscalls.locked import as_dict
from syscalls.options import shown
from syscalls.ports import Folder
from syscalls.values import Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

MOST = 16 << 20  # bytes that one answer has; `cat` has no limit
TRIES = 3
TYPES = {stat.S_IFREG: "file", stat.S_IFLNK: "symlink"}


@dataclass(frozen=True, slots=True)
class Got:
    """A file: content and what lstat(2) says, of the same moment."""

    path: bytes
    data: bytes
    mode: int
    uid: int
    gid: int
    mtime_ns: int


async def get(path: bytes, *, folder: Folder, viewer: Viewer) -> Got:
    """Read a file. Raises IsFolder, TooLarge beyond `MOST`, TryAgain where it is written all the time, and what `Folder.read` raises."""
    for _ in range(TRIES):
        before = await folder.stat(path, viewer)
        data = await folder.read(path, viewer, MOST)
        after = await folder.stat(path, viewer)
        if _same(before, after):
            return Got(path, data, after.st_mode, after.st_uid, after.st_gid, after.st_mtime_ns)
    raise TryAgain(f"{shown(path)} is being written all the time; try again in a moment.")


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_ino, one.st_size, one.st_mtime_ns) == (other.st_ino, other.st_size, other.st_mtime_ns)


async def reply(command: "Command") -> str:
    """One JSON object."""
    given = command.given
    path: bytes = given["PATH"]
    assert command.folder is not None
    number: int | None
    count: int | None
    if "version" in given:
        got, number, count = await _version(command, path, given["version"])
    else:
        got = await get(path, folder=command.folder, viewer=command.viewer)
        number, count = await _numbers(command, got)
    return json.dumps(said(got, number, count) | _lock(command, path))


def said(got: Got, number: int | None, count: int | None) -> dict[str, Any]:
    """A file as JSON says it."""
    found: dict[str, Any] = {
        "path": shown(got.path),
        "size": len(got.data),
        "mtime": got.mtime_ns / 1e9,
        "mode": f"{stat.S_IMODE(got.mode):04o}",
        "uid": got.uid,
        "gid": got.gid,
        "type": TYPES.get(stat.S_IFMT(got.mode), "file"),
        "version": number,
        "versions": count,
    }
    try:
        found["text"] = got.data.decode("utf-8")
    except UnicodeDecodeError:
        found["base64"] = base64.b64encode(got.data).decode("ascii")
    return found


def _lock(command: "Command", path: bytes) -> dict[str, Any]:
    lock = command.locks.of(path) if command.locks is not None else None
    return {} if lock is None else {"lock": as_dict(path, lock)}


async def _numbers(command: "Command", got: Got) -> tuple[int | None, int | None]:
    """Which version the content is, of how many."""
    history = command.history
    if history is None or not history.enabled:
        return None, None
    await history.noted(2.0)
    versions = await history.in_thread(lambda past: past.versions(got.path))
    if not versions:
        return None, None
    last = versions[-1].last
    there = last.died is None and (last.size, last.mtime_ns) == (len(got.data), got.mtime_ns)
    return versions[-1].number if there else None, len(versions)


async def _version(command: "Command", path: bytes, number: int) -> tuple[Got, int, int]:
    """A version of a file, where the viewer may read it and might have read it then."""
    history, viewer = command.history, command.viewer
    if history is None:
        raise NotFound("There is no history here, so there are no versions.")
    await history.noted(2.0)

    def look(past: Any) -> tuple[Any, int, bool]:
        versions = past.versions(path)
        row = versions[number - 1].last if number <= len(versions) else None
        trusted = viewer.uid in (0, command.owner)
        may = row is not None and (trusted or history.permits_then(row.path, row, viewer, past))
        folder = row is None and not versions and (now := past.entry(path, past.sequence())) is not None
        return ("folder" if folder and stat.S_ISDIR(now.mode) else row), len(versions), may

    row, count, may = await history.in_thread(look)
    if row == "folder":
        raise IsFolder(f"{shown(path)} is a folder; folders have no numbered versions.")
    if row is None:
        has = f"has the versions v1 to v{count}" if count else "is no file that history knows"
        raise NotFound(f"{shown(path)} {has}; `lsfs log` lists them.")
    if not may:
        raise Denied(f"You may not read {shown(path)} as it was then; ask its owner.")
    if row.size > MOST:
        raise TooLarge(
            f"{shown(path)} had {row.size / 2**20:.1f} MiB then, and at most {MOST / 2**20:.0f} MiB are read at once."
        )
    if stat.S_ISLNK(row.mode):
        data = row.target or b""
    else:
        content = await history.open(row)
        try:
            data = content.read(0, row.size)
            while len(data) < row.size and (part := content.read(len(data), row.size - len(data))):
                data += part
        finally:
            content.close()
    return Got(path, data, row.mode, row.uid, row.gid, row.mtime_ns), number, count
