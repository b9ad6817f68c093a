"""differences: what changed in the whole folder between two moments, as one unified diff.

    cat snapshots/diff/before-refactor..now | patch -p1        in a copy of the older tree

Text is diffed line by line; what patch(1) cannot say (folders, symlinks, rights, binary and large files) stands between the diffs as plain
sentences, which patch passes over.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from typing import Any

from syscalls.changes.unified import unified
from syscalls.errors import LsfsError

LARGEST = 16 << 20
"""Bytes of a file beyond which it is only said that it changed."""
MOST = 64 << 20
"""Bytes of a diff."""
PATIENCE = 60
"""Seconds for a diff; looked at between files."""
_CUT = b"# The diff is cut off here: it %s.\n"


def differences(
    past: Any,
    first: int,
    second: int,
    first_name: bytes,
    second_name: bytes,
    readable: Callable[[bytes, Any], bool],
    below: bytes = b"",
) -> bytes:
    """The diff between the sequences `first` and `second` of all at or below `below` that is `readable(path, row)`, which is asked of
    each row that changed. `past` is `lsfs.history.past.Past`; call it in a thread. What would be larger than MOST, or take longer than
    PATIENCE, ends with a line that says so."""
    parts: list[bytes] = []
    total = 0
    end = time.monotonic() + PATIENCE
    for part in _parts(past, first, second, first_name, second_name, readable, below):
        total += len(part)
        if total > MOST:
            parts.append(_CUT % (b"has more than %d bytes" % MOST))
            break
        parts.append(part)
        if time.monotonic() > end:
            parts.append(_CUT % (b"took more than %d seconds" % PATIENCE))
            break
    return b"".join(parts)


def _parts(
    past: Any,
    first: int,
    second: int,
    first_name: bytes,
    second_name: bytes,
    readable: Callable[[bytes, Any], bool],
    below: bytes,
) -> Iterator[bytes]:
    for path, before, after in past.changes(first, second, below):
        yield b""  # the clock is looked at, whether there is something to say or not
        if not all(row is None or readable(path, row) for row in (before, after)):
            continue
        yield from _sentences(path, before, after)
        old, new = _text(past, before), _text(past, after)
        said = next((text for text in (old, new) if isinstance(text, str)), None)
        if said is not None:
            yield f"# {_shown(path)}: {said}\n".encode("utf-8", "surrogateescape")
            continue
        if isinstance(old, str) or isinstance(new, str):
            continue
        if (old or b"") == (new or b""):  # patch(1) joins what is said of an empty file with the next one
            continue
        yield unified(
            old,
            new,
            old_path=path,
            new_path=path,
            old_label=os.fsdecode(first_name),
            new_label=os.fsdecode(second_name),
        )


def _text(past: Any, row: Any) -> bytes | str | None:
    """The bytes of a file; None where there is no file; a sentence where they cannot be shown."""
    if row is None or not stat.S_ISREG(row.mode):
        return None
    if row.size > LARGEST:
        return _large(row.size)
    try:
        found: bytes | None = past.whole(row, LARGEST)
    except LsfsError as error:
        return str(error)
    return _large(row.size) if found is None else found


def _large(size: int) -> str:
    return f"a file of {size:,} bytes, too large to be compared line by line."


def _sentences(path: bytes, before: Any, after: Any) -> Iterator[bytes]:
    """What changed besides the text of a file."""
    said = []
    kinds = [None if row is None else stat.S_IFMT(row.mode) for row in (before, after)]
    words = {stat.S_IFDIR: "folder", stat.S_IFLNK: "symlink", stat.S_IFREG: "file"}
    if kinds[0] != kinds[1]:
        for kind, row, verb in ((kinds[0], before, "removed"), (kinds[1], after, "added")):
            if kind == stat.S_IFREG and not row.size:
                said.append(f"empty file {verb}")
            elif kind is not None and kind != stat.S_IFREG:
                target = f" -> {_shown(row.target)}" if kind == stat.S_IFLNK else ""
                said.append(f"{words.get(kind, 'special file')} {verb}{target}")
    elif before is not None and after is not None:
        if before.target != after.target:
            said.append(f"symlink now -> {_shown(after.target or b'')} (was {_shown(before.target or b'')})")
        if before.mode != after.mode:
            said.append(f"mode {stat.S_IMODE(before.mode):04o} -> {stat.S_IMODE(after.mode):04o}")
        if (before.uid, before.gid) != (after.uid, after.gid):
            said.append(f"owner {before.uid}:{before.gid} -> {after.uid}:{after.gid}")
        if before.xattrs != after.xattrs:
            said.append("extended attributes changed")
    for sentence in said:
        yield f"# {_shown(path)}: {sentence}\n".encode("utf-8", "surrogateescape")


def _shown(path: bytes) -> str:
    return os.fsdecode(path).replace("\n", "\\n")
