"""/query as the kernel would ask it: what is a question, what searches, what is kept, who sees what."""

import errno
import os
import pathlib
import stat
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
import trio
import trio.testing
from query_fakes import Machine

from mounts import answers as answers_module
from mounts import mkdir, tree
from mounts.nodes import Caller
from syscalls.confidence import LOW, confidence
from syscalls.errors import TryAgain
from syscalls.results import from_json

ME = Caller(os.getuid(), os.getgid(), 0)
OTHER = Caller(4321, 4321, 0)
REST = [
    "passages.md",
    "results.json",
    "why.tsv",
    "summary.md",
    "by-folder",
    "by-type",
    "by-month",
    "by-author",
    "by-topic",
]


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "policies" / "eu").mkdir(parents=True)
    (tmp_path / "faq.md").write_text("refund faq")
    (tmp_path / "policies" / "refund.md").write_text("a refund needs two signatures")
    (tmp_path / "policies" / "eu" / "x.md").write_text("refund signatures in the eu")
    return Machine(tmp_path)


@pytest.fixture
def root(machine):
    return tree.build(machine.ports())


def run(function):
    """Run an async test in the loop it would run in."""
    return trio.run(function)


async def walk(node, *names, caller=ME):
    for name in names:
        node = await node.lookup(name if isinstance(name, bytes) else name.encode(), caller)
        assert node is not None, name
    return node


async def names(node, caller=ME):
    listing = await node.opendir(caller)
    found = [name.decode("utf-8", "surrogateescape") for name, _ in listing.entries]
    await listing.release()
    return found


async def read(node, caller=ME):
    handle = await node.open(os.O_RDONLY, caller)
    content = await handle.read(0, 1 << 20)
    await handle.release()
    return content, handle


def test_looking_a_question_up_searches_nothing_and_opening_it_searches_once(machine, root):
    async def main():
        asked = await walk(root, "query", "refund signatures")
        assert stat.S_ISDIR((await asked.getattr()).st_mode)
        await asked.lookup(b"summary.txt", ME)
        await asked.lookup(b"passages.md", ME)
        assert machine.asked == []
        assert await names(asked) == ["01-x.md", "02-refund.md", "03-faq.md", *REST]
        await names(asked)
        await read(await walk(asked, "results.json"))
        assert len(machine.asked) == root.answers.searches == 1

    run(main)


@pytest.mark.parametrize("name", [b".git", b".hidden", b"Thumbs.db", b"desktop.ini", b"autorun.inf"])
def test_dotted_names_and_probes_are_not_prompts(machine, root, name):
    async def main():
        query = await walk(root, "query")
        assert await query.lookup(name, ME) is None
        with pytest.raises(OSError, match="not permitted"):
            await query.mkdir(name, 0o755, ME)
        assert machine.asked == []

    run(main)


def test_links_lead_to_the_files_from_wherever_they_are(machine, root):
    async def main():
        for place, expected in (
            (("query", "eu"), b"../../files/policies/eu/x.md"),
            (("query", "eu in:policies", " limit:5"), b"../../../files/policies/eu/x.md"),
            (("files", "policies", ".query", "eu"), b"../../eu/x.md"),
            (("files", ".query", "eu"), b"../../policies/eu/x.md"),
        ):
            link = await walk(root, *place, "01-x.md")
            assert await link.readlink() == expected
            assert (await link.getattr()).st_size == len(expected)

    run(main)


def test_a_slash_after_in_belongs_to_the_prompt(machine, root):
    async def main():
        asked = await walk(root, "query", "refund in:policies", "eu limit:9")
        assert await names(asked) == ["01-x.md", *REST]
        assert machine.asked[-1][0] == "refund in:policies/eu limit:9"
        assert await (await walk(root, "query", "refund")).lookup(b"eu limit:9", ME) is None

    run(main)


