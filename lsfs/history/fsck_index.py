"""fsck: the index. It is made from the files and from vectors.db, so its repair is to be made anew: what does not agree is removed, and the
next mount fills it; nothing is embedded again that vectors.db has."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from lsfs.history.fsck import Finding, Store
from lsfs.history.store import open_read_only

_ANEW = "--repair removes the index, and the next mount makes it anew"
_SHIFT = 20  # a passage's id is content << 20 | ordinal (`lsfs.index.store`)


def passages(store: Store) -> Iterator[Finding]:
    """words.db: whole, each passage has its content and its words, each content is one that some file has or had."""
    wrong, idle = _wrong_words(store)
    for line in wrong:
        yield Finding("passages", "index/words.db", line, _ANEW, repaired=store.repair or None)
    if store.repair and wrong:
        for name in ("words.db", "words.db-wal", "words.db-shm"):
            (store.state / "index" / name).unlink(missing_ok=True)
        shutil.rmtree(store.state / "index/lance", ignore_errors=True)
    elif idle:
        yield Finding(
            "passages",
            "index/words.db",
            f"{idle} contents are no file's, now or then",
            "the engine removes them after a while",
            False,
        )


def _wrong_words(store: Store) -> tuple[list[str], int]:
    words = _open(store.state / "index/words.db")
    if words is None:
        return [], 0
    try:
        with contextlib.closing(words):
            wrong = [row[0] for row in words.execute("pragma integrity_check(10)") if row[0] != "ok"]
            if not words.execute("pragma user_version").fetchone()[0]:
                return wrong, 0
            lost = _one(
                words,
                f"select count(*) from passage where id >> {_SHIFT} not in (select id from content) and id >> {_SHIFT} not in"
                " (select content from partial)",
            )
            if lost:
                wrong.append(f"{lost} passages have no content")
            unsearched = _one(
                words, "select count(*) from passage where id not in (select id from words_docsize)"
            )
            if unsearched:
                wrong.append(f"{unsearched} passages are not found by their words")
            fewer = _one(
                words,
                "select count(*) from (select c.passages wanted, (select count(*) from passage where id between c.id << 20 and"
                " (c.id << 20) + 1048575) there from content c) where wanted != there",
            )
            if fewer:
                wrong.append(f"{fewer} contents have not the passages that they should have")
            known = {
                digest
                for (digest,) in store.database.execute("select digest from file where digest is not null")
            }
            known |= {
                digest
                for (digest,) in store.database.execute("select digest from content where digest is not null")
            }
            idle = sum(digest not in known for (digest,) in words.execute("select digest from content"))
            return wrong, idle
    except sqlite3.DatabaseError as error:
        return [f"cannot be read ({error})"], 0


def vectors(store: Store) -> Iterator[Finding]:
    """vectors.db: whole; vectors that no passage has are kept for a while, so that what comes back is not embedded again."""
    path = store.state / "vectors.db"
    kept = _open(path)
    if kept is None:
        return
    try:
        with contextlib.closing(kept):
            wrong = [row[0] for row in kept.execute("pragma integrity_check(10)") if row[0] != "ok"]
            torn = (
                _one(kept, "select count(*) from vector where length(value) % 4 != 0 or length(value) = 0")
                if not wrong
                else 0
            )
            if torn:
                wrong.append(f"{torn} vectors are none")
            idle = 0 if wrong else _idle(store, kept)
    except sqlite3.DatabaseError as error:
        wrong, idle = [f"cannot be read ({error})"], 0
    for line in wrong:
        yield Finding(
            "vectors",
            "vectors.db",
            line,
            "--repair moves it aside, and its texts are embedded again",
            repaired=store.repair or None,
        )
    if store.repair and wrong:
        path.replace(path.with_name("vectors.db.broken"))
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    if idle:
        yield Finding(
            "vectors",
            "vectors.db",
            f"{idle} vectors are no passage's",
            "the engine drops them after a while",
            False,
        )


def _idle(store: Store, kept: sqlite3.Connection) -> int:
    words = _open(store.state / "index/words.db")
    if words is None:
        return 0
    with contextlib.closing(words):
        keys = {key for (key,) in words.execute("select key from passage where key is not null")}
        keys |= {key for (key,) in words.execute("select key from dropped")}
    return sum(key not in keys for (key,) in kept.execute("select key from vector"))


def lance(store: Store) -> Iterator[Finding]:
    """Lance has the rows that words.db says it has. While an engine is at work they differ from one moment to the next."""
    if store.mounted:
        return
    folders = [path for path in (store.state / "index/lance").glob("*") if path.is_dir()]
    for folder in folders:
        wrong = _wrong_rows(store, folder)
        if wrong is None:
            continue
        if store.repair:
            shutil.rmtree(folder, ignore_errors=True)
            folder.with_suffix(".clean").unlink(missing_ok=True)
        yield Finding(
            "lance",
            f"index/lance/{folder.name}",
            wrong,
            "--repair removes it, and the next mount fills it from vectors.db",
            repaired=store.repair or None,
        )


def _wrong_rows(store: Store, folder: Path) -> str | None:
    from lsfs.index.lance_rows import rows

    words = _open(store.state / "index/words.db")
    if words is None:
        return "there is no words.db whose passages it could have"
    with contextlib.closing(words):
        asked = {
            passage: key[:8]
            for passage, key in words.execute("select id, key from passage where key is not null")
        }
        waiting = {passage for (passage,) in words.execute("select passage from waiting")}
    try:
        there = rows(folder)
    except ImportError:
        return None
    except Exception as error:  # LanceDB raises what it likes
        return f"cannot be opened ({type(error).__name__}: {str(error)[:100]})"
    foreign = sum(asked.get(passage) != mark for passage, mark in there)
    lacking = len(asked.keys() - waiting - {passage for passage, _ in there})
    twice = len(there) - len({passage for passage, _ in there})
    if foreign or lacking or twice:
        return f"{foreign} rows are no passage's, {lacking} are missing, {twice} are there twice"
    return None


def _open(path: Path) -> sqlite3.Connection | None:
    return open_read_only(path) if path.exists() else None


def _one(database: sqlite3.Connection, query: str) -> int:
    return int(database.execute(query).fetchone()[0])
