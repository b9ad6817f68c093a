"""best: what is not looked at changes nothing, however many words are asked for, whatever went, and where all are alike."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsfs.index import best
from lsfs.index.lexicon import Part
from lsfs.index.postings import Posting, Segment, times_of, write


class Known:
    """A lexicon of segments with these postings, whose average length is another than that of each."""

    def __init__(self, folder, random, rows, terms, average):
        self.parts, self.average, self._scratch = [], average, np.zeros(max(rows))
        for number, count in enumerate(rows):
            self.parts.append(
                Part(self._segment(folder / f"words-{number}.segment", random, count, terms), 0)
            )
            if random.random() < 0.5:
                self.parts[-1].alive = random.random(count) < 0.7
        self.rows = sum(part.living for part in self.parts)

    @staticmethod
    def _segment(path, random, count, terms):
        ids = random.permutation(10 * count)[:count] * 3 + int(path.stem[-1])
        having = [np.flatnonzero(random.random(count) < random.random() ** 3) for _ in range(terms)]
        postings = [Posting(rows.astype("<u4"), random.geometric(0.6, len(rows))) for rows in having]
        items = [(b"%03d" % n, posting) for n, posting in enumerate(postings) if len(posting.rows)]
        write(path, np.sort(ids), random.choice([5, 10, 80], count), items)
        return Segment(path)

    def scratch(self, rows):
        return self._scratch

    def stems(self, terms):
        return list(terms)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    rows=st.lists(st.integers(1, 200), min_size=1, max_size=3),
    asked=st.integers(1, 60),
    limit=st.integers(1, 40),
    average=st.sampled_from([2.0, 20.0, 33.0, 300.0]),
)
def test_the_best_are_those_of_all(tmp_path, seed, rows, asked, limit, average):
    random = np.random.default_rng(seed)
    known = Known(tmp_path, random, rows, 40, average)
    terms = [f"{n:03d}" for n in (random.random(asked) ** 2 * 42).astype(int)]
    every = np.concatenate([part.of.ids for part in known.parts]).tolist()
    expected = best.match(known, terms, len(every), every)
    assert best.match(known, terms, limit) == expected[:limit]
    assert not known.scratch(0).any()


@pytest.mark.parametrize("rows", [[], [0], [1, 3, 7], [0, 2, 3, 4, 5, 6, 7, 8, 9], [9]])
@pytest.mark.parametrize("held", [[], [3], [1, 2, 7], list(range(8))])
def test_how_often_rows_have_a_term(held, rows):
    posting = Posting(np.array(held, "<u4"), np.array([10 + row for row in held], "<u2"))
    found = times_of(posting, np.array(rows, "<u4"))
    assert found.dtype == np.float64 and found.tolist() == [10 + row if row in held else 0 for row in rows]
