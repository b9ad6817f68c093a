"""Rollback, undo and undelete: all of it or nothing, nothing outside, nothing lost."""

import errno
import os
import pathlib
import random
import shutil
import signal
import stat
import sys

import pytest
import trio
from history_tree import World
from mounted_helpers import EVERY, acl

from lsfs.history import redo
from lsfs.history.allowed import Denied, Rights, grants
from lsfs.history.carry import Busy, Refused
from lsfs.history.contents import Missing
from lsfs.history.entries import Entry
from lsfs.history.plan import Change, compare
from syscalls.errors import Exists, InvalidArgument, NotFound, NotPermitted
from syscalls.values import Viewer

ME = Viewer(os.getuid(), os.getgid())
root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")


class Rolling(World):
    """A world with a task that executes plans, and a kernel that is told."""

    async def _start(self):
        await super()._start()
        while self.follow.scanning:
            await self.follow.moved_on()
        rollback = self.history.rollback
        rollback.carry.writers, rollback.carry.stale = self.tree.files.writers, self.tree.files.stale
        self._rolling = trio.CancelScope()
        self.loop.nursery.start_soon(self._run, rollback)

    async def _run(self, rollback):
        with self._rolling:
            await rollback.run()

    async def scanned(self):
        """The same, however many hints of the watch come meanwhile."""
        await self.history.settled()
        await self.follow.looked(b"")
        return await self.history.settled()

    def _let_go(self):
        self._rolling.cancel()
        super()._let_go()

    def plan(self, path, viewer=ME, **how):
        return self.call(self._plan, path, viewer, how)

    async def _plan(self, path, viewer, how):
        return await self.history.rollback.plan(path, viewer, **how)

    def execute(self, plan, viewer=ME, force=False):
        return self.call(self._execute, plan["token"], viewer, force)

    async def _execute(self, token, viewer, force):
        return await self.history.rollback.execute(token, viewer, force=force)

    def back(self, path, **how):
        plan = self.plan(path, **how)
        return self.execute(plan) if plan["token"] else None

    def undo(self):
        return self.execute(self.call(self.history.rollback.undo, ME))

    def undelete(self, path, target=None):
        row = self.history.removed_at(path)
        return self.call(self.history.undelete, row, path if target is None else target, ME)

    def inside(self, path):
        return self.folder / os.fsdecode(path)

    def tree_of(self, path=b""):
        """Everything below a path, as a user sees it."""
        found = {}
        top = self.inside(path)
        for parent, folders, names in os.walk(top):
            if parent == str(self.folder):
                folders.remove(".lsfs")
            for name in folders + names:
                whole = os.path.join(parent, name)
                found[os.path.relpath(whole, top)] = seen(whole)
        return found


def seen(path):
    status = os.lstat(path)
    kind = stat.S_IFMT(status.st_mode)
    content = None
    if kind == stat.S_IFREG:
        content = pathlib.Path(path).read_bytes()
    elif kind == stat.S_IFLNK:
        content = os.readlink(path)
    xattrs = {} if kind == stat.S_IFLNK else {name: os.getxattr(path, name) for name in os.listxattr(path)}
    when = None if kind == stat.S_IFDIR else status.st_mtime_ns
    return status.st_mode, status.st_uid, status.st_gid, when, content, xattrs


@pytest.fixture
def world(tmp_path):
    (tmp_path / "folder").mkdir()
    with Rolling(tmp_path / "folder") as made:
        yield made


def furnish(world):
    """A folder with one of everything, and something beside it."""
    for path in (b"src", b"src/deep", b"src/deep/er", b"src/was", b"out"):
        world.call(world.mkdir, path)
    for path in (b"src/a", b"src/b", b"src/deep/c", b"src/deep/er/d", b"src/was/e", b"out/o", b"top"):
        world.call(world.write, path, path * 3)
    world.call(world.write, b"src/empty", b"")
    world.call(world.write, b"src/large", random.Random(1).randbytes(700_000))
    world.call(world.symlink, b"src/link", b"a")
    world.call(world.chmod, b"src/b", 0o640)
    world.call(world.setxattr, b"src/b", b"user.note", b"kept")
    os.mkfifo(world.inside(b"src/pipe"))
    world.call(world.scanned)


