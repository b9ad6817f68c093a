"""The state folder: layouts of earlier days are brought to today's, and what a later lsfs wrote is left alone."""

import contextlib
import os
import sqlite3

import pytest

from lsfs.history import store
from lsfs.history.store import SCHEMA, State, open_read_only
from lsfs.refusals import StateNewer, StateUnusable


def of_the_first_layout(folder):
    """A state folder as the first lsfs made it, with a file and a saved question."""
    folder.mkdir(mode=0o700)
    database = sqlite3.connect(folder / "history.db", isolation_level=None)
    database.execute("pragma journal_mode = wal")
    database.executescript(
        store.TABLES + "insert into meta values ('sequence', 41); pragma user_version = 1;"
    )
    database.execute(
        "insert into file (parent, name, kind, size, mtime_ns, ctime_ns, ino, mode, uid, gid, suffix, state, dirty, complete, born)"
        " values (x'', cast('a.md' as blob), 'file', 3, 1, 1, 7, 33188, 0, 0, 'md', 'text', 0, 1, 40)"
    )
    database.execute("insert into question (folder, prompt, born) values (x'', 'refunds', 41)")
    database.close()


def tables(database):
    return {name for (name,) in database.execute("select name from sqlite_schema where type = 'table'")}


def test_a_folder_of_the_first_layout_gets_history_and_keeps_what_it_has(tmp_path):
    of_the_first_layout(tmp_path / "state")
    state = State(tmp_path / "state")
    assert state.database.execute("pragma user_version").fetchone() == (SCHEMA,)
    assert {"entry", "content", "object", "chunk", "moment", "snapshot"} <= tables(state.database)
    assert state.database.execute("select name, born from file").fetchall() == [(b"a.md", 40)]
    assert state.database.execute("select prompt from question").fetchall() == [("refunds",)]
    assert state.database.execute("select value from meta where key = 'sequence'").fetchone() == (41,)
    state.close()
    State(tmp_path / "state").close()


def test_a_new_folder_and_a_migrated_one_have_the_same_schema(tmp_path):
    of_the_first_layout(tmp_path / "old")
    schemas = []
    for name in ("old", "new"):
        state = State(tmp_path / name)
        schemas.append(sorted(state.database.execute("select type, name, sql from sqlite_schema")))
        state.close()
    assert schemas[0] == schemas[1]


def test_a_migration_that_was_cut_off_is_done_again(tmp_path):
    of_the_first_layout(tmp_path / "state")
    path = tmp_path / "state/history.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("begin immediate")  # as a kill in its middle leaves it: nothing of it is committed
        database.execute("create table moment (sequence integer)")
        database.execute("rollback")
    state = State(tmp_path / "state")
    assert "entry" in tables(state.database)
    state.close()


def test_what_a_later_lsfs_wrote_is_refused_and_left_alone(tmp_path):
    State(tmp_path / "state").close()
    path = tmp_path / "state/history.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"pragma user_version = {SCHEMA + 1}")
        before = list(database.iterdump())
    with pytest.raises(StateNewer):
        State(tmp_path / "state")
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert list(database.iterdump()) == before
        assert database.execute("pragma user_version").fetchone() == (SCHEMA + 1,)


def test_a_damaged_database_is_refused_with_a_sentence(tmp_path):
    State(tmp_path / "state").close()
    (tmp_path / "state/history.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(StateUnusable, match="Move it away"):
        State(tmp_path / "state")


def test_a_reading_connection_changes_nothing(tmp_path):
    state = State(tmp_path / "st#ate?")
    with contextlib.closing(open_read_only(tmp_path / "st#ate?/history.db")) as reader:
        assert "entry" in tables(reader)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("delete from entry")
    state.close()
    assert os.stat(tmp_path / "st#ate?/history.db").st_mode & 0o077 in (0, 0o044)
