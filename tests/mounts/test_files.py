"""files: what the row reports, what it tells the kernel to forget, and that it keeps nothing it does not need."""

import errno
import os

import pytest
from files_tree import ME, Tree, do

from mounts.files_descriptors import LEAST
from mounts.nodes import AttributeChanges


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    yield made
    made.close()


def failing(call, *arguments):
    with pytest.raises(OSError) as caught:
        do(call, *arguments)
    return caught.value.errno


# --- What is reported


def test_every_change_is_reported_by_its_path(tree):
    tree.make(b"folder")
    assert tree.reports.taken() == [b"folder"]
    tree.make(b"folder/file", b"x")
    assert tree.reports.taken() == [b"folder/file"] * 2
    folder, file, root = tree.find(b"folder"), tree.find(b"folder/file"), tree.files.root
    for call, arguments, expected in (
        (folder.link, (file, b"hard", ME), [b"folder/hard"]),
        (folder.symlink, (b"soft", b"file", ME), [b"folder/soft"]),
        (folder.mknod, (b"fifo", 0o010600, 0, ME), [b"folder/fifo"]),
        (file.setattr, (AttributeChanges(mode=0o600), None, ME), [b"folder/file", b"folder/hard"]),
        (file.setattr, (AttributeChanges(size=0), None, ME), [b"folder/file", b"folder/hard"]),
        (root.rename, (b"folder", root, b"moved", 0, ME), [(b"folder", b"moved", False)]),
        (folder.unlink, (b"hard", ME), [b"moved/hard"]),
        (folder.rename, (b"soft", folder, b"fifo", 2, ME), [(b"moved/soft", b"moved/fifo", True)]),
        (root.mkdir, (b"new", 0o755, ME), [b"new"]),
        (root.rmdir, (b"new", ME), [b"new"]),
    ):
        do(call, *arguments)
        assert tree.reports.taken() == expected


def test_looking_and_reading_report_nothing(tree):
    tree.make(b"file", b"content")
    tree.reports.taken()
    handle = do(tree.find(b"file").open, os.O_RDONLY, ME)
    assert do(handle.read, 0, 100) == b"content"
    do(handle.flush)
    do(handle.release)
    listing = do(tree.files.root.opendir, ME)
    do(listing.rewind)
    do(listing.release)
    assert tree.reports.taken() == []


def test_writes_are_reported_at_flush_once(tree):
    file = tree.make(b"file", b"x")
    handle = do(file.open, os.O_WRONLY, ME)
    tree.reports.taken()
    do(handle.write, 0, b"y")
    do(handle.write, 1, b"z")
    assert tree.reports.taken() == []
    do(handle.flush)
    do(handle.flush)
    assert tree.reports.taken() == [b"file"]
    do(handle.write, 2, b"mapped pages come after the close")
    do(handle.release)
    assert tree.reports.taken() == [b"file"]


def test_a_shell_that_truncates_and_then_writes_reports_no_empty_file(tree):
    file = tree.make(b"file", b"old content")
    tree.reports.taken()
    handle = do(file.open, os.O_WRONLY | os.O_TRUNC, ME)
    do(handle.flush)  # the shell's dup2
    assert tree.reports.taken() == []
    do(handle.write, 0, b"new")
    do(handle.flush)
    assert tree.reports.taken() == [b"file"]
    do(handle.release)
    assert tree.reports.taken() == []


def test_truncating_alone_is_reported_when_the_file_is_let_go(tree):
    file = tree.make(b"file", b"old content")
    handle = do(file.open, os.O_WRONLY | os.O_TRUNC, ME)
    do(handle.flush)
    tree.reports.taken()
    do(handle.release)
    assert tree.reports.taken() == [b"file"]


# --- Rows found by name


def test_a_row_is_found_by_name_in_every_directory_and_not_listed(tree):
    tree.make(b"a")
    tree.make(b"a/b")
    row = tree.find(b"a/b/.query")
    assert list(row.children) == [b"a/b"]
    assert list(tree.find(b"a/b/.query").children) == [b"a/b"]
    listing = do(tree.find(b"a/b").opendir, ME)
    do(listing.rewind)
    assert listing.entries == []
    do(listing.release)