def spoil(world):
    """Change everything in it, in every way."""
    world.call(world.write, b"src/a", b"other")
    world.call(world.chmod, b"src/b", 0o600)
    world.call(world.setxattr, b"src/b", b"user.note", b"lost")
    world.call(world.unlink, b"src/deep/er/d")
    world.call(world.rmdir, b"src/deep/er")
    world.call(world.write, b"src/deep/er", b"a file now")
    world.call(world.unlink, b"src/empty")
    world.call(world.mkdir, b"src/empty")
    world.call(world.write, b"src/empty/full", b"of this")
    world.call(world.patch, b"src/large", 300_000, b"patched")
    world.call(world.unlink, b"src/link")
    world.call(world.symlink, b"src/link", b"b")
    world.call(world.rename, b"src/was", b"src/moved")
    world.call(world.chmod, b"src/deep", 0o700)
    os.unlink(world.inside(b"src/pipe"))
    world.call(world.write, b"src/new", b"new")
    world.call(world.mkdir, b"src/newer")
    world.call(world.write, b"src/newer/newest", b"newest")
    world.call(world.scanned)


def changed(world):
    """A furnished world with a snapshot `before`, spoiled: what src was, what it is."""
    furnish(world)
    world.call(world.take, b"before")
    before = world.tree_of(b"src")
    spoil(world)
    return before, world.tree_of(b"src")


def test_a_folder_becomes_what_it_was_and_nothing_outside_moves(world):
    before, after = changed(world)
    outside = {name: os.lstat(world.inside(name)) for name in (b"out", b"out/o", b"top")}
    done = world.back(b"src", to="before")
    assert world.tree_of(b"src") == before and not done.left
    assert {name: os.lstat(world.inside(name)) for name in outside} == outside
    world.call(world.scanned)
    assert world.then(world.past.sequence()) == world.now()


def test_an_undo_is_the_identity_and_an_undo_of_it_the_rollback_again(world):
    before, after = changed(world)
    world.back(b"src", to="before")
    world.undo()
    assert world.tree_of(b"src") == after
    world.undo()
    assert world.tree_of(b"src") == before


def test_everything_can_be_rolled_back_at_once(world):
    changed(world)
    whole = world.then(world.history.sequence_of(b"before"))
    world.call(world.write, b"top", b"changed, too")
    world.call(world.unlink, b"out/o")
    world.back(b"", to="before")
    assert world.now().keys() == whole.keys()
    assert world.inside(b"top").read_bytes() == b"top" * 3


def test_what_did_not_change_is_not_touched(world):
    furnish(world)
    world.call(world.take, b"before")
    kept = os.lstat(world.inside(b"src/a"))
    world.call(world.write, b"src/b", b"other")
    plan = world.plan(b"src", to="before")
    assert [change["path"] for change in plan["changes"]] == ["files/src/b"]
    world.execute(plan)
    assert os.lstat(world.inside(b"src/a")) == kept


def test_a_plan_changes_nothing_and_says_what_would_be_done(world):
    before, after = changed(world)
    sequence = world.past.sequence()
    plan = world.plan(b"src", to="before", token=False)
    assert world.tree_of(b"src") == after and world.past.sequence() == sequence
    assert plan["token"] is None and world.history.snapshots()[-1].name == b"before"
    found = {change["path"].removeprefix("files/src/"): change["what"] for change in plan["changes"]}
    assert found == {
        "a": "restore", "b": "attributes", "deep": "attributes", "deep/er": "restore", "deep/er/d": "create", "empty": "restore",
        "empty/full": "remove", "large": "restore", "link": "restore", "moved": "remove", "moved/e": "remove", "new": "remove",
        "newer": "remove", "newer/newest": "remove", "pipe": "create", "was": "create", "was/e": "create",
    }  # fmt: skip
    assert plan["counts"] == {"restore": 5, "create": 4, "attributes": 2, "remove": 6}
    assert plan["bytes"] == 5 * 3 + 700_000 + 13 * 3 + 9 * 3


