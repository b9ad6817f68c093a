"""/snapshots, .versions and /trash through a real mount: the past is a folder like any other, and nobody changes it."""

import errno
import json
import os
import random
import shutil
import subprocess
import time
from datetime import datetime

import pytest
from mounted_helpers import WORDS_ONLY, as_nobody, code, reachable, refused, root


@pytest.fixture
def place(mount):
    """A mount without a model."""
    return mount(conf=WORDS_ONLY)


@pytest.fixture
def shared(mount, tmp_path):
    """A mount that other users may enter."""
    place = mount(None, "--allow-other", conf=WORDS_ONLY)
    reachable(tmp_path / "x")
    os.chmod(tmp_path, 0o755)
    return place


def shell(mounted, script):
    return subprocess.run(
        ["bash", "-ec", script], cwd=mounted.path, check=True, capture_output=True, text=True
    ).stdout


def same(one, other):
    return not subprocess.run(["diff", "-r", "--no-dereference", "-x", ".lsfs", one, other]).returncode


def test_a_snapshot_reads_the_same_whatever_happens_afterwards(place, tmp_path):
    chooser = random.Random(7)
    frozen = []
    for number in range(5):
        for _ in range(20):
            name = f"{chooser.choice('abc')}/{chooser.randrange(9)}"
            path = place.files / name
            match chooser.randrange(5):
                case 0 | 1:
                    path.parent.mkdir(exist_ok=True)
                    path.write_bytes(chooser.randbytes(chooser.choice((0, 10, 300_000))))
                case 2 if path.exists():
                    path.unlink()
                case 3 if path.exists():
                    path.rename(path.with_name(f"{chooser.randrange(9)}"))
                case 4 if path.parent.exists():
                    shutil.rmtree(path.parent)
        os.mkdir(place.path / f"snapshots/s{number}")
        frozen.append(tmp_path / f"frozen{number}")
        shutil.copytree(place.folder, frozen[-1], ignore=shutil.ignore_patterns(".lsfs"))
    for number, copy in enumerate(frozen):
        assert same(place.path / f"snapshots/s{number}/files", copy)
    place.umount()
    place.mount()
    for number, copy in enumerate(frozen):
        assert same(place.path / f"snapshots/s{number}/files", copy)


def test_a_snapshot_is_made_renamed_and_dropped_by_plain_tools(place):
    shell(place, "echo one > files/f; mkdir snapshots/a; echo two > files/f; mkdir snapshots/b")
    assert shell(place, "cat snapshots/a/files/f snapshots/latest/files/f") == "one\ntwo\n"
    assert shell(place, "ls snapshots").split() == ["a", "at", "b", "diff", "latest"]
    shell(place, "mv snapshots/a snapshots/before; rmdir snapshots/b")
    assert shell(place, "ls snapshots").split() == ["at", "before", "diff", "latest"]
    assert shell(place, "cat snapshots/before/files/f") == "one\n"
    assert code(os.mkdir, place.path / "snapshots/before") == "EEXIST"
    assert code(os.rmdir, place.path / "snapshots/nothing") == "ENOENT"
    for name in ("at", "diff", "latest", "now", "a..b", "a\nb"):
        assert code(os.mkdir, place.path / "snapshots" / name) in ("EPERM", "EEXIST"), name
    shell(place, "rmdir snapshots/before")
    assert shell(place, "ls snapshots").split() == ["at", "diff"]


