"""Rollback, undo and undelete through a real mount: what a user sees of them, and what a kill leaves."""

import json
import mmap
import os
import pathlib
import pty
import random
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
from mounted_helpers import LSFS, PATIENCE, WORDS_ONLY, as_nobody, code, reachable, root

ROOT = pathlib.Path(__file__).parents[2]
KILLING = 15.0  # seconds of kills


@pytest.fixture
def place(mount):
    """A mount without a model."""
    return mount(conf=WORDS_ONLY)


def lsfs(mounted, *words, cwd=None):
    """A command, in the mount."""
    return subprocess.run(
        [*LSFS[:1], "-P", *LSFS[1:], *map(str, words)], capture_output=True, text=True, timeout=PATIENCE, cwd=cwd or mounted.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def well(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shell(mounted, script):
    subprocess.run(["bash", "-ec", script], cwd=mounted.files, check=True)


def ctl(mounted, line):
    """A line to ctl, and its answer."""
    fd = os.open(mounted.path / "ctl", os.O_RDWR)
    try:
        os.write(fd, line.encode())
        return os.read(fd, 1 << 20).decode().rstrip("\n")
    finally:
        os.close(fd)


def same(one, other):
    done = subprocess.run(["diff", "-r", "--no-dereference", one, other], capture_output=True, text=True)
    return (done.returncode, done.stdout + done.stderr) == (0, "") and listing(one) == listing(other)


def listing(folder):
    found = subprocess.run(
        ["find", ".", "-printf", "%P %y %m %U %G %l %s %Ts\n"], cwd=folder, capture_output=True, text=True
    ).stdout
    return sorted(line.rsplit(" ", 2)[0] if " d " in line else line for line in found.splitlines())


def furnished(mounted):
    """A folder with a snapshot `before`, and a frozen copy of it beside the mount; then all of it is changed."""
    shell(
        mounted,
        "mkdir -p src/deep out; echo one > src/a; echo two > src/b; chmod 640 src/b; ln -s a src/l; echo three > src/deep/c;"
        " head -c 900000 /dev/urandom > src/large; echo outside > out/o; mkdir ../snapshots/before",
    )
    frozen = mounted.folder.parent / "frozen"
    subprocess.run(["cp", "-a", mounted.folder / "src", frozen], check=True)
    shell(
        mounted,
        "echo changed > src/a; sed -i s/two/TWO/ src/b; rm -r src/deep; echo file > src/deep; rm src/l; ln -s b src/l;"
        " echo more >> src/large; mkdir src/new; echo new > src/new/n; echo changed > out/o",
    )
    return frozen


def test_a_folder_is_what_it_was_and_nothing_outside_moves(place):
    frozen = furnished(place)
    assert not same(place.files / "src", frozen)
    said = well(lsfs(place, "rollback", "files/src", "--to", "before", "--yes"))
    assert "lsfs undo" in said
    assert same(place.files / "src", frozen) and same(place.folder / "src", frozen)
    assert (place.files / "out/o").read_text() == "changed\n"


def test_an_undo_gives_back_what_was_there_and_the_next_one_rolls_back_again(place):
    frozen = furnished(place)
    later = place.folder.parent / "later"
    subprocess.run(["cp", "-a", place.folder / "src", later], check=True)
    well(lsfs(place, "rollback", place.files / "src", "--to", "before", "--yes", cwd="/"))
    well(lsfs(place, "undo", "--yes"))
    assert same(place.files / "src", later)
    well(lsfs(place, "undo", "--yes"))
    assert same(place.files / "src", frozen)


def test_everything_is_rolled_back_and_what_came_after_the_snapshot_stays_in_history(place):
    furnished(place)
    well(lsfs(place, "rollback", "files", "--to", "before", "--yes"))
    assert (place.files / "out/o").read_text() == "outside\n"
    versions = place.files / "out/.versions/o"
    assert [(versions / f"v{number}").read_text() for number in (1, 2, 3)] == [
        "outside\n",
        "changed\n",
        "outside\n",
    ]


def test_a_file_goes_back_as_many_versions_as_it_is_told(place):
    shell(place, "for i in 1 2 3 4; do echo $i > plan.md; done")
    well(lsfs(place, "rollback", "plan.md", "--versions", "2", "--yes"))
    assert (place.files / "plan.md").read_text() == "2\n"
    well(lsfs(place, "rollback", "plan.md", "--version", "4", "--yes", cwd=place.files))
    assert (place.files / "plan.md").read_text() == "4\n"


def test_a_dry_run_changes_nothing(place):
    furnished(place)
    later = place.folder.parent / "later"
    subprocess.run(["cp", "-a", place.folder / "src", later], check=True)
    plan = json.loads(well(lsfs(place, "rollback", "src", "--to", "before", "--dry-run", "--json")))
    assert (
        plan["counts"] == {"restore": 5, "create": 1, "attributes": 0, "remove": 2} and plan["token"] is None
    )
    assert {change["path"] for change in plan["changes"]} >= {
        "files/src/a",
        "files/src/deep/c",
        "files/src/new",
    }
    assert same(place.files / "src", later) and os.listdir(place.path / "snapshots").count("before") == 1


def test_where_nobody_can_be_asked_nothing_is_done(place):
    furnished(place)
    done = lsfs(place, "rollback", "src", "--to", "before")
    assert done.returncode == 1 and "nothing was changed" in done.stderr and "~ files/src/a" in done.stdout
    assert (place.files / "src/a").read_text() == "changed\n"


@pytest.mark.parametrize(("answer", "expected"), [("y", (0, "one\n")), ("n", (1, "changed\n"))])
def test_it_asks_on_a_terminal(place, answer, expected):
    furnished(place)
    above, below = pty.openpty()
    command = [*LSFS[:1], "-P", *LSFS[1:], "rollback", "src/a", "--to", "before"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, stdin=below, stdout=below, stderr=below, cwd=place.path, env=environ)
    os.close(below)
    said = b""
    while b"Do it?" not in said:
        said += os.read(above, 4096)
    os.write(above, answer.encode() + b"\n")
    status = child.wait(PATIENCE)
    os.close(above)
    assert (status, (place.files / "src/a").read_text()) == expected


def test_open_descriptors_keep_the_old_bytes_and_new_ones_see_the_new(place):
    furnished(place)
    with open(place.files / "src/large", "rb") as reader, open(place.files / "src/a", "rb") as small:
        large = os.pread(reader.fileno(), 100, 0)
        mapped = mmap.mmap(reader.fileno(), 0, prot=mmap.PROT_READ)
        well(lsfs(place, "rollback", "src", "--to", "before", "--yes"))
        assert small.read() == b"changed\n"
        assert mapped[-5:] == b"more\n" and os.pread(reader.fileno(), 100, 0) == large
        assert os.pread(reader.fileno(), 10, 900_000) == b"more\n"
        mapped.close()
    assert (place.files / "src/a").read_text() == "one\n"
    assert (place.files / "src/large").stat().st_size == 900_000


def test_a_shell_that_writes_is_in_the_way(place):
    furnished(place)
    with open(place.files / "src/a", "a") as writer:
        done = lsfs(place, "rollback", "src", "--to", "before", "--yes")
        assert done.returncode == 26 and "src/a is open for writing" in done.stderr
        assert (place.files / "src/b").read_text() == "TWO\n"
        writer.write("half a line")
        writer.flush()
        well(lsfs(place, "rollback", "src", "--to", "before", "--yes", "--force"))
        writer.write(", and more")
    assert (place.files / "src/a").read_text() == "one\n"
    versions = place.files / "src/.versions/a"
    assert "changed\nhalf a line" in [
        (versions / name).read_text() for name in os.listdir(versions) if name[1:].isdigit()
    ]


def test_a_token_does_what_the_plan_says_once_and_dies_of_a_change(place):
    furnished(place)
    plan = json.loads(ctl(place, "rollback src --to before"))
    (place.files / "src/late").write_text("late\n")
    assert code(ctl, place, f"rollback --token {plan['token']}") == "EINVAL"
    plan = json.loads(ctl(place, "rollback src --to before"))
    assert "restored" in ctl(place, f"rollback --token {plan['token']}")
    assert code(ctl, place, f"rollback --token {plan['token']}") == "EINVAL"
    assert code(ctl, place, "rollback src --to never") == "ENOENT"
    assert code(ctl, place, "rollback src") == "EINVAL"


def test_a_question_after_a_rollback_finds_what_is_there_again(place):
    (place.files / "a.md").write_text("the wombat keeper\n")
    (place.path / "snapshots/before").mkdir()
    (place.files / "a.md").write_text("the penguin keeper\n")
    assert place.found("penguin mode:words") == ["a.md"]
    well(lsfs(place, "rollback", "a.md", "--to", "before", "--yes"))
    assert place.found("wombat mode:words") == ["a.md"] and place.found("penguin mode:words") == []


def test_changes_go_on_while_files_are_rolled_back(place):
    shell(
        place,
        "mkdir src; for i in $(seq 300); do echo $i > src/$i; done; mkdir ../snapshots/before;"
        " for i in $(seq 300); do echo x > src/$i; done",
    )
    going, wrote = threading.Event(), []

    def write():
        while not going.is_set():
            (place.files / "beside").write_text(f"{len(wrote)}\n")
            wrote.append((place.files / "beside").read_text())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            well(lsfs(place, "rollback", "src", "--to", "before", "--yes"))
            well(lsfs(place, "undo", "--yes"))
    finally:
        going.set()
        writer.join()
    assert wrote == [f"{number}\n" for number in range(len(wrote))] and len(wrote) > 10
    assert {path.read_text() for path in (place.files / "src").iterdir()} == {"x\n"}


def test_a_mount_that_is_read_only_rolls_nothing_back(mount):
    mounted = mount(None, "--read-only", conf=WORDS_ONLY)
    for words in (("rollback", "a", "--to", "now"), ("undo",), ("undelete", "a")):
        done = lsfs(mounted, *words)
        assert done.returncode == 26 and "read-only" in done.stderr


# Undelete ---------------------------------------------------------------------------------------------------------------------


def test_what_was_removed_comes_back_by_mv_and_by_a_command(place):
    shell(
        place,
        "mkdir -p old; echo kept > old/a.md; chmod 600 old/a.md; touch -d 2020-01-02 old/a.md; echo b > b.md",
    )
    was = os.stat(place.files / "old/a.md")
    shell(place, "rm old/a.md b.md; mv ../trash/$(date +%F)/old/a.md c.md")
    found = os.stat(place.files / "c.md")
    assert (place.files / "c.md").read_text() == "kept\n"
    assert (found.st_mode, found.st_mtime_ns) == (was.st_mode, was.st_mtime_ns)
    assert "b.md is there again" in well(lsfs(place, "undelete", "b.md"))
    assert (place.files / "b.md").read_text() == "b\n"
    done = lsfs(place, "undelete", "b.md")
    assert done.returncode == 26 and "Nothing was removed" in done.stderr


def test_a_folder_comes_back_with_all_that_was_in_it(place):
    frozen = furnished(place)
    well(lsfs(place, "rollback", "src", "--to", "before", "--yes"))
    shell(place, "rm -r src; ls ../trash/$(date +%F)")
    day = time.strftime("%F")
    well(lsfs(place, "undelete", f"trash/{day}/src", "--as", "files/again"))
    assert same(place.files / "again", frozen)
    assert os.listdir(place.path / "trash" / day / "src") == ["new"], "which the rollback had removed"


def test_an_undelete_replaces_nothing(place):
    shell(place, "echo one > a.md; rm a.md; echo two > a.md")
    done = lsfs(place, "undelete", "a.md")
    assert done.returncode == 26 and (place.files / "a.md").read_text() == "two\n"


# Rights -----------------------------------------------------------------------------------------------------------------------


@root
def test_another_user_rolls_back_only_what_the_kernel_would_let_him_write(mount, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    reachable(folder)
    mounted = mount(folder, "--allow-other", conf=WORDS_ONLY)
    reachable(mounted.path)
    (mounted.files / "open").mkdir()
    os.chmod(mounted.files / "open", 0o777)
    (mounted.files / "open/a.md").write_text("one\n")
    (mounted.files / "open/secret.md").write_text("secret\n")
    os.chmod(mounted.files / "open/secret.md", 0o600)
    (mounted.files / "closed").mkdir()
    (mounted.files / "closed/b.md").write_text("one\n")
    (mounted.path / "snapshots/before").mkdir()
    for name in ("open/a.md", "closed/b.md", "open/secret.md"):
        (mounted.files / name).write_text("two\n")

    def ask(path):
        plan = json.loads(ctl(mounted, f"rollback {path} --to before"))
        return ctl(mounted, f"rollback --token {plan['token']}")

    for path in ("closed", "closed/b.md", "open/secret.md", "open", "."):
        assert as_nobody(lambda path=path: code(ask, path)) == "EACCES"
    assert (mounted.files / "open/a.md").read_text() == "two\n"
    assert "restored" in as_nobody(lambda: ask("open/a.md"))
    found = os.stat(mounted.files / "open/a.md")
    assert (mounted.files / "open/a.md").read_text() == "one\n" and found.st_uid == 65534
    plan = json.loads(ctl(mounted, "rollback open --to before"))
    assert as_nobody(lambda: code(ctl, mounted, f"rollback --token {plan['token']}")) == "EINVAL"


# Kills ------------------------------------------------------------------------------------------------------------------------


def test_a_kill_at_a_random_moment_leaves_all_of_it_or_nothing(place):
    """Until a kill hit each side of it, and for some seconds."""
    chooser = random.Random(os.environ.get("LSFS_SEED", "1"))
    shell(
        place,
        "mkdir -p src/d; for i in $(seq 150); do echo old$i > src/$i; done; head -c 600000 /dev/urandom > src/d/large;"
        " mkdir ../snapshots/before; for i in $(seq 1 2 150); do echo new$i > src/$i; done; rm -r src/d;"
        " for i in $(seq 4 4 100); do rm src/$i; done; mkdir src/e; echo e > src/e/e",
    )
    (place.path / "snapshots/later").mkdir()
    states = {name: place.folder.parent / name for name in ("before", "later")}
    for name in ("before", "later"):
        plan = json.loads(ctl(place, "rollback src --to before" if name == "before" else "undo"))
        began = time.monotonic()
        ctl(place, f"rollback --token {plan['token']}")
        longest = 1.2 * (time.monotonic() - began)
        subprocess.run(["cp", "-a", place.folder / "src", states[name]], check=True)
    until, seen, target = time.monotonic() + KILLING, [], "before"
    while time.monotonic() < until:
        plan = json.loads(ctl(place, f"rollback src --to {target}"))
        killer = threading.Timer(chooser.uniform(longest / 3, longest), os.kill, (place.pid, signal.SIGKILL))
        killer.start()
        ended = code(ctl, place, f"rollback --token {plan['token']}") == ""
        killer.join()
        place.until(place.dead)
        place.mount()
        is_before, is_later = (
            same(place.folder / "src", states["before"]),
            same(place.folder / "src", states["later"]),
        )
        assert is_before != is_later, f"neither one nor the other after {len(seen)} kills\n{place.log()}"
        reached = is_before == (target == "before")
        assert reached or not ended, "what was acknowledged is done"
        assert same(place.files / "src", place.folder / "src")
        held = place.state / "held"
        assert not held.exists() or not [
            name for name in os.listdir(held) if name.startswith("stage") and not kept(place, name)
        ]
        seen.append((ended, reached))
        longest *= (
            0.85 if ended else 1.0 if reached else 1.2
        )  # so that kills fall on both sides of the commit
        target = "later" if is_before else "before"
    print(
        f"kills: {len(seen)}, completed: {seen.count((False, True))}, not begun: {seen.count((False, False))}"
    )
    assert {(False, False), (False, True)} <= set(seen) or len(seen) < 20, seen


def kept(mounted, stage):
    """Does history name something in a stage, or has it just been stored?"""

    def left():
        with sqlite3.connect(f"file:{mounted.state}/history.db?mode=ro", uri=True) as database:
            named = database.execute(
                "select count(*) from content where held like ?", (f"{stage}/%",)
            ).fetchone()[0]
        return named or (mounted.state / "held" / stage).exists()

    mounted.until(left, lambda still: not still)
    return True