@pytest.mark.parametrize("seed", range(12))
def test_any_change_of_any_tree_can_be_rolled_back_and_undone(tmp_path, seed):
    (tmp_path / "folder").mkdir()
    chooser = random.Random(seed)
    with Rolling(tmp_path / "folder") as world:
        wander(world, chooser, 60)
        world.call(world.scanned)
        world.call(world.take, b"then")
        before = world.tree_of()
        wander(world, chooser, 60)
        world.call(world.scanned)
        after = world.tree_of()
        scope = chooser.choice([b"", b"d0", b"d1"])
        try:
            world.back(scope, to="then")
        except NotFound:
            return
        inside = {
            path for path in before | after if not scope or (path + "/").startswith(os.fsdecode(scope) + "/")
        }
        expected = {path: one for path, one in after.items() if path not in inside}
        expected |= {path: one for path, one in before.items() if path in inside}
        assert world.tree_of() == expected
        if world.history.snapshots()[-1].automatic:
            world.undo()
        assert world.tree_of() == after


def wander(world, chooser, steps):
    """Do this and that."""
    names = [f"{top}{name}".encode() for top in ("", "d0/", "d1/", "d0/d2/") for name in ("a", "b", "c")]
    folders = [b"d0", b"d1", b"d0/d2", b"a", b"d1/b"]
    for _ in range(steps):
        path, other = chooser.choice(names), chooser.choice(names)
        todo = chooser.choice([
            lambda: world.call(world.write, path, chooser.randbytes(chooser.randrange(200))),  # noqa: B023
            lambda: world.call(world.append, path, b"more"),  # noqa: B023
            lambda: world.call(world.unlink, path),  # noqa: B023
            lambda: world.call(world.mkdir, chooser.choice(folders)),
            lambda: world.call(world.rmdir, chooser.choice(folders)),
            lambda: world.call(world.rename, chooser.choice([*names, *folders]), other),  # noqa: B023
            lambda: world.call(world.symlink, path, other),  # noqa: B023
            lambda: world.call(world.link, path, other),  # noqa: B023
            lambda: world.call(world.chmod, path, chooser.choice([0o600, 0o644, 0o755])),  # noqa: B023
            lambda: shutil.copy(world.inside(path), world.inside(other)),  # noqa: B023
        ])  # fmt: skip
        try:
            todo()
        except OSError:
            continue


# Versions ---------------------------------------------------------------------------------------------------------------


def test_a_file_goes_back_by_versions_or_to_one_of_them(world):
    for text in (b"one", b"two", b"three", b"four"):
        world.call(world.write, b"plan.md", text)
        world.call(world.settled)
    world.back(b"plan.md", version=-2)
    assert world.inside(b"plan.md").read_bytes() == b"two"
    world.back(b"plan.md", version=3)
    assert world.inside(b"plan.md").read_bytes() == b"three"
    assert world.versions(b"plan.md") == [b"one", b"two", b"three", b"four", b"two", b"three"]
    for wrong in (0, 7, -6):
        with pytest.raises(NotFound):
            world.plan(b"plan.md", version=wrong)


def test_versions_go_back_across_a_rename(world):
    world.call(world.write, b"draft.md", b"one")
    world.call(world.settled)
    world.call(world.rename, b"draft.md", b"plan.md")
    world.call(world.write, b"plan.md", b"two")
    world.back(b"plan.md", version=1)
    assert world.inside(b"plan.md").read_bytes() == b"one"


def test_a_removed_file_comes_back_by_its_last_version(world):
    world.call(world.write, b"plan.md", b"one")
    world.call(world.settled)
    world.call(world.unlink, b"plan.md")
    world.back(b"plan.md", version=-1)
    assert world.inside(b"plan.md").read_bytes() == b"one"


def test_a_folder_has_no_numbered_versions(world):
    furnish(world)
    for path in (b"src", b""):
        with pytest.raises(InvalidArgument):
            world.plan(path, version=-1)


def test_what_never_was_is_not_found(world):
    furnish(world)
    world.call(world.take, b"before")
    for how in ({"to": "before"}, {"version": 1}):
        with pytest.raises(NotFound):
            world.plan(b"nothing", **how)
    with pytest.raises(NotFound):
        world.plan(b"src", to="never taken")
    with pytest.raises(NotFound):
        world.plan(b".lsfs", to="before")


