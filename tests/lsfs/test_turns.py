"""Turns: who has the model next."""

import threading

from lsfs.engine.meaning import Turns

LONG = 3600.0
PATIENCE = 30.0


def begun(turns, kind, order, name):
    """A thread that takes a turn, and says so."""

    def take():
        with kind():
            order.append(name)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return thread


def test_after_a_prompt_no_batch_begins_for_a_while_and_the_next_prompt_does_not_wait_for_one():
    turns, order = Turns(quiet=LONG, least=LONG), []
    with turns.prompt():
        batch = begun(turns, turns.batch, order, "batch")
    for name in ("one", "two"):
        begun(turns, turns.prompt, order, name).join(PATIENCE)
    assert order == ["one", "two"] and batch.is_alive()


def test_a_batch_begins_at_last_however_much_is_asked():
    turns, order = Turns(quiet=LONG, least=0.01), []
    with turns.prompt():
        pass
    begun(turns, turns.batch, order, "batch").join(PATIENCE)
    assert order == ["batch"]


def test_where_nobody_asks_batches_follow_each_other():
    turns, order = Turns(quiet=LONG, least=LONG), []
    for name in ("one", "two"):
        begun(turns, turns.batch, order, name).join(PATIENCE)
    assert order == ["one", "two"]


def test_a_prompt_that_fails_gives_its_turn_back():
    turns, order = Turns(), []
    try:
        with turns.prompt():
            raise ValueError("a text that the model cannot take")
    except ValueError:
        pass
    begun(turns, turns.batch, order, "batch").join(PATIENCE)
    assert order == ["batch"]
