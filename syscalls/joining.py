"""joining: several contents as one, as their format wants it. Pure.

    text, code     one after the other, a line break between where there is none
    Markdown       a blank line between; the front matter of the first is that of the whole, that of the others stands as a block of YAML
    CSV, TSV       the same header, once; another header is refused
    JSON lines     each line one JSON value
    JSON           arrays, as one array, each element as it is written
    YAML           documents, with `---` between
    PDF            the pages of all, by a library (`lsfs.conversion`)

HTML, XML and TOML make no one file of two, and are refused.

What is joined is text in UTF-8, or refused: bytes that are none would be joined into something that nothing reads. The line breaks are
those of the first (CRLF or LF), for what is put between; nothing that a file says is changed.
"""

import csv
import json
import os
import re
from collections.abc import Callable, Sequence

from syscalls.errors import InvalidArgument, NotText

Part = tuple[str, bytes]
"""The name of a file, for what is said of it, and its bytes."""

BOM = b"\xef\xbb\xbf"
KINDS = {
    "md": "markdown", "markdown": "markdown", "mdown": "markdown", "mkd": "markdown",
    "csv": "csv", "tsv": "tsv", "tab": "tsv",
    "jsonl": "jsonl", "ndjson": "jsonl", "json": "json", "pdf": "pdf", "yaml": "yaml", "yml": "yaml",
    "html": "html", "htm": "html", "xhtml": "html", "xml": "xml", "svg": "xml", "toml": "toml",
}  # fmt: skip
TEXTS = ("text", "markdown")
"""What may stand in one file: Markdown is text."""
ALONE = ("html", "xml", "toml")
"""What two files of it do not make."""


def kind_of(name: str) -> str:
    """How a file of this name is joined, by its suffix: "text" for all others."""
    return KINDS.get(os.path.splitext(name)[1].lstrip(".").lower(), "text")


def kind_for(target: str, names: Sequence[str]) -> str:
    """How files are joined into `target`. Raises InvalidArgument where they are of kinds that make no one file."""
    kinds = [kind_of(name) for name in names]
    for name, kind in zip(names, kinds, strict=True):
        if kind in ALONE:
            raise InvalidArgument(
                f"{name} is {_called(kind)}, of which two make no one file; `translate` it to md or txt first, or use cat."
            )
    wanted = kind_of(target)
    if set(kinds) <= set(TEXTS) and wanted in TEXTS:
        return "markdown" if wanted == "markdown" or set(kinds) == {"markdown"} else "text"
    for name, kind in zip(names, kinds, strict=True):
        if kind != wanted and not (wanted == "text" and set(kinds) <= {kind}):
            raise InvalidArgument(
                f"{name} is {_called(kind)}, and {target} is to be {_called(wanted)}: join files of one format,"
                " or `translate` them first."
            )
    return kinds[0] if wanted == "text" else wanted


def joined(kind: str, parts: Sequence[Part]) -> bytes:
    """The contents as one, of one of the kinds but pdf. Raises NotText, and InvalidArgument where a content is not of its kind."""
    return _KINDS[kind]([(name, _checked(name, data)) for name, data in parts])


def _called(kind: str) -> str:
    return {"text": "text", "markdown": "Markdown", "jsonl": "JSON lines"}.get(kind, kind.upper())


def _checked(name: str, data: bytes) -> bytes:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotText(
            f"{name} is no text in UTF-8 (byte {error.start}); only text and PDF can be joined."
        ) from None
    if b"\0" in data:
        raise NotText(f"{name} has NUL bytes, so it is no text; only text and PDF can be joined.")
    return data


def _break(parts: Sequence[Part]) -> bytes:
    """The line break of the first part that has one."""
    for _, data in parts:
        first = data.find(b"\n")
        if first >= 0:
            return b"\r\n" if first and data[first - 1 : first] == b"\r" else b"\n"
    return b"\n"


def _bare(parts: Sequence[Part]) -> list[bytes]:
    """The contents; a byte order mark stands only at the very beginning."""
    return [data if not number else data.removeprefix(BOM) for number, (_, data) in enumerate(parts)]


def _text(parts: Sequence[Part]) -> bytes:
    end = _break(parts)
    pieces: list[bytes] = []
    for data in filter(None, _bare(parts)):
        if pieces and not pieces[-1].endswith(b"\n"):
            pieces.append(end)
        pieces.append(data)
    return b"".join(pieces)


