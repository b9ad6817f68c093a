"""Extraction: every format's words come out, and a document that kills its parser costs itself alone."""

import io
import os
import signal
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from documents_made import ENCRYPTED, compound, locked, refused
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

from lsfs.engine.document import Content, Document
from lsfs.engine.extract import Extractor, extract, title_of
from lsfs.engine.formats import html
from lsfs.engine.formats.html import visible
from lsfs.engine.reader import read_file

# a stand-in for a parser that is fed hostile documents: it obeys what the "document" says, after the real set-up
HOSTILE = """
import os, signal, sys, time
from lsfs.engine import extractor
def parse(fd, kind):
    data = os.pread(fd, 100, 0)
    if data == b"crash": os.kill(os.getpid(), signal.SIGSEGV)
    if data == b"hang": time.sleep(600)
    if data == b"spin":
        while True: pass
    if data == b"memory": return {"text": "x" * (8 << 30)}
    if data == b"exit": os._exit(0)
    if data == b"raise": raise ZeroDivisionError
    if data == b"deep":
        def down(): return down()
        down()
    if data.startswith(b"/"):
        with open(data, "w") as out: out.write("x" * 10)
    return {"type": kind, "text": data.decode(), "title": "", "pages": []}
extractor._document = parse
extractor.main()
"""


def hostile(fd: int, memory: int, seconds: int) -> list[str]:
    return [sys.executable, "-c", HOSTILE, str(fd), str(memory), str(seconds)]


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(timeout=60) as one:
        yield one


def content(kind: str, data: bytes) -> Content:
    return Content("text", kind, b"d" * 16, data)


def parsed(extractor: Extractor, kind: str, data: bytes) -> Document:
    extraction = extract(content(kind, data), extractor)
    assert extraction.state == "text", extraction.error
    assert extraction.document is not None
    return extraction.document


def pdf(pages: list[list[str]], title: str = "", password: str | None = None) -> bytes:
    out = io.BytesIO()
    paper = canvas.Canvas(out, pagesize=A4, encrypt=password)
    paper.setTitle(title)
    for lines in pages:
        text = paper.beginText(60, 780)
        for line in lines:
            text.textLine(line)
        paper.drawText(text)
        paper.showPage()
    paper.save()
    return out.getvalue()


def test_a_pdf_gives_its_text_and_the_line_where_each_page_begins(extractor: Extractor) -> None:
    document = parsed(
        extractor, "pdf", pdf([["Refund policy", "Two signatures."], [], ["Last page"]], "The policy")
    )
    lines = document.text.split("\n")
    assert document.title == "The policy"
    assert lines[:2] == ["Refund policy", "Two signatures."]
    assert len(document.pages) == 3
    assert lines[document.pages[2] - 1] == "Last page"
    assert [document.place(line) for line in (1, 2, document.pages[2])] == [1, 1, 3]


