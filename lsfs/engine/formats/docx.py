"""docx: headings, paragraphs and tables of a Word document, in their order, headings marked as in Markdown.

Runs in the extractor child.
"""

import io
import re
import zipfile
from collections.abc import Iterator

import docx
from docx.opc.exceptions import OpcError
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml.etree import LxmlError

from lsfs.engine.document import Document
from lsfs.engine.encoding import clean
from lsfs.engine.formats import MAX_TEXT, Unreadable
from lsfs.engine.formats.zipped import opened

_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop|rubrik)\s*([1-9])", re.IGNORECASE)
_NESTED = 4  # tables in tables deeper than this are layout


def parse(data: bytes) -> Document:
    """The text of a DOCX. Raises Unreadable."""
    opened(data).close()  # refuses bombs before anything is unpacked
    try:
        document = docx.Document(io.BytesIO(data))
        levels = {style.style_id: _level(style.name or "") for style in document.styles}
        blocks: list[str] = []
        size = 0
        for block in _blocks(document, levels, 0):
            blocks.append(block)
            size += len(block)
            if size > MAX_TEXT:
                break
        title = " ".join(clean(document.core_properties.title or "").split())
    except (
        OpcError,
        LxmlError,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        AttributeError,
        NotImplementedError,
        EOFError,
    ) as error:
        raise Unreadable("The Word document is damaged.") from error
    if not title:
        title = next((block for block in blocks if block.startswith("#")), blocks[0] if blocks else "")
        title = title.split("\n", 1)[0].lstrip("# ")
    return Document("docx", "\n\n".join(blocks), title[:160])


def _level(name: str) -> int:
    if name.lower() in ("title", "titel", "titre"):
        return 1
    found = _HEADING.match(name)
    return min(int(found[1]), 6) if found else 0


def _blocks(part: object, levels: dict[str, int], depth: int) -> Iterator[str]:
    for item in part.iter_inner_content():  # type: ignore[attr-defined]
        if isinstance(item, Paragraph):
            text = clean(item.text).strip()
            if text:
                # the style's id, not the style: python-docx searches the whole style sheet for each
                style = item._p.style
                level = levels.get(style, 0) if style else 0
                yield "#" * level + " " + " ".join(text.split()) if level else text
        elif isinstance(item, Table) and depth < _NESTED:
            rows = [row for row in _rows(item, levels, depth) if row]
            if rows:
                yield "\n".join(rows)


def _rows(table: Table, levels: dict[str, int], depth: int) -> Iterator[str]:
    for row in table.rows:
        cells: list[str] = []
        seen: object = None
        for cell in row.cells:
            if cell._tc is seen:  # a merged cell comes once for each column
                continue
            seen = cell._tc
            cells.append(" ".join(" ".join(_blocks(cell, {}, depth + 1)).split()))
        yield " | ".join(cells).strip(" |")
