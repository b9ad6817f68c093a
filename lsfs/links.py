"""links: the links that expire, their tokens, and where they are served.

A token is base64url of

    id          16 random bytes, never used again
    until       8 bytes, ms since the epoch: this token ends then, whatever becomes of the link
    signature   HMAC-SHA256 of both and of the path, by a key of 32 random bytes: <state>/link.key, 0600

so that who has seen some cannot make another, and none can be guessed. What a token says is believed only when its signature is right, and
is valid only while its row is: a link that is revoked or shortened takes all its tokens along. Names are not signed: renaming a link leaves
its address.

Rows are in history.db, in a table of their own. What ended is remembered for a month, so that its address is answered with "gone", and then
forgotten; of one user no more than `ENDED`. All rows are in memory too, since /links asks for them at every lookup.

Threading: in the daemon's loop; changes one after the other, each written through in the catalogue's thread before it is acknowledged.
"""

import base64
import contextlib
import errno
import fcntl
import hmac
import os
import pathlib
import re
import secrets
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

import trio

from lsfs.beneath import stat_beneath
from lsfs.history.readable import Readable
from syscalls.errors import Denied, Exists, InvalidArgument, LsfsError, NoRoom, NotFound, NotRegular, TooLong
from syscalls.link import visible
from syscalls.values import Link, Viewer

KEY, SERVER = "link.key", "serve"
ID, UNTIL, SIGNATURE = 16, 8, 32
TOKEN = re.compile(r"[A-Za-z0-9_-]{75}")
REMEMBERED = 30 * 86400.0  # seconds for which what ended is known to have been
MOST = 1000  # links of one user that are valid at a time
ENDED = 10_000  # of one user that are remembered, of those that ended
LATEST = (1 << 53) - 1  # ms: what a float of seconds, and a file system, can say

# Not a layout of its own: a lsfs that knows nothing of links leaves the table alone.
TABLE = """create table if not exists link (id blob primary key, name blob not null, path blob not null, uid integer not null,
    since integer not null, until integer not null, revoked integer) without rowid"""

Run = Callable[..., Awaitable[object]]


@dataclass(slots=True)
class Row:
    """A link and its id; times in ms. `revoked` is when it was taken back."""

    id: bytes
    link: Link
    until: int
    revoked: int | None = None

    def ended(self) -> int:
        return self.until if self.revoked is None else min(self.until, self.revoked)


