"""A retrieval data set: documents, questions, and which document answers which; what is written of it, asked of it, and how that is scored.

corpus.jsonl    {"_id", "title", "text"}                     one document a line
queries.jsonl   {"_id", "text", "metadata": {"scope"}}       one question a line; a scope is the folder that is asked
qrels.tsv       query-id, corpus-id, score                   a header, then one judgement a line; a score of 0 is none
"""

import json
import math
import os
import pathlib
import statistics
from collections.abc import Iterable
from typing import NamedTuple

TOP = 10  # hits that count
LIMIT = 20  # hits that are asked for
LONGEST = 255  # bytes of a name


class Question(NamedTuple):
    """text: as it was asked; scope: a folder with its slash at the end, "" where everything is asked; relevant: document -> grade."""

    id: str
    text: str
    scope: str
    relevant: dict[str, float]

    @property
    def prompt(self) -> str:
        """What lsfs is asked, with `limit:`, as the name of a directory is written."""
        within = f"in:{self.scope} " if self.scope else ""
        return " ".join(f"{within}{self.text} limit:{LIMIT}".replace("/", "∕").split())


class Dataset:
    """A folder with the three files. documents: path below the mounted folder -> its text; of: that path -> its id."""

    def __init__(self, folder: pathlib.Path) -> None:
        """Raises OSError where a file is missing, ValueError with a sentence where one cannot be used."""
        self.name = folder.resolve().name
        self.documents: dict[str, str] = {}
        self.of: dict[str, str] = {}
        for row in _rows(folder / "corpus.jsonl"):
            path = _file_name(row["_id"])
            if path in self.documents:
                raise ValueError(f"{folder}: {row['_id']} and {self.of[path]} would be one file.")
            if pathlib.PurePath(path).is_absolute() or ".." in pathlib.PurePath(path).parts:
                raise ValueError(f"{folder}: {row['_id']!r} would lie outside of the folder.")
            title, text = row.get("title", ""), row["text"]
            self.documents[path] = text if title == row["_id"] or not title else f"{title}\n\n{text}"
            self.of[path] = row["_id"]
        grades: dict[str, dict[str, float]] = {}
        for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
            question, document, grade = line.split("\t")
            if float(grade) > 0:
                grades.setdefault(question, {})[document] = float(grade)
        self.questions = [
            Question(row["_id"], row["text"], _scope(row), grades[row["_id"]])
            for row in _rows(folder / "queries.jsonl")
            if row["_id"] in grades
        ]
        if silent := next((one.id for one in self.questions if not one.text.strip()), None):
            raise ValueError(f"{folder}: question {silent} has no text.")
        if not self.questions:
            raise ValueError(f"{folder}: no question has a document that answers it.")

    def unpack(self, folder: pathlib.Path) -> None:
        """Make `folder` hold the documents and nothing else but .lsfs; what is right already is not touched."""
        wanted = {
            folder / path: text.encode("utf-8", "surrogatepass") for path, text in self.documents.items()
        }
        for path in folder.rglob("*"):
            if path.is_file() and path not in wanted and path.relative_to(folder).parts[0] != ".lsfs":
                path.unlink()
        for path, data in wanted.items():
            if not path.is_file() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def ids(self, paths: Iterable[str]) -> list[str]:
        """The documents at these paths, each once, in that order; others are left out."""
        return list(dict.fromkeys(self.of[path] for path in paths if path in self.of))


def _rows(path: pathlib.Path) -> list[dict]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def _scope(row: dict) -> str:
    scope = (row.get("metadata") or {}).get("scope")
    return f"{scope}/" if scope else ""


def _file_name(document: str) -> str:
    name = document.replace(":", "_")
    return name if os.path.splitext(name)[1] or name.startswith(".github") else f"{name}.txt"


def ask(mount: pathlib.Path, prompt: str) -> dict:
    """results.json of a prompt; by `ctl` where it is too long for a name. Raises OSError where the question fails."""
    if len(prompt.encode()) <= LONGEST and not prompt.startswith("."):
        directory = mount / "query" / prompt
    else:
        descriptor = os.open(mount / "ctl", os.O_RDWR)
        try:
            os.write(descriptor, f"query {prompt}\n".encode())
            answer = os.read(descriptor, 65536).decode().strip()
        finally:
            os.close(descriptor)
        directory = mount / answer.lstrip("/")
    return json.loads((directory / "results.json").read_text("utf-8"))


class Measures(NamedTuple):
    """Of one question, or the means of many."""

    ndcg: float
    recall: float
    mrr: float


def measures(ranked: list[str], relevant: dict[str, float], k: int = TOP) -> Measures:
    """nDCG@k with the grade as gain and log2(rank + 1) as discount (Järvelin and Kekäläinen 2002), Recall@k, reciprocal rank within k."""
    gains = [relevant.get(name, 0.0) for name in ranked[:k]]
    ideal = sorted(relevant.values(), reverse=True)[:k]
    first = next((rank for rank, gain in enumerate(gains, 1) if gain), None)
    recall = sum(1 for gain in gains if gain) / len(relevant)
    return Measures(_dcg(gains) / _dcg(ideal), recall, 1 / first if first else 0.0)


def _dcg(gains: list[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def mean(some: Iterable[Measures]) -> Measures:
    """The means of each measure."""
    return Measures(*(statistics.fmean(column) for column in zip(*some, strict=True)))
