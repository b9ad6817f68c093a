"""Locks: which paths nobody may change, who said so and until when. The port `syscalls.ports.Locks` of one mount.

They are rows of history.db, so they outlive the mount, and a kill: a lock is on the disk before it is acknowledged. They are held in
memory, where every operation asks; while there are none (`held`), it asks no further. Nothing happens when a lock ends: it is compared with
the clock whenever somebody asks.

Threading: the daemon's loop; rows are written in the catalogue's thread. A path is locked before its row is written, so that what waits for
that thread, a rollback for one, either is done by then or meets the lock.
"""

import contextlib
import errno
import os
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator

from lsfs.beneath import open_beneath, stat_beneath
from lsfs.history import paths
from lsfs.history.past import Past
from lsfs.history.readable import Readable
from syscalls.errors import Denied, Exists, LsfsError, NoRoom, NotFound, NotPermitted, NotRegular, TooLong
from syscalls.locked import as_dict, refusal, told
from syscalls.options import shown
from syscalls.permission import acl_grants, may_write
from syscalls.values import Lock, Viewer

WRITE = 2
SHARE = 100  # of the time goes into looking what is at the locked paths, at most: one in so many
ACCESS = "system.posix_acl_access"
TABLE = """create table if not exists lock (
    path blob primary key, uid integer not null, since real not null, until real, why blob not null) without rowid"""

Found = tuple[bytes, Lock]


async def _nothing(path: bytes) -> None: ...


