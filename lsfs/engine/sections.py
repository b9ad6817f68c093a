"""sections: a document whose parts are known already: the functions of a source, the sheets of a workbook, the messages of a mailbox.

Threading: pure function.
"""

from collections.abc import Iterator, Sequence

from lsfs.engine.breaks import CHAIN, ENTRY, LINE, PARAGRAPH, SECTION, Row, lines
from lsfs.engine.document import Section
from lsfs.engine.types import CODE, SHEETS

_HEAD = 2  # lines: a definition so near to the beginning of what encloses it is not parted from it


def sectioned(text: str, parts: Sequence[Section], kind: str) -> Iterator[Row]:
    """The lines of a document of the type `kind`, under the titles of the sections (in their order) that they stand in.

    An outermost section breaks as one; one within another is an entry, and so is each row of a sheet, and what follows a section."""
    opened: list[Section] = []
    following = iter(parts)
    part = next(following, None)
    titles: tuple[str, ...] = ()
    blank, level = True, LINE
    for number, start, line in lines(text):
        changed = False
        while opened and opened[-1].last < number:
            opened.pop()
            changed, level = True, max(level, ENTRY)
        while part is not None and part.line <= number:
            if part.last >= number:
                near = bool(opened) and kind in CODE and number - opened[-1].line <= _HEAD
                level = max(level, SECTION if not opened else LINE if near else ENTRY)
                opened.append(part)
                changed = True
            part = next(following, None)
        if changed:
            titles = tuple(section.title for section in opened[-CHAIN:])
        if not line or line.isspace():
            blank = True
            continue
        usual = ENTRY if kind in SHEETS else PARAGRAPH if blank else LINE
        yield start, start + len(line), number, max(level, usual), titles
        blank, level = False, LINE
