"""group, semantic, integrated and combine through a real mount, as one types them."""

import json
import os
import subprocess
import sys

import pytest
from mounted_helpers import as_nobody, root, write_library

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def lsfs(mounted, *words, code=0):
    """A command line of lsfs inside the mount; what it prints, or its complaint where it is to fail."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "lsfs", *words],
        cwd=mounted.path, capture_output=True, text=True, timeout=60, env=os.environ | {"PYTHONPATH": ROOT},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def told(mounted, line):
    """The reply of ctl to a line."""
    descriptor = os.open(mounted.path / "ctl", os.O_RDWR)
    try:
        os.write(descriptor, line.encode() + b"\n")
        return os.read(descriptor, 1 << 20).decode()
    finally:
        os.close(descriptor)


def refused(mounted, line):
    with pytest.raises(OSError) as caught:
        told(mounted, line)
    return caught.value.errno


@pytest.fixture
def notes(mount, tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    write_library(folder)
    mounted = mount(folder)
    mounted.indexed()
    return mounted


def test_files_that_come_while_a_group_is_asked_anew_are_in_it(notes):
    """A commit during the asking is no reason to wait for the next one."""
    lsfs(notes, "group", "vouchers", "mode:words voucher limit:all")
    names = [f"voucher-{number}.md" for number in range(12)]
    for name in names:
        (notes.files / name).write_text(f"A voucher called {name}.\n")
        notes.until(lambda: notes.status()["pending"] == 0)
    notes.until(
        lambda: {name.partition("-")[2] for name in os.listdir(notes.query / "vouchers")} >= set(names)
    )


def test_a_group_has_a_name_follows_the_files_and_is_dropped(notes):
    assert (
        lsfs(notes, "group", "refunds", "mode:words refund")
        == "query/refunds answers mode:words refund from now on.\n"
    )
    assert sorted(name[3:] for name in os.listdir(notes.query / "refunds") if name[0].isdigit()) == [
        "faq.md",
        "refund-policy.md",
    ]
    (notes.files / "voucher.md").write_text("A voucher instead of a refund.\n")
    notes.until(lambda: "voucher.md" in " ".join(os.listdir(notes.query / "refunds")))
    (one,) = json.loads(lsfs(notes, "group", "--json"))["groups"]
    assert one == {"name": "refunds", "prompt": "mode:words refund", "files": 3}
    assert lsfs(notes, "group") == "refunds\t3 files\tmode:words refund\n"
    assert "files/voucher.md" in lsfs(notes, "group", "refunds").split()
    assert "already" in lsfs(notes, "group", "again", "mode:words refund", code=26)
    lsfs(notes, "group", "refunds", "--drop")
    assert os.listdir(notes.query) == []
    assert "lists them" in lsfs(notes, "group", "refunds", "--drop", code=26)


def test_a_frozen_group_is_a_folder_of_copies_and_undo_takes_it_back(notes):
    said = lsfs(notes, "group", "mode:words refund", "--into", "files/frozen")
    assert said == "files/frozen has 2 files now; `lsfs undo` takes it back.\n"
    copies = sorted(os.listdir(notes.folder / "frozen"))
    assert [name[:3] for name in copies] == ["01-", "02-"]
    policy = next(name for name in copies if name.endswith("refund-policy.md"))
    assert (notes.folder / "frozen" / policy).read_bytes() == (notes.folder / "refund-policy.md").read_bytes()
    assert not (notes.folder / "frozen" / policy).is_symlink()
    lsfs(notes, "group", "mode:words refund", "--into", "files/policies/linked", "--links")
    for name in os.listdir(notes.folder / "policies/linked"):
        link = notes.folder / "policies/linked" / name
        assert os.readlink(link).startswith("../../") and link.is_file()
    assert lsfs(notes, "group", "mode:words refund", "--into", "files/frozen", code=26)
    lsfs(notes, "undo", "--yes")
    assert not (notes.folder / "policies/linked").exists() and (notes.folder / "frozen").exists()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("group refund --into files/policies", 17),  # EEXIST
        ("group refund --into files/no/such/place", 2),  # ENOENT
        ("group 'mode:words zebra' --into files/zebras", 2),
        ("group refund --into ../outside", 22),  # EINVAL
        ("group refund --into files/" + "x" * 300, 36),  # ENAMETOOLONG
        ("group refund --into files/faq.md/x", 20),  # ENOTDIR
        ("group refund --by size", 22),
        ("group refund --links", 22),
        ("group .hidden 'a question'", 22),
        ("group nothing --drop", 2),
        ("semantic refund --k 0", 22),
        ("semantic refund --in files/gone", 2),
        ("semantic refund --in files/faq.md", 20),
        ("integrated 'a AND (' refund", 22),
        ("integrated refund", 22),
        ("combine refund", 22),
        ("combine refund soup --how neither", 22),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_and_nothing_is_made(library, line, code):
    before = sorted(os.listdir(library.folder))
    assert refused(library, line) == code
    assert sorted(os.listdir(library.folder)) == before and os.listdir(library.query) == []


def test_by_meaning_any_number_of_files_can_be_asked_for(library):
    every = lsfs(library, "semantic", "how do I get my money back", "--k", "100000").split()
    assert every[0] == "files/refund-policy.md" and len(every) == 9
    assert lsfs(library, "semantic", "how do I get my money back", "--k", "2").split() == every[:2]
    assert lsfs(library, "semantic", "soup", "--k", "1", "--in", "files/recipes").split() == [
        "files/recipes/soup.md"
    ]
    answer = json.loads(lsfs(library, "semantic", "soup", "--json"))
    assert answer["read"]["mode"] == "meaning" and answer["meaning"] == "used"


def test_words_filter_and_meaning_ranks(library):
    said = lsfs(library, "integrated", "refund OR soup", "a warm meal").split()
    assert said[0] == "files/recipes/soup.md" and sorted(said[1:]) == [
        "files/faq.md",
        "files/refund-policy.md",
    ]
    assert lsfs(library, "integrated", "refund OR soup", "a warm meal", "--k", "1").split() == said[:1]
    assert "Nothing" not in lsfs(library, "integrated", "zebra", "a warm meal", code=1)


def test_two_results_are_combined_as_nested_directories_are(library):
    for how, word in (("both", "and"), ("either", "or"), ("only", "not")):
        said = lsfs(library, "combine", "type:md", "mode:words refund", "--how", how).split()
        nested = library.query / "type:md" / word / "mode:words refund" / "results.json"
        assert said == [hit["path"] for hit in json.loads(nested.read_text())["hits"]]
    assert lsfs(library, "combine", "type:md", "mode:words refund").split() == lsfs(
        library, "combine", "type:md", "mode:words refund", "--how", "both"
    ).split()  # fmt: skip


def test_a_result_is_told_apart(library):
    said = lsfs(library, "group", "type:py", "--by", "folder")
    assert said.splitlines()[0] == "src:" and "    files/src/retry.py" in said.splitlines()
    answer = json.loads(lsfs(library, "group", "type:md", "--by", "topic", "--json"))
    topics = {path: group["name"] for group in answer["groups"] for path in group["paths"]}
    assert topics["files/faq.md"] == topics["files/refund-policy.md"] != topics["files/recipes/soup.md"]


@root
def test_another_user_names_nothing_and_gets_copies_of_what_he_may_read_only(library):
    assert as_nobody(lambda: refused(library, "group mine refund")) == "1"
    os.chmod(library.folder / "policies/security.md", 0o600)
    try:
        said = as_nobody(lambda: told(library, "semantic 'a lost phone' --k 100"))
        assert "security.md" not in said and "travel.md" in said
        assert as_nobody(lambda: refused(library, "group type:md --into files/his")) == "13"
    finally:
        os.chmod(library.folder / "policies/security.md", 0o644)
    assert not (library.folder / "his").exists()
