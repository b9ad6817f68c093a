"""The catalogue: whatever happens to a folder, its rows end up saying what is there."""

import os
import pathlib
import shutil
import sqlite3
import stat

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lsfs.history import paths
from lsfs.history.catalogue import Catalogue
from lsfs.history.entries import Entries
from lsfs.history.ignore import Ignore
from lsfs.history.objects import Objects
from lsfs.history.scan import scan
from lsfs.history.store import State


class House:
    """A folder with its catalogue, driven by hand."""

    def __init__(self, root: pathlib.Path) -> None:
        self.folder = root / "folder"
        self.folder.mkdir()
        self.state = State(root / "state")
        self.root_fd = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        self.catalogue = Catalogue(
            self.state.database,
            self.root_fd,
            Ignore(self.root_fd),
            Entries(self.state.database, Objects(self.state.database, self.state.folder)),
        )

    def scan(self, top: bytes = b"") -> int:
        watched: list[bytes] = []
        return sum(
            scan(
                self.catalogue,
                top,
                watch=lambda path, fd: watched.append(path),
                hidden=frozenset({b".lsfs"}),
                unreadable=lambda path, error: None,
            )
        )

    def touch(self, path: bytes) -> str:
        with self.catalogue.transaction():
            return self.catalogue.touched(path)

    def read(self, state: str = "text") -> list[bytes]:
        """Play the engine: an outcome for each dirty row. Returns the paths that had to be read."""
        read = []
        outcomes = []
        for _, path in self.catalogue.backlog(10_000, 0):
            data = (self.folder / os.fsdecode(path)).read_bytes()
            found = os.lstat(self.folder / os.fsdecode(path))
            read.append(path)
            outcomes.append(
                {
                    "path": path, "state": state, "digest": data[:16].ljust(16), "type": "text", "complete": True, "error": None,
                    "size": found.st_size, "mtime_ns": found.st_mtime_ns, "ctime_ns": found.st_ctime_ns, "ino": found.st_ino,
                }
            )  # fmt: skip
        with self.catalogue.transaction():
            self.catalogue.record(outcomes)
        return read

    def rows(self) -> dict[bytes, tuple]:
        rows = self.state.database.execute(
            "select parent, name, size, mtime_ns, ino, dirty from file where died is null"
        ).fetchall()
        return {paths.join(parent, name): tuple(rest) for parent, name, *rest in rows}

    def on_disk(self) -> dict[bytes, tuple]:
        found = {}
        for parent, _, names in os.walk(os.fsencode(self.folder)):
            for name in names:
                whole = os.path.join(parent, name)
                status = os.lstat(whole)
                if stat.S_ISREG(status.st_mode):
                    found[os.path.relpath(whole, os.fsencode(self.folder))] = (
                        status.st_size, status.st_mtime_ns, status.st_ino, 0,
                    )  # fmt: skip
        return found

    def close(self) -> None:
        self.state.close()
        os.close(self.root_fd)


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def test_a_scan_finds_what_is_there_and_nothing_twice(house):
    (house.folder / "a").mkdir()
    (house.folder / "a/b.md").write_text("b")
    (house.folder / "c.md").write_text("c")
    os.mkfifo(house.folder / "pipe")
    os.symlink("/etc", house.folder / "out")
    assert house.scan() == 2
    house.read()
    assert house.scan() == 0
    assert house.rows() == house.on_disk()


def test_a_change_that_keeps_size_and_mtime_is_found_by_its_ctime(house):
    path = house.folder / "a.md"
    path.write_text("one")
    house.scan()
    house.read()
    before = os.stat(path)
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    house.scan()
    assert house.read() == [b"a.md"]


def test_a_renamed_folder_is_not_read_again(house):
    (house.folder / "a/b").mkdir(parents=True)
    (house.folder / "a/b/c.md").write_text("c")
    house.scan()
    house.read()
    os.rename(house.folder / "a", house.folder / "z")
    with house.catalogue.transaction():
        house.catalogue.moved(b"a", b"z")
    assert house.rows() == house.on_disk()
    os.rename(house.folder / "z", house.folder / "y")  # and the same behind the mount
    house.scan()
    assert house.rows() == house.on_disk()
    assert house.read() == []


def test_a_rename_that_changes_the_kind_of_a_file_reads_it_again(house):
    (house.folder / "a.md").write_text("a")
    house.scan()
    house.read()
    os.rename(house.folder / "a.md", house.folder / "a.py")
    with house.catalogue.transaction():
        house.catalogue.moved(b"a.md", b"a.py")
    assert house.read() == [b"a.py"]


def test_a_failed_file_is_not_read_again_until_it_changes(house):
    path = house.folder / "a.pdf"
    path.write_text("broken")
    house.scan()
    house.read("failed")
    assert house.scan() == 0 and house.touch(b"a.pdf") == "clean"
    path.write_text("mended")
    assert house.touch(b"a.pdf") == "dirty"


