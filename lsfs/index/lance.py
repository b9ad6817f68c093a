"""lance: the nearest passages to a vector, by LanceDB. The only importer of lancedb.

Its folder is a derived copy: LanceDB does not fsync, so `engine.mirror` checks it at each start and fills it again from vectors.db when it
does not open or does not agree. No version or tag of it is ever used.

Threading: one thread writes (the embedder), several search; the sync API brings its own threads. Never fork after importing this.
"""

import logging
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import IvfRq

log = logging.getLogger(__name__)

NAME = "passages"
LINGER = timedelta(seconds=60)  # a search that began before keeps its files
COMMITS = 40  # optimize after so many; every commit is a file that each search would open
FLAT = 20_000  # rows up to which an exact scan is fast enough and an index would only cost
GROWTH = 2.0  # the index is trained again when the table is so many times larger than when it was
# Of 100 nearest these find .98 of the first ten at 1,000,000 passages, all at 100,000, in half the time of 1 bit, refined 5 times
BITS = 2  # of each dimension in the index
PROBES = 40  # partitions that are searched
REFINE = 1  # exact distances for as many candidates as are wanted


class Table:
    """The table of passage vectors. Raises RuntimeError, OSError or ValueError where LanceDB cannot open it."""

    def __init__(self, folder: Path, dimension: int) -> None:
        self._folder = folder
        self._schema = pa.schema(
            [
                pa.field("passage", pa.int64(), nullable=False),
                pa.field("content", pa.int64(), nullable=False),
                pa.field(
                    "mark", pa.int64(), nullable=False
                ),  # of the vector's key: a row of lost ids is told apart
                pa.field("vector", pa.list_(pa.float32(), dimension), nullable=False),
            ]
        )
        self.dimension = dimension
        self._commits = 0
        self._trained = 0
        self._open()

    def _open(self) -> None:
        # LanceDB would make every folder above: a state folder that was removed is not made again
        self._folder.parent.mkdir(exist_ok=True)
        self._base = lancedb.connect(str(self._folder))
        self._table = self._base.create_table(NAME, schema=self._schema, exist_ok=True)
        self._count = self._table.count_rows()
        self._trained = (
            self._count if any(index.columns == ["vector"] for index in self._table.list_indices()) else 0
        )

    def reset(self) -> None:
        """Drop everything and begin an empty table."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._commits = 0
        self._open()

    def __len__(self) -> int:
        return self._count

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """(passages, marks) of all rows, as int64 arrays."""
        table = self._table.search().select(["passage", "mark"]).limit(max(1, self._count)).to_arrow()
        return table["passage"].to_numpy(), table["mark"].to_numpy()

    def vectors(self, passages: Sequence[int]) -> dict[int, np.ndarray]:
        """The vectors of these passages, as they are stored."""
        found: dict[int, np.ndarray] = {}
        for start in range(0, len(passages), 1000):
            part = passages[start : start + 1000]
            where = f"passage IN ({','.join(map(str, part))})"
            table = (
                self._table.search().where(where).select(["passage", "vector"]).limit(len(part)).to_arrow()
            )
            values = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, self.dimension)
            found |= dict(zip(table["passage"].to_pylist(), values, strict=True))
        return found

    def add(
        self, passages: Sequence[int], contents: Sequence[int], keys: Sequence[bytes], vectors: np.ndarray
    ) -> None:
        """Append rows; searches of this process see them when it returns."""
        flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
        batch = pa.table(
            [
                pa.array(passages, pa.int64()),
                pa.array(contents, pa.int64()),
                pa.array(marks(keys), pa.int64()),
                pa.FixedSizeListArray.from_arrays(flat, self.dimension),
            ],
            schema=self._schema,
        )
        self._table.add(batch)
        self._count += len(passages)
        self._commits += 1

    def delete(self, contents: Sequence[int]) -> None:
        """Remove all rows of these contents."""
        for start in range(0, len(contents), 500):
            self._table.delete(f"content IN ({','.join(map(str, contents[start : start + 500]))})")
            self._commits += 1
        self._count = self._table.count_rows()

    def search(
        self, vector: np.ndarray, limit: int, contents: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The `limit` nearest (passage, cosine), nearest first; `contents` narrows the search to those (None = all)."""
        if not self._count:
            return []
        query = (
            self._table.search(vector, vector_column_name="vector")
            .distance_type("cosine")
            .select(["passage", "_distance"])
            .limit(min(limit, self._count))
        )
        if self._trained:
            query = query.nprobes(PROBES).refine_factor(REFINE)
        if contents is not None:
            query = query.where(f"content IN ({','.join(map(str, contents))})", prefilter=True)
        found = query.to_arrow()
        return list(
            zip(found["passage"].to_pylist(), (1.0 - found["_distance"].to_numpy()).tolist(), strict=True)
        )

    def maintain(self, idle: bool = False) -> None:
        """Merge small files after COMMITS commits (or a few, when `idle`), and train an index once the table is large."""
        if self._commits >= (4 if idle else COMMITS):
            self._commits = 0
            self._table.optimize(cleanup_older_than=LINGER)
        if self._count > FLAT and self._count > GROWTH * self._trained:
            self._table.create_index(
                "vector", config=IvfRq(distance_type="cosine", num_bits=BITS), replace=True
            )
            self._trained = self._count
            log.info("vector index trained over %d passages", self._count)


def marks(keys: Sequence[bytes]) -> np.ndarray:
    """The first 8 bytes of each key as int64."""
    return np.frombuffer(b"".join(key[:8] for key in keys), dtype="<i8")