def test_damaged_and_encrypted_pdfs_fail_with_a_sentence(extractor: Extractor) -> None:
    whole = pdf([["x" * 50] * 40])
    encrypted = extract(content("pdf", pdf([["x"]], password="secret")), extractor)
    assert encrypted.state == "failed" and "password" in (encrypted.error or "")
    assert extract(content("pdf", b"%PDF-1.7\nnothing"), extractor).state == "failed"
    assert extract(content("pdf", whole[: len(whole) // 3]), extractor).state in ("failed", "text")


@pytest.mark.parametrize(
    ("name", "data", "thing"),
    [
        (b"a.docx", ENCRYPTED, "document"),
        (b"a.PPTX", ENCRYPTED, "document"),
        (b"a.xlsx", ENCRYPTED, "workbook"),
        (b"a.xlsb", ENCRYPTED, "workbook"),
        (b"a.odt", locked("text"), "document"),
        (b"renamed.bin", locked("presentation"), "document"),
        (b"a.ods", locked("spreadsheet"), "document"),
    ],
)
def test_encrypted_office_documents_say_that_they_are(
    extractor: Extractor, name: bytes, data: bytes, thing: str
) -> None:
    assert refused(extractor, data, name) == f"The {thing} is encrypted with a password."


def test_a_zip_with_a_password_says_so(extractor: Extractor) -> None:
    data = bytearray(zipped({"word/document.xml": "x"}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # what encrypting would have set
    assert refused(extractor, bytes(data), b"a.docx") == "The document is encrypted with a password."


def test_an_old_office_document_under_a_new_name_says_why_it_has_no_text(extractor: Extractor) -> None:
    assert "before 2007" in refused(extractor, compound("WordDocument"), b"a.docx")


def word(build) -> bytes:  # type: ignore[no-untyped-def]
    document = docx.Document()
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_docx_gives_headings_paragraphs_and_tables_in_their_order(
    extractor: Extractor, tmp_path: Path
) -> None:
    def build(document) -> None:  # type: ignore[no-untyped-def]
        document.add_heading("Travel", 0)
        document.add_paragraph("Book early.")
        document.add_heading("Costs", 2)
        table = document.add_table(2, 2)
        for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
            cell.text = f"cell {number}"
        table.cell(1, 0).merge(table.cell(1, 1))
        document.add_paragraph("After the table.")

    data = word(build)
    assert (
        parsed(extractor, "docx", data).text
        == "# Travel\n\nBook early.\n\n## Costs\n\ncell 0 | cell 1\ncell 2 cell 3\n\nAfter the table."
    )
    assert parsed(extractor, "docx", data).title in ("Travel", "Word Document")
    (tmp_path / "renamed.bin").write_bytes(data)
    fd = os.open(tmp_path, os.O_PATH)
    assert read_file(fd, b"renamed.bin").type == "docx"
    os.close(fd)


def test_html_keeps_its_line_numbers_and_drops_what_is_not_read(extractor: Extractor) -> None:
    page = (
        "<!doctype html>\n<html><head><title>Our\n terms</title>\n<style>p { color: red }</style>\n<script>\n"
        "var x = '<p>no</p>';\n</script></head>\n"
        "<body><nav><a href=/>Home</a></nav>\n<h2>Refunds &amp; returns</h2>\n<p>Within <b>30</b>\ndays.</p>"
        "<p>Then not.</p>\n<!-- hidden -->"
        "<ul><li>one<li>two</ul><td>a</td><td>b</td></body></html>\n"
    )
    document = parsed(extractor, "html", page.encode())
    lines, source = document.text.split("\n"), page.split("\n")
    assert document.title == "Our terms"
    assert len(lines) == len(source)
    assert lines[source.index("<h2>Refunds &amp; returns</h2>")] == "## Refunds & returns"
    assert "Within 30" in lines and "days. Then not." in lines
    for hidden in ("color", "var x", "no", "Home", "hidden"):
        assert hidden not in document.text.replace("not", "")
    assert lines[-2] == "- one two a b"


@pytest.mark.parametrize(
    "broken",
    ["<p>a<script>x", "<nav>menu<main>a</main>", "<style>p{}</style><p>a", "<p>a</p></nav></p></div>"],
)
def test_forgotten_end_tags_do_not_swallow_the_page(broken: str) -> None:
    _, text = visible("<html><body>" + broken)
    assert "a" in text.split()
    assert "menu" not in text and "p{}" not in text


@pytest.mark.parametrize(
    "markup",
    ["<a " * 700_000, "<a b='>' " * 300_000, "</a" * 700_000, "<?x" * 700_000]
    + ["<svg></p>" * 300_000, "<p>" * 300_000 + "<li>" * 300_000],
    ids=["tags", "values", "ends", "instructions", "dropped", "blanks"],
)
def test_megabytes_of_markup_that_nothing_ends_cost_no_timeout(extractor: Extractor, markup: str) -> None:
    page = f"<html><title>x</title><p>first\n{markup}\nlast"
    document = parsed(extractor, "html", page.encode())
    assert document.text.count("\n") == 2
    assert document.text.startswith("x first\n")


def test_markup_that_is_given_up_leaves_its_words_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "PATIENCE", 1000)
    _, text = visible("<p>first\n" + "<a b='>' " * 1000 + 'c="\nwords &amp; <b\n>more</b>')
    lines = text.split("\n")
    assert (lines[0], lines[-2:], len(lines)) == ("first", ["words &", "more"], 4)


def test_a_declaration_that_nobody_knows_costs_no_page() -> None:
    assert visible("<p>before<![ x]><![word[]>after")[1] == "beforeafter"


def test_html_in_a_declared_encoding_is_decoded(extractor: Extractor) -> None:
    page = '<html><meta charset="koi8-r"><p>Привет'.encode("koi8-r")
    assert "Привет" in parsed(extractor, "html", page).text


def zipped(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name) if name == "mimetype" else name, data)
    return out.getvalue()


TEXT_NS = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
ODT = {
    "mimetype": "application/vnd.oasis.opendocument.text",
    "content.xml": f'<office:d {TEXT_NS}><text:h text:outline-level="2">Head</text:h><text:p>Some <text:s/>words</text:p></office:d>',
}
SLIDE = '<p:s xmlns:p="p" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:p><a:t>{}</a:t></a:p><a:p><a:t>point</a:t></a:p></p:s>'
PPTX = {
    "ppt/presentation.xml": "<x/>",
    "ppt/slides/slide2.xml": SLIDE.format("Second"),
    "ppt/slides/slide1.xml": SLIDE.format("First"),
}
EPUB = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": '<c><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></c>',
    "OEBPS/book.opf": '<p><metadata><title>A book</title></metadata><manifest><item id="b" href="b%20b.html"/><item id="a" href="a.html"/>'
    '</manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></p>',
    "OEBPS/a.html": "<html><h1>One</h1>\n\n\n<p>first",
    "OEBPS/b b.html": "<html><h1>Two</h1><p>second",
}


@pytest.mark.parametrize(
    ("kind", "members", "text", "title"),
    [
        ("odt", ODT, "## Head\n\nSome words", "Head"),
        ("pptx", PPTX, "## First\npoint\n\n## Second\npoint", "First"),
        ("epub", EPUB, "# One\n\nfirst\n\n# Two second", "A book"),
    ],
)
def test_other_zipped_documents(
    extractor: Extractor, tmp_path: Path, kind: str, members: dict, text: str, title: str
) -> None:
    data = zipped(members)
    document = parsed(extractor, kind, data)
    assert (document.text, document.title) == (text, title)
    (tmp_path / "x").write_bytes(data)
    fd = os.open(tmp_path, os.O_PATH)
    assert read_file(fd, b"x").type == kind
    os.close(fd)


def test_bombs_are_refused(extractor: Extractor) -> None:
    zeros = bytes(64 << 20)
    bomb = zipped({"word/document.xml": "<x/>", **{f"word/media/{n}": zeros for n in range(9)}})
    assert len(bomb) < 1 << 20
    failed = extract(content("docx", bomb), extractor)
    assert failed.state == "failed" and "unpacks" in (failed.error or "")
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{("&" + a + ";") * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    evil = ODT | {"content.xml": laughs + f"]><office:d {TEXT_NS}><text:p>&i;</text:p></office:d>"}
    done = extract(content("odt", zipped(evil)), extractor)
    assert done.state == "failed" or (done.document is not None and len(done.document.text) < 10_000)
    outside = ODT | {
        "content.xml": f'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><office:d {TEXT_NS}><text:p>&a;</text:p></office:d>'
    }
    done = extract(content("odt", zipped(outside)), extractor)
    assert done.document is None or "root:" not in done.document.text


@pytest.mark.parametrize("kind", ["docx", "odt", "pptx", "epub", "pdf"])
@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"junk" * 100, zipped({"word/document.xml": "<broken"})],
)
def test_damaged_documents_fail_and_say_so(extractor: Extractor, kind: str, data: bytes) -> None:
    failed = extract(content(kind, data), extractor)
    assert failed.state == "failed"
    assert (failed.error or "").endswith(".")


def test_a_crash_a_hang_or_a_glutton_costs_its_file_alone() -> None:
    with Extractor(memory=1 << 30, timeout=1.0, command=hostile) as one:
        assert one.extract("pdf", b"fine").state == "text"
        for data, word in [
            (b"crash", "crashed"),
            (b"exit", "crashed"),
            (b"memory", "memory"),
            (b"raise", "failed"),
            (b"deep", "nested"),
        ]:
            failed = one.extract("pdf", data)
            assert failed.state == "failed" and word in (failed.error or ""), (data, failed.error)
            assert one.extract("pdf", b"fine").state == "text"
        hung = one.extract("pdf", b"hang")
        assert hung.state == "failed" and "extract_timeout" in (hung.error or "")
        assert one.extract("pdf", b"fine").state == "text"
        spun = one.extract("pdf", b"spin")
        assert "extract_timeout" in (spun.error or "")


def test_a_parser_cannot_write_files(tmp_path: Path) -> None:
    with Extractor(timeout=30, command=hostile) as one:
        assert one.extract("pdf", os.fsencode(tmp_path / "f")).state == "failed"
    assert not (tmp_path / "f").exists() or (tmp_path / "f").stat().st_size == 0


def test_a_signal_from_outside_is_not_held_against_a_document(extractor: Extractor) -> None:
    assert parsed(extractor, "html", b"<html>first").text == "first"
    first = extractor.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert parsed(extractor, "html", b"<html>second").text == "second"
    assert extractor.pid != first


def test_closing_leaves_no_process_and_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with Extractor() as one:
        assert one.pid is None
        one.extract("html", b"<html>x")
        pid = one.pid
        assert pid is not None
    assert one.pid is None
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_plain_text_needs_no_child() -> None:
    with Extractor() as one:
        document = parsed(one, "markdown", b"\xef\xbb\xbfintro\r\n# Title #\r\n")
        assert (document.text, document.title) == ("intro\n# Title #\n", "Title")
        assert parsed(one, "html", b"").text == ""
        assert one.pid is None


def test_keys_that_the_bytes_do_not_show_are_secret_all_the_same(extractor: Extractor) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE"
    assert extract(content("text", key.encode("utf-16")), extractor).state == "secret"
    assert (
        extract(content("docx", word(lambda document: document.add_paragraph(key))), extractor).state
        == "secret"
    )


def test_nul_bytes_in_no_encoding_are_no_text(extractor: Extractor) -> None:
    assert extract(content("text", b"text" + bytes(500)), extractor).state == "other"


@pytest.mark.parametrize(
    ("text", "kind", "title"),
    [
        ("---\ntags: x\ntitle: 'Front'\n---\n# Head\n", "markdown", "Front"),
        ("intro\n\n# Head\n", "markdown", "Head"),
        ("#!/bin/sh\n# say hello\necho", "shell", "say hello"),
        ("\n\n  first words  \n", "text", "first words"),
        ("", "text", ""),
        ("---\n***\n", "text", ""),
    ],
)
def test_a_text_has_a_title(text: str, kind: str, title: str) -> None:
    assert title_of(text, kind) == title


def without(statement: str):  # type: ignore[no-untyped-def]
    """The command of a child in which a package is missing, or another version of it."""
    program = f"import sys; {statement}; from lsfs.engine.extractor import main; main()"
    return lambda fd, memory, seconds: [sys.executable, "-c", program, str(fd), str(memory), str(seconds)]


def test_a_missing_parser_is_named() -> None:
    with Extractor(command=without("sys.modules['python_calamine'] = None")) as one:
        said = extract(Content("text", "xlsx", b"d" * 16, b"PK\x03\x04"), one)
        assert said.state == "failed"
        assert said.error == "The xlsx parser is not installed (python_calamine)."
        assert extract(Content("text", "html", b"d" * 16, b"<p>fine</p>"), one).state == "text"


@pytest.mark.parametrize(
    "statement",
    [
        "sys.modules['tree_sitter'] = None",
        "sys.modules['tree_sitter_python'] = None",
        "import tree_sitter; del tree_sitter.QueryCursor",
        "import tree_sitter_python; tree_sitter_python.language = lambda: 7",
    ],
    ids=["none", "no grammar", "older", "other grammar"],
)
def test_a_source_without_its_grammar_keeps_its_words_and_is_cut_by_patterns(statement: str) -> None:
    with Extractor(command=without(statement)) as one:
        said = extract(Content("text", "python", b"d" * 16, b"def f():\n    return 1\n"), one)
        assert said.document is not None and said.document.sections is None
        child = one._outlines.pid
        assert child is not None, "and its child lives on"
        extract(Content("text", "python", b"d" * 16, b"def g():\n    return 1\n"), one)
        assert one._outlines.pid == child
