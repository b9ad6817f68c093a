"""A language model through a real mount: `lsfs compare` asks it, and no look at the tree does."""

import os
import signal
import subprocess

import pytest
from llm_server import serving
from mounted_helpers import LSFS, WORDS_ONLY, processes_of

KEY = "sk-0123456789abcdef"


@pytest.fixture
def server():
    with serving() as made:
        yield made


@pytest.fixture
def place(mount, server, tmp_path, monkeypatch):
    """A mount whose user has named a model, with two versions of plan.md and of .env."""
    own = tmp_path / "config/lsfs"
    own.mkdir(parents=True)
    (own / "key").write_text(KEY + "\n")
    (own / "lsfs.conf").write_text(
        f"[llm]\nendpoint = {server.endpoint}\nmodel = tiny\nkey_file = key\ntimeout = 20 s\n"
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = mount(conf=WORDS_ONLY)
    for text in ("The limit is 500.\n", "The limit is 700.\n"):
        for name in ("plan.md", ".env"):
            (made.files / name).write_text(text)
    return made


def compare(place, *arguments):
    command = [*LSFS, "compare", "--mount", place.path, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_call_has_a_paragraph_and_looking_asks_nothing(place, server):
    looked = (place.files / ".versions/plan.md/v1..v2.md").read_text()
    subprocess.run(
        "find . -type f -exec cat {} + > /dev/null; ls -lR . > /dev/null", shell=True, cwd=place.path
    )
    subprocess.run(
        "cat files/.versions/plan.md/* > /dev/null; cat README.md status ctl",
        shell=True,
        cwd=place.path,
        check=True,
        stdout=-3,
    )
    assert server.requests == []

    server.say("The limit was raised by 200.")
    assert (
        compare(place, "plan.md")
        == f"{looked}\n> Written by tiny, not checked by lsfs: The limit was raised by 200.\n"
    )
    ((path, headers, body),) = server.requests
    assert path == "/v1/chat/completions" and headers["Authorization"] == f"Bearer {KEY}"
    assert "+The limit is 700." in body["messages"][1]["content"]

    assert compare(place, "--no-llm", "plan.md") == looked
    assert compare(place, "--diff", "plan.md").startswith("--- a/plan.md")
    assert len(server.requests) == 1


def test_a_model_that_fails_costs_the_paragraph_alone_and_secrets_go_nowhere(place, server):
    server.answer(500, b"no")
    looked = (place.files / ".versions/plan.md/v1..v2.md").read_text()
    said = compare(place, "plan.md")
    assert said.startswith(looked + "\n> Nothing was written by tiny. The endpoint ") and "HTTP 500" in said
    server.requests.clear()
    assert "sent nowhere" in compare(place, ".env") and server.requests == []
    assert (
        KEY
        not in (place.path / "status.json").read_text() + (place.path / "status").read_text() + place.log()
    )
    assert place.status()["errors"] == []


def test_what_is_ignored_by_now_is_not_sent(place, server):
    (place.files / ".lsfsignore").write_text("plan.md\n")
    assert "sent nowhere" in compare(place, "plan.md") and server.requests == []


def test_a_mount_that_ends_waits_for_no_model(place, server):
    server.stalled = True
    asking = subprocess.Popen(
        [*LSFS, "compare", "--mount", place.path, "plan.md"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert server.came.wait(20)
    os.kill(place.pid, signal.SIGTERM)
    assert asking.wait(15) is not None and server.cut_off.wait(15)
    place.until(lambda: processes_of(place.state), lambda found: not found)


def test_a_folder_may_switch_it_off(place, server):
    place.umount()
    (place.state / "lsfs.conf").write_text(WORDS_ONLY + "[llm]\nendpoint = none\n")
    place.mount()
    assert ">" not in compare(place, "plan.md") and server.requests == []
