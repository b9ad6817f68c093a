"""objects: what was kept comes back as it was, or a sentence says why not; what is the same is kept once; nothing half is left."""

import contextlib
import errno
import os
import random
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsfs.history import contents, objects, packs
from lsfs.history.chunks import MAX
from lsfs.history.contents import Contents, Corrupt, Missing
from lsfs.history.objects import LARGE, Objects
from lsfs.history.packs import Packed, Stopped, Torn

MIB = 1 << 20


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def prose(seed: int, size: int) -> bytes:
    words = [noise(n, 4 + n % 5).hex()[: 3 + n % 7] for n in range(2000)]
    chosen = random.Random(seed).choices(words, k=size // 4)
    return " ".join(chosen).encode()[:size]


class Store:
    """A state folder with nothing but contents."""

    def __init__(self, state: Path) -> None:
        self.state = state
        state.mkdir()
        self.database = sqlite3.connect(state / "history.db", isolation_level=None)
        self.database.execute("pragma journal_mode = wal")
        self.database.executescript(objects.TABLES)
        self.objects = Objects(self.database, state)
        self.reader = sqlite3.connect(f"file:{state}/history.db?mode=ro", uri=True, check_same_thread=False)
        self.contents = Contents(self.reader, state)

    def close(self) -> None:
        self.reader.close()
        self.database.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.database.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.database.execute("rollback")
            raise
        self.database.execute("commit")

    def file(self, data: bytes) -> Path:
        path = self.state.with_name("file")
        path.write_bytes(data)
        return path

    def pack(
        self,
        path: Path,
        known: Callable | None = None,
        stop: Callable[[], bool] = bool,
        size: int | None = None,
    ) -> Packed:
        fd = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(fd).st_size if size is None else size
            return packs.pack(fd, size, self.state, known or self.contents.known_chunks, stop)
        finally:
            os.close(fd)

    def keep(self, data: bytes) -> bytes:
        """Keep a content, as the capture does; returns its digest."""
        if len(data) <= LARGE:
            prepared = objects.prepare(data)
            with self.transaction():
                self.objects.put(prepared)
            return prepared.digest
        packed = self.pack(self.file(data))
        with self.transaction():
            packs = self.objects.put_packed(packed)
        self.objects.discard(packs)
        return packed.digest

    def remove(self, *digests: bytes) -> None:
        with self.transaction():
            packs = self.objects.remove(digests)
        self.objects.discard(packs)

    def packs(self) -> list[Path]:
        return sorted((self.state / "packs").iterdir())

    def room(self) -> int:
        """Bytes that the packs take of the disk."""
        return sum(path.stat().st_blocks * 512 for path in self.packs())

    def count(self, table: str) -> int:
        return self.database.execute(f"select count(*) from {table}").fetchone()[0]

    def fresh(self) -> Contents:
        """A reader that remembers nothing."""
        return Contents(self.reader, self.state)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path / "state")) as store:
        yield store


def anew(factory: pytest.TempPathFactory) -> Store:
    return Store(factory.mktemp("objects") / "state")


# Round trips

CONTENTS = st.one_of(
    st.binary(max_size=200),
    st.builds(noise, st.integers(0, 99), st.integers(0, 3 * MAX)),
    st.builds(prose, st.integers(0, 99), st.integers(0, 3 * MAX)),
    st.builds(
        lambda seed, gap: noise(seed, 5000) + bytes(gap) + noise(seed, 5000),
        st.integers(0, 9),
        st.integers(0, 4 * MAX),
    ),
    st.sampled_from([LARGE - 1, LARGE, LARGE + 1]).map(lambda size: noise(5, size)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CONTENTS, st.lists(st.tuples(st.integers(0, 4 * MAX), st.integers(0, 2 * MAX)), max_size=5))
def test_a_content_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, reads: list[tuple[int, int]]
) -> None:
    with contextlib.closing(anew(tmp_path_factory)) as store:
        digest = store.keep(data)
        assert digest == contents.digest_of(data)
        content = store.contents.open(digest)
        assert (content.size, content.bytes()) == (len(data), data)
        for offset, size in reads:
            assert content.read(offset, size) == data[offset : offset + size]
        assert store.contents.verify(digest) is None


