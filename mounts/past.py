"""past: the folder as it was at one sequence, read-only: what /snapshots, .versions and /trash are made of.

Rights are those of then, which the kernel checks by the attributes and access lists that are shown here, and those of now: whoever is
neither root nor the mount's owner reads nothing in the past that he could not read today, nor, where the kernel did not come through the
folders of then (.versions, /trash), what those would have kept from him (`ports.history.permits_then`).

Threading: in the loop; a row is one look into the database, a large folder and a large content are read in a thread or by pieces. What is
shown of a sequence never changes, so the kernel may keep it.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import msgpack

from mounts.nodes import Attributes, Caller, Handle, Listing, Node, refuse
from syscalls.errors import LsfsError

if TYPE_CHECKING:
    from mounts.ports import Ports

FOREVER = 3600.0
"""Seconds for which the kernel may keep what can never change."""
BLOCK = 512


class Then:
    """The folder at a sequence; `top` is its node. One node for a path, for as long as the kernel knows it."""

    def __init__(self, ports: Ports, sequence: int) -> None:
        self.ports = ports
        self.sequence = sequence
        self._nodes: WeakValueDictionary[bytes, PastNode] = WeakValueDictionary()

    @property
    def top(self) -> PastNode:
        """The folder itself."""
        node = self._nodes.get(b"")
        if node is None:
            node = self._nodes[b""] = PastDirectory(self, b"", None)
        return node

    def node(self, path: bytes, row: Any) -> PastNode:
        """The node of a row."""
        node = self._nodes.get(path)
        if node is None:
            node = self._nodes[path] = node_of(self, path, row)
        return node


def node_of(then: Then, path: bytes, row: Any) -> PastNode:
    """A new node for a row."""
    kind = stat.S_IFMT(row.mode)
    made = _KINDS.get(kind, PastNode)
    return made(then, path, row)


def attributes_of(row: Any) -> Attributes:
    """What stat says of a row."""
    size = row.size
    attributes = Attributes(
        row.mode, size, row.mtime_ns, 2 if stat.S_ISDIR(row.mode) else 1, row.uid, row.gid
    )
    attributes.st_blocks = (size + BLOCK - 1) // BLOCK
    if stat.S_IFMT(row.mode) in (stat.S_IFCHR, stat.S_IFBLK):
        attributes.st_rdev, attributes.st_size = int(row.target or 0), 0
    return attributes


class PastNode(Node):
    """Something that was at `path`; by itself a FIFO, a socket or a device, which nobody opens."""

    __slots__ = ("then", "path", "row", "__weakref__")

    entry_timeout = attr_timeout = negative_timeout = FOREVER

    def __init__(self, then: Then, path: bytes, row: Any) -> None:
        super().__init__()
        self.then = then
        self.path = path
        self.row = row

    async def getattr(self) -> Any:
        return attributes_of(self.row)

    async def open(self, flags: int, caller: Caller) -> Handle:
        raise refuse(errno.EROFS if flags & (os.O_ACCMODE | os.O_TRUNC) else errno.ENXIO)

    async def getxattr(self, name: bytes, caller: Caller) -> bytes:
        value: bytes | None = self._xattrs().get(os.fsdecode(name))
        if value is None:
            raise refuse(errno.ENODATA)
        return value

    async def listxattr(self, caller: Caller) -> list[bytes]:
        return [os.fsencode(name) for name in self._xattrs()]

    def _xattrs(self) -> dict[str, bytes]:
        return msgpack.unpackb(self.row.xattrs) if self.row is not None and self.row.xattrs else {}

    def permit(self, caller: Caller) -> None:
        """EACCES where the caller may not read today what is at this path, or might not read this then."""
        if caller.uid not in (0, os.getuid()):
            history, viewer = self.then.ports.history, self.then.ports.viewer(caller)
            if not history.permits(self.path, viewer) or (
                self.row is not None and not history.permits_then(self.path, self.row, viewer)
            ):
                raise refuse(errno.EACCES)


class PastSymlink(PastNode):
    """A symlink that was there. Readlink does not say who asks, so whoever looks one up here asks `permit` first, each time anew."""

    __slots__ = ()

    entry_timeout = 0.0

    async def readlink(self) -> bytes:
        return self.row.target or b""


class PastFile(PastNode):
    """A file that was there. Its bytes come from the store, or, as long as nobody changed it, from the live file."""

    __slots__ = ()

    async def open(self, flags: int, caller: Caller) -> Handle:
        if flags & (os.O_ACCMODE | os.O_TRUNC):
            raise refuse(errno.EROFS)
        self.permit(caller)
        return PastHandle(self, await self.then.ports.history.open(self.row))


class PastHandle(Handle):
    """An open file of the past."""

    __slots__ = ("node", "content")

    def __init__(self, node: PastFile, content: Any) -> None:
        super().__init__(keep_cache=True)
        self.node = node
        self.content = content

    async def read(self, offset: int, size: int) -> bytes:
        try:
            return self.content.read(offset, size)
        except LsfsError as error:
            if error.errno != errno.ENODATA:
                raise
        # The live file that it was has been changed a moment ago: by now history has what it was.
        self.content.close()
        self.content = await self.node.then.ports.history.open(self.node.row)
        return self.content.read(offset, size)

    async def release(self) -> None:
        self.content.close()


class PastDirectory(PastNode):
    """A folder that was there; without a row, the top."""

    __slots__ = ()

    async def getattr(self) -> Any:
        if self.row is None:
            found = os.fstat(self.then.ports.root_fd)
            return Attributes(found.st_mode, 0, found.st_mtime_ns, 2, found.st_uid, found.st_gid)
        return attributes_of(self.row)

    def child(self, name: bytes) -> bytes:
        """The path of what is called `name` here."""
        return self.path + b"/" + name if self.path else name

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        path = self.child(name)
        row = self.then.ports.history.past.entry(path, self.then.sequence)
        if row is None:
            return None
        node = self.then.node(path, row)
        if isinstance(node, PastSymlink):
            node.permit(caller)
        return node

    async def opendir(self, caller: Caller) -> Listing:
        self.permit(caller)
        then, path = self.then, self.path
        rows = await then.ports.history.in_thread(lambda past: past.listing(path, then.sequence))
        return Listing(self, [(row.name, then.node(self.child(row.name), row)) for row in rows])


_KINDS = {stat.S_IFDIR: PastDirectory, stat.S_IFREG: PastFile, stat.S_IFLNK: PastSymlink}
