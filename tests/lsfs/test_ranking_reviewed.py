"""What a review of the ranking found: each test names a promise that was broken when it was written."""

import os

import pytest
import trio
from search_library import Library, Past, direction

from lsfs.index import context, words
from lsfs.index.code import fused
from lsfs.index.fusion import fuse, scores
from lsfs.index.speaker import is_named
from syscalls.confidence import doubt
from syscalls.retrieve import retrieve
from syscalls.values import Viewer

NEAR = direction(1, 0, 0, 0)


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


def hit(library, path, *asked, **query):
    """The hit that a file is."""
    return next(hit for hit in library.ask(*asked, **query)["hits"] if hit["path"] == path.encode())


def filled(library, count, parent="others"):
    """Files with nothing to do with anything."""
    for number in range(count):
        library.add(
            f"{parent}/{chr(97 + number % 26)}{'x' * (number // 26)}.md", f"plain filler of kind{number}"
        )


# leaks


def test_who_lent_is_said_so_that_what_may_not_be_read_can_be_left_out(library):
    filled(library, 20)
    library.add("talk/turn_1.txt", "where is the zygomorphic flower")
    library.add("talk/turn_2.txt", "over there")
    borrower = hit(library, "talk/turn_2.txt", "zygomorphic", "flower")
    assert borrower["values"]["context"] > 0 and borrower["lenders"] == [b"talk/turn_1.txt"]


def test_a_file_whose_content_was_replaced_since_it_was_read_lends_nothing(library):
    filled(library, 20)
    library.add("talk/turn_1.txt", "where is the zygomorphic flower")
    library.add("talk/turn_2.txt", "over there")
    library.history.execute("update file set dirty = 1 where name = ?", (b"turn_1.txt",))
    assert library.found("zygomorphic", "flower") == ["talk/turn_1.txt"]


# wrong scores


def test_who_says_more_scores_more_also_above_what_could_be_reached():
    scored = scores({"words": {"a": 3.0, "b": 2.0, "c": 1.8, "d": 0.1}})
    assert 1 >= scored["a"] > scored["b"] > scored["c"] > scored["d"] > 0
    (part,) = fuse({"words": {"a": 3.0}})["a"][1].values()
    assert part == 1.0


def test_a_word_said_thrice_does_not_make_all_files_alike(library):
    filled(library, 60)
    library.add("much.md", "zygomorphic zygomorphic zygomorphic zygomorphic")
    library.add("some.md", "zygomorphic zygomorphic and then there is more to be said")
    asked = ("zygomorphic",) * 3 + ("flower",) * 3 + ("petal",) * 3
    library.add("all.md", "zygomorphic flower petal " * 4)
    library.add("less.md", "zygomorphic flower petal and one more thing or two that are said here besides")
    first, second = library.ask(*asked, mode="words")["hits"][:2]
    assert (first["path"], second["path"]) == (b"all.md", b"less.md") and first["score"] > second["score"]


def test_capitals_make_no_other_word():
    assert words.terms(["Deploy", "deploy", "DEPLOY"]) == ["Deploy"]
    said = ["Deploy", "deploy", "DEPLOY", "Deploy"]
    assert words.repeated(words.terms(said), said) == ["Deploy"] * words.REPEATED


def test_a_word_and_its_plural_are_no_pair_that_one_word_makes(library):
    filled(library, 20)
    library.add("one.md", "a single refund is here")
    assert hit(library, "one.md", "refund", "refunds")["values"]["near"] == 0.0


def test_a_word_that_was_asked_for_before_it_was_there_is_lent(library):
    filled(library, 40)
    assert library.found("zygomorphic") == []
    library.add("talk/turn_1.txt", "where is the zygomorphic flower")
    library.add("talk/turn_2.txt", "over there")
    assert library.found("zygomorphic") == ["talk/turn_1.txt", "talk/turn_2.txt"]


def test_a_question_to_an_empty_folder_does_not_spoil_the_next(library):
    assert library.found("zygomorphic", mode="words") == []
    filled(library, 20)
    library.add("much.md", "zygomorphic zygomorphic zygomorphic zygomorphic")
    library.add("a-little.md", "zygomorphic and then there is more to be said that is about something else")
    first, second = library.ask("zygomorphic", "flower", mode="words")["hits"]
    assert first["path"] == b"much.md" and first["score"] > second["score"]
    assert first["values"]["words"] <= 1


