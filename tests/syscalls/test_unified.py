"""Unified diffs: patch(1) makes the new version of the old one."""

import os
import random
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syscalls.changes import matching
from syscalls.changes.matching import increasing, opcodes, partners
from syscalls.changes.unified import MOST_BYTES, MOST_LINES, lines_of, quoted, unified

TOOL = next((tool for tool in ("patch", "git") if shutil.which(tool)), None)
applies = pytest.mark.skipif(TOOL is None, reason="neither patch(1) nor git is installed")
COMMAND = {
    "patch": ["patch", "-p1", "--no-backup-if-mismatch", "-s"],
    "git": ["git", "apply", "-p1", "--unidiff-zero"],
}
few = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

LINES = st.lists(
    st.sampled_from([b"a", b"b", b"}", b"", b"-- x", b"++ y", b"\\ z", b"@@ -1 +1 @@", b"\xff\r", b"c\r"]),
    max_size=30,
)
TEXTS = st.builds(lambda lines, end: b"\n".join(lines) + end, LINES, st.sampled_from([b"", b"\n", b"\n\n"]))
CONTENTS = st.one_of(TEXTS, st.binary(max_size=60).map(lambda data: data.replace(b"\0", b"0")))
NAMES = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.text(st.sampled_from(" \t\n\"'\\ab.é\u2028-+"), min_size=1, max_size=12).map(str.encode),
).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_"))


def patched(folder, diff, *options):
    """The folder's files after `diff`."""
    done = subprocess.run([*COMMAND[TOOL], *options], cwd=folder, input=diff, capture_output=True)
    assert done.returncode == 0, (done.stdout, done.stderr, diff)
    files = {}
    for root, _, names in os.walk(os.fsencode(folder)):
        for name in names:
            path = os.path.join(root, name)
            files[os.path.relpath(path, os.fsencode(folder))] = (
                os.readlink(path) if os.path.islink(path) else read(path)
            )
    return files


def read(path):
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture
def fresh(tmp_path_factory):
    def make(files):
        folder = tmp_path_factory.mktemp("tree")
        for name, data in files.items():
            with open(os.path.join(os.fsencode(folder), name), "wb") as file:
                file.write(data)
        return folder

    return make


@applies
@few
@given(CONTENTS, CONTENTS, st.integers(0, 4))
def test_patch_makes_the_new_version_of_the_old_one(fresh, old, new, context):
    diff = unified(old, new, old_path=b"x", new_path=b"x", context=context, old_label="v1", new_label="v2")
    if old == new:
        assert diff == b""
    elif not diff.startswith(b"Binary"):
        assert patched(fresh({b"x": old}), diff) == {b"x": new}


@applies
@few
@given(NAMES, st.sampled_from(["", "v2"]))
def test_any_name_can_be_patched(fresh, name, label):
    if name in (b".", b".."):
        return
    diff = unified(b"1\n", b"2\n", old_path=name, new_path=name, old_label=label, new_label=label)
    assert patched(fresh({name: b"1\n"}), diff) == {name: b"2\n"}


@applies
@few
@given(NAMES, CONTENTS)
def test_any_name_can_be_made_and_removed(fresh, name, data):
    if name in (b".", b".."):
        return
    made = unified(None, data, old_path=name, new_path=name, new_label="v1")
    if made.startswith(b"Binary"):
        return
    folder = fresh({})
    assert patched(folder, made) == {name: data}
    gone = unified(data, None, old_path=name, new_path=name, old_label="v1")
    # GNU patch takes the removal of an empty file for a diff that was applied already
    assert patched(folder, gone, *["-f"] * (TOOL == "patch" and not data)) == {}


@applies
@few
@given(NAMES, NAMES, CONTENTS, CONTENTS)
def test_a_renamed_file_is_renamed(fresh, first, second, old, new):
    if {b".", b".."} & {first, second} or first == second:
        return
    diff = unified(old, new, old_path=first, new_path=second)
    if not diff.startswith(b"Binary"):
        assert patched(fresh({first: old}), diff) == {second: new}


@applies
def test_permissions_and_links_are_told_as_git_does(fresh):
    folder = fresh({b"run": b"#!/bin/sh\n"})
    diff = unified(
        b"#!/bin/sh\n", b"#!/bin/sh\n", old_path=b"run", new_path=b"run", old_mode=0o100644, new_mode=0o100755
    )
    assert diff == b"diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
    patched(folder, diff)
    assert os.stat(folder / "run").st_mode & 0o777 == 0o755
    diff = unified(
        b"#!/bin/sh\n", b"sh", old_path=b"run", new_path=b"run", old_mode=0o100755, new_mode=0o120777
    )
    assert b"deleted file mode 100755" in diff and b"new file mode 120777" in diff


