"""What calls change in the folder: with history behind it, all of it or nothing, with the rights of who asks, and undone by `undo`."""

import errno
import os
import shutil
import signal
import stat
import sys
import threading
import time

import pytest
import trio
from editing_world import ME, Editing
from mounted_helpers import EVERY, acl

from lsfs.editing.inherited import rights_of
from lsfs.editing.names import resolved
from lsfs.history.entries import Entry
from lsfs.history.history import Unwritable
from lsfs.history.readable import Readable
from lsfs.locks import Locks
from mounts import files_linux as linux
from syscalls.errors import (
    Busy,
    Denied,
    InvalidArgument,
    LsfsError,
    NotFound,
    NotPermitted,
    ReadOnly,
    TryAgain,
)
from syscalls.values import Edit, Lock, Viewer

root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
NOBODY = Viewer(65534, 65534)


@pytest.fixture
def world(tmp_path):
    (tmp_path / "folder").mkdir()
    with Editing(tmp_path / "folder") as made:
        yield made


def names(world):
    return sorted(name for name in os.listdir(world.folder) if name != ".lsfs")


# History ----------------------------------------------------------------------------------------------------------------------


def test_what_is_made_and_replaced_are_versions_that_are_kept_at_once(world):
    world.made(b"a", b"one")
    world.change(Edit(b"a", "replace", b"two"))
    world.change(Edit(b"a", "write", b"three"))
    assert world.versions(b"a") == [b"one", b"two", b"three"]
    row = world.past.entry(b"a", world.past.sequence())
    assert world.past.digest(row.content) is not None
    assert world.then(world.past.sequence()) == world.now()
    world.verify()


def test_much_that_is_new_is_captured_soon(world):
    data = os.urandom(9 << 20)
    world.made(b"large", data)
    world.captured()
    row = world.past.entry(b"large", world.past.sequence())
    assert world.past.digest(row.content) is not None and world.versions(b"large") == [data]


def test_what_came_behind_the_mount_is_a_version_before_it_is_replaced(world):
    world.made(b"a", b"one")
    (world.folder / "a").write_bytes(b"behind")
    (world.folder / "b").write_bytes(b"there")
    world.change(Edit(b"a", "replace", b"two"), Edit(b"b", "replace", b"too"))
    assert world.versions(b"a")[-2:] == [b"behind", b"two"] and world.versions(b"b") == [b"there", b"too"]


def test_what_is_removed_is_in_the_trash_with_all_that_was_in_it(world):
    world.change(Edit(b"d", "folder"), Edit(b"d/e", "folder"), Edit(b"d/e/a", "create", b"a"))
    (world.folder / "d/behind").write_bytes(b"behind")
    world.change(Edit(b"d", "remove"))
    assert names(world) == []
    assert set(world.removed()) == {b"d", b"d/e", b"d/e/a", b"d/behind"}
    row = world.history.removed_at(b"d")
    assert world.call(world.history.undelete, row, b"d", ME) == 4
    assert (world.folder / "d/e/a").read_bytes() == b"a" and (
        world.folder / "d/behind"
    ).read_bytes() == b"behind"


def test_an_undo_takes_back_what_the_call_did_and_nothing_else(world):
    world.change(Edit(b"a", "create", b"a"), Edit(b"b", "create", b"b"), Edit(b"d", "folder"))
    world.change(Edit(b"a", "replace", b"A"), Edit(b"d/c", "create", b"c"))
    world.call(world.write, b"b", b"later")
    world.call(world.write, b"d/later", b"later")
    plan = world.take_back()
    assert {change["path"]: change["what"] for change in plan["changes"]} == {
        "files/a": "restore",
        "files/d/c": "remove",
    }
    assert plan["to"] == "before a change"
    assert (world.folder / "a").read_bytes() == b"a" and names(world) == ["a", "b", "d"]
    assert (world.folder / "b").read_bytes() == b"later" and os.listdir(world.folder / "d") == ["later"]
    again = world.take_back()
    assert again["to"] == "after a change"
    assert (world.folder / "a").read_bytes() == b"A" and (world.folder / "d/c").read_bytes() == b"c"
    assert world.take_back()["to"] == "before a change"


