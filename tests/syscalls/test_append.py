"""append: bytes at the end, as they are given."""

import json
import os

import pytest
from folder_call import Says

from syscalls.errors import Denied, InvalidArgument, IsFolder, NotFound, NotRegular


@pytest.fixture
def say(tmp_path):
    (tmp_path / "a").write_bytes(b"one\n")
    return Says(tmp_path)


def test_what_is_given_is_at_the_end_and_no_line_break_is_added(say):
    assert say("append a --text two") == "files/a has 3 bytes more; `lsfs undo` takes it back."
    assert (say.top / "a").read_bytes() == b"one\ntwo"


def test_what_another_file_has_is_at_the_end_also_what_is_no_text(say):
    (say.top / "b").write_bytes(b"\xff\n")
    assert json.loads(say("append a --from b --json")) == {"path": "files/a", "appended": 2}
    assert (say.top / "a").read_bytes() == b"one\n\xff\n"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("append gone --text x", NotFound),
        ("append d --text x", IsFolder),
        ("append fifo --text x", NotRegular),
        ("append closed --text x", Denied),
        ("append a --from closed", Denied),
        ("append a --from d", IsFolder),
        ("append a", InvalidArgument),
        ("append a --text x --from a", InvalidArgument),
        ("append", InvalidArgument),
    ],
)
def test_what_cannot_be_written_is_refused_with_a_sentence(say, line, error):
    (say.top / "d").mkdir()
    os.mkfifo(say.top / "fifo")
    (say.top / "closed").write_text("c")
    say.folder.closed.add(b"closed")
    with pytest.raises(error) as caught:
        say(line)
    assert str(caught.value).endswith(".") and (say.top / "a").read_bytes() == b"one\n"
