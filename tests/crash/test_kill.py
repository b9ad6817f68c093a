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
    truth: dict[str, str] = {}
    for round_ in range(ROUNDS):
        mounted.mount()
        pids = (mounted.status()["pid"], mounted.status()["engine"]["pid"])
        killer = threading.Timer(chooser.uniform(0.0, 2.5), kill, (pids,))
        killer.start()
        for number in range(1000):
            name, word = f"file-{chooser.randrange(40)}.md", f"word{round_}x{number}"
            try:
                action = chooser.random()
                if action < 0.7:
                    truth.pop(name, None)
                    (mounted.files / name).write_text(f"# {name}\n\nThis one says {word} and little else.\n")
                    truth[name] = word
                elif action < 0.85 and name in truth:
                    (mounted.files / name).unlink()
                    del truth[name]
                elif name in truth:
                    other = f"file-{chooser.randrange(40)}.md"
                    os.rename(mounted.files / name, mounted.files / other)
                    truth[other] = truth.pop(name)
            except OSError:
                break
        killer.join()
        mounted.until(mounted.dead)
        on_disk = {entry.name for entry in folder.iterdir() if entry.suffix == ".md"}
        assert set(truth) <= on_disk and len(on_disk - set(truth)) <= 1, (
            "every finished operation is on the disk"
        )
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
