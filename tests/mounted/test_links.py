"""/links through a real mount: ln, ls, touch, mv, rm and cat, and what they leave; a link that ends is gone for every tool at once."""

import os
import stat
import subprocess
import time

import pytest
from mounted_helpers import LSFS, PATIENCE, WORDS_ONLY, as_nobody, code, reachable, root

NO_INDEX = WORDS_ONLY + "[index]\nenabled = no\n"


@pytest.fixture
def place(mount):
    mounted = mount(conf=NO_INDEX)
    (mounted.files / "plan.md").write_text("the plan\n")
    (mounted.files / "d").mkdir()
    (mounted.files / "d/a").write_text("a\n")
    return mounted


def sh(mounted, script):
    """What bash prints for lines that a user types at the top of the mount; its errors come after."""
    done = subprocess.run(
        ["bash", "-c", script], cwd=mounted.path, capture_output=True, text=True, timeout=PATIENCE
    )
    return done.stdout + done.stderr


def lsfs(mounted, *words):
    return subprocess.run(
        [*LSFS, *words, "--mount", mounted.path], capture_output=True, text=True, timeout=PATIENCE
    )


def names(mounted):
    return sorted(os.listdir(mounted.path / "links"))


def test_a_shell_makes_a_link_reads_through_it_and_takes_it_back(place):
    assert sh(place, "ln -s ../files/plan.md links/plan.md && cat links/plan.md") == "the plan\n"
    assert sh(place, "readlink links/plan.md; ls links; cat files/.versions/plan.md/v1") == (
        "../files/plan.md\nplan.md\nurls.tsv\nthe plan\n"
    )
    assert sh(place, "echo more >> links/plan.md; cat files/plan.md") == "the plan\nmore\n"
    assert sh(place, "rm links/plan.md; ls links; ls files") == "urls.tsv\nd\nplan.md\n"


@pytest.mark.parametrize(
    "target", ["$PWD/files/plan.md", "files/plan.md", "./../files/plan.md", "{folder}/plan.md"]
)
def test_a_file_is_named_as_people_name_it(place, target):
    assert sh(
        place, f"ln -s {target.format(folder=place.folder)} links/x && cat links/x; readlink links/x"
    ) == ("the plan\n../files/plan.md\n")


def test_a_folder_is_walked_through_its_link(place):
    assert sh(place, "ln -s ../files/d links/; cat links/d/a; ls links/d/") == "a\na\n"


def test_ls_shows_until_when_and_touch_sets_it(place):
    before = int(time.time())
    sh(place, "ln -s ../files/plan.md links/")
    link = place.path / "links/plan.md"
    assert before + 86399 <= os.lstat(link).st_mtime <= time.time() + 86401
    sh(place, "touch -h -d '+2 hours' links/plan.md")
    assert before + 7199 <= os.lstat(link).st_mtime <= time.time() + 7201
    sh(place, "touch -h -d 2999-01-02T03:04:05 links/plan.md")
    shown = sh(place, "ls -l --time-style=long-iso links/plan.md")
    assert "2999-01-02 03:04 links/plan.md -> ../files/plan.md" in shown
    assert (
        stat.S_ISLNK(os.lstat(link).st_mode) and (place.files / "plan.md").stat().st_mtime < time.time() + 1
    )


@pytest.mark.parametrize("when", ["", "-d '1 minute ago'", "-d @0"])
def test_a_time_that_has_passed_ends_a_link_at_once(place, when):
    sh(place, "ln -s ../files/plan.md links/")
    assert sh(place, f"touch -h {when} links/plan.md; ls links; cat files/plan.md") == "urls.tsv\nthe plan\n"
    assert code(os.lstat, place.path / "links/plan.md") == "ENOENT"
    assert sh(place, "touch -h -d '+1 day' links/plan.md; ls links").startswith("urls.tsv\n")
    assert sh(place, "ln -s ../files/d links/plan.md; readlink links/plan.md") == "../files/d\n"


