"""reader: the bytes of one file as they stood at one moment, or why there are none; and the same of bytes that history kept.

The first 8 KiB decide what a file is; binary and too large files cost no more than those. What is read whole is read stable: if
the file changed meanwhile it is read again, and after several times given back as "unstable" for the daemon to send later.

Threading: pure functions over a descriptor; callable from any thread. Blocks on the disk, so not for an event loop.
"""

import errno
import os
import re
from hashlib import blake2b

import filetype

from lsfs.beneath import open_regular
from lsfs.engine import encoding
from lsfs.engine.document import Content
from lsfs.engine.types import OLE, PICTURES, TYPES, binary_type, suffix_of, type_of

DIGEST = 32  # bytes of a blake2b, by which the index and history know a content
HEAD = 8192
TAIL = 65536  # the directory of a zip stands at its end
_TRIES = 3
_CHUNK = 1 << 20
_DENIED = (errno.EACCES, errno.EPERM)
_GONE = (
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.ESTALE,
    errno.ENXIO,
    errno.ENODEV,
    errno.EISDIR,
    errno.EINVAL,
)

# a marker that begins a line, or one that a key follows; prose and code that only name the marker are no secrets
_KEY = re.compile(
    rb"(?:^[ \t>\"'|]{0,16}-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    rb"|-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----BEGIN )[\s\S]){0,300}?(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}"
    rb"|^PuTTY-User-Key-File-\d"
    rb"|AGE-SECRET-KEY-1[A-Z0-9]{20})",
    re.MULTILINE,
)
_MARKS = (b"PRIVATE KEY", b"PuTTY-User-Key-File-", b"AGE-SECRET-KEY-1")
_BOOKS = (
    "xlsx",
    "xlsm",
    "xlsb",
    "xltx",
)  # their directory may be longer than what is looked at, and is theirs to lay out
_IN_OLE = {"xls": "xls", "xlt": "xls"} | {
    suffix: row.name for row in TYPES if row.name in ("docx", "pptx", "xlsx") for suffix in row.suffixes
}
_MBOX = re.compile(rb"From \S+ [^\n]{0,80}\d{4}\r?\n[!-9;-~]{1,76}:")
_FIELD = re.compile(rb"[!-9;-~]{1,76}:")
_MAIL = re.compile(
    rb"^(?:Received|Message-ID|MIME-Version|Return-Path|Delivered-To|DKIM-Signature|From): ?", re.I | re.M
)
_HTML = re.compile(  # atomic: where a comment may end at any of a thousand places, five of them end in years of ways
    rb"\s*+(?:(?><\?xml[^>]{0,200}>|<!--[\s\S]{0,2000}?-->)\s*+){0,5}+<(?:!doctype\s+html|html)[\s>]", re.I
)


def read_file(root_fd: int, path: bytes, max_size: int = 64 << 20, pictures: bool = False) -> Content:
    """Read `path` below `root_fd` for indexing.

    Never follows a symlink, crosses a mount, or opens what is no regular file. Files above `max_size` bytes are "other" with a
    sentence, and so are pictures unless `pictures`. Raises no OSError for anything that a file can do; see Content for the states.
    """
    found = None
    try:
        for _ in range(_TRIES):
            fd, _ = open_regular(root_fd, path, xdev=False)
            try:
                found = os.fstat(fd)  # of the descriptor that is read, so that a rename between cannot lie
                content = _read(fd, path, found, max_size, pictures)
            finally:
                os.close(fd)
            if content is not None:
                return content
    except OSError as error:
        return _refused(error)
    name = type_of(path)
    return Content(
        "unstable", name, stat=found, error="The file changed each time it was read; it is read again later."
    )


def _refused(error: OSError) -> Content:
    if error.errno in _DENIED:
        return Content("unreadable", error="lsfs may not read this file.")
    if error.errno == errno.EXDEV:
        return Content(
            "unreadable", error="The file lies on another file system, where the index does not go."
        )
    if error.errno in _GONE:
        return Content("gone", error="The file is gone, or no regular file any more.")
    return Content("unreadable", error=f"Reading the file failed: {error.strerror}.")


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns, one.st_ctime_ns) == (
        other.st_size,
        other.st_mtime_ns,
        other.st_ctime_ns,
    )


