"""What every Folder promises: the real one, with history behind it, and the fake that the tests of calls use."""

import os
import stat

import pytest
import trio
from editing_world import Editing
from folder_fakes import FakeFolder

from syscalls.errors import (
    Exists,
    InvalidArgument,
    IsFolder,
    NotFolder,
    NotFound,
    NotPermitted,
    NotRegular,
    TooLarge,
    TooLong,
)
from syscalls.values import Edit, Viewer

ME = Viewer(os.getuid(), os.getgid())
OLD = 1_600_000_000_000_000_000


class Asked:
    """A Folder and a way to wait for it."""

    def __init__(self, folder, top, call):
        self.folder, self.top, self.call = folder, top, call

    def change(self, *edits, viewer=ME):
        async def act():
            await self.folder.change("a change", edits, viewer)

        self.call(act)

    def __getattr__(self, name):
        def act(*arguments):
            async def run():
                return await getattr(self.folder, name)(*arguments)

            return self.call(run)

        return act


@pytest.fixture(params=["real", "fake"])
def asked(request, tmp_path):
    top = tmp_path / "folder"
    top.mkdir()
    if request.param == "fake":
        yield Asked(FakeFolder(top), top, trio.run)
        return
    with Editing(top) as world:
        yield Asked(world.editing, top, world.call)


def test_a_file_is_made_where_nothing_is(asked):
    asked.change(Edit(b"a.md", "create", b"text"), Edit(b"empty", "create"))
    assert (asked.top / "a.md").read_bytes() == b"text" and (asked.top / "empty").read_bytes() == b""
    assert stat.S_IMODE(os.stat(asked.top / "a.md").st_mode) == 0o644
    with pytest.raises(Exists):
        asked.change(Edit(b"a.md", "create", b"other"))
    assert asked.read(b"a.md", ME, 100) == b"text"


def test_a_tree_is_made_in_one_change(asked):
    asked.change(
        Edit(b"d", "folder"),
        Edit(b"d/e", "folder"),
        Edit(b"d/e/f", "create", b"f"),
        Edit(b"d/l", "symlink", target=b"e/f"),
    )
    assert (asked.top / "d/l").read_bytes() == b"f"
    assert [name for name, _ in asked.names(b"d", ME)] == [b"e", b"l"]
    assert [name for name, _ in asked.names(b"", ME)] == [b"d"], "what lsfs keeps for itself is not shown"


def test_all_of_a_change_is_done_or_nothing(asked):
    asked.change(Edit(b"a", "create", b"a"), Edit(b"b", "create", b"b"))
    with pytest.raises(NotFound):
        asked.change(Edit(b"a", "remove"), Edit(b"b", "replace", b"B"), Edit(b"c", "replace", b"C"))
    assert asked.read(b"a", ME, 9) == b"a" and asked.read(b"b", ME, 9) == b"b"


def test_a_replaced_file_keeps_its_rights(asked):
    asked.change(Edit(b"a", "create", b"a", mode=0o600))
    asked.change(Edit(b"a", "replace", b"other"))
    assert asked.read(b"a", ME, 9) == b"other"
    assert stat.S_IMODE(asked.stat(b"a", ME).st_mode) == 0o600


def test_write_makes_or_replaces(asked):
    asked.change(Edit(b"a", "write", b"one"))
    asked.change(Edit(b"a", "write", b"two"))
    assert asked.read(b"a", ME, 9) == b"two"


def test_a_copy_has_bytes_mode_and_time_of_its_source(asked):
    asked.change(Edit(b"a", "create", b"text", mode=0o640))
    asked.touch(b"a", ME, OLD)
    asked.change(Edit(b"b", "create", source=b"a"))
    found = asked.stat(b"b", ME)
    assert asked.read(b"b", ME, 9) == b"text"
    assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o640, OLD)


def test_a_symlink_is_copied_as_one(asked):
    asked.change(Edit(b"a", "create", b"text"), Edit(b"l", "symlink", target=b"a"))
    asked.change(Edit(b"m", "symlink", source=b"l"))
    assert os.readlink(asked.top / "m") == "a"


def test_a_folder_is_removed_with_all_that_is_in_it(asked):
    asked.change(Edit(b"d", "folder"), Edit(b"d/a", "create", b"a"), Edit(b"b", "create", b"b"))
    asked.change(Edit(b"d", "remove"), Edit(b"b", "remove"))
    assert asked.names(b"", ME) == []


