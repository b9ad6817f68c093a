"""documents_made: documents of formats that no library here writes, and what reading them gives."""

import io
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
