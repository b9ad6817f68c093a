"""Every call of the table through a real mount, by /ctl, by `lsfs` and from Python: a line of each that works, one that is refused."""

import json
import os
import subprocess

import pytest
from mounted_helpers import LSFS, PATIENCE

from lsfs.calls import Mount
from syscalls.table import CALLS

# word -> lines that work, in this order, on the library of documents; what the first ones make is there for the later ones
WORKS = {
    "query": ["query refunds"],
    "save": ["save open questions"],
    "forget": ["forget open questions"],
    "status": ["status"],
    "scan": ["scan policies"],
    "rebuild": ["rebuild"],
    "snapshot": ["snapshot before", "snapshot"],
    "log": ["log faq.md", "log policies", "log"],
    "watch": ["watch policies", "watch faq.md"],
    "create": ["create new.md --text one", "create folder/", "create folder/copy.md --from faq.md",
               "create policies-2 --from policies"],
    "get": ["get new.md"],
    "append": ["append new.md --text ' two'"],
    "replace": ["replace new.md --text three"],
    "compare": ["compare new.md", "compare new.md --with faq.md", "compare files --from before"],
    "touch": ["touch new.md", "touch new.md --at 2026-01-02T03:04:05"],
    "lock": ["lock new.md --for 2h --why 'final version'"],
    "unlock": ["unlock new.md"],
    "join": ["join new.md faq.md --into joined.md"],
    "translate": ["translate new.md --to html"],
    "link": ["link new.md --for 1h --name shared", "link", "link --revoke shared"],
    "keywords": ["keywords 'refund* AND NOT holiday'"],
    "semantic": ["semantic 'getting money back' --k 3"],
    "integrated": ["integrated 'refund OR return' 'getting money back'"],
    "combine": ["combine refunds 'type:md' --how both"],
    "group": ["group money 'getting money back'", "group", "group 'type:md' --into frozen",
              "group 'type:md' --by type", "group money --drop"],
    "summarise": ["summarise 'how do refunds work'"],
    "delete": ["delete joined.md", "delete --matching 'type:html'"],
    "undelete": ["undelete joined.md"],
    "rollback": ["rollback new.md --versions 1"],
    "undo": ["undo"],
    "purge": ["purge frozen"],
    "ask": ["ask 'lock faq.md for two hours'"],
    "help": ["help", "help lock"],
}  # fmt: skip
REFUSED = {
    "query": "query", "save": "save", "forget": "forget never saved", "status": "status now", "scan": "scan ../x", "rebuild": "rebuild now",
    "snapshot": "snapshot a/b", "log": "log never.md", "watch": "watch never.md", "create": "create faq.md", "get": "get never.md",
    "append": "append never.md --text x", "replace": "replace policies --text x", "compare": "compare never.md", "touch": "touch never.md",
    "lock": "lock never.md", "unlock": "unlock faq.md", "join": "join faq.md never.md --into x.md",
    "translate": "translate never.md --to html",
    "link": "link never.md", "keywords": "keywords '(a AND'", "semantic": "semantic x --k none", "integrated": "integrated '(a' x",
    "combine": "combine a b --how none", "group": "group x y --by shape", "summarise": "summarise x --sentences 0",
    "delete": "delete never.md",
    "undelete": "undelete never.md", "rollback": "rollback never.md --versions 1", "undo": "undo now", "purge": "purge never.md",
    "ask": "ask colourless green ideas sleep furiously", "help": "help nothing-of-that-name",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    from mounted_helpers import Mounted, write_library

    top = tmp_path_factory.mktemp("calls")
    folder, path = top / "folder", top / "mount"
    folder.mkdir()
    path.mkdir()
    write_library(folder)
    mounted = Mounted(folder, path, folder / ".lsfs", ())
    try:
        mounted.mount().indexed()
        yield mounted
        mounted.umount()
        assert "Traceback" not in mounted.log(), mounted.log()
    finally:
        mounted.clean()


def test_every_call_has_a_line_that_works_and_one_that_is_refused():
    assert list(WORKS) and set(WORKS) == set(REFUSED) == {call.word for call in CALLS}


def test_every_call_works_by_ctl_and_answers_with_json_where_it_is_asked_to(place):
    ctx = Mount(place.path)
    typed = {call.word for call in CALLS if call.typed}
    for word, lines in WORKS.items():
        for line in lines:
            answer = ctx.say(line + (" --json" if word in typed else ""))
            assert answer or word in ("semantic", "forget"), line
            if word in typed:
                assert isinstance(json.loads(answer), dict), line
            assert "\\udc" not in answer
            place.indexed()


@pytest.mark.parametrize("word", sorted(REFUSED))
def test_every_call_refuses_with_an_errno_and_a_sentence(place, word):
    with pytest.raises(OSError) as caught:
        Mount(place.path).say(REFUSED[word])
    assert caught.value.errno and caught.value.errno != 5
    assert caught.value.strerror.endswith((".", ")")), caught.value.strerror


@pytest.mark.parametrize("word", sorted(call.word for call in CALLS if call.typed))
def test_every_typed_call_is_refused_by_the_command_line_with_one_sentence(place, word):
    done = subprocess.run(
        ["bash", "-c", f'"$@" {REFUSED[word]}', "lsfs", *LSFS], cwd=place.files, capture_output=True, text=True, timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode not in (0, 70) and "Traceback" not in done.stderr
    assert done.stderr.startswith("lsfs: ") and len(done.stderr.splitlines()) <= 3


@pytest.mark.parametrize(
    "line",
    [
        "save a question",
        "scan policies",
        "snapshot one",
        "snapshot",
        "rebuild",
        "status",
        "query refunds",
        "rollback faq.md --to one --dry-run",
    ],
)
def test_the_older_calls_print_json_as_well(place, line):
    done = subprocess.run(
        [*LSFS, *line.split(), "--json"],
        cwd=place.path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)


def test_every_typed_call_is_a_method_of_a_mount(place):
    ctx = Mount(place.files / "policies")  # any path in it will do
    assert ctx.create("py.md", text="from Python")["path"] == "files/py.md"
    assert ctx.get("py.md")["text"] == "from Python"
    assert ctx.lock(b"py.md", for_="2h")["path"] == "files/py.md"
    with pytest.raises(PermissionError):
        ctx.append("py.md", text="x")
    ctx.unlock("py.md")
    with pytest.raises(FileExistsError, match="py"):
        ctx.create("py.md")
    assert ctx.keywords("refund*")["hits"]
    plan = ctx.delete(matching='mode:words "from Python"')
    assert [change["path"] for change in plan["changes"]] == ["files/py.md"]
    ctx.delete(token=plan["token"])
    assert not (place.files / "py.md").exists()
    with pytest.raises(TypeError):
        ctx.get("a", "b")
    with pytest.raises(AttributeError):
        ctx.fly("a")
    with pytest.raises(OSError, match="lsfs"):
        Mount("/proc")


def test_a_name_from_anywhere_is_one_word(place):
    ctx = Mount(place.path)
    for name in ("a b.md", "--json", 'it\'s "quoted".md', "caf\udce9.md", "$(touch x).md", "#.md"):
        ctx.create(name, text=name.encode("utf-8", "surrogateescape").hex())
        assert os.path.exists(os.fsencode(place.files) + b"/" + os.fsencode(name))
        assert ctx.get(name)["path"] == "files/" + name
        ctx.delete(name)


def test_a_file_of_the_users_that_is_called_ctl_is_no_ctl(mount):
    place = mount(conf="[engine]\nmodel = none\n")
    (place.files / "project/sub").mkdir(parents=True)
    (place.files / "project/ctl").write_text("mine")
    ctx = Mount(place.files / "project/sub")
    assert ctx.path == os.path.realpath(place.path) and ctx.get("project/ctl")["text"] == "mine"
    with pytest.raises(TypeError):
        ctx.query("refunds", k=3)
    assert (place.files / "project/ctl").read_text() == "mine"


def test_a_folder_with_a_file_called_ctl_is_no_mount(tmp_path):
    (tmp_path / "ctl").write_text("mine")
    with pytest.raises(OSError, match="Nothing of lsfs"):
        Mount(tmp_path)
