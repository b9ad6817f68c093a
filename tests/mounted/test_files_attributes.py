"""/files: owners, modes, times and extended attributes are those of the folder, and follow Linux."""

import errno
import os
import stat
import subprocess

import pytest
from mounted_helpers import NOBODY, as_nobody, refused, root


def test_times_are_kept_to_the_nanosecond(pair):
    path = pair.live / "file"
    path.touch()
    os.utime(path, ns=(1_000_000_001, 2_000_000_000_123_456_789))
    for place in (path, pair.backing / "file"):
        found = place.stat()
        assert (found.st_atime_ns, found.st_mtime_ns) == (1_000_000_001, 2_000_000_000_123_456_789)


def test_setting_one_time_leaves_the_other(pair):
    path = pair.live / "file"
    path.touch()
    os.utime(path, ns=(111, 222))
    subprocess.run(["touch", "-m", "-d", "@5", path], check=True)
    assert (path.stat().st_atime_ns, path.stat().st_mtime_ns) == (111, 5_000_000_000)


def test_a_symlink_has_its_own_times(pair):
    (pair.live / "file").touch()
    os.symlink("file", pair.live / "link")
    os.utime(pair.live / "link", ns=(333, 444), follow_symlinks=False)
    assert os.lstat(pair.backing / "link").st_mtime_ns == 444
    assert (pair.backing / "file").stat().st_mtime_ns != 444


def test_modes_are_those_of_the_folder_and_the_umask_is_applied_once(pair):
    before = os.umask(0o027)
    try:
        os.close(os.open(pair.live / "file", os.O_CREAT | os.O_WRONLY, 0o666))
        os.mkdir(pair.live / "folder", 0o777)
    finally:
        os.umask(before)
    assert stat.S_IMODE((pair.backing / "file").stat().st_mode) == 0o640
    assert stat.S_IMODE((pair.backing / "folder").stat().st_mode) == 0o750
    os.chmod(pair.live / "file", 0o604)
    assert stat.S_IMODE((pair.backing / "file").stat().st_mode) == 0o604


def test_stat_shows_what_the_folder_shows(pair):
    (pair.live / "file").write_text("content")
    os.mkdir(pair.live / "folder")
    os.symlink("file", pair.live / "link")
    for name in ("file", "folder", "link"):
        live, backing = os.lstat(pair.live / name), os.lstat(pair.backing / name)
        for field in (
            "st_mode",
            "st_nlink",
            "st_uid",
            "st_gid",
            "st_size",
            "st_blocks",
            "st_mtime_ns",
            "st_ctime_ns",
        ):
            assert getattr(live, field) == getattr(backing, field), (name, field)


def test_statfs_is_that_of_the_folder(pair):
    live, backing = os.statvfs(pair.live), os.statvfs(pair.backing)
    assert (live.f_bsize, live.f_blocks, live.f_namemax) == (backing.f_bsize, backing.f_blocks, 255)


def test_extended_attributes_are_kept_with_the_file(pair):
    path = pair.live / "file"
    path.touch()
    os.setxattr(path, "user.one", b"1")
    os.setxattr(path, "user.two", b"\0\xff" * 500)
    assert sorted(os.listxattr(path)) == ["user.one", "user.two"]
    assert os.getxattr(pair.backing / "file", "user.two") == b"\0\xff" * 500
    with pytest.raises(FileExistsError):
        os.setxattr(path, "user.one", b"2", os.XATTR_CREATE)
    os.removexattr(path, "user.one")
    with pytest.raises(OSError) as caught:
        os.getxattr(path, "user.one")
    assert caught.value.errno == errno.ENODATA


def test_extended_attributes_of_directories_and_of_unlinked_files(pair):
    os.setxattr(pair.live, "user.folder", b"yes")
    assert os.getxattr(pair.backing, "user.folder") == b"yes"
    with open(pair.live / "file", "w") as stream:
        os.unlink(pair.live / "file")
        os.setxattr(stream.fileno(), "user.gone", b"still")
        assert os.getxattr(stream.fileno(), "user.gone") == b"still"