def test_a_name_that_the_folder_after_like_has_is_that_file(machine, root, tmp_path):
    for name in ("01-x.md", "02-secret.md", "why.tsv", "or"):
        (tmp_path / "policies" / name).write_text("a refund")
    machine.closed.add(b"policies/02-secret.md")

    async def main():
        for name in ("01-x.md", "why.tsv", "or", "01-x.md refund in:policies"):
            asked = await walk(root, "query", "refund like:policies", name)
            assert asked.above == f"refund like:policies/{name}" and machine.asked == []
            asked = await walk(root, "files", "policies", ".query", "like:eu", "x.md")
            assert asked.above == "like:eu/x.md"
        asked = await walk(root, "query", "refund like:policies/01-x.md".replace("/", "∕"))
        assert await (await walk(asked, "01-faq.md")).readlink() == b"../../files/faq.md"
        led = await root.ports.follow(b"query/refund like:policies/01-x.md/01-faq.md", root.ports.viewer(ME))
        assert led == b"faq.md"
        # neither what may not be read nor what is not there is such a name
        for name in ("02-secret.md", "02-gone.md"):
            assert (
                await walk(root, "query", "like:policies", name, caller=OTHER)
            ).above == f"like:policies/{name}"
        assert [text for text, _, uid in machine.asked if uid == OTHER.uid] == ["like:policies"]

    run(main)


class Comparing(Machine):
    """A machine whose answers were compared with a file, as long as the viewer may read it."""

    async def ask(self, text, folder, viewer, sequence=None, **how):
        results = await super().ask(text, folder, viewer, sequence, **how)
        may = self.readable(b"policies/refund.md", viewer)
        return replace(
            results, like=(b"policies/refund.md",) if may else (), hits=results.hits if may else ()
        )


@pytest.mark.parametrize("saved", [False, True])
def test_what_was_compared_with_a_file_is_served_while_that_may_be_read(tmp_path, machine, saved):
    machine = Comparing(tmp_path)
    root = tree.build(machine.ports())

    async def main():
        if saved:
            await (await walk(root, "query")).mkdir(b"refund", 0o755, ME)
        asked = await walk(root, "query", "refund")
        assert len(await names(asked, OTHER)) == len(REST) + 3
        machine.closed.add(b"policies/refund.md")  # and nobody says that anything changed
        assert await names(asked, OTHER) == REST
        assert machine.asked[-1][2] == OTHER.uid
        before = len(machine.asked)
        assert await names(asked, OTHER) == REST and len(machine.asked) == before

    run(main)


def test_a_document_is_exact_at_stat_once_there_is_an_answer(machine, root):
    async def main():
        asked = await walk(root, "query", "refund")
        unknown = await walk(asked, "results.json")
        assert (await unknown.getattr()).st_size == 0
        content, handle = await read(unknown)
        assert handle.direct_io and from_json(content).sequence == 1
        known = await walk(asked, "results.json")
        content, handle = await read(known)
        assert (await known.getattr()).st_size == len(content) and not handle.direct_io

    run(main)


def test_why_is_a_document_of_the_answer_that_is_there_wherever_it_was_asked(machine, root):
    async def main():
        for place in (
            ("query", "refund"),
            ("files", "policies", ".query", "refund"),
            ("query", "refund", "and", "eu"),
        ):
            asked = await walk(root, *place)
            shown = await names(asked)
            before = len(machine.asked)
            document = await walk(asked, "why.tsv")
            content, handle = await read(document)
            assert (await document.getattr()).st_size == len(content) and handle.keep_cache
            header, *rows = content.decode().splitlines()
            assert header.split("\t")[:3] == ["rank", "file", "score"]
            assert len(rows) == len([name for name in shown if name[0].isdigit()]) > 0
            assert "files/policies/eu/x.md" in content.decode() and len(machine.asked) == before

    run(main)


