"""The scan: compare a folder with the catalogue, by (size, mtime, ctime, inode).

inotify is a hint and misses things (it saw 12 of 50 files written just after `mkdir -p`); the scan is the truth. It runs in
a worker thread, a step at a time, each step one transaction, so that questions and single changes come in between.
It never follows a symlink, leaves the device, opens a FIFO, or enters the state folder; ignored folders are walked to
be watched and for history, and put no row into the catalogue; `hidden` names at the top, and folders
called .lsfs wherever they are, are left alone.
"""

import logging
import os
import stat
from collections.abc import Callable, Iterator

from lsfs.beneath import open_beneath, stat_beneath
from lsfs.config import STATE
from lsfs.history import paths
from lsfs.history.catalogue import Catalogue
from lsfs.history.entries import look

log = logging.getLogger(__name__)
STEP = 2000  # entries a transaction: about 30 ms of work between two chances for a question


def scan(
    catalogue: Catalogue,
    top: bytes,
    *,
    watch: Callable[[bytes, int], None],
    hidden: frozenset[bytes],
    unreadable: Callable[[bytes, OSError], None],
    busy: Callable[[], frozenset[bytes]] = frozenset,
) -> Iterator[int]:
    """Walk `top` (a folder) and bring the catalogue, and history, up to date.

    Yields after each step the number of files whose content has to be read; drive it from the catalogue's thread.
    `watch(path, fd)` is called for each folder before it is listed, so that nothing falls between the two. `busy()` are the paths that
    are being written through the mount: they are no versions yet.
    """
    catalogue.entries.scanned_since = catalogue.sequence + 1
    try:
        yield from _scan(catalogue, top, watch, hidden, unreadable, busy)
    finally:
        catalogue.entries.scanned_since = None


def _scan(
    catalogue: Catalogue,
    top: bytes,
    watch: Callable[[bytes, int], None],
    hidden: frozenset[bytes],
    unreadable: Callable[[bytes, OSError], None],
    busy: Callable[[], frozenset[bytes]],
) -> Iterator[int]:
    stack: list[tuple[bytes, bool]] = [(top, bool(top) and _ignored(catalogue, top))]
    seen: set[bytes] = set()
    blind: list[bytes] = []
    while stack:
        dirty = entries = 0
        with catalogue.transaction():
            while stack and entries < STEP:
                path, ignored = stack.pop()
                try:
                    found = _list(catalogue, path, watch)
                except OSError as error:
                    if isinstance(error, PermissionError):
                        blind.append(path)
                        unreadable(path, error)
                    continue
                entries += len(found) + 1
                seen.add(path)
                dirty += _compare(catalogue, path, found, ignored, hidden, stack)
                _remember(catalogue, path, found, ignored, hidden, busy())
        yield dirty
    known = dict.fromkeys((*catalogue.parents_below(top), *catalogue.entries.parents_below(top)))
    gone = [parent for parent in known if parent not in seen]
    gone = [
        parent
        for parent in gone
        if not any(parent == path or parent.startswith(path + b"/") for path in blind)
    ]
    # One that came while we walked has a scan of its own to come.
    gone = [parent for parent in gone if not _there(catalogue, parent)]
    for start in range(0, len(gone), STEP):
        with catalogue.transaction():
            for parent in gone[start : start + STEP]:
                for row_id, _ in catalogue.live(parent).values():
                    catalogue.kill(row_id)
                for row in catalogue.entries.live(parent).values():
                    catalogue.entries.kill(row, gone=True)
        yield 0


def _there(catalogue: Catalogue, path: bytes) -> bool:
    try:
        found = stat_beneath(catalogue.root_fd, path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_dev == catalogue.device


def _ignored(catalogue: Catalogue, path: bytes) -> bool:
    return catalogue.ignore.verdict(path, True) is not None


def _list(
    catalogue: Catalogue, path: bytes, watch: Callable[[bytes, int], None]
) -> list[tuple[bytes, os.stat_result]]:
    fd = open_beneath(catalogue.root_fd, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(fd).st_dev != catalogue.device:
            return []
        watch(path, fd)
        found = []
        with os.scandir(fd) as entries:
            for entry in entries:
                try:
                    found.append((os.fsencode(entry.name), entry.stat(follow_symlinks=False)))
                except OSError:
                    continue  # removed between the listing and the stat: as good as never seen
        return found
    finally:
        os.close(fd)


def _compare(
    catalogue: Catalogue,
    path: bytes,
    found: list[tuple[bytes, os.stat_result]],
    ignored: bool,
    hidden: frozenset[bytes],
    stack: list[tuple[bytes, bool]],
) -> int:
    known = catalogue.live(path)
    dirty = 0
    for name, status in found:
        if name in hidden and not path:
            continue
        whole = paths.join(path, name)
        if stat.S_ISDIR(status.st_mode):
            if status.st_dev == catalogue.device and name != STATE.encode():
                stack.append((whole, ignored or _ignored(catalogue, whole)))
        elif stat.S_ISREG(status.st_mode) and not ignored and catalogue.ignore.verdict(whole, False) is None:
            dirty += catalogue.reconcile(path, name, status, known.pop(name, None))
    for row_id, _ in known.values():
        catalogue.kill(row_id)
    return dirty


def _remember(
    catalogue: Catalogue,
    path: bytes,
    found: list[tuple[bytes, os.stat_result]],
    ignored: bool,
    hidden: frozenset[bytes],
    busy: frozenset[bytes],
) -> None:
    """The rows of history directly in a folder."""
    entries = catalogue.entries
    known = entries.live(path)
    for name, status in found:
        if (name in hidden and not path) or name == STATE.encode() or status.st_dev != catalogue.device:
            known.pop(name, None)
            continue
        whole = paths.join(path, name)
        row = known.pop(name, None)
        if whole in busy:
            continue
        if row is not None and stat.S_ISDIR(row.mode) and not stat.S_ISDIR(status.st_mode):
            entries.kill_at_or_below(whole, gone=True)
            row = None
        regular = stat.S_ISREG(status.st_mode)
        indexed = regular and not ignored and catalogue.ignore.verdict(whole, False) is None
        entries.see(path, name, status, known=row, extra=look(catalogue.root_fd, whole), indexed=indexed)
    for row in known.values():
        entries.kill_at_or_below(row.path, gone=True)
