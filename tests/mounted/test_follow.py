"""What happens to the folder, through the mount and behind it, ends in the answers; by words alone, so that it is quick."""

import ctypes
import os
import subprocess

import pytest
from mounted_helpers import WORDS_ONLY, reachable


@pytest.fixture
def words(mount):
    """A mount that answers by words."""
    return mount(conf=WORDS_ONLY)


def found(mounted, word: str) -> list[str]:
    return sorted(mounted.found(f"{word} mode:words limit:100"))


def test_a_folder_brings_its_ignore_rules_along(words):
    (words.files / "d").mkdir()
    (words.files / "d" / ".lsfsignore").write_text("private.*\n")
    (words.files / "e").mkdir()
    (words.files / "e" / "before.md").write_text("before numbat")
    words.indexed()
    (words.files / "e" / "before.md").unlink()
    (words.files / "e").rmdir()
    (words.files / "d").rename(words.files / "e")
    (words.files / "e" / "private.md").write_text("private numbat")
    (words.files / "e" / "public.md").write_text("public numbat")
    (words.files / "d").mkdir()
    (words.files / "d" / "private.md").write_text("another numbat")
    words.until(lambda: found(words, "numbat"), lambda hits: hits == ["d/private.md", "e/public.md"])


def test_a_folder_that_replaced_one_that_is_held_open_is_followed(words):
    (words.folder / "h").mkdir()
    (words.folder / "new").mkdir()
    (words.folder / "new" / "first.md").write_text("first quoll")
    words.until(lambda: found(words, "quoll") == ["new/first.md"])
    held = os.open(words.folder / "h", os.O_RDONLY)
    try:
        os.rename(words.folder / "new", words.folder / "h")
        words.until(lambda: found(words, "quoll"), lambda hits: hits == ["h/first.md"])
        (words.folder / "h" / "later.md").write_text("later quoll")
        words.until(lambda: found(words, "quoll"), lambda hits: hits == ["h/first.md", "h/later.md"])
    finally:
        os.close(held)
    (words.folder / "h" / "last.md").write_text("last quoll")
    words.until(lambda: "h/last.md" in found(words, "quoll"))


def test_exchanged_folders_and_an_edit_after_it_are_followed(words):
    for name in ("a", "b"):
        (words.files / name).mkdir()
        (words.files / name / "x.md").write_text(f"bilby of {name}")
    words.indexed()
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.renameat2(-100, os.fsencode(words.files / "a"), -100, os.fsencode(words.files / "b"), 2)
    assert done == 0, os.strerror(ctypes.get_errno())
    assert words.until(lambda: words.found('"bilby of a" mode:words') == ["b/x.md"])
    (words.folder / "b" / "y.md").write_text("late bilby")
    words.until(lambda: "b/y.md" in found(words, "bilby"))


def test_a_large_text_delays_no_question(words):
    (words.files / "big.txt").write_text(
        "\n".join(f"line {number} of a large text" for number in range(300_000))
    )
    (words.files / "small.md").write_text("a small potoroo")
    assert "small.md" in words.until(lambda: found(words, "potoroo"))
    words.indexed()
    assert found(words, "large") == ["big.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_the_old_text_of_a_file_that_was_published_meanwhile_is_shown_to_nobody_else(mount, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "note.md").write_text("wombat salary is 4000 for Alice")
    os.chmod(folder / "note.md", 0o600)
    mounted = mount(folder, "--allow-other", conf=WORDS_ONLY)
    reachable(mounted.path)
    mounted.indexed()
    mounted.umount()
    (folder / "note.md").write_text("wombat note without figures")
    os.chmod(folder / "note.md", 0o644)
    for number in range(2000):
        (folder / f"{number}.md").write_text(f"filler {number}")
    mounted.mount()
    target = mounted.query / "wombat salary" / "results.json"
    seen = subprocess.run(
        ["cat", target], user=65534, group=65534, extra_groups=[], capture_output=True, text=True
    )
    assert "4000" not in seen.stdout, seen.stdout
    mounted.indexed()
    answer = subprocess.run(
        ["cat", target], user=65534, group=65534, extra_groups=[], capture_output=True, text=True
    )
    assert "without figures" in answer.stdout and "4000" not in answer.stdout


def test_what_was_written_is_found_at_once_after_its_folder_was_renamed(words):
    for number in range(5):
        word = f"wombat{number}"
        (words.files / f"x{number}").mkdir()
        (words.files / f"x{number}/n.md").write_text(f"the {word} budget")
        os.rename(words.files / f"x{number}", words.files / f"xx{number}")
        assert words.found(f'"{word}" mode:words') == [f"xx{number}/n.md"]
        with open(words.files / f"xx{number}/n.md", "a") as stream:
            stream.write(f" and the quokka{number}")
        os.rename(words.files / f"xx{number}", words.files / f"xxx{number}")
        assert words.found(f'"quokka{number}" mode:words') == [f"xxx{number}/n.md"]
