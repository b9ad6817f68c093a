"""replace: another content in a file that is there."""

import json
import os

import pytest
from folder_call import Says

from syscalls.errors import Denied, InvalidArgument, IsFolder, NotFound, NotRegular


@pytest.fixture
def say(tmp_path):
    (tmp_path / "a").write_bytes(b"one\n")
    return Says(tmp_path)


def test_it_has_what_is_given(say):
    assert say("replace a --text two") == "files/a has 3 bytes now; `lsfs undo` takes it back."
    assert (say.top / "a").read_bytes() == b"two" and say.folder.said == ["replace files/a"]
    (say.top / "b").write_bytes(b"\xff\n")
    assert json.loads(say("replace a --from b --json")) == {"path": "files/a", "size": 2}
    assert (say.top / "a").read_bytes() == b"\xff\n"
    say("replace a --text ''")
    assert (say.top / "a").read_bytes() == b""


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("replace gone --text x", NotFound),
        ("replace d --text x", IsFolder),
        ("replace fifo --text x", NotRegular),
        ("replace closed --text x", Denied),
        ("replace a --from closed", Denied),
        ("replace a --from d", IsFolder),
        ("replace a --from gone", NotFound),
        ("replace a", InvalidArgument),
        ("replace a --text x --from a", InvalidArgument),
        ("replace", InvalidArgument),
    ],
)
def test_what_cannot_be_replaced_is_refused_with_a_sentence(say, line, error):
    (say.top / "d").mkdir()
    os.mkfifo(say.top / "fifo")
    (say.top / "closed").write_text("c")
    say.folder.closed.add(b"closed")
    with pytest.raises(error) as caught:
        say(line)
    assert str(caught.value).endswith(".") and (say.top / "a").read_bytes() == b"one\n"
