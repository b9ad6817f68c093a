"""compare through a real mount: two versions, two files, two moments of a folder; in words, as a diff that patch(1) takes, as JSON."""

import json
import os
import shutil
import subprocess

import pytest
from mounted_helpers import LSFS, PATIENCE, WORDS_ONLY


@pytest.fixture
def place(mount):
    place = mount(conf=WORDS_ONLY)
    (place.files / "sub").mkdir()
    (place.files / "plan.md").write_text("# Plan\n\nWe ship in May.\n")
    (place.files / "sub/old.md").write_text("# Old\n\nGone soon.\n")
    (place.files / "sub/moved.md").write_text("# Moved\n\nStays the same.\n")
    (place.path / "snapshots/before").mkdir()
    return place


def lsfs(mounted, *words, fails=0):
    done = subprocess.run([*LSFS, *words], cwd=mounted.path, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == fails, done.stderr
    return done.stderr if fails else done.stdout


def change(place):
    (place.files / "plan.md").write_text("# Plan\n\nWe ship in June.\n")
    (place.files / "new.md").write_text("# New\n")
    (place.files / "sub/old.md").unlink()
    (place.files / "sub/moved.md").rename(place.files / "sub/there.md")


def test_two_moments_of_everything_in_words(place):
    change(place)
    text = lsfs(place, "compare", "files", "--from", "before")
    assert text.startswith("Between before and now: 1 made, 1 removed, 1 renamed, 1 changed.\n")
    assert "## Made\n\n- new.md (6 bytes)" in text and "## Removed\n\n- sub/old.md" in text
    assert "- sub/moved.md -> sub/there.md" in text
    assert "## plan.md\n" in text and "June" in text.partition("## plan.md")[2]
    assert json.loads(lsfs(place, "compare", "files", "--from", "before", "--json"))[
        "compare"
    ] == text.rstrip("\n")


def test_two_moments_of_a_folder(place):
    change(place)
    (place.path / "snapshots/after").mkdir()
    (place.files / "sub/later.md").write_text("x")
    text = lsfs(place, "compare", "files/sub", "--from", "before", "--to", "after")
    assert text.startswith("Between before and after: 1 removed, 1 renamed.\n") and "plan.md" not in text
    assert "nothing changed" in lsfs(place, "compare", "files/sub", "--from", "after", "--to", "after")


def test_the_diff_of_two_moments_makes_the_newer_of_the_older(place, tmp_path):
    older = tmp_path / "older"
    shutil.copytree(place.path / "snapshots/before/files", older)
    (place.files / "plan.md").write_text("# Plan\n\nWe ship in June.\n")
    (place.files / "new.md").write_text("# New\n")
    (place.files / "sub/old.md").unlink()
    diff = lsfs(place, "compare", "files", "--from", "before", "--diff")
    subprocess.run(["patch", "-s", "-p1"], cwd=older, input=diff, text=True, check=True)
    assert (older / "plan.md").read_text() == (place.files / "plan.md").read_text()
    assert (older / "new.md").exists() and not (older / "sub/old.md").exists()


def test_two_files(place):
    (place.files / "other.md").write_text("# Plan\n\nWe ship in July.\n")
    text = lsfs(place, "compare", "plan.md", "--with", "files/other.md")
    assert "July" in text and "May" in text
    diff = lsfs(place, "compare", "plan.md", "--with", "other.md", "--diff")
    assert "-We ship in May.\n+We ship in July.\n" in diff


def test_two_versions_are_the_default(place):
    (place.files / "plan.md").write_text("# Plan\n\nWe ship in June.\n")
    (place.files / "plan.md").write_text("# Plan\n\nWe ship in July.\n")
    assert "July" in lsfs(place, "compare", "plan.md")
    assert (
        lsfs(place, "compare", "plan.md", "--from", "v1", "--to", "v2", "--diff").count("\n-We ship in May.")
        == 1
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [(("files",), "--from"), (("files/sub",), "--from"), (("nothing.md",), "knows no file"),
     (("plan.md", "--with", "nothing.md"), "no file"),
     (("plan.md", "--with", "files/sub"), "is a folder"), (("plan.md", "--with", "plan.md", "--from", "v1"), "either"),
     (("files", "--from", "never"), "no snapshot"), (("plan.md", "--from", "v9"), "v9")],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(place, words, said):
    assert said in lsfs(place, "compare", *words, fails=26)


def test_binary_and_odd_names(place):
    name = b"caf\xe9\n.bin"
    path = os.fsencode(place.files) + b"/" + name
    with open(path, "wb") as stream:
        stream.write(b"\0\1\2" * 1000)
    with open(path, "ab") as stream:
        stream.write(b"\3")
    text = lsfs(place, "compare", "files", "--from", "before")
    assert "\\n.bin" in text
