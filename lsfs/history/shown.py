"""shown: a plan as JSON says it: what /ctl answers with, and what `lsfs rollback` shows. Pure."""

import os
from typing import Any

from lsfs.history.entries import Entry
from lsfs.history.plan import Plan

SHOWN, LONGEST = 1000, 128 << 10  # changes that a plan lists, characters of their paths


def shown(plan: Plan, to: str, busy: list[bytes]) -> dict[str, Any]:
    """A plan as JSON says it."""
    changes: list[dict[str, Any]] = []
    room = LONGEST
    for change in plan.changes[:SHOWN]:
        path, kind = below(change.path), _type(change.new or change.old)
        room -= len(path)
        if room < 0:
            break
        changes.append({"what": change.kind, "path": path, "type": kind, "bytes": change.size})
    return {
        "path": below(plan.scope),
        "to": to,
        "sequence": plan.target,
        "now": plan.sequence,
        "counts": plan.counts(),
        "bytes": plan.size,
        "changes": changes,
        "more": len(plan.changes) - len(changes),
        "busy": [below(path) for path in busy],
        "token": None,
    }


def below(path: bytes) -> str:
    """A path as the mount shows it."""
    return f"files/{os.fsdecode(path)}" if path else "files"


_TYPES = {0o040000: "folder", 0o100000: "file", 0o120000: "symlink", 0o010000: "fifo", 0o140000: "socket"}


def _type(row: Entry | None) -> str:
    return _TYPES.get(row.kind, "device") if row is not None else "file"
