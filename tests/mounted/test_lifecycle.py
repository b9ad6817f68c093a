"""Mounting and unmounting: what a user types, what comes back, and that nothing stays behind."""

import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest
from mounted_helpers import LSFS, WORDS_ONLY

FILES_ONLY = "[index]\nenabled = no\n"


def lsfs(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*LSFS, *map(os.fspath, map(str, words))], capture_output=True, text=True, timeout=120
    )


def gone(mounted) -> bool:
    return f" {mounted.path} " not in pathlib.Path("/proc/self/mountinfo").read_text()


def alive(pid: int) -> bool:
    """Running, not a zombie that its parent has not looked after yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_mount_cleanly_and_nothing_is_lost(mount, number):
    mounted = mount(conf=FILES_ONLY)
    (mounted.files / "kept.md").write_text("kept")
    pid = mounted.pid
    os.kill(pid, number)
    mounted.until(lambda: gone(mounted) and not alive(pid))
    assert (mounted.folder / "kept.md").read_text() == "kept"
    mounted.mount()
    assert (mounted.files / "kept.md").read_text() == "kept"


def test_umount_by_the_systems_own_tools_ends_the_daemon_too(mount):
    mounted = mount(conf=FILES_ONLY)
    pid = mounted.pid
    subprocess.run(["fusermount3", "-u", mounted.path], check=True)
    mounted.until(lambda: not alive(pid))
    assert gone(mounted)


def test_umount_returns_when_the_daemon_has_ended(mount):
    mounted = mount(conf=FILES_ONLY)
    pid = mounted.pid
    mounted.umount()
    assert gone(mounted) and not alive(pid)


def test_a_busy_mount_is_not_taken_away(mount):
    mounted = mount(conf=FILES_ONLY)
    with open(mounted.files / "held", "w") as stream:
        done = lsfs("umount", mounted.path)
        assert done.returncode == 25 and done.stderr.startswith("lsfs: ")
        stream.write("still here")
    assert (mounted.files / "held").read_text() == "still here"


def test_a_dead_mount_is_recovered_by_the_next_mount(mount):
    mounted = mount(conf=FILES_ONLY)
    (mounted.files / "kept.md").write_text("kept")
    os.kill(mounted.pid, signal.SIGKILL)
    mounted.until(mounted.dead)
    assert not gone(mounted), "a crash leaves the mount, so that nobody takes an empty folder for the truth"
    mounted.mount()
    assert (mounted.files / "kept.md").read_text() == "kept"


def test_a_dead_mount_can_be_unmounted(mount):
    mounted = mount(conf=FILES_ONLY)
    os.kill(mounted.pid, signal.SIGKILL)
    mounted.until(mounted.dead)
    assert lsfs("umount", mounted.path).returncode == 0
    assert gone(mounted)


def test_refusals_say_what_is_wrong_and_have_their_codes(mount, tmp_path):
    mounted = mount(conf=FILES_ONLY)
    other, full, plain = tmp_path / "other", tmp_path / "full", tmp_path / "plain"
    other.mkdir()
    (full / "something").mkdir(parents=True)
    plain.write_text("")
    (mounted.folder / "inner").mkdir()
    newer = tmp_path / "newer"
    newer.mkdir(mode=0o700)
    import sqlite3

    with sqlite3.connect(newer / "history.db") as database:
        database.execute("pragma user_version = 999")
    cases = [
        (10, tmp_path / "missing", other), (11, plain, other), (12, mounted.folder, tmp_path / "missing"),
        (12, mounted.folder, plain), (13, mounted.folder, full), (14, mounted.folder, mounted.folder / "inner"),
        (14, tmp_path, other), (14, mounted.folder, mounted.folder), (15, tmp_path / "full", mounted.path),
        (18, mounted.folder, other), (19, full, other, "--state", newer), (21, full, other, "--model", "no-such-model"),
    ]  # fmt: skip
    for code, folder, mountpoint, *options in cases:
        done = lsfs("mount", folder, mountpoint, *options)
        assert done.returncode == code, (code, folder, mountpoint, done)
        assert done.stderr.startswith("lsfs: ") and done.stderr.count("\n") == 1, done.stderr
    assert lsfs("umount", other).returncode == 22
    assert lsfs("mount", mounted.folder).returncode == 2
    assert sqlite3.connect(newer / "history.db").execute("pragma user_version").fetchone()[0] == 999


def test_a_read_only_mount_refuses_every_change_and_answers(mount, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.md").write_text("a")
    mounted = mount(folder, "--read-only", conf=FILES_ONLY)
    assert (mounted.files / "a.md").read_text() == "a"
    for change in (
        lambda: (mounted.files / "b.md").write_text("b"),
        lambda: (mounted.files / "a.md").write_text("b"),
        lambda: (mounted.files / "a.md").unlink(),
        lambda: (mounted.files / "d").mkdir(),
        lambda: (mounted.files / "a.md").rename(mounted.files / "c.md"),
        lambda: (mounted.files / "a.md").chmod(0o600),
        lambda: (mounted.query / "saved").mkdir(),
    ):
        with pytest.raises(OSError, match="Read-only file system"):
            change()
    assert (folder / "a.md").read_text() == "a"


def test_a_state_folder_elsewhere_leaves_no_trace_in_the_folder(mount, tmp_path):
    folder, state = tmp_path / "folder", tmp_path / "elsewhere" / "state"
    folder.mkdir()
    mounted = mount(folder, "--state", os.fspath(state))
    mounted.state = state
    assert os.listdir(folder) == []
    assert (state / "history.db").exists() and os.stat(state).st_mode & 0o777 == 0o700


def test_the_state_folder_is_invisible_and_cannot_be_made(mount):
    mounted = mount(conf=FILES_ONLY)
    assert os.listdir(mounted.files) == []
    assert not (mounted.files / ".lsfs").exists()
    with pytest.raises(PermissionError):
        (mounted.files / ".lsfs").mkdir()


def test_saved_questions_outlive_the_mount(mount):
    mounted = mount(conf=FILES_ONLY)
    (mounted.query / "open questions").mkdir()
    with pytest.raises(FileExistsError):
        (mounted.query / "open questions").mkdir()
    assert os.listdir(mounted.query) == ["open questions"]
    mounted.umount()
    mounted.mount()
    assert os.listdir(mounted.query) == ["open questions"]
    (mounted.query / "open questions").rmdir()
    assert os.listdir(mounted.query) == []


def test_status_and_its_json_are_the_documented_keys(mount):
    mounted = mount(conf=FILES_ONLY)
    status = mounted.status()
    wanted = {
        "version",
        "pid",
        "engine",
        "files",
        "pending",
        "progress",
        "generation",
        "searches",
        "embeddings",
        "reused",
        "errors",
    }
    assert wanted <= set(status) and {"state", "pid"} <= set(status["engine"])
    printed = lsfs("status", mounted.path, "--json")
    assert json.loads(printed.stdout)["pid"] == status["pid"]
    assert str(status["pid"]) in (mounted.path / "status").read_text()


@pytest.mark.parametrize(
    "name", ["fol é", "comma, and \\ backslash", "new\nline", "not \udcff utf-8", "tab\tand 'quotes'"]
)
def test_folder_and_mountpoint_may_have_any_name(mount, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "a.md").write_text("a")
    mounted = mount(folder, conf=FILES_ONLY)
    assert (mounted.files / "a.md").read_text() == "a"


def test_more_signals_do_not_cut_the_end_short(mount):
    mounted = mount(conf=WORDS_ONLY)
    (mounted.files / "kept.md").write_text("kept")
    status = mounted.wait(lambda status: status["engine"]["state"] == "ready")
    os.kill(status["engine"]["pid"], signal.SIGSTOP)
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(status["pid"], number)
    mounted.until(lambda: gone(mounted) and not alive(status["pid"]) and not alive(status["engine"]["pid"]))
    assert "unmounted" in mounted.log()
    mounted.mount()
    assert (mounted.files / "kept.md").read_text() == "kept"


def test_a_state_folder_that_is_a_link_or_holds_one_is_refused(mount, tmp_path):
    folder, victim = tmp_path / "folder", tmp_path / "victim"
    folder.mkdir()
    victim.mkdir(mode=0o755)
    (folder / ".lsfs").symlink_to(victim)
    mountpoint = tmp_path / "ctx"
    mountpoint.mkdir()
    done = lsfs("mount", folder, mountpoint)
    assert done.returncode == 20, done
    assert os.listdir(victim) == [] and os.stat(victim).st_mode & 0o777 == 0o755
    (folder / ".lsfs").unlink()
    (folder / ".lsfs").mkdir(mode=0o700)
    (folder / ".lsfs" / "daemon.log").symlink_to(victim / "file")
    assert lsfs("mount", folder, mountpoint).returncode == 20
    assert os.listdir(victim) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_state_folder_costs_no_write_and_no_mount(mount, tmp_path):
    small = tmp_path / "small"
    small.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", small], check=True)
    try:
        mounted = mount(None, "--state", os.fspath(small), conf="")
        mounted.state = small
        with (
            pytest.raises(OSError, match="No space left"),
            open(small / "filler", "wb", buffering=0) as stream,
        ):
            while True:
                stream.write(bytes(4096))
        for number in range(200):
            (mounted.files / f"written-{number}.md").write_text(f"written {number}\n" * 50)
        mounted.wait(lambda status: any("cannot be written" in error["error"] for error in status["errors"]))
        assert (mounted.folder / "written-199.md").read_text().startswith("written 199")
        (small / "filler").unlink()
        mounted.wait(
            lambda status: not any("cannot be written" in error["error"] for error in status["errors"])
        )
        mounted.umount()
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_a_state_folder_that_vanishes_costs_no_mount(mount):
    mounted = mount(conf=WORDS_ONLY)
    status = mounted.wait(lambda status: status["engine"]["state"] == "ready")
    shutil.rmtree(mounted.state)
    os.kill(status["engine"]["pid"], signal.SIGKILL)
    (mounted.files / "kept.md").write_text("kept")
    assert (mounted.folder / "kept.md").read_text() == "kept"
    mounted.wait(lambda status: status["engine"]["pid"] is None or status["engine"]["starts"] > 1)
    assert (mounted.files / "kept.md").read_text() == "kept"
