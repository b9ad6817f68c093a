"""mountinfo: what is mounted where, as /proc/self/mountinfo says it; and the recovery of a dead lsfs mount.

After kill -9 of a daemon, exists() and ismount() of its mountpoint are both false and every call answers ENOTCONN: the kernel's table is
the only witness. Blocking (one small file, at most a stat and a subprocess); not for the daemon's loop.
"""

import errno
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lsfs.refusals import NoPermission

TYPE = "fuse.lsfs"
MOUNTINFO = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo. mountpoint and source are decoded as the file system decodes names (os.fsdecode)."""

    mountpoint: str
    fstype: str
    source: str
    options: frozenset[str]

    @property
    def is_lsfs(self) -> bool:
        return self.fstype == TYPE


def parse(line: bytes) -> Mount:
    """The mount that one line describes; its optional fields end at a lone `-`."""
    left, right = line.rstrip(b"\n").split(b" - ", 1)
    before, after = left.split(b" "), right.split(b" ")
    source = after[1] if len(after) > 1 else b""
    options = frozenset(os.fsdecode(before[5]).split(","))
    return Mount(_unescape(before[4]), os.fsdecode(after[0]), _unescape(source), options)


def _unescape(field: bytes) -> str:
    """The kernel writes space, tab, newline, backslash and `#` as three octal digits."""
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), field))


def mounts(file: Path = MOUNTINFO) -> list[Mount]:
    """Every mount that this process sees, in the order in which they were mounted."""
    return [parse(line) for line in file.read_bytes().split(b"\n") if b" - " in line]


def find(mountpoint: str | Path) -> Mount | None:
    """What is mounted at `mountpoint`, the uppermost where several are; None where nothing is."""
    wanted = os.path.realpath(mountpoint)
    return next((mount for mount in reversed(mounts()) if mount.mountpoint == wanted), None)


def holder(path: str | Path) -> Mount | None:
    """The mount that holds `path`; None where the table does not say."""
    wanted = os.path.realpath(path)
    best: Mount | None = None
    for mount in mounts():
        below = wanted == mount.mountpoint or wanted.startswith(mount.mountpoint.rstrip("/") + "/")
        if below and (best is None or len(mount.mountpoint) >= len(best.mountpoint)):
            best = mount
    return best


def types_below(folder: str | Path) -> set[str]:
    """The types of the file system that holds `folder` and of those that are mounted below it, as mount(8) names them."""
    top = holder(folder)
    prefix = os.path.realpath(folder).rstrip("/") + "/"
    found = {mount.fstype for mount in mounts() if mount.mountpoint.startswith(prefix)}
    return found | ({top.fstype} if top is not None else {""})


def for_path(path: str | Path) -> Mount | None:
    """The lsfs mount that holds `path`, None where another file system does."""
    best = holder(path)
    return best if best is not None and best.is_lsfs else None


def is_dead(mountpoint: str | Path) -> bool:
    """Whether the daemon behind a mount is gone. Waits as long as a daemon that is alive takes to answer.

    statfs(2) always asks the daemon; stat(2) may still be answered from what the kernel keeps of a daemon that died just now.
    """
    try:
        os.statvfs(mountpoint)
    except OSError as error:
        return error.errno in (errno.ENOTCONN, errno.ECONNABORTED)
    return False


def recover(mountpoint: str | Path) -> bool:
    """Unmount a dead lsfs mount, so that the mountpoint is an ordinary folder again. Touches nothing else.

    True when there was one; several above each other go one by one. Raises NoPermission where it cannot be unmounted.
    """
    found = False
    while (mount := find(mountpoint)) is not None and mount.is_lsfs and is_dead(mount.mountpoint):
        done = unmount(mount.mountpoint, lazy=True)
        if done.returncode:
            raise NoPermission(
                f"{mount.mountpoint} is a dead mount that cannot be unmounted ({_last(done.stderr)})"
            )
        found = True
    return found


def unmount(mountpoint: str, lazy: bool = False) -> subprocess.CompletedProcess[str]:
    """Run fusermount3 -u, or umount(8) where that is missing; the caller reads returncode and stderr."""
    tool = shutil.which("fusermount3")
    command = [tool, "-u", *(["-z"] if lazy else [])] if tool else ["umount", *(["-l"] if lazy else [])]
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        [*command, "--", mountpoint], capture_output=True, text=True, errors="replace", env=environment
    )


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"