def test_nobody_changes_the_past(place):
    shell(place, "mkdir files/d; echo one > files/d/f; ln -s f files/d/l; mkdir snapshots/s")
    then = place.path / "snapshots/s/files"
    for act, *arguments in (
        (os.unlink, then / "d/f"), (os.rmdir, then / "d"), (os.mkdir, then / "e"), (os.truncate, then / "d/f", 0),
        (os.rename, then / "d/f", then / "d/g"), (os.rename, then / "d/f", place.files / "stolen"), (os.chmod, then / "d/f", 0o777),
        (os.symlink, "x", then / "x"), (os.link, then / "d/f", then / "d/h"), (os.utime, then / "d/f"),
        (os.setxattr, then / "d/f", "user.x", b"y"), ((then / "d/f").write_text, "changed"), ((then / "new").write_text, "new"),
    ):  # fmt: skip
        assert code(act, *arguments) in ("EROFS", "EPERM", "EXDEV"), act
    assert (then / "d/f").read_text() == "one\n"


def test_the_past_is_used_by_ordinary_tools(place, tmp_path):
    shell(place, "mkdir files/d; seq 50000 > files/d/f; echo x > files/g; mkdir snapshots/s; rm -r files/d")
    then = place.path / "snapshots/s/files"
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", then, copy], check=True)
    assert same(copy, then)
    subprocess.run(["tar", "-cf", tmp_path / "t.tar", "-C", then, "."], check=True)
    assert subprocess.run(["tar", "-tf", tmp_path / "t.tar"], capture_output=True, text=True).stdout.split() == [
        "./", "./d/", "./d/f", "./g",
    ]  # fmt: skip
    assert subprocess.run(
        ["grep", "-rc", "^49999$", then / "d"], capture_output=True, text=True
    ).stdout.endswith(":1\n")
    assert (then / "d/f").stat().st_size == len("".join(f"{n}\n" for n in range(1, 50001)))


def test_any_instant_can_be_looked_at(place):
    shell(place, "echo one > files/f")
    shell(place, "cat files/.versions/f/latest")  # it is committed
    moment = datetime.now().isoformat(timespec="milliseconds")
    shell(place, "echo two > files/f; rm -f files/g")
    assert shell(place, f"cat snapshots/at/{moment}/files/f files/.versions/f/{moment}") == "one\none\n"
    assert shell(place, f"cat snapshots/at/{datetime.now().isoformat()}/files/f") == "two\n"
    for name in ("1999", "3000-01-01", "yesterday", "2026-13-01"):
        assert code(os.listdir, place.path / "snapshots/at" / name) == "ENOENT"


def test_a_diff_between_two_snapshots_makes_the_one_of_the_other(place, tmp_path):
    shell(
        place,
        "seq 30 > files/a; echo gone > files/b; mkdir files/d; printf 'no end' > files/d/c; mkdir snapshots/one",
    )
    shell(
        place,
        "sed -i s/7/seven/ files/a; rm files/b; printf 'no end, changed' > files/d/c; echo new > files/d/n; mkdir snapshots/two",
    )
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", place.path / "snapshots/one/files", copy], check=True)
    text = (place.path / "snapshots/diff/one..two").read_bytes()
    subprocess.run(["patch", "-p1", "-s", "-E", "-d", copy], input=text, check=True)
    assert same(copy, place.path / "snapshots/two/files")
    assert (place.path / "snapshots/diff/two..two").read_bytes() == b""
    back = (place.path / "snapshots/diff/latest..one").read_bytes()
    subprocess.run(["patch", "-p1", "-s", "-E", "-d", copy], input=back, check=True)
    assert same(copy, place.path / "snapshots/one/files")
    assert code((place.path / "snapshots/diff/one..three").read_bytes) == "ENOENT"
    assert b"+live" in (shell(place, "echo live > files/l; cat snapshots/diff/two..now")).encode()


