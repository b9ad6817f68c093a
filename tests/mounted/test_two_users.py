"""Only what you may read: two users ask the same mount the same questions."""

import json
import os
import subprocess

import pytest
from mounted_helpers import EVERY, WORDS_ONLY, acl, reachable, write_library

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")

NOBODY = 65534


def run_as(uid: int, *command: object, groups: tuple[int, ...] = ()) -> subprocess.CompletedProcess:
    """Run a command as another user."""
    return subprocess.run(
        [os.fspath(word) for word in command],
        user=uid,
        group=uid,
        extra_groups=list(groups),
        capture_output=True,
        text=True,
        cwd="/",
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A folder in which some files are root's alone, mounted for everybody."""
    root = tmp_path_factory.mktemp("two")
    folder = root / "folder"
    folder.mkdir()
    reachable(folder)
    write_library(folder)
    (folder / "salaries.md").write_text("# Salaries\n\nThe wombat keeper earns four thousand.\n")
    os.chmod(folder / "salaries.md", 0o600)
    (folder / "board").mkdir(mode=0o700)
    (folder / "board" / "minutes.md").write_text("The board fired the wombat keeper.\n")
    (folder / "team.md").write_text("The team likes the wombat keeper.\n")
    os.chown(folder / "team.md", 0, 4242)
    os.chmod(folder / "team.md", 0o640)
    (folder / "public.md").write_text("A wombat keeper was seen in public.\n")
    return root


def test_each_user_finds_what_that_user_may_read(shared, mount):
    mounted = mount(shared / "folder", "--allow-other", conf=WORDS_ONLY)
    reachable(mounted.path)
    mounted.indexed()
    assert set(mounted.found("wombat keeper mode:words")) == {
        "salaries.md",
        "board/minutes.md",
        "team.md",
        "public.md",
    }

    target = mounted.query / "wombat keeper mode:words" / "results.json"
    seen = run_as(NOBODY, "cat", target)
    assert seen.returncode == 0, seen.stderr
    answer = json.loads(seen.stdout)
    assert [hit["path"] for hit in answer["hits"]] == ["files/public.md"]
    assert answer["pending"] == 0
    assert "four thousand" not in seen.stdout and "fired" not in seen.stdout

    member = run_as(NOBODY, "cat", target, groups=(4242,))
    assert {hit["path"] for hit in json.loads(member.stdout)["hits"]} == {"files/public.md", "files/team.md"}

    listed = run_as(NOBODY, "ls", mounted.query / "wombat keeper mode:words").stdout.split()
    assert [name for name in listed if name.endswith("public.md")] == ["01-public.md"]
    passages = run_as(NOBODY, "cat", mounted.query / "wombat keeper mode:words" / "passages.md").stdout
    assert "public.md:1" in passages and "board" not in passages and "salaries" not in passages
    # Root's listing is root's again, though another user has just looked at the same names.
    assert (
        len([name for name in os.listdir(mounted.query / "wombat keeper mode:words") if name[0].isdigit()])
        == 4
    )

    refused = run_as(NOBODY, "cat", mounted.files / "salaries.md")
    assert refused.returncode == 1 and "Permission denied" in refused.stderr
    for command in ("rebuild", "scan"):
        assert run_as(NOBODY, "sh", "-c", f"echo {command} > '{mounted.path}/ctl'").returncode != 0
    status = json.loads(run_as(NOBODY, "cat", mounted.path / "status.json").stdout)
    assert status["errors"] == [] and status["files"] > 0

    os.chmod(mounted.folder / "public.md", 0o600)
    assert json.loads(run_as(NOBODY, "cat", target).stdout)["hits"] == []


def test_access_control_lists_hold_and_the_umask_does(mount, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("named.md", "masked.md"):
        (folder / name).write_text("for one user")
    try:
        os.setxattr(
            folder / "named.md",
            "system.posix_acl_access",
            acl((1, 6, EVERY), (2, 4, NOBODY), (4, 0, EVERY), (16, 4, EVERY), (32, 0, EVERY)),
        )
        os.setxattr(
            folder / "masked.md",
            "system.posix_acl_access",
            acl((1, 6, EVERY), (2, 4, 1234), (4, 4, EVERY), (16, 0, EVERY), (32, 0, EVERY)),
        )
    except OSError:
        pytest.skip("this file system has no access control lists")
    os.chown(folder / "masked.md", 0, NOBODY)
    mounted = mount(folder, "--allow-other", conf="[index]\nenabled = no\n")
    for place in (folder, mounted.path):
        reachable(place)
    assert run_as(NOBODY, "cat", mounted.files / "named.md").stdout == "for one user"
    assert run_as(4321, "cat", mounted.files / "named.md").returncode == 1
    assert run_as(NOBODY, "cat", mounted.files / "masked.md").returncode == 1
    subprocess.run(["sh", "-c", f"umask 027; mkdir '{mounted.files}/d'; : > '{mounted.files}/f'"], check=True)
    assert (folder / "d").stat().st_mode & 0o777 == 0o750 and (folder / "f").stat().st_mode & 0o777 == 0o640


def test_access_control_lists_decide_who_finds_a_file(mount, tmp_path):
    folder = tmp_path / "folder"
    (folder / "opened").mkdir(parents=True)
    for name in ("granted.md", "denied.md", "opened/below.md", "closed.md"):
        (folder / name).write_text(f"the ocelot of {name}")
        (folder / name).chmod(0o600 if name in ("granted.md", "closed.md") else 0o644)
    (folder / "opened").chmod(0o700)
    try:
        for name, bits in (("granted.md", 4), ("denied.md", 0), ("opened", 5)):
            listed = acl((1, 6, EVERY), (2, bits, NOBODY), (4, 0, EVERY), (16, 5, EVERY), (32, 4, EVERY))
            os.setxattr(folder / name, "system.posix_acl_access", listed)
    except OSError:
        pytest.skip("this file system has no access control lists")
    mounted = mount(folder, "--allow-other", conf=WORDS_ONLY)
    for place in (folder, mounted.path):
        reachable(place)
    mounted.indexed()
    found = json.loads(run_as(NOBODY, "cat", mounted.query / "ocelot/results.json").stdout)
    assert sorted(hit["path"] for hit in found["hits"]) == ["files/granted.md", "files/opened/below.md"]
    for name, readable in (("granted.md", 0), ("denied.md", 1), ("opened/below.md", 0), ("closed.md", 1)):
        assert run_as(NOBODY, "cat", mounted.files / name).returncode == readable


def test_no_rank_tells_of_words_in_a_neighbour_that_is_closed(mount, tmp_path):
    folder = tmp_path / "folder"
    (folder / "talk").mkdir(parents=True)
    for number in range(30):
        (folder / f"{'x' * (number + 1)}.md").write_text(f"filler of kind{number}\n")
    (folder / "talk/turn_1.txt").write_text("the wombat was dismissed\n")
    for other in ("talk/turn_2.txt", "talk/named_2.txt"):
        (folder / other).write_text("yes it was said\n")
    (folder / "talk/named_1.txt").write_text("the wombat was dismissed\n")
    rows = ((1, 6, EVERY), (2, 0, NOBODY), (4, 4, EVERY), (16, 4, EVERY), (32, 4, EVERY))
    try:  # closed to one user, and yet of the mode that its neighbour has
        os.setxattr(folder / "talk/named_1.txt", "system.posix_acl_access", acl(*rows))
    except OSError:
        pytest.skip("this file system has no access control lists")
    mounted = mount(folder, "--allow-other", conf=WORDS_ONLY)
    reachable(mounted.path)
    mounted.indexed()
    (mounted.path / "snapshots" / "then").mkdir()
    os.chmod(mounted.files / "talk/turn_1.txt", 0o600)  # closed since: what it was then is closed as well
    for place in ("query", "snapshots/then/query"):
        target = mounted.path / place / "wombat dismissed" / "results.json"
        own = {hit["path"] for hit in json.loads(target.read_text())["hits"]}
        assert {"files/talk/turn_1.txt", "files/talk/named_1.txt", "files/talk/named_2.txt"} <= own
        seen = run_as(NOBODY, "cat", target)
        assert json.loads(seen.stdout)["hits"] == [], place
