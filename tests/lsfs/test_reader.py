"""Reading for the index: what a file holds decides, and a hostile file costs no more than its head."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest
from documents_made import ENCRYPTED
from hypothesis import given
from hypothesis import strategies as st

from lsfs.engine import encoding, reader
from lsfs.engine.document import Content
from lsfs.engine.reader import classify, read_file
from lsfs.engine.types import FAMILIES, TYPES, expand, type_of

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01" + bytes(40)


class Folder:
    """A folder with its descriptor; `read` is what the engine would do with a file in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_PATH | os.O_DIRECTORY)

    def read(self, name: str | bytes, data: bytes | None = None, max_size: int = 64 << 20) -> Content:
        if data is not None:
            (self.path / os.fsdecode(name)).write_bytes(data)
        return read_file(self.fd, os.fsencode(name), max_size)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    found = Folder(tmp_path)
    yield found
    os.close(found.fd)


def test_a_text_comes_with_its_digest_and_the_stat_it_was_read_under(folder: Folder) -> None:
    content = folder.read("a.md", b"# Hello\n")
    assert (content.state, content.type, content.data) == ("text", "markdown", b"# Hello\n")
    assert content.digest == blake2b(b"# Hello\n", digest_size=32).digest()
    assert content.stat is not None
    assert content.stat.st_mtime_ns == (folder.path / "a.md").stat().st_mtime_ns


def test_an_empty_file_is_a_text(folder: Folder) -> None:
    assert folder.read("empty.py", b"").state == "text"


@pytest.mark.parametrize(
    ("name", "data", "kind", "state"),
    [
        ("a.txt", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "pdf", "text"),
        ("a.pdf", b"plain words only\n", "text", "text"),
        ("a.md", PNG, "png", "other"),
        ("a.txt", b"\x7fELF\x02\x01\x01" + bytes(60), "binary", "other"),
        ("page.txt", b"<!DOCTYPE html>\n<html><body>x", "html", "text"),
        ("page", b"\xef\xbb\xbf<?xml version='1.0'?>\n<html lang=en>", "html", "text"),
        ("run", b"#!/usr/bin/env python3\nprint()\n", "python", "text"),
        ("run", b"#!/bin/bash -e\n", "shell", "text"),
        ("Makefile", b"all:\n\ttrue\n", "make", "text"),
        ("BMW.txt", b"BMW is a car maker from Munich.\n", "text", "text"),
        ("MZ.txt", b"MZ was a motorcycle maker.\n", "text", "text"),
        ("x.zip", b"PK\x03\x04" + bytes(30) + b"a.txt", "archive", "other"),
        ("x.dat", bytes(range(256)) * 8, "binary", "other"),
        ("song.txt", b"ID3\x03\x00\x00\x00\x00\x0f\x76" + os.urandom(99), "audio", "other"),
        ("zeros.txt", bytes(5000), "binary", "other"),
        ("a.docx", ENCRYPTED, "docx", "text"),
        ("a.xlsm", ENCRYPTED, "xlsx", "text"),
    ],
)
def test_magic_decides_and_the_suffix_only_flavours_a_text(
    folder: Folder, name: str, data: bytes, kind: str, state: str
) -> None:
    content = folder.read(name, data)
    assert (content.type, content.state) == (kind, state)
    assert (content.digest is None) == (state == "other")


