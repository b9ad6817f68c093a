"""/ctl through a real mount: from a shell, from Python, and when it goes wrong."""

import errno
import json
import os
import pty
import subprocess

import pytest
from mounted_helpers import LSFS, WORDS_ONLY


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


def test_every_call_of_the_past_replies(mount):
    place = mount(conf=WORDS_ONLY)
    for text in ("one", "two"):
        (place.files / "plan.md").write_text(f"{text}\n")
    assert say(place, "snapshot 'a name'") == "/snapshots/a name\n"
    assert say(place, "snapshot").split("\t")[0] == "a name"
    assert say(place, "log files/plan.md").count("\n") == 3
    assert "one" in say(place, "compare plan.md") and "-one\n+two\n" in say(place, "compare --diff plan.md")
    (place.files / "plan.md").write_text("three\n")
    plan = json.loads(say(place, "rollback plan.md --to 'a name'"))
    assert "1 restored" in say(place, f"rollback --token {plan['token']}")
    assert (place.files / "plan.md").read_text() == "two\n"
    plan = json.loads(say(place, "undo"))
    assert say(place, f"rollback --token {plan['token']}")
    assert (place.files / "plan.md").read_text() == "three\n"
    (place.files / "plan.md").unlink()
    assert say(place, "undelete plan.md") and (place.files / "plan.md").read_text() == "three\n"
    assert say(place, "snapshot --drop 'a name'")
    for line, code in (
        ("snapshot at", errno.EINVAL),
        ("snapshot a/b", errno.EINVAL),
        ("snapshot a b", errno.EINVAL),
        ("snapshot --drop nothing", errno.ENOENT),
        ("log never", errno.ENOENT),
        ("log 'a", errno.EINVAL),
        ("compare plan.md --from v99", errno.ENOENT),
        ("compare never", errno.ENOENT),
        ("rollback plan.md --to never", errno.ENOENT),
        ("rollback --token forged", errno.EINVAL),
        ("rollback plan.md", errno.EINVAL),
        ("rollback plan.md --to now --now", errno.EINVAL),
        ("undelete never", errno.ENOENT),
        ("undo it", errno.EINVAL),
    ):
        with pytest.raises(OSError) as caught:
            say(place, line)
        assert caught.value.errno == code, line
    assert "never" not in (place.path / "status").read_text()


def test_a_diff_is_what_patch_accepts_through_ctl_and_the_command(mount, tmp_path):
    place = mount(conf=WORDS_ONLY)
    old, new = b"caf\xe9\n\x1b[31mred\x1b[0m\nsame\r\n", b"th\xe9\n\x1b[32mgreen\x1b[0m\nsame\r\n\n"
    for text in (old, new):
        (place.files / "plan.md").write_bytes(text)
    descriptor = os.open(place.path / "ctl", os.O_RDWR)
    try:
        os.write(descriptor, b"compare --diff plan.md")
        spoken = os.read(descriptor, 65536)
    finally:
        os.close(descriptor)
    printed = subprocess.run(
        [*LSFS, "compare", "--diff", place.files / "plan.md"], capture_output=True, check=True
    )
    assert spoken == printed.stdout
    for number, diff in enumerate((spoken, printed.stdout)):
        copy = tmp_path / f"{number}.md"
        copy.write_bytes(old)
        subprocess.run(["patch", "--binary", copy], input=diff, check=True, capture_output=True)
        assert copy.read_bytes() == new


def on_a_terminal(*words) -> bytes:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([*LSFS, *map(str, words)], stdout=theirs, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # EIO: the last one has closed it
            pass
        os.close(ours)
    assert process.returncode == 0
    return said


def test_no_terminal_obeys_a_name_and_a_line_is_a_line(mount):
    place = mount(conf=WORDS_ONLY)
    hostile = "a\x1b]0;owned\x07\t\r.md"
    (place.files / hostile).write_text("x\n\x1b[2J\n")
    (place.files / hostile).write_text("y\n\x1b[2J\n")
    (place.path / "snapshots" / "s\x1b[2J\t").mkdir()
    for line in (
        ("log", place.files / hostile),
        ("snapshot", "--mount", place.path),
        ("compare", "--diff", place.files / hostile),
    ):
        assert not {0x1B, 0x07} & set(on_a_terminal(*line)), line
    table = subprocess.run([*LSFS, "log", place.files / hostile], capture_output=True, check=True).stdout
    assert all(row.count(b"\t") == 6 for row in table.splitlines()) and rb"a\x1b]0;owned\x07\t\r.md" in table
    names = subprocess.run([*LSFS, "snapshot", "--mount", place.path], capture_output=True, check=True).stdout
    assert names.startswith(rb"s\x1b[2J\t" + b"\t")


def test_a_dot_inside_of_files_is_everything_and_at_the_top_it_is_nothing(mount):
    place = mount(conf=WORDS_ONLY)
    (place.files / "plan.md").write_text("one\n")
    (place.path / "snapshots/before").mkdir()
    (place.files / "plan.md").write_text("two\n")
    command = [*LSFS, "rollback", ".", "--to", "before", "--yes"]
    refused = subprocess.run(command, cwd=place.path, capture_output=True, text=True)
    assert refused.returncode == 26 and "write `files`" in refused.stderr
    assert (place.files / "plan.md").read_text() == "two\n"
    subprocess.run(command, cwd=place.files, check=True, capture_output=True)
    assert (place.files / "plan.md").read_text() == "one\n"
