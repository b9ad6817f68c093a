"""confidence: low where nothing fits, whatever was in use; and said so."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsfs.index.fusion import WEIGHTS
from syscalls.confidence import (
    BOTH,
    FAR,
    FEW_WORDS,
    LOW,
    MEANING,
    NO_WORD,
    SIGNALS,
    WORDS,
    confidence,
    doubt,
    narrowed,
    of_answer,
)
from syscalls.prompt import parse
from syscalls.values import Hit, Results

BY_WORDS = ("words", "near", "context", "path", "speaker")
BY_BOTH = (*BY_WORDS, "meaning")
PARTS = st.dictionaries(st.sampled_from(SIGNALS), st.floats(0, 1), max_size=len(SIGNALS))


def hits(*parts):
    return tuple(Hit(b"%d.md" % number, 0.5, one) for number, one in enumerate(parts))


def answer(signals, *parts, text="lost phone"):
    found, prompt = hits(*parts), parse(text)
    return Results(prompt, b"", found, 1, 0, "used", 1.0, signals, of_answer(prompt, found, signals))


def test_the_signals_are_those_of_fusion_in_their_order():
    assert tuple(WEIGHTS) == SIGNALS
    for by in (BOTH, WORDS, MEANING):
        assert set(by) - {"bias"} <= set(SIGNALS) and "bias" in by


@given(st.lists(PARTS, max_size=4), st.sets(st.sampled_from(SIGNALS)))
def test_it_lies_between_0_and_1_whatever_is_in_use(parts, signals):
    assert 0.0 <= confidence(hits(*parts), signals) <= 1.0


@pytest.mark.parametrize(
    ("signals", "good", "bad"),
    [
        (BY_BOTH, {"words": 0.7, "meaning": 0.6}, {"words": 0.2, "meaning": 0.15}),
        (BY_BOTH, {"meaning": 0.8}, {"meaning": 0.1}),
        (BY_WORDS, {"words": 0.8}, {"words": 0.15}),
        (("meaning",), {"meaning": 0.7}, {"meaning": 0.1}),
        ((*BY_BOTH, "name"), {"words": 0.6, "meaning": 0.3, "name": 1.0}, {"words": 0.1, "meaning": 0.1}),
    ],
)
def test_it_is_low_where_nothing_fits_and_not_for_want_of_a_signal(signals, good, bad):
    assert confidence(hits(bad, bad), signals) < LOW < 0.5 < confidence(hits(bad, good), signals)


def test_the_strongest_hit_counts_wherever_it_stands_and_how_many_there_are_does_not():
    good, bad = {"words": 0.7, "meaning": 0.6}, {"words": 0.1, "meaning": 0.1}
    assert confidence(hits(good), BY_BOTH) == confidence(hits(bad, bad, good, bad), BY_BOTH)


def test_what_was_not_in_use_does_not_count():
    parts = {"words": 0.6, "meaning": 0.6, "name": 1.0}
    assert confidence(hits(parts), ("meaning",)) == confidence(hits({"meaning": 0.6}), ("meaning",))


def test_as_long_as_nothing_is_embedded_words_alone_are_believed():
    parts = {"words": 0.7, "meaning": 0.0}
    assert confidence(hits(parts), BY_BOTH) == confidence(hits(parts), BY_WORDS) > LOW


def test_where_nothing_was_ranked_there_is_none_and_where_nothing_was_found_it_is_0():
    for text in ("type:md", '"lost phone"', "lost AND phone"):
        assert of_answer(parse(text), hits({}), ()) is None
        assert of_answer(parse(text), (), ()) is None
    assert of_answer(parse('"lost phone"'), hits({"words": 0.5}), BY_WORDS) is None
    assert of_answer(parse("lost phone"), hits({}), ()) is None
    assert of_answer(parse("lost phone"), (), ()) == 0.0


@pytest.mark.parametrize(
    ("signals", "parts", "why"),
    [
        (BY_BOTH, {"meaning": 0.1}, f"{NO_WORD}, and {FAR}."),
        (BY_BOTH, {"words": 0.1, "meaning": 0.1}, f"{FEW_WORDS}, and {FAR}."),
        (BY_BOTH, {"path": 1.0, "meaning": 0.1}, f"{FEW_WORDS}, and {FAR}."),
        (BY_WORDS, {"words": 0.1}, f"{FEW_WORDS}."),
        (("meaning",), {"meaning": 0.1}, f"{FAR}."),
    ],
)
def test_a_doubt_says_why(signals, parts, why):
    assert doubt(answer(signals, parts)).endswith(f": {why}")


def test_there_is_no_doubt_of_what_fits_of_nothing_and_of_a_condition():
    assert doubt(answer(BY_BOTH, {"words": 0.7, "meaning": 0.6})) == ""
    assert doubt(answer(BY_BOTH)) == ""
    assert doubt(answer((), {}, text="type:md")) == ""


def test_what_is_left_of_an_answer_says_nothing_of_the_rest():
    whole = answer(
        (*BY_BOTH, "name"), {"words": 0.7, "meaning": 0.6, "name": 1.0}, {"words": 0.1, "meaning": 0.1}
    )
    left = narrowed(whole, whole.hits[1:])
    assert left == replace(answer(BY_BOTH, {}, {"words": 0.1, "meaning": 0.1}), hits=whole.hits[1:])
    assert left.confidence < LOW < whole.confidence
    assert narrowed(answer((), {}, {}, text="type:md"), ()).confidence is None
