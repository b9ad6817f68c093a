"""One line of a typed call, said to a fake of its ports: what the tests of such calls share."""

import types

import trio
from folder_fakes import FakeFolder

from syscalls.arguments import given
from syscalls.table import CALLS
from syscalls.values import Viewer

ME = Viewer(500, 500)
ROOT = Viewer(0, 0)


class Says:
    """A folder, and whoever says a line about it."""

    def __init__(self, top, ask=None, locks=None):
        self.top = top
        self.folder = FakeFolder(top)
        self.ask, self.locks = ask, locks

    def __call__(self, line, viewer=ME):
        word, _, text = line.partition(" ")
        call = next(call for call in CALLS if call.word == word)
        module = __import__(call.module, fromlist=["reply"])
        command = types.SimpleNamespace(
            viewer=viewer, text=text, given=given(call, text), folder=self.folder, history=None, ask=self.ask, locks=self.locks,
            owner=0,
        )  # fmt: skip
        return trio.run(module.reply, command)
