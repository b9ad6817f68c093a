"""/files: bytes are where a disk would have them, for every writer at once."""

import errno
import mmap
import os
import random
import subprocess
import sys

import pytest

APPEND = """
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
for n in range(200):
    os.write(fd, b"%s %03d\\n" % (sys.argv[2].encode(), n))
"""


def test_lines_appended_by_several_processes_are_all_there_and_whole(pair):
    path = pair.live / "log"
    path.touch()
    writers = [subprocess.Popen([sys.executable, "-c", APPEND, path, name]) for name in "abcd"]
    assert [writer.wait() for writer in writers] == [0] * 4
    expected = sorted(f"{name} {n:03d}" for name in "abcd" for n in range(200))
    assert sorted((pair.backing / "log").read_text().splitlines()) == expected
    assert sorted(path.read_text().splitlines()) == expected


def test_a_shared_mapping_writes_the_file(pair):
    path = pair.live / "mapped"
    path.write_bytes(bytes(10_000))
    with open(path, "r+b") as stream, mmap.mmap(stream.fileno(), 0) as mapped:
        mapped[5_000:5_005] = b"hello"
        mapped.flush()
        assert path.read_bytes()[5_000:5_005] == b"hello"
    assert (pair.backing / "mapped").read_bytes()[4_999:5_006] == b"\0hello\0"


def test_a_sparse_file_stays_sparse(pair):
    path = pair.live / "sparse"
    with open(path, "wb") as stream:
        stream.truncate(2 << 30)
        stream.seek(1 << 30)
        stream.write(b"middle")
    assert path.stat().st_size == 2 << 30
    assert path.stat().st_blocks == (pair.backing / "sparse").stat().st_blocks < 1_000
    with open(path, "rb") as stream:
        stream.seek((1 << 30) - 2)
        assert stream.read(10) == b"\0\0middle\0\0"


def test_truncating_shows_at_once_to_everybody(pair):
    path = pair.live / "file"
    path.write_bytes(b"0123456789")
    with open(path, "rb") as reader:
        os.truncate(path, 4)
        assert reader.read() == b"0123"
    with open(path, "r+b") as stream:
        stream.truncate(8)
    assert path.read_bytes() == (pair.backing / "file").read_bytes() == b"0123\0\0\0\0"


def test_opening_with_truncation_empties(pair):
    path = pair.live / "file"
    path.write_bytes(b"something")
    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
    assert path.stat().st_size == (pair.backing / "file").stat().st_size == 0


def test_exclusive_creation_is_exclusive(pair):
    path = pair.live / "file"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    with pytest.raises(FileExistsError):
        os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)


def test_a_file_created_read_only_can_be_written_by_who_created_it(pair):
    fd = os.open(pair.live / "sealed", os.O_CREAT | os.O_RDWR, 0o400)
    assert os.write(fd, b"once") == 4
    assert os.pread(fd, 10, 0) == b"once"
    os.close(fd)
    assert (pair.backing / "sealed").stat().st_mode & 0o777 == 0o400


def test_synchronous_writes_and_fsync_succeed(pair):
    fd = os.open(pair.live / "file", os.O_CREAT | os.O_WRONLY | os.O_DSYNC)
    os.write(fd, b"durable")
    os.fsync(fd)
    os.fdatasync(fd)
    os.close(fd)
    directory = os.open(pair.live, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
    assert (pair.backing / "file").read_bytes() == b"durable"


def test_reading_and_writing_at_offsets_past_the_end(pair):
    fd = os.open(pair.live / "file", os.O_CREAT | os.O_RDWR)
    os.pwrite(fd, b"end", 5_000_000)
    assert os.pread(fd, 10, 4_999_998) == b"\0\0end"
    assert os.pread(fd, 10, 6_000_000) == b""
    os.close(fd)


def test_a_big_file_comes_back_byte_for_byte(pair):
    content = os.urandom(1 << 20) * 9 + b"tail"
    (pair.live / "big").write_bytes(content)
    assert (pair.backing / "big").read_bytes() == content
    assert (pair.live / "big").read_bytes() == content


def test_a_descriptor_opened_for_reading_cannot_write(pair):
    (pair.live / "file").write_text("x")
    fd = os.open(pair.live / "file", os.O_RDONLY)
    with pytest.raises(OSError) as caught:
        os.write(fd, b"y")
    assert caught.value.errno == errno.EBADF
    os.close(fd)


def test_copying_in_the_kernel_works(pair):
    (pair.live / "from").write_bytes(b"0123456789" * 1000)
    with open(pair.live / "from", "rb") as source, open(pair.live / "to", "wb") as target:
        assert os.copy_file_range(source.fileno(), target.fileno(), 10_000) == 10_000
    assert (pair.backing / "to").read_bytes() == b"0123456789" * 1000


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_reads_writes_truncations_and_mappings_agrees_with_memory(pair, seed):
    """What fsx does: two descriptors and mappings of one file, held against a copy in memory."""
    dice, path, memory = random.Random(seed), pair.live / "file", bytearray()
    fds = [os.open(path, os.O_CREAT | os.O_RDWR) for _ in range(2)]
    for _ in range(300):
        fd, act = dice.choice(fds), dice.randrange(7)
        offset, size = dice.randrange(200_000), dice.randrange(1, 70_000)
        if act == 0 or act == 1:
            data = dice.randbytes(size)
            memory.extend(bytes(max(0, offset + size - len(memory))))
            memory[offset : offset + size] = data
            assert os.pwrite(fd, data, offset) == size
        elif act == 2:
            memory[offset:] = bytes(max(0, offset - len(memory)))
            os.ftruncate(fd, offset)
        elif act == 3 and memory:
            with mmap.mmap(fd, len(memory)) as mapped:
                start = dice.randrange(len(memory))
                data = dice.randbytes(min(size, len(memory) - start))
                mapped[start : start + len(data)] = data
                memory[start : start + len(data)] = data
                assert mapped[:] == memory
        elif act == 4:
            fds.remove(fd)
            os.close(fd)
            fds.append(os.open(path, os.O_RDWR))
        else:
            assert os.pread(fd, size, offset) == memory[offset : offset + size]
        assert os.fstat(fds[0]).st_size == len(memory)
    for fd in fds:
        os.close(fd)
    assert path.read_bytes() == (pair.backing / "file").read_bytes() == memory
