"""mirror: the LanceDB table, a derived copy of the vectors that words.db asks for.

It lies in <state>/index/lance/<name of the model>, so another model never searches these vectors. LanceDB does not fsync: a table that no
orderly end marked `clean` is not believed, but filled again from vectors.db (20,000 rows take two seconds), or, where it is larger, tried
by a sample. Whatever does not open or does not agree is dropped and filled again; nothing is embedded for that.

Threading: the embedder's thread alone; `table` may be read by any.
"""

import hashlib
import logging
import os
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsfs.index.backlog import content_of
from lsfs.index.store import Store

if TYPE_CHECKING:
    import numpy as np

    from lsfs.index.lance import Table
    from lsfs.index.vectors import Vectors

log = logging.getLogger(__name__)

SURE = 20_000  # rows up to which an unclean table is filled again without a look
SAMPLE = 4_000  # rows of a larger one that are compared with vectors.db
CHUNK = 4_096


class Mirror:
    """The table of one model. `table` is None until it was opened and agrees with words.db."""

    def __init__(self, store: Store, index: Path, identity: str, stopping: Callable[[], bool]) -> None:
        """index: <state>/index; stopping: whether a long work shall be left."""
        self._store, self._stopping = store, stopping
        name = hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()
        self.folder = index / "lance" / name
        self.clean = self.folder.with_suffix(".clean")
        self.table: Table | None = None
        self._tried = False

    def open(self, vectors: "Vectors", dimension: int) -> list[bytes]:
        """Open the table and make it agree. Returns the digests that are complete by it.

        Raises ImportError without LanceDB; RuntimeError, OSError or ValueError where not even an empty table can be filled."""
        from lsfs.index.lance import Table

        believed = self._tried or self.clean.exists()
        self._tried = True
        self.clean.unlink(missing_ok=True)
        self._alone()
        try:
            table = Table(self.folder, dimension)
            if not believed:
                self._try(table, vectors)
            done = self._agree(table, vectors)
        except (RuntimeError, OSError, ValueError) as error:
            log.warning("Lance is filled again from vectors.db: %s", error)
            self.drop()
            table = Table(self.folder, dimension)
            done = self._agree(table, vectors)
        if not self._stopping():
            self.table = table
        return done

    def drop(self) -> None:
        """Remove the table; `open` fills another one."""
        self.table = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """The orderly end: everything is on the disk, and the mark says so."""
        if self.table is None:
            return
        for folder, _, names in os.walk(self.folder):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                _sync(path)
        self.clean.touch()
        _sync(self.clean.parent)

    def add(self, passages: Sequence[int], keys: Sequence[bytes], vectors: "np.ndarray") -> list[bytes]:
        """Append rows, then let words.db know. Returns the digests that are complete by it. After an error the table is opened anew."""
        assert self.table is not None
        table, self.table = self.table, None
        table.add(passages, [content_of(p) for p in passages], keys, vectors)
        done = self._store.backlog.mark(passages)
        self.table = table
        return done

    def _alone(self) -> None:
        """Remove what other models, or older versions, left."""
        if self.folder.parent.is_dir():
            for path in self.folder.parent.iterdir():
                if path == self.folder:
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _try(self, table: "Table", vectors: "Vectors") -> None:
        """Raises ValueError where the vectors of an unclean table cannot be believed."""
        import numpy as np

        if not len(table):
            return
        if len(table) <= SURE:
            raise ValueError("it was not closed in an orderly way")
        keys = dict(self._store.backlog.vectored())
        there = [passage for passage in table.rows()[0].tolist() if passage in keys]
        chosen = random.sample(there, min(SAMPLE, len(there)))
        kept = vectors.get(keys[passage] for passage in chosen)
        for passage, vector in table.vectors(chosen).items():
            truth = kept.get(keys[passage])
            if truth is not None and not np.array_equal(truth, vector):
                raise ValueError("it holds other vectors than vectors.db")

    def _agree(self, table: "Table", vectors: "Vectors") -> list[bytes]:
        """What Lance lacks comes from vectors.db or waits again; what it has waits no more."""
        import numpy as np

        from lsfs.index.lance import marks

        backlog = self._store.backlog
        keys = dict(backlog.vectored())
        expected = dict(zip(keys, marks(list(keys.values())).tolist() if keys else [], strict=True))
        there, seen = table.rows() if len(table) else (np.zeros(0, np.int64), np.zeros(0, np.int64))
        found = dict(zip(there.tolist(), seen.tolist(), strict=True))
        if len(found) != len(there) or any(expected.get(passage) != mark for passage, mark in found.items()):
            log.warning("Lance holds rows that words.db does not know: it is filled again from vectors.db")
            table.reset()
            found = {}
        waiting = backlog.all_waiting()
        lacking = [passage for passage in keys if passage not in found and passage not in waiting]
        for start in range(0, len(lacking), CHUNK):
            if self._stopping():
                return []
            part = lacking[start : start + CHUNK]
            kept = vectors.get(keys[passage] for passage in part)
            known = [p for p in part if keys[p] in kept and len(kept[keys[p]]) == table.dimension]
            if known:
                table.add(
                    known,
                    [content_of(p) for p in known],
                    [keys[p] for p in known],
                    np.stack([kept[keys[p]] for p in known]),
                )
            if len(known) < len(part):
                backlog.wait_again(sorted(set(part) - set(known)))
        arrived = sorted(waiting & found.keys())
        return backlog.mark(arrived) if arrived else []


def _sync(path: str | Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
