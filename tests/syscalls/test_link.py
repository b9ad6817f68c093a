"""link as a line: what it answers, to whom, and what it refuses."""

import json
import os
import sqlite3
import time
import types

import pytest
import trio

from lsfs.links import Links, Sees
from syscalls import link
from syscalls.arguments import given
from syscalls.errors import (
    Denied,
    Exists,
    InvalidArgument,
    NotFound,
    NotPermitted,
    NotRegular,
    ReadOnly,
    TooLong,
)
from syscalls.table import CALLS
from syscalls.values import Viewer

ROW = next(call for call in CALLS if call.word == "link")
OWNER, OTHER, ROOT = Viewer(os.getuid(), os.getgid()), Viewer(4321, 4321), Viewer(0, 0)


class Place:
    """A folder with a file, and links to it."""

    def __init__(self, folder):
        (folder / "state").mkdir()
        self.folder = folder / "files"
        self.folder.mkdir()
        for above in (folder, self.folder):
            os.chmod(above, 0o755)
        (self.folder / "plan.md").write_text("plan")
        (self.folder / "d").mkdir()

        async def at_once(call, *arguments):
            call(*arguments)

        self.links = Links(
            sqlite3.connect(":memory:"), at_once, folder / "state", Sees(os.open(self.folder, os.O_PATH), {b".lsfs"})
        )  # fmt: skip
        self.where = None
        self.links.server = lambda: self.where

    def say(self, text, viewer=OWNER, read_only=False):
        command = types.SimpleNamespace(
            viewer=viewer, owner=OWNER.uid, links=self.links, given=given(ROW, text), read_only=read_only
        )
        return trio.run(link.reply, command)

    def json(self, text, viewer=OWNER):
        return json.loads(self.say(f"--json {text}", viewer))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_link_is_valid_for_a_day_and_says_where_it_is(place):
    said = place.say("files/plan.md")
    (one,) = place.links.all()
    assert (one.name, one.path, one.uid) == ("plan.md", b"plan.md", OWNER.uid)
    assert one.until - one.since == pytest.approx(86400, abs=0.01)
    address = f"/l/{place.links.token(one)}/plan.md"
    assert said.splitlines()[0] == f"links/plan.md leads to files/plan.md until {link.local(one.until)}."
    assert said.splitlines()[1] == address and "lsfs serve" in said
    place.where = "http://127.0.0.1:8021"
    assert place.say("plan.md --name two").splitlines()[1].startswith("http://127.0.0.1:8021/l/")


def test_the_time_is_said_as_a_span_or_as_an_end(place):
    before = time.time()
    place.say("plan.md --for 2h --name a")
    place.say("plan.md --until 2999 --name b")
    a, b = place.links.all()
    assert before + 7199 < a.until < time.time() + 7201 and link.local(b.until).startswith("2999-01-01")


def test_a_program_reads_json(place):
    place.where = "http://127.0.0.1:8021"
    (place.folder / "é \n.md").write_text("x")
    made = place.json("'é \n.md'")
    assert made["name"] == "é \n.md" and made["path"] == "files/é \n.md"
    assert made["url"] == f"http://127.0.0.1:8021{made['address']}" and made["address"].endswith(
        "/%C3%A9%20%0A.md"
    )
    listed = place.json("")
    assert listed == {"links": [made], "server": place.where}
    assert place.json("--revoke 'é \n.md'") == {"revoked": "é \n.md"} and place.json("")["links"] == []


def test_without_words_it_lists_as_a_table(place):
    assert "No link" in place.say("")
    (place.folder / "a\tb").write_text("x")
    place.say("'a\tb'")
    place.say("d")
    *table, last = place.say("").splitlines()
    assert last == "# `lsfs serve` is not running"
    lines = [line.split("\t") for line in table]
    assert lines[0] == ["name", "path", "until", "address"] and [len(line) for line in lines] == [4, 4, 4]
    assert lines[1][:2] == ["a\\tb", "files/a\\tb"] and lines[2][:2] == ["d", "files/d"]


