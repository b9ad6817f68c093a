"""files_directory: a directory of the user's folder, and what is done to the names in it.

Every operation is one call relative to the directory's descriptor, with a single name that is not followed if
it is a symlink. The kernel has checked permissions before (mount option default_permissions).
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from mounts import files_linux as linux
from mounts.files_descriptors import LOOK
from mounts.files_entry import UNWATCHED, WATCHED, Entry, File, backing_flags, ghost
from mounts.files_handle import SET_ID, disk
from mounts.files_locks import permit_name
from mounts.nodes import Caller, Handle, Listing, Node, refuse

if TYPE_CHECKING:
    from mounts.files import Files


DEFAULT = b"system.posix_acl_default"
"""The access control list that a directory hands down."""


class Directory(Entry):
    """A directory. `children` holds the entries that the kernel knows; the virtual ones, found by name, are those of its
    path (`Files.rows`)."""

    __slots__ = ("fd", "children", "listing", "_watched")

    def __init__(self, tree: Files, key: Any, kind: int = stat.S_IFDIR) -> None:
        super().__init__(tree, key, kind)
        self.fd = -1
        self.children: dict[bytes, Entry] = {}
        self.listing: Shown | None = None
        """What was listed last, while it holds."""
        self._watched = -1
        """The count of moves and of watches lost at which this directory was known to be watched under its name."""

    @property
    def negative_timeout(self) -> float:  # type: ignore[override]
        """For how long to believe what is in this directory. A new one is not watched at once."""
        tree = self.tree
        if tree.unsettled and self.path() in tree.unsettled:
            return 0.0
        if not tree.ports.watched():
            return UNWATCHED
        now = tree.moves + tree.watches.losses
        if self._watched != now:
            if not self.watch():
                return UNWATCHED
            self._watched = now
        return WATCHED

    def watch(self) -> int:
        """The number of the watch on this directory; 0 if it is not watched."""
        path = self.path()
        return self.tree.watches.holds(path) if path is not None and self.tree.ports.watched() else 0

    def steady(self, attributes: Any) -> bool:
        return self.negative_timeout == WATCHED

    def descriptor(self) -> int:
        return self.tree.descriptors.of(self)

    def is_behind(self, found: os.stat_result) -> bool:
        """The number of a directory that was removed may be that of the next one: while we hold it open, its links tell."""
        return super().is_behind(found) and not (found.st_nlink and self.is_dead())

    def is_dead(self) -> bool:
        """Was it removed behind the mount?"""
        return self.fd >= 0 and self.ghost is None and os.fstat(self.fd).st_nlink == 0

    def missing(self) -> OSError:
        """What to answer when a name is not there: in a directory that is another one by now the kernel looks again."""
        return refuse(errno.ESTALE if self.is_dead() else errno.ENOENT)

    def path_of(self, name: bytes) -> bytes | None:
        """The path of what is called *name* here; None if this directory has none."""
        above = self.path()
        if above is None:
            return None
        return above + b"/" + name if above else name

    def idle(self) -> bool:
        return not self.children

    def permit(self, name: bytes, *, goes: bool = False) -> None:
        """*name* is to be made, changed or removed here: may it be? *goes*: with all that is in it."""
        self.tree.writable()
        if self.tree.held:
            permit_name(self, name, goes)
        self.changed()

    def changed(self) -> None:
        """What it lists, and when it changed last, may be different from now on."""
        self.listing = None
        self.unsure()

    # --- Looking

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        if self.tree.veiled is not None:
            await self.tree.veiled.wait()
        try:
            found = os.stat(name, dir_fd=self.descriptor(), follow_symlinks=False)
        except FileNotFoundError:
            if self.is_dead():
                raise refuse(errno.ESTALE) from None
            return self._row(name) if name in self.tree.rows else None
        return self.entry_of(name, found)

    def entry_of(self, name: bytes, found: os.stat_result) -> Entry:
        """The object called *name*, which has these attributes."""
        entry = self.children.get(name)
        if entry is None or not entry.is_behind(found):
            entry = self.tree.adopt(self, name, found)
        entry.fresh = entry.seen(found)
        return entry

    def _row(self, name: bytes) -> Node | None:
        path = self.path()  # asked each time: a directory may have been renamed
        return None if path is None else self.tree.rows[name](path)

    async def opendir(self, caller: Caller) -> Listing:
        if self.tree.veiled is not None:
            await self.tree.veiled.wait()
        at = self.descriptor()
        if self.is_dead():
            raise refuse(errno.ESTALE)
        fd = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=at)
        return FilesListing(self, fd)

    # --- Making

    def masked(self, mode: int, caller: Caller) -> int:
        """*mode* for a new object of *caller*: the umask counts only where no default access control list says otherwise. The
        kernel leaves that to us (`fuse_init`); for the daemon's own call the umask is 0."""
        if mode & caller.umask & 0o777:
            try:
                os.getxattr(b"/proc/self/fd/%d" % self.descriptor(), DEFAULT)
            except OSError:
                return mode & ~(caller.umask & 0o777)
        return mode

    async def create(self, name: bytes, mode: int, flags: int, caller: Caller) -> tuple[Node, Handle]:
        self.permit(name)
        mode = self.masked(mode, caller)
        at = self.descriptor()
        try:
            fd = os.open(name, backing_flags(flags) | os.O_CREAT | os.O_EXCL, mode & 0o7777, dir_fd=at)
        except FileExistsError:
            # It came from behind the mount, and nobody has checked the caller's right to it: the kernel looks
            # again.
            raise refuse(errno.EEXIST if flags & os.O_EXCL else errno.ESTALE) from None
        except FileNotFoundError:
            raise self.missing() from None
        try:
            found = os.fstat(fd)
            gid = self._owner_group(found, caller)
            if gid is not None:
                self._give(b"/proc/self/fd/%d" % fd, mode, caller.uid, gid)
                found = os.fstat(fd)
            entry = self.entry_of(name, found)
            handle = entry.opened(fd, found, flags, caller)  # type: ignore[attr-defined]
        except BaseException:
            os.close(fd)
            raise
        handle.wrote(emptied=True)  # until it is closed, or written to, nobody has made an empty file
        self.tree.touched(self, name)
        return entry, handle

    async def mkdir(self, name: bytes, mode: int, caller: Caller) -> Node:
        self.permit(name)
        try:
            os.mkdir(name, self.masked(mode, caller) & 0o7777, dir_fd=self.descriptor())
        except FileNotFoundError:
            raise self.missing() from None
        made = self._made(name, 0, caller)
        if isinstance(made, Directory):
            self.tree.made(made)
        return made

    async def mknod(self, name: bytes, mode: int, device: int, caller: Caller) -> Node:
        self.permit(name)
        mode = self.masked(mode, caller)
        os.mknod(name, mode, device, dir_fd=self.descriptor())
        return self._made(name, mode, caller)

    async def symlink(self, name: bytes, target: bytes, caller: Caller) -> Node:
        self.permit(name)
        os.symlink(target, name, dir_fd=self.descriptor())
        return self._made(name, 0, caller)

    async def link(self, node: Node, name: bytes, caller: Caller) -> Node:
        if not isinstance(node, File) or node.tree is not self.tree:
            raise refuse(errno.EXDEV)
        self.permit(name)
        if self.tree.held:
            node.permit_change()
        source, old = node.place()
        at = self.descriptor()
        os.link(old, name, src_dir_fd=source, dst_dir_fd=at, follow_symlinks=False)
        entry = self.entry_of(name, os.stat(name, dir_fd=at, follow_symlinks=False))
        self.tree.touched(self, name)
        return entry

    def _made(self, name: bytes, mode: int, caller: Caller) -> Entry:
        at = self.descriptor()
        found = os.stat(name, dir_fd=at, follow_symlinks=False)
        gid = self._owner_group(found, caller)
        if gid is not None:
            os.chown(name, caller.uid, gid, dir_fd=at, follow_symlinks=False)
            if mode & SET_ID:
                os.chmod(name, mode & 0o7777, dir_fd=at)
            found = os.stat(name, dir_fd=at, follow_symlinks=False)
        entry = self.entry_of(name, found)
        self.tree.touched(self, name)
        return entry

    def _owner_group(self, found: os.stat_result, caller: Caller) -> int | None:
        """The group for a new object of *caller*; None if owner and group are right as they are."""
        if not self.tree.privileged or (found.st_uid == caller.uid and found.st_gid == caller.gid):
            return None
        gid = found.st_gid if os.fstat(self.descriptor()).st_mode & stat.S_ISGID else caller.gid
        return None if found.st_uid == caller.uid and found.st_gid == gid else gid

    def _give(self, path: bytes, mode: int, uid: int, gid: int) -> None:
        os.chown(path, uid, gid)
        if mode & SET_ID:  # which chown has cleared
            os.chmod(path, mode & 0o7777)

    # --- Removing

    async def unlink(self, name: bytes, caller: Caller) -> None:
        self.permit(name, goes=True)
        at = self.descriptor()
        found = os.stat(name, dir_fd=at, follow_symlinks=False)
        if (wait := self._removed(name, found)) is not None:
            await wait
            self.permit(name, goes=True)
            at = self.descriptor()
            found = os.stat(name, dir_fd=at, follow_symlinks=False)
        os.unlink(name, dir_fd=at)
        self._lost(name, found)
        self.tree.touched(self, name)

    async def rmdir(self, name: bytes, caller: Caller) -> None:
        self.permit(name, goes=True)
        at = self.descriptor()
        found = os.stat(name, dir_fd=at, follow_symlinks=False)
        os.rmdir(name, dir_fd=at)
        self._lost(name, found)
        self.tree.touched(self, name)

    def _removed(self, name: bytes, found: os.stat_result) -> Awaitable[None] | None:
        """*name* is about to be removed or overwritten; see `ports.Guard`."""
        if not found.st_size or stat.S_IFMT(found.st_mode) not in (stat.S_IFREG, stat.S_IFLNK):
            return None
        path = self.path_of(name) if found.st_dev == self.tree.device else None
        if path is None:
            return None
        entry = self.children.get(name)
        written = False
        if isinstance(entry, File) and entry.is_behind(found):
            if entry.busy():
                return None  # what was closed last was kept before it was written to
            written = entry.writers()
        return self.tree.guard.removes(path, self.descriptor(), name, found, written=written)

    def _lost(self, name: bytes, found: os.stat_result) -> None:
        """*name*, which had these attributes, was removed or overwritten."""
        entry = self.children.get(name)
        if entry is None or not Entry.is_behind(entry, found):  # it is dead by now
            return
        entry.remove_name(self, name)
        if found.st_nlink > 1 and entry.kind != stat.S_IFDIR:
            return
        self.tree.leave(entry)  # its inode number may be used again: for another object
        entry.ghost = ghost(found)

    # --- Renaming

    async def rename(self, old: bytes, new_parent: Node, new: bytes, flags: int, caller: Caller) -> None:
        if not isinstance(new_parent, Directory) or new_parent.tree is not self.tree:
            raise refuse(errno.EXDEV)
        self.permit(old, goes=True)
        new_parent.permit(new, goes=True)
        source, target = self.descriptor(), new_parent.descriptor()
        moving = os.stat(old, dir_fd=source, follow_symlinks=False)
        try:
            there = os.stat(new, dir_fd=target, follow_symlinks=False)
        except FileNotFoundError:
            there = None
        over = there is not None and not flags and not os.path.samestat(moving, there)
        if there is not None and over and (wait := new_parent._removed(new, there)) is not None:
            await wait
            self.permit(old, goes=True)
            new_parent.permit(new, goes=True)
            source, target = self.descriptor(), new_parent.descriptor()
            there = os.stat(new, dir_fd=target, follow_symlinks=False)
        if flags:
            linux.rename(source, old, target, new, flags)
        else:
            os.rename(old, new, src_dir_fd=source, dst_dir_fd=target)
        if there is not None and os.path.samestat(moving, there):
            return  # two names of one object: rename(2) does nothing
        exchange = bool(flags & linux.RENAME_EXCHANGE)
        if exchange:
            self._exchange(old, new_parent, new)
        else:
            if there is not None:
                new_parent._lost(new, there)
            entry = self.children.get(old)
            if entry is not None:
                entry.remove_name(self, old)
                entry.add_name(new_parent, new, False)
        directory = stat.S_ISDIR(moving.st_mode) or exchange
        entry = new_parent.children.get(new)
        closed = stat.S_ISREG(moving.st_mode) and moving.st_nlink == 1 and not exchange
        if isinstance(entry, File) and entry.busy():
            closed = False
        found = moving if closed and moving.st_dev == self.tree.device else None
        self.tree.moved(self, old, new_parent, new, exchange=exchange, directory=directory, found=found)

    def _exchange(self, old: bytes, new_parent: Directory, new: bytes) -> None:
        here, there = self.children.get(old), new_parent.children.get(new)
        if here is not None:
            here.remove_name(self, old)
        if there is not None:
            there.remove_name(new_parent, new)
            there.add_name(self, old, False)
        if here is not None:
            here.add_name(new_parent, new, False)


