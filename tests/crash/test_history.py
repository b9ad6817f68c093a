"""History when the worst comes: kill -9, power loss, I/O that fails, a disk that is full. What was acknowledged is never lost, what was
closed through the mount survives a kill, and whatever happens to history, users' writes go on.

LSFS_ROUNDS=300 LSFS_STATES=300 LSFS_SEED=7 pytest tests/crash/test_history.py      # a longer search
"""

import contextlib
import errno
import os
import pathlib
import random
import sqlite3
import subprocess
import threading
from collections.abc import Iterator

import pytest
from block_log import PowerLoss
from failing_io import LIE, Faults
from history_tree import World
from mounted_helpers import Mounted
from small_disk import SmallDisk, left_behind, loop_devices, missing

SEED = os.environ.get("LSFS_SEED", "1")
ROUNDS = int(os.environ.get("LSFS_ROUNDS", "7"))
STATES = int(os.environ.get("LSFS_STATES", "40"))
CONF = "[index]\nenabled = no\n[history]\ncapture = lazy\npace = 100000\n"
LARGE = 300_000


@pytest.fixture
def place(tmp_path):
    """A factory of mounts; all of them are gone after the test."""
    made: list[Mounted] = []

    def factory(folder: pathlib.Path, conf: str = CONF) -> Mounted:
        path = tmp_path / f"mount{len(made)}"
        for new in (folder, path, folder / ".lsfs"):
            new.mkdir(exist_ok=True)
        (folder / ".lsfs/lsfs.conf").write_text(conf)
        made.append(Mounted(folder, path, folder / ".lsfs", ()))
        return made[-1]

    yield factory
    for mounted in made:
        mounted.clean()
    assert not [
        line
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        if f" {tmp_path}" in line
    ]


@contextlib.contextmanager
def ended(mounted: Mounted) -> Iterator[Mounted]:
    """A mount that ends before the disk below it."""
    try:
        yield mounted
    finally:
        mounted.clean()


def kill(mounted: Mounted, pid: int) -> None:
    """SIGKILL to the daemon; its mount point is dead then."""
    os.kill(pid, 9)
    mounted.until(mounted.dead)
    subprocess.run(["umount", "-l", mounted.path], check=True)


def texts(found: dict[str, bytes | str]) -> dict[str, bytes]:
    """The files of `contents`."""
    return {name: text for name, text in found.items() if isinstance(text, bytes)}


def brief(text: object) -> str:
    """A content by its first words and its size: a failure is to be read."""
    return f"{text[:14]!r} ({len(text)})" if isinstance(text, bytes) else str(text)[:60]


def contents(top: pathlib.Path) -> dict[str, bytes | str]:
    """The files, links and folders below a folder."""
    found: dict[str, bytes | str] = {}
    for path in sorted(top.rglob("*")):
        name = os.fspath(path.relative_to(top))
        if name.split("/")[0] != ".lsfs":
            try:
                found[name] = (
                    os.readlink(path)
                    if path.is_symlink()
                    else path.read_bytes()
                    if path.is_file()
                    else "folder"
                )
            except OSError as error:
                found[name] = f"{error}"
    return found


# Power loss --------------------------------------------------------------------------------------------------------------------


