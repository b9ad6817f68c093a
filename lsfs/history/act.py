"""act: a rollback's steps, done to the folder, and then to history. Each step looks whether it is done already.

    clear    what shall not be there moves into the stage; folders, the innermost first, are removed
    place    folders are made, the outermost first; what was staged is renamed into place: exchanged with what is there, which so is kept
    dress    attributes, the innermost first, so that a folder that is closed at the end is open until then

A staged inode that is not in the stage any more has been placed; so all of it can also be taken back (`back`) by whoever knows the steps
and has the stage. What came out of the folder and is no version yet (somebody wrote to it
behind the mount a moment ago) becomes one, by the link in the stage. A path that leads through something else by now (a symlink, a folder
that came behind the mount) is left alone, and said to be.

Called in the catalogue's thread, or before anything is served. Paths are opened beneath the folder, and no symlink is followed.
"""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from lsfs.beneath import open_beneath
from lsfs.history import paths
from lsfs.history.capture import Capture
from lsfs.history.catalogue import Catalogue
from lsfs.history.entries import Entry, extra_of
from lsfs.history.held import Secured, copy
from lsfs.history.objects import LARGE
from lsfs.history.plan import ATTRIBUTES, CREATE, REMOVE
from lsfs.history.redo import Step
from lsfs.history.stage import Stage, attributes
from mounts import files_linux as linux
from mounts.files_linux import RENAME_EXCHANGE, RENAME_NOREPLACE

FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW
ASIDE, UNASKED = ".o", ".x"  # what was to go, and what nobody knew of
ELSEWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV)
TRIES = 8