@applies
def test_a_diff_of_several_files_with_binary_ones_between_is_applied_whole(fresh):
    diff = unified(b"1\n", b"2\n", old_path=b"a", new_path=b"a")
    diff += unified(b"\0", b"\0\0", old_path=b"b", new_path=b"b")
    diff += unified(b"1\n", b"3", old_path=b"c d", new_path=b"c d")
    diff += unified(None, b"", old_path=b"e", new_path=b"e")
    folder = fresh({b"a": b"1\n", b"b": b"\0", b"c d": b"1\n"})
    assert patched(folder, diff) == {b"a": b"2\n", b"b": b"\0", b"c d": b"3", b"e": b""}


def test_a_diff_reads_as_everyone_knows_it():
    old = b"".join(b"%d\n" % number for number in range(20))
    new = old.replace(b"4\n5\n", b"4\nfive\n", 1).replace(b"19\n", b"19")
    diff = unified(old, new, old_path=b"n.txt", new_path=b"n.txt", old_label="v2", new_label="v3")
    assert diff == (
        b"--- a/n.txt\tv2\n+++ b/n.txt\tv3\n"
        b"@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        b"@@ -17,4 +17,4 @@\n 16\n 17\n 18\n-19\n+19\n\\ No newline at end of file\n"
    )


def test_a_label_never_leaves_its_line():
    diff = unified(b"1\n", b"2\n", old_path=b"x", new_path=b"x", old_label="a\nb\tc", new_label="\ud800")
    assert diff.splitlines()[:2] == [b"--- a/x\ta b c", b"+++ b/x"]


def test_binary_content_is_one_truthful_line():
    said = unified(b"\0" * 1234, b"\0" * 1300, old_path=b"x", new_path=b"y")
    assert said == b"Binary files a/x and b/y differ (1,234 bytes -> 1,300 bytes)\n"
    assert unified(None, b"\0", old_path=b"x", new_path=b"x") == (
        b"Binary files /dev/null and b/x differ (absent -> 1 byte)\n"
    )


@pytest.mark.parametrize("data", [b"x" * (MOST_BYTES + 1), b"\n" * (MOST_LINES + 1)])
def test_large_content_is_one_truthful_line(data):
    said = unified(data, b"", old_path=b"x", new_path=b"x")
    assert said == b"Large files a/x and b/x differ (%s bytes -> 0 bytes)\n" % f"{len(data):,}".encode()


def test_names_are_quoted_where_they_must_be():
    assert quoted("plän b".encode()) == "plän b".encode()
    assert quoted(b'a"b\n\xff') == b'"a\\"b\\n\\377"'


@given(st.binary(max_size=100))
def test_lines_make_up_the_content(data):
    assert b"".join(lines_of(data)) == data


@pytest.fixture(params=["plenty", "few edits", "few steps"])
def effort(request, monkeypatch):
    if request.param == "few edits":
        monkeypatch.setattr(matching, "MOST_EDITS", 2)
    elif request.param == "few steps":
        monkeypatch.setattr(matching, "MOST_STEPS", 15)
    monkeypatch.setattr(matching, "FEW_EDITS", 2)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 3), max_size=40), st.lists(st.integers(0, 3), max_size=40))
def test_opcodes_lead_from_old_to_new_whatever_they_may_cost(effort, old, new):
    rebuilt, before, last = [], "", (0, 0)
    for tag, i1, i2, j1, j2 in opcodes(old, new):
        assert (
            (i1, j1) == last and (i2, j2) != last and (tag == "equal") != (before == "equal") or before == ""
        )
        assert tag != "equal" or old[i1:i2] == new[j1:j2]
        rebuilt += new[j1:j2]
        before, last = tag, (i2, j2)
    assert rebuilt == new and last == (len(old), len(new))


@given(st.lists(st.integers(0, 30), max_size=40))
def test_increasing_finds_a_longest_one(values):
    best = [0] * (len(values) + 1)
    for index, value in enumerate(values):
        best[index] = 1 + max((best[k] for k in range(index) if values[k] < value), default=0)
    found = [values[index] for index in increasing(values)]
    assert found == sorted(set(found)) and len(found) == max(best)


def test_a_single_line_that_moved_tears_nothing_apart():
    old = ["top"] + [word for number in range(1000) for word in (number, number)]
    assert partners(old, old[1:] + ["top"]) == [-1, *range(2000)]


@pytest.mark.parametrize("kinds", [1, 2, 300, 10**9])
def test_the_worst_files_cost_no_more_steps_than_are_granted(kinds):
    chance = random.Random(kinds)
    old, new = ([chance.randrange(kinds) for _ in range(length)] for length in (20_000, 15_000))
    matching_run = matching._Matching(old, new)
    matching_run.run()
    assert matching_run.steps > -20_000 and matching_run.looks > -3 * 35_000
