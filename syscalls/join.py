"""join: two or more files as one, as their format wants it.

    join a.md b.md --into all.md                    a new file; what is there is never overwritten
    join log.jsonl today.jsonl --in-place           the others come to the end of the first, which keeps its versions
    join --matching "refund policy type:md" --into refunds.md      the files that fit a question, best first

`syscalls.joining` says what is done with which format. All is read before anything is written, and the result appears at once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls.errors import InvalidArgument, TooLarge
from syscalls.joining import Part, joined, kind_for
from syscalls.matching import matched, with_notes
from syscalls.options import shown
from syscalls.ports import Converter, Folder
from syscalls.values import Edit, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

MOST = 64 << 20
"""Bytes of all parts together."""
INLINE = 64 << 10
"""Bytes that are joined in the daemon's loop; more would hold it up."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What a join made: at `path`, of `parts`, `size` bytes of a `kind` (`syscalls.joining`)."""

    path: bytes
    parts: tuple[bytes, ...]
    kind: str
    size: int


async def join(
    paths: Sequence[bytes],
    *,
    into: bytes | None,
    folder: Folder,
    converter: Converter,
    viewer: Viewer,
) -> Joined:
    """Join files into a new one, or, without `into`, the others into the first of them.

    Raises InvalidArgument for less than two and for formats that make no one file, NotText, TooLarge beyond `MOST`, and what
    `Folder.read` and `Folder.change` raise.
    """
    if len(paths) < 2:
        raise InvalidArgument("`join` needs two files or more.")
    if into is None and paths[0] in paths[1:]:
        raise InvalidArgument(
            f"{shown(paths[0])} cannot be joined to itself in place; say --into and a new name."
        )
    names = [shown(path) for path in paths]
    target = paths[0] if into is None else into
    kind = kind_for(shown(target), names)
    parts: list[Part] = []
    left = MOST
    for name, path in zip(names, paths, strict=True):
        data = await folder.read(path, viewer, left)
        left -= len(data)
        if left <= 0:
            raise TooLarge(f"Together these files have more than {MOST >> 20} MiB; join fewer.")
        parts.append((name, data))
    if kind == "pdf" or MOST - left > INLINE:
        data = await converter.join(kind, parts)
    else:
        data = joined(kind, parts)
    what = f"join {shown(target)}"
    edit = Edit(target, "replace" if into is None else "create", data)
    await folder.change(what, [edit], viewer)
    return Joined(target, tuple(paths), kind, len(data))


async def reply(command: "Command") -> str:
    """A sentence, or JSON, that says what was made."""
    given = command.given
    paths: tuple[bytes, ...] = given.get("PATH", ())
    if ("into" in given) == ("in-place" in given):
        raise InvalidArgument(
            "Say either --into and the name of a new file, or --in-place to add to the first one."
        )
    notes: tuple[str, ...] = ()
    scores: dict[bytes, float] = {}
    if "matching" in given:
        assert command.ask is not None
        results = await command.ask(given["matching"], b"", command.viewer)
        hits, notes = matched(results)
        scores = {hit.path: hit.score for hit in hits}
        paths += tuple(hit.path for hit in hits if hit.path not in paths)
        if len(paths) < 2:
            raise InvalidArgument(f"{len(paths)} file answers that question; two or more can be joined.")
    assert command.folder is not None and command.converter is not None
    done = await join(
        paths,
        into=given.get("into"),
        folder=command.folder,
        converter=command.converter,
        viewer=command.viewer,
    )
    if "json" in given:
        said = {
            "path": shown(done.path),
            "parts": [shown(path) for path in done.parts],
            "kind": done.kind,
            "size": done.size,
        }
        if "matching" in given:
            said |= {"scores": [scores.get(path) for path in done.parts], "notes": list(notes)}
        return json.dumps(said)
    sentence = f"{shown(done.path)} has {len(done.parts)} files joined, {done.size} bytes; `lsfs undo` takes it back."
    return with_notes(sentence, notes)