def test_nothing_to_do_is_no_rollback(world):
    furnish(world)
    world.call(world.take, b"before")
    plan = world.plan(b"src", to="before")
    assert plan["token"] is None and not plan["changes"]
    with pytest.raises(NotFound):
        world.call(world.history.rollback.undo, ME)


def test_the_folders_above_come_back_with_what_was_in_them(world):
    furnish(world)
    world.call(world.take, b"before")
    os.chmod(world.inside(b"src/deep"), 0o711)
    shutil.rmtree(world.inside(b"src"))
    world.call(world.scanned)
    world.back(b"src/deep/er", to="before")
    assert set(world.tree_of(b"src")) == {"deep", "deep/er", "deep/er/d"}
    world.undo()
    assert set(world.tree_of(b"src")) == {"deep"}  # what is above is not in the scope


# Tokens -----------------------------------------------------------------------------------------------------------------


def test_a_plan_is_void_as_soon_as_anything_in_its_scope_has_changed(world):
    changed(world)
    plan = world.plan(b"src", to="before")
    world.call(world.write, b"src/deep/late", b"late")
    with pytest.raises(InvalidArgument):
        world.execute(plan)
    assert world.inside(b"src/a").read_bytes() == b"other"


def test_a_change_outside_leaves_a_plan_alone(world):
    before, _ = changed(world)
    plan = world.plan(b"src", to="before")
    world.call(world.write, b"top", b"changed")
    world.execute(plan)
    assert world.tree_of(b"src") == before and world.inside(b"top").read_bytes() == b"changed"


def test_a_plan_is_void_when_its_snapshot_is_another_one(world):
    changed(world)
    plan = world.plan(b"src", to="before")
    world.call(world.history.drop, b"before")
    world.call(world.take, b"before")
    with pytest.raises(InvalidArgument):
        world.execute(plan)


def test_a_plan_dies_after_ten_minutes_and_after_its_use_and_is_its_askers(world):
    changed(world)
    plan = world.plan(b"src", to="before")
    world.call(world.later, 601)
    with pytest.raises(InvalidArgument):
        world.execute(plan)
    plan = world.plan(b"src", to="before")
    with pytest.raises(InvalidArgument):
        world.execute(plan, Viewer(4242, 4242))
    plan = world.plan(b"src", to="before")
    world.execute(plan)
    with pytest.raises(InvalidArgument):
        world.execute(plan)
    with pytest.raises(InvalidArgument):
        world.execute({"token": "never given"})


# What is in the way -------------------------------------------------------------------------------------------------------


def test_a_writer_is_in_the_way_unless_it_is_forced(world):
    before, _ = changed(world)
    handle = world.call(world.open, b"src/a", os.O_RDWR)
    plan = world.plan(b"src", to="before")
    assert plan["busy"] == ["files/src/a"]
    with pytest.raises(Busy) as caught:
        world.execute(plan)
    assert caught.value.errno == errno.EBUSY and world.inside(b"src/a").read_bytes() == b"other"
    world.call(handle.write, 0, b"half ")
    plan = world.plan(b"src", to="before")
    world.execute(plan, force=True)
    assert world.tree_of(b"src") == before
    assert b"half " in world.versions(b"src/a"), "what was written until then is a version"
    world.call(handle.write, 0, b"later")
    assert world.inside(b"src/a").read_bytes() == before["a"][4], (
        "an open descriptor writes to what it opened"
    )
    world.call(world.finish, handle)


def test_an_open_descriptor_goes_on_reading_the_old_bytes(world):
    changed(world)
    handle = world.call(world.open, b"src/a", os.O_RDONLY)
    world.back(b"src", to="before")
    assert world.call(handle.read, 0, 100) == b"other"
    fresh = world.call(world.open, b"src/a", os.O_RDONLY)
    assert world.call(fresh.read, 0, 100) == b"src/a" * 3


def test_contents_that_nobody_has_refuse_the_whole(world):
    world.inside(b"src").mkdir()
    for name in (b"src/a", b"src/b"):
        world.inside(name).write_bytes(b"never captured")
    world.call(world.scanned)
    world.call(world.take, b"before")
    world.call(world.write, b"src/a", b"through the mount")
    world.inside(b"src/b").write_bytes(b"behind the mount, and nobody had the old bytes")
    with pytest.raises(Missing) as caught:
        world.plan(b"src", to="before")
    assert "src/b" in str(caught.value) and caught.value.errno == errno.ENODATA
    assert world.inside(b"src/a").read_bytes() == b"through the mount"


