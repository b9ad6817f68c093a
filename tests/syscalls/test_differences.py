"""differences: what is changed between two moments, within its bounds."""

import stat
from types import SimpleNamespace

from syscalls import differences as module
from syscalls.differences import differences


class Past:
    """So many files, each with one line, that were not there before."""

    def __init__(self, count):
        self.count = count
        self.read = 0

    def changes(self, first, second, below):
        for number in range(self.count):
            row = SimpleNamespace(mode=stat.S_IFREG | 0o644, size=6, target=None, xattrs=None, uid=0, gid=0)
            yield b"%d" % number, None, row

    def whole(self, row, most):
        self.read += 1
        return b"a line\n"


def made(past, **options):
    return differences(past, 1, 2, b"one", b"two", lambda path, row: True, **options)


def test_a_diff_ends_before_the_part_that_makes_it_too_large(monkeypatch):
    part = len(made(Past(1)))
    monkeypatch.setattr(module, "MOST", 2 * part)
    text = made(Past(5))
    assert text.count(b"+a line") == 2 and text.endswith(
        b"# The diff is cut off here: it has more than %d bytes.\n" % (2 * part)
    )
    assert made(Past(2)).count(b"+a line") == 2 and b"cut off" not in made(Past(2))


def test_a_diff_that_takes_too_long_is_cut_off(monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    past = Past(100)
    text = made(past)
    assert text.endswith(b"# The diff is cut off here: it took more than 60 seconds.\n")
    assert 0 < past.read <= 6


def test_what_does_not_count_is_not_read():
    past = Past(3)
    assert differences(past, 1, 2, b"one", b"two", lambda path, row: False) == b""
    assert past.read == 0


def test_a_content_too_large_is_said_to_be(monkeypatch):
    past = Past(1)
    monkeypatch.setattr(past, "whole", lambda row, most: None)
    assert b"too large to be compared" in made(past)
