"""allowed: what a caller may put back, by the rules of the kernel.

Root may all, and so may the mount's owner where the daemon is root. Everybody else needs what the same would need by hand: to write and
search the folder of each path and to search those above it; in a sticky folder, to own what is replaced; to read what is put back, by
its rights then and by those of what is there now. What he puts back belongs to him; attributes are changed in place by their owner only.

Called in a thread that has a `Past` of its own; pure but for that.
"""

import errno
import os
import stat
from collections.abc import Callable

import msgpack

from lsfs.history import paths
from lsfs.history.entries import Entry
from lsfs.history.past import Past
from lsfs.history.plan import ATTRIBUTES, REMOVE, RESTORE, Change
from syscalls.errors import LsfsError, NotPermitted
from syscalls.permission import acl_grants
from syscalls.values import Viewer

READ, WRITE, SEARCH = 4, 2, 1
_ACL = "system.posix_acl_access"


class Denied(LsfsError):
    """The rights of a file or folder do not let the caller."""

    errno = errno.EACCES


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
        self._folders: dict[bytes, Entry] = {}
        found = os.fstat(past.root_fd)
        self._top = Entry(
            0, b"", b"", found.st_mode, found.st_uid, found.st_gid, 0, 0, 0, found.st_ino, None, None, None, None, 0, 0, None, 0
        )  # fmt: skip

    @property
    def all(self) -> bool:
        """May he do everything?"""
        return self.viewer.uid == 0 or (self.viewer.uid == os.geteuid() and os.geteuid() == 0)

    def check(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """The changes as this caller makes them. Raises Denied or NotPermitted, naming the first path that he may not change."""
        if self.all:
            return changes
        found = [self._one(change) for change in changes]
        return tuple(change for change in found if change is not None)

    def _one(self, change: Change) -> Change | None:
        path, kind, old, new = change
        name = os.fsdecode(path)
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
                    f"The folder {name} is not yours, so its rights are not yours to put back."
                )
            kind = RESTORE
        folder = self._folder(paths.split(path)[0], name)
        if not grants(folder, self.viewer, WRITE | SEARCH):
            raise Denied(f"You may not write to the folder of {name}; ask its owner, or roll back less.")
        if folder.mode & stat.S_ISVTX and old is not None and self.viewer.uid not in (old.uid, folder.uid):
            raise NotPermitted(f"{name} is not yours, and its folder lets only owners replace what is in it.")
        if kind == REMOVE or new is None:
            return change
        if stat.S_ISREG(new.mode) and not (
            self._then(new) and (old is None or grants(old, self.viewer, READ))
        ):
            raise Denied(f"You may not read {name}, now or as it was then, so it is not yours to put back.")
        if not stat.S_ISDIR(new.mode) and stat.S_IFMT(new.mode) in (stat.S_IFCHR, stat.S_IFBLK):
            raise NotPermitted(f"{name} was a device, and only root makes one.")
        return change._replace(
            kind=kind, new=self._his(new, folder.gid if folder.mode & stat.S_ISGID else None)
        )

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

    def _folder(self, path: bytes, name: str) -> Entry:
        """The folder in which something is to be made: the nearest one above it that is there. He may search all above it."""
        known = self._folders.get(path)
        if known is None:
            row = self._past.entry(path, self._sequence) if path else self._top
            if row is None or not stat.S_ISDIR(row.mode):
                known = self._folder(paths.split(path)[0], name)
            else:
                if path and not grants(self._folder(paths.split(path)[0], name), self.viewer, SEARCH):
                    raise Denied(f"You may not pass the folders above {name}; ask their owner.")
                known = row
            self._folders[path] = known
        return known
