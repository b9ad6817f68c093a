"""Purge, without a mount: what goes, what shares it, and what the rest of history has to say about it."""

import os

import pytest
from ledger import DAY, Ledger

from lsfs.history import fsck
from lsfs.history.contents import Missing
from lsfs.history.purge import apply, plan_of, whole
from lsfs.history.purge_proof import Needles, scan
from syscalls.errors import NotFound


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path, durable=True)
    yield made
    made.end()


def purge(ledger: Ledger, path: bytes, everywhere: bool = False):
    plan = plan_of(ledger.past, path)
    if everywhere:
        plan = whole(plan)
    ledger.database.execute("pragma secure_delete = on")
    with ledger.catalogue.transaction():
        freed = apply(ledger.database, ledger.objects, plan, ledger.clock, 0)
    ledger.objects.discard(freed.packs)
    ledger.database.execute("vacuum")
    ledger.database.execute("pragma wal_checkpoint(truncate)")
    return plan


def holding(ledger: Ledger, data: bytes) -> list[str]:
    needles = Needles()
    needles.take(data)
    return scan([ledger.path], needles.pieces).left


def clean(ledger: Ledger) -> list[fsck.Finding]:
    with fsck.opened(ledger.folder, ledger.path, data=True) as store:
        return list(fsck.run(store))


def test_every_version_under_every_name_goes_and_the_rows_stay(ledger):
    first, second = os.urandom(2000), os.urandom(3000)
    ledger.write("a/one.bin", first)
    ledger.snapshot("s")
    ledger.rename("a/one.bin", "a/two.bin")
    ledger.write("a/two.bin", second)
    ledger.write("other.md", "other")
    assert holding(ledger, first)
    plan = purge(ledger, b"a/two.bin")
    assert len(plan.rows) == 3 and len(plan.digests) == 2 and not plan.shared
    assert not holding(ledger, first) and not holding(ledger, second)
    for row in plan.rows:
        with pytest.raises(Missing, match="was purged"):
            ledger.past.open(ledger.past.by_id(row.id))
    assert {path for (path,) in ledger.database.execute("select path from tombstone")} == {b"a/two.bin"}
    assert ledger.past.whole(ledger.entries.row(b"other.md")) == b"other"
    assert clean(ledger) == []


def test_the_chain_holds_and_says_which_sums_prove_nothing(ledger):
    ledger.write("a.md", "secret")
    ledger.write("b.md", "public")
    born = ledger.entries.row(b"a.md").born
    purge(ledger, b"a.md")
    assert (
        ledger.database.execute("select pruned & 1 from moment where sequence = ?", (born,)).fetchone()[0]
        == 1
    )
    assert clean(ledger) == []


def test_a_content_that_another_path_has_is_shared_and_goes_only_with_it(ledger):
    data = os.urandom(1000)
    ledger.write("a.bin", data)
    ledger.write("copy.bin", data)
    plan = plan_of(ledger.past, b"a.bin")
    assert [row.path for row in plan.shared] == [b"copy.bin"]
    purge(ledger, b"a.bin", everywhere=True)
    assert not holding(ledger, data)
    assert ledger.entries.row(b"copy.bin").content == 0
    assert clean(ledger) == []


def test_a_copy_that_only_the_index_knows_is_shared_too(ledger):
    ledger.write("a.md", "the same words")
    ledger.write("copy.md", "the same words", capture=False)
    digest = ledger.entries.digest(ledger.entries.row(b"a.md").content)
    ledger.database.execute("update file set digest = ?, state = 'text'", (digest,))
    assert [row.path for row in plan_of(ledger.past, b"a.md").shared] == [b"copy.md"]


