"""Pictures: no text unless it is wanted; then their words, or what is missing."""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from lsfs.engine.document import Content
from lsfs.engine.extract import Extractor, extract
from lsfs.engine.formats import picture
from lsfs.engine.reader import of_bytes, read_file


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(timeout=60) as one:
        yield one


def drawn(text: str, kind: str) -> bytes:
    made = Image.new("RGBA", (900, 300), (0, 0, 0, 0))
    ImageDraw.Draw(made).text((40, 40), text, fill="black", font=ImageFont.load_default(36))
    out = io.BytesIO()
    (_on_paper(made) if kind in ("JPEG", "GIF") else made).save(out, kind)
    return out.getvalue()


def _on_paper(made: Image.Image) -> Image.Image:
    paper = Image.new("RGB", made.size, "white")
    paper.paste(made, mask=made.getchannel("A"))
    return paper


def looked_at(folder: Path, name: str) -> Content:
    fd = os.open(folder, os.O_PATH)
    try:
        return read_file(fd, name.encode(), pictures=True)
    finally:
        os.close(fd)


def test_a_picture_is_no_text_unless_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(drawn("Refund policy", "PNG"))
    assert of_bytes((tmp_path / "a.png").read_bytes(), b"a.png").state == "other"
    content = looked_at(tmp_path, "a.png")
    assert (content.state, content.type) == ("text", "png") and content.digest is not None


@pytest.mark.skipif(not picture.available(), reason="no OCR here: pip install 'lsfs[ocr]'")
@pytest.mark.parametrize(
    ("kind", "name"), [("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif"), ("WEBP", "image")]
)
def test_the_words_in_a_picture_are_read(extractor: Extractor, tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / "scan").write_bytes(drawn("Refund policy: two signatures", kind))
    extraction = extract(looked_at(tmp_path, "scan"), extractor)
    assert extraction.document is not None, extraction.error
    assert (extraction.type, extraction.document.type) == (name, name)
    assert (
        "refund policy" in extraction.document.text.lower() and "two signatures" in extraction.document.title
    )


@pytest.mark.skipif(not picture.available(), reason="no OCR here: pip install 'lsfs[ocr]'")
def test_damaged_and_huge_pictures_fail(extractor: Extractor, tmp_path: Path) -> None:
    whole = drawn("Refund", "PNG")
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert extract(looked_at(tmp_path, "cut.png"), extractor).state == "failed"
    huge = struct.pack(">II", 60_000, 60_000)
    header = b"IHDR" + huge + b"\x08\x00\x00\x00\x00"
    (tmp_path / "huge.png").write_bytes(
        whole[:12] + header + struct.pack(">I", zlib.crc32(header)) + whole[33:]
    )
    failed = extract(looked_at(tmp_path, "huge.png"), extractor)
    assert failed.state == "failed" and (failed.error or "").endswith(".")


@pytest.mark.skipif(picture.available(), reason="OCR is installed here")
def test_without_the_packages_a_picture_fails_with_what_to_install(
    extractor: Extractor, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(drawn("Refund", "PNG"))
    failed = extract(looked_at(tmp_path, "a.png"), extractor)
    assert failed.state == "failed" and "lsfs[ocr]" in (failed.error or "")
