"""document: the values that pass from a file's bytes to its passages.

Threading: frozen values; share them freely. This module imports nothing heavy: the extractor child loads it too.
"""

import os
from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one file, lines separated by "\\n" and counted from 1.

    For plain text and HTML, line N is line N of the file. For PDF, DOCX and the like it is line N of the extracted
    text; `pages` then holds the first line of each page (empty where a format has no pages).
    """

    type: str
    text: str
    title: str = ""
    pages: tuple[int, ...] = ()

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
