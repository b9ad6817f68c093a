"""code: words count less where a question in plain words is asked of source code, and only there."""

import pytest
from search_library import Library, direction

from lsfs.index.code import LESS, belief


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


def folder(library, types):
    """The cosines of files of these types, which lie ever farther from a question."""
    for number, kind in enumerate(types):
        library.add(f"file{number}", f"text {number}", vector=direction(1, number / 10, 0, 0), type=kind)
    return dict(library.table.search(direction(1, 0, 0, 0), len(types)))


def test_the_more_of_what_is_near_is_code_the_less_are_words_believed(library):
    near = folder(library, ["python"] * 5 + ["markdown"] * 5)
    half = belief(library.search._db, ["sort", "a", "list"], near)
    assert 1 - LESS / 4 < half < 1
    all_code = {passage: near[passage] for passage in sorted(near, key=near.get, reverse=True)[:5]}
    assert belief(library.search._db, ["sort", "a", "list"], all_code) == pytest.approx(1 - LESS)
    assert belief(library.search._db, ["sort", "a", "list"], {}) == 1


def test_only_what_is_nearest_is_looked_at(library):
    near = folder(library, ["markdown"] * 10 + ["c"] * 20)
    assert belief(library.search._db, ["sort"], near) == 1


@pytest.mark.parametrize("word", ["get_user", "getUser", "csv.reader", "HTTPServer_x"])
def test_who_names_an_identifier_is_believed(library, word):
    assert belief(library.search._db, ["how", "does", word, "work"], folder(library, ["python"] * 4)) == 1


@pytest.mark.parametrize("word", ["string", "e.g", "3.5", "don't", "HTTP", "_", "x2"])
def test_a_plain_word_is_no_identifier(library, word):
    assert belief(library.search._db, ["how", word], folder(library, ["python"] * 4)) < 1


@pytest.mark.parametrize(("kind", "first"), [("python", "near"), ("markdown", "said")])
def test_the_order_of_files_follows(library, kind, first):
    library.add("near", "tokenise", vector=direction(1, 0.8, 0, 0), type=kind)
    library.add("said", "count lines", vector=direction(1, 1.6, 0, 0), type=kind)
    for number in range(6):
        library.add(f"other{number}", f"count {number}", vector=direction(1, 2, number, 0), type=kind)
    hits = library.ask("count lines", vector=direction(1, 0, 0, 0))["hits"]
    assert hits[0]["path"] == first.encode()
