"""ctl: write one command line, read the reply on the same descriptor.

    exec 3<>ctl; echo "query who approves refunds" >&3; cat <&3      in a shell
    echo scan > ctl                                                  where the reply does not matter

One write(2) is one command line, up to 64 KiB; line breaks inside it are blanks. (bash's echo writes 4096 bytes at a time:
a longer question is for `lsfs query` or a program.) What comes before the first write is the list of
commands. An error is raised at write(2) with its errno and is then what a read gives, as a sentence; /status keeps it.

Threading: in the loop; a write waits for its call. The conversation lives in the handle, so that two who talk at once
never hear each other's replies, and the cursor is the handle's: reader and writer share one offset in the kernel.
"""

import errno
import stat

from mounts.nodes import AttributeChanges, Attributes, Caller, Handle, Node, refuse
from mounts.ports import Ports
from mounts.root import Root
from syscalls import help
from syscalls.errors import LsfsError
from syscalls.values import Viewer

LONGEST = 64 << 10  # bytes of a line; also the block size, by which stdio decides what it writes at once


class Ctl(Node):
    """The file /ctl. Everyone may open it: most commands only ask, and the others look at who it is."""

    __slots__ = ("ports",)

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self.ports = ports

    async def getattr(self) -> Attributes:
        attributes = Attributes(stat.S_IFREG | 0o666)
        attributes.st_blksize = LONGEST
        return attributes

    async def setattr(self, changes: AttributeChanges, handle: Handle | None, caller: Caller) -> Attributes:
        """A shell's `>` truncates first; there is nothing here to change."""
        if (changes.mode, changes.uid, changes.gid) != (None, None, None):
            raise refuse(errno.EPERM)
        return await self.getattr()

    async def open(self, flags: int, caller: Caller) -> Handle:
        return Conversation(self.ports, self.ports.viewer(caller))


class Conversation(Handle):
    """One who talks to /ctl: the last reply and how much of it has been read."""

    __slots__ = ("ports", "viewer", "reply", "cursor")

    def __init__(self, ports: Ports, viewer: Viewer) -> None:
        super().__init__(direct_io=True, nonseekable=True)
        self.ports = ports
        self.viewer = viewer
        self._say(help.text())

    async def write(self, offset: int, data: bytes) -> int:
        if len(data) > LONGEST:
            self._say(f"A command line has {LONGEST} bytes at most.")
            raise refuse(errno.E2BIG)
        try:
            self._say(await self.ports.control(data.decode("utf-8", "surrogateescape"), self.viewer))
        except LsfsError as error:
            self._say(str(error))
            raise
        return len(data)

    async def read(self, offset: int, size: int) -> bytes:
        part = self.reply[self.cursor : self.cursor + size]
        self.cursor += len(part)
        return part

    def _say(self, reply: str) -> None:
        self.reply = (reply + "\n").encode("utf-8", "replace")
        self.cursor = 0


def serve(root: Root) -> Node:
    """The file /ctl."""
    return Ctl(root.ports)
