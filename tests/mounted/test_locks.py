"""Locks through a real mount: every tool meets them, and flock(2) and fcntl(2) work between processes."""

import fcntl
import json
import mmap
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys

import pytest
from mounted_helpers import LSFS, PATIENCE, WORDS_ONLY, as_nobody, code, reachable, root

from mounts import files_linux as linux

ROOT = pathlib.Path(__file__).parents[2]
ATTRIBUTE = "user.lsfs.lock"
LAZY = WORDS_ONLY + "[index]\nenabled = no\n"


@pytest.fixture
def place(mount):
    """A mount with a file and a folder in it."""
    mounted = mount(conf=LAZY)
    (mounted.files / "a.md").write_text("one\n")
    (mounted.files / "papers/deep").mkdir(parents=True)
    (mounted.files / "papers/p.md").write_text("paper\n")
    (mounted.files / "papers/deep/d.md").write_text("deep\n")
    return mounted


def lsfs(mounted, *words, cwd=None):
    """A command, in the mount."""
    return subprocess.run(
        [*LSFS[:1], "-P", *LSFS[1:], *map(os.fsencode, map(os.fspath, words))], capture_output=True, text=True, errors="surrogateescape",
        timeout=PATIENCE, cwd=cwd or mounted.path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def well(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ctl(mounted, line):
    """A line to ctl, and its answer."""
    fd = os.open(mounted.path / "ctl", os.O_RDWR)
    try:
        os.write(fd, line if isinstance(line, bytes) else line.encode())
        return os.read(fd, 1 << 20).decode("utf-8", "surrogateescape").rstrip("\n")
    finally:
        os.close(fd)


def shell(mounted, script):
    return subprocess.run(
        ["bash", "-c", script], cwd=mounted.files, capture_output=True, text=True, timeout=PATIENCE
    )


def tree(mounted):
    """What is in the folder, behind the mount: names, kinds, rights, times of change, contents."""
    found = {}
    for above, folders, names in os.walk(mounted.folder):
        folders[:] = [name for name in folders if name != ".lsfs"]
        for name in (*folders, *names):
            at = os.path.join(above, name)
            there = os.lstat(at)
            content = pathlib.Path(at).read_bytes() if name in names else b""
            found[at] = (
                there.st_mode,
                there.st_uid,
                there.st_nlink,
                there.st_mtime_ns,
                there.st_ino,
                content,
            )
    return found


EVERY_TOOL = [
    "echo two > a.md", "echo two >> a.md", "echo two | tee a.md", "echo two | tee -a a.md", "cp papers/p.md a.md",
    "cp -f papers/p.md a.md", "cp --remove-destination papers/p.md a.md", "mv a.md b.md", "mv papers/p.md a.md", "mv -f papers/p.md a.md",
    "rm a.md", "rm -f a.md", "unlink a.md", "truncate -s 0 a.md", "truncate -s 100 a.md", "ln a.md b.md", "ln -f papers/p.md a.md",
    "ln -sf papers/p.md a.md", "sed -i s/one/two/ a.md", "dd if=/dev/zero of=a.md bs=1 count=1 conv=notrunc", "fallocate -l 100 a.md",
    "perl -pi -e s/one/two/ a.md", "chmod 600 a.md", "touch a.md", "touch -d 2020-01-01 a.md", "setfattr -n user.mine -v x a.md",
    "install -m 644 papers/p.md a.md", "rsync --inplace papers/p.md a.md", "rsync papers/p.md a.md",
    "{python} -c 'open(\"a.md\", \"r+\")'", "{python} -c 'open(\"a.md\", \"ab\")'", "{python} -c 'open(\"a.md\", \"w\")'",
    "{python} -c 'import os; os.truncate(\"a.md\", 1)'", "{python} -c 'import os; os.replace(\"papers/p.md\", \"a.md\")'",
    "{python} -c 'import os; os.open(\"a.md\", os.O_RDONLY | os.O_TRUNC)'",
]  # fmt: skip


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A mount in which a.md is locked; nothing gets through, so one is enough for every tool."""
    from mounted_helpers import Mounted

    top = tmp_path_factory.mktemp("locked")
    for name in ("folder", "mount"):
        (top / name).mkdir()
    (top / "folder/.lsfs").mkdir(mode=0o700)
    (top / "folder/.lsfs/lsfs.conf").write_text(LAZY)
    mounted = Mounted(top / "folder", top / "mount", top / "folder/.lsfs", ())
    try:
        mounted.mount()
        (mounted.files / "papers/deep").mkdir(parents=True)
        for name in ("a.md", "papers/p.md", "papers/deep/d.md"):
            (mounted.files / name).write_text("one\n")
        os.setxattr(mounted.files / "papers/deep/d.md", "user.kept", b"x")
        well(lsfs(mounted, "lock", "a.md", "--for", "2h", "--why", "final version"))
        well(lsfs(mounted, "lock", "papers/deep"))
        yield mounted
        mounted.umount()
        assert "Traceback" not in mounted.log(), mounted.log()
    finally:
        mounted.clean()


@pytest.mark.parametrize("script", EVERY_TOOL)
def test_every_tool_meets_a_lock_and_changes_nothing(locked, script):
    before = tree(locked)
    done = shell(locked, script.format(python=sys.executable))
    if done.returncode == 127 or "not found" in done.stderr:
        pytest.skip("no such tool here")
    refused = "not permitted" in done.stderr or "not supported" in done.stderr
    assert done.returncode and refused, done.stderr
    assert tree(locked) == before
    assert (locked.files / "a.md").read_text() == "one\n"


@pytest.mark.parametrize(
    "script",
    [
        "echo x > papers/deep/new", "mkdir papers/deep/new", "ln -s x papers/deep/new", "mkfifo papers/deep/new",
        "ln papers/p.md papers/deep/new", "mv papers/p.md papers/deep/new", "cp papers/p.md papers/deep/new",
        "rm papers/deep/d.md", "rm -rf papers/deep", "mv papers/deep other", "mv papers other", "rmdir papers/deep",
        "echo x > papers/deep/d.md", "chmod 700 papers/deep", "mv papers/deep/d.md d.md", "setfattr -n user.x -v y papers/deep",
        "setfattr -x user.kept papers/deep/d.md", "chown 1 papers/deep/d.md",
    ],
)  # fmt: skip
def test_a_locked_folder_is_closed_and_those_above_stay_where_they_are(locked, script):
    before = tree(locked)
    done = shell(locked, script)
    assert done.returncode and "not permitted" in done.stderr, done.stderr
    assert tree(locked) == before


def test_nothing_that_is_locked_or_has_it_below_is_exchanged_and_no_descriptor_is_a_way_around(locked):
    (locked.files / "free").mkdir()
    (locked.files / "free/f").write_text("free\n")
    before = tree(locked)
    top = os.fsencode(locked.files)
    for pair in (
        (b"free", b"papers"),
        (b"free/f", b"a.md"),
        (b"free", b"papers/deep"),
        (b"free/f", b"papers/deep/d.md"),
    ):
        for old, new in (pair, pair[::-1]):
            assert (
                code(linux.rename, -100, top + b"/" + old, -100, top + b"/" + new, linux.RENAME_EXCHANGE)
                == "EPERM"
            )
    file, folder = (os.open(locked.files / name, os.O_PATH) for name in ("a.md", "papers"))
    proc = f"/proc/self/fd/{file}"
    for act in (
        lambda: os.open(proc, os.O_WRONLY), lambda: os.truncate(proc, 0), lambda: os.chmod(proc, 0o600),
        lambda: os.rename(locked.files / "free/f", "deep/d.md", dst_dir_fd=folder),
        lambda: os.rmdir("deep", dir_fd=folder),
    ):  # fmt: skip
        assert code(act) == "EPERM"
    os.close(file)
    os.close(folder)
    assert tree(locked) == before
    shell(locked, "rm -r free")


def test_the_sentence_in_status_names_the_locked_path(locked):
    shell(locked, "mv papers other")
    said = locked.status()["errors"][0]["error"]
    assert "files/papers stays where it is: in it, files/papers/deep is locked by" in said
    assert "files/papers/deep" in (locked.path / "status").read_text()


def test_reading_and_what_is_not_locked_go_on(locked):
    done = shell(
        locked,
        "set -e; cat a.md; grep -r one . ; ls -lR; stat a.md; cp a.md copy; cp -a a.md copy2; echo x > copy2; tar cf ../../t.tar a.md;"
        " mkdir papers/other; echo x > papers/q.md; mv papers/q.md q.md; rm -r q.md copy copy2 papers/other; md5sum a.md",
    )
    assert done.returncode == 0, done.stderr
    with (
        open(locked.files / "a.md", "rb") as stream,
        mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as mapped,
    ):
        assert mapped[:] == b"one\n"


def test_who_locked_until_when_and_why_is_an_attribute_and_in_status(locked):
    said = os.getxattr(locked.files / "a.md", ATTRIBUTE).decode()
    lock = locked.status()["locks"][0]
    assert said.startswith(f"{lock['by']} until 20") and said.endswith(": final version")
    assert (lock["path"], lock["why"], lock["uid"]) == ("files/a.md", "final version", os.getuid())
    assert lock["until"] - lock["since"] == 7200
    assert os.listxattr(locked.files / "a.md") == [ATTRIBUTE]
    assert "(with files/papers/deep)" in os.getxattr(locked.files / "papers/deep/d.md", ATTRIBUTE).decode()
    assert "locks       2: files/a.md, files/papers/deep" in (locked.path / "status").read_text()
    assert os.listxattr(locked.files / "papers/p.md") == []
    assert code(os.getxattr, locked.files / "papers/p.md", ATTRIBUTE) == "ENODATA"
    assert os.listxattr(locked.folder / "a.md") == [], "nothing of it is on the disk"


@pytest.mark.skipif(not shutil.which("getfattr"), reason="needs getfattr")
def test_a_lock_is_made_and_ended_by_setfattr(place):
    done = shell(
        place,
        f"setfattr -n {ATTRIBUTE} -v '2h: sent' a.md && setfattr -n {ATTRIBUTE} papers && getfattr -d a.md papers",
    )
    assert done.returncode == 0 and ": sent" in done.stdout and "until unlocked" in done.stdout, done.stderr
    assert shell(place, "echo x > a.md").returncode and shell(place, "echo x > papers/new").returncode
    assert shell(place, f"setfattr -x {ATTRIBUTE} papers/p.md").stderr.endswith("Operation not permitted\n")
    done = shell(
        place,
        f"setfattr -x {ATTRIBUTE} a.md && setfattr -x {ATTRIBUTE} papers && echo x > a.md && rm -r papers",
    )
    assert done.returncode == 0, done.stderr
    assert code(os.removexattr, place.files / "a.md", ATTRIBUTE) == "ENODATA"
    assert code(os.setxattr, place.files / "a.md", ATTRIBUTE, b"tomorrow") == "EINVAL"
    assert os.listxattr(place.folder / "a.md") == []


def test_a_copy_of_a_locked_file_is_not_locked(place):
    well(lsfs(place, "lock", "a.md", "--why", "final"))
    well(lsfs(place, "lock", "papers"))
    outside = place.folder.parent / "outside"
    for there in (place.files / "copy", outside):
        done = shell(place, f"mkdir {there} && cp -a --preserve=all a.md papers {there}/")
        assert done.returncode == 0, done.stderr
    assert (
        shell(place, f"cp -a {outside}/a.md back.md; echo x > back.md; echo x > copy/papers/p.md").stderr
        == ""
    )
    assert [lock["path"] for lock in place.status()["locks"]] == ["files/a.md", "files/papers"]
    assert shell(place, "rm -r copy").returncode == 0


def test_descriptors_that_were_open_before_are_refused(place):
    target = place.files / "a.md"
    writers = [
        os.open(target, flags) for flags in (os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_WRONLY | os.O_SYNC)
    ]
    os.write(writers[1], b"two\n")
    ctl(place, "lock a.md")
    for fd in writers:
        for act in (
            lambda fd=fd: os.write(fd, b"x"),
            lambda fd=fd: os.pwrite(fd, b"x", 0),
            lambda fd=fd: os.writev(fd, [b"x", b"y"]),
            lambda fd=fd: os.ftruncate(fd, 0),
            lambda fd=fd: os.fchmod(fd, 0o600),
            lambda fd=fd: os.utime(fd),
            lambda fd=fd: os.posix_fallocate(fd, 0, 100),
            lambda fd=fd: os.copy_file_range(writers[0], fd, 1, 0, 0),
        ):
            assert code(act) in ("EPERM", "EBADF", "EINVAL", "EOPNOTSUPP"), act
    assert code(os.write, writers[0], b"x") == code(os.ftruncate, writers[0], 0) == "EPERM"
    assert target.read_text() == (place.folder / "a.md").read_text() == "one\ntwo\n"
    ctl(place, "unlock a.md")
    assert os.pwrite(writers[0], b"X", 0) == 1
    for fd in writers:
        os.close(fd)
    assert target.read_text() == "Xne\ntwo\n"


@pytest.mark.parametrize("by", ["ctl", "setfattr"])
def test_what_was_stored_in_a_mapping_before_the_lock_is_kept_and_later_stores_are_not(place, by):
    with open(place.files / "a.md", "r+b") as stream, mmap.mmap(stream.fileno(), 4) as mapped:
        mapped[:3] = b"ONE"
        if by == "ctl":
            ctl(place, "lock files")
        else:
            os.setxattr(place.files / "a.md", ATTRIBUTE, b"2h")
        assert (place.folder / "a.md").read_bytes() == b"ONE\n"
        mapped[:3] = b"two"
        with pytest.raises(OSError):
            mapped.flush()
        place.until(lambda: bytes(mapped[:]), lambda seen: seen == b"ONE\n")
    assert (place.files / "a.md").read_bytes() == (place.folder / "a.md").read_bytes() == b"ONE\n"


def test_other_names_of_a_locked_file_are_closed_to_writers(place):
    assert shell(place, "ln a.md other.md; ln papers/deep/d.md outside.md").returncode == 0
    well(lsfs(place, "snapshot", "linked"))  # by now history knows the names
    well(lsfs(place, "lock", "a.md"))
    well(lsfs(place, "lock", "papers"))
    place.umount()
    place.mount()  # the kernel knows no name any more
    for name in ("other.md", "outside.md"):
        for script in (f"echo x > {name}", f"echo x >> {name}", f"truncate -s 0 {name}", f"ln {name} third"):
            done = shell(place, script)
            assert done.returncode and "not permitted" in done.stderr, (script, done.stderr)
    assert (place.files / "a.md").read_text() == "one\n"
    assert ATTRIBUTE in os.listxattr(place.files / "outside.md")
    assert shell(place, "mv other.md moved.md && rm moved.md && rm outside.md").returncode == 0


def test_a_lock_outlives_the_mount_and_a_kill(place):
    well(lsfs(place, "lock", "a.md", "--for", "1h", "--why", "final"))
    said = os.getxattr(place.files / "a.md", ATTRIBUTE)
    place.umount()
    place.mount()
    assert os.getxattr(place.files / "a.md", ATTRIBUTE) == said
    ctl(place, "lock papers")
    os.kill(place.pid, signal.SIGKILL)
    place.until(place.dead)
    place.mount()
    for script in ("echo x > a.md", "rm a.md", "rm papers/p.md"):
        assert "not permitted" in shell(place, script).stderr
    assert os.getxattr(place.files / "a.md", ATTRIBUTE) == said
    ctl(place, "unlock a.md")
    os.kill(place.pid, signal.SIGKILL)
    place.until(place.dead)
    place.mount()
    assert shell(place, "echo x > a.md").returncode == 0


def test_a_lock_ends_at_its_time(place):
    ctl(place, "lock a.md --for 1s")
    assert "not permitted" in shell(place, "rm a.md").stderr
    place.wait(lambda status: status["locks"] == [])
    assert os.listxattr(place.files / "a.md") == []
    assert shell(place, "echo x > a.md; rm a.md").returncode == 0


def test_an_end_is_changed_by_who_locked(place):
    well(lsfs(place, "lock", "a.md"))
    assert json.loads(well(lsfs(place, "lock", "a.md", "--for", "1s", "--json")))["why"] == ""
    place.wait(lambda status: status["locks"] == [])
    assert lsfs(place, "unlock", "a.md").returncode == 26


def test_a_call_that_would_change_what_is_locked_is_refused_and_says_by_whom(place):
    (place.path / "snapshots/before").mkdir()
    shell(place, "echo two > a.md; echo two > papers/p.md; echo gone > papers/g.md; rm papers/g.md")
    well(lsfs(place, "lock", "papers/p.md", "--why", "final"))
    for words in (
        ("rollback", "papers", "--to", "before", "--yes"),
        ("rollback", "files", "--to", "before", "--yes", "--force"),
        ("forget", "papers/p.md", "--purge", "--live", "--yes"),
        ("forget", "papers", "--purge", "--live", "--yes"),
    ):
        done = lsfs(place, *words)
        assert done.returncode and "files/papers/p.md is locked by" in done.stderr, done.stderr + done.stdout
        assert ": final" in done.stderr
    assert (place.files / "a.md").read_text() == (place.files / "papers/p.md").read_text() == "two\n"
    well(lsfs(place, "rollback", "a.md", "--to", "before", "--yes"))
    well(lsfs(place, "undo", "--yes"))
    well(lsfs(place, "lock", "papers"))
    done = lsfs(place, "undelete", "papers/g.md")
    assert done.returncode and "files/papers is locked" in done.stderr
    done = shell(place, "mv ../trash/$(date +%F)/papers/g.md papers/g.md")
    assert "not permitted" in done.stderr
    assert shell(place, "mv ../trash/$(date +%F)/papers/g.md g.md; cat g.md").stdout == "gone\n"


def test_a_plan_that_was_made_before_a_lock_is_refused(place):
    (place.path / "snapshots/before").mkdir()
    (place.files / "a.md").write_text("two\n")
    place.until(lambda: ctl(place, "rollback a.md --to before --dry-run"), lambda plan: "restore" in plan)
    plan = json.loads(ctl(place, "rollback a.md --to before"))
    ctl(place, "lock a.md")
    assert code(ctl, place, f"rollback --token {plan['token']}") == "EPERM"
    assert (place.files / "a.md").read_text() == "two\n"


@pytest.mark.parametrize("name", ["n" * 255, "line\nbreak", "caf\udce9", "-rf", 'it\'s "%s"'])
def test_any_name_is_locked_and_unlocked(place, name):
    import shlex

    target = place.files / name
    target.write_text("one\n")
    line = os.fsencode(f"-- {shlex.quote(name)}")
    if "\n" not in name:
        well(lsfs(place, "lock", "--for", "2h", "--", f"files/{name}"))
    else:
        os.setxattr(target, ATTRIBUTE, b"2h")
    assert code(os.unlink, target) == code(os.rename, target, place.files / "b") == "EPERM"
    assert code(open, target, "a") == "EPERM"
    place.umount()
    place.mount()
    assert code(os.unlink, target) == "EPERM"
    assert [os.fsencode(lock["path"]) for lock in place.status()["locks"]] == [b"files/" + os.fsencode(name)]
    assert "is not locked any more" in ctl(place, b"unlock " + line)
    target.unlink()


def test_what_cannot_be_locked_is_refused_with_its_errno(place):
    shell(place, "ln -s a.md link; mkfifo fifo")
    for line, error in (
        ("lock missing", "ENOENT"), ("lock missing/a", "ENOENT"), ("lock .lsfs/history.db", "ENOENT"), ("lock link", "EINVAL"),
        ("lock fifo", "EINVAL"), (f"lock {'n' * 256}", "ENAMETOOLONG"), ("unlock a.md", "ENOENT"), ("lock", "EINVAL"),
        ("lock a.md --for never", "EINVAL"), ("lock a.md --until 2001", "EINVAL"), ("lock ../a", "EINVAL"),
    ):  # fmt: skip
        assert code(ctl, place, line) == error, line
    assert place.status()["locks"] == []


def test_a_mount_that_is_read_only_takes_no_lock(mount):
    mounted = mount(None, "--read-only", conf=LAZY)
    assert code(ctl, mounted, "lock files") == "EROFS"
    assert code(os.setxattr, mounted.files, ATTRIBUTE, b"2h") == "EROFS"


# Several users ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(mount, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    reachable(folder)
    mounted = mount(folder, "--allow-other", conf=LAZY)
    reachable(mounted.path)
    (mounted.files / "open").mkdir()
    os.chmod(mounted.files / "open", 0o777)
    for name, mode in (("open/all.md", 0o666), ("open/mine.md", 0o644), ("open/secret.md", 0o600)):
        (mounted.files / name).write_text("one\n")
        os.chmod(mounted.files / name, mode)
    (mounted.files / "closed").mkdir(mode=0o700)
    (mounted.files / "closed/c.md").write_text("one\n")
    return mounted


@root
def test_a_lock_of_another_user_binds_root_too_and_root_ends_it(shared):
    target = shared.files / "open/all.md"
    assert as_nobody(lambda: ctl(shared, "lock open/all.md --for 2h")).startswith(
        "files/open/all.md is locked"
    )
    assert code(target.write_text, "two\n") == code(target.unlink) == "EPERM"
    assert as_nobody(lambda: code(target.write_text, "two\n")) == "EPERM", "of the one who locked, too"
    assert code(ctl, shared, "lock open/all.md") == "EEXIST"
    assert os.getxattr(target, ATTRIBUTE).startswith(b"nobody until ")
    ctl(shared, "unlock open/all.md")
    target.write_text("two\n")


@root
def test_a_lock_in_a_closed_folder_is_told_through_no_other_name_of_the_file(shared):
    other = shared.files / "open/other.md"
    os.chmod(shared.files / "closed/c.md", 0o666)
    os.link(shared.files / "closed/c.md", other)
    ctl(shared, "lock closed/c.md --why hush")

    def look():
        fd = os.open(shared.path / "ctl", os.O_RDWR)
        refused = code(os.write, fd, b"append open/other.md --text x"), os.read(fd, 4096)
        return os.getxattr(other, ATTRIBUTE), code(other.write_text, "x"), refused

    said = as_nobody(look)
    assert "until unlocked" in said and said.count("EPERM") == 2, "it is locked"
    assert "closed" not in said and "hush" not in said
    assert os.getxattr(other, ATTRIBUTE).endswith(b": hush"), "root is told"


@root
def test_who_did_not_lock_does_not_unlock(shared):
    target = shared.files / "open/all.md"
    ctl(shared, "lock open/all.md")
    assert as_nobody(lambda: code(ctl, shared, "unlock open/all.md")) == "EPERM"
    assert as_nobody(lambda: code(os.removexattr, target, ATTRIBUTE)) == "EPERM"
    assert as_nobody(lambda: code(os.setxattr, target, ATTRIBUTE, b"1s")) == "EEXIST"
    assert as_nobody(lambda: code(ctl, shared, "lock open/all.md --for 1s")) == "EEXIST"
    assert code(target.write_text, "two\n") == "EPERM"


@root
def test_only_what_one_may_write_can_be_locked_and_only_ones_own_folder(shared):
    for path, error in (
        ("open/mine.md", "EPERM"),
        ("open/secret.md", "EPERM"),
        ("open", "EPERM"),
        ("closed/c.md", "EACCES"),
    ):
        assert as_nobody(lambda path=path: code(ctl, shared, f"lock {path}")) == error, path
    assert as_nobody(lambda: code(os.setxattr, shared.files / "open", ATTRIBUTE, b"")) == "EPERM"
    ctl(shared, "lock closed/c.md")
    ctl(shared, "lock open/mine.md")
    seen = as_nobody(lambda: [lock["path"] for lock in shared.status()["locks"]])
    assert seen == "['files/open/mine.md']"
    assert "closed" not in as_nobody(lambda: (shared.path / "status").read_text())


# flock(2) and fcntl(2) ----------------------------------------------------------------------------------------------------------

HOLD = """
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
if sys.argv[2] == "flock":
    fcntl.flock(fd, fcntl.LOCK_EX)
elif sys.argv[2] == "ofd":
    fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
else:
    fcntl.lockf(fd, fcntl.LOCK_EX, *map(int, sys.argv[3:]))
print("held", flush=True)
sys.stdin.readline()
if sys.argv[2] == "flock":
    os.close(fd)
    print("closed", flush=True)
    sys.stdin.readline()
"""


class Holder:
    """A process that holds an advisory lock until it is told, or killed."""

    def __init__(self, path, *how):
        command = [sys.executable, "-c", HOLD, os.fspath(path), *map(str, how)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def held(self):
        assert self.process.stdout.readline() == "held\n"
        return self

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self.held()

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def flock(fd):
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lockf(fd, *span):
    fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, *span)


@pytest.mark.parametrize(("how", "take"), [("flock", flock), ("lockf", lockf), ("ofd", lockf)])
def test_an_advisory_lock_keeps_others_out_and_hinders_no_reader(place, how, take):
    target = place.files / "a.md"
    fd = os.open(target, os.O_RDWR)
    with Holder(target, how) as holder:
        assert code(take, fd) in ("EAGAIN", "EACCES")
        assert shell(place, "cat a.md; echo two >> a.md; cat a.md").stdout == "one\none\ntwo\n"
        waiting = Holder(target, how)
        holder.go_on()  # the one closes its file, the others exit
        waiting.held()
        assert code(take, fd) in ("EAGAIN", "EACCES")
        waiting.__exit__()
        take(fd)
    os.close(fd)


@pytest.mark.parametrize(("how", "take"), [("flock", flock), ("lockf", lockf)])
def test_an_advisory_lock_goes_when_its_holder_is_killed(place, how, take):
    fd = os.open(place.files / "a.md", os.O_RDWR)
    with Holder(place.files / "a.md", how) as holder:
        assert code(take, fd) in ("EAGAIN", "EACCES")
        holder.process.kill()
        holder.process.wait()
        take(fd)
    os.close(fd)


def test_ranges_are_locked_apart(place):
    (place.files / "a.md").write_bytes(bytes(100))
    fd = os.open(place.files / "a.md", os.O_RDWR)
    with Holder(place.files / "a.md", "lockf", 10, 20):
        lockf(fd, 20, 0)
        lockf(fd, 10, 30)
        assert code(lockf, fd, 1, 25) in ("EAGAIN", "EACCES")
        kind, _, start, length, pid = struct.unpack(
            "hhqqi4x", fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 25, 1, 0))
        )
        assert (kind, start, length) == (fcntl.F_WRLCK, 20, 10) and pid > 0
    os.close(fd)


def test_a_lock_that_waits_does_not_hold_up_the_mount(place):
    with Holder(place.files / "a.md", "flock"):
        waiting = [Holder(place.files / "a.md", "flock") for _ in range(5)]
        assert shell(place, "cat a.md papers/p.md; ls -lR . > /dev/null").stdout == "one\npaper\n"
        for one in waiting:
            one.__exit__()
    assert place.status()["locks"] == []