def test_a_file_that_becomes_a_folder_and_back_leaves_one_row(house):
    path = house.folder / "x"
    path.write_text("file")
    house.scan()
    path.unlink()
    path.mkdir()
    (path / "y").write_text("y")
    assert house.touch(b"x") == "folder"
    house.scan(b"x")
    house.read()
    assert house.rows() == house.on_disk()
    shutil.rmtree(path)
    path.write_text("file again")
    house.touch(b"x")
    house.read()
    assert house.rows() == house.on_disk()


def test_rows_below_a_folder_that_cannot_be_listed_are_kept(house):
    if os.geteuid() == 0:
        pytest.skip("root can list every folder")
    (house.folder / "a").mkdir()
    (house.folder / "a/b").write_text("b")
    house.scan()
    os.chmod(house.folder / "a", 0)
    house.scan()
    os.chmod(house.folder / "a", 0o755)
    assert b"a/b" in house.rows()


def test_a_commit_that_changes_nothing_takes_no_sequence(house):
    (house.folder / "a").write_text("a")
    house.scan()
    house.read()
    before = house.catalogue.sequence
    house.scan()
    house.touch(b"a")
    assert house.catalogue.sequence == before


def test_a_failed_transaction_leaves_no_trace(house):
    before = (house.catalogue.sequence, house.catalogue.counts())
    (house.folder / "a").write_text("a")
    with pytest.raises(RuntimeError), house.catalogue.transaction():
        house.catalogue.touched(b"a")
        raise RuntimeError
    assert (house.catalogue.sequence, house.catalogue.counts()) == before
    assert house.rows() == {}


def test_what_has_to_be_read_is_counted_however_much_there_is(house, monkeypatch):
    monkeypatch.setattr("lsfs.history.catalogue.FEW", 2)
    for name in "abc":
        (house.folder / name).write_text(name)
    house.scan()
    assert (house.catalogue.counts().unread, house.catalogue.counts().pending) == (3, 3)
    house.read()
    assert house.catalogue.counts().unread <= house.catalogue.counts().pending
    monkeypatch.setattr("lsfs.history.catalogue.FEW", 1_000)
    assert house.catalogue.counts().unread == 0


def test_secrets_and_ignored_files_have_no_row(house):
    (house.folder / ".env").write_text("TOKEN=1")
    (house.folder / ".git").mkdir()
    (house.folder / ".git/config").write_text("x")
    (house.folder / "notes.md").write_text("n")
    (house.folder / "draft.md").write_text("n")
    (house.folder / ".lsfsignore").write_text("draft.*\n")
    house.scan()
    assert set(house.rows()) == {b"notes.md", b".lsfsignore"}


def test_a_dead_row_is_kept_for_the_grace_and_then_dropped(house):
    (house.folder / "a").write_text("a")
    house.scan()
    os.unlink(house.folder / "a")
    house.touch(b"a")
    count = "select count(*) from file"
    with house.catalogue.transaction():
        house.catalogue.forget_dead()
    assert house.state.database.execute(count).fetchone()[0] == 1
    with house.catalogue.transaction():
        house.catalogue.forget_dead(seconds=-1)
    assert house.state.database.execute(count).fetchone()[0] == 0


def test_a_newer_layout_is_refused_and_left_alone(tmp_path):
    from lsfs.refusals import StateNewer

    State(tmp_path / "state").close()
    database = sqlite3.connect(tmp_path / "state/history.db")
    database.execute("pragma user_version = 999")
    database.close()
    with pytest.raises(StateNewer):
        State(tmp_path / "state")


def test_a_second_daemon_is_refused(tmp_path):
    from lsfs.refusals import StateHeld

    first = State(tmp_path / "state")
    with pytest.raises(StateHeld):
        State(tmp_path / "state")
    first.close()
    State(tmp_path / "state").close()


def outcome(house, path: bytes, digest: bytes) -> dict:
    """What the engine would say of a file as it is now."""
    found = os.lstat(house.folder / os.fsdecode(path))
    return {
        "path": path, "state": "text", "digest": digest, "type": "text", "complete": True, "error": None,
        "size": found.st_size, "mtime_ns": found.st_mtime_ns, "ctime_ns": found.st_ctime_ns, "ino": found.st_ino,
    }  # fmt: skip


def test_an_outcome_for_a_file_that_was_replaced_meanwhile_is_dropped(house):
    (house.folder / "f").write_text("slow to read")
    (house.folder / "g").write_text("other")
    house.scan()
    late = outcome(house, b"f", b"f" * 16)
    house.read()
    os.rename(house.folder / "g", house.folder / "f")
    with house.catalogue.transaction():
        house.catalogue.moved(b"g", b"f")
        house.catalogue.record([late])
    assert house.catalogue.row(b"f")["digest"] == b"other".ljust(16)
    assert house.rows() == house.on_disk()


def test_an_edit_of_one_hard_link_reads_the_other_again(house):
    (house.folder / "a").write_text("one")
    os.link(house.folder / "a", house.folder / "b")
    house.scan()
    house.read()
    with open(house.folder / "a", "a") as stream:
        stream.write(" more")
    assert house.touch(b"a") == "dirty"
    assert sorted(house.read()) == [b"a", b"b"]


