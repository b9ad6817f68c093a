"""mail: messages (.eml, .mbox, what a Maildir holds) as a person reads them, each word on the line of the file where it stands.

From, To, Cc, Subject and Date are decoded, other headers are left out; of text/plain beside text/html the plain one is read; what is
encoded (base64, quoted-printable) is decoded and stands from the line on where its code begins; an attachment is named, and read where it
is text; a message within a message is read as one. Each message is a section under its subject.

    From: Anna Müller <anna@example.org>
    Subject: Refunds in March

The walk over the lines is flat, so no nesting of parts can exhaust the stack. Runs in the extractor child.
"""

import binascii
import contextlib
import email.parser
import email.policy
import io
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import pairwise

from lsfs.engine.document import Document, Section
from lsfs.engine.encoding import clean, decode
from lsfs.engine.formats import MAX_TEXT, Unreadable
from lsfs.engine.formats.html import visible

_SHOWN = ("from", "to", "cc", "subject", "date")
_LINES = 2000  # of one part's headers
_VALUE = 8192  # bytes of one header: the library takes quadratic time and memory for some
_DEEP = 100  # parts within parts
_PARTS = 5000  # of one message
_TITLE = 120
# begins a message of an mbox; it says the time, as "From March 2024 we charge" does not
_ENVELOPE = re.compile(rb"From \S[^\n]{0,150}?\d\d?:\d\d[^\n]{0,50}\d{4}")
_FIELD = re.compile(rb"([!-9;-~]{1,76}):")
_PARSER = email.parser.HeaderParser(policy=email.policy.default.clone(max_line_length=None))


@dataclass(slots=True, eq=False)
class _Part:
    """A part of a message: where its headers and its body are, and what they say."""

    line: int
    boundary: bytes = b""
    parted: bool = False  # the boundary has been met
    message: bool = True  # its headers are those of a message
    alternative: bool = False  # its parts say the same
    answer: "_Part | None" = None  # the one of them that is read
    header: list[bytes] = field(default_factory=list)
    kind: str = ""
    charset: str = ""
    coding: str = ""
    attached: bool = False


def parse(data: bytes) -> Document:
    """The text of a message or a mailbox, in the lines of the file. Raises Unreadable."""
    lines: list[str] = []
    sections: list[Section] = []
    size = 0
    for first, message in _messages(data):
        lines.extend([""] * (first - len(lines)))
        subject = _Message(lines).read(message)
        while lines and not lines[-1]:
            lines.pop()
        if len(lines) > first:
            sections.append(Section(first + 1, len(lines), subject[:_TITLE] or "no subject"))
        size += sum(map(len, lines[first:]))
        if size + len(lines) > MAX_TEXT:
            break
    if not sections:
        raise Unreadable("The file holds no message that can be read.")
    title = (
        sections[0].title if len(sections) == 1 else ""
    )  # a mailbox has none that is true of all its messages
    return Document("mail", "\n".join(lines), title, sections=tuple(sections))


