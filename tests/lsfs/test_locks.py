"""The locks of one mount: who may lock and unlock, what is under a lock, when it ends, and what a mount after a kill knows of it."""

import os
import types

import pytest
import trio

from lsfs import locks
from lsfs.beneath import stat_beneath
from lsfs.history.store import open_history
from lsfs.locks import Locks
from syscalls.errors import Denied, Exists, NoRoom, NotFound, NotPermitted, NotRegular, TooLong
from syscalls.values import Lock, Viewer

ROOT, OWNER, ALICE, BOB = Viewer(0, 0), Viewer(500, 500), Viewer(501, 501), Viewer(502, 502, frozenset({77}))


class Place:
    """A folder, its locks, and a clock that is set by hand."""

    def __init__(self, folder, state):
        self.folder, self.state, self.now = folder, state, 1000.0
        self.folder.mkdir()
        self.root_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        self.open()

    def open(self):
        """As a mount does, also after a kill."""
        self.database = open_history(self.state)
        past = types.SimpleNamespace(root_fd=self.root_fd, database=self.database)
        self.locks = Locks(
            self.database, trio.to_thread.run_sync, past, owner=OWNER.uid, hidden=frozenset({b".lsfs"}),
            now=lambda: self.now,
        )  # fmt: skip

    def make(self, path, mode=0o644, uid=ALICE.uid, gid=ALICE.gid):
        at = os.path.join(os.fsencode(self.folder), path)
        if path.endswith(b"/"):
            os.mkdir(at)
        else:
            with open(at, "wb") as stream:
                stream.write(b"text")
        os.chown(at, uid, gid)
        os.chmod(at, mode)
        return at

    def lock(self, path, viewer=ALICE, seconds=None, why=""):
        until = None if seconds is None else self.now + seconds
        trio.run(self.locks.lock, path, Lock(viewer.uid, self.now, until, why), viewer)

    def unlock(self, path, viewer=ALICE):
        trio.run(self.locks.unlock, path, viewer)


@pytest.fixture
def place(tmp_path):
    if os.geteuid():
        pytest.skip("needs several users")
    made = Place(tmp_path / "folder", tmp_path / "history.db")
    yield made
    made.database.close()
    os.close(made.root_fd)


def test_without_a_lock_nothing_is_written_and_nothing_asked(place):
    assert not place.locks.held and place.locks.locked(b"a") is None and place.locks.all() == ()
    assert place.database.execute("select 1 from sqlite_master where name = 'lock'").fetchone() is None


def test_a_lock_holds_for_all_that_is_in_a_folder_and_outlives_the_mount(place):
    place.make(b"papers/", 0o755)
    place.make(b"papers/a")
    place.lock(b"papers", seconds=60, why="sent")
    place.open()
    lock = Lock(ALICE.uid, 1000.0, 1060.0, "sent")
    assert place.locks.all() == ((b"papers", lock),)
    assert place.locks.locked(b"papers/deep/er") == place.locks.locked(b"papers") == (b"papers", lock)
    assert place.locks.locked(b"papers2") is None and place.locks.of(b"papers/a") is None
    assert place.locks.below(b"") == (b"papers", lock) and place.locks.below(b"papers") is None


def test_a_lock_ends_by_the_clock_alone(place):
    place.make(b"a")
    place.lock(b"a", seconds=60)
    place.now = 1059.9
    assert place.locks.locked(b"a")
    place.now = 1060.0
    assert place.locks.locked(b"a") is None and not place.locks.held
    place.now = 1059.0
    place.open()
    place.now = 1061.0
    assert place.locks.all() == () and place.locks.report(ROOT) == []
    place.open()
    assert not place.locks.held


def test_refusals_name_the_locked_path_and_the_one_who_locked(place):
    place.make(b"papers/", 0o755)
    place.make(b"papers/a")
    place.lock(b"papers/a", why="sent")
    place.locks.refuse([b"papers/b", b"other"])
    for path in (b"papers/a", b"papers", b"papers/a/x", b""):
        with pytest.raises(NotPermitted, match="files/papers/a is locked by .* until unlocked: sent"):
            place.locks.refuse([b"other", path])


