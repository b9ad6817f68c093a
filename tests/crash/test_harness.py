"""The harnesses of the crash tests find what they are made to find, and blame nobody who did it right."""

import contextlib
import errno
import os
import pathlib
import sqlite3
import subprocess
import sys

import pytest
from block_log import PowerLoss
from failing_io import CALLS, KILL, LIE, Faults
from small_disk import SmallDisk, left_behind, loop_devices, missing

SEED = os.environ.get("LSFS_SEED", "1")
ROWS = 30
STATES = 60


@pytest.fixture
def power(tmp_path):
    """A factory of disks that can lose power; nothing of them is left after the test."""
    made: list[PowerLoss] = []

    @contextlib.contextmanager
    def factory(filesystem="ext4"):
        if reason := missing(filesystem):
            pytest.skip(reason)
        with PowerLoss(tmp_path, filesystem=filesystem) as disk:
            made.append(disk)
            yield disk

    yield factory
    for disk in made:
        assert not left_behind(tmp_path) + left_behind(disk.images)
        assert not disk.images.exists()


def commit_rows(path: pathlib.Path, synchronous: str, acknowledge) -> None:
    """Rows 0 to ROWS, a commit and an acknowledgement for each."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("pragma journal_mode = wal")
        database.execute(f"pragma synchronous = {synchronous}")
        database.execute("create table row (number integer primary key, text blob)")
        for number in range(ROWS):
            database.execute("insert into row values (?, randomblob(3000))", (number,))
            acknowledge(str(number))


def lost_rows(path: pathlib.Path, marks: list[str]) -> str:
    """What is wrong with the database after a power loss; "" when nothing is."""
    if not path.exists():
        return "no database" if marks else ""
    with contextlib.closing(sqlite3.connect(path)) as database:
        try:
            (said,) = database.execute("pragma integrity_check").fetchone()
            rows = {str(number) for (number,) in database.execute("select number from row")}
        except sqlite3.Error as error:
            return f"{error}" if marks else ""
    if said != "ok":
        return said
    lost = set(marks) - rows
    return f"lost {sorted(lost)}" if lost else ""


def losses(disk: PowerLoss, check, **choice) -> list[str]:
    """What `check(path, marks)` has to say of each power loss that it finds fault with."""
    found = []
    for state in disk.states(STATES, SEED, **choice):
        with state.mounted() as path:
            if said := check(path, state.marks):
                found.append(f"{said}: {state.told}")
    return found


@pytest.mark.parametrize("filesystem", ["ext4", "xfs"])
@pytest.mark.parametrize("sector", [512, 4096])
def test_a_database_that_syncs_loses_no_acknowledged_row(power, filesystem, sector):
    with power(filesystem) as disk:
        commit_rows(disk.path / "db", "full", disk.mark)
        assert losses(disk, lambda path, marks: lost_rows(path / "db", marks), sector=sector) == []


@pytest.mark.parametrize("filesystem", ["ext4", "xfs"])
def test_a_database_that_does_not_sync_is_found_out(power, filesystem):
    with power(filesystem) as disk:
        commit_rows(disk.path / "db", "off", disk.mark)
        assert losses(disk, lambda path, marks: lost_rows(path / "db", marks))


def test_a_database_whose_syncs_are_taken_away_is_found_out(power, tmp_path):
    """Nothing in the program is changed for this: it is how a crash test of another program shows that it discriminates."""
    with power() as disk:
        faults = Faults(tmp_path, disk.path)
        faults.arm("fsync", "fdatasync", at=1, error=LIE, for_good=True)
        script = "import sys, pathlib, test_harness as test; test.commit_rows(pathlib.Path(sys.argv[1]), 'full', print)"
        command = [sys.executable, "-u", "-c", script, os.fspath(disk.path / "db")]
        path = os.pathsep.join(sys.path + [os.path.dirname(__file__)])
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **faults.environment, "PYTHONPATH": path},
        ) as program:
            for line in program.stdout:
                disk.mark(line.strip())
        assert program.returncode == 0
        assert faults.seen >= ROWS
        assert losses(disk, lambda path, marks: lost_rows(path / "db", marks))


def save(path: pathlib.Path, text: str, sync: bool) -> None:
    """Write beside, rename over; the order of syncs is what makes it safe."""
    beside = path.with_suffix(".new")
    with open(beside, "w") as stream:
        stream.write(text)
        stream.flush()
        if sync:
            os.fsync(stream.fileno())
    os.rename(beside, path)
    if sync:
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def save_often(disk: PowerLoss, sync: bool) -> list[str]:
    """Save a file in versions of another length each; what is found afterwards is one that was, and no older than the last mark."""
    size = {str(number): 1000 + 700 * number for number in range(ROWS)}
    save(disk.path / "file", "x" * 500, sync=True)
    disk.mark("begin")
    for number, length in size.items():
        save(disk.path / "file", "x" * length, sync)
        disk.mark(number)

    def check(path, marks):
        found, least = (path / "file").stat().st_size, size.get(marks[-1], 500)
        return "" if found in (500, *size.values()) and found >= least else f"{found} bytes, not {least}"

    return losses(disk, check, since="begin")


@pytest.mark.parametrize("filesystem", ["ext4", "xfs"])
def test_a_file_that_is_synced_and_renamed_is_whole(power, filesystem):
    with power(filesystem) as disk:
        assert save_often(disk, sync=True) == []


def test_a_file_that_is_renamed_without_a_sync_is_found_out(power):
    with power() as disk:
        assert save_often(disk, sync=False)


def test_the_file_system_survives_each_power_loss(power):
    """Else what is lost would be this harness's fault: it must not break promises that a disk keeps."""
    with power() as disk:
        for number in range(60):
            folder = disk.path / f"folder{number % 7}"
            folder.mkdir(exist_ok=True)
            (folder / f"file{number}").write_bytes(bytes(number * 997))
            if number % 3 == 0:
                subprocess.run(["sync", "-f", disk.path], check=True)
            if number % 5 == 4:
                os.rename(folder / f"file{number}", disk.path / f"moved{number}")
            if number % 7 == 6:
                (disk.path / f"folder{(number - 3) % 7}" / f"file{number - 3}").unlink(missing_ok=True)
        for state in disk.states(STATES, SEED):
            with state.mounted() as path:
                (path / "still writable").write_text("yes")
            done = subprocess.run(["e2fsck", "-f", "-n", state.image], capture_output=True, text=True)
            assert done.returncode == 0, f"{state.told}\n{done.stdout}"