def test_a_real_entry_wins_over_a_row(tree):
    os.mkdir(tree.behind(b".query"))
    assert tree.find(b".query").key == os.stat(tree.behind(b".query")).st_ino


def test_what_belongs_to_lsfs_is_neither_found_nor_listed_nor_made(tree):
    os.mkdir(tree.behind(b".lsfs"))
    root = tree.files.root
    assert tree.find(b".lsfs") is None
    assert failing(root.mkdir, b".lsfs", 0o755, ME) == errno.EPERM
    tree.make(b"file", b"")
    assert failing(root.rename, b"file", root, b".lsfs", 0, ME) == errno.EPERM
    listing = do(root.opendir, ME)
    do(listing.rewind)
    assert listing.entries == [b"file"]
    do(listing.release)


# --- What the kernel is told to forget


def test_after_a_change_through_the_mount_there_is_nothing_to_forget(tree):
    tree.make(b"folder")
    tree.make(b"folder/file", b"content")
    do(tree.find(b"folder").getattr)
    tree.kernel.taken()
    tree.files.stale(b"folder/file")
    assert tree.kernel.taken() == []


def test_an_edit_behind_the_mount_makes_the_kernel_forget_the_content(tree):
    file = tree.make(b"file", b"content")
    with open(tree.behind(b"file"), "ab") as stream:
        stream.write(b" and more")
    tree.files.stale(b"file")
    assert ("contents", file.id) in tree.kernel.taken()
    tree.files.stale(b"file")
    assert tree.kernel.taken() == []


def test_a_mode_changed_behind_the_mount_makes_the_kernel_forget_attributes_only(tree):
    file = tree.make(b"file", b"content")
    tree.kernel.taken()
    os.chmod(tree.behind(b"file"), 0o600)
    tree.files.stale(b"file")
    forgot = tree.kernel.taken()
    assert ("attributes", file.id) in forgot
    assert ("contents", file.id) not in forgot


def test_what_appears_vanishes_and_is_replaced_is_forgotten_by_name(tree):
    root = tree.files.root
    with open(tree.behind(b"late"), "w"):
        pass
    tree.files.stale(b"late")
    assert ("entry", root.id, b"late") in tree.kernel.taken()
    before = tree.find(b"late")
    with open(tree.behind(b"other"), "w"):
        pass
    os.rename(tree.behind(b"other"), tree.behind(b"late"))
    tree.files.stale(b"late")
    assert ("entry", root.id, b"late") in tree.kernel.taken()
    assert tree.find(b"late") is not before
    os.unlink(tree.behind(b"late"))
    tree.files.stale(b"late")
    assert ("entry", root.id, b"late") in tree.kernel.taken()


def test_after_missed_events_everything_that_changed_is_forgotten(tree):
    tree.make(b"folder")
    one, two = tree.make(b"folder/one", b"1"), tree.make(b"folder/two", b"2")
    with open(tree.behind(b"folder/one"), "w") as stream:
        stream.write("changed")
    os.unlink(tree.behind(b"folder/two"))
    tree.kernel.taken()
    tree.files.distrust()
    forgot = tree.kernel.taken()
    assert ("contents", one.id) in forgot
    assert ("entry", tree.find(b"folder").id, b"two") in forgot
    assert ("contents", two.id) not in forgot


def test_pages_are_kept_while_the_content_is_what_they_hold(tree):
    file = tree.make(b"file", b"content")

    def keeps():
        handle = do(file.open, os.O_RDONLY, ME)
        do(handle.release)
        return handle.keep_cache

    assert keeps()
    with open(tree.behind(b"file"), "ab") as stream:
        stream.write(b" and more")
    assert not keeps()
    assert keeps()


