"""/ctl through a real mount: from a shell, from Python, and when it goes wrong."""

import errno
import os
import subprocess

import pytest


def say(mounted, line):
    descriptor = os.open(mounted.path / "ctl", os.O_RDWR)
    try:
        os.write(descriptor, line.encode())
        return os.read(descriptor, 65536).decode()
    finally:
        os.close(descriptor)


def test_a_shell_writes_a_line_and_reads_the_reply(library):
    command = 'exec 3<>ctl; echo "query who approves refunds" >&3; cat <&3'
    done = subprocess.run(["bash", "-c", command], cwd=library.path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "/query/who approves refunds\n", "")


def test_a_question_too_long_for_a_name_gets_a_path_that_answers(library):
    question = "sourdough starter " + "and some more words " * 40
    path = say(library, f"query {question}\n").strip()
    assert path.startswith("/query/@") and len(path) < 40
    assert "01-bread.md" in os.listdir(f"{library.path}{path}")
    assert question.strip() in (library.path / path.lstrip("/") / "results.json").read_text()


def test_an_unknown_command_is_einval_at_write_and_a_sentence(library):
    descriptor = os.open(library.path / "ctl", os.O_RDWR)
    try:
        with pytest.raises(OSError) as caught:
            os.write(descriptor, b"frobnicate\n")
        assert caught.value.errno == errno.EINVAL
        assert b"no command 'frobnicate'" in os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    assert "frobnicate" not in (library.path / "status").read_text(), (
        "a mistake of the caller is none of the mount"
    )
    done = subprocess.run(["bash", "-c", "echo bogus > ctl"], cwd=library.path, capture_output=True)
    assert done.returncode != 0


def test_questions_are_saved_and_forgotten_by_line(library):
    say(library, "save from ctl")
    assert "from ctl" in os.listdir(library.query)
    say(library, "forget from ctl")
    assert "from ctl" not in os.listdir(library.query)


def test_plain_tools_read_the_commands(library):
    for tool in (["cat"], ["head", "-n", "1"], ["grep", "rebuild"]):
        assert subprocess.run([*tool, library.path / "ctl"], capture_output=True, check=True).stdout


def test_scan_and_status_reply(library):
    assert "changed" in say(library, "scan files/recipes")
    assert "engine" in say(library, "status")
    with pytest.raises(FileNotFoundError):
        say(library, "scan no/such/folder")