def test_versions_say_what_changed(place):
    shell(place, "printf '# Plan\\n\\nWe ship in May.\\n' > files/plan.md")
    shell(place, "printf '# Plan\\n\\nWe ship in June.\\n\\n## Risks\\n\\nNone.\\n' > files/plan.md")
    folder = place.files / ".versions/plan.md"
    assert sorted(os.listdir(folder)) == ["latest", "log", "v1", "v1..v2.diff", "v1..v2.md", "v2"]
    assert "-We ship in May.\n+We ship in June.\n" in (folder / "v1..v2.diff").read_text()
    assert "Risks" in (folder / "v1..v2.md").read_text()
    assert (folder / "v2..v1.diff").read_text() and (folder / "v1..latest.diff").read_text()
    lines = [line.split("\t") for line in (folder / "log").read_text().splitlines()]
    assert lines[0] == ["version", "time", "size", "mode", "owner", "what", "path"]
    assert [line[0] for line in lines[1:]] == ["v1", "v2"] and lines[2][5] == "written"
    for name in ("v0", "v3", "v1..v3.diff", "2019", "x"):
        assert not os.path.exists(folder / name)
    assert not os.path.exists(place.files / ".versions/never")
    assert code(os.listdir, place.files / ".versions/plan.md/v1") == "ENOTDIR"
    assert ".versions" not in os.listdir(place.files)


def test_what_was_removed_is_in_the_trash_under_its_path(place):
    shell(
        place,
        "mkdir -p files/a/b; echo one > files/a/b/f; echo two > files/g; ln -s g files/l; echo keep > files/a/k",
    )
    shell(place, "rm files/a/b/f files/g files/l; rmdir files/a/b")
    day = time.strftime("%F")
    trash = place.path / "trash" / day
    assert sorted(os.listdir(trash)) == ["a", "g", "l"] and os.listdir(trash / "a/b") == ["f"]
    assert (trash / "a/b/f").read_text() == "one\n" and os.readlink(trash / "l") == "g"
    assert os.listdir(place.path / "trash") == [day]
    shell(place, "echo again > files/g")
    assert sorted(os.listdir(trash)) == ["a", "l"]
    assert code(os.unlink, trash / "a/b/f") == "EROFS"
    assert not os.path.exists(place.path / "trash/2001-01-01") and not os.path.exists(
        place.path / "trash/nonsense"
    )


def test_a_question_can_be_asked_in_the_past(place):
    shell(place, "echo 'the wombat is asleep' > files/wombat.md; echo 'a heron' > files/heron.md")
    place.indexed()
    shell(
        place,
        "mkdir snapshots/then; mv files/wombat.md files/renamed.md; rm files/heron.md; echo 'a second wombat' > files/new.md",
    )
    place.indexed()
    assert sorted(place.found("wombat")) == ["new.md", "renamed.md"]
    answer = json.loads((place.path / "snapshots/then/query/wombat/results.json").read_text())
    assert [hit["path"] for hit in answer["hits"]] == ["files/wombat.md"]
    assert shell(place, "cat snapshots/then/query/heron/01-*") == "a heron\n"
    assert "asleep" in shell(place, "cat snapshots/then/query/wombat/passages.md")
    before = place.status()["embeddings"]
    shell(place, "ls -R snapshots/then/query/'asleep wombat'; grep -r heron snapshots/then > /dev/null")
    assert place.status()["embeddings"] == before
    assert code(os.mkdir, place.path / "snapshots/then/query/saved") in ("EROFS", "EEXIST")


