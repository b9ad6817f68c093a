"""query_grouped: the hits of a question in groups.

    /query/<prompt>/by-type/                     lists the groups, that of the best hit first
    /query/<prompt>/by-type/md/01-name.md        the same links as in /query/<prompt>/, under the same names

Every hit is in exactly one group of each grouping (`syscalls.grouping`). They come from the answer that the question's own directory
shows: opening one searches where opening the other would, and nothing where an answer is kept. by-topic needs vectors, of which the
engine is asked when it is opened; of a saved question they are kept with the answer.

Threading: in the loop, as `mounts.query`; only the answer and its topics are waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from mounts.answers import Answer
from mounts.nodes import Caller, Listing, Node, VirtualDirectory
from mounts.query_hits import AnswerListing
from syscalls.grouping import GROUPINGS
from syscalls.values import Viewer

if TYPE_CHECKING:
    from mounts.query import Asked

NAMES = {b"by-" + by.encode(): by for by in GROUPINGS}


class Grouping(VirtualDirectory):
    """by-type/: its directories are groups of the hits of `asked`."""

    __slots__ = ("asked", "by", "known", "__weakref__")

    entry_timeout = negative_timeout = 0.0

    def __init__(self, asked: Asked, by: str) -> None:
        super().__init__()
        self.asked = asked
        self.by = by
        self.known: WeakValueDictionary[bytes, Group] = WeakValueDictionary()

    async def groups(self, answer: Answer) -> dict[bytes, dict[bytes, bytes]]:
        """The groups of an answer: name -> name of the link -> path."""
        if self.by == "topic":
            await self.asked.answers.sort(self.asked.question, answer)
        return answer.groups(self.by)

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        found = await self.links(name, self.asked.ports.viewer(caller))
        return None if found is None else self.group(name)

    async def links(self, name: bytes, viewer: Viewer) -> dict[bytes, bytes] | None:
        """The links of a group. An earlier answer will do, current or not: a shell has listed it."""
        for answer in self.asked.seen(viewer):
            groups = await self.groups(answer)
            if any(self.asked.ports.readable(path, viewer) for path in groups.get(name, {}).values()):
                return groups[name]
        answer = await self.asked.answers.get(self.asked.question, viewer)
        return (await self.groups(answer)).get(name)

    async def opendir(self, caller: Caller) -> Listing:
        viewer = self.asked.ports.viewer(caller)
        answer = await self.asked.answers.get(self.asked.question, viewer)
        entries: list[tuple[bytes, Node]] = [(name, self.group(name)) for name in await self.groups(answer)]
        return AnswerListing(self, entries, viewer, answer, self.asked.shown)

    def group(self, name: bytes) -> Group:
        node = self.known.get(name)
        if node is None:
            node = self.known[name] = Group(self, name)
        return node


class Group(VirtualDirectory):
    """by-type/md/: the links to the hits of one group."""

    __slots__ = ("grouping", "name", "__weakref__")

    entry_timeout = negative_timeout = 0.0

    def __init__(self, grouping: Grouping, name: bytes) -> None:
        super().__init__()
        self.grouping = grouping
        self.name = name

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        asked = self.grouping.asked
        viewer = asked.ports.viewer(caller)
        path = (await self.grouping.links(self.name, viewer) or {}).get(name)
        return asked.hit(name, path, b"../../") if path and asked.ports.readable(path, viewer) else None

    async def opendir(self, caller: Caller) -> Listing:
        asked = self.grouping.asked
        viewer = asked.ports.viewer(caller)
        answer = await asked.answers.get(asked.question, viewer)
        links = (await self.grouping.groups(answer)).get(self.name, {})
        entries: list[tuple[bytes, Node]] = [
            (name, asked.hit(name, path, b"../../")) for name, path in links.items()
        ]
        return AnswerListing(self, entries, viewer, answer, asked.shown)
