"""Insights by the real model: topics of files, sentences that matter, cosines that are remembered."""

import random

import numpy as np
import pytest
from engine_client import Daemon

from lsfs.engine.topics import LONGEST, MOST, names, parts, words

THEMES = {
    "kitchen": [
        "Fry the onions with cumin and simmer the lentils in stock.",
        "Bake the sourdough bread in a hot oven until the crust is brown.",
        "Whisk eggs, sugar and butter for the cake, and bake it in the oven.",
        "Season the soup with salt, pepper and fresh parsley.",
        "Knead the bread dough, let it rise, and bake the loaf.",
        "A recipe for tomato soup with garlic and basil.",
    ],
    "law": [
        "The tenant shall pay the rent on the first day of each month.",
        "The landlord may terminate the contract with three months notice.",
        "The liability of the landlord is limited under this contract.",
        "The court dismissed the appeal of the tenant against the landlord.",
        "This contract between tenant and landlord is governed by the laws of Ireland.",
        "The parties agree to settle disputes over the contract in court.",
    ],
    "sky": [
        "The telescope observed a distant galaxy and its black hole.",
        "Neutron stars are remnants of supernova explosions of massive stars.",
        "The orbit of the planet around its star takes four hundred days.",
        "The spectrum of the galaxy shows a red shift.",
        "Astronomers measured the mass of the black hole from the orbits of stars.",
        "The comet passes the planet Jupiter every six years.",
    ],
}
TEXTS = {f"{theme}/{number}.md": text for theme, texts in THEMES.items() for number, text in enumerate(texts)}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    daemon = Daemon(tmp_path_factory.mktemp("insight"))
    daemon.start()
    daemon.write(TEXTS | {"numbers.bin": b"\0\1\2"})
    daemon.index(*TEXTS, "numbers.bin")
    daemon.settle()
    yield daemon
    daemon.close()


def topics(library, paths):
    found = library.call("topics", paths=[path.encode() for path in paths], deadline=60.0)["topics"]
    return [(name, [path.decode() for path in members]) for name, members in found]


def test_three_clear_themes_are_three_topics_and_their_words_name_them(library):
    found = topics(library, TEXTS)
    assert {frozenset(path.split("/")[0] for path in members) for _, members in found} == {
        frozenset([theme]) for theme in THEMES
    }
    said = {members[0].split("/")[0]: set() for _, members in found}
    for name, members in found:
        said[members[0].split("/")[0]] |= set(name.split("-"))
    assert said["law"] & {"contract", "landlord", "tenant"}
    assert said["sky"] & {"stars", "star", "galaxy", "black", "planet"}
    assert said["kitchen"] & {"bread", "bake", "soup"}


def test_the_same_files_give_the_same_topics_whatever_their_order(library):
    first = topics(library, TEXTS)
    for seed in range(4):
        order = list(TEXTS) * 2  # nor does it count to be named twice
        random.Random(seed).shuffle(order)
        assert topics(library, order) == first
    assert [len(members) for _, members in first] == sorted((len(m) for _, m in first), reverse=True)


def test_topics_are_of_indexed_files_alone_and_embed_nothing(library):
    before = library.call("stats")
    found = topics(library, [*TEXTS, "numbers.bin", "missing.md"])
    assert sorted(path for _, members in found for path in members) == sorted(TEXTS)
    assert topics(library, []) == [] and topics(library, ["missing.md"]) == []
    assert [members for _, members in topics(library, ["law/0.md"])] == [["law/0.md"]]
    after = library.call("stats")
    assert (after["embeddings"], after["prompts"]) == (before["embeddings"], before["prompts"])


def test_two_files_are_two_topics_only_where_they_differ(library):
    assert len(topics(library, ["law/1.md", "law/2.md"])) == 1
    assert len(topics(library, ["law/1.md", "sky/1.md"])) == 2


