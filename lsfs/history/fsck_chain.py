"""fsck: the chain of moments, and the names for sequences.

Each moment has the sum of what its sequence did, and a link that hangs on the one before, so whoever changes a row, a digest or a moment
later cannot hide it without making every later link anew. What retention removed leaves moments whose sum proves nothing; their links hold.

A repair accepts what is there: it makes the links anew from the break on, and writes down in `meta` that it did. That note stays.
"""

import json
import os
import time
from collections.abc import Iterator
from datetime import datetime

from lsfs.history.chain import GENESIS, link, sum_of
from lsfs.history.fsck import MOST, Finding, Store

ACCEPTED = "accepted"  # the key in `meta` of what repairs accepted


def snapshots(store: Store) -> Iterator[Finding]:
    """A name is for a sequence that was."""
    last = store.one("select value from meta where key = 'sequence'")
    rows = store.database.execute(
        "select name, sequence from snapshot where sequence > ? or sequence < 0", (last,)
    ).fetchall()
    if store.repair and rows:
        with store.transaction():
            store.database.executemany(
                "update snapshot set sequence = ? where name = ?", ((last, name) for name, _ in rows)
            )
    for name, sequence in rows:
        yield Finding(
            "snapshots",
            f"snapshots/{os.fsdecode(name)}",
            f"is a name for the sequence {sequence}, and the last one is {last}",
            "--repair makes it show the last one",
            repaired=store.repair or None,
        )


_LACKING = (
    "select s from (select born s from entry union select died from entry where died is not null"
    " union select captured from content where captured is not null) where s not in (select sequence from moment) order by s limit ?"
)


def moments(store: Store) -> Iterator[Finding]:
    """What happened has a time."""
    rows = [row[0] for row in store.database.execute(_LACKING, (MOST,))]
    if store.repair and rows:
        with store.transaction():
            for sequence in rows:
                before = store.database.execute(
                    "select at from moment where sequence < ? order by sequence desc limit 1", (sequence,)
                ).fetchone()
                store.database.execute(
                    "insert into moment (sequence, at, sum, chain, pruned) values (?, ?, ?, ?, 1)",
                    (sequence, before[0] if before else 0.0, sum_of(store.database, sequence), GENESIS),
                )
            _relink(store)
            _accept(store, rows[0], "moments were missing")
    for sequence in rows:
        yield Finding(
            "moments",
            f"sequence {sequence}",
            "has no moment: it was removed, or this was tampered with",
            "compare with a copy; --repair gives it the time of the one before, and a note stays",
            repaired=store.repair or None,
        )


def chain(store: Store) -> Iterator[Finding]:
    """Every link holds, and every sum that can is what the rows say."""
    for number, note in enumerate(_accepted(store)):
        if number < MOST:
            when = datetime.fromtimestamp(note["at"]).isoformat(" ", "seconds")
            yield Finding(
                "chain",
                f"sequence {note['sequence']}",
                f"{note['what']}; a repair accepted it on {when}",
                "for you to know",
                harm=False,
            )
    before, told, broken = GENESIS, 0, None
    for sequence, at, sum, found, pruned in store.database.execute(
        "select sequence, at, sum, chain, pruned from moment order by sequence"
    ).fetchall():
        wrong = []
        if not pruned & 1 and sum_of(store.database, sequence) != sum:
            wrong.append("what it did is not what it did once: a row or a digest was changed")
            if store.repair:
                with store.transaction():
                    store.unsummed(sequence)
                    _accept(store, sequence, "its sum was another one")
        if link(before, sequence, at, sum) != found and broken is None:
            wrong.append("does not hang on the one before: a moment was changed or removed")
            broken = sequence
        before = found
        for what in wrong[: MOST - told]:
            told += 1
            yield Finding(
                "chain",
                f"sequence {sequence}",
                what,
                "compare with a copy; --repair accepts what is there, and a note stays",
                repaired=store.repair or None,
            )
    if store.repair and broken is not None:
        with store.transaction():
            _relink(store)
            _accept(store, broken, "the chain was broken here")


def _relink(store: Store) -> None:
    before = GENESIS
    for sequence, at, sum in store.database.execute(
        "select sequence, at, sum from moment order by sequence"
    ).fetchall():
        before = link(before, sequence, at, sum)
        store.database.execute("update moment set chain = ? where sequence = ?", (before, sequence))


def _accepted(store: Store) -> list[dict]:
    row = store.database.execute("select value from meta where key = ?", (ACCEPTED,)).fetchone()
    return json.loads(row[0]) if row else []


def _accept(store: Store, sequence: int, what: str) -> None:
    """In a transaction."""
    notes = [*_accepted(store), {"at": time.time(), "sequence": sequence, "what": what}]
    store.database.execute("insert or replace into meta values (?, ?)", (ACCEPTED, json.dumps(notes)))
