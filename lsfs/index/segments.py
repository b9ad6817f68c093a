"""segments: `python -m lsfs.index.segments INDEX CATALOGUE ENGINE [idle]` brings the segments in INDEX, the folder of words.db, up to date,
once. ENGINE: the process id of who started it, without which it does nothing.

The engine runs it at a low priority as a process of its own (`engine.lexing`): it is busy for seconds, in which no question shall wait for
Python's lock. Rows that are in no segment are read again and go through a table in memory (`tail`), SLICE at a time; segments of about one
size are merged into one, and, when nothing else is to be done, all of them.

A kill at any moment leaves the segments that a manifest names, which are whole, and files that the next run removes.
"""

import contextlib
import ctypes
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from lsfs.index.lexicon import LEAST
from lsfs.index.postings import Broken, Segment, Unfit, merge, write
from lsfs.index.source import SOURCES, Source
from lsfs.index.store import read_only
from lsfs.index.tail import Tail

PR_SET_PDEATHSIG = 1
SUFFIX = ".segment"
COMING = ".coming"
SMALL = 1000  # rows that are worth a segment
SLICE = 20_000  # rows of a segment at first: 150 MiB of memory
TIER = 4  # so many of one size, each up to so many times as large as the last one's, are merged
REST = 0.1  # of the largest segment; when the others are more, all are merged


def tend(folder: Path, catalogue: str, idle: bool = False) -> None:
    """Make segments of what has none, and merge. catalogue: history.db; idle: also what is worth it only when nothing else is to be done.

    Raises OSError, sqlite3.Error, and Unfit where a passage does not fit the format."""
    with contextlib.closing(connect(folder, catalogue)) as db:
        for source in SOURCES:
            work = _Work(db, folder, source)
            work.fill()
            work.merge(idle)
            work.clear()


def connect(folder: Path, catalogue: str) -> sqlite3.Connection:
    """words.db with history.db attached, to be read."""
    db = sqlite3.connect(read_only(folder / "words.db"), uri=True, isolation_level=None)
    db.execute("attach ? as history", (read_only(catalogue),))
    return db


class _Work:
    """One source's segments."""

    def __init__(self, db: sqlite3.Connection, folder: Path, source: Source) -> None:
        self.db, self.folder, self.source = db, folder, source
        self.segments: list[Segment] = []
        db.execute("begin")  # the mark is of the time at which the ids are read
        try:
            self.mark = source.mark(db)
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, Broken):
                said = json.loads((folder / source.manifest).read_text())
                segments = [Segment(folder / name) for name in said["segments"]]
                if source.holds(db, said["mark"], max((int(s.ids[-1]) for s in segments), default=0)):
                    self.segments = segments
            ids = db.execute(f"select id from {source.sizes} order by id")
            self.there = np.array([row[0] for row in ids], np.int64)
        finally:
            db.execute("rollback")

    def fill(self) -> None:
        """Rows in no segment get one."""
        known = np.concatenate([s.ids for s in self.segments] or [np.zeros(0, np.int64)])
        fresh = np.setdiff1d(self.there, known)
        if len(fresh) < SMALL or len(self.there) < LEAST:
            return
        for start in range(0, len(fresh), SLICE):
            tail = Tail(self.source)
            try:
                tail.add(self.db, fresh[start : start + SLICE].tolist())
                if not len(tail):  # all of them went meanwhile
                    continue
                path = self._fresh()
                write(path, tail.ids, tail.lengths, tail.items())
            finally:
                tail.close()
            self._commit([*self.segments, Segment(path)])
            self.merge(False)

    def merge(self, idle: bool) -> None:
        """Few segments instead of many."""
        while some := due([len(s) for s in self.segments], idle):
            chosen = [self.segments[n] for n in some]
            others = [s for s in self.segments if s not in chosen]
            alive = [np.isin(s.ids, self.there, assume_unique=True) for s in chosen]
            if any(there.any() for there in alive):
                path = self._fresh()
                merge(path, chosen, alive)
                others.append(Segment(path))
            self._commit(others)

    def clear(self) -> None:
        """Remove the files of segments that are not in use."""
        _remove_all_but(self.folder, self.source, {s.name for s in self.segments})

    def _fresh(self) -> Path:
        return self.folder / f"{self.source.name}-{os.urandom(8).hex()}{SUFFIX}"

    def _commit(self, segments: list[Segment]) -> None:
        """These are in use from now on."""
        manifest = {"mark": self.mark, "segments": [s.name for s in segments]}
        coming = self.folder / f"{self.source.manifest}{COMING}"
        with coming.open("w") as file:
            file.write(json.dumps(manifest))
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the segments' names are on the disk before the list that names them
            coming.rename(self.folder / self.source.manifest)
            os.fsync(folder)
        finally:
            os.close(folder)
        self.segments = segments
        self.clear()


def remove(folder: Path, sources: Sequence[Source] = SOURCES) -> None:
    """Remove the segments of an index folder. While nobody makes any."""
    for source in sources:
        (folder / source.manifest).unlink(missing_ok=True)
        _remove_all_but(folder, source, set())


def _remove_all_but(folder: Path, source: Source, named: Collection[str]) -> None:
    for ending in (SUFFIX, COMING):
        for path in folder.glob(f"{source.name}*{ending}"):
            if path.name not in named:
                path.unlink(missing_ok=True)


def due(sizes: Sequence[int], idle: bool) -> list[int]:
    """Which segments of these sizes shall become one; none: it is well as it is."""
    if idle and len(sizes) > 1:
        largest = max(range(len(sizes)), key=lambda n: sizes[n])
        others = [n for n in range(len(sizes)) if n != largest]
        if sum(sizes[n] for n in others) > REST * sizes[largest]:
            return list(range(len(sizes)))
        return others if len(others) > 1 else []
    tiers: dict[int, list[int]] = {}
    for n, size in enumerate(sizes):
        tiers.setdefault(int(np.log(max(1, size / SMALL)) / np.log(TIER)), []).append(n)
    return next((some for _, some in sorted(tiers.items()) if len(some) >= TIER), [])


if __name__ == "__main__":
    os.nice(10)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[3]):  # it ended before; the next one may be purging what this would keep
        raise SystemExit(0)
    os.umask(0o077)
    try:
        tend(Path(sys.argv[1]), sys.argv[2], "idle" in sys.argv[4:])
    except (OSError, sqlite3.Error, Unfit) as error:
        print(f"The segments of words.db were not made: {error}", file=sys.stderr)
        raise SystemExit(1) from error
