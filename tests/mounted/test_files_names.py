"""/files: what is done to names does in the mount what it does on a disk, and the folder agrees."""

import ctypes
import errno
import os
import stat

import pytest

NOREPLACE, EXCHANGE = 1, 2
libc = ctypes.CDLL(None, use_errno=True)


def renameat2(old, new, flags):
    if libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), flags):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def number(path):
    return os.lstat(path).st_ino


def test_hard_links_are_one_file(pair):
    one, two = pair.live / "one", pair.live / "two"
    one.write_bytes(b"first")
    os.link(one, two)
    assert number(one) == number(two)
    assert one.stat().st_nlink == 2
    two.write_bytes(b"second")
    assert one.read_bytes() == b"second"
    one.unlink()
    assert two.stat().st_nlink == 1
    assert (pair.backing / "two").read_bytes() == b"second"


def test_an_unlinked_file_lives_until_it_is_closed(pair):
    path = pair.live / "file"
    with open(path, "w+b") as stream:
        stream.write(b"before")
        stream.flush()
        path.unlink()
        stream.write(b" after")
        stream.flush()
        os.fchmod(stream.fileno(), 0o600)
        stream.seek(0)
        assert stream.read() == b"before after"
        found = os.fstat(stream.fileno())
        assert (found.st_nlink, found.st_size, stat.S_IMODE(found.st_mode)) == (0, 12, 0o600)
    assert os.listdir(pair.backing) == []


def test_a_new_file_is_never_taken_for_the_one_that_was_unlinked(pair):
    path = pair.live / "file"
    for turn in range(50):
        path.write_bytes(b"%d" % turn)
        with open(path, "rb") as stream:
            path.unlink()
            path.write_bytes(b"the next")
            assert stream.read() == b"%d" % turn
            assert os.fstat(stream.fileno()).st_ino != number(path)
        assert path.read_bytes() == b"the next"
        path.unlink()


def test_renaming_over_an_open_file_leaves_its_reader_the_old_content(pair):
    old, new = pair.live / "old", pair.live / "new"
    old.write_bytes(b"old content")
    new.write_bytes(b"new content")
    with open(old, "rb") as stream:
        os.rename(new, old)
        assert stream.read() == b"old content"
        assert os.fstat(stream.fileno()).st_nlink == 0
    assert old.read_bytes() == b"new content"
    assert os.listdir(pair.backing) == ["old"]


def test_an_open_file_follows_its_rename(pair):
    (pair.live / "a").mkdir()
    (pair.live / "b").mkdir()
    with open(pair.live / "a/file", "w") as stream:
        stream.write("one")
        stream.flush()
        os.rename(pair.live / "a/file", pair.live / "b/renamed")
        stream.write(" two")
        stream.flush()
        assert os.fstat(stream.fileno()).st_size == 7
    assert (pair.backing / "b/renamed").read_text() == "one two"


def test_what_is_below_a_directory_moves_with_it(pair):
    deep = pair.live / "a/b/c"
    deep.mkdir(parents=True)
    (deep / "file").write_text("here")
    before = number(deep / "file")
    os.rename(pair.live / "a", pair.live / "z")
    assert (pair.live / "z/b/c/file").read_text() == "here"
    assert number(pair.live / "z/b/c/file") == before
    assert not (pair.live / "a").exists()
    (pair.live / "z/b/c/more").write_text("x")
    assert sorted(os.listdir(pair.backing / "z/b/c")) == ["file", "more"]


def test_a_working_directory_follows_a_rename(pair):
    (pair.live / "a/b").mkdir(parents=True)
    fd = os.open(pair.live / "a/b", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.rename(pair.live / "a", pair.live / "moved")
        with open(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd), "w") as stream:
            stream.write("found")
    finally:
        os.close(fd)
    assert (pair.backing / "moved/b/file").read_text() == "found"


def test_a_removed_directory_that_is_still_open_is_empty_and_refuses_new_names(pair):
    path = pair.live / "gone"
    path.mkdir()
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        path.rmdir()
        assert os.fstat(fd).st_nlink == 0
        assert os.listdir(fd) == []
        with pytest.raises(FileNotFoundError):
            os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    finally:
        os.close(fd)


