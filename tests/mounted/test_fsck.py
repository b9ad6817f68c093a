"""lsfs fsck as a command: on a mount, on a folder, after a kill; its lines and its exit codes."""

import contextlib
import json
import sqlite3
import subprocess

from mounted_helpers import LSFS, WORDS_ONLY


def fsck(*words):
    return subprocess.run([*LSFS, "fsck", *map(str, words)], capture_output=True, text=True, timeout=120)


def used(mount):
    made = mount(conf=WORDS_ONLY)
    (made.files / "docs").mkdir()
    for number in range(5):
        (made.files / "docs/a.md").write_text(f"version {number}\n")
        (made.files / f"{number}.md").write_text("more\n")
    (made.files / "1.md").unlink()
    (made.files / "docs").rename(made.files / "papers")
    (made.files / "big.bin").write_bytes(bytes(range(256)) * 4096)
    (made.path / "snapshots/one").mkdir()
    return made


def test_a_mount_that_is_used_is_clean_before_and_after_it_ends(mount):
    made = used(mount)
    made.indexed()
    done = fsck(made.path, "--data")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert fsck(made.folder).returncode == 0
    refused = fsck(made.folder, "--repair")
    assert (
        refused.returncode == 18 and "Unmount it first" in refused.stderr and refused.stderr.count("\n") == 1
    )
    made.umount()
    done = fsck("--data", made.folder)
    # the end may come while a large file is being captured in the background: its pieces are named by nothing then
    found = [line for line in done.stdout.splitlines() if "is named by nothing" not in line]
    assert (done.returncode, found, done.stderr) == (0, [], "")
    fsck("--repair", made.folder)
    done = fsck("--repair", made.folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_fault_is_4_until_it_is_repaired_and_then_1_and_0(mount):
    made = used(mount)
    made.indexed()
    made.umount()
    with contextlib.closing(sqlite3.connect(made.state / "history.db", isolation_level=None)) as database:
        database.execute("delete from object where id = (select min(id) from object)")
    done = fsck(made.folder)
    assert done.returncode == 4 and done.stdout.count("\n") == 1 and "its content is missing" in done.stdout
    done = fsck(made.folder, "--json")
    assert done.returncode == 4 and json.loads(done.stdout)["check"] == "objects"
    done = fsck(made.folder, "--repair")
    assert done.returncode == 1 and done.stdout.endswith(": repaired\n")
    assert fsck(made.folder, "--data").returncode == 0
    made.mount()
    assert (made.files / "papers/a.md").read_text() == "version 4\n"


def test_what_a_kill_left_is_no_fault(mount):
    made = used(mount)
    made.kill_all()
    subprocess.run(["umount", "-l", made.path], check=True)
    done = fsck("--data", made.folder)
    assert done.returncode == 0, done.stdout
    made.mount().indexed()
    assert fsck(made.path).returncode == 0


def test_what_is_no_state_folder_is_refused(tmp_path):
    assert fsck(tmp_path).returncode == 20
    assert fsck(tmp_path / "nowhere").returncode == 10
