"""lance: the nearest passages, exactly, and through an index once the table is large."""

import numpy as np
import pytest

from lsfs.index import lance
from lsfs.index.lance import Table, marks

DIMENSION = 32


def unit(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def keys(count):
    return [n.to_bytes(8, "little") + bytes(8) for n in range(count)]


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path / "lance", DIMENSION)


def fill(table, vectors):
    count = len(vectors)
    table.add(range(count), [n // 4 for n in range(count)], keys(count), vectors)


def test_an_empty_table_answers(table):
    assert (len(table), table.search(unit(1)[0], 5)) == (0, [])


def test_the_nearest_come_first_with_their_cosine(table):
    vectors = unit(50)
    fill(table, vectors)
    found = table.search(vectors[7], 5)
    truth = vectors @ vectors[7]
    assert [passage for passage, _ in found] == np.argsort(-truth)[:5].tolist()
    np.testing.assert_allclose([cosine for _, cosine in found], np.sort(truth)[::-1][:5], atol=1e-5)


def test_a_search_may_be_narrowed_to_contents(table):
    vectors = unit(50)
    fill(table, vectors)
    assert {passage for passage, _ in table.search(vectors[0], 50, [2, 3])} == set(range(8, 16))


def test_rows_survive_and_can_be_compared(table, tmp_path):
    fill(table, unit(20))
    passages, seen = Table(tmp_path / "lance", DIMENSION).rows()
    assert dict(zip(passages.tolist(), seen.tolist(), strict=True)) == dict(
        zip(range(20), marks(keys(20)).tolist(), strict=True)
    )


def test_deleted_contents_are_gone(table):
    vectors = unit(20)
    fill(table, vectors)
    table.delete([0])
    assert len(table) == 16
    assert not {0, 1, 2, 3} & {passage for passage, _ in table.search(vectors[0], 20)}


def test_a_reset_table_is_empty_and_takes_rows(table):
    fill(table, unit(20))
    table.reset()
    assert len(table) == 0
    fill(table, unit(8))
    assert len(table.search(unit(1)[0], 20)) == 8


def test_a_table_of_another_length_is_refused(table, tmp_path):
    fill(table, unit(4))
    with pytest.raises(ValueError, match="(?i)schema"):
        Table(tmp_path / "lance", DIMENSION * 2)


def test_a_folder_that_is_no_table_is_refused(table, tmp_path):
    fill(table, unit(4))
    for manifest in (tmp_path / "lance").rglob("*.manifest"):
        manifest.write_bytes(b"")
    with pytest.raises((RuntimeError, OSError, ValueError)):
        Table(tmp_path / "lance", DIMENSION)


def test_many_commits_are_merged(table, monkeypatch, tmp_path):
    monkeypatch.setattr(lance, "COMMITS", 5)
    vectors = unit(10)
    for n in range(10):
        table.add([n], [n], keys(10)[n : n + 1], vectors[n : n + 1])
        table.maintain()
    assert table._table.stats()["fragment_stats"]["num_fragments"] < 10
    assert [passage for passage, _ in table.search(vectors[3], 1)] == [3]


def test_a_large_table_is_searched_through_an_index_with_exact_distances(table, monkeypatch, tmp_path):
    monkeypatch.setattr(lance, "FLAT", 1000)
    vectors = unit(2000)
    fill(table, vectors)
    table.maintain()
    found = table.search(vectors[5], 10)
    assert found[0][0] == 5
    assert found[0][1] == pytest.approx(1.0, abs=1e-4)
    assert Table(tmp_path / "lance", DIMENSION)._trained
    table.add([5000], [5000], keys(1), unit(1, seed=9))
    assert table.search(unit(1, seed=9)[0], 1)[0][0] == 5000
