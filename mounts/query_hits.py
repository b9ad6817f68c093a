"""query_hits: what a directory of hits is made of: links, documents, and the open directory itself.

    /query/<prompt>/01-name.md                  -> ../../files/…
    /query/<prompt>/passages.md, results.json, why.tsv   of one answer: exact at stat, and the same bytes for as long as it is known

Threading: in the loop, as `mounts.query`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mounts.answers import Answer
from mounts.nodes import Caller, Handle, Listing, Node, Symlink, VirtualFile
from syscalls.values import Viewer


class Link(Symlink):
    """01-name.md: a hit."""

    __slots__ = ("__weakref__",)

    entry_timeout = 0.0


class Document(VirtualFile):
    """passages.md, results.json or why.tsv: of one answer, or, as long as there is none, of that which open asks for."""

    __slots__ = ("answer", "__weakref__")

    entry_timeout = 0.0

    def __init__(
        self, name: bytes, answer: Answer | None, ask: Callable[[Caller], Awaitable[Answer]]
    ) -> None:
        async def render(caller: Caller) -> bytes:
            return (self.answer or await ask(caller)).documents[name]

        size = None if answer is None else len(answer.documents[name])
        super().__init__(render, size=size, when=None if answer is None else answer.when)
        self.answer = answer

    async def open(self, flags: int, caller: Caller) -> Handle:
        handle = await super().open(flags, caller)
        handle.keep_cache = self.answer is not None and not self.answer.void  # else its bytes never change
        return handle


class AnswerListing(Listing):
    """An open directory of hits or of their groups: the answer stays the same for as long as it is open. `shown` holds, for each viewer,
    the answers of those that are."""

    __slots__ = ("viewer", "answer", "open")

    def __init__(
        self,
        node: Node,
        entries: list[tuple[bytes, Node]],
        viewer: Viewer,
        answer: Answer,
        shown: dict[Viewer, list[Answer]],
    ) -> None:
        super().__init__(node, entries)
        self.viewer = viewer
        self.answer = answer
        self.open = shown
        shown.setdefault(viewer, []).append(answer)

    async def release(self) -> None:
        answers = self.open[self.viewer]
        answers.remove(self.answer)
        if not answers:
            del self.open[self.viewer]
