"""chunks: the same bytes are cut in the same places, however they come, and a change moves few cuts."""

import random
import subprocess
import sys
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lsfs.history.chunks import MAX, MIN, THRESHOLD, Chunker, cuts, gear

MIB = 1 << 20


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def fed(data: bytes, sizes: list[int]) -> list[bytes]:
    """The pieces of `data` when it is fed in pieces of these sizes, over and over."""
    chunker, pieces, start, turn = Chunker(), list[bytes](), 0, 0
    while start < len(data):
        size = sizes[turn % len(sizes)]
        pieces += map(bytes, chunker.feed(data[start : start + size]))
        start, turn = start + size, turn + 1
    return pieces + list(map(bytes, chunker.finish()))


def by_hand(data: bytes) -> list[int]:
    """The definition, byte by byte."""
    ends, start, value = [], 0, 0
    for position, byte in enumerate(data, 1):
        value = ((value << 1) + gear()[byte]) & 0xFFFFFFFF
        size = position - start
        if position == len(data) or size == MAX or (size >= MIN and value < THRESHOLD):
            ends.append(position)
            start = position
    return ends


CONTENTS = st.one_of(
    st.builds(noise, st.integers(0, 999), st.integers(0, 3 * MAX)),
    st.builds(lambda unit, times: unit * times, st.binary(min_size=1, max_size=40), st.integers(0, 20_000)),
    st.builds(
        lambda seed, gap: noise(seed, 90_000) + bytes(gap) + noise(seed, 90_000),
        st.integers(0, 9),
        st.integers(0, 2 * MAX),
    ),
)


@settings(max_examples=60, deadline=None)
@given(CONTENTS, st.lists(st.integers(1, 400_000), min_size=1, max_size=5).filter(lambda s: sum(s) > 3000))
def test_the_sizes_in_which_a_stream_is_fed_move_no_cut(data: bytes, sizes: list[int]) -> None:
    ends = cuts(data, True)
    assert fed(data, sizes) == [data[start:end] for start, end in pairwise([0, *ends])]


@settings(max_examples=10, deadline=None)
@given(CONTENTS)
def test_the_fast_way_cuts_where_the_definition_does(data: bytes) -> None:
    assert cuts(data, True) == by_hand(data)


@settings(max_examples=60, deadline=None)
@given(CONTENTS)
def test_pieces_keep_their_bounds_and_join_to_the_whole(data: bytes) -> None:
    pieces = fed(data, [70_000])
    assert b"".join(pieces) == data
    assert all(MIN <= len(piece) <= MAX for piece in pieces[:-1])
    assert all(0 < len(piece) <= MAX for piece in pieces[-1:])


@settings(max_examples=60, deadline=None)
@given(CONTENTS)
def test_what_is_decided_early_is_decided_for_good(data: bytes) -> None:
    early = cuts(data, False)
    assert early == cuts(data, True)[: len(early)]
    assert len(data) - (early[-1] if early else 0) < MAX


def test_a_piece_is_64_kib_on_average() -> None:
    data = noise(1, 32 * MIB)
    assert 56 << 10 < len(data) / len(cuts(data, True)) < 72 << 10


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 4 * MIB), st.binary(min_size=1, max_size=5000), st.integers(0, 5000))
def test_a_change_in_the_middle_moves_a_few_cuts(at: int, inserted: bytes, removed: int) -> None:
    data = noise(2, 4 * MIB)
    before = set(fed(data, [MIB]))
    after = fed(data[:at] + inserted + data[at + removed :], [MIB])
    assert len([piece for piece in after if piece not in before]) <= 5


def test_a_run_of_one_byte_is_cut_as_seldom_as_may_be() -> None:
    for byte in range(256):
        assert cuts(bytes([byte]) * (MAX + 10), True) == [MAX, MAX + 10]


def test_the_cuts_of_a_known_content_never_change() -> None:
    """Contents kept by an earlier release are shared only for as long as this holds."""
    assert gear()[:2] == (GEAR_0, GEAR_1)
    assert cuts(noise(3, 400_000), True) == KNOWN


def test_a_daemon_without_large_files_never_loads_numpy() -> None:
    code = "import sys, lsfs.history.chunks, lsfs.history.objects; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


GEAR_0, GEAR_1 = 437065501, 3236264960
KNOWN = [18756, 44455, 65118, 157647, 269461, 289701, 348598, 400000]
