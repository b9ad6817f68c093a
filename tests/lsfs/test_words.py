"""words: what a prompt's words find in passages."""

import contextlib
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsfs.index import words


@pytest.fixture
def db():
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute(words.TABLE)
        yield db


def found(db, *said):
    return [passage for passage, _ in words.match(db, words.terms(said), 10)]


def test_the_passage_with_more_of_the_words_comes_first(db):
    words.insert(
        db,
        [
            (1, "", "refunds need a signature", "text"),
            (2, "", "refunds over 500 need two signatures", "text"),
            (3, "", "the weather", "text"),
        ],
    )
    assert found(db, "two", "refund", "signatures") == [2, 1]


def test_a_heading_counts_more_than_the_text(db):
    words.insert(
        db,
        [
            (1, "", "about refunds and other things", "text"),
            (2, "refunds", "about money and other things", "text"),
        ],
    )
    assert found(db, "refunds") == [2, 1]


@pytest.mark.parametrize(
    ("text", "asked"),
    [("def parseHeader(x)", "header"), ("HTTPServerError", "server"), ("snake_case_name", "case")],
)
def test_an_identifier_is_found_by_its_parts(db, text, asked):
    words.insert(db, [(1, "", text, "text")])
    assert found(db, asked) == [1]


def test_an_identifier_is_found_as_it_is_written(db):
    words.insert(db, [(1, "", "parse the header", "text"), (2, "", "parseHeader", "text")])
    assert found(db, "parseHeader")[0] == 2


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Café Zürich", "cafe"),
        ("RÉSUMÉ", "résumé"),
        ("全文検索エンジン", "検索"),
        ("Обзор рынка", "рынка"),
        ("η επιστροφή των ΧΡΗΜΆΤΩΝ", "χρηματων"),
        ("ο λόγος", "λογοσ"),
    ],
)
def test_words_of_other_languages_are_found(db, text, asked):
    words.insert(db, [(1, "", text, "text"), (2, "", "something else", "text")])
    assert found(db, asked) == [1]


def test_the_type_of_a_content_is_a_word_of_it(db):
    words.insert(db, [(1, "", "sort a list", "python"), (2, "", "sort a list", "rust")])
    assert found(db, "sort", "python")[0] == 1 and found(db, "sort", "rust")[0] == 2


def test_stopwords_do_not_search_unless_nothing_else_is_there():
    assert words.terms(["what", "is", "the", "refund"]) == ["refund"]
    assert words.terms(["to", "be"]) == ["to", "be"]


def test_a_prompt_of_punctuation_finds_nothing(db):
    words.insert(db, [(1, "", "text", "text")])
    assert words.terms(["?!", "--"]) == []
    assert found(db, "?!") == []


def test_deleted_passages_are_found_no_more_and_leave_the_statistics_as_they_were(db):
    words.insert(db, [(1, "a", "refunds need parseHeader", "text"), (2, "b", "refunds", "text")])
    before = words.match(db, ["refunds"], 10)
    words.insert(db, [(3, "title", "refunds again, getHTTPThing", "text")])
    words.delete(db, [(3, "title", "refunds again, getHTTPThing", "text")])
    assert words.match(db, ["refunds"], 10) == before
    assert found(db, "thing") == []


def test_only_the_contents_in_scope_are_searched(db):
    words.insert(db, [(1 << 20, "", "refund", "text"), (2 << 20, "", "refund", "text")])
    assert [p for p, _ in words.match(db, ["refund"], 10, "[2]")] == [2 << 20]


@given(st.text(max_size=60))
def test_no_prompt_is_an_error_of_syntax(text):
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute(words.TABLE)
        words.insert(db, [(1, "", words.clean(text), "text")])
        words.match(db, words.terms([text]), 5)
