"""The table of the tree, what is built from it, and the files that speak of it."""

import json
import os

import pytest
import trio
from query_fakes import Machine

from mounts import tree
from mounts.nodes import Caller
from syscalls.table import CALLS

ME = Caller(os.getuid(), os.getgid())
STRANGER = Caller(4321, 4321)


@pytest.fixture
def root(tmp_path):
    return tree.build(Machine(tmp_path).ports("/mnt/my ctx"))


def content(root, name, caller=ME):
    async def main():
        handle = await (await root.lookup(name, caller)).open(os.O_RDONLY, caller)
        return await handle.read(0, 1 << 20)

    return trio.run(main)


def test_every_row_that_is_served_is_there(root):
    tops = {row.path.split("/")[1].encode() for row in tree.ROWS}
    assert set(root.children) == tops
    assert set(root.ports.inner) == {b".query", b".versions"}


def test_readme_names_every_row_and_call_on_one_screen_and_a_half(root):
    text = content(root, b"README.md").decode()
    assert len(text.splitlines()) < 80
    for row in tree.ROWS:
        assert f"`{row.path}`" in text and row.example in text
    for call in CALLS:
        assert f"`{call.word}" in text
    assert "cd '/mnt/my ctx'" in text


def test_the_size_of_readme_is_exact(root):
    async def main():
        return (await (await root.lookup(b"README.md", ME)).getattr()).st_size

    assert trio.run(main) == len(content(root, b"README.md"))


def test_status_is_text_and_json(root):
    assert b"25 % " not in content(root, b"status") and b"75 %" in content(root, b"status")
    assert json.loads(content(root, b"status.json"))["pending"] == 1


@pytest.mark.skipif(os.getuid() == 4321, reason="is the stranger")
def test_strangers_see_no_paths_in_errors(root):
    assert b"private.md" in content(root, b"status.json")
    assert b"private.md" not in content(root, b"status.json", STRANGER) + content(root, b"status", STRANGER)


def test_the_space_is_that_of_the_folder(root, tmp_path):
    assert trio.run(root.statfs).f_blocks == os.statvfs(tmp_path).f_blocks
