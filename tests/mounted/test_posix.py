"""/files does what a local disk does: locks, notifications, access control lists, sticky folders, devices; and says so where it cannot."""

import ctypes
import errno
import fcntl
import os
import select
import socket
import stat
import struct
import time

import pytest
from inotify_simple import INotify, flags
from mounted_helpers import EVERY, acl, as_nobody, code, refused, root

OFD_SETLK = 37  # fcntl(2); Python has no name for it
FS_IOC_GETFLAGS = 0x80086601
libc = ctypes.CDLL(None, use_errno=True)


def in_another_process(act):
    """What *act* returns in a fork, as text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, str(act()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said


# --- Locks


@pytest.mark.parametrize("kind", ["flock", "fcntl", "ofd"])
def test_a_lock_keeps_another_process_out_until_it_is_closed(pair, kind):
    path = pair.live / "locked"
    path.write_text("x" * 100)
    whole = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)

    def lock(fd):
        if kind == "flock":
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif kind == "fcntl":
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            fcntl.fcntl(fd, OFD_SETLK, whole)

    def attempt():
        with open(path, "r+") as other:
            return code(lock, other.fileno())

    with open(path, "r+") as held:
        lock(held.fileno())
        assert in_another_process(attempt) == "EAGAIN"
    assert in_another_process(attempt) == ""


def test_two_processes_lock_different_ranges_of_a_file(pair):
    path = pair.live / "ranges"
    path.write_text("x" * 100)

    def attempt(start):
        with open(path, "r+") as other:
            return code(fcntl.lockf, other, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, start)

    with open(path, "r+") as held:
        fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 0)
        assert in_another_process(lambda: attempt(5)) == "EAGAIN"
        assert in_another_process(lambda: attempt(10)) == ""


# --- Notifications


def test_whoever_watches_the_mount_hears_what_is_done_through_it(pair):
    (pair.live / "old").write_text("x")
    with INotify() as watch:
        watch.add_watch(
            pair.live, flags.CREATE | flags.CLOSE_WRITE | flags.MOVED_FROM | flags.MOVED_TO | flags.DELETE
        )
        (pair.live / "new").write_text("y")
        os.rename(pair.live / "new", pair.live / "moved")
        os.unlink(pair.live / "old")
        heard = [(event.name, event.mask) for event in watch.read(timeout=5000)]
    assert heard == [
        ("new", flags.CREATE), ("new", flags.CLOSE_WRITE), ("new", flags.MOVED_FROM), ("moved", flags.MOVED_TO), ("old", flags.DELETE),
    ]  # fmt: skip


def test_a_fifo_and_a_socket_carry_what_is_sent(pair):
    os.mkfifo(pair.live / "fifo")
    reader = os.open(pair.live / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(pair.live / "fifo", os.O_WRONLY)
    os.write(writer, b"through a fifo")
    assert os.read(reader, 100) == b"through a fifo"
    os.close(reader)
    os.close(writer)
    here = os.getcwd()
    os.chdir(pair.live)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind("socket")
            server.listen()
            client.connect("socket")
            client.sendall(b"through a socket")
            assert server.accept()[0].recv(100) == b"through a socket"
    finally:
        os.chdir(here)


def test_an_open_file_can_be_polled(pair):
    with open(pair.live / "polled", "w+") as stream:
        assert select.select([stream], [stream], [], 0) == ([stream], [stream], [])


# --- Who may


@root
def test_an_access_control_list_opens_and_closes_a_file(pair):
    path = pair.live / "listed"
    path.write_text("for nobody else")
    path.chmod(0o600)
    assert as_nobody(lambda: refused(path.read_text)) == "True"
    listed = acl((1, 6, EVERY), (2, 4, 65534), (4, 0, EVERY), (16, 4, EVERY), (32, 0, EVERY))
    os.setxattr(path, "system.posix_acl_access", listed)
    assert as_nobody(path.read_text) == "for nobody else"
    assert os.getxattr(pair.backing / "listed", "system.posix_acl_access") == listed
    os.removexattr(path, "system.posix_acl_access")
    assert as_nobody(lambda: refused(path.read_text)) == "True"


@root
def test_who_is_not_in_the_group_and_sets_a_list_takes_set_group_id(pair):
    for gid, kept in ((65534, True), (4020, False)):
        path = pair.live / f"file{gid}"
        path.touch()
        os.chown(path, 65534, gid)
        path.chmod(0o2777)
        listed = acl((1, 7, EVERY), (4, 7, EVERY), (32, 7, EVERY))
        as_nobody(lambda path=path, listed=listed: os.setxattr(path, "system.posix_acl_access", listed))
        assert bool(path.stat().st_mode & stat.S_ISGID) is kept


@root
def test_a_default_access_control_list_is_handed_down(pair):
    folder = pair.live / "folder"
    folder.mkdir()
    listed = acl((1, 7, EVERY), (2, 5, 65534), (4, 5, EVERY), (16, 5, EVERY), (32, 0, EVERY))
    os.setxattr(folder, "system.posix_acl_default", listed)
    (folder / "below").mkdir(mode=0o777)
    assert os.getxattr(folder / "below", "system.posix_acl_default") == listed
    (folder / "file").write_text("read by nobody, too")
    assert as_nobody((folder / "file").read_text) == "read by nobody, too"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o722])
def test_where_a_default_list_is_the_umask_is_not_asked(pair, umask):
    def modes(folder):
        before = os.umask(umask)
        try:
            (folder / "file").touch(mode=0o666)
            (folder / "folder").mkdir(mode=0o777)
            os.mkfifo(folder / "fifo", 0o666)
            return [stat.S_IMODE((folder / name).stat().st_mode) for name in ("file", "folder", "fifo")]
        finally:
            os.umask(before)

    listed = acl((1, 6, EVERY), (4, 7, EVERY), (32, 5, EVERY))
    for name in ("plain", "listed"):
        live, native = pair.live / name, pair.backing / f"native-{name}"
        for folder in (live, native):
            folder.mkdir()
            if name == "listed":
                os.setxattr(folder, "system.posix_acl_default", listed)
        assert modes(live) == modes(native)


@root
def test_in_a_sticky_folder_only_the_owner_of_a_file_removes_it(pair):
    shared = pair.live / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "of-root").write_text("x")
    as_nobody(lambda: (shared / "of-nobody").write_text("y"))
    assert as_nobody(lambda: code(os.unlink, shared / "of-root")) == "EPERM"
    assert as_nobody(lambda: code(os.rename, shared / "of-root", shared / "mine")) == "EPERM"
    assert as_nobody(lambda: code(os.unlink, shared / "of-nobody")) == ""


@root
def test_device_nodes_can_be_made_and_are_not_opened(pair):
    path = pair.live / "device"
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    found = path.stat()
    assert stat.S_ISCHR(found.st_mode) and found.st_rdev == os.makedev(1, 3)
    assert (pair.backing / "device").stat().st_rdev == os.makedev(1, 3)
    assert code(path.read_bytes) == "EACCES"  # the mount is nodev, as all FUSE mounts are
    assert as_nobody(lambda: code(os.mknod, pair.live / "other", stat.S_IFCHR, os.makedev(1, 3))) != ""


@root
def test_trusted_attributes_are_for_root(pair):
    path = pair.live / "file"
    path.write_text("x")
    path.chmod(0o666)
    os.setxattr(path, "trusted.secret", b"1")
    assert os.getxattr(pair.backing / "file", "trusted.secret") == b"1"
    assert as_nobody(lambda: code(os.getxattr, path, "trusted.secret")) == "ENODATA"
    assert as_nobody(lambda: code(os.setxattr, path, "trusted.other", b"1")) == "EPERM"


@root
def test_a_descriptor_handed_to_another_user_does_not_keep_set_user_id(pair):
    path = pair.live / "tool"
    path.write_text("x")
    path.chmod(0o4755)
    with open(path, "r+") as stream:
        as_nobody(lambda: os.pwrite(stream.fileno(), b"evil", 0))
    assert stat.S_IMODE((pair.backing / "tool").stat().st_mode) == 0o755
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


@root
def test_the_mode_that_a_write_has_changed_is_seen_at_once(pair):
    path = pair.live / "tool"
    path.write_text("x")
    path.chmod(0o6777)
    assert stat.S_IMODE(path.stat().st_mode) == 0o6777

    def write():
        with open(path, "r+") as stream:
            stream.write("y")
            stream.flush()
            return oct(stat.S_IMODE(os.stat(path).st_mode))

    assert as_nobody(write) == oct(0o777)
    assert stat.S_IMODE(path.stat().st_mode) == 0o777


# --- What the disk promises


def test_a_directory_can_be_synced(pair):
    (pair.live / "folder").mkdir()
    fd = os.open(pair.live / "folder", os.O_RDONLY)
    try:
        os.fsync(fd)
        os.fdatasync(fd)
    finally:
        os.close(fd)


def test_times_move_as_on_a_disk(pair):
    folder, path = pair.live / "folder", pair.live / "folder/file"
    folder.mkdir()
    path.write_text("x")
    before, above = path.stat(), folder.stat()
    while time.time_ns() - before.st_ctime_ns < 10_000_000:  # until the clock of the disk has moved on
        os.sched_yield()
    path.chmod(0o600)
    assert path.stat().st_ctime_ns > before.st_ctime_ns and path.stat().st_mtime_ns == before.st_mtime_ns
    path.write_text("y")
    assert path.stat().st_mtime_ns > before.st_mtime_ns
    assert folder.stat().st_mtime_ns == above.st_mtime_ns
    os.rename(path, folder / "other")
    assert folder.stat().st_mtime_ns > above.st_mtime_ns


def test_what_fuse_does_not_carry_says_so(pair):
    path = pair.live / "file"
    path.write_bytes(bytes(10_000))
    fd = os.open(path, os.O_RDWR)
    try:
        assert code(os.open, pair.live, os.O_TMPFILE | os.O_RDWR) == "ENOTSUP"
        assert libc.fallocate(fd, 0, ctypes.c_long(0), ctypes.c_long(20_000)) == -1
        assert ctypes.get_errno() == errno.EOPNOTSUPP
        os.posix_fallocate(fd, 0, 20_000)  # the C library writes zeros instead
        assert os.fstat(fd).st_size == 20_000
        assert os.lseek(fd, 0, os.SEEK_HOLE) == 20_000 and os.lseek(fd, 5, os.SEEK_DATA) == 5
        assert code(fcntl.ioctl, fd, FS_IOC_GETFLAGS, bytes(8)) == "ENOTTY"
        assert code(os.setxattr, path, "security.capability", b"\1\0\0\2" + bytes(16)) == "ENOTSUP"
    finally:
        os.close(fd)


@pytest.mark.skipif(os.path.exists("/sys/fs/selinux/enforce"), reason="this machine has labels")
def test_a_label_is_not_supported_so_that_ls_asks_once(pair):
    (pair.live / "file").touch()
    assert code(os.getxattr, pair.live / "file", "security.selinux") == "ENOTSUP"
