"""why: the hits of an answer as a table, each with what its score is made of.

`why.tsv` of a question's directory, and `lsfs query --why`: a header, then one row for each hit, best first:

    rank  file  score  words  near  context  meaning  path  speaker  date  name  lines

The parts are those of `results.json` (lsfs-tree(7) says what each means); one that was not in use is `-`, and so are the lines where a hit
has no passage. A row is a line of UTF-8: control characters in paths are written \\t, \\n, \\x1b, and a byte that is no UTF-8 is `?`.

Threading: pure.
"""

import unicodedata
from collections.abc import Iterator, Sequence

from syscalls.confidence import SIGNALS
from syscalls.names import escaped
from syscalls.options import shown
from syscalls.values import Results

COLUMNS = ("rank", "file", "score", *SIGNALS, "lines")
TEXT = ("file",)  # columns that are no numbers
NONE = "-"


def why_tsv(results: Results) -> bytes:
    """The table for programs, in UTF-8."""
    lines = ("\t".join(row) for row in (COLUMNS, *rows(results, 6)))
    return "".join(line + "\n" for line in lines).encode("utf-8", "replace")


def why_table(results: Results, digits: int = 3) -> str:
    """The same for people: columns aligned, numbers to the right."""
    table = [COLUMNS, *rows(results, digits)]
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    return "".join(
        "  ".join(
            text + " " * (width - _width(text)) if name in TEXT else " " * (width - _width(text)) + text
            for name, text, width in zip(COLUMNS, row, widths, strict=True)
        )
        + "\n"
        for row in table
    )


def rows(results: Results, digits: int) -> Iterator[Sequence[str]]:
    """A row for each hit; numbers have so many digits."""
    used, spec = set(results.signals), f".{digits}f"
    for rank, hit in enumerate(results.hits, 1):
        parts = (format(hit.parts.get(name, 0.0), spec) if name in used else NONE for name in SIGNALS)
        lines = f"{hit.passages[0].first_line}-{hit.passages[0].last_line}" if hit.passages else NONE
        yield str(rank), escaped(shown(hit.path)), format(hit.score, spec), *parts, lines


def _width(text: str) -> int:
    """The columns of a terminal that it takes."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
