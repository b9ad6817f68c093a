"""rollback, undo, undelete as lines: each is understood as it is written, and what else is said is refused."""

import json
import types

import pytest
import trio

from lsfs.history.plan import Change, Plan
from syscalls import rollback, undelete, undo
from syscalls.errors import InvalidArgument, NotFound
from syscalls.options import parse, path_of
from syscalls.values import Viewer

ME = Viewer(500, 500)


class Asked:
    """A history that keeps what it is asked."""

    def __init__(self):
        self.rollback = self
        self.asked = []

    async def plan(self, path, viewer, **how):
        self.asked.append((path, viewer, how))
        return {"token": "t"}

    async def undo(self, viewer, **how):
        self.asked.append((viewer, how))
        return {"token": None}

    async def execute(self, token, viewer, *, force):
        self.asked.append((token, viewer, force))
        plan = Plan(b"", 1, 2, (Change(b"a", "restore", None, None), Change(b"b", "remove", None, None)))
        return types.SimpleNamespace(plan=plan, snapshot=b"before-x", left={b"c": "it is gone"})

    async def settled(self):
        return 1

    def removed_at(self, path, first, end, viewer):
        assert viewer == ME
        self.asked.append((path, first is not None and end - first))
        return "row"

    async def undelete(self, row, target, viewer):
        self.asked.append((row, target))
        return 3


def say(module, text):
    history = Asked()
    command = types.SimpleNamespace(text=text, history=history, viewer=ME)
    return trio.run(module.reply, command), history.asked


@pytest.mark.parametrize(
    ("text", "path", "how"),
    [
        ("plan.md --versions 2", b"plan.md", {"to": None, "version": -2, "token": True}),
        ("--version 3 plan.md", b"plan.md", {"to": None, "version": 3, "token": True}),
        ("plan.md --version=v3", b"plan.md", {"to": None, "version": 3, "token": True}),
        ("files/src --to before", b"src", {"to": "before", "version": None, "token": True}),
        (
            "'my notes/a b' --to 'the day before'",
            b"my notes/a b",
            {"to": "the day before", "version": None, "token": True},
        ),
        (
            ". --to 2026-11-22T10:00 --dry-run",
            b"",
            {"to": "2026-11-22T10:00", "version": None, "token": False},
        ),
        ("--to x -- --odd", b"--odd", {"to": "x", "version": None, "token": True}),
    ],
)
def test_a_plan_is_asked_for(text, path, how):
    answer, asked = say(rollback, text)
    assert json.loads(answer) == {"token": "t"} and asked == [(path, ME, how)]


def test_a_token_does_it_and_a_sentence_says_what_was_done():
    answer, asked = say(rollback, "--token abc")
    assert asked == [("abc", ME, False)]
    assert answer.startswith(
        "1 restored, 1 removed; `lsfs undo` takes it back, snapshots/before-x has what was there."
    )
    assert answer.endswith("c was left alone: it is gone.")
    assert say(rollback, "--token abc --force")[1] == [("abc", ME, True)]


@pytest.mark.parametrize(
    "text",
    [
        "", "plan.md", "plan.md other.md --to x", "--to x", "plan.md --to x --version 1", "plan.md --to", "plan.md --version zero",
        "plan.md --version 0", "plan.md --version -1", "plan.md --versions ²", "plan.md --to x --yes", "plan.md --to x --force",
        "plan.md --token t", "--token t --dry-run", "--token", "'plan.md --to x", "../etc --to x", "a//b --to x", "a --to x --to y",
        "a --dry-run=yes --to x",
    ],
)  # fmt: skip
def test_what_is_no_such_line_is_refused_with_a_sentence(text):
    with pytest.raises(InvalidArgument) as caught:
        say(rollback, text)
    assert str(caught.value)[-1] in ".;" or str(caught.value).endswith("plan.")


def test_undo_asks_for_a_plan():
    answer, asked = say(undo, "--dry-run")
    assert json.loads(answer) == {"token": None} and asked == [(ME, {"token": False})]
    with pytest.raises(InvalidArgument):
        say(undo, "plan.md")


@pytest.mark.parametrize(
    ("text", "path", "target", "day"),
    [
        ("a.md", b"a.md", b"a.md", False),
        ("trash/2026-11-27/old/a.md", b"old/a.md", b"old/a.md", 86400.0),
        ("/trash/2026-11-27/a.md --as files/b.md", b"a.md", b"b.md", 86400.0),
        ("files/trash/a.md", b"trash/a.md", b"trash/a.md", False),
    ],
)
def test_what_was_removed_is_found_in_the_trash_or_by_its_path(text, path, target, day):
    answer, asked = say(undelete, text)
    assert asked == [(path, day), ("row", target)]
    assert answer == f"files/{target.decode()} is there again, and 2 more with it."


def test_a_day_that_is_none_is_not_found():
    with pytest.raises(NotFound):
        say(undelete, "trash/yesterday/a.md")
    with pytest.raises(InvalidArgument):
        say(undelete, "--as b.md")


def test_words_are_those_of_a_shell():
    assert parse("x", r"a\ b", most=1) == (["a b"], {})
    assert parse("x", "'é' --to=a=b", values=("to",), most=1) == (["é"], {"to": "a=b"})
    assert path_of("/files/a/b/") == b"a/b" and path_of("files") == path_of(".") == path_of("/") == b""
