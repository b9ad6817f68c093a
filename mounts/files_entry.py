"""files_entry: one object of the user's folder: what it is called, how it is reached, its attributes.

An object is one inode of the backing file system, however many names it has. It is reached through a name, by
a call relative to the descriptor of the directory that holds it, and only if that name still leads to the
same inode: ESTALE otherwise, upon which the kernel looks the path up again. An unlinked file that is still
open is reached through one of its handles.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Awaitable, Iterator
from typing import TYPE_CHECKING, Any

import trio

from mounts import files_linux as linux
from mounts import files_locks
from mounts.attributes import groups_of
from mounts.files_descriptors import GONE, LOOK
from mounts.files_handle import OpenFile, strip_set_id
from mounts.nodes import AttributeChanges, Attributes, Caller, Handle, Node, Nodes, refuse
from syscalls.locked import ATTRIBUTE

if TYPE_CHECKING:
    from mounts.files import Files
    from mounts.files_directory import Directory

WATCHED = 60.0
UNWATCHED = 1.0
"""Seconds for which the kernel may believe names and attributes, with and without a watch on their directory."""

CAPABILITY = b"security.capability"
"""Asked by the kernel before every write, so answered without looking: /files holds no file capabilities."""

NOT_LISTED = (CAPABILITY, ATTRIBUTE)
"""Of the backing file; a lock is listed where there is one."""

ACCESS = b"system.posix_acl_access"
"""Asked by `ls -l` of every file, and again after each listing."""

LABEL = b"security.selinux"
"""Asked by `ls -l` of every file until it hears that there are no labels here."""
LABELS = os.path.exists("/sys/fs/selinux/enforce")

_NOT_KEPT = os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_NOFOLLOW | os.O_DIRECT
_ALWAYS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


def backing_flags(flags: int) -> int:
    """The flags to open the backing file with. O_APPEND stays, so that several writers never overwrite each
    other; O_DIRECT is the kernel's affair; O_NONBLOCK, in case somebody puts a FIFO in the file's place."""
    return flags & ~_NOT_KEPT | _ALWAYS


def content(found: os.stat_result) -> tuple[int, ...]:
    """What has to be the same for a file to hold the same bytes. Its mtime can be set back, its ctime cannot."""
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size


class Entry(Node):
    """A file, directory, symlink, FIFO, socket or device. `parent` and `name` are one of its names, `others`
    the further ones that are known; none are left when it was removed."""

    __slots__ = (
        "tree", "key", "kind", "parent", "name", "others", "handles", "ghost", "fresh",
        "told_size", "told_mtime", "told_ctime", "listed", "bare",
    )  # fmt: skip

    def __init__(self, tree: Files, key: Any, kind: int) -> None:
        super().__init__()
        self.tree = tree
        self.key = key
        """The inode number, or (device, inode number) where another file system is mounted in the folder."""
        self.kind = kind
        self.parent: Directory | None = None
        self.name = b""
        self.others: list[tuple[Directory, bytes]] | None = None
        self.handles: list[OpenFile] | None = None
        self.ghost: Attributes | None = None
        """What it was like when its last name was removed; None while it has one."""
        self.fresh: os.stat_result | None = None
        self.told_size = self.told_mtime = self.told_ctime = -1
        self.listed: Any = None
        """While the kernel knows it as it is, what a listing says of it; `unsure` ends that."""
        self.bare = 0.0
        """Until when (time.monotonic) it is known to have no access control list."""

    @property
    def wanted(self) -> int:  # type: ignore[override]
        return self.key if type(self.key) is int else 0

    @property
    def entry_timeout(self) -> float:  # type: ignore[override]
        return UNWATCHED if self.parent is None else self.parent.negative_timeout

    attr_timeout = entry_timeout

    # --- Names

    def is_behind(self, found: os.stat_result) -> bool:
        """Do these attributes belong to this object?"""
        return self.key == self.tree.key(found) and self.kind == stat.S_IFMT(found.st_mode)

    def names(self) -> Iterator[tuple[Directory, bytes]]:
        if self.parent is not None:
            yield self.parent, self.name
            yield from self.others or ()

    def add_name(self, directory: Directory, name: bytes, only: bool) -> None:
        """It is called *name* in *directory*, and nothing else if *only*."""
        before = directory.children.get(name)
        if before is not self:
            directory.listing = None
            if before is not None:
                before.remove_name(directory, name)
        if only:
            for place in list(self.names()):
                if place != (directory, name):
                    self.remove_name(*place)
                    self.tree.kernel.entry(place[0].id, place[1])  # renamed behind the mount
                    self.tree.moves += 1
        directory.children[name] = self
        if self.parent is None:
            self.parent, self.name = directory, name
        elif (directory, name) not in self.names():
            self.others = [*(self.others or ()), (directory, name)]

    def remove_name(self, directory: Directory, name: bytes) -> None:
        """It is not called that any more."""
        directory.listing = None
        self.unsure()
        if directory.children.get(name) is self:
            del directory.children[name]
        left = [place for place in self.names() if place != (directory, name)]
        self.parent, self.name = left[0] if left else (None, b"")
        self.others = left[1:] or None

    def path(self) -> bytes | None:
        """Where it is in the folder, by one of its names; None if it has none."""
        parts: list[bytes] = []
        here: Entry = self
        while here.parent is not None:
            parts.append(here.name)
            here = here.parent
        return b"/".join(reversed(parts)) if here is self.tree.root else None

    def idle(self) -> bool:
        return not self.handles

    def dropped(self, nodes: Nodes) -> None:
        self.tree.leave(self)
        listed = self.listed is not None
        above = [directory for directory, _ in self.names()]
        for directory, name in list(self.names()):
            listing = directory.listing
            self.remove_name(directory, name)
            if not listed:
                directory.listing = listing  # it has that name all the same
        for directory in above:
            if not directory.lookups:
                nodes.drop(directory)

    # --- Reaching it

    def place(self) -> tuple[int, bytes]:
        """Descriptor of a directory and the name in it that leads here; ESTALE if none of its names does."""
        for directory, name in list(self.names()):
            fd = directory.descriptor()
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if self.is_behind(os.stat(name, dir_fd=fd, follow_symlinks=False)):
                    return fd, name
        raise refuse(errno.ESTALE)

    def reach(self, flags: int = LOOK) -> int:
        """A new descriptor of this very object; the caller closes it."""
        for directory, name in list(self.names()):
            try:
                fd = os.open(name, flags, dir_fd=directory.descriptor())
            except OSError as error:
                if error.errno in GONE:
                    continue
                raise
            if self.is_behind(os.fstat(fd)):
                return fd
            os.close(fd)
        if self.handles:
            return os.open(b"/proc/self/fd/%d" % self.handles[0].fd, flags & ~os.O_NOFOLLOW)
        raise refuse(errno.ESTALE)

    @contextlib.contextmanager
    def proc_path(self) -> Iterator[bytes]:
        """A path of /proc that is this very object, for the calls that take no descriptor of O_PATH."""
        # (a handle may be closed, and its number be another file's, while somebody waits for the guard)
        fd = os.dup(self.handles[0].fd) if self.handles else self.reach()
        try:
            yield b"/proc/self/fd/%d" % fd
        finally:
            os.close(fd)

    # --- Attributes

    def unsure(self) -> None:
        """Something about it may have changed."""
        self.listed = None
        self.bare = 0.0

    def steady(self, attributes: Any) -> bool:
        """While it is written to, nothing is; another name of it may be changed where nobody watches."""
        return not self.handles and attributes.st_nlink == 1

    def seen(self, found: os.stat_result) -> os.stat_result:
        """The kernel is being told these attributes."""
        if not self.is_told(found):
            self.unsure()
        self.told_size = found.st_size
        self.told_mtime = found.st_mtime_ns
        self.told_ctime = found.st_ctime_ns
        return found

    def is_told(self, found: os.stat_result) -> bool:
        """Does the kernel know these attributes, or know that it does not know them?"""
        return (
            self.told_mtime == found.st_mtime_ns
            and self.told_size == found.st_size
            and self.told_ctime == found.st_ctime_ns
        )

    async def getattr(self) -> Any:
        if self.tree.veiled is not None:
            await self.tree.veiled.wait()
        self.listed = None
        if self.handles:
            found = os.fstat(self.handles[0].fd)
            # removed, it may be held by history for a moment
            return self.seen(found) if self.ghost is None or not found.st_nlink else ghost(found)
        directory = self.parent
        if directory is not None:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                found = os.stat(self.name, dir_fd=directory.descriptor(), follow_symlinks=False)
                if self.is_behind(found):
                    return self.seen(found)
        if self.ghost is not None:
            return self.ghost
        fd, name = self.place()
        return self.seen(os.stat(name, dir_fd=fd, follow_symlinks=False))

    async def setattr(self, changes: AttributeChanges, handle: Handle | None, caller: Caller) -> Any:
        self.tree.writable()
        if self.tree.held:
            self.permit_change()
        self.unsure()
        stripped = changes.size is not None and caller.uid != 0 and self.tree.privileged
        if isinstance(self, File) and changes.size is not None and self.still is not None:
            await self.still.wait()
            self.permit_change()
        if isinstance(handle, OpenFile):
            if changes.size is not None:
                if (wait := self.overwritten(handle.fd)) is not None:
                    await wait
                    self.permit_change()
                os.ftruncate(handle.fd, changes.size)
                handle.wrote()
            self._change(b"/proc/self/fd/%d" % handle.fd, changes)
            if stripped:
                strip_set_id(handle.fd)
            return self.seen(os.fstat(handle.fd))
        with self.proc_path() as path:
            if changes.size is not None:
                if (wait := self.overwritten(int(path.rsplit(b"/", 1)[1]))) is not None:
                    await wait
                    self.permit_change()
                os.truncate(path, changes.size)
            before = os.stat(path) if changes.mtime_ns is not None and changes.size is None else None
            self._change(path, changes)
            if stripped:
                strip_set_id(int(path.rsplit(b"/", 1)[1]))
            found = os.stat(path)
        if before is not None and self.kind == stat.S_IFREG:
            self.retimed(before, found)
        self.touched(written=changes.size is not None)
        return self.seen(found)

    def _change(self, path: bytes, changes: AttributeChanges) -> None:
        if changes.uid is not None or changes.gid is not None:  # before the mode: it clears set-user-id
            os.chown(
                path, -1 if changes.uid is None else changes.uid, -1 if changes.gid is None else changes.gid
            )
        if changes.mode is not None:
            os.chmod(path, changes.mode)
        if changes.atime_ns is not None or changes.mtime_ns is not None:
            try:
                linux.utime(path, changes.atime_ns, changes.mtime_ns)
            except PermissionError:  # of somebody else's writable file, only "now" may be set
                times = [t for t in (changes.atime_ns, changes.mtime_ns) if t is not None]
                if any(abs(time.time_ns() - t) > 1_000_000_000 for t in times):
                    raise
                os.utime(path)

    def permit_change(self) -> None:
        """May it be changed? Raises NotPermitted where it is locked."""
        files_locks.permit_change(self)

    def overwritten(self, fd: int) -> Awaitable[None] | None:
        """The bytes of this object are about to be changed; see `ports.Guard`."""
        return None

    def retimed(self, before: os.stat_result, after: os.stat_result) -> None:
        """Report that nothing but the times of this file changed."""
        for directory, name in self.names():
            path = directory.path_of(name)
            if path is not None and not self.tree.guard.retimes(path, before, after):
                self.tree.ports.changes.retimed(path, before, after)

    def touched(self, *, written: bool = False) -> None:
        """Report that this object may have changed, under each name that is known; *written*: its bytes did."""
        self.unsure()
        for directory, name in self.names():
            self.tree.touched(directory, name, written=written)

    # --- Extended attributes

    async def getxattr(self, name: bytes, caller: Caller) -> bytes:
        if name == ATTRIBUTE:
            return files_locks.said(self, caller)
        if name == CAPABILITY or (name == ACCESS and self.bare > time.monotonic()):
            raise refuse(errno.ENODATA)
        try:
            with self.proc_path() as path:
                return os.getxattr(path, name)
        except OSError as error:
            absent = error.errno in (errno.ENODATA, errno.EOPNOTSUPP)
            if name == ACCESS and absent and self.entry_timeout == WATCHED:
                self.bare = time.monotonic() + WATCHED
            if name == LABEL and not LABELS and error.errno == errno.ENODATA:
                raise refuse(errno.EOPNOTSUPP) from None
            raise

    async def setxattr(self, name: bytes, value: bytes, caller: Caller) -> None:
        self.tree.writable()
        if name == CAPABILITY:
            raise refuse(errno.EOPNOTSUPP)
        if name == ATTRIBUTE:
            return await files_locks.lock(self, value, caller)
        if self.tree.held:
            self.permit_change()
        with self.proc_path() as path:
            os.setxattr(path, name, value)
            if name == ACCESS and caller.uid != 0 and self.tree.privileged:
                self._disown_group(path, caller)
        self.touched()

    def _disown_group(self, path: bytes, caller: Caller) -> None:
        """Who sets an access control list and is not in the group of the file takes its set-group-id bit: the disk does so, but
        not for the daemon's own root."""
        found = os.stat(path)
        if found.st_mode & stat.S_ISGID and found.st_gid not in {caller.gid, *groups_of(caller.pid)}:
            os.chmod(path, stat.S_IMODE(found.st_mode) & ~stat.S_ISGID)

    async def listxattr(self, caller: Caller) -> list[bytes]:
        with self.proc_path() as path:
            names = [name for name in map(os.fsencode, os.listxattr(path)) if name not in NOT_LISTED]
        return [*names, ATTRIBUTE] if self.tree.held and files_locks.found(self) is not None else names

    async def removexattr(self, name: bytes, caller: Caller) -> None:
        self.tree.writable()
        if name == ATTRIBUTE:
            return await files_locks.unlock(self, caller)
        if self.tree.held:
            self.permit_change()
        with self.proc_path() as path:
            os.removexattr(path, name)
        self.touched()