def test_what_was_not_captured_is_kept_before_it_is_replaced(world):
    furnish(world)
    world.call(world.take, b"before")
    world.inside(b"src/a").write_bytes(b"behind the mount")
    world.inside(b"src/large").write_bytes(random.Random(2).randbytes(900_000))
    world.inside(b"src/fresh").write_bytes(b"fresh, behind the mount")
    world.back(b"src", to="before")
    assert world.versions(b"src/a")[-2] == b"behind the mount"
    assert world.versions(b"src/large")[-2] == random.Random(2).randbytes(900_000)
    assert world.versions(b"src/fresh") == [b"fresh, behind the mount"]
    world.undo()
    assert world.inside(b"src/large").read_bytes() == random.Random(2).randbytes(900_000)
    assert world.inside(b"src/fresh").read_bytes() == b"fresh, behind the mount"


def at(world, where, do):
    """Do something just after a step; once."""

    def hook(what):
        if what.startswith(where):
            world.history.rollback.carry.hook = lambda what: None
            do()

    world.history.rollback.carry.hook = hook


def test_what_is_written_behind_the_mount_at_the_last_moment_is_a_version(world):
    before, _ = changed(world)
    plan = world.plan(b"src", to="before")
    at(world, "logged", lambda: world.inside(b"src/a").write_bytes(b"at the last moment"))
    world.execute(plan)
    world.call(world.scanned)
    assert world.tree_of(b"src") == before
    assert b"at the last moment" in world.versions(b"src/a")


def test_what_changes_while_it_is_staged_is_planned_anew(world):
    before, _ = changed(world)
    plan = world.plan(b"src", to="before")

    def late():
        world.inside(b"src/late").write_bytes(b"late")
        world.loop._token.run_sync_soon(world.follow.touched, b"src/late")

    at(world, "staged", late)
    world.execute(plan)
    assert world.tree_of(b"src") == before
    assert world.versions(b"src/late") == [b"late"]


def test_a_folder_that_has_become_a_symlink_leads_nowhere(world, tmp_path):
    changed(world)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "c").write_bytes(b"outside")

    def swap():
        shutil.rmtree(world.inside(b"src/moved"))
        os.symlink(outside, world.inside(b"src/moved"))
        os.rename(world.inside(b"src/deep"), world.inside(b"elsewhere"))
        os.symlink(outside, world.inside(b"src/deep"))

    plan = world.plan(b"src", to="before")
    at(world, "logged", swap)
    done = world.execute(plan)
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"c": b"outside"}
    assert b"src/deep/er/d" in done.left or b"src/deep/er" in done.left
    assert world.inside(b"src/a").read_bytes() == b"src/a" * 3


def test_something_new_in_a_folder_that_goes_keeps_it(world):
    changed(world)
    plan = world.plan(b"src", to="before")
    at(world, "logged", lambda: world.inside(b"src/newer/late").write_bytes(b"late"))
    done = world.execute(plan)
    assert world.inside(b"src/newer/late").read_bytes() == b"late" and b"src/newer" in done.left
    world.call(world.scanned)
    assert world.then(world.past.sequence()) == world.now()


@pytest.mark.parametrize("step", ["clear src/new", "place src/a", "place src/was/e", "dress src/b"])
def test_a_step_that_the_disk_refuses_takes_all_the_others_back(world, step):
    _, after = changed(world)

    def refuse(what):
        if what.startswith(step):
            raise PermissionError(errno.EPERM, "Operation not permitted")

    plan = world.plan(b"src", to="before")
    world.history.rollback.carry.hook = refuse
    with pytest.raises(Refused):
        world.execute(plan)
    world.history.rollback.carry.hook = lambda what: None
    assert world.tree_of(b"src") == after and not world.history.rollback.carry.pending
    world.call(world.scanned)
    assert world.then(world.past.sequence()) == world.now()
    assert not stages(world)


