"""allowed: what a caller may put back, by the rules of the kernel.

Root may all, and so may the mount's owner where the daemon is root. Everybody else needs what the same would need by hand: to write and
search the folder of each path and to search those above it, and to list it where he did not name the path; in a sticky folder, to own
what is replaced; to read what is put back, of whatever type, by its rights then and by those of what is there now. What he puts back
belongs to him; attributes are changed in place by their owner only. What he may not see is not named to him: a refusal names what he
asked for, and of what is below that only what he may list.

Called in a thread that has a `Past` of its own; pure but for that.
"""

import os
import stat
from collections.abc import Callable

import msgpack

from lsfs.history import paths
from lsfs.history.entries import ROW, Entry
from lsfs.history.past import Past
from lsfs.history.plan import ATTRIBUTES, REMOVE, RESTORE, Change, within
from syscalls.errors import Denied, NotPermitted
from syscalls.permission import acl_grants
from syscalls.values import Viewer

READ, WRITE, SEARCH = 4, 2, 1
_ACL = "system.posix_acl_access"


def grants(row: Entry, viewer: Viewer, wanted: int) -> bool:
    """Do the rights of a row, its access list included, grant `viewer` the bits `wanted`?"""
    if viewer.uid == 0:
        return True
    acl = msgpack.unpackb(row.xattrs).get(_ACL) if row.xattrs else None
    if acl is not None and viewer.uid != row.uid:
        return acl_grants(acl, row.uid, row.gid, viewer, wanted)
    shift = 6 if viewer.uid == row.uid else 3 if row.gid in viewer.groups | {viewer.gid} else 0
    return row.mode >> shift & wanted == wanted


