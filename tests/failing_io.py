"""failing_io: the n-th write or sync of another process fails, or kills it.

    faults = Faults(tmp_path, below=folder / ".lsfs")       # what happens elsewhere is not counted
    mounted = Mounted(...); with faults.preloaded(): mounted.mount()
    faults.arm("fsync", "fdatasync", at=3)                  # from now on the third of them is EIO; the fourth succeeds
    faults.arm("write", at=1, error=errno.ENOSPC, for_good=True)
    faults.arm("rename", at=2, error=KILL)                  # SIGKILL instead of the call
    faults.arm("fsync", "fdatasync", at=1, error=LIE, for_good=True)    # no sync is done, all say 0: what must a crash test find?
    faults.arm(*CALLS, at=0); ...; faults.seen              # only count: an upper end for `at`

failing_io.c stands before libc (LD_PRELOAD) in the processes that are started with `preloaded` or `environment`, and in theirs. Test and
processes share one small file, so the test arms at any time and the count is one of all of them together: with two at
work, which of them meets the n-th call is chance.

Not seen: system calls made without libc's functions (syscall(2), io_uring, libc's own stdio), writes to a mapping, and a file that
is opened or made rather than written. Paths are compared as they are given, so `below` is the real path. A renamed or linked
file counts where its new name is; a removed file that is still open counts by its old one.
"""

import contextlib
import errno
import mmap
import os
import pathlib
import shutil
import struct
import subprocess
from collections.abc import Iterator

import pytest

CALLS = {  # a word for a family of functions
    "write": 1,  # also pwrite, writev, pwritev, sendfile, copy_file_range
    "fsync": 2,  # also syncfs
    "fdatasync": 4,
    "rename": 8,  # also renameat, renameat2
    "link": 16,
    "truncate": 32,  # also ftruncate
    "unlink": 64,  # also unlinkat (rmdir has none)
}
CONTROL = struct.Struct("=IIQQQ")  # calls, error, first, last, seen
KILL, LIE = (
    0,
    2**32 - 1,
)  # instead of an errno; LIE: 0 is returned and nothing done, for calls that return no count
EVER = 2**64 - 1
SOURCE = pathlib.Path(__file__).with_suffix(".c")


class Faults:
    """Calls that fail, below one folder. Disarmed when made; skips the test where no C compiler is."""

    def __init__(self, place: pathlib.Path, below: pathlib.Path) -> None:
        library, control = place / "failing_io.so", place / "failing_io.control"
        compiled(library)
        control.write_bytes(bytes(CONTROL.size))
        with open(control, "r+b") as stream:
            self._shared = mmap.mmap(stream.fileno(), CONTROL.size)
        preload = " ".join(filter(None, (os.fspath(library), os.environ.get("LD_PRELOAD"))))
        self.environment = {
            "LD_PRELOAD": preload,
            "LSFS_FAULTS": os.fspath(control),
            "LSFS_FAULTS_BELOW": os.path.realpath(below),
        }

    @contextlib.contextmanager
    def preloaded(self) -> Iterator[None]:
        """What this process starts meanwhile can fail."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            yield

    def arm(self, *calls: str, at: int, error: int = errno.EIO, for_good: bool = False) -> None:
        """Count these calls from now on, and let the one numbered `at` fail (`for_good`: those after it too)."""
        self.disarm()
        self._shared[:] = CONTROL.pack(0, error, at, EVER if for_good else at, 0)
        self._shared[:4] = struct.pack("=I", sum(CALLS[call] for call in set(calls)))

    def disarm(self) -> None:
        """Nothing fails or is counted any more; `seen` keeps its last value."""
        self._shared[:4] = bytes(4)

    @property
    def seen(self) -> int:
        """How many of the armed calls there have been."""
        return CONTROL.unpack(self._shared[:])[4]


def compiled(library: pathlib.Path) -> None:
    """Compile failing_io.c, or skip the test."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        pytest.skip("needs a C compiler (cc, gcc or clang) for failing_io.c")
    if not library.exists():
        command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-o", library, SOURCE, "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
