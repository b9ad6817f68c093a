"""kill -9 at moments nobody chose: whatever was being done, the next mount makes the index what the folder says."""

import os
import pathlib
import random
import subprocess
import sys
import threading

import pytest
from mounted_helpers import WORDS_ONLY, Mounted

ROUNDS = 4


@pytest.fixture
def place(tmp_path):
    folder, path = tmp_path / "folder", tmp_path / "mount"
    folder.mkdir()
    path.mkdir()
    yield folder, path
    subprocess.run([sys.executable, "-m", "lsfs", "umount", path], capture_output=True)
    assert os.fspath(path) not in pathlib.Path("/proc/self/mountinfo").read_text()


def test_the_index_converges_after_kills_at_random_moments(place):
    folder, path = place
    chooser = random.Random(os.environ.get("LSFS_SEED", "1"))
    mounted = Mounted(folder, path, folder / ".lsfs", ())
    mounted.state.mkdir(mode=0o700)
    (mounted.state / "lsfs.conf").write_text(WORDS_ONLY)
    there: set[str] = set()
    for round_ in range(ROUNDS):
        mounted.mount()
        pids = (mounted.status()["pid"], mounted.status()["engine"]["pid"])
        killer = threading.Timer(chooser.uniform(0.0, 2.5), kill, (pids,))
        killer.start()
        unsure: set[str] = set()  # of an operation that the kill cut off, nobody knows whether it happened
        for number in range(1000):
            name, other = f"file-{chooser.randrange(40)}.md", f"file-{chooser.randrange(40)}.md"
            word, action = f"word{round_}x{number}", chooser.random()
            unsure = {name, other}
            try:
                if action < 0.7:
                    (mounted.files / name).write_text(f"# {name}\n\nThis one says {word} and little else.\n")
                    there.add(name)
                elif action < 0.85 and name in there:
                    (mounted.files / name).unlink()
                    there.discard(name)
                elif name in there and name != other:
                    os.rename(mounted.files / name, mounted.files / other)
                    there = there - {name} | {other}
            except OSError:
                break
        killer.join()
        mounted.until(mounted.dead)
        on_disk = {entry.name for entry in folder.iterdir() if entry.suffix == ".md"}
        assert there - unsure == on_disk - unsure, "every finished operation is on the disk"
        there = on_disk
    mounted.mount()
    mounted.indexed()
    for entry in folder.glob("*.md"):
        if entry.stat().st_size:
            word = entry.read_text().split()[-4]
            assert mounted.found(f'"{word}" mode:words') == [entry.name]
    everything = mounted.found("says mode:words limit:1000")
    assert sorted(everything) == sorted(entry.name for entry in folder.glob("*.md") if entry.stat().st_size)


def kill(pids):
    for pid in pids:
        if pid:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue
