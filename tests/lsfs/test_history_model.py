"""History against a model: whatever is done to the folder, through the mount and behind it, with kills in between, a snapshot shows for
ever what was there when it was taken, every content that was closed is kept, and the newest sequence is the folder.

The model is what plain calls find in the folder (`history_tree.look`), frozen for each snapshot; beside it, for the files of `only/`,
which nobody renames and nobody touches behind the mount, the list of contents that were closed. What is done goes through the objects of
/files, so that no kernel is needed and a step takes a millisecond; the clock stands still, and so a commit comes when a rule asks for it.

LSFS_EXAMPLES=5000 LSFS_SEED=7 pytest tests/lsfs/test_history_model.py    # a longer search; LSFS_STEPS: of each example
"""

import contextlib
import errno
import os
import pathlib
import shutil
import tempfile

import hypothesis
import pytest
from history_tree import Loop, World
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lsfs.history.keeping import Retention
from lsfs.history.objects import LARGE

EXAMPLES = int(os.environ.get("LSFS_EXAMPLES", "70"))
STEPS = int(os.environ.get("LSFS_STEPS", "40"))
SEED = os.environ.get("LSFS_SEED")

FOLDERS = st.sampled_from([b"d", b"d/e", b"g", b"only"])
FILES = st.sampled_from([b"a", b"b", b"d/a", b"d/b", b"d/e/a", b"g/a"])
ANY = st.one_of(FILES, FILES, st.sampled_from([b"d", b"d/e", b"g"]))
ONLY = st.sampled_from([b"only/x", b"only/y"])
WRITTEN = st.one_of(FILES, ONLY)
SNAPSHOTS = st.sampled_from([b"one", b"two", b"three"])
SIZES = st.sampled_from([1, 8, 8, 8, 5000, LARGE + 5000])

# What a user may be told: never what became of history.
ORDINARY = {
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.EINVAL, errno.EPERM, errno.ESTALE,
}  # fmt: skip


@pytest.fixture(scope="module")
def loop():
    made = Loop()
    yield made
    made.close()


