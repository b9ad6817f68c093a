"""block_log: a disk that remembers every write and every flush, so that a power loss at any moment can be replayed.

    with PowerLoss(tmp_path, filesystem="ext4") as disk:
        ...                                    # work in disk.path, an ordinary folder
        disk.mark("snapshot s1")               # from here on s1 is acknowledged
        for state in disk.states(200, seed=1):
            with state.mounted() as path:      # what disk.path is after this power loss and the journal's recovery
                check(path, state.marks)       # what was marked before it must be there

Below disk.path: a file system, a loop device, and the one file `disk` of a small FUSE program, which is this module run as
`python block_log.py MOUNT IMAGE LOG`. The loop driver passes a flush on as fsync(2) wherever its file has one (FUSE does; no
option of losetup is needed), FUA writes come as a write and a flush, and without the writeback cache FUSE sends each write
before it is completed. So LOG has the device's writes in the order in which the device had them: a flush covers all
that stand before it.

A state is all writes before the last flush ahead of the cut, and of those after it the ones that the chooser kept (some of them
in part, by sectors), in their order: what a disk with a volatile cache may be left with. Half of the cuts are right
behind a mark, where an acknowledgement without a sync is found out.

Threading: the FUSE program answers one request after another, without an await, so the log is in the order of its answers.
A mark is an extended attribute set on `disk`, and thus in the log when `mark` returns. That process imports neither pytest nor
what does, so functions import small_disk where they need it.
"""

import contextlib
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field

EVENT = struct.Struct("<cQI")  # what, offset, length of the data that follow
WRITE, FLUSH, MARK = b"W", b"F", b"M"
OPTIONS = {  # of the disk at work, of a replayed one
    # auto_da_alloc forgives a missing fsync before a rename; only ext4 does, and POSIX promises nothing
    "ext4": ("noauto_da_alloc", ""),
    "xfs": ("", "nouuid"),  # the disk at work may still be mounted
}
SIZE = {"ext4": 64 << 20, "xfs": 300 << 20}  # sparse; mkfs.xfs makes none below 300 MiB


class PowerLoss:
    """A file system at `path` whose every power loss can be replayed. Images are kept in memory where there is a /dev/shm."""

    def __init__(self, folder: pathlib.Path, size: int = 0, filesystem: str = "ext4") -> None:
        self.size, self.filesystem = size or SIZE[filesystem], filesystem
        self.path, self.log = folder / "disk", folder / "block.log"
        self._served, self._replayed = folder / "disk.fuse", folder / "replayed"
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "PowerLoss":
        from small_disk import make, mounted

        with contextlib.ExitStack() as stack:
            memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else self.path.parent
            self.images = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
            make(self.images / "base", self.size, self.filesystem)
            copy(self.images / "base", self.images / "now")
            self._work = stack.enter_context(contextlib.ExitStack())
            self._work.enter_context(served(self._served, self.images / "now", self.log))
            self._work.enter_context(
                mounted(self._served / "disk", self.path, self.filesystem, OPTIONS[self.filesystem][0])
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *reason: object) -> None:
        self._stack.close()

    def mark(self, text: str) -> None:
        """Note in the log that `text` is acknowledged: every state that is cut later must have it. From any thread."""
        os.setxattr(self._served / "disk", "user.mark", text.encode())

    def stop(self) -> None:
        """Unmount the disk at work (its last writes are in the log too); the states can still be had."""
        self._work.close()

    def states(
        self, count: int, seed: object = 1, since: str | None = None, sector: int = 4096
    ) -> "Iterator[State]":
        """`count` power losses chosen by `seed`, in the order of their cuts; each is valid until the next is asked for.

        since    only cuts after this mark: what was set up before it is of no interest
        sector   what a disk writes whole. 512 asks more than ext4 promises: its superblock has two sectors and one checksum
        """
        chooser = random.Random(f"{seed}")
        events = list(read_log(self.log))
        behind_marks = [number + 1 for number, event in enumerate(events) if event.what == MARK]
        first = 0
        if since is not None:
            first = next(n for n in behind_marks if events[n - 1].data.decode() == since)
            behind_marks = [number for number in behind_marks if number >= first]
        cuts = sorted(
            chooser.choice(behind_marks)
            if behind_marks and chooser.random() < 0.5
            else chooser.randint(first, len(events))
            for _ in range(count)
        )
        durable, image = self.images / "durable", self.images / "state"
        copy(self.images / "base", durable)
        done = 0  # events that `durable` has
        for number, cut in enumerate(cuts, 1):
            flushed = max((n for n in range(done, cut) if events[n].what == FLUSH), default=done)
            apply(durable, (event for event in events[done:flushed] if event.what == WRITE))
            done = flushed
            pending = [event for event in events[done:cut] if event.what == WRITE]
            kept = survivors(pending, chooser, sector)
            image.unlink(missing_ok=True)  # a failed check may still hold the last one
            copy(durable, image)
            apply(image, kept)
            marks = [event.data.decode() for event in events[:cut] if event.what == MARK]
            told = (
                f"power loss {number} of {count}, seed {seed}: event {cut} of {len(events)} in {self.log}, "
                f"{sum(map(len, kept))} of {sum(map(len, pending))} unflushed bytes reached the disk; "
                f"last mark {marks[-1] if marks else 'none'}"
            )
            yield State(marks, image, self._replayed, self.filesystem, told)