def test_a_link_vanishes_at_its_time_from_lookup_and_listing_though_the_kernel_has_just_seen_it(
    place, request
):
    link = place.path / "links/plan.md"
    sh(place, "ln -s ../files/plan.md links/")
    held = os.open(link, os.O_PATH | os.O_NOFOLLOW)
    request.addfinalizer(lambda: os.close(held))
    end = time.time() + 0.7
    os.utime(link, (end, end), follow_symlinks=False)
    while True:
        began = time.time()
        if not os.path.lexists(link):
            break
        assert began < end + 0.001, "it was there after its time"
    assert time.time() >= end - 0.001
    assert names(place) == ["urls.tsv"] and code(os.readlink, link) == code(os.stat, link) == "ENOENT"
    assert code(lambda: os.readlink("", dir_fd=held)) == "ENOENT"


def test_a_link_is_renamed_and_replaced_as_a_file_is(place):
    sh(place, "ln -s ../files/plan.md links/a; ln -s ../files/d links/b")
    until = os.lstat(place.path / "links/a").st_mtime
    assert sh(place, "mv links/a links/c; ls links; readlink links/c") == "b\nc\nurls.tsv\n../files/plan.md\n"
    assert os.lstat(place.path / "links/c").st_mtime == until
    assert sh(place, "mv -T links/c links/b; ls links; readlink links/b") == "b\nurls.tsv\n../files/plan.md\n"
    assert sh(place, "ln -sfn ../files/d links/b; readlink links/b") == "../files/d\n"
    assert sh(place, "mv -n links/b links/urls.tsv; readlink links/b").startswith("../files/d\n")


def test_what_cannot_be_linked_is_refused_by_the_errno_that_ln_shows(place):
    links = place.path / "links"
    os.mkfifo(place.folder / "fifo")
    for target, expected in {
        "/etc/passwd": "EPERM", "../status": "EPERM", "../../x": "EPERM", "plan.md": "EPERM", "../files/../ctl": "EPERM",
        "../files": "EPERM",
        "../files/none": "ENOENT", "../files/.lsfs/link.key": "ENOENT", "../files/fifo": "EINVAL", "../files/plan.md/x": "ENOENT",
        "../files/" + "n" * 300: "ENAMETOOLONG",
    }.items():  # fmt: skip
        assert code(os.symlink, target, links / "x") == expected, target
    assert code(os.symlink, "../files/plan.md", links / ("n" * 256)) == "ENAMETOOLONG"
    os.symlink("../files/plan.md", links / "x")
    assert code(os.symlink, "../files/plan.md", links / "x") == "EEXIST"
    assert code(os.symlink, "../files/plan.md", links / "urls.tsv") == "EEXIST"
    assert (
        code(os.mkdir, links / "y")
        == code(os.mkfifo, links / "y")
        == code(os.unlink, links / "urls.tsv")
        == "EPERM"
    )
    assert code(os.open, links / "y", os.O_CREAT | os.O_WRONLY) == "EPERM"
    assert code(os.link, place.files / "plan.md", links / "y") == "EPERM"
    assert code(os.unlink, links / "none") == code(os.rename, links / "none", links / "y") == "ENOENT"
    assert code(os.rename, links / "x", place.files / "x") == "EROFS"
    assert code(os.rmdir, links / "x") in ("ENOTDIR", "EROFS") and names(place) == ["urls.tsv", "x"]
    assert place.status()["errors"] == []


def test_a_link_outlives_the_mount_with_its_address_and_its_end(place):
    sh(place, "ln -s ../files/plan.md links/kept; ln -s ../files/d links/revoked; rm links/revoked")
    sh(place, "touch -h -d 2999-01-01 links/kept")
    before = (place.path / "links/urls.tsv").read_text(), os.lstat(place.path / "links/kept").st_mtime_ns
    place.umount()
    place.mount()
    assert names(place) == ["kept", "urls.tsv"]
    assert ((place.path / "links/urls.tsv").read_text(), os.lstat(place.path / "links/kept").st_mtime_ns) == before  # fmt: skip


