"""query: a question is a directory.

    /query/                         lists the saved questions; every other name is a question, too
    /query/<prompt>/01-name.md      -> ../../files/…, best first; then passages.md and results.json
    /files/**/.query/<prompt>/      the same, only below that folder
    /snapshots/<name>/query/…       the same, of what was there then

A name is turned into a prompt by `syscalls.names`. Looking a question up searches nothing; opening its directory
does, and so do opening its documents and a numbered name when no answer is kept (`mounts.answers` says for how long,
and what saved questions are answered from). Names with a leading dot and those that file managers probe for are ENOENT.

`mkdir` saves and `rmdir` forgets. A name is looked up before it is made, so a question that is not saved is ENOENT to
a thread that is inside mkdir(2) (`mounts.mkdir`); for that to be asked each time, names below /query are not cached.

A slash splits a prompt. After `in:…` that is meant, so the directory of such a prompt continues it:
/query/"refund in:policies/ after:2025" is looked up as "refund in:policies" and " after:2025" in it.

Threading: in the loop; only `Answers.get` waits. Who asks is bound at lookup, open and opendir: a document is a node
of one answer, its size exact and its bytes fixed, or, while there is none, of size 0 and read with direct_io.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from dataclasses import replace
from weakref import WeakValueDictionary

import trio

from mounts.answers import Answer, Answers, Question
from mounts.mkdir import is_making
from mounts.nodes import Caller, Handle, Listing, Node, Symlink, VirtualDirectory, VirtualFile, refuse
from mounts.ports import Ports
from mounts.root import Root
from syscalls.errors import Exists, NotFound, NotPermitted
from syscalls.forget import forget
from syscalls.names import decode_name, digest_name, is_long, is_probe, normal
from syscalls.prompt import continues
from syscalls.save import save
from syscalls.values import Results, Viewer

DOCUMENTS = (b"passages.md", b"results.json")
_NUMBERED = re.compile(rb"[0-9]{2,4}-.", re.DOTALL)


class Questions(VirtualDirectory):
    """A directory in which names are prompts: /query, `.query` of a folder, or a prompt that a slash continues.

    above is the prompt so far ("" at the top), up the way from a prompt's directory to `folder`, as links write it.
    """

    __slots__ = ("ports", "answers", "folder", "above", "up", "known", "__weakref__")

    entry_timeout = 0.0

    def __init__(
        self, ports: Ports, answers: Answers, folder: bytes, above: str, up: bytes, mode: int = 0o755
    ) -> None:
        super().__init__(mode=mode)
        self.ports = ports
        self.answers = answers
        self.folder = folder
        self.above = above
        self.up = up
        self.known: WeakValueDictionary[bytes, Asked] = WeakValueDictionary()

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        if is_probe(name) and not self.above:  # after `in:` it is a folder's name
            return None
        prompt = self.prompt(name)
        if not self.is_saved(prompt) and await is_making(caller.pid, name):
            raise refuse(errno.ENOENT)
        return self.asked(name, prompt)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        if caller.uid not in (0, os.getuid()):
            return []  # what the owner asks is his affair
        names = {self.ports.names.name(prompt): prompt for prompt in self.ports.questions.saved(self.folder)}
        return [(name, self.asked(name, prompt)) for name, prompt in names.items()]

    async def mkdir(self, name: bytes, mode: int, caller: Caller) -> Node:
        if is_probe(name) and not self.above:
            raise refuse(errno.EPERM)
        prompt = self.prompt(name)
        await self._keep(save, prompt, caller)
        await self.answers.prepare((self.folder, prompt))
        return self.asked(name, prompt)

    async def rmdir(self, name: bytes, caller: Caller) -> None:
        await self._keep(forget, self.prompt(name), caller)
        self.known.pop(name, None)  # the kernel takes an open directory that was removed for dead

    def asked(self, name: bytes, prompt: str) -> Asked:
        """The directory of a prompt: one node for a name, for as long as the kernel knows it."""
        node = self.known.get(name)
        if node is None or node.above != prompt:
            node = self.known[name] = Asked(self.ports, self.answers, self.folder, prompt, b"../" + self.up)
        return node

    def prompt(self, name: bytes) -> str:
        """The prompt that `name` continues or is; ENOENT for a digest that nobody was given."""
        if self.above:
            return f"{self.above}/{decode_name(name)}"
        if not is_long(os.fsdecode(name)):
            return normal(decode_name(name))
        saved = (prompt for prompt in self.ports.questions.saved(self.folder) if digest_name(prompt) == name)
        prompt = self.ports.names.prompt(name) or next(saved, None)
        if prompt is None:
            raise refuse(errno.ENOENT)
        return prompt

    def is_saved(self, prompt: str) -> bool:
        return prompt in self.ports.questions.saved(self.folder)

    async def _keep(self, call: Callable[..., object], prompt: str, caller: Caller) -> None:
        """Save or forget. What every Unix program expects of mkdir and rmdir is no error to note in /status."""
        if self.ports.read_only:
            raise refuse(errno.EROFS)
        try:
            await call(
                prompt,
                folder=self.folder,
                questions=self.ports.questions,  # type: ignore[misc]
                viewer=self.ports.viewer(caller),
                owner=os.getuid(),
            )
        except (Exists, NotFound, NotPermitted) as error:
            raise refuse(error.errno) from None


class Asked(Questions):
    """The directory of one prompt (`above`): its answer, and what a slash after `in:…` makes of it."""

    __slots__ = ("shown", "links", "documents")

    negative_timeout = 0.0

    def __init__(self, ports: Ports, answers: Answers, folder: bytes, prompt: str, up: bytes) -> None:
        super().__init__(ports, answers, folder, prompt, up, mode=0o755 if continues(prompt) else 0o555)
        self.shown: dict[Viewer, list[Answer]] = {}
        self.links: WeakValueDictionary[tuple[bytes, bytes], Link] = WeakValueDictionary()
        self.documents: WeakValueDictionary[tuple[bytes, Viewer, int], Document] = WeakValueDictionary()

    @property
    def question(self) -> Question:
        return self.folder, self.above

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        viewer = self.ports.viewer(caller)
        if name in DOCUMENTS:
            await self.answers.heard(self.question)
            return self.document(name, viewer, self._served(viewer))
        if _NUMBERED.match(name):
            path = await self._path(name, viewer)
            if path is not None:
                return self.hit(name, path)
        return await super().lookup(name, caller) if continues(self.above) else None

    async def opendir(self, caller: Caller) -> Listing:
        viewer = self.ports.viewer(caller)
        answer = await self.answers.get(self.question, viewer)
        entries: list[tuple[bytes, Node]] = [
            (name, self.hit(name, path)) for name, path in answer.names.items()
        ]
        entries += [(name, self.document(name, viewer, answer)) for name in DOCUMENTS]
        return AnswerListing(self, entries, viewer, answer)

    def hit(self, name: bytes, path: bytes) -> Link:
        """The symlink to a hit; `path` is relative to the user's folder."""
        below = path.removeprefix(self.folder + b"/") if self.folder else path
        node = self.links.get((name, below))
        if node is None:
            node = self.links[name, below] = Link(self.up + below)
        return node

    def document(self, name: bytes, viewer: Viewer, answer: Answer | None) -> Document:
        key = (name, viewer, 0 if answer is None else id(answer))
        node = self.documents.get(key)
        if node is None:
            node = self.documents[key] = Document(self, name, answer)
        return node

    async def mkdir(self, name: bytes, mode: int, caller: Caller) -> Node:
        if not continues(self.above):
            raise refuse(errno.EROFS)
        return await super().mkdir(name, mode, caller)

    async def rmdir(self, name: bytes, caller: Caller) -> None:
        if not continues(self.above):
            raise refuse(errno.EROFS)
        await super().rmdir(name, caller)

    def _served(self, viewer: Viewer) -> Answer | None:
        """The answer that this viewer looks at: that of the directory he holds open, or one that is kept."""
        if viewer in self.shown:
            return self.shown[viewer][-1]
        return self.answers.served(self.question, viewer)

    async def _path(self, name: bytes, viewer: Viewer) -> bytes | None:
        """The file behind a numbered name. An earlier answer will do, current or not: a shell has listed it."""
        known = (*reversed(self.shown.get(viewer, ())), self.answers.kept(self.question, viewer))
        path = next((last.names[name] for last in known if last is not None and name in last.names), None)
        if path is None:
            path = (await self.answers.get(self.question, viewer)).names.get(name)
        return path if path is not None and self.ports.readable(path, viewer) else None


