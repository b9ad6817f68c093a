"""zipped: documents that are a zip of XML: OpenDocument text and slides, PowerPoint slides, EPUB books.

Runs in the extractor child. Entities are never resolved and nothing is unpacked to disk.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from lsfs.engine.document import Document
from lsfs.engine.encoding import clean, decode
from lsfs.engine.formats import MAX_TEXT, Unreadable
from lsfs.engine.formats.html import visible
from lsfs.engine.types import OLE

MAX_UNPACKED = 512 << 20
MAX_MEMBERS = 20_000
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


# an entry of the directory of an OLE file has this name where that holds an encrypted document
PACKAGE = "EncryptedPackage".encode("utf-16-le")
_ENCRYPTED = "The document is encrypted with a password."
_MANIFEST = "META-INF/manifest.xml"  # of OpenDocument


def opened(data: bytes) -> zipfile.ZipFile:
    """The zip in `data`, refused with a sentence where it is encrypted, damaged, or unpacks to more than memory should hold."""
    if data.startswith(OLE):
        raise Unreadable(
            _ENCRYPTED if PACKAGE in data else "The document is one of Office before 2007, which is not read."
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise Unreadable("The file's zip container is damaged.") from error
    members = archive.infolist()
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
        raise Unreadable("The file unpacks to far more than a document holds.")
    if _is_encrypted(archive, members):
        raise Unreadable(_ENCRYPTED)
    return archive


def _is_encrypted(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> bool:
    """Whether the zip says so of a member, or OpenDocument in its manifest."""
    if any(member.flag_bits & 1 for member in members):
        return True
    if all(member.filename != _MANIFEST for member in members):
        return False
    try:
        return b"encryption-data" in archive.read(_MANIFEST)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError):
        return False  # what is damaged is seen when it is parsed


def parse(data: bytes) -> Document:
    """The text of an ODT, ODP, PPTX or EPUB. Raises Unreadable."""
    with opened(data) as archive:
        names = set(archive.namelist())
        try:
            if "ppt/presentation.xml" in names:
                return _slides(archive, names)
            if "META-INF/container.xml" in names:
                return _book(archive, names)
            if "mimetype" in names and archive.read("mimetype")[:80].strip().endswith(b".presentation"):
                return _presentation(archive)
            return _writer(archive)
        except (
            etree.LxmlError,
            KeyError,
            ValueError,
            zipfile.BadZipFile,
            NotImplementedError,
            RuntimeError,
            EOFError,
        ) as error:
            raise Unreadable("The document is damaged or encrypted.") from error


def _xml(archive: zipfile.ZipFile, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    return etree.fromstring(archive.read(name), parser)


def _text(element: etree._Element) -> str:
    return " ".join(clean("".join(map(str, element.itertext()))).split())


def _document(kind: str, blocks: Iterator[str], title: str = "", pages: tuple[int, ...] = ()) -> Document:
    kept: list[str] = []
    size = 0
    for block in blocks:
        kept.append(block)
        size += len(block)
        if size > MAX_TEXT:
            break
    if not title:
        first = next((block for block in kept if block.startswith("#")), kept[0] if kept else "")
        title = first.split("\n", 1)[0].lstrip("# ")
    return Document(kind, "\n\n".join(kept), title[:160], pages)


def _writer(archive: zipfile.ZipFile) -> Document:
    def blocks() -> Iterator[str]:
        for element in _xml(archive, "content.xml").iter(_TEXT + "h", _TEXT + "p"):
            text = _text(element)
            if text and element.tag == _TEXT + "h":
                level = element.get(_TEXT + "outline-level", "1")
                text = "#" * min(int(level) if level.isdigit() else 1, 6) + " " + text
            if text:
                yield text

    return _document("odt", blocks())


def _presentation(archive: zipfile.ZipFile) -> Document:
    slides = []
    for number, page in enumerate(_xml(archive, "content.xml").iter("{*}page"), 1):
        found = [_text(paragraph) for paragraph in page.iter(_TEXT + "p")]
        slides.append([text for text in found if text] or [f"Slide {number}"])
    return _paged("odp", slides)


def _slides(archive: zipfile.ZipFile, names: set[str]) -> Document:
    numbers = sorted(
        int(found[1]) for name in names if (found := re.fullmatch(r"ppt/slides/slide(\d{1,6})\.xml", name))
    )
    slides = []
    for number in numbers:
        paragraphs = [_text(p) for p in _xml(archive, f"ppt/slides/slide{number}.xml").iter(_DRAWING + "p")]
        slides.append([paragraph for paragraph in paragraphs if paragraph] or [f"Slide {number}"])
    return _paged("pptx", slides)


def _paged(kind: str, slides: list[list[str]]) -> Document:
    """Slides, each titled by its first paragraph and a page of its own."""
    blocks: list[str] = []
    pages: list[int] = []
    line = 1
    for paragraphs in slides:
        block = "\n".join([f"## {paragraphs[0]}", *paragraphs[1:]])
        pages.append(line)
        line += block.count("\n") + 2
        blocks.append(block)
    return _document(kind, iter(blocks), pages=tuple(pages))


def _book(archive: zipfile.ZipFile, names: set[str]) -> Document:
    container = _xml(archive, "META-INF/container.xml")
    package_name = next(element.get("full-path", "") for element in container.iter("{*}rootfile"))
    package = _xml(archive, package_name)
    items = {item.get("id"): unquote(item.get("href", "")) for item in package.iter("{*}item")}
    base = posixpath.dirname(package_name)

    def blocks() -> Iterator[str]:
        for reference in package.iter("{*}itemref"):
            name = posixpath.normpath(posixpath.join(base, items.get(reference.get("idref")) or ""))
            source = decode(archive.read(name)) if name in names else None
            if source:
                # a book has no source lines to keep: blank ones go
                text = re.sub(r"\n\s*\n\s*", "\n\n", visible(source)[1]).strip()
                if text:
                    yield text

    title = next((_text(element) for element in package.iter("{*}title")), "")
    return _document("epub", blocks(), title)
