"""Ports: what the calls need from the machine, said as protocols. The daemon provides them, tests fake them.

Threading: every method is called in the daemon's loop; the async ones may wait, within the deadline that they are given.
"""

import os
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from syscalls.values import Edit, Link, Lock, Results, Topic, Viewer


class Searcher(Protocol):
    async def search(self, query: dict[str, Any]) -> dict[str, Any]:
        """Answer `query` from the index, best first, unfiltered by permission.

        query   words, meaning, condition, folder, within (paths from the folder's root, [] is all), types, after, before (ns), uid, mode,
                limit, deadline (seconds)
        answer  {"hits": [{"path", "score", "parts", "values", "stale", "passages": [{"lines": [a, b], "text", "score"}]}], "more",
                "sequence", "meaning"}
                values  what each signal in use said, before it was made relative to the best; stale: the content was replaced since it
                        was read

        Raises TryAgain when the engine is down and does not come back in time.
        """
        ...


class Files(Protocol):
    async def settle(self, deadline: float) -> None:
        """Wait, `deadline` seconds at most, until files that were closed before now are searchable by their words."""
        ...

    def readable(self, path: bytes, viewer: Viewer) -> bool:
        """Whether `viewer` may read `path` now: every folder above it and the file itself."""
        ...

    async def pending(self, within: bytes, viewer: Viewer, deadline: float) -> int:
        """How many files below `within` are not fully indexed, of those that `viewer` may read.

        Where that takes longer than `deadline` seconds, an overall count will do.
        """
        ...

    async def scan(self, path: bytes) -> int:
        """Compare `path` with the history now; how many files had changed. NotFound when there is no such path."""
        ...

    async def rebuild(self) -> None:
        """Drop the index and begin it anew, from the vectors that are kept."""
        ...


class Questions(Protocol):
    """Saved questions, one set for each folder. They outlive the mount."""

    async def save(self, folder: bytes, prompt: str) -> None: ...

    async def forget(self, folder: bytes, prompt: str) -> None: ...

    def saved(self, folder: bytes) -> tuple[str, ...]:
        """The prompts saved below `folder`, in the order in which they are listed. Called on every lookup."""
        ...

    def all(self) -> tuple[tuple[bytes, str], ...]:
        """Every saved question: (folder, prompt)."""
        ...

    def kept(self, folder: bytes, prompt: str) -> bytes | None:
        """The last answer that `keep` was given for a saved question."""
        ...

    async def keep(self, folder: bytes, prompt: str, answer: bytes) -> None:
        """Keep an answer to a saved question; nothing happens if it is not saved."""
        ...


class Writer(Protocol):
    """A language model, where one is named in lsfs.conf. What it writes is shown, marked as written by it (`syscalls.written`);
    nothing is ever chosen or done by it.

    name     what the model is called
    timeout  seconds that it may take, as the user wants it
    """

    name: str
    timeout: float

    async def complete(self, system: str, text: str, deadline: float) -> str:
        """What the model answers to `text`, told `system` before; within `deadline` seconds, and never later than `timeout`.

        The answer is not empty, has a few thousand characters at most, and no control characters but tabs and line breaks. `text` may be
        cut. Raises ModelFailed, whose message is one line that quotes nothing of what was sent or received.
        """
        ...


class Status(Protocol):
    def report(self, viewer: Viewer) -> dict[str, Any]: ...


class Asking(Protocol):
    async def __call__(
        self, prompt: str, folder: bytes, viewer: Viewer, sequence: int | None = None
    ) -> Results:
        """Answer a question below `folder` (`syscalls.retrieve`): only what `viewer` may read. Raises TryAgain."""
        ...


