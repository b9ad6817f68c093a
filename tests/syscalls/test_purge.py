"""purge: what one line of /ctl says, and what a person is told."""

import json
import types

import pytest
import trio

from syscalls.errors import InvalidArgument
from syscalls.purge import outcome, planned, reply
from syscalls.values import Viewer

PLAN = {
    "path": "notes/secret.md", "versions": 3, "contents": 2, "bytes": 1234, "files": ["notes/secret.md", "notes/old.md"], "more": 0,
    "live": [], "stay": ["notes/secret.md"], "shared": [], "everywhere": False, "refused": None, "token": "t",
}  # fmt: skip
DONE = {
    "path": "notes/secret.md", "contents": 2, "versions": 3, "unlinked": ["notes/secret.md"], "index": {},
    "proof": {
        "holds": True, "phrases": 1, "found": [], "pieces": 12, "files": 9, "bytes": 5000, "left": [], "words": [],
    },
}  # fmt: skip


class Purging:
    """Says what it was asked."""

    async def plan(self, path, viewer, **how):
        return {"path": path.decode(), **how}

    async def execute(self, token, viewer):
        return {"token": token}


def say(text):
    command = types.SimpleNamespace(
        text=text, viewer=Viewer(0, 0), history=types.SimpleNamespace(purging=Purging())
    )
    return json.loads(trio.run(reply, command))


def test_a_line_asks_for_a_plan_and_another_one_executes_it():
    assert say("'files/my notes/a.md' --live") == {
        "path": "my notes/a.md",
        "live": True,
        "everywhere": False,
        "token": True,
    }
    assert say("a --everywhere --dry-run")["token"] is False
    assert say("--token abc") == {"token": "abc"}


@pytest.mark.parametrize(
    "text", ["", "''", "--live", "a b", "a --token t", "--token t --live", "a --force", "../a"]
)
def test_what_does_not_say_what_is_meant_is_refused(text):
    with pytest.raises(InvalidArgument):
        say(text)


def test_the_plan_says_what_goes_and_what_stays():
    assert planned(PLAN) == (
        "notes/secret.md: 3 versions with 2 contents, 1234 bytes, under 2 names."
        " What is there now stays: notes/secret.md; --live removes it."
    )
    assert "The same bytes are in b.md" in planned(PLAN | {"shared": ["b.md"]})
    assert "The files themselves go, too: a" in planned(PLAN | {"live": ["a"]})


def test_the_outcome_says_whether_it_is_proven():
    assert (
        "Nothing of them is left in the state folder: 1 phrase searched for, 12 pieces looked for in 9 files"
        in outcome(DONE)
    )
    proof = DONE["proof"] | {"holds": False, "left": ["history.db"], "found": ["b.md"], "words": ["vault"]}
    said = outcome(DONE | {"proof": proof})
    assert "NOT PROVEN" in said and "history.db, files/b.md" in said and "vault" in said


def test_what_could_not_be_looked_for_is_not_proven():
    said = outcome(DONE | {"proof": DONE["proof"] | {"holds": None, "unproven": 1}})
    assert "NOT PROVEN for 1 content: too short" in said and "Nothing of them is left" not in said
    said = outcome(
        DONE | {"proof": DONE["proof"] | {"holds": None, "unproven": 0, "pieces": 0, "phrases": 0}}
    )
    assert "NOT PROVEN: its bytes were gone before" in said
