"""http: what `lsfs serve` makes of a request, and what it says of a file. Pure: no socket, no file.

Any program on this machine, and any page in a browser on it, can send requests here. A page must not learn anything, even by way of a name
of its own that leads to this address (DNS rebinding): so Host has to be ours, Origin too where there is one, and what a page embeds instead
of a person following a link is refused. No answer carries a permission to read it from elsewhere (CORS), runs a script, or is kept.
"""

import mimetypes
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import quote, unquote_to_bytes

Headers = list[tuple[bytes, bytes]]

TARGET = re.compile(rb"/l/([A-Za-z0-9_-]{1,200})/([^/?#]{1,800})")
METHODS = (b"GET", b"HEAD")
_RANGE = re.compile(rb"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.IGNORECASE)
_SEEN = b"!#$&+-.^_`|~"  # besides letters and digits, what RFC 5987 lets stand for itself

UNKNOWN = "application/octet-stream"
_TYPES = mimetypes.MimeTypes()  # Python's own: what a machine says of types is not ours
_TYPES.add_type("text/markdown", ".md")
_TYPES.add_type("text/markdown", ".markdown")
_PACKED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
SHOWN = ("text/", "image/", "audio/", "video/", "application/pdf", "application/json")
"""Types that a browser shows; all others it saves."""
ALONE = (
    b"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

REASONS = {
    200: b"OK", 206: b"Partial Content", 400: b"Bad Request", 403: b"Forbidden", 404: b"Not Found", 405: b"Method Not Allowed",
    408: b"Request Timeout", 410: b"Gone", 416: b"Range Not Satisfiable", 421: b"Misdirected Request", 503: b"Service Unavailable",
}  # fmt: skip
SENTENCES = {
    400: "This is no request that can be understood.",
    403: "This is not for you.",
    404: "There is nothing here.",
    405: "This can only be read.",
    408: "The request took too long.",
    410: "This link has ended.",
    416: "The file is not that long.",
    421: "This server is not called so.",
    503: "The mount does not answer now.",
}


class Refused(Exception):
    """The answer is this status, with these headers besides."""

    def __init__(self, status: int, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(status)
        self.status = status
        self.headers = list(headers)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for a file: `name` is what the URL calls it; `range` as it was sent, or None."""

    token: str
    name: bytes
    head: bool
    range: bytes | None


def hosts(port: int) -> frozenset[bytes]:
    """What a request may call this server."""
    names = ("localhost", "127.0.0.1", "[::1]")
    found = {f"{name}:{port}".encode() for name in names}
    return frozenset(found | {name.encode() for name in names} if port == 80 else found)


def wanted(method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]], own: frozenset[bytes]) -> Wanted:  # fmt: skip
    """What a request asks for; names of headers are in lower case. Raises Refused."""
    said: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        said.setdefault(name, []).append(value)
    if len(said.get(b"host", ())) != 1 or said[b"host"][0].lower() not in own:
        raise Refused(421)
    if method not in METHODS:
        raise Refused(405, (b"Allow", b", ".join(METHODS)))
    origins = {b"http://" + host for host in own}
    if any(origin.lower() not in origins for origin in said.get(b"origin", ())):
        raise Refused(403)
    if _embedded(said):
        raise Refused(403)
    match = TARGET.fullmatch(target)
    if match is None:
        raise Refused(404)
    name = unquote_to_bytes(match[2])
    ranges = said.get(b"range", [])
    range = ranges[0] if len(ranges) == 1 and b"if-range" not in said else None
    return Wanted(match[1].decode(), name, method == b"HEAD", range)


def _embedded(said: dict[bytes, list[bytes]]) -> bool:
    """Does a page of somebody else ask, for an image, a script, a frame? (That of another port of this machine is somebody else's.) Who
    follows a link may come from everywhere. Programs, and browsers older than these headers, send none."""
    if b"sec-fetch-site" not in said:
        return False
    if all(site in (b"same-origin", b"none") for site in said[b"sec-fetch-site"]):
        return False
    return said.get(b"sec-fetch-mode") != [b"navigate"] or said.get(b"sec-fetch-dest") != [b"document"]


def span(text: bytes | None, size: int) -> tuple[int, int] | None:
    """The first byte that a Range asks for and the one behind the last; None for the whole, as for several ranges at once and for units
    that nobody knows. Raises Refused where the file has no such byte."""
    match = None if text is None else _RANGE.fullmatch(text)
    if match is None or match[1] == match[2] == b"":
        return None
    if match[1] == b"":
        first, end = max(0, size - int(match[2])), size
    else:
        first, end = int(match[1]), size if match[2] == b"" else int(match[2]) + 1
        if match[2] != b"" and end <= first:
            return None
    end = min(end, size)
    if first >= end:
        raise Refused(416, (b"Content-Range", b"bytes */%d" % size))
    return first, end


def of_file(name: bytes, size: int, part: tuple[int, int] | None) -> tuple[int, Headers]:
    """Status and headers of a file, or of a part of it."""
    type, shown = type_of(name)
    first, end = (0, size) if part is None else part
    headers = [
        (b"Content-Type", type.encode()),
        (b"Content-Length", b"%d" % (end - first)),
        (b"Content-Disposition", disposition(name, shown)),
        (b"Accept-Ranges", b"bytes"),
        (b"Content-Security-Policy", policy(type)),
    ]
    if part is None:
        return 200, headers + always()
    return 206, [*headers, (b"Content-Range", b"bytes %d-%d/%d" % (first, end - 1, size)), *always()]


def of_refusal(error: Refused) -> tuple[int, Headers, bytes]:
    """Status, headers and text of an answer that is no file."""
    text = (SENTENCES[error.status] + "\n").encode()
    headers = [
        (b"Content-Type", b"text/plain; charset=utf-8"),
        (b"Content-Length", b"%d" % len(text)),
        (b"Content-Security-Policy", b"sandbox; " + ALONE),
    ]
    return error.status, headers + error.headers + always(), text


def always() -> Headers:
    """What every answer says."""
    return [
        (b"Date", formatdate(usegmt=True).encode()),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Cache-Control", b"no-store"),
        (b"Referrer-Policy", b"no-referrer"),
        (b"Cross-Origin-Resource-Policy", b"same-origin"),
        (b"Cross-Origin-Opener-Policy", b"same-origin"),
        (b"X-Frame-Options", b"DENY"),
        (b"Connection", b"close"),
    ]


def type_of(name: bytes) -> tuple[str, bool]:
    """The type of a file by its name, and whether a browser is to show it."""
    text = re.sub("[^!-~]", "_", name.decode("utf-8", "replace"))
    found, packed = _TYPES.guess_type("file:///" + quote(text))
    type = (_PACKED.get(packed, UNKNOWN) if packed else found) or UNKNOWN
    if type.startswith("text/"):
        return f"{type}; charset=utf-8", True
    return type, type.startswith(SHOWN)


def policy(type: str) -> bytes:
    """What a browser may do with it: no script, no request, no frame. (In a sandbox it would not show a PDF.)"""
    return b"frame-ancestors 'none'" if type == "application/pdf" else b"sandbox; " + ALONE


def disposition(name: bytes, shown: bool) -> bytes:
    """Content-Disposition. No byte of a name ends the header, or shows another suffix than there is."""
    text = "".join(
        "_" if unicodedata.category(character)[0] == "C" or character in '/\\"' else character
        for character in name.decode("utf-8", "replace")
    )
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", text).encode()
    how = b"inline" if shown else b"attachment"
    return how + b'; filename="' + plain + b"\"; filename*=UTF-8''" + quote(text, safe=_SEEN).encode()