class Top(Directory):
    """The folder itself. What belongs to lsfs in it is neither seen nor touched."""

    __slots__ = ()

    def descriptor(self) -> int:
        return self.fd

    def idle(self) -> bool:
        return False

    def is_dead(self) -> bool:
        return False  # removed, it is empty; no other one can come to its place

    def permit(self, name: bytes, *, goes: bool = False) -> None:
        super().permit(name, goes=goes)
        if name in self.tree.hidden:
            raise refuse(errno.EPERM)

    def reach(self, flags: int = LOOK) -> int:
        return os.open(b".", flags, dir_fd=self.fd)

    async def getattr(self) -> Any:
        return self.seen(os.fstat(self.fd))

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        if name in self.tree.hidden:
            return None
        return await super().lookup(name, caller)

    async def statfs(self) -> os.statvfs_result:
        return os.statvfs(self.fd)


class Shown:
    """What a directory listed: names in order, and what the kernel was told of each. Kept while its directory is watched
    without a break, for as long as the kernel may keep an entry."""

    __slots__ = ("names", "entries", "until", "watch")

    def __init__(self, names: list[bytes], watch: int) -> None:
        self.names = names
        self.watch = watch
        self.entries: list[tuple[bytes, Entry, Any] | None] = [None] * len(names)
        self.until = time.monotonic() + WATCHED