class Rights:
    """The rights of one caller. `then` (row) says whether he might have read a row of the past where it was."""

    def __init__(self, past: Past, sequence: int, viewer: Viewer, then: Callable[[Entry], bool]) -> None:
        self.viewer = viewer
        self._past = past
        self._sequence = sequence
        self._then = then
        self._scope: bytes | None = None
        self._folders: dict[bytes, Entry] = {}
        found = os.fstat(past.root_fd)
        self._top = Entry(
            0, b"", b"", found.st_mode, found.st_uid, found.st_gid, 0, 0, 0, found.st_ino, None, None, None, None, 0, 0, None, 0
        )  # fmt: skip

    @property
    def all(self) -> bool:
        """May he do everything?"""
        return self.viewer.uid == 0 or (self.viewer.uid == os.geteuid() and os.geteuid() == 0)

    # Seeing ---------------------------------------------------------------------------------------------------------------

    def pass_(self, path: bytes) -> None:
        """He may pass the folders above a path that he named, those included that are not there any more. Raises Denied."""
        if self.all:
            return
        for above in _above(path):
            row = self._last(above)
            if row is not None and stat.S_ISDIR(row.mode) and not grants(row, self.viewer, SEARCH):
                raise Denied(f"You may not pass the folders above {_named(path)}; ask their owner.")

    def reach(self, path: bytes, versions: bool = False) -> None:
        """The same, and he may list it where it is a folder; to have its versions counted, he may read it. Raises Denied."""
        self.pass_(path)
        row = self._last(path)
        if self.all or row is None:
            return
        wanted = READ | SEARCH if stat.S_ISDIR(row.mode) else READ if versions else 0
        if not grants(row, self.viewer, wanted):
            raise Denied(f"You may not read {_named(path)}; ask its owner.")

    def sees(self, row: Entry) -> bool:
        """Might he have seen the removed thing that a row tells of, and may he still look there?"""
        try:
            self.pass_(row.path)
        except Denied:
            return False
        then = (row.died or 0) - 1
        folders = [self._past.entry(above, then) for above in _above(row.path) if above and not self.all]
        return all(folder is None or grants(folder, self.viewer, SEARCH) for folder in folders)

    def _last(self, path: bytes) -> Entry | None:
        """What is at a path; where nothing is, what was there last."""
        if not path:
            return self._top
        row = self._past.entry(path, self._sequence)
        if row is None:
            found = self._past.database.execute(
                f"select {ROW} from entry where parent = ? and name = ? order by born desc limit 1",
                paths.split(path),
            ).fetchone()
            row = None if found is None else Entry(*found)
        return row

    def _name(self, path: bytes) -> str:
        """A path, cut before what he may not know of: below the scope he knows what he may list."""
        scope = self._scope
        if scope is None or not within(path, scope):
            return _named(path)
        shown = scope
        for part in path[len(scope) :].strip(b"/").split(b"/") if path != scope else ():
            folder = self._last(shown)
            if folder is None or not grants(folder, self.viewer, READ | SEARCH):
                break
            shown = paths.join(shown, part)
        return _named(shown)

    # Changing -------------------------------------------------------------------------------------------------------------

    def check(self, changes: tuple[Change, ...], scope: bytes | None = None) -> tuple[Change, ...]:
        """The changes as this caller makes them. Raises Denied or NotPermitted, naming the first path that he may not change, as far as
        he may know of it. scope: the path that he named."""
        if self.all:
            return changes
        self._scope = scope
        found = [self._one(change) for change in changes]
        return tuple(change for change in found if change is not None)

    def _one(self, change: Change) -> Change | None:
        path, kind, old, new = change
        parent = paths.split(path)[0]
        folder = self._folder(parent, path)
        if not grants(folder, self.viewer, SEARCH):
            raise Denied(f"You may not pass the folder of {self._name(path)}; ask its owner.")
        if kind == ATTRIBUTES and old is not None and new is not None:
            if old.uid == self.viewer.uid:
                new = self._his(new, old.gid)
                rights = (new.mode, new.gid, new.xattrs, new.mtime_ns)
                return (
                    None
                    if rights == (old.mode, old.gid, old.xattrs, old.mtime_ns)
                    else change._replace(new=new)
                )
            if not stat.S_ISREG(new.mode):
                raise NotPermitted(
                    f"The folder {self._name(path)} is not yours, so its rights are not yours to put back."
                )
            kind = RESTORE
        inside = self._scope is not None and path != self._scope and within(path, self._scope)
        listed = READ if inside and folder.path == parent else 0  # to find by hand what he has not named
        if not grants(folder, self.viewer, WRITE | SEARCH | listed):
            raise Denied(
                f"You may not write to the folder of {self._name(path)}; ask its owner, or change less."
            )
        if folder.mode & stat.S_ISVTX and old is not None and self.viewer.uid not in (old.uid, folder.uid):
            raise NotPermitted(
                f"{self._name(path)} is not yours, and its folder lets only owners replace what is in it."
            )
        if kind == REMOVE or new is None:
            return change
        if not self._readable(path, old, new):
            raise Denied(
                f"You may not read {self._name(path)}, now or as it was then, so it is not yours to put back."
            )
        if stat.S_IFMT(new.mode) in (stat.S_IFCHR, stat.S_IFBLK):
            raise NotPermitted(f"{self._name(path)} was a device, and only root makes one.")
        new = self._leaving(path, new)
        return change._replace(
            kind=kind, new=self._his(new, folder.gid if folder.mode & stat.S_ISGID else None)
        )

    def _readable(self, path: bytes, old: Entry | None, new: Entry) -> bool:
        """Might he have read what is put back (passed, where it is a folder above what he named), and may he read what is there now?"""
        if stat.S_ISDIR(new.mode) and not grants(new, self.viewer, SEARCH):
            return False
        if self._scope is not None and not within(path, self._scope):
            return True
        return self._then(new) and (old is None or grants(old, self.viewer, READ))

    def _leaving(self, path: bytes, new: Entry) -> Entry:
        """What was removed leaves the trash when it is put back: where it was, or, to elsewhere, by whoever may write where it was."""
        was = self._past.by_id(new.id) if new.gone else None
        if was is None or was.path == path:
            return new
        try:
            folder = self._folder(was.parent, path)
        except Denied:
            return new._replace(gone=0)
        sticky = folder.mode & stat.S_ISVTX and self.viewer.uid not in (was.uid, folder.uid)
        return new if grants(folder, self.viewer, WRITE | SEARCH) and not sticky else new._replace(gone=0)

    def _his(self, new: Entry, gid: int | None) -> Entry:
        """A row as he may make it: it belongs to him (to the daemon, where that is not root's)."""
        if os.geteuid() != 0:
            return self._of(new, os.geteuid(), os.getegid() if gid is None else gid)
        if gid is None:
            mine = new.uid == self.viewer.uid and new.gid in self.viewer.groups
            gid = new.gid if mine else self.viewer.gid
        return self._of(new, self.viewer.uid, gid)

    def _of(self, new: Entry, uid: int, gid: int) -> Entry:
        same = (uid, gid) == (new.uid, new.gid)
        return new._replace(
            uid=uid, gid=gid, mode=new.mode if same else new.mode & ~(stat.S_ISUID | stat.S_ISGID)
        )

    def _folder(self, path: bytes, for_: bytes) -> Entry:
        """The folder in which something is to be made: the nearest one above it that is there. He may search all above it."""
        known = self._folders.get(path)
        if known is None:
            row = self._past.entry(path, self._sequence) if path else self._top
            if row is None or not stat.S_ISDIR(row.mode):
                known = self._folder(paths.split(path)[0], for_)
            else:
                if path and not grants(self._folder(paths.split(path)[0], for_), self.viewer, SEARCH):
                    raise Denied(f"You may not pass the folders above {self._name(for_)}; ask their owner.")
                known = row
            self._folders[path] = known
        return known


def _above(path: bytes) -> list[bytes]:
    """The folders above a path, the top first."""
    parts = path.split(b"/")
    return [b"/".join(parts[:depth]) for depth in range(len(parts))] if path else []


def _named(path: bytes) -> str:
    """A path in a sentence."""
    return os.fsdecode(path) if path else "files"