def test_what_a_saved_answer_is_made_of_is_the_same_after_a_remount(machine, root):
    async def main():
        ask = machine.ask

        async def sure(*arguments, **how):
            found = await ask(*arguments, **how)
            return replace(found, signals=("words", "path"), confidence=0.75)

        root.ports.ask = sure
        await (await walk(root, "query")).mkdir(b"refund", 0o755, ME)
        first = [
            (await read(await walk(root, "query", "refund", name)))[0] for name in ("why.tsv", "results.json")
        ]
        again = tree.build(machine.ports())
        found = [
            (await read(await walk(again, "query", "refund", name)))[0]
            for name in ("why.tsv", "results.json")
        ]
        assert found == first and b'"confidence": 0.75' in found[1] and again.answers.searches == 0

    run(main)


def test_what_is_left_of_a_kept_answer_is_as_sure_as_it_is(machine, root):
    async def main():
        ask = machine.ask

        async def sure(*arguments, **how):
            found = await ask(*arguments, **how)
            hits = tuple(
                replace(hit, parts={"words": 0.9 if hit.path == b"policies/refund.md" else 0.05})
                for hit in found.hits
            )
            return replace(found, hits=hits, signals=("words",), confidence=confidence(hits, ("words",)))

        root.ports.ask = sure
        asked = await walk(root, "query", "refund")
        before = from_json((await read(await walk(asked, "results.json", caller=OTHER), OTHER))[0])
        machine.closed.add(b"policies/refund.md")
        after = from_json((await read(await walk(asked, "results.json", caller=OTHER), OTHER))[0])
        assert after.confidence < LOW < before.confidence and len(machine.asked) == 1
        passages, _ = await read(await walk(asked, "passages.md", caller=OTHER), OTHER)
        assert b"Probably nothing here answers" in passages

    run(main)


def test_a_change_makes_an_answer_old_but_not_the_names_it_listed(machine, root, tmp_path):
    async def main():
        asked = await walk(root, "query", "refund")
        assert "03-refund.md" in await names(asked)
        (tmp_path / "a-new.md").write_text("refund refund")
        machine.touched(b"a-new.md")
        assert await (await walk(asked, "03-refund.md")).readlink() == b"../../files/policies/refund.md"
        assert len(machine.asked) == 1
        assert "01-a-new.md" in await names(asked)
        assert len(machine.asked) == 2

    run(main)


def test_an_open_directory_stays_the_same(machine, root, tmp_path):
    async def main():
        asked = await walk(root, "query", "refund")
        listing = await asked.opendir(ME)
        before = list(listing.entries)
        machine.touched(b"faq.md")
        await listing.rewind()
        assert listing.entries == before
        document = await walk(asked, "passages.md")
        assert (await document.getattr()).st_size > 0, (
            "the document of the open directory, searched no second time"
        )
        await listing.release()
        assert len(machine.asked) == 1
        assert (await (await walk(asked, "passages.md")).getattr()).st_size == 0

    run(main)


def test_an_answer_without_the_model_is_not_kept(machine, root):
    async def main():
        machine.meaning = "loading"
        asked = await walk(root, "query", "refund")
        await names(asked)
        machine.meaning = "used"
        content, _ = await read(await walk(asked, "results.json"))
        assert from_json(content).meaning == "used"

    run(main)


def test_those_who_ask_the_same_at_once_wait_for_one_search(machine, root):
    async def main():
        gate, ask = trio.Event(), machine.ask

        async def slow(*arguments):
            results = await ask(*arguments)
            await gate.wait()
            return results

        root.ports.ask = slow
        asked = await walk(root, "query", "refund")
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(names, asked)
            await trio.testing.wait_all_tasks_blocked()
            gate.set()
        assert len(machine.asked) == 1

    run(main)


