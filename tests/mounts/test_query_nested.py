"""Below a question: the questions that refine it, and its hits in groups, as the kernel would ask for them."""

import errno
import os

import pytest
import trio
from query_fakes import Machine

from mounts import tree
from mounts.nodes import Caller
from syscalls.combine import MOST_STEPS
from syscalls.errors import TryAgain
from syscalls.results import from_json
from syscalls.values import Topic

ME = Caller(os.getuid(), os.getgid(), 0)
OTHER = Caller(4321, 4321, 0)
GROUPINGS = [b"by-folder", b"by-type", b"by-month", b"by-author", b"by-topic"]


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "policies" / "eu").mkdir(parents=True)
    (tmp_path / "faq.md").write_text("refund faq")
    (tmp_path / "policies" / "refund.txt").write_text("a refund needs two signatures")
    (tmp_path / "policies" / "eu" / "x.md").write_text("refund signatures in the eu")
    return Machine(tmp_path)


@pytest.fixture
def root(machine):
    return tree.build(machine.ports())


async def walk(node, *names, caller=ME):
    for name in names:
        node = await node.lookup(name if isinstance(name, bytes) else name.encode(), caller)
        assert node is not None, name
    return node


async def entries(node, caller=ME):
    listing = await node.opendir(caller)
    found = [name.decode("utf-8", "surrogateescape") for name, _ in listing.entries]
    await listing.release()
    return found


async def hits(node, caller=ME):
    return [name for name in await entries(node, caller) if name[:1].isdigit()]


async def read(node, caller=ME):
    return await (await node.open(os.O_RDONLY, caller)).read(0, 1 << 20)


def test_the_second_question_is_asked_within_beside_and_without_the_first(machine, root):
    async def main():
        first = await walk(root, "query", "mode:words refund")
        assert await hits(await walk(first, "and", "signatures")) == ["01-x.md", "02-refund.txt"]
        assert len(await hits(await walk(first, "or", "mode:words eu"))) == 3
        assert await hits(await walk(first, "not", "mode:words signatures")) == ["01-faq.md"]

    trio.run(main)


def test_looking_a_refined_question_up_searches_nothing_and_opening_it_counts_once(machine, root):
    async def main():
        asked = await walk(root, "query", "refund", "and", "eu", "not", "faq")
        assert machine.asked == []
        await entries(asked)
        counted = len(machine.asked)
        await entries(asked)
        await read(await walk(asked, "results.json"))
        assert root.answers.searches == 1 and len(machine.asked) == counted
        machine.touched(b"faq.md")
        await entries(asked)
        assert root.answers.searches == 2

    trio.run(main)


def test_operations_are_found_by_name_and_listed_nowhere(machine, root):
    async def main():
        asked = await walk(root, "query", "refund")
        assert not {"and", "or", "not"} & set(await entries(asked))
        for word in ("and", "or", "not"):
            assert await entries(await walk(asked, word)) == []
        assert await asked.lookup(b"AND", ME) is None and await asked.lookup(b"xor", ME) is None
        assert await (await walk(asked, "and")).lookup(b".hidden", ME) is None

    trio.run(main)


def test_links_lead_to_the_files_from_however_deep(machine, root):
    async def main():
        for place, expected in (
            (("query", "eu", "and", "refund", "01-x.md"), b"../../../../files/policies/eu/x.md"),
            (
                ("query", "eu", "and", "refund", "by-type", "md", "01-x.md"),
                b"../../../../../../files/policies/eu/x.md",
            ),
            (("query", "eu", "by-folder", "policies∕eu", "01-x.md"), b"../../../../files/policies/eu/x.md"),
            (("files", "policies", ".query", "eu", "by-folder", "eu", "01-x.md"), b"../../../../eu/x.md"),
            (("files", "policies", ".query", "eu", "or", "refund", "01-x.md"), b"../../../../eu/x.md"),
            (
                ("query", "eu", "and", "refund in:policies", "eu limit:2", "01-x.md"),
                b"../../../../../files/policies/eu/x.md",
            ),
        ):
            link = await walk(root, *place)
            assert await link.readlink() == expected, place

    trio.run(main)


def test_a_refined_question_says_what_it_is(machine, root):
    async def main():
        asked = await walk(root, "query", "refund", "not", "mode:words eu")
        results = from_json(await read(await walk(asked, "results.json")))
        assert results.prompt.text == "refund AND NOT mode:words eu"
        assert any("demands nothing" in note for note in results.prompt.notes)
        assert (await read(await walk(asked, "passages.md"))).startswith(b"# refund AND NOT mode:words eu\n")

    trio.run(main)