class Locks:
    """`run` calls a function in the catalogue's thread; `past` reads history in the loop. The daemon sets `flush`, which has the kernel
    write what it keeps of the files at or below a path."""

    def __init__(
        self,
        database: sqlite3.Connection,
        run: Callable[..., Awaitable[object]],
        past: Past,
        *,
        owner: int,
        hidden: frozenset[bytes] = frozenset(),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.database = database
        self.flush: Callable[[bytes], Awaitable[None]] = _nothing
        self._run = run
        self._past = past
        self._owner = owner
        self._hidden = hidden
        self._now = now
        self._readable = Readable(past.root_fd)
        made = database.execute(
            "select 1 from sqlite_master where type = 'table' and name = 'lock'"
        ).fetchone()
        rows = database.execute("select path, uid, since, until, why from lock").fetchall() if made else []
        self.held: dict[bytes, Lock] = {
            path: Lock(uid, since, until, why.decode("utf-8", "surrogateescape"))
            for path, uid, since, until, why in rows
            if until is None or until > now()
        }
        """The locks, by path. One that has ended goes when it is looked at."""
        self._above: set[bytes] | None = None
        """The folders that something locked is in, or was; None while nobody has asked."""
        self._inodes: dict[tuple[int, int], list[bytes]] = {}
        """What is at the locked paths; looked up anew from `_looked` on, as something else may have come there behind the mount."""
        self._looked = 0.0

    # Asking ---------------------------------------------------------------------------------------------------------------

    def of(self, path: bytes) -> Lock | None:
        """The lock that holds at this very path, if one does now."""
        lock = self.held.get(path)
        if lock is not None and lock.until is not None and lock.until <= self._now():
            self.held.pop(path, None)
            return None
        return lock

    def all(self) -> tuple[Found, ...]:
        """Those that hold now, by path."""
        return tuple((path, lock) for path in sorted(self.held) if (lock := self.of(path)) is not None)

    def locked(self, path: bytes) -> Found | None:
        """The lock that a path is under: its own, or that of the nearest folder above."""
        while self.held:
            lock = self.of(path)
            if lock is not None:
                return path, lock
            if not path:
                break
            path = path.rpartition(b"/")[0]
        return None

    def below(self, path: bytes) -> Found | None:
        """A lock on something in the folder `path`."""
        if path not in self._folders():
            return None
        top = path + b"/" if path else b""
        for inner in list(self.held):
            if inner.startswith(top) and inner != path and (lock := self.of(inner)) is not None:
                return inner, lock
        return None

    def linked(self, found: os.stat_result) -> Found | None:
        """The lock on another name of a file: on the name itself, or, where history knows that name, on a folder above it."""
        for path in self._there().get((found.st_dev, found.st_ino), ()):
            lock = self.of(path)
            if lock is not None and self._is(path, found):
                return path, lock
        try:
            rows = self._past.database.execute(
                "select parent, name from entry where ino = ? and died is null", (paths.number(found.st_ino),)
            ).fetchall()
        except sqlite3.Error:
            return None
        for row in rows:
            path = paths.join(*row)
            under = self.locked(path)
            if under is not None and self._is(path, found):
                return under
        return None

    def _is(self, path: bytes, found: os.stat_result) -> bool:
        try:
            return os.path.samestat(stat_beneath(self._past.root_fd, path), found)
        except OSError:
            return False

    def _folders(self) -> set[bytes]:
        if self._above is None:
            self._above = {above for inner in list(self.held) for above in _above(inner)}
        return self._above

    def _there(self) -> dict[tuple[int, int], list[bytes]]:
        if time.monotonic() >= self._looked:
            began = time.monotonic()
            there: dict[tuple[int, int], list[bytes]] = {}
            for path in list(self.held):
                with contextlib.suppress(OSError):
                    at = stat_beneath(self._past.root_fd, path)
                    there.setdefault((at.st_dev, at.st_ino), []).append(path)
            self._inodes = there
            ended = time.monotonic()
            self._looked = ended + SHARE * (ended - began)
        return self._inodes

    def refuse(
        self, some: Iterable[bytes], found: os.stat_result | None = None, viewer: Viewer | None = None
    ) -> None:
        """Raises NotPermitted where one of these paths is locked, or something in it is; or the file that `found` is of, under another
        name (in the loop). It is named to a viewer who may read it, and where there is none. Without `found` in any thread."""
        if not self.held:
            return
        for path in some:
            under = self.locked(path) or self.below(path)
            if under is not None:
                raise self._refusal(*under, viewer)
        if found is not None and stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            under = self.linked(found)
            if under is not None:
                raise self._refusal(*under, viewer)

    def _refusal(self, path: bytes, lock: Lock, viewer: Viewer | None) -> NotPermitted:
        return refusal(path, lock, named=viewer is None or self.known(path, lock, viewer))

    def known(self, path: bytes, lock: Lock, viewer: Viewer) -> bool:
        """May `viewer` know of a lock, and what it is for?"""
        return viewer.uid in (0, self._owner, lock.uid) or self._readable.permits(path, viewer)

    def report(self, viewer: Viewer) -> list[dict[str, object]]:
        """Those that `viewer` may know of: his own, and those of what he may read."""
        return [as_dict(path, lock) for path, lock in self.all() if self.known(path, lock, viewer)]

    # Changing -------------------------------------------------------------------------------------------------------------

    async def lock(self, path: bytes, lock: Lock, viewer: Viewer) -> None:
        """Lock a path; a lock of the same user gets this end. Raises NotFound, Denied, NotRegular, TooLong, NotPermitted, Exists,
        NoRoom."""
        self._permit(path, viewer)
        self._free(path, lock.uid)
        await self.flush(path)
        there = self._permit(path, viewer)
        self._free(path, lock.uid)
        before = self.held.get(path)
        self.held[path] = lock
        if len(self._inodes) > 2 * len(self.held):  # most are of locks that have ended
            self._looked = 0.0
        if self._looked:
            self._inodes.setdefault((there.st_dev, there.st_ino), []).append(path)
        if self._above is not None:
            self._above.update(_above(path))
        try:
            await self._write(self._insert, path, lock)
        except BaseException:
            if self.held.get(path) is lock:
                del self.held[path]
                if before is not None:
                    self.held[path] = before
            raise

    async def unlock(self, path: bytes, viewer: Viewer) -> None:
        """End the lock of this very path. Raises NotFound where there is none, Denied, NotPermitted, NoRoom."""
        self._pass(path, viewer)
        lock = self.of(path)
        if lock is None:
            above = self.locked(path)
            if above is not None:
                raise NotFound(f"{shown(path)} is locked with {shown(above[0])}: unlock that.")
            raise NotFound(f"{shown(path)} is not locked.")
        if viewer.uid not in (0, self._owner, lock.uid):
            by = f" by {told(lock)}" if self.known(path, lock, viewer) else ""
            raise NotPermitted(
                f"{shown(path)} is locked{by}: only who did that, root and the owner of the mount unlock it."
            )
        await self._write(self._delete, path)
        if self.held.get(path) is lock:
            del self.held[path]

    def _free(self, path: bytes, uid: int) -> None:
        before = self.of(path)
        if before is not None and before.uid != uid:
            raise Exists(f"{shown(path)} is locked already, by {told(before)}.")

    def _pass(self, path: bytes, viewer: Viewer) -> None:
        if path.split(b"/", 1)[0] in self._hidden:
            raise NotFound(f"There is no {shown(path)}; ls shows what there is.")
        if not self._readable.passes(path.rpartition(b"/")[0], viewer):
            raise Denied(f"You may not pass the folders above {shown(path)}; ask their owner.")

    def _permit(self, path: bytes, viewer: Viewer) -> os.stat_result:
        """What is there. May `viewer` lock it? A folder is its owner's to lock: what is in it may be others'."""
        self._pass(path, viewer)
        try:
            found = stat_beneath(self._past.root_fd, path)
        except OSError as error:
            raise _absent(path, error) from None
        kind = stat.S_IFMT(found.st_mode)
        if kind == stat.S_IFLNK:
            raise NotRegular(f"{shown(path)} is a symlink: lock what it leads to.")
        if kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise NotRegular(f"{shown(path)} is neither a file nor a folder: there is nothing to lock.")
        if viewer.uid in (0, found.st_uid) or (kind == stat.S_IFREG and self._may_write(path, found, viewer)):
            return found
        who = (
            "Only its owner locks a folder" if kind == stat.S_IFDIR else "Only who may write a file locks it"
        )
        raise NotPermitted(f"{who}, and {shown(path)} is not yours to lock; ask its owner.")

    def _may_write(self, path: bytes, found: os.stat_result, viewer: Viewer) -> bool:
        fd = open_beneath(self._past.root_fd, path, os.O_PATH | os.O_NOFOLLOW)
        try:
            acl = os.getxattr(f"/proc/self/fd/{fd}", ACCESS)
        except OSError:
            return may_write(found.st_mode, found.st_uid, found.st_gid, viewer)
        finally:
            os.close(fd)
        return acl_grants(acl, found.st_uid, found.st_gid, viewer, WRITE)

    async def _write(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            await self._run(call, *arguments)
        except sqlite3.Error as error:
            raise NoRoom(f"The list of locks cannot be written ({error}); free some space.") from error

    # In the thread

    def _insert(self, path: bytes, lock: Lock) -> None:
        self.database.execute(TABLE)
        self.database.execute("delete from lock where until <= ?", (self._now(),))
        self.database.execute(
            "insert or replace into lock (path, uid, since, until, why) values (?, ?, ?, ?, ?)",
            (path, lock.uid, lock.since, lock.until, lock.why.encode("utf-8", "surrogateescape")),
        )

    def _delete(self, path: bytes) -> None:
        self.database.execute("delete from lock where path = ?", (path,))


def _above(path: bytes) -> Iterator[bytes]:
    """The folders that a path is in, up to the whole one."""
    while path:
        path = path.rpartition(b"/")[0]
        yield path


def _absent(path: bytes, error: OSError) -> LsfsError:
    if error.errno == errno.ENAMETOOLONG:
        return TooLong(f"A name in {shown(path)[:80]}… is longer than 255 bytes; check it.")
    if error.errno == errno.EACCES:
        return Denied(f"{shown(path)} cannot be looked at; ask its owner.")
    return NotFound(f"There is no {shown(path)}; ls shows what there is.")
