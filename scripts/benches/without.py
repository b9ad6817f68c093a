"""lsfs without some of what makes /files fast, to see what each is worth: scripts/bench files --without NAME (repeatable)."""

import sys
from collections.abc import Callable
from typing import Any

from lsfs import daemon
from lsfs.cli import main as lsfs
from lsfs.history import follow
from mounts import files_directory, files_entry, fuse, fuse_wait

Operations = fuse.Operations
FileInfo = fuse.FileInfo


def put(module: Any, **values: Any) -> None:
    """Other values for names of a module."""
    for name, value in values.items():
        setattr(module, name, value)


def short_timeouts() -> None:
    """As where nobody watches."""
    put(files_directory, WATCHED=1.0)
    put(files_entry, WATCHED=1.0)


WITHOUT: dict[str, Callable[[], None]] = {
    "spin": lambda: put(fuse_wait, SPIN=0),  # polling for the next request before going to sleep
    "no-flush": lambda: put(
        fuse, Operations=lambda *given, **more: Operations(*given, **more | {"flushes": True})
    ),
    "listings": lambda: put(
        fuse, known=lambda told: None
    ),  # kept listings, and entries that tell nothing new
    "killpriv": lambda: put(
        fuse, pending=lambda fd: False
    ),  # no question about capabilities before each write
    "keep-cache": lambda: put(
        fuse, FileInfo=lambda number, direct, keep, seek: FileInfo(number, direct, False, seek)
    ),
    "timeouts": short_timeouts,  # a minute for names and attributes that are watched
    "read-ahead": lambda: put(daemon, READ_AHEAD=128),
    "quick-sync": lambda: put(
        files_directory.disk, _seconds=1e9
    ),  # a sync of a quick disk is waited for in the loop
    "gathering": lambda: put(follow, REST=0.0, BURST=0.0),  # bookkeeping waits until a burst is over
    "share": lambda: put(daemon, SHARE=0.005),  # threads give the interpreter back soon
    "labels": lambda: put(files_entry, LABELS=True),  # ls hears that there are no labels
}

if __name__ == "__main__":
    for name in sys.argv[1].split(","):
        WITHOUT[name]()
    sys.exit(lsfs(sys.argv[2:]))
