"""Links that expire: tokens that nobody forges, times that hold, and rows that outlive the mount."""

import base64
import errno
import fcntl
import os
import stat
import string

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsfs import links
from lsfs.history.store import State
from lsfs.links import KEY, REMEMBERED, SERVER, Links, Sees, key
from syscalls.errors import Denied, Exists, InvalidArgument, NoRoom, NotFound, NotRegular, TooLong
from syscalls.values import Link, Viewer

OWNER, MAKER, OTHER, ROOT = Viewer(500, 500), Viewer(501, 501), Viewer(502, 502), Viewer(0, 0)
HOUR = 3600.0
ANYTHING = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class World:
    """A state folder, a clock that is set, and the links that are kept there."""

    def __init__(self, folder):
        self.folder = folder
        self.now = 1_800_000_000.0
        self.full = False
        self.open()

    def open(self):
        self.state = State(self.folder)

        async def commit(call, *arguments):
            if self.full:
                import sqlite3

                raise sqlite3.OperationalError("database or disk is full")
            call(*arguments)

        self.links = Links(
            self.state.database, commit, self.folder, lambda path, viewer: None, owner=500, now=lambda: self.now
        )  # fmt: skip

    def again(self):
        """What the next mount finds."""
        self.state.close()
        self.open()

    def make(self, name="plan.md", path=b"plan.md", uid=500, seconds=HOUR):
        return trio.run(self.links.make, Link(name, path, uid, self.now, self.now + seconds))

    def do(self, call, *arguments, **options):
        trio.run(lambda: call(*arguments, **options))

    def names(self):
        return [link.name for link in self.links.all()]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "state")
    yield made
    made.state.close()


def test_a_token_leads_to_its_link_until_its_time_and_not_a_millisecond_longer(world):
    token = world.make()
    assert world.links.check(token).path == b"plan.md" and not world.links.ended(token)
    world.now += HOUR - 0.001
    assert world.links.check(token) is not None
    world.now += 0.001
    assert world.links.check(token) is None and world.links.ended(token) and world.names() == []


