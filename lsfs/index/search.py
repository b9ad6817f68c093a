"""search: which files answer a query, best first, with their best passages.

Those that are there now or, where the query names a sequence, those that were there then (`view`); the rest is the same.

One read transaction sees words.db and the attached history.db, so a rename or a deletion that history has committed holds at once, and
the sequence in the answer is the one that was read. Candidates come from words, path and meaning (`fusion.WEIGHTS`); what one
signal found gets its true value of the others before the scores are fused.

A query without a narrow scope takes the best passages of each signal and drops what is not in view afterwards, with a growing number of
passages until enough files remain; a narrow one asks only the contents in scope. What files lend each other (`context`) brings candidates
of its own; who says a passage (`speaker`) is looked at where it could still change the order.

What is to be like some files (`like`) has their words and their vector beside those of the prompt, and they are no candidates themselves.

The prompt is embedded, and Lance asked, in a second thread, which takes longer than all else; meanwhile this one does whatever does not
depend on that, and reads ahead what the rest will most likely need.

Threading: a Search belongs to one thread (its connections do).
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from lsfs.index import best, code, conditions, context, dated, like, shown, view, words
from lsfs.index.backlog import content_of
from lsfs.index.cosines import Cosines
from lsfs.index.files import Files
from lsfs.index.fusion import OCCASIONAL, WEIGHTS, scores, share, shares, units
from lsfs.index.lexicon import Lexicon
from lsfs.index.named import Named
from lsfs.index.near import Near
from lsfs.index.rarity import Rarity
from lsfs.index.source import PATHS, WORDS
from lsfs.index.speaker import Speakers
from lsfs.index.store import read_only
from lsfs.index.tail import Stems
from syscalls.errors import TryAgain

if TYPE_CHECKING:
    import numpy as np

    from lsfs.index.lance import Table
    from lsfs.index.vectors import Vectors

SHOWN = 1000  # hits of which passages are shown: nobody reads more
CANDIDATES = 100  # passages taken of each signal at first; four times as many for each further round
NARROW = 500  # contents up to which Lance filters before it searches (at 3,000 that costs 30 ms more than searching them all)
LOOKED_AT = 100  # best files of which is asked who says them
COMPARED = (
    60  # files that meaning did not find, and that are compared with the prompt: those that words say most of
)
CACHE = 8 << 10  # KiB of pages kept for each of the two databases
MAPPED = 8 << 30  # bytes of each that are read through the kernel's cache of pages: a row costs two thirds
STEPS = 2000  # SQLite instructions between two looks at the clock
UNFINISHED = "The search did not finish within its deadline: narrow it with in: or ask again."


class TableBroken(Exception):
    """Lance does not answer: its table was deleted or damaged under the engine. The same query without it is answered by words."""


class NotEmbedded(Exception):
    """The prompt has no vector. The same query without one is answered by words."""


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
        self._beside.shutdown(cancel_futures=True)
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
            return _Question(self, query, vector, table, until).answer()
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error) and "locked" not in str(error):
                raise
            raise TryAgain(UNFINISHED) from error
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
        until: float | None,
    ) -> None:
        self.db, self.rarity, self.beside, self.lexicon = (
            search._db,
            search._rarity,
            search._beside,
            search._lexicon,
        )
        self.query, self.table, self.until = query, table, until
        self.of_prompt = vector if callable(vector) else None
        self.sequence: int | None = query.get("sequence")
        whole = view.LIVE if self.sequence is None else view.at(self.sequence)
        self.view = like.without(whole, query.get("without", ()))
        self.like = like.NOTHING
        if query.get("like"):
            self.like = like.like(self.db, whole, self.lexicon, self.rarity, search._vectors, query["like"])
        self.limit: int = query.get("limit", 20)
        self.vector: np.ndarray | None = None if callable(vector) else like.together(vector, self.like.vector)
        self.terms = list(dict.fromkeys((*words.terms(query.get("words", ())), *self.like.words)))
        self.asked = words.plain(query.get("words", ()))
        self.by_meaning = (self.of_prompt or self.vector) is not None and table is not None
        # mode:meaning without a model falls back to words: the answer says "loading" or "unavailable"
        self.by_words = bool(self.terms) and (query.get("mode", "both") != "meaning" or not self.by_meaning)
        self.passages: dict[int, dict[str, dict[int, float]]] = {}  # content → signal → passage → value
        self.units: dict[str, float] = {}  # signal → what its values are divided by
        self.bound = self.rarity.bound(self.terms) if self.by_words else 0.0
        self.belief = 1.0  # `code`
        self.are_code: dict[int, bool] = {}  # of the contents of hits
        self.borrowed = context.Borrowed()
        self.cosines = Cosines(self.db, search._vectors)
        self.speakers = Speakers(self.db, self.asked)
        self.lexicon_of_paths = search._paths
        self.truncated = False

    def answer(self) -> dict:
        """The answer, without "meaning"."""
        newest = self.db.execute("select value from history.meta where key = 'sequence'").fetchone()
        sequence = (int(newest[0]) if newest else 0) if self.sequence is None else self.sequence
        hits, more = self._hits()
        compared = {"like": self.like.found} if "like" in self.query else {}
        return {"hits": hits, "more": more, "sequence": sequence, **compared}

    def _hits(self) -> tuple[list[dict], bool]:
        restriction = self._restriction()
        ranked = self.by_words or self.by_meaning
        if not ranked and (restriction is None or "like" in self.query):
            return [], False
        self.files = Files(self.db, self.view, restriction)
        signals = self._signals()
        self.units = units(signals, self.belief)
        found = self.files.found
        # nothing is asked for but a scope or a condition: every file in it, by path
        scored = scores(signals, self.belief) if signals else dict.fromkeys(found, 0.0)
        if self.query.get("exact"):  # what fulfils the condition is a hit, also where nothing ranks it
            scored = {file: scored.get(file, 0.0) for file in found}
        order = sorted(scored, key=lambda file: (-round(scored[file], 6), found[file].path))
        values = {
            # of what is occasional only what is so: a signal that none of a viewer's files has would tell him of another's file
            file: {
                name: said.get(file, 0.0)
                for name, said in signals.items()
                if name not in OCCASIONAL or file in said
            }
            for file in order[: self.limit]
        }
        contents = [of for file in values if (of := found[file].content) is not None]
        self.are_code = code.are_code(self.db, contents if self.by_words and self.by_meaning else ())
        return [
            self._hit(file, scored[file], parts, values[file], rank < SHOWN)
            for rank, (file, parts) in enumerate(
                zip(values, shares(signals, values, self.belief), strict=True)
            )
        ], self.truncated or len(order) > self.limit

    def _restriction(self) -> conditions.Sql | None:
        where, tree = conditions.scope(self.query, self.view), self.query.get("condition")
        if tree is not None:
            wanted = conditions.condition(tree, bool(self.query.get("exact")))
            where = wanted if where is None else (f"({where[0]}) and ({wanted[0]})", where[1] + wanted[1])
        if self.query.get("only") is not None:
            some = view.among(self.query["only"], self.view)
            where = some if where is None else (f"({some[0]}) and ({where[0]})", some[1] + where[1])
        return where

    def _signals(self) -> dict[str, dict[int, float]]:
        """Signal → file → value, of those in use."""
        wanted = max(CANDIDATES, 3 * self.limit)
        nearest = self._begin(wanted)
        named = Named(self.files, self.lexicon_of_paths, self.terms, self.asked)
        paths, by_path = named.best(max(CANDIDATES, 2 * self.limit)) if self.by_words else ({}, {})
        if not self.files.confined:
            self.files.found |= by_path
        pairs = self._pairs() if self.by_words else None
        while True:
            self.truncated = False
            passages = self._candidates(wanted, nearest)
            contents = {content_of(passage) for values in passages.values() for passage in values}
            if not self.truncated or len(contents & self.files.known()) > self.limit:
                break
            wanted *= 4
            nearest = self._begin(wanted)
        found = self.files.found
        found |= self.borrowed.fresh(found.keys())
        live = self.files.known()
        if self.files.confined:
            others = [found[file].content for file in (*by_path, *self.borrowed.values) if file in found]
            live &= contents | {content for content in others if content is not None}
        signals: dict[str, dict[int, float]] = {}
        if self.by_words and self.by_meaning:
            near: dict[int, float] = {}
            for passage, cosine in passages["meaning"].items():
                if (content := content_of(passage)) in live:
                    near[content] = max(cosine, near.get(content, cosine))
            are = code.are_code(self.db, code.nearest(near))
            self.belief = code.belief(self.query.get("words", ()), list(are.values()))
        if pairs is not None:
            said = self._said(passages, pairs, live)
            signals = {name: self.files.having(values) for name, values in said.items()}
            lent = self.borrowed.values
            signals["context"] = {file: value for file, value in lent.items() if file in found}
            signals["path"] = {file: value for file, value in paths.items() if file in found}
            called = {file: 1.0 for file in by_path if file in found and named.is_called(found[file])}
            signals |= {"name": called} if called else {}
            asked = dated.wanted(self.query.get("words", ()))
            dates = dated.values(self.db, self.lexicon, asked, found, paths) if asked else {}
            signals |= {"date": dates} if dates else {}
        if self.by_meaning:
            signals["meaning"] = self.files.having(self._meant(passages, live, signals))
        if self.by_words:
            signals["speaker"] = self._spoken(signals)
        return signals

    # candidates

    def _begin(self, wanted: int) -> "Future[list[tuple[int, float]]] | None":
        """Have Lance look for what is near."""
        some = self.files.contents
        if not self.by_meaning or some == set():
            return None
        narrow = sorted(some) if some is not None and len(some) <= NARROW else None
        return self.beside.submit(self._nearest, wanted, narrow)

    def _nearest(self, wanted: int, contents: list[int] | None = None) -> list[tuple[int, float]]:
        assert self.table is not None
        if self.vector is None:
            prompt = self.of_prompt() if self.of_prompt else None
            if prompt is None:
                raise NotEmbedded
            self.vector = like.together(prompt, self.like.vector)
            assert self.vector is not None
        try:
            return self.table.search(self.vector, wanted, contents)
        except (RuntimeError, OSError, ValueError) as error:
            raise TableBroken(str(error)) from error

    def _candidates(
        self, wanted: int, nearest: "Future[list[tuple[int, float]]] | None"
    ) -> dict[str, dict[int, float]]:
        """Per signal, the best passages with their values; and all that follows from those of the words."""
        found: dict[str, dict[int, float]] = {}
        if self.by_words:
            rows = self._matching(wanted, self.files.contents)
            self.truncated |= len(rows) == wanted
            found["words"] = rows
            self.files.meet(content_of(passage) for passage in rows)
            self._ahead(rows)
        if self.by_meaning:
            near = self._awaited(nearest) if nearest else []
            self.truncated |= len(near) == wanted
            some = self.files.contents
            found["meaning"] = {
                passage: cosine for passage, cosine in near if some is None or content_of(passage) in some
            }
            self.files.meet(content_of(passage) for passage in found["meaning"])
        return found

    def _awaited(self, nearest: "Future[list[tuple[int, float]]]") -> list[tuple[int, float]]:
        """What Lance found, which may take longer than the question."""
        try:
            return nearest.result(None if self.until is None else max(0.0, self.until - time.monotonic()))
        except TimeoutError as error:
            nearest.cancel()
            raise TryAgain(UNFINISHED) from error

    def _ahead(self, rows: Mapping[int, float]) -> None:
        """What can be done with the words alone."""
        first: dict[int, int] = {}  # content → its best passage; the best ones first
        for passage in sorted(rows, key=lambda passage: (-rows[passage], passage)):
            first.setdefault(content_of(passage), passage)
        if self.query.get("mode", "both") != "words":  # that lists what has one of the words
            said = {content: rows[passage] for content, passage in first.items()}
            self.borrowed = context.borrowed(
                self.files, self.lexicon, self.rarity, self.terms, said, self.bound
            )
        if self.by_meaning:
            self.cosines.read(list(first)[: self._compared], rows)
            self.speakers.named(list(first.values())[:LOOKED_AT])

    @property
    def _compared(self) -> int:
        return max(COMPARED, 2 * self.limit)

    # signals

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

    def _pairs(self) -> Near:
        """Where neighbouring words of the prompt stand near each other."""
        asked = words.pairs(self.query.get("words", ()))
        asked = [
            pair for pair in asked if not self.lexicon.alike(*pair)
        ]  # else a single word would be a pair
        return Near(self.db, asked, self.rarity.passages())

    def _said(
        self, found: dict[str, dict[int, float]], pairs: Near, contents: set[int]
    ) -> dict[str, dict[int, float]]:
        """Of each content what its best passage has of the words; contents that the words did not find are looked up."""
        lacking = contents - {content_of(p) for p in found["words"]}
        found["words"] |= self._matching(50 * len(lacking), lacking) if lacking else {}
        found["near"] = {p: value / self.bound for p, value in pairs.of(found["words"]).items()}
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
        self, found: dict[str, dict[int, float]], contents: set[int], said: Mapping[str, Mapping[int, float]]
    ) -> dict[int, float]:
        """Of each content the cosine of its best passage; those that meaning did not find are compared if words rank them high."""
        lacking = contents - {content_of(p) for p in found["meaning"]}
        if lacking and self.vector is not None:
            first = self._first(lacking, said, found["meaning"])
            found["meaning"] |= self.cosines.of(first, found.get("words", {}), self.vector)
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
        self, contents: set[int], said: Mapping[str, Mapping[int, float]], near: dict[int, float]
    ) -> Collection[int]:
        """Those of some contents that can come up to the first of the answer.

        None of them is as near to the question as what meaning found, so a cosine gives each about the same, and no more than those have:
        their order is that of the words, and the last of them stay behind those before. (Over 1,184 questions of four sets the first 20
        are the same as with all compared, but one: the 13th, whose passage looked as if somebody named in the question said it.)"""
        if len(contents) <= self._compared:
            return contents
        # with what is near, since words are trusted according to it
        meaning = self.files.having({content_of(p): value for p, value in near.items()})
        best: dict[int, float] = {}
        for file, score in scores({**said, "meaning": meaning}, self.belief).items():
            content = self.files.found[file].content
            if content is not None and content in contents:
                best[content] = max(score, best.get(content, 0.0))
        return sorted(best, key=lambda content: (-best[content], content))[: self._compared]

    def _spoken(self, signals: Mapping[str, Mapping[int, float]]) -> dict[int, float]:
        """Of the best files, those whose best passage is said by somebody who is named."""
        scored, found = scores(signals, self.belief), self.files.found
        first = sorted(scored, key=lambda file: (-scored[file], found[file].path))[:LOOKED_AT]
        best: dict[int, int] = {}
        for file in first:
            content = found[file].content
            values = self.passages.get(content, {}) if content is not None else {}
            if some := values.get("words") or values.get("meaning"):
                best[file] = max(some, key=lambda p: (some[p], -p))
        named = self.speakers.named(best.values())
        return {file: 1.0 for file, passage in best.items() if passage in named}

    # what is shown

    def _hit(
        self, file: int, score: float, parts: dict[str, float], values: dict[str, float], whole: bool
    ) -> dict:
        found = self.files.found[file]
        content = None if self.query.get("bare") else found.content
        passages = self.passages.get(content, {}) if content is not None else {}
        lenders = self.borrowed.lenders.get(file)
        return {
            "path": found.path,
            "score": round(score, 6),
            "parts": {name: round(parts.get(name, 0.0), 6) for name in WEIGHTS},
            "values": values,
            "stale": found.stale,
            **({} if lenders is None else {"lenders": lenders}),
            **({"code": True} if self.are_code.get(found.content or 0) else {}),
            "mtime_ns": found.mtime_ns,
            "uid": found.uid,
            "author": "" if content is None else shown.author(self.db, content, found.path),
            "passages": shown.passages(self.db, content, passages, self.units)
            if content is not None and whole
            else [],
        }
