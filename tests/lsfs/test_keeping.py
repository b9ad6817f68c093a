"""Retention: what is kept reads the same for ever, and what is not leaves nothing behind."""

import datetime
import os
import pathlib
import tempfile
import time
import types

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger import DAY, HOUR, START, Ledger, random_history

from lsfs.history.chain import GENESIS, link, sum_of
from lsfs.history.keeper import Keeper
from lsfs.history.keeping import Kept, Leaps, Retention, ends, kept_sequences, since
from lsfs.history.objects import prepare
from lsfs.history.past import Snapshot


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path)
    yield made
    made.end()


class Listed:
    """Moments, as a list of (sequence, at)."""

    def __init__(self, moments):
        self.moments = moments

    def first(self):
        return self.moments[0][1] if self.moments else None

    def before(self, at):
        return max((sequence for sequence, when in self.moments if when < at), default=None)

    def upto(self, sequence):
        return max((known for known, _ in self.moments if known <= sequence), default=None)


def local(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def hourly(first: str, hours: int) -> Listed:
    begin = local(first)
    return Listed([(number, begin + number * HOUR) for number in range(1, hours + 1)])


DEFAULT = Retention(7 * DAY, 30 * DAY)


def test_a_week_is_kept_whole_then_days_then_weeks():
    moments = hourly("2026-01-01T00:30", 100 * 24)
    now = moments.moments[-1][1]
    kept = kept_sequences(moments, now, DEFAULT, ())
    times = {sequence: datetime.datetime.fromtimestamp(at) for sequence, at in moments.moments}
    assert times[kept.floor] == times[2400] - datetime.timedelta(days=7, hours=1)
    older = [times[sequence] for sequence in kept.sequences]
    assert all(when.hour == 23 for when in older)
    daily = [when for when in older if when >= times[2400] - datetime.timedelta(days=37)]
    assert len(daily) == 29  # the thirtieth is the one with which the week begins
    weekly = [when for when in older if when not in daily]
    assert len(weekly) == 9 and all(when.weekday() == 6 for when in weekly)


def test_named_snapshots_are_kept_for_ever_and_automatic_ones_like_any_sequence():
    moments = hourly("2020-01-01T00:30", 60 * 24)
    kept = kept_sequences(
        moments,
        local("2026-01-01"),
        DEFAULT,
        (Snapshot(b"mine", 100, 0.0, False), Snapshot(b"ours", 200, 0.0, True)),
    )
    assert 100 in kept and 200 not in kept


def test_what_is_there_now_is_kept_however_old_it_is():
    moments = hourly("2020-01-01T00:30", 48)
    kept = kept_sequences(moments, local("2026-01-01"), DEFAULT, ())
    assert kept.floor == 48 and kept.sees(3, None) and not kept.sees(3, 7)


def test_history_that_is_younger_than_a_week_is_kept_whole():
    moments = hourly("2026-01-01T00:30", 48)
    assert kept_sequences(moments, local("2026-01-04"), DEFAULT, ()) == Kept((), 0)


def test_days_are_those_of_the_place_where_a_night_may_have_25_hours(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        found = list(ends(local("2026-10-20"), local("2026-10-30T12:00"), local("2026-10-20")))
        assert [datetime.datetime.fromtimestamp(end).hour for end in found] == [0] * len(found)
        assert {round((one - other) / HOUR) for one, other in zip(found, found[1:], strict=False)} == {24, 25}
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_a_clock_that_leaps_ahead_is_believed_after_an_hour_and_one_that_is_right_at_once():
    leaps = Leaps(START, 100.0)
    assert not leaps.ahead(START + HOUR, 100.0 + HOUR)
    assert not leaps.ahead(START + 40 * DAY, 100.0 + 40 * DAY)  # all clocks went on
    year = START + 400 * DAY
    steady = 100.0 + 40 * DAY + 30
    assert leaps.ahead(year, steady) > 359 * DAY
    assert leaps.ahead(year + HOUR - 1, steady + HOUR - 1)
    assert not leaps.ahead(START + 40 * DAY + 2 * HOUR, 100.0 + 40 * DAY + 2 * HOUR)  # it was set right
    assert leaps.ahead(year, steady + 3 * HOUR)  # and the hour begins anew
    assert leaps.ahead(year + 90 * DAY, steady + 4 * HOUR - 1)  # as it does when it leaps again
    assert leaps.ahead(year + 90 * DAY, steady + 4 * HOUR + 1)
    assert not leaps.ahead(year + 90 * DAY + HOUR, steady + 5 * HOUR)


def test_a_pause_before_a_mount_waits_an_hour_too_and_a_first_mount_or_a_clock_set_back_does_not():
    leaps = Leaps(START, 100.0)
    assert leaps.ahead(START + 8 * DAY, 101.0)
    assert not leaps.ahead(START + 8 * DAY + HOUR, 101.0 + HOUR)
    assert not Leaps(None, 100.0).ahead(START, 100.0)
    leaps = Leaps(START, 100.0)
    assert not leaps.ahead(START - 400 * DAY, 101.0)
    assert not leaps.ahead(START + DAY / 2 - 400 * DAY, 101.0)


@given(st.floats(0, 4e9), st.floats(1, 1e12), st.floats(1, 1e12), st.floats(0, 4e9))
@settings(max_examples=50, deadline=None)
def test_no_setting_and_no_clock_makes_the_policy_fail(first, keep_all, keep_daily, now):
    found = list(ends(first, now - keep_all, now - keep_all - keep_daily))
    assert found == sorted(found, reverse=True)


@given(st.lists(st.integers(1, 50)), st.integers(0, 50), st.integers(0, 50), st.integers(1, 20))
def test_a_row_is_kept_exactly_when_a_kept_sequence_shows_it(chosen, floor, born, length):
    kept = since(floor, chosen)
    shown = [s for s in range(80) if (s >= floor or s in kept.sequences) and born <= s < born + length]
    assert kept.sees(born, born + length) == bool(shown)


# In a store -----------------------------------------------------------------------------------------------------------


def check_chain(ledger):
    chain = GENESIS
    for sequence, at, sum, link_, pruned in ledger.database.execute(
        "select sequence, at, sum, chain, pruned from moment order by sequence"
    ).fetchall():
        chain = link(chain, sequence, at, sum)
        assert chain == link_
        if not pruned & 1:
            assert sum_of(ledger.database, sequence) == sum


def nothing_dangles(ledger):
    one = lambda query: ledger.database.execute(query).fetchone()[0]  # noqa: E731
    assert not one("select count(*) from entry where content not in (select id from content)")
    assert not one("select count(*) from entry where source not in (select id from entry)")
    assert not one(
        "select count(*) from content where digest is not null and digest not in (select digest from object)"
    )
    assert not one(
        "select count(*) from object where digest not in (select digest from content where digest is not null)"
    )


def readable(ledger, sequence):
    try:
        return ledger.tree(sequence)
    except Exception as error:  # a content that nobody captured and that is gone
        return type(error)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 1 << 32),
    parts=st.lists(st.integers(5, 25), min_size=1, max_size=3),
    quota=st.booleans(),
)
def test_what_is_kept_reads_the_same_before_and_after(seed, parts, quota):
    with tempfile.TemporaryDirectory() as root:
        ledger = Ledger(pathlib.Path(root))
        try:
            for part in parts:
                random_history(ledger, seed, part)
                seed += 1
                kept = ledger.due(3 * DAY, 10 * DAY)
                if quota and ledger.collection.oldest(1 / 64):
                    kept = ledger.collection.without(ledger.collection.oldest(1 / 64))
                named = [
                    row[0]
                    for row in ledger.database.execute("select sequence from snapshot where automatic = 0")
                ]
                sequences = (
                    {s for s in ledger.sequences() if s in kept} | set(named) | {ledger.catalogue.sequence}
                )
                before = {sequence: readable(ledger, sequence) for sequence in sequences}
                ledger.collect(kept)
                assert {sequence: readable(ledger, sequence) for sequence in sequences} == before
                shown = {
                    row[0]
                    for row in ledger.database.execute("select sequence from moment where pruned & 2 = 0")
                }
                assert shown == {s for s in ledger.sequences() if s in kept}
                check_chain(ledger)
                nothing_dangles(ledger)
        finally:
            ledger.end()