def test_viewers_share_no_answer(machine, root):
    async def main():
        machine.closed.add(b"policies/refund.md")
        asked = await walk(root, "query", "refund signatures")
        mine = await walk(asked, "passages.md")
        shown = await names(asked)
        seen = await names(asked, OTHER)
        assert len(machine.asked) == 2
        document = await walk(asked, "passages.md", caller=OTHER)
        assert document is not mine
        if os.getuid() == 0:
            assert "02-refund.md" in shown and "02-refund.md" not in seen
            assert b"policies/refund.md" not in (await read(document, OTHER))[0]

    run(main)


def test_what_was_kept_is_checked_again_when_it_is_served(machine, root):
    async def main():
        asked = await walk(root, "query", "refund")
        assert "03-refund.md" in await names(asked, OTHER)
        machine.closed.add(b"policies/refund.md")
        assert [name for name in await names(asked, OTHER) if "refund.md" in name] == []
        assert await asked.lookup(b"03-refund.md", OTHER) is None
        content, _ = await read(await walk(asked, "results.json", caller=OTHER), OTHER)
        assert b"two signatures" not in content

    run(main)


def test_what_was_purged_is_shown_by_no_open_directory(machine, root):
    async def main():
        asked = await walk(root, "query", "refund")
        listing = await asked.opendir(ME)
        document = await walk(asked, "passages.md")
        summary = await walk(asked, "summary.md")
        assert (
            b"two signatures" in (await read(document))[0] and b"two signatures" in (await read(summary))[0]
        )
        (pathlib.Path(os.fsdecode(machine.folder)) / "policies" / "refund.md").unlink()
        root.answers.forget()
        for node in (document, summary):  # known to somebody from before
            assert b"two signatures" not in (await read(node))[0]
        for name in ("passages.md", "results.json", "why.tsv", "summary.md"):
            assert b"two signatures" not in (await read(await walk(asked, name)))[0]
        assert "01-faq.md" in await names(asked)
        await listing.release()

    run(main)


def test_what_was_found_before_a_purge_is_asked_for_again(machine, root):
    ask = machine.ask

    async def purged_meanwhile(*arguments, **how):
        results = await ask(*arguments, **how)
        if len(machine.asked) == 1:
            root.answers.forget()
        return results

    async def main():
        root.ports.ask = purged_meanwhile
        assert "03-refund.md" in await names(await walk(root, "query", "refund"))
        assert len(machine.asked) == 2

    run(main)


def test_many_hits_are_checked_without_holding_up_the_others(machine, root):
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async def main():
        for number in range(1000):
            (pathlib.Path(os.fsdecode(machine.folder)) / f"refund{number}.md").touch()
        asked = await walk(root, "query", "refund limit:all")
        assert len(await names(asked)) == 1003 + len(REST)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(others)
            before = turns
            assert await root.answers.served(asked.question, root.ports.viewer(ME))
            assert turns - before >= 4
            nursery.cancel_scope.cancel()

    run(main)


def test_saving_lists_a_question_until_it_is_forgotten(machine, root):
    async def main():
        query = await walk(root, "query")
        assert await names(query) == []
        await query.mkdir("a∕b refund".encode(), 0o755, ME)
        assert await names(query) == ["a∕b refund"]
        with pytest.raises(FileExistsError):
            await query.mkdir(b"a%2Fb refund", 0o755, ME)
        await query.rmdir(b"a%2Fb refund", ME)
        assert await names(query) == []
        with pytest.raises(FileNotFoundError):
            await query.rmdir(b"a%2Fb refund", ME)
        assert machine.notes == []

    run(main)


def test_questions_below_a_folder_are_saved_there(machine, root):
    async def main():
        inner = await walk(root, "files", "policies", ".query")
        await inner.mkdir(b"refund", 0o755, ME)
        assert await names(inner) == ["refund"] and await names(await walk(root, "query")) == []
        assert machine.questions.all() == ((b"policies", "refund"),)

    run(main)