def _messages(data: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """(lines before it, lines) of each message."""
    held: list[bytes] = []
    first, blank = 0, True
    mbox = _ENVELOPE.match(data[:4096].lstrip()) is not None
    for number, line in enumerate(io.BytesIO(data)):
        if mbox and blank and line.startswith(b"From ") and _ENVELOPE.match(line):
            if held:
                yield first, held
            held, first = [], number + 1
            blank = False
            continue
        held.append(line)
        blank = not line.strip()
    if held:
        yield first, held


class _Message:
    """Reads one message into `lines`, which hold what is before it."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.subject = ""

    def read(self, message: list[bytes]) -> str:
        """Add the lines of a message; its subject."""
        base = len(self.lines)
        stack = [_Part(0)]
        heading, body = True, 0
        part, parts = stack[0], 0
        for number, line in enumerate(message):
            if heading:
                if line.strip(b"\r\n") and _header(line, first=not part.header):
                    if len(part.header) < _LINES:
                        part.header.append(line)
                    continue
                empty = not line.strip(b"\r\n")
                heading, body = False, number + 1 if empty else number
                self._begin(part, base)
                if part.kind == "message/rfc822":
                    if empty and len(stack) < _DEEP:
                        inner = _Part(body)
                        stack.append(inner)
                        part, heading = inner, True
                    else:
                        part.kind = "text/plain"
                if empty or heading:
                    continue
            if line.startswith(b"--"):
                at = _bounded(stack, line)
                if at is not None:
                    self._body(part, stack, message[body:number], base + body)
                    del stack[at + 1 :]
                    part = stack[at]
                    part.parted = True
                    body = number + 1
                    if not line.rstrip().endswith(b"--") or line.rstrip() == b"--" + part.boundary:
                        inner = _Part(number + 1, message=False)
                        parts += 1
                        if len(stack) < _DEEP and parts < _PARTS:
                            stack.append(inner)
                            part, heading = inner, True
        if heading:
            self._begin(part, base)
        else:
            self._body(part, stack, message[body:], base + body)
        return self.subject

    def _put(self, line: int, text: str) -> None:
        """Put `text` on a line counted from 0, after what is there already."""
        while len(self.lines) <= line:
            self.lines.append("")
        self.lines[line] = f"{self.lines[line]} {text}".strip() if self.lines[line] else text

    def _begin(self, part: _Part, base: int) -> None:
        """Read a part's headers: what it is, and what of them is shown."""
        headers: EmailMessage = _PARSER.parsestr(decode(_fields(part.header)) or "")
        part.kind = headers.get_content_type()
        part.charset = _said(headers.get_param("charset", ""))
        part.coding = str(headers.get("content-transfer-encoding", "")).strip().lower()
        part.boundary = _said(headers.get_boundary("")).encode("utf-8", "surrogateescape")
        if not part.kind.startswith("multipart/"):
            part.boundary = b""
        elif not part.boundary:
            part.kind = "text/plain"
        part.alternative = part.kind == "multipart/alternative"
        at = base + part.line
        if part.message:
            for number, name in _named(part.header):
                if name in _SHOWN:
                    value = " ".join(clean(_value(headers, name)).split())
                    if value:
                        self._put(at + number, f"{name.capitalize()}: {value}")
                    if name == "subject" and not self.subject:
                        self.subject = value
        name = " ".join(clean(_said(headers.get_filename(""))).split())
        part.attached = headers.get_content_disposition() == "attachment" or bool(name)
        if name and not part.message:
            self._put(at, f"Attachment: {name}")

    def _body(self, part: _Part, stack: list[_Part], body: list[bytes], line: int) -> None:
        if part.boundary and not part.parted:  # its parts never came: it was cut off, or says what is not so
            part.kind = "text/plain"
        if part.parted or not part.kind.startswith("text/") or part.kind == "text/rtf":
            return
        group, branch = next(
            (pair for pair in reversed(list(pairwise(stack))) if pair[0].alternative), (None, None)
        )
        if group is not None and group.answer not in (None, branch) and not part.attached:
            return
        found = _decoded(part, body)
        while found and not found[-1].strip():  # after the last line end there is nothing
            found.pop()
        if group is not None and not part.attached and any(text.strip() for text in found):
            group.answer = branch
        room = len(body)
        if (
            len(found) > room
        ):  # decoded, it has more lines than its code had: blank ones go, then what is left over is one
            found = [text for text in found if text.strip()]
            found = [*found[: max(room - 1, 0)], " ".join(found[max(room - 1, 0) :])]
        for number, text in enumerate(found):
            if text.strip():
                self._put(line + number, text)


def _header(line: bytes, first: bool) -> bool:
    """Whether a line is one of headers. The `first` continues none, but may be what a mailbox has before them."""
    return (
        line.startswith((b"From ", b">From ") if first else (b" ", b"\t")) or _FIELD.match(line) is not None
    )


def _fields(header: list[bytes]) -> bytes:
    """Headers, none of them longer than is good."""
    kept: list[bytes] = []
    room = _VALUE
    for line in header:
        if line[:1] not in (b" ", b"\t"):
            room = _VALUE
        if room > 0:
            kept.append(line if len(line) <= room else line[:room] + b"\n")
        room -= len(line)
    return b"".join(kept)


def _named(header: list[bytes]) -> Iterator[tuple[int, str]]:
    """(line, name) of the first header of each name."""
    seen = set()
    for number, line in enumerate(header):
        found = _FIELD.match(line)
        name = found[1].decode("ascii").lower() if found else ""
        if name and name not in seen:
            seen.add(name)
            yield number, name


def _value(headers: EmailMessage, name: str) -> str:
    try:
        return str(headers.get(name, ""))
    except (ValueError, IndexError, AttributeError, LookupError, TypeError):
        return ""  # the standard library's parser of addresses fails on some that are malformed


def _said(value: object) -> str:
    return value if isinstance(value, str) else ""


def _bounded(stack: list[_Part], line: bytes) -> int | None:
    """Which of the open parts this line is a boundary of."""
    name = line.rstrip()[2:]
    names = (name, name.removesuffix(b"--"))
    for at in range(len(stack) - 1, -1, -1):
        if stack[at].boundary and stack[at].boundary in names:
            return at
    return None


def _decoded(part: _Part, body: list[bytes]) -> list[str]:
    """The lines of a body; but for base64 as many as it has in the file."""
    if part.coding == "base64":
        joined = _base64(b"".join(body))
    elif part.coding == "quoted-printable":
        joined = _printable(body)
    else:
        joined = b"".join(body)
    text = _text(joined, part.charset)
    if part.kind == "text/html":
        text = visible(text)[1]
        if part.coding == "base64":
            text = re.sub(r"\n\s*\n\s*", "\n\n", text)
    return [line if not line.startswith(">From ") else line[1:] for line in text.split("\n")]


def _printable(body: list[bytes]) -> bytes:
    """Quoted-printable decoded; where lines are joined, empty ones follow for those that are gone."""
    parts: list[bytes] = []
    held: list[bytes] = []
    for line in body:
        held.append(line)
        if not line.rstrip().endswith(b"="):
            parts.append(quopri.decodestring(b"".join(held)) + b"\n" * (len(held) - 1))
            held = []
    return b"".join(parts) + quopri.decodestring(b"".join(held))


def _base64(code: bytes) -> bytes:
    code = re.sub(rb"[^A-Za-z0-9+/]", b"", code)
    try:
        return binascii.a2b_base64(code[: len(code) // 4 * 4] + code[len(code) // 4 * 4 :].ljust(4, b"="))
    except binascii.Error:
        return binascii.a2b_base64(code[: len(code) // 4 * 4])


def _text(data: bytes, charset: str) -> str:
    """Text in the encoding that it names, or in the one that it shows."""
    name = "cp1252" if charset.lower() in ("iso-8859-1", "latin1", "us-ascii", "") else charset
    with contextlib.suppress(UnicodeDecodeError):
        return clean(data.decode("utf-8"))
    if charset:
        with contextlib.suppress(LookupError, UnicodeError, ValueError):
            return clean(data.decode(name, "replace"))
    return decode(data) or ""
