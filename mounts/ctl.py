"""ctl: write one command line, read the reply on the same descriptor.

    exec 3<>ctl; echo "query who approves refunds" >&3; cat <&3      in a shell
    echo scan > ctl                                                  where the reply does not matter

One write(2) is one command line, up to 64 KiB; line breaks inside it are blanks. (bash's echo writes 4096 bytes at a time:
a longer question is for `lsfs query` or a program.) What comes before the first write is the list of
commands. An error is raised at write(2) with its errno and is then what a read gives, as a sentence. /status keeps those that are
not the caller's own mistake.

Threading: in the loop; a write waits for its call. The conversation lives in the handle, so that two who talk at once
never hear each other's replies, and the cursor is the handle's: reader and writer share one offset in the kernel.
"""

import errno
import re
import stat

import trio

from mounts.nodes import AttributeChanges, Attributes, Caller, Handle, Node, refuse
from mounts.ports import Ports
from mounts.root import Root
from syscalls import help
from syscalls.errors import LsfsError, TryAgain
from syscalls.values import Viewer

LONGEST = 64 << 10  # bytes of a line; also the block size, by which stdio decides what it writes at once
PATIENCE = 60.0  # seconds for one line
MOST_AT_ONCE = 24  # lines that wait; more are refused, since each occupies the mount
MISTAKES = (
    errno.EINVAL, errno.ENOENT, errno.EPERM, errno.EEXIST, errno.EROFS, errno.EOPNOTSUPP, errno.EACCES, errno.EBUSY, errno.ENODATA,
    errno.ENOTDIR, errno.ENAMETOOLONG, errno.EISDIR, errno.EFBIG,
)  # fmt: skip


_NO_BYTE = re.compile(
    "[\ud800-\udc7f\udd00-\udfff]"
)  # surrogates that stand for no byte of a name or a content


class Ctl(Node):
    """The file /ctl. Everyone may open it: most commands only ask, and the others look at who it is."""

    __slots__ = ("ports", "busy")

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self.ports = ports
        self.busy = 0
        """Lines that are waiting for their reply."""

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
        return Conversation(self, self.ports.viewer(caller))


class Conversation(Handle):
    """One who talks to /ctl: the last reply and how much of it has been read."""

    __slots__ = ("talk", "ports", "viewer", "reply", "cursor")

    def __init__(self, talk: Ctl, viewer: Viewer) -> None:
        super().__init__(direct_io=True, nonseekable=True)
        self.talk = talk
        self.ports = talk.ports
        self.viewer = viewer
        self._say(help.text())

    async def write(self, offset: int, data: bytes) -> int:
        if len(data) > LONGEST:
            self._say(f"A question, or another command, has {LONGEST} bytes at most; write a shorter one.")
            raise refuse(errno.E2BIG)
        reply = None
        try:
            if self.talk.busy >= MOST_AT_ONCE:
                raise TryAgain("Too many commands at once; write it again in a moment.")
            self.talk.busy += 1
            try:
                with trio.move_on_after(PATIENCE):
                    reply = await self.ports.control(data.decode("utf-8", "surrogateescape"), self.viewer)
            finally:
                self.talk.busy -= 1
            if reply is None:
                raise TryAgain(
                    f"This takes longer than {PATIENCE:.0f} seconds; what it changes goes on, and `lsfs log` says when it is done."
                )
        except LsfsError as error:
            self._say(str(error))
            if error.errno in MISTAKES:
                raise refuse(error.errno) from None  # the caller's own: nothing to note in /status
            raise
        except Exception:
            self._say("This should not happen; the log of the daemon says more.")
            raise
        self._say(reply)
        return len(data)

    async def read(self, offset: int, size: int) -> bytes:
        part = self.reply[self.cursor : self.cursor + size]
        self.cursor += len(part)
        return part

    def _say(self, reply: str) -> None:
        self.reply = (_NO_BYTE.sub("\ufffd", reply) + "\n").encode("utf-8", "surrogateescape")
        self.cursor = 0


def serve(root: Root) -> Node:
    """The file /ctl."""
    return Ctl(root.ports)
