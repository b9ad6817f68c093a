"""vectors: kept by the digest of their text, durably, per model."""

import contextlib
import sqlite3
import time

import numpy as np
import pytest

from lsfs.index.vectors import Vectors

A, B, C = (bytes([n]) * 16 for n in range(3))


def vector(seed):
    return np.random.default_rng(seed).normal(size=8).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.db"


@pytest.fixture
def vectors(path):
    with contextlib.closing(Vectors(path, "m")) as vectors:
        yield vectors


def test_a_vector_comes_back_as_it_was_given(vectors, path):
    vectors.put([(A, vector(1)), (B, vector(2))])
    with contextlib.closing(Vectors(path, "m")) as again:
        kept = again.get([A, B, C])
        assert kept.keys() == {A, B}
        np.testing.assert_array_equal(kept[A], vector(1))
        assert (again.has([A, C]), again.count(), again.dimension()) == ({A}, 2, 8)


def test_models_do_not_share_vectors(vectors, path):
    vectors.put([(A, vector(1))])
    with contextlib.closing(Vectors(path, "other")) as other:
        assert (other.has([A]), other.dimension()) == (set(), 0)


def test_the_first_vector_of_a_text_stays(vectors):
    vectors.put([(A, vector(1))])
    vectors.put([(A, vector(2))])
    np.testing.assert_array_equal(vectors.get([A])[A], vector(1))


def test_more_keys_than_sqlite_takes_at_once_are_looked_up(vectors):
    keys = [n.to_bytes(16, "big") for n in range(1200)]
    vectors.put((key, vector(0)) for key in keys)
    assert vectors.has(keys) == set(keys)


def test_what_is_written_is_on_the_disk(vectors):
    assert vectors._db.execute("pragma synchronous").fetchone() == (2,)


def test_a_broken_database_is_kept_aside_and_a_new_one_made(path):
    path.write_bytes(b"this is no database at all, " * 100)
    with contextlib.closing(Vectors(path, "m")) as vectors:
        vectors.put([(A, vector(1))])
        assert vectors.count() == 1
    assert [p.read_bytes()[:7] for p in path.parent.glob("vectors.db.broken-*")] == [b"this is"]


def test_vectors_that_no_passage_names_are_collected(vectors, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "words.db")) as db:
        db.execute("create table passage (key blob)")
        db.execute("create table dropped (key blob, at real)")
        db.execute("insert into passage values (?)", (A,))
        db.execute("insert into dropped values (?, ?)", (C, time.time() - 60))
        db.commit()
    vectors.put([(A, vector(1)), (B, vector(2)), (C, vector(3))])
    uri = f"file:{tmp_path}/words.db?mode=ro"
    assert vectors.collect(uri, 3600) == 1
    assert vectors.has([A, B, C]) == {A, C}
    assert vectors.collect(uri, 30) == 1
    assert vectors.has([A, B, C]) == {A}
