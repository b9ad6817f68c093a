"""html: the visible text of a page, each word on the line where it stands in the file.

Line N of the text is line N of the source, so `page.html:120` can be opened in an editor; markup leaves blanks. Navigation,
scripts and styles are dropped, headings are marked as in Markdown. The tokenizer is the standard library's, because it
alone says where in the source a piece of text came from.

Runs in the extractor child. A piece of markup that nothing ends makes the tokenizer look at all that follows, and so does the next one.
That is given up after PATIENCE characters, and the rest taken for text; a page that was cut off has one such piece, near its end.
"""

import re
from html import unescape
from html.parser import HTMLParser

from lsfs.engine.document import Document
from lsfs.engine.encoding import clean, decode
from lsfs.engine.formats import Unreadable

_DROPPED = frozenset(
    {
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "nav",
        "iframe",
        "object",
        "select",
        "datalist",
    }
    | {"canvas", "audio", "video", "button"}
)
# a forgotten end tag must not swallow the page: these end whatever is being dropped
_RESTART = frozenset(["body", "main", "article", "h1", "header", "footer"])
_RAW = frozenset({"script", "style"})
_INLINE = frozenset(
    {
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
    }
    | {
        "kbd",
        "label",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
    }
    | {"var", "wbr"}
)
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
PATIENCE = 4 << 20  # a second or two
_MARKUP = re.compile(r"</?[a-zA-Z!?][^<>]*+>")
_COMMENT = re.compile(r"<!--[\s\S]*?(?:-->|\Z)")
_SPACE = re.compile(r"[ \t\u00a0]+")


class _Page(HTMLParser):
    """Collects text by source line."""

    def __init__(self, lines: int) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[str]] = [[] for _ in range(lines)]
        self.title: list[str] = []
        self.heading: list[str] = []
        self.dropped: list[str] = []
        self.inside: str | None = None  # "title" or a heading's tag
        self.looked = 0  # at characters, for an end that never came
        self.said: set[int] = set()  # lines that have text

    def parse_starttag(self, i: int) -> int:
        return self._ended(i, super().parse_starttag(i))

    def parse_endtag(self, i: int) -> int:
        return self._ended(i, super().parse_endtag(i))

    def parse_pi(self, i: int) -> int:
        return self._ended(i, super().parse_pi(i))

    def parse_html_declaration(self, i: int) -> int:
        try:
            return self._ended(i, super().parse_html_declaration(i))
        except AssertionError:  # what it makes of `<![` and a word that it does not know
            return self._ended(i, self.parse_bogus_comment(i))

    def _ended(self, start: int, end: int) -> int:
        """Where a piece of markup ends, negative where nowhere; the end of the page where that has cost too much."""
        if end >= 0:
            return end
        self.looked += len(self.rawdata) - start
        if self.looked <= PATIENCE:
            return end
        self.handle_data(unescape(_MARKUP.sub(_blanked, self.rawdata[start:])))
        return len(self.rawdata)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in _RESTART and not (self.dropped and self.dropped[-1] in _RAW):
            self.dropped.clear()
        if tag in _DROPPED and tag not in self.dropped:  # the end of the outermost one ends them all
            self.dropped.append(tag)
        if self.dropped:
            return
        if tag == "title" or tag in _HEADINGS:
            self.inside = tag
        if tag in _HEADINGS:
            self._put(_HEADINGS[tag] if not self._here() else " ")
        elif tag == "li" and not self._here():
            self._put("- ")
        elif tag == "img":
            self._put(" " + (dict(attributes).get("alt") or "") + " ")
        elif tag not in _INLINE:
            self._put(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.dropped:
            del self.dropped[self.dropped.index(tag) :]
        if tag == self.inside:
            self.inside = None
        if tag not in _INLINE and not self.dropped:
            self._put(" ")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            return  # <script/> has no end tag to wait for
        self.handle_starttag(tag, attributes)

    def handle_data(self, data: str) -> None:
        if self.dropped:
            return
        if self.inside == "title":
            self.title.append(data)
        elif self.inside is not None and len(self.heading) < 20:
            self.heading.append(data)
        line = self.getpos()[0] - 1
        for offset, part in enumerate(data.split("\n")):
            if part and line + offset < len(self.lines):
                self._add(line + offset, part)

    def _here(self) -> bool:
        return self.getpos()[0] - 1 in self.said

    def _put(self, text: str) -> None:
        line = self.getpos()[0] - 1
        if line < len(self.lines):
            self._add(line, text)

    def _add(self, line: int, text: str) -> None:
        self.lines[line].append(text)
        if not text.isspace():
            self.said.add(line)


def _blanked(markup: re.Match[str]) -> str:
    """A blank in the place of markup, and its line breaks."""
    return " " + "\n" * markup[0].count("\n")


def parse(data: bytes) -> Document:
    """The text of an HTML page, in the lines of its source. Raises Unreadable."""
    source = decode(declared(data))
    if source is None:
        raise Unreadable("The page is in no encoding that lsfs knows.")
    title, text = visible(source)
    return Document("html", text, title)


def visible(source: str) -> tuple[str, str]:
    """The title and the visible text of HTML source; the text has the same number of lines."""
    page = _Page(source.count("\n") + 1)
    # first, because the tokenizer takes quadratic time for comments that are never closed
    page.feed(_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), source))
    page.close()
    text = "\n".join(_SPACE.sub(" ", "".join(parts)).strip() for parts in page.lines)
    title = " ".join("".join(page.title).split()) or " ".join("".join(page.heading).split())
    return clean(title)[:160], clean(text)


def declared(data: bytes) -> bytes:
    """The page in UTF-8 where it names another encoding in its head and is in it; otherwise as it is."""
    found = re.search(
        rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{1,40})", data[:4096], re.IGNORECASE
    )
    name = found[1].decode("ascii").lower() if found else ""
    if not name or name.startswith(("utf", "unicode")) or b"\0" in data[:4096]:
        return data
    try:
        data.decode("utf-8")
        return data  # it is UTF-8 whatever it says
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252" if name in ("iso-8859-1", "latin1") else name, "replace").encode(
            "utf-8", "replace"
        )
    except (LookupError, UnicodeError, ValueError):
        return data
