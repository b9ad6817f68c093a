"""summary.md of a directory of hits: listing makes none, opening makes it once, a saved question has it beside its answer."""

import os
from dataclasses import replace

import pytest
import trio
from insight_fakes import Thinker
from query_fakes import Machine

from mounts import tree
from mounts.nodes import Caller

ME = Caller(os.getuid(), os.getgid(), 0)
OTHER = Caller(4321, 4321, 0)


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "faq.md").write_text("Refunds are answered in the faq. They take a week.")
    (tmp_path / "plan.md").write_text("A refund above 500 needs two signatures.")
    return Machine(tmp_path)


@pytest.fixture
def insight():
    return Thinker()


@pytest.fixture
def root(machine, insight):
    return tree.build(replace(machine.ports(), insight=insight))


async def walk(node, *names, caller=ME):
    for name in names:
        node = await node.lookup(name.encode(), caller)
        assert node is not None, name
    return node


async def read(node, caller=ME):
    handle = await node.open(os.O_RDONLY, caller)
    data = await handle.read(0, 1 << 20)
    await handle.release()
    return bytes(data), handle.direct_io


async def listed(node, caller=ME):
    listing = await node.opendir(caller)
    found = dict(listing.entries)
    await listing.release()
    return found


def test_listing_makes_no_summary_and_opening_makes_it_once(root, insight):
    async def main():
        asked = await walk(root, "query", "refund")
        found = await listed(asked)
        assert (await found[b"summary.md"].getattr()).st_size == 0 and insight.asked == []
        text, direct_io = await read(found[b"summary.md"])
        assert (
            direct_io and "- A refund above 500 needs two signatures. \u2014 files/plan.md:1" in text.decode()
        )
        count = len(insight.asked)
        again = await walk(asked, "summary.md")
        assert (await again.getattr()).st_size == len(text)  # it is known now
        assert (await read(again))[0] == text and len(insight.asked) == count > 0

    trio.run(main)


def test_opening_it_first_asks_the_question_once(root, machine):
    async def main():
        text, _ = await read(await walk(root, "query", "refund", "summary.md"))
        assert text.startswith(b"# refund\n") and len(machine.asked) == 1

    trio.run(main)


def test_a_saved_question_has_its_summary_and_looking_asks_no_model(root, machine, insight):
    async def main():
        query = await walk(root, "query")
        await query.mkdir(b"refund", 0o755, ME)
        count = len(insight.asked)
        assert count > 0
        saved = await walk(query, "refund")
        found = await listed(saved)
        text, direct_io = await read(found[b"summary.md"])
        assert not direct_io and (await found[b"summary.md"].getattr()).st_size == len(text) > 0
        machine.touched(b"plan.md")
        assert (await read(await walk(saved, "summary.md")))[0] == text
        assert len(insight.asked) == count and root.answers.searches == 0
        await root.answers.refresh()
        assert len(insight.asked) > count

    trio.run(main)


def test_the_summary_of_a_saved_question_outlives_the_mount(root, machine, insight):
    async def main():
        query = await walk(root, "query")
        await query.mkdir(b"refund", 0o755, ME)
        text, _ = await read(await walk(query, "refund", "summary.md"))
        count = len(insight.asked)
        again = tree.build(replace(machine.ports(), insight=insight))
        assert (await read(await walk(again, "query", "refund", "summary.md")))[0] == text
        assert len(insight.asked) == count and again.answers.searches == 0

    trio.run(main)


def test_a_saved_question_without_a_summary_yet_is_summed_up_by_words(root, machine, insight):
    async def main():
        query = await walk(root, "query")
        await query.mkdir(b"refund", 0o755, ME)
        machine.closed.add(b"faq.md")  # what was made of it is not shown any more
        root.answers._owner = None
        saved = await walk(query, "refund", caller=OTHER)
        count = len(insight.asked)
        kept = root.answers.kept((b"", "refund"), root.ports.viewer(ME))
        root.answers._keep(((b"", "refund"), root.ports.viewer(OTHER)), kept)
        text, direct_io = await read(await walk(saved, "summary.md", caller=OTHER), OTHER)
        assert direct_io and b"faq.md" not in text and b"plan.md:1" in text and b"by their words" in text
        assert len(insight.asked) == count

    trio.run(main)


def test_nothing_found_and_no_model_are_told(machine):
    async def main():
        bare = tree.build(machine.ports())
        assert b"Nothing found." in (await read(await walk(bare, "query", "zebra", "summary.md")))[0]
        assert b"by their words" in (await read(await walk(bare, "query", "refund", "summary.md")))[0]

    trio.run(main)
