"""fsck: the contents. A cell names an object, a large object names chunks, a chunk lies in a pack; each of them has to be there, and whole.

What is missing or damaged is lost for all that have it. Where a live file still has a content, that file is it again.
"""

import os
from collections.abc import Iterator

from lsfs.history import paths
from lsfs.history.contents import DIGEST
from lsfs.history.fsck import MOST, Finding, Store

_LOST = "--repair notes that these versions are lost, unless the file is still what it was"


def objects(store: Store) -> Iterator[Finding]:
    """Each captured cell has its object, of its size; each list of chunks can be one."""
    rows = store.database.execute(
        "select c.id, c.digest, c.size, o.size from content c left join object o on o.digest = c.digest"
        " where c.digest is not null and (o.size is null or o.size != c.size) limit ?",
        (MOST,),
    ).fetchall()
    for cell, digest, size, found in rows:
        wrong = (
            "its content is missing"
            if found is None
            else f"its content has {found} bytes, and should have {size}"
        )
        yield Finding(
            "objects",
            _whose(store, cell),
            f"{wrong} ({digest.hex()[:16]}…)",
            _LOST,
            repaired=store.repair or None,
        )
        if store.repair:
            with store.transaction():
                store.lose(cell)
    bad = store.database.execute(
        "select digest from object where encoding not in ('raw', 'zstd', 'chunks') or length(digest) != ?"
        " or (encoding = 'chunks' and length(data) % ? != 0) or (encoding = 'raw' and length(data) != size) limit ?",
        (DIGEST, DIGEST, MOST),
    ).fetchall()
    for (digest,) in bad:
        yield from _damaged(store, "objects", digest, "its row says what no content is")


def chunks(store: Store) -> Iterator[Finding]:
    """Each chunk that a content lists is there, and their sizes make up its own."""
    sizes = dict(store.database.execute("select digest, size from chunk").fetchall())
    for digest, size, data in store.database.execute(
        "select digest, size, data from object where encoding = 'chunks'"
    ).fetchall():
        listed = [data[at : at + DIGEST] for at in range(0, len(data), DIGEST)]
        missing = [one for one in listed if one not in sizes]
        if missing:
            yield from _damaged(
                store, "chunks", digest, f"{len(missing)} of its {len(listed)} chunks are missing"
            )
        elif sum(sizes[one] for one in listed) != size:
            yield from _damaged(store, "chunks", digest, "its chunks do not make up its size")


def packs(store: Store) -> Iterator[Finding]:
    """Each chunk lies inside its pack, beside the others; each pack is named by a chunk."""
    there = _packs(store)
    lost: list[bytes] = []
    before: tuple[str, int] = ("", 0)
    for digest, pack, offset, length in store.database.execute(
        "select digest, pack, offset, length from chunk order by pack, offset"
    ).fetchall():
        wrong = None
        if pack not in there:
            wrong = "its pack is missing"
        elif offset < 0 or offset + length > there[pack]:
            wrong = "it lies behind the end of its pack"
        elif pack == before[0] and offset < before[1]:
            wrong = "it lies over another chunk"
        before = (pack, offset + length)
        if wrong is not None and store.mounted:
            store.fresh()
        if wrong is None or (store.mounted and not store.one("select 1 from chunk where digest = ?", digest)):
            continue
        lost.append(digest)
        if len(lost) <= MOST:
            yield Finding(
                "packs",
                f"packs/{pack} at {offset}",
                f"chunk {digest.hex()[:16]}…: {wrong}",
                _LOST,
                repaired=store.repair or None,
            )
    if store.repair and lost:
        _lose_chunks(store, set(lost))
    named = {name for (name,) in store.database.execute("select distinct pack from chunk")}
    stray = sorted(set(there) - named) if not store.mounted else []
    if store.repair:
        store.objects().discard(name for name in stray if name.isalnum())
    for name in stray[:MOST]:
        yield Finding(
            "packs",
            f"packs/{name}",
            "is named by nothing: a kill left it",
            "--repair or the next mount removes it",
            False,
            store.repair or None,
        )


def _packs(store: Store) -> dict[str, int]:
    try:
        with os.scandir(store.state / "packs") as entries:
            return {entry.name: entry.stat(follow_symlinks=False).st_size for entry in entries}
    except FileNotFoundError:
        return {}


def _lose_chunks(store: Store, lost: set[bytes]) -> None:
    with store.transaction():
        store.database.executemany("delete from chunk where digest = ?", ((digest,) for digest in lost))
        for digest, data in store.database.execute(
            "select digest, data from object where encoding = 'chunks'"
        ).fetchall():
            if any(data[at : at + DIGEST] in lost for at in range(0, len(data), DIGEST)):
                _forget(store, digest)


