"""cli: one sentence for each outcome, one exit code for each reason, and nothing is loaded that is not needed."""

import json
import os
import pathlib
import stat
import subprocess
import sys

import pytest

from lsfs import cli, refusals
from lsfs.cli import helper, query, status, umount
from lsfs.mountinfo import Mount

HEAVY = (
    "torch",
    "lancedb",
    "pyfuse3",
    "trio",
    "numpy",
    "sentence_transformers",
    "lark",
    "msgpack",
    "sqlite3",
    "lsfs.daemon",
)


@pytest.fixture
def place(tmp_path):
    """A folder and an empty mountpoint."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "mnt").mkdir()
    return tmp_path


def refused(capsys, *words):
    """The exit code and the sentence of a command that must not succeed."""
    code = cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("lsfs: ") and captured.err.count("\n") == 1, captured.err
    assert "Traceback" not in captured.err
    return code, captured.err


def test_help_loads_click_and_nothing_of_size():
    script = "import sys, lsfs.cli; code = lsfs.cli.main(['--help']); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & set(HEAVY)
    assert "click" in loaded and not any(name.startswith("lsfs.cli.") for name in loaded)
    for row in cli.COMMANDS:
        assert f"  {row.name}" in done.stdout and row.summary in done.stdout


def test_help_of_every_command_loads_nothing_of_size_either():
    script = (
        "import sys, lsfs.cli; lsfs.cli.main([sys.argv[1], '--help']); print(*sys.modules, file=sys.stderr)"
    )
    for row in cli.COMMANDS:
        done = subprocess.run(
            [sys.executable, "-c", script, row.name], capture_output=True, text=True, check=True
        )
        assert not set(done.stderr.split()) & (set(HEAVY) - {"sqlite3"}), row.name
        assert done.stdout.startswith(f"Usage: lsfs {row.name}")


def test_every_refusal_has_a_code_of_its_own():
    codes = [kind.code for kind in refusals.REFUSALS]
    assert len(set(codes)) == len(codes) and min(codes) == 10
    assert all(kind.meaning for kind in refusals.REFUSALS)


def test_a_refusal_comes_back_from_its_code():
    for kind in refusals.REFUSALS:
        assert isinstance(refusals.refusal(kind.code, "so"), kind)
    assert isinstance(refusals.refusal(999, "so"), refusals.DaemonFailed)


@pytest.mark.parametrize(
    ("folder", "mountpoint", "code"),
    [
        ("missing", "mnt", refusals.FolderMissing.code),
        ("file", "mnt", refusals.NotAFolder.code),
        ("folder", "missing", refusals.MountpointMissing.code),
        ("folder", "file", refusals.MountpointMissing.code),
        ("folder", "full", refusals.MountpointNotEmpty.code),
        ("folder", "folder/inner", refusals.Overlap.code),
        ("folder/inner", "folder", refusals.Overlap.code),
        ("folder", "folder", refusals.Overlap.code),
        ("folder", "link", refusals.Overlap.code),
    ],
)
def test_folders_that_cannot_be_mounted_are_refused(place, capsys, folder, mountpoint, code):
    (place / "file").write_text("text")
    (place / "folder/inner").mkdir()
    (place / "full").mkdir()
    (place / "full/there.txt").write_text("text")
    (place / "link").symlink_to("folder/inner")
    assert refused(capsys, "mount", place / folder, place / mountpoint)[0] == code
    assert not (place / "folder/.lsfs").exists()


@pytest.mark.parametrize("state", ["mnt", "mnt/state", ".", "folder/deep/state"])
def test_a_state_folder_in_the_wrong_place_is_refused(place, capsys, state):
    code, sentence = refused(capsys, "mount", "--state", place / state, place / "folder", place / "mnt")
    assert code == refusals.Overlap.code and "--state" in sentence or "directly" in sentence


def test_a_state_folder_that_cannot_be_made_is_refused(place, capsys):
    (place / "file").write_text("text")
    code, sentence = refused(
        capsys, "mount", "--state", place / "file/state", place / "folder", place / "mnt"
    )
    assert code == refusals.StateUnusable.code and str(place / "file/state") in sentence


@pytest.mark.parametrize(
    ("mode", "names", "word"),
    [
        (0o755, [], "open to other users"),
        (0o777, ["lock"], "open to other users"),
        (0o700, ["thesis.tex"], "thesis.tex"),
    ],
)
def test_a_state_folder_that_was_not_made_for_it_is_refused_and_left_alone(place, capsys, mode, names, word):
    state = place / "state"
    state.mkdir()
    for name in names:
        (state / name).touch()
    state.chmod(mode)
    code, sentence = refused(capsys, "mount", "--state", state, place / "folder", place / "mnt")
    assert code == refusals.StateUnusable.code and word in sentence and "--state" in sentence
    assert stat.S_IMODE(state.stat().st_mode) == mode and sorted(os.listdir(state)) == names


def test_a_state_folder_that_is_a_symlink_is_refused(place, capsys):
    (place / "elsewhere").mkdir(mode=0o700)
    (place / "folder/.lsfs").symlink_to(place / "elsewhere")
    code, sentence = refused(capsys, "mount", place / "folder", place / "mnt")
    assert code == refusals.StateUnusable.code and "symbolic link" in sentence


def test_a_symlink_in_the_state_folder_is_not_written_through(place, capsys):
    (place / "folder/.lsfs").mkdir()
    (place / "folder/.lsfs/daemon.log").symlink_to(place / "precious")
    code, sentence = refused(capsys, "mount", place / "folder", place / "mnt")
    assert code == refusals.StateUnusable.code and "daemon.log" in sentence
    assert not (place / "precious").exists()


@pytest.mark.parametrize(
    "names", [[], ["lsfs.conf"], ["daemon.log", ".gitignore"], ["history.db", "vectors.db"]]
)
def test_a_state_folder_of_lsfs_or_an_empty_one_is_taken(place, names):
    from lsfs import preflight

    state = place / "state"
    state.mkdir(mode=0o700)
    for name in names:
        (state / name).touch()
    preflight._made_for_lsfs(state, place / "folder/.lsfs")
    (place / "folder/.lsfs").mkdir(mode=0o755)
    preflight._made_for_lsfs(place / "folder/.lsfs", place / "folder/.lsfs")


def test_a_model_that_is_not_there_is_refused(place, capsys):
    code, sentence = refused(capsys, "mount", "--model", "no-such-model", place / "folder", place / "mnt")
    assert code == refusals.ModelMissing.code and "no-such-model" in sentence


def test_a_bad_setting_is_refused_with_its_file_and_key(place, capsys):
    (place / "folder/.lsfs").mkdir()
    (place / "folder/.lsfs/lsfs.conf").write_text("[index]\nenabled = perhaps\n")
    code, sentence = refused(capsys, "mount", place / "folder", place / "mnt")
    assert code == refusals.SettingInvalid.code and "lsfs.conf" in sentence and "enabled" in sentence


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["mount"],
        ["mount", "--nonsense", "a", "b"],
        ["query"],
        ["query", "--limit", "0", "a"],
        ["query", "--limit", "some", "a"],
        ["completion", "cmd"],
    ],
)
def test_a_wrong_command_line_is_exit_code_2(capsys, words):
    assert refused(capsys, *words)[0] == 2


def test_what_is_not_mounted_cannot_be_unmounted_or_asked(place, capsys):
    for words in (
        ["umount", place / "mnt"],
        ["status", place / "mnt"],
        ["query", "--mount", place / "mnt", "refunds"],
    ):
        assert refused(capsys, *words)[0] == refusals.NotMounted.code


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_mountpoint_of_somebody_else_is_refused(place):
    for above in (place, place.parent, place.parent.parent):
        above.chmod(0o755)
    script = (
        "import os, sys, lsfs.cli.mount, lsfs.models; os.setgroups([]); os.setgid(65534); os.setuid(65534); "
        f"sys.exit(lsfs.cli.main(['mount', {str(place / 'folder')!r}, {str(place / 'mnt')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, "HOME": "/"}
    )
    assert done.returncode == refusals.NoPermission.code, done.stderr
    assert done.stderr.startswith("lsfs: you may not write to")


def test_an_error_that_should_not_happen_is_a_sentence_and_70(capsys, monkeypatch):
    def broken(*arguments, **options):
        raise KeyError("gone")

    monkeypatch.setattr(cli.group, "main", broken)
    monkeypatch.delenv("LSFS_DEBUG", raising=False)
    code, sentence = refused(capsys, "status")
    assert code == cli.BUG and "KeyError" in sentence and "LSFS_DEBUG" in sentence


def test_a_reader_who_goes_away_ends_the_output_quietly():
    script = "import os, lsfs.cli, sys; sys.exit(lsfs.cli.main(['completion', 'bash']))"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-c", script], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (cli.PIPE_CLOSED, b"")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_that_names_the_command(capsys, shell):
    assert cli.main(["completion", shell]) == 0
    assert "_LSFS_COMPLETE" in capsys.readouterr().out


def test_completion_offers_the_commands():
    environ = {**os.environ, "_LSFS_COMPLETE": "bash_complete", "COMP_WORDS": "lsfs st", "COMP_CWORD": "1"}
    script = "import sys, lsfs.cli; sys.exit(lsfs.cli.main([]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environ)
    assert done.stdout.split() == ["plain,status"]


def test_mount_8_is_understood():
    words = helper.translate(
        [
            "/notes",
            "/ctx",
            "-o",
            "rw,ro,noauto,x-systemd.automount,state=/var/x",
            "-o",
            "allow_other,shared_folder",
        ]
    )
    assert words == [
        "mount",
        "--read-only",
        "--state",
        "/var/x",
        "--allow-other",
        "--shared",
        "--",
        "/notes",
        "/ctx",
    ]


def test_an_option_of_mount_8_that_is_not_ours_is_refused(place, capsys):
    code, sentence = refused(capsys, place / "folder", place / "mnt", "-o", "colour=red")
    assert code == refusals.SettingInvalid.code and "colour" in sentence


def test_a_passage_cannot_speak_to_the_terminal(capsys):
    hits = [
        {
            "path": "files/a\x1b]0;b.md",
            "score": 1.0,
            "passages": [{"lines": [1, 2], "text": "a\x1b[2Jb\x07", "score": 1.0}],
        }
    ]
    query.show(hits, "/ctx")
    assert capsys.readouterr().out == "/ctx/files/a\\x1b]0;b.md:1-2  1.000\n    a?[2Jb?\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["patent", "-warranty"], "query patent -warranty"),
        (["--limit", "5", "-cheese", "wine"], "query -cheese wine limit:5"),
        (["--limit", "all", "type:md"], "query type:md limit:all"),
        (["--mount", "/ctx", "-x", "--", "--json"], "query -x --json"),
        (['in:"my  papers"', "refund"], 'query in:"my  papers" refund'),
    ],
)
def test_a_word_behind_a_dash_belongs_to_the_prompt(place, capsys, monkeypatch, words, line):
    asked = []
    monkeypatch.setattr(
        query.client, "locate", lambda path: Mount(str(place), "fuse.lsfs", "/x", frozenset())
    )
    monkeypatch.setattr(query.client, "control", lambda mount, text: asked.append(text) or "/query/x")
    monkeypatch.setattr(query, "results", lambda path: b'{"hits": []}')
    assert cli.main(["query", *words]) == query.NOTHING
    assert asked == [line]
    assert cli.main(["save", "-mine", "--", "--x"]) == 0 and asked[-1] == "save -mine --x"


def test_a_mistake_names_the_help_of_its_command(capsys):
    assert "`lsfs query --help`" in refused(capsys, "query", "--jsn", "a")[1]
    assert "`lsfs --help`" in refused(capsys, "nonsense")[1]
    assert cli.main(["query", "-h"]) == 0 and capsys.readouterr().out.startswith("Usage: lsfs query")


def test_what_mount_8_asks_for_and_nobody_sees_to_is_refused(place, capsys):
    assert "noexec" in refused(capsys, place / "folder", place / "mnt", "-o", "noexec")[1]


def test_the_bar_is_full_when_nothing_is_pending_and_never_fails():
    assert status.bar({"files": 4, "pending": 0, "engine": {"state": "ready"}}).startswith("[####")
    assert " 50% 2 of 4 files, engine ready" in status.bar(
        {"files": 4, "pending": 2, "engine": {"state": "ready"}}
    )
    assert status.bar({"files": 4, "pending": 2, "progress": {"left": 300}}).endswith(", about 5 min left")
    for report in (
        {},
        {"files": 0, "pending": 3, "progress": {"left": None}},
        {"files": 2, "pending": 5, "engine": None},
    ):
        assert status.bar(report).startswith("[")


def test_complaints_of_fusermount_become_refusals():
    mount = Mount("/nowhere", "fuse.lsfs", "/x", frozenset())
    busy = umount.why(mount, "fusermount3: failed to unmount /nowhere: Device or resource busy\n")
    foreign = umount.why(mount, "fusermount3: entry for /nowhere not found in /etc/mtab\n")
    assert (busy.code, foreign.code) == (refusals.MountBusy.code, refusals.NoPermission.code)


def test_the_command_that_is_installed_is_this_one():
    configuration = pathlib.Path(__file__).parents[2] / "setup.cfg"
    assert "lsfs = lsfs.cli:main" in configuration.read_text()


def test_the_childs_line_carries_every_setting_that_a_flag_can_change(place):
    from lsfs import config
    from lsfs.cli import mount

    settings = config.load(
        place / "folder",
        place / "mnt",
        flags={"read_only": True, "allow_other": True, "shared": True, "model": "x"},
        environ={},
    )
    line = mount.command(settings, 7)
    assert {"--read-only", "--allow-other", "--shared"} <= set(line) and line[
        line.index("--model") + 1
    ] == "x"
    assert line[1] == "-P" and json.dumps(line)
