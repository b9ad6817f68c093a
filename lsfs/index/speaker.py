"""speaker: whether a question names who says a passage, and nobody else in it.

`Ann: …`, `(3 May) Ann: …`, `[12:01] Ann: …`, or the From: of a mail.

Threading: pure.
"""

import re
from collections.abc import Collection

from lsfs.index.words import STOPWORDS, plain

LOOKED_AT = 2000  # characters of a passage, which rarely has more
LEAST = 3  # letters of a name
MOST = 2  # words of a name: "A Note on the Algebra of Systems: …" is nobody

_SAYS = re.compile(
    r"(?:[(\[<][^)\]>\n]{1,60}[)\]>][ \t]*)?([^\W\d_][^\n:()\[\]<>{}=;\"]{1,40}?):[ \t]+([^\n]*)"
)
_MAIL = re.compile(r"\s*From:[ \t][^\n]*(?:\n[A-Za-z-]+:[^\n]*)*\Z")


def speaker(beginning: str) -> str:
    """Who says what begins so; "" where that is not said."""
    found = _SAYS.match(beginning.lstrip())
    if found is None:
        return ""
    name = found[2] if found[1].casefold() == "from" else found[1]
    words = name.split()
    return (
        name
        if found[1] == "From" or (len(words) <= MOST and all(word[0].isupper() for word in words))
        else ""
    )


def is_named(text: str, asked: Collection[str]) -> bool:
    """Whether one of the words asked for (`words.plain`) is a name of whoever says all of this text."""
    said = speaker(text)
    names = set(plain([said])) - STOPWORDS
    if not any(len(name) >= LEAST and (name in asked or f"{name}s" in asked) for name in names):
        return False
    header, blank, rest = text.partition("\n\n")
    if blank and _MAIL.match(header):  # To: and Subject: say nothing
        text = "\n" + rest
    return not any(speaker(line) not in ("", said) for line in text.split("\n")[1:])
