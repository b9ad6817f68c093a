"""Opening below a folder: whatever stands in the path, the folder is never left."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsfs import beneath
from lsfs.beneath import open_beneath, open_regular, stat_beneath


@pytest.fixture(params=["openat2", "walk"])
def root(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[int, Path]]:
    """A folder's O_PATH descriptor, once with openat2 and once without it."""
    monkeypatch.setattr(beneath, "_missing", request.param == "walk")
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    yield fd, folder
    os.close(fd)


def code(call, *args, **kwargs) -> int:  # type: ignore[no-untyped-def]
    with pytest.raises(OSError) as caught:
        call(*args, **kwargs)
    assert caught.value.errno is not None
    return caught.value.errno


def test_a_file_is_read_and_its_descriptor_closes_on_exec(root: tuple[int, Path]) -> None:
    fd, folder = root
    (folder / "a").mkdir()
    (folder / "a/b").write_text("hello")
    opened = open_beneath(fd, b"a/b", os.O_RDONLY)
    assert os.read(opened, 10) == b"hello"
    assert not os.get_inheritable(opened)
    os.close(opened)


def test_the_empty_path_is_the_folder(root: tuple[int, Path]) -> None:
    fd, folder = root
    (folder / "x").touch()
    opened = open_beneath(fd, b"", os.O_RDONLY | os.O_DIRECTORY)
    assert os.listdir(opened) == ["x"]
    os.close(opened)
    assert stat_beneath(fd, b"").st_ino == folder.stat().st_ino


def test_nothing_leads_out(root: tuple[int, Path]) -> None:
    fd, folder = root
    (folder / "up").symlink_to("..")
    (folder / "link").symlink_to("../outside")
    (folder / "d").mkdir()
    assert code(open_beneath, fd, b"link", os.O_RDONLY) == errno.ELOOP
    assert code(open_beneath, fd, b"up/outside", os.O_RDONLY) == errno.ELOOP
    assert code(open_beneath, fd, b"up", os.O_RDONLY | os.O_DIRECTORY) in (errno.ELOOP, errno.ENOTDIR)
    assert code(open_beneath, fd, b"../outside", os.O_RDONLY) == errno.EXDEV
    assert code(open_beneath, fd, b"d/../../outside", os.O_RDONLY) == errno.EXDEV
    assert code(open_beneath, fd, os.fsencode(folder.parent / "outside"), os.O_RDONLY) == errno.EXDEV
    assert code(open_beneath, fd, b"/proc/self/root/etc/passwd", os.O_RDONLY) == errno.EXDEV
    assert code(open_beneath, fd, b"link", os.O_PATH) == errno.ELOOP


def test_stat_describes_a_last_symlink_and_refuses_one_on_the_way(root: tuple[int, Path]) -> None:
    fd, folder = root
    (folder / "link").symlink_to("nowhere")
    (folder / "up").symlink_to("..")
    assert stat.S_ISLNK(stat_beneath(fd, b"link").st_mode)
    assert code(stat_beneath, fd, b"up/outside") == errno.ELOOP
    assert code(stat_beneath, fd, b"missing") == errno.ENOENT


def test_errors_are_those_of_open(root: tuple[int, Path]) -> None:
    fd, folder = root
    (folder / "file").touch()
    assert code(open_beneath, fd, b"none", os.O_RDONLY) == errno.ENOENT
    assert code(open_beneath, fd, b"file/x", os.O_RDONLY) == errno.ENOTDIR
    assert code(open_beneath, fd, b"a\0b", os.O_RDONLY) == errno.EINVAL
    assert code(open_beneath, fd, b"n" * 256, os.O_RDONLY) == errno.ENAMETOOLONG
    assert code(open_beneath, fd, b"file", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600) == errno.EEXIST
    assert code(open_beneath, fd, b"", os.O_RDWR) == errno.EISDIR


def test_a_file_is_created_with_its_mode(root: tuple[int, Path]) -> None:
    fd, folder = root
    os.close(open_beneath(fd, b"new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640))
    assert stat.S_IMODE((folder / "new").stat().st_mode) == 0o640 & ~_umask()


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_names_need_not_be_utf8(root: tuple[int, Path]) -> None:
    fd, folder = root
    name = b"\xff\xfe caf\xe9\n"
    with open(os.path.join(os.fsencode(folder), name), "wb") as out:
        out.write(b"x")
    assert stat_beneath(fd, name).st_size == 1


def test_paths_longer_than_path_max_are_reached(root: tuple[int, Path]) -> None:
    fd, _ = root
    name, depth = b"d" * 200, 30
    here = os.dup(fd)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_PATH | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    made = os.open(b"deep", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=here)
    os.write(made, b"down")
    os.close(made)
    os.close(here)
    path = b"/".join([name] * depth + [b"deep"])
    assert len(path) > 4096
    assert stat_beneath(fd, path).st_size == 4
    opened, _ = open_regular(fd, path)
    assert os.read(opened, 9) == b"down"
    os.close(opened)


def test_fifos_sockets_folders_and_links_are_not_opened_as_regular(root: tuple[int, Path]) -> None:
    fd, folder = root
    os.mkfifo(folder / "fifo")
    (folder / "dir").mkdir()
    (folder / "link").symlink_to("loop")
    assert code(open_regular, fd, b"fifo") == errno.ENXIO
    assert code(open_regular, fd, b"dir") == errno.ENXIO
    assert code(open_regular, fd, b"link") == errno.ELOOP


def test_another_device_is_refused_when_asked() -> None:
    fd = os.open("/", os.O_PATH | os.O_DIRECTORY)
    try:
        assert code(stat_beneath, fd, b"proc/self/status", xdev=False) in (errno.EXDEV, errno.ELOOP)
        assert code(open_beneath, fd, b"proc", os.O_RDONLY, xdev=False) == errno.EXDEV
        assert stat_beneath(fd, b"proc").st_ino
    finally:
        os.close(fd)


def test_no_descriptor_is_left_behind(root: tuple[int, Path]) -> None:
    fd, folder = root
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/f").touch()
    (folder / "a/l").symlink_to("b")
    before = len(os.listdir("/proc/self/fd"))
    for path in (b"a/b/f", b"a/l/f", b"a/b/none", b"a/l"):
        try:
            os.close(open_beneath(fd, path, os.O_RDONLY))
        except OSError as error:
            assert error.errno in (errno.ELOOP, errno.ENOENT)
        stat_beneath(fd, b"a/b/f")
    assert len(os.listdir("/proc/self/fd")) == before