def test_walking_over_saved_questions_searches_nothing(machine, root):
    async def main():
        query = await walk(root, "query")
        await query.mkdir(b"refund", 0o755, ME)
        saved = await walk(query, "refund")
        await names(saved)
        machine.touched(b"faq.md")
        for _ in range(3):
            await names(saved)
            await read(await walk(saved, "results.json"))
        assert root.answers.searches == 0 and len(machine.asked) == 1  # saving asked it
        assert await root.answers.refresh() == 1
        assert await root.answers.refresh() == 0
        content, _ = await read(await walk(saved, "results.json"))
        assert from_json(content).sequence == machine.generation
        assert root.answers.searches == 0, "a refresh is no search of a user"

    run(main)


def test_the_owners_answer_to_a_saved_question_outlives_the_mount(machine, root):
    async def main():
        await (await walk(root, "query")).mkdir(b"refund", 0o755, ME)
        before = await names(await walk(root, "query", "refund"))
        again = tree.build(machine.ports())
        machine.down = True
        assert await names(await walk(again, "query", "refund")) == before
        assert again.answers.searches == 0 and await again.answers.refresh() == 0
        machine.down = False
        assert await again.answers.refresh() == 1

    run(main)


def test_a_question_while_the_engine_is_down_is_eagain(machine, root):
    async def main():
        machine.down = True
        asked = await walk(root, "query", "refund")
        with pytest.raises(TryAgain):
            await asked.opendir(ME)
        with pytest.raises(TryAgain):
            await read(await walk(asked, "passages.md"))
        machine.down = False
        assert "01-faq.md" in await names(asked)

    run(main)


def test_a_prompt_that_fits_no_name_is_found_by_its_digest(machine, root):
    async def main():
        prompt = "refund " + "x" * 300
        name = machine.names.name(prompt)
        query = await walk(root, "query")
        assert "01-faq.md" in await names(await walk(query, name))
        await query.mkdir(name, 0o755, ME)
        assert await names(query) == [name.decode()]
        again = tree.build(machine.ports())
        again.ports.names = type(machine.names)()
        assert await walk(again, "query", name), "a saved one is known after a remount"
        with pytest.raises(FileNotFoundError):
            await query.lookup(b"@0123456789abcdef", ME)

    run(main)


def test_a_name_is_one_node_for_as_long_as_it_is_known(root):
    async def main():
        asked = await walk(root, "query", "refund")
        assert await walk(root, "query", "refund") is asked
        assert asked.entry_timeout == 0
        link = await walk(asked, "01-faq.md")
        assert await walk(asked, "01-faq.md") is link

    run(main)


def test_nothing_below_a_question_can_be_written(root):
    async def main():
        asked = await walk(root, "query", "refund")
        document = await walk(asked, "passages.md")
        for attempt in (
            asked.mkdir(b"x", 0o755, ME),
            asked.rmdir(b"x", ME),
            asked.unlink(b"01-faq.md", ME),
            asked.create(b"x", 0o644, os.O_WRONLY, ME),
            document.open(os.O_WRONLY, ME),
        ):
            with pytest.raises(OSError) as caught:
                await attempt
            assert caught.value.errno == errno.EROFS

    run(main)


def test_long_and_strange_names_of_hits_fit_a_name(machine, root, tmp_path):
    async def main():
        for name in (
            b"refund-" + b"\xff" * 240 + b".md",
            ("refund-" + "é" * 124).encode(),
            b"refund." + b"s" * 240,
        ):
            with open(os.path.join(os.fsencode(tmp_path), name), "w") as stream:
                stream.write("refund")
        listing = await (await walk(root, "query", "refund limit:1000")).opendir(ME)
        found = [name for name, _ in listing.entries]
        assert max(map(len, found)) <= 255 and len(set(found)) == len(found) == 6 + len(REST)
        assert sum(name.endswith(b"\xff.md") for name in found) == 1
        for name in found:
            assert name.count(b"\xc3") == name.count(b"\xa9"), "no character is cut in half"

    run(main)