def adopt(world, path, viewer=ME):
    async def act():
        await world.editing.adopt(f"create {os.fsdecode(path)}", path, viewer)

    world.call(act)


def test_what_was_brought_by_plain_files_is_what_undo_takes_back(world):
    world.made(b"a", b"one")
    world.call(world.write, b".bring-1", b"from outside")
    os.rename(world.folder / ".bring-1", world.folder / "b")
    os.chmod(world.folder / "b", 0o600)
    adopt(world, b"b")
    plan = world.take_back()
    assert [(one["what"], one["path"]) for one in plan["changes"]] == [("remove", "files/b")]
    assert (plan["to"], plan["redo"]) == ("before create b", False) and names(world) == ["a"]
    again = world.take_back()
    assert (again["to"], again["redo"]) == ("after create b", True)
    assert (world.folder / "b").read_bytes() == b"from outside"
    assert world.take_back()["redo"] is False


def test_a_folder_that_was_brought_goes_with_all_that_came_with_it(world):
    (world.folder / "d/e").mkdir(parents=True)
    (world.folder / "d/e/f").write_text("f")
    adopt(world, b"d")
    assert len(world.take_back()["changes"]) == 3 and names(world) == []
    world.take_back()
    assert (world.folder / "d/e/f").read_text() == "f"


def test_only_what_is_there_can_be_adopted(world):
    for path, error in ((b"gone", NotFound), (b".lsfs", NotPermitted)):
        with pytest.raises(error):
            adopt(world, path)


@root
def test_what_is_another_users_is_not_adopted(world):
    world.made(b"a", b"one")
    os.chmod(world.folder / "a", 0o644)
    with pytest.raises(Denied):
        adopt(world, b"a", NOBODY)
    with pytest.raises(NotFound):
        world.call(world.history.rollback.undo, NOBODY)


def test_an_undo_brings_back_a_folder_that_went(world):
    world.change(
        Edit(b"d", "folder"),
        Edit(b"d/e", "folder"),
        Edit(b"d/e/a", "create", b"a"),
        Edit(b"x", "create", b"x"),
    )
    before = world.now()
    world.change(Edit(b"d/e", "remove"), Edit(b"x", "remove"))
    world.call(world.rmdir, b"d")
    world.take_back()
    assert world.now() == before


def test_an_append_is_a_version_and_is_undone(world):
    world.made(b"a", b"one\n")

    async def append():
        await world.editing.append(b"a", b"two\n", ME)

    world.call(append)
    assert world.versions(b"a") == [b"one\n", b"one\ntwo\n"]
    world.take_back()
    assert (world.folder / "a").read_bytes() == b"one\n"


def test_an_undo_of_one_append_of_many_takes_back_that_one(tmp_path):
    """However often a file is written within a minute: who undoes one of them does not ask for the twenty before it."""
    (tmp_path / "folder").mkdir()
    with Editing(tmp_path / "folder", pace=3) as world:
        world.made(b"a", b"")
        for number in range(8):

            async def append(number=number):
                await world.editing.append(b"a", b"%d" % number, ME)

            world.call(append)
        world.take_back()
        assert (world.folder / "a").read_bytes() == b"0123456"


def test_an_append_that_history_cannot_note_is_done_all_the_same(world):
    """Nobody is to do it again because of an error."""
    world.made(b"a", b"one")
    settled = world.history.settled
    asked = []

    async def full(*arguments):
        asked.append(1)
        if len(asked) > 1:
            raise Unwritable("History cannot be written.")
        return await settled(*arguments)

    world.history.settled = full

    async def append():
        await world.editing.append(b"a", b"two", ME)

    world.call(append)
    assert len(asked) == 2 and (world.folder / "a").read_bytes() == b"onetwo"


def test_the_time_of_a_folder_is_no_state_and_leaves_undo_as_it_was(world):
    world.change(Edit(b"a", "create", b"a"), Edit(b"d", "folder"))
    world.change(Edit(b"a", "remove"), what="delete a")

    async def touch():
        await world.editing.touch(b"d", ME, 10**18)

    world.call(touch)
    assert os.stat(world.folder / "d").st_mtime == 10**9
    assert world.take_back()["to"] == "before delete a"
    assert names(world) == ["a", "d"]


