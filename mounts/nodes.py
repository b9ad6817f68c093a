"""nodes: what the kernel knows of the tree, and what stands behind each thing it knows.

A *node* is an object that the kernel can name by a number: a directory, a file, a symlink. A row of the tree
is a class of nodes. `fuse.py` finds the node that a request is about, calls the method of the same name, and
translates the answer; it knows no row.

Threading: everything here runs in the trio loop of the daemon. What stands between two awaits is atomic.
Ownership: `Nodes` owns the numbers. Open-file state lives in the `Handle` and the `Listing`, never in the
node, so that two who ask never see each other's.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from mounts.attributes import AttributeChanges, Attributes, Caller

__all__ = [
    "ROOT", "AttributeChanges", "Attributes", "Caller", "Handle", "Listing", "Node", "Nodes", "Symlink",
    "VirtualDirectory", "VirtualFile", "refuse",
]  # fmt: skip

ROOT = 1
"""The number that FUSE gives to the top of the mount."""

MINTED = 1 << 48
"""Numbers from here on are minted; those below are inode numbers of the user's folder, so that `ls -i` and
git's index outlive a remount."""


def refuse(code: int) -> OSError:
    """The OSError (of the right subclass) for an errno."""
    return OSError(code, os.strerror(code))


class Node:
    """Something the kernel can name. Every operation is refused with the errno of a read-only file system
    until a row overrides it."""

    __slots__ = ("id", "lookups", "generation")

    entry_timeout: float = 1.0
    """Seconds for which the kernel may believe that this name leads here."""
    attr_timeout: float = 1.0
    """Seconds for which the kernel may believe the attributes."""
    negative_timeout: float = 1.0
    """Seconds for which the kernel may believe that a name in this directory does not exist; 0: it asks
    again."""
    wanted: int = 0
    """The number this node would like to have (an inode number below MINTED), or 0."""
    listed: Any = None
    """What a listing says of this node while the kernel knows it as it is (`Listing.shown`)."""
    fresh: Any = None
    """Attributes that the operation which returned this node has just read; fuse.py takes them instead of
    calling `getattr`."""

    def __init__(self) -> None:
        self.id = 0
        self.lookups = 0
        self.generation = 0

    def steady(self, attributes: Any) -> bool:
        """Are these attributes, just told, true until this node's `listed` is taken away?"""
        return False

    def idle(self) -> bool:
        """May be dropped from the table, now that the kernel has forgotten it?"""
        return True

    def dropped(self, nodes: Nodes) -> None:
        """Called when *nodes*, the table, has let go of this node."""

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        """The node called *name* in this directory; None if there is none (the kernel remembers that for
        `negative_timeout`). FileNotFoundError says the same of this one time."""
        raise refuse(errno.ENOTDIR)

    async def getattr(self) -> Any:
        """Anything with the st_* names of os.stat_result."""
        raise refuse(errno.ENOSYS)

    async def setattr(self, changes: AttributeChanges, handle: Handle | None, caller: Caller) -> Any:
        """Change attributes, through *handle* where the caller holds one; returns the new ones."""
        raise refuse(errno.EROFS)

    async def readlink(self) -> bytes:
        raise refuse(errno.EINVAL)

    async def mkdir(self, name: bytes, mode: int, caller: Caller) -> Node:
        raise refuse(errno.EROFS)

    async def mknod(self, name: bytes, mode: int, device: int, caller: Caller) -> Node:
        raise refuse(errno.EROFS)

    async def symlink(self, name: bytes, target: bytes, caller: Caller) -> Node:
        raise refuse(errno.EROFS)

    async def link(self, node: Node, name: bytes, caller: Caller) -> Node:
        """Give *node* the name *name* in this directory."""
        raise refuse(errno.EXDEV)

    async def unlink(self, name: bytes, caller: Caller) -> None:
        raise refuse(errno.EROFS)

    async def rmdir(self, name: bytes, caller: Caller) -> None:
        raise refuse(errno.EROFS)

    async def rename(self, old: bytes, new_parent: Node, new: bytes, flags: int, caller: Caller) -> None:
        """Rename *old* in this directory to *new* in *new_parent*; *flags* are those of renameat2(2).

        Never EXDEV: mv(1) would copy the thing before it finds that it cannot be removed here, and a hit's link, once
        copied, leads nowhere.
        """
        raise refuse(errno.EROFS)

    async def open(self, flags: int, caller: Caller) -> Handle:
        raise refuse(errno.EACCES)

    async def create(self, name: bytes, mode: int, flags: int, caller: Caller) -> tuple[Node, Handle]:
        raise refuse(errno.EROFS)

    async def opendir(self, caller: Caller) -> Listing:
        raise refuse(errno.ENOTDIR)

    async def statfs(self) -> Any:
        """Anything with the f_* names of os.statvfs_result; asked of the top of the mount only."""
        raise refuse(errno.ENOSYS)

    async def getxattr(self, name: bytes, caller: Caller) -> bytes:
        raise refuse(errno.ENODATA)

    async def setxattr(self, name: bytes, value: bytes, caller: Caller) -> None:
        raise refuse(errno.EROFS)

    async def listxattr(self, caller: Caller) -> list[bytes]:
        return []

    async def removexattr(self, name: bytes, caller: Caller) -> None:
        raise refuse(errno.EROFS)


