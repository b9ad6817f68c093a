"""/files: what is changed in the folder behind the mount is soon so in the mount, and never mixed up."""

import mmap
import os
import subprocess


def test_an_edit_behind_the_mount_is_read(pair):
    path, behind = pair.live / "file", pair.backing / "file"
    path.write_text("one")
    assert path.read_text() == "one"
    behind.write_text("two, longer")
    pair.mounted.until(path.read_text, lambda text: text == "two, longer")
    assert path.stat().st_size == 11


def test_a_file_that_appears_behind_the_mount_is_found(pair):
    path = pair.live / "late"
    assert not path.exists()
    (pair.backing / "late").write_text("here")
    pair.mounted.until(path.exists)
    assert path.read_text() == "here"


def test_a_file_that_vanishes_behind_the_mount_is_gone(pair):
    path = pair.live / "file"
    path.write_text("x")
    os.unlink(pair.backing / "file")
    pair.mounted.until(lambda: not path.exists())


def test_a_file_replaced_behind_the_mount_is_another_file_and_the_open_one_stays(pair):
    path = pair.live / "file"
    path.write_text("old")
    with open(path) as stream:
        (pair.backing / "new").write_text("new content")
        os.rename(pair.backing / "new", pair.backing / "file")
        pair.mounted.until(path.read_text, lambda text: text == "new content")
        assert stream.read() == "old"
        assert os.fstat(stream.fileno()).st_size == 3


def test_a_directory_renamed_behind_the_mount_is_found_under_its_new_name(pair):
    (pair.live / "a/b").mkdir(parents=True)
    (pair.live / "a/b/file").write_text("x")
    os.rename(pair.backing / "a", pair.backing / "z")
    pair.mounted.until(lambda: not (pair.live / "a").exists() and (pair.live / "z/b/file").exists())
    (pair.live / "z/b/file").write_text("written after")
    assert (pair.backing / "z/b/file").read_text() == "written after"


def test_a_directory_replaced_by_a_file_and_back(pair):
    path, behind = pair.live / "thing", pair.backing / "thing"
    path.mkdir()
    behind.rmdir()
    behind.write_text("a file now")
    pair.mounted.until(path.is_file)
    behind.unlink()
    behind.mkdir()
    pair.mounted.until(path.is_dir)


def test_modes_changed_behind_the_mount_are_seen(pair):
    path = pair.live / "file"
    path.touch()
    os.chmod(pair.backing / "file", 0o640)
    pair.mounted.until(lambda: path.stat().st_mode & 0o777 == 0o640)


def test_a_symlink_put_in_a_directorys_place_is_never_followed(pair, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("outside")
    (pair.live / "inside").mkdir()
    (pair.live / "inside/file").write_text("inside")
    os.rename(pair.backing / "inside", pair.backing / "aside")
    os.symlink(tmp_path / "outside", pair.backing / "inside")
    pair.mounted.until((pair.live / "inside").is_symlink)
    assert os.readlink(pair.live / "inside") == os.fspath(tmp_path / "outside")
    assert (pair.live / "aside/file").read_text() == "inside"


def test_the_whole_tree_stays_equal_while_both_sides_work(pair):
    for number in range(30):
        place = pair.live if number % 2 else pair.backing
        (place / f"folder{number}").mkdir()
        (place / f"folder{number}/file").write_text(f"{number}\n")

    def equal():
        return subprocess.run(["diff", "-r", pair.live, pair.backing], capture_output=True).returncode == 0

    pair.mounted.until(equal)


def test_a_directory_that_is_replaced_again_and_again_is_never_stale(pair):
    (pair.backing / "a").mkdir()
    for number in range(30):
        os.listdir(pair.live / "a")
        subprocess.run(["rm", "-r", pair.backing / "a"], check=True)
        (pair.backing / "a").mkdir()
        (pair.backing / f"a/file{number}").touch()
        assert os.listdir(pair.live / "a") == [f"file{number}"]
        assert (pair.live / f"a/file{number}").exists()
        (pair.live / "a/made").touch()
        assert (pair.backing / "a/made").exists()


def test_a_mapping_that_was_written_to_sees_what_is_written_behind(pair):
    path, behind = pair.live / "mapped", pair.backing / "mapped"
    path.write_bytes(bytes(1 << 16))
    with open(path, "r+b") as stream, mmap.mmap(stream.fileno(), 0) as mapped:
        mapped[0:5] = b"HELLO"
        mapped.flush()
        with open(behind, "r+b") as other:
            assert other.read(5) == b"HELLO"
            other.seek(40_000)
            other.write(b"BEHIND")
        pair.mounted.until(lambda: mapped[40_000:40_006], lambda seen: seen == b"BEHIND", patience=20)
        assert mapped[0:5] == b"HELLO"


def test_an_edit_that_puts_size_and_mtime_back_is_read(pair):
    path, behind = pair.live / "file", pair.backing / "file"
    path.write_text("aaaa")
    assert path.read_text() == "aaaa"
    times = behind.stat()
    with open(behind, "r+") as stream:
        stream.write("bbbb")
    os.utime(behind, ns=(times.st_atime_ns, times.st_mtime_ns))
    pair.mounted.until(path.read_text, lambda text: text == "bbbb", patience=20)
