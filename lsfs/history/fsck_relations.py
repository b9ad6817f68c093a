"""fsck: rows that name what is not there, rows that cannot both be true, paths that nobody would find."""

import os
from collections.abc import Iterator

from lsfs.history import paths
from lsfs.history.fsck import MOST, Finding, Store

_SEEN = (
    "select max(s) from (select max(born) s from entry union all select max(died) from entry union all select max(sequence) from moment"
    " union all select max(captured) from content union all select max(born) from file)"
)


def sequence(store: Store) -> Iterator[Finding]:
    """Nothing is younger than the last sequence."""
    last, seen = store.one("select value from meta where key = 'sequence'"), store.one(_SEEN)
    if seen <= last:
        return
    if store.repair:
        with store.transaction():
            store.database.execute("insert or replace into meta values ('sequence', ?)", (seen,))
    yield Finding(
        "sequence",
        "history.db",
        f"the last sequence is {last}, and there are rows of {seen}",
        "--repair counts on from the highest",
        repaired=store.repair or None,
    )


def relations(store: Store) -> Iterator[Finding]:
    """Contents and sources that rows name."""
    yield from _contents(store)
    yield from _sources(store)


def _contents(store: Store) -> Iterator[Finding]:
    rows = store.database.execute(
        "select id, parent, name, content, size from entry e where content is not null"
        " and not exists (select 1 from content where id = e.content) limit ?",
        (MOST,),
    ).fetchall()
    if store.repair and rows:
        with (
            store.transaction()
        ):  # a cell without a digest: the live file, where there is one, is the content itself
            store.database.executemany(
                "insert or ignore into content (id, size) values (?, ?)", ((row[3], row[4]) for row in rows)
            )
    for id, parent, name, cell, _ in rows:
        yield Finding(
            "relations",
            _said(parent, name),
            f"row {id} has the content {cell}, which is not there",
            "--repair notes that this version is lost, unless the file is still what it was",
            repaired=store.repair or None,
        )
    lacking = store.database.execute(
        "select id, parent, name from entry where content is null and size > 0 and mode & 0xf000 = 0x8000 limit ?",
        (MOST,),
    ).fetchall()
    for id, parent, name in lacking:
        if store.repair:
            with store.transaction():
                cell = store.database.execute(
                    "insert into content (size) select size from entry where id = ?", (id,)
                ).lastrowid
                store.unsummed(store.one("select born from entry where id = ?", id))
                store.database.execute("update entry set content = ? where id = ?", (cell, id))
        yield Finding(
            "relations",
            _said(parent, name),
            f"row {id} is a file with bytes, and has no content",
            "--repair notes that this version is lost, unless the file is still what it was",
            repaired=store.repair or None,
        )


def _sources(store: Store) -> Iterator[Finding]:
    rows = store.database.execute(
        "select id, parent, name, source from entry e where source is not null"
        " and not exists (select 1 from entry where id = e.source) limit ?",
        (MOST,),
    ).fetchall()
    if store.repair and rows:
        with store.transaction():
            store.database.executemany(
                "update entry set source = null where id = ?", ((row[0],) for row in rows)
            )
    for id, parent, name, source in rows:
        yield Finding(
            "relations",
            _said(parent, name),
            f"row {id} was renamed from the row {source}, which is not there",
            "--repair lets its history begin with it",
            repaired=store.repair or None,
        )


def intervals(store: Store) -> Iterator[Finding]:
    """At each path there is one thing at a time."""
    yield from _backwards(store)
    yield from _overlapping(store)


def _backwards(store: Store) -> Iterator[Finding]:
    rows = store.database.execute(
        "select id, parent, name, born, died from entry where died is not null and died <= born limit ?",
        (MOST,),
    ).fetchall()
    if store.repair and rows:
        with store.transaction():
            for id, _, _, born, died in rows:
                store.unsummed(born, died)
                store.database.execute("update entry set source = null where source = ?", (id,))
                store.database.execute("delete from entry where id = ?", (id,))
    for id, parent, name, born, died in rows:
        yield Finding(
            "intervals",
            _said(parent, name),
            f"row {id} was born at {born} and died at {died}",
            "--repair removes it: nobody ever saw it",
            repaired=store.repair or None,
        )


_NEXT = (
    "select * from (select id, parent, name, born, died, lead(born) over w as next, lead(id) over w as other from entry"
    " where died is null or died > born window w as (partition by parent, name order by born, id))"
    " where next is not null and (died is null or died > next) limit ?"
)


def _overlapping(store: Store) -> Iterator[Finding]:
    told = 0
    while told < MOST and (rows := store.database.execute(_NEXT, (MOST,)).fetchall()):
        told += len(rows)
        if store.repair:
            with store.transaction():
                for id, _, _, born, died, following, _ in rows:
                    store.unsummed(born, died, following)
                    if following > born:
                        store.database.execute(
                            "update entry set died = ?, gone = 0 where id = ?", (following, id)
                        )
                    else:
                        store.database.execute("update entry set source = null where source = ?", (id,))
                        store.database.execute("delete from entry where id = ?", (id,))
        for id, parent, name, born, died, _, other in rows:
            both = "two rows are live" if died is None else "two rows are there at one time"
            yield Finding(
                "intervals",
                _said(parent, name),
                f"{both}: {id} since {born}, and {other}",
                "--repair lets the older one end where the newer one begins",
                repaired=store.repair or None,
            )
        if not store.repair:
            return


_UNFOUND = (
    "select distinct e.parent, e.name from entry e where e.died is not null and e.gone = 1 and e.indexed = 1 and not exists"
    " (select 1 from dead_path d where d.parent = e.parent and d.name = e.name) limit ?"
)


def dead_paths(store: Store) -> Iterator[Finding]:
    """What was removed is found by its name in the past."""
    rows = store.database.execute(_UNFOUND, (MOST,)).fetchall()
    if store.repair and rows:
        with store.transaction():
            for path in rows:
                id = store.database.execute(
                    "insert into dead_path (parent, name) values (?, ?)", path
                ).lastrowid
                words = paths.words(paths.join(*path))
                store.database.execute(
                    "insert into dead_path_words (rowid, words) values (?, ?)", (id, words)
                )
    for parent, name in rows:
        yield Finding(
            "paths",
            _said(parent, name),
            "was removed, and is not found by its name in the past",
            "--repair adds it",
            repaired=store.repair or None,
        )


def _said(parent: bytes, name: bytes) -> str:
    return os.fsdecode(paths.join(parent, name))
