"""versions: what a file was. Found by name in any folder of /files, listed in none.

    ls  files/.versions/plan.md/                v1 v2 v3 latest log v2..v3.diff v2..v3.md
    cat files/.versions/plan.md/v2              its content then; latest is the newest one
    cat files/.versions/plan.md/2026-11-22      what it was at a time
    cat files/.versions/plan.md/v1..v3.diff     for patch(1); .md says it in words
    ls  files/.versions/                        the files here that have versions, removed ones too
    cat files/.versions/.log                    what happened at and below this folder (`.watch`, `plan.md/watch`: `mounts.watch`)

A version is a content: it counts on when the bytes change, not when only rights or times do (`log` has those, too). Versions go along
with a file that is renamed, and stay when it is removed.

A number belongs to a file as it is now: a rename over it, or retention, moves numbers, so the kernel asks for each name anew. Who is
neither root nor the mount's owner finds the versions that he may read now and might have read then, under the same numbers.

Threading: in the loop; histories and diffs are read in a thread. What was closed before a look is waited for, a moment at most.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import trio

from mounts.nodes import Caller, Node, Symlink, VirtualDirectory, VirtualFile, refuse
from mounts.past import PastFile, PastNode, PastSymlink, Then
from mounts.watch import Watch, Watchers
from syscalls.compare import difference, in_words
from syscalls.errors import LsfsError, NotPermitted
from syscalls.log import happened, log_of, table
from syscalls.watch import FILE, FOLDER

if TYPE_CHECKING:
    from mounts.ports import Ports
    from mounts.root import Root

MOMENT = 2.0
"""Seconds that a look waits for what was just closed."""
KEPT = 4
"""Files whose versions are remembered: whoever lists them looks each one up."""
AT_ONCE = 1000
"""Versions that are listed before others have their turn."""
_NUMBER = re.compile(rb"v([1-9][0-9]{0,8})|latest")
_PAIR = re.compile(rb"(v[1-9][0-9]{0,8}|latest)\.\.(v[1-9][0-9]{0,8}|latest)\.(diff|md)")


class Folder(VirtualDirectory):
    """`.versions` of one folder: a directory for each file that was ever there."""

    __slots__ = ("ports", "path", "recent", "known", "__weakref__")

    negative_timeout = 0.0
    entry_timeout = 1.0

    def __init__(self, ports: Ports, path: bytes, recent: Recent) -> None:
        super().__init__()
        self.ports = ports
        self.path = path
        self.recent = recent
        self.known: WeakValueDictionary[bytes, Versions] = WeakValueDictionary()

    def child(self, name: bytes) -> bytes:
        """The path of what was called `name` in this folder."""
        return self.path + b"/" + name if self.path else name

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        await settle(self.ports)
        if self.ports.history.past.knows(self.child(name)):
            return self._node(name)
        if name == FOLDER:
            return Watch(self.ports, self.path, self.recent.watchers)
        return Happened(self.ports, self.path) if name == b".log" else None

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        await settle(self.ports)
        history, viewer = self.ports.history, self.ports.viewer(caller)
        if not trusted(caller) and not history.permits(self.path, viewer):
            raise refuse(errno.EACCES)

        def names(past: Any) -> list[bytes]:
            found: list[bytes] = past.names(self.path)
            if trusted(caller):
                return found
            paths = ((name, self.child(name)) for name in found)
            return [
                name
                for name, path in paths
                if any(history.permits_then(row.path, row, viewer, past) for row in past.history(path))
            ]

        return [(name, self._node(name)) for name in await history.in_thread(names)]

    def _node(self, name: bytes) -> Versions:
        node = self.known.get(name)
        if node is None:
            node = self.known[name] = Versions(self.ports, self.child(name), self.recent)
        return node


class Recent:
    """The versions of the files that were looked at last, for as long as nothing is committed."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.watchers = Watchers()
        self._known: OrderedDict[bytes, tuple[int, Sequence[Any]]] = OrderedDict()

    async def versions(self, path: bytes) -> Sequence[Any]:
        """All of a path, oldest first."""
        history = self.ports.history
        stamp = history.past.stamp()
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            # What is committed in between has another stamp: it is read again at the next look.
            known = (stamp, await history.in_thread(lambda past: past.versions(path)))
            self._known[path] = known
            self._known.move_to_end(path)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return known[1]