def test_what_is_kept_twice_is_kept_once(store: Store) -> None:
    for data in (b"small", noise(1, MIB)):
        assert store.keep(data) == store.keep(data)
    assert (store.count("object"), len(store.packs())) == (2, 1)


def test_only_what_gains_an_eighth_is_compressed() -> None:
    assert objects.prepare(prose(1, 4096)).encoding == "zstd"
    assert objects.prepare(noise(1, 4096)).encoding == "raw"
    assert objects.prepare(b"").encoding == "raw"


def test_a_stranger_reads_a_large_content_with_sqlite_and_zstd(store: Store, tmp_path: Path) -> None:
    data = prose(1, MIB) + noise(1, MIB)
    digest = store.keep(data)
    ((listed, encoding),) = store.database.execute(
        "select data, encoding from object where digest = ?", (digest,)
    )
    assert encoding == "chunks"
    whole = b""
    for at in range(0, len(listed), 32):
        ((pack, offset, length, encoding),) = store.database.execute(
            "select pack, offset, length, encoding from chunk where digest = ?", (listed[at : at + 32],)
        )
        piece = (store.state / "packs" / pack).read_bytes()[offset : offset + length]
        whole += zstandard.decompress(piece) if encoding == "zstd" else piece
    assert whole == data


def test_many_threads_read_one_content(store: Store) -> None:
    data = noise(1, 4 * MIB)
    content = store.contents.open(store.keep(data))
    wrong: list[int] = []

    def read(seed: int) -> None:
        for _ in range(40):
            offset = random.Random(seed).randrange(len(data))
            if content.read(offset, 100_000) != data[offset : offset + 100_000]:
                wrong.append(offset)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_was_read_is_not_kept_for_ever(store: Store) -> None:
    data = noise(1, 20 * MIB)
    assert store.contents.open(store.keep(data)).bytes() == data
    assert sum(map(len, store.contents._decoded.values())) <= 8 * MIB


# Sharing


def test_a_large_file_that_changed_a_little_costs_little(store: Store) -> None:
    data = noise(1, 20 * MIB)
    changed = len(data) // 100
    store.keep(data)
    before = store.room()
    store.keep(data[: 7 * MIB] + noise(2, changed) + data[7 * MIB + changed :])
    assert store.room() - before <= changed + 2 * MAX
    before = store.room()
    store.keep(data[: 3 * MIB] + noise(3, 1000) + data[3 * MIB :])  # all behind it lies elsewhere now
    assert store.room() - before <= 2 * MAX


def test_a_log_that_grew_costs_what_it_grew_by(store: Store) -> None:
    data = noise(1, 8 * MIB)
    store.keep(data)
    before = store.room()
    store.keep(data + noise(2, 10_000))
    assert store.room() - before <= 10_000 + 2 * MAX


def test_a_content_made_of_known_chunks_makes_no_pack(store: Store) -> None:
    data = bytes(MAX) * 8
    store.keep(data)
    again = store.keep(data + bytes(MAX))
    assert len(store.packs()) == 1
    assert store.contents.open(again).size == 9 * MAX


def test_two_captures_of_the_same_bytes_leave_one_of_them(store: Store) -> None:
    path = store.file(noise(1, MIB))
    first, second = store.pack(path), store.pack(path)
    for packed in (first, second):
        with store.transaction():
            packs = store.objects.put_packed(packed)
        store.objects.discard(packs)
    assert [path.name for path in store.packs()] == [first.pack]
    assert store.objects.stray_packs() == []


def test_of_two_captures_that_overlap_the_second_gives_back_what_is_double(store: Store) -> None:
    shared = noise(1, 4 * MIB)
    packed = [store.pack(store.file(shared + noise(seed, MIB))) for seed in (2, 3)]
    for each in packed:
        with store.transaction():
            packs = store.objects.put_packed(each)
        store.objects.discard(packs)
    assert store.room() < 6 * MIB + 3 * MAX
    assert [store.contents.verify(each.digest) for each in packed] == [None, None]


