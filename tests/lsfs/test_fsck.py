"""fsck: each corruption is found, what can be repaired is, and then nothing is left. A store that nobody damaged is clean."""

import contextlib
import json
import os
import pathlib
import sqlite3
import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger import Ledger, random_history

from lsfs.engine.document import Cut
from lsfs.history import fsck
from lsfs.history.entries import Extra
from lsfs.history.held import Secured
from lsfs.index import segments
from lsfs.index.lexicon import Lexicon
from lsfs.index.source import PATHS
from lsfs.index.store import Store as Words
from lsfs.index.tail import Stems
from lsfs.refusals import StateHeld, StateUnusable


class Case:
    """A closed store, and what fsck says of it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.folder, self.state = ledger, ledger.folder, ledger.path

    def run(self, **how) -> list[fsck.Finding]:
        with fsck.opened(self.folder, self.state, **how) as store:
            return list(fsck.run(store))

    def harm(self, **how) -> list[fsck.Finding]:
        return [finding for finding in self.run(**how) if finding.harm]

    @contextlib.contextmanager
    def database(self):
        database = sqlite3.connect(self.state / "history.db", isolation_level=None)
        yield database
        database.close()

    def sql(self, text: str, *values) -> None:
        with self.database() as database:
            database.execute(text, values)

    def one(self, text: str, *values):
        with self.database() as database:
            return database.execute(text, values).fetchone()[0]

    def mended(
        self, check: str, word: str = "", *, data: bool = False, left: bool = False
    ) -> list[fsck.Finding]:
        """It is found, it is repaired, and then there is nothing to be found."""
        found = self.harm(data=data)
        assert [one for one in found if one.check == check and word in one.wrong], found
        repaired = self.harm(repair=True, data=data)
        assert repaired and all(one.repaired for one in repaired), repaired
        assert not self.harm(data=True), self.harm(data=True)
        return found


def history(ledger: Ledger) -> None:
    ledger.write("docs/plan.md", "one")
    ledger.write("docs/plan.md", "two two")
    ledger.write("big.bin", os.urandom(1 << 20))
    ledger.snapshot("first")
    ledger.write("big.bin", "small now")
    ledger.rename("docs/plan.md", "docs/renamed.md")
    ledger.write("other.md", "other")
    ledger.remove("other.md")
    ledger.write("last.md", "last", capture=False)


@pytest.fixture
def case(tmp_path):
    ledger = Ledger(tmp_path, durable=True)
    history(ledger)
    ledger.end()
    return Case(ledger)


def test_a_store_that_nobody_damaged_is_clean(case):
    assert case.run(data=True) == []
    assert case.run(data=True, repair=True) == []


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32), steps=st.integers(5, 50))
def test_whatever_happened_and_was_collected_is_clean(seed, steps):
    with tempfile.TemporaryDirectory() as root:
        ledger = Ledger(pathlib.Path(root))
        random_history(ledger, seed, steps)
        ledger.collect()
        ledger.end()
        assert not Case(ledger).harm(data=True)


def test_reading_changes_nothing(case):
    case.sql("update content set digest = X'00' where digest is not null")
    before = (case.state / "history.db").read_bytes()
    assert case.harm(data=True)
    assert (case.state / "history.db").read_bytes() == before


def test_a_repair_needs_the_lock_and_looking_does_not(case):
    case.ledger.open()
    try:
        with pytest.raises(StateHeld, match="Unmount it first"):
            case.run(repair=True)
        with fsck.opened(case.folder, case.state) as store:
            assert store.mounted and list(fsck.run(store)) == []
    finally:
        case.ledger.close()
    with fsck.opened(case.folder, case.state) as store:
        assert not store.mounted


def test_a_folder_without_a_store_is_refused(tmp_path):
    with pytest.raises(StateUnusable, match="no state folder"), fsck.opened(tmp_path, tmp_path):
        pass


# The database ---------------------------------------------------------------------------------------------------------


def test_an_index_that_lacks_rows_is_made_anew(case):
    with case.database() as database:
        database.execute("pragma writable_schema = on")
        hidden = database.execute("select * from sqlite_master where name = 'entry_content'").fetchone()
        database.execute("delete from sqlite_master where name = 'entry_content'")
    case.sql("update entry set content = 1 where content = 2")
    with case.database() as database:
        database.execute("pragma writable_schema = on")
        database.execute("insert into sqlite_master values (?, ?, ?, ?, ?)", hidden)
    found = case.harm()
    assert any(finding.check == "database" and "entry_content" in finding.wrong for finding in found)
    case.run(repair=True)
    assert not [finding for finding in case.harm() if finding.check == "database"]


def test_a_database_that_is_none_is_said_to_be_lost(case):
    with open(case.state / "history.db", "r+b") as stream:
        stream.seek(4096 * 3)
        stream.write(os.urandom(4096 * 20))
    try:
        found = case.run()
    except StateUnusable:
        return
    assert found[-1].left and "copy" in found[-1].can


def test_a_path_without_its_words_gets_them_again(case):
    case.sql(
        "delete from path_words where rowid = (select id from file where name = 'last.md' or name = X'6c6173742e6d64')"
    )
    case.mended("words", "path_words lacks it")


def test_words_of_paths_that_are_not_there_go(case):
    case.sql("insert into dead_path_words (rowid, words) values (4711, 'ghost')")
    case.mended("words", "are not there")


def test_words_that_do_not_agree_with_themselves_are_made_anew(case):
    case.sql("update dead_path_words_content set c0 = 'something else'")
    assert any("does not agree" in finding.wrong for finding in case.run(repair=True))
    assert not case.run(repair=True)


# Rows -----------------------------------------------------------------------------------------------------------------


def test_a_sequence_that_was_set_back_counts_on(case):
    case.sql("update meta set value = 2 where key = 'sequence'")
    case.mended("sequence", "rows of")


def test_a_content_that_is_not_there_is_lost_unless_the_file_has_it(case):
    cell = case.one("select content from entry where died is null and name = X'6c6173742e6d64'")
    case.sql("delete from content where id = ?", cell)
    case.mended("relations", f"has the content {cell}")
    case.ledger.open()
    assert case.ledger.tree(case.ledger.catalogue.sequence)[b"last.md"][-1] == b"last"
    case.ledger.close()


def test_a_file_with_bytes_and_no_content_is_found(case):
    case.sql("update entry set content = null where name = X'6f746865722e6d64'")
    case.mended("relations", "has no content")


def test_a_source_that_is_not_there_is_forgotten(case):
    case.sql("update entry set source = 4711 where id = (select max(id) from entry)")
    case.mended("relations", "renamed from the row 4711")


def test_a_row_that_died_before_it_was_born_goes(case):
    case.sql("update entry set died = born - 1 where name = X'6f746865722e6d64'")
    case.mended("intervals", "and died at")


def test_two_rows_at_one_time_become_one_after_the_other(case):
    case.sql("update entry set died = died + 3 where id = (select min(id) from entry where died is not null)")
    case.mended("intervals", "at one time")


def test_two_live_rows_become_one(case):
    with case.database() as database:
        database.execute("drop index entry_live")
        database.execute(
            "insert into entry (parent, name, mode, uid, gid, size, mtime_ns, ctime_ns, ino, indexed, born)"
            " select parent, name, mode, uid, gid, 0, mtime_ns, ctime_ns, ino, indexed, born + 1 from entry"
            " where died is null and name = X'6c6173742e6d64'"
        )
        database.execute("update meta set value = value + 1 where key = 'sequence'")
    case.mended("intervals", "two rows are live")
    assert case.one("select count(*) from entry where died is null and name = X'6c6173742e6d64'") == 1


def test_what_was_removed_is_found_by_its_name_again(case):
    case.sql("delete from dead_path")
    case.sql("delete from dead_path_words")
    case.mended("paths", "not found by its name")


# Contents -------------------------------------------------------------------------------------------------------------


def digest_of(case, text: bytes) -> bytes:
    return case.one("select digest from object where size = ? and encoding != 'chunks'", len(text))


def test_a_content_whose_object_is_missing_is_lost(case):
    case.sql("delete from object where size = 3")
    case.mended("objects", "is missing")


def test_an_object_of_another_size_is_found(case):
    case.sql("update object set size = 4 where size = 3")
    case.mended("objects", "has 4 bytes")


def test_an_object_that_no_content_can_be_is_found(case):
    case.sql("update object set encoding = 'rot13' where size = 3")
    case.mended("objects", "no content is")


def test_a_damaged_object_is_found_by_reading_it(case):
    case.sql("update object set data = X'616263' where size = 3")
    assert not [finding for finding in case.harm() if finding.check == "data"]
    case.mended("data", "damaged", data=True)


def test_a_damaged_content_that_the_file_still_has_is_the_file_again(case):
    case.sql("update object set data = X'0000' where size = 7")
    case.mended("data", data=True)
    case.ledger.open()
    assert case.ledger.tree(case.ledger.catalogue.sequence)[b"docs/renamed.md"][-1] == b"two two"
    case.ledger.close()


def test_a_missing_chunk_is_found(case):
    case.sql("delete from chunk where id = (select min(id) from chunk)")
    case.mended("chunks", "are missing")


def test_a_chunk_of_another_size_is_found(case):
    case.sql("update chunk set size = size + 1 where id = (select min(id) from chunk)")
    case.mended("chunks", "do not make up")


def test_a_damaged_pack_is_found_by_reading_it(case):
    (pack,) = (case.state / "packs").iterdir()
    data = bytearray(pack.read_bytes())
    data[5000] ^= 1
    pack.write_bytes(data)
    assert not case.harm()
    case.mended("data", data=True)
    assert not list((case.state / "packs").iterdir())


def test_a_missing_pack_is_found(case):
    (pack,) = (case.state / "packs").iterdir()
    pack.unlink()
    case.mended("packs", "missing")


def test_a_pack_that_was_cut_off_is_found(case):
    (pack,) = (case.state / "packs").iterdir()
    os.truncate(pack, 1000)
    case.mended("packs", "behind the end")


def test_chunks_that_lie_over_each_other_are_found(case):
    case.sql("update chunk set offset = 10 where offset = (select max(offset) from chunk)")
    case.mended("packs", "over another")


def test_a_pack_that_a_kill_left_is_no_fault_and_goes(case):
    (case.state / "packs" / ("0" * 32)).write_bytes(b"left")
    (found,) = case.run()
    assert not found.harm and "a kill left it" in found.wrong
    case.run(repair=True)
    assert case.run() == []


def test_a_content_that_no_version_has_is_no_fault_and_goes(case):
    case.sql("insert into content (size) values (1)")
    case.sql("insert into content (size) values (1)")
    (found,) = case.run()
    assert not found.harm and found.check == "cells"
    case.run(repair=True)
    assert case.run() == []


def test_an_object_that_no_content_names_goes(case):
    case.sql("insert into object (digest, size, encoding, data) values (zeroblob(32), 1, 'raw', X'00')")
    case.mended("orphans", "no version's content")


def test_a_chunk_that_no_content_lists_goes(case):
    case.sql(
        "insert into chunk (digest, size, pack, offset, length, encoding)"
        " select zeroblob(32), 1, pack, max(offset + length) - 1, 0, 'raw' from chunk"
    )
    found = case.harm()
    assert any("part of no content" in finding.wrong for finding in found)
    case.run(repair=True)
    assert case.one("select count(*) from chunk where digest = zeroblob(32)") == 0


# The chain ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "update entry set mtime_ns = mtime_ns + 1 where id = 2",
        "update entry set mode = mode | 7 where id = 2",
        "update entry set name = X'7a' where id = 2",
        "update content set size = size + 1, digest = zeroblob(32) where id = 1",
        "delete from entry where died is not null and id = (select max(id) from entry where died is not null)",
        "update moment set at = at - 100 where sequence = (select min(sequence) from moment)",
        "update moment set sum = zeroblob(32) where sequence = (select max(sequence) from moment)",
        "delete from moment where sequence = (select sequence from moment order by sequence limit 1 offset 2)",
        "delete from moment where sequence = (select max(sequence) from moment)",
    ],
)
def test_tampering_shows_and_is_never_forgotten(case, change):
    case.sql(change)
    found = case.harm()
    assert any(finding.check in ("chain", "moments") for finding in found), found
    case.run(repair=True, data=True)
    case.run(repair=True, data=True)
    after = case.run(data=True)
    assert not [finding for finding in after if finding.harm]
    assert any("a repair accepted it" in finding.wrong for finding in after)


def test_a_sum_and_its_link_that_are_both_wrong_are_repaired_at_once(case):
    case.sql("update moment set sum = zeroblob(32) where sequence = (select max(sequence) from moment) - 1")
    found = case.mended("chain", "what it did")
    assert [one for one in found if "does not hang" in one.wrong]


def test_moments_whose_rows_were_collected_prove_nothing_and_harm_nothing(case):
    case.ledger.open()
    case.ledger.clock += 800 * 86400
    case.ledger.write("new.md", "x")
    case.ledger.collect()
    case.ledger.close()
    assert case.one("select count(*) from moment where pruned & 1")
    assert not case.harm(data=True)
    case.sql("update moment set sum = zeroblob(32) where pruned & 1 = 1")
    assert any(finding.check == "chain" for finding in case.harm())


def test_a_snapshot_of_what_has_not_come_yet_is_found(case):
    case.sql("update snapshot set sequence = 4711")
    case.mended("snapshots", "4711")


# What a kill left -----------------------------------------------------------------------------------------------------


def secured(case, number: int) -> Secured:
    found = os.lstat(case.folder / "last.md")
    return Secured(number, b"last.md", found, Extra(None, None), b"last", None, 1.0)


def test_a_journal_that_is_not_committed_is_left_to_the_mount(case):
    case.ledger.held.write(secured(case, 99), True)
    (found,) = case.run()
    assert not found.harm and "not committed yet (last.md)" in found.wrong
    assert [finding.repaired for finding in case.run(repair=True)] == [None]
    assert (case.folder / ".lsfs/held/journal").exists()


def test_a_journal_that_is_committed_goes(case):
    case.ledger.held.write(secured(case, 99), True)
    case.ledger.held.close()
    case.sql("update meta set value = 99 where key = 'journal'")
    assert [finding.harm for finding in case.run(repair=True)] == [False]
    assert case.run() == []


def test_a_held_file_that_nobody_names_goes(case):
    (case.folder / ".lsfs/held").mkdir(parents=True)
    (case.folder / ".lsfs/held/123").write_text("left")
    assert [finding.harm for finding in case.run()] == [False]
    case.run(repair=True)
    assert case.run() == []


def test_a_content_that_should_be_held_and_is_not_is_lost(case):
    case.sql("update content set held = '123' where digest is null")
    case.mended("held", "held/123")


def test_a_rollback_that_was_cut_off_is_left_to_the_mount(case):
    case.sql("insert into redo (kind, path, step) values ('begin', X'', X'')")
    (found,) = case.run()
    assert not found.harm and "rollback" in found.wrong


# The index ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def indexed(case):
    (case.state / "index").mkdir()
    words = Words(case.state / "index", str(case.state / "history.db"), "none:words")
    digest = case.one("select digest from content where digest is not null and size = 7")
    with words.writing():
        words.add(digest, "text", [Cut(1, 1, "", "two two")], False, False)
    words.close()
    assert case.run() == []
    return case


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("delete from content", "have no content"),
        ("insert into passage values (4711 << 20, 1, 1, null, '', 'x')", "have no content"),
        ("insert into passage select id + 1, 1, 1, null, '', 'x' from passage", "not found by their words"),
        ("update content set passages = 5", "have not the passages"),
    ],
)
def test_an_index_that_does_not_agree_is_removed(indexed, change, word):
    with contextlib.closing(sqlite3.connect(indexed.state / "index/words.db", isolation_level=None)) as words:
        words.execute(change)
    indexed.mended("passages", word)
    assert not (indexed.state / "index/words.db").exists()


def test_segments_of_wrong_words_go_with_the_repair(indexed, monkeypatch):
    monkeypatch.setattr(segments, "LEAST", 1)
    monkeypatch.setattr(segments, "SMALL", 1)
    indexed.sql("update path_words_content set c0 = 'zebra' where c0 like '%last%'")
    segments.tend(indexed.state / "index", str(indexed.state / "history.db"))
    assert paths_with(indexed, "zebra") == 1

    assert any("does not agree" in finding.wrong for finding in indexed.run(repair=True))
    assert paths_with(indexed, "zebra") in (0, None)
    assert (indexed.state / "index/words.segments").exists(), "those of the passages' words are right"

    segments.tend(indexed.state / "index", str(indexed.state / "history.db"))
    assert (paths_with(indexed, "zebra"), paths_with(indexed, "last")) == (0, 1)


def paths_with(case, word):
    """How many live paths have a word, as the segments say; None where they are not asked."""
    with contextlib.closing(segments.connect(case.state / "index", str(case.state / "history.db"))) as db:
        stems = Stems()
        asked = Lexicon(db, case.state / "index", PATHS, stems)
        db.execute("begin")
        found = asked.count(word) if asked.refresh() else None
        asked.close()
        stems.close()
        return found


def test_an_index_that_is_no_database_is_removed(indexed):
    (indexed.state / "index/words.db").write_bytes(b"no database" * 1000)
    indexed.mended("passages", "cannot be read")


def test_contents_of_the_index_that_nobody_has_are_no_fault(indexed):
    with contextlib.closing(sqlite3.connect(indexed.state / "index/words.db", isolation_level=None)) as words:
        words.execute("update content set digest = zeroblob(32)")
    (found,) = indexed.run()
    assert not found.harm and "no file's" in found.wrong


def test_vectors_that_are_none_are_put_aside(case):
    with contextlib.closing(sqlite3.connect(case.state / "vectors.db", isolation_level=None)) as vectors:
        vectors.execute(
            "create table vector (model text, key blob, value blob, primary key (model, key)) without rowid"
        )
        vectors.execute("insert into vector values ('m', X'01', X'010203')")
    case.mended("vectors", "are none")
    assert (case.state / "vectors.db.broken").exists()


def test_vectors_that_no_passage_has_are_no_fault(indexed):
    with contextlib.closing(sqlite3.connect(indexed.state / "vectors.db", isolation_level=None)) as vectors:
        vectors.execute(
            "create table vector (model text, key blob, value blob, primary key (model, key)) without rowid"
        )
        vectors.execute("insert into vector values ('m', X'01', X'01020304')")
    (found,) = indexed.run()
    assert not found.harm and "no passage's" in found.wrong


def test_a_lance_table_that_does_not_agree_is_removed(indexed):
    import numpy as np

    from lsfs.index.lance import Table

    folder = indexed.state / "index/lance/0011223344556677"
    table = Table(folder, 4)
    table.add([4711], [1], [bytes(16)], np.ones((1, 4)))
    folder.with_suffix(".clean").touch()
    indexed.mended("lance", "1 rows are no passage's")
    assert not folder.exists() and not folder.with_suffix(".clean").exists()


# The folder, and the findings -----------------------------------------------------------------------------------------


def test_what_changed_in_the_folder_is_said_and_is_no_fault(case):
    (case.folder / "new.md").write_text("new")
    (case.folder / "last.md").write_text("longer than it was")
    (case.folder / "docs/renamed.md").unlink()
    found = {finding.thing: finding.wrong for finding in case.run()}
    assert found.keys() >= {"new.md", "last.md", "docs/renamed.md"} and not case.harm()


def test_a_finding_says_what_is_wrong_and_what_can_be_done_in_one_line(case):
    case.sql("update snapshot set sequence = 4711")
    (found,) = case.run()
    assert str(found).count(": ") == 2 and str(found).startswith(
        "snapshots/first: is a name for the sequence 4711"
    )
    assert json.loads(json.dumps(found._asdict()))["check"] == "snapshots"
    (repaired,) = case.run(repair=True)
    assert str(repaired).endswith(": repaired")
