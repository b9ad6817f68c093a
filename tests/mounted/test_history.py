"""History through a real mount: what was closed is a version, however it was written; nothing that was there is ever lost."""

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import threading

import pytest
from mounted_helpers import WORDS_ONLY

LAZY = WORDS_ONLY + "[history]\ncapture = lazy\n"


@pytest.fixture
def place(mount):
    """A mount without a model."""
    return mount(conf=WORDS_ONLY)


def versions(mounted, path):
    """The contents of a file, oldest first."""
    above, _, name = path.rpartition("/")
    folder = mounted.files / above / ".versions" / name
    numbers = sorted(int(entry[1:]) for entry in os.listdir(folder) if entry[1:].isdigit())
    assert numbers == list(range(1, len(numbers) + 1))
    return [(folder / f"v{number}").read_bytes() for number in numbers]


def shell(mounted, script):
    subprocess.run(["bash", "-ec", script], cwd=mounted.files, check=True)


def captured(mounted):
    """Wait until nothing is left to be captured."""

    def waiting():
        with sqlite3.connect(f"file:{mounted.state}/history.db?mode=ro", uri=True) as database:
            return database.execute(
                "select count(*) from content c join entry e on e.content = c.id and e.died is null"
                " where c.digest is null and e.indexed"
            ).fetchone()[0]

    mounted.until(waiting, lambda count: count == 0)


def test_each_state_that_was_closed_is_a_version_and_no_other(place):
    shell(place, "echo one > plan.md; echo two > plan.md; echo three >> plan.md; printf four > plan.md")
    assert versions(place, "plan.md") == [b"one\n", b"two\n", b"two\nthree\n", b"four"]


def test_a_content_that_is_written_again_is_no_new_version(place):
    shell(place, "echo same > f; echo same > f; touch f; chmod 600 f; echo other > f; echo same > f")
    assert versions(place, "f") == [b"same\n", b"other\n", b"same\n"]


def test_an_editor_that_saves_by_renaming_goes_on_with_the_history(place):
    shell(place, "echo one > plan.md")
    for text in ("two", "three"):
        shell(place, f"echo {text} > .plan.md.swp; mv .plan.md.swp plan.md")
        shell(place, f"mv plan.md plan.md~; echo {text} more > plan.md; rm plan.md~")
    assert versions(place, "plan.md") == [
        b"one\n", b"two\n", b"two more\n", b"three\n", b"three more\n",
    ]  # fmt: skip


def test_sed_in_place_makes_a_version(place):
    shell(place, "seq 5 > list; sed -i s/3/three/ list; sed -i 1d list")
    assert versions(place, "list") == [b"1\n2\n3\n4\n5\n", b"1\n2\nthree\n4\n5\n", b"2\nthree\n4\n5\n"]


def test_a_file_keeps_its_versions_when_it_is_renamed_and_when_a_folder_above_it_is(place):
    shell(
        place,
        "mkdir a; echo one > a/x; echo two > a/x; sleep 0.3; mv a/x a/y; sleep 0.3; mv a b; echo three > b/y",
    )
    assert versions(place, "b/y") == [b"one\n", b"two\n", b"three\n"]


def test_what_was_there_before_lsfs_came_is_kept_when_it_is_changed_first(mount, tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    contents = {}
    for name, size in (("small", 100), ("medium", 200_000), ("large", 3_000_000)):
        for way in ("overwritten", "truncated", "renamed-over", "removed", "appended", "shortened"):
            contents[f"{name}-{way}"] = random.Random(name + way).randbytes(size)
            (folder / f"{name}-{way}").write_bytes(contents[f"{name}-{way}"])
    place = mount(folder, conf=LAZY)
    for name in ("small", "medium", "large"):
        with open(place.files / f"{name}-overwritten", "r+b") as stream:
            stream.seek(50)
            stream.write(b"new")
        shell(place, f": > {name}-truncated; echo new > new; mv new {name}-renamed-over; rm {name}-removed")
        shell(place, f"echo new >> {name}-appended; truncate -s 10 {name}-shortened")
    for path, content in contents.items():
        assert versions(place, path)[0] == content, path
        if "removed" not in path:
            assert versions(place, path)[-1] == (place.folder / path).read_bytes(), path


def test_a_folder_that_is_removed_with_all_in_it_is_kept(mount, tmp_path):
    folder = tmp_path / "old"
    for number in range(300):
        path = folder / f"tree/{number % 7}/{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {number}\n" * (number + 1))
    place = mount(folder, conf=LAZY)
    frozen = tmp_path / "frozen"
    shutil.copytree(folder / "tree", frozen)
    shell(place, "rm -rf tree")
    (day,) = os.listdir(place.path / "trash")
    assert not subprocess.run(["diff", "-r", place.path / "trash" / day / "tree", frozen]).returncode