def test_a_time_in_the_past_leads_to_a_sequence_that_can_be_shown(ledger):
    for number in range(40):
        ledger.write("a.md", f"version {number}")
        ledger.clock += 12 * HOUR
    ledger.collect()
    for days in range(20):
        sequence = ledger.past.at(START + days * DAY)
        if sequence is not None:
            assert ledger.tree(sequence)[b"a.md"]


def test_the_history_of_a_renamed_file_goes_on_across_what_was_collected(ledger):
    ledger.write("old.md", "one")
    ledger.snapshot("first")
    ledger.write("old.md", "two")
    ledger.rename("old.md", "middle.md")
    ledger.rename("middle.md", "new.md")
    ledger.write("new.md", "three")
    ledger.clock += 400 * DAY
    ledger.write("other.md", "x")
    ledger.collect()
    contents = [ledger.past.whole(version.last) for version in ledger.past.versions(b"new.md")]
    assert contents == [b"one", b"three"]


def test_large_contents_give_their_room_back(ledger):
    data = os.urandom(3 << 20)
    ledger.write("big", data)
    assert list(ledger.objects.packs.iterdir())
    ledger.write("big", data[: 2 << 20] + os.urandom(1 << 20))
    ledger.write("big", b"small")
    ledger.write("other", b"other")
    ledger.clock += 400 * DAY
    ledger.collect()
    assert not list(ledger.objects.packs.iterdir()) and not ledger.count("chunk")
    assert ledger.count("object") == 2


