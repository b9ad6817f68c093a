"""Contents in another format, by the real process: what is kept, what is refused, and that a bad file costs nothing else."""

import io
import json
import os
import sys
import zipfile

import docx
import pypdfium2
import pytest
import trio
from documents_made import row, xlsx
from reportlab.pdfgen import canvas

from lsfs.conversion import Converter, _run
from lsfs.conversion.ways import _soup
from syscalls.errors import InvalidArgument, NotText, TooLarge
from syscalls.translate import WAYS

MARKDOWN = """---
title: Plan
---
# Refunds *policy*

Refunds need **two** signatures, see [the form](http://example.org/form).

- one
- two

| name | limit |
|---|---|
| Ada | 500 |

```python
print("x")
```

Ünïcode.
"""


def convert(data, source, target):
    return trio.run(Converter().convert, data, source, target, f"plan.{source}")


def pdf(*pages):
    made = io.BytesIO()
    drawn = canvas.Canvas(made)
    for text in pages:
        drawn.drawString(100, 700, text)
        drawn.showPage()
    drawn.save()
    return made.getvalue()


@pytest.fixture(scope="module")
def samples():
    """A document in each format, made of the Markdown one by the ways themselves, or by a library."""
    source = MARKDOWN.encode()
    return {
        "md": source,
        "html": convert(source, "md", "html"),
        "docx": convert(source, "md", "docx"),
        "pdf": pdf("Refunds policy", "Ada 500 two signatures"),
    }


