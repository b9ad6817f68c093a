"""/links as a tree: what a symlink leads to, who sees it, and that the kernel is to ask each time."""

import errno
import os
import sqlite3

import pytest
import trio
from query_fakes import Machine

from lsfs.links import Links, Sees
from mounts import tree
from mounts.links import leads_to
from mounts.nodes import AttributeChanges, Caller
from syscalls.control import Control

ME, STRANGER = Caller(os.getuid(), os.getgid()), Caller(4321, 4321)


class Tree:
    """A mount over a folder with plan.md, whose clock is set."""

    def __init__(self, folder, state, read_only=False):
        (folder / "plan.md").write_text("plan")
        os.chmod(folder, 0o755)
        self.now = 1_800_000_000.0
        machine = Machine(folder)
        ports = machine.ports("/mnt/ctx", read_only)

        async def at_once(call, *arguments):
            call(*arguments)

        database = sqlite3.connect(":memory:")
        ports.links = Links(
            database, at_once, state, Sees(ports.root_fd, ports.hidden), now=lambda: self.now
        )  # fmt: skip
        ports.control = Control(
            machine, machine.questions, machine.report, machine.names, machine.owner, read_only, links=ports.links
        )  # fmt: skip
        self.kept = ports.links
        self.notes = machine.notes
        self.links = tree.build(ports).children[b"links"]

    def do(self, call, *arguments):
        return trio.run(lambda: call(*arguments))

    def ln(self, target, name=b"plan.md", caller=ME):
        return self.do(self.links.symlink, name, target, caller)

    def names(self, caller=ME):
        return [name for name, _ in self.do(self.links.list, caller)]

    def refused(self, target, name=b"plan.md"):
        """The error of ln."""
        return self.code(self.links.symlink, name, target, ME)

    def code(self, call, *arguments):
        with pytest.raises(OSError) as caught:
            self.do(call, *arguments)
        return errno.errorcode[caught.value.errno]


@pytest.fixture
def mount(tmp_path, monkeypatch):
    monkeypatch.setattr("syscalls.link.time.time", lambda: 1_800_000_000.0)
    for name in ("folder", "state"):
        (tmp_path / name).mkdir()
    os.chmod(tmp_path, 0o755)
    return Tree(tmp_path / "folder", tmp_path / "state")


@pytest.mark.parametrize(
    "target",
    [b"../files/plan.md", b"files/plan.md", b"./../files//plan.md", b"../links/../files/plan.md", b"/mnt/ctx/files/plan.md",
     b"/home/me/notes/plan.md",
     b"../files/./plan.md"],
)  # fmt: skip
def test_a_file_is_named_as_people_name_it(target):
    assert leads_to(target, b"/mnt/ctx", b"/home/me/notes") == b"plan.md"


@pytest.mark.parametrize(
    "target",
    [b"/etc/passwd", b"../../etc/passwd", b"../files/../../etc/passwd", b"plan.md", b"../status", b"../files", b"files/",
     b"../filesx/a", b"", b"..",
     b"/mnt/ctx/files/../ctl", b"/mnt/ctx/filesx/a", b"/mnt/ctx/files", b"/mnt/ctx/files/", b"/home/me/notesx/a", b"/mnt/ctx/status",
     b"files/../ctl",
     b"../query/x/01-plan.md"],
)  # fmt: skip
def test_nothing_outside_of_files_is_linked(target):
    with pytest.raises(OSError) as caught:
        leads_to(target, b"/mnt/ctx", b"/home/me/notes")
    assert caught.value.errno == errno.EPERM


def test_a_link_leads_there_and_its_time_is_its_end(mount):
    node = mount.ln(b"/mnt/ctx/files/plan.md")
    assert mount.do(node.readlink) == b"../files/plan.md"
    found = mount.do(node.getattr)
    assert found.st_mtime_ns == (1_800_000_000 + 86400) * 10**9 and found.st_size == len(b"../files/plan.md")
    assert mount.names() == [b"urls.tsv", b"plan.md"]


def test_the_kernel_keeps_nothing_of_it(mount):
    node = mount.ln(b"../files/plan.md")
    assert (node.entry_timeout, node.attr_timeout, mount.links.negative_timeout) == (0, 0, 0)


def test_at_its_time_a_link_is_gone_for_who_looks_lists_and_holds_it(mount):
    node = mount.ln(b"../files/plan.md")
    mount.now += 86400
    assert mount.do(mount.links.lookup, b"plan.md", ME) is None and mount.names() == [b"urls.tsv"]
    assert mount.code(node.readlink) == mount.code(node.getattr) == "ENOENT"
    assert mount.code(node.setattr, AttributeChanges(mtime_ns=2_000_000_000 * 10**9), None, ME) == "ENOENT"
    mount.now -= 1  # (its node leads nowhere else, either)
    mount.kept._rows.clear()
    mount.ln(b"../files/plan.md")


def test_touch_sets_the_end_and_the_past_ends_it(mount):
    node = mount.ln(b"../files/plan.md")
    end = (1_800_000_000 + 60) * 10**9
    assert mount.do(node.setattr, AttributeChanges(atime_ns=5, mtime_ns=end), None, ME).st_mtime_ns == end
    mount.now += 59.9
    assert mount.names() == [b"urls.tsv", b"plan.md"]
    assert mount.do(node.setattr, AttributeChanges(atime_ns=5), None, ME).st_mtime_ns == end
    mount.do(node.setattr, AttributeChanges(mtime_ns=0), None, ME)
    assert mount.names() == [b"urls.tsv"] and mount.do(mount.links.lookup, b"plan.md", ME) is None


