"""beneath: open and stat paths below a folder's descriptor, and never leave it.

Every backing path goes through here (openat2 with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS), so no
symlink, "..", or rename at the wrong moment leads out of the folder. Where the kernel or a container has no openat2, and for
paths longer than PATH_MAX, the path is walked by component with O_NOFOLLOW.

Threading: functions without state but one flag (openat2 is missing), which is only ever set; callable from any thread. ctypes
releases the GIL during the system call.
"""

import ctypes
import errno
import os
import stat
import struct
from functools import lru_cache

_OPENAT2 = 437  # the same number on every architecture
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_PATH_MAX = 4096
_RETRIES = 16  # EAGAIN: a rename elsewhere made the kernel unsure about the path

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
_missing = False


@lru_cache(maxsize=256)
def _how(flags: int, mode: int, resolve: int) -> "ctypes.Array[ctypes.c_char]":
    # struct open_how; the kernel refuses a mode without O_CREAT or O_TMPFILE
    return ctypes.create_string_buffer(struct.pack("=QQQ", flags, mode, resolve), 24)


def _error(number: int, path: bytes) -> OSError:
    return OSError(number, os.strerror(number), os.fsdecode(path))


def open_beneath(root_fd: int, path: bytes, flags: int, mode: int = 0, *, xdev: bool = True) -> int:
    """Open `path` below the folder `root_fd` and return a close-on-exec descriptor.

    `path` is relative, b"" is the folder itself; `flags` and `mode` are those of open(2). With `xdev=False` a mount point on the
    way is EXDEV. Raises OSError: ELOOP for a symlink anywhere on the way (the last one may be opened with O_PATH | O_NOFOLLOW),
    EXDEV for an absolute path or "..", EINVAL for a NUL byte, otherwise as open(2).
    """
    global _missing
    if b"\0" in path:
        raise _error(errno.EINVAL, path)
    if b".." in path and b".." in path.split(b"/"):
        raise _error(errno.EXDEV, path)
    flags |= os.O_CLOEXEC
    # O_TMPFILE contains O_DIRECTORY, so it is compared whole
    creates = flags & os.O_CREAT or flags & os.O_TMPFILE == os.O_TMPFILE
    if _missing or len(path) >= _PATH_MAX:
        return _walk(root_fd, path, flags, mode, xdev)
    resolve = _BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS | (0 if xdev else _NO_XDEV)
    how = _how(flags, mode & 0o7777 if creates else 0, resolve)
    for _ in range(_RETRIES):
        fd = int(_syscall(_OPENAT2, root_fd, ctypes.c_char_p(path or b"."), how, ctypes.c_size_t(24)))
        if fd >= 0:
            return fd
        number = ctypes.get_errno()
        if number == errno.ENOSYS:
            _missing = True
            return _walk(root_fd, path, flags, mode, xdev)
        if number == errno.EPERM and not creates:
            # old container runtimes answer EPERM to system calls they do not know; the walk finds out whether this is one
            return _walk(root_fd, path, flags, mode, xdev)
        if number not in (errno.EAGAIN, errno.EINTR):
            break
    raise _error(number, path)


def _walk(root_fd: int, path: bytes, flags: int, mode: int, xdev: bool) -> int:
    """open_beneath without openat2: one O_NOFOLLOW step for each component."""
    if path.startswith(b"/"):
        raise _error(errno.EXDEV, path)
    names = [name for name in path.split(b"/") if name not in (b"", b".")]
    if not names:
        return os.open(b".", flags, mode, dir_fd=root_fd)
    device = None if xdev else os.fstat(root_fd).st_dev
    here = root_fd
    try:
        for name in names[:-1]:
            below = _step(here, name, path)
            if here != root_fd:
                os.close(here)
            here = below
            if device is not None and os.fstat(here).st_dev != device:
                raise _error(errno.EXDEV, path)
        if path.endswith(b"/"):
            flags |= os.O_DIRECTORY
        try:
            fd = os.open(names[-1], flags | os.O_NOFOLLOW, mode, dir_fd=here)
        except OSError as error:
            # O_DIRECTORY on a symlink says ENOTDIR where openat2 says ELOOP
            number = (
                errno.ELOOP if error.errno == errno.ENOTDIR and _is_link(here, names[-1]) else error.errno
            )
            raise _error(number or errno.EIO, path) from None
        found = os.fstat(fd)
        if stat.S_ISLNK(found.st_mode) and not flags & os.O_NOFOLLOW:
            os.close(fd)
            raise _error(errno.ELOOP, path)
        if device is not None and found.st_dev != device:
            os.close(fd)
            raise _error(errno.EXDEV, path)
        return fd
    finally:
        if here != root_fd:
            os.close(here)


def _step(here: int, name: bytes, path: bytes) -> int:
    try:
        return os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
    except OSError as error:
        number = errno.ELOOP if error.errno == errno.ENOTDIR and _is_link(here, name) else error.errno
        raise _error(number or errno.EIO, path) from None


def _is_link(here: int, name: bytes) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode)
    except OSError:
        return False


def stat_beneath(root_fd: int, path: bytes, *, xdev: bool = True) -> os.stat_result:
    """lstat(2) of `path` below `root_fd`: a symlink at its end is described, one on the way is ELOOP. Raises OSError."""
    fd = open_beneath(root_fd, path, os.O_PATH | os.O_NOFOLLOW, xdev=xdev)
    try:
        return os.fstat(fd)
    finally:
        os.close(fd)


def open_regular(root_fd: int, path: bytes, *, xdev: bool = True) -> tuple[int, os.stat_result]:
    """Open a regular file for reading and return its descriptor and stat.

    It is looked at through O_PATH first, so a FIFO or a device is never opened (ENXIO) and a symlink never followed (ELOOP).
    The access time stays where the owner lets it. Raises OSError.
    """
    place = open_beneath(root_fd, path, os.O_PATH | os.O_NOFOLLOW, xdev=xdev)
    try:
        found = os.fstat(place)
        if not stat.S_ISREG(found.st_mode):
            raise _error(errno.ELOOP if stat.S_ISLNK(found.st_mode) else errno.ENXIO, path)
        # the same inode again, whatever has happened to the path since
        again = b"/proc/self/fd/%d" % place
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            return os.open(again, flags | os.O_NOATIME), found
        except PermissionError:  # only the owner may keep the access time
            return os.open(again, flags), found
        except FileNotFoundError:  # no /proc here
            fd = open_beneath(root_fd, path, flags | os.O_NOFOLLOW, xdev=xdev)
    finally:
        os.close(place)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _error(errno.ENXIO, path)
    return fd, os.fstat(fd)
