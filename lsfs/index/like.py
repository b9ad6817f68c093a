"""like: what a file says of the files that are like it: a vector, and the words that tell it from others.

    vector   the normalised mean of its passages' vectors; of several files the mean of theirs, beside a prompt the mean of that and the
             prompt's own, normalised again. They are kept in vectors.db, so a file is compared without a model
    words    the MOST of its words with the highest Σ tf · idf over the files, each file's relative to its own best, of those that occur
             elsewhere, too; they rank as the words of a prompt do, and demand nothing

Of a long file only PASSAGES are read, evenly from its beginning to its end. What has the same content is as like it as can be, and is a
hit; the files themselves are not.

Threading: pure, but for the connections that the caller owns.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lsfs.index import words
from lsfs.index.backlog import SHIFT, content_of
from lsfs.index.lexicon import Lexicon
from lsfs.index.rarity import Rarity
from lsfs.index.view import View

if TYPE_CHECKING:
    from lsfs.index.vectors import Vectors

PASSAGES = 128  # of a file
READ = 4000  # characters of a passage
# words. Files that changed in one commit (git_flask), abstracts that answer one question (cacm, cisi): by both signals 12 to 24 make
# .44, .38, .42 nDCG@10, by meaning alone it is .42, .37, .41. A logarithm of tf loses .01
MOST = 16
TRIED = 300  # words of a file, those it has most often, of which is asked how rare they are
LONGEST = 40  # characters of a word: what is longer is no word of a language
_WORD = re.compile(r"[^\W_]+")


class Like(NamedTuple):
    """found: of each file that is in view {"path", "passages", "stale", "embedded"}, for the answer; vector: None where nothing of them
    has one."""

    found: list[dict[str, Any]]
    words: list[str]
    vector: np.ndarray | None


NOTHING = Like([], [], None)


def like(
    db: sqlite3.Connection,
    view: View,
    lexicon: Lexicon,
    rarity: Rarity,
    vectors: "Vectors | None",
    paths: Iterable[bytes],
) -> Like:
    """What is to be like these files of a view."""
    found: list[dict[str, Any]] = []
    wanted: dict[int, Sequence[int]] = {}  # content → its passages
    for path in dict.fromkeys(paths):
        parent, _, name = path.rpartition(b"/")
        row = db.execute(
            f"select c.id, c.passages, c.embedded, {view.stale} from {view.table} f {view.content} "
            f"where {view.seen} and f.parent = ? and f.name = ?",
            (parent, name),
        ).fetchone()
        if row is not None:
            content, passages, embedded, stale = row
            said = {"passages": passages or 0, "stale": bool(stale), "embedded": bool(embedded)}
            found.append({"path": path, **said})
            if passages:
                wanted[content] = [(content << SHIFT) + ordinal for ordinal in _spread(passages)]
    rows = db.execute(
        f"select p.id, p.key, p.title, substr(p.text, 1, {READ}) from json_each(?) j join passage p on p.id = j.value",
        (json.dumps([passage for some in wanted.values() for passage in some]),),
    ).fetchall()
    texts: dict[int, list[str]] = {}
    keys: dict[int, list[bytes]] = {}
    for passage, key, title, text in rows:
        texts.setdefault(content_of(passage), []).append(f"{title}\n{text}")
        if key is not None:
            keys.setdefault(content_of(passage), []).append(key)
    telling_ = telling(lexicon, rarity, texts.values())
    return Like(found, telling_, None if vectors is None else _mean(vectors, keys.values()))


def without(view: View, paths: Iterable[bytes]) -> View:
    """The view without the files at these paths."""
    pairs = (path.rpartition(b"/") for path in paths)
    gone = " or ".join(
        f"f.parent = x'{parent.hex()}' and f.name = x'{name.hex()}'" for parent, _, name in pairs
    )
    return view._replace(seen=f"{view.seen} and not ({gone})") if gone else view


def telling(lexicon: Lexicon, rarity: Rarity, files: Iterable[Iterable[str]]) -> list[str]:
    """The words that tell most of some files (each the texts of its passages), best first."""
    found: dict[str, float] = {}
    for texts in files:
        passages = [list(_words(text)) for text in texts]
        counts = Counter(word for said in passages for word in said)
        own = Counter(word for said in passages for word in set(said))
        # of those that occur as often, long ones are rarer elsewhere; what no other file has finds none
        often = sorted(counts, key=lambda word: (-counts[word], -len(word), word))[:TRIED]
        shared = [word for word in often if rarity.count(word) > own[word]] or often
        said = {word: counts[word] * max(words.LEAST, rarity.idf(word)) for word in shared}
        best = max(said.values(), default=1.0)
        for word, value in said.items():
            found[word] = found.get(word, 0.0) + value / best
    chosen: list[str] = []
    for word in sorted(found, key=lambda word: (-found[word], word)):
        if len(chosen) < MOST and not any(lexicon.alike(word, other) for other in chosen):
            chosen.append(word)
    return chosen


def together(*vectors: np.ndarray | None) -> np.ndarray | None:
    """The normalised sum of those that are there, or the first where they say nothing together; None where there is none."""
    some = [vector for vector in vectors if vector is not None]
    if len(some) < 2:
        return some[0] if some else None
    total: np.ndarray = np.sum(some, 0)
    length = float(np.linalg.norm(total))
    return (total / length).astype(np.float32) if length > 1e-6 else some[0]


def _mean(vectors: "Vectors", files: Iterable[Sequence[bytes]]) -> np.ndarray | None:
    some = list(files)
    known = vectors.get(key for keys in some for key in keys)
    return together(*(together(*(known.get(key) for key in keys)) for keys in some))


def _words(text: str) -> Iterable[str]:
    """The words of a passage, in lower case, as the index finds them: with the parts of identifiers, and in scripts that are written
    without spaces the pairs of characters alone."""
    for word in _WORD.findall(text):
        parts = words.pieces(word)
        if not parts or word.isascii():
            parts = [word, *parts]
        for part in parts:
            part = part.lower()
            if 1 < len(part) <= LONGEST and part not in words.STOPWORDS and not part.isdigit():
                yield part


def _spread(count: int) -> Sequence[int]:
    """The numbers below `count`, PASSAGES at most, evenly."""
    if count <= PASSAGES:
        return range(count)
    return sorted({round(n * (count - 1) / (PASSAGES - 1)) for n in range(PASSAGES)})