class Act:
    """The steps of one rollback, in the order of their paths. `left`: paths that were left alone, and why.

    exact    nothing may be in the way: an undelete replaces nothing
    again    a mount was used since the steps were written down: what is neither what was there then nor what was staged is left alone
    folders  inode numbers of folders that have to be these very ones
    written  paths that somebody may go on writing to, under their old inode
    hook     told of each thing that has just been done; tests end the process in it
    """

    def __init__(
        self,
        root_fd: int,
        stage: Stage,
        steps: tuple[Step, ...],
        *,
        exact: bool = False,
        again: bool = False,
        folders: Mapping[bytes, int] = MappingProxyType({}),
        written: frozenset[bytes] = frozenset(),
        hook: Callable[[str], None] = lambda what: None,
    ) -> None:
        self.root_fd = root_fd
        self.stage = stage
        self.steps = steps
        self.exact = exact
        self.again = again
        self.folders = folders
        self.written = written
        self.hook = hook
        self.left: dict[bytes, str] = {}
        self.lost: list[bytes] = []
        """Paths that `back` could not put back."""
        self._did: set[tuple[str, int]] = set()

    # The folder -----------------------------------------------------------------------------------------------------------

    def disk(self) -> None:
        """Do all of it. Raises OSError where the disk refuses a step (an immutable file); `back` then takes back what was done."""
        for act, wanted, steps in (
            (self._clear, "clears", reversed(self.steps)),
            (self._place, "places", iter(self.steps)),
            (self._dress, "dresses", reversed(self.steps)),
        ):
            self._walk(act, (step for step in steps if getattr(step, wanted) and step.path not in self.left))

    def _walk(self, act: Callable[[int, bytes, Step], None], steps: Iterator[Step]) -> None:
        known, at = None, -1
        try:
            for step in steps:
                parent, name = paths.split(step.path)
                if parent != known:
                    if at >= 0:
                        os.close(at)
                    known, at = None, -1
                    try:
                        at = open_beneath(self.root_fd, parent, FOLDER, xdev=False)
                        if (
                            parent in self.folders
                            and paths.number(os.fstat(at).st_ino) != self.folders[parent]
                        ):
                            self.left[step.path] = "its folder is another one by now"
                            continue
                    except OSError as error:
                        if error.errno not in ELSEWHERE:
                            raise
                        if step.kind != REMOVE:
                            self.left[step.path] = "its folder is another one by now"
                        continue
                    known = parent
                try:
                    if self.again and self._changed(at, name, step):
                        self.left[step.path] = "it was changed since"
                        continue
                    act(at, name, step)
                except OSError as error:
                    raise OSError(error.errno, error.strerror, step.path) from error
                self.hook(f"{act.__name__.strip('_')} {os.fsdecode(step.path)}")
        finally:
            if at >= 0:
                os.close(at)

    def _changed(self, at: int, name: bytes, step: Step) -> bool:
        """Is what is there neither what was there nor what was staged? Raises FileExistsError where nothing may be in the way."""
        there, old, new = self._there(at, name), step.old, step.new
        if there is None:
            spare = self.stage.look(f"{step.number}{UNASKED}")
            return old is not None and not step.clears and spare is None
        if there.st_ino == step.ino or (step.is_folder and stat.S_ISDIR(there.st_mode)):
            return False
        if old is not None and (old.ino, old.kind) == (
            paths.number(there.st_ino),
            stat.S_IFMT(there.st_mode),
        ):
            times = {old.mtime_ns, new.mtime_ns} if step.kind == ATTRIBUTES and new else {old.mtime_ns}
            if not stat.S_ISREG(there.st_mode) or (
                there.st_size == old.size and paths.stamp(there.st_mtime_ns) in times
            ):
                return False
        if self.exact:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        return True

    # Back -----------------------------------------------------------------------------------------------------------------

    def back(self) -> None:
        """Take back what was done: by this very object, or, after a kill, all that the stage tells of. What could not be put back, as
        something else came to its path, is `lost`; its inode is in the stage, and `salvage` makes a version of it."""
        for undo, wanted, steps in (
            (self._undress, "dresses", iter(self.steps)),
            (self._unplace, "places", reversed(self.steps)),
            (self._unclear, "clears", iter(self.steps)),
        ):
            for step in steps:
                if not getattr(step, wanted) or not (self.again or (wanted, step.number) in self._did):
                    continue
                try:
                    self._beneath(step.path, lambda at, name: undo(at, name, step))  # noqa: B023
                except OSError:
                    if step.path not in self.lost:
                        self.lost.append(step.path)
        self._did.clear()

    def _undress(self, at: int, name: bytes, step: Step) -> None:
        there, old = self._there(at, name), step.old
        if step.places and there is not None and stat.S_ISDIR(there.st_mode):
            os.chmod(name, 0o700, dir_fd=at)  # what is in it has to come out
        elif old is not None and there is not None and paths.number(there.st_ino) == old.ino:
            self._set(step.path, old)

    def _unplace(self, at: int, name: bytes, step: Step) -> None:
        staged, there = str(step.number), self._there(at, name)
        out = self.stage.look(staged)
        if step.is_folder:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.rmdir(name, dir_fd=at)
        elif there is not None and there.st_ino == step.ino:
            if out is None:
                os.rename(name, staged, src_dir_fd=at, dst_dir_fd=self.stage.fd())
            else:
                linux.rename(self.stage.fd(), staged.encode(), at, name, RENAME_EXCHANGE)
        elif out is not None and out.st_ino != step.ino:
            self._take(staged, at, name)
        if self.stage.look(f"{step.number}{UNASKED}") is not None:
            self._take(f"{step.number}{UNASKED}", at, name)

    def _unclear(self, at: int, name: bytes, step: Step) -> None:
        if not step.was_folder:
            if self.stage.look(f"{step.number}{ASIDE}") is not None:
                self._take(f"{step.number}{ASIDE}", at, name)
            return
        there = self._there(at, name)
        if there is None:
            os.mkdir(name, 0o700, dir_fd=at)
            if step.old is not None:
                self._set(step.path, step.old)
        elif not stat.S_ISDIR(there.st_mode):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    # Forward --------------------------------------------------------------------------------------------------------------

    def _clear(self, at: int, name: bytes, step: Step) -> None:
        if not step.was_folder:
            self._aside(at, name, step, f"{step.number}{ASIDE}")
            return
        try:
            os.rmdir(name, dir_fd=at)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                self.left[step.path] = "something came into it"
            elif error.errno not in ELSEWHERE:
                raise
            return
        self._did.add(("clears", step.number))

    def _aside(self, at: int, name: bytes, step: Step, into: str) -> None:
        """Move what is there into the stage."""
        self._did.add(("clears" if into.endswith(ASIDE) else "places", step.number))
        if self.stage.look(into) is not None:
            return
        try:
            if stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
                return
            os.rename(name, into, src_dir_fd=at, dst_dir_fd=self.stage.fd())
        except FileNotFoundError:
            return

    def _place(self, at: int, name: bytes, step: Step) -> None:
        if step.is_folder:
            self._folder(at, name, step)
            return
        staged = str(step.number)
        found = self.stage.look(staged)
        if found is None or found.st_ino != step.ino:
            return
        for _ in range(TRIES):
            if step.kind == CREATE or self._there(at, name) is None:
                try:
                    self._take(staged, at, name)
                except FileExistsError:
                    if self.exact:
                        raise
                else:
                    self._did.add(("places", step.number))
                    return
            there = self._there(at, name)
            if there is None:
                continue
            if stat.S_ISDIR(there.st_mode):
                self.left[step.path] = "there is a folder now"
                return
            try:
                linux.rename(self.stage.fd(), staged.encode(), at, name, RENAME_EXCHANGE)
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
                    raise
                self._aside(at, name, step, f"{step.number}{UNASKED}")  # a disk that cannot exchange
                continue
            self._did.add(("places", step.number))
            return
        self.left[step.path] = "it changes all the time"

    def _folder(self, at: int, name: bytes, step: Step) -> None:
        for _ in range(2):
            try:
                os.mkdir(name, 0o700, dir_fd=at)
            except FileExistsError:
                there = self._there(at, name)
                folder = there is not None and stat.S_ISDIR(there.st_mode)
                if self.exact and not (self.again and folder):  # after a kill it may be the one that was made
                    raise
                if folder:
                    return
                self._aside(at, name, step, f"{step.number}{UNASKED}")
            else:
                self._did.add(("places", step.number))
                return
        self.left[step.path] = "something else came to its place"

    def _dress(self, at: int, name: bytes, step: Step) -> None:
        there = self._there(at, name)
        if there is None or step.new is None or stat.S_IFMT(there.st_mode) != step.new.kind:
            self.left.setdefault(step.path, "something else came to its place")
            return
        self._did.add(("dresses", step.number))
        self._set(step.path, step.new)

    # What these share -------------------------------------------------------------------------------------------------------

    def _there(self, at: int, name: bytes) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=at, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _take(self, staged: str, at: int, name: bytes) -> None:
        """Put what is staged where nothing is. Raises FileExistsError."""
        try:
            linux.rename(self.stage.fd(), staged.encode(), at, name, RENAME_NOREPLACE)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
            if self._there(at, name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            os.rename(staged, name, src_dir_fd=self.stage.fd(), dst_dir_fd=at)

    def _beneath(self, path: bytes, call: Callable[[int, bytes], None]) -> None:
        parent, name = paths.split(path)
        at = open_beneath(self.root_fd, parent, FOLDER, xdev=False)
        try:
            call(at, name)
        finally:
            os.close(at)

    def _set(self, path: bytes, row: Entry) -> None:
        fd = open_beneath(self.root_fd, path, os.O_PATH | os.O_NOFOLLOW, xdev=False)
        try:
            attributes(b"/proc/self/fd/%d" % fd, row)
        finally:
            os.close(fd)

    # History ----------------------------------------------------------------------------------------------------------------

    def rows(self, catalogue: Catalogue, capture: Capture) -> None:
        """Inside a commit: what has come out of the folder is history, what is in it now are rows."""
        entries = catalogue.entries
        there = set(os.listdir(self.stage.fd()))
        for step in reversed(self.steps):
            row = entries.row(step.path)
            since = row is not None and step.old is not None and row.id != step.old.id
            self._secure_all(step, there, catalogue, capture)
            if step.clears and not (self.again and since):  # what came since a kill is none of ours
                row = entries.row(step.path)
                if row is not None and not (step.was_folder and step.path in self.left):
                    entries.kill(row, gone=step.kind == REMOVE)
        for step in self.steps:
            if step.new is not None and step.path not in self.left:
                self._row(step, catalogue)

    def salvage(self, catalogue: Catalogue, capture: Capture) -> None:
        """Inside a commit, after `back`: what is still in the stage, and was not made there, is history."""
        there = set(os.listdir(self.stage.fd()))
        for step in reversed(self.steps):
            self._secure_all(step, there, catalogue, capture)

    def _secure_all(self, step: Step, there: set[str], catalogue: Catalogue, capture: Capture) -> None:
        for name in (f"{step.number}{ASIDE}", f"{step.number}{UNASKED}", str(step.number)):
            if name in there:
                self._secure(step, name, catalogue, capture)

    def _row(self, step: Step, catalogue: Catalogue) -> None:
        new, entries = step.new, catalogue.entries
        assert new is not None
        try:
            fd = open_beneath(self.root_fd, step.path, os.O_PATH | os.O_NOFOLLOW)
        except OSError:
            return
        try:
            found = os.fstat(fd)
            extra = extra_of(fd, found)
        finally:
            os.close(fd)
        same = (found.st_size, found.st_mtime_ns) == (new.size, new.mtime_ns) or step.is_folder
        if stat.S_IFMT(found.st_mode) != new.kind or (step.ino and found.st_ino != step.ino) or not same:
            return  # changed again since: the scan sees what it is now
        cell = new.content if step.kind != ATTRIBUTES or step.old is None else step.old.content
        indexed = stat.S_ISREG(found.st_mode) and catalogue.ignore.verdict(step.path, False) is None
        entries.restored(step.path, found, extra, cell, indexed=indexed, again=new.id if new.gone else 0)
        if self.exact:
            self._descends(step.path, new, catalogue)

    def _descends(self, path: bytes, new: Entry, catalogue: Catalogue) -> None:
        """What is put back under another name goes on with the versions that it had under the old one."""
        database, row = catalogue.database, catalogue.entries.row(path)
        known = database.execute("select parent, name from entry where id = ?", (new.id,)).fetchone()
        if row is not None and known is not None and paths.join(*known) != path:
            database.execute("update entry set source = ? where id = ?", (new.id, row.id))

    def _secure(self, step: Step, name: str, catalogue: Catalogue, capture: Capture) -> None:
        """What came out of the folder becomes a version, if it is none yet."""
        found = self.stage.look(name)
        if found is None or (name == str(step.number) and self._made(step, found)):
            return
        known = catalogue.entries.row(step.path)
        seen = known is not None and (known.size, known.mtime_ns, known.ino) == (
            found.st_size,
            paths.stamp(found.st_mtime_ns),
            paths.number(found.st_ino),
        )
        if known is not None and seen and (known.content is None or catalogue.entries.kept(known.content)):
            return
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=self.stage.fd())
        try:
            extra = extra_of(fd, found)
        finally:
            os.close(fd)
        held = None
        if stat.S_ISREG(found.st_mode) and found.st_size:
            held = self._own(step, name, found)
        capture.secured(Secured(0, step.path, found, extra, None, held, time.time()))

    def _made(self, step: Step, found: os.stat_result) -> bool:
        """Is this what was staged, and has nobody written to it where it was for a moment?"""
        new = step.new
        if found.st_ino != step.ino or new is None:
            return False
        return not stat.S_ISREG(found.st_mode) or (found.st_size, paths.stamp(found.st_mtime_ns)) == (
            new.size,
            new.mtime_ns,
        )

    def _own(self, step: Step, name: str, found: os.stat_result) -> str:
        """The stage's link to it; a copy, where somebody else may change it under another name, or still has it open."""
        if found.st_nlink > 1 or (found.st_size > LARGE and step.path in self.written):
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.stage.fd())
            try:
                with contextlib.suppress(FileExistsError):
                    copy(fd, self.stage.fd(), f"{name}.c", found.st_size, True)
            finally:
                os.close(fd)
            name += ".c"
        return self.stage.held_name(name)
