"""Workbooks and slides: what people send, and what somebody spiteful would."""

import base64
import zlib
from collections.abc import Iterator

import pytest
from documents_made import parsed, refused, row, xlsx, zipped

from lsfs.engine.document import Section
from lsfs.engine.extract import Extractor

# two columns, three rows, written by xlwt; zlib, base85
XLS = (
    "c-"
    "rk)O=uHA6#izDG(WWIrcH%bD4}50HW%^YrCsY^@nET56cIGBi%8O>B=MjJt=61G5IiYf3cYx#dhrK6=*@#ru?ImE5<PknEO=<MzI"
    "i)KQ_Z0PTU6#-=9{-~-"
    "psu0ym_11w+pe#?4zD4e!(z&s5xP@)aeA3uy<pE+8sxVULB(1X#7(MhiD;N0(jo`CMefXu6Gp%9{OJq1D~m!!W72xIXkh5*vCGkg"
    "!EyESl}LMqUdI?I+)KgcQQX<%NNXhS#y(lh-"
    "@q3Bo?f(fjugUPZ)jN7KI%53HSNHnqBC^YZ=8?ZVA^mfRV!aRQB&|==HZ^4zzBgcFr!OvK7Q>0q3yfB!KVUPJNls`pwk~kp9P7eX"
    "xQ4w&4e+;hf<BFH=rk^tp+2<U;XWDsAVMkp$Uz<#5TKq-uY@SfWIHz%FJI+0^6|MZm|jT`1aiM5buo(&m~i-"
    "NvEbN<4vfmSY_7Ce5{c|J%DG>2d2cYo<AkyUBi=^bZcM${y4?$}Q|7+YT@fGGF6Sx3b*B9H%g)x_`V&35RCb<~q0b(>%Kwi`Mo!c"
    "?ZemuScKumcLj#NuD3AUW(7Zw`S2tFP{nOFRvLSMN-"
    "_oBk|1gYM~OtC+6<ol0?WbmG6#vqqSoN5f)?2?wx!(LfMN3_JZx@h?k8B`xC>BPS@UOU~jO!PuaUqUp~uWqXUm+Bc-fWM4+Lep`o"
    "Fnp`oF%K@jS%yiXl60_wmJRNr-0sMPdllK&RRkf*Ce2h)SdQC+~rrs8J{0>T?hth0~zy-"
    "?yf&0atTY4#)2bo|nRPt^aOb$2xX+!ktf{#rABZt(m+0j31XAp"
)

ODS_NS = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
)


def ods(rows: list[list[str]]) -> bytes:
    cells = [
        "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            for cell in row
        )
        for row in rows
    ]
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest:manifest/>",
            "content.xml": f'<office:document-content {ODS_NS}><office:body><office:spreadsheet><table:table table:name="Ausgaben">{body}'
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        }
    )


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(timeout=60) as one:
        yield one


def test_a_workbook_gives_its_sheets_their_headers_and_its_rows(extractor: Extractor) -> None:
    book = xlsx(
        {
            "Budget": row(1, "Item", "Cost")
            + row(3, "Desk &amp; lamp", 120.0)
            + row(4, "Übersee", 0.1, None, "late"),
            "Empty": "",
            "People": row(1, "Name") + row(2, "Anna"),
        }
    )
    document = parsed(extractor, book, b"a.xlsx")
    assert document.type == "xlsx" and document.title == ""
    assert document.text == (
        "Budget\nItem | Cost\nDesk & lamp | 120\nÜbersee | 0.1 |  | late\n\nPeople\nName\nAnna\n"
    )
    assert document.sections == (
        Section(1, 4, "Budget"),
        Section(3, 4, "Item | Cost"),
        Section(6, 8, "People"),
        Section(8, 8, "Name"),
    )


def test_other_workbooks_are_read_by_what_they_are(extractor: Extractor) -> None:
    rows = [["Item", "Cost"], ["Desk lamp", "12.5"], ["Übersee", "3"]]
    text = "Ausgaben\nItem | Cost\nDesk lamp | 12.5\nÜbersee | 3\n"
    document = parsed(extractor, ods(rows), b"renamed.bin")
    assert (document.type, document.text, document.title) == ("ods", text, "Ausgaben")
    document = parsed(extractor, zlib.decompress(base64.b85decode(XLS)), b"old.xls")
    assert (document.type, document.text, document.title) == ("xls", text, "Ausgaben")
    assert parsed(extractor, xlsx({"S": row(1, "x")}), b"renamed.bin").type == "xlsx"


def test_slides_of_opendocument_are_pages(extractor: Extractor) -> None:
    pages = "".join(
        f"<draw:page><text:p>Head {n}</text:p><text:p>point {n}</text:p></draw:page>" for n in (1, 2)
    )
    data = zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.presentation",
            "content.xml": f"<office:document-content {ODS_NS}><office:body>{pages}</office:body></office:document-content>",
        }
    )
    document = parsed(extractor, data, b"talk.odp")
    assert (document.type, document.text, document.pages) == (
        "odp",
        "## Head 1\npoint 1\n\n## Head 2\npoint 2",
        (1, 4),
    )


def test_workbooks_that_would_fill_the_memory_fail(extractor: Extractor) -> None:
    zeros = bytes(64 << 20)
    bomb = zipped({"xl/workbook.xml": "<x/>", **{f"xl/media/{n}": zeros for n in range(9)}})
    assert len(bomb) < 1 << 20 and "unpacks" in refused(extractor, bomb, b"a.xlsx")
    corner = xlsx({"S": row(1, "x") + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'})
    refused(extractor, corner, b"a.xlsx")
    refused(extractor, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"a.xls")
    refused(extractor, zipped({"xl/workbook.xml": "<broken"}), b"a.xlsx")
    assert parsed(extractor, xlsx({"S": row(1, "fine")}), b"a.xlsx").text == "S\nfine\n"


def test_a_title_above_the_header_is_no_header(extractor: Extractor) -> None:
    rows = row(1, "Costs of 2026") + row(3, "Item", "Cost") + row(4, "Desk", 7) + row(5, "Lamp", 9)
    document = parsed(extractor, xlsx({"S": rows}), b"a.xlsx")
    assert document.sections == (Section(1, 5, "S"), Section(4, 5, "Item | Cost"))
