"""query: a question is a directory.

    /query/                         lists the saved questions; every other name is a question, too
    /query/<prompt>/01-name.md      -> ../../files/…, best first; then passages.md, results.json and why.tsv
    /query/<prompt>/summary.md                  what they say together, made when it is opened (`syscalls.summary`)
    /query/<prompt>/by-type/md/     the same links in groups (`mounts.query_grouped`)
    /query/<a>/and/<b>/             b asked within the files that answer a; or/, not/: `syscalls.combine`; not listed
    /files/**/.query/<prompt>/      the same, only below that folder
    /snapshots/<name>/query/…       the same, of what was there then (`mounts.query_past`)

A name is turned into a prompt by `syscalls.names`. Looking a question up searches nothing; opening its directory
does, and so do opening its documents and a numbered name when no answer is kept (`mounts.answers` says for how long,
and what saved questions are answered from). Names with a leading dot and those that file managers probe for are ENOENT.

`mkdir` saves and `rmdir` forgets; `mv` gives a saved question a short name, which leads to it from then on. A name is
looked up before it is made, so a question that is not saved is ENOENT to a thread that is inside mkdir(2) or rename(2)
(`mounts.mkdir`); for that to be asked each time, names below /query are not cached.

A slash splits a prompt. After `in:…` and `like:…` that is meant, so the directory of such a prompt continues it:
/query/"refund in:policies/ after:2025" is looked up as "refund in:policies" and " after:2025" in it. Names that every
directory of hits has (and, or, not, by-type, passages.md …) are those, there, too; `∕` writes a folder of such a name. Only after `like:`
a name that the folder has is that file: /query/like:chapters/01-intro.md.

Threading: in the loop; only `Answers.get` waits. Who asks is bound at lookup, open and opendir: a document is a node
of one answer, its size exact and its bytes fixed, or, while there is none, of size 0 and read with direct_io.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakValueDictionary

from mounts.answers import SUMMARY, Answer, Answers, Question
from mounts.mkdir import is_making
from mounts.nodes import Caller, Listing, Node, VirtualDirectory, refuse
from mounts.ports import Ports
from mounts.query_grouped import NAMES, Grouping
from mounts.query_hits import AnswerListing, Document, Link
from mounts.root import Root
from syscalls.alike import spellings
from syscalls.combine import MOST_STEPS, OPERATIONS
from syscalls.errors import Exists, InvalidArgument, NotFound, NotPermitted
from syscalls.forget import forget
from syscalls.group import rename
from syscalls.names import decode_name, digest_name, is_long, is_probe, normal
from syscalls.prompt import continued, continues, parse
from syscalls.save import save
from syscalls.values import Viewer

DOCUMENTS = (b"passages.md", b"results.json", b"why.tsv")
REFINING = tuple(word.encode() for word in OPERATIONS)
EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_NUMBERED = re.compile(rb"[0-9]{2,7}-.", re.DOTALL)


class Questions(VirtualDirectory):
    """A directory in which names are prompts: /query, `.query` of a folder, `and` of a question, or a prompt that a slash continues.

    above is the prompt so far ("" at the top), up the way from a prompt's directory to `folder`, as links write it; before what the
    prompt refines: a chain and its operation.
    """

    __slots__ = ("ports", "answers", "folder", "above", "up", "before", "known", "__weakref__")

    entry_timeout = 0.0

    def __init__(
        self,
        ports: Ports,
        answers: Answers,
        folder: bytes,
        above: str,
        up: bytes,
        mode: int = 0o755,
        before: tuple[str, ...] = (),
    ) -> None:
        super().__init__(mode=0o555 if before else mode)
        self.ports = ports
        self.answers = answers
        self.folder = folder
        self.above = above
        self.up = up
        self.before = before
        self.known: WeakValueDictionary[bytes, Asked] = WeakValueDictionary()

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        if is_probe(name) and not self.above:  # after `in:` it is a folder's name
            return None
        prompt = self.prompt(name)
        if not self.is_saved(prompt) and await is_making(caller.pid, name):
            raise refuse(errno.ENOENT)
        return self.asked(name, prompt)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        if self.before or caller.uid not in (0, os.getuid()):
            return []  # what the owner asks is his affair
        called = {prompt: name for name, prompt in self.ports.questions.names(self.folder).items()}
        names = {
            self.ports.names.name(called.get(prompt, prompt)): prompt
            for prompt in self.ports.questions.saved(self.folder)
        }
        return [(name, self.asked(name, prompt)) for name, prompt in sorted(names.items())]

    async def mkdir(self, name: bytes, mode: int, caller: Caller) -> Node:
        if self.before:
            raise refuse(errno.EROFS)
        if is_probe(name) and not self.above:
            raise refuse(errno.EPERM)
        prompt = self.prompt(name)
        await self._keep(save, prompt, caller)
        await self.answers.prepare((self.folder, prompt))
        return self.asked(name, prompt)

    async def rename(self, old: bytes, new_parent: Node, new: bytes, flags: int, caller: Caller) -> None:
        """Give a saved question a name. mv(1) takes the name of a question for a directory to move into, which none is."""
        if self.before or self.above or new_parent is not self or flags & EXCHANGE:
            raise refuse(errno.EROFS)
        prompt = self.prompt(old)
        await self._keep(rename, prompt, caller, name=normal(decode_name(new)))
        node = self.known.pop(old, None)
        if node is not None:
            self.known[new] = node

    async def rmdir(self, name: bytes, caller: Caller) -> None:
        if self.before:
            raise refuse(errno.EROFS)
        await self._keep(forget, self.prompt(name), caller)
        self.known.pop(name, None)  # the kernel takes an open directory that was removed for dead

    def asked(self, name: bytes, prompt: str) -> Asked:
        """The directory of a prompt: one node for a name, for as long as the kernel knows it."""
        node = self.known.get(name)
        if node is None or node.above != prompt:
            node = self.known[name] = Asked(
                self.ports, self.answers, self.folder, prompt, b"../" + self.up, self.before
            )
        return node

    def prompt(self, name: bytes) -> str:
        """The prompt that `name` continues or is; ENOENT for a digest that nobody was given."""
        if self.above:
            return f"{self.above}/{decode_name(name)}"
        if not is_long(os.fsdecode(name)):
            text = normal(decode_name(name))
            return text if self.before else self.ports.questions.names(self.folder).get(text, text)
        saved = (prompt for prompt in self.ports.questions.saved(self.folder) if digest_name(prompt) == name)
        prompt = self.ports.names.prompt(name) or next(saved, None)
        if prompt is None:
            raise refuse(errno.ENOENT)
        return prompt

    async def followed(self, parts: Sequence[bytes], viewer: Viewer) -> bytes | None:
        """The file that a link below this directory leads to: `parts` are the names on the way to it. None where there is none."""
        if len(parts) < 2:
            return None
        try:
            asked = self.asked(parts[0], self.prompt(parts[0]))
            return await asked.led(parts[1:], viewer)
        except OSError:  # a digest that nobody was given
            return None

    def is_saved(self, prompt: str) -> bool:
        return not self.before and prompt in self.ports.questions.saved(self.folder)

    async def _keep(self, call: Callable[..., object], prompt: str, caller: Caller, **more: str) -> None:
        """Save, name or forget. What every Unix program expects of mkdir, mv and rmdir is no error to note in /status."""
        if self.ports.read_only:
            raise refuse(errno.EROFS)
        try:
            await call(
                prompt,
                folder=self.folder,
                questions=self.ports.questions,  # type: ignore[misc]
                viewer=self.ports.viewer(caller),
                owner=os.getuid(),
                **more,
            )
        except (Exists, NotFound, NotPermitted) as error:
            raise refuse(error.errno) from None
        except InvalidArgument:  # a name that nothing below /query can have
            raise refuse(errno.EPERM) from None


class Asked(Questions):
    """The directory of one prompt (`above`): its answer, and what a slash after `in:…` makes of it."""

    __slots__ = ("shown", "parts", "links", "documents")

    negative_timeout = 0.0

    def __init__(
        self,
        ports: Ports,
        answers: Answers,
        folder: bytes,
        prompt: str,
        up: bytes,
        before: tuple[str, ...] = (),
    ) -> None:
        mode = 0o755 if continues(prompt) else 0o555
        super().__init__(ports, answers, folder, prompt, up, mode, before)
        self.shown: dict[Viewer, list[Answer]] = {}
        self.parts: WeakValueDictionary[bytes, Grouping | Questions] = WeakValueDictionary()
        self.links: WeakValueDictionary[tuple[bytes, bytes, bytes], Link] = WeakValueDictionary()
        self.documents: WeakValueDictionary[tuple[bytes, Viewer, int], Document] = WeakValueDictionary()

    @property
    def question(self) -> Question:
        first, *steps = (*self.before, self.above)
        return self.folder, first, *steps

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        viewer = self.ports.viewer(caller)
        if self._continued(name, viewer):
            return await super().lookup(name, caller)
        if name in DOCUMENTS:
            await self.answers.heard(self.question)
            return self.document(name, viewer, await self._served(viewer))
        if name == SUMMARY:
            await self.answers.heard(self.question)
            return self.summary(viewer, await self._served(viewer))
        if name in NAMES:
            return self.grouping(name)
        if name in REFINING:
            return self.refining(name)
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
        entries += [(SUMMARY, self.summary(viewer, answer))]
        entries += [(name, self.grouping(name)) for name in NAMES]
        return AnswerListing(self, entries, viewer, answer, self.shown)

    def hit(self, name: bytes, path: bytes, up: bytes = b"") -> Link:
        """The symlink to a hit; `path` is relative to the user's folder, `up` leads from where the link is to this directory."""
        below = path.removeprefix(self.folder + b"/") if self.folder else path
        node = self.links.get((name, below, up))
        if node is None:
            node = self.links[name, below, up] = Link(up + self.up + below)
        return node

    def grouping(self, name: bytes) -> Node:
        """by-type/ and its like."""
        node = self.parts.get(name)
        if node is None:
            node = self.parts[name] = Grouping(self, NAMES[name])
        return node

    def refining(self, name: bytes) -> Node | None:
        """and/, or/, not/: where the next question is asked; None where there are too many of them."""
        chain = (*self.before, self.above)
        if len(chain) // 2 >= MOST_STEPS:
            return None
        node = self.parts.get(name)
        if node is None:
            before = (*chain, name.decode())
            node = self.parts[name] = Questions(
                self.ports, self.answers, self.folder, "", b"../" + self.up, before=before
            )
        return node

    def document(self, name: bytes, viewer: Viewer, answer: Answer | None) -> Document:
        key = (name, viewer, 0 if answer is None else id(answer))
        node = self.documents.get(key)
        if node is None:
            node = self.documents[key] = Document(name, answer, self._asked)
        return node

    def summary(self, viewer: Viewer, answer: Answer | None) -> Document:
        """summary.md: that of an answer where it is made; otherwise of size 0, and made when it is opened: listing costs nothing."""
        if answer is not None and answer.summed:
            return self.document(SUMMARY, viewer, answer)
        key = (SUMMARY, viewer, 0)
        node = self.documents.get(key)
        if node is None:
            node = self.documents[key] = Document(SUMMARY, None, self._summed)
        return node

    async def _summed(self, caller: Caller) -> Answer:
        viewer = self.ports.viewer(caller)
        answer = await self._served(viewer) or await self.answers.get(self.question, viewer)
        text = await self.answers.sum(self.question, answer)
        if answer.summed:
            return answer
        passing = Answer(answer.results, None)  # a better one will come
        passing.summarised(text)
        return passing

    async def mkdir(self, name: bytes, mode: int, caller: Caller) -> Node:
        if not continues(self.above):
            raise refuse(errno.EROFS)
        return await super().mkdir(name, mode, caller)

    async def rmdir(self, name: bytes, caller: Caller) -> None:
        if not continues(self.above):
            raise refuse(errno.EROFS)
        await super().rmdir(name, caller)

    async def _asked(self, caller: Caller) -> Answer:
        return await self.answers.get(self.question, self.ports.viewer(caller))

    async def led(self, parts: Sequence[bytes], viewer: Viewer) -> bytes | None:
        """As `followed`, from the answer of this question on."""
        if self._continued(parts[0], viewer):
            return await self.followed(parts, viewer)
        if len(parts) == 1:
            return await self._path(parts[0], viewer) if _NUMBERED.match(parts[0]) else None
        if parts[0] in NAMES and len(parts) == 3:
            links = await Grouping(self, NAMES[parts[0]]).links(parts[1], viewer) or {}
            path = links.get(parts[2])
            return path if path is not None and self.ports.readable(path, viewer) else None
        if parts[0] in REFINING:
            refined = self.refining(parts[0])
            return await refined.followed(parts[1:], viewer) if isinstance(refined, Questions) else None
        return await self.followed(parts, viewer) if continues(self.above) else None

    def _continued(self, name: bytes, viewer: Viewer) -> bool:
        """Whether the prompt ends in a `like:` folder that has what this name begins with: neither a hit nor a document is meant by it."""
        if continued(self.above) != "like":
            return False
        like = parse(self.prompt(name)).like[-1:]
        return any(
            self.ports.readable(path, viewer) for value in like for path in spellings(value, self.folder)
        )

    def seen(self, viewer: Viewer) -> list[Answer]:
        """The answers that this viewer was shown, newest first, current or not."""
        last = self.answers.kept(self.question, viewer)
        found = [*reversed(self.shown.get(viewer, ())), *(() if last is None else (last,))]
        return [answer for answer in found if not answer.void]

    async def _served(self, viewer: Viewer) -> Answer | None:
        """The answer that this viewer looks at: that of the directory he holds open, or one that is kept."""
        if viewer in self.shown and not self.shown[viewer][-1].void:
            return self.shown[viewer][-1]
        return await self.answers.served(self.question, viewer)

    async def _path(self, name: bytes, viewer: Viewer) -> bytes | None:
        """The file behind a numbered name. An earlier answer will do, current or not: a shell has listed it."""
        path = next((last.names[name] for last in self.seen(viewer) if name in last.names), None)
        if path is None:
            path = (await self.answers.get(self.question, viewer)).names.get(name)
        return path if path is not None and self.ports.readable(path, viewer) else None


