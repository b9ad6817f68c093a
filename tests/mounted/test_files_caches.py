"""What the kernel and the daemon keep of /files is never old: each rule is met by a change that would show it."""

import ctypes
import os
import subprocess
import threading
import time

import pytest
from mounted_helpers import EVERY, acl

ACL = acl((1, 6, EVERY), (2, 4, 65534), (4, 0, EVERY), (16, 4, EVERY), (32, 0, EVERY))
SOON = 20.0  # seconds: far below the minute after which the kernel asks again of its own accord


def picture(folder):
    """What `ls -l` sees of a folder."""
    seen = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            seen[entry.name] = (
                entry.inode() == found.st_ino, found.st_mode, found.st_nlink, found.st_size, found.st_mtime_ns, found.st_ctime_ns,
            )  # fmt: skip
    return seen


def filled(pair):
    """A folder with files and a folder in it, listed often enough for all of it to be kept."""
    folder = pair.live / "folder"
    folder.mkdir()
    for number in range(50):
        (folder / f"file{number}").write_text("x" * number)
    (folder / "below").mkdir()
    for _ in range(3):
        assert picture(folder) == picture(pair.backing / "folder")
    return folder, pair.backing / "folder"


CHANGES = {
    "a mode": lambda at: (at / "file7").chmod(0o600),
    "content of the same size": lambda at: (at / "file7").write_text("y" * 7),
    "content": lambda at: (at / "file7").write_text("a longer text than it was"),
    "the end of a file": lambda at: os.truncate(at / "file9", 3),
    "a time": lambda at: os.utime(at / "file7", (1, 2)),
    "an attribute": lambda at: os.setxattr(at / "file7", "user.colour", b"red"),
    "an access control list": lambda at: os.setxattr(at / "file7", "system.posix_acl_access", ACL),
    "a new file": lambda at: (at / "new").write_text("z"),
    "a new folder": lambda at: (at / "new").mkdir(),
    "a removed file": lambda at: os.unlink(at / "file7"),
    "a removed folder": lambda at: os.rmdir(at / "below"),
    "a renamed file": lambda at: os.rename(at / "file7", at / "renamed"),
    "a file renamed over another": lambda at: os.rename(at / "file7", at / "file8"),
    "a file moved down": lambda at: os.rename(at / "file7", at / "below/file7"),
    "a second name": lambda at: os.link(at / "file7", at / "link"),
    "a file in the folder below": lambda at: (at / "below/file").write_text("z"),
    "a file replaced": lambda at: (os.unlink(at / "file7"), (at / "file7").write_text("another"))[1],
    "a file turned into a folder": lambda at: (os.unlink(at / "file7"), (at / "file7").mkdir())[1],
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_through_the_mount_is_in_the_next_listing(pair, change):
    live, backing = filled(pair)
    CHANGES[change](live)
    for _ in range(3):
        assert picture(live) == picture(backing)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_behind_the_mount_is_in_a_listing_soon(pair, change):
    live, backing = filled(pair)
    CHANGES[change](backing)
    deadline = time.monotonic() + SOON
    while picture(live) != picture(backing):
        assert time.monotonic() < deadline, (picture(live), picture(backing))
        threading.Event().wait(0.01)
    for _ in range(3):
        assert picture(live) == picture(backing)


def test_what_is_written_through_an_open_file_is_in_each_listing(pair):
    live, backing = filled(pair)
    with open(live / "file7", "ab", buffering=0) as stream:
        for _ in range(20):
            stream.write(b"more")
            assert picture(live) == picture(backing)
    assert picture(live) == picture(backing)


def test_a_file_with_two_names_is_right_under_both(pair):
    live, backing = filled(pair)
    os.link(live / "file7", live / "below/other")
    for text in ("a", "bb", "ccc"):
        (live / "below/other").write_text(text)
        for _ in range(2):
            assert picture(live) == picture(backing)


def test_an_access_list_set_behind_the_mount_is_found(pair):
    live, backing = filled(pair)
    for _ in range(2):  # kept: there is none
        with pytest.raises(OSError, match="No data"):
            os.getxattr(live / "file7", "system.posix_acl_access")
    os.setxattr(backing / "file7", "system.posix_acl_access", ACL)
    deadline = time.monotonic() + SOON
    while True:
        try:
            assert os.getxattr(live / "file7", "system.posix_acl_access") == ACL
            break
        except OSError:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)