def test_a_revocation_outlives_a_kill(place):
    sh(place, "ln -s ../files/plan.md links/a; ln -s ../files/plan.md links/b; rm links/a")
    place.kill_all()
    place.until(place.dead)
    place.mount()
    assert names(place) == ["b", "urls.tsv"]


def test_the_table_of_addresses_is_read_by_a_shell(place):
    sh(place, "ln -s ../files/plan.md links/p")
    text = sh(place, "tail -n +2 links/urls.tsv | cut -f 1,2,4")
    name, path, address = text.rstrip("\n").split("\t")
    assert (
        (name, path) == ("p", "files/plan.md") and address.startswith("/l/") and address.endswith("/plan.md")
    )


def test_the_command_makes_lists_and_revokes(place):
    made = lsfs(place, "link", "plan.md", "--for", "2h", "--name", "two hours")
    assert made.returncode == 0 and made.stdout.startswith("links/two hours leads to files/plan.md until ")
    assert "two hours\tfiles/plan.md\t" in lsfs(place, "link").stdout
    assert sh(place, "cat 'links/two hours'") == "the plan\n"
    assert lsfs(place, "link", "--revoke", "two hours").returncode == 0 and names(place) == ["urls.tsv"]
    for words in (("none.md",), ("plan.md", "--until", "2001"), ("--revoke", "none"), ("--name", "x")):
        refused = lsfs(place, "link", *words)
        assert refused.returncode == 26 and refused.stderr.startswith("lsfs: "), words


def test_names_that_are_no_text_are_linked(place):
    name = b"caf\xe9\n"
    with open(os.path.join(os.fsencode(place.files), name), "wb") as stream:
        stream.write(b"x")
    links = os.fsencode(place.path / "links")
    os.symlink(b"../files/" + name, os.path.join(links, name))
    assert name in os.listdir(links) and os.stat(os.path.join(links, name)).st_size == 1
    assert (place.path / "links/urls.tsv").read_bytes().count(b"\n") == 2


def test_looking_everywhere_at_links_costs_nothing_and_finds_them(place):
    sh(place, "ln -s ../files/plan.md links/")
    assert (
        sh(place, "find links -type l; grep -rl 'the plan' links; du -s links | cut -f 2")
        == "links/plan.md\nlinks\n"
    )


@root
def test_another_user_sees_neither_the_links_nor_their_addresses_and_makes_his_own(mount):
    place = mount(None, "--allow-other", conf=NO_INDEX)
    reachable(place.path)
    os.chmod(place.folder, 0o777)
    for name in ("plan.md", "secret.md"):
        (place.files / name).write_text("x")
    os.chmod(place.files / "secret.md", 0o600)
    sh(place, "ln -s ../files/plan.md links/mine")
    links = place.path / "links"

    def look():
        seen = os.listdir(links), code(os.lstat, links / "mine"), (links / "urls.tsv").read_text().count("\n")
        refused = code(os.symlink, "../files/secret.md", links / "s"), code(os.unlink, links / "mine")
        retimed = code(lambda: os.utime(links / "mine", (0, 0), follow_symlinks=False))
        os.symlink("../files/plan.md", links / "his")
        return seen, refused, retimed, os.readlink(links / "his"), "/l/" in (links / "urls.tsv").read_text()

    os.lstat(links / "mine")  # the kernel has just been told of it
    assert as_nobody(look) == str(
        ((["urls.tsv"], "ENOENT", 1), ("EACCES", "ENOENT"), "ENOENT", "../files/plan.md", False)
    )
    assert names(place) == ["his", "mine", "urls.tsv"] and os.lstat(links / "his").st_uid == 65534
    os.unlink(links / "his")
