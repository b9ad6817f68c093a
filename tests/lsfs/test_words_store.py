"""store: words.db survives kills, tells corruption from a passing trouble, and holds nobody up."""

import sqlite3
import threading

import pytest

from lsfs.engine.document import Cut
from lsfs.history.store import open_history
from lsfs.index import backlog
from lsfs.index.store import Store


@pytest.fixture
def history(tmp_path):
    database = open_history(tmp_path / "history.db")
    yield database
    database.close()


@pytest.fixture
def make(tmp_path, history):
    made = []

    def make(model="m"):
        made.append(Store(tmp_path / "index", str(tmp_path / "history.db"), model))
        return made[-1]

    yield make
    for store in made:
        store.close()


def cuts(count, text="a text about"):
    return [Cut(n, n, "", f"{text} {n}") for n in range(count)]


def add(store, digest, count, fresh=False):
    with store.writing():
        store.add(digest, "text", cuts(count, digest.decode()), True, fresh)


def live(history, digest, name=b"f"):
    history.execute(
        "insert into file (parent, name, kind, size, mtime_ns, ctime_ns, ino, mode, uid, gid, digest, type, suffix, state, dirty, "
        "complete, born) values (x'', ?, 'file', 1, 0, 0, 0, 0, 0, 0, ?, 'text', '', 'text', 0, 0, 1)",
        (name, digest),
    )


def edit(tmp_path, sql):
    with sqlite3.connect(tmp_path / "index" / "words.db") as db:
        db.executescript(sql)
    db.close()


@pytest.mark.parametrize(
    "harm",
    [
        "delete from meta where key = 'epoch'",
        "delete from meta",
        "drop table meta",
        "pragma user_version = 1",
        "drop table words",
    ],
)
def test_a_half_made_index_is_made_anew(make, tmp_path, harm):
    make().close()
    edit(tmp_path, harm)
    assert make().epoch


def test_the_schema_and_the_epoch_are_one_transaction(make, tmp_path, monkeypatch):
    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("lsfs.index.store._birth", killed)
    with pytest.raises(KeyboardInterrupt):
        make()
    monkeypatch.undo()
    assert make().epoch


def test_lance_goes_where_the_index_is_made_anew(make, tmp_path):
    make().close()
    (tmp_path / "index" / "lance" / "x").mkdir(parents=True)
    make().close()
    assert (tmp_path / "index" / "lance" / "x").exists()
    make("other").close()
    assert not (tmp_path / "index" / "lance").exists()


def test_trouble_that_may_pass_deletes_nothing(make, tmp_path, monkeypatch):
    store = make()
    add(store, b"a", 1)
    epoch = store.epoch
    store.close()
    for code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        error = sqlite3.OperationalError("trouble")
        error.sqlite_errorcode = code

        def trouble(self, model, error=error):
            raise error

        monkeypatch.setattr(Store, "_open", trouble)
        with pytest.raises(sqlite3.OperationalError):
            make()
        monkeypatch.undo()
    assert make().epoch == epoch
    (tmp_path / "index" / "words.db").write_bytes(b"no database at all " * 100)
    assert make().epoch != epoch


def test_a_huge_content_holds_nobody_up_and_is_there_when_it_is_whole(make, monkeypatch):
    monkeypatch.setattr("lsfs.index.store.SLICE", 50_000)
    store = make()
    large = [Cut(n, n, "", f"parseHeader line {n} " + "of the longText " * 60) for n in range(1500)]
    rows, seen = [], set()

    def watch(statement):  # how many passages each transaction writes: nobody else comes in before its end
        if statement.lower().startswith("begin"):
            rows.append(0)
        rows[-1] += statement.startswith("insert into passage")

    store.db.set_trace_callback(watch)
    worker = threading.Thread(target=store.add_large, args=(b"large", "text", large, True, False))
    worker.start()
    while worker.is_alive():
        seen.add((store.known(b"large"), store.glance.counts()["contents"]))
        worker.join(0.001)
    store.db.set_trace_callback(None)
    assert sum(rows) == 1500 and max(rows) <= 50_000 / min(len(cut.text) for cut in large)
    assert (None, 0) in seen and seen <= {(None, 0), (None, 1), (False, 1)}
    assert store.glance.counts() == {"contents": 1, "passages": 1500, "embedded": 0, "waiting": 1500}
    found = store.db.execute("select count(*) from words where words match 'header'").fetchone()
    assert found == (1500,)


