"""back: what a rollback or an undelete has to bring back, read from history. In a thread, with a `Past` of its own."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

from lsfs.beneath import open_beneath
from lsfs.config import STATE
from lsfs.history import paths
from lsfs.history.contents import Missing
from lsfs.history.entries import ROW, Entry
from lsfs.history.past import Past
from lsfs.history.plan import Change, Plan, compare
from syscalls.errors import Exists, InvalidArgument, LsfsError, NotFolder, NotFound

BREATH = 7.0  # seconds between two commits of one `rm -r`, at most
Pair = tuple[bytes, Entry | None, Entry | None]


class Hidden(LsfsError):
    """A folder that is to go has something in it that history does not know."""

    errno = errno.ENOTEMPTY


class Wanted(NamedTuple):
    """What somebody asked for: `scope` as it was at `sequence`, or as the version `version` (from 1, or from -1 for the one before).
    paths: nothing but these of the scope; undoes: it takes something back, which the next undo does again."""

    scope: bytes
    sequence: int | None
    version: int | None
    to: str
    paths: tuple[bytes, ...] | None = None
    undoes: bool = False


def plan_of(past: Past, wanted: Wanted) -> Plan:
    """The changes that bring it back, for somebody who may do everything. Raises NotFound, InvalidArgument, NotFolder."""
    now = past.sequence()
    if wanted.scope and STATE.encode() in wanted.scope.split(b"/"):
        raise NotFound("What lsfs keeps for itself has no versions.")
    if wanted.sequence is None:
        pairs = [_version(past, wanted, now)]
        then = pairs[0][1].born if pairs[0][1] is not None else now
    elif wanted.paths is not None:
        return _of_paths(past, wanted, now, wanted.sequence, wanted.paths)
    else:
        then = wanted.sequence
        pairs = [(path, new, old) for path, new, old in past.changed(then, now, wanted.scope)]
        if (
            wanted.scope
            and not pairs
            and past.entry(wanted.scope, now) is None
            and past.entry(wanted.scope, then) is None
        ):
            raise NotFound(
                f"There is nothing at {os.fsdecode(wanted.scope)}, and was nothing then; write the path as ls shows it below files/."
            )
    changes = compare(_above(past, wanted.scope, then, now, pairs) + pairs, past.same)
    return Plan(wanted.scope, wanted.sequence, now, _unlinked(past, changes))


def _of_paths(past: Past, wanted: Wanted, now: int, then: int, named: tuple[bytes, ...]) -> Plan:
    """The same for some paths, each with the folders above it that are not there any more."""
    pairs: dict[bytes, Pair] = {}
    for path in named:
        pair = path, past.entry(path, then), past.entry(path, now)
        pairs[path] = pair
        for above in _above(past, path, then, now, [pair]):
            pairs.setdefault(above[0], above)
    changes = compare(pairs.values(), past.same)
    return Plan(wanted.scope, then, now, _unlinked(past, changes), paths.tops(pairs) or (wanted.scope,))


def _version(past: Past, wanted: Wanted, now: int) -> Pair:
    """One content of one file."""
    path, name = wanted.scope, os.fsdecode(wanted.scope)
    old = past.entry(path, now)
    if not path or (old is not None and stat.S_ISDIR(old.mode)):
        raise InvalidArgument(
            f"{name or 'The whole folder'} is no file, so it has no numbered versions; say --to a snapshot or a time."
        )
    parent, base = paths.split(path)
    number = wanted.version or 0
    row = _so_many_back(past, path, -number if old is not None else -number - 1) if number < 0 else None
    if row is not None:
        return path, row, old
    versions = past.versions(path)
    if not versions:
        raise NotFound(f"History knows no file {name}; write the path as ls shows it below files/.")
    if number < 0:  # so many before the one that is there now
        number += len(versions) + (0 if old is not None else 1)
    if not 1 <= number <= len(versions):
        raise NotFound(f"{name} has the versions v1 to v{len(versions)}; `lsfs log` lists them.")
    row = versions[number - 1].last
    return path, row._replace(parent=parent, name=base), old


def _so_many_back(past: Past, path: bytes, count: int) -> Entry | None:
    """The content that many before the newest one at a path, without a look at all that it ever was. None where that has to be looked at,
    since it had another name."""
    before: Entry | None = None
    rows = past.database.execute(
        f"select {ROW} from entry where parent = ? and name = ? order by born desc", paths.split(path)
    )
    for row in map(Entry._make, rows):
        if stat.S_ISDIR(row.mode):
            continue
        if before is not None and not past.same(before, row):
            count -= 1
        if count == 0:
            return row
        if row.source is not None:
            return None
        before = row
    return None


def _above(past: Past, scope: bytes, then: int, now: int, pairs: Iterable[Pair]) -> list[Pair]:
    """The folders above the scope that are not there any more, as they were."""
    found: list[Pair] = []
    if not any(new is not None for _, new, _ in pairs):
        return found
    above = paths.split(scope)[0]
    while above:
        old = past.entry(above, now)
        if old is not None:
            if not stat.S_ISDIR(old.mode):
                raise NotFolder(f"{os.fsdecode(above)} is no folder now; move it away, or roll it back, too.")
            break
        new = past.entry(above, then)
        if new is None:
            raise NotFound(f"The folder {os.fsdecode(above)} is not there; make it first.")
        found.append((above, new, None))
        above = paths.split(above)[0]
    return found


def _unlinked(past: Past, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """What has other names is not changed in place: they keep what they have."""
    found = []
    for change in changes:
        if change.kind == "attributes" and change.old is not None and not stat.S_ISDIR(change.old.mode):
            try:
                if (
                    os.stat(
                        os.fsencode(f"/proc/self/fd/{past.root_fd}/") + change.path, follow_symlinks=False
                    ).st_nlink
                    > 1
                ):
                    change = change._replace(kind="restore")
            except OSError:
                change = change._replace(kind="restore")
        found.append(change)
    return tuple(found)


def undelete_of(past: Past, row: Entry, target: bytes) -> Plan:
    """What brings a removed row, and all that was removed with it, to `target`. Raises Exists, NotFound, NotFolder."""
    now = past.sequence()
    if past.entry(target, now) is not None:
        raise Exists(f"There is something at {os.fsdecode(target)} already; give another path.")
    if STATE.encode() in target.split(b"/") or not target:
        raise InvalidArgument("What was removed comes back below files/, and not where lsfs keeps its own.")
    rows = [row, *(_together(past, row) if stat.S_ISDIR(row.mode) else ())]
    pairs: list[Pair] = []
    for one in rows:
        path = target + one.path[len(row.path) :]
        parent, name = paths.split(path)
        pairs.append((path, one._replace(parent=parent, name=name), None))
    then = (row.died or now) - 1
    changes = compare(_above(past, target, then, now, pairs) + pairs, past.same)
    return Plan(target, None, now, changes)


def _together(past: Past, folder: Entry) -> list[Entry]:
    """What was removed with a folder: all below it that went in the same commit, or in those just before it, as of one `rm -r`."""
    low, high = paths.below(folder.path)
    rows = [Entry(*row) for row in past.database.execute(
        f"select {ROW} from entry where gone = 1 and died <= ? and died >= ? and (parent = ? or (parent >= ? and parent < ?))",
        (folder.died, folder.born, folder.path, low, high),
    )]  # fmt: skip
    times = {
        died: past.time_of(died) or 0.0
        for died in {row.died for row in rows} | {folder.died}
        if died is not None
    }
    since, first = folder.died, times.get(folder.died or 0, 0.0)
    for died in sorted(times, reverse=True):
        if first - times[died] > BREATH or (died != folder.died and _made(past, folder.path, died)):
            break
        since, first = died, times[died]
    newest: dict[bytes, Entry] = {}
    for row in sorted(rows, key=lambda row: row.died or 0):
        if row.died is not None and since is not None and row.died >= since:
            newest[row.path] = row
    # what lay in a folder that is not among them has no place to come back to
    folders = {folder.path} | {path for path, row in newest.items() if stat.S_ISDIR(row.mode)}
    found = []
    for path, row in sorted(newest.items(), key=lambda item: item[0].split(b"/")):
        if row.parent in folders:
            found.append(row)
        else:
            folders.discard(path)
    return found


def _made(past: Past, path: bytes, sequence: int) -> bool:
    """Was something made, or changed, below a folder in this commit? Then it is none of an `rm -r`."""
    low, high = paths.below(path)
    return past.database.execute(
        "select 1 from entry where born = ? and (parent = ? or (parent >= ? and parent < ?)) limit 1", (sequence, path, low, high)
    ).fetchone() is not None  # fmt: skip


def removed_at(past: Past, path: bytes, first: float | None = None, end: float | None = None) -> Entry:
    """The row that was removed last at a path, between two times where they are given. Raises NotFound."""
    row = past.database.execute(
        f"select {ROW} from entry where parent = ? and name = ? and gone = 1 and exists (select 1 from moment m where"
        " m.sequence = died and (? is null or (m.at >= ? and m.at < ?))) order by died desc limit 1",
        (*paths.split(path), first, first, end),
    ).fetchone()
    if row is None:
        raise nothing_removed(path)
    return Entry(*row)


def nothing_removed(path: bytes) -> NotFound:
    """What is said where nothing was, and to whoever may not see what was."""
    return NotFound(f"Nothing was removed at {os.fsdecode(path)}; `ls trash` shows what was, by the day.")


def check_hidden(past: Past, changes: Iterable[Change]) -> None:
    """Raises Hidden, naming what keeps a folder from being removed: lsfs's own, another device, what the daemon may not read."""
    device = os.fstat(past.root_fd).st_dev
    for change in changes:
        old, new = change.old, change.new
        if old is None or not stat.S_ISDIR(old.mode) or (new is not None and stat.S_ISDIR(new.mode)):
            continue
        what = _hidden(past.root_fd, change.path, device)
        if what is not None:
            raise Hidden(
                f"The folder {os.fsdecode(change.path)} cannot be removed, so nothing is changed: {what}; move it away first."
            )