@root
def test_what_another_user_makes_is_theirs(pair):
    os.chmod(pair.live, 0o777)
    as_nobody(
        lambda: (
            (pair.live / "file").touch(),
            (pair.live / "folder").mkdir(),
            (pair.live / "link").symlink_to("x"),
            os.mkfifo(pair.live / "fifo"),
        )
    )
    for name in ("file", "folder", "link", "fifo"):
        found = os.lstat(pair.backing / name)
        assert (found.st_uid, found.st_gid) == (NOBODY, NOBODY), name


@root
def test_a_set_group_id_directory_hands_its_group_down(pair):
    os.chown(pair.live, 0, 4242)
    os.chmod(pair.live, 0o2777)
    as_nobody(lambda: ((pair.live / "file").touch(), (pair.live / "folder").mkdir()))
    assert (pair.backing / "file").stat().st_gid == 4242
    folder = (pair.backing / "folder").stat()
    assert (folder.st_uid, folder.st_gid, bool(folder.st_mode & stat.S_ISGID)) == (NOBODY, 4242, True)


@root
def test_writing_truncating_and_chown_clear_set_user_id_as_linux_does(pair):
    os.chmod(pair.live, 0o777)
    for name in ("written", "truncated", "owned"):
        (pair.live / name).write_text("program")
        os.chmod(pair.live / name, 0o6777)
    as_nobody(lambda: os.pwrite(os.open(pair.live / "written", os.O_WRONLY), b"x", 0))
    as_nobody(lambda: os.truncate(pair.live / "truncated", 1))
    os.chown(pair.live / "owned", NOBODY, NOBODY)
    for name in ("written", "truncated", "owned"):
        assert stat.S_IMODE((pair.live / name).stat().st_mode) == 0o777, name
        assert stat.S_IMODE((pair.backing / name).stat().st_mode) == 0o777, name


@root
def test_root_keeps_set_user_id_when_it_truncates_but_not_when_it_writes(pair):
    """Who writes is not told to a file system, and root may have handed its descriptor to anybody."""
    path = pair.live / "file"
    path.write_text("xyz")
    os.chmod(path, 0o4755)
    os.truncate(path, 2)
    assert stat.S_IMODE((pair.backing / "file").stat().st_mode) == 0o4755
    path.write_text("x")
    assert stat.S_IMODE((pair.backing / "file").stat().st_mode) == 0o755


@root
def test_another_user_is_kept_from_what_is_not_theirs(pair):
    (pair.live / "secret").write_text("mine")
    os.chmod(pair.live / "secret", 0o600)
    os.mkdir(pair.live / "sticky")
    os.chmod(pair.live / "sticky", 0o1777)
    (pair.live / "sticky/file").write_text("x")
    os.chmod(pair.live, 0o755)
    attempts = (
        lambda: os.open(pair.live / "secret", os.O_RDONLY),
        lambda: os.open(pair.live / "secret", os.O_WRONLY | os.O_TRUNC),
        lambda: os.open(pair.live / "new", os.O_CREAT | os.O_WRONLY),
        lambda: os.unlink(pair.live / "sticky/file"),
        lambda: os.chmod(pair.live / "secret", 0o666),
    )
    assert as_nobody(lambda: [refused(attempt) for attempt in attempts]) == str([True] * 5)


@root
def test_a_file_from_behind_the_mount_cannot_be_taken_by_creating_it(pair):
    """The kernel believes that the name is free: creating it must not open somebody else's file."""
    os.chmod(pair.live, 0o777)
    path, (ready, go) = pair.live / "late", os.pipe()

    def act():
        assert not path.exists()
        os.write(go, b".")
        while not (pair.backing / "late").exists():
            os.sched_yield()
        return refused(lambda: os.open(path, os.O_CREAT | os.O_RDWR))

    if os.fork() == 0:
        os.read(ready, 1)
        before = os.umask(0o077)
        (pair.backing / "late").write_text("private")
        os._exit(before and 0)
    assert as_nobody(act) == "True"
    os.wait()
    os.close(ready)
    os.close(go)