def _read(fd: int, path: bytes, found: os.stat_result, max_size: int, pictures: bool) -> Content | None:
    """One attempt; None where the file changed while it was read."""
    head = os.pread(fd, HEAD, 0)
    tail = b""
    if head.startswith(b"PK\x03\x04") and found.st_size > HEAD:
        tail = os.pread(fd, TAIL, max(HEAD, found.st_size - TAIL))
    kind, readable = classify(head, path, tail)
    readable = readable or (pictures and kind in PICTURES)
    if not readable or found.st_size > max_size:
        return _headed(kind, readable, head, max_size, found) if _same(found, os.fstat(fd)) else None
    parts: list[bytes] = []
    size = 0
    while part := os.read(fd, _CHUNK):
        parts.append(part)
        size += len(part)
        if size > found.st_size:
            return None
    if size != found.st_size or not _same(found, os.fstat(fd)):
        return None
    return _whole(kind, b"".join(parts), found)


def of_bytes(data: bytes, name: bytes, max_size: int = 64 << 20) -> Content:
    """What `read_file` gives of a file called `name` that holds `data`; without a stat."""
    head = data[:HEAD]
    kind, readable = classify(head, name, data[max(HEAD, len(data) - TAIL) :])
    if not readable or len(data) > max_size:
        return _headed(kind, readable, head, max_size, None)
    return _whole(kind, data, None)


def too_large(max_size: int) -> str:
    """The sentence about a file that is left out."""
    return f"The file is larger than max_file_size ({max_size} bytes); its text is not indexed."


def _headed(kind: str, readable: bool, head: bytes, max_size: int, found: os.stat_result | None) -> Content:
    """What has no text, or more of it than is read."""
    if readable and has_key(head):
        return Content("secret", stat=found)
    return Content("other", kind, stat=found, error=too_large(max_size) if readable else None)


def _whole(kind: str, data: bytes, found: os.stat_result | None) -> Content:
    """A text, or a rich format, of which every byte is there."""
    if has_key(data):
        return Content("secret", stat=found)
    return Content("text", kind, blake2b(data, digest_size=DIGEST).digest(), data, found)


def has_key(data: bytes) -> bool:
    """Whether a private key stands in `data` (PEM, OpenSSH, PGP, PuTTY, age)."""
    return any(mark in data for mark in _MARKS) and _KEY.search(data) is not None


def classify(head: bytes, name: bytes, tail: bytes = b"") -> tuple[str, bool]:
    """The type of a file by its first bytes (and a zip's last), and whether there is text in it to be had.

    The suffix only tells one kind of text from another: a PDF named .txt is a PDF, a picture named .md is a picture.
    """
    if head.startswith(b"%PDF-"):
        return "pdf", True
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(head, tail, name)
    if head.startswith(OLE) and suffix_of(name) in _IN_OLE:
        return _IN_OLE[suffix_of(name)], True
    if head.startswith(b"{\\rtf"):
        return "office", False
    if head.startswith(b"%!PS"):
        return "binary", False
    if not encoding.is_text(head):
        if b"%PDF-" in head[:1024]:  # the standard lets junk stand before it
            return "pdf", True
        return _binary(head), False
    if not encoding.is_utf8(head) and encoding.wide(head) is None and filetype.guess(head) is not None:
        return _binary(
            head
        ), False  # bytes that could be some old encoding, but are known to be a sound or a picture
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "html", True
    kind = type_of(name, head)
    return "mail" if kind == "text" and _is_mail(head) else kind, True


def _is_mail(head: bytes) -> bool:
    """Whether a text without a telling name is a message or a mailbox, as in a Maildir: headers that no person writes."""
    if _MBOX.match(head) is not None:
        return True
    headers = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    return _FIELD.match(headers) is not None and len(_MAIL.findall(headers)) >= 2


def _binary(head: bytes) -> str:
    found = filetype.guess(head)
    return binary_type(found.extension) if found is not None else "binary"


def _zip_type(head: bytes, tail: bytes, name: bytes) -> tuple[str, bool]:
    if b"mimetypeapplication/epub+zip" in head[:200]:
        return "epub", True
    for kind, said in ((b"text", "odt"), (b"spreadsheet", "ods"), (b"presentation", "odp")):
        if b"mimetypeapplication/vnd.oasis.opendocument." + kind in head[:200]:
            return said, True
    names = head + tail
    if b"word/document.xml" in names:
        return "docx", True
    if b"ppt/presentation.xml" in names:
        return "pptx", True
    if b"xl/workbook.xml" in names or b"xl/workbook.bin" in names or suffix_of(name) in _BOOKS:
        return "xlsx", True
    return "archive", False