def test_what_the_disk_forbids_is_not_permitted(world):
    world.made(b"a", b"a")
    if os.system(f"chattr +a {world.folder}/a 2>/dev/null"):
        pytest.skip("no files here to which is only appended")
    try:
        for kind in ("replace", "remove"):
            with pytest.raises(LsfsError) as caught:
                world.change(
                    Edit(b"a", kind, b"b" if kind == "replace" else None), Edit(b"b", "create", b"b")
                )
            assert caught.value.errno == errno.EPERM
    finally:
        os.system(f"chattr -a {world.folder}/a")
    assert names(world) == ["a"] and (world.folder / "a").read_bytes() == b"a"


def test_a_time_that_was_set_is_undone(world):
    world.made(b"a")
    before = (world.folder / "a").stat().st_mtime_ns

    async def touch():
        await world.editing.touch(b"a", ME, 1_500_000_000_000_000_000)

    world.call(touch)
    assert world.versions(b"a") == [b"text"]
    world.take_back()
    assert (world.folder / "a").stat().st_mtime_ns == before


# What is in the way ------------------------------------------------------------------------------------------------------------


def test_what_somebody_writes_to_is_busy(world):
    world.made(b"a")
    handle = world.call(world.open, b"a", os.O_WRONLY)
    for edit in (Edit(b"a", "replace", b"x"), Edit(b"a", "remove")):
        with pytest.raises(Busy) as caught:
            world.change(edit)
        assert "--force" not in str(caught.value)
    world.made(b"b")
    world.call(world.finish, handle)
    world.change(Edit(b"a", "remove"))


def test_what_is_locked_is_refused_whoever_asks(world):
    world.change(Edit(b"a", "create", b"a"), Edit(b"b", "create", b"b"))

    def locked(some, found=None, viewer=None):
        if b"a" in set(some):
            raise NotPermitted("files/a is locked.")

    world.history.rollback.carry.locked = locked
    for edit in (Edit(b"a", "replace", b"x"), Edit(b"a", "remove")):
        with pytest.raises(NotPermitted):
            world.change(Edit(b"b", "remove"), edit)

    async def in_place(call, *arguments):
        await getattr(world.editing, call)(b"a", *arguments)

    with pytest.raises(NotPermitted):  # not even shown as a plan
        world.call(world.editing.offer, "delete a", [Edit(b"a", "remove")], ME)
    for call in (
        ("append", b"x", ME),
        ("touch", ME),
    ):
        with pytest.raises(NotPermitted):
            world.call(in_place, *call)
    assert names(world) == ["a", "b"] and (world.folder / "a").read_bytes() == b"a"


def test_a_lock_that_is_acknowledged_while_an_edit_waits_for_history_is_met(world):
    world.made(b"a", b"before")
    history = world.history
    locks = Locks(world.state.database, world.follow.in_thread, history.past, owner=os.getuid())
    history.rollback.carry.locked = locks.refuse
    heard = history.heard

    async def locking():
        await heard()
        if staged:
            await locks.lock(b"a", Lock(ME.uid, 0.0, None, ""), ME)

    staged = []
    history.rollback.carry.hook = lambda what: staged.append(what)
    history.heard = locking
    with pytest.raises(NotPermitted, match="files/a is locked"):
        world.change(Edit(b"a", "replace", b"after"))
    history.heard = heard
    assert locks.held and staged == ["staged"], "it was locked behind the last look, and nothing was begun"
    assert (world.folder / "a").read_bytes() == b"before"


def test_what_has_changed_since_it_was_looked_at_is_left_alone(world):
    world.change(Edit(b"a", "create", b"a"), Edit(b"b", "create", b"b"))
    before = world.past.sequence()
    world.call(world.write, b"a", b"later")
    with pytest.raises(TryAgain):
        world.change(Edit(b"b", "remove"), Edit(b"a", "remove"), expected=before)
    world.change(Edit(b"b", "remove"), expected=before)
    assert names(world) == ["a"]


def test_what_comes_to_a_path_behind_the_mount_at_the_last_moment_is_not_replaced(world):
    def hook(what):
        if what == "logged":
            (world.folder / "b").write_bytes(b"mine")

    world.made(b"a")
    world.history.rollback.carry.hook = hook
    with pytest.raises(LsfsError):
        world.change(Edit(b"a", "remove"), Edit(b"b", "create", b"theirs"))
    assert names(world) == ["a", "b"] and (world.folder / "b").read_bytes() == b"mine"