def test_the_numbers_come_while_somebody_writes(make):
    store = make()
    add(store, b"a", 2)
    with store.writing(), store.glance.lock:
        answer = []
        asking = threading.Thread(
            target=lambda: answer.extend((store.glance.counts(), store.glance.unbegun()))
        )
        asking.start()
        asking.join(5)
        assert len(answer) == 2


def test_a_content_is_begun_when_its_first_passage_has_a_vector(make):
    store = make()
    assert store.glance.unbegun() == 0
    add(store, b"a", 12)
    add(store, b"b", 12, fresh=True)
    assert store.glance.unbegun() == 2
    store.backlog.mark([1 << 20 | 1, 2 << 20 | 1])
    assert store.glance.unbegun() == 2
    store.backlog.mark([1 << 20])
    assert store.glance.unbegun() == 1
    store.backlog.mark([2 << 20])
    assert store.glance.unbegun() == 0


def test_what_a_kill_left_of_a_huge_content_is_swept_away(make, monkeypatch):
    monkeypatch.setattr("lsfs.index.store.SLICE", 100)
    store = make()
    writing, calls = store._write, []

    def killed(content, rows):
        calls.append(rows)
        if len(calls) == 3:
            raise KeyboardInterrupt
        writing(content, rows)

    monkeypatch.setattr(store, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        store.add_large(b"large", "text", cuts(100), True, False)
    store.close()
    again = make()
    assert again.db.execute("select count(*) > 0 from passage").fetchone() == (1,)
    again.sweep()
    assert again.db.execute(
        "select (select count(*) from passage), (select count(*) from partial)"
    ).fetchone() == (0, 0)
    assert again.db.execute("select count(*) from words where words match 'text'").fetchone() == (0,)
    again.add_large(b"large", "text", cuts(100), True, False)
    assert again.known(b"large") is False


def test_a_big_file_holds_up_no_small_one(make):
    store = make()
    add(store, b"backlog", 20)
    add(store, b"big", 20, fresh=True)
    add(store, b"small", 3, fresh=True)
    order = [w.text.split()[0] for w in store.backlog.waiting(100)]
    assert order == ["big"] * 8 + ["small"] * 3 + ["backlog"] + ["big"] * 12 + ["backlog"] * 19
    store.backlog.hurry(b"backlog", True)
    assert [w.text.split()[0] for w in store.backlog.waiting(8)] == ["backlog"] * 8


def test_what_no_live_file_has_sleeps_until_one_has_it_again(make, history, monkeypatch):
    monkeypatch.setattr(backlog, "YOUNG", -1.0)
    store = make()
    add(store, b"dead", 3)
    add(store, b"live", 2)
    live(history, b"live")
    assert {w.text.split()[0] for w in store.backlog.waiting(100)} == {"live"}
    assert store.glance.counts() == {"contents": 2, "passages": 5, "embedded": 0, "waiting": 2}
    assert store.backlog.wake() == (False, True)
    live(history, b"dead", b"g")
    assert store.backlog.wake() == (True, False)
    assert len(store.backlog.waiting(100)) == 5
    history.execute("update file set died = 2 where digest = ?", (b"dead",))
    assert len(store.backlog.waiting(100)) == 2
    monkeypatch.setattr(backlog, "YOUNG", 60.0)
    store.backlog.hurry(b"dead", False)  # asked for again, not yet in the catalogue
    assert len(store.backlog.waiting(100)) == 5


def test_a_refused_passage_waits_no_more_and_is_found_by_its_words(make):
    store = make()
    add(store, b"odd", 2)
    first, second = (w.passage for w in store.backlog.waiting(9))
    assert store.backlog.refuse([first]) == []
    assert store.backlog.mark([second]) == [b"odd"]
    assert store.glance.counts() == {"contents": 1, "passages": 2, "embedded": 1, "waiting": 0}
    assert store.backlog.vectored()[0][0] == second
