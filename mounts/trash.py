"""trash: what was removed, by the day; moving it out puts it back.

    ls trash/2026-11-27/                            what was removed that day, under its path below files/
    mv trash/2026-11-27/old/a.md files/b.md         puts it back, under any name
    cat trash/2026-11-27/old/a.md                   reads it

A view on history: nothing is copied when a file is removed, and nothing goes when the trash is looked at. What is there again under its
old path is not shown: its older contents are in `.versions`. Renaming is a single rename(2): the content and all that belonged to it come
back, or nothing changes.

Threading: in the loop; a day is read in a thread, and kept until something is removed, or made, or put back.
"""

from __future__ import annotations

import errno
import re
import stat
import time
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import trio

from mounts.files_directory import Directory
from mounts.nodes import Attributes, Caller, Node, VirtualDirectory, refuse
from mounts.past import PastFile, PastNode, PastSymlink, Then, attributes_of
from mounts.versions import AT_ONCE, settle, trusted
from syscalls.errors import LsfsError

if TYPE_CHECKING:
    from mounts.ports import Ports
    from mounts.root import Root

_DAY = re.compile(rb"\d{4}-\d\d-\d\d")
MOST_DAYS = 100
"""Days that are remembered."""
STICKY = stat.S_IFDIR | 0o1777
"""Whoever owns what was removed may take it out."""


class Trash(VirtualDirectory):
    """The directory /trash: a directory for each day on which something was removed."""

    __slots__ = ("ports", "_days")

    negative_timeout = 0.0

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self.ports = ports
        self._days: dict[bytes, Day] = {}

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        if not _DAY.fullmatch(name):
            return None
        await settle(self.ports)
        try:
            day = date.fromisoformat(name.decode())
        except ValueError:
            return None
        return await self.day(day)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        await settle(self.ports)
        days = await self.ports.history.in_thread(
            lambda past: sorted({datetime.fromtimestamp(at).date() for at in past.removals()})
        )
        found = [(day.isoformat().encode(), await self.day(day)) for day in days]
        return [(name, node) for name, node in found if node is not None]

    async def day(self, day: date) -> Node | None:
        """What was removed on a day; None where that is nothing."""
        name = day.isoformat().encode()
        kept = self._days.get(name)
        if kept is None:
            if len(self._days) >= MOST_DAYS:
                self._days.clear()
            kept = self._days[name] = Day(self, day)
        await kept.read()
        return kept.node(b"", kept.top) if kept.top.below else None

    def stale(self) -> None:
        """Something was put back: every day is read again."""
        for day in self._days.values():
            day.stale()


def midnight(day: date) -> float:
    """When a day begins here, in seconds since the epoch."""
    return time.mktime(day.timetuple())


class Branch:
    """A place in the tree of what was removed: the row that was removed here, or None for a folder that is still there; what is below a
    folder, by name, and None below all else."""

    __slots__ = ("row", "below")

    def __init__(self, row: Any, below: dict[bytes, Branch] | None) -> None:
        self.row = row
        self.below = below


def branches(rows: Iterable[Any]) -> Branch:
    """The tree of removed rows; of two with one path the newest, which comes first, stays."""
    top = Branch(None, {})
    for row in rows:
        here = top
        for name in row.parent.split(b"/") if row.parent else ():
            assert here.below is not None
            found = here.below.get(name)
            if found is None:
                found = here.below[name] = Branch(None, {})
            here = found
            if here.below is None:
                break
        if here.below is None:
            continue
        there = here.below.get(row.name)
        folder = stat.S_ISDIR(row.mode)
        if there is None:
            here.below[row.name] = Branch(row, {} if folder else None)
        elif folder and there.below is not None and there.row is None:
            there.row = row
    return top


class Day:
    """What was removed on a day. The tree is made in a thread; the nodes, as they are looked up, stay the same for as long as the kernel
    knows them: a tool that copies looks twice."""

    def __init__(self, trash: Trash, day: date) -> None:
        self.trash = trash
        self.top = Branch(None, {})
        self._span = midnight(day), midnight(day + timedelta(days=1))
        self._nodes: WeakValueDictionary[bytes, Any] = WeakValueDictionary()
        self._stamp = self._sequence = -1
        self._forgotten: Any = None
        self._turn = 0

    async def read(self) -> None:
        """Read it anew where something was removed or made since, or taken out of history."""
        history = self.trash.ports.history
        while (stamp := history.past.stamp()) != self._stamp:
            turn, since, known = self._turn, self._sequence, self._forgotten

            def look(past: Any, since: int = since, known: Any = known) -> tuple[int, Any, Branch | None]:
                sequence, forgotten = past.sequence(), past.forgotten()
                if since >= 0 and forgotten == known and not past.moved(since):
                    return sequence, forgotten, None
                return sequence, forgotten, branches(past.removed(*self._span))

            sequence, forgotten, top = await history.in_thread(look)
            if turn == self._turn:  # nothing was put back meanwhile
                self._stamp, self._sequence, self._forgotten = stamp, sequence, forgotten
                self.top = top or self.top
                return

    def stale(self) -> None:
        """Read it at the next look, whatever happened."""
        self._turn += 1
        self._stamp = self._sequence = -1

    def branch(self, path: bytes) -> Branch:
        """What is at a path now; an empty folder where nothing is any more."""
        here = self.top
        for name in path.split(b"/") if path else ():
            found = None if here.below is None else here.below.get(name)
            if found is None:
                return Branch(None, {})
            here = found
        return here

    def node(self, path: bytes, branch: Branch) -> Node:
        """The node of a branch."""
        known = self._nodes.get(path)
        if branch.below is not None:
            if not isinstance(known, Removed):
                known = self._nodes[path] = Removed(self, path)
        elif not isinstance(known, PastNode) or known.row.id != branch.row.id:
            known = self._nodes[path] = removed_node(self.trash, path, branch.row)
        return known


