"""The call `ask`: a plan and its token, what is refused, and what is asked back."""

import json
import os
import stat
from dataclasses import replace

import pytest
import trio
from insight_fakes import Thinker
from query_fakes import Machine
from writer_fakes import Scribe

from syscalls import ask
from syscalls.errors import InvalidArgument, NotFound
from syscalls.table import CALLS
from syscalls.values import Viewer

OWNER, OTHER = Viewer(500, 500), Viewer(501, 501)


class Shelf:
    """The port Folder, as far as names are looked up: files by path; `closed` are folders that nobody may list."""

    def __init__(self, *paths):
        self.paths = {path.encode() for path in paths}

    def _kind(self, path):
        if path in self.paths:
            return stat.S_IFREG
        return stat.S_IFDIR if any(one.startswith(path + b"/") for one in self.paths) else 0

    async def stat(self, path, viewer):
        await trio.lowlevel.checkpoint()
        if not self._kind(path):
            raise NotFound("There is no such file.")
        return os.stat_result([self._kind(path), *[0] * 9])

    async def names(self, path, viewer):
        await trio.lowlevel.checkpoint()
        below = path + b"/" if path else b""
        bases = sorted({one[len(below) :].split(b"/")[0] for one in self.paths if one.startswith(below)})
        return [(base, os.stat_result([self._kind(below + base), *[0] * 9])) for base in bases]


@pytest.fixture
def control(tmp_path):
    (tmp_path / "a.md").write_text("word")
    return Machine(tmp_path, owner=500).ports().control


def said(control, line, viewer=OWNER):
    return trio.run(control, line, viewer)


def test_nothing_happens_before_yes_and_then_what_was_shown(control):
    plan = json.loads(said(control, """ask 'save the question "open bugs"'"""))
    assert plan["commands"] == ["save open bugs"] and plan["token"] and plan["says"].endswith(".")
    assert control.questions.saved(b"") == ()
    said(control, f"ask --token {plan['token']}")
    assert control.questions.saved(b"") == ("open bugs",)
    with pytest.raises(InvalidArgument):
        said(control, f"ask --token {plan['token']}")


def test_a_dry_run_has_no_token(control):
    assert json.loads(said(control, "ask --dry-run show the status"))["token"] is None


def test_a_token_is_nobody_elses(control):
    token = json.loads(said(control, "ask show the status"))["token"]
    with pytest.raises(InvalidArgument):
        said(control, f"ask --token {token}", OTHER)


def test_what_the_token_runs_is_asked_with_the_rights_of_who_says_yes(control):
    token = json.loads(said(control, "ask rebuild the index", OTHER))["token"]
    with pytest.raises(Exception, match="owner"):
        said(control, f"ask --token {token}", OTHER)


def test_words_need_no_quotes_of_their_own(control):
    assert json.loads(said(control, 'ask save the question "open bugs"'))["commands"] == ["save open bugs"]


@pytest.mark.parametrize("line", ["ask --token x y", "ask --token x --dry-run", "ask ''", "ask hello there"])
def test_what_is_no_request_is_refused_with_a_sentence(control, line):
    with pytest.raises(InvalidArgument) as caught:
        said(control, line)
    assert str(caught.value).endswith(".")


def test_a_refusal_names_the_nearest_calls(control):
    with pytest.raises(InvalidArgument, match="`delete`"):
        said(control, "ask delete the file")


def test_without_a_sentence_it_says_how_to_ask(control):
    assert said(control, "ask") == ask.USAGE


def test_one_name_is_taken_and_said(control):
    control = replace(control, folder=Shelf("papers/cnn.txt", "b.md"))
    plan = json.loads(said(control, "ask lock the cnn file"))
    assert plan["commands"] == ["lock papers/cnn.txt"] and plan["reads"] == ["files/papers/cnn.txt"]
    assert plan["notes"] == ["cnn was taken as files/papers/cnn.txt."]


def test_several_names_ask_back_with_the_commands_and_give_no_token(control):
    control = replace(control, folder=Shelf("papers/cnn.txt", "old/cnn.md"))
    plan = json.loads(said(control, "ask lock the cnn file for 2 hours"))
    assert plan["candidates"] == ["lock --for 2h old/cnn.md", "lock --for 2h papers/cnn.txt"]
    assert plan["token"] is None and plan["commands"] == []


def test_no_name_is_refused_but_what_is_new_is_taken_as_written(control):
    control = replace(control, folder=Shelf("b.md"))
    with pytest.raises(NotFound):
        said(control, "ask lock the cnn file")
    plan = json.loads(said(control, 'ask create the file cnn.txt with the text "x y"'))
    assert plan["commands"] == ["create --text 'x y' cnn.txt"]


@pytest.mark.parametrize("thinker", [Thinker(), Thinker(absent=True), Thinker(down=True)])
def test_the_embedding_model_is_not_needed(control, thinker):
    plan = json.loads(said(replace(control, insight=thinker), "ask show the status"))
    assert plan["commands"] == ["status"]
    assert plan["notes"] == []


def test_a_language_model_is_asked_last_and_its_proposal_is_marked(control):
    scribe = Scribe('{"call": "lock", "arguments": {"PATH": "a.md", "for": "2h"}}')
    control = replace(control, writer=scribe)
    said(control, "ask show the status")
    assert not scribe.told
    plan = json.loads(said(control, "ask put a.md to sleep during two hours of dreams"))
    assert plan["commands"] == ["lock --for 2h a.md"] and "tiny" in plan["notes"][0]
    assert "word" not in scribe.told[0][1]


@pytest.mark.parametrize("prompt", ["do not lock a.md", "how do I lock a.md", "she told me to lock a.md"])
def test_a_language_model_is_not_asked_for_what_is_no_request(control, prompt):
    scribe = Scribe('{"call": "lock", "arguments": {"PATH": "a.md"}}')
    with pytest.raises(InvalidArgument):
        said(replace(control, writer=scribe), f'ask "{prompt}"')
    assert not scribe.told


def test_a_language_model_that_invents_is_refused(control):
    scribe = Scribe('{"call": "lock", "arguments": {"PATH": "secret.md"}}')
    with pytest.raises(InvalidArgument, match="does not have"):
        said(replace(control, writer=scribe), "ask put a.md to sleep and dream")


def test_the_language_model_is_the_owners(control):
    scribe = Scribe('{"call": "lock", "arguments": {"PATH": "a.md"}}')
    with pytest.raises(InvalidArgument):
        said(replace(control, writer=scribe), "ask put a.md to sleep and dream", OTHER)
    assert not scribe.told


def test_what_is_done_without_being_sure_changes_nothing():
    assert not {call.word for call in CALLS if call.changes} & ask.HARMLESS
    assert {call.word for call in CALLS} >= ask.HARMLESS
