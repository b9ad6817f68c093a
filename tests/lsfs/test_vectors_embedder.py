"""embedder and mirror: whatever happens to Lance, to the disk or to the model, words stay and vectors come back without embedding."""

import contextlib
import hashlib
import shutil
import sqlite3
import threading

import numpy as np
import pytest

from lsfs.engine import embedder as embedding
from lsfs.engine import mirror
from lsfs.engine.document import Cut
from lsfs.engine.embedder import Embedder
from lsfs.engine.meaning import Meaning
from lsfs.history.store import open_history
from lsfs.index.store import Store, key_of
from lsfs.index.vectors import Vectors
from lsfs.models import grouped

DIMENSION = 8


class Sentence:
    """A model whose vectors are a digest of the text; it cannot take the word `poison`."""

    dimension, backend = DIMENSION, "fake"

    def __init__(self):
        self.broken = False

    def embed(self, texts):
        if self.broken or any("poison" in text for text in texts):
            raise IndexError("index out of range in self")
        return np.stack([self.embed_prompt(text) for text in texts])

    def parts(self, texts):
        return grouped([len(text) for text in texts], 100)

    def embed_prompt(self, text):
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
        vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
        return vector / np.linalg.norm(vector)


class Engine:
    """A store and an embedder in its thread."""

    def __init__(self, state, identity="m"):
        self.store = Store(state / "index", str(state / "history.db"), "same")
        self.meaning = Meaning(None, None, 1)
        self.meaning.encoder, self.meaning.state = Sentence(), "ready"
        self.digests, self.events = [], []
        self.moved = threading.Condition()
        self.embedder = Embedder(self.store, state, identity, self.meaning, self.events.append, self.move)
        self.thread = threading.Thread(target=self.embedder.run)

    def add(self, *texts):
        digest = hashlib.blake2b("".join(texts).encode()).digest()
        with self.store.writing():
            self.store.add(digest, "text", [Cut(n, n, "", text) for n, text in enumerate(texts)], True, False)
        with sqlite3.connect(self.store.path.parents[1] / "history.db", isolation_level=None) as history:
            history.execute(
                "insert into file (parent, name, kind, size, mtime_ns, ctime_ns, ino, mode, uid, gid, digest, suffix, state, dirty, "
                "complete, born) values (x'', ?, 'file', 1, 0, 0, 0, 0, 0, 0, ?, '', 'text', 0, 0, 1)",
                (digest, digest),
            )
        history.close()
        self.embedder.wake(True)

    def move(self):
        with self.moved:
            self.moved.notify_all()

    def until(self, promise):
        with self.moved:
            kept = self.moved.wait_for(promise, 20)
        assert kept, (self.store.glance.counts(), self.embedder.error, self.thread.is_alive())

    def whole(self):
        return self.store.glance.counts()["waiting"] == 0 and self.embedder.table is not None

    def nearest(self, text):
        passage, cosine = self.embedder.table.search(self.meaning.encoder.embed_prompt(text), 1)[0]
        row = self.store.db.execute("select text from passage where id = ?", (passage,)).fetchone()
        return row[0], round(cosine, 3)


@pytest.fixture
def engine(tmp_path):
    """engine(): starts one, after the orderly end of the one before; engine(clean=False): after a kill."""
    open_history(tmp_path / "history.db").close()
    with contextlib.ExitStack() as running:

        def start(identity="m", clean=True):
            running.close()
            if not clean:
                for path in (tmp_path / "index" / "lance").glob("*.clean"):
                    path.unlink()
            made = Engine(tmp_path, identity)
            made.thread.start()
            running.callback(made.store.close)
            running.callback(made.thread.join, 20)
            running.callback(made.embedder.stop)
            return made

        yield start


def test_another_model_of_the_same_length_searches_its_own_vectors(engine, tmp_path):
    one = engine("one")
    one.add("apples", "pears")
    one.until(one.whole)
    two = engine("two")
    two.until(two.whole)
    two.until(lambda: two.embedder.embeddings == 2)
    folders = [path for path in (tmp_path / "index" / "lance").iterdir() if path.is_dir()]
    assert [path.name for path in folders] == [hashlib.blake2b(b"two", digest_size=8).hexdigest()]


def test_an_orderly_end_is_believed_and_a_kill_is_not(engine, tmp_path, monkeypatch):
    one = engine()
    one.add("apples", "pears")
    one.until(one.whole)
    tried = []
    monkeypatch.setattr(mirror.Mirror, "_try", lambda self, table, vectors: tried.append(len(table)))
    engine().embedder.settled.wait(10)
    assert tried == []
    engine(clean=False).embedder.settled.wait(10)
    assert tried == [2]


