"""sentences: a passage of a file as sentences, each with the line that it begins in, as it stands there.

    sentences("- Refunds over 500\n  need two signatures. Ask Dr. Li.", 7, "notes.md")
    (Sentence("Refunds over 500 need two signatures.", 7, "prose"), Sentence("Ask Dr. Li.", 8, "prose"))

What a line means is respected: an item of a list, a quotation, a row of a table, a heading, a fence, a line of code, a turn of a dialogue
each begin anew, and none is joined with what follows. A turn of a dialogue stays whole where it is short: without its speaker it would say
something else. A sentence is a piece of the text, verbatim, but for line breaks within it and for what marks a line (`>`, `-`, `#`).

Pure, and linear in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from syscalls.changes.source import SUFFIXES

LONGEST = 600  # characters of a sentence; of what is longer nothing is cut off: it is no sentence. A row may be longer
TURN = 240  # characters of a turn that stays whole

KINDS = ("prose", "row", "heading", "code")
"""What a piece of text may be, the most telling first."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """text: with blanks for line breaks; line: that it begins in, from 1; kind: one of KINDS; whole: it has a beginning and an end; turn:
    it begins a turn of a dialogue."""

    text: str
    line: int
    kind: str
    whole: bool = True
    turn: bool = False


_PLAIN = ("txt", "text", "log", "")
# formats whose lines are rows, or a key and its value: none goes on in the next
_TABLES = frozenset(
    (
        "csv",
        "tsv",
        "tab",
        "json",
        "jsonl",
        "ndjson",
        "geojson",
        "json5",
        "jsonc",
        "yaml",
        "yml",
        "toml",
        "ini",
        "cfg",
        "conf",
        "properties",
    )
)
_MAIL = ("eml", "mbox")
_NOTEBOOK = "ipynb"  # prose, code and what it printed, in turn
_HEADER = re.compile(r"(?P<name>[A-Z][A-Za-z]*(?:-[A-Za-z]+)*):(?:\s+(?P<value>\S.*))?$")
_HEADERS = frozenset(
    ("From", "To", "Cc", "Bcc", "Date", "Subject", "Sent", "Reply-To", "Message-ID", "In-Reply-To")
)
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}(#{1,6}|={1,6})\s+(?P<text>\S.*?)\s*#*$")
_UNDERLINE = re.compile(r"\s{0,3}([=\-~^*\"])\1{2,}\s*$")
_RULE = re.compile(r"\s*([*_\-+=|:.]\s*){3,}$")
_ROW = re.compile(
    r"\s*\|.*\|\s*$|[^\t]*\t[^\t]*\t.*$|.*\S \| \S"
)  # the last as cells of a spreadsheet are written
_ITEM = re.compile(
    r"\s*(?:[-*+\u2022\u2013\u25aa\u25e6]\s+(?:\[[ xX]\]\s+)?|\(?(?:\d{1,3}|[a-zA-Z])[.)]\s+)(?=\S)"
)
_QUOTE = re.compile(r"\s{0,3}(?:>\s?)+")
_COMMENT = re.compile(r"\s*(?:#+!?|//[/!]?|/\*\*?(?=\s|$)|\*/|\*(?=\s)|--(?=\s)|;+|%+|\"\"\"|'''|<!--)\s?")
_ROFF = re.compile(
    r"[.'](?:\\\"|(?:D[dt]|Os|N[dm]|S[hs]|SH|SS|TH|P|PP|Pp|LP|TP|IP|It|B[ld]|E[ld]|Fn|nf|fi|br|sp)(?:\s|$))"
)
_TURN = re.compile(
    r"\s*(?:\W{0,2}\[?(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4},?[T ]{0,2})?\d{1,2}:\d\d(?::\d\d)?(?:\s?[AaPp]\.?[Mm]\.?)?\]?\W{0,3}\s*)?"
    r"(?:[*_]{2})?[<@]?(?P<who>[^\W\d_][\w.'\u2019-]{0,30}(?:\s[^\W\d_][\w.'\u2019-]{0,30}){0,2})>?(?:[*_]{2})?(?:\s?[\[(][^\])\n]{1,40}[\])])?\s?:(?:[*_]{2})?\s+(?=\S)"
)
_CODE = re.compile(
    r"[{};\\]\s*$|^\s*[})\]]|=>|->|::|&&|\|\||==|!=|\w\(.*\)\s*[;:{]?\s*$|^\s*[\w.\[\]]+\s*[-+*/|&]?=[^=]"
    r"|^\s*(?:def|class|import|from\s+\S+\s+import|return|if\b.*:|for\b.*:|while\b.*:|function|const|let|var|public|private|static|fn|func"
    r"|struct|#include|package|using|namespace|export|type)\b(?!.*[.!?]\s*$)|^\s*(?:\$|>>>|\+{3}|@@|<\/?[a-zA-Z])"
)
_END = re.compile(
    r"(?P<stop>[.!?\u2026]+|[\u061f\u06d4\u0964\u0965])(?P<close>[\"'\u201d\u2019\u00bb)\]*_]*)(?=\s|$)"
    r"|[\u3002\uff01\uff1f\uff0e]+[\u300d\u300f\u201d\uff09]*"
)
_SPAN = re.compile(r"`[^`\n]+`|https?://\S+|\]\([^)\s]*\)")
_LAST = re.compile(r"[^\W_](?:[\w.'\u2019-]*[^\W_])?$")
# English, German, then French, Spanish, Italian, Dutch, Portuguese
_SHORT = """
mr mrs ms dr prof sr jr st vs etc e.g i.e eg ie cf al fig figs eq eqs no nos vol vols pp p ed eds dept approx est ref refs sec secs
ch chap inc ltd co corp gen col lt sgt capt rev hon gov sen rep ave blvd rd mt ft jan feb mar apr jun jul aug sep sept oct nov dec
mon tue wed thu fri sat sun u.s u.k u.n a.m p.m viz resp incl excl max min tel ext ca c
z.b z d.h d.i u.a u.ä o.ä bzw usw ggf evtl vgl abs art nr str bspw inkl exkl zzgl abb kap hrsg aufl bd jh s.o s.u sog u.u v.a i.d.r
i.a mio mrd tsd geb gest ing dipl mag m.e
mme mlle m.m env p.ex av bd éd chap tél sra srta ud uds dña pág núm ee.uu sig sigg dott ecc pag bv bijv d.w.z enz nl drs mw dhr nº
exmo
"""
_ABBREVIATIONS = frozenset(_SHORT.split())
_MONTH = """
january february march april may june july august september october november december januar jänner februar märz mai juni juli
oktober dezember janvier février mars avril juin juillet août septembre octobre novembre décembre
"""
_MONTHS = frozenset(_MONTH.split())
_BEFORE = """
am vom zum bis der den dem des das die ab seit im beim jede jeder jeden jedes ca nr kapitel abschnitt no
"""
_ORDINAL = frozenset(_BEFORE.split())
_FIRST_WORD = re.compile(r"\W*([^\W\d_]+)")


def sentences(text: str, first_line: int, name: str) -> tuple[Sentence, ...]:
    """The sentences of `text`, which begins in the line `first_line` of the file `name`."""
    suffix = name.rpartition("/")[2].rpartition(".")[2].lower() if "." in name else ""
    code = suffix in SUFFIXES
    found: list[Sentence] = []
    for block in _blocks(text.replace("\r\n", "\n").split("\n"), code, suffix):
        found += _of(block, first_line)
    return tuple(one for one in found if one.text and (len(one.text) <= LONGEST or one.kind == "row"))


@dataclass(slots=True)
class _Block:
    """Lines that belong together: (number from 0, text without its mark)."""

    kind: str
    lines: list[tuple[int, str]]
    turn: bool = False


def _blocks(lines: list[str], code: bool, suffix: str) -> Iterator[_Block]:
    turns = len({m["who"] for line in lines if (m := _TURN.match(line))}) > 1 and not code
    fence, held = "", _Block("prose", [])
    manual, table = suffix.isdigit(), suffix in _TABLES
    headers = _headers(lines, suffix)

    def ended() -> Iterator[_Block]:
        nonlocal held
        if held.lines:
            yield held
        held = _Block("prose", [])

    front = suffix not in _PLAIN and lines[:1] == ["---"] and "---" in lines[1:40]
    for number, line in enumerate(lines):
        if front:
            front = not (number and line == "---")
            continue
        if table or number in headers:
            yield from ended()
            if number in headers:
                line = headers[number]
            if any(map(str.isalnum, line)):
                yield _Block("row" if table else "heading", [(number, line.strip())])
            continue
        mark = _FENCE.match(line)
        if mark is not None or fence:
            yield from ended()
            if mark is None:
                yield _Block("code", [(number, line.strip())])
            elif not fence:
                fence = mark[1]
            elif mark[1].startswith(fence):
                fence = ""
            continue
        if not line.strip() or _RULE.match(line):
            if _UNDERLINE.match(line) and len(held.lines) == 1 and not code:
                held.kind = "heading"
            yield from ended()
            continue
        if manual and _ROFF.match(line):
            yield from ended()
            continue
        heading = None if code else _HEADING.match(line)
        if heading is not None:
            yield from ended()
            yield _Block("heading", [(number, heading["text"])])
            continue
        if not code and _ROW.match(line):
            yield from ended()
            yield _Block("row", [(number, line.strip())])
            continue
        if suffix == _NOTEBOOK and _CODE.search(line):
            yield from ended()
            yield _Block("code", [(number, line.strip())])
            continue
        rest, quoted = line, _QUOTE.match(line)
        if quoted is not None and not code:
            rest = line[quoted.end() :]
            if not rest.strip():
                yield from ended()
                continue
        if code:
            comment = _COMMENT.match(line)
            prose = _prose(line) if comment is None else bool(line[comment.end() :].strip())
            if not prose:
                yield from ended()
                if comment is None:
                    yield _Block("code", [(number, line.strip())])
                continue
            rest = line if comment is None else line[comment.end() :]
            rest = rest.replace('"""', "").replace("'''", "").replace("*/", "")
        turn = _TURN.match(rest) if turns else None
        item = None if code or turn is not None else _ITEM.match(rest)
        if turn is not None or item is not None:
            yield from ended()
            held.turn = turn is not None
            rest = rest[item.end() :] if item is not None else rest
        held.lines.append((number, rest.strip()))
    yield from ended()