def test_what_was_to_be_given_back_when_a_kill_came_is_given_back_later(ledger, monkeypatch):
    ledger.write("big", os.urandom(1 << 20))
    ledger.write("big", b"small")
    ledger.write("other", b"other")
    ledger.clock += 400 * DAY
    with monkeypatch.context() as patched:
        patched.setattr(ledger.objects, "discard", lambda names: (_ for _ in ()).throw(OSError("killed")))
        with pytest.raises(OSError):
            ledger.collect()
    assert list(ledger.objects.packs.iterdir())
    ledger.collect()
    assert not list(ledger.objects.packs.iterdir())


def test_a_content_that_lost_its_rows_lately_stays_for_a_day(ledger):
    ledger.write("a.md", "one")
    cell = ledger.entries.row(b"a.md").content
    ledger.write("b.md", "two")
    with ledger.catalogue.transaction():
        ledger.entries.coalesce(ledger.entries.row(b"a.md"))
    ledger.clock += HOUR
    ledger.write("b.md", "three")
    ledger.collect(grace=DAY)
    assert ledger.entries.digest(cell)
    ledger.clock += 2 * DAY
    ledger.write("b.md", "four")
    ledger.collect(grace=DAY)
    assert ledger.entries.digest(cell) is None


def test_a_content_that_is_captured_while_it_is_collected_leaves_nothing_behind(ledger):
    for number in range(3):
        ledger.write(f"{number}.md", f"content {number}", capture=False)
        with ledger.catalogue.transaction():
            ledger.entries.coalesce(ledger.entries.row(b"%d.md" % number))
    ledger.write("last.md", "x")
    steps = ledger.collection.steps(ledger.due(), grace=0.0, now=ledger.clock)
    seen = ledger.collection._remove_cells

    def captured_meanwhile(cells):
        with ledger.catalogue.transaction():
            content = prepare(b"late")
            ledger.objects.put(content)
            ledger.entries.recorded(cells[0], content.digest)
        seen(cells)

    ledger.collection._remove_cells = captured_meanwhile
    list(steps)
    check_chain(ledger)
    nothing_dangles(ledger)