def test_an_untouched_folder_costs_rows_and_no_bytes_and_is_exact_after_any_change(mount, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.jpg").write_bytes(random.Random(number).randbytes(500_000))
    place = mount(folder, conf=LAZY)
    frozen = tmp_path / "frozen"
    shutil.copytree(folder, frozen, ignore=shutil.ignore_patterns(".lsfs"))
    (place.path / "snapshots/then").mkdir()
    taken = sum(path.stat().st_blocks * 512 for path in place.state.rglob("*") if path.is_file())
    assert taken < 2_000_000
    shell(
        place,
        "chmod 600 1.jpg; mv 2.jpg two.jpg; rm 3.jpg; echo x >> 4.jpg; ln 5.jpg five.jpg; cp 6.jpg 7.jpg",
    )
    shell(
        place,
        "mkdir d; mv 8.jpg d; echo x > d/8.jpg; mv 9.jpg 10.jpg; touch 11.jpg; truncate -s 1000 12.jpg; rm 5.jpg",
    )
    assert not subprocess.run(["diff", "-r", place.path / "snapshots/then/files", frozen]).returncode


def test_a_file_that_is_open_while_a_snapshot_is_taken_is_in_it_as_far_as_it_is_written(place):
    with (
        open(place.files / "log", "wb", buffering=0) as log,
        open(place.files / "big", "wb", buffering=0) as big,
    ):
        log.write(b"first line\n")
        big.write(b"x" * 1_000_000)
        (place.path / "snapshots/one").mkdir()
        log.write(b"second line\n")
        big.write(b"y" * 1_000_000)
        then = place.path / "snapshots/one/files"
        assert (then / "log").read_bytes() == b"first line\n"
        assert (then / "big").read_bytes() == b"x" * 1_000_000
    assert (then / "big").read_bytes() == b"x" * 1_000_000
    assert (place.files / "big").read_bytes() == b"x" * 1_000_000 + b"y" * 1_000_000


def test_a_database_under_load_is_whole_in_every_snapshot(place):
    database = sqlite3.connect(place.files / "data.db", isolation_level=None)
    database.execute("create table t (n integer primary key, text)")
    for number in range(5):
        database.execute("begin")
        database.executemany("insert into t (text) values (?)", [(f"{number}" * 500,)] * 400)
        database.execute("commit")
        (place.path / f"snapshots/s{number}").mkdir()
    database.close()
    for number in range(5):
        copy = place.folder.parent / f"copy{number}.db"
        shutil.copy(place.path / f"snapshots/s{number}/files/data.db", copy)
        with sqlite3.connect(copy) as then:
            assert then.execute("pragma integrity_check").fetchone() == ("ok",)
            assert then.execute("select count(*) from t").fetchone() == (400 * (number + 1),)


def test_a_log_that_is_appended_to_all_the_time_is_thinned_out_and_its_end_is_exact(mount):
    place = mount(conf=WORDS_ONLY + "[history]\npace = 10\n")
    lines = b""
    for number in range(200):
        lines += b"line %d\n" % number
        with open(place.files / "log", "ab") as stream:
            stream.write(b"line %d\n" % number)
    kept = versions(place, "log")
    assert kept[-1] == lines and len(kept) <= 40
    assert all(lines.startswith(content) and content.endswith(b"\n") for content in kept)


def test_a_file_of_two_gib_has_versions_and_shares_what_did_not_change(place):
    chooser = random.Random(1)
    data = [chooser.randbytes(8 << 20) for _ in range(2)]
    with open(place.files / "disk.img", "wb") as stream:
        stream.truncate(2 << 30)
        stream.seek(1 << 30)
        stream.write(data[0])
    first = digest(place.files / "disk.img")
    with open(place.files / "disk.img", "r+b") as stream:
        stream.seek((1 << 30) + (4 << 20))
        stream.write(data[1][:1000])
    second = digest(place.files / "disk.img")
    folder = place.files / ".versions/disk.img"
    assert [digest(folder / "v1"), digest(folder / "v2")] == [first, second]
    place.until(lambda: list((place.state / "held").glob("[0-9]*")), lambda held: not held)
    stored = sum(path.stat().st_blocks * 512 for path in (place.state / "packs").rglob("*") if path.is_file())
    assert stored < 12 << 20


def digest(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "blake2b").hexdigest()


def test_writers_that_overtake_each_other_leave_only_states_that_were_closed(place):
    stop = threading.Event()

    def write(letter):
        count = 0
        while not stop.is_set() and count < 60:
            (place.files / f"{letter}").write_bytes(letter.encode() * (1000 + 5000 * (count % 30)))
            count += 1

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abc"]
    for thread in threads:
        thread.start()
    for number in range(4):
        (place.path / f"snapshots/s{number}").mkdir()
    for thread in threads:
        thread.join()
    for letter in "abc":
        for content in versions(place, letter):
            assert set(content) <= {ord(letter)}
        assert versions(place, letter)[-1] == (place.folder / letter).read_bytes()


def test_rights_owner_attributes_times_and_targets_belong_to_a_version(place):
    path = place.files / "f"
    path.write_text("content")
    os.chmod(path, 0o640)
    os.setxattr(path, "user.colour", b"blue")
    os.utime(path, ns=(10**18, 10**18))
    os.symlink("here", place.files / "link")
    os.mkdir(place.files / "folder", 0o711)
    (place.path / "snapshots/s").mkdir()
    os.chmod(path, 0o600)
    os.setxattr(path, "user.colour", b"red")
    os.unlink(place.files / "link")
    os.symlink("there", place.files / "link")
    os.chmod(place.files / "folder", 0o700)
    then = place.path / "snapshots/s/files"
    found = os.stat(then / "f")
    assert (found.st_mode, found.st_mtime_ns, found.st_uid) == (0o100640, 10**18, os.getuid())
    assert os.getxattr(then / "f", "user.colour") == b"blue" and os.listxattr(then / "f") == ["user.colour"]
    assert os.readlink(then / "link") == "here"
    assert os.stat(then / "folder").st_mode == 0o40711


def test_other_names_of_a_file_change_along_with_it(place):
    shell(place, "echo one > a; ln a b; echo two > b")
    (place.path / "snapshots/s").mkdir()
    shell(place, "echo three > a")
    then = place.path / "snapshots/s/files"
    assert (then / "a").read_text() == (then / "b").read_text() == "two\n"
    assert versions(place, "a") == [b"one\n", b"two\n", b"three\n"]


def test_edits_behind_the_mount_are_versions_too(place):
    (place.folder / "f").write_text("one")
    place.until(lambda: os.path.exists(place.files / "f"))
    captured(place)
    assert versions(place, "f") == [b"one"]
    (place.folder / "f").write_text("two")
    place.until(lambda: versions(place, "f"), lambda found: found == [b"one", b"two"])


def test_what_was_edited_while_nothing_was_mounted_is_a_version_after_the_next_mount(place):
    (place.files / "f").write_text("one")
    (place.files / "g").write_text("moved")
    assert versions(place, "f") == [b"one"]
    place.umount()
    (place.folder / "f").write_text("two, unmounted")
    os.rename(place.folder / "g", place.folder / "h")
    place.mount()
    place.until(lambda: place.status()["scanning"], lambda scanning: not scanning)
    assert versions(place, "f") == [b"one", b"two, unmounted"]
    assert versions(place, "h") == [b"moved"]
    assert not os.path.exists(place.path / "trash") or os.listdir(place.path / "trash") == []


def test_what_is_ignored_by_the_index_has_versions_all_the_same(place):
    shell(
        place,
        "mkdir node_modules; echo SECRET=1 > .env; echo x > node_modules/x; echo SECRET=2 > .env; echo y > node_modules/x",
    )
    assert versions(place, ".env") == [b"SECRET=1\n", b"SECRET=2\n"]
    assert versions(place, "node_modules/x") == [b"x\n", b"y\n"]


def test_names_that_nobody_chose_have_versions(place):
    for name in (b"\xff\xfe", b"a\nb", b"x" * 255, b"-rf", b"'; --"):
        path = os.fsencode(place.files) + b"/" + name
        for text in (b"one", b"two"):
            with open(path, "wb") as stream:
                stream.write(text)
        folder = os.fsencode(place.files) + b"/.versions/" + name
        with open(folder + b"/v1", "rb") as one, open(folder + b"/latest", "rb") as two:
            assert (one.read(), two.read()) == (b"one", b"two")


def test_switched_off_history_says_so_and_files_are_served(mount):
    place = mount(conf=WORDS_ONLY + "[history]\nenabled = no\n")
    shell(place, "echo one > f; echo two > f; rm f; mkdir d; echo x > d/y; mv d e; rm -r e")
    with pytest.raises(OSError, match="not supported"):
        (place.path / "snapshots/s").mkdir()
    assert not os.path.exists(place.files / ".versions/f")


def test_the_folder_without_lsfs_is_what_files_shows(place, tmp_path):
    shell(place, "mkdir -p a/b; echo x > a/b/c; ln -s c a/b/l; rm -f nothing; echo y > z; mv z a/z; rm a/b/c")
    assert not subprocess.run(
        ["diff", "-r", "--no-dereference", "-x", ".lsfs", place.files, place.folder]
    ).returncode


def test_a_truncation_by_path_meets_the_file_it_names_whoever_closes_meanwhile(mount, tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "big").write_bytes(b"b" * (200 << 20))
    (folder / "victim").write_bytes(b"victim" * 100)
    place = mount(folder, conf=LAZY)
    opened = os.open(place.files / "big", os.O_RDONLY)
    cut = threading.Thread(target=os.truncate, args=(place.files / "big", 5))
    cut.start()
    place.until(lambda: os.path.isdir(place.state / "held"))  # the guard copies
    os.close(opened)
    others = [os.open(place.files / "victim", os.O_RDONLY) for _ in range(20)]
    cut.join()
    assert (folder / "big").stat().st_size == 5 and (folder / "victim").read_bytes() == b"victim" * 100
    for descriptor in others:
        os.close(descriptor)
    assert len(versions(place, "big")[0]) == 200 << 20


def test_much_that_is_overwritten_in_a_moment_is_kept_all_the_same(mount, tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number}.bin").write_bytes(random.Random(number).randbytes(250_000))
    place = mount(folder, conf=LAZY)
    (place.path / "snapshots/s").mkdir()
    for number in range(400):
        with open(place.files / f"{number}.bin", "r+b") as stream:
            stream.write(b"new")
    for number in range(400):
        then = (place.path / f"snapshots/s/files/{number}.bin").read_bytes()
        assert then == random.Random(number).randbytes(250_000), number


def test_what_has_another_name_outside_the_folder_is_kept_when_it_is_removed(mount, tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    for name in ("removed", "renamed-over"):
        (folder / name).write_bytes(name.encode() * 100_000)
        os.link(folder / name, tmp_path / f"backup of {name}")
    place = mount(folder, conf=LAZY)
    (place.path / "snapshots/s").mkdir()
    shell(place, "rm removed; echo new > n; mv n renamed-over")
    for name in ("removed", "renamed-over"):
        assert (place.path / "snapshots/s/files" / name).read_bytes() == name.encode() * 100_000


def test_a_write_through_a_name_that_was_removed_is_a_version_of_the_other_name(mount, tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "x").write_text("content before")
    os.link(folder / "x", folder / "y")
    place = mount(folder, conf=LAZY)
    (place.path / "snapshots/s").mkdir()
    with open(place.files / "x", "r+b", buffering=0) as stream:
        os.unlink(place.files / "x")
        stream.write(b"CONTENT")
    then = place.path / "snapshots/s/files"
    assert (then / "x").read_text() == (then / "y").read_text() == "content before"
    assert versions(place, "y")[-1] == b"CONTENT before"


def test_a_time_that_is_set_back_behind_the_mount_hides_no_change(place):
    (place.files / "small").write_text("aaaa")
    assert versions(place, "small") == [b"aaaa"]
    when = os.stat(place.folder / "small").st_mtime_ns
    (place.folder / "small").write_text("bbbb")
    os.utime(place.folder / "small", ns=(when, when))
    place.until(lambda: versions(place, "small"), lambda found: found == [b"aaaa", b"bbbb"])


def test_who_closes_while_another_goes_on_writing_makes_versions(place):
    with open(place.files / "log", "a") as stream:
        stream.write("one\n")
        stream.flush()
        for text in ("edit 0\n", "edit 1\n", "edit 2\n"):
            (place.files / "log").write_text(text)
            (place.path / "snapshots" / text.strip().replace(" ", "-")).mkdir()
    kept = versions(place, "log")
    assert [text for text in kept if text.startswith(b"edit")] == [b"edit 0\n", b"edit 1\n", b"edit 2\n"]


def test_times_that_no_clock_shows_hurt_nobody(place):
    for name, when in (("far", 32503680000 * 10**9), ("long-ago", -11676096000 * 10**9)):
        (place.folder / name).write_text("one")
        os.utime(place.folder / name, ns=(when, when))
        place.until(lambda name=name: os.path.exists(place.files / name))
        shell(place, f"echo two >> {name}; echo three > n; mv n {name}")
        assert versions(place, name)[-1] == b"three\n"
    (place.path / "snapshots/s").mkdir()
    assert place.status()["history"]["trouble"] is None


def test_what_was_moved_behind_the_mount_into_a_new_folder_keeps_its_versions(place):
    shell(place, "mkdir z; echo one > z/plan.md; echo two > z/plan.md; ls .versions")
    assert versions(place, "z/plan.md") == [b"one\n", b"two\n"]
    os.mkdir(place.folder / "z2")
    os.rename(place.folder / "z/plan.md", place.folder / "z2/plan.md")
    place.until(lambda: os.path.exists(place.files / "z2/.versions/plan.md"))
    place.until(lambda: versions(place, "z2/plan.md"), lambda found: found == [b"one\n", b"two\n"])
    assert os.listdir(place.path / "trash") == []


def test_the_state_of_another_lsfs_in_the_folder_is_not_in_history(place):
    shell(place, "mkdir -p sub/.lsfs; echo x > sub/.lsfs/f; echo y > sub/g; rm sub/.lsfs/f")
    (place.path / "snapshots/s").mkdir()
    assert os.listdir(place.path / "snapshots/s/files/sub") == ["g"]


def test_a_read_only_mount_leaves_what_a_kill_left_for_the_next(mount, tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    for number in range(10):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * 50_000)
    place = mount(folder, conf=LAZY)
    (place.path / "snapshots/s").mkdir()
    for number in range(10):
        with open(place.files / f"{number}.bin", "r+b") as stream:
            stream.write(b"new")
    place.kill_all()
    place.until(place.dead)
    subprocess.run(["umount", "-l", place.path], check=True)
    options, place.options = place.options, ("--read-only",)
    place.mount()
    (place.folder / "behind").write_text("x")
    place.until(lambda: os.path.exists(place.files / "behind"))
    place.umount()
    place.options = options
    place.mount()
    for number in range(10):
        assert (place.path / f"snapshots/s/files/{number}.bin").read_bytes() == bytes([number]) * 50_000


def test_a_folder_from_elsewhere_leads_history_nowhere_else(mount, tmp_path):
    folder, precious = tmp_path / "download", tmp_path / "precious"
    held = folder / ".lsfs/held"
    held.mkdir(parents=True)
    os.chmod(folder / ".lsfs", 0o700)
    precious.write_text("precious")
    place = mount(folder, start=False)
    for name in ("journal", "1700000000000000"):
        os.symlink(precious, held / name)
        with pytest.raises(AssertionError, match="is a symlink, and lsfs writes through none"):
            place.mount()
        os.unlink(held / name)
    assert precious.read_text() == "precious"