class FilesListing(Listing):
    """An open directory of the folder. Owns *fd*, so that it can be read on after it was removed or
    renamed."""

    __slots__ = ("fd", "shown")

    node: Directory

    def __init__(self, node: Directory, fd: int) -> None:
        super().__init__(node, above=node.parent.id if node.parent is not None else 0)
        self.fd = fd
        self.shown: list[Any] | None = None

    async def rewind(self) -> None:
        directory = self.node
        if directory.tree.veiled is not None:
            await directory.tree.veiled.wait()
        watch = directory.watch()
        kept = directory.listing if watch else None
        if kept is None or kept.watch != watch or kept.until < time.monotonic():
            names = [os.fsencode(name) for name in os.listdir(self.fd)]
            if isinstance(directory, Top):
                names = [name for name in names if name not in directory.tree.hidden]
            kept = Shown(names, watch)
            directory.listing = kept if watch else None
        self.shown = kept.entries if watch else None
        self.entries = kept.names

    async def entry(self, index: int) -> tuple[bytes, Node, Any] | None:
        name: bytes = self.entries[index]
        if self.node.tree.veiled is not None:
            await self.node.tree.veiled.wait()
        try:
            found = os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None
        kept = self.node.listing
        node = self.node.entry_of(name, found)
        self.node.listing = kept  # an entry that is told for the first time is not a new one
        node.fresh = None
        return name, node, found

    async def release(self) -> None:
        os.close(self.fd)

    async def fsync(self, datasync: bool) -> None:
        await disk.wait(self.fd, datasync)