@pytest.mark.parametrize("changes", [{"mode": 0o600}, {"uid": 1}, {"gid": 1}, {"size": 0}])
def test_nothing_else_of_a_link_can_be_changed(mount, changes):
    assert mount.code(mount.ln(b"../files/plan.md").setattr, AttributeChanges(**changes), None, ME) == "EPERM"


def test_a_link_is_renamed_in_its_directory_and_nowhere_else(mount):
    node = mount.ln(b"../files/plan.md")
    mount.do(mount.links.rename, b"plan.md", mount.links, b"b", 0, ME)
    assert mount.do(mount.links.lookup, b"b", ME) is node and mount.do(node.readlink) == b"../files/plan.md"
    mount.ln(b"../files/plan.md", b"c")
    rename = mount.links.rename
    assert mount.code(rename, b"b", mount.links, b"c", 1, ME) == "EEXIST"
    assert mount.code(rename, b"b", mount.links, b"c", 2, ME) == "EINVAL"
    assert mount.code(rename, b"b", mount.links, b"urls.tsv", 0, ME) == "EPERM"
    assert mount.code(rename, b"b", mount.links, b"n" * 256, 0, ME) == "ENAMETOOLONG"
    assert mount.code(rename, b"none", mount.links, b"x", 0, ME) == "ENOENT"
    assert mount.code(rename, b"b", mount.links.urls, b"x", 0, ME) == "EROFS"
    mount.do(rename, b"b", mount.links, b"c", 0, ME)
    assert mount.names() == [b"urls.tsv", b"c"] and mount.do(mount.links.lookup, b"c", ME) is node


def test_a_link_made_again_under_its_name_is_another(mount):
    old = mount.ln(b"../files/plan.md")
    mount.do(mount.links.unlink, b"plan.md", ME)
    assert mount.code(old.readlink) == "ENOENT"
    assert mount.ln(b"../files/plan.md") is not old


def test_what_cannot_be_done_is_the_errno_of_ln_and_rm(mount):
    assert mount.refused(b"../files/none") == "ENOENT" and mount.refused(b"/etc/passwd") == "EPERM"
    assert mount.refused(b"../files/.lsfs/link.key") == "ENOENT"
    assert mount.refused(b"../files/" + b"n" * 300) == "ENAMETOOLONG"
    assert mount.refused(b"../files/plan.md", b"n" * 256) == "ENAMETOOLONG"
    assert mount.refused(b"../files/plan.md", b"urls.tsv") == "EEXIST"
    mount.ln(b"../files/plan.md")
    assert mount.refused(b"../files/plan.md") == "EEXIST"
    assert mount.code(mount.links.unlink, b"urls.tsv", ME) == "EPERM"
    assert mount.code(mount.links.unlink, b"none", ME) == "ENOENT"
    assert mount.code(mount.links.mkdir, b"x", 0o755, ME) == mount.code(mount.links.create, b"x", 0o644, 0, ME) == "EPERM"  # fmt: skip
    assert mount.notes == []


def test_a_stranger_sees_his_own_and_the_owner_all(mount):
    mount.ln(b"../files/plan.md", b"mine")
    mount.ln(b"../files/plan.md", b"his", STRANGER)
    owner = [b"urls.tsv", b"his", b"mine"]
    assert mount.names() == owner and mount.names(STRANGER) == [b"urls.tsv", b"his"]
    assert mount.do(mount.links.lookup, b"mine", STRANGER) is None
    assert mount.code(mount.links.unlink, b"mine", STRANGER) == "ENOENT"
    assert mount.do(mount.do(mount.links.lookup, b"his", ME).getattr).st_uid == STRANGER.uid
    text = {caller: mount.do(lambda c: _read(mount.links.urls, c), caller) for caller in (ME, STRANGER)}
    assert b"mine\t" in text[ME] and b"mine" not in text[STRANGER] and b"/l/" not in text[STRANGER]


async def _read(node, caller):
    return await (await node.open(os.O_RDONLY, caller)).read(0, 1 << 20)


def test_in_a_mount_that_is_read_only_links_can_only_end(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "state").mkdir()
    mount = Tree(tmp_path / "folder", tmp_path / "state", read_only=True)
    assert mount.refused(b"../files/plan.md") == "EROFS"
    from syscalls.values import Link

    trio.run(mount.kept.make, Link("a", b"plan.md", os.getuid(), mount.now, mount.now + 60))
    assert mount.code(mount.links.rename, b"a", mount.links, b"b", 0, ME) == "EROFS"
    node = mount.do(mount.links.lookup, b"a", ME)
    later = AttributeChanges(mtime_ns=int((mount.now + 90) * 1e9))
    assert mount.code(node.setattr, later, None, ME) == "EROFS"
    mount.do(node.setattr, AttributeChanges(mtime_ns=int((mount.now + 30) * 1e9)), None, ME)
    mount.do(mount.links.unlink, b"a", ME)
    assert mount.names() == [b"urls.tsv"]
