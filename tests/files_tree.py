"""The row /files over a folder, with a kernel and reports that remember: what its tests share."""

import os
import types

from mounts.files import Files
from mounts.files_descriptors import LEAST, Descriptors
from mounts.nodes import Caller, Nodes, VirtualDirectory
from mounts.ports import Unguarded

ME = Caller(os.getuid(), os.getgid())


def do(call, *arguments):
    """Run an operation to its end; it must not await anything, so that it is atomic in the daemon."""
    operation = call(*arguments)
    try:
        operation.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError(f"{call} awaits something")


class Reports:
    """The port `Changes`: keeps what it is told."""

    def __init__(self):
        self.seen = []

    def touched(self, path, written=False):
        self.seen.append(path)

    def retimed(self, path, before, after):
        pass

    def moved(self, old, new, exchange=False, found=None):
        self.seen.append((old, new, exchange))

    def taken(self):
        seen, self.seen = self.seen, []
        return seen


class Forgetting:
    """A kernel: keeps what it is told to forget."""

    def __init__(self):
        self.forgot = []

    def attributes(self, id):
        self.forgot.append(("attributes", id))

    def contents(self, id):
        self.forgot.append(("contents", id))

    def entry(self, parent, name):
        self.forgot.append(("entry", parent, name))

    async def flush(self, id):
        self.forgot.append(("flush", id))

    def taken(self):
        forgot, self.forgot = self.forgot, []
        return forgot


class Tree:
    """The row over *folder*, used as fuse.py uses it."""

    def __init__(self, folder, **options):
        self.folder = os.fsencode(folder)
        self.root_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        self.reports, self.kernel = Reports(), Forgetting()
        ports = types.SimpleNamespace(
            root_fd=self.root_fd, read_only=False, hidden={b".lsfs"}, changes=self.reports, watched=lambda: True,
            guard=Unguarded(), locks=None, inner={b".query": lambda path: VirtualDirectory({path: VirtualDirectory()})},
        )  # fmt: skip
        ports.__dict__.update(options)
        self.files = Files(ports, Descriptors(LEAST))
        top = VirtualDirectory({b"files": self.files.root})
        self.nodes = Nodes(top)
        self.files.attach(self.nodes, self.kernel)
        self.nodes.remember(self.files.root)

    def behind(self, path):
        return os.path.join(self.folder, path)

    def find(self, path):
        node = self.files.root
        for name in path.split(b"/") if path else ():
            node = self.told(do(node.lookup, name, ME))
            if node is None:
                return None
        return node

    def told(self, node):
        if node is not None:
            if node.fresh is not None:
                node.fresh = None
            self.nodes.remember(node)
        return node

    def make(self, path, content=None):
        """A file (or, without content, a directory) made through the row; its node."""
        above, _, name = path.rpartition(b"/")
        folder = self.find(above)
        if content is None:
            return self.told(do(folder.mkdir, name, 0o755, ME))
        node, handle = do(folder.create, name, 0o644, os.O_RDWR, ME)
        self.told(node)
        do(handle.write, 0, content)
        do(handle.flush)
        do(handle.release)
        return node

    def forget_all(self):
        for node in list(self.nodes.table.values()):
            self.nodes.forget([(node.id, node.lookups)])

    def close(self):
        self.files.descriptors.shrink(0)
        os.close(self.root_fd)
