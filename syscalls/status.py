"""status: how far the index is and what went wrong. Reached as /status, /status.json, `status` in /ctl, `lsfs status`.

What is reported comes from the daemon as a dict; the keys that everyone may rely on are those of `KEYS`, further ones
pass through to JSON. `progress` is null while nothing is pending. `errors` are {"time": seconds since the epoch, "path",
"error"}, newest first, `error_count` says how many there are: errors name paths, so only the owner of the mount and root
see them.
"""

import json
import textwrap
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syscalls.values import Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

KEYS = (
    "version",
    "pid",
    "engine",
    "files",
    "pending",
    "progress",
    "generation",
    "searches",
    "embeddings",
    "reused",
    "errors",
)
WIDTH = 80
BAR = 30
SHOWN_ERRORS = 8


def status(report: dict[str, Any], viewer: Viewer, owner: int) -> dict[str, Any]:
    """What of `report` this viewer may see: to strangers, errors are a number."""
    errors = report.get("errors") or []
    if viewer.uid in (0, owner) or not errors:
        return report
    return {**report, "errors": [], "error_count": report.get("error_count", len(errors))}


def as_json(report: dict[str, Any]) -> bytes:
    """One JSON object, indented; bytes of paths that are not UTF-8 are escaped."""
    text = json.dumps(report, ensure_ascii=False, indent=1, default=_plain)
    return (text + "\n").encode("utf-8", "backslashreplace")


def as_text(report: dict[str, Any]) -> str:
    """One screen for a person, no line wider than 80 columns, without a line break at the end."""
    files, pending = report.get("files") or 0, report.get("pending") or 0
    engine, disk = report.get("engine") or {}, report.get("disk") or {}
    waiting = f"{pending} not fully indexed yet" if pending else "none, everything is indexed"
    if engine.get("state") == "off":
        waiting = "nothing is indexed: index.enabled is off in lsfs.conf"
    if report.get("scanning"):
        waiting += "; still looking for changes"
    history, progress = report.get("history") or {}, report.get("progress") or {}
    vectors = _tier(progress.get("passages"), "passages")
    rows = [
        ("lsfs", f"{report.get('version', '?')}, process {report.get('pid', '?')}"),
        ("folder", f"{_value(report.get('folder'))}{', read-only' if report.get('read_only') else ''}"),
        ("mountpoint", report.get("mountpoint")),
        ("files", f"{files} {_bar(files - pending, files)}"),
        ("pending", waiting),
        ("words", _tier(progress.get("files"), "files")),
        ("meaning", _tier(progress.get("first"), "contents by their first passage")),
        ("vectors", vectors),
        (
            "engine",
            _listed(
                (
                    ("", engine.get("state", "unknown")),
                    ("process ", engine.get("pid")),
                    ("", engine.get("memory") and _size(engine["memory"])),
                )
            ),
        ),
        ("model", _listed((("", engine.get("model")), ("meaning ", engine.get("meaning"))))),
        (
            "index",
            _listed(
                (
                    ("passages ", engine.get("passages")),
                    ("with vectors ", engine.get("embedded") if engine.get("meaning") != "off" else None),
                )
            )
            if not vectors
            else None,
        ),
        ("history", _history(history) if history else None),
        ("locks", _locks(report.get("locks") or [])),
        (
            "asked",
            _listed(
                (
                    ("searches ", report.get("searches", 0)),
                    ("embeddings ", report.get("embeddings", 0)),
                    ("passages that needed none ", report.get("reused") or None),
                )
            ),
        ),
        (
            "disk",
            _listed(
                (
                    ("free ", disk.get("free") and _size(disk["free"])),
                    ("taken by lsfs ", disk.get("state") and _size(disk["state"])),
                )
            ),
        ),
        ("generation", report.get("generation")),
    ]
    lines = [_clipped(f"{name:<12}{_value(value)}") for name, value in rows if value not in (None, "")]
    if engine.get("error") and engine.get("meaning") != "off":
        lines += _wrapped(f"{'failure':<12}", " " * 12, _value(engine["error"]), 4)
    return "\n".join(lines + _errors(report))


def _tier(tier: dict[str, Any] | None, of: str) -> str:
    """`12,400 of 100,000 files, 310 a second, about 5 min left`; nothing where all is done."""
    if not tier or tier["done"] >= tier["whole"]:
        return ""
    return _listed(
        (
            ("", f"{tier['done']:,} of {tier['whole']:,} {of}"),
            ("", _rate(tier.get("rate"))),
            ("", time_left(tier.get("left")) or None),
        )
    )


def _rate(rate: float | None) -> str | None:
    if not rate:
        return None
    number, unit = (rate, "second") if rate >= 0.1 else (60 * rate, "minute")
    return f"{number:,.{0 if number >= 10 else 1}f} a {unit}"


def time_left(seconds: int | None) -> str:
    """`about 5 min left`: as exact as an estimate deserves; nothing where there is none."""
    if not seconds:
        return ""
    if seconds < 60:
        return "less than a minute left"
    for unit, size, most in (("min", 60, 120), ("h", 3600, 48)):
        if round(seconds / size) < most:
            return f"about {round(seconds / size)} {unit} left"
    return f"about {round(seconds / 86_400)} days left"


def _history(history: dict[str, Any]) -> str:
    if not history.get("enabled"):
        return "off: history.enabled is off in lsfs.conf"
    if history.get("versions") is None:
        return "on"
    since = history.get("since")
    said = f"{history['versions']} versions"
    if since:
        said += f" since {datetime.fromtimestamp(since).date().isoformat()}"
    said += f", {history.get('snapshots') or 0} snapshots, {_size(history.get('bytes') or 0)}"
    return f"{said}, {history['waiting']} uncaptured" if history.get("waiting") else said


def _locks(locks: list[dict[str, Any]]) -> str:
    return f"{len(locks)}: {', '.join(lock['path'] for lock in locks)}" if locks else ""


def _listed(pairs: tuple[tuple[str, Any], ...]) -> str:
    return ", ".join(f"{name}{value}" for name, value in pairs if value is not None)


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _bar(done: int, whole: int) -> str:
    share = 1.0 if whole <= 0 else max(0.0, min(1.0, done / whole))
    filled = int(share * BAR)
    return f"[{'#' * filled}{'.' * (BAR - filled)}] {int(share * 100)} %"


def _errors(report: dict[str, Any]) -> list[str]:
    errors = report.get("errors") or []
    lines = [f"{'errors':<12}{report.get('error_count', len(errors)) or 'none'}"]
    same: dict[str, list[dict[str, Any]]] = {}
    for error in errors:  # a hundred files with one trouble hide no other
        same.setdefault(_value(error.get("error")), []).append(error)
    for first, *others in list(same.values())[:SHOWN_ERRORS]:
        more = f" (and {len(others)} more)" if others else ""
        lines += _wrapped("  - ", "    ", _sentence(first) + more, 3)
    return lines


def _wrapped(first: str, others: str, text: str, most: int) -> list[str]:
    found = textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=others)
    return [_clipped(line) for line in found[:most]]


def _sentence(error: dict[str, Any]) -> str:
    when = error.get("time")
    moment = datetime.fromtimestamp(when).isoformat(" ", "seconds") if when else None
    return ": ".join(_value(part) for part in (moment, error.get("path"), error.get("error")) if part)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else str(_plain(value))


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _clipped(line: str) -> str:
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


async def reply(command: "Command") -> str:
    return as_text(status(command.report(command.viewer), command.viewer, command.owner))
