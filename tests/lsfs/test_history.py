"""History at the moments that no sequence of operations shows: between two steps of the guard, after a clock was set back, with files that
are no plain text. What the journal says is believed as far as it was written."""

import errno
import os
import pathlib
import socket
import stat
import time

import pytest
from history_tree import World

from lsfs.history import follow
from lsfs.history.held import Held
from lsfs.history.objects import LARGE
from lsfs.history.past import Changed

BIG = b"large " * (LARGE // 6 + 1000)


@pytest.fixture
def world(tmp_path):
    with made(tmp_path) as world:
        yield world


def made(place: pathlib.Path, **settings) -> World:
    folder = place / "folder"
    folder.mkdir()
    for name, content in (("small", b"text"), ("large", BIG), ("other", b"other")):
        (folder / name).write_bytes(content)
    return World(folder, **settings)


def again(world: World) -> None:
    """kill -9, and the next mount."""
    world.crash()
    world.start()
    world.call(world.scanned)
    for _ in range(3):
        world.call(world.later)
    world.verify()
    assert world.held() == []


def journal(world: World) -> pathlib.Path:
    return world.folder / ".lsfs/held/journal"


def cut(world: World, left: int) -> None:
    """The journal ends that many bytes before its end."""
    os.truncate(journal(world), journal(world).stat().st_size - left)


# Between two steps of the guard ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [b"small", b"large"])
def test_a_kill_after_the_journal_and_before_the_removal_leaves_one_version(world, name):
    world.call(world.settled)
    content = (world.folder / os.fsdecode(name)).read_bytes()
    at = os.open(world.folder, os.O_RDONLY)

    async def begin():
        assert world.history.guard.removes(name, at, name, os.stat(name, dir_fd=at), written=False) is None

    world.call(begin)
    os.close(at)
    again(world)
    assert world.versions(name) == [content]
    assert os.stat(world.folder / os.fsdecode(name)).st_nlink == 1


def test_a_kill_after_the_link_and_before_the_journal_loses_nothing(world):
    world.call(world.settled)
    world.call(world.unlink, b"large")
    journal(world).write_bytes(b"")
    again(world)
    assert world.versions(b"large") == [BIG]
    assert list(world.removed()) == [b"large"]


def test_a_journal_that_was_cut_off_is_believed_up_to_there(world):
    world.call(world.settled)
    world.call(world.write, b"small", b"two")
    world.call(world.write, b"other", b"three")
    cut(world, 3)
    again(world)
    assert world.versions(b"small") == [b"text", b"two"]


def test_what_is_written_down_after_a_cut_is_found_after_the_next_kill(world):
    world.call(world.settled)
    world.call(world.write, b"small", b"two")
    world.call(world.write, b"other", b"three")
    cut(world, 3)
    world.crash()
    world.start()  # nothing is committed yet
    world.call(world.write, b"small", b"four")
    again(world)
    assert world.versions(b"small") == [b"text", b"two", b"four"]


def test_a_held_file_that_nothing_needs_goes(world):
    world.call(world.settled)
    world.call(world.write, b"small", b"two")
    (journal(world).parent / "12345").write_bytes(b"left by a kill in the middle of a copy")
    again(world)
    assert world.versions(b"small") == [b"text", b"two"]


def test_a_copy_that_took_long_is_found_though_others_were_written_down_and_committed_before_it(
    world, monkeypatch
):
    """Its number is that of the moment at which it was written down."""
    world.call(world.settled)
    held = world.history.held
    first = held.next()
    world.call(world.write, b"small", b"two")
    world.call(world.settled)
    world.call(world.patch, b"large", 0, b"LARGE")
    record = next(iter(held.read()))
    assert record.path == b"large" and record.number > world.history.capture._serial > first
    again(world)
    assert world.versions(b"large") == [BIG, b"LARGE" + BIG[5:]]


def test_numbers_grow_when_the_clock_was_set_back(world, monkeypatch):
    world.call(world.settled)
    world.call(world.write, b"small", b"two")
    world.crash()
    (first,) = [record.number for record in Held(world.folder / ".lsfs/held").read()]
    monkeypatch.setattr(time, "time_ns", lambda: 1_000)
    world.start()
    assert world.history.held.next() > first
    world.call(world.write, b"small", b"three")
    again(world)
    assert world.versions(b"small") == [b"text", b"two", b"three"]


def test_time_does_not_go_back_when_the_clock_does(world, monkeypatch):
    world.call(world.settled)
    monkeypatch.setattr(time, "time", lambda: 1_000.0)
    world.call(world.write, b"small", b"two")
    world.call(world.settled)
    times = [at for (at,) in world.state.database.execute("select at from moment order by sequence")]
    assert times == sorted(times) and times[0] > 1_000_000
    world.verify()


def test_a_journal_of_zeros_is_no_reason_not_to_mount(world):
    world.captured()
    world.call(world.write, b"small", b"two")
    journal(world).parent.mkdir(exist_ok=True)
    journal(world).write_bytes(bytes(4096))
    again(world)
    assert world.versions(b"small")[-1] == b"two"


def test_an_empty_folder_held_is_not_left_after_an_unmount(world):
    world.call(world.settled)
    world.call(world.unlink, b"large")
    world.call(world.settled)
    world.call(world.later)
    held = Held(world.folder / ".lsfs/held")
    assert held.names() == []


# Scans that come before a commit ---------------------------------------------------------------------------------------------------


def test_a_scan_that_sees_what_no_commit_was_told_yet_makes_no_version_unreadable(world):
    world.call(world.scan_held_up)
    world.call(world.write, b"small", b"two")
    world.call(world.write, b"small", b"three")
    world.call(world.settled)
    assert set(world.versions(b"small")) == {b"text", b"two", b"three"}
    assert world.versions(b"small")[-1] == b"three"


def test_a_scan_that_sees_a_rename_first_keeps_the_content_that_nobody_captured(world):
    world.call(world.take, b"before")
    world.call(world.scan_held_up)
    world.call(world.rename, b"large", b"moved")
    world.call(world.settled)
    world.call(world.scanned)
    assert world.versions(b"moved") == [BIG]
    assert world.then(world.past.snapshot(b"before").sequence)[b"large"].content == BIG


def test_a_file_that_replaced_another_one_behind_the_mount_keeps_what_a_snapshot_shows_of_it(world):
    world.call(world.take, b"before")
    world.captured()
    world.call(world.write, b"new", b"x")
    world.call(world.settled)
    (world.folder / "live").write_bytes(BIG + b"2")
    world.call(world.scanned)
    world.call(world.take, b"then")
    os.rename(world.folder / "live", world.folder / "small")
    world.call(world.scanned)
    assert world.then(world.past.snapshot(b"then").sequence)[b"live"].content == BIG + b"2"


def test_a_file_that_was_renamed_before_a_kill_and_overwritten_before_the_scan_is_kept_under_its_old_name(
    world,
):
    world.call(world.take, b"s")
    world.crash()
    os.rename(world.folder / "small", world.folder / "moved")
    world.start()
    world.call(world.scan_held_up)
    world.call(world.write, b"moved", b"new")
    world.call(world.scanned)
    assert world.then(world.past.snapshot(b"s").sequence)[b"small"].content == b"text"


# What we did ourselves gives up no content that nobody captured ------------------------------------------------------------------------


def test_a_file_renamed_over_one_that_was_just_written_keeps_its_content_when_the_watch_tells_of_the_write(
    world,
):
    world.call(world.take, b"s")
    world.call(world.write, b"small", b"two")
    world.call(world.committed)
    world.call(world.rename, b"large", b"small")
    world.call(world.settled)
    assert world.then(world.past.snapshot(b"s").sequence)[b"large"].content == BIG
    assert world.versions(b"small") == [b"text", b"two", BIG]


def test_a_hint_that_tells_of_our_own_write_is_no_change_behind_the_mount(world):
    world.call(world.take, b"s")
    world.call(world.write, b"small", b"two")
    world.call(world.rename, b"large", b"small")
    world.call(world.committed)
    world.call(world.told)
    world.call(world.held_up)
    mode = stat.S_IMODE(os.stat(world.folder / "small").st_mode)
    world.call(world.chmod, b"small", mode)  # another ctime, and nothing that explains it
    world.call(world.settled)
    assert world.then(world.past.snapshot(b"s").sequence)[b"large"].content == BIG


def test_a_change_behind_the_mount_whose_time_was_set_back_is_another_content(world):
    world.captured()
    world.call(world.write, b"new", b"one")
    world.call(world.settled)
    before = os.stat(world.folder / "new")
    (world.folder / "new").write_bytes(b"two")
    os.utime(world.folder / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    world.call(world.settled)
    assert world.versions(b"new") == [b"one", b"two"]


def test_names_that_were_exchanged_keep_their_contents(world):
    world.call(world.take, b"s")
    world.call(world.write, b"small", b"two")
    world.call(lambda: world.rename(b"large", b"small", exchange=True))
    world.call(world.settled)
    assert (world.versions(b"small")[-1], world.versions(b"large")[-1]) == (BIG, b"two")
    assert world.then(world.past.snapshot(b"s").sequence)[b"large"].content == BIG


@pytest.mark.parametrize("gone", ["unlink", "rename"])
def test_a_file_that_lost_another_name_is_read_all_the_same(world, gone):
    os.link(world.folder / "large", world.folder / "second")
    world.call(world.scanned)
    if gone == "unlink":
        world.call(world.unlink, b"second")
    else:
        world.call(world.rename, b"small", b"second")
    world.call(world.settled)
    assert world.versions(b"large") == [BIG]


def test_a_file_whose_removal_was_refused_is_read_all_the_same(world, monkeypatch):
    """A link in held/ came and went: its ctime is another one."""
    world.call(world.settled)
    unlink = os.unlink

    def refused(name, *, dir_fd=None):
        if name == b"large":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refused)
    with pytest.raises(PermissionError):
        world.call(world.unlink, b"large")
    monkeypatch.undo()
    for _ in range(2):
        world.call(world.settled)
    assert world.versions(b"large") == [BIG] and world.held() == []


def test_where_clocks_are_coarse_new_rights_are_no_new_content(world, monkeypatch):
    monkeypatch.setattr(follow, "COARSE_CLOCK", True)
    world.call(world.take, b"s")
    world.call(world.chmod, b"large", 0o600)
    world.call(world.settled)
    assert world.then(world.past.snapshot(b"s").sequence)[b"large"].content == BIG


# The trash has what was removed last --------------------------------------------------------------------------------------------------


def last_removed(world: World, name: bytes) -> bytes:
    return world.past.whole(world.removed()[name][0])


@pytest.mark.parametrize("name", [b"small", b"large"])
@pytest.mark.parametrize("killed", [False, True])
def test_what_was_renamed_and_removed_in_one_commit_is_in_the_trash(world, name, killed):
    content = (world.folder / os.fsdecode(name)).read_bytes()
    world.captured()
    world.call(world.write, b"last", b"removed before")
    world.call(world.unlink, b"last")
    world.call(world.settled)
    world.call(world.rename, name, b"last")
    world.call(world.unlink, b"last")
    if killed:
        again(world)
    world.call(world.settled)
    assert last_removed(world, b"last") == content
    world.verify()


def test_an_empty_file_that_was_renamed_and_removed_in_one_commit_is_in_the_trash(world):
    (world.folder / "empty").touch()
    world.call(world.scanned)
    world.call(world.rename, b"empty", b"last")
    world.call(world.unlink, b"last")
    world.call(world.settled)
    assert list(world.removed()) == [b"last"]


def test_what_came_back_under_its_name_and_was_removed_before_a_kill_is_what_the_trash_has(world):
    world.call(world.settled)
    world.call(world.rename, b"large", b"moved")
    world.call(world.write, b"large", b"two")
    world.call(world.settled)
    world.call(world.unlink, b"large")
    world.call(world.settled)
    world.call(world.rename, b"moved", b"large")
    world.call(world.unlink, b"large")
    again(world)
    assert last_removed(world, b"large") == BIG


@pytest.mark.parametrize("name", [b"small", b"large"])
def test_what_came_back_in_place_of_what_was_removed_meanwhile_is_what_the_trash_has(world, name):
    """The row of the last commit says what is there, and the journal what was there meanwhile."""
    content = (world.folder / os.fsdecode(name)).read_bytes()
    world.call(world.settled)
    if name == b"small":
        world.captured()
    world.call(world.rename, name, b"moved")
    world.call(world.write, name, b"two")
    world.call(world.unlink, name)
    world.call(world.rename, b"moved", name)
    world.call(world.unlink, name)
    again(world)
    assert last_removed(world, name) == content


# Pace, kinds, links --------------------------------------------------------------------------------------------------------------------


def test_no_more_versions_than_the_pace_are_kept_within_a_minute_and_the_last_one_is(tmp_path):
    with made(tmp_path, pace=5) as world:
        world.call(world.settled)
        for number in range(40):
            world.call(world.write, b"log", b"%d" % number)
            if number % 7 == 0:
                world.call(world.settled)
        world.call(world.settled)
        versions = world.versions(b"log")
        assert len(versions) <= 15 and versions[-1] == b"39"
        world.verify()


def test_a_snapshot_is_not_thinned_out(tmp_path):
    with made(tmp_path, pace=2) as world:
        for number in range(12):
            world.call(world.write, b"log", b"%d" % number)
            world.call(world.take, b"s%d" % number)
        for number in range(12):
            then = world.then(world.past.snapshot(b"s%d" % number).sequence)
            assert then[b"log"].content == b"%d" % number


def test_things_that_are_no_files_have_rows_and_no_bytes(world):
    os.mkfifo(world.folder / "pipe", 0o600)
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(world.folder)
        try:
            server.bind("socket")
        finally:
            os.chdir("/")
    if os.geteuid() == 0:
        os.mknod(world.folder / "null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    world.call(world.scanned)
    then = {row.name: row for row in world.past.listing(b"", world.past.sequence())}
    assert stat.S_ISFIFO(then[b"pipe"].mode) and then[b"pipe"].content is None
    assert stat.S_ISSOCK(then[b"socket"].mode)
    if os.geteuid() == 0:
        assert int(then[b"null"].target) == os.makedev(1, 3)
    world.call(world.unlink, b"pipe")
    world.call(world.settled)
    assert list(world.removed()) == [b"pipe"]


def test_names_of_one_file_share_a_content_that_is_not_captured(world):
    os.link(world.folder / "large", world.folder / "second")
    world.call(world.scanned)
    world.call(world.take, b"s")
    world.call(world.unlink, b"large")
    world.call(world.settled)
    world.call(world.patch, b"second", 0, b"LARGE")
    world.call(world.settled)
    then = world.then(world.past.snapshot(b"s").sequence)
    assert then[b"large"].content == then[b"second"].content == BIG


def test_names_of_one_file_that_changed_behind_the_mount_share_its_content(world):
    """Else the name that goes first takes the only row of its content along."""
    os.link(world.folder / "large", world.folder / "second")
    world.call(world.scanned)
    (world.folder / "large").write_bytes(BIG + b"changed")
    world.call(world.scanned)
    world.call(world.take, b"s")
    world.call(world.unlink, b"large")
    world.call(world.settled)
    assert world.then(world.past.snapshot(b"s").sequence)[b"large"].content == BIG + b"changed"


def test_a_large_file_is_held_when_it_is_removed_and_stored_afterwards(world):
    world.call(world.settled)
    number = os.stat(world.folder / "large").st_ino
    world.call(world.unlink, b"large")
    (name,) = [name for name in world.held() if name]
    assert os.stat(world.history.held.path(name)).st_ino == number
    world.call(world.settled)
    assert world.held() == [] and world.versions(b"large") == [BIG]


def test_what_was_lost_behind_the_mount_is_said_to_be_lost_where_a_snapshot_shows_it(world):
    world.call(world.settled)
    world.call(world.take, b"s")
    sequence = world.past.snapshot(b"s").sequence
    (world.folder / "large").write_bytes(b"gone")
    world.call(world.scanned)
    with pytest.raises(Changed):
        world.past.whole(world.past.entry(b"large", sequence))
    assert len(world.past.versions(b"large")) == 2


def test_what_was_lost_and_no_snapshot_shows_is_no_version(world):
    world.call(world.settled)
    (world.folder / "large").write_bytes(b"gone")
    world.call(world.scanned)
    assert world.versions(b"large") == [b"gone"]


def test_a_content_of_the_same_size_and_time_is_another_version(world):
    """`cp -p`, `rsync -t`, `touch -r`: who sets a time back has changed the bytes all the same."""
    world.captured()
    when = os.stat(world.folder / "small").st_mtime_ns
    world.call(world.patch, b"small", 0, b"TEXT")
    world.call(world.utime, b"small", when)
    world.call(world.settled)
    world.call(world.take, b"s")
    world.call(world.write, b"small", b"end")
    world.call(world.settled)
    assert world.then(world.past.snapshot(b"s").sequence)[b"small"].content == b"TEXT"
    assert world.versions(b"small") == [b"text", b"TEXT", b"end"]


def test_a_time_that_was_set_just_before_a_kill_leaves_snapshots_as_they_are(world):
    world.call(world.take, b"s")
    world.call(world.utime, b"large", 10**18)
    again(world)
    assert world.then(world.past.snapshot(b"s").sequence)[b"large"].content == BIG
