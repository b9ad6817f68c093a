"""The command lines of /ctl: each row of the table can be called, and refuses what it must."""

import errno

import pytest
import trio
from query_fakes import Machine

from syscalls.errors import Exists, InvalidArgument, LsfsError, NotFound, NotPermitted, ReadOnly
from syscalls.table import CALLS
from syscalls.values import Viewer

OWNER = Viewer(500, 500)


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers/word.md").write_text("word")
    return Machine(tmp_path, owner=500)


@pytest.fixture
def say(machine):
    control = machine.ports().control
    return lambda line, viewer=OWNER: trio.run(control, line, viewer)


# They need a history, and are called through a real mount: tests/mounted/test_ctl.py.
OF_THE_PAST = {"snapshot", "log", "watch", "compare", "rollback", "undo", "undelete", "purge"}
# They change a real folder: tests/mounted/test_calls.py calls every row through a mount.
OF_THE_FOLDER = {"create", "get", "append", "replace", "delete", "touch", "join", "translate"}
MOUNTED = OF_THE_PAST | OF_THE_FOLDER


@pytest.mark.parametrize(
    "call", [call for call in CALLS if call.word not in MOUNTED], ids=lambda call: call.word
)
def test_every_call_of_the_table_replies(call, say):
    if call.word == "forget":
        say("save word")
    required = [argument.name for argument in call.arguments if argument.required]
    assert say(" ".join([call.word, *("word" for _ in required)]) + "\n")
    for _ in required:
        with pytest.raises(InvalidArgument):
            say(call.word)


def test_query_answers_with_the_path(say):
    assert say("query who approves refunds?\n") == "/query/who approves refunds?"
    assert say("query a/b") == "/query/a∕b"


def test_a_prompt_that_fits_no_name_gets_one(say, machine):
    prompt = "refund " * 60
    path = say(f"query {prompt}")
    assert len(path) == len("/query/@") + 16
    assert machine.names.prompt(path.rpartition("/")[2].encode()) == prompt.strip()


def test_line_breaks_in_a_prompt_are_blanks(say):
    assert say("query two\nlines\n") == "/query/two lines"


def test_a_question_is_saved_once_and_forgotten_once(say, machine):
    say("save open questions")
    assert machine.questions.saved(b"") == ("open questions",)
    with pytest.raises(Exists):
        say("save open questions")
    say("forget open questions")
    with pytest.raises(NotFound):
        say("forget open questions")


@pytest.mark.parametrize("line", ["scan", "rebuild"])
def test_the_whole_mount_is_its_owners(line, say, machine):
    with pytest.raises(NotPermitted):
        say(line, Viewer(501, 501))
    assert machine.scanned == []
    assert say(line, Viewer(0, 0))


def test_a_stranger_may_neither_save_nor_forget(say):
    with pytest.raises(NotPermitted):
        say("save mine", Viewer(501, 501))


def test_a_mount_that_is_read_only_keeps_and_forgets_nothing(machine):
    control = machine.ports(read_only=True).control
    for call in CALLS:
        required = sum(argument.required for argument in call.arguments)
        words = "word " * max(required, bool(call.arguments) and call.word != "scan")
        line = f"{call.word} {words}".strip()
        if call.changes:
            with pytest.raises(ReadOnly) as caught:
                trio.run(control, line, OWNER)
            assert caught.value.errno == errno.EROFS
        elif call.word not in MOUNTED | {"link", "ask", "help"}:  # `word` is no request, and no command
            assert trio.run(control, line, OWNER)
    with pytest.raises(ReadOnly):
        trio.run(control, "snapshot word", OWNER)  # without a name it lists those there are
    with pytest.raises(ReadOnly):
        trio.run(control, "link word", OWNER)  # without a path it lists, and what is there can be revoked
    assert {"save", "forget", "rollback", "undo", "undelete"} <= {call.word for call in CALLS if call.changes}
    assert machine.questions.all() == ()


@pytest.mark.parametrize("line", ["scan papers", "scan /files/papers/", 'scan "files/papers"'])
def test_a_path_is_taken_as_people_write_it(line, say, machine):
    say(line)
    assert machine.scanned == [b"papers"]


@pytest.mark.parametrize(
    "line", ["", "bogus", "QUERY x", "status now", "scan ../etc", "query", "query \0", "\0"]
)
def test_what_is_no_command_is_einval_with_a_sentence(line, say):
    with pytest.raises(InvalidArgument) as caught:
        say(line)
    assert caught.value.errno == errno.EINVAL and str(caught.value).endswith(".")


def test_every_error_has_an_errno():
    assert all(cls.errno for cls in LsfsError.__subclasses__())


def test_a_scan_of_a_folder_that_is_not_indexed_says_so(machine):
    machine.report = lambda viewer: {"engine": {"state": "off"}}
    said = trio.run(machine.ports().control, "scan", OWNER)
    assert said.startswith("3 files have changed") and "switched off" in said