def _hidden(root_fd: int, path: bytes, device: int) -> str | None:
    """What there is in a folder that no row tells of."""
    try:
        fd = open_beneath(root_fd, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except PermissionError:
        return "it may not be read"
    except OSError:
        return None
    try:
        if os.fstat(fd).st_dev != device:
            return "it is on another device"
        with os.scandir(fd) as found:
            for one in found:
                if one.name == STATE:
                    return f"{STATE} is in it"
                with contextlib.suppress(FileNotFoundError):
                    if one.stat(follow_symlinks=False).st_dev != device:
                        return f"{one.name} in it is on another device"
    finally:
        os.close(fd)
    return None


def check_kept(past: Past, changes: Iterable[Change]) -> None:
    """Raises Missing, naming the first path whose bytes are not there."""
    for change in changes:
        row = change.new
        if not change.staged or row is None or row.content is None or past.has(row.content):
            continue
        raise Missing(
            f"The bytes of {os.fsdecode(change.path)} as it was then were never captured, so nothing is rolled back;"
            " choose another time, or a smaller part."
        )


def moved(past: Past, plan: Plan, sequence: int) -> bool:
    """Has anything happened since a sequence at or below what a plan is about, or to the folders above its paths, where it names some?"""
    if not plan.watched:
        return _happened(past, plan.scope, sequence)
    above = {folder for path in plan.watched for folder in paths.above(path)}
    return any(_happened(past, path, sequence) for path in plan.watched) or any(
        _touched(past, folder, sequence) for folder in above
    )


def _touched(past: Past, path: bytes, sequence: int) -> bool:
    """Has anything happened to this very path?"""
    return past.database.execute(
        "select 1 from entry where parent = ? and name = ? and (born > ? or died > ?) limit 1",
        (*paths.split(path), sequence, sequence),
    ).fetchone() is not None  # fmt: skip


def _happened(past: Past, scope: bytes, sequence: int) -> bool:
    where, values = "1", []
    if scope:
        low, high = paths.below(scope)
        where = "((parent = ? and name = ?) or parent = ? or (parent >= ? and parent < ?))"
        values = [*paths.split(scope), scope, low, high]
    return past.database.execute(
        f"select 1 from entry where born > ? and {where} union all select 1 from entry where died > ? and {where} limit 1",
        (sequence, *values, sequence, *values),
    ).fetchone() is not None  # fmt: skip


def held(past: Past, stage: str) -> list[str]:
    """What history keeps in a stage (in any, without a name), as held/ calls it."""
    rows = past.database.execute("select held from content where held is not null").fetchall()
    return [name for (name,) in rows if name.startswith(f"{stage}/" if stage else "stage-")]
