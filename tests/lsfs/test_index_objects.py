"""index_objects: what was overwritten before the engine came to it is read from history, and found in the past."""

import os

import pytest
from engine_client import Daemon

from lsfs import models
from lsfs.engine import kept
from lsfs.engine.indexer import Indexer
from lsfs.engine.kept import Kept, Object
from lsfs.engine.reader import of_bytes, read_file
from lsfs.history import objects
from lsfs.history.store import open_history
from lsfs.index.store import Store

KEY = b"-----BEGIN PRIVATE KEY-----\nMIIE\n"
SAMPLES = {
    b"a.md": b"# Refunds\n",
    b"run": b"#!/bin/sh\n",
    b"a.png": b"\x89PNG\r\n\x1a\n" + bytes(40),
    b"key.txt": KEY,
    b"big.txt": b"words " * 2000,
    b"big.key": KEY * 500,
    b"a.zip": b"PK\x03\x04" + bytes(9000) + b"word/document.xml",
    b"empty.py": b"",
}


@pytest.fixture
def daemon(tmp_path):
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.close()


def keep(history, data):
    """A content as the capture would have kept it."""
    prepared = objects.prepare(data)
    history.execute(
        "insert into object (digest, size, encoding, data) values (?, ?, ?, ?)",
        (prepared.digest, prepared.size, prepared.encoding, prepared.data),
    )
    return prepared.digest


@pytest.mark.parametrize("name", SAMPLES)
def test_bytes_from_history_are_judged_as_those_of_a_file(tmp_path, name):
    (tmp_path / os.fsdecode(name)).write_bytes(SAMPLES[name])
    folder = os.open(tmp_path, os.O_PATH)
    read, kept = read_file(folder, name, 10_000), of_bytes(SAMPLES[name], name, 10_000)
    os.close(folder)
    for field in ("state", "type", "digest", "data", "error"):
        assert getattr(read, field) == getattr(kept, field), field


def test_what_cannot_be_had_from_history_costs_a_sentence(tmp_path):
    history = open_history(tmp_path / "history.db")
    source = Kept(str(tmp_path / "history.db"), tmp_path, 100)
    assert source.read(Object(keep(history, b"refund"), b"a.md")).data == b"refund"
    large = source.read(Object(keep(history, b"refund " * 99), b"a.md"))
    assert (large.state, "max_file_size" in large.error) == ("other", True)
    missing = source.read(Object(b"?" * 32, b"a.md"))
    assert (missing.state, "fsck" in missing.error) == ("unreadable", True)
    history.execute("update object set data = x'00'")
    assert source.read(Object(keep(history, b"voucher"), b"a.md")).data == b"voucher"
    assert source.read(Object(objects.prepare(b"refund").digest, b"a.md")).state == "unreadable"
    history.execute("drop table object")
    assert source.read(Object(b"?" * 32, b"a.md")).state == "unstable"
    history.close()


def test_what_could_not_be_read_now_is_not_told_as_done(tmp_path, monkeypatch):
    history = open_history(tmp_path / "history.db")
    store, told = Store(tmp_path / "index", str(tmp_path / "history.db"), "m"), []
    settings = {"catalogue": str(tmp_path / "history.db"), "state": str(tmp_path)}
    indexer = Indexer(store, -1, models.estimate, False, settings, told.append, bool, lambda: None)
    good = Object(keep(history, b"refund rules"), b"a.md")
    indexer._write([indexer._read(good, False)])
    monkeypatch.setattr(kept.Kept, "_open", lambda self: (_ for _ in ()).throw(OSError(5, "I/O error")))
    indexer._write([indexer._read(item, False) for item in (good, Object(b"?" * 32, b"b.md"))])
    assert [event["digests"] for event in told] == [[good.digest], [good.digest]]
    assert store.known(good.digest) is not None
    indexer.stop()
    store.close()
    history.close()


def test_overwritten_contents_are_found_in_the_past(daemon):
    daemon.start(model="")
    texts = {
        "plan.md": b"# Refunds\n\nRefunds need two signatures.\n",
        "page.html": b"<!DOCTYPE html><html><body><p>signatures on a page</p></body></html>",
        "key.txt": KEY + b"signatures",
        "picture.png": SAMPLES[b"a.png"],
    }
    wanted = []
    for name, data in texts.items():
        digest = keep(daemon.history, data)
        wanted.append([digest, name.encode()])
        cell = daemon.history.execute(
            "insert into content (size, digest, captured) values (?, ?, 1)", (len(data), digest)
        ).lastrowid
        daemon.history.execute(
            "insert into entry (parent, name, mode, uid, gid, size, mtime_ns, ctime_ns, ino, content, indexed, born, died) "
            "values (x'', ?, 33188, 0, 0, ?, 0, 0, 0, ?, 1, 1, 2)",
            (name.encode(), len(data), cell),
        )
    gone = [b"?" * 32, b"gone.md"]
    assert daemon.call("index_objects", objects=[*wanted, gone]) == {}
    done = set()
    while len(done) < 5:
        daemon.call("stats")
        done = {d for event in daemon.events if event["event"] == "objects" for d in event["digests"]}
    assert done == {digest for digest, _ in (*wanted, gone)}
    assert daemon.outcomes == []
    assert sorted(daemon.found("signatures", sequence=1)) == ["page.html", "plan.md"]
    assert daemon.found("signatures", sequence=2) == [] == daemon.found("signatures")
    with pytest.raises(OSError):
        daemon.call("search", words=["a"], sequence="then")
    with pytest.raises(OSError):
        daemon.call("index_objects", objects=[b"digest"])
