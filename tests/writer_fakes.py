"""A language model in memory: the port `syscalls.ports.Writer`; tests/contract holds it to what the real one promises."""

import trio

from syscalls.errors import ModelFailed


class Scribe:
    """Answers `reply`, never answers when that is None, fails with it when it is an exception; what it was told is in `told`."""

    def __init__(self, reply="A sentence.", name="tiny", timeout=30.0):
        self.reply, self.name, self.timeout = reply, name, timeout
        self.told = []

    async def complete(self, system, text, deadline):
        self.told.append((system, text))
        seconds = min(deadline, self.timeout)
        with trio.move_on_after(seconds):
            await (trio.lowlevel.checkpoint() if self.reply is not None else trio.sleep_forever())
            if isinstance(self.reply, Exception):
                raise self.reply
            answer = "".join(
                letter for letter in self.reply if letter in "\n\t" or letter.isprintable()
            ).strip()
            if not answer:
                raise ModelFailed("The model answers with an empty text.")
            return answer[:4000]
        raise ModelFailed(f"The model did not answer within {seconds:g} s.")