def test_what_is_compared_again_is_not_embedded_again(library):
    texts = [f"sentence number {number}" for number in range(90)]
    ask = {"text": "a sentence", "texts": texts, "deadline": 60.0}
    first = library.call("similar", **ask)["cosines"]
    before = library.call("stats")["prompts"]
    assert library.call("similar", **ask)["cosines"] == first
    assert library.call("stats")["prompts"] == before
    library.call("similar", **(ask | {"text": "another one"}))
    assert library.call("stats")["prompts"] == before + 1


def test_sentences_that_say_the_same_are_chosen_once(library):
    sentences = [
        "Refunds above 500 need two signatures.",
        "Two signatures are needed for refunds above 500.",
        "Refunds above 500 require two signatures.",
        "A refund is paid within a week.",
        "The comet passes Jupiter every six years.",
    ]
    ask = {"question": "how do refunds work", "sentences": sentences, "most": 5, "deadline": 60.0}
    chosen = library.call("salient", **ask)["chosen"]
    assert len({0, 1, 2} & set(chosen)) == 1 and 3 in chosen and 4 not in chosen


def test_whatever_a_text_holds_it_is_compared(library):
    odd = ["", "\x00", "x" * 100_000, "\ud800 alone", "🙂", "漢字"]
    cosines = library.call("similar", text="\udcff", texts=odd, deadline=60.0)["cosines"]
    assert len(cosines) == len(odd) and np.isfinite(cosines).all()


def test_a_deadline_that_passed_is_told(library):
    with pytest.raises(OSError) as caught:
        library.call("similar", text="a", texts=["b"], deadline=-1.0)
    assert caught.value.errno == 11


def test_an_engine_without_a_model_has_no_insight(tmp_path):
    daemon = Daemon(tmp_path)
    try:
        daemon.start(model="")
        assert daemon.call("similar", text="a", texts=["b"], deadline=5.0) == {"cosines": None}
        assert daemon.call("salient", question="a", sentences=["b"], most=1, deadline=5.0) == {"chosen": None}
        assert daemon.call("topics", paths=[b"a"], deadline=5.0) == {"topics": None}
    finally:
        daemon.close()


# Pure ----------------------------------------------------------------------------------------------------------------


def bundles(count, each, seed=1):
    """Vectors of length 1 around `count` directions."""
    numbers = np.random.default_rng(seed)
    middles = np.linalg.qr(numbers.normal(size=(32, count)))[0].T
    found = np.concatenate([middle + 0.05 * numbers.normal(size=(each, 32)) for middle in middles])
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("count", range(2, MOST + 1))
def test_the_number_of_topics_is_that_of_the_data(count):
    assert [len(part) for part in parts(bundles(count, 10))] == [10] * count


def test_more_files_than_are_joined_pair_by_pair_are_parted_all_the_same():
    found = parts(bundles(4, 700))
    assert [len(part) for part in found] == [700] * 4
    assert sorted(row for part in found for row in part) == list(range(2800))


def test_files_that_are_the_same_are_one_topic():
    assert parts(np.repeat(bundles(2, 1)[:1], 20, axis=0)) == [list(range(20))]
    assert parts(np.zeros((0, 32), dtype=np.float32)) == []


def test_names_are_unique_and_fit_a_file_name():
    groups = [
        ["refund policy for cards"] * 3,
        ["Refund policy for cards"] * 3,
        ["1 2 3"],
        ["4 5"],
        ["x" * 400 + " ../etc"],
    ]
    found = names(groups)
    assert len({name.casefold() for name in found}) == len(groups)
    assert all(
        "/" not in name
        and not name.startswith(".")
        and 0 < len(name.encode()) <= 255
        and len(name) < 4 * LONGEST
        for name in found
    )


def test_words_are_named_as_they_are_written_most_and_without_stop_words():
    (name, _) = names(
        [["The refunds are paid by NASA. Refunds and refund and NASA."] * 4, ["soup and bread"] * 4]
    )
    assert {"refunds", "NASA"} <= set(name.split("-"))
    assert list(words("the and because 全文検索")) == ["全文", "文検", "検索"]