def test_what_is_kept_is_bounded_and_saved_questions_go_last(machine, root, monkeypatch):
    monkeypatch.setattr(answers_module, "MOST_ANSWERS", 4)

    async def main():
        query = await walk(root, "query")
        await query.mkdir(b"refund", 0o755, ME)
        for name in ("refund", *map(str, range(9))):
            await names(await walk(query, name))
        viewer = root.ports.viewer(ME)
        assert root.answers.kept((b"", "refund"), viewer) and root.answers.kept((b"", "8"), viewer)
        assert root.answers.kept((b"", "1"), viewer) is None

    run(main)


def test_a_read_only_mount_saves_nothing(machine):
    async def main():
        root = tree.build(machine.ports(read_only=True))
        with pytest.raises(OSError) as caught:
            await (await walk(root, "query")).mkdir(b"refund", 0o755, ME)
        assert caught.value.errno == errno.EROFS

    run(main)


def test_a_thread_that_is_not_making_a_directory_is_not():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert not trio.run(mkdir.is_making, child.pid, b"x")
        assert not trio.run(mkdir.is_making, 2**22 + 1, b"x"), "nor one that is gone"
    finally:
        child.communicate(b"\n")


@pytest.fixture
def in_mkdir(monkeypatch):
    """This process passes for one that is inside mkdir(2), by the number of the call."""
    monkeypatch.setattr(
        mkdir, "_numbers", {int(pathlib.Path("/proc/self/syscall").read_text().split()[0]): 0}
    )


