"""pace: a rate is that of the last minute, and a time left is said only where something moves."""

import math

from hypothesis import given
from hypothesis import strategies as st

from lsfs.pace import LEAST, LONGEST, STILL, WINDOW, Pace, left, progress

STEPS = st.lists(st.tuples(st.floats(0, 100), st.integers(-1, 10_000)), max_size=150)
RATES = st.none() | st.floats(0, 1e9)
COUNTS = st.integers(0, 10**9)


def paced(count, every, steps, start=1000.0):
    pace = Pace()
    for n in range(steps):
        pace.add(count, start + n * every)
    return pace, start + (steps - 1) * every


def test_an_even_work_has_its_rate():
    for every in (0.01, 0.3, 2.0, 20.0):
        pace, now = paced(6, every, 1000)
        assert math.isclose(pace.rate(now), 6 / every)


def test_the_rate_is_that_of_the_last_minute():
    pace, now = paced(1000, 0.5, 400)
    for n in range(1, 200):
        pace.add(1, now + n / 2)
    assert math.isclose(pace.rate(now + 99.5), 2, rel_tol=0.02)


def test_there_is_none_in_the_first_seconds_and_after_a_standstill():
    pace, now = paced(5, 1.0, 3)
    assert pace.rate(now) is None and Pace().rate(now) is None
    pace, now = paced(5, 1.0, 100)
    assert pace.rate(now + STILL) < 5 and pace.rate(now + STILL + 1) is None
    pace.add(5, now + STILL + 1)
    assert pace.rate(now + STILL + 1) is None, "what was before a pause says nothing of what comes after it"
    for n in range(1, 20):
        pace.add(7, now + STILL + 1 + n)
    assert math.isclose(pace.rate(now + STILL + 20), 7)


@given(STEPS, st.floats(0, 200))
def test_a_rate_is_never_negative_nor_above_what_was_done(steps, later):
    pace, now, done = Pace(), 0.0, 0
    for pause, count in steps:
        now += pause
        pace.add(count, now)
        done += max(0, count)
    rate = pace.rate(now + later)
    assert rate is None or 0 < rate <= done / LEAST
    assert len(pace._steps) <= WINDOW + 4


@given(STEPS, st.floats(0, STILL), st.floats(0, STILL))
def test_a_rate_only_sinks_while_nothing_moves(steps, one, other):
    pace, now = Pace(), 0.0
    for pause, count in steps:
        now += pause
        pace.add(count, now)
    early, late = (pace.rate(now + later) for later in sorted((one, other)))
    assert early is None or late is None or late <= early


@given(COUNTS, RATES)
def test_a_time_left_is_right_or_not_said(rest, rate):
    said = left(rest, rate)
    if rest == 0:
        assert said == 0
    elif said is not None:
        assert (
            0 < said <= LONGEST
            and (said - 1) * rate <= rest * (1 + 1e-9)
            and rest <= said * rate * (1 + 1e-9)
        )
    else:
        assert not rate or rest / rate > LONGEST * (1 - 1e-9)


@given(
    *(COUNTS, COUNTS, RATES),
    st.just({})
    | st.fixed_dictionaries(dict.fromkeys(("waiting", "embedded", "contents", "unbegun"), COUNTS)),
    *(RATES, st.booleans(), st.booleans()),
)
def test_no_tier_has_more_done_than_there_is(files, unread, reading, stats, embedding, meaning, scanning):
    found = progress(files, unread, reading, stats, embedding, meaning, scanning)
    tiers = [tier for key, tier in found.items() if key != "left" and tier]
    assert all(0 <= tier["done"] <= tier["whole"] for tier in tiers)
    lefts = [tier["left"] for tier in tiers if "left" in tier]
    assert all(said is None or 0 <= said <= LONGEST for said in lefts)
    assert found["left"] is None or found["left"] == max(lefts)
    assert not (scanning and any(said is not None for said in lefts))
    assert meaning or found["first"] is found["passages"] is None


def test_files_that_were_not_read_are_expected_to_have_as_many_passages_as_others():
    stats = {"contents": 90, "waiting": 200, "embedded": 100, "unbegun": 30}
    found = progress(400, 300, 10.0, stats, 2.0, meaning=True, scanning=False)
    assert found["files"] == {"done": 100, "whole": 400, "rate": 10.0, "left": 30}
    assert found["first"] == {"done": 60, "whole": 90}
    assert found["passages"] == {"done": 100, "whole": 300, "rate": 2.0, "left": (200 + 900) // 2}
    assert found["left"] == 550


def test_nobody_knows_how_long_meaning_takes_before_it_has_begun():
    assert progress(9, 4, 1.0, {}, None, meaning=True, scanning=False)["left"] is None
    assert progress(9, 4, 1.0, {}, None, meaning=False, scanning=False)["left"] == 4
