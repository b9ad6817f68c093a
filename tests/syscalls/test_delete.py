"""delete: by name, all of them or none; by what is in them only with the token of a plan."""

import json
import os
import shlex
from dataclasses import replace

import pytest
from folder_call import ME, Says

from syscalls.errors import Denied, InvalidArgument, NotFound
from syscalls.retrieve import ABSENT, understood
from syscalls.values import Hit, Results, Viewer


@pytest.fixture
def say(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d").mkdir()
    (tmp_path / "d/e").write_text("e")

    async def ask(prompt, folder, viewer):
        assert viewer == ME and folder == b""
        hits = (
            Hit(b"c", 2.0, {"words": 0.5}),
            Hit(b"a", 1.0, {"path": 0.1}),
            Hit(b"b", 0.5, {"meaning": 0.4}),
        )
        read, hits = understood(prompt, viewer), hits if "none" not in prompt else ()
        if "lost" in prompt:
            read = replace(read, condition=None, exact=False, notes=(ABSENT,))
        if "strange" in prompt:
            hits = hits[2:]
        return Results(read, b"", hits[: read.limit], 1, 0, "off", 1.0)

    return Says(tmp_path, ask=ask)


def there(say):
    return sorted(os.listdir(say.top))


def test_files_and_folders_go_with_all_that_is_in_them(say):
    assert say("delete a") == "files/a is in trash/; `lsfs undo` takes it back."
    assert json.loads(say("delete d/e d b d --json")) == {"deleted": ["files/d", "files/b"]}
    assert there(say) == ["c"] and say.folder.said == ["delete files/a", "delete files/d and 1 more"]


def test_where_one_cannot_go_none_goes(say):
    say.folder.closed.add(b"c")
    for line, error in (("delete a gone", NotFound), ("delete a b c", Denied)):
        with pytest.raises(error):
            say(line)
    assert there(say) == ["a", "b", "c", "d"]


def test_what_a_question_finds_is_shown_best_first_and_goes_by_its_token(say):
    plan = json.loads(say("delete --matching 'old drafts'"))
    assert plan.pop("token") == "t0" and plan == {
        "matching": "old drafts",
        "changes": [
            {"what": "remove", "path": "files/c", "type": "file", "score": 2.0},
            {"what": "remove", "path": "files/a", "type": "file", "score": 1.0},
        ],
        "counts": {"remove": 2},
        "notes": [],
    }
    assert there(say) == ["a", "b", "c", "d"]
    with pytest.raises(InvalidArgument):
        say("delete --token t0", Viewer(501, 501))
    assert say("delete --token t0") == "2 files and folders are in trash/; `lsfs undo` takes it back."
    assert there(say) == ["b", "d"]
    with pytest.raises(InvalidArgument):
        say("delete --token t0")


@pytest.mark.parametrize(
    ("prompt", "error"),
    [('"a lost phrase"', NotFound), ("strange", NotFound), ("strange -draft", NotFound), ("wombat AND (draft", InvalidArgument),
     ('the long question of a title that has "a phrase" in it and more words still', NotFound),
     ("drafts after:nonsense", InvalidArgument), ("drafts by:nobody-of-this-name", InvalidArgument)],
)  # fmt: skip
def test_what_is_merely_near_and_what_was_read_more_loosely_than_written_is_never_offered(say, prompt, error):
    with pytest.raises(error) as caught:
        say(f"delete --matching {shlex.quote(prompt)}")
    assert "othing was done" in str(caught.value) and str(caught.value).endswith(".")
    assert say.folder.offered == {}


def test_the_nearest_are_offered_to_whoever_asks_for_them(say):
    plan = json.loads(say("delete --matching 'strange mode:meaning'"))
    assert [change["path"] for change in plan["changes"]] == ["files/b"]


def test_what_a_condition_or_a_field_says_needs_no_word(say):
    for prompt in ("wombat AND draft", "type:md", '"a phrase"'):
        plan = json.loads(say(f"delete --matching {shlex.quote(prompt)}"))
        assert plan["counts"] == {"remove": 3}, prompt


def test_a_plan_that_a_limit_cut_says_so(say):
    plan = json.loads(say("delete --matching 'drafts limit:1'"))
    assert plan["counts"] == {"remove": 1} and "only the first 1 were looked at" in plan["notes"][0]


def test_a_dry_run_and_an_empty_answer_give_no_token(say):
    assert json.loads(say("delete --matching old --dry-run"))["token"] is None
    assert json.loads(say("delete --matching none"))["token"] is None
    assert say.folder.offered == {}


def test_a_token_is_void_when_one_of_its_files_has_changed(say):
    token = json.loads(say("delete --matching old"))["token"]
    (say.top / "a").write_text("later")
    with pytest.raises(InvalidArgument):
        say(f"delete --token {token}")
    assert there(say) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "line",
    ["delete", "delete --json", "delete a --token t", "delete a --matching x", "delete --token t --dry-run", "delete a --dry-run",
     "delete --matching", "delete --matching ' '", "delete ../a", "delete --yes a"],
)  # fmt: skip
def test_what_is_no_such_line_is_refused(say, line):
    with pytest.raises(InvalidArgument) as caught:
        say(line)
    assert str(caught.value).endswith(".") and there(say) == ["a", "b", "c", "d"]
