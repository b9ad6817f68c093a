"""files: the user's folder, live: /files/…, read and written as on a local disk.

    cat  MOUNT/files/report.md        the file itself: its bytes are nowhere else
    ls   MOUNT/files/papers/.query/"prior art"      rows found by name below any directory (`Ports.inner`)

`Files` is the table of the objects that the kernel knows. Descriptors, not paths: an object is reached by one
name relative to a directory's O_PATH descriptor (`files_descriptors`), and must still be the inode it was.

Threading: the daemon's loop; every operation but fsync is atomic, as it never awaits. Nothing here touches
the mount itself. The daemon calls os.umask(0) (the caller's is applied here), runs with
RLIMIT_NOFILE as high as it may, and needs /proc.

Caches: what is done through the mount, the kernel knows. What changes behind it reaches the kernel through
`stale`, which the watcher calls; while nobody watches, names and attributes are believed for a second.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import trio

from mounts.files_descriptors import Descriptors
from mounts.files_directory import Directory, Top
from mounts.files_entry import Entry, File
from mounts.nodes import Nodes, refuse

if TYPE_CHECKING:
    from mounts.files_handle import OpenFile
    from mounts.ports import Ports
    from syscalls.values import Lock

RECENT = 1.0
"""Seconds between the last write to a file and its close, mostly."""
MOMENTS = 10
"""Of these, at most, are waited for one close after the other."""
SOON = 0.01
"""Seconds in which the kernel tells of a close(2) that has returned."""


class Kernel(Protocol):
    """What must be forgotten; `fuse.Kernel` tells the real one."""

    def attributes(self, id: int) -> None: ...

    def contents(self, id: int) -> None: ...

    def entry(self, parent: int, name: bytes) -> None: ...

    async def flush(self, id: int) -> None: ...


class Watches(Protocol):
    """Which directories are watched; `lsfs.history.watch.Watch` knows. `losses` grows with every watch that is let go."""

    losses: int

    def holds(self, path: bytes) -> int: ...

    def add(self, path: bytes, fd: int) -> None: ...

    def moved(self, old: bytes, new: bytes) -> None: ...


class Everywhere:
    """Watches on every directory."""

    losses = 0

    def holds(self, path: bytes) -> int:
        return 1

    def add(self, path: bytes, fd: int) -> None: ...

    def moved(self, old: bytes, new: bytes) -> None: ...


class Deaf:
    """A kernel that knows nothing yet."""

    def attributes(self, id: int) -> None: ...

    def contents(self, id: int) -> None: ...

    def entry(self, parent: int, name: bytes) -> None: ...

    async def flush(self, id: int) -> None: ...


class Files:
    """The folder of *ports*. `root` is its node; `attach` it before the first request."""

    def __init__(self, ports: Ports, descriptors: Descriptors | None = None) -> None:
        self.ports = ports
        self.kernel: Kernel = Deaf()
        self.rows = ports.inner
        self.hidden = frozenset(ports.hidden)
        self.watches: Watches = Everywhere()
        self.moves = 0
        """How often a directory has got another path: what was known of watches by path is asked again."""
        self.changing: set[OpenFile] = set()
        """Open files that were written to, or emptied, and not reported yet."""
        self.storing: list[OpenFile] = []
        """Those whose bytes a thread is writing."""
        self.guard = ports.guard
        self.locks = ports.locks
        self.held: dict[bytes, Lock] = {} if ports.locks is None else ports.locks.held
        """Locks by path; while there are none, no operation asks further."""
        self.veiled: trio.Event | None = None
        """While nobody is to look (`veil`): set when it is over."""
        self.unsettled: frozenset[bytes] = frozenset()
        """Folders in which something is about to become another thing: the kernel keeps no name of theirs (`unsettle`)."""
        self.wrote = 0.0
        """When something was written last (time.monotonic)."""
        self.privileged = os.geteuid() == 0
        """As root the daemon gives new objects to the caller, and has to do what the kernel does for
        others."""
        self.descriptors = Descriptors() if descriptors is None else descriptors
        self._nodes: Nodes | None = None
        self._known: dict[Any, Entry] = {}
        found = os.fstat(ports.root_fd)
        self.device = found.st_dev
        self.root = Top(self, self.key(found))
        self.root.fd = ports.root_fd
        self._known[self.root.key] = self.root

    def attach(
        self,
        nodes: Nodes,
        kernel: Kernel,
        watches: Watches | None = None,
    ) -> None:
        """*nodes* is the table that fuse.py keeps, *kernel* is told what to forget, *watches* knows which directories are
        watched by now: one that came from behind the mount is only after some time."""
        self._nodes = nodes
        self.kernel = kernel
        self.watches = self.watches if watches is None else watches

    # --- Identity

    def key(self, found: os.stat_result) -> Any:
        return found.st_ino if found.st_dev == self.device else (found.st_dev, found.st_ino)

    def adopt(self, directory: Directory, name: bytes, found: os.stat_result) -> Entry:
        """The object with these attributes, now known to be called *name* in *directory*."""
        key, kind = self.key(found), stat.S_IFMT(found.st_mode)
        entry = self._known.get(key)
        if entry is None or not entry.is_behind(found) or entry is self.root:
            entry = Directory(self, key) if kind == stat.S_IFDIR else File(self, key, kind)
            self._known[key] = entry
        entry.add_name(directory, name, kind == stat.S_IFDIR or found.st_nlink == 1)
        return entry

    def leave(self, entry: Entry) -> None:
        """*entry* is not what its inode number stands for any more."""
        if self._known.get(entry.key) is entry:
            del self._known[entry.key]
        if isinstance(entry, Directory):
            self.descriptors.close(entry)

    def settle(self, entry: Entry) -> None:
        """A reason to keep *entry* went away."""
        if self._nodes is not None and not entry.lookups:
            self._nodes.drop(entry)

    # --- What the rest of the daemon decides

    def writable(self) -> None:
        if self.ports.read_only:
            raise refuse(errno.EROFS)

    def made(self, directory: Directory) -> None:
        """A directory was just made: it is watched before anything is in it."""
        path = directory.path()
        if path is None or not self.ports.watched() or type(directory.key) is not int:
            return  # (on another file system: the scan does not go there either)
        with contextlib.suppress(OSError):  # then the scan watches it, soon
            fd = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory.descriptor())
            try:
                self.watches.add(path, fd)
            finally:
                os.close(fd)

    def touched(self, directory: Directory, name: bytes, *, written: bool = False) -> None:
        path = directory.path_of(name)
        if path is None:
            return
        if written:
            self.ports.changes.touched(path, True)
        else:
            self.ports.changes.touched(path)

    def moved(
        self,
        old_in: Directory,
        old: bytes,
        new_in: Directory,
        new: bytes,
        *,
        exchange: bool,
        directory: bool,
        found: os.stat_result | None = None,
    ) -> None:
        """*old* was renamed to *new*; *directory* says whether one of them may be a directory, *found* what a file was just
        before."""
        before, after = old_in.path_of(old), new_in.path_of(new)
        if before is not None and after is not None:
            if directory:
                self.moves += 1
                for source, target in (
                    ((before, b"\0"), (after, before), (b"\0", after)) if exchange else ((before, after),)
                ):
                    self.watches.moved(source, target)  # at once, so that nothing is missed
            self.ports.changes.moved(before, after, exchange, found)

    def busy(self) -> frozenset[bytes]:
        """The paths whose content is being changed just now."""
        found: set[bytes] = set()
        for node in {handle.node for handle in self.changing}:
            for directory, name in node.names():
                path = directory.path_of(name)
                if path is not None:
                    found.add(path)
        return frozenset(found)

    def writers(self) -> frozenset[bytes]:
        """The paths of the files that somebody has open for writing, whether he writes or not."""
        found: set[bytes] = set()
        for node in self._known.values():
            if node.handles and any(handle.writes for handle in node.handles):
                for directory, name in node.names():
                    path = directory.path_of(name)
                    if path is not None:
                        found.add(path)
        return frozenset(found)

    async def flush(self, path: bytes) -> None:
        """Before a lock: what programs have stored in files at or below *path* that they have mapped is written, and no write is under
        way when this returns."""
        top = path + b"/" if path else b""

        def below(node: Entry) -> bool:
            there = [directory.path_of(name) or b"" for directory, name in node.names()]
            return any(name == path or name.startswith(top) for name in there)

        for node in list(self._known.values()):
            if node.id and node.handles and any(handle.writes for handle in node.handles) and below(node):
                await self.kernel.flush(node.id)
        while any(below(handle.node) for handle in self.storing):
            await trio.sleep(SOON / 10)

    async def keep_open(self) -> None:
        """Before a snapshot: what is in files that are being written, as far as it is written."""
        for node in {handle.node for handle in self.changing}:
            path = node.path()
            handle = next(iter(node.handles or ()), None)
            if path is None or handle is None:
                continue
            found = os.fstat(handle.fd)
            if node.snapped == (found.st_mtime_ns, found.st_ctime_ns, found.st_size):
                continue
            node.snapped = (found.st_mtime_ns, found.st_ctime_ns, found.st_size)
            if found.st_size and (wait := self.guard.keeps(path, handle.fd, found)) is not None:
                node.still = trio.Event()  # so that what is read is what was there at one moment
                try:
                    await wait
                finally:
                    node.still.set()
                    node.still = None

    async def heard(self) -> None:
        """Wait until what was closed before this call is known to be closed.

        Where flush is not asked for, the kernel says it in a request of its own, for which nobody waits: it is under way
        when close(2) returns, and where many are, it may be overtaken. So a moment is waited while something that was
        written just now is open, and another while that becomes less.
        """
        for _ in range(MOMENTS):
            before = len(self.changing)
            if not before:
                return
            await trio.sleep(SOON if time.monotonic() - self.wrote < RECENT else SOON / 10)
            if len(self.changing) >= before:
                return

    @contextlib.contextmanager
    def veil(self) -> Iterator[None]:
        """While it is entered, who looks at something in the folder waits: several paths become other ones at once. What is open is read
        on."""
        self.veiled = veiled = trio.Event()
        try:
            yield
        finally:
            self.veiled = None
            veiled.set()

    @contextlib.contextmanager
    def unsettle(self, some: Iterable[bytes]) -> Iterator[None]:
        """Several paths are about to become other ones at once: the kernel forgets what, or that nothing, is there, and keeps nothing of
        what it is told while this is entered. Directories excepted, which somebody may be in: of those it asks anew at each look
        (`stale`)."""
        paths = list(some)
        self.unsettled = frozenset(path.rpartition(b"/")[0] for path in paths)
        try:
            for path in paths:
                directory, name = self._find(path)
                if directory is not None and not isinstance(directory.children.get(name), Directory):
                    self.kernel.entry(directory.id, name)
            yield
        finally:
            self.unsettled = frozenset()

    # --- What happened behind the mount

    def stale(self, path: bytes) -> None:
        """Something may have happened to *path* behind the mount: appeared, vanished, changed, been replaced.
        The kernel forgets what is not so any more. After a change through the mount this finds nothing to
        do."""
        directory, name = self._find(path)
        if directory is None:
            return  # the kernel knows nothing there
        try:
            at = directory.descriptor()
            self._refresh(directory, os.fstat(at))
            found = os.stat(name, dir_fd=at, follow_symlinks=False) if name else None
        except OSError:
            found = None
        entry = directory.children.get(name)
        if found is not None and found.st_nlink > 1:  # the kernel may know it by another name
            other = self._known.get(self.key(found))
            if other is not None and other is not entry and other.is_behind(found):
                self._refresh(other, found)
        if entry is None:
            directory.listing = None
            if found is not None and directory.id and not (directory is self.root and name in self.hidden):
                self.kernel.entry(directory.id, name)  # it may be known not to exist
        elif found is None or not entry.is_behind(found):
            entry.remove_name(directory, name)
            if (
                entry.parent is None
                and not entry.handles
                and not (isinstance(entry, Directory) and entry.lookups)
            ):
                # while it is open, its inode number is not used again; a directory may just have got another name
                self.leave(entry)
            if (
                entry.id
            ):  # at once: its name is forgotten only when nobody is looking something up in the directory
                self.kernel.attributes(entry.id)
            self.kernel.entry(directory.id, name)
        else:
            self._refresh(entry, found)

    def forget_pages(self) -> None:
        """The kernel keeps no bytes of anything in the mount, of the past above all."""
        if self._nodes is not None:
            for number in list(self._nodes.table):
                self.kernel.contents(number)

    def distrust(self) -> None:
        """Changes behind the mount were missed: the kernel forgets whatever is not so any more."""
        for entry in list(self._known.values()):
            entry.unsure()
            if isinstance(entry, Directory):
                entry.listing = None
            for directory, name in list(entry.names()):
                path = directory.path_of(name)
                if path is not None:
                    self.stale(path)
        for name, entry in self.root.children.items():
            if isinstance(entry, Directory):
                self.kernel.entry(self.root.id, name)  # and with it all that is known not to exist below

    def _refresh(self, entry: Entry, found: os.stat_result) -> None:
        if not entry.id or entry.is_told(found):
            return
        changed = (found.st_mtime_ns, found.st_size) != (entry.told_mtime, entry.told_size)
        if (
            changed
            and isinstance(entry, File)
            and (found.st_mtime_ns, found.st_size) != (entry.wrote_mtime, entry.wrote_size)
        ):
            self.kernel.contents(entry.id)
        else:
            self.kernel.attributes(entry.id)
        entry.seen(found)

    def _find(self, path: bytes) -> tuple[Directory | None, bytes]:
        """The directory that holds *path*, if the kernel knows it, and the name in it."""
        *above, name = path.split(b"/")
        directory: Entry | None = self.root
        for part in above:
            if not isinstance(directory, Directory):
                return None, name
            directory = directory.children.get(part)
        return (directory if isinstance(directory, Directory) else None), name
