"""pdf: the text of a PDF, page after page, by PDFium.

Runs in the extractor child, one document at a time: PDFium is not thread-safe.
"""

import re

import pypdfium2

from lsfs.engine.document import Document
from lsfs.engine.encoding import clean
from lsfs.engine.formats import MAX_TEXT, Unreadable

_MAX_PAGES = 20_000
# PDFium marks a word that was hyphenated at a line's end by U+FFFE or U+0002; the halves are joined again
_HYPHEN = re.compile("[\ufffe\x02](?:\r?\n)?")
_BLANKS = re.compile(r"\n{3,}")


def parse(data: bytes) -> Document:
    """The text of a PDF, with the first line of each page. Raises Unreadable."""
    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable("The PDF is encrypted with a password.") from error
        raise Unreadable("The PDF is damaged.") from error
    lines: list[str] = []
    pages: list[int] = []
    size = broken = 0
    for number in range(min(len(pdf), _MAX_PAGES)):
        pages.append(len(lines) + 1)
        try:
            page = pdf[number]
            text = page.get_textpage().get_text_range()
            page.close()
        except pypdfium2.PdfiumError:
            broken += 1
            text = ""
        text = _BLANKS.sub("\n\n", clean(_HYPHEN.sub("", text))).strip("\n")
        size += len(text)
        lines.extend(line.strip() for line in text.split("\n"))
        lines.append("")
        if size > MAX_TEXT:
            break
    if broken and broken == len(pages):
        raise Unreadable("No page of the PDF can be read.")
    title = " ".join(clean(pdf.get_metadata_value("Title")).split())
    first = next((line for line in lines if line), "")
    return Document("pdf", "\n".join(lines), (title or first)[:160], tuple(pages))