def test_a_reader_of_a_kept_listing_loses_nothing_while_it_changes(pair):
    live, backing = filled(pair)
    with os.scandir(live) as entries:
        first = next(entries).name
        for number in range(50):
            if f"file{number}" != first and number % 2:
                os.unlink(live / f"file{number}")
        seen = [first, *(entry.name for entry in entries)]
    assert len(seen) == len(set(seen))
    assert set(picture(backing)) <= set(seen)


def test_a_shared_mount_sees_what_no_watch_reports(mount, tmp_path):
    mounted = mount(None, "--shared", conf="[index]\nenabled = no\n")
    (mounted.folder / "file").write_text("old")
    os.link(mounted.folder / "file", tmp_path / "outside")
    assert (mounted.files / "file").read_text() == "old"
    assert picture(mounted.files)["file"][3] == 3
    (tmp_path / "outside").write_text("newer")  # under a name that is in no watched folder
    mounted.until(lambda: picture(mounted.files)["file"][3] == 5, patience=SOON)
    assert (mounted.files / "file").read_text() == "newer"


def test_a_folder_on_a_file_system_that_no_watch_hears_is_believed_for_a_second(mount, tmp_path):
    """As over a network: what is written below this folder by another way, inotify does not report."""
    below = mount(None, conf="[index]\nenabled = no\n")
    (below.files / "shared").mkdir()
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "lsfs.conf").write_text("[index]\nenabled = no\n")
    mounted = mount(below.files / "shared", "--state", os.fspath(state))
    path = mounted.files / "file"
    path.write_text("old")
    assert picture(mounted.files)["file"][3] == 3 and not (mounted.files / "new").exists()
    (below.folder / "shared/file").write_text("newer")
    (below.folder / "shared/new").write_text("x")
    mounted.until(lambda: picture(mounted.files)["file"][3] == 5, patience=SOON)
    mounted.until((mounted.files / "new").exists, patience=SOON)
    assert path.read_text() == "newer"
    mounted.umount()


def test_a_second_name_in_another_folder_that_is_written_behind_the_mount_shows_under_the_first(pair):
    live, backing = filled(pair)
    os.link(backing / "file7", backing / "below/other")
    (backing / "below/other").write_text("much longer than it was")
    pair.mounted.until(lambda: picture(live) == picture(backing), patience=SOON)
    assert (live / "file7").read_text() == "much longer than it was"


def soon_the_same(pair, live, backing):
    """What comes behind the mount, now, is soon in listings and found by name."""
    for _ in range(2):
        picture(live)
        assert not (live / "new").exists()
    (backing / "new").write_text("x")
    pair.mounted.until((live / "new").exists, patience=SOON)
    pair.mounted.until(lambda: picture(live) == picture(backing), patience=SOON)


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.06, 0.2])
@pytest.mark.parametrize("how", ["made again", "moved away and made again", "renamed", "exchanged"])
def test_a_directory_stays_watched_whatever_became_of_the_one_before(pair, how, moment):
    first, where = pair.live / "first", pair.live / "first"
    (first / "sub").mkdir(parents=True)
    (first / "sub/file").write_text("x")
    picture(first / "sub")
    if how == "made again":
        subprocess.run(["rm", "-rf", first], check=True)
        (first / "sub").mkdir(parents=True)
    elif how == "moved away and made again":
        os.rename(first, pair.live / "old")
        (first / "sub").mkdir(parents=True)
    elif how == "renamed":
        where = pair.live / "second"
        os.rename(first, where)
    else:
        (pair.live / "other/sub").mkdir(parents=True)
        libc = ctypes.CDLL(None, use_errno=True)
        names = os.fsencode(first), os.fsencode(pair.live / "other")
        assert libc.renameat2(-100, names[0], -100, names[1], 2) == 0
    picture(where / "sub")
    threading.Event().wait(moment)  # the watch hears of it some 30 ms later, and the scan comes later still
    soon_the_same(pair, where / "sub", pair.backing / where.name / "sub")
    soon_the_same(pair, where, pair.backing / where.name)


def test_a_symlink_that_is_replaced_leads_elsewhere_at_once(pair):
    os.symlink("one", pair.live / "link")
    assert os.readlink(pair.live / "link") == "one"
    subprocess.run(["ln", "-sfn", "two", pair.live / "link"], check=True)
    assert os.readlink(pair.live / "link") == "two"
