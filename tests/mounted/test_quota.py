"""Retention and quota in a real mount: /status says what history holds, and what it cannot do."""

import os
import subprocess
import time

from mounted_helpers import LSFS, WORDS_ONLY


def test_status_says_what_history_holds(mount):
    made = mount(conf=WORDS_ONLY)
    assert made.wait(lambda status: status["history"]["versions"] is not None)["history"]["trouble"] is None
    said = (made.path / "status").read_text()
    assert any(line.startswith("history") and "versions" in line for line in said.splitlines())


def test_history_that_is_switched_off_says_so(mount):
    made = mount(conf=WORDS_ONLY + "[history]\nenabled = no\n")
    (made.files / "a.md").write_text("x")
    assert made.status()["history"] == {"enabled": False}


def test_what_exceeds_the_quota_goes_and_what_is_there_now_stays(mount):
    made = mount(conf=WORDS_ONLY + "[history]\npace = 1000\n")
    for _ in range(40):
        (made.files / "a.bin").write_bytes(os.urandom(100_000))
        (made.files / "b.md").write_text(str(time.monotonic_ns()))
    last = (made.files / "a.bin").read_bytes()
    os.mkdir(made.path / "snapshots/mine")
    made.umount()
    (made.state / "lsfs.conf").write_text(WORDS_ONLY + "[history]\nquota = 1 MiB\n")
    made.mount()
    made.wait(lambda status: (status["history"]["bytes"] or 1 << 30) <= 1 << 20)
    assert made.status()["history"]["trouble"] is None
    assert (made.files / "a.bin").read_bytes() == last
    assert (made.path / "snapshots/mine/files/a.bin").read_bytes() == last
    assert "exceeded its quota" in made.log()


def test_a_quota_that_cannot_be_kept_is_said_by_status_and_by_umount(mount):
    made = mount(start=False, conf=WORDS_ONLY + "[history]\nquota = 1 KiB\n")
    made.mount()
    (made.files / "a.md").write_text("nobody's write fails for that")
    trouble = made.wait(lambda status: status["history"]["trouble"])
    assert "quota" in trouble["history"]["trouble"] and trouble["error_count"] == 1
    assert "raise [history] quota" in " ".join((made.path / "status").read_text().split())
    done = subprocess.run([*LSFS, "umount", made.path], capture_output=True, text=True)
    assert done.returncode == 0 and "quota" in done.stderr and len(done.stderr.splitlines()) == 1
    assert "history is not whole" in made.log()
