"""create: a file with text, or as a copy; a folder; what is there is never replaced."""

import json
import os
import stat

import pytest
import trio
from folder_call import ME, Says

from syscalls.create import create
from syscalls.errors import Denied, Exists, InvalidArgument, NotFolder, NotFound, NotPermitted, TooLong


@pytest.fixture
def say(tmp_path):
    return Says(tmp_path)


def test_a_file_has_the_text_that_was_said_byte_for_byte(say):
    assert (
        say("create a.md --text 'one  two'") == "files/a.md is there now, 8 bytes; `lsfs undo` takes it back."
    )
    assert (say.top / "a.md").read_bytes() == b"one  two"
    say("create empty")
    assert (say.top / "empty").read_bytes() == b""
    assert say.folder.said == ["create files/a.md", "create files/empty"]


def test_what_was_brought_by_plain_files_is_noted_for_undo(say):
    (say.top / "a.md").write_text("from outside")
    assert say("create --adopt a.md") == "`lsfs undo` takes files/a.md back."
    assert json.loads(say("create --adopt a.md --json")) == {"path": "files/a.md"}
    assert say.folder.said == ["create files/a.md"] * 2 and (say.top / "a.md").read_text() == "from outside"
    for line, error in (("create --adopt gone", NotFound), ("create --adopt a.md --text x", InvalidArgument)):
        with pytest.raises(error):
            say(line)


def test_text_that_is_no_utf8_comes_through(say):
    say("create a --text \udcff")
    assert (say.top / "a").read_bytes() == b"\xff"


def test_a_slash_at_the_end_makes_a_folder(say):
    assert "a folder with 0 files" in say("create 'my notes/'")
    assert (say.top / "my notes").is_dir()
    for line in ("create d/ --text x", "create d/ --from 'my notes/x'"):
        with pytest.raises((InvalidArgument, NotFound)):
            say(line)


def test_a_folder_is_copied_with_its_tree_its_modes_and_its_symlinks(say):
    (say.top / "d/e").mkdir(parents=True)
    (say.top / "d/e/a").write_text("a")
    (say.top / "d/e/a").chmod(0o640)
    (say.top / "d/l").symlink_to("e/a")
    os.mkfifo(say.top / "d/fifo")
    said = json.loads(say("create new --from d --json"))
    assert said == {"path": "files/new", "files": 2, "folders": 2, "bytes": 1, "left": ["files/d/fifo"]}
    assert os.readlink(say.top / "new/l") == "e/a"
    assert stat.S_IMODE(os.stat(say.top / "new/e/a").st_mode) == 0o640
    assert "files/d/fifo was left out" in say("create newer --from d")


@pytest.mark.parametrize("path", ["d", "d/x", "x/d"])
def test_a_folder_is_not_copied_into_itself(say, path):
    (say.top / "d").mkdir()
    with pytest.raises((InvalidArgument, NotFound)):
        say(f"create {path} --from d")
    with pytest.raises(InvalidArgument):
        say("create x --from files")
    assert os.listdir(say.top / "d") == []


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("create", InvalidArgument),
        ("create a", Exists),
        ("create a/b", NotFolder),
        ("create gone/b", NotFound),
        ("create b --from gone", NotFound),
        ("create b --from closed", Denied),
        ("create b --text x --from a", InvalidArgument),
        ("create b/ --from a", InvalidArgument),
        ("create .lsfs/b", NotPermitted),
        (f"create {'n' * 256}", TooLong),
        ("create ../b", InvalidArgument),
        ("create b c", InvalidArgument),
        ("create b --bogus", InvalidArgument),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_sentence(say, line, error):
    (say.top / "a").write_text("a")
    (say.top / "closed").write_text("c")
    say.folder.closed.add(b"closed")
    with pytest.raises(error) as caught:
        say(line)
    assert str(caught.value).endswith(".") and sorted(os.listdir(say.top)) == ["a", "closed"]


def test_it_is_usable_from_python(say):
    async def act():
        return await create(b"a", folder=say.folder, viewer=ME, data=b"x")

    assert trio.run(act).size == 1