@pytest.mark.parametrize(
    ("source", "target"),
    [(source, target) for source in ("md", "html", "docx", "pdf") for target in WAYS[source]],
)
def test_what_a_document_says_is_there_in_every_format(samples, source, target):
    made = convert(samples[source], source, target)
    if target == "docx":
        document = docx.Document(io.BytesIO(made))
        text = "\n".join(paragraph.text for paragraph in document.paragraphs)
        text += " ".join(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    else:
        text = made.decode()
    for words in (
        ("Refunds", "policy", "two", "signatures", "Ada", "500")
        if source != "pdf"
        else ("Refunds policy", "Ada 500")
    ):
        assert words in text


def test_structure_is_kept(samples):
    page = convert(samples["md"], "md", "html").decode()
    assert "<h1>Refunds <em>policy</em></h1>" in page and "<li>one</li>" in page and "<td>Ada</td>" in page
    assert '<a href="http://example.org/form">' in page and "<title>plan</title>" in page
    again = convert(samples["html"], "html", "md").decode()
    assert "# Refunds *policy*" in again and "- one\n- two" in again and "| Ada | 500 |" in again
    assert '```python\nprint("x")\n```' in again and "Ünïcode" in again
    back = convert(samples["docx"], "docx", "md").decode()
    assert "# Refunds *policy*" in back and "| Ada | 500 |" in back and "**two**" in back


def test_no_file_or_address_that_a_page_names_is_read(samples, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"\x89PNG\r\n\x1a\n" + b"secret")
    page = f'<p>before</p><img src="{secret}" alt="the picture"><img src="http://127.0.0.1:9/x.png"><p>after</p>'.encode()
    made = convert(page, "html", "docx")
    assert not [name for name in zipfile.ZipFile(io.BytesIO(made)).namelist() if "media" in name]
    text = "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(made)).paragraphs)
    assert "before" in text and "the picture" in text and "after" in text


@pytest.mark.parametrize(
    "hidden", ["<!--> {} -->", "<!--->{}-->", "<!-- --!>{}-->", "<?x {} ?>", "<![CDATA[ {} ]]>"]
)
def test_what_one_parser_hides_from_the_other_is_gone(hidden):
    page = "<p>before</p>" + hidden.format(
        '<img src="/etc/passwd"><link rel="stylesheet" href="/etc/passwd">'
    )
    left = str(_soup(page))
    assert "<!" not in left and "<?" not in left and "<link" not in left


def test_a_picture_that_word_does_not_know_is_its_text():
    for source in (
        "image/svg+xml;base64,PHN2Zz48L3N2Zz4=",
        "image/png;base64,AAAA",
        "image/png,x",
        "image/png;base64,=",
        "image/jpeg;base64,/9j/",
    ):
        made = convert(f'<p>before <img src="data:{source}" alt="the picture"></p>'.encode(), "html", "docx")
        assert "the picture" in docx.Document(io.BytesIO(made)).paragraphs[0].text


def test_a_picture_that_a_page_carries_is_in_the_document():
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    made = convert(f'<p>a</p><img src="data:image/png;base64,{dot}">'.encode(), "html", "docx")
    assert [name for name in zipfile.ZipFile(io.BytesIO(made)).namelist() if "media" in name]


def test_a_conversion_outlives_the_threads_of_the_daemon(monkeypatch):
    """It asks to die with the thread that started it: trio's threads end after some idle seconds, here at once."""
    monkeypatch.setattr("trio._core._thread_cache.IDLE_TIMEOUT", 0.01)
    program = "import ctypes, signal, time; ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0); time.sleep(0.5); print('made')"
    assert trio.run(_run, [sys.executable, "-c", program], b"") == (0, b"made\n")


def test_a_conversion_that_nobody_waits_for_is_ended():
    async def main():
        with trio.move_on_after(0.1):
            await _run([sys.executable, "-c", "import time; time.sleep(1000)"], b"x" * (1 << 20))

    trio.run(main)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_scripts_are_no_text():
    assert convert(b"<p>a</p><script>alert(1)</script>", "html", "md") == b"a\n"


def test_pages_are_joined_in_their_order():
    made = trio.run(Converter().join, "pdf", [("a.pdf", pdf("one", "two")), ("b.pdf", pdf("three"))])
    with pypdfium2.PdfDocument(made) as whole:
        assert [page.get_textpage().get_text_range().strip() for page in whole] == ["one", "two", "three"]


def test_texts_are_joined_as_in_the_loop():
    assert trio.run(Converter().join, "text", [("a", b"one"), ("b\udcff", b"two")]) == b"one\ntwo"


@pytest.mark.parametrize(
    ("source", "data", "error"),
    [("docx", b"PK\x03\x04 no zip", InvalidArgument), ("pdf", b"%PDF-1.4 nothing", InvalidArgument),
     ("md", b"\x00\x01\x02" * 100, NotText), ("docx", b"", InvalidArgument), ("html", b"\x89PNG\r\n\x1a\n\0\0\0", NotText)],
)  # fmt: skip
def test_what_is_not_what_its_name_says_is_refused_with_a_sentence(source, data, error):
    with pytest.raises(error) as caught:
        convert(data, source, "txt" if source == "pdf" else "html" if source != "html" else "md")
    assert str(caught.value).endswith(".")


def test_a_damaged_pdf_is_named():
    with pytest.raises(InvalidArgument, match=r"b\.pdf"):
        trio.run(Converter().join, "pdf", [("a.pdf", pdf("one")), ("b.pdf", b"%PDF-1.4 broken")])


def test_what_makes_a_parser_swell_ends_only_its_process():
    with pytest.raises((InvalidArgument, TooLarge)):
        convert(b"<div>" * 100_000 + b"x", "html", "md")
    assert convert(b"*ok*", "md", "txt") == b"ok\n"


def test_workbooks_notebooks_and_mail_become_what_the_index_reads_of_them():
    book = xlsx({"Costs": row(1, "Item", "Cost") + row(2, "Desk", 120)})
    assert convert(book, "xlsx", "txt") == b"Costs\nItem | Cost\nDesk | 120\n"
    cells = [
        {"cell_type": "markdown", "source": ["# Plan"]},
        {"cell_type": "code", "source": "x = 1", "outputs": []},
    ]
    notebook = json.dumps({"nbformat": 4, "cells": cells}).encode()
    assert convert(notebook, "ipynb", "txt") == b"# Plan\n\nx = 1\n"
    message = (
        b"From: a@example.org\nX-Spam: no\nX-Seen: yes\nX-Score: 1\nSubject: =?utf-8?q?Caf=C3=A9?=\n\nCome.\n"
    )
    assert convert(message, "eml", "txt") == "From: a@example.org\n\nSubject: Café\n\nCome.\n".encode()
    for source in ("xlsx", "xls", "ods", "odp", "ipynb"):
        with pytest.raises(InvalidArgument):
            convert(b"no such thing", source, "txt")
