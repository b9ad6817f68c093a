"""Errors of the calls: each class carries its errno, each message says what to do.

Raised by syscalls and by the ports they stand on; translated to the kernel's errno in one place (`mounts/fuse.py`), to a sentence by
`/status`, `/ctl` and the command line.
"""

import errno


class LsfsError(Exception):
    """A call that cannot be done. `errno` is what a Unix program sees, the message what a person reads."""

    errno: int = errno.EIO


class InvalidArgument(LsfsError):
    errno = errno.EINVAL


class NotFound(LsfsError):
    errno = errno.ENOENT


class TryAgain(LsfsError):
    errno = errno.EAGAIN


class ReadOnly(LsfsError):
    errno = errno.EROFS


class NotPermitted(LsfsError):
    errno = errno.EPERM


class Exists(LsfsError):
    errno = errno.EEXIST


class ModelFailed(LsfsError):
    """A language model that was named in lsfs.conf wrote nothing; nothing else fails with it."""

    errno = errno.EREMOTEIO


class TooLong(LsfsError):
    errno = errno.ENAMETOOLONG


class Denied(LsfsError):
    """The rights of the viewer do not reach so far."""

    errno = errno.EACCES


class IsFolder(LsfsError):
    errno = errno.EISDIR


class NotFolder(LsfsError):
    errno = errno.ENOTDIR


class NotRegular(LsfsError):
    """A FIFO, a socket, a device: there is no content to be read."""

    errno = errno.EINVAL


class TooLarge(LsfsError):
    errno = errno.EFBIG


class Busy(LsfsError):
    """Somebody has it open for writing."""

    errno = errno.EBUSY


class NoRoom(LsfsError):
    errno = errno.ENOSPC


class NotSupported(LsfsError):
    errno = errno.EOPNOTSUPP


class NotText(LsfsError):
    """Bytes where text is needed."""

    errno = errno.EILSEQ