def test_a_folder_that_goes_at_the_last_moment_takes_all_of_the_change_with_it(world):
    def hook(what):
        if what == "logged" and (world.folder / "d").exists():
            (world.folder / "d").rmdir()

    world.change(Edit(b"d", "folder"), Edit(b"a", "create", b"a"))
    world.history.rollback.carry.hook = hook
    with pytest.raises(LsfsError):
        world.change(Edit(b"a", "replace", b"x"), Edit(b"d/new", "create", b"new"))
    assert names(world) == ["a"] and (world.folder / "a").read_bytes() == b"a"


def test_a_mount_that_is_read_only_changes_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    with Editing(tmp_path / "folder", read_only=True) as world:
        with pytest.raises(ReadOnly):
            world.made(b"a")
        assert names(world) == []


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(b"x", "create"), Edit(b"x", "folder")],
        [Edit(b"d", "remove"), Edit(b"d/a", "create")],
        [Edit(b"x", "create"), Edit(b"x/y", "create")],
        [Edit(b"a//b", "create")],
        [Edit(b"../x", "create")],
        [Edit(b"", "remove")],
    ],
)
def test_edits_without_an_order_and_paths_that_are_none_are_refused(world, edits):
    world.change(Edit(b"d", "folder"))
    with pytest.raises(InvalidArgument):
        world.change(*edits)


@pytest.mark.parametrize("path", [b".lsfs", b".lsfs/x", b"d/.lsfs", b".versions", b"d/.query/x"])
def test_names_of_lsfs_are_nobodys(world, path):
    world.change(Edit(b"d", "folder"))
    with pytest.raises(NotPermitted):
        world.made(path)
    world.made(b".lsfsignore")


def test_a_symlink_is_followed_for_reading_and_never_out_of_the_folder(world):
    (world.folder / "d").mkdir()
    (world.folder / "d/a").write_bytes(b"a")
    for name, target in {
        "l": "d/a",
        "m": "d",
        "up": "d/../d/a",
        "out": "../x",
        "abs": "/etc/passwd",
        "ring": "ring",
    }.items():
        (world.folder / name).symlink_to(target)

    def leads(path):
        return resolved(world.root_fd, path, ME, Readable(world.root_fd), last=True)

    assert [leads(path) for path in (b"l", b"m/a", b"up")] == [b"d/a"] * 3
    for path in (b"out", b"abs", b"ring"):
        with pytest.raises(NotFound):
            leads(path)


# Rights ------------------------------------------------------------------------------------------------------------------------


@root
def test_another_user_changes_only_what_the_kernel_would_let_him(world):
    world.change(
        Edit(b"open", "folder", mode=0o777),
        Edit(b"closed", "folder"),
        Edit(b"closed/w", "create", b"w", mode=0o666),
    )
    world.change(Edit(b"open/mine", "create", b"mine", mode=0o600), Edit(b"sticky", "folder", mode=0o1777))
    world.change(Edit(b"sticky/a", "create", b"a", mode=0o666))
    for edit, error in (
        (Edit(b"x", "create"), Denied),
        (Edit(b"closed/x", "create"), Denied),
        (Edit(b"closed/w", "remove"), Denied),
        (Edit(b"open/mine", "replace", b"x"), Denied),
        (Edit(b"open/x", "create", source=b"open/mine"), Denied),
        (Edit(b"sticky/a", "remove"), NotPermitted),
    ):
        with pytest.raises(error):
            world.change(edit, viewer=NOBODY)
    world.change(
        Edit(b"open/x", "create", b"x"),
        Edit(b"open/d", "folder"),
        Edit(b"closed/w", "replace", b"W"),
        viewer=NOBODY,
    )
    found = os.stat(world.folder / "open/x")
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (65534, 65534, 0o644)
    found = os.stat(world.folder / "closed/w")
    assert (found.st_uid, (world.folder / "closed/w").read_bytes()) == (0, b"W")
    world.change(Edit(b"open/mine", "remove"), viewer=NOBODY)

    async def call(name, *arguments):
        await getattr(world.editing, name)(*arguments)

    for name, *arguments in (
        ("append", b"sticky", b"x", NOBODY),
        ("touch", b"closed", NOBODY),
        ("touch", b"closed/w", NOBODY, 5),
    ):
        with pytest.raises(LsfsError):
            world.call(call, name, *arguments)
    world.call(call, "touch", b"closed/w", NOBODY)
    world.call(call, "append", b"closed/w", b"!", NOBODY)


