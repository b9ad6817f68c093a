"""join: what it makes, where it puts it, and what it refuses before anything is written."""

import json
import types

import pytest
import trio
from folder_fakes import FakeFolder

from lsfs.conversion import Converter
from syscalls import join as module
from syscalls.arguments import given
from syscalls.errors import Denied, Exists, InvalidArgument, IsFolder, NotFound, NotText, TooLarge, TooLong
from syscalls.join import join, reply
from syscalls.prompt import parse
from syscalls.table import CALLS
from syscalls.values import Hit, Results, Viewer

ME, OTHER = Viewer(500, 500), Viewer(501, 501)
CALL = next(call for call in CALLS if call.word == "join")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.md").write_text("# A\n")
    (tmp_path / "b.md").write_text("# B\n")
    (tmp_path / "t.csv").write_text("x,y\n1,2\n")
    (tmp_path / "picture.md").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "sub").mkdir()
    return FakeFolder(tmp_path)


def made(folder, paths, into=None, viewer=ME):
    async def main():
        return await join(paths, into=into, folder=folder, converter=Converter(), viewer=viewer)

    return trio.run(main)


def say(folder, text, hits=()):
    async def ask(prompt, below, viewer):
        found = tuple(Hit(path, 1.0, {kind: 0.5}) for path, kind in hits)
        return Results(parse(prompt), b"", found, 1, 0, "off", 1.0)

    command = types.SimpleNamespace(
        given=given(CALL, text), folder=folder, converter=Converter(), ask=ask, viewer=ME
    )
    return trio.run(reply, command)


def test_a_new_file_has_all_of_them_and_they_stay(folder):
    done = made(folder, [b"a.md", b"b.md", b"a.md"], b"sub/all.md")
    assert (folder.top / "sub/all.md").read_text() == "# A\n\n# B\n\n# A\n"
    assert (done.path, done.kind, done.size) == (b"sub/all.md", "markdown", 14)
    assert (folder.top / "a.md").read_text() == "# A\n"


def test_in_place_the_first_one_grows(folder):
    made(folder, [b"a.md", b"b.md"])
    assert (folder.top / "a.md").read_text() == "# A\n\n# B\n"
    assert folder.said == ["join files/a.md"]


def test_what_is_large_is_joined_in_a_process_of_its_own_with_the_same_outcome(folder, monkeypatch):
    monkeypatch.setattr(module, "INLINE", 2)
    made(folder, [b"a.md", b"b.md"], b"all.md")
    assert (folder.top / "all.md").read_text() == "# A\n\n# B\n"


@pytest.mark.parametrize(
    ("paths", "into", "error"),
    [
        ([b"a.md"], b"x.md", InvalidArgument),
        ([b"a.md", b"a.md"], None, InvalidArgument),
        ([b"a.md", b"nothing.md"], b"x.md", NotFound),
        ([b"a.md", b"sub"], b"x.md", IsFolder),
        ([b"a.md", b"b.md"], b"a.md", Exists),
        ([b"a.md", b"b.md"], b"nowhere/x.md", NotFound),
        ([b"a.md", b"b.md"], b"x" * 300 + b".md", TooLong),
        ([b"a.md", b"t.csv"], b"x.md", InvalidArgument),
        ([b"a.md", b"picture.md"], b"x.md", NotText),
    ],
)
def test_what_is_refused_changes_nothing(folder, paths, into, error):
    before = {path: path.read_bytes() for path in folder.top.rglob("*") if path.is_file()}
    with pytest.raises(error) as caught:
        made(folder, paths, into)
    assert str(caught.value).endswith(".")
    assert {path: path.read_bytes() for path in folder.top.rglob("*") if path.is_file()} == before


def test_what_one_may_not_read_is_not_joined(folder):
    folder.closed.add(b"b.md")
    with pytest.raises(Denied):
        made(folder, [b"a.md", b"b.md"], b"x.md", OTHER)


def test_there_is_a_limit(folder, monkeypatch):
    monkeypatch.setattr(module, "MOST", 6)
    with pytest.raises(TooLarge):
        made(folder, [b"a.md", b"b.md"], b"x.md")


def test_the_files_that_answer_a_question_come_in_its_order_behind_those_named(folder):
    text = say(
        folder, "a.md --matching letters --into all.md --json", [(b"b.md", "words"), (b"a.md", "path")]
    )
    assert json.loads(text) == {
        "path": "files/all.md", "parts": ["files/a.md", "files/b.md"], "kind": "markdown", "size": 9,
        "scores": [1.0, 1.0], "notes": [],
    }  # fmt: skip


def test_what_is_merely_near_is_not_joined_unless_that_is_asked_for(folder):
    hits = [(b"a.md", "words"), (b"b.md", "meaning"), (b"t.csv", "meaning")]
    with pytest.raises(InvalidArgument):  # one file alone
        say(folder, "--matching letters --into all.md", hits)
    with pytest.raises(NotFound) as caught:
        say(folder, "--matching letters --into all.md", hits[1:])
    assert "mode:meaning" in str(caught.value) and not (folder.top / "all.md").exists()
    assert "2 files joined" in say(folder, "--matching 'mode:meaning letters' --into all.md", hits[:2])


def test_what_a_limit_cut_is_said_behind_the_sentence(folder):
    said = say(folder, "--matching 'letters limit:2' --into x.md", [(b"a.md", "words"), (b"b.md", "words")])
    assert said.splitlines()[1].startswith("note: only the first 2 were looked at")


@pytest.mark.parametrize(
    "text", ["a.md b.md", "a.md b.md --into x.md --in-place", "--matching x --into x.md"]
)
def test_where_to_and_what_has_to_be_said(folder, text):
    with pytest.raises(InvalidArgument):
        say(folder, text)