class Handle:
    """An open file. Flags are said at open and hold for its life."""

    __slots__ = ("id", "direct_io", "keep_cache", "nonseekable")

    def __init__(
        self, *, direct_io: bool = False, keep_cache: bool = False, nonseekable: bool = False
    ) -> None:
        self.id = 0
        self.direct_io = direct_io
        self.keep_cache = keep_cache
        self.nonseekable = nonseekable

    async def read(self, offset: int, size: int) -> bytes:
        raise refuse(errno.EBADF)

    async def write(self, offset: int, data: bytes) -> int:
        """Returns how many bytes were taken. Raise here, not at flush: every tool sees an error of write(2),
        few one of close(2)."""
        raise refuse(errno.EBADF)

    async def flush(self) -> None:
        """Once for each close(2) of a descriptor; dup(2) and fork(2) make several."""

    async def release(self) -> None:
        """Once, after the last close."""

    async def fsync(self, datasync: bool) -> None:
        """Returns when what was written is on the disk."""


class Listing:
    """An open directory. Offsets count entries of one snapshot, so that nothing is listed twice or lost while
    the directory changes."""

    __slots__ = ("id", "node", "above", "entries")

    shown: list[Any] | None = None
    """For each entry, where it was told to the kernel before: its name, its node, and what is listed from then on
    for as long as it is the node's `listed`. None where every entry is told anew."""

    def __init__(self, node: Node, entries: list[tuple[bytes, Node]] | None = None, above: int = 0) -> None:
        self.id = 0
        self.node = node
        self.above = above
        """The number of the directory above, for `..`; 0 when it does not matter."""
        self.entries: list[Any] = entries or []

    async def rewind(self) -> None:
        """The reader begins at offset 0: take a new snapshot, if one can be had."""

    async def entry(self, index: int) -> tuple[bytes, Node, Any] | None:
        """Name, node and attributes of an entry; None if it is gone since the snapshot."""
        name, node = self.entries[index]
        return name, node, await node.getattr()

    async def release(self) -> None:
        """Once, after the last close."""

    async def fsync(self, datasync: bool) -> None:
        """Returns when the entries are on the disk."""


class Nodes:
    """The table of what the kernel knows. A node stays while the kernel holds a lookup of it, or while it is
    not `idle`.

    A number names one object for as long as the kernel may use it. An inode number of the user's folder is
    used where it is free; otherwise (and for all that is virtual) a number is minted from a counter. The pair
    of number and generation is never used twice.
    """

    __slots__ = ("table", "_minted", "_generation")

    def __init__(self, root: Node) -> None:
        self.table: dict[int, Node] = {ROOT: root}
        """By number; read by fuse.py on every request."""
        self._minted = MINTED
        self._generation = 0
        root.id = ROOT
        root.lookups = 1

    def __len__(self) -> int:
        return len(self.table)

    def register(self, node: Node) -> int:
        """Give *node* a number, if it has none yet."""
        if not node.id:
            wanted = node.wanted
            if not ROOT < wanted < MINTED or wanted in self.table:
                self._minted = wanted = self._minted + 1
            self._generation += 1
            node.generation = self._generation
            node.id = wanted
            self.table[wanted] = node
        return node.id

    def get(self, id: int) -> Node:
        """The node with this number; ESTALE if there is none."""
        try:
            return self.table[id]
        except KeyError:
            raise refuse(errno.ESTALE) from None

    def remember(self, node: Node) -> None:
        """The kernel has been told of *node* once more: one lookup that it will forget some day."""
        if not node.id:
            self.register(node)
        node.lookups += 1

    def forget(self, forgotten: Iterable[tuple[int, int]]) -> None:
        """The kernel gives lookups back: pairs of number and count."""
        for id, count in forgotten:
            node = self.table.get(id)
            if node is not None:
                node.lookups -= count
                if node.lookups <= 0:
                    node.lookups = 0
                    self.drop(node)

    def drop(self, node: Node) -> None:
        """Let go of *node* if nobody needs it: not the kernel, and not the row that it belongs to."""
        if node.lookups == 0 and node.id != ROOT and node.idle():
            if self.table.get(node.id) is node:
                del self.table[node.id]
            node.id = 0
            node.dropped(self)


