"""fuse_init: what the kernel and libfuse agree on when a mount begins, and two things more.

Before each write the kernel asks for security.capability, unless the file system says that it takes set-user-id
bits and capabilities away by itself, as /files does: then once for each file. And it applies the umask to what is
made, even where a default access control list takes its place, unless the file system says that it does so
itself. pyfuse3 can say neither. The agreement is one request and one reply, so libfuse is given a socket in the
place of the device for just that exchange, and the reply is completed on its way to the kernel.

    struct fuse_init_in, fuse_init_out: include/uapi/linux/fuse.h of the kernel, protocol 7.33 and later
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct

DEVICE = "/dev/fuse"
ROOM = 1 << 20
"""Bytes to read a request into; the kernel refuses less than it may send."""
INIT = 26
DONT_MASK = 1 << 6
HANDLE_KILLPRIV_V2 = 1 << 28
ASKED = DONT_MASK | HANDLE_KILLPRIV_V2
_REQUEST = struct.Struct("=IIQQIIII IIII")
"""Head of a request (length, opcode, unique, node, uid, gid, pid, padding), then major, minor, readahead, flags."""
_REPLY = struct.Struct("=IiQ III")
"""Head of a reply (length, error, unique), then major, minor, readahead; the flags follow."""


def devices() -> set[int]:
    """The descriptors of this process that are connections to the kernel."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one that lists them
            if os.readlink(f"/proc/self/fd/{name}") == DEVICE:
                found.add(int(name))
    return found


def pending(fd: int) -> bool:
    """Is there a request to be read?"""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


class Agreement:
    """The exchange on the descriptor *fd*, which libfuse has opened and from which it has read nothing yet. Until `complete`,
    *fd* is one end of a socket pair."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._kernel = os.dup(fd)
        request = os.read(self._kernel, ROOM)
        self._offered = 0
        if len(request) >= _REQUEST.size:
            _, opcode, *_, flags = _REQUEST.unpack_from(request)
            self._offered = flags if opcode == INIT else 0
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.send(request)
        os.dup2(theirs.fileno(), fd, inheritable=False)
        theirs.close()

    def complete(self) -> bool:
        """Hand the reply of libfuse on, completed, and *fd* back. Returns whether there was one by now."""
        try:
            reply = bytearray(self._ours.recv(ROOM, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False
        if len(reply) > _REPLY.size:
            _, error, *_ = _REPLY.unpack_from(reply)
            (flags,) = struct.unpack_from("=I", reply, _REPLY.size)
            if not error:
                struct.pack_into("=I", reply, _REPLY.size, flags | self._offered & ASKED)
        os.write(self._kernel, reply)
        os.dup2(self._kernel, self._fd, inheritable=False)
        os.close(self._kernel)
        self._ours.close()
        return True
