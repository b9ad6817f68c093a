"""shared: what a token leads to, seen through the mount, as `lsfs serve` sees it.

Each look asks the mount whether the token is valid still, and opens the file below files/ anew, through no symlink and on no other device:
nothing of the mount stays open while a client is waited for, so that a slow one keeps neither a file nor the mount, and a link that ends
ends for those who are reading, too.

Threading: blocking; called in threads, any number at a time.
"""

import errno
import json
import os
from dataclasses import dataclass

from lsfs import mountinfo
from lsfs.beneath import open_regular
from lsfs.http import Refused

_ANSWER = 64 << 10
_NOT_THERE = (
    errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EXDEV, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """The file behind a token, when it was looked at."""

    path: bytes
    inode: int
    size: int

    @property
    def name(self) -> bytes:
        return self.path.rpartition(b"/")[2]


class Shared:
    """The links of the mount at `mountpoint`, as long as it is the one that is there when this is made."""

    def __init__(self, mountpoint: str) -> None:
        self.mountpoint = os.fsencode(mountpoint)
        self.device = os.stat(self.mountpoint).st_dev

    def look(self, token: str) -> Seen:
        """What there is. Raises Refused: 404, 410, 403 where it may not be read, 503 where the mount does not answer."""
        path = self._path(token)
        fd, found = self._open(path)
        os.close(fd)
        return Seen(path, found.st_ino, found.st_size)

    def piece(self, token: str, seen: Seen, offset: int, size: int) -> bytes:
        """Bytes of the file that was seen. Raises Refused as `look`, and 410 where it is another one by now, or shorter."""
        if self._path(token) != seen.path:
            raise Refused(410)
        fd, found = self._open(seen.path)
        try:
            data = os.pread(fd, size, offset) if found.st_ino == seen.inode else b""
            while data and len(data) < size and (more := os.pread(fd, size - len(data), offset + len(data))):
                data += more
        except OSError as error:
            raise _refused(error) from None
        finally:
            os.close(fd)
        if len(data) < size:
            raise Refused(410)
        return data

    def _path(self, token: str) -> bytes:
        answer = self._ask(f"link --check {token}")
        if answer.get("state") != "valid":
            raise Refused(410 if answer.get("state") == "ended" else 404)
        path = os.fsencode(answer["path"])
        if not path.startswith(b"files/"):
            raise Refused(404)
        return path.removeprefix(b"files/")

    def _ask(self, line: str) -> dict:
        try:
            fd = os.open(self.mountpoint + b"/ctl", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                if os.fstat(fd).st_dev != self.device:
                    raise Refused(503)
                os.write(fd, line.encode("ascii"))
                answer = b""
                while len(answer) < _ANSWER and (part := os.read(fd, _ANSWER)):
                    answer += part
            finally:
                os.close(fd)
            found: dict = json.loads(answer)
            return found
        except (OSError, ValueError) as error:
            raise Refused(503) from error

    def _open(self, path: bytes) -> tuple[int, os.stat_result]:
        try:
            top = os.open(
                self.mountpoint + b"/files", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            )
        except OSError as error:
            raise Refused(503) from error
        try:
            if os.fstat(top).st_dev != self.device:
                raise Refused(503)
            return open_regular(top, path, xdev=False)
        except OSError as error:
            raise _refused(error) from None
        finally:
            os.close(top)


def _refused(error: OSError) -> Refused:
    if error.errno in _NOT_THERE:
        return Refused(404)
    return Refused(403 if error.errno in (errno.EACCES, errno.EPERM) else 503)


@dataclass(frozen=True, slots=True)
class Place:
    """A mount as the kernel knows it, who mounted it included: a file system says of itself what it wants."""

    id: bytes
    uid: int | None


def place(mountpoint: str) -> Place | None:
    """The uppermost mount at a mountpoint; None where there is none. Looks at the kernel's table alone, never at the mount."""
    found = None
    for line in mountinfo.MOUNTINFO.read_bytes().split(b"\n"):
        if b" - " in line and mountinfo.parse(line).mountpoint == mountpoint:
            left, right = line.split(b" - ", 1)
            options = right.split(b" ")[-1].split(b",")
            uid = next((option[8:] for option in options if option.startswith(b"user_id=")), None)
            found = Place(b" ".join(left.split(b" ")[:3]), None if uid is None else int(uid))
    return found