def test_another_name_of_a_locked_file_is_known_by_its_inode(place):
    inner = place.make(b"a")
    place.make(b"papers/", 0o755)
    os.link(inner, os.path.join(os.fsencode(place.folder), b"b"))
    found = os.stat(inner)
    place.make(b"c")
    place.lock(b"c")
    assert place.locks.linked(found) is None
    place.lock(b"a")
    assert place.locks.linked(found)[0] == b"a"
    place.locks.refuse([b"b"])
    with pytest.raises(NotPermitted, match="files/a is locked"):
        place.locks.refuse([b"b"], found)
    place.unlock(b"a")
    os.link(inner, os.path.join(os.fsencode(place.folder), b"papers/d"))
    place.lock(b"papers")
    place.database.execute(
        "insert into entry (parent, name, mode, uid, gid, size, mtime_ns, ctime_ns, ino, indexed, born)"
        " values (x'706170657273', x'64', 0, 0, 0, 0, 0, 0, ?, 0, 1)",
        (found.st_ino,),
    )
    assert place.locks.linked(found)[0] == b"papers"


def test_many_locks_cost_a_file_with_two_names_one_look_at_most(place, monkeypatch):
    free = place.make(b"free")
    os.link(free, os.path.join(os.fsencode(place.folder), b"free2"))
    for number in range(50):
        place.make(b"%d" % number)
        place.lock(b"%d" % number)
    looks = []
    monkeypatch.setattr(locks, "SHARE", 1e9)
    monkeypatch.setattr(locks, "stat_beneath", lambda fd, path: looks.append(path) or stat_beneath(fd, path))
    for _ in range(20):
        assert place.locks.linked(os.stat(free)) is None
    assert len(looks) == 50
    place.lock(b"free")  # known at once, without another look at all of them
    assert place.locks.linked(os.stat(free))[0] == b"free"
    place.unlock(b"free")
    assert place.locks.linked(os.stat(free)) is None
    assert len(looks) < 60


def test_what_came_to_a_locked_path_behind_the_mount_is_locked_under_its_other_names_too(place):
    at = place.make(b"a")
    place.lock(b"a")
    other = place.make(b"b")
    assert place.locks.linked(os.stat(at))[0] == b"a" and place.locks.linked(os.stat(other)) is None
    os.unlink(at)
    os.link(other, at)
    place.locks._looked = 0.0  # a moment later
    assert place.locks.linked(os.stat(other))[0] == b"a"


def test_a_folder_has_no_lock_in_it_before_and_one_as_soon_as_there_is_one(place):
    for path in (b"x/", b"x/y/", b"z/"):
        place.make(path, 0o755)
    place.make(b"x/y/a")
    assert place.locks.below(b"x") is None
    place.lock(b"x/y/a")
    assert place.locks.below(b"x")[0] == place.locks.below(b"x/y")[0] == place.locks.below(b"")[0] == b"x/y/a"
    assert place.locks.below(b"z") is place.locks.below(b"x/y/a") is None
    place.open()
    assert place.locks.below(b"x")[0] == b"x/y/a" and place.locks.below(b"z") is None
    place.unlock(b"x/y/a")
    assert place.locks.below(b"x") is None


def test_who_may_not_read_what_is_locked_hears_that_it_is_and_no_more(place):
    place.make(b"bobs/", 0o755, uid=BOB.uid)
    place.make(b"bobs/closed/", 0o700)
    place.make(b"bobs/closed/secret")
    place.make(b"shown", 0o600)
    for path in (b"bobs/closed/secret", b"shown"):
        place.lock(path, why="hush")
    for act in (
        lambda: place.locks.refuse([b"bobs"], None, BOB),
        lambda: place.locks.refuse([b"shown"], None, BOB),
        lambda: place.unlock(b"shown", BOB),
    ):
        with pytest.raises(NotPermitted) as caught:
            act()
        assert "hush" not in str(caught.value) and "secret" not in str(caught.value)
    for viewer in (ALICE, ROOT, None):
        with pytest.raises(NotPermitted, match="files/bobs/closed/secret is locked by .*hush"):
            place.locks.refuse([b"bobs"], None, viewer)


def test_the_owner_and_who_may_write_lock_a_file(place):
    place.make(b"mine", 0o400)
    place.make(b"groups", 0o660, gid=77)
    place.make(b"readable", 0o644)
    for path, viewer in ((b"mine", ALICE), (b"groups", BOB), (b"readable", ROOT)):
        place.lock(path, viewer)
    place.unlock(b"readable", ROOT)
    for path, viewer in ((b"readable", BOB), (b"readable", OWNER)):
        with pytest.raises(NotPermitted):
            place.lock(path, viewer)


