"""fsck: what SQLite says of history.db, and the words of paths."""

import os
from collections.abc import Iterator

from lsfs.history import paths
from lsfs.history.fsck import MOST, Finding, Store


def database(store: Store) -> Iterator[Finding]:
    """Pages and indexes. An index can be made anew; nothing else can."""
    said = _integrity(store)
    if store.repair and said:
        store.database.execute("reindex")
        left = set(_integrity(store))
        yield from (
            Finding(
                "database",
                "history.db",
                line,
                "restore the state folder from a copy",
                repaired=line not in left and not left,
            )
            for line in said
        )
        return
    for line in said:
        can = (
            "--repair makes the indexes anew" if " index " in line else "restore the state folder from a copy"
        )
        yield Finding("database", "history.db", line, can)


def _integrity(store: Store) -> list[str]:
    rows = store.database.execute(f"pragma integrity_check({MOST})").fetchall()
    return [str(row[0]) for row in rows if row[0] != "ok"]


_TABLES = (
    ("path_words", "select id, parent, name from file where died is null"),
    ("dead_path_words", "select id, parent, name from dead_path"),
)


def words(store: Store) -> Iterator[Finding]:
    """Each path that is indexed has its words in the table that is searched, and nothing else is in there."""
    for table, rows in _TABLES:
        lacking = store.database.execute(
            f"select p.id, p.parent, p.name from ({rows}) p left join {table}_docsize w on w.id = p.id where w.id is null limit ?",
            (MOST,),
        ).fetchall()
        foreign = store.one(f"select count(*) from {table}_docsize where id not in (select id from ({rows}))")
        for _, parent, name in lacking:
            yield Finding(
                "words",
                _said(parent, name),
                f"is not found by its name: {table} lacks it",
                "--repair adds it",
                repaired=_or_none(store),
            )
        if foreign:
            yield Finding(
                "words",
                table,
                f"has the words of {foreign} paths that are not there",
                "--repair removes them",
                repaired=_or_none(store),
            )
        broken = store.repair and not _whole(store, table)
        if broken:
            yield Finding(
                "words", table, "does not agree with itself", "--repair makes it anew", repaired=True
            )
        if store.repair and (lacking or foreign or broken):
            _forget_segments(store, table)
            with store.transaction():
                store.database.execute(f"delete from {table}")
                store.database.execute(f"insert into {table} ({table}) values ('rebuild')")
                store.database.executemany(
                    f"insert into {table} (rowid, words) values (?, ?)",
                    (
                        (id, paths.words(paths.join(*path)))
                        for id, *path in store.database.execute(rows).fetchall()
                    ),
                )


def _forget_segments(store: Store, table: str) -> None:
    """What the index copied from the words of live paths (`lsfs.index.segments`), before they are made anew under the same ids."""
    if table == "path_words":
        from lsfs.index.segments import remove
        from lsfs.index.source import PATHS

        remove(store.state / "index", (PATHS,))


def _whole(store: Store, table: str) -> bool:
    """FTS5's own check is a write, so it is asked for before a repair alone."""
    import sqlite3

    try:
        store.database.execute(f"insert into {table} ({table}) values ('integrity-check')")
    except sqlite3.DatabaseError:
        return False
    return True


def _or_none(store: Store) -> bool | None:
    return True if store.repair else None


def _said(parent: bytes, name: bytes) -> str:
    return os.fsdecode(paths.join(parent, name))