# --- Virtual nodes: what the rows that are not /files are made of
# ------------------------------------------------------------------------


class VirtualDirectory(Node):
    """A directory without a folder behind it. Fixed children are given; a row that makes them up overrides
    `lookup` and `list`."""

    __slots__ = ("children", "mode", "when")

    def __init__(
        self, children: dict[bytes, Node] | None = None, *, mode: int = 0o555, when: int | None = None
    ) -> None:
        super().__init__()
        self.children: dict[bytes, Node] = {} if children is None else children
        self.mode = stat.S_IFDIR | mode
        self.when = when

    async def getattr(self) -> Attributes:
        return Attributes(self.mode, when=self.when, nlink=2)

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        return self.children.get(name)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        """The entries to show to *caller*, in order. Called at opendir, and again at each later rewind to the
        start."""
        return list(self.children.items())

    async def opendir(self, caller: Caller) -> Listing:
        return VirtualListing(self, await self.list(caller), caller)


class VirtualListing(Listing):
    """An open virtual directory: listed when it was opened, for the one who opened it."""

    __slots__ = ("_caller", "_used")

    def __init__(self, node: VirtualDirectory, entries: list[tuple[bytes, Node]], caller: Caller) -> None:
        super().__init__(node, entries)
        self._caller = caller
        self._used = False

    async def rewind(self) -> None:
        if self._used:
            self.entries = await self.node.list(self._caller)  # type: ignore[attr-defined]
        self._used = True


class VirtualFile(Node):
    """A read-only file made by *render*, which is awaited at open, for the caller; its bytes stay in the
    handle.

    With *size* (exact; *render* must return that many bytes) the kernel caches it and every tool can read it,
    mmap included. Without, stat says 0 and reads go through direct_io: fine for all tools but tar, `git
    hash-object` and mmap. Never a guess: a wrong size truncates.
    """

    __slots__ = ("render", "size", "mode", "when")

    def __init__(
        self,
        render: Callable[[Caller], Awaitable[bytes]],
        *,
        size: int | None = None,
        mode: int = 0o444,
        when: int | None = None,
    ) -> None:
        super().__init__()
        self.render = render
        self.size = size
        self.mode = stat.S_IFREG | mode
        self.when = when

    @classmethod
    def of(cls, content: bytes, *, mode: int = 0o444, when: int | None = None) -> VirtualFile:
        """A file with this content."""

        async def render(caller: Caller) -> bytes:
            return content

        return cls(render, size=len(content), mode=mode, when=when)

    async def getattr(self) -> Attributes:
        return Attributes(self.mode, self.size or 0, self.when)

    async def open(self, flags: int, caller: Caller) -> Handle:
        if flags & (os.O_ACCMODE | os.O_TRUNC):
            raise refuse(errno.EROFS)
        return ContentHandle(await self.render(caller), direct_io=self.size is None)


class ContentHandle(Handle):
    """An open file whose bytes were all there at open."""

    __slots__ = ("content",)

    def __init__(self, content: bytes, *, direct_io: bool = False) -> None:
        super().__init__(direct_io=direct_io)
        self.content = content

    async def read(self, offset: int, size: int) -> bytes:
        return self.content[offset : offset + size]


class Symlink(Node):
    """A symlink to *target*."""

    __slots__ = ("target", "when")

    def __init__(self, target: bytes, *, when: int | None = None) -> None:
        super().__init__()
        self.target = target
        self.when = when

    async def getattr(self) -> Attributes:
        return Attributes(stat.S_IFLNK | 0o777, len(self.target), self.when)

    async def readlink(self) -> bytes:
        return self.target