def test_who_wrote_a_mail_says_it_whatever_its_other_headers_are():
    text = "From: Ann Smith <ann@example.org>\nTo: Bob <bob@example.org>\nSubject: Re: dogs\nDate: 3 May 2026\n\nIt ran."
    assert is_named(text, {"ann"}) and not is_named(text, {"bob"})
    assert not is_named(text + "\n\nBob: where?", {"ann"})


@pytest.mark.parametrize("name", [b"20240000000001.txt", b"9" * 12, b"id-" + b"1" * 30 + b".md"])
def test_all_of_a_long_number_is_counted_on_or_none_of_it(name):
    stem, suffix = os.path.splitext(name)
    digits = stem.removeprefix(b"id-")
    right = {int(digits) + step for step in range(-context.REACH, context.REACH + 1)}
    for _, found in context.neighbours(name):
        assert int(os.path.splitext(found)[0].removeprefix(b"id-")) in right and found.endswith(suffix)


def test_a_telling_word_that_too_many_passages_have_to_be_looked_at_is_not_lent(library, monkeypatch):
    monkeypatch.setattr(context, "COMMON", 2)
    filled(library, 40)
    for number in range(1, 6):
        library.add(f"talk/turn_{number}.txt", f"the zygomorphic flower number{number} {'x' * number}")
    hits = library.ask("zygomorphic")["hits"]
    assert {hit["values"]["context"] for hit in hits} == {0.0}, "none of them lacks it"


# one word


class _Asked:
    """A library as `retrieve` asks it: all may be read."""

    def __init__(self, library, vector):
        self.library, self.vector = library, vector

    async def search(self, query):
        vector = self.vector if query["meaning"] else None
        table = self.library.table if vector is not None else None
        return self.library.search.run(query, vector, table) | {"meaning": "used"}

    async def settle(self, deadline):
        pass

    def readable(self, path, viewer):
        return True

    async def pending(self, within, viewer, deadline):
        return 0

    def ask(self, text):
        async def main():
            return await retrieve(
                text, folder=b"", viewer=Viewer(1000, 1000), searcher=self, files=self, owner=1000, fuse=fused
            )

        return trio.run(main)


@pytest.mark.parametrize("mode", ["", " mode:words"])
def test_a_question_of_one_rare_word_that_a_file_has_is_not_doubted(library, mode):
    for number in range(60):
        text = " ".join(f"word{number}x{one}" for one in range(60))
        library.add(f"others/{'x' * number}.md", text, vector=direction(0.3, 1, 0, 0))
    text = " ".join(f"target{one}" for one in range(30)) + " zygomorphic " + " ".join(["more"] * 29)
    library.add("target.md", text, vector=direction(0.35, 1, 0, 0))
    found = _Asked(library, NEAR).ask("zygomorphic" + mode)
    assert found.hits[0].path == b"target.md" and doubt(found) == ""


def test_the_one_file_that_has_the_one_rare_word_comes_before_what_is_a_little_nearer_in_meaning(library):
    for number in range(60):
        library.add(
            f"others/{'x' * number}.md",
            f"nothing of kind{number} is said in here",
            vector=direction(0.6, 0.8, 0, 0),
        )
    library.add("target.md", "the zygomorphic kind is said in here", vector=direction(0.4, 0.917, 0, 0))
    assert library.found("zygomorphic", vector=NEAR)[0] == "target.md"


# limits


def test_a_page_without_spaces_is_searched_by_so_many_terms_as_a_page_with_them():
    page = "".join(chr(0x4E00 + number) for number in range(20_000))
    count = len(words.terms([page]))
    assert 100 < count <= 2048


def test_what_is_lent_then_is_lent_by_what_was_there_then(tmp_path):
    past = Past(tmp_path)
    try:
        for number in range(20):
            past.write(f"others/{'x' * (number + 1)}.md", f"plain filler of kind{number}")
        past.write("talk/turn_1.txt", "where is the zygomorphic flower")
        then = past.write("talk/turn_2.txt", "over there")
        past.write("talk/turn_1.txt", "nothing of the kind")
        now = past.ask("zygomorphic", "flower")["hits"]
        (first, second) = past.ask("zygomorphic", "flower", sequence=then)["hits"]
        assert now == [] and second["path"] == b"talk/turn_2.txt" and second["values"]["context"] > 0
        assert second["lenders"] == [first["path"]] == [b"talk/turn_1.txt"]
    finally:
        past.close()
