"""A path as it is typed: what it may mean, and that nothing means everything by accident."""

import os

import pytest

from lsfs import mountinfo
from lsfs.cli import client
from lsfs.cli.inside import inside
from lsfs.mountinfo import Mount
from lsfs.refusals import CommandRefused


@pytest.fixture
def top(tmp_path, monkeypatch):
    """A folder that passes for a mount."""
    there = tmp_path / "ctx"
    (there / "files/src").mkdir(parents=True)
    (tmp_path / "elsewhere/files").mkdir(parents=True)
    found = Mount.__new__(Mount)
    object.__setattr__(found, "mountpoint", os.fspath(there))
    monkeypatch.setattr(
        mountinfo,
        "for_path",
        lambda path: found if os.fspath(path) == os.fspath(there) or path.startswith(f"{there}/") else None,
    )
    monkeypatch.setattr(client, "locate", lambda path: found)
    monkeypatch.chdir(tmp_path / "elsewhere")
    return there


@pytest.mark.parametrize(
    "path", ["", "/", "//", ".", "./", "./.", "..", "../..", "files/..", "a/..", "/plan.md", "/files", "/etc"]
)
@pytest.mark.parametrize("mountpoint", [None, "ctx"])
def test_outside_of_a_mount_a_place_is_refused_with_a_sentence(top, path, mountpoint):
    with pytest.raises(CommandRefused, match=r"empty path|in no mount|outside of"):
        inside(path, mountpoint)


@pytest.mark.parametrize("path", ["", ".", "..", "../..", "src/../.."])
def test_the_top_of_a_mount_and_what_is_above_it_are_not_everything(top, path, monkeypatch):
    monkeypatch.chdir(top if path != ".." else top / "files")
    with pytest.raises(CommandRefused):
        inside(path)


def test_an_absolute_path_of_the_top_is_not_everything_and_that_of_its_files_is(top):
    with pytest.raises(CommandRefused, match="`files`"):
        inside(os.fspath(top))
    assert inside(f"{top}/files")[1] == inside(f"{top}/files/")[1] == "files"
    assert inside(f"{top}/files/src/a.md")[1] == "files/src/a.md"
    assert inside(f"{top}/trash/2026-11-27/a.md")[1] == "trash/2026-11-27/a.md"


def test_inside_of_files_a_dot_is_the_place_where_one_is(top, monkeypatch):
    monkeypatch.chdir(top / "files")
    assert inside(".")[1] == "files" and inside("src")[1] == "files/src"
    monkeypatch.chdir(top / "files/src")
    assert (
        inside(".")[1] == "files/src" and inside("..")[1] == "files" and inside("a.md")[1] == "files/src/a.md"
    )


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("files", "files"),
        ("files/", "files"),
        ("plan.md", "files/plan.md"),
        ("files/src/a.md", "files/src/a.md"),
    ],
)
def test_a_name_is_below_files_from_anywhere(top, path, meant, monkeypatch):
    assert inside(path)[1] == inside(path, "ctx")[1] == meant
    monkeypatch.chdir(top)
    assert inside(path)[1] == meant


def test_a_link_of_an_answer_means_the_file_that_it_leads_to(top, monkeypatch):
    answer = top / "query/how much"
    (answer / "by-type/md").mkdir(parents=True)
    (top / "files/src/.query/how much").mkdir(parents=True)
    (answer / "01-a.md").symlink_to("../../files/src/a.md")
    (answer / "by-type/md/01-a.md").symlink_to("../../../../files/src/a.md")
    (top / "files/src/.query/how much/01-a.md").symlink_to("../../a.md")
    for typed in ("query/how much/01-a.md", "query/how much/by-type/md/01-a.md"):
        assert inside(typed)[1] == inside(f"{top}/{typed}")[1] == "files/src/a.md"
    for typed in ("src/.query/how much/01-a.md", "files/src/.query/how much/01-a.md"):
        assert inside(typed)[1] == "files/src/a.md"
    monkeypatch.chdir(answer)
    assert inside("01-a.md")[1] == "files/src/a.md"


def test_a_folder_of_files_that_is_called_query_is_meant_by_its_name(top):
    (top / "files/query").mkdir()
    (top / "files/query/a.md").write_text("")
    assert inside("query/a.md")[1] == "files/query/a.md"
    assert inside("query/removed.md")[1] == "files/query/removed.md"
