"""group: a name for a question, a folder of its files, and its files apart."""

import errno
import json
import posixpath

import pytest
from asked_library import ME, say
from query_fakes import SavedQuestions

from syscalls import group
from syscalls.errors import Exists, InvalidArgument, NotFound, NotPermitted, ReadOnly, TryAgain
from syscalls.names import LongNames
from syscalls.values import Topic, Viewer


class Changes:
    """A folder that keeps what it is to do."""

    def __init__(self, there=()):
        self.there = set(there)
        self.edits = []

    async def change(self, what, edits, viewer, *, expected=None):
        if any(edit.path in self.there for edit in edits):
            raise Exists("There is something at this path.")
        self.edits.append((what, list(edits)))


class Topics:
    def __init__(self, found):
        self.found = found

    async def topics(self, paths, deadline):
        if self.found is None:
            raise TryAgain("The engine is starting again.")
        return self.found


@pytest.fixture
def questions():
    return SavedQuestions()


@pytest.fixture
def command(questions):
    readable = type("Files", (), {"readable": staticmethod(lambda path, viewer: path != b"faq.md")})()

    def run(folder=None, insight=None, viewer=ME, read_only=False, **given):
        more = {"questions": questions, "names": LongNames(), "files": readable, "insight": insight}
        return say(group.reply, given, folder=folder or Changes(), viewer=viewer, read_only=read_only, **more)

    return run


def test_a_question_gets_a_name_and_loses_it(command, questions):
    assert command() == 'There are no groups yet: `group NAME "a question"` makes one.'
    assert (
        command(NAME="refunds", PROMPT="mode:words refund")
        == "query/refunds answers mode:words refund from now on."
    )
    assert questions.saved(b"") == ("mode:words refund",) and questions.names(b"") == {
        "refunds": "mode:words refund"
    }
    assert command() == "refunds\t2 files\tmode:words refund"
    assert json.loads(command(json=True)) == {
        "groups": [{"name": "refunds", "prompt": "mode:words refund", "files": 2}]
    }
    assert command(NAME="refunds") == "files/faq.md\nfiles/policies/refund.md"
    assert command(NAME="refunds", drop=True) == "The group refunds is dropped; no file was touched."
    assert questions.all() == () and questions.names(b"") == {}


def test_a_name_is_given_once(command, questions):
    command(NAME="a", PROMPT="one question")
    for name, prompt in (("a", "another"), ("b", "one question"), ("a", "one question")):
        with pytest.raises(Exists):
            command(NAME=name, PROMPT=prompt)
    with pytest.raises(NotFound):
        command(NAME="c", drop=True)
    for name in (".hidden", "x" * 256, "desktop.ini", "@0123456789abcdef"):
        with pytest.raises(InvalidArgument):
            command(NAME=name, PROMPT="a third")
    assert questions.saved(b"") == ("one question",), "nothing is saved for a name that cannot be"


def test_names_are_the_owners(command):
    stranger = Viewer(501, 501)
    for given in ({"NAME": "a", "PROMPT": "b"}, {"NAME": "a", "drop": True}):
        with pytest.raises(NotPermitted):
            command(viewer=stranger, **given)
    command(NAME="a", PROMPT="b")
    assert "no groups" in command(viewer=stranger)


def test_a_mount_that_is_read_only_names_and_makes_nothing(command):
    for given in ({"NAME": "a", "PROMPT": "b"}, {"NAME": "a", "drop": True}, {"NAME": "a", "into": b"new"}):
        with pytest.raises(ReadOnly) as caught:
            command(read_only=True, **given)
        assert caught.value.errno == errno.EROFS
    assert command(read_only=True, NAME="money")


