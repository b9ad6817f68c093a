"""create: make a file, with text, bytes or what another one has; or a folder, empty or with all that another one has.

    create notes/plan.md --text "We ship in June."     create notes/plan.md            an empty file
    create notes/copy.md --from notes/plan.md          create notes/old/               a folder
    create notes/2025/ --from notes                    a folder with its tree: modes, times and symlinks are those of the source
    create --adopt new.md        makes nothing: `undo` takes back what was just brought there by plain file operations

All of it is there at once, or nothing is. What is there is never replaced: `replace` does that.
"""

import json
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls.errors import InvalidArgument
from syscalls.options import parse, shown
from syscalls.ports import Folder
from syscalls.values import Edit, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command


@dataclass(frozen=True, slots=True)
class Created:
    """What was made at `path`: so many files (symlinks among them) and folders, and the bytes in them. left: paths of the source that
    are neither files, folders nor symlinks."""

    path: bytes
    files: int
    folders: int
    size: int
    left: tuple[bytes, ...] = ()


async def create(
    path: bytes,
    *,
    folder: Folder,
    viewer: Viewer,
    data: bytes = b"",
    source: bytes | None = None,
    is_folder: bool = False,
) -> Created:
    """Make what is to be at `path`. Raises Exists where something is, and what `Folder.change` raises; InvalidArgument for a folder that
    is to be copied into itself."""
    edits: list[Edit] = []
    left: list[bytes] = []
    size = 0
    if source is None:
        edits.append(Edit(path, "folder") if is_folder else Edit(path, "create", data))
        size = len(data)
    else:
        found = await folder.stat(source, viewer)
        if stat.S_ISDIR(found.st_mode) and (path + b"/").startswith(source + b"/" if source else b""):
            raise InvalidArgument(f"{shown(source)} cannot be copied into itself; give another path.")
        if is_folder and not stat.S_ISDIR(found.st_mode):
            raise InvalidArgument(f"{shown(source)} is no folder; write PATH without a slash at its end.")
        waiting = [(path, source, found)]
        while waiting:
            new, old, found = waiting.pop()
            edit = _copied(new, old, found)
            if edit is None:
                left.append(old)
                continue
            edits.append(edit)
            if stat.S_ISDIR(found.st_mode):
                for name, inner in await folder.names(old, viewer):
                    waiting.append((new + b"/" + name, old + b"/" + name if old else name, inner))
            elif stat.S_ISREG(found.st_mode):
                size += found.st_size
    if not edits:
        raise InvalidArgument(f"{shown(left[0])} is neither a file nor a folder, so it cannot be copied.")
    await folder.change(f"create {shown(path)}", edits, viewer)
    folders = sum(edit.kind == "folder" for edit in edits)
    return Created(path, len(edits) - folders, folders, size, tuple(left))


def _copied(new: bytes, old: bytes, found: os.stat_result) -> Edit | None:
    """What makes `new` the same as `old`; None for what has no content of its own."""
    if stat.S_ISDIR(found.st_mode):
        return Edit(new, "folder", mode=stat.S_IMODE(found.st_mode) & 0o777)
    if stat.S_ISLNK(found.st_mode):
        return Edit(new, "symlink", source=old)
    return Edit(new, "create", source=old) if stat.S_ISREG(found.st_mode) else None


async def adopt(path: bytes, *, folder: Folder, viewer: Viewer) -> None:
    """Let `undo` take back what the viewer brought to `path` himself, by plain file operations."""
    await folder.adopt(f"create {shown(path)}", path, viewer)


async def reply(command: "Command") -> str:
    """A sentence, or JSON, that says what was made."""
    given = command.given
    if "text" in given and "from" in given:
        raise InvalidArgument("`create` takes --text or --from, not both.")
    assert command.folder is not None
    if "adopt" in given:
        if "text" in given or "from" in given:
            raise InvalidArgument("`create --adopt` makes nothing, so it takes neither --text nor --from.")
        await adopt(given["PATH"], folder=command.folder, viewer=command.viewer)
        path = shown(given["PATH"])
        return json.dumps({"path": path}) if "json" in given else f"`lsfs undo` takes {path} back."
    words, _ = parse("create", command.text, flags=("json",), values=("text", "from"))
    is_folder = words[0].endswith("/")
    if is_folder and "text" in given:
        raise InvalidArgument("A folder has no text; write PATH without a slash at its end.")
    done = await create(
        given["PATH"],
        folder=command.folder,
        viewer=command.viewer,
        data=text_of(given.get("text", "")),
        source=given.get("from"),
        is_folder=is_folder,
    )
    if "json" in given:
        return json.dumps(
            {
                "path": shown(done.path),
                "files": done.files,
                "folders": done.folders,
                "bytes": done.size,
                "left": [shown(path) for path in done.left],
            }
        )
    return outcome(shown(done.path), done)


def text_of(text: str) -> bytes:
    """The bytes of a text on a command line: those that were typed."""
    return text.encode("utf-8", "surrogateescape")


def outcome(path: str, done: Created, undo: str = "`lsfs undo` takes it back") -> str:
    """What was made, as a sentence."""
    said = f"{path} is there now, {done.size} bytes"
    if done.folders:
        files = "1 file" if done.files == 1 else f"{done.files} files"
        inner = (
            "" if done.folders == 1 else f" and {done.folders - 1} folder{'s' if done.folders > 2 else ''}"
        )
        said = f"{path} is there now, a folder with {files}{inner}, {done.size} bytes"
    left = "".join(
        f" {shown(one)} was left out: it is neither a file, a folder nor a symlink." for one in done.left
    )
    return f"{said}; {undo}.{left}"
