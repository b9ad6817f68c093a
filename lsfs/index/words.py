"""words: the inverted index over passages, and how a prompt's words ask it.

An FTS5 table without content of its own: rows are passages, columns `title`, `text` and `parts`. `parts` holds what the tokenizer would not
find by itself: the pieces of identifiers (`parseHeader` → parse Header; measured: 5 to 10 points in code), pairs of neighbouring
characters where a script writes no spaces, and words for dates (`lsfs.index.dates`). A prompt's words are taken apart in the same way.

Threading: pure, but for the connection that the caller owns.
"""

import math
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from lsfs.index import dates

# `porter`: refund finds refunds; `remove_diacritics 2`: cafe finds café. history.path_words uses the same.
TOKENIZER = "porter unicode61 remove_diacritics 2"
COLUMNS = ("title", "text", "parts")
TABLE = (
    f"create virtual table words using fts5 ({', '.join(COLUMNS)}, content = '', tokenize = '{TOKENIZER}')"
)
# a heading says what its section is about; measured on git_flask and cacm, 1 to 3 make no difference, parts at 1 gain a little
WEIGHTS = (2.0, 1.0, 1.0)

REPEATED = 3
MOST_TERMS = 1024  # a page in a script without spaces has 20,000 pairs of characters, which take seconds
LEAST = 1e-6  # the idf that FTS5 gives a word which half of all passages have
PAIRS = 32
COMMON = 20_000  # rows: what more passages have says little, and costs the more

_WORD = re.compile(r"[^\W_]+")
_SEAM = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])"
)
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f]{2,}")
_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_STOP = """
a about above after again all also am an and any are as at be because been before being below between both but by can could did do
does doing down during each few for from further had has have having he her here hers him his how i if in into is it its itself just
me more most my no nor not of off on once only or other our out over own same she should so some such than that the their them then
there these they this those through to too under until up very was we were what when where which while who whom why will with would
you your yours s t
"""
STOPWORDS = frozenset(_STOP.split())


def clean(text: str) -> str:
    """`text` without lone surrogates, which SQLite does not take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def pieces(word: str) -> list[str]:
    """What a word is found by besides itself: parts of an identifier, pairs of characters where no spaces are written, Greek without its
    accents, which the tokenizer leaves."""
    found = [piece for piece in _SEAM.split(word) if len(piece) > 1]
    if found == [word]:
        found = []
    for run in _UNSPACED.findall(word):
        found += [run[i : i + 2] for i in range(len(run) - 1)] if run != word or len(run) > 2 else []
    if _GREEK.search(word):
        folded = unicodedata.normalize("NFD", word.casefold())
        bare = "".join(character for character in folded if not unicodedata.combining(character))
        found += [bare] if bare != word else []
    return found


def parts(text: str, kind: str, title: str = "") -> str:
    """The column `parts` of a passage of a content of this type."""
    found = [piece for word in _WORD.findall(text) for piece in pieces(word)]
    return " ".join([*found, *dates.said(f"{title}\n{text}" if title else text), kind])


def plain(said: Iterable[str]) -> list[str]:
    """The words of a prompt or of a path, in lower case, without punctuation."""
    return [word.lower() for part in said for word in _WORD.findall(clean(part))]


def terms(said: Iterable[str]) -> list[str]:
    """What a prompt's words are searched as: no punctuation, no stopwords (unless nothing else remains), pieces and dates added, no
    repetition."""
    said = list(said)
    plain = [word for part in said for word in _WORD.findall(clean(part))]
    telling = [word for word in plain if word.lower() not in STOPWORDS] or plain
    found: dict[str, str] = {}  # the same in other letters is the same to FTS5
    for word in telling:
        for term in (word, *pieces(word)):
            found.setdefault(term.lower(), term)
    found |= {term: term for term in dates.asked(" ".join(said))}
    return list(found.values())[:MOST_TERMS]


def any_of(found: Iterable[str]) -> str:
    """The FTS5 expression for passages in which any of these terms occurs."""
    return " OR ".join(f'"{term}"' for term in found)


def repeated(found: Iterable[str], said: Iterable[str]) -> list[str]:
    """The terms, each as often as the prompt has it (up to REPEATED): what is said twice counts twice (cacm: +.011 nDCG@10). So does a day,
    which two or three words say."""
    counts = Counter(plain(said))
    times = {term: 2 if dates.is_day(term) else min(REPEATED, counts[term.lower()]) for term in found}
    return [term for term in found for _ in range(max(1, times[term]))]


def pairs(said: Iterable[str]) -> list[tuple[str, str]]:
    """The words of a prompt that say something, each with the next one."""
    telling = [word for word in plain(said) if word not in STOPWORDS]
    found = dict.fromkeys(pair for pair in pairwise(telling) if pair[0] != pair[1])
    return list(found)[:PAIRS]


def idf(count: int, passages: int) -> float:
    """How much the occurrence of what `count` of `passages` passages have says, as BM25 has it: ln((N - n + ½) / (n + ½)), at least 0."""
    return max(0.0, math.log((passages - count + 0.5) / (count + 0.5))) if 0 < count <= passages else 0.0


def fts5_idf(count: int, passages: int) -> float:
    """The same as FTS5's bm25() has it: LEAST where it would be 0 or less."""
    rare = math.log((passages - count + 0.5) / (count + 0.5))
    return rare if rare > 0.0 else LEAST


def with_parts(passage: int, title: str, text: str, kind: str) -> tuple[int, str, str, str]:
    """A row of the index. Costs more than writing it, so it is made before a transaction begins."""
    return passage, title, text, parts(text, kind, title)


def put(db: sqlite3.Connection, rows: Iterable[tuple[int, str, str, str]]) -> None:
    """Add rows (`with_parts`)."""
    db.executemany("insert into words (rowid, title, text, parts) values (?, ?, ?, ?)", rows)


def take(db: sqlite3.Connection, rows: Iterable[tuple[int, str, str, str]]) -> None:
    """Remove rows; the values must be those that were put (FTS5 keeps no copy to look at)."""
    db.executemany("insert into words (words, rowid, title, text, parts) values ('delete', ?, ?, ?, ?)", rows)


def insert(db: sqlite3.Connection, passages: Iterable[tuple[int, str, str, str]]) -> None:
    """Add (passage, title, text, type)."""
    put(db, (with_parts(*passage) for passage in passages))


def delete(db: sqlite3.Connection, passages: Iterable[tuple[int, str, str, str]]) -> None:
    """Remove (passage, title, text, type)."""
    take(db, (with_parts(*passage) for passage in passages))


def match(
    db: sqlite3.Connection, found: list[str], limit: int, contents: str | None = None
) -> list[tuple[int, float]]:
    """The `limit` best (passage, bm25) for any of these terms, best first; `contents`: a JSON list of the contents allowed, None = all."""
    if not found:
        return []
    allowed = "" if contents is None else "and rowid >> 20 in (select value from json_each(?))"
    arguments = [any_of(found)] + ([] if contents is None else [contents]) + [limit]
    return db.execute(
        f"select rowid, -bm25(words, {WEIGHTS[0]}, {WEIGHTS[1]}, {WEIGHTS[2]}) as score from words "
        f"where words match ? {allowed} order by score desc, rowid limit ?",
        arguments,
    ).fetchall()
