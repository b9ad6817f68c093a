"""trash: the tree that removed rows make."""

import stat
from types import SimpleNamespace

from mounts.trash import branches


def row(path, kind=stat.S_IFREG, id=0):
    parent, _, name = path.rpartition(b"/")
    return SimpleNamespace(id=id, parent=parent, name=name, path=path, mode=kind | 0o644)


def told(branch):
    if branch.below is None:
        return branch.row.id
    return {name: told(below) for name, below in branch.below.items()}


def test_rows_stand_under_their_paths():
    tree = branches([row(b"a/b/f", id=1), row(b"a/b", stat.S_IFDIR), row(b"g", id=2)])
    assert told(tree) == {b"a": {b"b": {b"f": 1}}, b"g": 2}
    assert tree.below[b"a"].row is None and tree.below[b"a"].below[b"b"].row is not None


def test_of_two_with_one_path_the_newest_stays():
    assert told(branches([row(b"f", id=2), row(b"f", id=1)])) == {b"f": 2}
    assert told(branches([row(b"f", id=2), row(b"f", stat.S_IFDIR), row(b"f/below", id=1)])) == {b"f": 2}
    tree = branches(
        [row(b"d", stat.S_IFDIR, id=2), row(b"d/f", id=3), row(b"d", stat.S_IFDIR, id=1), row(b"d", id=0)]
    )
    assert told(tree) == {b"d": {b"f": 3}} and tree.below[b"d"].row.id == 2
