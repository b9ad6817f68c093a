"""Following: what is noted of a burst of changes comes down to what has to be written."""

from hypothesis import given
from hypothesis import strategies as st

from lsfs.history.follow import _unique

PATHS = st.sampled_from([b"a", b"b", b"c"])
CHANGES = st.one_of(
    st.tuples(st.sampled_from(["touched", "hinted", "replaced"]), PATHS),
    st.tuples(st.just("moved"), PATHS, PATHS),
)


def test_each_path_is_looked_at_once_between_two_moves_and_touched_says_more_than_hinted():
    noted = [
        ("touched", b"a"),
        ("hinted", b"b"),
        ("touched", b"a"),
        ("hinted", b"a"),
        ("moved", b"c", b"a"),
        ("hinted", b"a"),
    ]
    assert _unique(noted) == [("hinted", b"b"), ("touched", b"a"), ("moved", b"c", b"a"), ("hinted", b"a")]


@given(st.lists(CHANGES))
def test_moves_keep_their_order_and_no_path_is_forgotten(noted):
    kept = _unique(noted)
    assert [change for change in kept if change[0] in ("moved", "replaced")] == [
        change for change in noted if change[0] in ("moved", "replaced")
    ]

    def stretches(changes):
        found = [{}]
        for kind, path, *_ in changes:
            if kind in ("moved", "replaced"):
                found.append({})
            else:
                found[-1][path] = found[-1].get(path, "") == "touched" and "touched" or kind
        return found

    before, after = stretches(noted), stretches(kept)
    assert [set(stretch) for stretch in before] == [set(stretch) for stretch in after]
    for old, new in zip(before, after, strict=True):
        assert old == new
    assert len(kept) <= len(noted)