def test_rename_noreplace_refuses_to_overwrite(pair):
    one, two = pair.live / "one", pair.live / "two"
    one.write_text("1")
    two.write_text("2")
    with pytest.raises(FileExistsError):
        renameat2(one, two, NOREPLACE)
    renameat2(one, pair.live / "three", NOREPLACE)
    assert sorted(os.listdir(pair.backing)) == ["three", "two"]


def test_rename_exchange_swaps_a_file_and_a_directory(pair):
    (pair.live / "folder").mkdir()
    (pair.live / "folder/inside").write_text("in")
    (pair.live / "file").write_text("f")
    renameat2(pair.live / "file", pair.live / "folder", EXCHANGE)
    assert (pair.live / "folder").read_text() == "f"
    assert (pair.live / "file/inside").read_text() == "in"
    assert (pair.backing / "file").is_dir()


def test_renaming_a_hard_link_to_its_other_name_does_nothing(pair):
    (pair.live / "one").write_text("x")
    os.link(pair.live / "one", pair.live / "two")
    os.rename(pair.live / "one", pair.live / "two")
    assert sorted(os.listdir(pair.live)) == sorted(os.listdir(pair.backing)) == ["one", "two"]


def test_symlinks_are_shown_as_they_are_and_loops_end(pair):
    os.symlink("../../outside", pair.live / "out")
    os.symlink("loop", pair.live / "loop")
    os.symlink(b"caf\xe9", os.fsencode(pair.live / "bytes"))
    assert os.readlink(pair.live / "out") == "../../outside"
    assert os.readlink(os.fsencode(pair.live / "bytes")) == b"caf\xe9"
    with pytest.raises(OSError) as caught:
        (pair.live / "loop").read_bytes()
    assert caught.value.errno == errno.ELOOP


@pytest.mark.parametrize(
    "name", [b"n" * 255, b"caf\xe9 \xff\xfe", b"new\nline", b"-rf", b" ", "日本語".encode() * 28]
)
def test_any_name_a_disk_takes_is_taken(pair, name):
    path = os.path.join(os.fsencode(pair.live), name)
    with open(path, "wb") as stream:
        stream.write(b"x")
    assert os.listdir(os.fsencode(pair.live)) == os.listdir(os.fsencode(pair.backing)) == [name]
    os.rename(path, path[:-1] + b"x")
    os.unlink(path[:-1] + b"x")
    assert os.listdir(pair.backing) == []


def test_a_name_that_is_too_long_is_refused(pair):
    with pytest.raises(OSError) as caught:
        (pair.live / ("n" * 256)).write_text("x")
    assert caught.value.errno == errno.ENAMETOOLONG


def test_fifos_and_sockets_are_files(pair):
    os.mkfifo(pair.live / "fifo", 0o640)
    os.mknod(pair.live / "socket", stat.S_IFSOCK | 0o600)
    assert stat.S_ISFIFO(os.stat(pair.backing / "fifo").st_mode)
    assert stat.S_ISSOCK(os.stat(pair.live / "socket").st_mode)
    reader = os.open(pair.live / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    with open(pair.live / "fifo", "wb", buffering=0) as writer:
        writer.write(b"through")
    assert os.read(reader, 10) == b"through"
    os.close(reader)


def test_removing_what_is_not_empty_or_not_there_is_refused(pair):
    (pair.live / "full/inside").mkdir(parents=True)
    with pytest.raises(OSError) as caught:
        (pair.live / "full").rmdir()
    assert caught.value.errno == errno.ENOTEMPTY
    with pytest.raises(FileNotFoundError):
        (pair.live / "absent").unlink()
    with pytest.raises(IsADirectoryError):
        (pair.live / "full").unlink()
    with pytest.raises(NotADirectoryError):
        (pair.live / "f").write_text("x")
        (pair.live / "f").rmdir()


def test_nothing_can_be_renamed_between_files_and_another_row(pair):
    (pair.live / "file").write_text("x")
    with pytest.raises(OSError) as caught:
        os.rename(pair.live / "file", pair.mounted.path / "elsewhere")
    assert caught.value.errno == errno.EXDEV