def test_a_sparse_file_costs_what_is_in_it(store: Store) -> None:
    path = store.file(b"head")
    with open(path, "r+b") as file:
        file.seek(700 * MIB)
        file.write(noise(1, 5000))
        file.truncate(1 << 30)
    packed = store.pack(path)
    with store.transaction():
        store.objects.put_packed(packed)
    assert store.room() < 64 << 10
    assert len(packed.chunks) < 400 * 32, "a hole is counted, not cut"
    content = store.contents.open(packed.digest)
    assert content.size == 1 << 30
    assert content.read(0, 8) == b"head" + bytes(4)
    assert content.read(700 * MIB - 4, 5008) == bytes(4) + noise(1, 5000) + bytes(4)
    assert content.read((1 << 30) - 10, 100) == bytes(10)


def test_holes_change_nothing_of_what_is_read(store: Store) -> None:
    path = store.file(noise(1, 2 * MIB))  # up to the edge of a hole
    with open(path, "r+b") as file:
        for at in (7 * MIB, 16 * MIB, 40 * MIB):
            file.seek(at + 17)
            file.write(noise(at, 3000))
    packed = store.pack(path)
    with store.transaction():
        store.objects.put_packed(packed)
    data = path.read_bytes()
    assert packed.digest == contents.digest_of(data)
    assert store.contents.open(packed.digest).bytes() == data


# Removal


def test_removal_keeps_the_chunks_that_others_have(store: Store) -> None:
    data = noise(1, 4 * MIB)
    secret = noise(2, 300_000)
    kept, gone = store.keep(data), store.keep(data[: 2 * MIB] + secret + data[2 * MIB :])
    store.remove(gone)
    assert store.contents.open(kept).bytes() == data
    assert not store.objects.has(gone)
    assert len(store.packs()) == 1, "the second pack held nothing else"


def test_nothing_of_what_was_removed_is_left_in_a_pack_that_lives_on(store: Store) -> None:
    data = noise(1, 20 * MIB)
    first, second = store.keep(data), store.keep(data[10 * MIB : 11 * MIB])
    before = store.room()
    store.remove(first)
    assert store.fresh().verify(second) is None
    left = b"".join(path.read_bytes() for path in store.packs())
    assert [at for at in range(0, 9 * MIB, 64 << 10) if data[at : at + 32] in left] == []
    if before >= 20 * MIB:  # the file system counts, and it makes holes: all but 1 MiB comes back
        assert store.room() <= MIB + 4 * MAX


SHAPES = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=5), min_size=1, max_size=6)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SHAPES, st.data())
def test_whatever_is_removed_the_others_stay_and_nothing_else_does(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[list[int]], draw: st.DataObject
) -> None:
    wanted = {
        contents.digest_of(data): data
        for data in (b"".join(noise(seed, 150_000) for seed in shape) for shape in shapes)
    }
    with contextlib.closing(anew(tmp_path_factory)) as store:
        for data in wanted.values():
            store.keep(data)
        gone = draw.draw(st.sets(st.sampled_from(sorted(wanted))))
        store.remove(*gone)
        for digest, data in wanted.items():
            assert store.objects.has(digest) == (digest not in gone)
            if digest not in gone:
                assert store.fresh().open(digest).bytes() == data
        assert store.objects.stray_packs() == []
        store.remove(*wanted)
        assert (store.count("object"), store.count("chunk"), store.packs()) == (0, 0, [])


def test_a_removal_that_is_rolled_back_removed_nothing(store: Store) -> None:
    data = noise(1, MIB)
    digest = store.keep(data)
    store.database.execute("begin immediate")
    assert store.objects.remove([digest]) == [path.name for path in store.packs()]
    with pytest.raises(AssertionError):
        store.objects.discard([path.name for path in store.packs()])
    store.database.execute("rollback")
    assert store.contents.open(digest).bytes() == data


