"""code: words count less where a question in plain words is asked of source code, and only there."""

import pytest
from search_library import Library, direction

from lsfs.index.code import LESS, NEAREST, belief, fused, nearest
from lsfs.index.fusion import fuse

PLAIN = ["sort", "a", "list"]


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


def test_the_more_of_what_is_near_is_code_the_less_are_words_believed():
    believed = [belief(PLAIN, [True] * n + [False] * (10 - n)) for n in range(11)]
    assert believed == sorted(believed, reverse=True)
    assert believed[0] == 1 and believed[5] > 0.9 and believed[10] == pytest.approx(1 - LESS)
    assert belief(PLAIN, []) == 1


@pytest.mark.parametrize("word", ["get_user", "getUser", "csv.reader", "HTTPServer_x"])
def test_who_names_an_identifier_is_believed(word):
    assert belief(["how", "does", word, "work"], [True] * 4) == 1


@pytest.mark.parametrize("word", ["string", "e.g", "3.5", "don't", "HTTP", "_", "x2"])
def test_a_plain_word_is_no_identifier(word):
    assert belief(["how", word], [True] * 4) < 1


def test_only_what_is_nearest_is_looked_at():
    near = {number: 1 / (1 + number) for number in range(3 * NEAREST)}
    assert nearest(near) == list(range(NEAREST))
    signals = {"words": dict.fromkeys(near, 0.5), "meaning": near}
    assert fused(signals, PLAIN, range(NEAREST, 99)) == fuse(signals)
    assert fused(signals, PLAIN, range(NEAREST)) == fuse(signals, 1 - LESS)
    assert fused({"words": {1: 0.5}}, PLAIN, {1}) == fuse({"words": {1: 0.5}})


@pytest.mark.parametrize(("kind", "first"), [("python", "near"), ("markdown", "said")])
def test_the_order_of_files_follows(library, kind, first):
    library.add("near", "tokenise", vector=direction(1, 0.8, 0, 0), type=kind)
    library.add("said", "count lines", vector=direction(1, 1.6, 0, 0), type=kind)
    for number in range(6):
        library.add(f"other{number}", f"count {number}", vector=direction(1, 2, number, 0), type=kind)
    hits = library.ask("count lines", vector=direction(1, 0, 0, 0))["hits"]
    assert hits[0]["path"] == first.encode()
    assert ("code" in hits[0]) == (kind == "python")
