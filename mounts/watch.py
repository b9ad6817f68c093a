"""watch: files that yield one line for each change as it happens, for as long as they are read.

    cat files/.versions/.watch                   of everything below a folder
    cat files/.versions/plan.md/watch            of one file

A read waits for a line. The kernel cannot take a read back that a daemon has been given, not even for SIGKILL. So every moment a read
without a line looks at the process that opened the file: while that one waits in this read, and no signal waits for it, the read goes
on; otherwise it is EINTR. Thus awk, sed and node, which take EINTR for an error, read on. Who has the descriptor from another process
(`exec 3<` in a shell) has to read again, as cat, head, grep, tail, shells, perl and Python do.
Opened with O_NONBLOCK, a read does not wait: EAGAIN where there is nothing new. (poll(2) knows no better than for any file: always
ready.) Nothing is listed that a `grep -r` could wait in: these names are found, not shown.

Threading: in the loop; what happened is read in a thread. Each open file has its own place in what happens.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

import trio

from mounts.nodes import Attributes, Caller, Handle, Node, refuse
from syscalls.watch import news

if TYPE_CHECKING:
    from mounts.ports import Ports
    from syscalls.values import Viewer

WAIT = 0.5
"""Seconds that one read waits."""
MOST_AT_ONCE = 64
"""Open ones of a mount: each that is read occupies one of its requests."""
MOST_THREADS = 24
"""Of a process that is looked at."""


class Watchers:
    """All who watch in one mount, and the thread in which they look."""

    def __init__(self) -> None:
        self.open: set[Watching] = set()
        self.thread = trio.CapacityLimiter(1)


class Watch(Node):
    """What happens at and below one path."""

    __slots__ = ("ports", "path", "watchers")

    entry_timeout = attr_timeout = 0.0

    def __init__(self, ports: Ports, path: bytes, watchers: Watchers) -> None:
        super().__init__()
        self.ports = ports
        self.path = path
        self.watchers = watchers

    async def getattr(self) -> Attributes:
        return Attributes(stat.S_IFREG | 0o444)

    async def open(self, flags: int, caller: Caller) -> Handle:
        if flags & (os.O_ACCMODE | os.O_TRUNC):
            raise refuse(errno.EROFS)
        history, viewer = self.ports.history, self.ports.viewer(caller)
        if not _trusted(viewer) and not history.permits(self.path, viewer):
            raise refuse(errno.EACCES)
        await history.noted(WAIT)
        if len(self.watchers.open) >= MOST_AT_ONCE:
            raise refuse(errno.EAGAIN)
        return Watching(self, viewer, history.past.sequence(), caller.pid, waits=not flags & os.O_NONBLOCK)


class Watching(Handle):
    """One who watches: the place up to which he knows, and what he has not read yet."""

    __slots__ = ("node", "viewer", "place", "pid", "waits", "reads", "text")

    def __init__(self, node: Watch, viewer: Viewer, sequence: int, pid: int, waits: bool) -> None:
        super().__init__(direct_io=True, nonseekable=True)
        self.node = node
        self.viewer = viewer
        self.place = node.ports.history.past.place(sequence)
        self.pid = pid
        self.waits = waits
        self.reads = 0
        self.text = b""
        node.watchers.open.add(self)

    async def read(self, offset: int, size: int) -> bytes:
        self.reads += 1
        try:
            await self._wait()
            while not self.text and self.waits and self._is_waited_for():
                await self._wait()
        finally:
            self.reads -= 1
        if not self.text and not self.node.ports.history.follow.leaving:
            raise refuse(errno.EINTR if self.waits else errno.EAGAIN)
        part, self.text = self.text[:size], self.text[size:]
        return part

    async def _wait(self) -> None:
        history = self.node.ports.history
        with trio.move_on_after(WAIT):
            while not self.text:
                until = history.past.place(history.past.sequence())
                if until != self.place:
                    await self._look(until)
                elif history.follow.leaving or not self.waits:
                    break
                else:
                    await history.follow.moved_on()

    def _is_waited_for(self) -> bool:
        """Is it who opened this that reads it, and can more come?"""
        if self.node.ports.history.follow.leaving:
            return False
        reads = sum(one.reads for one in self.node.watchers.open if one.pid == self.pid)
        return waiting(self.pid) >= reads

    async def _look(self, until: Any) -> None:
        history, path, viewer = self.node.ports.history, self.node.path, self.viewer

        def look(past: Any) -> tuple[list[str], Any]:
            allowed = None
            if not _trusted(viewer):
                allowed = lambda row: history.permits_then(row.path, row, viewer, past)  # noqa: E731
            return news(past, path, self.place, until, allowed)

        found, self.place = await history.in_thread(look, limiter=self.node.watchers.thread)
        self.text = "".join(f"{line}\n" for line in found).encode("utf-8", "surrogateescape")

    async def release(self) -> None:
        self.node.watchers.open.discard(self)


def waiting(pid: int) -> int:
    """How many threads of a process wait for an answer of a FUSE mount; 0 where that cannot be known, and where a signal waits for it."""
    try:
        threads = os.listdir(f"/proc/{pid}/task") if pid > 0 else []
        return 0 if len(threads) > MOST_THREADS else sum(_waits(f"/proc/{pid}/task/{one}") for one in threads)
    except (OSError, ValueError, _Signalled):
        return 0


class _Signalled(Exception):
    pass


def _waits(thread: str) -> bool:
    with open(f"{thread}/wchan") as file:
        if file.read() != "request_wait_answer":
            return False
    with open(f"{thread}/status") as file:
        masks = {
            line[:6]: int(line[7:], 16)
            for line in file
            if line.startswith("Sig") and line[3] != "Q" or line[:3] == "Shd"
        }
    if (masks["SigPnd"] | masks["ShdPnd"]) & ~masks["SigBlk"] & ~masks["SigIgn"]:
        raise _Signalled
    return True


def _trusted(viewer: Viewer) -> bool:
    return viewer.uid in (0, os.getuid())
