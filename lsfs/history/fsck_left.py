"""fsck: what a kill left in held/, and a rollback that was cut off. A mount takes all of it up, so it is no fault; while one is at work, it
is nobody's business."""

import os
import re
from collections.abc import Iterator

from lsfs.history import paths
from lsfs.history.fsck import Finding, Store

_NEXT_MOUNT = "the next mount takes it up"


def left(store: Store) -> Iterator[Finding]:
    """A rollback, stages, the journal, files that nobody names."""
    if store.mounted:
        return
    steps = store.one("select count(*) from redo")
    if steps:
        yield Finding(
            "left",
            "history.db",
            f"a rollback was cut off ({steps} steps)",
            "the next mount completes it",
            False,
        )
    known = store.one("select value from meta where key = 'journal'")
    records = list(store.held.read())
    waiting = [record for record in records if record.number > known]
    if waiting:
        some = ", ".join(sorted({os.fsdecode(record.path) for record in waiting})[:3])
        yield Finding(
            "left",
            "held/journal",
            f"{len(waiting)} versions are not committed yet ({some})",
            _NEXT_MOUNT,
            False,
        )
    elif records:
        if store.repair:
            store.held.clear()
        yield Finding(
            "left", "held/journal", "all that it says is committed", _NEXT_MOUNT, False, store.repair or None
        )
    named = {name for (name,) in store.database.execute("select held from content where held is not null")}
    named |= {record.held for record in waiting if record.held is not None}
    for name in _names(store):
        if name.startswith("stage-") and steps:
            continue
        if any(one == name or one.startswith(f"{name}/") for one in named):
            continue
        removed = None
        if store.repair and name.isdigit() and not _is_live(store, name):
            store.held.drop(name)
            removed = True
        yield Finding("left", f"held/{name}", "is no version's content", _NEXT_MOUNT, False, removed)


def _is_live(store: Store, name: str) -> bool:
    """Might it be the content of a row that a mount would adopt?"""
    try:
        found = os.lstat(store.held.path(name))
    except OSError:
        return False
    return bool(
        store.one("select 1 from entry where died is null and ino = ? limit 1", paths.number(found.st_ino))
    )


def _names(store: Store) -> list[str]:
    try:
        return sorted(name for name in os.listdir(store.held.folder) if re.fullmatch(r"\d+|stage-.+", name))
    except OSError:
        return []


def held(store: Store) -> Iterator[Finding]:
    """A content that is a file in held/ is there."""
    for cell, name in store.database.execute(
        "select id, held from content where held is not null"
    ).fetchall():
        if os.path.lexists(store.held.path(name)):
            continue
        if store.mounted:  # it is being stored just now
            continue
        row = store.database.execute(
            "select parent, name from entry where content = ? limit 1", (cell,)
        ).fetchone()
        yield Finding(
            "held",
            os.fsdecode(paths.join(*row)) if row else f"content {cell}",
            f"its content should be in held/{name}, and is not",
            "--repair notes that this version is lost, unless the file is still what it was",
            repaired=store.repair or None,
        )
        if store.repair:
            with store.transaction():
                store.lose(cell)
