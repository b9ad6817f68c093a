"""What happened, in pages: from either end nothing is left out and nothing comes twice, wherever a page ends."""

import contextlib
import sqlite3
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsfs.history.entries import Entry
from lsfs.history.happenings import happenings, place
from lsfs.history.past import Past
from lsfs.history.store import HISTORY


def past(rows):
    """The past of rows: (parent, name, source, born, died, gone)."""
    database = sqlite3.connect(":memory:")
    database.executescript("create table meta (key text primary key, value) without rowid;" + HISTORY)
    for parent, name, source, born, died, gone in rows:
        database.execute(
            "insert into entry (parent, name, mode, uid, gid, size, mtime_ns, ctime_ns, ino, source, indexed, born, died, gone)"
            " values (?, ?, 33188, 0, 0, 1, 1, 1, 1, ?, 1, ?, ?, ?)",
            (parent, name, source, born, died, gone),
        )
    made = Past.__new__(Past)
    made.database = database
    return made


def pages(of, first, last, path, most, newest):
    after, until, found = place(first), place(last), []
    while until is not None and after is not None:
        page, rest = happenings(of, after, until, path, most, newest=newest)
        found.append(page)
        after, until = (after, rest) if newest else (rest, until)
    return [one for page in (reversed(found) if newest else found) for one in page]


def told(one):
    return one.row.id, one.ended


@st.composite
def histories(draw):
    """Files at a few paths, one after the other at each; of many of them the rows begin or end in one commit."""
    rows = []
    for number in range(draw(st.integers(1, 12))):
        times = sorted(set(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))))
        for born, died in zip(times, [*times[1:], draw(st.sampled_from([None, 7]))], strict=True):
            rows.append((draw(st.sampled_from([b"a"])), b"%d" % number, None, born, died, int(died == 7)))
    return rows


@given(histories(), st.integers(1, 9), st.booleans(), st.sampled_from([b"", b"a", b"a/1"]), st.integers(0, 3))
def test_pages_have_everything_once(rows, most, newest, path, first):
    with contextlib.closing((of := past(rows)).database):
        whole, rest = happenings(of, place(first), place(7), path, 1_000, newest=newest)
        assert rest is None
        found = pages(of, first, 7, path, most, newest)
        assert Counter(map(told, found)) == Counter(map(told, whole)) and len(set(map(told, found))) == len(
            found
        )
        assert [one.sequence for one in found] == sorted(one.sequence for one in found)


@pytest.mark.parametrize("newest", [True, False])
@pytest.mark.parametrize("path", [b"", b"a"])
def test_what_somebody_watches_is_found_by_an_index(newest, path):
    """Neither all rows are read nor are any sorted: a commit of one file in a history of a million costs one row."""
    of = past([])
    asked = []

    class Explained:
        def execute(self, query, values=()):
            asked.append([row[3] for row in database.execute("explain query plan " + query, values)])
            return database.execute(query, values)

    database = of.database
    of.database = Explained()
    with contextlib.closing(database):
        happenings(of, place(1), place(2), path, 10, newest=newest)
    assert [plan[0].split("(")[0] for plan in asked] == [
        "SEARCH entry USING INDEX entry_born ",
        "SEARCH entry USING INDEX entry_died ",
    ]
    assert not [step for plan in asked for step in plan if "SCAN" in step or "TEMP" in step]


def test_a_rename_is_told_where_it_went_from_where_it_left():
    of = past([(b"a", b"x", None, 1, 2, 0), (b"b", b"y", 1, 2, None, 0)])
    with contextlib.closing(of.database):
        (began, left), _ = happenings(of, place(0), place(2), b"a", 10, newest=True)
        assert (began.row.path, began.ended) == (b"a/x", False)
        assert left.ended and isinstance(left.after, Entry) and left.after.path == b"b/y"
        everywhere, _ = happenings(of, place(1), place(2), b"", 10, newest=True)
        assert [(one.row.path, one.before and one.before.path) for one in everywhere] == [(b"b/y", b"a/x")]
