"""lock as a line and as a function: what is understood, what is refused, and the words about a lock."""

import contextlib
import json
import os
import types

import pytest
import trio

from syscalls import lock, locked
from syscalls.arguments import given
from syscalls.errors import Exists, InvalidArgument, NotFound, NotPermitted
from syscalls.permission import name_of
from syscalls.table import CALLS
from syscalls.values import Lock, Viewer

ME = Viewer(os.getuid(), os.getgid())
ROW = next(call for call in CALLS if call.word == "lock")
NOW = 1_800_000_000.0


class Held:
    """Locks that are kept in a dict, and one path that there is not."""

    def __init__(self):
        self.held = {}

    async def lock(self, path, lock, viewer):
        if path == b"missing":
            raise NotFound("There is no files/missing; ls shows what there is.")
        if path in self.held and self.held[path].uid != lock.uid:
            raise Exists("It is locked already.")
        assert viewer.uid == lock.uid
        self.held[path] = lock


def say(text, locks=None):
    locks = Held() if locks is None else locks
    command = types.SimpleNamespace(viewer=ME, given=given(ROW, text), locks=locks)
    return trio.run(lock.reply, command), locks.held


def made(path, locks=None, **how):
    locks = Held() if locks is None else locks

    async def run():
        return await lock.lock(path, viewer=ME, locks=locks, now=NOW, **how)

    return trio.run(run)


def test_a_lock_has_an_end_a_reason_and_the_one_who_locked():
    assert made(b"plan.md", until=NOW + 60, why="final\nversion") == Lock(
        ME.uid, NOW, NOW + 60, "final version"
    )
    assert made(b"plan.md") == Lock(ME.uid, NOW, None, "")


def test_a_line_locks_and_says_until_when():
    answer, held = say('"my notes/a b" --for 2h --why "sent out"')
    lock = held[b"my notes/a b"]
    assert answer == (
        f"files/my notes/a b is locked until {locked.moment(lock.until)}; `lsfs unlock` ends that."
    )
    assert lock.until - lock.since == 7200 and lock.why == "sent out"
    answer, held = say("files --json")
    assert json.loads(answer) == {
        "path": "files", "by": name_of(ME.uid), "uid": ME.uid, "since": held[b""].since, "until": None, "why": "",
    }  # fmt: skip
    assert "until it is unlocked" in say("plan.md")[0]
    assert say("plan.md --until 2100")[1][b"plan.md"].until > NOW


@pytest.mark.parametrize("name", ["n" * 255, "line\nbreak", "caf\udce9", "-rf", "it's"])
def test_any_name_is_one_line_of_json(name):
    import shlex

    answer, held = say(f"--json -- {shlex.quote(name)}")
    assert os.fsencode(name) in held and "\n" not in answer and answer.isascii()
    assert json.loads(answer)["path"] == "files/" + name


@pytest.mark.parametrize(
    "text",
    [
        "", "a b", "a --for", "a --for soon", "a --for 2h --until 2100", "a --until yesterday", "a --until 2001", "a --for 0s",
        "../etc", "a//b", "a --force", "a --for 2h --for 3h", "a --until 9999",
    ],
)  # fmt: skip
def test_what_is_no_such_line_is_refused_with_a_sentence(text):
    with pytest.raises(InvalidArgument) as caught:
        say(text)
    assert str(caught.value).endswith(".")


def test_a_reason_is_short():
    with pytest.raises(InvalidArgument):
        say(f"a --why {'x' * 501}")


def test_what_is_not_there_is_not_locked():
    with pytest.raises(NotFound):
        say("missing")


def test_another_users_lock_is_not_replaced():
    locks = Held()
    locks.held[b"a"] = Lock(ME.uid + 1, 0.0, None)
    with pytest.raises(Exists):
        say("a", locks)


# The attribute ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "until", "why"),
    [
        (b"", None, ""), (b"2h", NOW + 7200, ""), (b"1h30m\0", NOW + 5400, ""), (b"3 days: sent", NOW + 3 * 86400, "sent"),
        (b": for good", None, "for good"), (b"2100-01-01T00:00Z", 4102444800.0, ""), (b"2100-01-01T00:00Z: a: b", 4102444800.0, "a: b"),
    ],
)  # fmt: skip
def test_the_attribute_takes_a_duration_a_time_or_nothing_and_a_reason(value, until, why):
    assert locked.meant(value, NOW) == (until, why)


@pytest.mark.parametrize(
    "value", [b"tomorrow", b"2001", b"-2h", b"yes", b"unlocked", b"\xff\xfe", b"99999999w"]
)
def test_anything_else_is_refused(value):
    with pytest.raises(InvalidArgument):
        locked.meant(value, NOW)


@pytest.mark.parametrize("until", [None, NOW, NOW + 0.7])
@pytest.mark.parametrize("why", ["", "final version", "until 2h: then (with all) we: go", "caf\udce9"])
@pytest.mark.parametrize("above", [None, b"", b"a folder", b"li\nne", b"\xff"])
@pytest.mark.parametrize("uid", [ME.uid, 3_999_999_999])
def test_what_the_mount_says_of_a_lock_locks_no_copy(until, why, above, uid):
    value = locked.told(Lock(uid, 0.0, until, why), above).encode("utf-8", "surrogateescape")
    assert locked.meant(value, NOW) is None


def test_a_lock_is_told_in_one_line():
    lock = Lock(3_999_999_999, 0.0, NOW, "final version")
    assert locked.told(lock) == f"3999999999 until {locked.moment(NOW)}: final version"
    assert locked.told(lock, b"papers").split(": ")[0].endswith(" (with files/papers)")
    assert locked.told(Lock(3_999_999_999, 0.0, None)) == "3999999999 until unlocked"
    refusal = locked.refusal(b"plan.md", lock)
    assert isinstance(refusal, NotPermitted) and "files/plan.md is locked by 3999999999 until" in str(refusal)


@pytest.mark.parametrize(
    "value",
    [
        b"x" + b" until unlocked (with " * 1400 + b")" * 30_000 + b"z",
        b"x" + b" until unlocked (with)" * 2900,
        b"x until unlocked (with " + b"): " * 20_000,
        b"x until " * 8000,
    ],
)
def test_no_value_of_64_kib_keeps_the_mount_busy(value):
    """Anybody may write one, and all wait meanwhile: what tried its parts twice took seconds for each, and minutes here."""
    for _ in range(50):
        with contextlib.suppress(InvalidArgument):
            assert locked.meant(value, NOW) is None
