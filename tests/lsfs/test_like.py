"""like: a file's own vector and words, asked of a real words.db, history.db, vectors.db and Lance table."""

import numpy as np
import pytest
from search_library import Library, Past, direction

from lsfs.index import like, view
from lsfs.index.search import NotEmbedded

EAST, NORTH, UP = direction(1, 0, 0, 0), direction(0, 1, 0, 0), direction(0, 0, 1, 0)
BETWEEN = direction(1, 1, 0, 0)


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


@pytest.fixture
def past(tmp_path):
    past = Past(tmp_path)
    yield past
    past.close()


def ask(library, *paths, words=(), vector=None, **query):
    """An answer as the engine gives it: the table is there, and a vector of the prompt where it has words."""
    asked = {
        "words": list(words), "meaning": " ".join(words), "condition": None, "mode": "both", "limit": 20,
        "like": [path.encode() for path in paths], "without": [path.encode() for path in paths],
    }  # fmt: skip
    table = None if (asked | query)["mode"] == "words" else library.table
    return library.search.run(asked | query, vector, table)


def found(library, *paths, **query):
    return [hit["path"].decode() for hit in ask(library, *paths, **query)["hits"]]


def test_the_nearest_by_meaning_come_first_and_the_file_itself_does_not(library):
    library.add("a.md", "refund rules", vector=EAST)
    library.add("near.md", "repayment rights", vector=direction(1, 0.2, 0, 0))
    library.add("far.md", "the weather", vector=NORTH)
    assert found(library, "a.md") == ["near.md", "far.md"]
    assert found(library, "a.md", mode="meaning", limit=1) == ["near.md"]


def test_the_telling_words_rank_where_nothing_has_a_vector(library):
    library.add("a.md", "the refund of the customer\n\nrefund again")
    library.add("b.md", "a customer wants a refund")
    library.add("c.md", "the customer sings")
    for number in range(6):
        library.add(f"{number}.md", "the other of the others")
    assert found(library, "a.md", mode="words") == found(library, "a.md") == ["b.md", "c.md"]


def test_a_copy_is_the_most_alike(library):
    for name in ("a.md", "copy.md"):
        library.add(name, "refund rules", vector=EAST)
    library.add("near.md", "refund weather", vector=direction(1, 0.1, 0, 0))
    assert found(library, "a.md") == ["copy.md", "near.md"]


def test_several_files_are_compared_together_and_none_of_them_is_a_hit(library):
    library.add("east.md", "one", vector=EAST)
    library.add("north.md", "two", vector=NORTH)
    library.add("both.md", "three", vector=BETWEEN)
    library.add("up.md", "four", vector=UP)
    assert found(library, "east.md", "north.md") == ["both.md", "up.md"]


def test_words_beside_it_pull_to_what_they_say(library):
    library.add("east.md", "one", vector=EAST)
    library.add("alike.md", "two", vector=direction(1, 0.1, 0, 0))
    library.add("asked.md", "refund", vector=BETWEEN)
    assert found(library, "east.md")[0] == "alike.md"
    for vector in (NORTH, lambda: NORTH):
        assert found(library, "east.md", words=["refund"], vector=vector)[0] == "asked.md"
    with pytest.raises(NotEmbedded):
        ask(library, "east.md", words=["refund"], vector=lambda: None)


def test_conditions_and_scopes_hold(library):
    library.add("a.md", "refund rules", vector=EAST)
    library.add("b/near.md", "refund draft", vector=EAST)
    library.add("b/far.py", "refund rights", vector=NORTH, type="python")
    assert found(library, "a.md", folder=b"b") == ["b/near.md", "b/far.py"]
    assert found(library, "a.md", types=["code"]) == ["b/far.py"]
    assert found(library, "a.md", condition=("word", "rights")) == ["b/far.py"]
    assert found(library, "b/near.md", within=[b"b"]) == ["b/far.py"]
    assert found(library, "b/near.md", only=[b"a.md", b"b/near.md"]) == ["a.md"]


def test_the_file_is_no_hit_either_where_only_a_scope_is_asked(library):
    library.add("b/a.md", "refund", vector=EAST)
    library.add("b/c.md", "weather", vector=NORTH)
    answer = library.ask(folder=b"b", without=[b"b/a.md"])
    assert [hit["path"] for hit in answer["hits"]] == [b"b/c.md"] and "like" not in answer


def test_the_answer_says_of_each_file_what_is_known_of_it(library):
    library.add("a.md", "refund\n\nrules", vector=EAST)
    library.add("empty.md", "")
    library.add("picture.jpg", state="other")
    answer = ask(library, "a.md", "gone.md", "picture.jpg", "empty.md", "a.md")
    known = [(one["path"], one["passages"], one["stale"], one["embedded"]) for one in answer["like"]]
    assert known == [
        (b"a.md", 2, False, True), (b"picture.jpg", 0, False, True), (b"empty.md", 0, False, True)
    ]  # fmt: skip


def test_a_file_is_compared_by_its_meaning_as_soon_as_one_of_its_passages_has_a_vector(library):
    library.add("a.md", "refund\n\nrules", vector=EAST)
    library.add("later.md", "refund rights", vector=UP)
    library.add("b.md", "repayment", vector=direction(1, 0.2, 0, 0))
    _, (second, _), (later, key), _ = sorted(library.store.backlog.vectored())
    library.store.backlog.wait_again([second, later])
    library.vectors._db.execute("delete from vector where key = ?", (key,))
    answer = ask(library, "a.md", "later.md", mode="meaning")
    assert [one["embedded"] for one in answer["like"]] == [True, False]
    assert [hit["path"] for hit in answer["hits"]] == [b"b.md"]