def inner(root: Root) -> Callable[[bytes], Node]:
    """The factory of `.query` below a folder of /files: one node for a folder, as long as the kernel knows it."""
    known: WeakValueDictionary[bytes, Questions] = WeakValueDictionary()

    def below(folder: bytes) -> Node:
        node = known.get(folder)
        if node is None:
            node = known[folder] = Questions(root.ports, root.answers, folder, "", b"../")
        return node

    return below


def followed(root: Root) -> Callable[[bytes, Viewer], Awaitable[bytes | None]]:
    """The function that follows a path as ls shows it, `query/PROMPT/01-a.md` or `papers/.query/PROMPT/01-a.md`, to the file that the link
    there leads to: below /files; None where it is no such path, or no link of the viewer's."""
    below = inner(root)
    top = serve(root)

    async def follow(path: bytes, viewer: Viewer) -> bytes | None:
        folder, inside, rest = (b"/" + path).partition(b"/.query/")
        if inside:
            node = below(folder.strip(b"/"))
        elif path.startswith(b"query/"):
            node, rest = top, path.removeprefix(b"query/")
        else:
            return None
        assert isinstance(node, Questions)
        return await node.followed(rest.split(b"/"), viewer)

    return follow


def serve(root: Root) -> Node:
    """The directory /query."""
    return Questions(root.ports, root.answers, b"", "", b"../files/")