@root
def test_an_immutable_file_refuses_the_whole(world):
    _, after = changed(world)
    if os.system(f"chattr +i {world.inside(b'src/new')} 2>/dev/null"):
        pytest.skip("no immutable files here")
    try:
        with pytest.raises(Refused) as caught:
            world.back(b"src", to="before")
        assert "src/new" in str(caught.value) and world.tree_of(b"src") == after
    finally:
        os.system(f"chattr -i {world.inside(b'src/new')}")


# Hard links ---------------------------------------------------------------------------------------------------------------


def test_hard_links_come_back_as_links_and_those_outside_keep_what_they_have(world):
    world.call(world.mkdir, b"src")
    world.call(world.write, b"src/a", b"shared")
    world.call(world.link, b"src/a", b"src/b")
    world.call(world.take, b"before")
    for name in (b"src/a", b"src/b"):
        world.call(world.unlink, name)
        world.call(world.write, name, b"apart")
    world.call(world.link, b"src/a", b"outside")
    world.back(b"src", to="before")
    assert world.inside(b"src/a").read_bytes() == b"shared"
    assert os.path.samefile(world.inside(b"src/a"), world.inside(b"src/b"))
    assert world.inside(b"outside").read_bytes() == b"apart"


def test_the_rights_of_another_name_outside_are_not_changed(world):
    world.call(world.mkdir, b"src")
    world.call(world.write, b"src/a", b"shared")
    world.call(world.take, b"before")
    world.call(world.chmod, b"src/a", 0o600)
    world.call(world.link, b"src/a", b"outside")
    world.back(b"src", to="before")
    assert stat.S_IMODE(os.stat(world.inside(b"src/a")).st_mode) == 0o644
    assert stat.S_IMODE(os.stat(world.inside(b"outside")).st_mode) == 0o600


# Kills --------------------------------------------------------------------------------------------------------------------


