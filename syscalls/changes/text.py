"""text: what every comparison says things with: text out of bytes, words, counts, quotations, and the changes found.

Text of files is quoted, never interpreted: it is cut to one line, and what could steer a terminal is left out.
"""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from syscalls.changes.unified import is_binary

MOST_SHOWN = 240  # characters of a file in one quotation
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]+")
_LONE = re.compile(r"[\ud800-\udfff]")
_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_MARKS = (  # UTF-32's begins with UTF-16's, so it comes first
    (codecs.BOM_UTF8, "utf-8", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32 (big endian)"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16 (big endian)"),
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What was found. `clauses` make up the first sentence, most important first; `sections` are (title, items) below it."""

    clauses: tuple[str, ...] = ()
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Unreadable(ValueError):
    """A content is not what its name says; lines are compared instead."""


def decode(data: bytes) -> tuple[str, str] | None:
    """The text and what its encoding is called, or None for what is no text. Different bytes differ in one of the two."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(codec), name
            except UnicodeDecodeError:
                break
    if is_binary(data):
        return None
    try:
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8", "surrogateescape")
    # a log that was cut in mid-character is still UTF-8
    if len(_LONE.findall(text)) * 20 <= len(text) - len(text.encode("ascii", "ignore")):
        return text, "UTF-8 with errors"
    try:
        return data.decode("cp1252"), "an 8-bit encoding"
    except UnicodeDecodeError:  # of the five bytes that mean nothing there
        return data.decode("latin-1"), "an 8-bit encoding"


def shown(text: str, most: int = MOST_SHOWN) -> str:
    """One clean line of `text`, cut after `most` characters."""
    text = text[: most * 4]
    text = " ".join(_LONE.sub("\ufffd", _UNSEEN.sub(" ", text)).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def quote(text: str, most: int = MOST_SHOWN) -> str:
    return f"“{shown(text, most)}”"


def code(text: str, most: int = MOST_SHOWN) -> str:
    """`text` as a code span of Markdown, whatever backticks it has."""
    text = shown(text, most)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def counted(number: int, noun: str) -> str:
    """`1 line`, `2 lines`, `1,234 entries`; of `line of code` the first word takes the plural."""
    if number == 1:
        return f"1 {noun}"
    first, of, rest = noun.partition(" of ")
    if first.endswith("y") and first[-2:-1] not in "aeiou":
        first = first[:-1] + "ie"
    first += "es" if first.endswith("s") else "s"
    return f"{number:,} {first}{of}{rest}"


def listed(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def tally(counts: dict[str, dict[str, int]]) -> str:
    """`2 sentences and 1 list item added, 1 sentence removed, 3 changed`, of verb -> noun -> number."""
    parts = []
    before: list[str] = []
    for verb, nouns in counts.items():
        names = [noun for noun, number in nouns.items() if number]
        if not names:
            continue
        if names == before and len(names) == 1:
            parts.append(f"{nouns[names[0]]:,} {verb}")
        else:
            parts.append(f"{listed(counted(nouns[noun], noun) for noun in names)} {verb}")
        before = names
    return ", ".join(parts)


def words(text: str) -> list[str]:
    """The words that two texts are likened by; where a script has no blanks, its characters."""
    return _WORD.findall(text[:8000].casefold())


def became(old: str, new: str, form: str = "text") -> str:
    """`“old” → “new”`; of long ones, what lies around the difference. `form`: "text", or "code" for code spans."""
    mark = code if form == "code" else quote
    old, new = shown(old, 4000), shown(new, 4000)
    if old == new:
        return f"{mark(new)} (what differs is whitespace, or too far along the line to be shown)"
    if len(old) + len(new) > 240:
        first, second = old.split(" "), new.split(" ")
        ahead = 0
        while ahead < min(len(first), len(second)) and first[ahead] == second[ahead]:
            ahead += 1
        behind = 0
        while behind < min(len(first), len(second)) - ahead and first[-1 - behind] == second[-1 - behind]:
            behind += 1
        ahead, behind = max(0, ahead - 4), max(0, behind - 4)
        old, new = (
            ("… " if ahead else "") + " ".join(side[ahead : len(side) - behind]) + (" …" if behind else "")
            for side in (first, second)
        )
    return f"{mark(old)} → {mark(new)}"