class Links:
    """The port `syscalls.ports.Links`. `commit` calls a function in the catalogue's thread as a change of its own; `sees` says whether a
    viewer may link a path; `now` is the clock."""

    def __init__(
        self,
        database: sqlite3.Connection,
        commit: Run,
        state: pathlib.Path,
        sees: Callable[[bytes, Viewer], None],
        *,
        owner: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.database = database
        self.sees = sees
        self._commit = commit
        self._state = state
        self._owner = os.geteuid() if owner is None else owner
        self._now = now
        self._one = trio.Lock()
        self._key = key(state)
        database.execute(TABLE)
        self._rows: dict[bytes, Row] = {}
        self._names: dict[str, Row] = {}
        """Those that are valid, and some that ended since somebody looked. What is not here has ended for good, whatever the clock says."""
        for id, name, path, uid, since, until, revoked in database.execute("select * from link"):
            link = Link(os.fsdecode(name), path, uid, since / 1000, until / 1000)
            self._keep(Row(id, link, until, revoked))

    # What is there

    def all(self) -> tuple[Link, ...]:
        """Those that are valid now, by name."""
        return tuple(sorted((row.link for row in self._valid()), key=lambda link: link.name))

    def named(self, name: str) -> Link | None:
        """The one that is called so, if it is valid now."""
        row = self._named(name)
        return None if row is None else row.link

    def token(self, link: Link) -> str:
        """The token of a valid link. Raises NotFound."""
        row = self._named(link.name)
        if row is None:
            raise NotFound("This link is valid no more.")
        return self._token(row)

    def check(self, token: str) -> Link | None:
        """The link of a token, if it is valid now."""
        row, until = self._signed(token)
        if row is None or self._names.get(row.link.name) is not row:
            return None
        return row.link if self._ms() < min(until, row.ended()) else None

    def ended(self, token: str) -> bool:
        """Was this a token that is valid no more?"""
        return self._signed(token)[0] is not None and self.check(token) is None

    def server(self) -> str | None:
        """Where `lsfs serve` answers for this mount: its lock says whether it lives, so that no address is shown that somebody else may
        have taken meanwhile."""
        try:
            fd = os.open(self._state / SERVER, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            port = os.pread(fd, 6, 0).decode("ascii", "replace")
            return f"http://127.0.0.1:{port}" if port.isascii() and port.isdigit() else None
        except OSError:
            return None
        finally:
            os.close(fd)
        return None

    # What changes

    async def make(self, link: Link) -> str:
        """Keep a link; its token. Raises Exists, NoRoom."""
        async with self._one:
            if self._named(link.name) is not None:
                raise Exists(
                    f"There is a link called {link.name} already; --name gives this one another name, --revoke takes that one back."
                )
            if sum(row.link.uid == link.uid for row in self._valid()) >= MOST:
                raise NoRoom(f"{MOST} links are valid already; revoke some.")
            until = min(round(link.until * 1000), LATEST)
            row = Row(secrets.token_bytes(ID), replace(link, until=until / 1000), until)
            await self._write(self._insert, row)
            self._keep(row)
            return self._token(row)

    async def revoke(self, name: str, viewer: Viewer) -> None:
        """It is valid no more, from now on, even where that cannot be written down. Raises NotFound."""
        async with self._one:
            row = self._of(name, viewer)
            row.revoked = self._ms()
            del self._names[name]
            try:
                await self._write(self._update, row)
            except NoRoom as error:
                raise NoRoom(
                    f"{name} is revoked, but not after the next mount, since that cannot be written: free some space, and mount again."
                ) from error

    async def rename(self, name: str, new: str, viewer: Viewer, *, over: bool = True) -> None:
        """It is called otherwise; its address stays. Raises NotFound, Exists."""
        async with self._one:
            row = self._of(name, viewer)
            there = self._named(new)
            if there is row:
                return
            if there is not None and not (over and visible(there.link, viewer, self._owner)):
                raise Exists(f"There is a link called {new} already.")
            rows = [Row(row.id, _named(row.link, new), row.until)]
            if there is not None:
                rows.append(Row(there.id, there.link, there.until, self._ms()))
            await self._write(self._update, *rows)
            for one in reversed(rows):
                self._keep(one)

    async def retime(self, name: str, until: float, viewer: Viewer) -> None:
        """It is valid until then. Raises NotFound."""
        async with self._one:
            row = self._of(name, viewer)
            ms = max(self._ms(), min(round(until * 1000), LATEST))  # one that has passed is now
            changed = Row(row.id, replace(row.link, until=ms / 1000), ms)
            if ms < row.until:
                self._keep(changed)  # what is shortened is so at once
            await self._write(self._update, changed)
            self._keep(changed)

    # How

    def _ms(self) -> int:
        return int(self._now() * 1000)

    def _keep(self, row: Row) -> None:
        """A row that is new, or another one by now; of two of one name the later one counts."""
        before = self._rows.get(row.id)
        if before is not None and self._names.get(before.link.name) is before:
            del self._names[before.link.name]
        self._rows[row.id] = row
        there = self._names.get(row.link.name)
        if self._ms() < row.ended() and (there is None or there.ended() <= row.ended()):
            self._names[row.link.name] = row

    def _valid(self) -> list[Row]:
        return [row for name in list(self._names) if (row := self._named(name)) is not None]

    def _named(self, name: str) -> Row | None:
        row = self._names.get(name)
        if row is not None and self._ms() >= row.ended():
            del self._names[name]
            return None
        return row

    def _of(self, name: str, viewer: Viewer) -> Row:
        row = self._named(name)
        if row is None or not visible(row.link, viewer, self._owner):
            raise NotFound(f"No link of yours is called {name}; ls links lists them.")
        return row

    def _token(self, row: Row) -> str:
        body = row.id + row.until.to_bytes(UNTIL, "big")
        return _text(body + self._signature(body, row.link.path))

    def _signature(self, body: bytes, path: bytes) -> bytes:
        return hmac.digest(self._key, b"lsfs link\0" + body + path, "sha256")

    def _signed(self, token: str) -> tuple[Row | None, int]:
        """The row that a token with a right signature is of, and the time it says."""
        if not TOKEN.fullmatch(token):
            return None, 0
        raw = base64.urlsafe_b64decode(token + "=")
        if _text(raw) != token:  # bits that stand for nothing
            return None, 0
        row, body = self._rows.get(raw[:ID]), raw[: ID + UNTIL]
        expected = self._signature(body, b"" if row is None else row.link.path)
        right = hmac.compare_digest(raw[ID + UNTIL :], expected)
        return (row if right else None), int.from_bytes(body[ID:], "big")

    async def _write(self, call: Callable[..., None], *rows: Row) -> None:
        gone = self._forgotten(rows[0].link.uid)
        for id in gone:
            del self._rows[id]
        try:
            await self._commit(call, gone, *rows)
        except sqlite3.Error as error:
            raise NoRoom(f"The list of links cannot be written ({error}); free some space.") from error

    def _forgotten(self, uid: int) -> list[bytes]:
        """What ended long ago; and of a user who has more than may be remembered, the oldest."""
        before = self._ms() - int(REMEMBERED * 1000)
        gone = [row.id for row in self._rows.values() if row.ended() < before]
        his = [
            row for row in self._rows.values()
            if row.link.uid == uid and row.ended() >= before and self._names.get(row.link.name) is not row
        ]  # fmt: skip
        if len(his) > ENDED:
            his.sort(key=Row.ended)
            gone += [row.id for row in his[: len(his) - ENDED + ENDED // 10]]
        return gone

    # In the thread

    def _insert(self, gone: list[bytes], row: Row) -> None:
        link = row.link
        self._prune(gone)
        self.database.execute(
            "insert into link values (?, ?, ?, ?, ?, ?, null)",
            (row.id, os.fsencode(link.name), link.path, link.uid, int(link.since * 1000), row.until),
        )

    def _update(self, gone: list[bytes], *rows: Row) -> None:
        self._prune(gone)
        for row in rows:
            self.database.execute(
                "update link set name = ?, until = ?, revoked = ? where id = ?",
                (os.fsencode(row.link.name), row.until, row.revoked, row.id),
            )

    def _prune(self, gone: list[bytes]) -> None:
        self.database.executemany("delete from link where id = ?", [(id,) for id in gone])


def _named(link: Link, name: str) -> Link:
    return replace(link, name=name)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def key(state: pathlib.Path) -> bytes:
    """The key that signs. One that is missing, or that somebody else could have read or made, is replaced by a new one, which ends all
    addresses that were given before; a state folder may have come from anywhere."""
    path = state / KEY
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            found, kept = os.fstat(fd), os.read(fd, SIGNATURE + 1)
        finally:
            os.close(fd)
        own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1
        if own and not stat.S_IMODE(found.st_mode) & 0o077 and len(kept) == SIGNATURE:
            return kept
    made = secrets.token_bytes(SIGNATURE)
    draft = state / f"{KEY}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, made)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(draft, path)
    return made


class Sees:
    """May a viewer link what is at a path below /files? A regular file or a folder that the mount shows, and that he may read."""

    def __init__(self, root_fd: int, hidden: Collection[bytes]) -> None:
        self.root_fd = root_fd
        self.hidden = hidden
        self.readable = Readable(root_fd)

    def __call__(self, path: bytes, viewer: Viewer) -> None:
        """Raises NotFound, Denied, NotRegular, InvalidArgument."""
        said = os.fsdecode(path)
        if path.split(b"/")[0] in self.hidden:
            raise NotFound(f"There is no files/{said}.")
        if not self.readable.passes(path.rpartition(b"/")[0], viewer):
            raise Denied(f"You may not read files/{said}.")
        try:
            found = stat_beneath(self.root_fd, path)
        except OSError as error:
            raise _refusal(error, said) from None
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise NotRegular(f"files/{said} is neither a file nor a folder, so nothing can be linked to it.")
        if not self.readable.permits(path, viewer):
            raise Denied(f"You may not read files/{said}.")


def _refusal(error: OSError, said: str) -> LsfsError:
    if error.errno in (errno.ELOOP, errno.EXDEV):
        return InvalidArgument(f"files/{said} goes through a symbolic link; write the path that it leads to.")
    if error.errno == errno.ENAMETOOLONG:
        return TooLong("This name is longer than a name can be.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Denied(f"You may not read files/{said}.")
    return NotFound(f"There is no files/{said}.")