@pytest.fixture
def swapping(world):
    """His folder, and one in it that is closed to him, whose file everybody may write to; what exchanges the two: he may rename both."""
    top = world.folder / "his"
    for name in ("", "d", "closed"):
        (top / name).mkdir()
        os.chown(top / name, *((0, 0) if name == "closed" else (65534, 65534)))
    for name in ("d", "closed"):
        (top / name / "a").write_text(name)
        os.chmod(top / name / "a", 0o666)
    os.chmod(top / "closed", 0o700)
    world.call(world.scanned)

    def swap():
        linux.rename(-100, bytes(top / "d"), -100, bytes(top / "closed"), linux.RENAME_EXCHANGE)

    return swap


def closed_to_him(world):
    """What is in the closed folder, whatever it is called by now."""
    [folder] = [
        one for one in (world.folder / "his").iterdir() if stat.S_IMODE(os.stat(one).st_mode) == 0o700
    ]
    return {one.name: one.read_text() for one in folder.iterdir()}


@root
def test_a_folder_that_comes_to_the_place_of_another_lets_nobody_write_in_it(world, swapping):
    settled = world.history.settled

    async def meanwhile(*arguments):
        sequence = await settled(*arguments)
        world.history.settled = settled
        swapping()
        return sequence

    world.history.settled = meanwhile

    async def append():
        await world.editing.append(b"his/d/a", b"!", NOBODY)

    with pytest.raises(Denied):
        world.call(append)
    assert closed_to_him(world) == {"a": "closed"}


@root
def test_nothing_is_made_in_a_folder_that_came_to_the_place_of_the_one_that_was_asked(world, swapping):
    for edit in (
        Edit(b"his/d/n", "create", b"n"),
        Edit(b"his/d/a", "replace", b"n"),
        Edit(b"his/d/a", "remove"),
    ):
        swapped = []

        def meanwhile(what, swapped=swapped):
            if what == "logged" and not swapped:
                swapped.append(what)
                swapping()

        world.history.rollback.carry.hook = meanwhile
        with pytest.raises(LsfsError):
            world.change(edit, viewer=NOBODY)
        assert swapped and closed_to_him(world) == {"a": "closed"}
        swapping()
        world.call(world.scanned)


@root
def test_nothing_is_copied_out_of_a_folder_that_came_to_the_place_of_another(world, swapping):
    swapping()
    world.history.drain = lambda: None  # history has seen the file, and not the folder yet

    async def half():
        world.follow.hinted(b"his/d/a", True)
        await world.follow.committed()

    world.call(half)
    with pytest.raises(LsfsError):
        world.change(Edit(b"his/copy", "create", source=b"his/d/a"), viewer=NOBODY)
    assert not (world.folder / "his/copy").exists()


@root
def test_what_is_made_in_a_setgid_folder_is_of_its_group(world):
    os.mkdir(world.folder / "d")
    os.chown(world.folder / "d", 0, 777)
    os.chmod(world.folder / "d", 0o2777)
    world.change(Edit(b"d/e", "folder"), Edit(b"d/e/a", "create", b"a"), viewer=NOBODY)
    for name in ("d/e", "d/e/a"):
        assert os.stat(world.folder / name).st_gid == 777
    assert os.stat(world.folder / "d/e").st_mode & stat.S_ISGID


