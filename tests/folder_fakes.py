"""A fake of the port Folder: a folder on the disk, changed step by step; tests/contract/test_folders.py holds it to the real one."""

import errno
import os
import pathlib
import shutil
import stat

from syscalls.errors import (
    Denied,
    Exists,
    InvalidArgument,
    IsFolder,
    NotFolder,
    NotFound,
    NotPermitted,
    NotRegular,
    TooLarge,
)
from syscalls.errors import TooLong as TooLongError

KINDS = {
    errno.ENOENT: NotFound,
    errno.ENOTDIR: NotFolder,
    errno.ENAMETOOLONG: TooLongError,
    errno.EACCES: Denied,
}


class FakeFolder:
    """Nobody else uses it, so it need not be quick, and what it checks first holds. `closed`: paths that only root may read and write;
    `said`: what `undo` would call each change."""

    def __init__(self, top: pathlib.Path) -> None:
        self.top = top
        self.closed: set[bytes] = set()
        self.said: list[str] = []
        self.offered: dict = {}

    def _at(self, path: bytes) -> pathlib.Path:
        if any(part in (b"", b".", b"..") for part in path.split(b"/")) and path:
            raise InvalidArgument("That is no path.")
        return self.top / os.fsdecode(path)

    def _stat(self, path: bytes, *, follow: bool = False) -> os.stat_result:
        try:
            if path.split(b"/")[0] == b".lsfs":
                raise NotFound("Nothing is shown there.")
            return os.stat(self._at(path), follow_symlinks=follow)
        except OSError as error:
            raise KINDS[error.errno]("It cannot be looked at.") from None

    def _open_to(self, path: bytes, viewer) -> None:
        if path in self.closed and viewer.uid != 0:
            raise Denied("It is not yours.")

    async def stat(self, path, viewer):
        return self._stat(path)

    async def read(self, path, viewer, most):
        found = self._stat(path, follow=True)
        if stat.S_ISDIR(found.st_mode):
            raise IsFolder("It is a folder.")
        if not stat.S_ISREG(found.st_mode):
            raise NotRegular("It has no content.")
        self._open_to(path, viewer)
        if found.st_size > most:
            raise TooLarge("It is too large.")
        return self._at(path).read_bytes()

    async def names(self, path, viewer):
        if not stat.S_ISDIR(self._stat(path, follow=True).st_mode):
            raise NotFolder("It is no folder.")
        names = sorted(os.listdir(os.fsencode(self._at(path))))
        return [
            (name, self._stat(path + b"/" + name if path else name)) for name in names if name != b".lsfs"
        ]

    async def change(self, what, edits, viewer, *, expected=None):
        made: set[bytes] = set()
        for edit in sorted(edits, key=lambda edit: edit.path.split(b"/")):
            self._check(edit, made, viewer)
        for edit in sorted(edits, key=lambda edit: edit.path.split(b"/")):
            self._do(edit)
        self.said.append(what)

    async def adopt(self, what, path, viewer):
        self._stat(path)
        self._open_to(path, viewer)
        self.said.append(what)

    def _check(self, edit, made, viewer) -> None:
        if edit.path.split(b"/")[0] == b".lsfs":
            raise NotPermitted("That is lsfs's own.")
        above = edit.path.rpartition(b"/")[0]
        if above not in made and above and not stat.S_ISDIR(self._stat(above).st_mode):
            raise NotFolder("It is in no folder.")
        try:
            found = None if above in made else self._stat(edit.path)
        except NotFound:
            found = None
        if edit.kind in ("replace", "remove") and found is None:
            raise NotFound("It is not there.")
        if edit.kind in ("create", "folder", "symlink") and found is not None:
            raise Exists("It is there.")
        if edit.kind in ("replace", "write") and found is not None:
            if stat.S_ISDIR(found.st_mode):
                raise IsFolder("It is a folder.")
            if not stat.S_ISREG(found.st_mode):
                raise NotRegular("It is no file.")
        self._open_to(edit.path, viewer)
        if edit.source is not None and edit.kind != "symlink":
            source = self._stat(edit.source)
            if stat.S_ISDIR(source.st_mode):
                raise IsFolder("It is a folder.")
            if not stat.S_ISREG(source.st_mode):
                raise NotRegular("It is no file.")
            self._open_to(edit.source, viewer)
        if edit.kind == "folder":
            made.add(edit.path)

    def _do(self, edit) -> None:
        path = self._at(edit.path)
        if edit.kind == "remove":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        elif edit.kind == "folder":
            path.mkdir()
            path.chmod(0o755 if edit.mode is None else edit.mode)
        elif edit.kind == "symlink":
            path.symlink_to(
                os.readlink(self._at(edit.source)) if edit.source is not None else os.fsdecode(edit.target)
            )
        else:
            old = path.stat().st_mode if path.exists() else None
            path.write_bytes(
                self._at(edit.source).read_bytes() if edit.source is not None else edit.data or b""
            )
            if old is None:
                path.chmod(0o644 if edit.mode is None else edit.mode)
                if edit.source is not None:
                    shutil.copystat(self._at(edit.source), path)

    async def offer(self, what, edits, viewer):
        for edit in edits:
            self._check(edit, set(), viewer)
        token = f"t{len(self.offered)}"
        self.offered[token] = (what, tuple(edits), viewer.uid, self._now(edits))
        return token

    def _now(self, edits):
        found = []
        for edit in edits:
            try:
                there = self._stat(edit.path)
                found.append((there.st_ino, there.st_size, there.st_mtime_ns))
            except NotFound:
                found.append(None)
        return found

    async def accept(self, token, viewer):
        what, edits, uid, was = self.offered.get(token, ("", (), None, None))
        if uid != viewer.uid:
            raise InvalidArgument("There is no such plan.")
        del self.offered[token]
        if was != self._now(edits):
            raise InvalidArgument("The plan is void.")
        await self.change(what, edits, viewer)
        return edits

    async def append(self, path, data, viewer):
        self._writable_file(path, viewer)
        with open(self._at(path), "ab") as stream:
            stream.write(data)
        self.said.append("append")

    def _writable_file(self, path, viewer) -> None:
        if path.split(b"/")[0] == b".lsfs":
            raise NotPermitted("That is lsfs's own.")
        found = self._stat(path)
        if stat.S_ISDIR(found.st_mode):
            raise IsFolder("It is a folder.")
        if not stat.S_ISREG(found.st_mode):
            raise NotRegular("It is no file.")
        self._open_to(path, viewer)

    async def touch(self, path, viewer, at=None):
        self._stat(path)
        if path in self.closed and viewer.uid != 0 and at is not None:
            raise NotPermitted("It is not yours.")
        self._open_to(path, viewer)
        times = None if at is None else (at, at)
        if times is None:
            os.utime(self._at(path))
        else:
            os.utime(self._at(path), ns=times)
