"""files: whatever happens to names, in the mount and behind it, the row stays right and keeps nothing."""

import os
import tempfile

from files_tree import ME, Tree, do
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import integers, sampled_from


class Life(RuleBasedStateMachine):
    """Names come and go through the row and behind it; the row stays right about them and keeps nothing."""

    names = sampled_from([b"a", b"b", b"c", b"d/a", b"d/b", b"e/a"])

    def __init__(self):
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.tree = Tree(self.place.name)
        for name in (b"d", b"e"):
            self.tree.make(name)
        self.handles = []

    def parts(self, path):
        above, _, name = path.rpartition(b"/")
        return self.tree.find(above), name

    @rule(path=names)
    def create(self, path):
        if not os.path.lexists(self.tree.behind(path)):
            self.tree.make(path, b"x")

    @rule(path=names)
    def create_behind(self, path):
        with open(self.tree.behind(path), "ab") as stream:
            stream.write(b"y")
        self.tree.files.stale(path)

    @rule(path=names)
    def unlink(self, path):
        folder, name = self.parts(path)
        if os.path.lexists(self.tree.behind(path)):
            self.tree.find(path)
            do(folder.unlink, name, ME)

    @rule(path=names)
    def unlink_behind(self, path):
        if os.path.lexists(self.tree.behind(path)):
            os.unlink(self.tree.behind(path))
            self.tree.files.stale(path)

    @rule(old=names, new=names, exchange=sampled_from([0, 2]))
    def rename(self, old, new, exchange):
        (source, was), (target, is_now) = self.parts(old), self.parts(new)
        there = os.path.lexists(self.tree.behind(new))
        if os.path.lexists(self.tree.behind(old)) and (there or not exchange):
            do(source.rename, was, target, is_now, exchange, ME)

    @rule(old=names, new=names)
    def link(self, old, new):
        node = self.tree.find(old)
        folder, name = self.parts(new)
        if node is not None and not os.path.lexists(self.tree.behind(new)):
            self.tree.told(do(folder.link, node, name, ME))

    @rule(path=names)
    def open(self, path):
        node = self.tree.find(path)
        if node is not None:
            self.handles.append(do(node.open, os.O_RDWR, ME))

    @rule(index=integers(0, 5))
    def release(self, index):
        if self.handles:
            do(self.handles.pop(index % len(self.handles)).release)

    @rule(path=names)
    def forget(self, path):
        node = self.tree.find(path)
        if node is not None:
            self.tree.nodes.forget([(node.id, node.lookups)])

    @invariant()
    def names_lead_to_the_right_inodes(self):
        for path in (b"a", b"b", b"c", b"d/a", b"d/b", b"e/a"):
            node = self.tree.find(path)
            assert (node is not None) == os.path.lexists(self.tree.behind(path))
            if node is not None:
                found = os.stat(self.tree.behind(path))
                assert do(node.getattr).st_ino == found.st_ino == node.key
                assert path in [folder.path_of(name) for folder, name in node.names()]

    @invariant()
    def open_files_stay_reachable(self):
        for handle in self.handles:
            assert do(handle.node.getattr).st_ino == os.fstat(handle.fd).st_ino

    def teardown(self):
        for handle in self.handles:
            do(handle.release)
        self.tree.forget_all()
        assert set(self.tree.nodes.table.values()) == {self.tree.nodes.get(1), self.tree.files.root}
        assert self.tree.files._known == {self.tree.files.root.key: self.tree.files.root}
        assert len(self.tree.files.descriptors) == 0
        self.tree.close()
        self.place.cleanup()


Life.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
test_the_row_stays_right_and_keeps_nothing = Life.TestCase
