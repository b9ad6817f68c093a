"""objects: every content that history keeps, once, under the digest of its bytes.

history.db: object        a content up to LARGE is its row, as it is or compressed; of a larger one the row lists its chunks
history.db: chunk         where a chunk lies
<state>/packs/<name>      the chunks that were new when a large content was captured, one behind the other and nothing else

Order of writing: `pack` returns when its file is on the disk; then the caller commits the rows, then acknowledges. A kill in between
leaves a pack that no row names (`stray_packs`). Removal runs the other way: rows first, and after the commit `discard` removes the
packs that hold nothing any more, and takes the dead chunks out of the others by holes: no pack is ever written again, nothing moves.

Reading is in `contents`, packs are made in `packs`.

Threading: `prepare` runs in any thread. `Objects` belongs to the catalogue thread, inside the caller's transaction.
"""

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lsfs.history.contents import digest_of, encode, found, known_chunks, place, split
from lsfs.history.packs import Packed, Torn, hollow, sync_folder

TABLES = """
create table object (id integer primary key, digest blob not null unique, size integer not null, encoding text not null,
    data blob not null);
create index object_chunks on object (id) where encoding = 'chunks';
create table chunk (id integer primary key, digest blob not null unique, size integer not null, pack text not null,
    offset integer not null, length integer not null, encoding text not null);
create index chunk_pack on chunk (pack, offset);
"""
LARGE = 256 << 10


@dataclass(frozen=True, slots=True)
class Prepared:
    """A content as it will be kept in its row."""

    digest: bytes
    size: int
    encoding: str
    data: bytes


def prepare(data: bytes) -> Prepared:
    """What is to be kept of a content up to LARGE."""
    encoding, encoded = encode(data)
    return Prepared(digest_of(data), len(data), encoding, bytes(encoded))


class Objects:
    """The writing side. Nothing here commits: every method is part of the caller's transaction, but those about pack files."""

    def __init__(self, database: sqlite3.Connection, state: Path) -> None:
        self.database = database
        self.packs = state / "packs"
        self.packs.mkdir(0o700, exist_ok=True)
        sync_folder(state)

    def has(self, digest: bytes) -> bool:
        """Is this content kept?"""
        return bool(self.database.execute("select 1 from object where digest = ?", (digest,)).fetchone())

    def known_chunks(self, digests: Iterable[bytes]) -> set[bytes]:
        """Which of these digests are chunks."""
        return known_chunks(self.database, digests)

    def put(self, content: Prepared) -> None:
        """Keep a small content, unless it is kept already."""
        self._insert(content.digest, content.size, content.encoding, content.data)

    def _insert(self, digest: bytes, size: int, encoding: str, data: bytes) -> None:
        self.database.execute(
            "insert or ignore into object (digest, size, encoding, data) values (?, ?, ?, ?)",
            (digest, size, encoding, data),
        )

    def put_packed(self, content: Packed) -> list[str]:
        """Keep a large content, unless it is kept already. Returns what to give to `discard` after the commit: its pack, where another
        capture of the same bytes came first.

        Raises Torn where chunks that were known when it was packed have been removed since: discard its pack and pack it again."""
        packs = [] if content.pack is None else [content.pack]
        if self.has(content.digest):
            return packs
        here = {chunk.digest for chunk in content.new}
        elsewhere = set(split(content.chunks)) - here
        if elsewhere - self.known_chunks(elsewhere):
            raise Torn("Parts of the content were removed from history while it was read: it is read again.")
        before = self.database.total_changes
        self.database.executemany(
            "insert or ignore into chunk (digest, size, offset, length, encoding, pack) values (?, ?, ?, ?, ?, ?)",
            ((*chunk, content.pack) for chunk in content.new),
        )
        whole = self.database.total_changes - before == len(content.new)
        self._insert(content.digest, content.size, "chunks", content.chunks)
        return [] if whole else packs

    def remove(self, digests: Iterable[bytes]) -> list[str]:
        """Keep these contents no more, nor the chunks that no other content has. Returns what to give to `discard` after the commit.

        Where one of them is large, the lists of all other large contents are read once: 0.1 s for a million chunks."""
        left: set[bytes] = set()
        for digest in digests:
            removed = self.database.execute(
                "delete from object where digest = ? returning encoding, data", (digest,)
            ).fetchall()
            for encoding, data in removed:
                if encoding == "chunks":
                    left.update(split(data))
        if left:
            for (data,) in self.database.execute("select data from object where encoding = 'chunks'"):
                left.difference_update(split(data))
        packs = {name for (name,) in found(self.database, "pack", left)}
        self.database.executemany("delete from chunk where digest = ?", ((digest,) for digest in left))
        return sorted(packs)

    def discard(self, packs: Iterable[str]) -> None:
        """After the commit: remove those of these packs that hold no chunk, and give back the room between the chunks of the others.

        What was there is zeros when this returns, on the disk too. It may be called again, and harms no chunk that a row names."""
        assert not self.database.in_transaction, "rows that are not committed may come back"
        for name in packs:
            live = self.database.execute(
                "select offset, length from chunk where pack = ? order by offset", (name,)
            ).fetchall()
            path = place(self.packs, name)
            if live:
                hollow(path, live)
            else:
                path.unlink(missing_ok=True)
        sync_folder(self.packs)

    def stray_packs(self) -> list[str]:
        """The packs that no chunk names: left by a kill. Asked when no `pack` is under way, or under way is what it returns."""
        named = {name for (name,) in self.database.execute("select distinct pack from chunk")}
        return sorted(set(os.listdir(self.packs)) - named)

    def compact(self) -> None:
        """Give back what a kill between a commit and its `discard` left in the packs."""
        self.discard(
            [name for (name,) in self.database.execute("select distinct pack from chunk order by pack")]
        )