class Removed(VirtualDirectory):
    """A folder of the trash: one that was removed (`row`), or one that is still there and had something removed from it."""

    __slots__ = ("day", "path", "__weakref__")

    entry_timeout = attr_timeout = negative_timeout = 0.0  # after a rename its name leads to the live file

    def __init__(self, day: Day, path: bytes) -> None:
        super().__init__()
        self.day = day
        self.path = path

    @property
    def row(self) -> Any:
        """That of the folder, where it was removed."""
        return self.day.branch(self.path).row

    @property
    def below(self) -> dict[bytes, Branch]:
        """What is in it."""
        return self.day.branch(self.path).below or {}

    def child(self, name: bytes) -> bytes:
        """The path of what was called `name` here."""
        return self.path + b"/" + name if self.path else name

    async def getattr(self) -> Any:
        if self.row is not None:
            return attributes_of(self.row)
        return Attributes(STICKY, nlink=2)

    def permit(self, caller: Caller) -> None:
        """EACCES for who may not pass and list this folder today, or might not when it was removed."""
        if trusted(caller):
            return
        ports = self.day.trash.ports
        history, viewer = ports.history, ports.viewer(caller)
        allowed = history.permits(self.path, viewer) and history.passes(self.path, viewer)
        if self.row is not None:
            allowed = allowed and history.permits_then(self.path, self.row, viewer)
        if not allowed:
            raise refuse(errno.EACCES)

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        self.permit(caller)
        branch = self.below.get(name)
        if branch is None:
            return None
        if not self._shows(branch, caller):
            raise refuse(errno.EACCES)
        return self.day.node(self.child(name), branch)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        self.permit(caller)
        found = list(self.below.items())
        if not trusted(caller):
            found = await self.day.trash.ports.history.in_thread(
                lambda past: [(name, branch) for name, branch in found if self._shows(branch, caller, past)]
            )
        entries: list[tuple[bytes, Node]] = []
        for name, branch in found:
            entries.append((name, self.day.node(self.child(name), branch)))
            if len(entries) % AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
        return entries

    def _shows(self, branch: Branch, caller: Caller, past: Any = None) -> bool:
        """Is it his, or may he read what is at its path, and might have read it? A folder that is still there answers for itself."""
        row = branch.row
        if row is None or caller.uid == row.uid or trusted(caller):
            return True
        ports = self.day.trash.ports
        allowed: bool = ports.history.permits_then(row.path, row, ports.viewer(caller), past)
        return allowed

    async def rename(self, old: bytes, new_parent: Node, new: bytes, flags: int, caller: Caller) -> None:
        ports = self.day.trash.ports
        branch = self.below.get(old)
        if branch is None:
            raise refuse(errno.ENOENT)
        if not isinstance(new_parent, Directory):
            raise refuse(errno.EROFS)
        target = new_parent.path_of(new)
        row = branch.row
        if target is None or row is None:  # a folder that is still there was not removed
            raise refuse(errno.EPERM)
        new_parent.permit(new)
        try:
            await ports.history.undelete(row, target, ports.viewer(caller))
        except LsfsError as error:
            if error.errno in (errno.EEXIST, errno.EACCES, errno.EPERM, errno.ENOENT):
                raise refuse(error.errno) from None
            raise
        self.below.pop(old, None)
        self.day.trash.stale()
        new_parent.tree.stale(target)


class RemovedFile(PastFile):
    """A file that was removed."""

    entry_timeout = attr_timeout = 0.0


class RemovedLink(PastSymlink):
    """A symlink that was removed. (Its target is for those who may look it up.)"""

    attr_timeout = 0.0


class RemovedNode(PastNode):
    """Something else that was removed."""

    entry_timeout = attr_timeout = 0.0


def removed_node(trash: Trash, path: bytes, row: Any) -> PastNode:
    """The node of a removed row."""
    kinds = {stat.S_IFREG: RemovedFile, stat.S_IFLNK: RemovedLink}
    return kinds.get(stat.S_IFMT(row.mode), RemovedNode)(Then(trash.ports, row.born), path, row)


def serve(root: Root) -> Node:
    """The directory /trash."""
    return Trash(root.ports)
