"""touch: the times of what is there."""

import json
import os

import pytest
from folder_call import Says

from syscalls.errors import Denied, InvalidArgument, NotFound, NotPermitted


@pytest.fixture
def say(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    os.utime(tmp_path / "a", (1e9, 1e9))
    return Says(tmp_path)


def test_a_time_is_set_and_told(say):
    assert "2020-02-03" in say("touch a --at 2020-02-03")
    said = json.loads(say("touch a --at 2001-09-09T01:46:40Z --json"))
    assert said == {"path": "files/a", "mtime": 1e9} and os.stat(say.top / "a").st_mtime == 1e9
    say("touch a")
    assert os.stat(say.top / "a").st_mtime > 1.7e9 and (say.top / "a").read_bytes() == b"a"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("touch gone", NotFound),
        ("touch closed", Denied),
        ("touch closed --at 2020", NotPermitted),
        ("touch a --at yesterday", InvalidArgument),
        ("touch", InvalidArgument),
    ],
)
def test_what_cannot_be_touched_is_refused_with_a_sentence(say, line, error):
    (say.top / "closed").write_text("c")
    say.folder.closed.add(b"closed")
    with pytest.raises(error) as caught:
        say(line)
    assert str(caught.value).endswith(".")
