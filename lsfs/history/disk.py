"""disk: all of a file system on the disk, in one call."""

import ctypes
import os

_syncfs = ctypes.CDLL(None, use_errno=True).syncfs


def sync(root_fd: int) -> None:
    """syncfs(2) of the file system of a folder, whose descriptor may be one of O_PATH. Takes a while: for a thread. Raises OSError."""
    fd = os.open(
        ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root_fd
    )  # syncfs takes none of O_PATH
    try:
        if _syncfs(fd):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(fd)