def test_a_default_access_list_is_handed_down_as_the_kernel_does_it(tmp_path, world):
    default = acl((1, 7, EVERY), (2, 6, 12345), (4, 5, EVERY), (0x10, 7, EVERY), (0x20, 0, EVERY))
    os.mkdir(world.folder / "d")
    os.setxattr(world.folder / "d", "system.posix_acl_default", default)
    world.change(Edit(b"d/a", "create", b"a"), Edit(b"d/e", "folder"))
    old = os.umask(0o022)
    try:
        (world.folder / "d/b").write_bytes(b"b")
        (world.folder / "d/f").mkdir()
    finally:
        os.umask(old)
    for made, plain in (("a", "b"), ("e", "f")):
        one, other = world.folder / "d" / made, world.folder / "d" / plain
        assert os.stat(one).st_mode == os.stat(other).st_mode
        for name in ("system.posix_acl_access", "system.posix_acl_default"):
            assert (name in os.listxattr(one)) == (name in os.listxattr(other))
            if name in os.listxattr(one):
                assert os.getxattr(one, name) == os.getxattr(other, name)


def test_without_a_default_list_the_umask_counts():
    folder = Entry(0, b"", b"", 0o40755, 0, 0, 0, 0, 0, 0, None, None, None, None, 0, 0, None, 0)
    assert rights_of(folder, 0o100666) == (0o100644, None)
    assert rights_of(folder._replace(mode=0o42755), 0o40777) == (0o42755, None)


# Nobody sees half of it ---------------------------------------------------------------------------------------------------------


def test_who_looks_while_it_is_done_waits(world):
    world.change(Edit(b"a", "create", b"old"), Edit(b"b", "create", b"old"))
    seen = []

    async def look():
        seen.append(await (await world.node(b"")).lookup(b"b", None))

    def hook(what):
        if what == "place a":
            trio.from_thread.run_sync(world.loop.nursery.start_soon, look)
            trio.from_thread.run(trio.testing.wait_all_tasks_blocked)
            assert seen == []

    world.history.rollback.carry.hook = hook
    world.change(Edit(b"a", "replace", b"new"), Edit(b"b", "replace", b"new"))
    world.call(trio.testing.wait_all_tasks_blocked)
    assert [node.key for node in seen] == [os.stat(world.folder / "b").st_ino]


def test_who_looks_does_not_wait_until_history_has_noted_it(world):
    """That of a hundred thousand files takes half a minute."""
    world.change(Edit(b"a", "create", b"old"), Edit(b"b", "create", b"old"))
    seen, finish = [], world.history.rollback.carry._finish

    async def look():
        seen.append(await (await world.node(b"")).lookup(b"b", None))

    def finishing(*arguments):
        trio.from_thread.run_sync(world.loop.nursery.start_soon, look)
        trio.from_thread.run(trio.testing.wait_all_tasks_blocked)
        assert [node.key for node in seen] == [os.stat(world.folder / "b").st_ino]
        finish(*arguments)

    world.history.rollback.carry._finish = finishing
    world.change(Edit(b"a", "replace", b"new"), Edit(b"b", "replace", b"new"))
    assert seen


def test_the_kernel_remembers_nothing_of_what_is_about_to_change(world):
    """Neither what is there nor, of what is made, that nothing is: before anybody has to wait, since who waits in a folder holds it."""
    world.change(Edit(b"a", "create", b"old"), Edit(b"d", "folder"), Edit(b"d/x", "create", b"old"))

    async def look():
        top = await world.node(b"")
        folder = await world.node(b"d")
        return top, folder

    top, folder = world.call(look)
    kernel, told = world.tree.kernel, []

    def telling(seconds):
        told.append((kernel.taken(), world.tree.files.veiled, top.negative_timeout, folder.negative_timeout))
        return True

    world.history.rollback.carry.told = telling
    kernel.taken()
    world.change(Edit(b"a", "replace", b"new"), Edit(b"b", "create", b"new"), Edit(b"c", "create", b"new"))
    [(forgot, veiled, timeout, elsewhere)] = told
    assert {(parent, name) for what, parent, name in forgot if what == "entry"} == {
        (top.id, name) for name in (b"a", b"b", b"c")
    }
    assert veiled is None and timeout == 0.0 and elsewhere > 0
    assert top.negative_timeout > 0, "and afterwards it may"


# Who asked does not wait any longer -----------------------------------------------------------------------------------------------


