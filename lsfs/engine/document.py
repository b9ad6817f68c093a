"""document: the values that pass from a file's bytes to its passages.

Threading: frozen values; share them freely. This module imports nothing heavy: the extractor child loads it too.
"""

import os
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple


class Section(NamedTuple):
    """A part of a document that has a title of its own, and whole lines: a function, a sheet, a message, a cell. Sections lie side by side
    or one within another; `line` and `last` are its first and last line, counted from 1."""

    line: int
    last: int
    title: str


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one file, lines separated by "\\n" and counted from 1.

    For plain text, HTML and mail, line N is line N of the file. For PDF, DOCX and the like it is line N of the extracted
    text; `pages` then holds the first line of each page, slide or cell (empty where a format has none).
    sections: in their order, an outer one before those within it; None where nobody looked for any.
    """

    type: str
    text: str
    title: str = ""
    pages: tuple[int, ...] = ()
    sections: tuple[Section, ...] | None = None

    def place(self, line: int) -> int:
        """What a reader is told of a line, both counted from 1: its page where the format has pages, otherwise the line itself."""
        return bisect_right(self.pages, line) or line


@dataclass(frozen=True, slots=True)
class Content:
    """What reading a file gave.

    state: "text" (data and digest are set; a rich format counts as text), "other" (binary or too large: only the head
    was read, digest is None), "secret", "unreadable", "gone" (missing, a symlink, or no regular file) or "unstable"
    (it changed during each of several reads). stat is what the data was read under, or None where the file could not
    be opened. error is a sentence, also beside "other" where a large file was left out.
    """

    state: str
    type: str = ""
    digest: bytes | None = None
    data: bytes | None = None
    stat: os.stat_result | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Extraction:
    """What extracting text from a Content gave: state "text" (document is set), "other", "secret" or "failed"."""

    state: str
    type: str
    document: Document | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """One passage: text is an exact slice of Document.text that begins in first_line and ends in last_line (1-based; pages where the
    format has them).

    title says where it stands (heading chain, enclosing class and function, CSV header), at most 160 characters.
    embed is False for the coarse passages at the end of a huge file: they are found by their words only.
    """

    first_line: int
    last_line: int
    title: str
    text: str
    embed: bool = True
