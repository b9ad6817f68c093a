"""What happened, and what happens, through a real mount: .log, .watch, NAME/watch, `lsfs log`, `lsfs watch`."""

import json
import os
import shutil
import signal
import subprocess

import pytest
from mounted_helpers import LSFS, PATIENCE, WORDS_ONLY, as_nobody, code, reachable, root


@pytest.fixture
def place(mount):
    return mount(conf=WORDS_ONLY)


def lsfs(mounted, *words):
    done = subprocess.run([*LSFS, *words], cwd=mounted.path, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(text):
    """(what, path) of each line."""
    return [
        tuple(line.split("\t")[1:3]) for line in text.splitlines() if not line.startswith(("time\t", "#"))
    ]


def commit(mounted):
    """All that was closed is in history."""
    (mounted.path / "snapshots/now-then").mkdir()
    (mounted.path / "snapshots/now-then").rmdir()


def test_a_folder_tells_what_happened_at_and_below_it(place):
    (place.files / "sub/deep").mkdir(parents=True)
    (place.files / "a.md").write_text("one")
    commit(place)
    (place.files / "a.md").write_text("two!")
    (place.files / "sub/deep/x").write_text("x")
    commit(place)
    (place.files / "a.md").rename(place.files / "sub/b.md")
    commit(place)
    (place.files / "sub/b.md").unlink()
    (place.files / "sub/deep/x").chmod(0o600)
    commit(place)
    everything = told((place.files / ".versions/.log").read_text())
    assert everything[:3] == [("made", "a.md"), ("made", "sub"), ("made", "sub/deep")]
    assert everything[3:] == [
        ("written", "a.md"), ("made", "sub/deep/x"), ("renamed from a.md", "sub/b.md"), ("removed", "sub/b.md"), ("mode", "sub/deep/x"),
    ]  # fmt: skip
    below = told((place.files / "sub/.versions/.log").read_text())
    assert below == [line for line in everything if line[1].startswith("sub")]
    assert told(lsfs(place, "log")) == everything
    assert told(lsfs(place, "log", "--limit", "2")) == everything[-2:]
    rows = json.loads(lsfs(place, "log", "--json", "files/sub"))["log"]
    assert [(row["what"], row["path"]) for row in rows] == below
    assert "renamed to sub/b.md" in lsfs(place, "log", "a.md", "--limit", "9")
    assert not {".log", ".watch"} & set(os.listdir(place.files / ".versions"))
    assert "watch" not in os.listdir(place.files / "sub/.versions/b.md")


def test_the_log_since_a_time(place):
    (place.files / "a").write_text("1")
    commit(place)
    rows = json.loads(lsfs(place, "log", "--json"))["log"]
    (place.files / "b").write_text("2")
    commit(place)
    assert told(lsfs(place, "log", "--since", rows[-1]["time"])) == [("made", "b")]


# mawk, which is awk on a bare Debian, waits for 4 KiB or the end unless it is told not to
AWK = ["mawk", "-W", "interactive"] if shutil.which("mawk") else ["awk"]


class Reader:
    """A program that reads lines; `next` is its next one."""

    def __init__(self, *command, **more):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)

    def next(self):
        assert self.process.stdout is not None
        return tuple(self.process.stdout.readline().rstrip("\n").split("\t")[1:3])

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


def test_a_watch_yields_a_line_for_each_change_as_it_happens(place):
    (place.files / "sub").mkdir()
    (place.files / "plan.md").write_text("one")
    commit(place)
    with (
        open(place.files / ".versions/.watch") as everything,
        open(place.files / "sub/.versions/.watch") as below,
        open(place.files / ".versions/plan.md/watch") as file,
    ):
        (place.files / "plan.md").write_text("two!")
        assert told(everything.readline()) == told(file.readline()) == [("written", "plan.md")]
        (place.files / "sub/x").write_text("x")
        assert told(everything.readline()) == told(below.readline()) == [("made", "sub/x")]
        (place.files / "plan.md").rename(place.files / "sub/p.md")
        assert told(everything.readline()) == told(below.readline()) == [("renamed from plan.md", "sub/p.md")]
        assert told(file.readline()) == [("renamed to sub/p.md", "plan.md")]
        (place.folder / "sub/behind").write_text("made behind the mount")
        assert told(below.readline()) == [("made", "sub/behind")]
        (place.files / "sub/p.md").unlink()
        assert told(below.readline()) == [("removed", "sub/p.md")]


def test_plain_tools_read_a_watch_and_a_signal_ends_them(place):
    (place.files / "a").write_text("1")
    commit(place)
    file = place.files / ".versions/.watch"
    ready = "exec 3<files/.versions/.watch; echo; "
    readers = [
        Reader("bash", "-c", f"{ready}exec {tool} <&3", cwd=place.path)
        for tool in (
            "cat",
            "head -1",
            "grep --line-buffered a",
            f"{' '.join(AWK)} '{{print; fflush()}}'",
            "sed -u p",
            "python3 -uc 'print(input())'",
        )
    ]
    for reader in readers:
        reader.next()  # it has it open
    (place.files / "a").write_text("22")
    assert [reader.next() for reader in readers] == [("written", "a")] * len(readers)
    assert readers[1].process.wait(PATIENCE) == readers[5].process.wait(PATIENCE) == 0
    assert readers[0].end() == -signal.SIGTERM
    for reader in readers[2:5]:
        reader.end()
    assert file.stat().st_size == 0


