"""named: the files whose path has words of the query, and those that are called just so.

Threading: an instance belongs to one thread (its connection does).
"""

import json
import os
from collections.abc import Sequence

from lsfs.index import best, view, words
from lsfs.index.files import File, Files
from lsfs.index.lexicon import Lexicon

BETTER = 4  # times as many paths are looked at first as are wanted: some are not in view
CALLED = 100  # files with all the words asked for that are looked at
MOST_NAMED = 32  # words of a prompt that could be a name
SUFFIX = 16  # bytes of a name beyond the words asked for


class Named:
    """The paths of one query's candidates."""

    def __init__(self, files: Files, lexicon: Lexicon, terms: Sequence[str], asked: list[str]) -> None:
        """lexicon: that of paths; terms: `words.terms` of the prompt, asked: its `words.plain`."""
        self._files, self._lexicon, self._terms, self._asked = files, lexicon, terms, asked
        self._db, self._view = files.db, files.view

    def best(self, limit: int) -> tuple[dict[int, float], dict[int, File]]:
        """BM25 of the words of paths, of the `limit` best; and the files that were found, with those that are called what was asked."""
        found = (
            self._by_lexicon(limit) if self._view.table == view.LIVE.table and self._lexicon.ready else None
        )
        if found is None:
            found = self._by_fts5(limit)
        scores = {file: score for score, file, _ in found}
        return scores, {file: of for _, file, of in found} | self._perhaps_called()

    def is_called(self, file: File) -> bool:
        """Whether the words asked for are a file's name, or its path, with or without the suffix: no more, no less, in that order."""
        path = file.path.decode("utf-8", "replace").lower()
        asked = self._asked
        if not all(word in path for word in asked):  # most are not, and this is seen fastest
            return False
        stems = [path, os.path.splitext(path)[0]]
        return bool(asked) and asked in [
            words.plain([part]) for stem in stems for part in (stem, os.path.basename(stem))
        ]

    def _by_lexicon(self, limit: int) -> list[tuple[float, int, File]] | None:
        """Of the paths in scope, those that match best; None where only FTS5 knows."""
        scope = list(self._files.found) if self._files.confined else None
        asked = BETTER * limit if scope is None else len(scope)
        matching = best.match(self._lexicon, self._terms, asked, scope)
        if matching is None:
            return None
        found: list[tuple[float, int, File]] = []
        if scope is not None:
            found = [(score, file, self._files.found[file]) for file, score in matching]
        else:
            at = 0
            while len(found) < limit and at < len(matching):
                # all that are as good as the last one of these, since their paths decide between them
                last = matching[min(at + limit, len(matching)) - 1][1]
                some = {file: score for file, score in matching[at:] if score >= last}
                at += len(some)
                found += [(some[file], file, of) for file, of in self._files.there(some).items()]
            if len(found) < limit and len(matching) == asked:
                return None
        return sorted(found, key=lambda row: (-row[0], row[2].parent, row[2].name))[:limit]

    def _by_fts5(self, limit: int) -> list[tuple[float, int, File]]:
        expression = words.any_of(self._terms)
        better = 0 if self._files.confined else BETTER * limit
        rows = self._matching(expression, "p.score desc", limit, best=better)
        if better and len(rows) < limit and self._more_match(expression, better):
            rows = self._matching(expression, "p.score desc", limit)
        return [(score, file, File.of(*row)) for score, file, *row in rows]

    def _matching(
        self, expression: str, order: str, limit: int, where: str = "1", best: int = 0
    ) -> list[tuple]:
        """The files in scope whose paths match, first those that `order` names, each with its score. best: only so many paths are looked
        at, those that match best; 0 = all."""
        # `+`: what is in scope is a filter, not a reason to ask for each file whether its path matches
        allowed = "and +f.id in (select value from json_each(?))" if self._files.confined else ""
        paths = self._view.by_path.format(best=view.BEST.format(best) if best else "")
        return self._db.execute(
            f"select p.score, {self._files.columns} from (select p.score, f.id from {paths} where {self._view.seen} and {where} {allowed} "
            f"order by {order}, f.parent, f.name limit ?) p join {self._view.table} f on f.id = p.id {self._view.content}",
            [
                *[expression] * len(self._view.words),
                *([json.dumps(list(self._files.found))] if self._files.confined else []),
                limit,
            ],
        ).fetchall()

    def _more_match(self, expression: str, best: int) -> bool:
        """Whether more than `best` paths of one table match."""
        counts = (
            self._db.execute(
                f"select count(*) from (select 1 from history.{table} where {table} match ? limit ?)",
                (expression, best + 1),
            ).fetchone()[0]
            for table in self._view.words
        )
        return max(counts) > best

    def _perhaps_called(self) -> dict[int, File]:
        """Files with all the words asked for in a path, and in the name little else: however many paths match better."""
        asked = self._asked
        if not asked or len(asked) > MOST_NAMED:
            return {}
        longest = len(" ".join(asked).encode()) + SUFFIX
        every = " AND ".join(f'"{word}"' for word in asked)
        rows = self._matching(every, "length(f.name)", CALLED, f"length(f.name) <= {longest}")
        found = {file: File.of(*row) for _, file, *row in rows}
        return {id_: file for id_, file in found.items() if self.is_called(file)}
