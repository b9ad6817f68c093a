"""What calls rely on in a language model: the fake that their tests use, and the one that is asked over HTTP."""

import pytest
import trio
import trio.testing
from llm_server import serving
from writer_fakes import Scribe

from lsfs.models.llm import Llm
from syscalls.errors import ModelFailed


class Fake:
    def __init__(self, timeout=30.0):
        self.writer = Scribe(timeout=timeout)

    def say(self, text):
        self.writer.reply = text

    def stall(self):
        self.writer.reply = None

    def fail(self):
        self.writer.reply = ModelFailed("The model is not there.")

    async def came(self):
        await trio.testing.wait_all_tasks_blocked()


class Real:
    def __init__(self, server, timeout=30.0):
        self.server, self.say = server, server.say
        self.writer = Llm(server.endpoint, "tiny", "", timeout)

    def stall(self):
        self.server.stalled = True

    def fail(self):
        self.server.answer(500, b"secret text of a file")

    async def came(self):
        assert await trio.to_thread.run_sync(self.server.came.wait, 20)


@pytest.fixture(params=["fake", "real"])
def model(request):
    if request.param == "fake":
        yield Fake()
        return
    with serving() as server:
        yield Real(server)


def ask(model, deadline=20.0):
    return trio.run(model.writer.complete, "You are brief.", "What changed?", deadline)


def test_an_answer_is_what_the_model_said(model):
    model.say("The limit was raised.\nNothing else was.")
    assert ask(model) == "The limit was raised.\nNothing else was."
    assert model.writer.name == "tiny" and model.writer.timeout == 30.0


def test_an_answer_steers_no_terminal_and_has_an_end(model):
    model.say("\x1b[31mred\x00\x9b\u202e" + "word " * 10_000)
    answer = ask(model)
    assert answer.startswith("[31mredword") and len(answer) <= 4000
    assert all(letter in "\n\t" or letter.isprintable() for letter in answer)


def test_an_empty_answer_is_a_failure(model):
    model.say(" \n\x07 ")
    with pytest.raises(ModelFailed):
        ask(model)


def test_a_failure_is_one_line_that_quotes_nothing(model):
    model.fail()
    with pytest.raises(ModelFailed) as caught:
        ask(model)
    said = str(caught.value)
    assert said.endswith(".") and "\n" not in said and "secret" not in said


@pytest.mark.parametrize("shorter", ["deadline", "timeout"])
def test_what_takes_longer_than_its_time_is_given_up(model, shorter):
    model.stall()
    if shorter == "timeout":
        model.writer.timeout = 0.1
    with pytest.raises(ModelFailed, match=r"did not answer within 0\.1 s\.$"):
        ask(model, 0.1 if shorter == "deadline" else 20.0)


def test_whoever_waits_may_give_up(model):
    model.stall()

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(model.writer.complete, "", "What changed?", 20.0)
            await model.came()
            nursery.cancel_scope.cancel()

    trio.run(main)
    if isinstance(model, Real):
        assert model.server.cut_off.wait(20), "the connection is still open"
