"""names: the paths that a call may speak of, and where they lead.

    for_reading(path)       what the mount does not show is not there
    for_writing(path)       what is lsfs's own is nobody's to write
    resolved(...)           symlinks followed, within the folder and never out of it
    opened(...)             what is there, by the rights of each folder on the way, whatever is renamed meanwhile

Errors of the disk become those of `syscalls.errors` here, each with a sentence.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Collection

from lsfs.beneath import open_beneath
from lsfs.config import STATE
from lsfs.history.readable import Readable
from syscalls.errors import (
    Denied,
    InvalidArgument,
    LsfsError,
    NoRoom,
    NotFolder,
    NotFound,
    NotPermitted,
    ReadOnly,
    TooLong,
)
from syscalls.permission import acl_grants
from syscalls.values import Viewer

READ, WRITE, SEARCH = 4, 2, 1
_ACL = "system.posix_acl_access"
NAME, LINKS = 255, 40  # bytes of a name, symlinks on one way, as of the kernel
_STATE = os.fsencode(STATE)

_KINDS: dict[int, tuple[type[LsfsError], str]] = {
    errno.ENOENT: (NotFound, "There is nothing at {}; write the path as ls shows it below files/."),
    errno.ENOTDIR: (NotFolder, "Something above {} is no folder."),
    errno.ELOOP: (NotFolder, "A folder above {} is a symlink; write the path of what it leads to."),
    errno.EXDEV: (NotPermitted, "{} is on another device, where lsfs keeps no history; use plain file tools there."),
    errno.ENAMETOOLONG: (TooLong, "A name in {} is longer than 255 bytes; choose a shorter one."),
    errno.EACCES: (Denied, "The rights of {} do not let lsfs; ask its owner."),
    errno.EPERM: (NotPermitted, "The disk does not allow it for {}; see lsattr(1) and mount(8)."),
    errno.EROFS: (ReadOnly, "The disk that {} is on is read-only."),
    errno.ENOSPC: (NoRoom, "The disk has no room for {}; make some first."),
    errno.EDQUOT: (NoRoom, "The quota has no room for {}; make some first."),
}  # fmt: skip


def said(path: bytes) -> str:
    """A path in a sentence, as ls shows it in the mount; cut where nobody would read it."""
    text = f"files/{os.fsdecode(path)}" if path else "files"
    return text if len(text) <= 300 else f"{text[:300]}…"


def failed(error: OSError, path: bytes) -> LsfsError:
    """An error of the disk as one of the calls."""
    kind, sentence = _KINDS.get(error.errno or 0, (LsfsError, "{} cannot be used: " + f"{error.strerror}."))
    return kind(sentence.format(said(path)))


def checked(path: bytes) -> list[bytes]:
    """The names of a path. Raises InvalidArgument, TooLong."""
    parts = path.split(b"/") if path else []
    if b"\0" in path or any(part in (b"", b".", b"..") for part in parts):
        raise InvalidArgument("A path is written as ls shows it below files/, without `.` and `..`.")
    if any(len(part) > NAME for part in parts):
        raise TooLong(f"A name in {said(path)} is longer than 255 bytes; choose a shorter one.")
    return parts


def for_reading(path: bytes, hidden: Collection[bytes]) -> None:
    """Raises NotFound for what the mount does not show, and as `checked`."""
    parts = checked(path)
    if parts and (parts[0] in hidden or _STATE in parts):
        raise NotFound(f"There is nothing at {said(path)}; write the path as ls shows it below files/.")


def for_writing(path: bytes, hidden: Collection[bytes], virtual: Collection[bytes]) -> None:
    """Raises NotPermitted for lsfs's own names, InvalidArgument for the folder itself, and as `checked`."""
    parts = checked(path)
    if not parts:
        raise InvalidArgument("The folder itself is neither made nor removed; name something in it.")
    if parts[0] in hidden or _STATE in parts or any(part in virtual for part in parts):
        raise NotPermitted(f"{said(path)} is a name of lsfs's own; choose another one.")


def resolved(root_fd: int, path: bytes, viewer: Viewer, readable: Readable, *, last: bool) -> bytes:
    """Where a path leads: symlinks are followed, and the one at its end where `last`. Raises NotFound where that is out of the folder,
    Denied where the viewer may not pass, and as `failed`."""
    parts = path.split(b"/") if path else []
    done: list[bytes] = []
    links = 0
    while parts:
        name = parts.pop(0)
        if name in (b"", b"."):
            continue
        if name == b"..":
            if not done:
                raise NotFound(f"{said(path)} leads out of the folder.")
            done.pop()
            continue
        if not readable.passes(b"/".join(done), viewer):
            raise Denied(f"You may not pass the folders above {said(path)}; ask their owner.")
        here = b"/".join([*done, name])
        if not parts and not last:
            return here
        target = _link(root_fd, here, path)
        if target is None:
            done.append(name)
            continue
        links += 1
        if links > LINKS or target.startswith(b"/"):
            why = "goes round in circles" if links > LINKS else "leads out of the folder"
            raise NotFound(f"{said(path)} {why}.")
        parts = target.split(b"/") + parts
    return b"/".join(done)


def opened(root_fd: int, path: bytes, viewer: Viewer) -> int:
    """A descriptor (O_PATH) of what is at a path without symlinks. Each folder is asked by the descriptor that leads on from it, so that
    none that comes to its place meanwhile lets somebody through. Raises OSError, Denied."""
    if viewer.uid == 0:
        return open_beneath(root_fd, path, os.O_PATH | os.O_NOFOLLOW)
    at = open_beneath(root_fd, b"", os.O_PATH | os.O_DIRECTORY)
    try:
        for name in path.split(b"/") if path else ():
            found = os.fstat(at)
            if stat.S_ISLNK(found.st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            if stat.S_ISDIR(found.st_mode) and not granted(at, found, viewer, SEARCH):
                raise Denied(f"You may not pass the folders above {said(path)}; ask their owner.")
            inner = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            at, before = inner, at
            os.close(before)
    except BaseException:
        os.close(at)
        raise
    return at


def granted(fd: int, found: os.stat_result, viewer: Viewer, wanted: int) -> bool:
    """Do the rights of the object open at `fd`, its access list included, grant the viewer these bits?"""
    if viewer.uid == 0:
        return True
    if viewer.uid != found.st_uid:
        with contextlib.suppress(OSError):
            acl = os.getxattr(b"/proc/self/fd/%d" % fd, _ACL)
            return acl_grants(acl, found.st_uid, found.st_gid, viewer, wanted)
    shift = 6 if viewer.uid == found.st_uid else 3 if found.st_gid in viewer.groups | {viewer.gid} else 0
    return found.st_mode >> shift & wanted == wanted


def _link(root_fd: int, here: bytes, path: bytes) -> bytes | None:
    """The target of a symlink; None for anything else."""
    try:
        fd = open_beneath(root_fd, here, os.O_PATH | os.O_NOFOLLOW)
    except OSError as error:
        raise failed(error, path) from None
    try:
        return os.readlink(b"", dir_fd=fd) if stat.S_ISLNK(os.fstat(fd).st_mode) else None
    finally:
        os.close(fd)