def _headers(lines: list[str], suffix: str) -> dict[int, str]:
    """The lines of the headers of mails, and what is said of each: its subject; nothing of the others, which are no sentences."""
    found: dict[int, str] = {}
    run: dict[int, str] = {}
    for number, line in enumerate((*lines, "")):
        match = _HEADER.match(line)
        folded = bool(run) and line[:1] in " \t" and bool(line.strip())
        if match is not None or folded:
            subject = match is not None and match["name"] == "Subject"
            run[number] = line if subject else ""
            continue
        names = [lines[at].partition(":")[0] for at in run]
        if sum(name in _HEADERS for name in names) >= (1 if suffix in _MAIL else 2):
            found |= run
        run = {}
        if suffix == "mbox" and line.startswith("From "):
            found[number] = ""
    return found


def _prose(line: str) -> bool:
    """Whether a line of a source reads as a sentence of a docstring: it has words, and nothing that only code has."""
    return len(line.split()) > 3 and _CODE.search(line) is None


def _of(block: _Block, first_line: int) -> Iterator[Sentence]:
    text, starts = "", []
    for number, line in block.lines:
        text += " " if text else ""
        starts.append((len(text), number))
        text += line
    if not text:
        return
    if block.kind != "prose" or (block.turn and len(text) <= TURN):
        yield Sentence(" ".join(text.split()), first_line + block.lines[0][0], block.kind, turn=block.turn)
        return
    for start, end in spans(text):
        said = " ".join(text[start:end].split())
        number = max(number for at, number in starts if at <= start)
        yield Sentence(said, first_line + number, "prose", _whole(said), block.turn and not start)


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where the sentences of one paragraph begin and end, blanks around them left out."""
    closed = [match.span() for match in _SPAN.finditer(text)]
    start = 0
    for match in _END.finditer(text):
        if any(low <= match.start() < high - 1 for low, high in closed) or not _ends(text, match, start):
            continue
        if span := _trimmed(text, start, match.end()):
            yield span
        start = match.end()
    if span := _trimmed(text, start, len(text)):
        yield span


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    part = text[start:end]
    left = len(part) - len(part.lstrip())
    right = len(part.rstrip())
    return (start + left, start + right) if right > left else None


def _ends(text: str, match: re.Match[str], start: int) -> bool:
    """Whether a sentence ends at this stop."""
    rest = text[match.end() :].lstrip()
    if not rest:
        return True
    if match["stop"] is None:  # a quotation that goes on: 「はい。」と
        return (
            match[0][-1] in "\u3002\uff01\uff1f\uff0e"
            or text[match.end()].isspace()
            or text[match.end()] in "\u300c\u300e"
        )
    first = next((letter for letter in rest if letter.isalnum()), "")
    if first.islower():
        return False  # "e.g. so", "Really?" she said
    if match["stop"] != ".":
        return True
    before = _LAST.search(text[start : match.start()])
    word = before[0].lower() if before else ""
    if word in _ABBREVIATIONS:
        return (
            word in ("etc", "usw", "ecc", "enz", "a.m", "p.m", "inc", "ltd", "corp")
            and not match["close"]
            and rest[0].isupper()
        )
    if (
        before
        and len(word) == 1
        and before[0].isupper()
        and text[start : start + before.start()][-1:].strip(" (") == ""
    ):
        return False  # J. Smith
    if word.isdigit() and len(word) < 3:
        if before is not None and start + before.start() == start + _margin(text, start):
            return False  # "3. Then"
        following = _FIRST_WORD.match(rest)
        previous = _LAST.search(text[start : start + before.start()].rstrip()) if before else None
        if following and following[1].lower() in _MONTHS:
            return False  # am 3. Mai
        return not (previous and previous[0].lower() in _ORDINAL)
    return True


def _margin(text: str, start: int) -> int:
    part = text[start:]
    return len(part) - len(part.lstrip())


def _whole(said: str) -> bool:
    """Whether it begins as a sentence begins and ends as one ends: a passage may be cut in the middle of one."""
    first = next((letter for letter in said if letter.isalnum()), "")
    last = said.rstrip("\"'\u201d\u2019\u00bb)]*_\u300d\u300f\uff09")
    return not first.islower() and last[-1:] in ".!?\u2026:\u3002\uff01\uff1f\u061f\u0964\u0965\u06d4"
