"""Who may read what: the same as the kernel says."""

import itertools
import os
import stat

import pytest
from mounted_helpers import EVERY, acl, reachable

from syscalls.permission import acl_grants, may_read, may_search, uid_of
from syscalls.values import Viewer


@pytest.mark.parametrize(
    ("mode", "viewer", "reads", "searches"),
    [
        (0o700, Viewer(10, 10), True, True),
        (0o070, Viewer(10, 20), False, False),  # the owner's class decides, though the group's grants more
        (0o070, Viewer(11, 20), True, True),
        (0o070, Viewer(11, 11, frozenset({20})), True, True),
        (0o007, Viewer(11, 20), False, False),
        (0o007, Viewer(11, 11), True, True),
        (0o744, Viewer(11, 11), True, False),
        (0o711, Viewer(11, 11), False, True),
        (0o000, Viewer(0, 0), True, True),
    ],
)
def test_the_first_class_that_matches_decides_and_root_may_all(mode, viewer, reads, searches):
    assert may_read(stat.S_IFREG | mode, 10, 20, viewer) is reads
    assert may_search(stat.S_IFDIR | mode, 10, 20, viewer) is searches


@pytest.fixture
def path(tmp_path):
    """A file of user 4010 and group 4020 that others can reach."""
    if os.geteuid() != 0:
        pytest.skip("needs to become other users")
    os.chmod(tmp_path, 0o755)
    reachable(tmp_path)
    for above in tmp_path.parents:
        if not os.stat(above).st_mode & stat.S_IXOTH:
            pytest.skip(f"{above} is closed to others")
    (tmp_path / "file").touch()
    os.chown(tmp_path / "file", 4010, 4020)
    return tmp_path / "file"


def test_the_kernel_says_the_same(path):
    viewers = [
        Viewer(uid, gid, frozenset(groups))
        for uid, gid, groups in itertools.product((4010, 4011), (4020, 4021), ((), (4020,)))
    ]
    modes = (0o400, 0o040, 0o004, 0o440, 0o044, 0o404)
    expected = {(mode, viewer): may_read(mode, 4010, 4020, viewer) for mode in modes for viewer in viewers}
    for mode in modes:
        os.chmod(path, mode)
        for viewer in viewers:
            assert _opens(path, viewer) is expected[mode, viewer], (oct(mode), viewer)


def _opens(path, viewer):
    return _opened([path], viewer)[path]


def _opened(paths, viewer):
    """Which of these files the kernel lets a viewer open. One child for all of them: a fork of a process of this size is slow."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups(list(viewer.groups))
        os.setgid(viewer.gid)
        os.setuid(viewer.uid)
        for path in paths:
            try:
                os.close(os.open(path, os.O_RDONLY))
                os.write(writing, b"y")
            except OSError:
                os.write(writing, b"n")
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as told:
        answers = told.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return dict(zip(paths, (answer == ord("y") for answer in answers), strict=True))


def test_an_owner_is_a_name_a_number_or_me():
    viewer = Viewer(1234, 5)
    assert uid_of("me", viewer) == 1234
    assert uid_of("root", viewer) == 0
    assert uid_of("77", viewer) == 77
    assert uid_of("no-such-user", viewer) is None


def test_access_lists_say_what_the_kernel_says(path):
    viewers = [
        Viewer(uid, gid, frozenset(groups))
        for uid, gid, groups in itertools.product((4010, 4011, 4012), (4020, 4021), ((), (4020,), (4022,)))
    ]
    lists = {}
    for number, bits in enumerate(itertools.product((0, 4), repeat=6)):
        owner, named, group, grouped, mask, other = bits
        listed = acl(
            (1, owner, EVERY),
            (2, named, 4011),
            (4, group, EVERY),
            (8, grouped, 4022),
            (16, mask, EVERY),
            (32, other, EVERY),
        )
        file = path.with_name(f"file{number}")
        file.touch()
        os.chown(file, 4010, 4020)
        try:
            os.setxattr(file, "system.posix_acl_access", listed)
        except OSError:
            pytest.skip("the disk keeps no access lists")
        lists[file] = listed
    for viewer in viewers:
        opened = _opened(list(lists), viewer)
        for file, listed in lists.items():
            assert opened[file] is acl_grants(listed, 4010, 4020, viewer, 4), (listed, viewer)
