"""shown: what of a hit is shown beside its path: its best passages, and who wrote it.

Threading: pure, but for the connection that the caller owns.
"""

import sqlite3
from collections.abc import Mapping

from lsfs.index import authors
from lsfs.index.backlog import SHIFT
from lsfs.index.fusion import WEIGHTS

BEST = 3  # passages of a hit


def author(db: sqlite3.Connection, content: int, path: bytes) -> str:
    """Who wrote it; "" where that is not said."""
    if not authors.says(path):
        return ""
    row = db.execute("select text from passage where id = ?", (content << SHIFT,)).fetchone()
    return authors.author(path, row[0]) if row else ""


def passages(
    db: sqlite3.Connection,
    content: int,
    values: Mapping[str, Mapping[int, float]],
    units: Mapping[str, float],
) -> list[dict]:
    """The best passages of a content, each with its score against the best of the whole answer; else its first one.

    values: signal → passage → value; units: signal → what its values are divided by."""
    scores: dict[int, float] = {}
    total = sum(WEIGHTS[name] for name in units) or 1.0
    for name, found in values.items():
        for passage, value in found.items():
            if value > 0 and units.get(name):
                scores[passage] = scores.get(passage, 0.0) + WEIGHTS[name] * value / units[name] / total
    chosen = sorted(scores, key=lambda passage: (-scores[passage], passage))[:BEST] or [content << SHIFT]
    rows = db.execute(
        f"select id, first_line, last_line, text from passage where id in ({','.join('?' * len(chosen))})",
        chosen,
    ).fetchall()
    rows.sort(key=lambda row: chosen.index(row[0]))
    return [
        {"lines": [first, last], "text": text, "score": round(scores.get(id_, 0.0), 6)}
        for id_, first, last, text in rows
    ]