def test_an_append_keeps_the_file(asked):
    asked.change(Edit(b"a", "create", b"one\n"))
    before = os.stat(asked.top / "a").st_ino
    asked.append(b"a", b"two", ME)
    assert asked.read(b"a", ME, 99) == b"one\ntwo" and os.stat(asked.top / "a").st_ino == before


def test_a_time_is_set(asked):
    asked.change(Edit(b"a", "create", b"a"), Edit(b"d", "folder"))
    asked.touch(b"a", ME, OLD)
    asked.touch(b"d", ME, OLD)
    assert asked.stat(b"a", ME).st_mtime_ns == asked.stat(b"d", ME).st_mtime_ns == OLD
    asked.touch(b"a", ME)
    assert asked.stat(b"a", ME).st_mtime_ns > OLD


def test_a_change_that_is_only_shown_is_made_by_its_token_once(asked):
    asked.change(Edit(b"a", "create", b"a"))
    token = asked.offer("delete a", [Edit(b"a", "remove")], ME)
    assert asked.read(b"a", ME, 9) == b"a"
    with pytest.raises(InvalidArgument):
        asked.accept(token, Viewer(ME.uid + 7, ME.gid))
    assert asked.accept(token, ME) == (Edit(b"a", "remove"),)
    with pytest.raises(NotFound):
        asked.stat(b"a", ME)
    with pytest.raises(InvalidArgument):
        asked.accept(token, ME)


def test_a_token_is_void_when_what_it_is_about_has_changed(asked):
    asked.change(Edit(b"a", "create", b"a"), Edit(b"b", "create", b"b"))
    void, good = (asked.offer("delete", [Edit(path, "remove")], ME) for path in (b"a", b"b"))
    asked.change(Edit(b"a", "replace", b"other"))
    with pytest.raises(InvalidArgument):
        asked.accept(void, ME)
    assert asked.read(b"a", ME, 9) == b"other"
    asked.accept(good, ME)


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (Edit(b"gone", "replace", b""), NotFound),
        (Edit(b"gone", "remove"), NotFound),
        (Edit(b"gone/a", "create", b""), NotFound),
        (Edit(b"a/b", "create", b""), NotFolder),
        (Edit(b"d", "replace", b""), IsFolder),
        (Edit(b"d", "folder"), Exists),
        (Edit(b"d", "symlink", target=b"a"), Exists),
        (Edit(b"fifo", "replace", b""), NotRegular),
        (Edit(b"l", "replace", b""), NotRegular),
        (Edit(b"l/a", "create", b""), NotFolder),
        (Edit(b"new", "create", source=b"d"), IsFolder),
        (Edit(b"new", "create", source=b"gone"), NotFound),
        (Edit(b"new", "create", source=b"fifo"), NotRegular),
        (Edit(b"n" * 256, "create", b""), TooLong),
        (Edit(b".lsfs/x", "create", b""), NotPermitted),
    ],
)
def test_what_cannot_be_changed_is_refused_with_a_sentence(asked, edit, error):
    asked.change(Edit(b"a", "create", b"a"), Edit(b"d", "folder"), Edit(b"l", "symlink", target=b"d"))
    os.mkfifo(asked.top / "fifo")
    with pytest.raises(error) as caught:
        asked.change(edit)
    assert str(caught.value).endswith(".")
    assert [name for name, _ in asked.names(b"", ME)] == [b"a", b"d", b"fifo", b"l"]


@pytest.mark.parametrize(
    ("call", "arguments", "error"),
    [
        ("read", (b"d", ME, 9), IsFolder),
        ("read", (b"gone", ME, 9), NotFound),
        ("read", (b"fifo", ME, 9), NotRegular),
        ("read", (b"a", ME, 3), TooLarge),
        ("read", (b"a/b", ME, 3), NotFolder),
        ("read", (b".lsfs/history.db", ME, 9), NotFound),
        ("stat", (b"gone", ME), NotFound),
        ("stat", (b".lsfs", ME), NotFound),
        ("names", (b"a", ME), NotFolder),
        ("names", (b"gone", ME), NotFound),
        ("append", (b"gone", b"", ME), NotFound),
        ("append", (b"d", b"x", ME), IsFolder),
        ("append", (b"fifo", b"x", ME), NotRegular),
        ("touch", (b"gone", ME), NotFound),
    ],
)
def test_what_cannot_be_looked_at_is_refused_with_a_sentence(asked, call, arguments, error):
    asked.change(Edit(b"a", "create", b"text"), Edit(b"d", "folder"))
    os.mkfifo(asked.top / "fifo")
    with pytest.raises(error) as caught:
        getattr(asked, call)(*arguments)
    assert str(caught.value).endswith(".")