@ANYTHING
@given(st.data())
def test_a_token_with_any_bit_turned_leads_nowhere(world, data):
    token = world.token = getattr(world, "token", None) or world.make()
    raw = bytearray(base64.urlsafe_b64decode(token + "="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    forged = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert world.links.check(forged) is None and not world.links.ended(forged)


@ANYTHING
@given(st.data())
def test_a_token_with_any_character_changed_leads_nowhere(world, data):
    """Also one whose last character holds bits that stand for nothing: a link has one token, not four."""
    token = world.token = getattr(world, "token", None) or world.make()
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_+/=. \n"))
    forged = token[:at] + other + token[at + 1 :]
    assert forged == token or (world.links.check(forged) is None and not world.links.ended(forged))


@ANYTHING
@given(st.integers(0, 75), st.text(max_size=90))
def test_a_token_cut_short_or_made_up_leads_nowhere(world, length, text):
    token = world.token = getattr(world, "token", None) or world.make()
    for forged in (
        token[:length] if length < len(token) else token + "A",
        text,
        token + text if text else "",
    ):
        assert world.links.check(forged) is None and not world.links.ended(forged)


def test_a_token_of_one_link_with_the_time_of_another_leads_nowhere(world):
    one, other = world.make("a", b"a"), world.make("b", b"b", seconds=9 * HOUR)
    first, second = (base64.urlsafe_b64decode(token + "=") for token in (one, other))
    mixed = base64.urlsafe_b64encode(first[:16] + second[16:24] + first[24:]).rstrip(b"=").decode()
    assert world.links.check(mixed) is None


def test_no_two_links_share_anything_that_could_be_guessed(world):
    tokens = [world.make(str(number)) for number in range(50)]
    ids = {base64.urlsafe_b64decode(token + "=")[:16] for token in tokens}
    assert len(ids) == 50 and all(len(id) == 16 for id in ids)


def test_a_link_that_was_revoked_is_gone_and_one_made_again_has_another_token(world):
    old = world.make()
    world.do(world.links.revoke, "plan.md", OWNER)
    assert world.links.check(old) is None and world.links.ended(old)
    new = world.make()
    assert new != old and world.links.check(new) and world.links.check(old) is None


def test_links_outlive_the_mount_with_their_tokens_and_so_do_revocations(world):
    kept, revoked = world.make("kept"), world.make("revoked")
    world.do(world.links.revoke, "revoked", OWNER)
    world.again()
    assert world.names() == ["kept"] and world.links.token(world.links.all()[0]) == kept
    assert world.links.check(kept) and world.links.check(revoked) is None and world.links.ended(revoked)


def test_a_revocation_that_cannot_be_written_holds_all_the_same(world):
    token = world.make()
    world.full = True
    with pytest.raises(NoRoom, match="not after the next mount"):
        world.do(world.links.revoke, "plan.md", OWNER)
    assert world.links.check(token) is None


def test_a_link_that_cannot_be_written_is_none(world):
    world.full = True
    with pytest.raises(NoRoom):
        world.make()
    assert world.names() == []


def test_a_shorter_time_takes_the_tokens_along_that_were_given_before(world):
    token = world.make(seconds=9 * HOUR)
    world.do(world.links.retime, "plan.md", world.now + HOUR, OWNER)
    world.now += HOUR
    assert world.links.check(token) is None and world.links.ended(token)


def test_a_longer_time_has_a_token_of_its_own_and_the_old_one_ends_when_it_said(world):
    old = world.make()
    world.do(world.links.retime, "plan.md", world.now + 9 * HOUR, OWNER)
    new = world.links.token(world.links.all()[0])
    assert world.links.check(old) and world.links.check(new)
    world.now += HOUR
    assert world.links.check(old) is None and world.links.check(new)


def test_a_time_in_the_past_ends_a_link_at_once_for_good(world):
    token = world.make()
    world.do(world.links.retime, "plan.md", -1.0, OWNER)
    assert world.links.check(token) is None
    with pytest.raises(NotFound):
        world.do(world.links.retime, "plan.md", world.now + HOUR, OWNER)


def test_a_link_that_is_renamed_keeps_its_token(world):
    token = world.make("a")
    world.do(world.links.rename, "a", "b", OWNER)
    world.again()
    assert world.names() == ["b"] and world.links.check(token).name == "b"


def test_a_link_that_is_renamed_onto_another_revokes_that(world):
    moved, there = world.make("a", b"a"), world.make("b", b"b")
    world.do(world.links.rename, "a", "b", OWNER)
    world.again()
    assert (
        world.links.check(moved).name == "b" and world.links.check(there) is None and world.names() == ["b"]
    )
    world.make("c")
    with pytest.raises(Exists):
        world.do(world.links.rename, "b", "c", OWNER, over=False)


def test_to_who_may_not_see_a_link_there_is_none(world):
    world.make(uid=501)
    for call, more in (("revoke", ()), ("retime", (0.0,)), ("rename", ("x",))):
        with pytest.raises(NotFound):
            world.do(getattr(world.links, call), "plan.md", *more, OTHER)
    world.make("mine", uid=502)
    with pytest.raises(Exists):
        world.do(world.links.rename, "mine", "plan.md", OTHER)
    for viewer in (MAKER, OWNER, ROOT):
        world.do(world.links.retime, "plan.md", world.now + HOUR, viewer)


def test_a_name_is_one_link_as_long_as_that_is_valid(world):
    world.make()
    with pytest.raises(Exists):
        world.make()
    world.now += HOUR
    world.make()


def test_two_that_are_made_at_once_are_one(world):
    async def main():
        made = []

        async def make():
            try:
                made.append(await world.links.make(Link("x", b"x", 500, world.now, world.now + HOUR)))
            except Exists:
                made.append(None)

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(make)
        return made

    assert sorted(token is None for token in trio.run(main)) == [False, True, True, True, True]


def test_a_user_fills_no_more_than_his_room(world, monkeypatch):
    monkeypatch.setattr(links, "MOST", 3)
    for name in "abc":
        world.make(name, uid=501)
    with pytest.raises(NoRoom):
        world.make("d", uid=501)
    world.make("d", uid=500)
    world.do(world.links.revoke, "a", MAKER)
    world.make("a", uid=501)


def test_what_ended_long_ago_is_forgotten(world):
    old = world.make("old")
    world.now += REMEMBERED + HOUR + 1
    world.make("new")
    assert world.state.database.execute("select count(*) from link").fetchone() == (1,)
    assert not world.links.ended(old) and world.links.check(old) is None


def test_of_what_one_user_ended_the_oldest_is_forgotten_and_nothing_of_another(world, monkeypatch):
    monkeypatch.setattr(links, "ENDED", 20)
    others, tokens = world.make("his", uid=502), []
    world.do(world.links.revoke, "his", OTHER)
    valid = world.make("mine", uid=501)
    for _ in range(60):
        world.now += 1
        tokens.append(world.make("a", uid=501))
        world.do(world.links.revoke, "a", MAKER)
    for _ in range(2):
        known = [world.links.ended(token) for token in tokens]
        assert known[-18:] == [True] * 18 and sum(known) <= 22 and known == sorted(known)
        assert world.links.ended(others) and world.links.check(valid) is not None
        assert world.state.database.execute("select count(*) from link").fetchone()[0] <= 24
        world.again()


def test_a_clock_that_is_set_back_brings_nothing_back_whose_name_another_link_has(world):
    old = world.make("a", b"old", seconds=HOUR)
    world.now += HOUR + 1
    new = world.make("a", b"new", seconds=HOUR)
    world.now -= HOUR
    for _ in range(2):
        assert world.names() == ["a"] and world.links.named("a").path == b"new"
        assert world.links.check(old) is None and world.links.ended(old)
        assert world.links.check(new).path == b"new"
        world.again()
    world.do(world.links.revoke, "a", OWNER)
    assert world.names() == [] and world.links.check(new) is None and world.links.check(old) is None


def test_names_and_paths_are_any_bytes(world):
    name = os.fsdecode(b"caf\xe9\n")
    token = world.make(name, b"d/caf\xe9\n")
    world.again()
    assert world.names() == [name] and world.links.check(token).path == b"d/caf\xe9\n"


# The key


def test_the_key_is_secret_and_stays(tmp_path):
    made = key(tmp_path)
    found = os.stat(tmp_path / KEY)
    assert stat.S_IMODE(found.st_mode) == 0o600 and found.st_size == 32 and key(tmp_path) == made
    assert os.listdir(tmp_path) == [KEY]


@pytest.mark.parametrize("spoil", ["readable", "short", "empty", "linked", "symlink", "folder"])
def test_a_key_that_somebody_may_know_is_not_used(tmp_path, spoil):
    known = b"k" * 32
    path = tmp_path / KEY
    if spoil == "folder":
        path.mkdir()
        with pytest.raises(OSError):
            key(tmp_path)
        return
    (tmp_path / "known").write_bytes(
        known if spoil not in ("short", "empty") else known[: 5 * (spoil == "short")]
    )
    os.chmod(tmp_path / "known", 0o644 if spoil == "readable" else 0o600)
    if spoil == "symlink":
        path.symlink_to("known")
    elif spoil == "linked":
        os.link(tmp_path / "known", path)
    else:
        os.rename(tmp_path / "known", path)
    made = key(tmp_path)
    assert made != known and len(made) == 32 and key(tmp_path) == made
    assert stat.S_ISREG(os.lstat(path).st_mode)


def test_a_key_that_was_lost_ends_the_addresses_and_not_the_links(world):
    token = world.make()
    os.unlink(world.folder / KEY)
    world.again()
    assert world.names() == ["plan.md"] and world.links.check(token) is None and not world.links.ended(token)


# Where it is served


def test_a_server_is_there_for_as_long_as_it_holds_its_lock(world):
    assert world.links.server() is None
    with open(world.folder / SERVER, "w") as stream:
        stream.write("8021")
        stream.flush()
        assert world.links.server() is None  # somebody may have taken the port of one that was killed
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert world.links.server() == "http://127.0.0.1:8021"
    assert world.links.server() is None


# What may be linked


def test_only_files_and_folders_that_are_shown_and_readable_are_linked(tmp_path):
    folder = tmp_path / "folder"
    (folder / "d").mkdir(parents=True)
    (folder / ".lsfs").mkdir()
    (folder / ".lsfs/link.key").write_text("x")
    (folder / "d/a").write_text("a")
    (folder / "out").symlink_to("/etc")
    os.mkfifo(folder / "fifo")
    for path in (folder, folder / "d"):
        os.chmod(path, 0o755)
    (folder / "secret").write_text("s")
    os.chmod(folder / "secret", 0o600)
    sees = Sees(os.open(folder, os.O_PATH), {b".lsfs"})
    me = Viewer(os.getuid(), os.getgid())
    sees(b"d/a", me)
    sees(b"d", me)
    sees(b"d", Viewer(4321, 4321))
    for path, error in (
        (b"none", NotFound), (b".lsfs/link.key", NotFound), (b".lsfs", NotFound), (b"d/a/b", NotFound), (b"fifo", NotRegular),
        (b"out", NotRegular), (b"out/passwd", InvalidArgument), (b"n" * 300, TooLong), (b"../x", InvalidArgument),
    ):  # fmt: skip
        with pytest.raises(error):
            sees(path, me)
    with pytest.raises(Denied) as caught:
        sees(b"secret", Viewer(4321, 4321))
    assert caught.value.errno == errno.EACCES
    os.chmod(folder / "d", 0o700)
    for path in (b"d/a", b"d/none"):  # whether it is there is not said either
        with pytest.raises(Denied):
            sees(path, Viewer(4321, 4321))
