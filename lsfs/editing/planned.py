"""planned: edits as a plan that `lsfs.history.carry` carries out: what is at each path now, and what shall be there.

    create, folder, symlink      belong to the viewer, as the kernel would make them (`inherited`)
    replace                      another inode with other bytes, and rights and owner of the one that it replaces
    remove                       of a folder with all that history knows in it

Called in a thread with a `Past` of its own; changes nothing. History is what the plan is made of, so where it does not say yet what is at a
path, `Unseen` says which are to be looked at first.
"""

import os
import stat
import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

from lsfs.beneath import stat_beneath
from lsfs.editing.inherited import owner_of, rights_of
from lsfs.editing.names import failed, for_reading, for_writing, granted, opened, said
from lsfs.history import back, paths
from lsfs.history.allowed import READ, WRITE, Rights, grants
from lsfs.history.entries import Entry, packed_xattrs
from lsfs.history.past import Bytes, Changed, LiveFile, Past
from lsfs.history.plan import CREATE, REMOVE, RESTORE, Change, Plan
from syscalls.errors import (
    Denied,
    Exists,
    InvalidArgument,
    IsFolder,
    NotFolder,
    NotFound,
    NotRegular,
    TryAgain,
)
from syscalls.values import Edit, Viewer

SET_ID = stat.S_ISUID | stat.S_ISGID
_NEW = Entry(0, b"", b"", 0, 0, 0, 0, 0, 0, 0, None, None, None, None, 0, 0, None, 0)


class Unseen(Exception):
    """History does not say yet what is at these paths."""

    def __init__(self, some: Collection[bytes]) -> None:
        super().__init__(some)
        self.paths = some