class Model(RuleBasedStateMachine):
    """One folder with history."""

    loop: Loop
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

    def __init__(self):
        super().__init__()
        self.top = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("LSFS_PLACE", self.place)))
        self.folder = self.top / "folder"
        self.folder.mkdir()
        self.count = 0
        self.collected = False
        self.frozen: dict[bytes, dict] = {}
        self.closed: dict[bytes, list[bytes]] = {}
        self.kept: set[bytes] = set()
        self.gone: dict[bytes, bytes] = {}
        self.dirty: dict[
            object, tuple[bytes, bool]
        ] = {}  # open handle -> its path when it was opened, written since the last report

    @initialize(
        before=st.lists(st.tuples(FILES, SIZES), max_size=4), capture=st.sampled_from(["lazy", "lazy", "small", "all"]),
        elsewhere=st.booleans(),
    )  # fmt: skip
    def begin(self, before, capture, elsewhere):
        for path, size in before:
            with contextlib.suppress(OSError):
                whole = self.folder / os.fsdecode(path)
                whole.parent.mkdir(parents=True, exist_ok=True)
                whole.write_bytes(self.content(size))
        (self.folder / "only").mkdir()
        state = self.top / "state" if elsewhere else self.folder / ".lsfs"
        self.world = World(self.folder, self.loop, capture=capture, state=state)
        self.world.start()
        self.settle()

    def content(self, size):
        self.count += 1
        text = b"%07d\n" % self.count
        return (text * (size // len(text) + 1))[:size] if size > 1 else b"%d" % (self.count % 3)

    def do(self, function, *arguments, **named):
        """Something through the mount; False where it cannot be done. History is no reason."""

        async def act():
            return await function(*arguments, **named)

        try:
            self.world.call(act)
        except OSError as error:
            assert error.errno in ORDINARY, error
            return False
        return True

    # What is promised ---------------------------------------------------------------------------------------------------

    def is_closed(self, path):
        """`path` was just closed after a write; while another one writes to it, its content is no version."""
        whole = self.folder / os.fsdecode(path)
        found = os.stat(whole)
        self.fill(found)
        if any(
            os.fstat(handle.fd).st_ino == found.st_ino for handle, (_, dirty) in self.dirty.items() if dirty
        ):
            return
        self.keep(path, whole.read_bytes())

    def fill(self, found):
        """A file was written: who has emptied it, and written nothing yet, does not hide it any more."""
        for handle, (path, dirty) in self.dirty.items():
            if (
                dirty
                and not handle.unreported
                and os.fstat(handle.fd).st_ino == found.st_ino
                and found.st_size
            ):
                self.dirty[handle] = path, False

    def keep(self, path, content):
        if content:
            self.kept.add(content)
        if path.startswith(b"only/"):
            self.closed.setdefault(path, []).append(content)

    def busy(self):
        """The paths of files that are being written, by whatever name."""
        numbers = {os.fstat(handle.fd).st_ino for handle in self.world.tree.files.changing}
        names = (
            os.path.join(above, name)
            for above, _, files in os.walk(os.fsencode(self.folder))
            for name in files
        )
        return {
            os.path.relpath(name, os.fsencode(self.folder))
            for name in names
            if os.lstat(name).st_ino in numbers
        }

    def settle(self):
        sequence = self.world.call(self.world.settled)
        self.check(sequence)

    def check(self, sequence):
        world, busy = self.world, self.busy()
        assert world.history.trouble is None and world.follow.trouble is None
        now = world.now()
        then = world.then(sequence)
        assert {p: t for p, t in then.items() if p not in busy} == {
            p: t for p, t in now.items() if p not in busy
        }
        for _ in range(4):
            if world.held():  # a large content is read when the background has rested
                world.call(world.later)
        assert world.held() == [], world.left()
        for path, contents in self.closed.items():
            if path not in busy:
                # In this order, but for a commit or a scan that looks late: what it saw too early stands twice.
                versions, contents = distinct(world.versions(path)), distinct(contents)
                assert versions[-1:] == contents[-1:] or not contents, path
                assert set(contents) <= set(versions) if self.collected else set(contents) == set(versions), (
                    path
                )
        removed = world.removed()
        for path, content in self.gone.items():
            if path not in now:
                assert path in removed, path
                assert world.past.whole(removed[path][0]) == content, path

    def check_all(self):
        """What takes longer."""
        world = self.world
        world.verify()
        for name in self.frozen:
            self.check_snapshot(name)
        assert {snapshot.name for snapshot in world.past.snapshots()} == set(self.frozen)
        assert self.kept <= set(self.readable()), "what was closed is kept"
        assert world.history.trouble is None and world.follow.trouble is None

    def check_snapshot(self, name):
        snapshot = self.world.past.snapshot(name)
        assert snapshot is not None, name
        assert self.world.then(snapshot.sequence) == self.frozen[name], name

    def readable(self):
        """The contents of all versions."""
        past = self.world.past
        for (id,) in past.database.execute(
            "select id from entry where content is not null group by content"
        ).fetchall():
            yield past.whole(past.by_id(id))

    # Through the mount ----------------------------------------------------------------------------------------------------

    @rule(path=WRITTEN, size=SIZES, mode=st.sampled_from([0o644, 0o600]))
    def write(self, path, size, mode):
        if self.do(self.world.write, path, self.content(size), mode):
            self.is_closed(path)

    @rule(path=WRITTEN)
    def write_the_same_again(self, path):
        if (self.folder / os.fsdecode(path)).is_file() and self.do(
            self.world.write, path, (self.folder / os.fsdecode(path)).read_bytes()
        ):
            self.is_closed(path)

    @rule(path=WRITTEN, size=SIZES)
    def append(self, path, size):
        if self.do(self.world.append, path, self.content(size)):
            self.is_closed(path)

    @rule(path=WRITTEN, offset=st.sampled_from([0, 3, 300_000]))
    def patch(self, path, offset):
        if self.do(self.world.patch, path, offset, self.content(8)):
            self.is_closed(path)

    @rule(path=WRITTEN, size=st.sampled_from([0, 2, 6000]))
    def truncate(self, path, size):
        if self.do(self.world.truncate, path, size):
            self.is_closed(path)

    @rule(path=WRITTEN, flags=st.sampled_from([0, os.O_TRUNC, os.O_APPEND]))
    def open(self, path, flags):
        handles = len(self.world.handles)
        if handles < 3 and self.do(self.world.open, path, os.O_RDWR | os.O_CREAT | flags):
            handle = self.world.handles[-1]
            self.dirty[handle] = path, handle.truncated

    @precondition(lambda self: self.dirty)
    @rule(which=st.integers(0, 2), size=SIZES, offset=st.sampled_from([0, 2, 9000]))
    def write_more(self, which, size, offset):
        handle = self.handle(which)
        assert self.do(handle.write, offset, self.content(size))
        self.fill(os.fstat(handle.fd))
        self.dirty[handle] = self.dirty[handle][0], True

    @precondition(lambda self: self.dirty)
    @rule(which=st.integers(0, 2))
    def close_one_of_two(self, which):
        """close(2) of a descriptor that was duplicated: flush, and no release."""
        handle = self.handle(which)
        path, dirty = self.dirty[handle]
        unreported = handle.unreported
        assert self.do(handle.flush)
        if unreported:
            self.dirty[handle] = path, False
            self.handle_is_closed(handle)

    @precondition(lambda self: self.dirty)
    @rule(which=st.integers(0, 2))
    def close(self, which):
        handle = self.handle(which)
        path, dirty = self.dirty.pop(handle)
        fd = os.dup(handle.fd)
        try:
            assert self.do(self.world.finish, handle)
            if dirty:
                self.closed_fd(path, fd)
        finally:
            os.close(fd)

    def handle(self, which):
        return list(self.dirty)[which % len(self.dirty)]

    def handle_is_closed(self, handle):
        self.closed_fd(self.dirty[handle][0], handle.fd)

    def closed_fd(self, path, fd):
        found = os.fstat(fd)
        if found.st_nlink and not any(
            os.fstat(other.fd).st_ino == found.st_ino for other, (_, dirty) in self.dirty.items() if dirty
        ):
            self.keep(path, os.pread(fd, found.st_size, 0))

    @rule(path=ANY)
    def unlink(self, path):
        self.remove(path)

    @rule(path=ONLY)
    def unlink_in_only(self, path):
        self.remove(path)

    def remove(self, path):
        whole = self.folder / os.fsdecode(path)
        content = whole.read_bytes() if whole.is_file() and not whole.is_symlink() else None
        busy = path in self.busy()
        if self.do(self.world.unlink, path):
            self.gone.pop(path, None)
            if content and not busy:  # an empty file may have been seen by nobody
                self.gone[path] = content

    @rule(old=ANY, new=ANY)
    def rename(self, old, new):
        if self.do(self.world.rename, old, new):
            for path in [path for path in self.gone if (path + b"/").startswith(new + b"/")]:
                del self.gone[path]

    @rule(old=FILES, new=FILES)
    def rename_and_unlink(self, old, new):
        """In one burst: no row was ever seen under the second name."""
        self.rename(old, new)
        self.remove(new)

    @rule(old=FILES, new=FILES)
    def write_and_rename_over(self, old, new):
        """The watch tells of the write when another file has the name."""
        self.write(new, 8, 0o644)
        self.world.call(self.world.committed)
        self.rename(old, new)

    @rule(old=ANY, new=ANY)
    def exchange(self, old, new):
        self.do(self.world.rename, old, new, exchange=True)

    @rule(path=FOLDERS)
    def mkdir(self, path):
        self.do(self.world.mkdir, path)

    @rule(path=FOLDERS)
    def rmdir(self, path):
        self.do(self.world.rmdir, path)

    @rule(path=ANY, words=st.sampled_from([b"a", b"nowhere", b"d"]))
    def symlink(self, path, words):
        self.do(self.world.symlink, path, words)

    @rule(old=FILES, new=FILES)
    def link(self, old, new):
        self.do(self.world.link, old, new)

    @rule(path=st.one_of(ANY, ONLY), mode=st.sampled_from([0o640, 0o700, 0o755]))
    def chmod(self, path, mode):
        self.do(self.world.chmod, path, mode)

    @rule(path=ANY, value=st.sampled_from([b"red", b"blue"]))
    def setxattr(self, path, value):
        self.do(self.world.setxattr, path, b"user.colour", value)

    @rule(path=st.one_of(ANY, ONLY))
    def utime(self, path):
        self.count += 1
        self.do(self.world.utime, path, 10**18 + self.count)
        self.world.call(self.world.settled)  # (a kill before: tests/lsfs/test_history.py)

    # Behind it: what was there is captured before; afterwards the watch hints at it, or a scan finds it --------------------------

    def behind(self, path):
        """The place of a path behind the mount; None where it cannot be changed there just now."""
        if self.dirty:
            return None
        self.world.captured()
        self.gone = {
            gone: content for gone, content in self.gone.items() if not (gone + b"/").startswith(path + b"/")
        }
        return self.folder / os.fsdecode(path)

    def find(self, scan):
        self.world.call(self.world.scanned if scan else self.world.settled)

    @rule(path=FILES, size=SIZES, scan=st.booleans())
    def write_behind(self, path, size, scan):
        whole = self.behind(path)
        if whole is not None:
            with contextlib.suppress(OSError):
                whole.write_bytes(self.content(size))
            self.find(scan)

    @rule(path=ANY, scan=st.booleans())
    def remove_behind(self, path, scan):
        whole = self.behind(path)
        if whole is not None:
            with contextlib.suppress(OSError):
                shutil.rmtree(whole) if whole.is_dir() and not whole.is_symlink() else whole.unlink()
            self.find(scan)

    @rule(old=ANY, new=ANY, scan=st.booleans())
    def rename_behind(self, old, new, scan):
        whole = self.behind(old)
        if whole is not None:
            self.behind(new)
            with contextlib.suppress(OSError):
                os.rename(whole, self.folder / os.fsdecode(new))
            self.find(scan)

    @rule(old=FILES, new=FILES, scan=st.booleans())
    def link_behind(self, old, new, scan):
        whole = self.behind(old)
        if whole is not None:
            with contextlib.suppress(OSError):
                os.link(whole, self.folder / os.fsdecode(new))
            self.find(scan)

    @rule(path=FOLDERS, scan=st.booleans())
    def mkdir_behind(self, path, scan):
        whole = self.behind(path)
        if whole is not None:
            with contextlib.suppress(OSError):
                whole.mkdir()
            self.find(scan)

    # Sequences --------------------------------------------------------------------------------------------------------------

    @rule()
    def commit(self):
        self.settle()

    @rule()
    def hold_up(self):
        """A commit has begun, and looks at the folder when more has happened."""
        self.world.call(self.world.held_up)

    @rule()
    def hold_up_a_scan(self):
        """A scan sees what no commit has been told yet."""
        self.world.call(self.world.scan_held_up)

    @rule()
    def capture_all(self):
        self.world.captured()

    @rule(name=SNAPSHOTS)
    def take(self, name):
        if name in self.frozen:
            self.world.call(self.world.settled)
            self.check_snapshot(name)
            self.world.call(self.world.history.drop, name)
            del self.frozen[name]
            return
        # What is being written is in it as far as it is written; what was emptied and not written yet, as it was.
        unwritten = {path for path in self.busy() if not (self.folder / os.fsdecode(path)).stat().st_size}
        for path in self.busy() - unwritten:
            self.keep(path, (self.folder / os.fsdecode(path)).read_bytes())
        self.world.call(self.world.take, name)
        self.frozen[name] = self.world.now()
        then = self.world.then(self.world.past.snapshot(name).sequence)
        for path in unwritten:
            self.frozen[name].pop(path, None)
            if path in then:
                self.frozen[name][path] = then[path]
        assert then == self.frozen[name]

    @rule(old=SNAPSHOTS, new=SNAPSHOTS)
    def rename_snapshot(self, old, new):
        if old in self.frozen and new not in self.frozen:
            self.world.call(self.world._until_free)
            self.world.call(self.world.history.rename, old, new)
            self.frozen[new] = self.frozen.pop(old)

    @rule(name=SNAPSHOTS)
    def read_a_snapshot(self, name):
        if name in self.frozen:
            self.world.call(self.world.settled)
            self.check_snapshot(name)

    @rule()
    def crash(self):
        """kill -9. What was being written is found as it is."""
        for path in self.busy():
            self.keep(path, (self.folder / os.fsdecode(path)).read_bytes())
        self.dirty.clear()
        self.world.crash()
        self.world.start()
        self.settle()

    @rule()
    def remount(self):
        for handle in list(self.dirty):
            self.close(list(self.dirty).index(handle))
        self.world.close()
        self.world.start()
        self.settle()

    @rule()
    def collect(self):
        """Everything goes that no snapshot shows."""
        world = self.world
        world.call(world.settled)
        world.history.keeper.retention = Retention(0.0, 0.0)
        world.call(world.history.keeper.collect)
        self.kept.clear()
        self.gone.clear()
        self.closed.clear()
        self.collected = True
        self.settle()

    def teardown(self):
        try:
            if hasattr(self, "world"):
                for handle in list(self.dirty):
                    self.close(list(self.dirty).index(handle))
                self.settle()
                self.world.call(self.world.scanned)
                self.settle()
                self.check_all()
        finally:
            if hasattr(self, "world"):
                try:
                    self.world.close()
                finally:
                    shutil.rmtree(self.top, ignore_errors=True)


def distinct(contents):
    """Each content that follows another one. An empty file may be a version, or not: it was seen, or not."""
    found = []
    for content in contents:
        if content and (not found or found[-1] != content):
            found.append(content)
    return found


def test_history_agrees_with_the_model(loop):
    Model.loop = loop
    settings = hypothesis.settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=SEED is None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck), print_blob=False, report_multiple_bugs=False,
        phases=[hypothesis.Phase.generate] + [hypothesis.Phase.shrink] * ("LSFS_NOSHRINK" not in os.environ),
    )  # fmt: skip
    test = Model
    if SEED is not None:
        test = hypothesis.seed(int(SEED))(Model)
    run_state_machine_as_test(test, settings=settings)
