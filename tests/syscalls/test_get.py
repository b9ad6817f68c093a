"""get: content and metadata in one answer."""

import json
import os
import types

import pytest
from folder_call import ROOT, Says

from syscalls.errors import Denied, InvalidArgument, IsFolder, NotFound, NotRegular, TooLarge
from syscalls.values import Lock


@pytest.fixture
def say(tmp_path):
    return Says(tmp_path, locks=types.SimpleNamespace(of=lambda path: None))


def test_text_comes_as_text_and_other_bytes_as_base64(say):
    (say.top / "a").write_text("naïve\n")
    os.utime(say.top / "a", (1e9, 1e9))
    os.chmod(say.top / "a", 0o640)
    found = json.loads(say("get a"))
    assert found == {
        "path": "files/a", "size": 7, "mtime": 1e9, "mode": "0640", "uid": os.getuid(), "gid": os.getgid(), "type": "file",
        "version": None, "versions": None, "text": "naïve\n",
    }  # fmt: skip
    assert say("get a") == say("get a --json")
    (say.top / "b").write_bytes(b"\xff")
    found = json.loads(say("get b"))
    assert found["base64"] == "/w==" and "text" not in found


def test_a_lock_is_told(say):
    (say.top / "a").write_text("a")
    say.locks = types.SimpleNamespace(of=lambda path: Lock(0, 1.0, None, "final"))
    assert json.loads(say("get a"))["lock"]["why"] == "final"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("get gone", NotFound),
        ("get d", IsFolder),
        ("get fifo", NotRegular),
        ("get closed", Denied),
        ("get large", TooLarge),
        ("get", InvalidArgument),
        ("get a --version 0", InvalidArgument),
        ("get a --version 2", NotFound),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(say, line, error):
    (say.top / "d").mkdir()
    os.mkfifo(say.top / "fifo")
    (say.top / "closed").write_text("c")
    say.folder.closed.add(b"closed")
    with open(say.top / "large", "wb") as stream:
        stream.truncate((16 << 20) + 1)
    with pytest.raises(error) as caught:
        say(line)
    assert str(caught.value).endswith(".")


def test_root_reads_what_is_closed(say):
    (say.top / "closed").write_text("c")
    say.folder.closed.add(b"closed")
    assert json.loads(say("get closed", ROOT))["text"] == "c"