class Folder(Protocol):
    """The user's folder, as calls read and change it: with the rights of the viewer, and never half.

    A path is that of a file or folder from the folder's root. Every method raises NotFound, Denied (EACCES), and where it says so
    IsFolder (EISDIR), NotFolder (ENOTDIR), TooLong (ENAMETOOLONG), NotRegular (EINVAL: a FIFO, a socket, a device).
    """

    async def stat(self, path: bytes, viewer: Viewer) -> os.stat_result:
        """lstat(2) of what is there."""
        ...

    async def read(self, path: bytes, viewer: Viewer, most: int) -> bytes:
        """All of a regular file. Symlinks within the folder are followed. Raises IsFolder, NotRegular, and TooLarge (EFBIG) where it has
        more than `most` bytes."""
        ...

    async def names(self, path: bytes, viewer: Viewer) -> list[tuple[bytes, os.stat_result]]:
        """What is directly in a folder that the mount shows, by name, each with its lstat. Raises NotFolder."""
        ...

    async def change(
        self, what: str, edits: Sequence[Edit], viewer: Viewer, *, expected: int | None = None
    ) -> None:
        """All of these edits, or none, at once for everybody who looks; durable when it returns; `what` is how `undo` calls it ("create
        a.md"). What is replaced or removed is a version, and `undo` takes the call back. expected: a history sequence; raises TryAgain
        where a path of the edits has changed since.

        Raises Exists for a "create" where something is, NotFound for what is not there to be replaced or removed, NotPermitted where one
        is locked, Busy where somebody has one open for writing, NoRoom, ReadOnly.
        """
        ...

    async def append(self, path: bytes, data: bytes, viewer: Viewer) -> None:
        """`data` at the end of a regular file that is there, as `>>` puts it: the file stays the same inode. Raises as `change`."""
        ...

    async def touch(self, path: bytes, viewer: Viewer, at: int | None = None) -> None:
        """The times of access and modification become `at` (ns), or now. Raises NotPermitted."""
        ...


class Insight(Protocol):
    """What the embedding model says of texts and files. Every method raises TryAgain when the engine is down, and answers None where
    there is no model: who asks has a way without."""

    async def similar(self, text: str, texts: Sequence[str], deadline: float) -> list[float] | None:
        """The cosines of `text` to each of `texts`. Those that are asked often stay embedded."""
        ...

    async def salient(
        self, question: str, sentences: Sequence[str], most: int, deadline: float
    ) -> list[int] | None:
        """Which of `sentences`, `most` at most, say together what matters to `question`, best first: near to it and to what the others
        say, and not the same twice (Carbonell and Goldstein 1998, maximal marginal relevance)."""
        ...

    async def topics(self, paths: Sequence[bytes], deadline: float) -> list[Topic] | None:
        """These files by what they are about: a partition of those that are indexed, the largest topic first; the same files give the
        same topics."""
        ...


class Locks(Protocol):
    """The locks of one mount (`syscalls.lock`). They outlive the mount."""

    async def lock(self, path: bytes, lock: Lock) -> None:
        """Raises Exists where there is one by somebody else."""
        ...

    async def unlock(self, path: bytes, viewer: Viewer) -> None:
        """Raises NotFound where there is none, NotPermitted where it is not the viewer's; root and the owner of the mount may."""
        ...

    def of(self, path: bytes) -> Lock | None:
        """The lock that holds at this very path, if one does now."""
        ...

    def all(self) -> tuple[tuple[bytes, Lock], ...]:
        """Those that hold now, by path."""
        ...


class Links(Protocol):
    """The links that expire (`syscalls.link`). They outlive the mount."""

    async def make(self, link: Link) -> str:
        """Its token: signed, and not to be guessed. Raises Exists where a link of this name is valid."""
        ...

    async def revoke(self, name: str, viewer: Viewer) -> None:
        """Raises NotFound, NotPermitted."""
        ...

    def all(self) -> tuple[Link, ...]:
        """Those that are valid now, by name."""
        ...

    def token(self, link: Link) -> str: ...

    def check(self, token: str) -> Link | None:
        """The link of a token, if its signature is right and it is valid now."""
        ...


class Happenings(Protocol):
    """What happens in the folder, as it happens."""

    def below(self, path: bytes, viewer: Viewer) -> AsyncIterator[str]:
        """One line for each change at or below `path` from now on, of what `viewer` may read."""
        ...