@dataclass
class State:
    """A disk after a power loss. `marks` are those made before it, in order; `told` says which power loss it is."""

    marks: list[str]
    image: pathlib.Path
    place: pathlib.Path
    filesystem: str
    told: str

    @contextlib.contextmanager
    def mounted(self) -> Iterator[pathlib.Path]:
        """Recovered and mounted, writable. What fails inside says in which state it failed."""
        from small_disk import mounted

        try:
            with mounted(self.image, self.place, self.filesystem, OPTIONS[self.filesystem][1]) as path:
                yield path
        except BaseException as error:
            error.add_note(self.told)
            raise


@dataclass
class Event:
    """A line of the log."""

    what: bytes
    offset: int = 0
    data: bytes = field(default=b"", repr=False)

    def __len__(self) -> int:
        return len(self.data)


def read_log(path: pathlib.Path) -> Iterator[Event]:
    """What is in a log so far."""
    with open(path, "rb") as stream:
        while len(head := stream.read(EVENT.size)) == EVENT.size:
            what, offset, length = EVENT.unpack(head)
            yield Event(what, offset, stream.read(length))


def survivors(pending: list[Event], chooser: random.Random, sector: int) -> list[Event]:
    """Which of the writes after the last flush reached the disk: none, all, or some, a few of them in part."""
    share = chooser.choice((0.0, 1.0, 0.1, 0.5, 0.9, chooser.random()))
    kept: list[Event] = []
    for event in pending:
        if share in (0.0, 1.0) or chooser.random() < 0.8:
            kept += [event] if chooser.random() < share else []
            continue
        position = event.offset
        while position < event.offset + len(event):
            end = min(event.offset + len(event), position - position % sector + sector)
            if chooser.random() < share:
                kept.append(Event(WRITE, position, event.data[position - event.offset : end - event.offset]))
            position = end
    return kept


def apply(image: pathlib.Path, writes: Iterator[Event] | list[Event]) -> None:
    """Make writes in an image."""
    with open(image, "r+b", buffering=0) as stream:
        for event in writes:
            os.pwrite(stream.fileno(), event.data, event.offset)


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy a sparse file: only what is not a hole."""
    with open(source, "rb", buffering=0) as old, open(target, "wb", buffering=0) as new:
        size = os.fstat(old.fileno()).st_size
        new.truncate(size)
        end = 0
        with contextlib.suppress(OSError):  # ENXIO: a hole up to the end
            while end < size:
                start = os.lseek(old.fileno(), end, os.SEEK_DATA)
                end = os.lseek(old.fileno(), start, os.SEEK_HOLE)
                os.pwrite(new.fileno(), os.pread(old.fileno(), end - start, start), start)


@contextlib.contextmanager
def served(path: pathlib.Path, image: pathlib.Path, log: pathlib.Path) -> Iterator[None]:
    """The FUSE program in a process of its own: IMAGE is PATH/disk."""
    from small_disk import unmount

    path.mkdir(exist_ok=True)
    command = [sys.executable, __file__, path, image, log]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout and program.stdout.readline() == "serving\n", (
                "the block logger did not start"
            )
            yield
        finally:
            if os.path.ismount(path):
                unmount(path)
            else:
                program.kill()


def serve(path: str, image: str, log: str) -> None:
    """Serve until unmounted."""
    import pyfuse3
    import trio

    disk = os.open(image, os.O_RDWR)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)

    def note(what: bytes, offset: int = 0, data: bytes = b"") -> None:
        os.writev(written, (EVENT.pack(what, offset, len(data)), data))

    class Disk(pyfuse3.Operations):
        """A folder (1) with a file (2)."""

        async def getattr(self, inode, ctx=None):
            entry = pyfuse3.EntryAttributes()
            entry.st_ino, entry.st_nlink = inode, 1
            entry.st_mode, entry.st_size = (0o40700, 0) if inode == 1 else (0o100600, os.fstat(disk).st_size)
            return entry

        async def lookup(self, parent, name, ctx=None):
            if name != b"disk":
                raise pyfuse3.FUSEError(2)
            return await self.getattr(2)

        async def open(self, inode, flags, ctx):
            return pyfuse3.FileInfo(fh=2, keep_cache=True)

        async def read(self, fh, offset, size):
            return os.pread(disk, size, offset)

        async def write(self, fh, offset, data):
            os.pwrite(disk, data, offset)
            note(WRITE, offset, data)
            return len(data)

        async def fsync(self, fh, datasync):
            note(FLUSH)

        async def setxattr(self, inode, name, value, ctx):
            note(MARK, 0, value)

    options = set(pyfuse3.default_options) | {"fsname=block_log"}
    pyfuse3.init(Disk(), path, options)
    print("serving", flush=True)
    trio.run(pyfuse3.main)
    pyfuse3.close()


if __name__ == "__main__":
    serve(*sys.argv[1:])
