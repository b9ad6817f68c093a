"""files_linux: the two system calls that /files needs and Python does not have.

Both raise OSError with the errno of the call and return at once.
"""

from __future__ import annotations

import ctypes
import os

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2

_OMIT = (1 << 30) - 2
_SECOND = 1_000_000_000

_libc = ctypes.CDLL(None, use_errno=True)
_renameat2 = _libc.renameat2
_renameat2.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


_utimensat = _libc.utimensat
_utimensat.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_Timespec), ctypes.c_int)


def rename(old_fd: int, old: bytes, new_fd: int, new: bytes, flags: int) -> None:
    """renameat2(2): rename *old* below the directory *old_fd* to *new* below *new_fd*."""
    if _renameat2(old_fd, old, new_fd, new, flags):
        _fail()


def utime(path: bytes, atime_ns: int | None, mtime_ns: int | None) -> None:
    """utimensat(2): set one or both times, in ns; None leaves a time as it is (os.utime can only set
    both)."""
    times = (_Timespec * 2)(_timespec(atime_ns), _timespec(mtime_ns))
    if _utimensat(-1, path, times, 0):
        _fail()


def _timespec(ns: int | None) -> _Timespec:
    return _Timespec(0, _OMIT) if ns is None else _Timespec(ns // _SECOND, ns % _SECOND)


def _fail() -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))