class Memory:
    """Bytes that a call was given."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self._data = data

    def read(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]

    def close(self) -> None:
        pass


class Source(NamedTuple):
    """A live file that is copied, and what it is like while it is what was looked at."""

    path: bytes
    signature: tuple[int, int, int]


class Sources:
    """The contents that history has not got: the `fresh` of `Carry.out`."""

    def __init__(self, root_fd: int, viewer: Viewer) -> None:
        self._root_fd = root_fd
        self._viewer = viewer
        self._known: dict[bytes, bytes | Source] = {}

    def add(self, path: bytes, of: bytes | Source) -> None:
        """The file to be made at a path has these bytes."""
        self._known[path] = of

    def __call__(self, row: Entry) -> Bytes | None:
        known = self._known.get(row.path) if row.content is None else None
        if known is None or isinstance(known, bytes):
            return None if known is None else Memory(known)
        try:
            at = opened(self._root_fd, known.path, self._viewer)
            try:
                found = os.fstat(at)
                if not stat.S_ISREG(found.st_mode):
                    raise Changed(f"{said(known.path)} is another thing by now")
                if not granted(at, found, self._viewer, READ):
                    raise Denied(f"You may not read {said(known.path)}; ask its owner.")
                fd = os.open(b"/proc/self/fd/%d" % at, os.O_RDONLY | os.O_CLOEXEC)
            finally:
                os.close(at)
        except OSError as error:
            raise Changed(f"{said(known.path)} is not there any more") from error
        if paths.signature(found) != known.signature:
            os.close(fd)
            raise Changed(f"{said(known.path)} has just been changed")
        return LiveFile(fd, found, True)


class Planner:
    """One call's edits. `plan` makes the plan; `fresh` has the contents then."""

    def __init__(
        self,
        past: Past,
        edits: Sequence[Edit],
        viewer: Viewer,
        hidden: Collection[bytes],
        virtual: Collection[bytes],
    ) -> None:
        self.past = past
        self.edits = sorted(edits, key=lambda edit: edit.path.split(b"/"))
        self.viewer = viewer
        self.fresh = Sources(past.root_fd, viewer)
        self._hidden = hidden
        self._virtual = virtual
        self._now = past.sequence()
        self._at = time.time_ns()
        self._rights = Rights(past, self._now, viewer, lambda row: True)
        self._made: dict[bytes, Entry] = {}  # folders that these edits make
        self._known: dict[bytes, Entry | None] = {}
        self._unseen: set[bytes] = set()

    def plan(self, *, expected: int | None = None) -> Plan:
        """Raises Unseen, TryAgain where something happened after the sequence `expected`, and what `Folder.change` raises."""
        for edit in self.edits:
            for_writing(edit.path, self._hidden, self._virtual)
        self._apart()
        changes: list[Change] = []
        for edit in self.edits:
            try:
                changes += self._changes(edit)
            except KeyError:  # of `_entry`: go on, so that all of them are looked at in one go
                continue
        if self._unseen:
            raise Unseen(self._unseen)
        changes.sort(key=lambda change: change.path.split(b"/"))
        named = [edit.path for edit in self.edits]
        scope = paths.common(named) if len(named) > 1 else named[0]
        plan = Plan(scope, None, self._now, tuple(changes), paths.tops(named), self._folders(changes))
        if expected is not None and back.moved(self.past, plan, expected):
            raise TryAgain("Something has changed since it was looked at, so nothing is done: look again.")
        back.check_hidden(self.past, plan.changes)
        return plan

    def _folders(self, changes: Sequence[Change]) -> dict[bytes, int]:
        """The folders that something is made in or removed from, as they were looked at."""
        rows = [self._known.get(paths.split(change.path)[0]) for change in changes]
        rows += [change.old for change in changes]
        return {row.path: row.ino for row in rows if row is not None and row.ino and stat.S_ISDIR(row.mode)}

    def _apart(self) -> None:
        """Two edits of one path, or one in a folder that another removes, have no order that everybody would expect."""
        seen: dict[bytes, str] = {}
        for edit in self.edits:
            if edit.path in seen:
                raise InvalidArgument(f"{said(edit.path)} is there twice; say each path once.")
            seen[edit.path] = edit.kind
            for above in paths.above(edit.path):
                if seen.get(above, "folder") != "folder":
                    raise InvalidArgument(
                        f"{said(edit.path)} lies in {said(above)}, which changes itself; say one of them."
                    )

    # What is there ----------------------------------------------------------------------------------------------------------

    def _entry(self, path: bytes) -> Entry | None:
        """What is at a path, by history, which has to agree with the folder; KeyError where it does not, yet."""
        if path not in self._known:
            row = self.past.entry(path, self._now)
            try:
                found = stat_beneath(self.past.root_fd, path, xdev=False)
            except (FileNotFoundError, NotADirectoryError):
                found = None
            except OSError as error:
                raise failed(error, path) from None
            if not _agree(row, found):
                self._unseen.add(path)
                raise KeyError(path)
            self._known[path] = row
        return self._known[path]

    def _folder(self, path: bytes) -> Entry:
        """The folder that a path is in."""
        parent = paths.split(path)[0]
        if parent in self._made:
            return self._made[parent]
        if not parent:
            return self._top()
        row = self._entry(parent)
        if row is None:
            raise NotFound(f"The folder {said(parent)} is not there; make it first.")
        if not stat.S_ISDIR(row.mode):
            what = "a symlink" if stat.S_ISLNK(row.mode) else "no folder"
            raise NotFolder(f"{said(parent)} is {what}; write the path of a folder.")
        return row

    def _top(self) -> Entry:
        if b"" not in self._known:
            found = os.fstat(self.past.root_fd)
            xattrs = packed_xattrs(b"/proc/self/fd/%d" % self.past.root_fd)
            self._known[b""] = _NEW._replace(
                mode=found.st_mode, uid=found.st_uid, gid=found.st_gid, xattrs=xattrs
            )
        top = self._known[b""]
        assert top is not None
        return top

    # What shall be there ----------------------------------------------------------------------------------------------------

    def _changes(self, edit: Edit) -> list[Change]:
        path = edit.path
        self._rights.pass_(path)
        folder = self._folder(path)
        old = None if paths.split(path)[0] in self._made else self._entry(path)
        if edit.kind == "remove":
            return self._removed(path, old)
        if old is None:
            if edit.kind == "replace":
                raise NotFound(f"There is nothing at {said(path)}; `create` makes a file.")
            return self._allowed((Change(path, CREATE, None, self._created(edit, folder)),), None)
        if edit.kind not in ("replace", "write"):
            raise Exists(f"There is something at {said(path)} already; give another path, or `replace` it.")
        return [self._replaced(edit, old)]

    def _allowed(self, changes: tuple[Change, ...], scope: bytes | None) -> list[Change]:
        checked = self._rights.check(changes, scope)
        for change in checked:
            if change.new is not None and stat.S_ISDIR(change.new.mode):
                self._made[change.path] = change.new
        return list(checked)

    def _removed(self, path: bytes, old: Entry | None) -> list[Change]:
        if old is None:
            raise NotFound(f"There is nothing at {said(path)}; write the path as ls shows it below files/.")
        rows = self.past.at_or_below(path, self._now) if stat.S_ISDIR(old.mode) else [old]
        return self._allowed(tuple(Change(row.path, REMOVE, row, None) for row in rows), path)

    def _created(self, edit: Edit, folder: Entry) -> Entry:
        parent, name = paths.split(edit.path)
        uid, gid = owner_of(folder, self.viewer)
        row = _NEW._replace(parent=parent, name=name, uid=uid, gid=gid, mtime_ns=self._at)
        if edit.kind == "symlink":
            target = edit.target or b""
            if edit.source is not None:
                target = self._source(edit.source).target or b""
                if not target:
                    raise NotRegular(f"{said(edit.source)} is no symlink.")
            return row._replace(mode=stat.S_IFLNK | 0o777, target=target, size=len(target))
        if edit.kind == "folder":
            mode = 0o777 if edit.mode is None else edit.mode & 0o7777
            mode, xattrs = rights_of(folder, stat.S_IFDIR | mode, 0o022 if edit.mode is None else 0)
            return row._replace(mode=mode, xattrs=xattrs)
        size, wanted, at = self._content(edit)
        mode, xattrs = rights_of(
            folder, stat.S_IFREG | (0o666 if wanted is None else wanted), 0o022 if wanted is None else 0
        )
        return row._replace(mode=mode, xattrs=xattrs, size=size, mtime_ns=at)

    def _replaced(self, edit: Edit, old: Entry) -> Change:
        if stat.S_ISDIR(old.mode):
            raise IsFolder(f"{said(edit.path)} is a folder; name a file in it.")
        if not stat.S_ISREG(old.mode):
            what = "a symlink; name what it leads to" if stat.S_ISLNK(old.mode) else "no regular file"
            raise NotRegular(f"{said(edit.path)} is {what}.")
        if not self._rights.all and not grants(old, self.viewer, WRITE):
            raise Denied(f"You may not write to {said(edit.path)}; ask its owner.")
        size, _, _ = self._content(edit)
        new = old._replace(id=0, content=None, source=None, gone=0, died=None, size=size, mtime_ns=self._at)
        if self.viewer.uid != 0 and new.mode & SET_ID:  # as the kernel does when somebody writes
            new = new._replace(mode=new.mode & ~(SET_ID if new.mode & stat.S_IXGRP else stat.S_ISUID))
        if os.geteuid() not in (0, old.uid):  # it cannot be given to somebody else
            new = new._replace(uid=os.geteuid(), gid=os.getegid())
        if edit.mode is not None:
            new = new._replace(mode=stat.S_IFREG | (edit.mode & 0o7777))
        return Change(edit.path, RESTORE, old, new)

    def _source(self, path: bytes) -> Entry:
        """What is at the path that is copied."""
        for_reading(path, self._hidden)
        self._rights.pass_(path)
        row = self._entry(path)
        if row is None:
            raise NotFound(f"There is nothing at {said(path)}; write the path as ls shows it below files/.")
        return row

    def _content(self, edit: Edit) -> tuple[int, int | None, int]:
        """Size, mode (None: as the umask gives it) and time of the bytes that an edit has."""
        mode = None if edit.mode is None else edit.mode & 0o7777
        if edit.source is None:
            data = edit.data or b""
            self.fresh.add(edit.path, data)
            return len(data), mode, self._at
        row = self._source(edit.source)
        if stat.S_ISDIR(row.mode):
            raise IsFolder(f"{said(edit.source)} is a folder; name a file in it.")
        if not stat.S_ISREG(row.mode):
            raise NotRegular(f"{said(edit.source)} is no regular file, so it has no content.")
        if not self._rights.all and not grants(row, self.viewer, READ):
            raise Denied(f"You may not read {said(edit.source)}; ask its owner.")
        self.fresh.add(edit.path, Source(edit.source, (row.size, row.mtime_ns, row.ino)))
        return row.size, row.mode & 0o777 if mode is None else mode, row.mtime_ns


def _agree(row: Entry | None, found: os.stat_result | None) -> bool:
    """Does history say what lstat says?"""
    if row is None or found is None:
        return row is None and found is None
    if stat.S_IFMT(found.st_mode) != row.kind or paths.number(found.st_ino) != row.ino:
        return False
    rights = (found.st_mode, found.st_uid, found.st_gid) == (row.mode, row.uid, row.gid)
    return rights and (stat.S_ISDIR(row.mode) or (row.size, row.mtime_ns) == paths.signature(found)[:2])
