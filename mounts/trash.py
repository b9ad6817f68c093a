"""trash: what was removed, by the day; moving it out puts it back.

    ls trash/2026-11-27/                            what was removed that day, under its path below files/
    mv trash/2026-11-27/old/a.md files/b.md         puts it back, under any name
    cat trash/2026-11-27/old/a.md                   reads it

A view on history: nothing is copied when a file is removed, and nothing goes when the trash is looked at. What is there again under its
old path is not shown: its older contents are in `.versions`. Renaming is a single rename(2): the content and all that belonged to it come
back, or nothing changes.

Threading: in the loop; a day is read in a thread, and kept until something is removed, or put back.
"""

from __future__ import annotations

import errno
import re
import stat
import time
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mounts.files_directory import Directory
from mounts.nodes import Attributes, Caller, Node, VirtualDirectory, refuse
from mounts.past import PastFile, PastNode, PastSymlink, Then, attributes_of
from mounts.versions import settle, trusted
from syscalls.errors import LsfsError

if TYPE_CHECKING:
    from mounts.ports import Ports
    from mounts.root import Root

_DAY = re.compile(rb"\d{4}-\d\d-\d\d")
STICKY = stat.S_IFDIR | 0o1777
"""Whoever owns what was removed may take it out."""


class Trash(VirtualDirectory):
    """The directory /trash: a directory for each day on which something was removed."""

    __slots__ = ("ports", "_days")

    negative_timeout = 0.0

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self.ports = ports
        self._days: dict[bytes, tuple[int, Removed]] = {}

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        if not _DAY.fullmatch(name):
            return None
        await settle(self.ports)
        try:
            day = date.fromisoformat(name.decode())
        except ValueError:
            return None
        found = await self.day(name, day)
        return found if found.children else None

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        await settle(self.ports)
        times = await self.ports.history.in_thread(lambda past: past.removals())
        days = sorted({datetime.fromtimestamp(at).date() for at in times})
        found = [(day.isoformat().encode(), await self.day(day.isoformat().encode(), day)) for day in days]
        return [(name, node) for name, node in found if node.children]

    async def day(self, name: bytes, day: date) -> Removed:
        """What was removed on a day; read anew when history has moved on."""
        sequence = self.ports.history.past.sequence()
        kept = self._days.get(name)
        if kept is not None and kept[0] == sequence:
            return kept[1]
        first, end = midnight(day), midnight(day + timedelta(days=1))
        rows = await self.ports.history.in_thread(lambda past: past.removed(first, end))
        # The nodes that were shown before stay the same: a tool that copies looks twice.
        top = kept[1] if kept is not None else Removed(self, b"", None)
        before = top.taken()
        for row in rows:
            top.put(row.path.split(b"/"), row, before)
        if len(self._days) > 100:
            self._days.clear()
        self._days[name] = (sequence, top)
        return top


def midnight(day: date) -> float:
    """When a day begins here, in seconds since the epoch."""
    return time.mktime(day.timetuple())


class Removed(VirtualDirectory):
    """A folder of the trash: one that was removed (`row`), or one that is still there and had something removed from it."""

    __slots__ = ("trash", "path", "row")

    entry_timeout = attr_timeout = negative_timeout = 0.0  # after a rename its name leads to the live file

    def __init__(self, trash: Trash, path: bytes, row: Any) -> None:
        super().__init__()
        self.trash = trash
        self.path = path
        self.row = row

    def taken(self) -> dict[bytes, Node]:
        """All nodes below, by path; this folder is empty then."""
        found: dict[bytes, Node] = {}
        for node in self.children.values():
            found[node.path] = node  # type: ignore[attr-defined]
            if isinstance(node, Removed):
                found.update(node.taken())
                node.row = None
        self.children = {}
        return found

    def put(self, names: list[bytes], row: Any, before: dict[bytes, Node]) -> None:
        """Place a removed row below this folder; of two with one path the newest, which comes first, stays. Nodes of `before` are used
        again."""
        name, *rest = names
        path = self.path + b"/" + name if self.path else name
        here = self.children.get(name)
        if rest:
            if not isinstance(here, Removed):
                if here is not None:
                    return
                known = before.get(path)
                here = known if isinstance(known, Removed) else Removed(self.trash, path, None)
                self.children[name] = here
            here.put(rest, row, before)
        elif stat.S_ISDIR(row.mode):
            if here is None:
                known = before.get(path)
                self.children[name] = folder = (
                    known if isinstance(known, Removed) else Removed(self.trash, path, row)
                )
                folder.row = row
            elif isinstance(here, Removed) and here.row is None:
                here.row = row
        elif here is None:
            known = before.get(path)
            same = isinstance(known, PastNode) and known.row.id == row.id
            self.children[name] = known if same and known is not None else removed_node(self.trash, path, row)

    async def getattr(self) -> Any:
        if self.row is not None:
            return attributes_of(self.row)
        return Attributes(STICKY, nlink=2)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        if not trusted(caller) and not self.trash.ports.history.permits(
            self.path, self.trash.ports.viewer(caller)
        ):
            raise refuse(errno.EACCES)
        return await super().list(caller)

    async def rename(self, old: bytes, new_parent: Node, new: bytes, flags: int, caller: Caller) -> None:
        ports = self.trash.ports
        node = self.children.get(old)
        if node is None:
            raise refuse(errno.ENOENT)
        if not isinstance(new_parent, Directory):
            raise refuse(errno.EROFS)
        target = new_parent.path_of(new)
        row = getattr(node, "row", None)
        if target is None or row is None:  # a folder that is still there was not removed
            raise refuse(errno.EPERM)
        new_parent.permit(new)
        try:
            await ports.history.undelete(row, target, ports.viewer(caller))
        except LsfsError as error:
            if error.errno in (errno.EEXIST, errno.EACCES, errno.EPERM, errno.ENOENT):
                raise refuse(error.errno) from None
            raise
        del self.children[old]
        self.trash._days.clear()
        new_parent.tree.stale(target)


class RemovedFile(PastFile):
    """A file that was removed."""

    entry_timeout = attr_timeout = 0.0


class RemovedLink(PastSymlink):
    """A symlink that was removed."""

    entry_timeout = attr_timeout = 0.0


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
