"""keeping: which moments of the past are kept, and for how long.

    the last keep_all       every sequence
    keep_daily before that  the last sequence of each day
    all before that         the last sequence of each week, which ends on Sunday
    snapshots               the sequence of each, for ever; those that lsfs took itself count as any sequence does

Days and weeks are those of the machine's time zone. The policy is pure: `lsfs.history.collect` asks it, and removes what no kept sequence
sees. A sequence that was given up is never chosen again (a clock or a time zone that changes would bring back half a tree), so `Moments`
tells only of those that can still be shown.

What went is gone for good, so the time of day is believed only when it goes as other clocks go: `Leaps`.
"""

import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple, Protocol

from lsfs.history.past import Snapshot

EPOCH = 86400.0  # seconds: there is no time before the first day of all that some zone could not read
LEAP = 86400.0  # seconds by which the time of day may be ahead of what was expected
HELD = 3600.0  # seconds after which it is believed all the same
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


class Retention(NamedTuple):
    """How long, in seconds: `keep_all` and `keep_daily` of lsfs.conf."""

    keep_all: float
    keep_daily: float


class Leaps:
    """Has the time of day gone ahead of itself? A clock that is a year ahead for a moment would thin out all that there is.

    `last` is when old versions were last removed, None where they never were; `steady` is a clock that nobody sets. Set back, the time of
    day is always believed: then more is kept.
    """

    def __init__(self, last: float | None, steady: float) -> None:
        self._offset = None if last is None else last - steady
        self._ahead: tuple[float, float] | None = None
        """Of a time of day that is not believed yet: its offset, and since when it is so."""

    def ahead(self, now: float, steady: float) -> float:
        """By how many seconds `now` is ahead; 0 when it is believed, as it is when it has been so for an hour."""
        offset = now - steady
        if self._offset is not None and offset - self._offset > LEAP:
            if self._ahead is None or abs(offset - self._ahead[0]) > LEAP:
                self._ahead = (offset, steady)
            if steady - self._ahead[1] < HELD:
                return offset - self._offset
        self._offset, self._ahead = offset, None
        return 0.0


class Moments(Protocol):
    """The sequences that did something, and can still be shown."""

    def first(self) -> float | None:
        """When the oldest was; None where there is none."""
        ...

    def before(self, at: float) -> int | None:
        """The last one before a time."""
        ...

    def upto(self, sequence: int) -> int | None:
        """The last one up to a sequence: what can be seen at both is the same."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """Every sequence from `floor` on, and these older ones, ascending."""

    sequences: Sequence[int]
    floor: int

    def sees(self, born: int, died: int | None) -> bool:
        """Is a row that is visible from `born` until `died` visible at a sequence that is kept?"""
        if died is None or died > max(self.floor, born):
            return True
        first = bisect.bisect_left(self.sequences, born)
        return first < len(self.sequences) and self.sequences[first] < died

    def __contains__(self, sequence: int) -> bool:
        return self.sees(sequence, sequence + 1)


def kept_sequences(moments: Moments, now: float, retention: Retention, snapshots: Iterable[Snapshot]) -> Kept:
    """The sequences that are kept at the time `now`."""
    recent = now - retention.keep_all
    floor = moments.before(recent) or 0  # what was there when that time began
    chosen = {moments.before(end) for end in ends(moments.first(), recent, recent - retention.keep_daily)}
    chosen |= {moments.upto(snapshot.sequence) for snapshot in snapshots if not snapshot.automatic}
    return since(floor, chosen)


def since(floor: int, chosen: Iterable[int | None]) -> Kept:
    """All from `floor` on, and what is older of the chosen ones."""
    return Kept(
        tuple(sorted(sequence for sequence in chosen if sequence is not None and sequence < floor)), floor
    )


def ends(first: float | None, recent: float, old: float) -> Iterator[float]:
    """The end of each day between `old` and `recent`, then of each week before that, back to the one that `first` is in."""
    if first is None:
        return
    recent, old = max(recent, EPOCH), max(old, EPOCH)
    day = _midnight(datetime.fromtimestamp(recent).date())
    while (end := day.timestamp()) > old and end > first:
        yield end
        day = _midnight(day.date() - DAY)
    today = datetime.fromtimestamp(min(old, recent)).date()
    monday = _midnight(today - today.weekday() * DAY)
    while (end := monday.timestamp()) > first:
        yield end
        monday = _midnight(monday.date() - WEEK)


def _midnight(day: date) -> datetime:
    """The beginning of a day here: not all days have 24 hours."""
    return datetime.combine(day, time())