def test_names_that_are_no_text_are_linked(place):
    name = os.fsdecode(b"caf\xe9")
    (place.folder / name).write_text("x")
    made = place.json(name)
    assert made["name"] == name and made["address"].endswith("/caf%E9")
    assert json.loads(place.say(f"--check {made['address'].split('/')[2]}"))["path"] == f"files/{name}"


@pytest.mark.parametrize(
    "text",
    ["files", ".", "plan.md --for 2h --until 2999", "plan.md --until 2001", "plan.md --until 9999-12-31", "plan.md --for 0s",
     "plan.md --for soon",
     "--for 2h", "--name x", "--revoke a --name b", "plan.md --revoke a", "--check x plan.md", "plan.md --name a/b",
     "plan.md --name ..",
     "plan.md --name urls.tsv", "plan.md d", "../plan.md", "plan.md --bogus"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_sentence(place, text):
    with pytest.raises(InvalidArgument) as caught:
        place.say(text)
    assert str(caught.value).endswith(".") and place.links.all() == ()


def test_what_cannot_be_linked_is_refused_with_its_errno(place):
    os.mkfifo(place.folder / "fifo")
    os.symlink("/etc/passwd", place.folder / "out")
    refused = {
        "none.md": NotFound,
        "fifo": NotRegular,
        "out": NotRegular,
        "n" * 300: TooLong,
        ".lsfs/x": NotFound,
    }
    for text, error in refused.items():
        with pytest.raises(error):
            place.say(text)
    os.chmod(place.folder / "plan.md", 0o600)
    with pytest.raises(Denied):
        place.say("plan.md", OTHER)
    place.say("plan.md")
    with pytest.raises(Exists):
        place.say("plan.md")


def test_a_link_is_there_for_who_made_it_the_owner_and_root_alone(place):
    place.say("plan.md", OTHER)
    assert (
        "plan.md" in place.say("", OTHER) and "plan.md" in place.say("", ROOT) and "plan.md" in place.say("")
    )
    assert "No link" in place.say("", Viewer(4322, 4322))
    with pytest.raises(NotFound):
        place.say("--revoke plan.md", Viewer(4322, 4322))
    assert "revoked" in place.say("--revoke plan.md", OTHER) and place.links.all() == ()


def test_the_owner_lends_his_rights_to_nobody(place):
    """The server reads as the owner: another user's link, whose file may be another one tomorrow, has no address."""
    made = place.json("plan.md", OTHER)
    assert made["address"] is None and made["url"] is None
    token = place.links.token(place.links.all()[0])
    assert json.loads(place.say(f"--check {token}")) == {"state": "unknown"}
    assert "no address" in place.say("plan.md --name two", OTHER)


def test_what_a_token_leads_to_is_for_the_server(place):
    token = place.json("plan.md")["address"].split("/")[2]
    found = json.loads(place.say(f"--check {token}"))
    assert found == {"state": "valid", "path": "files/plan.md", "until": place.links.all()[0].until}
    assert json.loads(place.say("--check bogus")) == {"state": "unknown"}
    place.say("--revoke plan.md")
    assert json.loads(place.say(f"--check {token}")) == {"state": "ended"}
    for text in (token, "bogus"):
        with pytest.raises(NotPermitted):
            place.say(f"--check {text}", OTHER)


def test_in_a_mount_that_is_read_only_links_are_listed_and_revoked_and_not_made(place):
    place.say("plan.md")
    with pytest.raises(ReadOnly):
        place.say("d", read_only=True)
    assert "plan.md" in place.say("", read_only=True)
    assert place.say("--revoke plan.md", read_only=True) and place.links.all() == ()


def test_links_are_made_from_python(place):
    made = trio.run(
        lambda: link.link(b"plan.md", links=place.links, viewer=OWNER, until=2e9, name="x", now=1.9e9)
    )
    assert (made.name, made.until) == ("x", 2e9)
