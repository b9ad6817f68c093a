"""Questions within questions, and hits in groups, through a real mount, with a real model."""

import json
import os
import shlex
import subprocess

import pytest
from mounted_helpers import LSFS, NOBODY, as_nobody, root


def shell(mounted, command):
    """A shell command at the top of the mount; its output."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=mounted.path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def hits(mounted, path):
    return [line[3:] for line in shell(mounted, f"ls {path}").splitlines() if line[:1].isdigit()]


def searches(mounted):
    status = mounted.status()
    return status["searches"], status["embeddings"]


@pytest.fixture
def notes(mount, tmp_path):
    """A small indexed mount of this test's own."""
    folder = tmp_path / "notes"
    (folder / "papers").mkdir(parents=True)
    (folder / "papers/bread.md").write_text(
        "---\nauthor: Ann Baker\n---\n\nFlour, water and a sourdough starter.\n"
    )
    (folder / "papers/oven.txt").write_text("Bake bread at 240 degrees.\n")
    (folder / "soup.md").write_text("Red lentils and cumin, with bread.\n")
    mounted = mount(folder)
    mounted.indexed()
    return mounted


def test_words_filter_and_meaning_ranks_in_both_orders(library):
    assert hits(library, "query/'mode:words refund'/and/'how do I get my money back'") == [
        "refund-policy.md",
        "faq.md",
    ]
    assert hits(library, "query/'how do I get my money back'/and/'mode:words refund'") == [
        "refund-policy.md",
        "faq.md",
    ]
    assert hits(library, "query/'mode:words refund'/and/'how long does a parcel take limit:1'") == ["faq.md"]


def test_either_and_only_are_asked_the_same_way(library):
    both = hits(library, "query/'mode:words refund'/or/'mode:words lentils'")
    assert sorted(both) == ["faq.md", "refund-policy.md", "soup.md"]
    assert hits(library, "query/type:md/not/'in:recipes in:policies'/not/'mode:words purchase'") == ["faq.md"]
    assert "refund-policy.md" not in hits(library, "query/type:md/not/'how do I get my money back limit:1'")


def test_questions_are_nested_below_a_folder_too(library):
    link = library.files / "policies/.query/type:md/and/a lost phone/01-security.md"
    assert os.readlink(link) == "../../../../security.md" and link.read_text().startswith("# Security")


def test_the_links_of_a_group_lead_to_the_files(library):
    shell(library, 'for link in query/refund/by-*/*/* ; do test -f "$link" || exit 1; done')
    assert hits(library, "query/'call again limit:1'/by-type/py") == ["retry.py"]
    assert set(shell(library, "ls query/refund/by-folder").split()) == {"policies", "recipes", "src", "∕"}


def test_topics_put_what_is_about_the_same_thing_together(library):
    found = {}
    for topic in os.listdir(library.query / "type:md" / "by-topic"):
        for name in os.listdir(library.query / "type:md" / "by-topic" / topic):
            found[name[3:]] = topic
    assert len(found) == 6 and found["refund-policy.md"] == found["faq.md"] != found["bread.md"]


def test_a_group_is_by_the_author_that_a_file_names_and_else_by_its_owner(notes):
    groups = {
        name: os.listdir(notes.query / "bread/by-author" / name)
        for name in os.listdir(notes.query / "bread/by-author")
    }
    assert [name[3:] for name in groups["Ann Baker"]] == ["bread.md"] and len(groups) == 2


def test_a_nested_question_is_read_as_what_it_is(library):
    path = library.query / "refund" / "not" / "mode:words lentils" / "results.json"
    answer = json.loads(path.read_text())
    assert answer["prompt"] == "refund AND NOT mode:words lentils" and answer["read"]["notes"]


def test_walking_over_saved_questions_and_their_groups_costs_no_search(notes):
    shell(notes, "mkdir query/bread; mv query/bread query/baking; ls query/baking")
    notes.until(
        lambda: notes.ask("bread")["meaning"], lambda meaning: meaning in ("used", "off", "unavailable")
    )
    before = searches(notes)
    assert "./query/baking/by-type/md" in shell(notes, "find .")
    shell(
        notes, "find . -type f | wc -l; grep -r cumin . ; ls -R query/baking; du -s .; tar cf /dev/null query"
    )
    assert searches(notes) == before


