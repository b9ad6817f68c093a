"""tokens: a sentence as words, quotations and marks of punctuation, each with its place in it and what it looks like.

    Lock "my plan.md" for 2 hours.      Lock  "my plan.md"  for  2  hours  .      kinds: w q w l l .

What the learned reader (`learned`) takes out of a sentence is always tokens that stand side by side, so a value is what somebody wrote
there, letter for letter, or what `numbers` reads in it.

    w  a word      f  looks like a path      q  a quotation       .  punctuation     n  a number
    v  a version   b  so many versions back  t  a time            l  a duration      r  a time that only a clock could tell
"""

import re
import unicodedata
from dataclasses import dataclass

from syscalls.asking.masks import _QUOTED, is_path
from syscalls.asking.numbers import (
    ABSOLUTE,
    BACK,
    BEFORE,
    DURATION,
    NUMBER,
    ORDINAL,
    ORDINALS,
    RELATIVE,
    SECOND,
    SHORT,
    TIME,
    duration,
    time,
)

LONGEST = 2000  # characters; nobody says more than that with one sentence
_RUN = re.compile(r"\S+")
_LEAD = "([{<\"'“‘«„—–"
_TRAIL = ".,:;!?)]}>\"'”’»…"
_PATHLIKE = re.compile(
    r"(?:[^\s/]*/[^\s]*|\.?[\w@+~%-][\w@.+~%()\[\]-]*\.[A-Za-z][A-Za-z0-9]{0,9}|\.[A-Za-z][\w.-]+)$"
)
_NO_PATH = re.compile(
    r"(?:e\.g|i\.e|a\.m|p\.m|u\.s|and/or|he/she|w/o?|n/a|i/o|yes/no|either/or|on/off|\d+/\d+|/+)$",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"([=→]|->|\.\.\.?|(?<=[\w)]),(?=\w)|(?<=\w)[—–](?=\w)|(?<=[a-z]):(?=[\w\"'/.])|(?<=\w)-(?=(?:sentences?|lines?|items?)\b)|(?<=\btop)-(?=\w)|(?<=\bbest)-(?=\d))"
)


_CALLED = re.compile(r"(\w+=?)([(\[])(?![^\s()]*\)[.\w])")  # `mtime(a.md)`, and no `a(b).md`


@dataclass(frozen=True, slots=True)
class Token:
    """text: as it was written; start, end: its place; inner: what is in the quotation marks; kind: as above."""

    text: str
    start: int
    end: int
    kind: str
    inner: str


def plain(prompt: str) -> str:
    """The sentence in which tokens have their places."""
    text = unicodedata.normalize("NFC", prompt[:LONGEST])
    return "".join(" " if unicodedata.category(char) in ("Cc", "Co") else char for char in text)


def tokens(text: str) -> list[Token]:
    """The tokens of what `plain` made, in order. Never raises."""
    found: list[tuple[int, int, str, str]] = []
    at = 0
    for match in _QUOTED.finditer(text):
        inner = next(one for one in match.groups() if one is not None)
        if inner.strip():
            found += _words(text, at, match.start())
            found.append((match.start(), match.end(), "q", inner.strip()))
            at = match.end()
    found += _words(text, at, len(text))
    kinds = _kinds(text)
    return [
        Token(text[start:end], start, end, kind if kind != "w" else _kind(text, start, end, kinds), inner)
        for start, end, kind, inner in found
    ]


def _words(text: str, start: int, end: int) -> list[tuple[int, int, str, str]]:
    found: list[tuple[int, int, str, str]] = []

    def add(one: int, other: int) -> None:
        if other > one:
            word = text[one:other]
            found.append(
                (one, other, "w" if any(char.isalnum() or char == "*" for char in word) else ".", word)
            )

    for run in _RUN.finditer(text, start, end):
        one, other = run.start(), run.end()
        called = _CALLED.match(text, one, other) if not one or text[:one].rstrip().endswith(":") else None
        while called is not None:
            add(one, called.start(2))
            add(*called.span(2))
            one = called.end()
            called = _CALLED.match(text, one, other)
        while (
            one < other and text[one] in _LEAD and not (text[one] == "(" and ")" in text[one + 1 : other - 1])
        ):
            add(one, one + 1)
            one += 1
        tail: list[tuple[int, int]] = []
        while other > one and text[other - 1] in _TRAIL:
            if text[other - 1] in ")]" and "(["[text[other - 1] == "]"] in text[one : other - 1]:
                break
            other -= 1
            tail.insert(0, (other, other + 1))
        if other - one > 2 and text[other - 2 : other].lower() in ("'s", "’s"):
            tail.insert(0, (other - 2, other))
            other -= 2
        at = one
        for match in _SPLIT.finditer(text, one, other):
            if match[0] in (",", ":") and match[0] != "," and re.match(r"\w+://", text[one:other]):
                continue
            add(at, match.start())
            add(match.start(), match.end())
            at = match.end()
        add(at, other)
        for piece in tail:
            add(*piece)
    return found


def _kinds(text: str) -> list[tuple[int, int, str]]:
    """Where times, durations, versions and numbers stand."""
    spans: list[tuple[int, int, str]] = []

    def free(start: int, end: int) -> bool:
        return all(end <= one or start >= other for one, other, _ in spans)

    for pattern, kind in (
        (TIME, "t"),
        (BACK, "b"),
        (BEFORE, "b"),
        (SECOND, "b"),
        (ORDINALS, "v"),
        (ABSOLUTE, "v"),
        (SHORT, "v"),
        (ORDINAL, "v"),
        (DURATION, "l"),
        (RELATIVE, "r"),
        (NUMBER, "n"),
    ):
        for match in pattern.finditer(text):
            if kind == "t" and time(match) is None or kind == "l" and duration(match) is None:
                continue
            if match.end() > match.start() and free(*match.span()):
                spans.append((match.start(), match.end(), "r" if kind == "l" and match["ago"] else kind))
    return sorted(spans)


def _kind(text: str, start: int, end: int, kinds: list[tuple[int, int, str]]) -> str:
    for one, other, kind in kinds:
        if one < end and start < other:
            return kind
    word = text[start:end]
    return "f" if looks_like_a_path(word) else "w"


def looks_like_a_path(word: str) -> bool:
    return (
        _PATHLIKE.match(word) is not None
        and _NO_PATH.match(word) is None
        and ("@" not in word or "/" in word)
    )


def quoted_path(token: Token) -> bool:
    return (
        token.kind == "q"
        and len(token.inner.split()) <= 6
        and "\n" not in token.inner
        and is_path(token.inner)
    )
