"""mountinfo: the kernel's table of mounts is read as it is written."""

import os

from hypothesis import given
from hypothesis import strategies as st

from lsfs import mountinfo

LINE = b"36 35 98:0 /mnt1 /mnt/a\\040b\\134c rw,noatime master:1 shared:2 - fuse.lsfs /home/me/my\\040notes rw,user_id=0"


def escaped(text: bytes) -> bytes:
    """As the kernel does it (seq_escape with space, tab, newline, backslash and #)."""
    return b"".join(b"\\%03o" % byte if byte in b" \t\n\\#" else bytes([byte]) for byte in text)


def test_a_line_with_optional_fields_and_escapes_is_taken_apart():
    mount = mountinfo.parse(LINE)
    assert mount == mountinfo.Mount(
        "/mnt/a b\\c", "fuse.lsfs", "/home/me/my notes", frozenset({"rw", "noatime"})
    )
    assert mount.is_lsfs


def test_a_line_without_optional_fields_or_source_is_taken_apart():
    mount = mountinfo.parse(b"21 26 0:19 / /sys rw - sysfs  rw\n")
    assert (mount.mountpoint, mount.fstype, mount.source) == ("/sys", "sysfs", "")
    assert not mount.is_lsfs


@given(st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name))
def test_any_name_comes_back_as_it_was(name):
    line = b"1 2 0:3 / /" + escaped(name) + b" rw - fuse.lsfs " + escaped(name) + b" rw"
    mount = mountinfo.parse(line)
    assert (os.fsencode(mount.mountpoint), os.fsencode(mount.source)) == (b"/" + name, name)


def test_this_process_sees_its_root_mounted_and_no_mount_where_there_is_none(tmp_path):
    assert mountinfo.find("/") is not None
    assert mountinfo.find(tmp_path) is None
    assert mountinfo.for_path(tmp_path) is None
    assert not mountinfo.is_dead(tmp_path)


def test_an_ordinary_folder_is_never_unmounted_by_recovery(tmp_path):
    assert mountinfo.recover(tmp_path) is False
    assert mountinfo.recover("/") is False


def test_of_several_lsfs_mounts_the_innermost_holds_a_path(monkeypatch, tmp_path):
    table = tmp_path / "mountinfo"
    table.write_bytes(
        b"1 0 0:1 / / rw - ext4 /dev/x rw\n"
        b"2 1 0:2 / /a rw - fuse.lsfs /one rw\n"
        b"3 2 0:3 / /a/files/b rw - tmpfs none rw\n"
        b"4 3 0:4 / /a/files/b/c rw - fuse.lsfs /two rw\n"
    )
    found = {mount.mountpoint: mount for mount in mountinfo.mounts(table)}
    monkeypatch.setattr(mountinfo.mounts, "__defaults__", (table,))
    assert mountinfo.for_path("/a/files/x") == found["/a"]
    assert mountinfo.for_path("/a/files/b/x") is None
    assert mountinfo.for_path("/a/files/b/c") == found["/a/files/b/c"]
    assert mountinfo.for_path("/ab") is None


def test_a_carriage_return_in_a_name_ends_no_line(tmp_path):
    table = tmp_path / "mountinfo"
    table.write_bytes(b"1 2 0:3 / /a\rb rw - fuse.lsfs /x rw\n" + LINE + b"\n")
    assert [mount.mountpoint for mount in mountinfo.mounts(table)] == ["/a\rb", "/mnt/a b\\c"]


def test_the_file_systems_of_a_folder_are_its_own_and_those_mounted_below(tmp_path, monkeypatch):
    table = tmp_path / "mountinfo"
    lines = [("/", "ext4"), ("/a", "xfs"), ("/a/b/c", "nfs4"), ("/ab", "fuse.sshfs")]
    table.write_text("".join(f"1 2 0:3 / {place} rw - {kind} none rw\n" for place, kind in lines))
    read = mountinfo.mounts
    monkeypatch.setattr(mountinfo, "mounts", lambda: read(table))
    assert mountinfo.types_below("/a") == {"xfs", "nfs4"}
    assert mountinfo.types_below("/a/b/c/d") == {"nfs4"}
    assert mountinfo.types_below("/other") == {"ext4"}