class Some:
    """Watches on the directories of `numbers`."""

    def __init__(self):
        self.numbers, self.losses = {}, 0

    def holds(self, path):
        return self.numbers.get(path, 0)

    def add(self, path, fd):
        self.numbers[path] = len(self.numbers) + 1

    def moved(self, old, new):
        self.numbers[new] = self.numbers.pop(old)


def test_names_are_believed_for_long_only_where_a_watch_is(tmp_path):
    tree, watches = Tree(tmp_path), Some()
    os.mkdir(tree.behind(b"folder"))
    tree.files.attach(tree.nodes, tree.kernel, watches)
    folder = tree.told(do(tree.files.root.lookup, b"folder", ME))
    file = tree.make(b"folder/file", b"x")
    assert folder.negative_timeout == file.entry_timeout == file.attr_timeout == 1.0
    watches.numbers[b"folder"] = 1
    assert folder.negative_timeout == file.entry_timeout == file.attr_timeout == 60.0
    do(tree.files.root.rename, b"folder", tree.files.root, b"moved", 0, ME)
    assert watches.numbers == {b"moved": 1} and file.entry_timeout == 60.0
    del watches.numbers[b"moved"]
    watches.losses += 1
    assert file.entry_timeout == 1.0
    assert tree.make(b"made").negative_timeout == 60.0  # watched before anything could be in it
    tree.close()


# --- Identity and descriptors


def test_a_directory_that_was_replaced_is_not_entered_through_its_old_node(tree, tmp_path):
    folder = tree.make(b"folder")
    tree.make(b"folder/inside")
    tree.files.descriptors.shrink(0)
    os.rename(tree.behind(b"folder"), tree.behind(b"aside"))
    os.symlink(b"/etc", tree.behind(b"folder"))
    assert failing(folder.lookup, b"passwd", ME) == errno.ESTALE
    os.unlink(tree.behind(b"folder"))
    os.mkdir(tree.behind(b"folder"))
    assert failing(folder.create, b"file", 0o644, os.O_WRONLY, ME) == errno.ESTALE
    assert os.listdir(tree.behind(b"folder")) == []


def test_a_file_that_was_replaced_is_not_opened_nor_emptied_through_its_old_node(tree):
    file = tree.make(b"file", b"one")
    with open(tree.behind(b"new"), "w") as stream:
        stream.write("precious")
    os.rename(tree.behind(b"new"), tree.behind(b"file"))
    assert failing(file.open, os.O_WRONLY | os.O_TRUNC, ME) == errno.ESTALE
    assert failing(file.getattr) == errno.ESTALE
    assert failing(file.setattr, AttributeChanges(size=0), None, ME) == errno.ESTALE
    with open(tree.behind(b"file")) as stream:
        assert stream.read() == "precious"


def test_more_directories_than_descriptors_can_be_used(tree):
    for number in range(3 * LEAST):
        tree.make(b"%d" % number)
        tree.make(b"%d/file" % number, b"x")
    assert len(tree.files.descriptors) <= LEAST
    for number in range(3 * LEAST):
        assert tree.find(b"%d/file" % number) is not None
    assert len(tree.files.descriptors) <= LEAST


def test_a_deep_tree_is_reached_again_after_its_descriptors_were_closed(tree):
    path = b"/".join([b"d"] * 60)
    for depth in range(1, 61):
        tree.make(b"/".join([b"d"] * depth))
    tree.files.descriptors.shrink(0)
    tree.make(path + b"/file", b"deep")
    assert os.path.exists(tree.behind(path + b"/file"))


def test_a_directory_renamed_behind_the_mount_stays_the_node_that_the_kernel_knows(tree):
    folder = tree.make(b"before")
    tree.make(b"before/file", b"text")
    os.rename(tree.behind(b"before"), tree.behind(b"after"))
    tree.files.stale(b"before")
    tree.files.stale(b"after")
    assert tree.find(b"before") is None
    assert tree.find(b"after") is folder and folder.path() == b"after"
    assert do(tree.find(b"after/file").getattr).st_size == 4
