"""burst: what is noted of a burst of changes comes down to what has to be written."""

from hypothesis import given
from hypothesis import strategies as st

from lsfs.history.burst import outcome

PATHS = st.sampled_from([b"a", b"b", b"c", b"a/x", b"b/x", b"a/x/y"])
CHANGES = st.one_of(
    st.tuples(st.sampled_from(["touched", "hinted", "replaced"]), PATHS),
    st.tuples(st.just("moved"), PATHS, PATHS).filter(
        lambda change: not (change[1] + b"/").startswith(change[2] + b"/")
    ),
)


def test_each_path_is_looked_at_once_and_touched_says_more_than_hinted():
    noted = [("touched", b"a"), ("hinted", b"b"), ("touched", b"a"), ("hinted", b"a")]
    assert outcome(noted) == ([], {b"a": "touched", b"b": "hinted"})


def test_what_was_touched_is_looked_at_under_its_last_name():
    noted = [
        ("touched", b"x/n"),
        ("hinted", b"x/m"),
        ("moved", b"y", b"x"),
        ("touched", b"x/n"),
        ("moved", b"y/k", b"y/n"),
    ]
    moves, looked = outcome(noted)
    assert moves == [("moved", b"y", b"x"), ("moved", b"y/k", b"y/n")]
    assert looked == {b"y/k": "touched", b"y/m": "hinted", b"x/n": "touched"}


@given(st.lists(CHANGES))
def test_nothing_that_was_touched_is_forgotten_and_moves_keep_their_order(noted):
    moves, looked = outcome(noted)
    assert moves == [change for change in noted if change[0] in ("moved", "replaced")]
    for index, (kind, path, *_) in enumerate(noted):
        if kind not in ("touched", "hinted"):
            continue
        for later in noted[index + 1 :]:
            if later[0] == "moved" and (path + b"/").startswith(later[2] + b"/"):
                path = later[1] + path[len(later[2]) :]
        assert looked[path] == "touched" if kind == "touched" else path in looked


def test_a_write_to_what_was_renamed_over_says_nothing_of_what_came():
    """A file that was closed and then renamed says what it is by itself; its inode changed its ctime by that."""
    found = object()
    changes = [("written", b"list"), ("written", b"sed1"), ("moved", b"list", b"sed1", found)]
    assert outcome(changes) == ([changes[2]], {b"list": "touched"})
    assert outcome([changes[0], ("moved", b"list", b"sed1", found)])[1] == {b"list": "touched"}
    assert outcome([changes[1], ("moved", b"list", b"sed1", None)])[1] == {b"list": "written"}
    assert outcome([*changes, changes[0]])[1] == {b"list": "written"}
