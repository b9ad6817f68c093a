"""units: the smallest pieces that passages are put together from: lines, and sentences of long lines.

A unit is a span of the document's text with the strength of the break before it and the titles it stands under. Linear in the text,
lazy, and never longer than UNIT characters.

Threading: pure functions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lsfs.engine import dialogue, records, sections
from lsfs.engine.breaks import CHAIN, HOLE, JOINED, LINE, PARAGRAPH, SECTION, TITLE, Row, lines
from lsfs.engine.document import Document
from lsfs.engine.types import CODE, JSON, MARKDOWN, RECORDS

UNIT = 400  # characters at most; a sentence is rarely longer
SENTENCE = 160  # shorter lines are not split into sentences
GAP = 200  # a passage is a slice of the text: more blank space than this inside it is a break


@dataclass(slots=True)
class Unit:
    """text[start:end] of a document, in its 1-based `line`. Mutable only in `tokens`, which cutting fills in."""

    start: int
    end: int
    line: int
    level: int
    titles: tuple[str, ...]
    tokens: int = 0


_HEADING = re.compile(r"(#{1,6}|={1,6}|\*{1,6})[ \t]+(.+)")
_FENCE = re.compile(r"[ ]{0,3}(```|~~~)")
_UNDERLINE = re.compile(r"(=|-|~|\^|\")\1{2,}[ \t]*")
_HEADING_TYPES = {"asciidoc": "=", "org": "*"}
_DEFINITION = re.compile(
    r"[ \t]*(?:(?:export|default|public|private|protected|internal|static|abstract|final|async|pub(?:\([a-z]+\))?|override|inline|"
    r"virtual|extern|unsafe|open|sealed|data|const|local|declare|partial)[ \t]+){0,5}"
    r"(?:def|class|function\*?|func|fun|fn|struct|enum|interface|trait|impl|module|namespace|object|record|sub|proc|procedure|"
    r"defmodule|defp|defn|type|typedef|union|macro_rules!|resource|CREATE[ \t]+\w+|create[ \t]+\w+)\b"
)
# C and its kin: `static int parse(struct x *y)` at the margin, no statement
_C_FUNCTION = re.compile(r"[A-Za-z_][\w*&:<>, \t]{0,120}[ *&]~?[\w:]{1,80}\([^;]{0,300}$")
_JS_VALUE = re.compile(
    r"(?:export[ \t]+)?(?:const|let|var)[ \t]+\w+[ \t]*=[ \t]*(?:async[ \t]*)?(?:\(|function|\w+[ \t]*=>)"
)
# what belongs to the definition below it: decorators, attributes, comments, templates
_ATTACHED = re.compile(r"[ \t]*(?:@|#|//|/\*|\*|--|;;|\[|template\b|'''|\"\"\")")
_CLOSING = re.compile(r"[ \t]*[)}\]{]")
_SENTENCE_END = re.compile(r"(?<=[.!?…؟۔।])[\"'”’)\]]{0,3}[ \t\u00a0\u3000]+|(?<=[。！？；])|(?<=[;:])[ \t]+")
_BLANKS = " \t\u00a0\u3000,;|"


def units(document: Document) -> Iterator[Unit]:
    """The units of a document in their order. Every non-blank character but the blanks around units is in exactly one."""
    end = 0
    text = document.text
    for start, stop, line, level, titles in rows(document):
        for unit in _split(text, start, stop, line, level, titles):
            if unit.start - end > GAP:
                unit.level = HOLE
            end = unit.end
            yield unit


def rows(document: Document) -> Iterator[Row]:
    """The lines of a document that say something, or parts of them, by the way its type is cut."""
    kind, text = document.type, document.text
    if kind in RECORDS:
        return records.table(text) if kind == "csv" else records.tree(text, each_line=True)
    if kind in JSON:
        return records.tree(text)
    if document.sections is not None:
        return sections.sectioned(text, document.sections, kind)
    if kind in CODE:
        return _code(text)
    if kind == "subtitles":
        return dialogue.cues(text, _plain(text))
    found = _markdown(text, kind) if kind in MARKDOWN else _plain(text)
    return dialogue.turns(text, found) if dialogue.is_dialogue(text) else found


def _plain(text: str) -> Iterator[Row]:
    blank = True
    for number, start, line in lines(text):
        if not line or line.isspace():
            blank = True
            continue
        yield start, start + len(line), number, PARAGRAPH if blank else LINE, ()
        blank = False


def _markdown(text: str, kind: str) -> Iterator[Row]:
    mark = _HEADING_TYPES.get(kind, "#")
    chain: list[tuple[int, str]] = []
    titles: tuple[str, ...] = ()
    ranks: dict[str, int] = {}  # reStructuredText: the first underline seen is the highest
    fence = ""
    blank, front = True, text.startswith("---\n")
    following = lines(text)
    next(following)
    for number, start, line in lines(text):
        below = next(following, (0, 0, ""))[2]
        if not line or line.isspace():
            blank = True
            continue
        level = PARAGRAPH if blank else LINE
        rank, name = 0, ""
        if front:
            front = number == 1 or line.strip() not in ("---", "...")
        elif (opened := _FENCE.match(line)) is not None and (not fence or opened[1] == fence):
            fence = "" if fence else opened[1]
        elif not fence:
            found = _HEADING.match(line)
            if found is not None and found[1][0] == mark:
                rank, name = len(found[1]), found[2].strip().rstrip("#=").strip()
            elif blank and kind in ("markdown", "rst"):
                rank = _underlined(line, below, ranks, fixed=kind == "markdown")
                name = line.strip() if rank else ""
        if name:
            while chain and chain[-1][0] >= rank:
                chain.pop()
            chain.append((rank, name[:TITLE]))
            titles = tuple(title for _, title in chain)
            level = SECTION
        yield start, start + len(line), number, level, titles
        blank = False


def _underlined(line: str, below: str, ranks: dict[str, int], fixed: bool) -> int:
    """The rank of a heading that is underlined by the line below it, 0 where it is none; Markdown knows two, reST adds its own."""
    found = _UNDERLINE.fullmatch(below)
    if found is None or "|" in line or line.startswith((" ", "\t", "-", "*", ">")):
        return 0
    if fixed:
        return {"=": 1, "-": 2}.get(found[1], 0)
    return ranks.setdefault(found[1], len(ranks) + 1)


def _code(text: str) -> Iterator[Row]:
    stack: list[tuple[int, str]] = []
    titles: tuple[str, ...] = ()
    blank, attached = True, False
    for number, start, line in lines(text):
        body = line.lstrip()
        if not body:
            blank = True
            continue
        indent = len(line) - len(body)
        defines = len(line) <= 1000 and _defines(line, indent)
        comment = _ATTACHED.match(line) is not None
        if (
            not defines
            and (blank or not comment)
            and not _CLOSING.match(line)
            and stack
            and stack[-1][0] >= indent
        ):
            stack = [entry for entry in stack if entry[0] < indent]
            titles = tuple(title for _, title in stack)
        if defines:
            stack = [entry for entry in stack if entry[0] < indent][-CHAIN:]
            stack.append((indent, body.rstrip(" \t{:(")[:80]))
            titles = tuple(title for _, title in stack)
        if attached and not blank:
            level = LINE
        elif defines or (comment and blank):
            level = SECTION if indent == 0 else PARAGRAPH
        elif blank and indent == 0:
            level = PARAGRAPH
        else:
            level = LINE
        yield start, start + len(line), number, level, titles
        blank, attached = False, comment


def _defines(line: str, indent: int) -> bool:
    if _DEFINITION.match(line):
        return True
    return indent == 0 and (_C_FUNCTION.match(line) is not None or _JS_VALUE.match(line) is not None)


def _split(
    text: str, start: int, stop: int, line: int, level: int, titles: tuple[str, ...]
) -> Iterator[Unit]:
    """One line as one unit, or as several where it is long."""
    if stop - start <= SENTENCE:
        yield Unit(start, stop, line, level, titles)
        return
    for a, b in _sentences(text, start, stop):
        while b - a > UNIT:
            middle = _word_end(text, a, a + UNIT)
            yield from _unit(text, a, middle, line, level, titles)
            a, level = middle, JOINED
        yield from _unit(text, a, b, line, level, titles)
        level = JOINED


def _unit(text: str, start: int, stop: int, line: int, level: int, titles: tuple[str, ...]) -> Iterator[Unit]:
    part = text[start:stop]
    body = part.lstrip()
    if body:
        skipped = len(part) - len(body)
        # a line's indentation belongs to it, unless there is nothing but indentation to see
        if level == JOINED or skipped > SENTENCE:
            start += skipped
        yield Unit(start, start + len(text[start:stop].rstrip()), line, level, titles)


def _sentences(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Spans that cover a long line, cut behind sentences, none of them needlessly short."""
    begin = start
    for found in _SENTENCE_END.finditer(text, start, stop):
        if found.end() - begin >= 60:
            yield begin, found.end()
            begin = found.end()
    if begin < stop:
        yield begin, stop


def _word_end(text: str, start: int, stop: int) -> int:
    """The end of the last word in text[start:stop], in its second half; `stop` where there is none."""
    half = (start + stop) // 2
    best = max(text.rfind(blank, half, stop) for blank in _BLANKS)
    return best + 1 if best >= half else stop


def halves(text: str, unit: Unit) -> tuple[Unit, Unit]:
    """A unit of more than one character in two, at a word's end where there is one."""
    size = unit.end - unit.start
    middle = (
        _word_end(text, unit.start, unit.start + size // 2 + size // 4)
        if size >= 8
        else unit.start + size // 2
    )
    middle = min(max(middle, unit.start + 1), unit.end - 1)
    return (
        Unit(unit.start, middle, unit.line, unit.level, unit.titles),
        Unit(middle, unit.end, unit.line, JOINED, unit.titles),
    )
