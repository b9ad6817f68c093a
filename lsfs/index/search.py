"""search: which files answer a query, best first, with their best passages.

Those that are there now or, where the query names a sequence, those that were there then (`view`); the rest is the same.

One read transaction sees words.db and the attached history.db, so a rename or a deletion that history has committed holds at once, and
the sequence in the answer is the one that was read. Candidates come from words, path and meaning (`fusion.WEIGHTS`); what one
signal found gets its true value of the others before the scores are fused.

A query without a narrow scope takes the best passages of each signal and drops what is not in view afterwards, with a growing number of
passages until enough files remain; a narrow one asks only the contents in scope. What files lend each other (`context`) brings candidates
of its own; who says a passage (`speaker`) is looked at where it could still change the order.

Threading: a Search belongs to one thread (its connections do).
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lsfs.index import authors, best, conditions, context, speaker, view, words
from lsfs.index.backlog import SHIFT, content_of
from lsfs.index.fusion import WEIGHTS, scores, share, shares, units
from lsfs.index.lexicon import Lexicon
from lsfs.index.rarity import Rarity
from lsfs.index.source import PATHS, WORDS
from lsfs.index.store import read_only
from lsfs.index.tail import Stems
from syscalls.errors import TryAgain

if TYPE_CHECKING:
    import numpy as np

    from lsfs.index.lance import Table
    from lsfs.index.vectors import Vectors

BEST = 3  # passages shown of a hit
SHOWN = 1000  # hits of which passages are shown: nobody reads more
CANDIDATES = 100  # passages taken of each signal at first; four times as many for each further round
BETTER = 4  # times as many paths are looked at first as are wanted: some are not in view
NARROW = 500  # contents up to which Lance filters before it searches (at 3,000 that costs 30 ms more than searching them all)
LOOKED_AT = 100  # best files of which is asked who says them
COMPARED = (
    60  # files that meaning did not find, and that are compared with the prompt: those that words say most of
)
WHOLE = 8  # passages up to which a file found by another signal is compared with the prompt whole
MOST_NAMED = 32  # words of a prompt that could be a name
SUFFIX = 16  # bytes of a name beyond the words asked for
CACHE = 8 << 10  # KiB of pages kept for each of the two databases
MAPPED = 8 << 30  # bytes of each that are read through the kernel's cache of pages: a row costs two thirds
STEPS = 2000  # SQLite instructions between two looks at the clock


class TableBroken(Exception):
    """Lance does not answer: its table was deleted or damaged under the engine. The same query without it is answered by words."""


class NotEmbedded(Exception):
    """The prompt has no vector. The same query without one is answered by words."""


class File(NamedTuple):
    """A candidate; stale: its content may have been replaced since it was read. Whoever may read one file of a folder may read all that
    have the same uid, gid and mode."""

    content: int | None
    parent: bytes
    name: bytes
    stale: bool
    mtime_ns: int
    uid: int
    gid: int
    mode: int

    @property
    def path(self) -> bytes:
        return self.parent + b"/" + self.name if self.parent else self.name

    @property
    def rights(self) -> tuple[int, int, int]:
        return self.uid, self.gid, self.mode

    @classmethod
    def of(cls, content: int | None, parent: bytes, name: bytes, stale: int, *rest: int) -> "File":
        """From a row of `_Question.columns`."""
        return cls(content, parent, name, bool(stale), *rest)


class Search:
    """Answers queries. `vector` and `table` of a query come from the engine, which owns the model and Lance."""

    def __init__(
        self, store: Path, catalogue: str | os.PathLike[str], vectors: "Vectors | None" = None
    ) -> None:
        """store: words.db; catalogue: history.db; vectors: read for the cosines of passages that other signals found."""
        self._db = sqlite3.connect(read_only(store), uri=True, isolation_level=None, check_same_thread=False)
        self._db.execute("attach ? as history", (read_only(catalogue),))
        self._db.execute("pragma busy_timeout = 2000")
        for base in (
            "main",
            "history",
        ):  # the 2 MiB that SQLite has by default do not hold the tables of 100,000 files
            self._db.execute(f"pragma {base}.cache_size = -{CACHE}")
            self._db.execute(f"pragma {base}.mmap_size = {MAPPED}")
        view.install(self._db)
        conditions.install(self._db)
        self._vectors = vectors
        self._stems = Stems()
        self._lexicon = Lexicon(self._db, store.parent, WORDS, self._stems)
        self._paths = Lexicon(self._db, store.parent, PATHS, self._stems)
        self._rarity = Rarity(self._db, self._lexicon)
        self._beside = ThreadPoolExecutor(1, "nearest")  # Lance answers while this thread looks for words

    def close(self) -> None:
        """Close the connection."""
        self._beside.shutdown()
        self._lexicon.close()
        self._paths.close()
        self._stems.close()
        self._db.close()

    def run(
        self,
        query: dict,
        vector: "np.ndarray | Callable[[], np.ndarray | None] | None" = None,
        table: "Table | None" = None,
        until: float | None = None,
    ) -> dict:
        """The answer to `query` (see the protocol), without its "meaning". until: time.monotonic() at which TryAgain is raised.

        vector: what makes it is called in a thread of this search's own, while words are looked for; NotEmbedded is raised where it has
        none, and TableBroken where Lance does not answer."""
        if until is not None:
            self._db.set_progress_handler(lambda: time.monotonic() > until, STEPS)
        try:
            self._db.execute("begin")
            self._lexicon.refresh()
            self._paths.refresh()
            return _Question(self, query, vector, table).answer()
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error) and "locked" not in str(error):
                raise
            raise TryAgain(
                "The search did not finish within its deadline: narrow it with in: or ask again."
            ) from error
        finally:
            self._db.set_progress_handler(None, 0)
            if self._db.in_transaction:
                self._db.execute("rollback")


class _Question:
    """One query inside its transaction."""

    def __init__(
        self,
        search: Search,
        query: dict,
        vector: "np.ndarray | Callable[[], np.ndarray | None] | None",
        table: "Table | None",
    ) -> None:
        self.db, self.vectors, self.rarity, self.beside = (
            search._db,
            search._vectors,
            search._rarity,
            search._beside,
        )
        self.lexicon, self.lexicon_of_paths = search._lexicon, search._paths
        self.query, self.table = query, table
        self.of_prompt = vector if callable(vector) else None
        self.vector: np.ndarray | None = None if callable(vector) else vector
        self.sequence: int | None = query.get("sequence")
        self.view = view.LIVE if self.sequence is None else view.at(self.sequence)
        self.columns = f"f.id, c.id, f.parent, f.name, {self.view.stale}, f.mtime_ns, f.uid, f.gid, f.mode"
        self.limit: int = query.get("limit", 20)
        self.terms = words.terms(query.get("words", ()))
        self.asked = words.plain(query.get("words", ()))
        self.by_meaning = vector is not None and table is not None
        # mode:meaning without a model falls back to words: the answer says "loading" or "unavailable"
        self.by_words = bool(self.terms) and (query.get("mode", "both") != "meaning" or not self.by_meaning)
        self.files: dict[int, File] = {}  # by file id, those in scope that were looked up
        self.scoped: set[int] | None = None  # contents in scope, None = all
        self.passages: dict[int, dict[str, dict[int, float]]] = {}  # content → signal → passage → value
        self.units: dict[str, float] = {}  # signal → what its values are divided by
        self.bound = self.rarity.bound(self.terms) if self.by_words else 0.0
        self.lenders: dict[int, list[bytes]] = {}  # file → paths that lent it words
        self.truncated = False

    def answer(self) -> dict:
        """The answer, without "meaning"."""
        newest = self.db.execute("select value from history.meta where key = 'sequence'").fetchone()
        sequence = (int(newest[0]) if newest else 0) if self.sequence is None else self.sequence
        hits, more = self._hits()
        return {"hits": hits, "more": more, "sequence": sequence}

    def _hits(self) -> tuple[list[dict], bool]:
        restriction = self._restriction()
        if restriction is None and not self.by_words and not self.by_meaning:
            return [], False
        if restriction is not None:
            self.files = self._look_up(restriction)
            self.scoped = {f.content for f in self.files.values() if f.content is not None}
        wanted = max(CANDIDATES, 3 * self.limit)
        nearest = self._begin(wanted)
        paths, found_by_path = self._by_path()
        while True:
            self.truncated = False
            passages = self._candidates(wanted, nearest)
            contents = {content_of(passage) for values in passages.values() for passage in values}
            if restriction is None:
                self.files = self._of_contents(contents) | found_by_path
            live = {f.content for f in self.files.values() if f.content is not None}
            if not self.truncated or len(contents & live) > self.limit:
                break
            wanted *= 4
            nearest = self._begin(wanted)
        # mode:words lists what has one of the words
        borrowing = self.by_words and self.query.get("mode", "both") != "words"
        lent = self._lent(passages) if borrowing else {}
        contents |= {content for file in lent if (content := self.files[file].content) is not None}
        live = {f.content for f in self.files.values() if f.content is not None}
        if restriction is not None:
            live &= contents | {f.content for f in found_by_path.values() if f.content}
        said: dict[str, dict[int, float]] = {}  # of files, by words
        if self.by_words:
            said = {name: self._of_files(values) for name, values in self._said(passages, live).items()}
            said["context"] = lent
            said["path"] = {file: value for file, value in paths.items() if file in self.files}
            if called := {
                file: 1.0 for file in found_by_path if file in self.files and self._is_called(file)
            }:
                said["name"] = called
        signals = said
        if self.by_meaning:
            signals = said | {"meaning": self._of_files(self._meant(passages, live, said))}
        if self.by_words:
            signals["speaker"] = self._spoken(signals)
        self.units = units(signals)
        # nothing is asked for but a scope or a condition: every file in it, by path
        scored = scores(signals) if signals else dict.fromkeys(self.files, 0.0)
        if self.query.get("exact"):  # what fulfils the condition is a hit, also where nothing ranks it
            scored = {file: scored.get(file, 0.0) for file in self.files}
        order = sorted(scored, key=lambda file: (-round(scored[file], 6), self.files[file].path))
        values = {
            # of `name` only what is so: a signal that none of a viewer's files has would tell him of another's file
            file: {
                name: found.get(file, 0.0)
                for name, found in signals.items()
                if name != "name" or file in found
            }
            for file in order[: self.limit]
        }
        return [
            self._hit(file, scored[file], parts, values[file], rank < SHOWN)
            for rank, (file, parts) in enumerate(zip(values, shares(signals, values), strict=True))
        ], self.truncated or len(order) > self.limit

    # which files

    def _restriction(self) -> conditions.Sql | None:
        where, tree = conditions.scope(self.query, self.view), self.query.get("condition")
        if tree is not None:
            wanted = conditions.condition(tree, bool(self.query.get("exact")))
            where = wanted if where is None else (f"({where[0]}) and ({wanted[0]})", where[1] + wanted[1])
        if self.query.get("only") is not None:
            some = view.among(self.query["only"], self.view)
            where = some if where is None else (f"({some[0]}) and ({where[0]})", some[1] + where[1])
        return where

    def _look_up(self, where: conditions.Sql) -> dict[int, File]:
        rows = self.db.execute(
            f"select {self.columns} from {self.view.table} f {self.view.content} where {self.view.seen} and ({where[0]})",
            where[1],
        )
        return {file: File.of(*row) for file, *row in rows}

    def _of_contents(self, contents: Iterable[int]) -> dict[int, File]:
        rows = self.db.execute(
            f"select {self.columns} from json_each(?) j {self.view.of_contents} where {self.view.seen}",
            (json.dumps(sorted(contents)),),
        )
        return {file: File.of(*row) for file, *row in rows}

    def _of_files(self, values: dict[int, float]) -> dict[int, float]:
        return {file: values[content] for file, (content, *_) in self.files.items() if content in values}

    # signals

    def _begin(self, wanted: int) -> "Future[list[tuple[int, float]]] | None":
        """Have Lance look for what is near."""
        if not self.by_meaning or self.scoped == set():
            return None
        narrow = self.scoped is not None and len(self.scoped) <= NARROW
        return self.beside.submit(self._nearest, wanted, sorted(self.scoped or ()) if narrow else None)

    def _candidates(
        self, wanted: int, nearest: "Future[list[tuple[int, float]]] | None"
    ) -> dict[str, dict[int, float]]:
        """Per signal, the best passages with their values."""
        found: dict[str, dict[int, float]] = {}
        if self.by_words:
            found["words"] = self._by_words(wanted)
        if self.by_meaning:
            found["meaning"] = self._by_meaning(wanted, nearest.result() if nearest else [])
        return found

    def _by_words(self, wanted: int) -> dict[int, float]:
        rows = self._matching(wanted, None if self.scoped is None else self.scoped)
        self.truncated |= len(rows) == wanted
        return rows

    def _matching(self, wanted: int, contents: Iterable[int] | None) -> dict[int, float]:
        """BM25 of the best passages, as shares of what it could be."""
        if not self.bound:
            return {}
        said = words.repeated(self.terms, self.query.get("words", ()))
        allowed = None if contents is None else sorted(contents)
        found = best.match(self.lexicon, said, wanted, allowed) if self.lexicon.ready else None
        if found is None:
            found = words.match(self.db, said, wanted, None if allowed is None else json.dumps(allowed))
        return {passage: value / self.bound for passage, value in found}

    def _nearest(self, wanted: int, contents: list[int] | None = None) -> list[tuple[int, float]]:
        assert self.table is not None
        if self.vector is None:
            self.vector = self.of_prompt() if self.of_prompt else None
            if self.vector is None:
                raise NotEmbedded
        try:
            return self.table.search(self.vector, wanted, contents)
        except (RuntimeError, OSError, ValueError) as error:
            raise TableBroken(str(error)) from error

    def _by_meaning(self, wanted: int, rows: list[tuple[int, float]]) -> dict[int, float]:
        self.truncated |= len(rows) == wanted
        if self.scoped is not None:
            rows = [(passage, cosine) for passage, cosine in rows if content_of(passage) in self.scoped]
        return dict(rows)

    def _by_path(self) -> tuple[dict[int, float], dict[int, File]]:
        """BM25 of the words of paths, and the files that were found by them."""
        if not self.by_words:
            return {}, {}
        limit = max(CANDIDATES, 2 * self.limit)
        found = self._by_lexicon(limit) if self.view is view.LIVE and self.lexicon_of_paths.ready else None
        if found is None:
            found = self._by_fts5(limit)
        return {file: score for score, file, _ in found}, {
            file: of for _, file, of in found
        } | self._perhaps_called()

    def _by_lexicon(self, limit: int) -> list[tuple[float, int, File]] | None:
        """Of the paths in scope, those that match best; None where only FTS5 knows."""
        scope = None if self.scoped is None else list(self.files)
        best_ = best.match(
            self.lexicon_of_paths, self.terms, BETTER * limit if scope is None else len(scope), scope
        )
        if best_ is None:
            return None
        if scope is not None:
            found = [(score, file, self.files[file]) for file, score in best_]
        else:
            found, at = [], 0
            while len(found) < limit and at < len(best_):
                # all that are as good as the last one of these, since their paths decide between them
                last = best_[min(at + limit, len(best_)) - 1][1]
                some = {file: score for file, score in best_[at:] if score >= last}
                at += len(some)
                found += [(some[file], file, of) for file, of in self._live(some).items()]
            if len(found) < limit and len(best_) == BETTER * limit:
                return None
        return sorted(found, key=lambda row: (-row[0], row[2].parent, row[2].name))[:limit]

    def _live(self, files: Iterable[int]) -> dict[int, File]:
        rows = self.db.execute(
            f"select {self.columns} from json_each(?) j cross join history.file f on f.id = j.value {self.view.content} "
            f"where {self.view.seen}",
            (json.dumps(list(files)),),
        )
        return {file: File.of(*row) for file, *row in rows}

    def _by_fts5(self, limit: int) -> list[tuple[float, int, File]]:
        expression = words.any_of(self.terms)
        best = BETTER * limit if self.scoped is None else 0
        rows = self._of_paths(expression, "p.score desc", limit, best=best)
        if best and len(rows) < limit and self._more_match(expression, best):
            rows = self._of_paths(expression, "p.score desc", limit)
        return [(score, file, File.of(*row)) for score, file, *row in rows]

    def _of_paths(
        self, expression: str, order: str, limit: int, where: str = "1", best: int = 0
    ) -> list[tuple]:
        """The files in scope whose paths match, first those that `order` names, each with its score. best: only so many paths are looked
        at, those that match best; 0 = all."""
        # `+`: what is in scope is a filter, not a reason to ask for each file whether its path matches
        allowed = "" if self.scoped is None else "and +f.id in (select value from json_each(?))"
        paths = self.view.by_path.format(best=view.BEST.format(best) if best else "")
        return self.db.execute(
            f"select p.score, {self.columns} from (select p.score, f.id from {paths} where {self.view.seen} and {where} {allowed} "
            f"order by {order}, f.parent, f.name limit ?) p join {self.view.table} f on f.id = p.id {self.view.content}",
            [
                *[expression] * len(self.view.words),
                *([] if self.scoped is None else [json.dumps(list(self.files))]),
                limit,
            ],
        ).fetchall()

    def _more_match(self, expression: str, best: int) -> bool:
        """Whether more than `best` paths of one table match."""
        counts = (
            self.db.execute(
                f"select count(*) from (select 1 from history.{table} where {table} match ? limit ?)",
                (expression, best + 1),
            ).fetchone()[0]
            for table in self.view.words
        )
        return max(counts) > best

    def _perhaps_called(self) -> dict[int, File]:
        """Files with all the words asked for in a path, and in the name little else: however many paths match better."""
        asked = self.asked
        if not asked or len(asked) > MOST_NAMED:
            return {}
        longest = len(" ".join(asked).encode()) + SUFFIX
        every = " AND ".join(f'"{word}"' for word in asked)
        rows = self._of_paths(every, "length(f.name)", CANDIDATES, f"length(f.name) <= {longest}")
        return {file: found for _, file, *row in rows if self._is_called_so(found := File.of(*row))}

    def _is_called(self, file: int) -> bool:
        return self._is_called_so(self.files[file])

    def _is_called_so(self, file: File) -> bool:
        """Whether the words asked for are a file's name, or its path, with or without the suffix: no more, no less, in that order."""
        path = file.path.decode("utf-8", "replace").lower()
        asked = self.asked
        if not all(word in path for word in asked):  # most are not, and this is seen fastest
            return False
        stems = [path, os.path.splitext(path)[0]]
        return bool(asked) and asked in [
            words.plain([part]) for stem in stems for part in (stem, os.path.basename(stem))
        ]

    def _said(self, found: dict[str, dict[int, float]], contents: set[int]) -> dict[str, dict[int, float]]:
        """Of each content what its best passage has of the words; contents that the words did not find are looked up."""
        lacking = contents - {content_of(p) for p in found["words"]}
        found["words"] |= self._matching(50 * len(lacking), lacking) if lacking else {}
        asked = words.pairs(self.query.get("words", ()))
        asked = [
            pair for pair in asked if not self.lexicon.alike(*pair)
        ]  # else a single word would be a pair
        pairs = words.near(self.db, asked, self.rarity.passages())
        found["near"] = {p: pairs[p] / self.bound for p in found["words"] if p in pairs}
        best: dict[str, dict[int, float]] = {"words": {}, "near": {}}
        for content, signals in self._noted(found, ("words", "near"), contents).items():
            if said := signals.get("words"):
                near = signals.get("near", {})
                passage = max(said, key=lambda p: said[p] + share("near") * near.get(p, 0.0))
                best["words"][content] = said[passage]
                if near.get(passage):
                    best["near"][content] = near[passage]
        return best

    def _meant(
        self, found: dict[str, dict[int, float]], contents: set[int], said: dict[str, dict[int, float]]
    ) -> dict[int, float]:
        """Of each content the cosine of its best passage; those that meaning did not find are compared if words rank them high."""
        lacking = contents - {content_of(p) for p in found["meaning"]}
        found["meaning"] |= self._cosines(
            self._first(lacking, said, found["meaning"]), found.get("words", {})
        )
        noted = self._noted(found, ("meaning",), contents)
        return {
            content: max(signals["meaning"].values())
            for content, signals in noted.items()
            if "meaning" in signals
        }

    def _noted(
        self, found: dict[str, dict[int, float]], names: Iterable[str], contents: set[int]
    ) -> dict[int, dict[str, dict[int, float]]]:
        """Keep the values of the passages of these contents."""
        for name in names:
            for passage, value in found[name].items():
                content = content_of(passage)
                if content in contents:
                    self.passages.setdefault(content, {}).setdefault(name, {})[passage] = value
        return self.passages

    def _first(
        self, contents: set[int], said: dict[str, dict[int, float]], near: dict[int, float]
    ) -> Collection[int]:
        """Those of some contents that can come up to the first of the answer.

        None of them is as near to the question as what meaning found, so a cosine gives each about the same, and no more than those have:
        their order is that of the words, and the last of them stay behind those before. (Over 1,184 questions of four sets the first 20
        are the same as with all compared, but one: the 13th, whose passage looked as if somebody named in the question said it.)"""
        most = max(COMPARED, 2 * self.limit)
        if len(contents) <= most:
            return contents
        # with what is near, since words are trusted according to it
        scored = scores(
            said | {"meaning": self._of_files({content_of(p): value for p, value in near.items()})}
        )
        best: dict[int, float] = {}
        for file, score in scored.items():
            content = self.files[file].content
            if content is not None and content in contents:
                best[content] = max(score, best.get(content, 0.0))
        return sorted(best, key=lambda content: (-best[content], content))[:most]

    def _lent(self, found: dict[str, dict[int, float]]) -> dict[int, float]:
        """What files borrow from their neighbours in a series (`context`); files that nothing else found become candidates."""
        said: dict[int, float] = {}
        for passage, value in found["words"].items():
            content = content_of(passage)
            said[content] = max(value, said.get(content, 0.0))
        lenders = [file for file in self.files.values() if file.content in said]
        lenders.sort(key=lambda file: (-said[file.content or 0], file.path))
        around: dict[tuple[bytes, bytes], list[tuple[int, File]]] = {}
        for lender in lenders[: context.LENDERS]:
            for distance, name in context.neighbours(lender.name):
                around.setdefault((lender.parent, name), []).append((distance, lender))
        if not around:
            return {}
        beside: dict[int, File] = {}
        for passages, id_, *row in context.rows_of(self.db, self.view, self.columns, around):
            if passages == 1 and (self.scoped is None or id_ in self.files):
                beside[id_] = File.of(*row)
        series = [*beside.values(), *lenders[: context.LENDERS]]
        contents = {file.content for file in series if file.content is not None}
        telling = context.telling(self.db, self.lexicon, self.rarity, self.terms, contents) if beside else {}
        lent: dict[int, tuple[float, File]] = {}
        for id_, file in beside.items():
            some = [
                (distance, lender)
                for distance, lender in around[file.parent, file.name]
                if lender.rights == file.rights and not lender.stale
            ]
            near = [(distance, lender.content or 0) for distance, lender in some]
            if value := context.lent(file.content or 0, near, telling) / self.bound:
                lent[id_] = value, file
                self.lenders[id_] = sorted({lender.path for _, lender in some})
        fresh = sorted(lent.keys() - self.files.keys(), key=lambda id_: (-lent[id_][0], lent[id_][1].path))
        for id_ in fresh[: context.BORROWERS]:
            self.files[id_] = lent[id_][1]
        return {id_: value for id_, (value, _) in lent.items() if id_ in self.files}

    def _spoken(self, signals: dict[str, dict[int, float]]) -> dict[int, float]:
        """Of the best files, those whose best passage is said by somebody who is named."""
        scored = scores(signals)
        first = sorted(scored, key=lambda file: (-scored[file], self.files[file].path))[:LOOKED_AT]
        asked = set(self.asked)
        best: dict[int, list[int]] = {}
        for file in first:
            content = self.files[file].content
            values = self.passages.get(content, {}) if content is not None else {}
            if some := values.get("words") or values.get("meaning"):
                best.setdefault(max(some, key=lambda p: (some[p], -p)), []).append(file)
        rows = self.db.execute(
            "select p.id, substr(p.text, 1, ?) from json_each(?) j cross join passage p on p.id = j.value",
            (speaker.LOOKED_AT, json.dumps(list(best))),
        )
        named = [id_ for id_, beginning in rows if speaker.is_named(beginning, asked)]
        return {file: 1.0 for id_ in named for file in best[id_]}

    def _cosines(self, contents: Collection[int], found: dict[int, float]) -> dict[int, float]:
        """Cosines for contents that meaning did not find: of their passages if they are few, else of those that the words found."""
        if not contents or self.vectors is None or self.vector is None or len(contents) > 4 * CANDIDATES:
            return {}
        few = set(contents)
        chosen = [p for p in found if content_of(p) in few]
        rows = self.db.execute(
            "select p.id, p.key from json_each(?) j join content c on c.id = j.value and c.passages <= ? "
            f"join passage p on p.id between c.id << {SHIFT} and (c.id << {SHIFT}) + ? where p.key is not null "
            "union select p.id, p.key from json_each(?) j join passage p on p.id = j.value where p.key is not null",
            (json.dumps(sorted(contents)), WHOLE, WHOLE, json.dumps(chosen)),
        ).fetchall()
        vectors = self.vectors.get(key for _, key in rows)
        return {passage: float(vectors[key] @ self.vector) for passage, key in rows if key in vectors}

    # what is shown

    def _hit(
        self, file: int, score: float, parts: dict[str, float], values: dict[str, float], shown: bool
    ) -> dict:
        found = self.files[file]
        content = found.content
        bare = content is None or bool(self.query.get("bare"))
        return {
            "path": found.path,
            "score": round(score, 6),
            "parts": {name: round(parts.get(name, 0.0), 6) for name in WEIGHTS},
            "values": values,
            "stale": found.stale,
            **({"lenders": self.lenders[file]} if file in self.lenders else {}),
            "mtime_ns": found.mtime_ns,
            "uid": found.uid,
            "author": "" if content is None or bare else self._author(content, found.path),
            "passages": [] if content is None or bare or not shown else self._shown(content),
        }

    def _author(self, content: int, path: bytes) -> str:
        if not authors.says(path):
            return ""
        row = self.db.execute("select text from passage where id = ?", (content << SHIFT,)).fetchone()
        return authors.author(path, row[0]) if row else ""

    def _shown(self, content: int) -> list[dict]:
        """The best passages of a content, scored by words and meaning against the best of the whole answer; else its first one."""
        scores: dict[int, float] = {}
        total = sum(WEIGHTS[name] for name in self.units) or 1.0
        for name, values in self.passages.get(content, {}).items():
            for passage, value in values.items():
                if value > 0 and self.units.get(name):
                    scores[passage] = (
                        scores.get(passage, 0.0) + WEIGHTS[name] * value / self.units[name] / total
                    )
        chosen = sorted(scores, key=lambda passage: (-scores[passage], passage))[:BEST] or [content << SHIFT]
        rows = self.db.execute(
            f"select id, first_line, last_line, text from passage where id in ({','.join('?' * len(chosen))})",
            chosen,
        ).fetchall()
        rows.sort(key=lambda row: chosen.index(row[0]))
        return [
            {"lines": [first, last], "text": text, "score": round(scores.get(id_, 0.0), 6)}
            for id_, first, last, text in rows
        ]
