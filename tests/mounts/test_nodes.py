"""nodes: numbers are given once, kept while the kernel needs them, and virtual files say what they are."""

import errno
import os
import stat

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from mounts.nodes import MINTED, ROOT, Caller, Node, Nodes, Symlink, VirtualDirectory, VirtualFile

ME = Caller(0, 0)


def run(call, *arguments):
    return trio.run(call, *arguments)


def refused(call, *arguments):
    with pytest.raises(OSError) as caught:
        run(call, *arguments)
    return caught.value.errno


class Wanting(Node):
    def __init__(self, wanted, busy=False):
        super().__init__()
        self.wanted = wanted
        self.busy = busy

    def idle(self):
        return not self.busy


def test_the_top_has_the_number_that_fuse_gives_it():
    root = VirtualDirectory()
    assert Nodes(root).get(ROOT) is root
    assert (root.id, root.lookups) == (ROOT, 1)


def test_a_number_that_is_in_use_is_not_given_twice():
    nodes, one, two = Nodes(VirtualDirectory()), Wanting(77), Wanting(77)
    assert nodes.register(one) == 77
    assert nodes.register(two) > MINTED
    assert nodes.register(one) == 77


def test_numbers_of_virtual_nodes_are_minted_once():
    nodes = Nodes(VirtualDirectory())
    first, second = VirtualDirectory(), VirtualDirectory()
    nodes.remember(first)
    minted = first.id
    nodes.forget([(minted, 1)])
    assert nodes.register(second) > minted


def test_an_inode_number_that_comes_back_has_another_generation():
    nodes, one, two = Nodes(VirtualDirectory()), Wanting(77), Wanting(77)
    nodes.remember(one)
    generation = one.generation
    nodes.forget([(77, 1)])
    nodes.remember(two)
    assert (two.id, one.id) == (77, 0)
    assert two.generation != generation


def test_a_node_goes_with_its_last_lookup_and_not_before():
    nodes, node = Nodes(VirtualDirectory()), Wanting(77)
    for _ in range(3):
        nodes.remember(node)
    nodes.forget([(77, 2)])
    assert nodes.get(77) is node
    nodes.forget([(77, 1)])
    with pytest.raises(OSError) as caught:
        nodes.get(77)
    assert caught.value.errno == errno.ESTALE


def test_a_busy_node_outlives_its_lookups():
    nodes, node = Nodes(VirtualDirectory()), Wanting(77, busy=True)
    nodes.remember(node)
    nodes.forget([(77, 1)])
    assert nodes.get(77) is node
    node.busy = False
    nodes.drop(node)
    assert len(nodes) == 1


def test_the_top_is_never_forgotten():
    nodes = Nodes(VirtualDirectory())
    nodes.forget([(ROOT, 1)])
    assert nodes.get(ROOT).id == ROOT


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=60))
def test_lookups_and_forgets_balance(steps):
    nodes = Nodes(VirtualDirectory())
    known = [Wanting(10 + number % 3) for number in range(6)]
    for number, tells in steps:
        node = known[number]
        if tells:
            nodes.remember(node)
        elif node.lookups:
            nodes.forget([(node.id, 1)])
        numbers = [each.id for each in known if each.id]
        assert len(numbers) == len(set(numbers)) == len(nodes) - 1
        assert all(bool(each.id) == bool(each.lookups) for each in known)


def test_what_a_row_does_not_do_is_refused_as_on_a_read_only_disk():
    folder = VirtualDirectory()
    assert refused(folder.mkdir, b"x", 0o755, ME) == errno.EROFS
    assert refused(folder.create, b"x", 0o644, os.O_WRONLY, ME) == errno.EROFS
    assert refused(folder.unlink, b"x", ME) == errno.EROFS
    assert refused(folder.rename, b"x", folder, b"y", 0, ME) == errno.EROFS
    assert refused(folder.rename, b"x", VirtualDirectory(), b"y", 0, ME) == errno.EROFS, (
        "mv copies after EXDEV"
    )
    assert refused(VirtualFile.of(b"x").lookup, b"x", ME) == errno.ENOTDIR
    assert refused(VirtualFile.of(b"x").readlink) == errno.EINVAL
    assert refused(VirtualFile.of(b"x").open, os.O_WRONLY, ME) == errno.EROFS


def test_a_file_with_known_content_has_its_exact_size_and_is_cached():
    file = VirtualFile.of(b"hello")
    handle = run(file.open, os.O_RDONLY, ME)
    assert run(file.getattr).st_size == 5
    assert not handle.direct_io
    assert run(handle.read, 1, 3) == b"ell"


def test_a_file_of_unknown_size_says_zero_and_is_not_cached():
    async def render(caller):
        return b"for %d" % caller.uid

    file = VirtualFile(render)
    handle = run(file.open, os.O_RDONLY, Caller(1000, 1000))
    assert run(file.getattr).st_size == 0
    assert handle.direct_io
    assert run(handle.read, 0, 100) == b"for 1000"


def test_a_virtual_directory_is_listed_anew_after_a_rewind():
    folder = VirtualDirectory({b"one": Symlink(b"target")})

    async def listed():
        listing = await folder.opendir(ME)
        await listing.rewind()
        first = [entry[0] for entry in listing.entries]
        folder.children[b"two"] = VirtualFile.of(b"")
        unchanged = [entry[0] for entry in listing.entries]
        await listing.rewind()
        return first, unchanged, [entry[0] for entry in listing.entries]

    assert run(listed) == ([b"one"], [b"one"], [b"one", b"two"])


def test_a_symlink_says_where_it_leads():
    link = Symlink(b"../files/x")
    assert run(link.readlink) == b"../files/x"
    found = run(link.getattr)
    assert (stat.S_IFMT(found.st_mode), found.st_size) == (stat.S_IFLNK, 10)
