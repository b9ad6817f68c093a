"""delete: remove files and folders, by name or by what is in them. All of them or none; they are in trash/ then.

    delete notes/old.md drafts                   a folder goes with all that is in it
    delete --matching "drafts about the wombat"  answers with the plan, as JSON, and changes nothing
    delete --token T                             does what the plan with this token says

The files of a plan are those in which something of the question occurs (`syscalls.matching`), at most its `limit:`. A token dies after
ten minutes, and as soon as one of its files has changed. `--dry-run` gives none.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from syscalls.errors import InvalidArgument
from syscalls.matching import matched
from syscalls.options import shown
from syscalls.ports import Folder
from syscalls.values import Edit, Results, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command


async def delete(paths: Sequence[bytes], *, folder: Folder, viewer: Viewer) -> tuple[bytes, ...]:
    """Remove these, and what is in them; the paths without those that lie in others. Raises NotFound where one is not there, and what
    `Folder.change` raises."""
    tops = _tops(paths)
    await folder.change(_what(tops), [Edit(path, "remove") for path in tops], viewer)
    return tops


async def plan(results: Results, *, folder: Folder, viewer: Viewer, token: bool) -> dict[str, Any]:
    """What would go, as JSON says it: the files of an answer that fit, best first. Raises NotFound where only others are near."""
    hits, notes = matched(results)
    paths = tuple(hit.path for hit in hits)
    edits = [Edit(path, "remove") for path in paths]
    return {
        "matching": results.prompt.text,
        "changes": [
            {"what": "remove", "path": shown(hit.path), "type": "file", "score": hit.score} for hit in hits
        ],
        "counts": {"remove": len(paths)},
        "notes": list(notes),
        "token": await folder.offer(_what(paths), edits, viewer) if token and edits else None,
    }


async def reply(command: "Command") -> str:
    """A sentence, or JSON, that says what was removed; of a question, the plan on one line."""
    given = command.given
    assert command.folder is not None
    ways = [name for name in ("PATH", "matching", "token") if name in given]
    if len(ways) != 1 or ("dry-run" in given and ways != ["matching"]):
        raise InvalidArgument(
            "Write `delete PATH...`, or `delete --matching PROMPT [--dry-run]` and then `delete --token T` with the plan's token."
        )
    if "matching" in given:
        assert command.ask is not None
        results = await command.ask(given["matching"], b"", command.viewer)
        said = await plan(results, folder=command.folder, viewer=command.viewer, token="dry-run" not in given)
        return json.dumps(said)
    if "token" in given:
        gone = tuple(edit.path for edit in await command.folder.accept(given["token"], command.viewer))
    else:
        gone = await delete(given["PATH"], folder=command.folder, viewer=command.viewer)
    if "json" in given:
        return json.dumps({"deleted": [shown(path) for path in gone]})
    which = shown(gone[0]) + " is" if len(gone) == 1 else f"{len(gone)} files and folders are"
    return f"{which} in trash/; `lsfs undo` takes it back."


def _tops(paths: Sequence[bytes]) -> tuple[bytes, ...]:
    """These paths, each once, without those that lie in others of them."""
    known = set(paths)

    def inner(path: bytes) -> bool:
        parts = path.split(b"/")
        return any(b"/".join(parts[:depth]) in known for depth in range(1, len(parts)))

    return tuple(path for path in dict.fromkeys(paths) if not inner(path))


def _what(paths: Sequence[bytes]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"delete {shown(paths[0])}{more}" if paths else "delete"
