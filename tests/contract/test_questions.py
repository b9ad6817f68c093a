"""What the tree relies on in saved questions: the fake that its tests use, and those of history.db."""

import pytest
import trio
from query_fakes import SavedQuestions

from syscalls.errors import Exists, NotFound


def real(tmp_path):
    from lsfs.history.questions import Questions
    from lsfs.history.store import State

    state = State(tmp_path / "state")

    async def at_once(function, *arguments):
        return function(*arguments)

    return Questions(state.database, at_once, at_once), state.close


@pytest.fixture(params=["fake", "real"])
def questions(request, tmp_path):
    if request.param == "fake":
        yield SavedQuestions()
        return
    made, close = real(tmp_path)
    yield made
    close()


def test_a_question_is_listed_until_it_is_forgotten(questions):
    async def main():
        await questions.save(b"", "one")
        await questions.save(b"papers", "two")
        assert questions.saved(b"") == ("one",) and questions.saved(b"papers") == ("two",)
        assert set(questions.all()) == {(b"", "one"), (b"papers", "two")}
        await questions.forget(b"", "one")
        assert questions.saved(b"") == () and questions.all() == ((b"papers", "two"),)

    trio.run(main)


def test_an_answer_is_kept_as_long_as_its_question(questions):
    async def main():
        await questions.save(b"", "one")
        assert questions.kept(b"", "one") is None
        await questions.keep(b"", "one", b"{}")
        assert questions.kept(b"", "one") == b"{}"
        await questions.keep(b"", "never saved", b"{}")
        assert questions.kept(b"", "never saved") is None
        await questions.forget(b"", "one")
        assert questions.kept(b"", "one") is None

    trio.run(main)


def test_a_saved_question_has_one_name_at_a_time_and_loses_it_with_itself(questions):
    async def main():
        await questions.save(b"", "one")
        await questions.save(b"", "two")
        await questions.call(b"", "one", "first")
        assert questions.names(b"") == {"first": "one"} and questions.names(b"papers") == {}
        for name in ("first", "one"):
            with pytest.raises(Exists):
                await questions.call(b"", "two", name)
        with pytest.raises(NotFound):
            await questions.call(b"", "three", "third")
        await questions.call(b"", "one", "1")
        await questions.call(b"", "one", "1")
        assert questions.names(b"") == {"1": "one"}
        await questions.forget(b"", "one")
        assert questions.names(b"") == {}
        await questions.call(b"", "two", "1")
        await questions.call(b"", "two", "two")  # as it was called at first
        assert questions.names(b"") == {"two": "two"}
        await questions.forget(b"", "two")
        assert questions.names(b"") == {} and questions.saved(b"") == ()

    trio.run(main)


def test_names_outlive_the_mount_and_a_database_without_them_gets_them(tmp_path):
    async def main():
        questions, close = real(tmp_path)
        await questions.save(b"", "one")
        await questions.call(b"", "one", "first")
        close()
        questions, close = real(tmp_path)
        assert questions.names(b"") == {"first": "one"}
        questions.database.execute("drop index question_named")
        questions.database.execute("alter table question drop column name")
        close()
        questions, close = real(tmp_path)
        assert questions.saved(b"") == ("one",) and questions.names(b"") == {}
        await questions.call(b"", "one", "again")
        close()

    trio.run(main)
