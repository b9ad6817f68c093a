"""Redaction: what is purged is nowhere in the state folder, and everything else is as it was."""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess

import pytest
from mounted_helpers import LSFS, WORDS_ONLY, as_nobody, root

SECRET = "The zanzibar combination opens xylophone vault seventeen.\n"
WORDS = ("zanzibar", "xylophone")


def lsfs(*words):
    return subprocess.run([*LSFS, *map(str, words)], capture_output=True, text=True, timeout=240)


def holding(state: pathlib.Path, needles: tuple[bytes, ...]) -> list[str]:
    """The files of a folder that have any of these bytes."""
    found = []
    for path in state.rglob("*"):
        if path.is_file() and any(needle in path.read_bytes() for needle in needles):
            found.append(path.name)
    return found


def ctl(made, line: str) -> dict:
    fd = os.open(made.path / "ctl", os.O_RDWR)
    try:
        os.write(fd, line.encode())
        answer = b""
        while part := os.read(fd, 65536):
            answer += part
    finally:
        os.close(fd)
    return json.loads(answer)


@pytest.fixture
def made(mount):
    made = mount(conf=WORDS_ONLY)
    (made.files / "notes").mkdir()
    (made.files / "notes/secret.md").write_text("harmless\n")
    (made.files / "notes/secret.md").write_text("# Vault\n\n" + SECRET)
    (made.path / "snapshots/before").mkdir()
    (made.files / "notes/secret.md").rename(made.files / "notes/renamed.md")
    (made.files / "notes/renamed.md").write_text("# Vault\n\n" + SECRET + "And more of the zanzibar kind.\n")
    (made.files / "other.md").write_text("the plan for tuesday\n")
    (made.query / "zanzibar").mkdir()
    made.indexed()
    return made


def needles():
    return tuple(word.encode() for word in WORDS) + (SECRET.encode()[:40],)


def test_everything_that_a_file_ever_was_is_nowhere(made):
    assert made.found('mode:words "zanzibar combination"') == ["notes/renamed.md"]
    assert holding(made.state, needles())
    done = lsfs("forget", "--purge", "--live", "--yes", made.files / "notes/renamed.md")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing of them is left in the state folder" in done.stdout
    assert not (made.files / "notes/renamed.md").exists()
    made.indexed()
    assert made.found('mode:words "zanzibar combination"') == []
    assert holding(made.state, tuple(needle for needle in needles() if needle != b"zanzibar")) == []
    with pytest.raises(OSError) as error:
        (made.path / "snapshots/before/files/notes/secret.md").read_text()
    assert error.value.errno == 61
    assert (made.files / "other.md").read_text() == "the plan for tuesday\n"
    assert made.found("mode:words tuesday") == ["other.md"]
    assert lsfs("fsck", "--data", made.path).stdout == ""
    made.umount()
    assert lsfs("fsck", "--data", made.folder).returncode == 0
    assert holding(made.state, needles()[1:]) == []


def test_without_live_the_file_stays_and_is_no_version_until_it_changes(made):
    text = (made.files / "notes/renamed.md").read_text()
    done = lsfs("forget", "--purge", "--yes", made.files / "notes/renamed.md")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (made.files / "notes/renamed.md").read_text() == text
    assert made.found('mode:words "zanzibar combination"') == []
    made.umount()
    made.mount().indexed()
    assert made.found('mode:words "zanzibar combination"') == []
    assert holding(made.state, needles()[1:]) == []
    (made.files / "notes/renamed.md").write_text("something else about xylophones\n")
    made.indexed()
    assert made.found("mode:words xylophones") == ["notes/renamed.md"]
    (made.path / "snapshots/after").mkdir()
    assert (made.path / "snapshots/after/files/notes/renamed.md").read_text().startswith("something else")


def test_what_another_file_has_too_is_refused_unless_it_is_said(made):
    (made.files / "copy.md").write_text("# Vault\n\n" + SECRET)
    plan = ctl(made, "purge notes/renamed.md")
    assert plan["token"] is None and plan["shared"] == ["copy.md"] and "--everywhere" in plan["refused"]
    refused = lsfs("forget", "--purge", "--yes", made.files / "notes/renamed.md")
    assert refused.returncode == 26 and "copy.md" in refused.stderr
    assert (made.path / "snapshots/before/files/notes/secret.md").read_text() == "# Vault\n\n" + SECRET
    done = lsfs(
        "forget", "--purge", "--everywhere", "--live", "--yes", "--json", made.files / "notes/renamed.md"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[1])["proof"]["holds"]
    assert (made.files / "copy.md").exists() and holding(made.state, needles()[1:]) == []


def test_a_plan_dies_with_what_it_is_about_and_is_good_once(made):
    plan = ctl(made, "purge notes/renamed.md")
    assert plan["versions"] == 4 and plan["live"] == [] and plan["stay"] == ["notes/renamed.md"]
    (made.files / "notes/renamed.md").write_text("changed\n")
    with pytest.raises(OSError) as error:
        ctl(made, f"purge --token {plan['token']}")
    assert error.value.errno == 22
    plan = ctl(made, "purge notes/renamed.md")
    assert ctl(made, f"purge --token {plan['token']}")["proof"]["holds"]
    with pytest.raises(OSError):
        ctl(made, f"purge --token {plan['token']}")
    with pytest.raises(OSError) as error:
        ctl(made, "purge nothing/here.md")
    assert error.value.errno == 2