@pytest.mark.parametrize("sure", [mirror.SURE, 0], ids=["filled again", "by a sample"])
def test_vectors_that_a_power_loss_damaged_are_found_at_the_start(engine, tmp_path, monkeypatch, sure):
    monkeypatch.setattr(mirror, "SURE", sure)
    one = engine()
    one.add("apples", "pears", "plums")
    one.until(one.whole)
    good = one.embedder.table
    wrong = [(p, k) for p, k in one.store.backlog.vectored()]
    good.reset()
    good.add([p for p, _ in wrong], [p >> 20 for p, _ in wrong], [k for _, k in wrong], np.eye(3, DIMENSION))
    two = engine(clean=False)
    two.until(two.whole)
    assert two.nearest("pears") == ("pears", 1.0)
    assert two.embedder.embeddings == 0


def test_twenty_thousand_rows_are_filled_again_in_a_few_commits(engine, tmp_path):
    texts = [f"text {n}" for n in range(20_000)]
    with contextlib.closing(Vectors(tmp_path / "vectors.db", "m")) as vectors:
        values = np.random.default_rng(0).normal(size=(len(texts), DIMENSION))
        vectors.put(zip((key_of("", text) for text in texts), values, strict=True))
    one = engine()
    one.add(*texts)
    one.until(one.whole)
    one.embedder.stop()  # it may be tidying the table
    one.thread.join(20)
    shutil.rmtree(tmp_path / "index" / "lance")
    two = engine(clean=False)
    two.until(two.whole)
    assert len(two.embedder.table) == 20_000 and two.embedder.embeddings == 0
    assert len(list((tmp_path / "index" / "lance").rglob("_transactions/*"))) < 10


def test_a_table_deleted_under_the_engine_is_filled_again_without_embedding(engine, tmp_path):
    one = engine()
    one.add("apples", "pears")
    one.until(one.whole)
    table, before = one.embedder.table, one.embedder.embeddings
    shutil.rmtree(tmp_path / "index" / "lance")
    one.embedder.distrust(table, "gone")
    assert one.embedder.table is not table
    one.until(one.whole)
    assert one.nearest("apples") == ("apples", 1.0)
    assert one.embedder.embeddings == before
    one.embedder.distrust(table, "an old question")
    assert one.whole()


def test_the_same_words_are_embedded_once_and_that_is_counted(engine, tmp_path):
    one = engine()
    one.add("apples", "pears")
    one.until(one.whole)
    one.add("pears", "plums", "plums")
    one.until(one.whole)
    assert (one.embedder.embeddings, one.embedder.reused) == (3, 2)
    two = engine()
    two.until(two.whole)
    assert (two.embedder.embeddings, two.embedder.reused) == (0, 0)


def test_every_file_has_one_vector_before_any_has_two(engine, monkeypatch):
    one, order = engine(), []
    embed = one.meaning.encoder.embed
    monkeypatch.setattr(one.meaning.encoder, "embed", lambda texts: order.extend(texts) or embed(texts))
    with one.store.lock:  # the embedder sees them all at once
        for n in range(100):
            one.add(f"first {n}", f"the rest is longer, so it makes even batches {n}")
    one.until(one.whole)
    assert len(order) == 200 and all(text.startswith("first") for text in order[:100])


def test_a_text_the_model_cannot_take_costs_that_text_alone(engine):
    one = engine()
    one.add("apples", "a poison", "pears")
    one.until(one.whole)
    assert one.store.glance.counts() == {"contents": 1, "passages": 3, "embedded": 2, "waiting": 0}
    assert "IndexError" in one.embedder.error and "words only" in one.embedder.error
    assert any(event["event"] == "complete" for event in one.events)
    assert one.meaning.state == "ready"
    assert one.store.db.execute("select count(*) from words where words match 'poison'").fetchone() == (1,)


def test_a_model_that_takes_nothing_any_more_is_given_up_and_refuses_nothing(engine):
    one = engine()
    one.add("apples")
    one.until(one.whole)
    one.meaning.encoder.broken = True
    one.add("pears", "plums")
    one.until(lambda: one.meaning.state == "unavailable")
    assert one.store.glance.counts()["waiting"] == 2
    assert "does not work" in one.meaning.error


@pytest.mark.parametrize("where", ["vectors", "lance"])
def test_a_full_disk_is_waited_out(engine, monkeypatch, where):
    monkeypatch.setattr(embedding, "PAUSE", 0.01)
    one = engine()
    one.add("apples")
    one.until(one.whole)
    full, told = [True], []
    kind = Vectors if where == "vectors" else type(one.embedder.table)
    name = "put" if where == "vectors" else "add"
    real = getattr(kind, name)

    def failing(self, *arguments):
        if full:
            told.append(one.embedder.error)
            raise (
                sqlite3.OperationalError("database or disk is full")
                if where == "vectors"
                else OSError(28, "ENOSPC")
            )
        return real(self, *arguments)

    monkeypatch.setattr(kind, name, failing)
    one.add("pears")
    one.until(lambda: len(told) > 2)
    assert "cannot be written" in told[2]
    full.clear()
    one.until(one.whole)
    one.until(lambda: one.embedder.error is None)
    assert one.nearest("pears") == ("pears", 1.0)
    assert len(one.embedder.table) == 2
