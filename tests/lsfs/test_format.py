"""The page lsfs-format(5) is true: its commands read a store, and it names every table and column."""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys

import msgpack
import pytest
from ledger import Ledger

from lsfs.history.entries import Extra
from lsfs.history.held import Secured
from lsfs.history.store import SCHEMA

PAGE = (pathlib.Path(__file__).parents[2] / "man/lsfs-format.5").read_text()
DISPLAY = re.compile(r'^\.\\" example: ([^\n]+)\n\.Bd [^\n]*\n(.*?)^\.Ed$', re.M | re.S)
COMMANDS = [text.replace("\\&", "").replace("\\e", "\\") for _, text in DISPLAY.findall(PAGE)]
BIG = os.urandom(1 << 19) + b"the same words again and again. " * 40_000

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("sqlite3", "zstd", "dd", "b2sum")),
    reason="needs sqlite3, zstd, dd, b2sum",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A state folder that nobody has open, and the contents of docs/plan.md in it."""
    root = tmp_path_factory.mktemp("format")
    ledger = Ledger(root, durable=True)
    versions = [b"short\n", b"a line that is packed well\n" * 100, BIG]
    for data in versions:
        ledger.clock += 0.1234567
        ledger.write("docs/plan.md", data)
    os.symlink("plan.md", ledger.folder / "docs/link")
    ledger.touched("docs/link")
    ledger.snapshot("before")
    ledger.write("docs/plan.md", "last")
    ledger.end()
    return ledger.path, [*versions, b"last"], ledger


def sh(store: pathlib.Path, text: str) -> str:
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=store,
        capture_output=True,
        timeout=60,
        env={"PATH": path},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_the_versions_of_a_file_are_listed(store):
    path, versions, _ = store
    lines = sh(path, COMMANDS[0]).splitlines()
    assert [int(line.split()[3]) for line in lines] == [len(data) for data in versions]
    digests = [hashlib.blake2b(data, digest_size=32).hexdigest() for data in versions]
    assert [line.split()[4] for line in lines] == digests


def test_what_a_snapshot_shows_is_listed(store):
    path, versions, _ = store
    lines = sh(path, COMMANDS[1]).splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["docs", "docs/link", "docs/plan.md"]
    assert (
        lines[0].startswith("40") and lines[1].startswith("120777 7") and lines[2].split()[1] == str(len(BIG))
    )


def test_every_version_is_read_with_sqlite3_dd_and_zstd_alone(store, tmp_path):
    path, versions, ledger = store
    rows = [line.split()[0] for line in sh(path, COMMANDS[0]).splitlines()]
    for row, data in zip(rows, versions, strict=True):
        text = COMMANDS[2].replace("version 3 > plan.md", f"version {row} > {tmp_path}/plan.md")
        said = sh(path, text.replace("b2sum -l 256 plan.md", f"b2sum -l 256 {tmp_path}/plan.md"))
        assert (tmp_path / "plan.md").read_bytes() == data
        assert said.split()[0] == hashlib.blake2b(data, digest_size=32).hexdigest()
    assert ledger.folder.exists()


def test_the_encodings_that_the_page_names_are_those_that_were_read(store):
    with contextlib.closing(sqlite3.connect(store[0] / "history.db")) as database:
        objects = {encoding for (encoding,) in database.execute("select encoding from object")}
        chunks = {encoding for (encoding,) in database.execute("select encoding from chunk")}
    assert objects == {"raw", "zstd", "chunks"} and chunks == {"raw", "zstd"}


def test_the_chain_holds_and_shows_what_was_changed(store, tmp_path):
    copy = shutil.copytree(store[0], tmp_path / "copy")
    lines = sh(copy, COMMANDS[3]).splitlines()
    assert len(lines) == 5 and all(line.endswith("holds") for line in lines)
    with contextlib.closing(sqlite3.connect(copy / "history.db", isolation_level=None)) as database:
        database.execute("update moment set at = at + 1 where sequence = 3")
    assert [line.endswith("holds") for line in sh(copy, COMMANDS[3]).splitlines()] == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_the_sum_of_a_sequence_is_as_the_page_says(store):
    with contextlib.closing(sqlite3.connect(store[0] / "history.db")) as database:
        sums = dict(database.execute("select sequence, hex(sum) from moment").fetchall())
    for sequence, sum in sums.items():
        said = sh(store[0], COMMANDS[4].replace("= 2", f"= {sequence}"))
        assert said.split()[0] == sum.lower()


def test_a_record_of_the_journal_has_the_members_that_the_page_names(store):
    ledger = store[2]
    found = os.lstat(ledger.folder / "docs/plan.md")
    ledger.held.write(Secured(7, b"docs/plan.md", found, Extra(None, None), b"last", None, 1.5), True)
    ledger.held.close()
    record = msgpack.unpackb((ledger.folder / ".lsfs/held/journal").read_bytes())
    for name in [*record, *list(record["found"])[:2], "st_size", "st_mtime_ns"]:
        assert f"Va {name}" in PAGE, name
    (ledger.folder / ".lsfs/held/journal").unlink()


def test_every_table_and_column_is_in_the_page(store):
    with contextlib.closing(sqlite3.connect(store[0] / "history.db")) as database:
        tables = [
            name
            for (name,) in database.execute("select name from sqlite_master where type = 'table'")
            if not re.search(r"_(data|idx|content|docsize|config)$|^sqlite_", name)
        ]
        for table in tables:
            if table in ("file", "path_words", "question", "dead_path_words"):
                assert re.search(rf"\b{table}\b", PAGE), table
                continue
            columns = [row[1] for row in database.execute(f"pragma table_info({table})")]
            assert f".Ss {table} ({', '.join(columns)})" in PAGE, (table, columns)
    assert f"is the version of the layout: {SCHEMA}." in PAGE


def test_every_key_of_meta_is_in_the_page():
    source = "".join(
        path.read_text() for path in (pathlib.Path(__file__).parents[2] / "lsfs/history").glob("*.py")
    )
    for key in set(re.findall(r"meta (?:values \('|where key = ')(\w+)'", source)):
        assert f".It {key}\n" in PAGE, key