def test_a_frozen_group_is_one_change_copies_or_links_under_the_names_of_the_answer(command):
    folder = Changes()
    said = command(folder, NAME="mode:words refund", into=b"new/refunds")
    assert said == "files/new/refunds has 2 files now; `lsfs undo` takes it back."
    ((what, edits),) = folder.edits
    assert what == "group --into new/refunds"
    assert [(edit.path, edit.kind, edit.source) for edit in edits] == [
        (b"new/refunds", "folder", None),
        (b"new/refunds/01-faq.md", "create", b"faq.md"),
        (b"new/refunds/02-refund.md", "create", b"policies/refund.md"),
    ]
    command(folder, NAME="mode:words refund", into=b"policies/r", links=True)
    for edit in folder.edits[1][1][1:]:
        led = posixpath.normpath(posixpath.join("policies/r", edit.target.decode()))
        assert edit.kind == "symlink" and led in ("faq.md", "policies/refund.md")
    answer = json.loads(command(folder, NAME="mode:words refund", into=b"third", json=True))
    assert answer["paths"] == ["files/third/01-faq.md", "files/third/02-refund.md"]


def test_what_is_merely_near_is_not_frozen(command):
    folder = Changes()
    for prompt in ("zebra", '"refund zebra"', "-lentil zebra"):
        with pytest.raises(NotFound):
            command(folder, NAME=prompt, into=b"new")
    assert folder.edits == []
    command(folder, NAME="flight money", into=b"new")
    assert sorted(edit.source for edit in folder.edits[0][1][1:]) == [
        b"policies/refund.md",
        b"policies/travel.md",
        b"src/pay.py",
    ]
    answer = json.loads(command(folder, NAME="zebra mode:meaning", into=b"near", json=True))
    assert len(answer["paths"]) == len(answer["scores"]) == 5 and answer["notes"] == []


def test_nothing_is_frozen_over_something_or_of_nothing(command):
    folder = Changes(there=[b"new"])
    with pytest.raises(Exists):
        command(folder, NAME="money", into=b"new")
    with pytest.raises(NotFound):
        command(folder, NAME="mode:words zebra", into=b"other")
    assert folder.edits == []


def test_the_groups_of_a_result_are_printed(command):
    assert command(NAME="mode:words money limit:2", by="folder") == (
        "policies:\n    files/policies/refund.md\n    files/policies/travel.md\n"
        "note: only the first 2 were looked at, there may be more (`limit:all` takes them all)"
    )
    answer = json.loads(command(NAME="mode:words money", by="type", json=True))
    assert answer["groups"][1] == {"name": "py", "paths": ["files/src/pay.py"]}
    assert answer["notes"] == [], "all of them are there"
    assert "No file answers" in command(NAME="mode:words zebra", by="type")


def test_groups_say_that_the_limit_left_files_out(command):
    def notes(prompt):
        return json.loads(command(NAME=prompt, by="folder", json=True))["notes"]

    assert ["only the first 1 were" in note for note in notes("mode:words money limit:1")] == [True]
    assert ["only the first 1 were" in note for note in notes("type:md limit:1")] == [True]
    assert notes("type:md limit:all") == []


@pytest.mark.parametrize("insight", [None, Topics(None), Topics([])])
def test_topics_without_a_model_or_an_engine_are_told_by_words(command, insight):
    assert command(NAME="money", by="topic", insight=insight)


def test_topics_are_those_of_the_model(command):
    topics = Topics([Topic("paying-back", (b"policies/refund.md", b"src/pay.py"))])
    said = command(NAME="money", by="topic", insight=topics)
    assert said.startswith("paying-back:\n    files/policies/refund.md\n    files/src/pay.py\nother:\n")


@pytest.mark.parametrize(
    "given",
    [
        {"NAME": "a", "PROMPT": "b", "into": b"x"}, {"NAME": "a", "PROMPT": "b", "drop": True}, {"drop": True}, {"into": b"x"},
        {"by": "type"}, {"NAME": "a", "by": "type", "into": b"x"}, {"NAME": "a", "links": True},
    ],
)  # fmt: skip
def test_what_is_no_such_line_is_refused_with_a_sentence(command, given):
    with pytest.raises(InvalidArgument) as caught:
        command(**given)
    assert str(caught.value).endswith(".")
