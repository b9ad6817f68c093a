"""dialogue: the turns of a transcript, a chat or subtitles, and who speaks.

    Anna: text                       (10:15) Anna: text              [10:15] <anna> text
    12/31/26, 9:15 PM - Anna: text   [31.12.26, 21:15:33] Anna: text   **Anna:** text

A text is a dialogue where many of its first lines begin like that, and names come again. A turn begins at such a line and ends before the
next; a cue of subtitles is a turn, too.

Threading: pure functions.
"""

import re
from collections.abc import Iterator
from itertools import islice

from lsfs.engine.breaks import ENTRY, SECTION, Row, lines

_SAMPLE = 400  # lines that decide
_TURNS = 6  # of them, at least; less is a passage or two, however it is cut
_SHARE = 0.25  # of the lines that say something: a turn may have several
_LONGEST = 400  # characters of a line that are looked at
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?(?:[ \u00a0\u202f]?[AaPp]\.?[Mm]\.?)?"
_DAY = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
_TIME = rf"(?:{_DAY}(?:,?[ T]{{1,2}}{_CLOCK})?|{_CLOCK})"
_NAME = r"(?:[^\W\d_]|[@~+])[\w .'’@+&/-]{0,40}?"
_TURN = re.compile(  # no bullets: what has colons there is a list of terms
    rf"[ \t\u200e\u200f>]{{0,8}}(?:(?:[\[(](?!x\])[^\])\n]{{1,40}}[\])]|{_TIME})[ \t]*(?:[-–—|][ \t]*)?)?[*_]{{0,2}}"
    rf"(?:<(?P<nick>[^<>\n/!=]{{1,40}})>(?=[ \t]+\S)"
    rf"|(?P<name>{_NAME})(?:\*\*|__)?(?:[ \t]*[\[(][^\])\n]{{1,40}}[\])])?[ \t]*(?::(?:\*\*|__)?(?=[ \t]|$)|：))"
)
_CUE_TIME = re.compile(r"[ \t]*(?:\d{1,2}:)?\d{1,2}:\d{2}[.,]\d{1,3}[ \t]+-->[ \t]")
_VOICE = re.compile(r"[ \t]*(?:<v(?:\.[^ >]*)?[ \t]+(?P<voice>[^>\n]{1,40})>|[-–][ \t]*)")


def speaker(line: str) -> str:
    """Who begins to speak in this line of a dialogue; "" where nobody does."""
    found = _TURN.match(line[:_LONGEST])
    if found is None:
        return ""
    name = " ".join((found["nick"] or found["name"]).split()).strip("*_ ")
    return name if len(name.split()) <= 5 else ""


def is_dialogue(text: str) -> bool:
    """Whether turns are what a text is made of."""
    said, names = 0, []
    for _, _, line in islice(lines(text), _SAMPLE):
        if line and not line.isspace():
            said += 1
            if name := speaker(line):
                names.append(name)
    known = len(set(names))
    return len(names) >= max(_TURNS, said * _SHARE) and known >= 2 and known * 2 <= len(names)


def turns(text: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of a dialogue, each turn an entry under the name of its speaker. A heading ends a turn."""
    name: tuple[str, ...] = ()
    for start, stop, number, level, titles in rows:
        if level >= SECTION:
            name = ()
        elif found := speaker(text[start : min(stop, start + _LONGEST)]):
            level, name = ENTRY, (found,)
        yield start, stop, number, level, (*titles, *name)


def cues(text: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of subtitles, each cue an entry, the number and the time of a cue with it."""
    held: Row | None = None  # a line of digits: the number of a cue, where its time follows
    name: tuple[str, ...] = ()
    begun: list[Row] = []  # number and time of a cue, before it is known who speaks
    for row in rows:
        line = text[row[0] : min(row[1], row[0] + _LONGEST)]
        if held is None and not begun and line.strip().isdigit():
            held = row
            continue
        if _CUE_TIME.match(line):
            yield from _entry(begun, ())  # a cue that says nothing
            begun = [held, row] if held is not None else [row]
            held = None
            continue
        if held is not None:
            yield held
            held = None
        if begun:
            found = _VOICE.match(line)
            voice = found["voice"] if found is not None else None
            said = voice or speaker(line[found.end() :] if found is not None else line)
            name = (" ".join(said.split()),) if said else ()
            yield from _entry(begun, name)
            begun = []
        if line.strip().isdigit() and row[3] > 1:
            held = row
            continue
        yield (*row[:4], name)
    yield from _entry(begun, ())
    if held is not None:
        yield held


def _entry(begun: list[Row], name: tuple[str, ...]) -> Iterator[Row]:
    for at, row in enumerate(begun):
        start, stop, number, level, _ = row
        yield start, stop, number, level if at else ENTRY, name
