r"""unified: two versions of a file as a unified diff that patch(1) applies with -p1.

Works on bytes: CRLF, a missing last newline and text in any 8-bit encoding come out as they went in. Only b"\n" ends a line. What plain
headers cannot say (an empty file made or removed, permissions, a new name) is said as git does it, which GNU patch and git apply
understand. Binary and large contents become one truthful line that patch skips. The removal of an empty file GNU patch takes for a
diff that was applied already, whoever wrote it: it wants -f there, git apply does not.

Pure; costs at most a few seconds of processor time for the largest content it takes (see syscalls.changes.matching).
"""

import stat
from collections.abc import Iterator

from syscalls.changes.matching import Opcode, opcodes

MOST_BYTES = 16 << 20  # of either side; more is summed up in a line
MOST_LINES = 200_000
HEAD = 8192  # what git looks at, too, to tell binary from text

_CONTROLS = bytes(
    set(range(32)) - {8, 9, 10, 12, 13, 27}
)  # but those that text files contain: tabs, page breaks, ANSI colours
_ESCAPES = {
    7: b"\\a",
    8: b"\\b",
    9: b"\\t",
    10: b"\\n",
    11: b"\\v",
    12: b"\\f",
    13: b"\\r",
    34: b'\\"',
    92: b"\\\\",
}
_NOWHERE = b"/dev/null"


def unified(
    old: bytes | None,
    new: bytes | None,
    *,
    old_path: bytes,
    new_path: bytes,
    context: int = 3,
    old_label: str = "",
    new_label: str = "",
    old_mode: int | None = None,
    new_mode: int | None = None,
) -> bytes:
    """The diff that makes `new` of `old`; b"" where nothing differs.

    old, new    the contents; None where the file did not exist then
    *_path      below the folder, without a slash in front; two different paths of an existing file say that it was renamed
    context     unchanged lines around a change
    *_label     what stands after the path, such as a version or a time
    *_mode      st_mode, where permissions and type are to be told; a symbolic link's content is its target
    """
    if old is not None and new is not None and old_mode is not None and new_mode is not None:
        if stat.S_IFMT(old_mode) != stat.S_IFMT(new_mode):
            # a file that became a link is no edit: one is removed, the other made, as git does
            gone = unified(
                old, None, old_path=old_path, new_path=old_path, old_label=old_label, old_mode=old_mode
            )
            made = unified(
                None, new, old_path=new_path, new_path=new_path, new_label=new_label, new_mode=new_mode
            )
            return gone + made
    else:
        same = old_mode if old_mode is not None else new_mode
        if old is not None and new is not None:
            old_mode = new_mode = same
    renamed = old is not None and new is not None and old_path != new_path
    if old == new and old_mode == new_mode and not renamed:
        return b""
    if is_binary(old) or is_binary(new):
        return _summary(b"Binary files", old, new, old_path, new_path, old_mode, new_mode)
    if is_large(old) or is_large(new):
        return _summary(b"Large files", old, new, old_path, new_path, old_mode, new_mode)
    parts = _git_header(old, new, old_path, new_path, old_mode, new_mode)
    if (old or b"") != (new or b""):
        parts.append(b"--- " + _side(b"a/", old, old_path) + _label(old, old_path, old_label))
        parts.append(b"+++ " + _side(b"b/", new, new_path) + _label(new, new_path, new_label))
        parts.extend(_hunks(lines_of(old or b""), lines_of(new or b""), max(0, context)))
    return b"".join(parts)


def is_binary(data: bytes | None) -> bool:
    """Whether the first 8 KiB are no text: a NUL byte, or more control characters than any text has."""
    head = (data or b"")[:HEAD]
    if b"\0" in head:
        return True
    return len(head) - len(head.translate(None, _CONTROLS)) > len(head) // 20 + 1


def is_large(data: bytes | None) -> bool:
    """Whether it is more than is compared line by line."""
    return data is not None and (len(data) > MOST_BYTES or data.count(b"\n") > MOST_LINES)


