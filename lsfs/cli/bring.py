"""bring: something from anywhere on this machine into a mount, so that it appears there at once, or not at all.

    bring(source, target, ...)      a file, a folder with its tree, or a stream, brought to `target`, where nothing may be

Names that the mount keeps for itself are left out, as are FIFOs, sockets and devices; a hole stays a hole.

Plain file operations of the user who calls: it is copied to a name beside the target that begins with a dot, and renamed to its place with
RENAME_NOREPLACE when it is whole. A folder is copied into one that the index never enters (`.cache`), so that no question finds half of it.
What a kill leaves is such a name; the next one that is brought to the same folder removes it.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from mounts import files_linux as linux

PIECE = 1 << 20
STEP = 500  # files between two words about how far it is
OWN = (".lsfs", ".versions", ".query")  # names that nobody makes in a mount
_OURS = re.compile(r"\.bring-(\d+)-[0-9a-f]{8}(\.part)?", re.ASCII)


class Brought(NamedTuple):
    """What came along. left: paths of the source that are neither files, folders nor symlinks, or have a name of lsfs's own."""

    files: int
    folders: int
    size: int
    left: list[str]


class Bringing:
    """One folder or file on its way. `told` hears how many files there are so far."""

    def __init__(self, told: Callable[[int], None] = lambda files: None) -> None:
        self.files = self.folders = self.size = 0
        self.left: list[str] = []
        self._told = told

    def done(self) -> Brought:
        """What there is so far."""
        return Brought(self.files, self.folders, self.size, self.left)

    def copy(self, source: str, target: str, *, top: bool = False) -> None:
        """One object, and all that is in it. The one that was named is followed where it is a symlink; none below it is. Raises OSError;
        EINVAL where it comes upon what it makes itself."""
        name = os.path.basename(source)
        if name in OWN and not top:
            self.left.append(source)
            return
        if _OURS.fullmatch(name) and name in target.split(
            "/"
        ):  # the folder behind the mount, under whatever name
            raise itself(source)
        found = os.stat(source, follow_symlinks=top)
        kind = stat.S_IFMT(found.st_mode)
        if kind == stat.S_IFLNK:
            os.symlink(os.readlink(source), target)
            os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns), follow_symlinks=False)
            self._one(0)
        elif kind == stat.S_IFDIR:
            os.mkdir(target, 0o700)
            self.folders += 1
            with os.scandir(source) as inner:
                for one in sorted(inner, key=lambda one: one.name):
                    self.copy(one.path, os.path.join(target, one.name))
            if not top:  # what may not be written to could not be renamed to another folder
                os.chmod(target, mode_of(found, target))
        elif kind == stat.S_IFREG:
            # what was a file may be a FIFO by now, and that is not waited for
            fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if top else os.O_NOFOLLOW))
            with open(fd, "rb", buffering=0) as stream:
                found = os.fstat(fd)
                if stat.S_ISREG(found.st_mode):
                    self.write(stream, target, found)
                else:
                    self.left.append(source)
        else:
            self.left.append(source)

    def write(self, stream: BinaryIO, target: str, found: os.stat_result | None = None) -> None:
        """A stream as a file; mode and time are those of `found`."""
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        with open(fd, "wb", buffering=0) as out:
            size = 0
            while part := stream.read(PIECE):
                size += len(part)
                if part.count(0) == len(part):
                    out.seek(size)
                    continue
                view = memoryview(part)
                while view:
                    view = view[out.write(view) :]
            out.truncate(size)
            if found is not None:
                os.fchmod(fd, stat.S_IMODE(found.st_mode) & 0o777)
                os.utime(fd, ns=(found.st_atime_ns, found.st_mtime_ns))
        self._one(size)

    def _one(self, size: int) -> None:
        self.files += 1
        self.size += size
        if self.files % STEP == 0:
            self._told(self.files)


def bring(source: str | BinaryIO, target: str, told: Callable[[int], None] = lambda files: None) -> Brought:
    """Bring a file, a folder or a stream to `target`, a path in a mount. Raises OSError; FileExistsError where something is."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    above = os.path.dirname(target)
    bringing = Bringing(told)
    folder = isinstance(source, str) and os.path.isdir(source)
    if isinstance(source, str) and folder and any(os.path.samefile(one, source) for one in _up(above)):
        raise itself(source)
    mode = 0o700
    with _beside(above, folder) as place:
        if isinstance(source, str):
            bringing.copy(source, place, top=True)
        else:
            bringing.write(source, place)
        if not os.path.lexists(place):  # a FIFO, a socket
            return bringing.done()
        if folder and isinstance(source, str):
            mode = mode_of(os.stat(source), place)
            os.chmod(place, mode | 0o700)
        linux.rename(-100, os.fsencode(place), -100, os.fsencode(target), linux.RENAME_NOREPLACE)
        if folder and mode != mode | 0o700:
            os.chmod(target, mode)
        _sync(above)
    return bringing.done()


def mode_of(found: os.stat_result, target: str) -> int:
    """The mode of a folder that is a copy: the one of its source, and the set-group-id of the folder that it was made in."""
    return stat.S_IMODE(found.st_mode) & 0o777 | os.stat(target).st_mode & stat.S_ISGID


def itself(source: str) -> OSError:
    """What is said of a folder that is to be copied to a place in it."""
    return OSError(errno.EINVAL, "It cannot be copied into itself", source)


def _up(path: str) -> Iterator[str]:
    """A folder, and all that it lies in."""
    while True:
        yield path
        if path in ("", "/"):
            return
        path = os.path.dirname(path)


@contextlib.contextmanager
def aside(stream: BinaryIO, above: str) -> Iterator[str]:
    """A stream as a file of the mount for a moment: what is too long for one line to ctl."""
    with _beside(above, False) as place:
        Bringing().write(stream, place)
        yield place


@contextlib.contextmanager
def _beside(above: str, folder: bool) -> Iterator[str]:
    """A name in the folder `above` for what is on its way; nothing is left there at the end. What kills left goes first."""
    _swept(above)
    name = os.path.join(above, f".bring-{os.getpid()}-{secrets.token_hex(4)}")
    if not folder:
        try:
            yield f"{name}.part"
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{name}.part")
        return
    os.mkdir(name, 0o700)
    try:
        os.mkdir(os.path.join(name, ".cache"), 0o700)
        yield os.path.join(name, ".cache", "it")
    finally:
        shutil.rmtree(name, ignore_errors=True)


def _swept(above: str) -> None:
    """Remove what an import of this user, who is not at work any more, left in a folder."""
    try:
        names = os.listdir(above)
    except PermissionError:  # what may be made there may still not be listed
        return
    for name in names:
        ours = _OURS.fullmatch(name)
        if ours is None or os.path.exists(f"/proc/{ours[1]}"):
            continue
        path = os.path.join(above, name)
        with contextlib.suppress(OSError):
            if os.lstat(path).st_uid == os.geteuid():
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


def _sync(folder: str) -> None:
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # it may not be listed; what was made in it is there
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def progress() -> Callable[[int], None]:
    """How far it is, on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        return lambda files: None

    def told(files: int) -> None:
        sys.stderr.write(f"\r{files} files")
        sys.stderr.flush()

    return told