def killed(folder, number):
    """Roll src back in another process, which is killed after the n-th step; False when it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            world = Rolling(folder)
            world.start()
            left = [number]

            def hook(what):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            world.history.rollback.carry.hook = hook
            world.back(b"src", to="before")
            os._exit(0)
        except BaseException as error:
            print(f"{error!r}", file=sys.stderr)
            os._exit(3)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def test_a_kill_at_any_step_leaves_all_of_it_or_nothing(tmp_path):
    (tmp_path / "first").mkdir()
    with Rolling(tmp_path / "first") as world:
        before, after = changed(world)
    shutil.copytree(tmp_path / "first", tmp_path / "kept", symlinks=True)
    said = set()
    for number in range(100):
        place = tmp_path / "place"
        os.system(f"rm -rf '{place}' && cp -a '{tmp_path}/first' '{place}'")
        again = killed(place, number)
        with Rolling(place) as world:
            now = world.tree_of(b"src")
            assert now in (before, after), number
            said.add(now == before)
            assert not world.history.rollback.carry.pending
            world.call(world.scanned)
            assert world.then(world.past.sequence()) == world.now(), number
            assert not stages(world), number
            world.verify()
            assert world.versions(b"src/a")[:2] == [b"src/a" * 3, b"other"]
            assert world.versions(b"src/new") == [b"new"]
            if now == before and again:
                world.undo()
                assert world.tree_of(b"src") == after
        if not again:
            break
    assert not again and said == {True, False} and number > 20


def stages(world):
    """What is left in held/ of rollbacks, once all that it holds is in the store."""
    world.captured()
    held = world.history.held.folder
    return [name for name in os.listdir(held) if name.startswith("stage")] if held.exists() else []


# Undelete -------------------------------------------------------------------------------------------------------------------


def test_a_removed_file_comes_back_whole(world):
    furnish(world)
    was = seen(world.inside(b"src/b"))
    world.call(world.unlink, b"src/b")
    world.call(world.settled)
    assert world.undelete(b"src/b") == 1
    assert seen(world.inside(b"src/b")) == was
    with pytest.raises(NotFound):
        world.history.removed_at(b"src/b")
    world.call(world.scanned)
    assert world.then(world.past.sequence()) == world.now()


def test_it_comes_back_under_another_name_and_replaces_nothing(world):
    furnish(world)
    world.call(world.unlink, b"src/b")
    world.call(world.settled)
    with pytest.raises(Exists):
        world.undelete(b"src/b", b"src/a")
    world.undelete(b"src/b", b"out/b")
    assert world.inside(b"out/b").read_bytes() == b"src/b" * 3 and not world.inside(b"src/b").exists()


def test_something_that_came_behind_the_mount_is_not_replaced(world):
    furnish(world)
    world.call(world.unlink, b"src/b")
    world.call(world.settled)
    at(world, "logged", lambda: world.inside(b"src/b").write_bytes(b"mine"))
    with pytest.raises(Exists):
        world.undelete(b"src/b")
    assert world.inside(b"src/b").read_bytes() == b"mine" and not world.history.rollback.carry.pending


def test_a_folder_comes_back_with_all_that_went_with_it(world):
    furnish(world)
    was = world.tree_of(b"src")
    world.call(world.unlink, b"src/a")
    world.call(world.settled)
    del was["a"]
    world.call(world.later, 100)
    shift(world, 100)
    for path in (
        b"src/b",
        b"src/deep/c",
        b"src/deep/er/d",
        b"src/was/e",
        b"src/empty",
        b"src/large",
        b"src/link",
        b"src/pipe",
    ):
        world.call(world.unlink, path)
        if path == b"src/deep/c":
            world.call(world.settled)  # a long rm -r takes several commits
    for path in (b"src/deep/er", b"src/deep", b"src/was", b"src"):
        world.call(world.rmdir, path)
    world.call(world.settled)
    world.undelete(b"src", b"src2")
    assert world.tree_of(b"src2") == was


def shift(world, seconds):
    """All that happened so far happened that much earlier."""
    world.state.database.execute("update moment set at = at - ?", (seconds,))


def test_the_folder_that_it_was_in_comes_back_with_it(world):
    furnish(world)
    shutil.rmtree(world.inside(b"src"))
    world.call(world.scanned)
    world.undelete(b"src/deep/c")
    assert set(world.tree_of(b"src")) == {"deep", "deep/c"}
    with pytest.raises(NotFound):
        world.undelete(b"src/was/e", b"nowhere/e")


# Rights ---------------------------------------------------------------------------------------------------------------------


def entry(path, mode=0o100644, uid=1000, gid=1000, **more):
    parent, _, name = path.rpartition(b"/")
    plain = Entry(1, parent, name, mode, uid, gid, 1, 1, 1, 1, None, None, 1, None, 1, 1, None, 0)
    return plain._replace(**more)


class Rows:
    """A past that is a dict."""

    def __init__(self, folder, rows):
        self.root_fd = os.open(folder, os.O_PATH)
        self.rows = {row.path: row for row in rows}

    def entry(self, path, sequence):
        return self.rows.get(path)


@pytest.fixture
def rows(tmp_path):
    os.chmod(tmp_path, 0o755)
    return lambda *rows: Rows(tmp_path, rows)


JANE = Viewer(1000, 1000, frozenset({50}))


def folder(path, mode=0o755, **more):
    return entry(path, 0o040000 | mode, **more)


def check(past, *changes, viewer=JANE, then=lambda row: True):
    return Rights(past, 1, viewer, then).check(changes)


def change(kind, path, old=None, new=None):
    return Change(path, kind, old, new)


def test_whoever_may_write_the_folder_may_put_back_what_is_readable_and_it_becomes_his(rows):
    past = rows(folder(b"d"))
    new = entry(b"d/a", 0o104755, uid=7, gid=8, id=2)
    (found,) = check(past, change("restore", b"d/a", entry(b"d/a"), new))
    assert (found.new.uid, found.new.gid, found.new.mode) == (1000, 1000, 0o100755)
    for kind, old in (("restore", entry(b"d/a", 0o100600, uid=7)), ("create", None)):
        with pytest.raises(Denied):
            check(past, change(kind, b"d/a", old, new), then=lambda row, old=old: old is not None)


@pytest.mark.parametrize("mode", [0o555, 0o666])
def test_a_folder_that_may_not_be_written_or_passed_refuses(rows, mode):
    past = rows(folder(b"d", mode))
    with pytest.raises(Denied) as caught:
        check(past, change("remove", b"d/a", entry(b"d/a")))
    assert "d/a" in str(caught.value) and caught.value.errno == errno.EACCES


def test_a_folder_above_that_may_not_be_passed_refuses(rows):
    past = rows(folder(b"d", 0o700, uid=7), folder(b"d/e"))
    with pytest.raises(Denied):
        check(past, change("remove", b"d/e/a", entry(b"d/e/a")))


def test_a_sticky_folder_lets_only_owners_replace(rows):
    past = rows(folder(b"d", 0o1777, uid=7))
    with pytest.raises(NotPermitted):
        check(past, change("remove", b"d/a", entry(b"d/a", uid=8)))
    assert check(past, change("remove", b"d/a", entry(b"d/a", uid=1000)))
    assert check(past, change("create", b"d/b", None, entry(b"d/b", uid=8)))


def test_attributes_are_their_owners(rows):
    past = rows(folder(b"d"), folder(b"d/e", uid=7))
    mine, other = entry(b"d/a"), entry(b"d/a", 0o100600)
    assert check(past, change("attributes", b"d/a", mine, other))[0].kind == "attributes"
    (found,) = check(past, change("attributes", b"d/a", mine._replace(uid=7), other))
    assert found.kind == "restore" and found.new.uid == 1000
    with pytest.raises(NotPermitted):
        check(past, change("attributes", b"d/e", folder(b"d/e", uid=7), folder(b"d/e", 0o700, uid=7)))
    assert not check(past, change("attributes", b"d/a", mine, mine._replace(uid=7, id=2))), (
        "an owner is nobody's to give away"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="the owner of a mount may all where the daemon is root")
def test_root_may_all(rows):
    past = rows(folder(b"d", 0))
    some = change("restore", b"d/a", entry(b"d/a", 0o100000), entry(b"d/a", uid=7))
    assert check(past, some, viewer=Viewer(0, 0), then=lambda row: False) == (some,)


def test_an_access_list_counts(rows):
    import msgpack

    value = acl((1, 6, EVERY), (2, 4, 1000), (4, 0, EVERY), (16, 7, EVERY), (32, 0, EVERY))
    row = entry(b"a", 0o100670, uid=7, gid=7, xattrs=msgpack.packb({"system.posix_acl_access": value}))
    assert grants(row, JANE, 4) and not grants(row, JANE, 2) and not grants(row, Viewer(1001, 1001), 4)


# The plan -------------------------------------------------------------------------------------------------------------------


def test_a_plan_compares_what_users_see_and_nothing_else():
    now = entry(b"a")
    same = [now._replace(id=2, ino=9, ctime_ns=9, content=9, source=3, indexed=0)]
    assert compare([(b"a", new, now) for new in same], lambda one, other: True) == ()
    for field, value in (("mode", 0o100600), ("uid", 1), ("gid", 1), ("mtime_ns", 2), ("xattrs", b"x")):
        (found,) = compare([(b"a", now._replace(id=2, **{field: value}), now)], lambda one, other: True)
        assert found.kind == "attributes"
    (found,) = compare([(b"a", now._replace(id=2), now)], lambda one, other: False)
    assert found.kind == "restore" and found.size == 1


def test_a_plan_is_sorted_so_that_folders_come_before_what_is_in_them():
    pairs = [(path, folder(path), None) for path in (b"a/b", b"a-b", b"a", b"a/b/c", b"a.b")]
    assert [one.path for one in compare(pairs, lambda one, other: True)] == [
        b"a",
        b"a/b",
        b"a/b/c",
        b"a-b",
        b"a.b",
    ]


def test_redo_rows_say_what_they_were_told(world):
    step = redo.Step(3, "restore", b"a/\xff", 77, entry(b"a/\xff"), entry(b"a/\xff", target=b"\xfe", died=9))
    task = redo.Task(b"a", "stage-1", {"scope": b"a", "before": 3, "what": "x"}, (step,))
    with world.catalogue.transaction():
        redo.write(world.state.database, task)
    assert redo.read(world.state.database) == task
    with world.catalogue.transaction():
        redo.done(world.state.database, task.note)
    assert redo.read(world.state.database) is None and redo.last(world.state.database) == task.note
