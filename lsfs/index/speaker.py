"""speaker: whether a question names who says a passage, and nobody else in it.

`Ann: …`, `(3 May) Ann: …`, `[12:01] Ann: …`, or the From: of a mail.

Threading: pure, but for the connection that the caller owns.
"""

import json
import re
import sqlite3
from collections.abc import Collection, Iterable

from lsfs.index.words import STOPWORDS, plain

BEGINNING = 2000  # characters of a passage, which rarely has more
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


class Speakers:
    """Which passages are said by somebody who is named, for one query."""

    def __init__(self, db: sqlite3.Connection, asked: Collection[str]) -> None:
        """asked: `words.plain` of the prompt."""
        self._db, self._asked = db, set(asked)
        self._known: dict[int, bool] = {}

    def named(self, passages: Iterable[int]) -> set[int]:
        """Those of these passages."""
        wanted = set(passages)
        fresh = wanted - self._known.keys()
        if fresh:
            rows = self._db.execute(
                "select p.id, substr(p.text, 1, ?) from json_each(?) j cross join passage p on p.id = j.value",
                (BEGINNING, json.dumps(sorted(fresh))),
            )
            self._known |= {id_: is_named(beginning, self._asked) for id_, beginning in rows}
        return {passage for passage in wanted if self._known.get(passage)}