class Witness:
    """Somebody who works on a mount, and knows what was promised to him."""

    def __init__(self, mounted: Mounted, mark, seed: str) -> None:
        self.mounted, self.mark = mounted, mark
        self.chooser = random.Random(seed)
        self.frozen: dict[str, dict] = {}
        self.synced: dict[str, bytes] = {}
        self.count = 0

    def text(self, size: int) -> bytes:
        self.count += 1
        return (b"%08d " % self.count * (size // 9 + 1))[:size]

    def work(self, steps: int, names: list[str]) -> None:
        files = self.mounted.files
        for _ in range(steps):
            name = self.chooser.choice(names)
            size = self.chooser.choice([20, 20, 5000, LARGE, LARGE * 2])
            there = [name for name in names if (files / name).is_file()]
            match self.chooser.randrange(8):
                case 0 if there:
                    (files / self.chooser.choice(there)).unlink()
                case 1 if there:
                    with open(files / self.chooser.choice(there), "ab") as stream:
                        stream.write(self.text(size))
                case 2 if there:
                    os.rename(files / self.chooser.choice(there), files / name)
                case 3 if there:
                    with open(files / self.chooser.choice(there), "r+b") as stream:
                        stream.seek(10)
                        stream.write(self.text(20))
                case 4 if there:
                    os.truncate(files / self.chooser.choice(there), 15)
                case _:
                    with open(files / name, "wb") as stream:
                        stream.write(self.text(size))

    def sync(self, number: int) -> None:
        """A file that nobody changes afterwards is on the disk."""
        name = f"synced{number}"
        text = self.text(self.chooser.choice([50, LARGE]))
        with open(self.mounted.files / name, "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        self.mark(f"synced {name}")
        self.synced[name] = text

    def snapshot(self, name: str) -> None:
        (self.mounted.path / "snapshots" / name).mkdir()
        self.mark(f"snapshot {name}")
        self.frozen[name] = contents(self.mounted.path / "snapshots" / name / "files")

    def lost(self, folder: pathlib.Path, marks: list[str], mount: Mounted | None = None) -> str:
        """What was promised and is not so; "" when all is."""
        for name, text in self.synced.items():
            if f"synced {name}" in marks and (
                not (folder / name).exists() or (folder / name).read_bytes() != text
            ):
                return f"{name} is lost"
        promised = [name for name in self.frozen if f"snapshot {name}" in marks]
        if not (folder / ".lsfs/history.db").exists():
            return "no history" if promised else ""
        with World(folder) as world:
            world.call(world.scanned)
            world.verify()
            for name in promised:
                if said := self.differs(world, name):
                    return said
        return ""

    def differs(self, world: World, name: str) -> str:
        snapshot = world.past.snapshot(name.encode())
        if snapshot is None:
            return f"snapshot {name} is lost"
        rows = {os.fsdecode(row.path): row for row in world.past.at_or_below(b"", snapshot.sequence)}
        expected = self.frozen[name]
        if set(rows) != set(expected):
            return f"snapshot {name} has other files: {sorted(set(rows) ^ set(expected))}"
        for path, content in expected.items():
            if isinstance(content, bytes):
                try:
                    found = world.past.whole(rows[path])
                except Exception as error:
                    return f"{path} of snapshot {name} cannot be read: {error!r}"
                if found != content:
                    return f"{path} of snapshot {name} is {found[:20]!r}... ({len(found)}), not {content[:20]!r} ({len(content)})"
        return ""


def losses(disk: PowerLoss, place, tmp_path, faults=None, *, busy: bool) -> list[str]:
    """Work on a disk, then look at what is left of it after some power losses."""
    mounted = place(disk.path / "folder")
    names = [f"f{number}" for number in range(8)]
    for number, name in enumerate(names[:4]):
        (mounted.folder / name).write_bytes(b"before " * (10 if number % 2 else 60_000))
    subprocess.run(["sync", "-f", disk.path], check=True)
    with contextlib.ExitStack() as stack:
        if faults is not None:
            stack.enter_context(faults.preloaded())
        mounted.mount()
    pid = mounted.pid
    witness = Witness(mounted, disk.mark, SEED)
    other = Witness(mounted, disk.mark, SEED + "other")
    stop = threading.Event()

    def meanwhile():
        with contextlib.suppress(OSError):
            while not stop.is_set():
                other.work(1, ["g1", "g2", "g3"])
                stop.wait(0.01)

    if faults is not None:
        faults.arm("fsync", "fdatasync", at=1, error=LIE, for_good=True)
    disk.mark("begin")
    witness.snapshot("untouched")
    writer = threading.Thread(target=meanwhile)
    if busy:
        writer.start()
    try:
        for number in range(10):
            witness.work(witness.chooser.randrange(1, 7), names)
            if number % 3 == 0:
                witness.sync(number)
            witness.snapshot(f"s{number}")
        witness.work(4, names)
    finally:
        stop.set()
        if busy:
            writer.join()
    kill(mounted, pid)
    disk.stop()
    found = []
    for state in disk.states(STATES, SEED, since="begin"):
        with state.mounted() as path:
            if said := witness.lost(path / "folder", state.marks):
                found.append(f"{said}: {state.told}")
    return found


@loop_devices
@pytest.mark.parametrize("filesystem", ["ext4", "xfs"])
@pytest.mark.parametrize("busy", [False, True])
def test_no_power_loss_takes_what_was_acknowledged(tmp_path, place, filesystem, busy):
    if reason := missing(filesystem):
        pytest.skip(reason)
    with PowerLoss(tmp_path, size=0 if filesystem == "xfs" else 256 << 20, filesystem=filesystem) as disk:
        found = losses(disk, place, tmp_path, busy=busy)
        print(*(line.replace(str(tmp_path), "") for line in found), sep="\n")
        assert found == []
    assert not left_behind(tmp_path)


@loop_devices
def test_a_history_whose_syncs_are_taken_away_is_found_out(tmp_path, place):
    with PowerLoss(tmp_path, size=256 << 20) as disk:
        assert losses(disk, place, tmp_path, Faults(tmp_path, disk.path), busy=False)


# kill -9 -----------------------------------------------------------------------------------------------------------------------


class Closed:
    """Files that are written through the mount, and what of them was closed. `unsure`: of an operation that the kill cut off."""

    def __init__(self, mounted: Mounted, chooser: random.Random) -> None:
        self.mounted, self.chooser = mounted, chooser
        self.now: dict[str, bytes] = {}
        self.closed: dict[str, set[bytes]] = {}
        self.removed: dict[str, bytes] = {}
        self.frozen: dict[str, dict] = {}
        self.unsure: set[str] = set()
        self.done: list[tuple] = []
        self.count = 0

    def text(self) -> bytes:
        self.count += 1
        return (
            b"%06d " % self.count * self.chooser.choice([2, 2, 300, LARGE // 7 if self.count % 5 == 0 else 2])
        )

    def act(self) -> None:
        """One operation; what it did is known when it has returned."""
        files = self.mounted.files
        name = f"d{self.chooser.randrange(2)}/f{self.chooser.randrange(6)}"
        other = f"d{self.chooser.randrange(2)}/f{self.chooser.randrange(6)}"
        path = files / name
        action = self.chooser.random()
        self.unsure = {name, other}
        if action < 0.5 or name not in self.now:
            text = self.text()
            path.write_bytes(text)
            self.wrote(name, text)
        elif action < 0.6:
            text = self.text()
            with open(path, "ab") as stream:
                stream.write(text)
            self.wrote(name, self.now[name] + text)
        elif action < 0.7:
            with open(path, "r+b") as stream:
                stream.write(b"changed")
            self.wrote(name, b"changed" + self.now[name][7:])
        elif action < 0.82:
            path.unlink()
            self.removed[name] = self.now.pop(name)
            self.done.append(("unlink", name, None))
        elif name != other:
            os.rename(path, files / other)
            self.done.append(("rename", f"{name} {other}", None))
            self.wrote(other, self.now.pop(name))
        self.unsure = set()

    def versions(self, folder: str, name: str) -> set[bytes]:
        """The contents that a file had, as .versions reads them."""
        place = self.mounted.files / folder / ".versions" / name
        while True:
            found = set()
            for version in [version for version in os.listdir(place) if version[1:].isdigit()]:
                try:
                    found.add((place / version).read_bytes())
                except (
                    FileNotFoundError
                ):  # it was stored meanwhile, and is the one before it: all are numbered anew
                    break
                except OSError as error:
                    self.wrong(f"{folder}/{name}", f"{version} cannot be read: {error.strerror}")
            else:
                return found

    def same(self, found: dict, expected: dict, what: str) -> None:
        """What differs first, in few words."""
        for name in sorted(set(found) | set(expected)):
            if found.get(name) != expected.get(name):
                self.wrong(name, f"{what}: {brief(found.get(name))}, not {brief(expected.get(name))}")

    def wrong(self, name: str, why: str) -> None:
        """The test fails: what was done to a path last, and what history says of it."""
        done = [
            f"{act} {names} {brief(what)}" if act in ("write", "rename", "unlink") else f"{act} {brief(what)}"
            for act, names, what in self.done
            if name in names.split()
        ]
        database = sqlite3.connect(f"file:{self.mounted.state}/history.db?mode=ro", uri=True)
        with contextlib.closing(database):
            rows = database.execute(
                "select e.id, e.size, ctime_ns, ino, content, source, born, died, gone, digest is not null, held from entry e"
                " left join content c on c.id = content where parent = ? and name = ? order by e.id desc limit 12",
                tuple(os.fsencode(name).rsplit(b"/", 1)),
            ).fetchall()
        heading = "id, size, ctime, ino, content, source, born, died, gone, captured, held"
        told = [f"{name}: {why}", "done last:", *done[-12:], f"rows ({heading}):", *map(str, rows)]
        pytest.fail("\n".join(told), pytrace=False)

    def wrote(self, name: str, text: bytes) -> None:
        self.now[name] = text
        self.done.append(("write", name, text))
        self.closed.setdefault(name, set()).add(text)
        self.removed.pop(name, None)

    def snapshot(self, name: str) -> None:
        (self.mounted.path / "snapshots" / name).mkdir()
        self.frozen[name] = dict(self.now)
        self.done.append(("snapshot", " ".join(self.now), name))

    def check(self) -> None:
        """After the next mount."""
        mounted = self.mounted
        mounted.wait(lambda status: not status["scanning"])
        there = texts(contents(mounted.folder))
        sure = {name: text for name, text in there.items() if name not in self.unsure}
        told = {name: text for name, text in self.now.items() if name not in self.unsure}
        self.same(sure, told, "the folder, after operations that returned")
        self.same(contents(mounted.files), contents(mounted.folder), "files/")
        kept = set()
        for folder in ("d0", "d1"):
            for name in os.listdir(mounted.files / folder / ".versions"):
                kept |= self.versions(folder, name)
        for name, closed in self.closed.items():
            for text in closed - kept:
                self.wrong(name, f"{brief(text)} is lost")
        for name, frozen in self.frozen.items():
            self.same(
                texts(contents(mounted.path / "snapshots" / name / "files")), frozen, f"snapshot {name}"
            )
        days = sorted((mounted.path / "trash").iterdir())
        for name, text in self.removed.items():
            if name not in self.unsure and name not in there:
                found = [(day / name).read_bytes() for day in days if (day / name).exists()]
                if found[-1:] != [text]:
                    self.wrong(name, f"in the trash is {[*map(brief, found)]}, not {brief(text)}")
        self.done.append(("KILLED", " ".join({*self.now, *self.unsure}), self.unsure))
        for name in self.unsure:
            self.removed.pop(name, None)
        self.now = there
        for name in self.unsure & set(there):
            self.closed.setdefault(name, set()).discard(None)
        self.unsure = set()


def test_what_was_closed_before_a_kill_is_kept(tmp_path, place):
    chooser = random.Random(SEED)
    mounted = place(tmp_path / "folder")
    user = Closed(mounted, chooser)
    for folder in ("d0", "d1"):
        (mounted.folder / folder).mkdir()
    for round_ in range(ROUNDS):
        mounted.mount()
        user.check()
        pid = mounted.pid
        killer = threading.Timer(chooser.uniform(0.0, 0.6), os.kill, (pid, 9))
        killer.start()
        try:
            for number in range(10_000):
                user.act()
                if number % 25 == 24:
                    user.snapshot(f"r{round_}n{number}")
        except OSError:
            pass
        killer.join()
        mounted.until(mounted.dead)
    mounted.mount()
    user.check()
    with_world = mounted.pid
    assert with_world


# I/O that fails ----------------------------------------------------------------------------------------------------------------

FAILING = ("write", "fsync", "fdatasync", "link", "truncate", "unlink")
AT = int(os.environ.get("LSFS_AT", "2"))


def troubles(status: dict) -> list[str]:
    """What /status says is wrong with history now; what has a time was said once, and stays for the record."""
    return [
        error["error"] for error in status["errors"] if error["time"] is None and "istory" in error["error"]
    ]


def test_no_io_of_history_that_fails_is_an_error_of_a_user(tmp_path, place):
    """Each of the first calls below .lsfs fails once; then all of them do; then none."""
    mounted = place(tmp_path / "folder")
    faults = Faults(tmp_path, mounted.state)
    chooser = random.Random(SEED)
    for folder in ("d0", "d1"):
        (mounted.folder / folder).mkdir()
    with faults.preloaded():
        mounted.mount()
    user = Closed(mounted, chooser)
    for call in FAILING:
        for at in range(1, AT + 1):
            faults.arm(call, at=at, error=chooser.choice([errno.EIO, errno.ENOSPC]))
            for _ in range(8):
                user.act()
            with contextlib.suppress(OSError):  # refused, and said so
                user.snapshot(f"{call}{at}")
            for _ in range(8):
                user.act()
    faults.arm("write", "fsync", "fdatasync", at=1, error=errno.ENOSPC, for_good=True)
    for _ in range(20):
        user.act()
    mounted.wait(troubles)
    faults.disarm()
    mounted.until(lambda: taken(mounted, "after"))
    user.frozen["after"] = dict(user.now)
    for promise in (user.closed, user.removed):
        promise.clear()  # what could not be written down was not kept
    for _ in range(30):
        user.act()
    mounted.wait(lambda status: not troubles(status))
    user.check()
    mounted.umount()
    mounted.mount()
    user.check()


def taken(mounted: Mounted, name: str) -> bool:
    """Does a snapshot succeed by now?"""
    try:
        (mounted.path / "snapshots" / name).mkdir()
    except OSError:
        return False
    return True


@loop_devices
def test_a_full_disk_refuses_only_what_a_user_writes_and_history_goes_on_when_there_is_room(tmp_path, place):
    with SmallDisk(tmp_path, size=32 << 20) as disk, ended(place(disk.path / "folder")) as mounted:
        for name in ("keep", "change", "remove", "move", "early"):
            (mounted.folder / name).write_bytes(name.encode() * 20_000)
        mounted.mount()
        files = mounted.files
        (mounted.path / "snapshots/before").mkdir()
        frozen = contents(mounted.path / "snapshots/before/files")
        (files / "early").unlink()  # held/ is there
        subprocess.run(["sync", "-f", disk.path], check=True)
        disk.fill()
        with pytest.raises(OSError, match="No space left") as raised:
            (files / "new").write_bytes(bytes(1 << 20))
        assert raised.value.errno == errno.ENOSPC
        (files / "new").unlink()
        disk.fill()
        with open(files / "change", "r+b", buffering=0) as stream:
            stream.write(b"CHANGE")  # on blocks that it has
        os.rename(files / "move", files / "moved")
        (files / "remove").unlink()
        os.chmod(files / "keep", 0o600)
        assert (files / "change").read_bytes()[:6] == b"CHANGE"
        mounted.wait(troubles)
        disk.drain()
        (files / "plan").write_bytes(b"one")
        (files / "plan").write_bytes(b"two")
        mounted.until(lambda: taken(mounted, "after"))
        mounted.wait(lambda status: not troubles(status))
        assert contents(mounted.path / "snapshots/after/files") == contents(mounted.folder)
        place_ = files / ".versions/plan"
        assert [(place_ / name).read_bytes() for name in ("v1", "v2")] == [b"one", b"two"]
        then = contents(mounted.path / "snapshots/before/files")
        for (
            name,
            content,
        ) in frozen.items():  # what was given up for room is refused, and nothing is another content
            given_up = name in ("early", "remove", "change") and str(then[name]).startswith("[Errno")
            assert then[name] == content or given_up, name