@pytest.mark.parametrize("path", ["gone.md", "empty.md", "picture.jpg"])
def test_what_cannot_be_compared_finds_nothing_also_in_a_folder(library, path):
    library.add("empty.md", "")
    library.add("picture.jpg", state="other")
    library.add("b/c.md", "weather", vector=NORTH)
    assert found(library, path, folder=b"b") == found(library, path) == []
    assert found(library, path, words=["weather"]) == ["b/c.md"]
    assert found(library, folder=b"b") == []  # none that may be compared is left


def test_a_name_that_is_no_text_is_left_out_of_the_answer(library):
    library.add("it's.md", "refund", vector=EAST)
    library.add("b.md", "refund", vector=EAST)
    assert found(library, "it's.md") == ["b.md"]
    library.history.execute("update file set name = x'ff27' where name = cast('it''s.md' as blob)")
    asked = {"like": [b"\xff'"], "without": [b"\xff'"], "words": [], "mode": "both"}
    assert [hit["path"] for hit in library.search.run(asked, None, library.table)["hits"]] == [b"b.md"]


def test_files_in_the_past_are_as_they_were_then(past):
    past.write("a.md", "refund rules", vector=EAST)
    past.write("refunds.md", "refund rights", vector=direction(1, 0.1, 0, 0))
    first = past.write("weather.md", "rain in the mountains", vector=NORTH)
    past.write("a.md", "rain and mountains", vector=direction(0.1, 1, 0, 0))
    assert found(past, "a.md", sequence=first) == ["refunds.md", "weather.md"]
    assert found(past, "a.md") == ["weather.md", "refunds.md"]
    past.remove("a.md")
    assert found(past, "a.md") == [] and found(past, "a.md", sequence=first)[0] == "refunds.md"


def test_what_no_other_file_has_is_no_word_unless_there_is_nothing_else(library):
    library.add("a.md", "Voucherly Voucherly refund")
    library.add("b.md", "refund")
    assert telling(library, "Voucherly Voucherly refund") == ["refund"]
    assert telling(library, "Voucherly Voucherly") == ["voucherly"]  # a copy has it


@pytest.mark.parametrize("texts", [
    ["\n\n".join([*(f"Raskolnikov {n}" for n in range(299)), "an axe"])],
    ["Raskolnikov\n\nRaskolnikovs\n\nRaskolnikovs axe"],
    ["Raskolnikov axe", "Raskolnikov axe again"],
])  # fmt: skip
def test_what_the_files_alone_have_is_no_word_however_long_or_many_they_are(library, texts):
    library.add("before.md", "an axe")
    for number, text in enumerate(texts):
        library.add(f"{number}.md", text)
    library.add("after.md", "an axe")
    paths = [b"%d.md" % number for number in range(len(texts))]
    assert asked(library, lambda db, *how: like.like(db, view.LIVE, *how, None, paths)).words == ["axe"]


def telling(library, *texts):
    return asked(library, lambda _, *how: like.telling(*how, [[text] for text in texts]))


def asked(library, call):
    search = library.search
    search._db.execute("begin")
    try:
        return call(search._db, search._lexicon, search._rarity)
    finally:
        search._db.execute("rollback")


def test_words_tell_by_how_often_they_are_said_and_how_rare_they_are(library):
    for number in range(20):
        library.add(f"{number}.md", f"customer {'refund' * (number < 3)} number{number}")
    said = telling(library, "the customer and the refund, the refund of customers")
    assert said == ["refund", "customer"]  # of its stem is customers
    assert telling(library, "") == telling(library) == telling(library, "the and of 12 x") == []


def test_parts_of_identifiers_and_pairs_of_characters_are_words(library):
    library.add("a.py", "def parseHeader(): pass", type="python")
    library.add("b.md", "検索の設計")
    for number in range(9):
        library.add(f"{number}.md", f"other text {number}")
    assert {"parseheader", "header", "parse"} <= set(telling(library, "parseHeader"))
    assert telling(library, "検索の設計")[0] in ("検索", "索の", "の設", "設計")


def test_of_a_long_file_some_passages_are_read_from_its_beginning_to_its_end(library):
    assert list(like._spread(3, 128)) == [0, 1, 2]
    spread = like._spread(10_000, 128)
    assert (spread[0], spread[-1], len(spread)) == (0, 9_999, 128)


def test_many_files_take_no_longer_than_two():
    assert [like._each(like.PASSAGES, files) for files in (1, 2, 4, 16)] == [128, 128, 64, 16]
    assert like._each(like.TRIED, 16) >= like.MOST


def test_of_many_files_all_say_something(library):
    for number in range(16):
        library.add(f"{number}.md", "\n\n".join([f"word{number}"] * 40), vector=EAST)
        library.add(f"like{number}.md", f"a word{number}", vector=EAST)
    library.add("other.md", "nothing of them", vector=NORTH)
    answer = ask(library, *(f"{number}.md" for number in range(16)))
    assert len(answer["like"]) == 16 and all(hit["parts"]["words"] > 0 for hit in answer["hits"][:16])


def test_vectors_are_added_and_of_those_that_say_nothing_together_the_first_counts():
    assert like.together(None, None) is None and like.together(EAST, -EAST) is EAST
    assert np.allclose(like.together(EAST, None, NORTH), BETWEEN)


def test_a_view_without_nothing_is_the_view():
    assert like.without(view.LIVE, []) is view.LIVE