def _forget(store: Store, digest: bytes) -> list[str]:
    """The object goes, and no cell has it any more. In a transaction. Returns the packs to be made free after it."""
    for (cell,) in store.database.execute("select id from content where digest = ?", (digest,)).fetchall():
        store.lose(cell)
    return store.objects().remove([digest])


def _damaged(store: Store, check: str, digest: bytes, wrong: str) -> Iterator[Finding]:
    cells = [
        cell
        for (cell,) in store.database.execute("select id from content where digest = ? limit 3", (digest,))
    ]
    whose = ", ".join(_whose(store, cell) for cell in cells) or f"object {digest.hex()[:16]}…"
    yield Finding(check, whose, f"{wrong} ({digest.hex()[:16]}…)", _LOST, repaired=store.repair or None)
    if store.repair:
        with store.transaction():
            packs = _forget(store, digest)
        store.objects().discard(packs)


def data(store: Store) -> Iterator[Finding]:
    """Every byte is the one that it was (only with --data)."""
    if not store.data:
        return
    bad = set()
    for (digest,) in store.database.execute("select digest from chunk order by pack, offset").fetchall():
        if (wrong := _try(store, digest)) is not None and _still(store, "chunk", digest):
            bad.add(digest)
            yield Finding("data", f"chunk {digest.hex()[:16]}…", wrong, _LOST, repaired=store.repair or None)
    if store.repair and bad:
        _lose_chunks(store, bad)
    for (digest,) in store.database.execute("select digest from object order by id").fetchall():
        said = store.contents.verify(digest)
        if said is not None and _still(store, "object", digest):
            yield from _damaged(store, "data", digest, _first(said))


def _still(store: Store, table: str, digest: bytes) -> bool:
    """Is it named yet? A daemon may have removed it while it was read."""
    store.fresh()
    return bool(store.one(f"select 1 from {table} where digest = ?", digest))


def _try(store: Store, digest: bytes) -> str | None:
    from syscalls.errors import LsfsError

    try:
        store.contents.chunk(digest)
    except LsfsError as error:
        return _first(str(error))
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None


def _first(sentence: str) -> str:
    """What is wrong, without what can be done."""
    return sentence.rpartition(": ")[0] or sentence


def cells(store: Store) -> Iterator[Finding]:
    """Contents that no row has any more: retention removes them, a day after they were captured."""
    last = store.one("select max(id) from content")
    rows = store.database.execute(
        "select id, digest, held, captured from content c where id > 0 and id < ?"
        " and not exists (select 1 from entry where content = c.id)",
        (last,),
    ).fetchall()
    if rows:
        yield Finding(
            "cells",
            "history.db",
            f"{len(rows)} contents are no version's any more",
            "the next collection removes them",
            False,
            store.repair or None,
        )
    if store.repair and rows:
        with store.transaction():
            for cell, _, _, captured in rows:
                store.unsummed(captured)
                store.database.execute("delete from content where id = ?", (cell,))
            free = {digest for _, digest, _, _ in rows if digest is not None}
            free -= {
                digest
                for digest in free
                if store.one("select 1 from content where digest = ? limit 1", digest)
            }
            packs = store.objects().remove(free)
        store.objects().discard(packs)


def orphans(store: Store) -> Iterator[Finding]:
    """Objects that no cell names, chunks that no object lists."""
    found = [
        digest
        for (digest,) in store.database.execute(
            "select digest from object o where not exists (select 1 from content where digest = o.digest) limit ?",
            (MOST,),
        )
    ]
    for digest in found:
        yield Finding(
            "orphans",
            f"object {digest.hex()[:16]}…",
            "is no version's content",
            "--repair removes it",
            repaired=store.repair or None,
        )
    if store.repair and found:
        with store.transaction():
            packs = store.objects().remove(found)
        store.objects().discard(packs)
    unlisted = {digest for (digest,) in store.database.execute("select digest from chunk")}
    for (listed,) in store.database.execute("select data from object where encoding = 'chunks'"):
        unlisted.difference_update(listed[at : at + DIGEST] for at in range(0, len(listed), DIGEST))
    for digest in sorted(unlisted)[:MOST]:
        yield Finding(
            "orphans",
            f"chunk {digest.hex()[:16]}…",
            "is part of no content",
            "--repair removes it",
            repaired=store.repair or None,
        )
    if store.repair and unlisted:
        with store.transaction():
            names = {
                store.database.execute("select pack from chunk where digest = ?", (one,)).fetchone()[0]
                for one in unlisted
            }
            store.database.executemany(
                "delete from chunk where digest = ?", ((digest,) for digest in unlisted)
            )
        store.objects().discard(sorted(name for name in names if name.isalnum()))


def _whose(store: Store, cell: int) -> str:
    """The path of a version with this content."""
    row = store.database.execute(
        "select parent, name from entry where content = ? order by died is not null, born desc limit 1",
        (cell,),
    ).fetchone()
    return f"content {cell}" if row is None else os.fsdecode(paths.join(*row))