def bytes_read() -> int:
    """By this process so far, as the kernel counts."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_large_and_sparse_files_cost_only_their_head(folder: Folder) -> None:
    with open(folder.path / "sparse", "wb") as out:
        out.truncate(2 << 30)
    with open(folder.path / "big.log", "wb") as out:
        out.write(b"line\n" * 4000)
        out.truncate(2 << 30)
    before = bytes_read()
    sparse, big = folder.read("sparse"), folder.read("big.log")
    assert bytes_read() - before < 1 << 20
    assert (sparse.state, sparse.digest) == ("other", None)
    assert (big.state, big.digest) == ("other", None)
    assert "max_file_size" in (big.error or "")


def test_what_is_no_regular_file_is_gone_and_never_waits(folder: Folder) -> None:
    os.mkfifo(folder.path / "fifo")
    os.mkdir(folder.path / "dir")
    os.symlink("/etc/passwd", folder.path / "out")
    os.symlink("loop", folder.path / "loop")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder.path / "sock"))
        for name in ("fifo", "dir", "out", "loop", "sock", "missing", "out/x", "missing/x"):
            assert folder.read(name).state == "gone", name
    assert folder.read(b"n" * 256).state in ("gone", "unreadable")


def test_what_may_not_be_read_is_unreadable(folder: Folder) -> None:
    (folder.path / "shut").write_text("x")
    (folder.path / "shut").chmod(0)
    os.chmod(folder.path, 0o755)
    script = (
        "import os, sys\nfd = os.open(sys.argv[1], os.O_PATH)\nfrom lsfs.engine.reader import read_file\n"
        "os.getuid() or os.setuid(65534)\nprint(read_file(fd, b'shut').state)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, folder.path],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout == "unreadable\n", done.stderr


def test_a_file_that_changes_while_it_is_read_is_unstable(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.path / "busy.txt"
    path.write_text("x" * 5000)
    real = os.fstat
    writes = iter(range(100))

    def restless(fd: int) -> os.stat_result:
        found = real(fd)
        with open(path, "a") as out:
            out.write(str(next(writes)))
        return found

    monkeypatch.setattr(reader.os, "fstat", restless)
    assert folder.read("busy.txt").state == "unstable"
    monkeypatch.undo()
    assert folder.read("busy.txt").state == "text"


def test_a_file_that_settles_is_read_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.path / "busy.txt"
    path.write_text("first")
    real = os.read
    changes = [b"second, and longer"]

    def once(fd: int, size: int) -> bytes:
        if changes:
            path.write_bytes(changes.pop())
        return real(fd, size)

    monkeypatch.setattr(reader.os, "read", once)
    content = folder.read("busy.txt")
    assert (content.state, content.data) == ("text", b"second, and longer")


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n",
        b"notes\n\n  -----BEGIN RSA PRIVATE KEY-----\nMIIE",
        b'{"private_key": "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"}',
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n",
        b"PuTTY-User-Key-File-3: ssh-ed25519\n",
        b"# created: 2026\nAGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n",
        b"x" * 100_000 + b"\n-----BEGIN EC PRIVATE KEY-----\n",
    ],
)
def test_private_keys_are_secret_whatever_they_are_called(folder: Folder, data: bytes) -> None:
    content = folder.read("notes.txt", data)
    assert content.state == "secret"
    assert content.data is None and content.digest is None


def test_prose_that_names_the_marker_is_no_secret(folder: Folder) -> None:
    prose = b"A key begins with `-----BEGIN RSA PRIVATE KEY-----` and must not be shared.\n"
    assert folder.read("howto.md", prose).state == "text"


ENCODED = [
    ("utf-8", "naïve café €"),
    ("utf-8-sig", "naïve"),
    ("utf-16", "Grüße an alle"),
    ("utf-16-le", "Hello world, again"),
    ("utf-16-be", "Hello world, again"),
    ("utf-32", "Grüße an alle"),
    ("utf-32-le", "Hello world"),
    ("utf-32-be", "Hello world"),
    ("latin-1", "Le café était très bon, n'est-ce pas?"),
    ("cp1252", "“Quotes” – it’s 5 €"),
    ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy. "),
    ("cp1251", "Привет, как дела? Это проверка кодировки. " * 3),
    ("shift_jis", "これは日本語のテキストです。漢字もあります。" * 4),
    ("gb18030", "这是一个中文文本，用于测试编码。" * 4),
    ("euc_kr", "안녕하세요 이것은 한국어 텍스트입니다. " * 4),
]


@pytest.mark.parametrize(("name", "text"), ENCODED, ids=[name for name, _ in ENCODED])
def test_encodings_are_recognised(name: str, text: str) -> None:
    data = text.encode(name)
    assert classify(data, b"x.txt") == ("text", True)
    assert encoding.decode(data) == text


@given(st.binary(max_size=400))
def test_no_bytes_break_reading(data: bytes) -> None:
    classify(data, b"x", data)
    text = encoding.decode(data)
    if text is not None:
        text.encode("utf-8")  # no lone surrogate
        assert not [character for character in text if character < " " and character not in "\t\n"]


@given(st.text(max_size=200))
def test_cleaning_keeps_line_numbers(text: str) -> None:
    text = text.replace("\r", "")
    assert encoding.clean(text).count("\n") == text.count("\n")


def test_ansi_colours_and_line_ends_are_cleaned() -> None:
    assert encoding.clean("\x1b[31mred\x1b[0m\r\nnext\x00\ufeff\x0cpage") == "red\nnext page"
    assert encoding.clean("a\rb") == "a\nb"


def test_a_log_with_a_broken_byte_stays_utf8() -> None:
    text = encoding.decode(("日本語のログ\n" * 50).encode() + b"\xe6\x97")
    assert text is not None and text.startswith("日本語")


def test_every_type_is_named_once_and_expands() -> None:
    names = [row.name for row in TYPES]
    suffixes = [suffix for row in TYPES for suffix in row.suffixes]
    assert len(set(names)) == len(names)
    assert len(set(suffixes)) == len(suffixes)
    assert all(name in expand(name) for name in names)
    assert expand(".MD") == {"markdown"} and expand("py") == {"python"} and expand("docx") == {"docx"}
    assert expand("code") == FAMILIES["code"] and expand("doc") >= {"pdf", "text"}
    assert expand("nonsense") == frozenset()


def test_a_suffix_may_be_missing_odd_or_no_utf8() -> None:
    assert type_of(b"dir.md/README") == "text"
    assert type_of(b".md") == "text"
    assert type_of(b"x.\xff\xfe") == "text"
    assert type_of(b"notes.1", b"words") == "text" and type_of(b"ls.1", b".Dd x") == "man"
    assert type_of(b"letter.docx") == "text"


@pytest.mark.parametrize(
    "head", [b"<!---->", b"<!-- --> ", b"<?xml ?>", b"<!-- <?xml ?>-->\n", b"<?xml " + b" " * 190 + b">"]
)
def test_comments_without_a_page_behind_them_are_read_once(head: bytes) -> None:
    """Each may end at any of a thousand places, and five in a row at the fifth power of that: this returns, or hangs for years."""
    assert classify((head * 8192)[:8192], b"x.txt") == ("text", True)
    assert classify(head * 5 + b"<html>", b"x.txt") == ("html", True)
