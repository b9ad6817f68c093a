"""like: what a file says of the files that are like it: a vector, and the words that tell it from others.

    vector   the normalised mean of its passages' vectors; of several files the mean of theirs, beside a prompt the mean of that and the
             prompt's own, normalised again. They are kept in vectors.db, so a file is compared without a model
    words    the MOST of its words with the highest Σ tf · idf over the files, each file's relative to its own best, of those that occur
             elsewhere, too; they rank as the words of a prompt do, and demand nothing

Of a long file only PASSAGES are read, evenly from its beginning to its end, and fewer of each of several, so that sixteen take as long as
two. What has the same content is a hit, mostly the first; the files themselves are not.

Threading: pure, but for the connections that the caller owns.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
    """found: of each file that is in view {"path", "passages", "stale", "embedded"}, for the answer: embedded is one of which some passage
    has a vector, or none needs one; vector: None where nothing of them has one."""

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
    contents: dict[int, int] = {}  # content → how many passages it has
    contained: dict[bytes, int] = {}  # path → content
    for path in dict.fromkeys(paths):
        parent, _, name = path.rpartition(b"/")
        row = db.execute(
            f"select c.id, c.passages, c.embedded, {view.stale} from {view.table} f {view.content} "
            f"where {view.seen} and f.parent = ? and f.name = ?",
            (parent, name),
        ).fetchone()
        if row is not None:
            content, passages, embedded, stale = row
            said = {
                "passages": passages or 0,
                "stale": bool(stale),
                "embedded": bool(embedded or not passages),
            }
            found.append({"path": path, **said})
            if passages:
                contents[content], contained[path] = passages, content
    most = _each(PASSAGES, len(contents))
    wanted = [
        (content << SHIFT) + n for content, passages in contents.items() for n in _spread(passages, most)
    ]
    rows = db.execute(
        f"select p.id, p.key, p.title, substr(p.text, 1, {READ}) from json_each(?) j join passage p on p.id = j.value",
        (json.dumps(wanted),),
    ).fetchall()
    texts: dict[int, list[str]] = {}
    keys: dict[int, list[bytes]] = {}
    for passage, key, title, text in rows:
        texts.setdefault(content_of(passage), []).append(f"{title}\n{text}")
        if key is not None:
            keys.setdefault(content_of(passage), []).append(key)
    known = {} if vectors is None else vectors.get(key for some in keys.values() for key in some)
    means = {content: together(*(known.get(key) for key in some)) for content, some in keys.items()}
    for one in found:
        one["embedded"] = one["embedded"] or means.get(contained[one["path"]]) is not None
    elsewhere = _Elsewhere(db, rarity, contents)
    return Like(found, telling(lexicon, rarity, texts.values(), elsewhere), together(*means.values()))


def without(view: View, paths: Iterable[bytes]) -> View:
    """The view without the files at these paths."""
    pairs = (path.rpartition(b"/") for path in paths)
    gone = " or ".join(
        f"f.parent = x'{parent.hex()}' and f.name = x'{name.hex()}'" for parent, _, name in pairs
    )
    return view._replace(seen=f"{view.seen} and not ({gone})") if gone else view


def telling(
    lexicon: Lexicon,
    rarity: Rarity,
    files: Collection[Iterable[str]],
    elsewhere: Callable[[str], bool] = lambda word: True,
) -> list[str]:
    """The words that tell most of some files (each the texts of its passages), best first. elsewhere: whether another file has a word that
    more passages have than those."""
    found: dict[str, float] = {}
    tried = _each(TRIED, len(files))
    for texts in files:
        passages = [list(_words(text)) for text in texts]
        counts = Counter(word for said in passages for word in said)
        own = Counter(word for said in passages for word in set(said))
        # of those that occur as often, long ones are rarer elsewhere; what no other file has finds none
        often = sorted(counts, key=lambda word: (-counts[word], -len(word), word))[:tried]
        shared = [word for word in often if rarity.count(word) > own[word] and elsewhere(word)] or often
        said = {word: counts[word] * max(words.LEAST, rarity.idf(word)) for word in shared}
        best = max(said.values(), default=1.0)
        for word, value in said.items():
            found[word] = found.get(word, 0.0) + value / best
    chosen: list[str] = []
    for word in sorted(found, key=lambda word: (-found[word], word)):
        if len(chosen) < MOST and not any(lexicon.alike(word, other) for other in chosen):
            chosen.append(word)
    return chosen


class _Elsewhere:
    """Whether a passage outside of some contents has a word. Of a long file not all is read, and a word has several forms."""

    def __init__(self, db: sqlite3.Connection, rarity: Rarity, contents: Mapping[int, int]) -> None:
        self._db, self._rarity = db, rarity
        self._most = sum(contents.values())  # passages that can have it
        ends = [end << SHIFT for content in sorted(contents) for end in (content, content + 1)]
        self._between = list(zip([0, *ends[1::2]], [*ends[::2], 1 << 62], strict=True))
        self._known: dict[str, bool] = {}

    def __call__(self, word: str) -> bool:
        known = self._known.get(word)
        if known is None:
            known = self._rarity.count(word) > self._most or any(
                self._db.execute(
                    "select 1 from words where words match ? and rowid >= ? and rowid < ? limit 1",
                    (f'"{word}"', first, end),
                ).fetchone()
                for first, end in self._between
            )
            self._known[word] = known
        return known


def together(*vectors: np.ndarray | None) -> np.ndarray | None:
    """The normalised sum of those that are there, or the first where they say nothing together; None where there is none."""
    some = [vector for vector in vectors if vector is not None]
    if len(some) < 2:
        return some[0] if some else None
    total: np.ndarray = np.sum(some, 0)
    length = float(np.linalg.norm(total))
    return (total / length).astype(np.float32) if length > 1e-6 else some[0]


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


def _each(most: int, files: int) -> int:
    """Of so many files `most` of each, or, where they are more than two, what two would have."""
    return 2 * most // max(2, files)


def _spread(count: int, most: int) -> Sequence[int]:
    """The numbers below `count`, `most` at most (two or more), evenly."""
    if count <= most:
        return range(count)
    return sorted({round(n * (count - 1) / (most - 1)) for n in range(most)})
