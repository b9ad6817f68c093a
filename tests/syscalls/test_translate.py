"""translate: the file that it makes, and the ways that there are not."""

import types

import pytest
import trio
from folder_fakes import FakeFolder

from lsfs.conversion import Converter
from syscalls.arguments import given
from syscalls.errors import Denied, Exists, InvalidArgument, IsFolder, NotFound, NotSupported, NotText
from syscalls.table import CALLS
from syscalls.translate import FORMATS, WAYS, reply, translate, way
from syscalls.values import Viewer

ME, OTHER = Viewer(500, 500), Viewer(501, 501)
CALL = next(call for call in CALLS if call.word == "translate")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plan.md").write_text("# Plan\n\nShip *now*.\n")
    (tmp_path / "there.md").write_text("# There\n")
    (tmp_path / "there.html").write_text("<p>mine</p>")
    (tmp_path / "picture.md").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 9)
    (tmp_path / "broken.docx").write_bytes(b"PK\x03\x04 no")
    (tmp_path / "sub.md").mkdir()
    return FakeFolder(tmp_path)


def made(folder, path, to, into=None, viewer=ME):
    async def main():
        return await translate(path, to, into=into, folder=folder, converter=Converter(), viewer=viewer)

    return trio.run(main)


def test_it_stands_beside_the_file_or_where_one_says(folder):
    assert made(folder, b"plan.md", "html").path == b"plan.html"
    assert "<em>now</em>" in (folder.top / "plan.html").read_text()
    assert made(folder, b"plan.md", ".TXT", b"said.text").path == b"said.text"
    assert (folder.top / "plan.md").read_text().startswith("# Plan")


@pytest.mark.parametrize(
    ("path", "to", "error"),
    [
        (b"nothing.md", "html", NotFound),
        (b"sub.md", "html", IsFolder),
        (b"there.md", "html", Exists),
        (b"picture.md", "html", NotText),
        (b"broken.docx", "md", InvalidArgument),
        (b"plan.md", "md", InvalidArgument),
        (b"plan.md", "rtfx", InvalidArgument),
        (b"plan.md", "pdf", NotSupported),
        (b"plan", "html", NotSupported),
        (b"song.mp3", "txt", NotSupported),
    ],
)
def test_what_is_refused_makes_nothing(folder, path, to, error):
    before = sorted(folder.top.iterdir())
    with pytest.raises(error) as caught:
        made(folder, path, to)
    assert str(caught.value).endswith(".") and sorted(folder.top.iterdir()) == before


def test_what_one_may_not_read_is_not_translated(folder):
    folder.closed.add(b"plan.md")
    with pytest.raises(Denied):
        made(folder, b"plan.md", "html", viewer=OTHER)


def test_every_way_is_one_from_a_known_format_to_another():
    assert set(WAYS) | {target for ways in WAYS.values() for target in ways} <= set(FORMATS.values())
    for source, targets in WAYS.items():
        assert [way(f"x.{source}".encode(), target) for target in targets] == [
            (source, target) for target in targets
        ]


@pytest.mark.parametrize(
    ("name", "source"),
    [(b"a.XLSX", "xlsx"), (b"a.xlsb", "xlsx"), (b"a.mbox", "eml"), (b"a.eml", "eml"), (b"a.ipynb", "ipynb")],
)
def test_what_the_index_reads_becomes_text_and_nothing_else(name, source):
    assert way(name, "txt") == (source, "txt")
    with pytest.raises(NotSupported, match=r"becomes text\."):
        way(name, "html")


def test_the_format_has_to_be_said(folder):
    command = types.SimpleNamespace(
        given=given(CALL, "plan.md"), folder=folder, converter=Converter(), viewer=ME
    )
    with pytest.raises(InvalidArgument, match="--to"):
        trio.run(reply, command)
