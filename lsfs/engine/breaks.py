"""breaks: how strongly a text breaks before one of its lines, and what all ways of cutting share.

Threading: constants and pure functions.
"""

from collections.abc import Iterator

# The strength of the break before a unit. An ENTRY is a turn, a record, a row, a method: where it fits into a passage, it is in one whole.
JOINED, LINE, PARAGRAPH, ENTRY, SECTION, HOLE = range(6)

TITLE = 160  # characters of a passage's title
CHAIN = 5  # titles above a unit that are kept: the innermost say most

# (start, stop, line, level, titles): text[start:stop] lies in one line, counted from 1, and breaks from what is before it with `level`
Row = tuple[int, int, int, int, tuple[str, ...]]


def lines(text: str) -> Iterator[tuple[int, int, str]]:
    """(number, offset, line) of each line, without making a list of them all."""
    start, number, size = 0, 1, len(text)
    while start <= size:
        end = text.find("\n", start)
        if end < 0:
            end = size
        yield number, start, text[start:end]
        start, number = end + 1, number + 1
