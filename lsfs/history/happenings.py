"""happenings: what happened at and below a path, read from the rows of history.

Each row that was born is something made, written or renamed, each that ended without another in its place something removed or renamed
away. They are read in pages, from either end: one commit may be a folder of a million files that was renamed.
Pure but for the database of the `Past` that it is given; call it in a thread.
"""

from typing import TYPE_CHECKING, NamedTuple

from lsfs.history import paths
from lsfs.history.entries import ROW, Entry

if TYPE_CHECKING:
    from lsfs.history.past import Past


class Happening(NamedTuple):
    """One thing that happened. at: seconds since the epoch; before: what stood there, or what it was called, if anything;
    ended: whether it is the end of the row; after: what it was renamed to then, None where it was removed."""

    sequence: int
    at: float
    row: Entry
    before: Entry | None = None
    ended: bool = False
    after: Entry | None = None


class Place(NamedTuple):
    """A place between two happenings: (sequence, number of the row), of those that begin and of those that end."""

    begun: tuple[int, int]
    ended: tuple[int, int]


def place(sequence: int) -> Place:
    """The one behind everything of a sequence."""
    return Place((sequence, paths.MOST), (sequence, paths.MOST))


def happenings(
    past: "Past", after: Place, until: Place, path: bytes, most: int, *, newest: bool
) -> tuple[list[Happening], Place | None]:
    """Some of what happened between two places, oldest first: the `newest`, otherwise the oldest; `most` rows that begin and `most` that
    end at most. The other is the place at which the rest of it ends, or begins; None where that was all."""
    begun = _rows(past, "born", after.begun, until.begun, path, most, newest)
    edge = begun[-1].born if len(begun) == most else None
    first, last = after.ended, until.ended
    if edge is not None:  # nothing beyond is told now, so it is not looked for either
        first, last = (max(first, (edge, -1)), last) if newest else (first, min(last, (edge, paths.MOST)))
    ended = _rows(past, "died", first, last, path, most, newest)
    found = [_begun(past, row) for row in begun]
    rest: Place | None = None
    if len(ended) == most:
        edge = ended[-1].died
    if edge is not None:
        found = [one for one in found if (one.sequence >= edge if newest else one.sequence <= edge)]
        beyond = (edge, -1) if newest else (edge, paths.MOST)
        behind = -1 if newest else 0  # what comes next ends before the last row, or begins behind it
        last_begun = begun[-1] if len(begun) == most and begun[-1].born == edge else None
        rest = Place(
            beyond if last_begun is None else (edge, last_begun.id + behind),
            beyond if len(ended) < most else (edge, ended[-1].id + behind),
        )
    found += [one for one in (_ended(past, row, path) for row in ended) if one is not None]
    found.sort(key=lambda one: (one.sequence, one.row.path, one.ended))
    return found, rest


def _rows(
    past: "Past",
    column: str,
    after: tuple[int, int],
    until: tuple[int, int],
    path: bytes,
    most: int,
    newest: bool,
) -> list[Entry]:
    where, values = "", []
    if column == "died":
        where = (
            " and not exists (select 1 from entry n where n.parent = entry.parent and n.name = entry.name"
            " and n.born = entry.died)"
        )
    if path:
        where += " and ((parent = ? and name = ?) or parent = ? or (parent >= ? and parent < ?))"
        values = [*paths.split(path), path, *paths.below(path)]
    way = "desc" if newest else "asc"
    # `between` is what the partial index on died needs to be used; the pairs decide within the first and the last sequence
    rows = past.database.execute(
        f"select {ROW} from entry where {column} between ? and ? and ({column}, id) > (?, ?) and ({column}, id) <= (?, ?){where}"
        f" order by {column} {way}, id {way} limit ?",
        (after[0], until[0], *after, *until, *values, most),
    )
    return [Entry(*row) for row in rows]


def _begun(past: "Past", row: Entry) -> Happening:
    before = past.by_id(row.source) if row.source is not None else _before(past, row)
    return Happening(row.born, past.time_of(row.born) or 0.0, row, before)


def _before(past: "Past", row: Entry) -> Entry | None:
    found = past.database.execute(
        f"select {ROW} from entry where parent = ? and name = ? and died = ? order by id desc limit 1",
        (row.parent, row.name, row.born),
    ).fetchone()
    return None if found is None else Entry(*found)


def _ended(past: "Past", row: Entry, path: bytes) -> Happening | None:
    """The end of a row; None where it goes on at or below `path`: the row there says where it came from."""
    assert row.died is not None
    after: Entry | None = None
    if not row.gone:
        found = past.database.execute(
            f"select {ROW} from entry where source = ? and born = ? limit 1", (row.id, row.died)
        ).fetchone()
        after = None if found is None else Entry(*found)
    if after is not None and (not path or after.path == path or after.path.startswith(path + b"/")):
        return None
    return Happening(row.died, past.time_of(row.died) or 0.0, row, None, True, after)