def lines_of(data: bytes) -> list[bytes]:
    """The lines with their ends; the last may have none."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def quoted(name: bytes, always: bool = False) -> bytes:
    """A name for a header: as it is where that is clear, as a string of C where it is not (git and GNU diff do so)."""
    try:
        # Python's idea of what prints spares terminals the rest
        plain = name.decode("utf-8").replace(" ", "x").isprintable()
    except UnicodeDecodeError:
        plain = False
    if plain and not always and b'"' not in name and b"\\" not in name and not name.endswith(b" "):
        return name
    ascii_only = not plain
    return b'"' + b"".join(_escaped(byte, ascii_only) for byte in name) + b'"'


def _escaped(byte: int, ascii_only: bool) -> bytes:
    if byte in _ESCAPES:
        return _ESCAPES[byte]
    if byte < 32 or byte == 127 or (ascii_only and byte > 127):
        return b"\\%03o" % byte
    return bytes((byte,))


def _side(prefix: bytes, data: bytes | None, path: bytes) -> bytes:
    return _NOWHERE if data is None else quoted(prefix + path)


def _label(data: bytes | None, path: bytes, label: str) -> bytes:
    text = " ".join("".join(c if c.isprintable() else " " for c in label).split())
    if data is None or not (text or b" " in path):
        return b"\n"
    # the tab tells patch where a name with blanks ends
    return b"\t" + text.encode("utf-8", "replace") + b"\n"


def _git_header(
    old: bytes | None,
    new: bytes | None,
    old_path: bytes,
    new_path: bytes,
    old_mode: int | None,
    new_mode: int | None,
) -> list[bytes]:
    lines = []
    if old is None:
        if new_mode is not None or not new:
            lines.append(b"new file mode %o\n" % (new_mode or 0o100644))
    elif new is None:
        if old_mode is not None or not old:
            lines.append(b"deleted file mode %o\n" % (old_mode or 0o100644))
    else:
        if old_mode is not None and new_mode is not None and old_mode != new_mode:
            lines.append(b"old mode %o\nnew mode %o\n" % (old_mode, new_mode))
        if old_path != new_path:
            lines.append(b"rename from %s\nrename to %s\n" % (quoted(old_path), quoted(new_path)))
    if lines:
        # a side that does not exist has the other's name here
        first, second = old_path if old is not None else new_path, new_path if new is not None else old_path
        blank = b" " in first + second
        lines.insert(0, b"diff --git %s %s\n" % (quoted(b"a/" + first, blank), quoted(b"b/" + second, blank)))
    return lines


def _summary(
    what: bytes,
    old: bytes | None,
    new: bytes | None,
    old_path: bytes,
    new_path: bytes,
    old_mode: int | None,
    new_mode: int | None,
) -> bytes:
    told = f"{_size(old)} -> {_size(new)}" if old != new else f"{_size(old)}, the same content"
    if (
        old is not None
        and new is not None
        and old_mode is not None
        and new_mode is not None
        and old_mode != new_mode
    ):
        told += f", mode {old_mode:o} -> {new_mode:o}"
    return b"%s %s and %s differ (%s)\n" % (
        what,
        _side(b"a/", old, old_path),
        _side(b"b/", new, new_path),
        told.encode(),
    )


def _size(data: bytes | None) -> str:
    if data is None:
        return "absent"
    return f"{len(data):,} byte{'s' * (len(data) != 1)}"


def _hunks(old: list[bytes], new: list[bytes], context: int) -> Iterator[bytes]:
    group: list[Opcode] = []
    for code in opcodes(old, new):
        tag, i1, i2, j1, j2 = code
        if tag != "equal":
            group.append(code)
        elif not group:
            first = max(i1, i2 - context)
            group.append(("equal", first, i2, j2 - (i2 - first), j2))
        elif i2 - i1 > 2 * context:
            group.append(("equal", i1, i1 + context, j1, j1 + context))
            yield from _hunk(old, new, group)
            group = [("equal", i2 - context, i2, j2 - context, j2)]
        else:
            group.append(code)
    if any(code[0] != "equal" for code in group):
        tag, i1, i2, j1, j2 = group[-1]
        if tag == "equal":
            last = min(i2, i1 + context)
            group[-1] = ("equal", i1, last, j1, j1 + last - i1)
        yield from _hunk(old, new, group)


def _hunk(old: list[bytes], new: list[bytes], group: list[Opcode]) -> Iterator[bytes]:
    yield b"@@ -%s +%s @@\n" % (_range(group[0][1], group[-1][2]), _range(group[0][3], group[-1][4]))
    for tag, i1, i2, j1, j2 in group:
        if tag == "equal":
            yield from map(_line, [b" "] * (i2 - i1), old[i1:i2])
        else:
            yield from map(_line, [b"-"] * (i2 - i1), old[i1:i2])
            yield from map(_line, [b"+"] * (j2 - j1), new[j1:j2])


def _range(first: int, end: int) -> bytes:
    # an empty range is named by the line before it
    if end - first == 1:
        return b"%d" % end
    return b"%d,%d" % (first + (end > first), end - first)


def _line(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n\\ No newline at end of file\n"
