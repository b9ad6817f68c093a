"""fusion, and the signals that are functions of their own: what is counted, and that none swamps the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsfs.index import context, words
from lsfs.index.fusion import LEXICAL, WEIGHTS, fuse
from lsfs.index.speaker import is_named, speaker

VALUES = st.dictionaries(st.sampled_from("abcdef"), st.floats(-2, 4, allow_nan=False), max_size=6)


@given(st.dictionaries(st.sampled_from(sorted(WEIGHTS)), VALUES, max_size=7))
def test_a_score_and_its_parts_lie_between_nothing_and_one(signals):
    for score, parts in fuse(signals).values():
        assert 0 <= score <= 1 + 1e-9 and all(0 <= part <= 1 for part in parts.values())
        assert set(parts) == set(signals)


@given(VALUES, st.floats(0.1, 1))
def test_who_says_more_scores_more(values, factor):
    signals = {"words": values, "meaning": {"a": factor}}
    scored = fuse(signals)
    said = {key: max(0.0, value) for key, value in values.items() if key != "a"}
    for one in said:
        for other in said:
            assert said[one] >= said[other] or scored[one][0] <= scored[other][0]


def test_one_chance_word_counts_less_than_all_the_words():
    chance = fuse({"words": {"a": 0.1}, "meaning": {"b": 0.5}})
    sure = fuse({"words": {"a": 0.8}, "meaning": {"b": 0.5}})
    assert chance["a"][0] < chance["b"][0] and sure["a"][0] > sure["b"][0]


def test_a_single_word_is_believed_where_nothing_is_near_in_meaning():
    far = fuse({"words": {"a": 0.22}, "meaning": {"a": 0.1, "b": 0.24}})
    near = fuse({"words": {"a": 0.12}, "meaning": {"a": 0.1, "b": 0.6}})
    assert far["a"][0] > far["b"][0] and near["a"][0] < near["b"][0]


def test_a_file_that_is_called_what_was_asked_comes_before_all_that_others_say():
    rest = {name: {"other": 1.0} for name in WEIGHTS if name != "name"}
    scored = fuse(rest | {"name": {"called": 1.0}})
    assert scored["called"][0] > scored["other"][0]


def test_nothing_in_use_scores_nothing():
    assert fuse({}) == {} and fuse({"words": {}}) == {}
    assert all(name in WEIGHTS for name in LEXICAL)


@pytest.mark.parametrize(
    ("name", "after", "before"),
    [
        (b"D1_9.txt", b"D1_10.txt", b"D1_8.txt"),
        (b"page-009.md", b"page-010.md", b"page-008.md"),
        (b"10", b"11", b"9"),
        (b"2024-05-02.md", b"2024-05-03.md", b"2024-05-01.md"),
        (b"a\xff7z.c", b"a\xff8z.c", b"a\xff6z.c"),
    ],
)
def test_the_neighbours_of_a_numbered_file_have_the_next_numbers(name, after, before):
    found = list(context.neighbours(name))
    assert (1, after) in found and (1, before) in found
    assert all(1 <= distance <= context.REACH for distance, _ in found)


@pytest.mark.parametrize("name", [b"notes.md", b"song.mp3", b"", b"\xff"])
def test_a_name_without_a_number_in_its_stem_has_no_neighbours(name):
    assert list(context.neighbours(name)) == []


def test_only_what_a_file_lacks_is_lent_and_less_from_afar():
    telling = {"sunrise": (2.0, {1}), "paint": (1.0, {1, 5})}
    assert context.lent(5, [(1, 1)], telling) == pytest.approx(2.0 * context.DECAY)
    assert context.lent(6, [(2, 1), (1, 9)], telling) == pytest.approx(3.0 * context.DECAY**2)
    assert context.lent(6, [], telling) == 0


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        ("Ann: hello", "Ann"),
        ("(1:56 pm on 8 May, 2023) Caroline: Hey Mel!", "Caroline"),
        ("[12:01] Bob Ray: yes", "Bob Ray"),
        ("From: Ann Smith <ann@example.org>\nTo: you", "Ann Smith <ann@example.org>"),
        ("A Note on the Algebra of Systems: a report", ""),
        ("def f(x): return", ""),
        ("http://example.org: down", ""),
        ("no name here", ""),
        ("", ""),
    ],
)
def test_who_speaks_is_read_from_the_beginning(beginning, name):
    assert speaker(beginning) == name


def test_a_speaker_is_named_by_any_of_the_names():
    asked = words.plain(["what", "did", "Ann's", "dog", "do"])
    assert is_named("Ann Smith: it ran", set(asked)) and not is_named("Bob: it ran", set(asked))
    assert not is_named("Ann: it ran\nBob: where?", set(asked)), "what several say is said by nobody"


def test_pairs_are_neighbours_among_the_telling_words():
    assert words.pairs(["the", "time", "of", "day", "sharing", "sharing"]) == [
        ("time", "day"),
        ("day", "sharing"),
    ]


def test_what_is_said_twice_is_searched_twice():
    assert words.repeated(["a", "b"], ["B", "a", "b"]) == ["a", "b", "b"]
    assert words.repeated(["a"], ["a"] * 9) == ["a"] * words.REPEATED
