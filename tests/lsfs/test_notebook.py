"""Notebooks: cells and what they put out, without pictures."""

import json
from collections.abc import Iterator

import pytest
from documents_made import parsed

from lsfs.engine.extract import Extractor, extract
from lsfs.engine.passages import cut
from lsfs.engine.reader import of_bytes


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(timeout=60) as one:
        yield one


def notebook(*cells: dict, **more: object) -> bytes:
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}, indent=1
    ).encode()


PICTURE = {
    "output_type": "display_data",
    "data": {"image/png": "iVBORw0KGgo" * 500, "text/plain": ["<Figure size 640x480>"]},
}
NOTEBOOK = notebook(
    {"cell_type": "markdown", "source": ["# Refunds\n", "\n", "How many there were."]},
    {
        "cell_type": "code",
        "source": "total = 41\nprint(total)",
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": ["41\n"]},
            PICTURE,
            {
                "output_type": "execute_result",
                "data": {"text/html": ["<b>forty</b>", " one"], "text/plain": "<HTML object>"},
            },
            {
                "output_type": "error",
                "ename": "ValueError",
                "evalue": "too many",
                "traceback": ["\x1b[31mgone"],
            },
        ],
    },
    {"cell_type": "code", "source": "", "outputs": []},
    {"cell_type": "markdown", "source": "## By month\n\nMarch was worst."},
)


def test_a_notebook_gives_its_cells_and_what_they_put_out_but_no_pictures(extractor: Extractor) -> None:
    document = parsed(extractor, NOTEBOOK, b"a.ipynb")
    assert (document.type, document.title) == ("notebook", "Refunds")
    assert (
        "total = 41\nprint(total)\n\n41\n\n<Figure size 640x480>\n\nforty one\n\nValueError: too many"
        in document.text
    )
    assert "iVBOR" not in document.text and "\x1b" not in document.text
    lines = document.text.split("\n")
    assert [lines[page - 1] for page in document.pages] == ["# Refunds", "total = 41", "", "## By month"]
    assert [section.title for section in document.sections or ()] == [
        "Refunds",
        "Refunds",
        "Refunds > By month",
    ]
    [only] = cut(document, lambda texts: [1 for _ in texts])
    assert (only.first_line, only.last_line) == (1, 4), "the places in a notebook are its cells"


def test_an_old_notebook_has_cells_too(extractor: Extractor) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Old"]},
        {"cell_type": "code", "input": "1 + 1", "outputs": [{"output_type": "pyout", "text": "2"}]},
    ]
    data = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode()
    assert parsed(extractor, data, b"a.ipynb").text == "Old\n\n1 + 1\n\n2\n"


@pytest.mark.parametrize(
    "data",
    [
        b"no json at all",
        b'{"cells": ' + b"[" * 200_000,
        b"[]",
        b'{"a": 1}',
        b'{"nbformat": 4, "cells": [1, null, {"cell_type": 3, "source": {"x": 1}, "outputs": 7}, {"source": [1]}]}',
        b'"' + b"x" * 1_000_000,
    ],
)
def test_what_is_no_notebook_fails_or_is_empty(extractor: Extractor, data: bytes) -> None:
    extraction = extract(of_bytes(data, b"a.ipynb"), extractor)
    assert extraction.state == "failed" or (
        extraction.document is not None and not extraction.document.text.strip()
    )
    assert extraction.state == "text" or (extraction.error or "").endswith(".")


def test_levels_that_no_heading_has_nest_no_deeper_than_the_last(extractor: Extractor) -> None:
    cells = [{"cell_type": "heading", "level": level, "source": f"h{level}"} for level in (-3, 6, 700, 8000)]
    sections = parsed(extractor, notebook(*cells), b"a.ipynb").sections
    assert [section.title for section in sections or ()] == ["h-3", "h-3 > h6", "h-3 > h700", "h-3 > h8000"]
