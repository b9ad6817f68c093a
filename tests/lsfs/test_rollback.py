"""Rollback, undo and undelete: all of it or nothing, nothing outside, nothing lost."""

import errno
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import stat
import sys
import threading
import time

import pytest
import trio
from history_tree import World
from mounted_helpers import EVERY, acl

from lsfs.history import redo
from lsfs.history.act import Act
from lsfs.history.allowed import Denied, Rights, grants
from lsfs.history.back import Hidden
from lsfs.history.carry import Busy, Refused, Unnoted
from lsfs.history.contents import Missing
from lsfs.history.entries import Entry
from lsfs.history.plan import Change, compare
from lsfs.history.stage import Stage
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
    plan = world.call(world.history.rollback.undo, ME)
    assert plan["redo"] and plan["to"] == "after the rollback to before"
    world.undo()
    assert world.tree_of(b"src") == before
    plan = world.call(world.history.rollback.undo, ME)
    assert not plan["redo"] and plan["to"] == "before the rollback to before"


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
    plan = world.plan(b"plan.md", version=-3)  # which is v3 again
    assert plan["to"] == "3 versions ago" and not plan["changes"]
    assert [world.plan(b"plan.md", version=one)["to"] for one in (-1, 2)] == ["1 version ago", "v2"]
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


def test_what_comes_while_it_is_staged_makes_the_plan_void_where_it_would_be_another_one(world):
    _, after = changed(world)
    plan = world.plan(b"src", to="before")

    def late():
        world.inside(b"src/late").write_bytes(b"late")
        world.loop._token.run_sync_soon(world.follow.touched, b"src/late")

    at(world, "staged", late)
    with pytest.raises(InvalidArgument) as caught:
        world.execute(plan)
    assert "void" in str(caught.value)
    assert (
        world.inside(b"src/late").read_bytes() == b"late" and world.inside(b"src/a").read_bytes() == b"other"
    )
    assert world.tree_of(b"src").keys() == after.keys() | {"late"}


def test_what_is_written_while_it_is_staged_is_planned_anew_where_the_plan_says_the_same(world):
    before, _ = changed(world)
    plan = world.plan(b"src", to="before")

    def late():
        world.inside(b"src/a").write_bytes(b"late")
        world.loop._token.run_sync_soon(world.follow.touched, b"src/a")

    at(world, "staged", late)
    world.execute(plan)
    assert world.tree_of(b"src") == before
    assert b"late" in world.versions(b"src/a")


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


def refused_after(world, step, do):
    """Something happens behind the mount after a step, and then the disk refuses; the sentence."""

    def hook(what):
        if what.startswith(step):
            do()
            raise PermissionError(errno.EPERM, "Operation not permitted")

    plan = world.plan(b"src", to="before")
    world.history.rollback.carry.hook = hook
    with pytest.raises(Refused) as caught:
        world.execute(plan)
    world.history.rollback.carry.hook = lambda what: None
    assert not world.history.rollback.carry.pending
    return str(caught.value)


def test_what_a_refused_rollback_cannot_put_back_is_a_version_and_named(world):
    changed(world)
    said = refused_after(world, "place src/a", lambda: world.inside(b"src/new").write_bytes(b"mine"))
    assert "src/new" in said and "lsfs log" in said
    assert (
        world.inside(b"src/new").read_bytes() == b"mine" and world.inside(b"src/a").read_bytes() == b"other"
    )
    world.call(world.scanned)
    assert world.versions(b"src/new") == [b"new", b"mine"]
    assert not stages(world)


@pytest.mark.parametrize("how", ["replaced", "removed", "written"])
def test_what_happens_to_what_was_placed_before_it_is_taken_back_is_not_lost(world, how):
    _, after = changed(world)
    path = world.inside(b"src/a")

    def meanwhile():
        if how == "replaced":
            (world.folder / "mine").write_bytes(b"mine")
            os.replace(world.folder / "mine", path)
        elif how == "removed":
            path.unlink()
        else:
            path.write_bytes(b"mine, too")

    said = refused_after(world, "dress src/b", meanwhile)
    world.call(world.scanned)
    if how == "replaced":
        assert "src/a" in said and path.read_bytes() == b"mine"
        assert b"other" in world.versions(b"src/a")
    else:
        assert world.tree_of(b"src") == after
    if how == "written":
        assert b"mine, too" in world.versions(b"src/a")
    assert not stages(world)


