"""/files: directories are listed whole, once, while they change."""

import itertools
import os
import subprocess


def test_a_directory_of_twenty_thousand_files_is_listed_once_each(pair):
    for number in range(20_000):
        os.close(os.open(pair.backing / f"{number:05d}", os.O_CREAT | os.O_WRONLY))
    assert sorted(os.listdir(pair.live)) == [f"{number:05d}" for number in range(20_000)]


def test_removing_while_listing_loses_nothing(pair):
    for number in range(2_000):
        os.close(os.open(pair.live / f"{number:04d}", os.O_CREAT | os.O_WRONLY))
    seen = []
    with os.scandir(pair.live) as entries:
        for entry in entries:
            seen.append(entry.name)
            os.unlink(entry.path)
    assert len(seen) == len(set(seen)) == 2_000
    assert os.listdir(pair.backing) == []


def test_files_that_come_while_listing_are_never_listed_twice(pair):
    for number in range(500):
        (pair.live / f"old{number}").touch()
    new = itertools.count()
    with os.scandir(pair.live) as entries:
        seen = []
        for entry in entries:
            seen.append(entry.name)
            (pair.live / f"new{next(new)}").touch()
            if len(seen) > 5_000:
                break
    assert len(seen) == len(set(seen))
    assert {name for name in seen if name.startswith("old")} == {f"old{number}" for number in range(500)}


def test_the_same_open_directory_shows_new_files_after_a_rewind(pair):
    (pair.live / "one").touch()
    fd = os.open(pair.live, os.O_RDONLY)
    try:
        assert os.listdir(fd) == ["one"]
        (pair.live / "two").touch()
        assert sorted(os.listdir(fd)) == ["one", "two"]
    finally:
        os.close(fd)


def test_ls_shows_what_it_shows_of_the_folder(pair):
    (pair.live / "a/b").mkdir(parents=True)
    (pair.live / "a/file").write_text("x" * 5000)
    os.symlink("nowhere", pair.live / "a/link")
    os.mkfifo(pair.live / "a/b/fifo")
    os.link(pair.live / "a/file", pair.live / "a/b/hard")
    command = ["ls", "-lAR", "--full-time", "."]
    live = subprocess.run(command, cwd=pair.live, capture_output=True, text=True, check=True).stdout
    backing = subprocess.run(command, cwd=pair.backing, capture_output=True, text=True, check=True).stdout
    assert live == backing


def test_dot_and_dot_dot_are_listed(pair):
    (pair.live / "a").mkdir()
    shown = subprocess.run(
        ["ls", "-ai", pair.live / "a"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert shown[1::2] == [".", ".."]
    assert shown[0] == str(os.stat(pair.live / "a").st_ino)
    assert shown[2] == str(os.stat(pair.live).st_ino)


def test_a_thousand_levels_deep_is_reached(pair):
    fd = os.open(pair.live, os.O_RDONLY)
    for _ in range(1_000):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    found = subprocess.run(
        ["find", ".", "-name", "bottom"], cwd=pair.live, capture_output=True, text=True, check=True
    )
    assert found.stdout.count("/d") == 1_000
    subprocess.run(["rm", "-r", "d"], cwd=pair.live, check=True)