def test_the_same_seed_chooses_the_same_power_losses(power):
    with power() as disk:
        commit_rows(disk.path / "db", "full", disk.mark)
        disk.stop()
        first, again, other = (
            [(state.told, state.image.read_bytes()) for state in disk.states(5, seed)]
            for seed in ("a", "a", "b")
        )
    assert first == again != other


def test_a_failed_check_says_which_power_loss_it_was_and_leaves_no_mount(power):
    with power() as disk:
        commit_rows(disk.path / "db", "full", disk.mark)
        state = next(disk.states(1, SEED))
        with pytest.raises(AssertionError, match="the check") as raised, state.mounted():
            raise AssertionError("the check")
    assert raised.value.__notes__ == [state.told]


WORK = """
import os, pathlib, sys
place = pathlib.Path(sys.argv[1])
for number in range(1, 7):
    try:
        descriptor = os.open(place / "file", os.O_RDWR | os.O_CREAT)
        for act in sys.argv[2].split():
            match act:
                case "write": os.write(descriptor, b"text")
                case "pwrite": os.pwrite(descriptor, b"text", 0)
                case "writev": os.writev(descriptor, [b"te", b"xt"])
                case "fsync": os.fsync(descriptor)
                case "fdatasync": os.fdatasync(descriptor)
                case "ftruncate": os.ftruncate(descriptor, 2)
                case "truncate": os.truncate(place / "file", 2)
                case "rename": os.rename(place / "file", place / "other")
                case "renameat": os.rename("file", "other", src_dir_fd=(f := os.open(place, os.O_RDONLY)), dst_dir_fd=f)
                case "link": os.link(place / "file", place / f"link{number}")
                case "unlink": os.unlink(place / "file")
        print(number, "ok")
    except OSError as error:
        print(number, error.errno)
"""