def held_up(world, act):
    """`act()` by somebody who goes away while it is made ready, as a line to ctl does after a minute."""
    carry = world.history.rollback.carry
    goes_on = []

    async def asked():
        with trio.CancelScope() as scope:

            def hook(what):
                if what == "staged" and not goes_on:
                    goes_on.append(what)
                    trio.from_thread.run_sync(scope.cancel)

            carry.hook = hook
            await act()
        return scope.cancelled_caught

    return world.call(asked)


def working(world):
    """The daemon's task."""

    async def start():
        world.loop.nursery.start_soon(world.editing.jobs.run)
        await trio.testing.wait_all_tasks_blocked()

    world.call(start)


def test_a_change_goes_on_when_who_asked_for_it_is_gone(world):
    working(world)

    async def act():
        await world.editing.change("a change", [Edit(b"a", "create", b"a"), Edit(b"d", "folder")], ME)

    assert held_up(world, act)
    end = time.monotonic() + 60  # it goes on in threads that nobody waits for
    while names(world) != ["a", "d"] and time.monotonic() < end:
        threading.Event().wait(0.01)
    assert names(world) == ["a", "d"]
    assert world.take_back()["to"] == "before a change"


def test_who_comes_back_with_a_token_is_told_how_it_went(world):
    world.made(b"a", b"a")
    working(world)

    async def offer():
        return await world.editing.offer("delete a", [Edit(b"a", "remove")], ME)

    token = world.call(offer)

    async def accept():
        return await world.editing.accept(token, ME)

    assert held_up(world, accept)
    assert [edit.path for edit in world.call(accept)] == [b"a"] and names(world) == []
    with pytest.raises(InvalidArgument):
        world.call(accept)


def test_a_token_outlives_that_somebody_has_a_file_open(world):
    world.made(b"a", b"a")
    carry = world.history.rollback.carry
    token = world.call(world.editing.offer, "delete a", [Edit(b"a", "remove")], ME)
    writers, carry.writers = carry.writers, lambda: frozenset({b"a"})
    with pytest.raises(Busy):
        world.call(world.editing.accept, token, ME)
    carry.writers = writers
    world.call(world.editing.accept, token, ME)
    assert names(world) == []


def killed(folder, number):
    """One change in another process, which is killed after the n-th step; False when it came to its end."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # where the fork itself hangs
        try:
            world = Editing(folder)
            world.start()
            left = [number]

            def hook(what):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            world.history.rollback.carry.hook = hook
            everything(world)
            os._exit(0)
        except BaseException as error:
            print(f"{error!r}", file=sys.stderr)
            os._exit(3)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def everything(world):
    """A change with one edit of each kind."""
    world.change(
        Edit(b"a", "replace", b"A"), Edit(b"d", "remove"), Edit(b"n", "folder"), Edit(b"n/m", "create", b"m"),
        Edit(b"n/l", "symlink", target=b"m"), Edit(b"n/c", "create", source=b"a"), Edit(b"w", "write", b"w"),
    )  # fmt: skip


def test_a_kill_at_any_step_leaves_all_of_it_or_nothing(tmp_path):
    (tmp_path / "first").mkdir()
    with Editing(tmp_path / "first") as world:
        world.change(Edit(b"a", "create", b"a" * 1000), Edit(b"d", "folder"), Edit(b"d/x", "create", b"x"))
        before = sorted(world.now())
    seen = set()
    for number in range(60):
        place = tmp_path / "place"
        os.system(f"rm -rf '{place}' && cp -a '{tmp_path}/first' '{place}'")
        again = killed(place, number)
        with Editing(place) as world:
            now = sorted(world.now())
            assert now in (before, [b"a", b"n", b"n/c", b"n/l", b"n/m", b"w"]), number
            done = now != before
            assert (place / "a").read_bytes() == (b"A" if done else b"a" * 1000)
            assert not world.history.rollback.carry.pending
            world.call(world.scanned)
            assert world.then(world.past.sequence()) == world.now(), number
            world.verify()
            contents = dict.fromkeys(world.versions(b"a"))  # the copy that `cp -a` made may count once more
            assert list(contents) == [b"a" * 1000, b"A"][: 1 + done]
            if done:
                assert set(world.removed()) == {b"d", b"d/x"}
                world.take_back()
                assert sorted(world.now()) == before
            seen.add(done)
        shutil.rmtree(place)
        if not again:
            break
    assert not again and seen == {True, False} and number > 10
