"""Purge, without a mount: what goes, what shares it, and what the rest of history has to say about it."""

import hashlib
import os

import pytest
from history_tree import World
from ledger import DAY, HOUR, Ledger

from lsfs.history import fsck
from lsfs.history.contents import Missing
from lsfs.history.keeping import Retention
from lsfs.history.purge import apply, plan_of, whole
from lsfs.history.purge_proof import Needles, needles, scan
from lsfs.history.purging import Asked, _stored
from syscalls.errors import NotFound, NotPermitted, TryAgain
from syscalls.values import Viewer


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


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


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


def test_contents_whose_rows_retention_took_a_moment_ago_go_with_any_purge(ledger):
    secret, large = os.urandom(700), os.urandom(1 << 20)
    ledger.write("a.md", secret)
    ledger.write("a.md", large)
    ledger.write("a.md", "redacted")
    ledger.write("live.md", "is there")
    ledger.clock += HOUR
    ledger.write("empty.md", "")
    ledger.write("a.md", "redacted twice")
    ledger.remove("a.md")
    ledger.collect(ledger.due(60, 60), grace=DAY)
    assert len(plan_of(ledger.past, b"a.md").rows) < 4
    ledger.database.execute(
        "insert into content (size, digest, captured) select size, digest, captured from content where digest is not null limit 1"
    )  # the one with the highest id has none either
    assert holding(ledger, secret) and holding(ledger, large)
    ledger.database.execute(
        "update file set digest = ? where died is null and name = X'6c6976652e6d64'", (digest(b"is there"),)
    )
    assert {digest(secret), digest(large)} <= ledger.collection.nobodys()
    purge(ledger, b"a.md")
    assert not holding(ledger, secret) and not holding(ledger, large)
    assert ledger.past.whole(ledger.entries.row(b"live.md")) == b"is there"
    assert [found for found in clean(ledger) if found.harm] == []


def test_extended_attributes_go_too_of_folders_and_of_earlier_names(ledger):
    for name in ("a/old.md", "other.md"):
        ledger.write(name, "text of " + name)
    for name in ("a", "a/old.md", "other.md"):
        os.setxattr(ledger.folder / name, "user.secret", b"zanzibar " + name.encode())
        ledger.touched(name)
    ledger.rename("a/old.md", "b.md")
    purge(ledger, b"b.md")
    held = [
        path
        for (path,) in ledger.database.execute(
            "select name from entry where xattrs is not null order by name"
        )
    ]
    assert held == [b"a", b"other.md"]
    assert clean(ledger) == []
    ledger.write("a/new.md", "new")
    purge(ledger, b"a")
    assert [
        path for (path,) in ledger.database.execute("select name from entry where xattrs is not null")
    ] == [b"other.md"]
    assert not any(b"zanzibar a" in path.read_bytes() for path in ledger.path.iterdir() if path.is_file())
    assert clean(ledger) == []


def test_a_short_content_is_looked_for_as_a_whole_and_what_says_too_little_is_unproven(ledger):
    for path, data in (("a.md", "hunter2\n"), ("b.md", "1234\n"), ("c.md", bytes(300)), ("d.md", "")):
        ledger.write(path, data)

    def taken(path):
        plan = plan_of(ledger.past, path)
        return needles(
            ledger.past.contents,
            plan.digests,
            [ledger.folder / os.fsdecode(path)],
            _stored(ledger.past, plan),
        )

    assert taken(b"a.md").pieces == {b"hunter2"} and not taken(b"a.md").untold
    assert not taken(b"b.md").pieces and taken(b"b.md").untold == {digest(b"1234\n")}
    assert not taken(b"d.md").pieces and not taken(b"d.md").untold
    assert holding(ledger, b"hunter2")
    purge(ledger, b"a.md")
    assert not holding(ledger, b"hunter2")


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


# Step by step, without an engine ----------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path):
    (tmp_path / "folder").mkdir()
    with World(tmp_path / "folder") as made:
        yield made


async def purged(world, path: bytes) -> dict:
    """Plan it, and do it, with --live."""
    purging, me = world.history.purging, Viewer(os.geteuid(), os.getegid())
    world.follow._urgent.set()  # the clock stands still: no burst is over of its own accord
    await purging.plan(path, me, live=True, everywhere=False)
    (asked,) = purging._asked.values()
    purging._asked.clear()
    assert isinstance(asked, Asked)
    return await purging._perform(asked)


def test_where_the_engine_is_not_there_history_is_rewritten_first_and_the_second_time_proves_it(world):
    secret = os.urandom(3000)
    world.call(world.write, b"a.bin", secret)
    world.captured()
    world.call(world.take, b"then")
    asked: list[list[bytes]] = []

    async def engine(digests):
        asked.append(digests)
        if len(asked) == 1:
            raise TryAgain("the engine is starting")
        return {}

    world.history.purging.engine = engine
    with pytest.raises(TryAgain, match="history.db was written anew; the index .* may still have it"):
        world.call(purged, world, b"a.bin")
    pieces = Needles()
    pieces.take(secret)
    assert scan([world.settings.state], pieces.pieces).left == []
    done = world.call(purged, world, b"a.bin")
    assert asked[0] == asked[1] == [digest(secret)]
    assert done["proof"]["holds"] is True and done["proof"]["pieces"] == len(pieces.pieces)
    assert world.history.purging._cut == {}


def test_a_file_that_is_locked_while_others_are_unlinked_stays(world):
    world.call(world.mkdir, b"d")
    for name in (b"d/a.bin", b"d/b.bin"):
        world.call(world.write, name, os.urandom(3000))
    world.captured()

    def locked(some):
        if b"d/b.bin" in set(some):
            raise NotPermitted("files/d/b.bin is locked.")

    world.history.purging.locked = locked
    done = world.call(purged, world, b"d")
    assert done["unlinked"] == ["d/a.bin"] and os.listdir(world.folder / "d") == ["b.bin"]


def test_what_retention_let_go_of_a_moment_ago_leaves_the_index_too(world):
    secret = os.urandom(3000)
    world.call(world.write, b"a.bin", secret)
    world.captured()
    world.call(world.write, b"a.bin", b"other words")
    world.captured()
    world.call(world.unlink, b"a.bin")
    world.call(world.write, b"b.bin", b"some other bytes")
    world.captured()
    world.history.keeper.retention = Retention(0.0, 0.0)
    world.call(world.history.keeper.collect)
    assert [row.path for row in world.past.at_or_below(b"", 1)] == []
    asked: list[bytes] = []

    async def engine(digests):
        asked.extend(digests)
        return {}

    world.history.purging.engine = engine
    pieces = Needles()
    pieces.take(secret)
    assert scan([world.settings.state], pieces.pieces).left
    done = world.call(purged, world, b"b.bin")
    assert done["proof"]["holds"] and digest(secret) in asked
    assert scan([world.settings.state], pieces.pieces).left == []
