"""feed: what is sent to the engine is always taken back when it dies."""

from types import SimpleNamespace

import trio
import trio.testing

from lsfs.history.feed import Feed


class Engine:
    """An engine that is gone once `state` says so; nothing may be sent to it then."""

    def __init__(self):
        self.state, self.asked = "ready", []

    async def ask(self, call, arguments):
        assert self.state == "ready"
        self.asked.append(arguments["paths"])
        return {}


def test_what_was_found_in_the_backlog_while_the_engine_died_is_not_in_flight():
    engine = Engine()

    async def main():
        looked = trio.Event()

        async def query(function, *arguments):  # a thread that takes a while: the engine dies meanwhile
            engine.state = "down"
            feed.died()
            looked.set()
            return [(1, b"written.md")]

        feed = Feed(
            SimpleNamespace(backlog=None),
            engine,
            commit=query,
            query=query,
            look=lambda *a: None,
            done=lambda *a: None,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed.run)
            feed.wake()
            await looked.wait()
            await trio.testing.wait_all_tasks_blocked()
            assert not feed.flying and not engine.asked
            nursery.cancel_scope.cancel()

    trio.run(main)
