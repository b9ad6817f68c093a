"""context: a short file is understood from its neighbours.

A turn of a dialogue, a page of a scan, a day of a diary: what it is about often stands in the one before. So a file of a single passage
that is one of a numbered series (`D1_3.txt`, `page-07.md`, `2024-05-02.md`) borrows the telling words of the question that it lacks from
the files up to REACH numbers away: on dialogue turns Recall@10 rises from .69 to .77, in other folders nothing moves. Nothing is lent to a
file of other rights, so a rank tells nobody of what he may not read.

Threading: pure, but for the connection that the caller owns.
"""

import json
import os
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping

from lsfs.index.backlog import content_of
from lsfs.index.files import File, Files
from lsfs.index.lexicon import Lexicon
from lsfs.index.rarity import Rarity
from lsfs.index.words import COMMON

REACH = 2  # numbers away
DECAY = 0.8  # of what a neighbour lends, for each number
LENDERS = 50  # files that lend: those of which the words say most
BORROWERS = 50  # files that nothing else found, and that become candidates: those that borrow most
LONG = 8  # passages: longer files lend nothing
TELLING = 4  # words that are lent: the rarest of the question

_LAST_NUMBER = re.compile(rb"(.*?(?<![0-9]))([0-9]{1,18})([^0-9]*)", re.DOTALL)


def neighbours(name: bytes) -> Iterator[tuple[int, bytes]]:
    """(distance, name) of the files before and after this one in its numbered series: with the last number of its stem counted on."""
    stem, suffix = os.path.splitext(name)
    found = _LAST_NUMBER.fullmatch(stem)
    if found is None:
        return
    before, digits, after = found.groups()
    for distance in (*range(-REACH, 0), *range(1, REACH + 1)):
        if (number := int(digits) + distance) >= 0:
            filled = b"%0*d" % (len(digits), number)  # 10 comes after 09, or after 9
            for spelled in {filled} if digits.startswith(b"0") else {filled, b"%d" % number}:
                yield abs(distance), before + spelled + after + suffix


def telling(
    db: sqlite3.Connection, lexicon: Lexicon, rarity: Rarity, terms: Iterable[str], contents: Collection[int]
) -> dict[str, tuple[float, set[int]]]:
    """The rarest terms, each with its idf and, of these contents, those that have it."""
    known = sorted(((rarity.idf(term), term) for term in dict.fromkeys(terms)), reverse=True)
    found: dict[str, tuple[float, set[int]]] = {}
    for idf, term in known[:TELLING]:
        if (
            idf > 0 and rarity.count(term) < COMMON
        ):  # of more not all can be looked at, and who is not is taken to lack it
            found[term] = idf, having(db, lexicon, term, contents)
    return found


def having(db: sqlite3.Connection, lexicon: Lexicon, term: str, contents: Collection[int]) -> set[int]:
    """Those that have a term, of the first COMMON passages that do; others than these contents may be among them."""
    known = lexicon.having(term, contents, COMMON) if lexicon.ready else None
    if known is not None:
        return known
    rows = db.execute("select rowid from words where words match ? limit ?", (f'"{term}"', COMMON))
    return {content_of(passage) for (passage,) in rows}


class Borrowed:
    """What short files borrow from those that the words found. values: by file; files: those files; lenders: their paths, by file."""

    def __init__(self) -> None:
        self.values: dict[int, float] = {}
        self.files: dict[int, File] = {}
        self.lenders: dict[int, list[bytes]] = {}

    def fresh(self, known: Collection[int]) -> dict[int, File]:
        """The BORROWERS files that borrow most, of those that are not known."""
        order = sorted(
            self.values.keys() - known, key=lambda file: (-self.values[file], self.files[file].path)
        )
        return {file: self.files[file] for file in order[:BORROWERS]}


def borrowed(
    files: Files,
    lexicon: Lexicon,
    rarity: Rarity,
    terms: Iterable[str],
    said: Mapping[int, float],
    unit: float,
) -> Borrowed:
    """Who borrows what, of the candidates and their neighbours. said: what the words say, by content; unit: what values are divided by."""
    found = Borrowed()
    lenders = [file for file in files.found.values() if file.content in said]
    lenders.sort(key=lambda file: (-said[file.content or 0], file.path))
    lenders = _short(files.db, lenders[:LENDERS])
    around: dict[tuple[bytes, bytes], list[tuple[int, File]]] = {}
    for lender in lenders:
        for distance, name in neighbours(lender.name):
            around.setdefault((lender.parent, name), []).append((distance, lender))
    if not around:
        return found
    beside = {
        id_: File.of(*row)
        for passages, id_, *row in _rows(files, around)
        if passages == 1 and (not files.confined or id_ in files.found)
    }
    contents = {file.content for file in (*beside.values(), *lenders) if file.content is not None}
    words = telling(files.db, lexicon, rarity, terms, contents) if beside else {}
    for id_, file in beside.items():
        some = [
            (distance, lender)
            for distance, lender in around[file.parent, file.name]
            if lender.rights == file.rights and not lender.stale
        ]
        near = [(distance, lender.content or 0) for distance, lender in some]
        if value := lent(file.content or 0, near, words) / unit:
            found.values[id_], found.files[id_] = value, file
            found.lenders[id_] = sorted({lender.path for _, lender in some})
    return found


def _short(db: sqlite3.Connection, some: list[File]) -> list[File]:
    rows = db.execute(
        "select c.id from json_each(?) j join content c on c.id = j.value where c.passages <= ?",
        (json.dumps([file.content for file in some]), LONG),
    )
    short = {content for (content,) in rows}
    return [file for file in some if file.content in short]


def _rows(files: Files, paths: Collection[tuple[bytes, bytes]]) -> list[tuple]:
    """(passages of the content, *columns) of the files in view with these (parent, name)."""
    wanted = json.dumps([[parent.hex(), name.hex()] for parent, name in paths])
    view = files.view
    return files.db.execute(
        f"select c.passages, {files.columns} from json_each(?) j cross join {view.table} f "
        "on f.parent = from_hex(json_extract(j.value, '$[0]')) and f.name = from_hex(json_extract(j.value, '$[1]')) "
        f"{view.content} where {view.seen}",
        (wanted,),
    ).fetchall()


def lent(
    content: int, lenders: Iterable[tuple[int, int]], words: Mapping[str, tuple[float, set[int]]]
) -> float:
    """What a content borrows from `lenders` (distance, content): Σ idf · DECAY^distance of the telling words that it lacks."""
    found = 0.0
    near = list(lenders)
    for idf, having in words.values():
        if content not in having:
            found += idf * max(
                (DECAY**distance for distance, lender in near if lender in having), default=0.0
            )
    return found
