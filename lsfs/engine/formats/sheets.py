"""sheets: the rows of a workbook (XLSX, XLSM, XLSB, XLS, ODS), sheet after sheet, by calamine.

    Budget
    Item | Cost | Due            the header: the title of the rows below it
    Desk | 120 | 2026-03-01

A row is a line; empty rows and empty cells at a row's end are left out. Sheets that are hidden are read like the others: what is in them is
in the file. Runs in the extractor child: a cell in the last corner of a sheet makes the library ask for more memory than there is.
"""

import datetime
import io
from collections.abc import Iterator

import python_calamine as calamine

from lsfs.engine.document import Document, Section
from lsfs.engine.encoding import clean
from lsfs.engine.formats import MAX_TEXT, Unreadable
from lsfs.engine.formats.zipped import PACKAGE, opened
from lsfs.engine.types import OLE

_HEADER = 100  # characters of a header in a title: the sheet's name shall fit beside it
_ABOVE = 5  # rows that may stand above a header
_ENCRYPTED = "The workbook is encrypted with a password."


def parse(data: bytes) -> Document:
    """The text of a workbook, its sheets and their headers as sections. Raises Unreadable."""
    kind = "xls"
    if data.startswith(OLE):
        if PACKAGE in data:
            raise Unreadable(_ENCRYPTED)
    else:
        with opened(data) as archive:  # refuses bombs before anything is unpacked
            kind = "ods" if "content.xml" in archive.namelist() else "xlsx"
    lines: list[str] = []
    sections: list[Section] = []
    broken = size = 0
    try:
        with calamine.load_workbook(io.BytesIO(data)) as book:
            for name in book.sheet_names:
                try:
                    size += _sheet(
                        book.get_sheet_by_name(name), clean(name), lines, sections, MAX_TEXT - size
                    )
                except (calamine.CalamineError, OSError):  # a sheet of charts, or one that is damaged
                    broken += 1
                if size >= MAX_TEXT:
                    break
            if broken and not sections:
                raise Unreadable("No sheet of the workbook can be read.")
    except calamine.PasswordError as error:
        raise Unreadable(_ENCRYPTED) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        if "limit" in str(error):
            raise Unreadable("The workbook has more cells than can be read.") from error
        raise Unreadable("The workbook is damaged or encrypted.") from error
    title = (
        sections[0].title if len(book.sheet_names) == 1 and sections else ""
    )  # several have none in common
    return Document(kind, "\n".join(lines), title[:160], sections=tuple(sections))


def _sheet(
    sheet: calamine.CalamineSheet, name: str, lines: list[str], sections: list[Section], room: int
) -> int:
    """Add a sheet's lines and sections; the characters that were added, `room` at most and a row."""
    first, size = len(lines) + 1, len(name)
    head, header = 0, ""
    lines.append(name)
    for number, row in enumerate(_rows(sheet), first + 1):
        lines.append(row)
        # the first row that is a row; what stands alone above it is a title
        if not header or (" | " not in header and " | " in row and number <= first + _ABOVE):
            head, header = number, row
        size += len(row) + 1
        if size >= room:
            break
    if not header:
        lines.pop()
        return 0
    sections.append(Section(first, len(lines), " ".join(name.split())))
    if len(lines) > head:
        sections.append(Section(head + 1, len(lines), header[:_HEADER].strip()))
    lines.append("")
    return size


def _rows(sheet: calamine.CalamineSheet) -> Iterator[str]:
    for row in sheet.iter_rows():
        cells = [_cell(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield " | ".join(cells)


def _cell(value: object) -> str:
    """A value as a person reads it: no `.0`, no time of a mere day, one line."""
    if isinstance(value, str):
        return " ".join(clean(value).split())
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return str(value)