class File(Entry):
    """Anything but a directory."""

    __slots__ = ("kept", "snapped", "still", "unsynced", "wrote_mtime", "wrote_size")

    def __init__(self, tree: Files, key: Any, kind: int) -> None:
        super().__init__(tree, key, kind)
        self.kept: tuple[int, ...] = ()
        """Of the content that the kernel's pages hold."""
        self.still: trio.Event | None = None
        """While a snapshot reads what is being written: set when writing may go on."""
        self.snapped: tuple[int, ...] = ()
        """Of the content that a snapshot has taken while it was being written."""
        self.wrote_mtime = self.wrote_size = -1
        """After the last write through the mount."""
        self.unsynced = 0
        """Bytes written since the last fsync(2)."""

    def busy(self) -> bool:
        """Is it being written, so that what is in it now was never closed?"""
        return any(handle.unreported or handle.truncated for handle in self.handles or ())

    def writers(self) -> bool:
        """May somebody who has it open write to it?"""
        return any(handle.writes for handle in self.handles or ())

    def overwritten(self, fd: int) -> Awaitable[None] | None:
        if self.busy() or self.kind != stat.S_IFREG or type(self.key) is not int:
            return None
        found = os.fstat(fd)
        path = self.known_path(found) if found.st_size else None
        return None if path is None else self.tree.guard.overwrites(path, fd, found)

    def known_path(self, found: os.stat_result) -> bytes | None:
        """One of its paths: also where the kernel knows none any more, and it has another name all the same."""
        path = self.path()
        return self.tree.guard.path_of(found) if path is None and found.st_nlink else path

    def reported(self, fd: int) -> None:
        """A handle that wrote was closed, while another one goes on writing: what is there now was closed all the same."""
        found = os.fstat(fd)
        path = self.known_path(found) if found.st_size and self.kind == stat.S_IFREG else None
        if path is not None and type(self.key) is int:
            self.tree.guard.closed(path, fd, found)

    async def readlink(self) -> bytes:
        if self.kind != stat.S_IFLNK:
            raise refuse(errno.EINVAL)
        if self.tree.veiled is not None:
            await self.tree.veiled.wait()
        fd = self.reach()
        try:
            return os.readlink(b"", dir_fd=fd)
        finally:
            os.close(fd)

    async def open(self, flags: int, caller: Caller) -> Handle:
        if self.tree.veiled is not None:
            await self.tree.veiled.wait()
        empties = flags & os.O_TRUNC
        if empties or flags & os.O_ACCMODE:
            self.tree.writable()
            if self.tree.held:
                self.permit_change()
        fd = self.reach(backing_flags(flags))
        try:
            if empties:  # only now that it is known to be the right file
                if (wait := self.overwritten(fd)) is not None:
                    await wait
                    self.permit_change()
                os.truncate(b"/proc/self/fd/%d" % fd, 0)
                if caller.uid != 0 and self.tree.privileged:
                    strip_set_id(fd)
            handle = self.opened(fd, os.fstat(fd), flags, caller)
        except BaseException:
            os.close(fd)
            raise
        if empties:
            handle.wrote(emptied=True)
        return handle

    def opened(self, fd: int, found: os.stat_result, flags: int, caller: Caller) -> OpenFile:
        """A handle for *fd*, whose attributes are *found*, and which it owns from now on. The kernel keeps its pages if they
        hold what is there."""
        keep = self.kept == content(found)
        if not keep:
            self.kept = content(found)
            if self.told_size != -1 and not self.is_told(found) and self.id:
                self.tree.kernel.attributes(self.id)
        # Who writes is not known, only who opened: root, too, may have handed its descriptor to somebody else.
        strips = self.tree.privileged and bool(flags & os.O_ACCMODE)
        return OpenFile(fd, self, flags, strips=strips, keep_cache=keep)

    def written(self, found: os.stat_result) -> None:
        """A handle that wrote was flushed: these are the attributes now, and the kernel's pages hold the
        content."""
        self.kept = content(found)
        self.seen(found)
        self.touched(written=True)
        if self.parent is None and (path := self.known_path(found)) is not None:
            self.tree.ports.changes.touched(path, True)


def ghost(found: os.stat_result) -> Attributes:
    """Attributes of what has just lost its last name: those it had, without a link."""
    attributes = Attributes(found.st_mode, found.st_size, found.st_mtime_ns, 0, found.st_uid, found.st_gid)
    attributes.st_rdev = found.st_rdev
    attributes.st_atime_ns, attributes.st_ctime_ns = found.st_atime_ns, found.st_ctime_ns
    return attributes
