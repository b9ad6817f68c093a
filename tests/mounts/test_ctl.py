"""/ctl: a conversation on one descriptor."""

import errno
import os

import pytest
import trio
from query_fakes import Machine

from mounts import ctl as ctl_module
from mounts import tree
from mounts.ctl import Ctl
from mounts.nodes import AttributeChanges, Caller
from syscalls.errors import TryAgain

ME = Caller(os.getuid(), os.getgid())


@pytest.fixture
def ctl(tmp_path):
    return tree.build(Machine(tmp_path).ports()).children[b"ctl"]


async def ask(handle, line):
    assert await handle.write(0, line) == len(line)
    return await handle.read(0, 65536)


def test_before_the_first_line_it_lists_the_commands(ctl):
    async def main():
        handle = await ctl.open(os.O_RDONLY, ME)
        said = await handle.read(0, 65536)
        assert b"query PROMPT" in said and b"rebuild" in said
        assert await handle.read(len(said), 65536) == b"", "and then it ends, so that cat and grep do"

    trio.run(main)


def test_a_reply_is_read_from_its_start_whatever_the_offset(ctl):
    async def main():
        handle = await ctl.open(os.O_RDWR, ME)
        assert handle.direct_io and handle.nonseekable
        assert await ask(handle, b"query refunds\n") == b"/query/refunds\n"
        await handle.write(0, b"query other\n")
        assert await handle.read(12, 7) + await handle.read(19, 99) == b"/query/other\n"

    trio.run(main)


def test_a_reply_has_the_bytes_of_names_and_contents_whatever_they_are(tmp_path):
    ports = Machine(tmp_path).ports()

    async def control(line, viewer):
        return "caf\udce9 \ud800 \udfff"

    ports.control = control

    async def main():
        handle = await Ctl(ports).open(os.O_RDWR, ME)
        assert await ask(handle, b"log x\n") == b"caf\xe9 \xef\xbf\xbd \xef\xbf\xbd\n"

    trio.run(main)


def test_two_conversations_do_not_hear_each_other(ctl):
    async def main():
        one, two = await ctl.open(os.O_RDWR, ME), await ctl.open(os.O_RDWR, ME)
        await one.write(0, b"query one")
        await two.write(0, b"query two")
        assert await one.read(0, 99) == b"/query/one\n" and await two.read(0, 99) == b"/query/two\n"

    trio.run(main)


def test_an_error_is_raised_at_write_and_its_sentence_can_be_read(ctl):
    async def main():
        handle = await ctl.open(os.O_RDWR, ME)
        with pytest.raises(OSError, match="Invalid argument"):
            await handle.write(0, b"bogus\n")
        assert (await handle.read(0, 999)).startswith(b"There is no command 'bogus'")
        assert await ask(handle, b"query again") == b"/query/again\n"
        with pytest.raises(OSError) as caught:
            await handle.write(0, b"query " + b"x" * 70_000)
        assert caught.value.errno == errno.E2BIG

    trio.run(main)


def test_a_shell_may_truncate_it_and_nobody_may_change_its_mode(ctl):
    async def main():
        assert (await ctl.setattr(AttributeChanges(size=0), None, ME)).st_size == 0
        with pytest.raises(OSError, match="not permitted"):
            await ctl.setattr(AttributeChanges(mode=0o600), None, ME)

    trio.run(main)


def test_a_line_that_takes_too_long_is_eagain_and_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(ctl_module, "PATIENCE", 0.01)

    async def main():
        ports = Machine(tmp_path).ports()
        ports.control = lambda line, viewer: trio.sleep_forever()
        handle = await Ctl(ports).open(os.O_RDWR, ME)
        with pytest.raises(TryAgain):
            await handle.write(0, b"scan\n")
        assert b"takes longer than" in await handle.read(0, 999)

    trio.run(main)