class Versions(VirtualDirectory):
    """The versions of one file."""

    __slots__ = ("ports", "path", "recent", "then", "nodes", "__weakref__")

    negative_timeout = 0.0
    entry_timeout = 1.0

    def __init__(self, ports: Ports, path: bytes, recent: Recent) -> None:
        super().__init__()
        self.ports = ports
        self.path = path
        self.recent = recent
        self.then = Then(ports, 0)  # no folder is ever looked up in it
        self.nodes: WeakValueDictionary[tuple[int, int], PastNode] = WeakValueDictionary()

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        await settle(self.ports)
        if name == b"log":
            return Log(self.ports, self.path)
        if name == FILE:
            return Watch(self.ports, self.path, self.recent.watchers)
        pair = _PAIR.fullmatch(name)
        if pair is None and _NUMBER.fullmatch(name) is None:
            row = self._at(name)
        else:
            versions = await self.recent.versions(self.path)
            if pair is not None:
                rows = [self._row(versions, word) for word in (pair[1], pair[2])]
                if None in rows:
                    return None
                labels = (pair[1].decode(), pair[2].decode())
                return Change(self.ports, rows[0], rows[1], *labels, pair[3] == b"diff")
            row = self._row(versions, name)
        if row is None:
            return None
        if not self._readable(row, caller):
            raise refuse(errno.EACCES)
        return Latest(b"v%d" % len(versions)) if name == b"latest" else self._node(row)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        await settle(self.ports)
        versions = shown = await self.recent.versions(self.path)
        if not trusted(caller):
            shown = await self.ports.history.in_thread(
                lambda past: [version for version in versions if self._readable(version.last, caller, past)]
            )
        entries: list[tuple[bytes, Node]] = []
        for version in shown:
            entries.append((b"v%d" % version.number, self._node(version.last)))
            if len(entries) % AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
        if shown and shown[-1] is versions[-1]:
            entries.append((b"latest", Latest(b"v%d" % versions[-1].number)))
        entries.append((b"log", Log(self.ports, self.path)))
        if len(versions) > 1 and list(shown[-2:]) == list(versions[-2:]):
            old, new = versions[-2], versions[-1]
            for suffix in ("diff", "md"):
                name = f"v{old.number}..v{new.number}.{suffix}"
                labels = (f"v{old.number}", f"v{new.number}")
                entries.append(
                    (name.encode(), Change(self.ports, old.last, new.last, *labels, suffix == "diff"))
                )
        return entries

    def _readable(self, row: Any, caller: Caller, past: Any = None) -> bool:
        """May the caller read what is at this path, and this row?"""
        return trusted(caller) or readable(self.ports, self.path, row, self.ports.viewer(caller), past)

    def _node(self, row: Any) -> PastNode:
        """The node of a row: the same one for as long as the kernel knows it."""
        key = row.id, row.born  # a number may be another row's later on, what it was born with is not
        node = self.nodes.get(key)
        if node is None:
            made = _KINDS.get(stat.S_IFMT(row.mode), VersionNode)
            node = self.nodes[key] = made(self.then, row.path, row)
        node.row = row
        return node

    def _row(self, versions: Sequence[Any], word: bytes) -> Any:
        number = len(versions) if word == b"latest" else int(word[1:])
        return versions[number - 1].last if 0 < number <= len(versions) else None

    def _at(self, name: bytes) -> Any:
        """What it was at a time."""
        history = self.ports.history
        try:
            sequence = history.at(name)
        except LsfsError:
            return None
        row = history.past.entry(self.path, sequence)
        return None if row is None or stat.S_ISDIR(row.mode) else row


class VersionNode(PastNode):
    """A version of something that nobody opens."""

    entry_timeout = 0.0


class VersionFile(PastFile):
    """A version of a file."""

    entry_timeout = 0.0


class VersionLink(PastSymlink):
    """A version of a symlink."""


_KINDS = {stat.S_IFREG: VersionFile, stat.S_IFLNK: VersionLink}


class Latest(Symlink):
    """The newest version."""

    entry_timeout = attr_timeout = 0.0


class Log(VirtualFile):
    """Every change of a file, as a table: version, time, size, mode, owner, what happened, path."""

    entry_timeout = attr_timeout = 0.0

    def __init__(self, ports: Ports, path: bytes) -> None:
        async def render(caller: Caller) -> bytes:
            await settle(ports)
            viewer = ports.viewer(caller)

            def make(past: Any) -> bytes:
                if trusted(caller):
                    return log_of(past, path)
                return log_of(past, path, lambda row: readable(ports, path, row, viewer, past))

            try:
                return await ports.history.in_thread(make)
            except NotPermitted:
                raise refuse(errno.EACCES) from None

        super().__init__(render)


class Happened(VirtualFile):
    """What happened at and below a folder, as a table: time, what, path, size, mode, owner."""

    entry_timeout = attr_timeout = 0.0

    def __init__(self, ports: Ports, path: bytes) -> None:
        async def render(caller: Caller) -> bytes:
            await settle(ports)
            viewer = ports.viewer(caller)
            if not trusted(caller) and not ports.history.permits(path, viewer):
                raise refuse(errno.EACCES)

            def make(past: Any) -> bytes:
                allowed = None
                if not trusted(caller):
                    allowed = lambda row: ports.history.permits_then(row.path, row, viewer, past)  # noqa: E731
                return table(*happened(past, path, readable=allowed))

            return await ports.history.apart(make)

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


def readable(ports: Ports, path: bytes, row: Any, viewer: Any, past: Any = None) -> bool:
    """May `viewer` read a row of the history of `path`: what is there today, and what the row was? In a thread with its own `past`."""
    history = ports.history
    return history.permits(path, viewer) and history.permits_then(row.path, row, viewer, past)


def trusted(caller: Caller) -> bool:
    """Is it root, or the mount's owner?"""
    return caller.uid in (0, os.getuid())


def inner(root: Root) -> Callable[[bytes], Node]:
    """The factory of `.versions` below a folder of /files."""
    known: WeakValueDictionary[bytes, Folder] = WeakValueDictionary()
    recent = Recent(root.ports)

    def below(path: bytes) -> Node:
        node = known.get(path)
        if node is None:
            node = known[path] = Folder(root.ports, path, recent)
        return node

    return below