def test_large_files_and_whole_folders_go_too(made):
    data = os.urandom(3 << 20)
    (made.files / "big").mkdir()
    (made.files / "big/one.bin").write_bytes(data)
    (made.files / "big/two.txt").write_text("Quixotic wombats juggle fourteen crystal teapots.\n")
    (made.path / "snapshots/large").mkdir()
    made.until(lambda: list((made.state / "packs").iterdir()))
    os.unlink(made.files / "big/one.bin")
    done = lsfs("forget", "--purge", "--live", "--yes", made.files / "big")
    assert done.returncode == 0, done.stdout + done.stderr
    assert holding(made.state, (data[1000:1040], data[2_000_000:2_000_040])) == []
    assert not (made.files / "big/two.txt").exists() and not list((made.state / "packs").iterdir())


def test_vectors_go_with_their_texts(mount):
    made = mount()
    (made.files / "secret.md").write_text("# Vault\n\n" + SECRET * 3)
    (made.files / "other.md").write_text("# Plans\n\nWe meet on tuesday to talk about the garden.\n")
    made.indexed()
    made.wait(lambda status: status["engine"]["embedded"] == 2)
    with contextlib.closing(sqlite3.connect(made.state / "vectors.db")) as database:
        before = {bytes(value) for (value,) in database.execute("select value from vector")}
    done = lsfs("forget", "--purge", "--live", "--yes", made.files / "secret.md")
    assert done.returncode == 0, done.stdout + done.stderr
    with contextlib.closing(sqlite3.connect(made.state / "vectors.db")) as database:
        (after,) = [bytes(value) for (value,) in database.execute("select value from vector")]
    (gone,) = before - {after}
    made.wait(lambda status: status["engine"]["embedded"] == 1 and status["pending"] == 0)
    assert made.found("what happens in the garden") == ["other.md"]
    assert holding(made.state, (gone[:40], gone[-40:], *needles())) == []
    made.umount()
    assert holding(made.state, (gone[:40], gone[-40:], *needles())) == []
    assert lsfs("fsck", "--data", made.folder).stdout == ""


def test_what_an_index_that_is_switched_off_still_has_goes_too(made):
    made.umount()
    (made.state / "lsfs.conf").write_text("[index]\nenabled = no\n")
    made.mount()
    done = lsfs("forget", "--purge", "--live", "--yes", made.files / "notes/renamed.md")
    assert done.returncode == 0, done.stdout + done.stderr
    assert holding(made.state, needles()[1:]) == []


def test_a_dry_run_and_a_refusal_change_nothing(made):
    done = lsfs("forget", "--purge", "--dry-run", made.files / "notes/renamed.md")
    assert (
        done.returncode == 0
        and "4 versions with 3 contents" in done.stdout
        and "--live removes it" in done.stdout
    )
    done = lsfs("forget", "--purge", made.files / "notes/renamed.md")
    assert done.returncode == 1 and "nobody can be asked" in done.stderr
    assert (made.path / "snapshots/before/files/notes/secret.md").read_text() == "# Vault\n\n" + SECRET
    assert lsfs("forget", "--live", "x").returncode == 2


def test_what_is_too_short_to_be_looked_for_is_purged_and_not_said_to_be_proven(made):
    (made.files / "pin.txt").write_text("1234\n")
    (made.files / "word.txt").write_text("hunter2\n")
    made.indexed()
    done = lsfs("forget", "--purge", "--live", "--yes", made.files / "pin.txt")
    assert done.returncode == 4 and "NOT PROVEN for 1 content: too short" in done.stdout
    assert "Nothing of them is left" not in done.stdout and not (made.files / "pin.txt").exists()
    done = lsfs("forget", "--purge", "--live", "--yes", made.files / "word.txt")
    assert done.returncode == 0 and "1 piece looked for" in done.stdout, done.stdout
    assert holding(made.state, (b"hunter2",)) == []


def test_extended_attributes_of_versions_go_with_them(made):
    os.setxattr(made.files / "notes/renamed.md", "user.note", b"the walrus knows the number")
    (made.path / "snapshots/attributes").mkdir()
    made.until(lambda: holding(made.state, (b"walrus knows",)))
    done = lsfs("forget", "--purge", "--live", "--yes", made.files / "notes/renamed.md")
    assert done.returncode == 0, done.stdout + done.stderr
    assert holding(made.state, (b"walrus knows",)) == []
    assert lsfs("fsck", "--data", made.path).stdout == ""


@pytest.mark.parametrize("path", ["", "/", ".", "..", "/etc"])
def test_nothing_and_places_outside_of_the_mount_are_not_everything(made, path, tmp_path):
    for command in (("forget", "--purge", "--yes"), ("rollback", "--to", "before", "--yes")):
        done = subprocess.run(
            [*LSFS, *command, "--mount", str(made.path), path], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 26 and done.stderr.count("\n") == 1, done.stdout + done.stderr
    assert (made.path / "snapshots/before/files/notes/secret.md").read_text() == "# Vault\n\n" + SECRET


def test_forgetting_a_question_is_as_it_was(made):
    assert lsfs("forget", "--mount", made.path, "zanzibar").returncode == 0
    assert "zanzibar" not in os.listdir(made.query)
    assert lsfs("forget", "--mount", made.path, "zanzibar").returncode == 26


@root
def test_nobody_else_may_purge(mount):
    made = mount(None, "--allow-other", conf=WORDS_ONLY)
    (made.files / "a.md").write_text("mine\n")
    os.chmod(made.path.parent, 0o755)
    from mounted_helpers import reachable

    reachable(made.path)

    def act():
        try:
            ctl(made, "purge a.md")
        except OSError as error:
            return error.errno

    assert as_nobody(act) == "1"