def test_a_state_folder_that_came_to_another_folder_says_nothing_of_its_files(tmp_path):
    first = House(tmp_path)
    (first.folder / "a").write_text("a")
    first.scan()
    first.read()
    other = tmp_path / "other"
    other.mkdir()
    fd = os.open(other, os.O_PATH | os.O_DIRECTORY)
    catalogue = Catalogue(
        first.state.database,
        fd,
        Ignore(fd),
        Entries(first.state.database, Objects(first.state.database, first.state.folder)),
    )
    assert catalogue.row(b"a")["digest"] is None and catalogue.row(b"a")["state"] == "new"
    os.close(fd)
    first.close()


def test_a_commit_that_fails_inside_sqlite_leaves_the_catalogue_usable(house):
    house.state.database.execute("pragma max_page_count = 1")
    with pytest.raises(sqlite3.Error), house.catalogue.transaction():
        for number in range(2000):
            (house.folder / f"{number}").write_text("x")
            house.catalogue.touched(b"%d" % number)
    house.state.database.execute("pragma max_page_count = 1000000")
    assert house.catalogue.counts().files == 0
    house.scan()
    house.read()
    assert house.rows() == house.on_disk()


def test_a_folder_as_large_as_it_may_be_moves_in_one_commit(house):
    (house.folder / "many").mkdir()
    for number in range(3000):
        (house.folder / "many" / f"{number}.md").write_text("x")
    house.scan()
    house.read()
    os.rename(house.folder / "many", house.folder / "more")
    with house.catalogue.transaction():
        house.catalogue.moved(b"many", b"more")
    assert house.rows() == house.on_disk() and house.read() == []


NAMES = st.sampled_from(["a", "b", "c", "d.md", "e.py", "\udcff\udcfe"])
PLACES = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/".join(parts))


class FolderMachine(RuleBasedStateMachine):
    """Random changes, each told to the catalogue as the mount would tell it, or left for the scan."""

    @initialize()
    def make(self):
        import tempfile

        self.root = pathlib.Path(tempfile.mkdtemp())
        self.house = House(self.root)
        self.counter = 0

    def _path(self, place: str) -> pathlib.Path:
        return self.house.folder / place

    @rule(place=PLACES, tell=st.booleans())
    def write(self, place, tell):
        path = self._path(place)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.counter += 1
            path.write_text(f"content {self.counter}")
        except OSError:
            return
        self._tell(place, tell)

    @rule(place=PLACES, tell=st.booleans())
    def remove(self, place, tell):
        path = self._path(place)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        self._tell(place, tell)

    @rule(old=PLACES, new=PLACES, tell=st.booleans())
    def rename(self, old, new, tell):
        try:
            os.rename(self._path(old), self._path(new))
        except OSError:
            return
        if tell:
            with self.house.catalogue.transaction():
                self.house.catalogue.moved(os.fsencode(old), os.fsencode(new))
            self._tell(new, True)
        else:
            self.told = False

    def _tell(self, place: str, tell: bool) -> None:
        if tell and self.house.touch(os.fsencode(place)) == "folder":
            self.house.scan(os.fsencode(place))

    @rule()
    def converge(self):
        self.house.scan()
        self.house.read()
        assert self.house.rows() == self.house.on_disk()
        assert self.house.read() == []

    @invariant()
    def the_count_is_right(self):
        if hasattr(self, "house"):
            assert self.house.catalogue.counts().files == len(self.house.rows())
            words = self.house.state.database.execute("select count(*) from path_words").fetchone()[0]
            assert words == len(self.house.rows())

    def teardown(self):
        if hasattr(self, "house"):
            self.converge()
            self.house.close()
            shutil.rmtree(self.root)


TestFolderMachine = FolderMachine.TestCase
TestFolderMachine.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_no_search_for_what_is_at_or_below_a_path_reads_all_rows(house):
    """A removal looks for what was there: with a scan of the table, removing a tree took the square of its size."""
    asked = []
    house.catalogue.database.set_trace_callback(asked.append)
    (house.folder / "a").write_text("x")
    house.touch(b"a")
    os.unlink(house.folder / "a")
    house.touch(b"a")
    with house.catalogue.transaction():
        house.catalogue.moved(b"a", b"b")
    house.catalogue.database.set_trace_callback(None)
    assert asked
    for statement in asked:
        if statement.startswith("select") and "from file" in statement and "max(id)" not in statement:
            plan = house.catalogue.database.execute(f"explain query plan {statement}").fetchall()
            assert not any(row[3].startswith("SCAN file") for row in plan), (statement, plan)


def test_times_beyond_what_sqlite_keeps_and_huge_inode_numbers_are_kept_as_its_greatest(house):
    """Found by generic/634 of xfstests: a file of the year 2446 ended the daemon."""
    path = house.folder / "late"
    path.write_text("x")
    os.utime(path, (15_000_000_000, 15_000_000_000))
    assert house.touch(b"late") == "dirty"
    house.scan()
    assert house.touch(b"late") == "waiting"
    row = house.catalogue.row(b"late")
    assert row["mtime_ns"] == min(path.stat().st_mtime_ns, 2**63 - 2)
    assert paths.number(2**64 - 1) == 2**63 - 1
