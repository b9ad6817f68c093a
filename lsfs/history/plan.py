"""plan: what a rollback would do, and nothing done. Pure.

    create      something that is not there now
    restore     a file, symlink … whose content, or type, is another one now
    attributes  rights, owner, time or extended attributes of what is there
    remove      what was not there then

A change says what is at its path now (`old`, the live row) and what shall be there (`new`, a row of the past). What is the same is no
change, and a folder's own time is nobody's state: it follows what is done in it.
"""

import stat
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lsfs.history.entries import Entry

CREATE, RESTORE, ATTRIBUTES, REMOVE = "create", "restore", "attributes", "remove"
Same = Callable[[Entry, Entry], bool]


class Change(NamedTuple):
    """One path. `old` and `new` are never both None."""

    path: bytes
    kind: str
    old: Entry | None
    new: Entry | None

    @property
    def staged(self) -> bool:
        """Is something to be made ready for it?"""
        return self.kind in (CREATE, RESTORE) and self.new is not None and not stat.S_ISDIR(self.new.mode)

    @property
    def size(self) -> int:
        """Bytes that are to be written for it."""
        return self.new.size if self.staged and self.new is not None and stat.S_ISREG(self.new.mode) else 0


class Plan(NamedTuple):
    """All of a rollback. changes are sorted by path, so that a folder comes before what is in it.

    scope     the path that it is about, b"" for everything
    target    the sequence that it goes back to; None where it is about one version of one file
    sequence  the one that was the last when the plan was made
    watched   where nothing may have happened since then, at or below; without any, the scope
    folders   the inode numbers of folders that it works in, where they have to be these very ones: its rights were looked at there
    """

    scope: bytes
    target: int | None
    sequence: int
    changes: tuple[Change, ...]
    watched: tuple[bytes, ...] = ()
    folders: Mapping[bytes, int] = MappingProxyType({})

    @property
    def places(self) -> tuple[bytes, ...]:
        """The paths that it is about, at or below."""
        return self.watched or (self.scope,)

    @property
    def size(self) -> int:
        """Bytes that are to be written."""
        return sum(change.size for change in self.changes)

    def counts(self) -> dict[str, int]:
        """How many changes of each kind."""
        found = dict.fromkeys((RESTORE, CREATE, ATTRIBUTES, REMOVE), 0)
        for change in self.changes:
            found[change.kind] += 1
        return found


def compare(pairs: Iterable[tuple[bytes, Entry | None, Entry | None]], same: Same) -> tuple[Change, ...]:
    """The changes that make (path, then, now) agree again. `same` says whether two rows of one type have the same bytes."""
    found = []
    for path, new, old in pairs:
        kind = _kind(new, old, same)
        if kind is not None:
            found.append(Change(path, kind, old, new))
    return tuple(sorted(found, key=lambda change: change.path.split(b"/")))


def _kind(new: Entry | None, old: Entry | None, same: Same) -> str | None:
    if new is None:
        return None if old is None else REMOVE
    if old is None:
        return CREATE
    if new.id == old.id:
        return None
    if new.kind != old.kind:
        return RESTORE
    rights = (new.mode, new.uid, new.gid, new.xattrs) != (old.mode, old.uid, old.gid, old.xattrs)
    if stat.S_ISDIR(new.mode):
        return ATTRIBUTES if rights else None
    if not same(new, old):
        return RESTORE
    if not rights and new.mtime_ns == old.mtime_ns:
        return None
    # A symlink's attributes are nothing without it, so another one takes its place.
    return ATTRIBUTES if stat.S_ISREG(new.mode) else RESTORE


def alike(one: Plan, other: Plan) -> bool:
    """Would two plans do the same, as they are shown? (What is replaced may have been written to since: it becomes a version.)"""
    return [_key(change) for change in one.changes] == [_key(change) for change in other.changes]


def _key(change: Change) -> tuple[object, ...]:
    new = change.new
    wanted = None if new is None else (new.id, new.path, new.mode, new.uid, new.gid, new.mtime_ns, new.xattrs)
    return change.path, change.kind, change.old and change.old.kind, wanted


def within(path: bytes, scope: bytes) -> bool:
    """Is a path at or below another one?"""
    return not scope or path == scope or path.startswith(scope + b"/")
