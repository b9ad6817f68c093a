"""chain: each sequence is sealed into a chain of hashes, so that a later change of the past shows (lsfs-fsck(1)).

A sum says what a sequence did; a link is the hash of the link before, the sequence, its time and its sum. What is taken away later by
design (`lsfs.history.collect`, versions that were thinned out) marks the moments that it touches: their sums prove nothing any more, the
chain of links does.

Called in the catalogue's thread, inside the commit that is sealed.
"""

import sqlite3
from hashlib import blake2b

GENESIS = bytes(32)
_BORN = " || '|' || ".join(
    f"quote({column})"
    for column in (
        "id", "parent", "name", "mode", "uid", "gid", "size", "mtime_ns", "target", "xattrs", "content",
    )
)  # fmt: skip


def sum_of(database: sqlite3.Connection, sequence: int) -> bytes:
    """blake2b of what a sequence did: the rows born (`+`), the rows that died (`-`), the contents captured (`=`), each by id, as SQLite
    quotes them."""
    sum = blake2b(digest_size=32)
    for mark, query in (
        ("+", f"select {_BORN} from entry where born = ? order by id"),
        ("-", "select quote(id) from entry where died = ? order by id"),
        ("=", "select quote(id) || '|' || quote(digest) from content where captured = ? order by id"),
    ):
        for (line,) in database.execute(query, (sequence,)):
            sum.update(f"{mark}{line}\n".encode("utf-8", "surrogatepass"))
    return sum.digest()


def link(chain: bytes, sequence: int, at: float, sum: bytes) -> bytes:
    """The next link of the chain of sequences."""
    return blake2b(chain + f"|{sequence}|{at!r}|".encode() + sum, digest_size=32).digest()


def seal(database: sqlite3.Connection, sequence: int, at: float) -> None:
    """Write the moment of a sequence: when it was, and the link that makes a later change of what it did show."""
    last = database.execute("select at, chain from moment order by sequence desc limit 1").fetchone()
    at = max(at, last[0]) if last else at  # a clock that is set back makes no time go backwards
    sum = sum_of(database, sequence)
    database.execute(
        "insert into moment (sequence, at, sum, chain) values (?, ?, ?, ?)",
        (sequence, at, sum, link(last[1] if last else GENESIS, sequence, at, sum)),
    )
