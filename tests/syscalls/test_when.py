"""ISO 8601 prefixes as spans of time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syscalls.when import when

NS = 1_000_000_000


def ns(moment):
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


@given(st.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1)), st.sampled_from([4, 7, 10, 13, 16, 19]))
def test_a_moment_lies_in_each_of_its_prefixes(moment, length):
    first, end = when(moment.isoformat()[:length] + ("Z" if length > 10 else ""))
    inside = ns(moment.replace(tzinfo=UTC) if length > 10 else moment)
    assert first <= inside < end


@given(st.text(max_size=12))
def test_what_is_no_date_is_a_value_error(text):
    try:
        first, end = when(text)
    except ValueError:
        return
    assert first < end


@pytest.mark.parametrize(
    ("text", "first", "length"),
    [
        ("2026-03-01T10:30:15Z", datetime(2026, 3, 1, 10, 30, 15, tzinfo=UTC), NS),
        ("2026-03-01T10:30+02:00", datetime(2026, 3, 1, 8, 30, tzinfo=UTC), 60 * NS),
        ("2026-03-01T10-0530", datetime(2026, 3, 1, 15, 30, tzinfo=UTC), 3600 * NS),
        ("2026-03-01T10:30:15.5Z", datetime(2026, 3, 1, 10, 30, 15, 500_000, tzinfo=UTC), NS // 10),
    ],
)
def test_zones_and_fractions_are_understood(text, first, length):
    assert when(text) == (ns(first), ns(first) + length)


@pytest.mark.parametrize(
    "text",
    ["banana", "", "26", "2026-13", "2026-02-30", "2026-1", "2026-03-01T25", "20260301", "2026-W09", "9999"],
)
def test_other_spellings_are_not_guessed(text):
    with pytest.raises(ValueError):
        when(text)