def test_nothing_is_saved_named_or_made_below_a_question(machine, root):
    async def main():
        query = await walk(root, "query")
        asked = await walk(query, "refund")
        refining = await walk(asked, "and")
        for attempt in (
            refining.mkdir(b"eu", 0o755, ME),
            refining.rmdir(b"eu", ME),
            refining.rename(b"a", refining, b"b", 0, ME),
            (await walk(refining, "in:policies")).mkdir(b"eu", 0o755, ME),
            (await walk(asked, "by-type")).mkdir(b"x", 0o755, ME),
            (await walk(asked, "by-type", "md")).unlink(b"01-x.md", ME),
            query.rename(b"refund", asked, b"refund", 0, ME),
        ):
            with pytest.raises(OSError) as caught:
                await attempt
            assert caught.value.errno == errno.EROFS
        assert machine.questions.all() == ()

    trio.run(main)


def test_questions_are_not_refined_without_end(root):
    async def main():
        asked = await walk(root, "query", "a", *("and", "b") * MOST_STEPS)
        assert await asked.lookup(b"and", ME) is None

    trio.run(main)


def test_the_engine_being_down_is_eagain_below_a_question_too(machine, root):
    async def main():
        machine.down = True
        for names in (("and", "eu"), ("by-type",)):
            with pytest.raises(TryAgain):
                await (await walk(root, "query", "refund", *names)).opendir(ME)

    trio.run(main)


def test_every_hit_is_in_one_group_of_each_grouping_under_its_name(machine, root):
    async def main():
        asked = await walk(root, "query", "refund")
        expected = await hits(asked)
        for by in GROUPINGS:
            grouping = await walk(asked, by)
            found = []
            for group in await entries(grouping):
                inside = await entries(await walk(grouping, group))
                for name in inside:
                    assert await walk(grouping, group, name)
                found += inside
            assert sorted(found) == sorted(expected) and found, by
        assert len(machine.asked) == root.answers.searches == 1
        assert await entries(await walk(asked, "by-folder")) == ["∕", "policies∕eu", "policies"]
        assert await entries(await walk(asked, "by-type")) == ["md", "txt"]

    trio.run(main)


def test_a_group_that_is_not_there_is_enoent_and_so_is_what_is_in_another(machine, root):
    async def main():
        by_type = await walk(root, "query", "refund", "by-type")
        assert await by_type.lookup(b"pdf", ME) is None
        assert await (await walk(by_type, "txt")).lookup(b"01-faq.md", ME) is None

    trio.run(main)


def test_groups_show_nobody_what_he_may_not_read(machine, root):
    async def main():
        if os.getuid() != 0:
            pytest.skip("the owner is the other one")
        machine.closed.add(b"policies/refund.txt")
        asked = await walk(root, "query", "refund")
        assert await entries(await walk(asked, "by-type")) == ["md", "txt"]
        assert await entries(await walk(asked, "by-type", caller=OTHER), OTHER) == ["md"]
        refined = await walk(root, "query", "mode:words refund", "and", "signatures")
        assert await hits(refined, OTHER) == ["01-x.md"]

    trio.run(main)


class Model:
    """It tells what is about the eu, takes the first sentence, and counts how often it was asked for either."""

    def __init__(self):
        self.sorted = self.chosen = 0
        self.down = False

    async def topics(self, paths, deadline, sequence=None):
        self.sorted += 1
        if self.down:
            raise TryAgain("The engine is starting again; ask in a moment.")
        return [Topic("eu", (b"policies/eu/x.md",))]

    async def salient(self, question, sentences, most, deadline):
        self.chosen += 1
        if self.down:
            raise TryAgain("The engine is starting again; ask in a moment.")
        return [0]

    async def similar(self, text, texts, deadline):
        return [0.5] * len(texts)


@pytest.fixture
def model():
    return Model()


def test_topics_are_found_when_their_directory_is_opened_and_once(machine, root, model):
    async def main():
        root.ports.insight = model
        asked = await walk(root, "query", "refund")
        await entries(asked)
        await entries(await walk(asked, "by-type"))
        assert model.sorted == 0
        for _ in range(2):
            assert await entries(await walk(asked, "by-topic")) == ["other", "eu"]
            assert await entries(await walk(asked, "by-topic", "eu")) == ["02-x.md"]
        assert model.sorted == 1

    trio.run(main)


