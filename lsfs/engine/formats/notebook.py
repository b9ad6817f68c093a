"""notebook: the cells of a Jupyter notebook, one after the other, with the text that they put out; no pictures.

A cell's number is its page, counted from 1 as they stand. A cell of Markdown is titled by its first heading, and so are the cells of code
below it, down to the next. Runs in the extractor child.
"""

import json
from collections.abc import Iterator
from typing import Any

from lsfs.engine.document import Document, Section
from lsfs.engine.encoding import clean, decode
from lsfs.engine.formats import MAX_TEXT, Unreadable
from lsfs.engine.formats.html import visible

_OUTPUT = 4000  # characters of a cell's output: its beginning says what it is
_TITLE = 80


def parse(data: bytes) -> Document:
    """The text of a notebook (nbformat 3 or 4), with the first line of each cell. Raises Unreadable."""
    source = decode(data)
    try:
        book = json.loads(source or "")
    except ValueError as error:
        raise Unreadable("The notebook is no JSON.") from error
    cells = list(_cells(book))
    if not isinstance(book, dict) or (not cells and "nbformat" not in book):
        raise Unreadable("The file is no notebook: it has no cells.")
    lines: list[str] = []
    pages: list[int] = []
    sections: list[Section] = []
    chain: list[tuple[int, str]] = []
    head = ""
    size = 0
    for cell in cells:
        pages.append(len(lines) + 1)
        text = "\n\n".join(part for part in _parts(cell) if part)
        if rank := _heading(cell, text):
            head = head or rank[1]
            chain = [*(entry for entry in chain if entry[0] < rank[0]), rank]
        body = text.split("\n") if text else []
        if body:
            title = " > ".join(name for _, name in chain[-3:])
            sections.append(Section(len(lines) + 1, len(lines) + len(body), title or f"cell {len(pages)}"))
        lines += [*body, ""]
        size += len(text)
        if size > MAX_TEXT:
            break
    title = head or next((line.strip("# ") for line in lines if line.strip("# ")), "")
    return Document("notebook", "\n".join(lines), title[:160], tuple(pages), tuple(sections))


def _cells(book: Any) -> Iterator[dict]:
    if not isinstance(book, dict):
        return
    sheets = book.get("worksheets")  # nbformat 3
    for holder in [book, *(sheets if isinstance(sheets, list) else ())]:
        cells = holder.get("cells") if isinstance(holder, dict) else None
        for cell in cells if isinstance(cells, list) else ():
            if isinstance(cell, dict):
                yield cell


def _heading(cell: dict, text: str) -> tuple[int, str] | None:
    """The rank and name of the first heading in a cell of Markdown."""
    if cell.get("cell_type") == "heading":
        level = cell.get("level")
        return (min(max(level, 1), 6) if isinstance(level, int) else 1), text.strip("# \n")[:_TITLE]
    if cell.get("cell_type") != "markdown":
        return None
    for line in text.split("\n"):
        name = line.lstrip("#")
        if 1 <= len(line) - len(name) <= 6 and name.startswith(" ") and name.strip():
            return len(line) - len(name), name.strip()[:_TITLE]
    return None


def _parts(cell: dict) -> Iterator[str]:
    yield _joined(cell.get("source", cell.get("input")))
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            yield _output(output)[:_OUTPUT].strip("\n")


def _output(output: dict) -> str:
    """What an output says: its text, or that of its HTML; of an error its name and sentence."""
    if output.get("output_type") in ("error", "pyerr"):
        return f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"
    found = output.get("data")
    data = found if isinstance(found, dict) else output
    text = _joined(data.get("text/plain", data.get("text")))
    html = _joined(data.get("text/html", data.get("html")))
    if html and (not text or text.startswith("<")):  # `<IPython.core.display.HTML object>`
        return "\n".join(line for line in visible(html[: _OUTPUT * 20])[1].split("\n") if line)
    return text


def _joined(said: Any) -> str:
    if isinstance(said, list):
        said = "".join(part for part in said if isinstance(part, str))
    return clean(said).strip("\n") if isinstance(said, str) else ""
