"""alike: what of an answer that was compared with files may be acted upon, and what is said of it when questions are combined."""

from dataclasses import replace

import pytest
import trio
from asked_library import ME, Library

from syscalls.alike import BARE, GONE, SOON
from syscalls.combine import combine
from syscalls.errors import InvalidArgument
from syscalls.matching import matched
from syscalls.prompt import parse
from syscalls.values import Hit, Results


def answer(text, *hits, notes=()):
    return Results(replace(parse(text), notes=notes), b"", hits, 1, 0, "used", 1.0)


def test_only_what_shares_a_word_with_the_file_is_acted_upon_unless_the_nearest_are_asked_for():
    hits = Hit(b"a", 0.9, {"words": 0.5}), Hit(b"b", 0.8, {"meaning": 0.4})
    assert [hit.path for hit in matched(answer("like:x", *hits)).hits] == [b"a"]
    assert matched(answer("like:x mode:meaning", *hits)).hits == hits


@pytest.mark.parametrize("note", [GONE, BARE, SOON])
def test_nothing_is_done_where_a_file_was_left_out(note):
    with pytest.raises(InvalidArgument, match="Nothing was done"):
        matched(answer("like:x refund", Hit(b"a", 0.9, {"words": 0.5}), notes=(note.format("x"),)))


def test_a_chain_is_compared_with_the_files_of_all_its_steps():
    library = Library()

    async def ask(text, *rest, **how):
        results = await library.ask(text, *rest, **how)
        return replace(results, like=tuple(path.encode() for path in results.prompt.like))

    async def main():
        chain = ("refund like:faq.md", "and", "like:src/pay.py", "not", "travel")
        return await combine(chain, ask=ask, folder=b"", viewer=ME)

    assert sorted(trio.run(main).like) == [b"faq.md", b"src/pay.py"]