def _markdown(parts: Sequence[Part]) -> bytes:
    end = _break(parts)
    pieces: list[bytes] = []
    for number, data in enumerate(_bare(parts)):
        if number:
            matter, rest = front_matter(data)
            if matter:
                data = b"```yaml" + end + matter + b"```" + end + rest
        if not data.strip():
            continue
        if pieces:
            tail = pieces[-1]
            pieces.append(
                b"" if tail.endswith((b"\n\n", b"\r\n\r\n")) else end if tail.endswith(b"\n") else end + end
            )
        pieces.append(data)
    return b"".join(pieces)


def front_matter(data: bytes) -> tuple[bytes, bytes]:
    """What stands between the `---` lines at the beginning of a Markdown file, and what comes after them; b"" where there is none."""
    lines = data.splitlines(keepends=True)
    if not lines or lines[0].rstrip() != b"---":
        return b"", data
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in (b"---", b"..."):
            return b"".join(lines[1:number]), b"".join(lines[number + 1 :])
    return b"", data


def _documents(parts: Sequence[Part]) -> bytes:
    """YAML: a document ends where the next one begins with `---`."""
    pieces: list[Part] = []
    for name, data in parts:
        if pieces and not re.match(rb"(?:#[^\n]*\n|\s)*---(?:\s|\Z)", data.removeprefix(BOM)):
            pieces.append(("", b"---" + _break(parts)))
        pieces.append((name, data))
    return _text(pieces)


def _table(delimiter: str | None) -> Callable[[Sequence[Part]], bytes]:
    def join(parts: Sequence[Part]) -> bytes:
        kept: list[Part] = []
        known: tuple[str, list[str]] | None = None
        for name, data in [(name, data) for (name, _), data in zip(parts, _bare(parts), strict=True)]:
            if not data.strip():
                continue
            between, header, rest = _header(name, data, delimiter)
            if known is None:
                known = between, header
                kept.append((name, data))
            elif header != known[1]:
                raise InvalidArgument(
                    f"{name} has the columns {', '.join(header)[:200]}, and {kept[0][0]} has {', '.join(known[1])[:200]}:"
                    " tables are joined when their headers agree."
                )
            elif between != known[0] and len(header) > 1:
                raise InvalidArgument(
                    f"{name} has {between!r} between its columns, and {kept[0][0]} has {known[0]!r}: tables are joined when they are"
                    " written alike."
                )
            else:
                kept.append((name, rest))
        return _text(kept)

    return join


def _header(name: str, data: bytes, delimiter: str | None) -> tuple[str, list[str], bytes]:
    """What stands between columns, the fields of the first record, and what comes after it; a quoted field may hold line breaks."""
    lines = data.removeprefix(BOM).splitlines(keepends=True)
    if delimiter is None:
        first = re.sub('"[^"]*"', "", lines[0].decode("utf-8"))
        delimiter = max(",", ";", "\t", key=first.count)
    # line by line: a quote that is never closed ends at the limit of a field, not at the end of the file
    records = csv.reader((line.decode("utf-8") for line in lines), delimiter=delimiter, strict=True)
    try:
        fields = next(records)
    except (csv.Error, StopIteration) as error:
        raise InvalidArgument(f"{name} does not begin with a header: {error}.") from None
    return delimiter, [field.strip() for field in fields], b"".join(lines[records.line_num :])


def _lines(parts: Sequence[Part]) -> bytes:
    for name, data in parts:
        for number, line in enumerate(data.removeprefix(BOM).split(b"\n"), 1):
            if line.strip():
                _json(f"Line {number} of {name}", line)
    return _text(parts)


def _array(parts: Sequence[Part]) -> bytes:
    """The elements as they are written: a number keeps its digits, an object its order and what it says twice."""
    pieces: list[bytes] = []
    for name, data in parts:
        data = data.removeprefix(BOM)
        if not isinstance(_json(name, data), list):
            raise InvalidArgument(
                f"{name} holds no array; only arrays are joined as JSON (JSON lines are called .jsonl)."
            )
        inner = data.strip(b" \t\r\n")[1:-1].strip(b"\r\n").rstrip(b" \t\r\n")
        if inner.strip(b" \t\r\n"):
            pieces.append(inner)
    end = _break(parts)
    return b"[" + end + (b"," + end).join(pieces) + (end if pieces else b"") + b"]" + end


def _json(what: str, data: bytes) -> object:
    try:
        return json.loads(data, parse_constant=_no_constant, parse_int=len)
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"{what} is no JSON: {str(error)[:100]}.") from None


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no number")


_KINDS: dict[str, Callable[[Sequence[Part]], bytes]] = {
    "text": _text,
    "markdown": _markdown,
    "csv": _table(None),
    "tsv": _table("\t"),
    "jsonl": _lines,
    "json": _array,
    "yaml": _documents,
}