def test_programs_that_take_an_interruption_for_an_error_read_on(place):
    """A descriptor from another process is interrupted every moment; who opened the file himself is not."""
    (place.files / "a").write_text("1")
    commit(place)
    file = os.fspath(place.files / ".versions/.watch")
    readers = [Reader(*words, file) for words in ([*AWK, "{print; fflush()}"], ["sed", "-u", "p"])]
    for reader in readers:
        place.until(lambda reader=reader: has_watch_open(reader.process.pid))
    moment = "exec 3<files/.versions/.watch; perl -e 'sysread(STDIN, $line, 99) // print $!' <&3; true"
    for _ in range(2):
        done = subprocess.run(
            ["bash", "-c", moment], cwd=place.path, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.stdout == "Interrupted system call"
    (place.files / "a").write_text("22")
    for reader in readers:
        assert reader.next() == ("written", "a")
        assert reader.end() == -signal.SIGTERM


def test_who_watches_does_not_keep_a_mount_that_ends(place):
    readers = [
        Reader("cat", os.fspath(place.files / ".versions/.watch")),
        Reader(*LSFS, "watch", os.fspath(place.files)),
    ]
    for reader in readers:
        place.until(lambda reader=reader: has_watch_open(reader.process.pid))
    refused = subprocess.run([*LSFS, "umount", place.path], capture_output=True, text=True, timeout=PATIENCE)
    assert refused.returncode == 25 and "in use by" in refused.stderr
    os.kill(place.pid, signal.SIGTERM)
    assert [reader.process.wait(PATIENCE) for reader in readers] == [0, 0]
    place.until(lambda: not os.path.ismount(place.path))


def test_a_shell_reads_a_watch_line_by_line(place):
    reader = Reader(
        "bash", "-c", "exec 3<files/.versions/.watch; echo; while read -r -u 3 time what rest; do echo \"x\t$what\t$rest\"; done",
        cwd=place.path,
    )  # fmt: skip
    reader.next()
    (place.files / "new").write_text("1")
    assert reader.next()[0] == "made"
    reader.end()


def test_lsfs_watch_prints_them_until_it_is_interrupted(place):
    (place.files / "sub").mkdir()
    commit(place)
    reader = Reader(*LSFS, "watch", "files/sub", cwd=place.path, stderr=subprocess.PIPE)
    lines = iter(range(10**6))
    seen = None

    def told_of_one():
        nonlocal seen
        (place.files / f"sub/{next(lines)}").write_text("x")
        found = place.until(lambda: os.stat(f"/proc/{reader.process.pid}/fd/0", follow_symlinks=True))
        return bool(found) and has_watch_open(reader.process.pid)

    place.until(told_of_one)
    (place.files / "sub/last").write_text("x")
    while seen != ("made", "sub/last"):
        seen = reader.next()
    assert reader.end(signal.SIGINT) == 130


def has_watch_open(pid):
    """Whether a process has a file called .watch open."""
    names = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            names.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            continue
    # the name was looked up anew since: then it ends in " (deleted)"
    return any("/.versions/.watch" in name for name in names)


def test_nobody_writes_to_a_log_or_a_watch(place):
    for name in (".log", ".watch"):
        assert code(os.open, place.files / ".versions" / name, os.O_WRONLY) == "EROFS"
    with pytest.raises(FileNotFoundError):
        (place.files / ".versions/.else").read_text()


def test_a_file_that_is_called_watch_has_versions(place):
    (place.files / ".watch").write_text("mine")
    commit(place)
    assert (place.files / ".versions/.watch/v1").read_text() == "mine"


def test_watches_that_are_open_do_not_hinder_anybody(place):
    fds = [os.open(place.files / ".versions/.watch", os.O_RDONLY) for _ in range(64)]
    try:
        assert code(os.open, place.files / ".versions/.watch", os.O_RDONLY) == "EAGAIN"
        (place.files / "a").write_text("x")
        assert all(told(os.read(fd, 4096).decode()) == [("made", "a")] for fd in fds)
    finally:
        for fd in fds:
            os.close(fd)
    os.close(os.open(place.files / ".versions/.watch", os.O_RDONLY))


@root
def test_others_are_told_what_they_may_read(mount, tmp_path):
    place = mount(None, "--allow-other", conf=WORDS_ONLY)
    reachable(place.path)
    (place.files / "secret").mkdir(mode=0o700)
    commit(place)
    reader = Reader(
        "bash", "-c", "exec 3<.versions/.watch; echo; exec cat <&3", cwd=place.files, user=65534, group=65534, extra_groups=[]
    )  # fmt: skip
    reader.next()
    (place.files / "secret/x").write_text("x")
    (place.files / "open").write_text("x")
    assert reader.next() == ("made", "open")
    reader.end()
    paths = [path for _, path in told(as_nobody((place.files / ".versions/.log").read_text))]
    assert "open" in paths and "secret/x" not in paths
    assert (
        as_nobody(lambda: code(os.open, place.files / "secret/.versions/.log", os.O_RDONLY)) == "EACCES"
    )  # EACCES


@pytest.mark.parametrize(
    ("words", "said"),
    [(("log", "never-there"), "no file or folder"), (("watch", "never-there"), "There is no"), (("log", "--limit", "0"), "--limit"),
     (("log", "--since", "soon"), "--since"), (("log", "x" * 300), "no file or folder")],
)  # fmt: skip
def test_what_is_not_there_is_said(place, words, said):
    done = subprocess.run([*LSFS, *words], cwd=place.path, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode in (2, 26) and said in done.stderr


def test_a_watch_leaves_nothing_out_of_a_large_change(mount, tmp_path):
    """All of a folder that is renamed is one commit; more than a table of .log has is yielded all the same."""
    folder = tmp_path / "large"
    (folder / "old").mkdir(parents=True)
    names = {f"{number:05d}" for number in range(10_500)}
    for name in names:
        (folder / "old" / name).touch()
    place = mount(folder, conf=WORDS_ONLY)
    commit(place)
    with open(place.files / ".versions/.watch") as lines:
        (place.files / "old").rename(place.files / "new")
        seen = {told(lines.readline())[0] for _ in range(len(names) + 1)}
    assert seen == {("renamed from old", "new")} | {
        (f"renamed from old/{name}", f"new/{name}") for name in names
    }
    everything = (place.files / ".versions/.log").read_text().splitlines()
    assert everything[1] == "# the newest 10000 only" and len(everything) == 10_002


@root
def test_the_new_name_of_a_file_is_told_to_nobody_who_may_not_read_it(mount):
    place = mount(None, "--allow-other", conf=WORDS_ONLY)
    reachable(place.path)
    (place.files / "secret").mkdir(mode=0o700)
    (place.files / "open").mkdir()
    (place.files / "open/x").write_text("x")
    (place.files / "open/y").write_text("y")
    commit(place)
    reader = Reader(
        "bash", "-c", "exec 3<open/.versions/.watch; echo; exec cat <&3", cwd=place.files, user=65534, group=65534, extra_groups=[]
    )  # fmt: skip
    reader.next()
    (place.files / "open/x").rename(place.files / "secret/the-merger")
    commit(place)
    (place.files / "open/y").rename(place.files / "open/z")
    assert [reader.next(), reader.next()] == [("removed", "open/x"), ("renamed from open/y", "open/z")]
    reader.end()
    assert "the-merger" in (place.files / "open/.versions/.log").read_text()
    assert "the-merger" not in as_nobody((place.files / "open/.versions/.log").read_text)


@root
def test_one_who_may_read_little_is_told_all_of_that(mount):
    """What others may not know of does not take the room of what is told."""
    place = mount(None, "--allow-other", conf=WORDS_ONLY)
    reachable(place.path)
    (place.files / "open").write_text("x")
    commit(place)
    (place.files / "secret").mkdir(mode=0o700)
    for number in range(20):
        (place.files / f"secret/{number}").write_text("x")
    commit(place)
    line = as_nobody(lambda: say(place, "log --limit 1"))
    assert told(line) == [("made", "open")]


def say(mounted, line):
    fd = os.open(mounted.path / "ctl", os.O_RDWR)
    try:
        os.write(fd, line.encode())
        return os.read(fd, 1 << 20).decode()
    finally:
        os.close(fd)


def test_a_watch_that_is_not_to_wait_does_not(place):
    fd = os.open(place.files / ".versions/.watch", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(BlockingIOError):
            os.read(fd, 4096)
        (place.files / "a").write_text("x")
        commit(place)
        assert told(os.read(fd, 4096).decode()) == [("made", "a")]
        with pytest.raises(BlockingIOError):
            os.read(fd, 4096)
    finally:
        os.close(fd)


def test_without_history_it_is_said(mount):
    place = mount(conf=WORDS_ONLY + "[history]\nenabled = no\n")
    (place.files / "a").write_text("x")
    for words in (
        ["log"],
        ["log", "a"],
        ["watch", "a"],
        ["watch", "files"],
        ["compare", "a"],
        ["compare", "files", "--from", "now"],
    ):
        done = subprocess.run(
            [*LSFS, *words], cwd=place.path, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode and "History is switched off" in done.stderr, (words, done)
    for name in (".log", ".watch"):
        assert code(os.open, place.files / ".versions" / name, os.O_RDONLY) == "ENOTSUP"