def test_walking_over_a_saved_question_finds_its_topics_where_they_are_kept(machine, root, model):
    async def main():
        root.ports.insight = model
        await (await walk(root, "query")).mkdir(b"refund", 0o755, ME)
        assert model.sorted == 1
        again = tree.build(machine.ports())
        again.ports.insight = model
        for mount in (root, again):
            machine.touched(b"faq.md")
            assert await entries(await walk(mount, "query", "refund", "by-topic")) == ["other", "eu"]
            assert await entries(await walk(mount, "query", "refund", "by-topic", "eu")) == ["02-x.md"]
        assert model.sorted == len(machine.asked) == 1 and again.answers.searches == 0

    trio.run(main)


@pytest.mark.parametrize("saved", [False, True])
def test_no_topic_is_named_by_words_of_what_may_not_be_read_any_more(machine, root, saved):
    class Telling(Model):
        async def topics(self, paths, deadline, sequence=None):
            return [Topic("secret" if b"policies/eu/x.md" in paths else "public", tuple(paths))]

    async def main():
        root.ports.insight = Telling()
        if saved:
            await (await walk(root, "query")).mkdir(b"refund", 0o755, ME)
        asked = await walk(root, "query", "refund")
        topics = await walk(asked, "by-topic", caller=OTHER)
        assert await entries(topics, OTHER) == ["secret"]
        machine.closed.add(b"policies/eu/x.md")  # and the generation has not moved yet
        assert "secret" not in await entries(topics, OTHER)
        machine.closed |= {b"policies/refund.txt", b"faq.md"}
        assert await entries(topics, OTHER) == [] and await topics.lookup(b"secret", OTHER) is None

    trio.run(main)


def test_an_engine_that_is_down_leaves_topics_to_the_words(machine, root, model):
    async def main():
        root.ports.insight = model
        model.down = True
        asked = await walk(root, "query", "refund")
        assert await entries(await walk(asked, "by-topic"))
        model.down = False
        assert await entries(await walk(asked, "by-topic")) == ["other", "eu"]

    trio.run(main)


def test_a_saved_question_is_renamed_to_a_short_name(machine, root):
    async def main():
        query = await walk(root, "query")
        await query.mkdir(b"what is refunded", 0o755, ME)
        node = await walk(query, "what is refunded")
        await query.rename(b"what is refunded", query, b"refunds", 0, ME)
        assert await entries(query) == ["refunds"] and await walk(query, "refunds") is node
        assert (await walk(query, "refunds")).above == "what is refunded"
        await query.rename(b"refunds", query, b"back", 0, ME)
        assert await entries(query) == ["back"]
        again = tree.build(machine.ports())
        assert (await walk(again, "query", "back")).above == "what is refunded"
        for name in (b"back", b"what is refunded"):
            with pytest.raises(FileExistsError):
                await query.mkdir(name, 0o755, ME)
        await query.rmdir(b"back", ME)
        assert await entries(query) == [] and machine.questions.names(b"") == {}
        assert (await walk(query, "back")).above == "back"

    trio.run(main)


def test_what_cannot_be_renamed_says_why(machine, root):
    async def main():
        query = await walk(root, "query")
        for name in (b"one", b"two"):
            await query.mkdir(name, 0o755, ME)
        for old, new, code in (
            (b"never saved", b"x", errno.ENOENT),
            (b"one", b"two", errno.EEXIST),
            (b"one", b".hidden", errno.EPERM),
            (b"one", b"Thumbs.db", errno.EPERM),
        ):
            with pytest.raises(OSError) as caught:
                await query.rename(old, query, new, 0, ME)
            assert caught.value.errno == code, old
        with pytest.raises(OSError) as caught:
            await query.rename(b"one", query, b"two", 2, ME)
        assert caught.value.errno == errno.EROFS, "an exchange"
        with pytest.raises(PermissionError):
            await query.rename(b"one", query, b"x", 0, OTHER)
        read_only = await walk(tree.build(machine.ports(read_only=True)), "query")
        with pytest.raises(OSError) as caught:
            await read_only.rename(b"one", read_only, b"x", 0, ME)
        assert caught.value.errno == errno.EROFS

    trio.run(main)
