"""versions: what a file was. Found by name in any folder of /files, listed in none.

    ls  files/.versions/plan.md/                v1 v2 v3 latest log v2..v3.diff v2..v3.md
    cat files/.versions/plan.md/v2              its content then; latest is the newest one
    cat files/.versions/plan.md/2026-11-22      what it was at a time
    cat files/.versions/plan.md/v1..v3.diff     for patch(1); .md says it in words
    ls  files/.versions/                        the files here that have versions, removed ones too

A version is a content: it counts on when the bytes change, not when only rights or times do (`log` has those, too). Versions go along
with a file that is renamed, and stay when it is removed.

Threading: in the loop; long histories and diffs are read in a thread. What was closed before a look is waited for, a moment at most.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from mounts.nodes import Caller, Node, Symlink, VirtualDirectory, VirtualFile, refuse
from mounts.past import PastNode, Then, node_of
from syscalls.compare import difference, in_words
from syscalls.errors import LsfsError
from syscalls.log import log_of

if TYPE_CHECKING:
    from mounts.ports import Ports
    from mounts.root import Root

MOMENT = 2.0
"""Seconds that a look waits for what was just closed."""
_NUMBER = re.compile(rb"v([1-9][0-9]{0,8})")
_PAIR = re.compile(rb"(v[1-9][0-9]{0,8}|latest)\.\.(v[1-9][0-9]{0,8}|latest)\.(diff|md)")


class Folder(VirtualDirectory):
    """`.versions` of one folder: a directory for each file that was ever there."""

    __slots__ = ("ports", "path", "known", "__weakref__")

    negative_timeout = 0.0
    entry_timeout = 1.0

    def __init__(self, ports: Ports, path: bytes) -> None:
        super().__init__()
        self.ports = ports
        self.path = path
        self.known: WeakValueDictionary[bytes, Versions] = WeakValueDictionary()

    def child(self, name: bytes) -> bytes:
        """The path of what was called `name` in this folder."""
        return self.path + b"/" + name if self.path else name

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        await settle(self.ports)
        rows = self.ports.history.past.history(self.child(name))
        return self._node(name) if any(not stat.S_ISDIR(row.mode) for row in rows) else None

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        await settle(self.ports)
        if not trusted(caller) and not self.ports.history.permits(self.path, self.ports.viewer(caller)):
            raise refuse(errno.EACCES)
        names = await self.ports.history.in_thread(lambda past: past.names(self.path))
        return [(name, self._node(name)) for name in names]

    def _node(self, name: bytes) -> Versions:
        node = self.known.get(name)
        if node is None:
            node = self.known[name] = Versions(self.ports, self.child(name))
        return node


class Versions(VirtualDirectory):
    """The versions of one file."""

    __slots__ = ("ports", "path", "nodes", "__weakref__")

    negative_timeout = 0.0
    entry_timeout = 1.0

    def __init__(self, ports: Ports, path: bytes) -> None:
        super().__init__()
        self.ports = ports
        self.path = path
        self.nodes: WeakValueDictionary[int, PastNode] = WeakValueDictionary()

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        await settle(self.ports)
        if name == b"log":
            return Log(self.ports, self.path)
        versions = self.ports.history.past.versions(self.path)
        if name == b"latest":
            return Latest(b"v%d" % versions[-1].number) if versions else None
        number = _NUMBER.fullmatch(name)
        if number is not None:
            return self._version(versions, int(number[1]))
        pair = _PAIR.fullmatch(name)
        if pair is not None:
            rows = [self._row(versions, word) for word in (pair[1], pair[2])]
            if None in rows:
                return None
            return Change(
                self.ports, rows[0], rows[1], pair[1].decode(), pair[2].decode(), pair[3] == b"diff"
            )
        return self._at(name)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        await settle(self.ports)
        path = self.path
        versions = await self.ports.history.in_thread(lambda past: past.versions(path))
        entries: list[tuple[bytes, Node]] = []
        for version in versions:
            node = self._version(versions, version.number)
            if node is not None:
                entries.append((b"v%d" % version.number, node))
        if versions:
            entries.append((b"latest", Latest(b"v%d" % versions[-1].number)))
        entries.append((b"log", Log(self.ports, path)))
        if len(versions) > 1:
            old, new = versions[-2], versions[-1]
            for suffix in ("diff", "md"):
                name = f"v{old.number}..v{new.number}.{suffix}"
                labels = (f"v{old.number}", f"v{new.number}")
                entries.append(
                    (name.encode(), Change(self.ports, old.last, new.last, *labels, suffix == "diff"))
                )
        return entries

    def _version(self, versions: Sequence[Any], number: int) -> PastNode | None:
        if not 0 < number <= len(versions):
            return None
        return self._node(versions[number - 1].last)

    def _node(self, row: Any) -> PastNode:
        """The node of a row: the same one for as long as the kernel knows it."""
        node = self.nodes.get(row.id)
        if node is None:
            node = self.nodes[row.id] = node_of(Then(self.ports, row.born), row.path, row)
        return node

    def _row(self, versions: Sequence[Any], word: bytes) -> Any:
        number = len(versions) if word == b"latest" else int(word[1:])
        return versions[number - 1].last if 0 < number <= len(versions) else None

    def _at(self, name: bytes) -> PastNode | None:
        """What it was at a time."""
        history = self.ports.history
        try:
            sequence = history.at(name)
        except LsfsError:
            return None
        rows = [
            row
            for row in history.past.history(self.path, sequence)
            if row.died is None or row.died > sequence
        ]
        row = rows[-1] if rows else None
        if row is None or stat.S_ISDIR(row.mode):
            return None
        return self._node(row)


class Latest(Symlink):
    """The newest version."""

    entry_timeout = attr_timeout = 0.0


class Log(VirtualFile):
    """Every change of a file, as a table: version, time, size, mode, owner, what happened, path."""

    entry_timeout = attr_timeout = 0.0

    def __init__(self, ports: Ports, path: bytes) -> None:
        async def render(caller: Caller) -> bytes:
            await settle(ports)
            if not trusted(caller) and not ports.history.permits(path, ports.viewer(caller)):
                raise refuse(errno.EACCES)
            return await ports.history.in_thread(log_of, path)

        super().__init__(render)


class Change(VirtualFile):
    """What changed between two versions: a unified diff, or in words."""

    def __init__(
        self, ports: Ports, old: Any, new: Any, old_label: str, new_label: str, as_diff: bool
    ) -> None:
        async def render(caller: Caller) -> bytes:
            viewer = ports.viewer(caller)
            for row in (old, new):
                if not trusted(caller) and not ports.history.permits_then(row.path, row, viewer):
                    raise refuse(errno.EACCES)
            make = difference if as_diff else in_words
            return await ports.history.in_thread(make, old, new, old_label, new_label)

        super().__init__(render)


async def settle(ports: Ports) -> None:
    """What was closed before a look counts; where history cannot be written, what it has is shown."""
    with contextlib.suppress(LsfsError):
        await ports.history.noted(MOMENT)


def trusted(caller: Caller) -> bool:
    """Is it root, or the mount's owner?"""
    return caller.uid in (0, os.getuid())


def inner(root: Root) -> Callable[[bytes], Node]:
    """The factory of `.versions` below a folder of /files."""
    known: WeakValueDictionary[bytes, Folder] = WeakValueDictionary()

    def below(path: bytes) -> Node:
        node = known.get(path)
        if node is None:
            node = known[path] = Folder(root.ports, path)
        return node

    return below
