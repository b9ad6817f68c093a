"""The commands at work on real mounts: what they print, and how they end when things are not as they should be."""

import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys

import pytest
from mounted_helpers import LSFS

from lsfs import refusals
from lsfs.refusals import CommandRefused, DaemonFailed, EngineDown, MountBusy

FILES_ONLY = "[index]\nenabled = no\n"
PATIENCE = 120


def lsfs(*words, cwd=None, env=None):
    """Run a command of lsfs with a short timeout; the module is found wherever it is run from."""
    root = str(pathlib.Path(__file__).parents[2])
    environ = {**os.environ, "PYTHONPATH": root, **(env or {})}
    command = [sys.executable, "-P", "-m", "lsfs", *map(os.fspath, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=cwd, env=environ)


def test_query_prints_paths_that_can_be_opened_and_exits_like_grep(library):
    done = lsfs("query", "--mount", library.path, "refund policy", "money")
    assert done.returncode == 0, done.stderr
    path, _, rest = done.stdout.splitlines()[0].rpartition(":")
    assert pathlib.Path(path).read_text().startswith("#")
    lines, score = rest.split()
    assert float(score) > 0 and all(part.isdigit() for part in lines.split("-"))
    nothing = lsfs("query", "--mount", library.path, "type:xyz refund")
    assert (nothing.returncode, nothing.stdout) == (1, "")


def test_query_in_json_is_results_json(library):
    done = lsfs("query", "--json", "--limit", "2", "--mount", library.path, "refund")
    found = json.loads(done.stdout)
    assert found["read"]["limit"] == 2 and 1 <= len(found["hits"]) <= 2
    assert (library.path / found["hits"][0]["path"]).is_file()


def test_query_says_why_in_a_table_that_is_why_tsv(library):
    question = "how do customers get their money back"
    done = lsfs("query", "--why", "--limit", "3", "--mount", library.path, question)
    assert done.returncode == 0 and done.stderr.startswith("lsfs: confidence 0.")
    table = [line.split() for line in done.stdout.splitlines()]
    text = (library.query / f"{question} limit:3" / "why.tsv").read_text()
    rows = [line.split("\t") for line in text.splitlines()]
    assert len(rows) == 4 and table[0] == rows[0]
    for shown, row in zip(table[1:], rows[1:], strict=True):
        assert shown == [f"{float(cell):.3f}" if "." in cell and "/" not in cell else cell for cell in row]
    assert json.loads(lsfs("query", "--why", "--json", "--mount", library.path, question).stdout)["hits"]
    nothing = lsfs("query", "--why", "--mount", library.path, "type:xyz refund")
    assert (nothing.returncode, nothing.stdout) == (1, "") and "confidence" not in nothing.stderr


def test_query_says_that_probably_nothing_answers(library):
    done = lsfs("query", "--mount", library.path, "quantum chromodynamics on a lattice")
    assert done.returncode == 0 and "Probably nothing here answers this question: " in done.stderr
    assert "Probably" not in lsfs("query", "--mount", library.path, "refund policy").stderr
    assert lsfs("query", "--mount", library.path, "type:md").stderr == ""


def test_query_says_how_a_prompt_was_read_that_was_not_understood(library):
    done = lsfs("query", "--mount", library.path, "refund before:banana")
    assert done.returncode == 0 and "lsfs: `before:banana` was searched as a word" in done.stderr


def test_a_prompt_longer_than_a_name_is_asked_all_the_same(library):
    done = lsfs("query", "--mount", library.path, *("how do we handle refunds " * 20).split())
    assert done.returncode == 0 and "files/" in done.stdout


def test_the_mount_is_the_one_of_the_current_directory(library):
    done = lsfs("query", "refund", cwd=library.files / "policies")
    assert done.returncode in (0, 1) and "which mount" not in done.stderr
    assert json.loads(lsfs("status", "--json", cwd=library.files).stdout)["mountpoint"] == str(library.path)


def test_status_shows_the_page_and_waits_until_nothing_is_pending(library):
    done = lsfs("status", library.path, "--wait")
    page = (library.path / "status").read_text()
    assert done.returncode == 0 and re.sub(r"[\d.]+ [KMG]iB", "", done.stdout) == re.sub(
        r"[\d.]+ [KMG]iB", "", page
    )
    assert json.loads(lsfs("status", "--json", library.path).stdout)["pending"] == 0


def test_a_folder_that_was_removed_is_not_made_again_and_is_told(mount, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.md").write_text("some words")
    mounted = mount(folder)
    mounted.indexed()
    mounted.until(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists())
    lsfs("query", "--mount", mounted.path, "words")
    assert "was removed" in (mounted.path / "status").read_text()
    assert lsfs("umount", mounted.path).returncode == 0
    assert not folder.exists()


def test_the_places_of_a_pdf_are_its_pages(mount, tmp_path):
    from reportlab.pdfgen import canvas

    folder = tmp_path / "folder"
    folder.mkdir()
    paper = canvas.Canvas(str(folder / "lease.pdf"))
    for page in ("The cover of the lease", "Notice is given three months ahead"):
        for line in range(30):
            paper.drawString(50, 800 - 20 * line, f"{page}, line {line}, with some more words to fill it")
        paper.showPage()
    paper.save()
    mounted = mount(folder, conf="[engine]\nmodel = none\n")
    mounted.indexed()
    assert "lease.pdf:2-2  " in lsfs("query", "--mount", mounted.path, "notice months").stdout
    assert "lease.pdf:2\n" in (mounted.query / "notice months" / "passages.md").read_text()


def test_waiting_for_a_model_that_does_not_load_ends_with_the_reason(mount, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "tokenizer.json").write_text("{}")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.md").write_text("some words")
    mounted = mount(folder, "--model", str(model))
    done = lsfs("status", mounted.path, "--wait")
    assert done.returncode == EngineDown.code and "never" in done.stderr and "Traceback" not in done.stderr
    assert "notes.md" in lsfs("query", "--mount", mounted.path, "words").stdout


def test_status_draws_a_bar_for_a_person(library):
    leader, follower = pty.openpty()
    done = subprocess.run([*LSFS, "status", library.path], stdout=follower, timeout=PATIENCE)
    os.close(follower)
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    assert done.returncode == 0 and "[####" in shown.splitlines()[-1] and "100%" in shown


def test_watching_ends_when_the_mount_does(mount):
    mounted = mount(conf=FILES_ONLY)
    watching = subprocess.Popen(
        [*LSFS, "status", "--watch", "--json", mounted.path], stdout=subprocess.PIPE, text=True
    )
    assert json.loads(watching.stdout.readline())["mountpoint"] == str(mounted.path)
    mounted.until(lambda: lsfs("umount", mounted.path).returncode, lambda code: code != MountBusy.code)
    assert watching.wait(PATIENCE) == 0
    watching.stdout.close()


def test_scan_finds_an_edit_and_refuses_what_is_not_there(mount):
    mounted = mount(conf="[engine]\nmodel = none\n")
    (mounted.folder / "behind.md").write_text("edited behind the mount")
    assert lsfs("scan", "--mount", mounted.path).returncode == 0
    mounted.until(
        lambda: lsfs("query", "--mount", mounted.path, "edited").stdout, lambda shown: "behind.md" in shown
    )
    done = lsfs("scan", "--mount", mounted.path, "missing")
    assert done.returncode == CommandRefused.code and "'missing'" in done.stderr


def test_questions_are_saved_and_forgotten_by_command(mount):
    mounted = mount(conf=FILES_ONLY)
    assert lsfs("save", "--mount", mounted.path, "open questions").returncode == 0
    assert os.listdir(mounted.query) == ["open questions"]
    assert lsfs("save", "--mount", mounted.path, "open questions").returncode == CommandRefused.code
    assert lsfs("forget", "--mount", mounted.path, "open questions").returncode == 0
    assert os.listdir(mounted.query) == []


def test_a_folder_that_is_not_indexed_says_so_when_it_is_asked(mount):
    mounted = mount(conf=FILES_ONLY)
    done = lsfs("query", "--mount", mounted.path, "refunds")
    assert done.returncode == CommandRefused.code and "not indexed" in done.stderr


def test_who_keeps_a_mount_busy_is_named(mount):
    mounted = mount(conf=FILES_ONLY)
    holding = subprocess.Popen(["cat"], stdin=subprocess.PIPE, cwd=mounted.files)
    done = lsfs("umount", mounted.path)
    assert done.returncode == MountBusy.code and f"cat (pid {holding.pid})" in done.stderr
    holding.communicate()
    assert lsfs("umount", ".", cwd=mounted.path).returncode == 0, "the command itself is not in the way"


def test_a_mount_whose_daemon_died_this_moment_is_recovered_and_said_so(mount):
    mounted = mount(conf=FILES_ONLY)
    os.stat(mounted.path)  # the kernel keeps the answer a moment longer than the daemon lives
    os.kill(mounted.pid, signal.SIGKILL)
    done = lsfs("mount", mounted.folder, mounted.path)
    assert done.returncode == 0 and "was a dead mount of lsfs; it was unmounted" in done.stderr
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    assert sum(f" {mounted.path} " in line for line in lines) == 1


def test_python_files_in_the_current_directory_are_not_imported(mount, tmp_path):
    """A folder of notes may well hold a queue.py."""
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("queue", "json", "lsfs", "trio", "lancedb", "numpy"):
        (trap / f"{name}.py").write_text("raise SystemExit('the trap was imported')\n")
    mounted = mount(conf="[engine]\nmodel = none\n", start=False)
    (mounted.folder / "note.md").write_text("what the note says")
    done = lsfs("mount", mounted.folder, mounted.path, cwd=trap)
    assert done.returncode == 0, done.stderr
    mounted.until(
        lambda: lsfs("query", "--mount", mounted.path, "note", cwd=trap).stdout,
        lambda shown: "note.md" in shown,
    )


def test_a_daemon_that_ends_without_a_word_is_reported_with_its_last_line(mount, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(
        "import os, sys\nif '--ready-fd' in sys.orig_argv:\n    os.write(2, b'killed by the test\\n')\n    os._exit(9)\n"
    )
    mounted = mount(conf=FILES_ONLY, start=False)
    root = str(pathlib.Path(__file__).parents[2])
    paths = os.pathsep.join([str(tmp_path / "site"), root])
    done = lsfs("mount", mounted.folder, mounted.path, env={"PYTHONPATH": paths})
    assert done.returncode == DaemonFailed.code and "killed by the test" in done.stderr


def test_in_the_foreground_it_is_the_daemon_until_it_is_interrupted(mount):
    mounted = mount(conf=FILES_ONLY, start=False)
    command = [*LSFS, "mount", "--foreground", mounted.folder, mounted.path]
    daemon = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said = ""
    while "ctrl-C ends it" not in said:
        said = daemon.stderr.readline()
        assert said, "it ended before it mounted"
    assert mounted.pid == daemon.pid
    daemon.send_signal(signal.SIGINT)
    assert daemon.wait(PATIENCE) == 0
    assert "unmounted" in daemon.stderr.read()
    daemon.stderr.close()
    assert os.listdir(mounted.path) == []


@pytest.mark.skipif(shutil.which("mount.fuse3") is None, reason="mount.fuse3 is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="mount(8) is root's")
def test_mount_8_mounts_by_type(mount, tmp_path):
    mounted = mount(conf=FILES_ONLY, start=False)
    command = tmp_path / "lsfs-here"
    root = pathlib.Path(__file__).parents[2]
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" -P -m lsfs "$@"\n')
    command.chmod(0o755)
    subprocess.run(
        ["mount.fuse3", f"{command}#{mounted.folder}", mounted.path, "-o", "ro,noauto"],
        check=True,
        timeout=PATIENCE,
    )
    assert mounted.status()["read_only"] is True
    with pytest.raises(OSError, match="Read-only"):
        (mounted.files / "new").write_text("x")


def test_the_doctor_finds_this_machine_well(tmp_path):
    done = lsfs("doctor", tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in lines] == ["ok"] * len(lines) and len(lines) == 8
    assert os.listdir(tmp_path) == []


def test_the_doctor_says_what_is_wrong_and_fails(tmp_path):
    conf = tmp_path / "config/lsfs"
    conf.mkdir(parents=True)
    (conf / "lsfs.conf").write_text("[engine]\nmodel = no-such-model\n")
    done = lsfs("doctor", "--only", "model", env={"XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert (
        done.returncode == 1 and done.stdout.startswith("problem  model") and "no-such-model" in done.stdout
    )


def test_the_doctor_knows_a_folder_that_is_not_there(tmp_path):
    assert lsfs("doctor", tmp_path / "missing").returncode == refusals.FolderMissing.code


def test_what_needs_an_index_says_that_there_is_none(mount):
    mounted = mount(conf=FILES_ONLY)
    done = lsfs("rebuild", "--mount", mounted.path)
    assert done.returncode == CommandRefused.code and "switched off" in done.stderr
    done = lsfs("scan", "--mount", mounted.path)
    assert done.returncode == 0 and "switched off" in done.stdout


def test_a_read_only_mount_refuses_save_and_forget(mount):
    mounted = mount(None, "--read-only", conf=FILES_ONLY)
    for word in ("save", "forget"):
        done = lsfs(word, "--mount", mounted.path, "refunds")
        assert done.returncode == CommandRefused.code and "read-only" in done.stderr
    assert os.listdir(mounted.query) == []


def test_a_hit_cannot_be_moved_out_of_its_question(library):
    link, target = next((library.query / "refund").glob("01-*")), library.files / "moved"
    done = subprocess.run(["mv", link, target], capture_output=True, text=True)
    assert done.returncode != 0 and not os.path.lexists(target), "a copy of the link would lead nowhere"
