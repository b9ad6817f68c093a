"""unlock as a line and as a function."""

import json
import types

import pytest
import trio

from syscalls import unlock
from syscalls.arguments import given
from syscalls.errors import InvalidArgument, NotFound, NotPermitted
from syscalls.table import CALLS
from syscalls.values import Lock, Viewer

ME = Viewer(500, 500)
ROW = next(call for call in CALLS if call.word == "unlock")


class Held:
    """Locks that are kept in a dict; those of others stay."""

    def __init__(self, **held):
        self.held = {path.encode(): lock for path, lock in held.items()}

    async def unlock(self, path, viewer):
        if path not in self.held:
            raise NotFound("It is not locked.")
        if self.held[path].uid != viewer.uid:
            raise NotPermitted("It is locked by somebody else.")
        del self.held[path]

    def locked(self, path):
        return next(((at, lock) for at, lock in self.held.items() if path.startswith(at + b"/")), None)


def say(text, locks):
    command = types.SimpleNamespace(viewer=ME, given=given(ROW, text), locks=locks)
    return trio.run(unlock.reply, command)


def test_a_lock_of_ones_own_ends():
    locks = Held(plan=Lock(500, 0.0, None))
    assert say("files/plan", locks) == "files/plan is not locked any more." and locks.held == {}
    assert json.loads(say("plan --json", Held(plan=Lock(500, 0.0, None)))) == {
        "path": "files/plan",
        "locked": False,
    }


def test_it_is_said_when_a_folder_above_is_still_locked():
    locks = Held(papers=Lock(500, 0.0, None))
    locks.held[b"papers/a"] = Lock(500, 0.0, None)
    assert "files/papers is" in say("papers/a", locks)


def test_what_is_not_locked_is_not_found_and_what_others_locked_stays():
    with pytest.raises(NotFound):
        say("plan", Held())
    locks = Held(plan=Lock(1, 0.0, None))
    with pytest.raises(NotPermitted):
        say("plan", locks)
    assert locks.held


@pytest.mark.parametrize("text", ["", "a b", "a --for 2h", "../etc", "a --force", "'a"])
def test_what_is_no_such_line_is_refused_with_a_sentence(text):
    with pytest.raises(InvalidArgument) as caught:
        say(text, Held())
    assert str(caught.value).endswith(".")
