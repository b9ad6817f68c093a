"""when: an ISO 8601 prefix as the span of time that it names.

`2025` is that year, `2026-03` that month, `2026-03-01`, `2026-03-01T10`, `…T10:30`, `…T10:30:15` the day, hour, minute, second. A zone may
follow a time (`Z`, `+02:00`); without one it is local. `after:X` means from the start of X on (inclusive), `before:X` means strictly
before the start of X: `after:2025` finds what was written in 2025 and later, `after:2025 before:2026` what was written in 2025.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone

_PREFIX = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[Tt ](?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPANS = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}


def when(text: str) -> tuple[int, int]:
    """(first, end) of the time that `text` names, in ns since the epoch, end exclusive. ValueError when it names none."""
    match = _PREFIX.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no date (write 2026, 2026-03, 2026-03-01 or 2026-03-01T10:30)")
    part = match.groupdict()
    year, month, day = (int(part[name] or 1) for name in ("year", "month", "day"))
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    try:
        first = datetime(year, month, day, hour, minute, second, tzinfo=_zone(part["zone"]))
        return _span(first, part)
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range") from error


def shown(seconds: float) -> str:
    """A time that something happened at, in local ISO 8601, rounded up: as `at/<time>` it shows that it has happened."""
    micro = math.floor(seconds * 1e6) + 1
    moment = datetime.fromtimestamp(micro // 10**6) + timedelta(microseconds=micro % 10**6)
    return moment.isoformat(timespec="microseconds")


def _span(first: datetime, part: dict[str, str | None]) -> tuple[int, int]:
    finest = next(name for name in ("second", "minute", "hour", "day", "month", "year") if part[name])
    if finest == "second" and part["fraction"]:
        digits = part["fraction"]
        start = _nanoseconds(first) + int(digits.ljust(9, "0"))
        return start, start + 10 ** (9 - len(digits))
    start = _nanoseconds(first)
    if finest == "year":
        following = first.replace(year=first.year + 1)
    elif finest == "month":
        following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    else:
        following = first + _SPANS[finest]
    # A local hour that the clocks skip has no length of its own: it still means the hour that follows.
    return start, max(_nanoseconds(following), start + 1_000_000_000)


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _nanoseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1) * 1000
