"""authors: who wrote a text, where its beginning says so: `author:` in the front matter of Markdown, `From:` of a mail.

Threading: pure.
"""

import re

from lsfs.engine.types import suffix_of

LONGEST = 80  # characters of a name
_FRONT = frozenset(("md", "markdown", "mdown", "mkd", "mdx", "rmd", "qmd", "txt"))
_MAIL = frozenset(("eml", "mbox"))
_AUTHOR = re.compile(
    r"^authors?:[ \t]*(?:\[|\r?\n[ \t]*-[ \t]*)?[ \t]*([^\r\n,\]]+)", re.IGNORECASE | re.MULTILINE
)
_FROM = re.compile(r"^From:[ \t]*([^\r\n]+)", re.MULTILINE)
_ADDRESS = re.compile(r"[ \t]*<[^<>]*>[ \t]*$")


def says(path: bytes) -> bool:
    """Whether a file of this name could say who wrote it."""
    return suffix_of(path) in _FRONT | _MAIL


def author(path: bytes, beginning: str) -> str:
    """The first author that the beginning of a text names; "" where it names none."""
    if suffix_of(path) in _MAIL:
        found = _FROM.search(beginning.split("\n\n", 1)[0])
    else:
        front = beginning.lstrip("\ufeff")
        if not front.startswith("---"):
            return ""
        found = _AUTHOR.search(
            re.split(r"^(?:---|\.\.\.)[ \t]*$", front[3:], maxsplit=1, flags=re.MULTILINE)[0]
        )
    if found is None:
        return ""
    name = found[1].strip("\"' \t")
    return " ".join((_ADDRESS.sub("", name) or name).strip("\"'<> \t").split())[:LONGEST]
