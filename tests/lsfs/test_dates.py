"""dates: what is read as a date, however it is written, and how a question finds it."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_library import Library

from lsfs.history import paths
from lsfs.index import dates, words
from lsfs.index.rarity import Rarity
from lsfs.index.tail import Stems


def found(text):
    return [tuple(date) for date in dates.find(text)]


@pytest.mark.parametrize(
    "text",
    """2024-03-07|2024-3-7|2024.03.07|2024/03/07|2024_03_07|2024-Mar-07|20240307|7.3.2024|07.03.24|7 March 2024|7th of March, 2024
    |March 7th, 2024|march 7 2024|Mar. 7, 2024|7 Mar 2024|7-Mar-24|07Mar2024|7. März 2024|7 mars 2024|7 de marzo de 2024|7 marzo 2024
    |7 de março de 2024|7 maart 2024|Thu, 7 Mar 2024 14:02:11 +0100|Thu Mar  7 14:02:11 2024|(1:56 pm on 7 March, 2024) Ann: hello
    |2024-03-07T14:02:11Z|2024-03-07-minutes.md|20240307_minutes.txt|IMG_20240307_140211.jpg|minutes_7_March_2024.docx
    |minutes-March-7-2024.md|notes/2024/03/07/a.md|on 7\nMarch 2024|done by 7.3.2024.""".replace(
        "\n    |", "|"
    ).split("|"),
)
def test_a_day_is_read_however_it_is_written(text):
    assert found(text) == [(2024, 3, 7)]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("7 March", [(0, 3, 7)]),
        ("Sept. 3", [(0, 9, 3)]),
        ("1er août", [(0, 8, 1)]),
        ("May 2023", [(2023, 5, 0)]),
        ("in May, 2023", [(2023, 5, 0)]),
        ("marzo de 2024", [(2024, 3, 0)]),
        ("2024-03_freight.pdf", [(2024, 3, 0)]),
        ("photos/2024/03/a.jpg", [(2024, 3, 0)]),
        ("3/7/2024", [(2024, 7, 3), (2024, 3, 7)]),
        ("25/12/23", [(2023, 12, 25)]),
        ("12/25/1999", [(1999, 12, 25)]),
        ("June 3, July 4, 5 Aug", [(0, 6, 3), (0, 7, 4), (0, 8, 5)]),
        ("8 May 12 people came", [(0, 5, 8)]),
        ("Mar 7 2024, 7 March 2024", [(2024, 3, 7)]),
    ],
)
def test_a_date_may_lack_a_part_or_be_read_both_ways(text, read):
    assert found(text) == read


@pytest.mark.parametrize(
    "text",
    """2024|in March|30 Feb|2024-13-01|2024-02-30|version 1.2.24|v3.2.2024|0.11.2|192.168.1.24|10.2.3.2024|12.345.678|555-1234-12
    |0-306-40615-2|1-2-34|section 3 may change|May 12:30|3 apples|Mark 3|12345678|20241345|decorator. 2|7/0/2024|
    """.replace("\n    |", "|").split("|"),
)
def test_what_only_looks_like_a_date_is_none(text):
    assert found(text) == []


@given(st.text(alphabet="0123456789 -./_,:tháréMaymarch", max_size=40))
def test_no_text_fails_and_all_words_are_own_or_months(text):
    for word in (*dates.said(text), *dates.asked(text)):
        assert dates.is_own(word) or word in dates.ENGLISH


def test_the_words_of_dates_are_single_tokens_that_nothing_takes_apart():
    with contextlib.closing(Stems()) as stems:
        for word in ("date20240307", "date0307", "day0307", "month202403", "month05"):
            assert dates.is_own(word) and stems.of(word) == word
            assert re.fullmatch("[a-z]+[0-9]+", word)


def test_a_question_asks_for_the_day_of_its_year_or_of_none():
    assert dates.said("2024-03-07") == ["march", "date20240307", "day0307", "month202403"]
    assert dates.said("7 March") == ["date0307", "day0307"]
    assert dates.asked("7 March 2024") == ["date20240307", "date0307"]
    assert dates.asked("7 March") == ["day0307"]
    assert dates.asked("March 2024") == ["month202403"]


@pytest.mark.parametrize(
    ("asked", "month"),
    [
        ("what was said in May", True),
        ("invoices May", True),
        ("in may", True),
        ("how late may I come", False),
    ],
)
def test_may_is_a_month_only_where_it_is_meant(asked, month):
    assert ("month05" in dates.asked(asked)) == month
    assert dates.said("2024-05-07")[0] == "month05"


def test_the_date_of_a_question_is_a_term_beside_its_words_and_counts_twice():
    said = ["what", "happened", "on", "March", "7th,", "2024"]
    assert words.terms(said)[-2:] == ["date20240307", "date0307"]
    assert words.repeated(words.terms(said), said).count("date20240307") == 2
    assert "date20240307" not in words.plain(said) and ("7th", "2024") in words.pairs(said)


def test_the_heading_of_a_passage_dates_it():
    assert "date20240307" in words.parts("we met", "markdown", "Minutes, 7 March 2024").split()


def test_a_path_has_the_words_of_its_dates():
    assert paths.words(b"a/2024-03-07-plan.md").split()[6:] == [
        "march",
        "date20240307",
        "day0307",
        "month202403",
    ]


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


@pytest.mark.parametrize(
    "asked", ["budget on 7 March", "budget 2024-03-07", "budget March 7th, 2024", "budget 7.3.2024"]
)
def test_a_question_with_a_date_finds_every_spelling_of_it_first(library, asked):
    spelled = ["7 Mar", "2024-03-07", "March 7th, 2024", "7.3.2024", "7. März 2024", "07/03/2024"]
    for n, date in enumerate(spelled):
        library.add(f"right{n}.md", f"{date}: the budget of the depot")
    library.add("2024-03-07-right.md", "the budget of the depot")
    for n in range(20):
        library.add(f"other{n}.md", f"202{n % 3}-0{n % 8 + 1}-1{n % 9}: the budget of the depot {n}")
    first = library.found(*asked.split())[: len(spelled)]
    assert all("right" in path for path in first), first


def test_a_date_that_nothing_has_takes_nothing_from_the_other_words(library):
    library.add("a.md", "the budget of the depot")
    library.add("b.md", "the weather")
    rarity = Rarity(library.store.db)
    assert rarity.bound(["budget", "date20240307"]) == rarity.bound(["budget"])
    assert rarity.bound(["budget", "absent"]) > rarity.bound(["budget"])
    library.add("c.md", "2024-03-07")
    assert rarity.bound(["budget", "date20240307"]) > rarity.bound(["budget"])