@root
def test_what_is_unreadable_now_or_was_then_is_unreadable_in_the_past(shared):
    files = shared.files
    for name in ("was-open", "was-closed", "always-open", "gone"):
        (files / name).write_text(f"secret of {name}")
        os.chmod(files / name, 0o644)
    os.mkdir(files / "d", 0o755)
    (files / "d/f").write_text("below")
    os.chmod(files / "was-closed", 0o600)
    os.chmod(files / "gone", 0o600)
    os.mkdir(shared.path / "snapshots/s")
    os.chmod(files / "was-open", 0o600)
    os.chmod(files / "was-closed", 0o644)
    os.chmod(files / "d", 0o700)
    os.unlink(files / "gone")
    then = shared.path / "snapshots/s/files"

    def look():
        return [
            refused((then / name).read_text)
            for name in ("was-open", "was-closed", "always-open", "gone", "d/f")
        ]

    assert as_nobody(look) == str([True, True, False, True, True])
    day = time.strftime("%F")
    assert as_nobody(lambda: refused((shared.path / "trash" / day / "gone").read_text)) == "True"
    assert as_nobody(lambda: refused((files / ".versions/was-open/v1").read_text)) == "True"
    assert as_nobody(lambda: refused((files / ".versions/was-closed/v1").read_text)) == "False"
    assert as_nobody(lambda: refused((shared.path / "trash" / day / "gone").read_text)) == "True"
    text = as_nobody((shared.path / "snapshots/diff/s..now").read_text)
    assert "gone" not in text and "was-open" not in text
    assert as_nobody(lambda: code(os.mkdir, shared.path / "snapshots/mine")) == "EACCES"
    shared.indexed()
    for question in ("secret", "below"):
        asked = shared.path / "snapshots/s/query" / question
        found = as_nobody(lambda asked=asked: sorted(os.listdir(asked)))
        assert "was-" not in found and "gone" not in found and "-f'" not in found


@root
def test_the_trash_of_a_closed_folder_is_closed(shared):
    files = shared.files
    os.mkdir(files / "closed", 0o700)
    (files / "closed/name").write_text("secret")
    os.symlink("/etc/target", files / "closed/link")
    os.mkdir(files / "open", 0o755)
    (files / "open/f").write_text("x")
    shell(shared, "mkdir snapshots/s; rm files/closed/name files/closed/link files/open/f")
    trash = shared.path / "trash" / time.strftime("%F")
    for act in (os.listdir, lambda path: os.stat(path / "name"), lambda path: os.readlink(path / "link")):
        assert as_nobody(lambda act=act: code(act, trash / "closed")) == "EACCES"
    assert as_nobody(lambda: os.listdir(trash / "open")) == "['f']"
    assert sorted(os.listdir(trash / "closed")) == ["link", "name"]


@root
def test_what_a_closed_folder_had_stays_closed_when_it_is_opened_later(shared):
    files, trash = shared.files, shared.path / "trash" / time.strftime("%F")
    os.mkdir(files / "d", 0o700)
    for name in ("pay.txt", "gone.txt"):
        (files / "d" / name).write_text("secret")
        os.chmod(files / "d" / name, 0o644)
    os.symlink("/etc/secret", files / "d/l")
    os.mkdir(shared.path / "snapshots/closed")
    os.chmod(files / "d", 0o755)
    (files / "d/pay.txt").write_text("for all")
    os.unlink(files / "d/gone.txt")
    os.unlink(files / "d/l")
    versions = files / "d/.versions/pay.txt"
    assert sorted(os.listdir(versions)) == ["latest", "log", "v1", "v1..v2.diff", "v1..v2.md", "v2"]
    assert as_nobody(lambda: sorted(os.listdir(versions))) == "['latest', 'log', 'v2']"
    assert as_nobody(lambda: code(os.stat, versions / "v1")) == "EACCES"
    assert as_nobody((versions / "v2").read_text) == as_nobody((versions / "latest").read_text) == "for all"
    assert as_nobody((versions / "log").read_text).count("\n") == 2
    assert os.listdir(files / "d/.versions") == ["gone.txt", "l", "pay.txt"]
    assert as_nobody(lambda: os.listdir(files / "d/.versions")) == "['pay.txt']"
    assert (
        sorted(os.listdir(trash / "d")) == ["gone.txt", "l"] and os.readlink(trash / "d/l") == "/etc/secret"
    )
    assert as_nobody(lambda: os.listdir(trash / "d")) == "[]"
    assert as_nobody(lambda: code((trash / "d/gone.txt").read_text)) == "EACCES"
    assert as_nobody(lambda: code(os.readlink, trash / "d/l")) == "EACCES"