class Link(Symlink):
    """01-name.md: a hit."""

    __slots__ = ("__weakref__",)

    entry_timeout = 0.0


class Document(VirtualFile):
    """passages.md or results.json: of one answer, or, as long as there is none, of that which open asks for."""

    __slots__ = ("answer", "__weakref__")

    entry_timeout = 0.0

    def __init__(self, directory: Asked, name: bytes, answer: Answer | None) -> None:
        async def render(caller: Caller) -> bytes:
            asked = self.answer or await directory.answers.get(
                directory.question, directory.ports.viewer(caller)
            )
            return asked.documents[name]

        size = None if answer is None else len(answer.documents[name])
        super().__init__(render, size=size, when=None if answer is None else answer.when)
        self.answer = answer

    async def open(self, flags: int, caller: Caller) -> Handle:
        handle = await super().open(flags, caller)
        handle.keep_cache = self.answer is not None  # its bytes never change
        return handle


class AnswerListing(Listing):
    """An open directory of hits: the answer stays the same for as long as it is open."""

    __slots__ = ("viewer", "answer")

    node: Asked

    def __init__(
        self, node: Asked, entries: list[tuple[bytes, Node]], viewer: Viewer, answer: Answer
    ) -> None:
        super().__init__(node, entries)
        self.viewer = viewer
        self.answer = answer
        node.shown.setdefault(viewer, []).append(answer)

    async def release(self) -> None:
        answers = self.node.shown[self.viewer]
        answers.remove(self.answer)
        if not answers:
            del self.node.shown[self.viewer]