def test_a_folder_is_its_owners_to_lock(place):
    place.make(b"open/", 0o1777)
    with pytest.raises(NotPermitted):
        place.lock(b"open", BOB)
    place.lock(b"open", ALICE)


def test_who_may_not_pass_the_folders_above_hears_of_nothing(place):
    place.make(b"closed/", 0o700)
    place.make(b"closed/a", 0o666)
    place.lock(b"closed/a")
    for act in (place.lock, place.unlock):
        with pytest.raises(Denied):
            act(b"closed/a", BOB)
    assert place.locks.report(BOB) == []
    assert [lock["path"] for lock in place.locks.report(ALICE)] == ["files/closed/a"]
    assert place.locks.report(OWNER) == place.locks.report(ROOT) == place.locks.report(ALICE)


def test_the_one_who_locked_root_and_the_owner_of_the_mount_unlock(place):
    place.make(b"a", 0o666)
    for viewer in (BOB, ROOT, OWNER):
        place.lock(b"a", BOB)
        with pytest.raises(NotPermitted):
            place.unlock(b"a", ALICE)
        place.unlock(b"a", viewer)
        place.open()
        assert not place.locks.held


def test_a_second_lock_is_refused_to_others_and_changes_the_end_of_ones_own(place):
    place.make(b"a", 0o666)
    place.lock(b"a", BOB, seconds=60)
    with pytest.raises(Exists):
        place.lock(b"a", ALICE)
    place.lock(b"a", BOB, seconds=10, why="sooner")
    place.open()
    assert place.locks.of(b"a") == Lock(BOB.uid, 1000.0, 1010.0, "sooner")
    place.now = 1011.0
    place.lock(b"a", ALICE)


def test_what_is_not_there_not_ours_or_neither_file_nor_folder_is_not_locked(place):
    at = os.fsencode(place.folder)
    os.symlink("x", at + b"/link")
    os.mkfifo(at + b"/fifo")
    os.mkdir(at + b"/.lsfs")
    for path, error in (
        (b"missing", NotFound), (b"missing/a", NotFound), (b".lsfs", NotFound), (b".lsfs/history.db", NotFound),
        (b"link", NotRegular), (b"link/a", NotFound), (b"fifo", NotRegular), (b"n" * 256, TooLong),
    ):  # fmt: skip
        with pytest.raises(error):
            place.lock(path, ROOT)
    place.make(b"papers/", 0o755)
    place.make(b"papers/a")
    place.lock(b"papers")
    for path in (b"missing", b"papers/a"):
        with pytest.raises(NotFound):
            place.unlock(path)
    assert set(place.locks.held) == {b"papers"}


def test_a_lock_on_what_vanished_can_be_ended(place):
    at = place.make(b"a")
    place.lock(b"a")
    os.unlink(at)
    assert place.locks.locked(b"a")
    place.unlock(b"a")
    assert place.locks.locked(b"a") is None


@pytest.mark.parametrize("name", [b"n" * 255, b"line\nbreak", b"caf\xe9", b"-rf", b"%s'\""])
def test_any_name_is_locked_and_known_after_a_remount(place, name):
    place.make(name)
    place.lock(name, why="caf\udce9")
    place.open()
    assert place.locks.of(name).why == "caf\udce9"
    place.unlock(name)
    place.open()
    assert not place.locks.held


def test_a_lock_that_cannot_be_written_does_not_hold(place):
    place.make(b"a")
    place.lock(b"a", seconds=5)
    place.database.execute("pragma query_only = on")
    for act in (lambda: place.lock(b"a", seconds=50), lambda: place.unlock(b"a")):
        with pytest.raises(NoRoom):
            act()
        assert place.locks.of(b"a").until == 1005.0


def test_what_is_mapped_is_written_before_the_lock_holds_and_meets_it_before_it_is_on_the_disk(place):
    place.make(b"a")
    seen = []

    async def flush(path):
        seen.append((path, bool(place.locks.held)))

    place.locks.flush = flush
    insert = place.locks._insert
    place.locks._insert = lambda path, lock: (seen.append(bool(place.locks.held)), insert(path, lock))
    place.lock(b"a")
    assert seen == [(b"a", False), True]
