"""lsfs's own search in this process, over the state of a folder that is not mounted: for switching its signals off, one at a time."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import trio

from lsfs.index.code import fused
from lsfs.index.fusion import WEIGHTS
from lsfs.index.lance import Table
from lsfs.index.search import Search
from lsfs.index.vectors import Vectors
from syscalls.names import decode_name, normal
from syscalls.retrieve import retrieve
from syscalls.values import Viewer

DEADLINE = 60.0  # seconds; here nobody waits


class Inside:
    """Answers prompts as the daemon and the engine do together: the ports of `retrieve`, over a Search of its own."""

    def __init__(self, state: pathlib.Path, identity: str, embed: Callable[[str], np.ndarray] | None) -> None:
        """state: the folder's .lsfs; identity: of the model; embed: a prompt's vector (None: words alone)."""
        self._embed = embed
        self._vectors = Vectors(state / "vectors.db", identity) if embed is not None else None
        self._table = _table(state, self._vectors) if self._vectors is not None else None
        self._search = Search(state / "index" / "words.db", state / "history.db", self._vectors)

    def close(self) -> None:
        """Close what was opened."""
        self._search.close()
        if self._vectors is not None:
            self._vectors.close()

    def ask(self, name: str) -> list[str]:
        """The paths of the hits, best first, for the name of a directory below /query."""
        return trio.run(self._ask, normal(decode_name(name.encode())))

    async def _ask(self, prompt: str) -> list[str]:
        viewer = Viewer(os.getuid(), os.getgid())
        results = await retrieve(
            prompt, folder=b"", viewer=viewer, searcher=self, files=self, owner=viewer.uid, fuse=fused,
            deadline=DEADLINE,
        )  # fmt: skip
        return [hit.path.decode("utf-8", "replace") for hit in results.hits]

    # the ports

    async def search(self, query: dict) -> dict:
        """As `lsfs.engine.questions` answers it."""
        text, vector = query.get("meaning", ""), None
        if self._embed is not None and text.strip() and query.get("mode", "both") != "words":
            vector = self._embed(text)
        bare = query | {"bare": True}  # the order is the same, and nobody reads the passages
        return self._search.run(bare, vector, self._table if vector is not None else None) | {
            "meaning": "used"
        }

    async def settle(self, deadline: float) -> None:
        """Nothing is being written."""

    def readable(self, path: bytes, viewer: Viewer) -> bool:
        """Everything is."""
        return True

    async def pending(self, within: bytes, viewer: Viewer, deadline: float) -> int:
        """Nothing is."""
        return 0

    async def scan(self, path: bytes) -> int:
        """Nothing changed."""
        return 0

    async def rebuild(self) -> None:
        """Nothing is dropped here."""


def _table(state: pathlib.Path, vectors: Vectors) -> Table:
    """The one table that the engine left, which is named after its model."""
    folders = [path for path in (state / "index" / "lance").iterdir() if path.is_dir()]
    if len(folders) != 1:
        raise ValueError(f"{state} has {len(folders)} tables of vectors, not one.")
    return Table(folders[0], vectors.dimension())


def signals() -> list[str]:
    """The signals that are on."""
    return [name for name, weight in WEIGHTS.items() if weight]


@contextlib.contextmanager
def without(signal: str) -> Iterator[None]:
    """A signal's weight is 0 meanwhile."""
    weight = WEIGHTS[signal]
    WEIGHTS[signal] = 0.0
    try:
        yield
    finally:
        WEIGHTS[signal] = weight
