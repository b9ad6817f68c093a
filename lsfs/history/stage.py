"""stage: new inodes with the contents and attributes of the past, made ready beside the folder.

They lie in <folder>/.lsfs/held/stage-<id>/, on the file system of the folder, so that putting one in its place is a rename. What is
replaced comes into the same place, under the number of its successor. Nothing in here is anybody's yet; a kill leaves a folder, which
`sweep` removes.

Called in a thread, with a `Past` of its own. No path below the folder is named here.
"""

import contextlib
import logging
import os
import stat
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgpack

from lsfs.history.entries import Entry
from lsfs.history.held import Held
from lsfs.history.past import Bytes
from mounts import files_linux as linux

PIECE = 1 << 20
STAGE = "stage-"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW

log = logging.getLogger(__name__)


class Staged(NamedTuple):
    """What was made: its name in the stage, its inode."""

    name: str
    ino: int


class Stage:
    """One folder of held/, by the name of its number."""

    def __init__(self, held: Held, name: str | None = None) -> None:
        self.held = held
        self.name = name or f"{STAGE}{held.next()}"
        self._fd = -1

    def fd(self) -> int:
        """A descriptor of it; it is made where it is not there."""
        if self._fd < 0:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.name, 0o700, dir_fd=self.held.fd())
            self._fd = os.open(
                self.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.held.fd()
            )
        return self._fd

    def held_name(self, name: str) -> str:
        """What is called `name` here, as held/ calls it."""
        return f"{self.name}/{name}"

    def look(self, name: str) -> os.stat_result | None:
        """What is called `name` here."""
        try:
            return os.stat(name, dir_fd=self.fd(), follow_symlinks=False)
        except FileNotFoundError:
            return None

    def make(self, name: str, row: Entry, open_: Callable[[Entry], Bytes]) -> Staged:
        """A new inode that is what the row says. Raises OSError, and what `open_` and its reads raise."""
        at = self.fd()
        kind = stat.S_IFMT(row.mode)
        if kind == stat.S_IFLNK:
            os.symlink(row.target or b"", name, dir_fd=at)
            with contextlib.suppress(PermissionError):
                os.chown(name, row.uid, row.gid, dir_fd=at, follow_symlinks=False)
            os.utime(name, ns=(row.mtime_ns, row.mtime_ns), dir_fd=at, follow_symlinks=False)
        elif kind == stat.S_IFREG:
            fd = os.open(name, _NEW, 0o600, dir_fd=at)
            try:
                write(fd, row, open_)
                attributes(b"/proc/self/fd/%d" % fd, row)
            finally:
                os.close(fd)
        else:
            device = int(row.target or 0) if kind in (stat.S_IFCHR, stat.S_IFBLK) else 0
            os.mknod(name, kind | 0o600, device, dir_fd=at)
            fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            try:
                attributes(b"/proc/self/fd/%d" % fd, row)
            finally:
                os.close(fd)
        return Staged(name, os.stat(name, dir_fd=at, follow_symlinks=False).st_ino)

    def link(self, old: str, name: str) -> Staged:
        """Another name for what was made."""
        os.link(old, name, src_dir_fd=self.fd(), dst_dir_fd=self.fd(), follow_symlinks=False)
        return Staged(name, os.stat(name, dir_fd=self.fd(), follow_symlinks=False).st_ino)

    def close(self, keep: Iterable[str] = ()) -> None:
        """Remove all of it but what is to be kept, and the folder when nothing is left in it. Raises OSError where the disk refuses one,
        after all the others; it can be asked again."""
        kept = set(keep)
        if self._fd < 0:
            return
        refused: OSError | None = None
        for name in os.listdir(self._fd):
            if name not in kept:
                try:
                    os.unlink(name, dir_fd=self._fd)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    refused = error
        if refused is not None:
            raise refused
        os.close(self._fd)
        self._fd = -1
        with contextlib.suppress(OSError):
            os.rmdir(self.name, dir_fd=self.held.fd())


def write(fd: int, row: Entry, open_: Callable[[Entry], Bytes]) -> None:
    """The bytes of a row, piece by piece; a piece of zeros becomes a hole."""
    content = open_(row)
    try:
        at = 0
        while at < row.size:
            data = content.read(at, PIECE)
            if not data:
                raise EOFError
            if data.count(0) == len(data):
                at += len(data)
                continue
            at += os.pwrite(fd, data, at)
        os.ftruncate(fd, row.size)
    finally:
        content.close()


def attributes(path: bytes, row: Entry) -> None:
    """Owner, rights, extended attributes and time of a row for what is at `path` (a path of /proc). Raises OSError."""
    found = os.stat(path)
    if (found.st_uid, found.st_gid) != (row.uid, row.gid):
        os.chown(path, row.uid, row.gid)  # before the mode: it clears set-user-id
    wanted = msgpack.unpackb(row.xattrs) if row.xattrs else {}
    for name in os.listxattr(path):
        if name.startswith(("user.", "system.posix_acl_")) and name not in wanted:
            os.removexattr(path, name)
    for name, value in wanted.items():
        os.setxattr(path, name, value)
    os.chmod(path, stat.S_IMODE(row.mode))
    linux.utime(path, None, row.mtime_ns)


def sweep(held: Held, named: Iterable[str]) -> None:
    """Remove the stages of rollbacks that never were, but what history still needs of others (`named`, as held/ calls it)."""
    kept = set(named)
    try:
        stages = [name for name in os.listdir(held.folder) if name.startswith(STAGE)]
    except FileNotFoundError:
        return
    for name in stages:
        stage = Stage(held, name)
        try:
            stage.fd()
            stage.close(one.partition("/")[2] for one in kept if one.startswith(f"{name}/"))
        except OSError as error:
            log.warning("%s, which a rollback left, cannot be removed: %s", name, error)
