"""create, get, append, replace, delete, touch through a real mount: what a user sees of them, and what somebody else sees meanwhile."""

import errno
import json
import os
import pathlib
import random
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest
from mounted_helpers import LSFS, PATIENCE, WORDS_ONLY, as_nobody, code, reachable, root

from lsfs.cli.bring import bring

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def place(mount):
    """A mount without a model."""
    return mount(conf=WORDS_ONLY)


def lsfs(mounted, *words, cwd=None, **more):
    """A command, in the mount."""
    more = {"stdin": subprocess.DEVNULL} | more if "input" not in more else more
    return subprocess.run(
        [*LSFS[:1], "-P", *LSFS[1:], *map(str, words)], capture_output=True, text=True, timeout=PATIENCE, cwd=cwd or mounted.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, **more,
    )  # fmt: skip


def well(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ctl(mounted, line):
    """A line to ctl, and its answer."""
    fd = os.open(mounted.path / "ctl", os.O_RDWR)
    try:
        os.write(fd, line.encode())
        answer = b""
        while part := os.read(fd, 1 << 20):
            answer += part
        return answer.decode().rstrip("\n")
    finally:
        os.close(fd)


def trash(mounted):
    found = []
    for day in os.listdir(mounted.path / "trash"):
        for above, _, names in os.walk(mounted.path / "trash" / day):
            found += [
                os.path.relpath(os.path.join(above, name), mounted.path / "trash" / day) for name in names
            ]
    return sorted(found)


# What a user types ------------------------------------------------------------------------------------------------------------


def test_a_file_is_made_read_changed_and_removed(place):
    assert "`lsfs undo`" in well(lsfs(place, "create", "plan.md", "--text", "We ship in May."))
    assert (place.files / "plan.md").read_text() == "We ship in May."
    well(lsfs(place, "append", "files/plan.md", "--text", " Or later."))
    well(lsfs(place, "replace", place.files / "plan.md", "--text", "We ship in June.", cwd="/"))
    got = json.loads(well(lsfs(place, "get", "plan.md")))
    assert got["text"] == "We ship in June." and (got["version"], got["versions"]) == (3, 3)
    assert (
        json.loads(well(lsfs(place, "get", "plan.md", "--version", "2")))["text"]
        == "We ship in May. Or later."
    )
    well(lsfs(place, "touch", "plan.md", "--at", "2020-01-01T10:00"))
    assert time.localtime(os.stat(place.files / "plan.md").st_mtime).tm_year == 2020
    assert json.loads(well(lsfs(place, "delete", "plan.md", "--json"))) == {"deleted": ["files/plan.md"]}
    assert os.listdir(place.files) == [] and trash(place) == ["plan.md"]


def test_each_call_is_undone_and_done_again(place):
    (place.files / "other").write_text("mine\n")
    for words, before, after in (
        (("create", "a", "--text", "one"), None, "one"),
        (("append", "a", "--text", "two"), "one", "onetwo"),
        (("replace", "a", "--text", "three"), "onetwo", "three"),
        (("delete", "a"), "three", None),
    ):
        well(lsfs(place, *words))
        (place.files / "other").write_text(f"{words}\n")
        for expected in (before, after):
            well(lsfs(place, "undo", "--yes"))
            now = (place.files / "a").read_text() if (place.files / "a").exists() else None
            assert now == expected, words
        assert (place.files / "other").read_text() == f"{words}\n", "and nothing else is"


def test_a_folder_is_made_and_copied_with_its_tree(place):
    well(lsfs(place, "create", "d/"))
    well(lsfs(place, "create", "d/a", "--text", "a"))
    os.symlink("a", place.files / "d/l")
    os.chmod(place.files / "d/a", 0o640)
    os.utime(place.files / "d/a", (1e9, 1e9))
    assert "a folder with 2 files" in well(lsfs(place, "create", "e", "--from", "d"))
    found = os.stat(place.files / "e/a")
    assert (stat.S_IMODE(found.st_mode), found.st_mtime) == (0o640, 1e9) and os.readlink(
        place.files / "e/l"
    ) == "a"
    assert lsfs(place, "create", "d/d", "--from", "d").returncode == 26
    well(lsfs(place, "delete", "d", "e"))
    assert os.listdir(place.files) == []
    well(lsfs(place, "undelete", "e"))
    assert (place.files / "e/l").read_text() == "a"


def test_a_folder_from_outside_is_brought_in_whole(place, tmp_path):
    outside = tmp_path / "outside"
    (outside / "x/y").mkdir(parents=True)
    for number in range(300):
        (outside / f"x/{number}").write_text(f"{number}\n")
    os.symlink("../nowhere", outside / "x/l")
    os.chmod(outside / "x/y", 0o700)
    os.utime(outside / "x/7", (1e9, 1e9))
    said = json.loads(well(lsfs(place, "create", "in", "--from", outside, "--json")))
    assert (said["files"], said["folders"], said["left"]) == (301, 3, [])
    for where in (place.files, place.folder):
        done = subprocess.run(
            ["diff", "-r", "--no-dereference", outside, where / "in"], capture_output=True, text=True
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert os.stat(place.files / "in/x/7").st_mtime == 1e9
    assert stat.S_IMODE(os.stat(place.files / "in/x/y").st_mode) == 0o700
    assert os.listdir(place.files) == ["in"], "nothing of the way is left"
    assert place.found("mode:words 299") == ["in/x/299"]
    done = lsfs(place, "create", "in", "--from", outside)
    assert done.returncode == 26 and "already" in done.stderr


def test_what_is_no_file_is_named_and_left_out(place, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_text("a")
    os.mkfifo(outside / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(outside / "socket"))
    done = lsfs(place, "create", "in", "--from", outside)
    assert (
        done.returncode == 1 and "fifo was left out" in done.stderr and "socket was left out" in done.stderr
    )
    assert os.listdir(place.files / "in") == ["a"]
    done = lsfs(place, "create", "x", "--from", outside / "fifo")
    assert done.returncode == 1 and not (place.files / "x").exists()


def test_a_folder_is_not_brought_into_itself_under_whatever_name(place):
    """Neither what the mount lies in, nor the folder behind it: there would be no end."""
    (place.files / "d").mkdir()
    (place.files / "d/a").write_text("a")
    for source in (place.path.parent, place.path, place.folder, place.folder / "d"):
        done = lsfs(place, "create", "d/x", "--from", source)
        assert done.returncode == 26 and f"{source} cannot be copied into itself" in done.stderr
        assert os.listdir(place.folder / "d") == ["a"], "nothing of it is left"


def test_names_of_lsfs_in_a_folder_are_left_out_of_its_import(place, tmp_path):
    outside = tmp_path / "outside"
    (outside / "d/.lsfs").mkdir(parents=True)
    (outside / "d/.versions").mkdir()
    (outside / "d/a").write_text("a")
    done = lsfs(place, "create", "in", "--from", outside)
    assert done.returncode == 1 and done.stderr.count("its name is one of lsfs's own") == 2
    assert os.listdir(place.files / "in/d") == ["a"]


def test_a_hole_stays_a_hole_and_a_setgid_folder_hands_its_group_down(place, tmp_path):
    outside = tmp_path / "outside"
    (outside / "d").mkdir(parents=True)
    with open(outside / "sparse", "wb") as stream:
        stream.write(b"x")
        stream.truncate(200 << 20)
    (place.files / "group").mkdir()
    os.chmod(place.files / "group", 0o2775)
    well(lsfs(place, "create", "group/in", "--from", outside))
    found = os.stat(place.folder / "group/in/sparse")
    assert found.st_size == 200 << 20 and found.st_blocks * 512 < 4 << 20
    for folder in ("group/in", "group/in/d"):
        assert os.stat(place.files / folder).st_mode & stat.S_ISGID


def test_no_fifo_is_waited_for(place, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (place.files / "a").write_text("a")
    for word in ("append", "replace"):
        done = lsfs(place, word, "a", "--from", tmp_path / "fifo")
        assert done.returncode == 26 and "is no file" in done.stderr
    assert (place.files / "a").read_text() == "a"


def test_more_paths_than_a_line_takes_are_refused_with_a_way_out(place):
    (place.files / "d").mkdir()
    names = [f"d/{'n' * 100}{number}" for number in range(700)]
    for name in names:
        (place.folder / name).write_text("x")
    done = lsfs(place, "delete", *names)
    assert done.returncode == 26 and "name the folder" in done.stderr
    assert len(os.listdir(place.files / "d")) == 700
    well(lsfs(place, "delete", "d"))


def test_stdin_and_text_of_any_length_are_taken(place):
    long = "a line\n" * 20_000
    well(lsfs(place, "create", "a", "--from", "-", input=long))
    well(lsfs(place, "append", "a", "--from", "-", input=long))
    assert (place.files / "a").read_text() == long * 2
    well(lsfs(place, "replace", "a", "--text", long[:100_000]))
    well(lsfs(place, "create", "b", "--text", long[:100_000]))
    assert (place.files / "a").read_text() == (place.files / "b").read_text() == long[:100_000]
    assert sorted(os.listdir(place.files)) == ["a", "b"]


def test_an_undo_takes_back_what_came_from_outside_and_nothing_older(place, tmp_path):
    well(lsfs(place, "create", "old", "--text", "old"))
    well(lsfs(place, "delete", "old"))
    (tmp_path / "d").mkdir()
    (tmp_path / "d/f").write_text("f")
    os.chmod(tmp_path / "d", 0o555)
    long = "a line\n" * 10_000
    for words, more in (
        (("create", "a", "--from", "-"), {"input": "from a pipe\n"}),
        (("create", "a", "--text", long), {}),
        (("create", "a", "--from", tmp_path / "d"), {}),
        (("create", "a", "--from", tmp_path / "d/f"), {}),
    ):
        assert "`lsfs undo` takes it back" in well(lsfs(place, *words, **more)), words
        assert "This does again" not in well(lsfs(place, "undo", "--yes"))
        assert os.listdir(place.files) == [], words
    assert "This does again what the last undo took back: create files/a." in well(
        lsfs(place, "undo", "--yes")
    )
    for word in ("append", "replace"):
        well(lsfs(place, word, "a", "--from", "-", input=long))
        well(lsfs(place, "undo", "--yes"))
        assert (place.files / "a").read_text() == "f" and os.listdir(place.files) == ["a"]


def test_what_a_killed_import_left_goes_with_the_next(place, tmp_path):
    (place.files / ".bring-999999999-00000000").mkdir()
    (place.files / ".bring-999999999-00000000/half").write_text("half")
    (tmp_path / "a").write_text("a")
    well(lsfs(place, "create", "a", "--from", tmp_path / "a"))
    assert os.listdir(place.files) == ["a"]


def test_what_a_question_finds_is_removed_after_its_plan_was_shown(place):
    (place.files / "a.md").write_text("the wombat keeper\n")
    (place.files / "b.md").write_text("the penguin keeper\n")
    (place.files / "c.md").write_text("the wombat feeder\n")
    done = lsfs(place, "delete", "--matching", "wombat mode:words")
    assert done.returncode == 1 and "2 files answer" in done.stdout and "nothing was removed" in done.stderr
    plan = json.loads(well(lsfs(place, "delete", "--matching", "wombat mode:words", "--dry-run", "--json")))
    assert plan["token"] is None and plan["counts"] == {"remove": 2}
    assert {change["path"] for change in plan["changes"]} == {"files/a.md", "files/c.md"}
    assert len(os.listdir(place.files)) == 3
    limited = json.loads(ctl(place, 'delete --matching "wombat mode:words limit:1"'))
    assert limited["counts"] == {"remove": 1}
    well(lsfs(place, "delete", "--matching", "wombat mode:words", "--yes"))
    assert os.listdir(place.files) == ["b.md"]
    well(lsfs(place, "undo", "--yes"))
    assert len(os.listdir(place.files)) == 3
    assert "nothing to do" in well(lsfs(place, "delete", "--matching", "aardvark mode:words", "--yes"))


def test_files_that_merely_are_near_are_not_touched(place):
    for name in ("a.md", "b.md"):
        (place.files / name).write_text("the wombat keeper\n")
    for words in (
        ("delete", "--matching", '"keeper of wombats"', "--yes"),
        ("join", "--matching", '"keeper of wombats"', "--into", "x.md"),
        ("group", '"keeper of wombats"', "--into", "x"),
    ):
        done = lsfs(place, *words)
        assert done.returncode == 26 and "nothing was done" in done.stderr, done
    assert sorted(os.listdir(place.files)) == ["a.md", "b.md"]
    done = lsfs(place, "delete", "--matching", "wombat limit:1", "--dry-run")
    assert ".md  (" in done.stdout and "note: only the first 1 were looked at" in done.stdout


def test_a_token_dies_of_a_change_and_of_its_use(place):
    for name in ("a.md", "b.md"):
        (place.files / name).write_text("wombat\n")
    first, second, third = (
        json.loads(ctl(place, "delete --matching 'wombat mode:words'"))["token"] for _ in range(3)
    )
    (place.files / "elsewhere").write_text("x")
    (place.files / "b.md").write_text("wombat, and more\n")
    assert code(ctl, place, f"delete --token {first}") == "EINVAL"
    assert sorted(os.listdir(place.files)) == ["a.md", "b.md", "elsewhere"]
    token = json.loads(ctl(place, "delete --matching 'wombat mode:words'"))["token"]
    assert "in trash/" in ctl(place, f"delete --token {token}")
    for dead in (token, second, third, "nonsense"):
        assert code(ctl, place, f"delete --token {dead}") == "EINVAL"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("create a --text x", "EEXIST"), ("create gone/x", "ENOENT"), ("create a/x", "ENOTDIR"), ("create x --from gone", "ENOENT"),
        ("create x --from fifo", "EINVAL"), ("create .lsfs/x", "EPERM"), ("create .versions", "EPERM"),
        (f"create {'n' * 256}", "ENAMETOOLONG"),
        ("create", "EINVAL"), ("create x --text a --from a", "EINVAL"), ("create d --from a", "EEXIST"), ("create x/ --from a", "EINVAL"),
        ("get gone", "ENOENT"), ("get d", "EISDIR"), ("get fifo", "EINVAL"), ("get large", "EFBIG"), ("get a --version 9", "ENOENT"),
        ("get a --version x", "EINVAL"), ("get .lsfs/history.db", "ENOENT"), ("append gone --text x", "ENOENT"),
        ("append d --text x", "EISDIR"),
        ("append fifo --text x", "EINVAL"), ("append a", "EINVAL"), ("append l --text x", "EINVAL"), ("append a --from large", "EFBIG"),
        ("replace gone --text x", "ENOENT"), ("replace d --text x", "EISDIR"), ("replace a", "EINVAL"), ("replace a --from d", "EISDIR"),
        ("delete", "EINVAL"), ("delete gone", "ENOENT"), ("delete a gone", "ENOENT"), ("delete a --token x", "EINVAL"),
        ("delete files", "EINVAL"),
        ("touch gone", "ENOENT"), ("touch a --at yesterday", "EINVAL"), ("touch .lsfs", "EPERM"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_its_errno_and_nothing_is_changed(place, line, name):
    (place.files / "a").write_text("a")
    (place.files / "d").mkdir()
    os.mkfifo(place.files / "fifo")
    os.symlink("a", place.files / "l")
    with open(place.files / "large", "wb") as stream:
        stream.truncate(65 << 20)
    before = sorted(os.listdir(place.files))
    assert code(ctl, place, line) == name
    assert sorted(os.listdir(place.files)) == before and (place.files / "a").read_text() == "a"
    assert not place.status()["errors"], "what the caller did wrong is not the mount's trouble"


def test_bytes_that_are_no_text_come_as_base64(place):
    (place.files / "a").write_bytes(b"\xff\x00")
    (place.files / "b").write_bytes("naïve\n\0".encode())
    assert (
        json.loads(ctl(place, "get a"))["base64"] == "/wA="
        and json.loads(ctl(place, "get b"))["text"] == "naïve\n\0"
    )


def test_a_mount_that_is_read_only_changes_nothing(mount):
    mounted = mount(None, "--read-only", conf=WORDS_ONLY)
    for line in ("create a", "append a --text x", "replace a --text x", "delete a", "touch a"):
        assert code(ctl, mounted, line) == "EROFS"


def test_without_history_a_call_says_what_to_use_instead(mount):
    mounted = mount(conf=WORDS_ONLY + "[history]\nenabled = no\n")
    (mounted.files / "a").write_text("a")
    for line in ("create b", "replace a --text x", "delete a"):
        assert code(ctl, mounted, line) in ("EOPNOTSUPP", "ENOTSUP")
    assert "plain file tools" in lsfs(mounted, "create", "b", "--text", "x").stderr
    assert "nothing takes it back" in ctl(mounted, "append a --text b")
    assert os.listdir(mounted.files) == ["a"] and (mounted.files / "a").read_text() == "ab"


def test_a_file_that_is_open_for_writing_is_busy(place):
    with open(place.files / "a", "w") as writer:
        writer.write("x")
        writer.flush()
        for line in ("replace a --text y", "append a --text y", "delete a"):
            assert code(ctl, place, line) == "EBUSY"
    ctl(place, "replace a --text y")
    assert (place.files / "a").read_text() == "y"


# Two users --------------------------------------------------------------------------------------------------------------------


@root
def test_another_user_changes_only_what_the_kernel_would_let_him(mount, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    reachable(folder)
    mounted = mount(folder, "--allow-other", conf=WORDS_ONLY)
    reachable(mounted.path)
    (mounted.files / "open").mkdir()
    os.chmod(mounted.files / "open", 0o777)
    (mounted.files / "secret").write_text("secret")
    os.chmod(mounted.files / "secret", 0o600)
    (mounted.files / "a").write_text("a")
    for line in (
        "create x", "get secret", "append a --text x", "replace a --text x", "delete a", "touch a", "create open/x --from secret",
        "append open/x --from secret",
    ):  # fmt: skip
        assert as_nobody(lambda line=line: code(ctl, mounted, line)) in ("EACCES", "EPERM"), line
    assert "is there now" in as_nobody(lambda: ctl(mounted, "create open/x --text mine"))
    assert os.stat(mounted.files / "open/x").st_uid == 65534
    as_nobody(lambda: ctl(mounted, "replace open/x --text more"))
    plan = json.loads(as_nobody(lambda: ctl(mounted, "undo")))
    assert [change["path"] for change in plan["changes"]] == ["files/open/x"]
    assert code(ctl, mounted, f"rollback --token {plan['token']}") == "EINVAL", "it is his"
    assert json.loads(as_nobody(lambda: ctl(mounted, "get open/x")))["text"] == "more"


@root
def test_something_is_brought_to_a_folder_that_may_not_be_listed(mount, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    reachable(folder)
    mounted = mount(folder, "--allow-other", conf=WORDS_ONLY)
    reachable(mounted.path)
    (mounted.files / "drop").mkdir()
    os.chmod(mounted.files / "drop", 0o733)
    (tmp_path / "a").write_text("a")
    os.chmod(tmp_path / "a", 0o644)
    assert "files=1" in as_nobody(lambda: bring(str(tmp_path / "a"), str(mounted.files / "drop/a")))
    assert os.listdir(mounted.files / "drop") == ["a"]


# Somebody else, at the same time --------------------------------------------------------------------------------------------------


class Looking:
    """Another agent, which looks all the time. `seen`: what it saw, each once."""

    def __init__(self, look):
        self.look, self.seen, self.error = look, set(), None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            while not self.over.is_set():
                self.seen.add(self.look())
        except BaseException as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *reason):
        self.over.set()
        self.thread.join()
        if self.error is not None:
            raise self.error


def whole(path):
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def test_a_reader_sees_the_old_content_or_the_new_one(place):
    one, other = b"1" * 300_000, b"2" * 200_000
    (place.files / "new").write_bytes(other)
    (place.files / "old").write_bytes(one)
    ctl(place, "create a --from old")
    with Looking(lambda: whole(place.files / "a")) as reader:
        for _ in range(8):
            ctl(place, "replace a --from new")
            ctl(place, "replace a --from old")
    assert reader.seen <= {one, other}


def test_several_files_are_removed_at_once_for_who_looks(place):
    names = [f"{letter}.md" for letter in "abcdefgh"]
    (place.files / "in").mkdir()

    def both(first, second):
        """Was the one gone, and after that the other one there?"""
        gone = not os.path.lexists(place.files / "in" / first)
        return gone and os.path.lexists(place.files / "in" / second)

    for _ in range(6):
        for name in names:
            (place.files / "in" / name).write_text("wombat\n")
        with (
            Looking(lambda: frozenset(os.listdir(place.files / "in"))) as lister,
            Looking(lambda: both("a.md", "h.md")) as one,
            Looking(lambda: both("h.md", "a.md")) as other,
        ):
            ctl(place, "delete " + " ".join(f"in/{name}" for name in names))
        assert lister.seen <= {frozenset(names), frozenset()}
        assert True not in one.seen | other.seen


def test_what_somebody_has_open_goes_together_with_the_rest(place):
    """The kernel knows those names, and asks for what is open even where its name is gone."""
    names = [f"{letter}.md" for letter in "abcdefgh"]
    (place.files / "in").mkdir()

    def states():
        """Which were there, one after the other: once one is gone, no later one is there."""
        return "".join("1" if os.path.lexists(place.files / "in" / name) else "0" for name in names)

    for _ in range(12):
        for name in names:
            (place.files / "in" / name).write_text("wombat\n")
        readers = [open(place.files / "in" / name) for name in names[4:]]  # noqa: SIM115
        with Looking(states) as one, Looking(states) as two, Looking(states) as three:
            ctl(place, "delete " + " ".join(f"in/{name}" for name in names))
        for reader in readers:
            assert reader.read() == "wombat\n"
            reader.close()
        assert [seen for seen in one.seen | two.seen | three.seen if "01" in seen] == []


def test_an_import_appears_at_once(place, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    for number in range(200):
        (outside / f"{number}").write_text(f"{number}\n")

    def look(name):
        try:
            return len(os.listdir(place.files / name))
        except FileNotFoundError:
            return None

    for _ in range(3):
        with Looking(lambda: look("in")) as brought, Looking(lambda: look("copy")) as copied:
            well(lsfs(place, "create", "in", "--from", outside))
            ctl(place, "create copy --from in")
        assert brought.seen <= {None, 200} and copied.seen <= {None, 200}
        ctl(place, "delete in copy")


def test_two_who_edit_at_the_same_time_lose_nothing(place):
    ctl(place, "create a --text ''")

    def work(letter):
        for _ in range(10):
            while True:
                try:
                    ctl(place, f"append a --text {letter}")
                    break
                except OSError as error:
                    assert error.errno in (errno.EBUSY, errno.EAGAIN)

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((place.files / "a").read_text()) == sorted("xyz" * 10)


def test_a_kill_at_a_random_moment_leaves_all_of_a_call_or_nothing(place):
    chooser = random.Random(os.environ.get("LSFS_SEED", "1"))
    (place.files / "src").mkdir()
    for number in range(100):
        (place.files / f"src/{number}").write_text(f"{number}\n")
    began = time.monotonic()
    ctl(place, "create copy --from src")
    took = time.monotonic() - began
    seen = []
    for _ in range(6):
        there = (place.files / "copy").exists()
        line = "delete copy" if there else "create copy --from src"
        killer = threading.Timer(chooser.uniform(0, 1.2 * took), os.kill, (place.pid, signal.SIGKILL))
        killer.start()
        ended = code(ctl, place, line) == ""
        killer.join()
        place.until(place.dead)
        place.mount()
        now = sorted(os.listdir(place.files))
        assert now in (["copy", "src"], ["src"]) and len(os.listdir(place.files / now[0])) == 100
        assert ("copy" in now) != there or not ended, "what was acknowledged is done"
        seen.append((ended, ("copy" in now) != there))
    print(seen)