def test_the_names_that_lsfs_gave_go_with_their_time(ledger):
    ledger.write("a.md", "one")
    ledger.snapshot("before a rollback", automatic=True)
    ledger.snapshot("mine")
    ledger.write("a.md", "two")
    ledger.snapshot("before another", automatic=True)
    ledger.clock += 400 * DAY
    ledger.write("a.md", "three")
    assert (
        ledger.collect() == []
    )  # what the second one names is what a week ended with; the first one is mine, too
    ledger.database.execute("delete from snapshot where name = 'mine' or name = X'6d696e65'")
    ledger.write("a.md", "four")
    ledger.clock += 8 * DAY
    ledger.write("a.md", "five")
    assert ledger.collect() == [b"before a rollback"]


def test_the_words_of_paths_without_a_row_are_forgotten(ledger):
    ledger.write("plan.md", "x")
    ledger.remove("plan.md")
    ledger.write("kept.md", "x")
    assert ledger.count("dead_path") == 1
    ledger.clock += 400 * DAY
    ledger.write("other.md", "x")
    ledger.write("last.md", "x")
    ledger.collect()
    assert not ledger.count("dead_path")
    assert not ledger.database.execute(
        "select * from dead_path_words where dead_path_words match 'plan'"
    ).fetchall()


def test_nothing_is_collected_while_a_rollback_is_under_way(ledger):
    ledger.write("a.md", "one")
    ledger.write("a.md", "two")
    ledger.write("b.md", "x")
    ledger.clock += 400 * DAY
    ledger.database.execute("insert into redo (kind, path, step) values ('write', X'61', X'')")
    rows = ledger.count("entry")
    ledger.collect()
    assert ledger.count("entry") == rows


def test_the_oldest_goes_first_until_the_quota_is_kept_and_names_stay(ledger):
    for number in range(60):
        ledger.write("a.bin", os.urandom(20_000))
        ledger.clock += 60
        if number == 3:
            named = ledger.snapshot("mine")
            seen = ledger.tree(named)
    before, rounds = ledger.collection.used(), 0
    while ledger.collection.used() > 500_000:
        floor = ledger.collection.oldest(1 / 64)
        assert floor is not None
        ledger.collect(ledger.collection.without(floor))
        rounds += 1
    assert 10 < rounds < 60 and ledger.collection.used() < before / 2
    assert ledger.tree(named) == seen
    while ledger.collection.shrink():
        pass
    ledger.database.execute("pragma wal_checkpoint(truncate)")
    assert (ledger.path / "history.db").stat().st_size < 1_800_000
    while (floor := ledger.collection.oldest(1 / 64)) is not None:
        ledger.collect(ledger.collection.without(floor))
    assert ledger.tree(named) == seen and ledger.tree(ledger.catalogue.sequence)
    assert ledger.count("object") == 2
    check_chain(ledger)


def test_a_clock_a_year_ahead_thins_nothing_and_the_keeper_says_so(ledger, monkeypatch):
    for number in range(20):
        ledger.write("a.md", f"version {number}")
        ledger.clock += HOUR
    rows, steady = ledger.count("entry"), [1000.0]
    monkeypatch.setattr(time, "time", lambda: ledger.clock)
    monkeypatch.setattr(time, "clock_gettime", lambda which: steady[0])

    async def in_thread(call, *arguments):
        return call(*arguments)

    async def main():
        keeper = Keeper(
            ledger.collection,
            types.SimpleNamespace(chunks=trio.Lock()),
            Retention(7 * DAY, 30 * DAY),
            1 << 40,
            print,
        )
        keeper.follow = types.SimpleNamespace(in_thread=in_thread, scanning=False)
        await keeper.weigh(0)
        assert keeper.trouble is None and ledger.collection.last() == ledger.clock
        ledger.clock += 365 * DAY
        steady[0] += 30
        await keeper.weigh(0)
        assert ledger.count("entry") == rows and "went ahead by 365 days" in keeper.trouble
        ledger.clock -= 365 * DAY
        steady[0] += 30
        await keeper.weigh(0)
        await keeper.collect()
        assert ledger.count("entry") == rows and keeper.trouble is None
        ledger.clock += 365 * DAY
        ledger.write("b.md", "x")
        await keeper.weigh(0)
        ledger.clock += HOUR
        steady[0] += HOUR
        await keeper.weigh(0)
        assert ledger.count("entry") < rows and keeper.trouble is None

    trio.run(main)
