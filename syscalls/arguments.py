"""arguments: the line of a typed call as values: `delete --matching "old drafts"`, `lock plan.md --for 2h`.

A line is split as a shell splits it; what comes after `--` are words. The kinds of a row of `syscalls.table`, and what each gives:

    file      bytes, a path below files/ (with or without `files/` in front; `files` or `.` is all of it: b"")
    prompt    str, a question as below /query          text      str, as it is        name      str, one name without `/`
    number    int, from 1                              duration  float, seconds: 90s, 15m, 2h, 3d, 1w, `2 hours`
    time      int, ns since the epoch: ISO 8601, a prefix is enough
    a|b|c     str, one of these words                  flag      True

A prompt that comes last may be several words.

Pure; used by /ctl, by `lsfs ask` for what it proposes, and by the command line for what it hands on.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from syscalls.errors import InvalidArgument
from syscalls.options import parse, path_of
from syscalls.table import Argument, Call, Option
from syscalls.when import when

JSON = Option("json", "flag", "one JSON object instead of a sentence")
MOST_WORDS = 10_000

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_NAMES = {
    "sec": "s",
    "second": "s",
    "min": "m",
    "minute": "m",
    "hour": "h",
    "hr": "h",
    "day": "d",
    "week": "w",
}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]+)", re.IGNORECASE)


def options_of(call: Call) -> tuple[Option, ...]:
    """Its options, `--json` included."""
    return (*call.options, JSON)


def given(call: Call, text: str) -> dict[str, Any]:
    """What a line gives a typed call: the names of its arguments (as in the table) and of its options -> values. What is not given is
    absent; an argument of many is a tuple. Raises InvalidArgument, with a sentence."""
    options = options_of(call)
    flags = [option.name for option in options if option.kind == "flag"]
    valued = [option.name for option in options if option.kind != "flag"]
    last = call.arguments[-1] if call.arguments else None
    open_ended = last is not None and (last.many or last.kind == "prompt")
    words, named = parse(
        call.word, text, flags=flags, values=valued, most=MOST_WORDS if open_ended else len(call.arguments)
    )
    if last is not None and last.kind == "prompt" and not last.many:  # a question need not be quoted
        before = len(call.arguments) - 1
        words[before:] = [" ".join(words[before:])] if words[before:] else []
    found: dict[str, Any] = {}
    for argument in call.arguments:
        if argument.many:
            if words:
                found[argument.name] = tuple(value(call.word, argument, word) for word in words)
            words = []
        elif words:
            found[argument.name] = value(call.word, argument, words.pop(0))
        if argument.required and argument.name not in found:
            raise InvalidArgument(f"`{call.word}` needs {argument.name}: {argument.help}.")
    kinds = {option.name: option for option in options}
    for name, word in named.items():
        found[name] = True if kinds[name].kind == "flag" else value(call.word, kinds[name], word)
    return found


def value(word: str, of: Argument | Option, text: str) -> Any:
    """One word as the kind of an argument or option says. Raises InvalidArgument, which names what it was meant for."""
    try:
        read = _KINDS.get(of.kind)
        if read is not None:
            return read(text)
        if text in of.kind.split("|"):
            return text
        raise ValueError(f"{text[:40]!r} is none of {', '.join(of.kind.split('|'))}")
    except (ValueError, InvalidArgument) as error:
        dashes = "--" if isinstance(of, Option) else ""
        raise InvalidArgument(f"`{word}` {dashes}{of.name}: {str(error).rstrip('.')}.") from None


def line(call: Call, values: Mapping[str, Any]) -> str:
    """The line that gives a typed call these values: what `given` reads again."""
    words = [call.word]
    for option in options_of(call):
        if option.name in values:
            words.append(f"--{option.name}")
            if option.kind != "flag":
                words.append(_said(option.kind, values[option.name]))
    positional: list[str] = []
    for argument in call.arguments:
        if argument.name in values:
            one = values[argument.name]
            positional += [_said(argument.kind, each) for each in (one if argument.many else (one,))]
    if any(word.startswith("-") for word in positional):
        words.append("--")
    return " ".join([words[0], *(shlex.quote(word) for word in (*words[1:], *positional))])


def duration(text: str) -> float:
    """Seconds of `90s`, `2h`, `1h30m`, `3 days`. Raises ValueError."""
    rest, seconds = text.strip(), 0.0
    if not rest:
        raise ValueError("a duration is a number and a unit: 90s, 15m, 2h, 3d, 1w")
    while rest:
        match = _DURATION.match(rest)
        unit = match and _unit(match[2])
        if match is None or unit is None:
            raise ValueError(f"{text[:40]!r} is no duration; write 90s, 15m, 2h, 3d or 1w")
        seconds += float(match[1]) * _UNITS[unit]
        rest = rest[match.end() :].strip()
    if not 0 < seconds < 1e10:
        raise ValueError(f"{text[:40]!r} is no time that somebody can wait")
    return seconds


def _unit(text: str) -> str | None:
    word = text.lower()
    if word in _UNITS:
        return word
    return _NAMES.get(word) or _NAMES.get(word.removesuffix("s"))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 1 << 31:
        raise ValueError(f"{text[:40]!r} is no number from 1 on")
    return int(text)


def _name(text: str) -> str:
    if (
        not text
        or text in (".", "..")
        or "/" in text
        or "\0" in text
        or len(text.encode("utf-8", "surrogateescape")) > 255
    ):
        raise ValueError("a name has 1 to 255 bytes and no `/`")
    return text


def _prompt(text: str) -> str:
    if not text.strip():
        raise ValueError("a question needs at least one word")
    return " ".join(text.split("\n")).encode("utf-8", "replace").decode()


_KINDS: dict[str, Callable[[str], Any]] = {
    "file": path_of,
    "prompt": _prompt,
    "text": str,
    "name": _name,
    "number": _number,
    "duration": duration,
    "time": lambda text: when(text)[0],
}


def _said(kind: str, one: Any) -> str:
    if kind == "file":
        return one.decode("utf-8", "surrogateescape") or "files"
    if kind == "duration":
        unit = next((unit for unit in "wdhm" if one % _UNITS[unit] == 0), "s")
        return f"{one / _UNITS[unit]:.3f}".rstrip("0").rstrip(".") + unit
    if kind == "time":
        from datetime import UTC, datetime

        moment = datetime.fromtimestamp(one // 10**9, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{one % 10**9:09d}Z"
    return str(one)