def test_memory_that_does_not_answer_keeps_nobody_waiting(in_mkdir, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(mkdir, "_PATIENCE", 0.02)
    monkeypatch.setattr(mkdir, "_last_component", lambda tid, address: gate.wait(10) and None)
    try:
        with_loop = trio.run(mkdir.is_making, os.getpid(), b"x")
    finally:
        gate.set()
    assert with_loop, "the name is taken for the last one"


def test_the_memory_of_others_is_not_read(in_mkdir, monkeypatch):
    monkeypatch.setattr(mkdir, "_is_ours", lambda tid: False)
    monkeypatch.setattr(mkdir, "_last_component", lambda tid, address: pytest.fail("it was read"))
    assert trio.run(mkdir.is_making, os.getpid(), b"x")


def test_saved_questions_are_listed_to_their_owner_only(root):
    async def main():
        query = await walk(root, "query")
        await query.mkdir(b"who is to be dismissed", 0o755, ME)
        assert await names(query) == ["who is to be dismissed"] and await names(query, OTHER) == []

    run(main)


def test_a_forgotten_question_is_another_directory_when_it_is_asked_again(root):
    async def main():
        query = await walk(root, "query")
        await query.mkdir(b"refund", 0o755, ME)
        before = await walk(query, "refund")
        await query.rmdir(b"refund", ME)
        assert await walk(query, "refund") is not before

    run(main)


def test_every_open_directory_keeps_its_names(machine, root):
    async def main():
        asked = await walk(root, "query", "refund signatures limit:9")
        first = await asked.opendir(ME)
        os.unlink(machine.folder + b"/faq.md")
        os.rename(machine.folder + b"/policies/eu/x.md", machine.folder + b"/policies/eu/y.md")
        machine.touched(b"")
        second = await asked.opendir(ME)
        link = await walk(asked, "02-refund.md")
        assert b"01-x.md" in dict(first.entries) and b"01-x.md" not in dict(second.entries)
        machine.readable = root.ports.readable = lambda path, viewer: True
        searches = len(machine.asked)
        assert await walk(asked, "01-x.md") and await walk(asked, "03-faq.md") and link
        assert len(machine.asked) == searches
        await first.release()
        await second.release()

    run(main)


def test_those_who_wait_for_a_search_that_fails_fail_with_it(machine, root):
    async def main():
        gate, asked_for = trio.Event(), []

        async def failing(*arguments):
            asked_for.append(arguments)
            await gate.wait()
            raise TryAgain("The engine is starting again; ask in a moment.")

        root.ports.ask = failing
        asked, failed = await walk(root, "query", "refund"), []

        async def look():
            with pytest.raises(TryAgain):
                await asked.opendir(ME)
            failed.append(True)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(look)
            await trio.testing.wait_all_tasks_blocked()
            gate.set()
        assert len(failed) == 3 and len(asked_for) == 1

    run(main)


def test_too_many_questions_at_once_are_refused_not_queued(machine, root):
    async def main():
        gate, ask = trio.Event(), machine.ask

        async def slow(*arguments):
            await gate.wait()
            return await ask(*arguments)

        root.ports.ask = slow
        async with trio.open_nursery() as nursery:
            for number in range(answers_module.MOST_AT_ONCE):
                nursery.start_soon(names, await walk(root, "query", f"refund {number % 3}"))
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(TryAgain):
                await (await walk(root, "query", "one more")).opendir(ME)
            gate.set()
        assert "01-faq.md" in await names(await walk(root, "query", "refund faq"))

    run(main)


def test_the_query_of_a_renamed_folder_asks_below_its_new_name(machine, root, tmp_path):
    async def main():
        folder = await walk(root, "files", "policies")
        row = await walk(folder, ".query")
        row.lookups = 1  # as the kernel would
        await root.files.root.rename(b"policies", root.files.root, b"rules", 0, ME)
        await names(await walk(folder, ".query", "refund"))
        assert machine.asked[-1][1] == b"rules"

    run(main)


@pytest.mark.parametrize("name", [b"/doc json", b"/.github yaml"])
def test_a_folder_after_in_may_begin_with_a_slash_or_a_dot(machine, root, name):
    async def main():
        await names(await walk(root, "query", "in:", name.strip(b"/")))
        assert machine.asked[-1][0].encode() == b"in:" + name

    run(main)


def test_a_look_at_a_saved_question_waits_for_the_answer_that_is_being_asked_anew(machine, root):
    async def main():
        questions = await walk(root, "query")
        await questions.mkdir(b"refund", 0o755, ME)
        question = (b"", "refund")
        (pathlib.Path(os.fsdecode(machine.folder)) / "late.md").write_text("refund")
        machine.touched(b"late.md")
        found = []

        async def look():
            found.append(await root.answers.get(question, root.ports.viewer(ME)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(look)
            await trio.testing.wait_all_tasks_blocked()
            assert found == []
            await root.answers.refresh()
        assert b"late.md" in {hit.path for hit in found[0].results.hits}
        assert root.answers.searches == 0

    run(main)


def test_while_a_folder_changes_all_the_time_a_look_waits_once_and_is_answered_from_what_is_kept(
    machine, root
):
    async def main():
        questions = await walk(root, "query")
        await questions.mkdir(b"refund", 0o755, ME)
        for _ in range(3):
            machine.touched(b"faq.md")
            before = trio.current_time()
            assert (await root.answers.get((b"", "refund"), root.ports.viewer(ME))).results.hits
            waited.append(trio.current_time() - before)
        assert waited[0] == answers_module.FRESH and waited[1:] == [0, 0]

    waited = []
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_saved_question_that_was_never_asked_is_asked_by_the_next_refresh(machine, root):
    async def main():
        await machine.questions.save(b"", "refund")  # as /ctl does
        assert await root.answers.refresh() == 1
        await names(await walk(root, "query", "refund"))
        assert root.answers.searches == 0

    run(main)


def test_a_name_of_continuation_bytes_is_not_cut_to_nothing():
    from syscalls.answer_names import link_names
    from syscalls.values import Hit

    (name,) = link_names([Hit(b"\x80" * 255, 1.0)])
    assert 250 <= len(name) <= 255
