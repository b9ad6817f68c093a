"""What lsfs is held against: the usual ways to search, over the very passages and vectors that lsfs made of the same files.

Each ranks files by their best passage (BM25 also whole files). A scope narrows what is ranked, never what the statistics of words are
taken from: lsfs does the same. Nothing is tuned: LanceDB has its defaults, BM25 those of SQLite's FTS5 (k1 1.2, b 0.75). lsfs knows the
names of files, too; `named` gives the words of a path to the search that lsfs is held against.
"""

import pathlib
import re
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import lancedb
import numpy as np
import pyarrow as pa
from dataset import TOP
from lancedb.index import FTS

from lsfs.index.backlog import SHIFT
from lsfs.index.store import embedded_text, read_only
from lsfs.index.words import STOPWORDS, TOKENIZER

RRF_K = 60  # Cormack, Clarke and Büttcher 2009; LanceDB's default, too
PASSAGES = (
    100  # that LanceDB's hybrid is asked for at first; four times as many while they are of too few files
)


class Passages(NamedTuple):
    """Passages by number: the path of its file, its text as the model reads it, its vector (None: it has none)."""

    paths: list[str]
    texts: list[str]
    vectors: list[np.ndarray | None]


def passages(state: pathlib.Path) -> Passages:
    """What lsfs cut and embedded of the files that are in a folder now; `state` is its .lsfs, nobody has it mounted."""
    db = sqlite3.connect(read_only(state / "index" / "words.db"), uri=True)
    try:
        db.execute("attach ? as history", (read_only(state / "history.db"),))
        rows = db.execute(
            "select f.parent, f.name, p.title, p.text, p.key from history.file f join content c on c.digest = f.digest "
            f"join passage p on p.id between c.id << {SHIFT} and (c.id << {SHIFT}) + c.passages - 1 "
            "where f.died is null order by f.parent, f.name, p.id"
        ).fetchall()
    finally:
        db.close()
    kept = _vectors(state / "vectors.db", {row[4] for row in rows if row[4] is not None})
    found = Passages([], [], [])
    for parent, name, title, text, key in rows:
        found.paths.append((parent + b"/" + name if parent else name).decode("utf-8", "replace"))
        found.texts.append(embedded_text(title, text))
        found.vectors.append(kept.get(key))
    return found


def _vectors(path: pathlib.Path, keys: set[bytes]) -> dict[bytes, np.ndarray]:
    if not keys:
        return {}
    db = sqlite3.connect(read_only(path), uri=True)
    try:
        (count,) = db.execute("select count(distinct model) from vector").fetchone()
        if count != 1:
            raise ValueError(f"{path} has the vectors of {count} models: remove the folder that was kept.")
        rows = db.execute("select key, value from vector").fetchall()
    finally:
        db.close()
    return {key: np.frombuffer(value, dtype="<f4") for key, value in rows if key in keys}


def named(found: Passages) -> Passages:
    """The same with the path before each text, to be searched by its words; the vectors are as they were."""
    return found._replace(
        texts=[f"{path}\n{text}" for path, text in zip(found.paths, found.texts, strict=True)]
    )


class WholeFiles:
    """BM25 over whole files."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self._db = sqlite3.connect(":memory:")
        self._db.execute(
            f"create virtual table file using fts5 (path unindexed, text, tokenize = '{TOKENIZER}')"
        )
        self._db.executemany(
            "insert into file values (?, ?)",
            ((path, text.encode("utf-8", "replace").decode()) for path, text in documents.items()),
        )

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def rank(self, question: str, scope: str) -> list[str]:
        """Files with any of the question's words, best first."""
        said = re.findall(r"[^\W_]+", question)  # a word said twice counts twice
        telling = [word for word in said if word.lower() not in STOPWORDS] or said
        if not telling:
            return []
        rows = self._db.execute(
            "select path from file where text match ? and substr(path, 1, ?) = ? order by bm25(file), path",
            (" OR ".join(f'"{word}"' for word in telling), len(scope), scope),
        )
        return [path for (path,) in rows]


class BestPassages:
    """LanceDB over the passages, exact cosines over their vectors, and both together. Without vectors, words alone."""

    def __init__(self, folder: pathlib.Path, found: Passages) -> None:
        """folder: where LanceDB may write."""
        self.paths = found.paths
        dimension = next((len(vector) for vector in found.vectors if vector is not None), 0)
        columns = {
            "passage": pa.array(range(len(found.paths)), pa.int64()),
            "path": pa.array(found.paths, pa.string()),
            "text": pa.array(found.texts, pa.string()),
        }
        if dimension:
            rows = [None if vector is None else vector.tolist() for vector in found.vectors]
            columns["vector"] = pa.array(rows, pa.list_(pa.float32(), dimension))
        self._table = lancedb.connect(str(folder)).create_table("passages", pa.table(columns))
        self._table.create_index("text", config=FTS())
        self._matrix: np.ndarray = np.zeros((len(found.paths), dimension), np.float32)
        for number, vector in enumerate(found.vectors):
            if vector is not None:
                self._matrix[number] = vector / np.linalg.norm(vector)
        self._embedded = np.array([vector is not None for vector in found.vectors], bool)

    def by_words(self, question: str, scope: str) -> list[int]:
        """All passages that LanceDB's full text search finds, best first."""
        query = (
            self._table.search(question, query_type="fts")
            .select(["passage", "_score"])
            .limit(len(self.paths))
        )
        rows = _within(query, scope).to_arrow()
        scores, numbers = rows["_score"].to_numpy(), rows["passage"].to_numpy()
        return numbers[np.lexsort((numbers, -scores))].tolist()

    def by_meaning(self, vector: np.ndarray, scope: str) -> list[int]:
        """All passages that have a vector, nearest first."""
        cosines = self._matrix @ vector
        order = np.argsort(-cosines, kind="stable").tolist()
        return [number for number in order if self._embedded[number] and self.paths[number].startswith(scope)]

    def hybrid(self, question: str, vector: np.ndarray, scope: str) -> list[int]:
        """LanceDB's hybrid query, with its RRFReranker: passages, best first, enough for TOP files where there are so many."""
        wanted = PASSAGES
        while True:
            query = (
                self._table.search(query_type="hybrid").vector(vector).text(question).distance_type("cosine")
            )
            rows = _within(query.limit(wanted), scope).to_arrow()["passage"].to_pylist()
            if len(self.files(rows)) >= TOP or len(rows) < wanted:
                return rows
            wanted *= 4

    def files(self, numbers: Iterable[int]) -> list[str]:
        """The files of these passages, in the order of their best."""
        return list(dict.fromkeys(self.paths[number] for number in numbers))


def _within(query: Any, scope: str) -> Any:
    """A LanceDB query over the files in scope alone."""
    quoted = scope.replace("'", "''")
    return query.where(f"starts_with(path, '{quoted}')") if scope else query


def fused(*rankings: list[int]) -> list[int]:
    """Reciprocal rank fusion: Σ 1 / (k + rank), over all ranks of all rankings."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            scores[number] = scores.get(number, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores, key=lambda number: (-scores[number], number))
