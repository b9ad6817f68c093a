"""locked: the words about a lock: for a person, in the attribute user.lsfs.lock, and in what is refused.

    alice until 2026-11-28T18:00:00+01:00: final version
    alice until unlocked
    alice until unlocked (with files/papers): final version      the folder is locked, and so all that is in it

What is written to that attribute is a duration, a time or nothing, and a reason behind `: ` if there is one. What the mount itself says is
not meant by anybody: cp -a writes it to the copy.
"""

import re
from datetime import datetime
from typing import Any

from syscalls.arguments import duration
from syscalls.errors import InvalidArgument, NotPermitted
from syscalls.options import shown
from syscalls.permission import name_of
from syscalls.values import Lock
from syscalls.when import when

ATTRIBUTE = b"user.lsfs.lock"
LONGEST = 500  # characters of a reason
LAST = 250_000_000_000.0  # seconds: the year 9892; later ones cannot be said in every zone

# Nothing in it is tried twice: anybody may write a value of 64 KiB.
_TOLD = re.compile(
    r"(?! )(?:(?! until ).)+ until (?:unlocked|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d)(?:(?: \(with |: ).*)?",
    re.DOTALL,
)


def told(lock: Lock, above: bytes | None = None) -> str:
    """A lock, on one line; `above`: the folder that is locked, where it is not the thing itself."""
    until = "unlocked" if lock.until is None else moment(lock.until)
    return (
        f"{name_of(lock.uid)} until {until}{f' (with {shown(above)})' if above is not None else ''}"
        f"{f': {lock.why}' if lock.why else ''}"
    )


def moment(seconds: float) -> str:
    """A time, local, with its zone."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


def meant(value: bytes, now: float) -> tuple[float | None, str] | None:
    """Until when, and what for, as the attribute is written; None for what the mount itself says. Raises InvalidArgument."""
    text = value.rstrip(b"\0").decode("utf-8", "surrogateescape").strip()
    if _TOLD.fullmatch(text):
        return None
    span, _, why = (text + " ").partition(": ") if not text.startswith(":") else ("", "", text[1:])
    span = span.strip()
    if not span:
        return None, reason(why)
    try:
        until = now + duration(span)
    except ValueError:
        try:
            until = when(span)[0] / 1e9
        except ValueError:
            raise InvalidArgument(
                f"{ATTRIBUTE.decode()} takes a duration (2h, 3d), a time (2026-12-01T18:00), or nothing for a lock without an end;"
                f" {span[:40]!r} is neither."
            ) from None
    return end(until, now), reason(why)


def end(until: float, now: float) -> float:
    """A time at which a lock may end. Raises InvalidArgument for one that is over, or too far."""
    if until <= now:
        raise InvalidArgument("That time is over; give one to come, or a duration: 2h, 3d.")
    if until > LAST:
        raise InvalidArgument("So late a time cannot be told; a lock without one holds until it is unlocked.")
    return until


def reason(text: str) -> str:
    """A reason on one line. Raises InvalidArgument where it is too long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if len(line) > LONGEST:
        raise InvalidArgument(f"A reason has {LONGEST} characters at most; say more in a file.")
    return line


def refusal(path: bytes, lock: Lock, *, named: bool = True) -> NotPermitted:
    """What is said to who would change it; not `named`: to who may not know what is there."""
    if not named:
        return NotPermitted("Something of it is locked, which you may not read; ask its owner.")
    return NotPermitted(
        f"{shown(path)} is locked by {told(lock).rstrip('.')}; `lsfs unlock` ends that for who may."
    )


def as_dict(path: bytes, lock: Lock) -> dict[str, Any]:
    """A lock for programs."""
    return {
        "path": shown(path),
        "by": name_of(lock.uid),
        "uid": lock.uid,
        "since": lock.since,
        "until": lock.until,
        "why": lock.why,
    }
