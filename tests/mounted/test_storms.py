"""What no user chooses: a full disk, a folder that goes away, thousands of files open, many processes, signals. The right errno, no hang,
and nothing left behind in the daemon."""

import errno
import mmap
import multiprocessing
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from mounted_helpers import PATIENCE, as_nobody, code, reachable, root

NO_INDEX = "[index]\nenabled = no\n"
PAGE = 4096


def descriptors(pid):
    """How many files the daemon holds open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    """MiB of memory that the daemon occupies."""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


@pytest.fixture
def disk(tmp_path):
    """A disk of 4 MiB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4M,mode=755", "lsfs-test", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def on_disk(disk, mount, tmp_path):
    """A mount over that disk, its state elsewhere."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "lsfs.conf").write_text(NO_INDEX)
    mounted = mount(disk, "--state", os.fspath(state))
    yield mounted
    mounted.umount()


# --- The disk


@root
def test_a_full_disk_refuses_the_write_and_takes_the_next_after_room_was_made(on_disk):
    path = on_disk.files / "big"
    with open(path, "wb", buffering=0) as stream:
        with pytest.raises(OSError) as caught:
            while True:
                stream.write(bytes(1 << 18))
        assert caught.value.errno == errno.ENOSPC
    assert path.stat().st_size == (on_disk.folder / "big").stat().st_size > 3 << 20
    assert code((on_disk.files / "small").write_bytes, b"x" * PAGE) == "ENOSPC"
    os.unlink(path)
    (on_disk.files / "small").write_bytes(b"x" * PAGE)
    assert (on_disk.folder / "small").read_bytes() == b"x" * PAGE


@root
def test_a_mapping_that_finds_no_room_says_so_when_it_is_synced(on_disk):
    with open(on_disk.files / "sparse", "wb+") as stream:
        stream.truncate(8 << 20)
        with mmap.mmap(stream.fileno(), 8 << 20) as mapped:
            mapped[:] = b"x" * (8 << 20)
            assert code(mapped.flush) in ("ENOSPC", "EIO")
    os.unlink(on_disk.files / "sparse")
    (on_disk.files / "small").write_text("room again")


@root
def test_a_disk_that_becomes_read_only_is_read_on(on_disk):
    (on_disk.files / "file").write_text("kept")
    subprocess.run(["mount", "-o", "remount,ro", on_disk.folder], check=True)
    assert (on_disk.files / "file").read_text() == "kept"
    assert code((on_disk.files / "file").write_text, "x") == "EROFS"
    assert code((on_disk.files / "new").mkdir) == "EROFS"
    assert code(os.unlink, on_disk.files / "file") == "EROFS"
    subprocess.run(["mount", "-o", "remount,rw", on_disk.folder], check=True)
    (on_disk.files / "file").write_text("written again")
    assert (on_disk.folder / "file").read_text() == "written again"


def test_a_folder_that_is_removed_behind_the_mount_is_empty_and_takes_nothing(mount, tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "lsfs.conf").write_text(NO_INDEX)
    mounted = mount(None, "--state", os.fspath(state))
    (mounted.folder / "file").write_text("x")
    with open(mounted.files / "file") as held:
        shutil.rmtree(mounted.folder)
        mounted.until(lambda: os.listdir(mounted.files) == [])
        assert held.read() == "x"
    assert code((mounted.files / "file").read_text) == "ENOENT"
    assert code((mounted.files / "new").write_text, "y") == "ENOENT"
    assert mounted.status()["pid"]
    mounted.folder.mkdir()


@root
def test_a_closed_part_of_the_folder_is_closed_and_the_rest_is_not(mount):
    mounted = mount(None, "--allow-other", conf=NO_INDEX)
    os.chmod(mounted.folder, 0o755)
    for name in ("open", "closed"):
        (mounted.folder / name).mkdir()
        (mounted.folder / name / "file").write_text("x")
    os.chmod(mounted.folder / "closed", 0o700)
    reachable(mounted.path)
    assert as_nobody((mounted.files / "open/file").read_text) == "x"
    assert as_nobody(lambda: code((mounted.files / "closed/file").read_text)) == "EACCES"
    assert as_nobody(lambda: code(os.listdir, mounted.files / "closed")) == "EACCES"
    assert (mounted.files / "closed/file").read_text() == "x"


# --- Many at once


def test_ten_thousand_files_are_open_at_once(pair):
    count = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 200:
        pytest.skip(f"this machine lets a process open {hard} files")
    pid = pair.mounted.pid
    before = descriptors(pid)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    try:
        for number in range(count):
            held.append(os.open(pair.live / f"file{number}", os.O_CREAT | os.O_RDWR))
        for number in (0, count // 2, count - 1):
            os.write(held[number], b"x")
            assert (pair.backing / f"file{number}").read_text() == "x"
        (pair.live / "folder").mkdir()  # and there is room for what else is to be done
        assert os.listdir(pair.live / "folder") == []
    finally:
        for fd in held:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    pair.mounted.until(lambda: descriptors(pid), lambda now: now <= before + 300)


def test_a_directory_of_a_hundred_thousand_entries_is_listed_and_forgotten(pair):
    folder, count = pair.backing / "many", 100_000
    pid = pair.mounted.pid
    held = []
    for _ in range(2):  # the second time finds its memory where the first was
        folder.mkdir()
        at = os.open(folder, os.O_RDONLY)
        for number in range(count):
            os.mknod(f"entry-{number:06d}", dir_fd=at)
        os.close(at)
        with os.scandir(pair.live / "many") as entries:
            names = [entry.name for entry in entries if entry.stat(follow_symlinks=False).st_size == 0]
        assert len(names) == len(set(names)) == count
        held.append(resident(pid))
        shutil.rmtree(folder)
        pair.mounted.until((pair.live / "many").exists, lambda there: not there)
    assert held[1] < held[0] + 60


def _work(folder, seed, rounds):
    """One process of a storm: everything that is done to files, in a folder of its own and in one of all."""
    chooser = random.Random(seed)
    own = f"{folder}/own{seed}"
    os.mkdir(own)
    for number in range(rounds):
        name = f"{own}/{number}"
        with open(name, "w+") as stream:
            stream.write("x" * chooser.randrange(5000))
            stream.flush()
            os.fstat(stream.fileno())
        os.rename(name, name + "~")
        os.link(name + "~", name)
        os.chmod(name, 0o600)
        os.setxattr(name, "user.round", str(number).encode())
        os.listdir(own)
        os.truncate(name, 10)
        assert os.stat(name + "~").st_size == 10
        with open(f"{folder}/all", "a") as stream:
            stream.write(f"{seed} {number}\n")
        os.unlink(name + "~")
        if number % 3:
            os.unlink(name)


def test_sixty_four_processes_at_once_leave_what_they_should_and_nothing_else(pair):
    pid, count, rounds = pair.mounted.pid, 64, 20
    before = descriptors(pid)
    start = multiprocessing.get_context("fork")
    workers = [
        start.Process(target=_work, args=(os.fspath(pair.live), seed, rounds)) for seed in range(count)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
        assert worker.exitcode == 0
    lines = (pair.backing / "all").read_text().splitlines()
    assert sorted(lines) == sorted(f"{seed} {number}" for seed in range(count) for number in range(rounds))
    for seed in range(count):
        assert sorted(os.listdir(pair.live / f"own{seed}")) == sorted(str(n) for n in range(0, rounds, 3))
    pair.mounted.until(lambda: descriptors(pid), lambda now: now <= before + count + 50)


def test_signals_during_every_operation_change_nothing(pair):
    heard = []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        _work(os.fspath(pair.live), 1, 150)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(heard) > 20
    assert len((pair.live / "all").read_text().splitlines()) == 150


def test_processes_that_are_killed_in_the_middle_of_anything_leave_no_descriptor(pair):
    pid = pair.mounted.pid
    before = descriptors(pid)
    program = (
        "import os, sys\nsys.path.insert(0, sys.argv[2])\nfrom test_storms import _work\n"
        "for seed in range(10 ** 6):\n    _work(sys.argv[1], f'{os.getpid()}-{seed}', 5)\n"
    )
    here = os.fspath(pathlib.Path(__file__).parent)
    path = os.pathsep.join([here, os.path.dirname(here)])
    chooser = random.Random(1)
    for _ in range(5):
        killed = [
            subprocess.Popen(
                [sys.executable, "-c", program, pair.live, here], env={**os.environ, "PYTHONPATH": path}
            )
            for _ in range(4)
        ]
        pair.mounted.until(lambda: len(os.listdir(pair.live)), lambda made: made > 1)
        threading.Event().wait(chooser.random() / 5)  # anywhere in their work
        for process in killed:
            process.kill()
            process.wait(PATIENCE)
        shutil.rmtree(pair.live)
        pair.live.mkdir()
    pair.mounted.until(lambda: descriptors(pid), lambda now: now <= before + 50)
    (pair.live / "after").write_text("served as ever")