def test_a_live_file_that_was_purged_is_no_version_until_it_changes(ledger):
    ledger.write("a.md", "secret words")
    purge(ledger, b"a.md")
    ledger.scan()
    assert ledger.entries.row(b"a.md").content == 0
    assert ledger.past.kept(b"a.md")[3]  # so the guard copies nothing
    assert ledger.entries.waiting(0, 1 << 40, 10, everything=True) == []
    os.chmod(ledger.folder / "a.md", 0o600)
    with ledger.catalogue.transaction():
        ledger.catalogue.touched(b"a.md")
    assert ledger.entries.row(b"a.md").content == 0
    ledger.write("a.md", "new words")
    assert ledger.tree(ledger.catalogue.sequence)[b"a.md"][-1] == b"new words"


def test_the_live_file_of_a_purged_content_is_found_by_its_name_alone(ledger):
    ledger.write("a.md", "secret words")
    ledger.database.execute("update file set digest = X'01', state = 'text', type = 'md'")
    purge(ledger, b"a.md")
    row = ledger.catalogue.row(b"a.md")
    assert (row["digest"], row["state"], row["dirty"], row["complete"]) == (None, "other", 0, 1)


def test_a_folder_goes_with_all_that_ever_was_in_it(ledger):
    kept = os.urandom(600)
    ledger.write("a/b/one.bin", os.urandom(500))
    ledger.write("a/two.bin", os.urandom(500))
    ledger.remove("a/two.bin")
    ledger.write("ab.bin", kept)
    plan = purge(ledger, b"a")
    assert {row.path for row in plan.rows} == {b"a/b/one.bin", b"a/two.bin"}
    assert ledger.past.whole(ledger.entries.row(b"ab.bin")) == kept
    assert clean(ledger) == []


def test_the_pieces_of_a_large_content_are_zeros_afterwards(ledger):
    data = os.urandom(2 << 20)
    ledger.write("a.bin", data)
    ledger.write("b.bin", data[: 1 << 20] + os.urandom(1 << 20))
    (pack, *_) = sorted(ledger.objects.packs.iterdir(), key=lambda path: path.stat().st_ctime_ns)
    purge(ledger, b"a.bin")
    own = Needles()
    own.take(data[(1 << 20) + (256 << 10) :])  # what the other has of it stays, and is its own
    assert scan([ledger.path], own.pieces).left == [] and pack.exists()
    assert ledger.past.whole(ledger.entries.row(b"b.bin"))[: 1 << 20] == data[: 1 << 20]
    assert clean(ledger) == []


def test_a_purge_that_was_cut_off_can_be_asked_for_again(ledger):
    ledger.write("a.md", "secret words")
    first = purge(ledger, b"a.md")
    again = plan_of(ledger.past, b"a.md")
    assert again.digests == first.digests and not again.cells


def test_what_never_was_is_not_found(ledger):
    with pytest.raises(NotFound, match="never was"):
        plan_of(ledger.past, b"nothing.md")


def test_retention_goes_on_after_a_purge(ledger):
    ledger.write("a.md", "secret")
    ledger.write("a.md", "secret two")
    ledger.write("b.md", "public")
    purge(ledger, b"a.md")
    ledger.clock += 400 * DAY
    ledger.write("c.md", "x")
    ledger.collect()
    assert ledger.past.whole(ledger.entries.row(b"b.md")) == b"public"
    assert clean(ledger) == []


def test_pieces_that_say_nothing_prove_nothing_and_are_not_taken():
    needles = Needles()
    needles.read(bytes(10_000))
    needles.read(b"aaaa" * 1000)
    assert not needles.pieces and not needles.phrases
    needles.read(b"Quixotic wombats juggle fourteen crystal teapots every evening.")
    assert needles.pieces and needles.phrases[0].startswith("Quixotic wombats")


def test_a_piece_on_the_border_of_two_blocks_is_found(tmp_path, monkeypatch):
    from lsfs.history import purge_proof

    monkeypatch.setattr(purge_proof, "BLOCK", 100)
    (tmp_path / "file").write_bytes(bytes(90) + b"needle in a haystack" + bytes(90))
    assert scan([tmp_path], {b"needle in a haystack"}).left == ["file"]
    assert scan([tmp_path], {b"another needle"}).left == []
