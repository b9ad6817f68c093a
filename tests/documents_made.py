"""documents_made: documents of formats that no library here writes, and what reading them gives."""

import io
import struct
import zipfile

from lsfs.engine.document import Document
from lsfs.engine.extract import Extractor, extract
from lsfs.engine.reader import of_bytes

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def parsed(extractor: Extractor, data: bytes, name: bytes) -> Document:
    extraction = extract(of_bytes(data, name), extractor)
    assert extraction.state == "text", extraction.error
    assert extraction.document is not None
    return extraction.document


def refused(extractor: Extractor, data: bytes, name: bytes) -> str:
    extraction = extract(of_bytes(data, name), extractor)
    assert extraction.state == "failed", extraction
    assert extraction.error is not None and extraction.error.endswith(".")
    return extraction.error


def zipped(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name) if name == "mimetype" else name, data)
    return out.getvalue()


def compound(*names: str) -> bytes:
    """An OLE compound file with empty streams of these names, three at most: header, allocation table, directory."""

    def entry(name: str, kind: int, child: int, right: int) -> bytes:
        said = name.encode("utf-16-le")
        head = struct.pack("<64sHBBiii", said, len(said) + 2, kind, 1, -1, right, child)
        return head + bytes(36) + struct.pack("<iQ", -2, 0)

    free = [-1] * 126
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xiiiiiiiiii", 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, -2, 0, -2, 0, 0)
    header += struct.pack("<108i", *free[:108])
    table = struct.pack("<128i", -3, -2, *free)
    streams = [entry(name, 2, -1, at + 2 if at + 1 < len(names) else -1) for at, name in enumerate(names)]
    directory = entry("Root Entry", 5, 1 if names else -1, -1) + b"".join(streams)
    return header + table + directory.ljust(512, b"\0")


ENCRYPTED = compound("EncryptionInfo", "EncryptedPackage")  # what Office makes of a document with a password
_LOCKED = (
    '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry><m:encryption-data/>'
    "</m:file-entry></m:manifest>"
)


def locked(kind: str) -> bytes:
    """An OpenDocument file with a password: text, spreadsheet, presentation."""
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": b"\x93\x01\xfe" * 99,
            "META-INF/manifest.xml": _LOCKED,
        }
    )


def xlsx(sheets: dict[str, str]) -> bytes:
    """A workbook of sheets whose rows are given as XML."""
    ids = list(enumerate(sheets, 1))
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            + "".join(f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, name in ids)
            + "</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
            + "".join(
                f'<Relationship Id="r{at}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{at}.xml"/>'
                for at, _ in ids
            )
            + "</Relationships>",
            **{
                f"xl/worksheets/sheet{at}.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{sheets[name]}</sheetData></worksheet>'
                for at, name in ids
            },
        }
    )


def row(number: int, *cells: object) -> str:
    made = []
    for at, cell in enumerate(cells):
        place = f"{chr(65 + at)}{number}"
        if isinstance(cell, str):
            made.append(f'<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>')
        elif cell is not None:
            made.append(f'<c r="{place}"><v>{cell}</v></c>')
    return f'<row r="{number}">{"".join(made)}</row>'