class Unsaved:
    """No saved questions: in the past there are none."""

    def saved(self, folder: bytes) -> tuple[str, ...]:
        return ()

    def all(self) -> tuple[tuple[bytes, str], ...]:
        return ()

    def kept(self, folder: bytes, prompt: str) -> None:
        return None

    async def keep(self, folder: bytes, prompt: str, answer: bytes) -> None: ...

    async def save(self, folder: bytes, prompt: str) -> None:
        raise refuse(errno.EROFS)

    async def forget(self, folder: bytes, prompt: str) -> None:
        raise refuse(errno.EROFS)


def past(root: Root, sequence: int) -> Node:
    """The directory `query` of a snapshot: the same questions, asked of what was there at a sequence."""
    now = root.ports

    async def ask(prompt: str, folder: bytes, viewer: Viewer) -> Results:
        return await now.ask(prompt, folder, viewer, sequence)

    ports = replace(
        now,
        read_only=True,
        ask=ask,
        questions=Unsaved(),
        readable=lambda path, viewer: now.history.readable_at(path, sequence, viewer),
        heard=trio.lowlevel.checkpoint,
    )
    return Questions(ports, Answers(ports), b"", "", b"../files/", mode=0o555)


def inner(root: Root) -> Callable[[bytes], Node]:
    """The factory of `.query` below a folder of /files: one node for a folder, as long as the kernel knows it."""
    known: WeakValueDictionary[bytes, Questions] = WeakValueDictionary()

    def below(folder: bytes) -> Node:
        node = known.get(folder)
        if node is None:
            node = known[folder] = Questions(root.ports, root.answers, folder, "", b"../")
        return node

    return below


def serve(root: Root) -> Node:
    """The directory /query."""
    return Questions(root.ports, root.answers, b"", "", b"../files/")
