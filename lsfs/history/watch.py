"""The watch: inotify on every folder, as a hint that something changed behind the mount.

Hints are gathered for a moment, made unique and handed on; what really happened is found by looking at the folder. A hint
about a change made through the mount is harmless: the catalogue already agrees. When the kernel drops events, or there are
not enough watches (fs.inotify.max_user_watches), `lost` says so and scans take over.

Threading: `add` is called by the scan in a worker thread, `run` lives in the loop; both touch the two dictionaries only in
single operations.
"""

import errno
import logging
import os
from collections.abc import Callable

import trio
from inotify_simple import INotify, flags

from lsfs.beneath import open_beneath

log = logging.getLogger(__name__)

GATHER = 0.03  # seconds: a burst of writes to one file becomes one hint
_SEEN = (
    flags.CREATE
    | flags.DELETE
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.CLOSE_WRITE
    | flags.MODIFY
    | flags.ATTRIB
)
_ADD = _SEEN | flags.ONLYDIR | flags.EXCL_UNLINK


class Watch:
    """All watches of one folder. `complete` is False once a folder could not be watched or an event was lost."""

    def __init__(self, root_fd: int) -> None:
        self._root_fd = root_fd
        self._inotify = INotify(inheritable=False, nonblocking=True)
        self._paths: dict[int, bytes] = {}
        self._watches: dict[bytes, int] = {}
        self._changed: Callable[[bytes, bool, bool], None] = lambda path, settled, modified: None
        self._lost: Callable[[], None] = lambda: None
        self.reads = 0
        """How often events were read. What happens between two of them is told by the second one, all of it."""
        self.complete = True
        self.losses = 0
        """How often a watch was let go: whoever believed in one looks again."""

    def add(self, path: bytes, fd: int) -> None:
        """Watch the folder open at `fd`, known as `path`. Idempotent; a folder that moved gets its new name."""
        try:
            number = self._inotify.add_watch(f"/proc/self/fd/{fd}", _ADD)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.ENOMEM) and self.complete:
                self.complete = False
                log.warning(
                    "not every folder can be watched: raise fs.inotify.max_user_watches; scanning instead"
                )
            return
        before = self._paths.get(number)
        if before is not None and before != path and self._watches.get(before) == number:
            del self._watches[before]
        self._paths[number] = path
        self._watches[path] = number

    def holds(self, path: bytes) -> int:
        """The number of the watch on the folder at `path`, known under that name; 0 if there is none. A number is never
        used again: the same one later says that the folder was watched all the time."""
        return self._watches.get(path, 0)

    def moved(self, old: bytes, new: bytes) -> None:
        """The folder at `old` was renamed to `new` through the mount: its watches, and those below, go with it."""
        below = old + b"/"
        for known in [known for known in list(self._watches) if known == old or known.startswith(below)]:
            number = self._watches.pop(known)
            path = new + known[len(old) :]
            self._watches[path] = number
            self._paths[number] = path

    def __len__(self) -> int:
        return len(self._paths)

    async def run(
        self,
        changed: Callable[[bytes, bool, bool], None],
        lost: Callable[[], None],
    ) -> None:
        """Hand on hints until cancelled: `changed(path, settled, modified)`, settled being False for a file still being
        written, modified saying that its bytes were."""
        self._changed, self._lost = changed, lost
        while True:
            await trio.lowlevel.wait_readable(self._inotify.fileno())
            await trio.sleep(GATHER)
            self.drain()

    def drain(self) -> None:
        """Hand on what the kernel has told so far."""
        self.reads += 1
        hints: dict[bytes, bool] = {}
        modified: set[bytes] = set()
        for event in self._inotify.read(timeout=0):
            if event.mask & flags.Q_OVERFLOW:
                log.info("the kernel dropped change events; scanning the folder")
                self._lost()
                continue
            parent = self._paths.get(event.wd)
            if event.mask & flags.IGNORED:
                if parent is not None:
                    self._paths.pop(event.wd, None)
                    self.losses += 1
                    if self._watches.get(parent) == event.wd:
                        del self._watches[parent]
                continue
            if parent is None or not event.name:
                continue
            name = os.fsencode(event.name)
            path = parent + b"/" + name if parent else name
            if event.mask & flags.ISDIR and not event.mask & flags.ATTRIB:
                self._check(path)
            hints[path] = hints.get(path, False) or not event.mask & flags.MODIFY
            if event.mask & (flags.MODIFY | flags.CLOSE_WRITE):
                modified.add(path)
        for path, settled in hints.items():
            self._changed(path, settled, path in modified)

    def _drop(self, path: bytes) -> None:
        """The folder at this place is another one, or none: the watches known by this name, and below, are not its. The
        scan that the hint brings about adds what is missing."""
        below = path + b"/"
        for known in [known for known in list(self._watches) if known == path or known.startswith(below)]:
            number = self._watches.pop(known)
            self._paths.pop(number, None)
            self.losses += 1
            try:
                self._inotify.rm_watch(number)
            except OSError:
                continue  # it went with its folder

    def _check(self, path: bytes) -> None:
        """A folder came to this place, or went, some time ago. Often the one that is there now is watched already (made or
        renamed through the mount); a watch that is another folder's (removed, moved away, replaced) goes."""
        known = self._watches.get(path)
        if known is None:
            return
        try:
            fd = open_beneath(self._root_fd, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            self._drop(path)
            return
        try:
            number = self._inotify.add_watch(f"/proc/self/fd/{fd}", _ADD)
        except OSError:
            self._drop(path)
            return
        finally:
            os.close(fd)
        if number != known:
            self._drop(path)
            self._drop(self._paths.get(number, path))

    def close(self) -> None:
        """Let all watches go."""
        self._inotify.close()
