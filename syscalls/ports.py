"""Ports: what the calls need from the machine, said as protocols. The daemon provides them, tests fake them.

Threading: every method is called in the daemon's loop; the async ones may wait, within the deadline that they are given.
"""

from typing import Any, Protocol

from syscalls.values import Viewer


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