def test_a_stage_that_cannot_be_removed_ends_nothing_and_is_removed_later(world, monkeypatch):
    before, after = changed(world)
    with monkeypatch.context() as patch:
        patch.setattr(Stage, "close", refuse)
        world.back(b"src", to="before")
        world.undo()
    assert world.tree_of(b"src") == after
    world.undo()
    assert world.tree_of(b"src") == before
    assert eventually(lambda: not stages(world))  # whoever asked is told before what is left is removed


def eventually(look, patience=60.0):
    """Whether something comes to be so, in threads that nobody waits for."""
    end = time.monotonic() + patience
    while not look() and time.monotonic() < end:
        threading.Event().wait(0.01)
    return look()


def refuse(*arguments, **more):
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("number", [0, 1, 9])
def test_a_mount_is_not_refused_because_a_stage_cannot_be_removed(tmp_path, monkeypatch, number):
    place, _, _ = cut_off(tmp_path, number)
    with monkeypatch.context() as patch:
        patch.setattr(Stage, "close", refuse)
        with Rolling(place) as world:
            assert not world.history.rollback.carry.pending
    with Rolling(place) as world:
        assert not stages(world)


def test_a_rollback_that_history_cannot_note_is_told_to_the_kernel_and_to_the_caller(world, monkeypatch):
    before, after = changed(world)
    carry, told = world.history.rollback.carry, []
    monkeypatch.setattr("lsfs.history.carry.PAUSES", (0,))
    carry.stale = told.append

    def full(*arguments):
        raise sqlite3.OperationalError("database or disk is full")

    plan = world.plan(b"src", to="before")
    carry._finish = full
    with pytest.raises(Unnoted) as caught:
        world.execute(plan)
    assert "are rolled back" in str(caught.value) and "mount again" in carry.trouble
    assert world.tree_of(b"src") == before and b"src/a" in told and b"src/new" in told
    with pytest.raises(Refused):
        world.plan(b"src", to="before")
    world.crash()
    world.start()
    assert not world.history.rollback.carry.pending and not world.history.rollback.carry.trouble
    assert world.tree_of(b"src") == before
    world.call(world.scanned)
    assert world.then(world.past.sequence()) == world.now()
    world.undo()
    assert world.tree_of(b"src") == after


def test_what_a_failed_commit_would_have_made_superfluous_stays(world, monkeypatch):
    changed(world)
    monkeypatch.setattr("lsfs.history.carry.PAUSES", ())
    done = redo.done

    def full(*arguments):
        raise sqlite3.OperationalError("database or disk is full")

    plan = world.plan(b"src", to="before")
    monkeypatch.setattr(redo, "done", full)
    with pytest.raises(Unnoted):
        world.execute(plan)
    monkeypatch.setattr(redo, "done", done)
    world.call(world.settled)
    world.call(world.write, b"top", b"another commit")
    world.call(world.settled)
    world.crash()
    world.start()
    assert b"other" in world.versions(b"src/a") and world.versions(b"src/new") == [b"new"]


def test_a_folder_that_cannot_be_removed_is_found_out_before_anything_is_done(world):
    _, after = changed(world)
    (world.inside(b"src/newer") / ".lsfs").mkdir()
    with pytest.raises(Hidden) as caught:
        world.plan(b"src", to="before")
    assert "src/newer" in str(caught.value) and ".lsfs" in str(caught.value)
    (world.inside(b"src/newer") / ".lsfs").rmdir()
    assert world.tree_of(b"src") == after


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