@root
def test_who_guesses_the_name_of_a_private_file_that_is_gone_learns_nothing_of_it(shared):
    (shared.files / "mine").write_text("secret")
    os.chmod(shared.files / "mine", 0o600)
    os.unlink(shared.files / "mine")
    versions = shared.files / ".versions/mine"
    assert "v1" in os.listdir(versions) and (versions / "log").read_text().count("\n") > 1
    assert as_nobody(lambda: code((versions / "log").read_text)) == "EACCES"
    assert as_nobody(lambda: os.listdir(versions)) == "['log']"
    for name in ("v1", "latest", datetime.now().isoformat()[:10]):
        assert as_nobody(lambda name=name: code(os.lstat, versions / name)) in ("EACCES", "ENOENT")
    assert as_nobody(lambda: code(os.stat, shared.path / "trash" / time.strftime("%F") / "mine")) == "EACCES"


@root
def test_a_link_of_a_snapshot_is_as_readable_as_it_is_today(shared):
    os.mkdir(shared.files / "d", 0o755)
    os.symlink("/etc/target", shared.files / "d/l")
    os.mkdir(shared.path / "snapshots/s")
    link = shared.path / "snapshots/s/files/d/l"
    assert as_nobody(lambda: os.readlink(link)) == "/etc/target"
    os.chmod(shared.files / "d", 0o700)
    assert as_nobody(lambda: code(os.readlink, link)) == "EACCES"
    assert os.readlink(link) == "/etc/target"


def test_a_version_whose_number_moves_is_looked_up_anew(place):
    shell(place, "echo one > files/a; echo two > files/b; cat files/.versions/b/v1")
    shell(place, "rm files/b; cat files/.versions/b/log; mv files/a files/b")
    assert shell(place, "cat files/.versions/b/v1 files/.versions/b/v2") == "one\ntwo\n"
    assert shell(place, "readlink files/.versions/b/latest") == "v3\n"
    said = [line.split("\t")[5] for line in (place.files / ".versions/b/log").read_text().splitlines()]
    assert said == ["what", "made", "made", "removed", "renamed from a"]


def test_the_trash_moves_on_with_what_is_removed_and_made(place):
    shell(place, "mkdir files/d; touch files/d/f files/g; cat files/.versions/g/latest; rm files/g")
    trash = place.path / "trash" / time.strftime("%F")
    assert os.listdir(trash) == ["g"]
    shell(place, "echo written > files/d/f")
    assert os.listdir(trash) == ["g"]
    shell(place, "rm -r files/d; touch files/g")
    assert os.listdir(trash) == ["d"] and os.listdir(trash / "d") == ["f"]
    shell(place, f"mv {trash}/d files/d")
    assert not trash.exists() and (place.files / "d/f").read_text() == "written\n"
    shell(place, "rm -r files/d")
    assert (trash / "d/f").read_text() == "written\n"


def test_looking_at_everything_searches_nothing_and_changes_nothing(place):
    shell(place, "echo one > files/f; mkdir snapshots/s; echo two > files/f; rm -f files/f")
    before = place.status()
    shell(place, "find . > /dev/null; du -a . > /dev/null; grep -r nothing snapshots trash files || true")
    after = place.status()
    assert (before["searches"], before["embeddings"]) == (after["searches"], after["embeddings"])
    assert sorted(os.listdir(place.path / "snapshots")) == ["at", "diff", "latest", "s"]


def test_a_mount_that_is_read_only_takes_no_snapshot_and_shows_those_there_are(mount):
    place = mount(conf=WORDS_ONLY)
    shell(place, "echo one > files/f; mkdir snapshots/s; echo two > files/f")
    place.umount()
    place.options = ("--read-only",)
    place.mount()
    assert code(os.mkdir, place.path / "snapshots/t") == "EROFS"
    assert shell(place, "cat snapshots/s/files/f files/.versions/f/v2") == "one\ntwo\n"
    assert code(os.rmdir, place.path / "snapshots/s") == "EROFS"
    assert errno.EROFS
