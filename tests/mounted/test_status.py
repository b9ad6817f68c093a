"""/README.md, /status and /status.json through a real mount."""

import json
import re
import subprocess

from syscalls.status import KEYS


def test_status_json_has_what_everyone_relies_on(library):
    status = library.status()
    assert set(KEYS) <= set(status)
    assert status["files"] == 9 and status["pending"] == 0 and status["engine"]["state"]
    assert status["progress"] is None


def test_progress_says_how_far_words_and_meaning_are(mount, tmp_path):
    folder, model, files = tmp_path / "many", tmp_path / "model", 600
    folder.mkdir()
    for n in range(files):
        said = f"# Day {n}\n\nThe tide came at {n} minutes past noon, and nobody was there.\n"
        (folder / f"{n}.md").write_text(said)
    model.mkdir()
    for name in ("config.json", "tokenizer.json"):  # of a model that does not load: passages wait for it
        (model / name).write_text("{}")
    mounted = mount(folder, "--model", str(model))

    def moving(status):
        found = status["progress"]
        assert found["left"] is None and 0 <= found["files"]["done"] <= found["files"]["whole"] <= files
        return found["files"]["rate"] or found["files"]["done"] == files

    def read(status):
        passages = status["progress"]["passages"]
        return passages is not None and passages["whole"] == files

    assert mounted.wait(moving)["pending"] > 0
    last = mounted.wait(read)
    assert last["progress"]["first"] == {"done": 0, "whole": files}
    assert last["progress"]["passages"] == {"done": 0, "whole": files, "rate": None, "left": None}
    assert last["reused"] == 0
    assert "vectors     0 of 600 passages\n" in (mounted.path / "status").read_text()


def test_status_is_one_screen(library):
    lines = (library.path / "status").read_text().splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80


def test_every_tool_reads_the_status(library, tmp_path):
    for command in (
        "cat status",
        "grep -c files status",
        f"cp status.json {tmp_path}/s && cat {tmp_path}/s",
        "head -3 status",
        "python3 -c 'print(open(\"status\").read())'",
        "dd if=status bs=7 status=none",
    ):
        assert subprocess.run(["sh", "-c", command], cwd=library.path, capture_output=True, check=True).stdout
    assert json.loads((tmp_path / "s").read_text())["pid"] == library.pid


def test_the_examples_of_readme_work_when_pasted(library):
    text = (library.path / "README.md").read_text()
    assert len(text.splitlines()) < 80
    examples = re.findall(r"^    (.+)$", text, re.MULTILINE)
    assert len(examples) >= 10
    for example in examples:
        done = subprocess.run(
            ["bash", "-c", example], cwd=library.path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{example}: {done.stderr}"
