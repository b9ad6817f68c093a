"""fsck: the rows of what is there now, and the folder itself. Where they differ, something changed while nothing was mounted, or a moment
ago: the next scan takes it in, so it is no fault."""

import os
import stat
from collections.abc import Iterator

from lsfs.config import STATE
from lsfs.history import paths
from lsfs.history.fsck import MOST, Finding, Store

_SCAN = "the next scan takes it in"


def folder(store: Store) -> Iterator[Finding]:
    """By lstat; no file is opened."""
    if store.folder is None or not store.one("select 1 from moment limit 1"):  # history was never switched on
        return
    there = _walk(store)
    known = {
        paths.join(parent, name): (stat.S_IFMT(mode), mode, uid, gid, size, mtime, ino)
        for parent, name, mode, uid, gid, size, mtime, ino in store.database.execute(
            "select parent, name, mode, uid, gid, size, mtime_ns, ino from entry where died is null"
        )
    }
    told = 0
    for path in sorted(there.keys() | known.keys()):
        if path not in known:
            wrong = "is in the folder, and history does not know it"
        elif path not in there:
            wrong = "is in history, and not in the folder"
        elif _differs(known[path], there[path]):
            wrong = "is another one than history knows"
        else:
            continue
        told += 1
        if told <= MOST:
            yield Finding("folder", os.fsdecode(path), wrong, _SCAN, False)
    indexed = {
        paths.join(*row)
        for row in store.database.execute("select parent, name from file where died is null")
        if paths.join(*row) not in known
    }
    for path in sorted(indexed & there.keys())[:MOST]:
        yield Finding("folder", os.fsdecode(path), "is in the index, and not in history", _SCAN, False)


def _differs(row: tuple[int, ...], found: os.stat_result) -> bool:
    kind, mode, uid, gid, size, mtime, ino = row
    if (mode, uid, gid) != (found.st_mode, found.st_uid, found.st_gid):
        return True
    same = ino == paths.number(found.st_ino)
    return not same or (
        kind == stat.S_IFREG and (size, mtime) != (found.st_size, paths.stamp(found.st_mtime_ns))
    )


def _walk(store: Store) -> dict[bytes, os.stat_result]:
    """What a scan would see."""
    assert store.folder is not None
    top = os.fsencode(store.folder)
    device = os.stat(top).st_dev
    hidden = {STATE.encode()}
    if store.state.parent == store.folder:
        hidden.add(os.fsencode(store.state.name))
    found: dict[bytes, os.stat_result] = {}
    stack = [b""]
    while stack:
        parent = stack.pop()
        try:
            with os.scandir(os.path.join(top, parent)) as entries:
                for entry in entries:
                    name = os.fsencode(entry.name)
                    if name == STATE.encode() or (not parent and name in hidden):
                        continue
                    status = entry.stat(follow_symlinks=False)
                    if status.st_dev != device:
                        continue
                    path = paths.join(parent, name)
                    found[path] = status
                    if stat.S_ISDIR(status.st_mode):
                        stack.append(path)
        except OSError:
            continue
    return found
