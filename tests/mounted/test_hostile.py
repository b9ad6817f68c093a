"""A folder made of hostile things mounts, lists and answers."""

import contextlib
import os
import pathlib
import socket
import subprocess
import threading

import pytest
from mounted_helpers import WORDS_ONLY

LONG = "n" * 252 + ".md"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder with everything that breaks file walkers."""
    folder = tmp_path_factory.mktemp("hostile") / "folder"
    folder.mkdir()
    top = os.fsencode(folder)
    (folder / "plain.md").write_text("A plain capybara.\n")
    with open(top + b"/caf\xe9-\xff\xfe.md", "w") as stream:
        stream.write("Latin name, axolotl.\n")
    (folder / LONG).write_text("A long name, okapi.\n")
    (folder / "new\nline\tand\\slash.md").write_text("Newline in a name, tapir.\n")
    (folder / "loop").symlink_to("loop")
    (folder / "a").mkdir()
    (folder / "a" / "up").symlink_to("..")
    (folder / "dangling").symlink_to("/nowhere/at/all")
    os.mkfifo(folder / "pipe")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as sock:
        here = os.getcwd()
        os.chdir(folder)
        try:
            sock.bind("socket")
        finally:
            os.chdir(here)
    (folder / "closed.md").write_text("Closed to all.\n")
    os.chmod(folder / "closed.md", 0)
    with open(folder / "sparse.bin", "wb") as stream:
        stream.truncate(2 << 30)
    with open(folder / "huge.txt", "wb") as stream:
        stream.write(b"Huge text begins.\n" * 10)
        stream.truncate((2 << 30) + 5)
    (folder / "empty").write_bytes(b"")
    (folder / "latin.txt").write_bytes("Größe und Länge einer Säge\n".encode("latin-1"))
    (folder / "utf16.txt").write_bytes("Sixteen bits of platypus\n".encode("utf-16"))
    (folder / "nul.txt").write_bytes(b"text\0with\0nuls" * 100)
    (folder / "line.txt").write_text("word " * 200_000)
    deep = folder
    for _ in range(60):
        deep = deep / "deeper-and-deeper"
        deep.mkdir()
    (deep / "bottom.md").write_text("At the bottom, an echidna.\n")
    many = folder / "many"
    many.mkdir()
    for number in range(20_000):
        (many / f"{number:05d}.log").symlink_to("../plain.md") if number % 2 else (
            many / f"{number:05d}"
        ).mkdir()
    return folder


def test_hostile_folder_mounts_lists_and_answers(hostile, mount):
    mounted = mount(hostile, conf=WORDS_ONLY)
    assert set(os.listdir(os.fsencode(mounted.files))) == set(os.listdir(os.fsencode(hostile))) - {b".lsfs"}
    assert len(os.listdir(mounted.files / "many")) == 20_000
    for word, name in [
        ("capybara", "plain.md"), ("okapi", LONG), ("tapir", "new\nline\tand\\slash.md"),
        ("platypus", "utf16.txt"), ("säge", "latin.txt"), ("echidna", "deeper-and-deeper/" * 60 + "bottom.md"),
    ]:  # fmt: skip
        mounted.until(
            lambda word=word, name=name: mounted.found(word + " mode:words"),
            lambda hits, name=name: name in hits,
        )
    axolotl = mounted.until(lambda: mounted.ask("axolotl mode:words")["hits"])
    assert os.fsencode(axolotl[0]["path"]) == b"files/caf\xe9-\xff\xfe.md"
    link = next(
        name
        for name in os.listdir(os.fsencode(mounted.query / "axolotl mode:words"))
        if name.startswith(b"01-")
    )
    with open(os.fsencode(mounted.query / "axolotl mode:words") + b"/" + link) as stream:
        assert stream.read() == "Latin name, axolotl.\n"
    status = mounted.indexed()
    assert status["engine"]["starts"] == 1, "nothing in that folder ends the engine"


def test_files_that_change_while_they_are_read_end_up_right(mount):
    mounted = mount(conf=WORDS_ONLY)
    path = mounted.folder / "growing.log"
    stop = threading.Event()

    def write() -> None:
        number = 0
        with open(path, "a") as stream:
            while not stop.wait(0.001):
                number += 1
                stream.write(f"line {number} of a growing log\n")
                stream.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        (mounted.files / "calm.md").write_text("A calm manatee.\n")
        assert mounted.found("manatee")[0] == "calm.md"
        mounted.until(lambda: "growing.log" in mounted.found('"growing log" mode:words'), patience=60)
    finally:
        stop.set()
        writer.join()
    with open(path, "a") as stream:
        stream.write("the very last kookaburra\n")
    mounted.until(lambda: "growing.log" in mounted.found("kookaburra mode:words"))


def test_a_log_held_open_through_the_mount_stalls_nobody(mount):
    mounted = mount(conf=WORDS_ONLY)
    with open(mounted.files / "open.log", "w") as stream:
        stream.write("half a line about numbats")
        stream.flush()
        os.fsync(stream.fileno())
        assert pathlib.Path(mounted.files / "open.log").read_text() == "half a line about numbats"
        assert mounted.found("wallaby") == []
    assert mounted.found("numbats") == ["open.log"]
    assert subprocess.run(["cmp", mounted.files / "open.log", mounted.folder / "open.log"]).returncode == 0


def test_a_file_of_the_far_future_costs_nothing(mount):
    mounted = mount(None, conf=WORDS_ONLY)
    path = mounted.files / "late.md"
    path.write_text("the dragon of the far future")
    os.utime(path, (15_000_000_000, 15_000_000_000))
    mounted.indexed()
    assert mounted.found('"far future" after:2400') == [] or path.stat().st_mtime > 2**33
    assert mounted.found('"far future"') == ["late.md"]
    mounted.umount()
    mounted.mount()
    mounted.indexed()
    assert mounted.found('"far future" before:9000') == ["late.md"]
