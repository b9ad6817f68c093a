"""Ports: what the calls need from the machine, said as protocols. The daemon provides them, tests fake them.

Threading: every method is called in the daemon's loop; the async ones may wait, within the deadline that they are given.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from syscalls.values import Edit, Link, Lock, Results, Topic, Viewer


class Searcher(Protocol):
    async def search(self, query: dict[str, Any]) -> dict[str, Any]:
        """Answer `query` from the index, best first, unfiltered by permission.

        query   words, meaning, condition, folder, within (paths from the folder's root, [] is all), types, after, before (ns), uid, mode,
                limit, deadline (seconds), only (the paths that are looked at; all without), bare (no passages are wanted), like (paths
                that hits are to be like; where nothing else ranks and none of them can be compared, there are no hits), without (paths
                that are no hits)
        answer  {"hits": [{"path", "score", "parts", "values", "stale", "mtime_ns", "uid", "author" ("" where the text does not say),
                "passages": [{"lines": [a, b], "text", "score"}]}], "more", "sequence", "meaning"}
                values  what each signal in use said, before it was made relative to the best; stale: the content was replaced since it
                        was read; and "lenders", where `context` is more than 0: the paths of all files that lent it
                and "like" where the query has it: of each of its files that is there {"path", "passages", "stale", "embedded"}

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

    def names(self, folder: bytes) -> Mapping[str, str]:
        """The prompts below `folder` that were given a name (`syscalls.group`), by that name. Called on every lookup."""
        ...

    async def call(self, folder: bytes, prompt: str, name: str) -> None:
        """Give a saved question a name, instead of the one that it has. NotFound if it is not saved, Exists where the name is another's."""
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
        self,
        prompt: str,
        folder: bytes,
        viewer: Viewer,
        sequence: int | None = None,
        *,
        among: Collection[bytes] | None = None,
        every: bool = False,
        limit: int | None = None,
    ) -> Results:
        """Answer a question below `folder` (`syscalls.retrieve`): only what `viewer` may read, unless `every`. Raises TryAgain."""
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

    async def offer(self, what: str, edits: Sequence[Edit], viewer: Viewer) -> str:
        """A token that makes a change which is only shown: nothing is changed now. Raises as `change`."""
        ...

    async def accept(self, token: str, viewer: Viewer) -> tuple[Edit, ...]:
        """Make the change of a token, and say what it was. It dies after ten minutes, when it was made, and as soon as a path of it has
        changed: raises InvalidArgument then, and where it is another user's; otherwise as `change`."""
        ...

    async def append(self, path: bytes, data: bytes, viewer: Viewer) -> None:
        """`data` at the end of a regular file that is there, as `>>` puts it: the file stays the same inode. Raises as `change`."""
        ...

    async def adopt(self, what: str, path: bytes, viewer: Viewer) -> None:
        """`undo` takes back what the viewer has just brought to a path by plain file operations, as if a call had made it. Raises Denied
        where it is neither his nor his to write to."""
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

    async def topics(
        self, paths: Sequence[bytes], deadline: float, sequence: int | None = None
    ) -> list[Topic] | None:
        """These files by what they are about: a partition of those that are indexed, the largest topic first; the same files give the
        same topics. With a `sequence`, as they were then."""
        ...


class Locks(Protocol):
    """The locks of one mount (`syscalls.lock`). They outlive the mount. A lock on a folder holds for all that is in it.

    held  a lock for each path; some may have ended. Empty: nothing is locked, and nobody needs to ask further
    """

    held: dict[bytes, Lock]

    async def lock(self, path: bytes, lock: Lock, viewer: Viewer) -> None:
        """Lock a path; a lock of the same user gets another end. Raises Exists where there is one by somebody else, NotPermitted for who
        neither owns nor may write it, NotFound, Denied, NotRegular for what is neither a file nor a folder."""
        ...

    async def unlock(self, path: bytes, viewer: Viewer) -> None:
        """Raises NotFound where there is none, NotPermitted where it is not the viewer's; root and the owner of the mount may."""
        ...

    def of(self, path: bytes) -> Lock | None:
        """The lock that holds at this very path, if one does now."""
        ...

    def locked(self, path: bytes) -> tuple[bytes, Lock] | None:
        """The lock that a path is under, and whose it is: its own, or that of the nearest folder above."""
        ...

    def below(self, path: bytes) -> tuple[bytes, Lock] | None:
        """A lock on something in a folder."""
        ...

    def linked(self, found: os.stat_result) -> tuple[bytes, Lock] | None:
        """The lock that another name of a file is under."""
        ...

    def known(self, path: bytes, lock: Lock, viewer: Viewer) -> bool:
        """May a viewer know of a lock, and what it is for? Of his own, and of those on what he may read."""
        ...

    def all(self) -> tuple[tuple[bytes, Lock], ...]:
        """Those that hold now, by path."""
        ...


class Links(Protocol):
    """The links that expire (`syscalls.link`). They outlive the mount. A link that its viewer may not see is NotFound to him."""

    def sees(self, path: bytes, viewer: Viewer) -> None:
        """Raises NotFound, Denied, NotRegular and InvalidArgument where `viewer` may not link what is at a path below /files, or nothing
        is."""
        ...

    async def make(self, link: Link) -> str:
        """Its token: signed, and not to be guessed. Raises Exists where a link of this name is valid."""
        ...

    async def revoke(self, name: str, viewer: Viewer) -> None:
        """Raises NotFound."""
        ...

    async def rename(self, name: str, new: str, viewer: Viewer, *, over: bool = True) -> None:
        """Its token stays. A valid link of the new name is revoked, if the viewer may; otherwise raises Exists. Raises NotFound."""
        ...

    async def retime(self, name: str, until: float, viewer: Viewer) -> None:
        """It is valid until then; in the past: no more. A token that was given before is good until the earlier of its own time and
        this one. Raises NotFound."""
        ...

    def all(self) -> tuple[Link, ...]:
        """Those that are valid now, by name."""
        ...

    def named(self, name: str) -> Link | None:
        """The one that is called so, if it is valid now."""
        ...

    def token(self, link: Link) -> str: ...

    def check(self, token: str) -> Link | None:
        """The link of a token, if its signature is right and it is valid now."""
        ...

    def ended(self, token: str) -> bool:
        """Was this a token that is valid no more? What was never signed here, or ended long ago, was not."""
        ...

    def server(self) -> str | None:
        """Where `lsfs serve` answers for this mount now: `http://127.0.0.1:8021`; None while it does not run."""
        ...


class Converter(Protocol):
    """Contents in another format, made in a process of its own: a damaged file costs nobody else anything."""

    async def convert(self, data: bytes, source: str, target: str, name: str) -> bytes:
        """A content in another format (`syscalls.translate.WAYS`); `name` is that of its file. Raises InvalidArgument for what is not what
        it should be, NotText, TooLarge, TryAgain where it takes too long."""
        ...

    async def join(self, kind: str, parts: Sequence[tuple[str, bytes]]) -> bytes:
        """What `syscalls.joining.joined` says, and of kind "pdf" the pages of all. Raises as that does, and as `convert`."""
        ...