def killed(folder, number, do=lambda world: world.back(b"src", to="before")):
    """Roll src back in another process, which is killed after the n-th step; False when it came to its end."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # where the fork itself hangs
        try:
            world = Rolling(folder)
            world.start()
            left = [number]

            def hook(what):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            world.history.rollback.carry.hook = hook
            do(world)
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


def cut_off(tmp_path, number):
    """A world of which a rollback was killed after the n-th step: its folder, what src was, what it is to be."""
    place = tmp_path / "place"
    place.mkdir()
    with Rolling(place) as world:
        before, after = changed(world)
    assert killed(place, number)
    return place, before, after


@pytest.mark.parametrize("number", [1, 4, 9, 14, 22])
def test_what_the_disk_refuses_to_complete_after_a_kill_is_taken_back(tmp_path, monkeypatch, number):
    place, before, after = cut_off(tmp_path, number)

    def refuse_dress(act, at, name, step):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(Act, "_dress", refuse_dress)
        with Rolling(place) as world:
            carry = world.history.rollback.carry
            assert world.tree_of(b"src") == after
            assert not carry.pending and "taken back" in carry.trouble
            world.call(world.scanned)
            assert world.then(world.past.sequence()) == world.now()
            assert not stages(world)
    with Rolling(place) as world:
        assert world.tree_of(b"src") == after and not world.history.rollback.carry.trouble
        world.verify()


def test_what_was_edited_since_a_kill_is_left_alone_and_said(tmp_path):
    place, before, _ = cut_off(tmp_path, 1)
    (place / "mine").write_bytes(b"mine")
    os.replace(place / "mine", place / "src/a")
    (place / "src/new").write_bytes(b"mine, too")
    (place / "src/pipe").write_bytes(b"a file now")
    with Rolling(place) as world:
        carry, found = world.history.rollback.carry, world.tree_of(b"src")
        assert (found["a"][4], found["new"][4], found["pipe"][4]) == (b"mine", b"mine, too", b"a file now")
        assert all(name in carry.trouble for name in ("src/a", "src/new", "src/pipe"))
        kept = {"a", "new", "pipe"}
        assert {name: one for name, one in found.items() if name not in kept} == {
            name: one for name, one in before.items() if name not in kept
        }
        world.call(world.scanned)
        assert world.then(world.past.sequence()) == world.now()
        world.verify()


def test_an_undelete_that_was_cut_off_replaces_nothing(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    with Rolling(place) as world:
        furnish(world)
        world.call(world.unlink, b"src/b")
        world.call(world.settled)
    assert killed(place, 1, lambda world: world.undelete(b"src/b"))
    (place / "src/b").write_bytes(b"mine")
    with Rolling(place) as world:
        assert world.inside(b"src/b").read_bytes() == b"mine"
        assert not world.history.rollback.carry.pending and not stages(world)


@pytest.mark.parametrize("number", range(12))
def test_an_undelete_that_was_cut_off_is_completed(tmp_path, number):
    place = tmp_path / "place"
    place.mkdir()
    with Rolling(place) as world:
        furnish(world)
        was = world.tree_of(b"src/deep")
        shutil.rmtree(world.inside(b"src/deep"))
        world.call(world.scanned)
    killed(place, number, lambda world: world.undelete(b"src/deep"))
    with Rolling(place) as world:
        assert not world.history.rollback.carry.trouble
        if number:
            assert world.tree_of(b"src/deep") == was
        assert not stages(world)


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


def test_what_comes_back_under_another_name_has_its_older_versions(world):
    furnish(world)
    world.call(world.write, b"src/a", b"newer")
    world.call(world.settled)
    world.call(world.unlink, b"src/a")
    world.call(world.settled)
    world.undelete(b"src/a", b"out/again")
    assert world.versions(b"out/again") == [b"src/a" * 3, b"newer"]
    world.call(world.scanned)
    world.verify()


def test_an_undelete_does_not_wait_long_for_a_rollback(world):
    furnish(world)
    world.call(world.unlink, b"src/b")
    world.call(world.settled)
    row, said = world.history.removed_at(b"src/b"), []

    async def ask():
        with pytest.raises(Busy) as caught:
            await world.history.undelete(row, b"src/b", ME)
        said.append(str(caught.value))

    async def meanwhile():
        async with world.history.rollback._lock, trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            await world.later(4)

    world.call(meanwhile)
    assert "under way" in said[0]
    world.undelete(b"src/b")


# Others -----------------------------------------------------------------------------------------------------------------------

NOBODY = Viewer(65534, 65534)


@pytest.fixture
def shared(world):
    """A folder for everybody, and one for nobody else."""
    os.chmod(world.folder, 0o755)
    for path, mode in ((b"open", 0o777), (b"closed", 0o700), (b"public", 0o755)):
        world.call(world.mkdir, path)
        os.chmod(world.inside(path), mode)
    for path in (b"open/a", b"closed/f", b"closed/in/deep", b"public/p"):
        world.inside(path).parent.mkdir(exist_ok=True)
        world.call(world.write, path, path)
    world.call(world.symlink, b"closed/link", b"/secret")
    world.call(world.scanned)
    world.call(world.take, b"before")
    return world


def undelete_as(world, path, target, viewer=NOBODY):
    return world.call(world.history.undelete, world.history.removed_at(path), target, viewer)


@root
@pytest.mark.parametrize("path", [b"closed/f", b"closed/in", b"closed/link"])
@pytest.mark.parametrize("whole", [False, True])
def test_nobody_undeletes_what_lay_in_a_closed_folder_of_whatever_type(shared, path, whole):
    os.system(f"rm -r '{os.fsdecode(shared.inside(b'closed' if whole else path))}'")
    shared.call(shared.scanned)
    with pytest.raises(Denied):
        undelete_as(shared, path, b"open/mine")
    assert path in shared.removed() and not os.path.lexists(shared.inside(b"open/mine"))
    with pytest.raises(NotFound) as caught:
        shared.history.removed_at(path, viewer=NOBODY)
    with pytest.raises(NotFound) as never:
        shared.history.removed_at(b"closed/never", viewer=NOBODY)
    assert str(caught.value) == str(never.value).replace("closed/never", os.fsdecode(path))


@root
def test_nobody_undeletes_what_was_readable_then_and_is_in_a_closed_folder_now(shared):
    shared.call(shared.unlink, b"public/p")
    os.chmod(shared.inside(b"public"), 0o700)
    shared.call(shared.scanned)
    with pytest.raises(Denied):
        undelete_as(shared, b"public/p", b"open/mine")
    os.chmod(shared.inside(b"public"), 0o755)
    shared.call(shared.scanned)
    undelete_as(shared, b"public/p", b"open/mine")
    assert os.stat(shared.inside(b"open/mine")).st_uid == 65534
    assert b"public/p" in shared.removed(), "whoever may not write the folder takes nothing out of its trash"
    undelete_as(shared, b"public/p", b"public/p", ME)
    assert b"public/p" not in shared.removed()


@root
def test_whoever_may_write_the_folder_takes_what_he_restores_out_of_the_trash(shared):
    shared.call(shared.unlink, b"open/a")
    shared.call(shared.settled)
    undelete_as(shared, b"open/a", b"open/b")
    assert b"open/a" not in shared.removed()


@root
def test_a_refusal_names_what_was_asked_for_and_nothing_that_is_hidden(shared):
    said = []
    for path in (b"closed/f", b"closed/never", b"closed/in/deep", b"closed/f/x"):
        for how in ({"to": "before"}, {"version": 1}):
            with pytest.raises(Denied) as caught:
                shared.plan(path, NOBODY, **how)
            said.append(str(caught.value).replace(os.fsdecode(path), "PATH"))
    assert len(set(said)) == 1
    shared.call(shared.write, b"closed/in/deep", b"other")
    with pytest.raises(Denied) as caught:
        shared.plan(b"", NOBODY, to="before")
    assert (
        "closed" in str(caught.value) and "in/" not in str(caught.value) and "deep" not in str(caught.value)
    )
    with pytest.raises(Denied) as caught:
        shared.plan(b"closed", NOBODY, to="before")
    assert "in" not in str(caught.value).split("; ")[0].split()
    with pytest.raises(Denied) as caught:
        undelete_as_target(shared, b"closed/f")
    assert "closed/f" in str(caught.value) and "something" not in str(caught.value)


def undelete_as_target(world, target):
    world.call(world.unlink, b"open/a")
    world.call(world.settled)
    undelete_as(world, b"open/a", target)


@root
def test_what_others_write_is_told_to_those_who_may_read_it(shared):
    shared.call(shared.write, b"open/secret", b"secret", 0o600)
    shared.call(shared.scanned)
    shared.call(shared.take, b"later")
    shared.call(shared.write, b"open/a", b"other")
    handle = shared.call(shared.open, b"open/secret", os.O_RDWR)
    assert shared.plan(b"open", to="later")["busy"] == ["files/open/secret"]
    plan = shared.plan(b"open", NOBODY, to="later")
    assert plan["busy"] == [] and plan["token"]
    with pytest.raises(Busy) as caught:
        shared.execute(plan, NOBODY)
    assert "secret" not in str(caught.value)
    shared.call(shared.finish, handle)


@root
def test_the_plans_of_one_user_throw_out_none_of_another(shared):
    shared.call(shared.write, b"open/a", b"other")
    plan = shared.plan(b"open", to="before")
    with pytest.raises(InvalidArgument):
        shared.execute(plan, NOBODY)
    for _ in range(110):
        last = shared.plan(b"open", NOBODY, to="before")
    assert len(shared.history.rollback._asked) < 50
    shared.execute(plan)
    with pytest.raises(InvalidArgument):
        shared.execute(last, NOBODY)


@root
def test_an_undo_takes_back_what_the_same_user_did(shared):
    for path in (b"open/a", b"public/p"):
        shared.call(shared.write, path, b"other")
    shared.back(b"public", to="before")
    with pytest.raises(NotFound):
        shared.call(shared.history.rollback.undo, NOBODY)
    shared.execute(shared.plan(b"open", NOBODY, to="before"), NOBODY)
    assert shared.call(shared.history.rollback.undo, ME)["path"] == "files/public"
    assert shared.call(shared.history.rollback.undo, NOBODY)["path"] == "files/open"
    shared.undo()
    assert (
        shared.inside(b"public/p").read_bytes() == b"other"
        and shared.inside(b"open/a").read_bytes() == b"open/a"
    )


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