def test_chunks_removed_while_a_file_was_packed_are_missed_at_once(store: Store) -> None:
    data = noise(1, 2 * MIB)
    digest = store.keep(data)
    packed = store.pack(store.file(data + b"more"))
    store.remove(digest)
    with pytest.raises(Torn), store.transaction():
        store.objects.put_packed(packed)
    store.objects.discard([packed.pack] if packed.pack else [])
    assert (store.count("object"), store.packs()) == (0, [])


def test_room_lost_by_a_kill_before_the_discard_is_found(store: Store) -> None:
    data = noise(1, 4 * MIB)
    gone, kept = store.keep(data), store.keep(data[MIB : 2 * MIB])
    with store.transaction():
        store.objects.remove([gone])
    store.objects.compact()
    assert data[3 * MIB : 3 * MIB + 32] not in store.packs()[0].read_bytes()
    assert store.fresh().verify(kept) is None


# Kills, full disks, files that change


def child(store: Store, code: str) -> subprocess.CompletedProcess[str]:
    """Another process with `state`, `database` and `fd`, a descriptor of a file of 4 MiB."""
    path = store.file(noise(1, 4 * MIB))
    head = f"""
        import os, resource, signal, sqlite3, sys
        from pathlib import Path
        from lsfs.history import contents, objects, packs
        state, path = Path({str(store.state)!r}), {str(path)!r}
        database = sqlite3.connect(state / "history.db", isolation_level=None)
        fd = os.open(path, os.O_RDONLY)
        def pack():
            return packs.pack(fd, os.fstat(fd).st_size, state, lambda d: contents.known_chunks(database, d), bool)
    """
    source = textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)


