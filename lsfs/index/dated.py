"""dated: whether a file has the very day or month that was asked for, in its path or in its text.

A date's words (`dates`) rank as others do, but a path says little beside a text, and "March" and "2024" of other days add up to as much as
the day itself. So who has it is told apart: of two that say the same, the one of that day comes first.

Threading: pure, but for the connection that the caller owns.
"""

import sqlite3
from collections.abc import Container, Iterable, Mapping

from lsfs.index import dates
from lsfs.index.context import having
from lsfs.index.files import File
from lsfs.index.lexicon import Lexicon

YEARLESS = 0.7  # the day is said, and no year, where the question names one


def wanted(said: Iterable[str]) -> dict[str, float]:
    """What a prompt of these words asks for (words of `dates`), and what having it is worth."""
    text = " ".join(said)
    full = {word for word in dates.asked(text) if dates.is_own(word)}
    day = any(dates.is_day(word) and len(word) == len("date20240307") for word in full)
    return {
        word: YEARLESS if day and word.startswith("date") and len(word) < len("date20240307") else 1.0
        for word in full
        # a whole month only where no day is asked for; of May alone much is not meant
        if dates.is_day(word) or (len(word) > len("month05") and not any(map(dates.is_day, full)))
    }


def values(
    db: sqlite3.Connection,
    lexicon: Lexicon,
    words: Mapping[str, float],
    files: Mapping[int, File],
    named: Container[int],
) -> dict[int, float]:
    """By file, what it has of `wanted`: only files that have some. named: those whose paths have words of the prompt; a date is some."""
    contents = {file.content for file in files.values() if file.content is not None}
    by_content: dict[int, float] = {}
    for word, value in words.items():
        for content in having(db, lexicon, word, contents):
            by_content[content] = max(value, by_content.get(content, 0.0))
    found: dict[int, float] = {}
    for id_, file in files.items():
        path = file.path.decode("utf-8", "replace") if id_ in named else ""
        value = max((words.get(word, 0.0) for word in dates.said(path)), default=0.0)
        value = max(value, by_content.get(file.content or 0, 0.0))
        if value:
            found[id_] = value
    return found
