"""ways: Markdown, HTML and Word into each other, and what has text into text, each by the library that does it best.

    Markdown -> HTML   markdown-it-py (CommonMark, tables, strikethrough)       HTML -> Markdown   markdownify
    Word -> HTML       mammoth                                                  HTML -> Word       html-for-docx
    any -> text        what the index reads of it (`lsfs.engine.formats`)

The other ways lead through HTML. A page may name pictures: only those that it carries itself are taken along, of the others their
text; nothing is fetched, and no file of the machine is read because a page names it.

Runs in a process of its own (`lsfs.conversion.child`).
"""

import base64
import io
import re
import struct
from typing import Any

from lsfs.engine import encoding
from lsfs.engine.formats import MODULES, Unreadable, module
from lsfs.engine.types import expand
from syscalls.errors import InvalidArgument, NotText

PAGE = '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n</head>\n<body>\n{body}</body>\n</html>\n'


def converted(data: bytes, source: str, target: str, name: str) -> bytes:
    """A content of one format in another. Raises InvalidArgument where it is damaged, NotText where it is no text."""
    if target == "txt":
        return _text(data, source)
    html = {"md": _html_of_markdown, "html": _decoded, "docx": _html_of_word}[source](data)
    if target == "html":
        title = name.rsplit(".", 1)[0]
        return (html if source == "html" else page(html, title)).encode("utf-8", "replace")
    return _markdown(html) if target == "md" else _word(html)


def page(body: str, title: str) -> str:
    """A whole page around what stands in its body."""
    import html

    return PAGE.format(title=html.escape(title), body=body)


def _decoded(data: bytes) -> str:
    text = encoding.decode(data) if encoding.is_text(data[:8192]) else None
    if text is None:
        raise NotText("The file is no text; its name says that it should be.")
    return text


def _text(data: bytes, source: str) -> bytes:
    (kind,) = expand(source)  # an .eml is mail, an .ipynb a notebook
    if kind in MODULES:
        try:
            text = module(kind).parse(data).text
        except Unreadable as error:
            raise InvalidArgument(str(error)) from None
        # the index leaves blank what it does not read, so that lines stay those of the file
        return (re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n").encode("utf-8", "replace")
    return (_plain(_html_of_markdown(data)).strip("\n") + "\n").encode("utf-8", "replace")


def _plain(html: str) -> str:
    """The words of HTML that was made here: block by block, without what only a browser reads."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(html, "lxml")
    for picture in soup.find_all("img"):
        picture.replace_with(picture.get("alt") or "")
    for row in soup.find_all("tr"):
        cells = row.find_all(["td", "th"])
        row.string = "\t".join(" ".join(cell.get_text().split()) for cell in cells)
    for item in soup.find_all("li"):
        item.insert(0, "- ")
    lines = (line.rstrip() for line in soup.get_text().splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _html_of_markdown(data: bytes) -> str:
    from markdown_it import MarkdownIt

    text = _decoded(data)
    matter = re.match(r"\ufeff?---[ \t]*\r?\n(.*?\r?\n)(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", text, re.DOTALL)
    if matter is not None:  # it would be read as a heading
        text = "```yaml\n" + matter[1] + "```\n" + text[matter.end() :]
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(parser.render(text))


def _html_of_word(data: bytes) -> str:
    import zipfile

    import mammoth

    from lsfs.engine.formats.zipped import opened

    try:
        opened(data).close()  # refuses bombs before anything is unpacked
        return str(mammoth.convert_to_html(io.BytesIO(data)).value) + "\n"
    except Unreadable as error:
        raise InvalidArgument(str(error)) from None
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, IndexError) as error:
        raise InvalidArgument(f"The Word document is damaged ({type(error).__name__}).") from None


def _soup(html: str) -> Any:
    """The page without scripts and styles; a picture that it does not carry itself is its text."""
    from bs4 import BeautifulSoup
    from bs4.element import PreformattedString

    soup = BeautifulSoup(html, "lxml")
    # two parsers do not agree where a comment ends: what it hides from this one may be a picture to the next
    for hidden in soup.find_all(string=lambda text: isinstance(text, PreformattedString)):
        hidden.extract()
    for gone in soup.find_all(
        ["script", "style", "noscript", "template", "iframe", "object", "embed", "link", "meta", "base"]
    ):
        gone.decompose()
    return soup


def _markdown(html: str) -> bytes:
    import markdownify

    soup = _soup(html)
    if title := soup.find("title"):
        title.decompose()
    for picture in soup.find_all("img"):
        if str(picture.get("src", "")).startswith("data:"):  # megabytes of letters that nobody reads
            picture.replace_with(picture.get("alt") or "")
    made = markdownify.MarkdownConverter(
        heading_style="ATX", bullets="-", code_language_callback=_language, table_infer_header=True
    ).convert_soup(soup)
    lines = (line.rstrip() for line in made.splitlines())
    return (re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n").encode("utf-8", "replace")


def _language(block: Any) -> str:
    """The language of a `pre`, as the class of its code says it."""
    code = block.find("code")
    classes = (code.get("class") or []) if code else []
    return next((name.removeprefix("language-") for name in classes if name.startswith("language-")), "")


def _word(html: str) -> bytes:
    import docx
    from html4docx import HtmlToDocx

    soup = _soup(html)
    for picture in soup.find_all("img"):
        if not _shows(str(picture.get("src", ""))):
            picture.replace_with(picture.get("alt") or "")
    document = docx.Document()
    if title := soup.find("title"):
        document.core_properties.title = title.get_text()[:255]
        title.decompose()
    try:
        HtmlToDocx().add_html_to_document(str(soup), document)
    except (KeyError, ValueError, AttributeError, IndexError, TypeError) as error:
        raise InvalidArgument(f"The page cannot be made a Word document ({type(error).__name__}).") from None
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _shows(source: str) -> bool:
    """Is this a picture that a page carries itself, and of a kind that Word knows?"""
    from docx.image.exceptions import (
        InvalidImageStreamError,
        UnexpectedEndOfFileError,
        UnrecognizedImageError,
    )
    from docx.image.image import Image

    head, comma, letters = source.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        return False
    try:
        Image.from_blob(base64.b64decode(letters))
    except (ValueError, UnrecognizedImageError, InvalidImageStreamError, UnexpectedEndOfFileError):
        return False
    except (struct.error, KeyError, IndexError, AttributeError, ZeroDivisionError):
        return False  # it is damaged
    return True
