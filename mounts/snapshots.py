"""snapshots: the whole tree as it was, under a name, or at a time.

    mkdir snapshots/before-refactor                     takes one; rmdir drops the name, mv gives it another
    ls    snapshots/before-refactor/files               read-only
    ls    snapshots/before-refactor/query/"refunds"     a question asked then (`mounts.query`)
    ls    snapshots/at/2026-11-22T10:00/files           any instant since history began; a prefix is its first moment
    cat   snapshots/diff/before-refactor..now           what changed between two, for patch -p1

Threading: in the loop; taking one waits for what was closed before it. Diffs are made one at a time, in a thread of their own: who lists
the past does not wait for them.
"""

from __future__ import annotations

import errno
import os
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import trio

from mounts.nodes import Caller, Node, Symlink, VirtualDirectory, VirtualFile, refuse
from mounts.past import Then
from syscalls.differences import differences
from syscalls.errors import Exists, InvalidArgument, LsfsError, NotFound, NotPermitted
from syscalls.snapshot import snapshot_name

if TYPE_CHECKING:
    from mounts.ports import Ports
    from mounts.root import Root

AT, DIFF, LATEST = b"at", b"diff", b"latest"
KEPT = 64
"""Trees of the past whose nodes are kept though the kernel has forgotten them."""
RECENT = 10.0
"""Seconds within which what was closed may not be committed yet."""


class Snapshots(VirtualDirectory):
    """The directory /snapshots."""

    __slots__ = ("ports", "trees", "names")

    negative_timeout = 0.0

    def __init__(self, ports: Ports) -> None:
        super().__init__({AT: Times(self), DIFF: Differences(ports)}, mode=0o755)
        self.ports = ports
        self.trees: OrderedDict[int, Tree] = OrderedDict()
        self.names: WeakValueDictionary[bytes, Named] = WeakValueDictionary()

    def named(self, name: bytes, sequence: int, made: float | None) -> Named:
        """The directory called so: one node, for as long as the kernel knows it and the name stands for the same sequence."""
        node = self.names.get(name)
        if node is None or node.tree.sequence != sequence:
            node = self.names[name] = Named(self.tree(sequence), made)
        return node

    def tree(self, sequence: int) -> Tree:
        """What a sequence shows."""
        tree = self.trees.get(sequence)
        if tree is None:
            tree = self.trees[sequence] = Tree(self.ports, sequence)
            while len(self.trees) > KEPT:
                self.trees.popitem(last=False)
        self.trees.move_to_end(sequence)
        return tree

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        fixed = self.children.get(name)
        if fixed is not None:
            return fixed
        history = self.ports.history
        if name == LATEST:
            last = newest(self.ports)
            return None if last is None else Symlink(last)
        snapshot = history.snapshot(name)
        return None if snapshot is None else self.named(name, snapshot.sequence, snapshot.made)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        entries: list[tuple[bytes, Node]] = list(self.children.items())
        for snapshot in self.ports.history.snapshots():
            entries.append((snapshot.name, self.named(snapshot.name, snapshot.sequence, snapshot.made)))
        last = newest(self.ports)
        return entries if last is None else [*entries, (LATEST, Symlink(last))]

    async def mkdir(self, name: bytes, mode: int, caller: Caller) -> Node:
        await self._change(name, self.ports.history.take, name)
        taken = self.ports.history.snapshot(name)
        return self.named(name, taken.sequence, taken.made)

    async def rmdir(self, name: bytes, caller: Caller) -> None:
        await self._change(name, self.ports.history.drop, name)

    async def rename(self, old: bytes, new_parent: Node, new: bytes, flags: int, caller: Caller) -> None:
        if new_parent is not self:
            raise refuse(errno.EROFS)
        await self._change(new, self.ports.history.rename, old, new)

    async def _change(self, name: bytes, call, *arguments: bytes) -> None:  # type: ignore[no-untyped-def]
        """What every Unix program expects of mkdir, rmdir and mv is no error to note in /status."""
        if self.ports.read_only:
            raise refuse(errno.EROFS)
        try:
            snapshot_name(os.fsdecode(name))
            await call(*arguments)
        except (Exists, NotFound, NotPermitted, InvalidArgument) as error:
            raise refuse(errno.EPERM if isinstance(error, InvalidArgument) else error.errno) from None


def newest(ports: Ports) -> bytes | None:
    """The name of the newest snapshot that somebody took."""
    named = [snapshot for snapshot in ports.history.snapshots() if not snapshot.automatic]
    return max(named, key=lambda snapshot: (snapshot.made, snapshot.sequence)).name if named else None


class Tree:
    """What a sequence shows: files/ and query/."""

    def __init__(self, ports: Ports, sequence: int) -> None:
        self.sequence = sequence
        self.then = Then(ports, sequence)
        self.children: dict[bytes, Node] = {b"files": self.then.top}
        asked = ports.past_query(sequence) if ports.past_query is not None else None
        if asked is not None:
            self.children[b"query"] = asked


class Named(VirtualDirectory):
    """A snapshot's directory."""

    __slots__ = ("tree", "__weakref__")

    entry_timeout = 0.0  # its name may go, or become another one's

    def __init__(self, tree: Tree, made: float | None) -> None:
        super().__init__(tree.children, when=None if made is None else int(made * 1e9))
        self.tree = tree


class Times(VirtualDirectory):
    """The directory /snapshots/at: any instant, found by its name."""

    __slots__ = ("snapshots",)

    negative_timeout = 0.0

    def __init__(self, snapshots: Snapshots) -> None:
        super().__init__()
        self.snapshots = snapshots

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        history = self.snapshots.ports.history
        try:
            sequence = history.at(name)
            if (
                sequence == history.past.sequence()
                or time.time() - (history.past.time_of(sequence) or 0) < RECENT
            ):
                await history.settled()
                sequence = history.at(name)
        except (NotFound, InvalidArgument):
            return None
        return self.snapshots.named(b"at/" + name, sequence, history.past.time_of(sequence))


class Differences(VirtualDirectory):
    """The directory /snapshots/diff: `<a>..<b>`, each a snapshot's name, `now`, `latest`, or a time."""

    __slots__ = ("ports", "thread")

    negative_timeout = 0.0

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self.ports = ports
        self.thread = trio.CapacityLimiter(1)

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        history = self.ports.history
        first, dots, second = name.partition(b"..")
        if not dots or not first or not second:
            return None
        try:
            for text in (first, second):
                history.sequence_of(text)
        except LsfsError:
            return None
        return Difference(self.ports, first, second, self.thread)


class Difference(VirtualFile):
    """A diff, made when it is opened, of what the reader may read then and now."""

    entry_timeout = attr_timeout = 0.0

    def __init__(self, ports: Ports, first: bytes, second: bytes, thread: trio.CapacityLimiter) -> None:
        async def render(caller: Caller) -> bytes:
            history = ports.history
            if b"now" in (first, second):
                await history.settled()
            viewer = ports.viewer(caller)
            trusted = viewer.uid in (0, os.getuid())

            one, other = history.sequence_of(first), history.sequence_of(second)

            def make(past: Any) -> bytes:
                def readable(path: bytes, row: Any) -> bool:
                    trio.from_thread.check_cancelled()  # whoever asked may have gone, or the mount
                    return trusted or history.permits_then(path, row, viewer, past)

                return differences(past, one, other, first, second, readable)

            return await history.in_thread(make, limiter=thread)

        super().__init__(render)


def serve(root: Root) -> Node:
    """The directory /snapshots."""
    return Snapshots(root.ports)
