"""/files: what the mount hides, refuses and leaves as it was."""

import errno
import os

import pytest


def test_the_state_folder_is_not_there_and_cannot_be_made(mount, tmp_path):
    mounted = mount(tmp_path / "folder", conf="[index]\nenabled = no\n")
    assert (mounted.folder / ".lsfs").is_dir()
    assert ".lsfs" not in os.listdir(mounted.files)
    assert not (mounted.files / ".lsfs").exists()
    (mounted.files / "file").write_text("x")
    (mounted.files / "folder").mkdir()
    for attempt in (
        lambda: (mounted.files / ".lsfs").mkdir(),
        lambda: (mounted.files / ".lsfs").write_text("x"),
        lambda: os.rename(mounted.files / "file", mounted.files / ".lsfs"),
        lambda: os.link(mounted.files / "file", mounted.files / ".lsfs"),
    ):
        with pytest.raises(PermissionError) as caught:
            attempt()
        assert caught.value.errno == errno.EPERM
    (mounted.files / "folder/.lsfs").write_text("an ordinary name anywhere else")
    assert (mounted.folder / "folder/.lsfs").exists()


def test_a_read_only_mount_refuses_every_change(mount, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("x")
    (folder / "sub").mkdir()
    mounted = mount(folder, "--read-only", conf="[index]\nenabled = no\n")
    path = mounted.files / "file"
    for attempt in (
        lambda: path.write_text("y"),
        lambda: os.open(path, os.O_RDWR),
        lambda: (mounted.files / "new").write_text("y"),
        lambda: (mounted.files / "new").mkdir(),
        lambda: path.unlink(),
        lambda: (mounted.files / "sub").rmdir(),
        lambda: os.rename(path, mounted.files / "other"),
        lambda: os.link(path, mounted.files / "other"),
        lambda: os.symlink("x", mounted.files / "other"),
        lambda: os.chmod(path, 0o600),
        lambda: os.utime(path, (1, 1)),
        lambda: os.truncate(path, 0),
        lambda: os.setxattr(path, "user.x", b"1"),
    ):
        with pytest.raises(OSError) as caught:
            attempt()
        assert caught.value.errno == errno.EROFS
    assert path.read_text() == (folder / "file").read_text() == "x"


def test_inode_numbers_are_those_of_the_folder(pair):
    """So that git's index, and whatever else remembers them, outlives a remount."""
    (pair.live / "file").touch()
    assert os.stat(pair.live / "file").st_ino == os.stat(pair.backing / "file").st_ino


def test_no_descriptor_is_left_open(pair):
    def held():
        return len(os.listdir(f"/proc/{pid}/fd"))

    pid = pair.mounted.pid
    folders = [pair.live / f"folder{number}" for number in range(20)]
    for folder in folders:
        folder.mkdir()
        os.listdir(folder)
    before = held()
    for turn in range(200):
        path = folders[turn % 20] / f"file{turn}"
        with open(path, "w") as stream:
            stream.write("x")
        os.listdir(path.parent)
        os.setxattr(path, "user.x", b"1")
        path.unlink()
    pair.mounted.until(held, lambda now: now <= before + 2)
