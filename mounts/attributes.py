"""attributes: who asks, what a node says of itself, and what a setattr asks for.

Plain values, used by every row; `nodes` hands their names on.
"""

from __future__ import annotations

import os
import time

STARTED = time.time_ns()
"""When this process began, in ns: the age of what was never written."""


class Caller:
    """Who asks. `pyfuse3.RequestContext` has the same four attributes and is handed on as it is; this one is
    for everybody else."""

    __slots__ = ("uid", "gid", "pid", "umask")

    def __init__(self, uid: int, gid: int, pid: int = 0, umask: int = 0o022) -> None:
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.umask = umask


class Attributes:
    """The attributes of a node that has no file behind it; named like those of `os.stat_result`. Times are in
    ns, sizes in bytes."""

    __slots__ = (
        "st_mode", "st_nlink", "st_uid", "st_gid", "st_rdev", "st_size", "st_blksize", "st_blocks",
        "st_atime_ns", "st_mtime_ns", "st_ctime_ns",
    )  # fmt: skip

    def __init__(
        self,
        mode: int,
        size: int = 0,
        when: int | None = None,
        nlink: int = 1,
        uid: int | None = None,
        gid: int | None = None,
    ) -> None:
        when = STARTED if when is None else when
        self.st_mode = mode
        self.st_nlink = nlink
        self.st_uid = os.getuid() if uid is None else uid
        self.st_gid = os.getgid() if gid is None else gid
        self.st_rdev = 0
        self.st_size = size
        self.st_blksize = 4096
        self.st_blocks = (size + 511) // 512
        self.st_atime_ns = self.st_mtime_ns = self.st_ctime_ns = when


class AttributeChanges:
    """What a setattr asks for: None where a field stays as it is. Times are in ns."""

    __slots__ = ("mode", "uid", "gid", "size", "atime_ns", "mtime_ns")

    def __init__(
        self,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        size: int | None = None,
        atime_ns: int | None = None,
        mtime_ns: int | None = None,
    ) -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size
        self.atime_ns = atime_ns
        self.mtime_ns = mtime_ns


def groups_of(pid: int) -> frozenset[int]:
    """Supplementary groups of a process or thread; none if it is gone (it then reads less, never more)."""
    try:
        with open(f"/proc/{pid}/status", "rb") as stream:
            line = next((row for row in stream if row.startswith(b"Groups:")), b"")
    except OSError:
        return frozenset()
    return frozenset(int(word) for word in line.split()[1:])