def test_a_question_gets_a_short_name_by_mv_and_keeps_it_over_a_remount(notes):
    shell(
        notes,
        'mkdir query/"what do we put into the oven"; mv query/"what do we put into the oven" query/oven',
    )
    assert os.listdir(notes.query) == ["oven"]
    assert (
        json.loads((notes.query / "oven/results.json").read_text())["prompt"]
        == "what do we put into the oven"
    )
    notes.umount()
    notes.mount()
    assert os.listdir(notes.query) == ["oven"] and "oven.txt" in " ".join(os.listdir(notes.query / "oven"))
    (notes.files / "pizza.md").write_text("Put the pizza into the oven.\n")
    notes.until(lambda: any(name.endswith("pizza.md") for name in os.listdir(notes.query / "oven")))
    os.rename(notes.query / "oven", notes.query / "hot")
    assert os.listdir(notes.query) == ["hot"]
    os.mkdir(notes.query / "cold")
    with pytest.raises(FileExistsError):
        os.rename(notes.query / "cold", notes.query / "hot")
    for old, new, code in (
        (notes.query / "nothing", notes.query / "x", 2),
        (notes.query / "hot", notes.files / "hot", 30),
    ):
        with pytest.raises(OSError) as caught:
            os.rename(old, new)
        assert caught.value.errno == code
    shell(notes, "rmdir query/hot query/cold")
    assert os.listdir(notes.query) == []


def test_questions_are_nested_in_the_past_as_well(notes):
    shell(notes, "mkdir snapshots/before; echo nothing > files/soup.md")
    then = "snapshots/before/query"
    assert hits(notes, f"{then}/'mode:words bread'/and/lentils")[0] == "soup.md"
    assert shell(notes, f"cat {then}/'mode:words lentils'/by-folder/∕/01-soup.md").startswith("Red lentils")
    assert shell(notes, f"ls {then}/bread/by-topic")
    notes.until(
        lambda: hits(notes, "query/'mode:words bread'/and/lentils"), lambda found: "soup.md" not in found
    )


def test_an_answer_is_copied_by_plain_tools(notes):
    shell(
        notes,
        "mkdir files/new; cp -L query/'mode:words bread'/[0-9]* files/new/; cp -rL query/bread/by-type/md files/mds",
    )
    assert sorted(name[3:] for name in os.listdir(notes.files / "new")) == ["bread.md", "oven.txt", "soup.md"]
    assert all(os.path.isfile(notes.folder / "mds" / name) for name in os.listdir(notes.files / "mds"))


@root
def test_nested_questions_show_another_user_only_what_he_may_read(library):
    path = library.folder / "policies/security.md"
    os.chmod(path, 0o600)
    try:
        listed = as_nobody(lambda: os.listdir(library.query / "type:md" / "and" / "a lost phone"))
        assert "security.md" not in listed and "travel.md" in listed
        listed = as_nobody(lambda: os.listdir(library.query / "a lost phone" / "by-folder" / "policies"))
        assert "security.md" not in listed and "travel.md" in listed
    finally:
        os.chmod(path, 0o644)
    assert NOBODY


def test_a_link_of_an_answer_is_a_path_for_calls_from_a_shell_and_for_ctl(notes):
    def call(*words):
        done = subprocess.run([*LSFS, *words], cwd=notes.path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + notes.log()
        return done.stdout

    def ctl(line):
        return shell(notes, f"exec 3<>ctl; echo {shlex.quote(line)} >&3; cat <&3")

    shell(
        notes, "echo 'More flour.' >> files/papers/bread.md; mkdir query/'flour'; mv query/flour query/dough"
    )
    name = hits(notes, "query/dough")[0]
    assert name == "bread.md"
    links = [
        "query/mode:words flour/01-bread.md",
        "query/dough/01-bread.md",
        "query/type:md/and/mode:words flour/01-bread.md",
        "query/mode:words flour/by-type/md/01-bread.md",
        "files/papers/.query/mode:words flour/01-bread.md",
    ]
    for link in links:
        if not (notes.path / link).is_symlink():
            raise AssertionError(f"{link} is no link")
        assert json.loads(call("get", "--json", link))["path"] == "files/papers/bread.md"
        assert json.loads(ctl(f"get --json {shlex.quote(link)}"))["path"] == "files/papers/bread.md"
        assert call("log", link) == call("log", "files/papers/bread.md") == ctl(f"log {shlex.quote(link)}")
        plan = json.loads(call("rollback", link, "--versions", "1", "--dry-run", "--json"))
        said = json.loads(ctl(f"rollback {shlex.quote(link)} --versions 1 --dry-run"))
        assert plan["path"] == said["path"] == "files/papers/bread.md"
    call("lock", links[0], "--for", "1h")
    assert b" until 20" in os.getxattr(notes.path / "files/papers/bread.md", "user.lsfs.lock")
    ctl(f"unlock {shlex.quote(links[0])}")
    done = subprocess.run(
        [*LSFS, "log", "query/dough/09-none.md"], cwd=notes.path, capture_output=True, text=True
    )
    assert done.returncode != 0 and "query/dough/09-none.md" in done.stderr