def test_a_kill_between_pack_and_commit_leaves_a_pack_that_is_found(store: Store) -> None:
    done = child(
        store,
        """
        packed = pack()
        database.execute("begin immediate")
        objects.Objects(database, state).put_packed(packed)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    assert done.returncode == -9
    stray = store.objects.stray_packs()
    assert stray == [path.name for path in store.packs()] != []
    assert (store.count("object"), store.count("chunk")) == (0, 0)
    store.objects.discard(stray)
    assert store.packs() == []


def test_a_full_disk_leaves_nothing_behind(store: Store) -> None:
    done = child(
        store,
        """
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            pack()
        except OSError as error:
            sys.exit(error.errno)
        """,
    )
    assert done.returncode == errno.EFBIG, done.stderr
    assert store.packs() == []


def test_a_larger_file_takes_no_more_memory(store: Store) -> None:
    done = child(
        store,
        """
        def peak():
            pack()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        first = peak()
        with open(path, "ab") as file:
            for _ in range(24):
                file.write(os.urandom(4 << 20))
        print(peak() - first)
        """,
    )
    assert int(done.stdout) < 16 << 10, "KiB"


@pytest.mark.parametrize("restored", [False, True], ids=["", "mtime set back"])
def test_a_file_that_changes_while_it_is_read_is_not_recorded(store: Store, restored: bool) -> None:
    path = store.file(noise(1, 9 * MIB))
    times = path.stat()

    def known(digests: object) -> set[bytes]:
        with open(path, "r+b") as file:
            file.write(b"changed")
        if restored:
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        return set()

    with pytest.raises(Torn):
        store.pack(path, known)
    assert store.packs() == []


def test_a_change_in_the_tick_of_the_last_one_is_seen(store: Store) -> None:
    for turn in range(20):
        path = store.file(noise(turn, 300_000))  # read at once, while the clock stands still

        def known(digests: object, path: Path = path) -> set[bytes]:
            with open(path, "r+b") as file:
                file.write(b"x")
            return set()

        with pytest.raises(Torn):
            store.pack(path, known)


def test_a_file_of_another_size_than_expected_is_not_read(store: Store) -> None:
    path = store.file(noise(1, 300_000))
    with pytest.raises(Torn):
        store.pack(path, size=299_999)


def test_a_file_that_is_cut_short_is_torn(store: Store) -> None:
    path = store.file(noise(1, 9 * MIB))

    def known(digests: object) -> set[bytes]:
        os.truncate(path, 100)
        return set()

    with pytest.raises(Torn):
        store.pack(path, known)
    assert store.packs() == []


def test_a_capture_can_be_stopped_and_leaves_nothing(store: Store) -> None:
    path = store.file(noise(1, 20 * MIB))
    asked: list[int] = []

    def stop() -> bool:
        asked.append(len(store.packs()))
        return len(asked) == 3

    with pytest.raises(Stopped):
        store.pack(path, stop=stop)
    assert (asked, store.packs()) == ([0, 1, 1], [])


def test_an_error_of_the_caller_leaves_nothing(store: Store) -> None:
    asked: list[object] = []

    def known(digests: object) -> set[bytes]:
        asked.append(digests)
        if len(asked) == 2:
            raise sqlite3.OperationalError("disk I/O error")
        return set()

    with pytest.raises(sqlite3.OperationalError):
        store.pack(store.file(noise(1, 9 * MIB)), known)
    assert store.packs() == []


# Damage


def damage(path: Path, offset: int) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.booleans(), st.integers(0, 10_000))
def test_a_wrong_bit_in_a_pack_is_found_and_never_read(
    tmp_path_factory: pytest.TempPathFactory, text: bool, at: int
) -> None:
    with contextlib.closing(anew(tmp_path_factory)) as store:
        digest = store.keep((prose if text else noise)(1, MIB))
        (path,) = store.packs()
        damage(path, at * path.stat().st_size // 10_001)
        with pytest.raises(Corrupt) as raised:
            store.contents.open(digest).bytes()
        assert raised.value.errno == errno.EIO
        assert path.name in str(raised.value)
        assert store.contents.verify(digest) == str(raised.value)


@pytest.mark.parametrize("data", [prose(1, 5000), noise(1, 5000)], ids=["text", "noise"])
def test_a_wrong_byte_in_a_row_is_found(store: Store, data: bytes) -> None:
    digest = store.keep(data)
    for value in (b"", b"x", data[::-1], bytes(100)):
        store.database.execute("update object set data = ?", (value,))
        with pytest.raises(Corrupt):
            store.contents.open(digest)


def test_a_damaged_frame_that_asks_for_all_memory_gets_none(store: Store) -> None:
    digest = store.keep(prose(1, 5000))
    frame = b"\x28\xb5\x2f\xfd\xe0" + (1 << 60).to_bytes(8, "little") + b"\x01\x00\x00"
    store.database.execute("update object set data = ?", (frame,))
    with pytest.raises(Corrupt):
        store.contents.open(digest)


def test_chunks_in_another_order_are_another_content(store: Store) -> None:
    digest = store.keep(noise(1, MIB))
    ((listed,),) = store.database.execute("select data from object")
    store.database.execute("update object set data = ?", (listed[-32:] + listed[32:-32] + listed[:32],))
    assert "damaged" in (store.contents.verify(digest) or "")
    for less in (listed[:-5], listed[:-32], b""):
        store.database.execute("update object set data = ?", (less,))
        assert store.contents.verify(digest)


def test_what_is_not_there_is_said_to_be_missing(store: Store) -> None:
    digest = store.keep(noise(1, MIB))
    with pytest.raises(Missing) as raised:
        store.contents.open(bytes(32))
    assert raised.value.errno == errno.ENODATA
    (path,) = store.packs()
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(Missing, match=path.name):
        store.contents.open(digest).bytes()
    store.database.execute("delete from chunk")
    with pytest.raises(Missing):
        store.contents.open(digest).bytes()
    assert store.contents.verify(digest)


def test_a_pack_that_was_cut_short_is_damaged(store: Store) -> None:
    digest = store.keep(noise(1, MIB))
    os.truncate(store.packs()[0], 100)
    assert "damaged" in (store.contents.verify(digest) or "")


def test_a_database_from_elsewhere_names_no_file_outside(store: Store) -> None:
    digest = store.keep(noise(1, MIB))
    victim = store.file(b"mine")
    store.database.execute("update chunk set pack = '../../file'")
    with pytest.raises(Corrupt):
        store.contents.open(digest).bytes()
    with pytest.raises(Corrupt):
        store.remove(digest)
    assert victim.read_bytes() == b"mine"
