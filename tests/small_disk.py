"""small_disk: file systems in a file, on a loop device: one of a few MiB that can be filled, and how the others are mounted.

    with SmallDisk(tmp_path, size=8 << 20) as disk:
        folder = disk.path / "folder"      # an ordinary folder, on ext4 of 8 MiB
        disk.fill(leave=64 << 10)          # the next write of more than 64 KiB is ENOSPC
        disk.drain()                       # there is room again

Needs root and loop devices: `pytestmark = loop_devices` skips a test where they are missing, and says which. `mount -o loop` asks
for the device and the last umount gives it back (autoclear), so nothing is left that has no mount.
"""

import contextlib
import errno
import functools
import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest

MAKE = {  # whole blocks of 4 KiB, and nothing written later from the background
    "ext4": [
        "mkfs.ext4",
        "-q",
        "-F",
        "-b",
        "4096",
        "-m",
        "0",
        "-E",
        "lazy_itable_init=0,lazy_journal_init=0",
    ],
    "xfs": ["mkfs.xfs", "-q", "-f"],
}
PATIENCE = 15.0  # seconds that a killed process may take to let go of its files


@functools.cache
def missing(filesystem: str = "ext4") -> str:
    """Why no such file system can be made and mounted here; "" when it can."""
    if os.geteuid() != 0:
        return "needs root: it mounts loop devices"
    for program in (MAKE[filesystem][0], "losetup", "mount", "umount", "fallocate"):
        if not shutil.which(program):
            return f"needs {program}"
    found = subprocess.run(["losetup", "--find"], capture_output=True, text=True)
    if found.returncode or not os.path.exists(found.stdout.strip()):
        return f"needs a loop device: {found.stderr.strip() or 'losetup --find names none that is there'}"
    return ""


loop_devices = pytest.mark.skipif(bool(missing()), reason=missing() or "loop devices are there")


def make(image: pathlib.Path, size: int, filesystem: str = "ext4") -> None:
    """An empty file system in a sparse file."""
    with open(image, "wb") as stream:
        stream.truncate(size)
    run(*MAKE[filesystem], image)
    run(
        "fallocate", "--dig-holes", image
    )  # mkfs.xfs writes 64 MiB of zeros, which would be copied for each state of a disk


@contextlib.contextmanager
def mounted(
    image: pathlib.Path, path: pathlib.Path, filesystem: str = "ext4", options: str = ""
) -> Iterator[pathlib.Path]:
    """The file system of an image at `path`, through a loop device; what a crash left in its journal is recovered first."""
    path.mkdir(exist_ok=True)
    run("mount", "-t", filesystem, "-o", ",".join(filter(None, ("loop", options))), image, path)
    try:
        yield path
    except BaseException:
        with contextlib.suppress(
            AssertionError
        ):  # the first failure is the one to tell; it may hold files open
            unmount(path, 0.5)
        raise
    unmount(path)


def unmount(path: pathlib.Path, patience: float = PATIENCE) -> None:
    """Unmount; who still uses it after a while fails the test, and loses it all the same."""
    deadline = time.monotonic() + patience
    pause = 0.002
    while (done := subprocess.run(["umount", path], capture_output=True, text=True)).returncode:
        if time.monotonic() > deadline:
            subprocess.run(["umount", "-l", path], capture_output=True)
            raise AssertionError(f"{done.stderr.strip()} (detached lazily)")
        time.sleep(pause)  # nothing tells when a killed process has closed its files
        pause = min(0.2, pause * 2)


def left_behind(folder: pathlib.Path) -> list[str]:
    """Mounts and loop devices that lie below a folder."""
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    devices = run("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE").splitlines()
    return [line for line in mounts + devices if f" {folder}" in line]


def run(*command: str | pathlib.Path) -> str:
    """A command that must succeed, or the test says what it said."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr or done.stdout}"
    return done.stdout


class SmallDisk:
    """An ext4 of a few MiB at `folder`/small. With less than 8 MiB it has no journal."""

    def __init__(self, folder: pathlib.Path, size: int = 8 << 20) -> None:
        self.image, self.path, self.size = folder / "small.image", folder / "small", size
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "SmallDisk":
        make(self.image, self.size)
        self._stack.callback(self.image.unlink)
        self._stack.enter_context(mounted(self.image, self.path))
        return self

    def __exit__(self, *reason: object) -> None:
        self._stack.close()

    @property
    def free(self) -> int:
        """Bytes that can still be written. Delayed allocation makes this exact only after a sync."""
        room = os.statvfs(self.path)
        return room.f_bavail * room.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Take all room but `leave` bytes (whole blocks), in the file `filler`."""
        run("sync", "-f", self.path)
        with open(self.path / "filler", "ab") as stream:
            piece = 1 << 20
            while piece >= 4096:  # a large piece that finds no room may leave some for a smaller one
                if self.free - leave < piece:
                    piece //= 2
                    continue
                try:
                    os.posix_fallocate(stream.fileno(), os.fstat(stream.fileno()).st_size, piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece //= 2
            os.fsync(stream.fileno())

    def drain(self) -> None:
        """Give back what `fill` took."""
        (self.path / "filler").unlink(missing_ok=True)
        run("sync", "-f", self.path)