def work(faults: Faults, place: pathlib.Path, acts: str) -> tuple[list[str], int]:
    """Six rounds of some calls in a process of its own: what each of them says, and the exit code."""
    place.mkdir(exist_ok=True)
    command = [sys.executable, "-u", "-c", WORK, os.fspath(place), acts]
    with faults.preloaded():
        done = subprocess.run(command, capture_output=True, text=True)
    assert not done.stderr
    return [line.split()[1] for line in done.stdout.splitlines()], done.returncode


@pytest.mark.parametrize(
    ("act", "call"),
    [
        *((name, "write") for name in ("write", "pwrite", "writev")),
        *((name, name) for name in ("fsync", "fdatasync", "rename", "link", "truncate", "unlink")),
        ("ftruncate", "truncate"),
        ("renameat", "rename"),
    ],
)
def test_exactly_the_chosen_call_fails(tmp_path, act, call):
    faults = Faults(tmp_path, tmp_path / "watched")
    faults.arm(call, at=3)
    assert work(faults, tmp_path / "watched", act) == (["ok", "ok", str(errno.EIO), "ok", "ok", "ok"], 0)
    assert faults.seen == 6


def test_calls_of_other_kinds_and_elsewhere_are_not_counted(tmp_path):
    faults = Faults(tmp_path, tmp_path / "watched")
    faults.arm("fsync", at=1, for_good=True)
    assert work(faults, tmp_path / "watched", "write fdatasync rename")[0] == ["ok"] * 6
    assert work(faults, tmp_path / "watched2", "fsync")[0] == ["ok"] * 6
    assert faults.seen == 0


def test_calls_fail_for_good_and_count_across_processes(tmp_path):
    faults = Faults(tmp_path, tmp_path / "watched")
    faults.arm("write", at=8, error=errno.ENOSPC, for_good=True)
    assert work(faults, tmp_path / "watched", "write")[0] == ["ok"] * 6
    assert work(faults, tmp_path / "watched", "write")[0] == ["ok"] + [str(errno.ENOSPC)] * 5
    faults.disarm()
    assert work(faults, tmp_path / "watched", "write")[0] == ["ok"] * 6
    assert faults.seen == 12


def test_the_process_is_killed_at_the_chosen_call(tmp_path):
    faults = Faults(tmp_path, tmp_path / "watched")
    faults.arm(*CALLS, at=0)
    assert work(faults, tmp_path / "watched", "write fsync")[0] == ["ok"] * 6
    assert faults.seen == 12
    faults.arm(*CALLS, at=8, error=KILL)
    assert work(faults, tmp_path / "watched", "write fsync") == (["ok"] * 3, -9)
    assert faults.seen == 8


def test_a_commit_whose_sync_fails_is_refused_and_the_next_one_succeeds(tmp_path):
    """SQLite's own calls go through the shim too: they are not Python's."""
    script = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in ("pragma journal_mode = wal", "pragma synchronous = full", "create table row (number)"):
    database.execute(statement)
print("armed?", flush=True)
sys.stdin.readline()
for number in range(5):
    try:
        database.execute("insert into row values (?)", (number,))
    except sqlite3.OperationalError as error:
        print(number, error)
"""
    (tmp_path / "watched").mkdir()
    faults = Faults(tmp_path, tmp_path / "watched")
    command = [sys.executable, "-c", script, os.fspath(tmp_path / "watched/db")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | faults.environment
    ) as program:
        assert program.stdout.readline() == "armed?\n"
        faults.arm("fsync", "fdatasync", at=2)
        said, _ = program.communicate("yes\n")
    assert said == "1 disk I/O error\n"


@loop_devices
def test_a_small_disk_is_full_when_it_should_be(tmp_path):
    with SmallDisk(tmp_path, size=16 << 20) as disk:
        assert 8 << 20 < disk.free < 16 << 20
        disk.fill()
        assert disk.free == 0
        with pytest.raises(OSError, match="No space left") as raised:
            (disk.path / "file").write_bytes(bytes(4096))
        assert raised.value.errno == errno.ENOSPC
        disk.drain()
        (disk.path / "file").write_bytes(bytes(1 << 20))
        disk.fill(leave=64 << 10)
        (disk.path / "small").write_bytes(bytes(32 << 10))
        with pytest.raises(OSError, match="No space left"):
            (disk.path / "large").write_bytes(bytes(128 << 10))
    assert not left_behind(tmp_path)
    assert not disk.image.exists()
