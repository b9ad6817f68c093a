"""The examples of the manual and the session of README.md work, line by line, as they are printed.

They speak of ~/notes and ~/ctx, so HOME is a folder of the test. Above each example its page says how it is run:

    .\\" example: mounted            with ~/notes mounted at ~/ctx, and the current directory there
    .\\" example: unmounted          it mounts and unmounts itself
    .\\" example: not run, REASON
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PATIENCE = 240
NOTES = {
    "refund-policy.md": "# Refunds\n\nWe pay refunds within 30 days. A refund above 500 needs two signatures.\n",
    "faq.md": "# Questions\n\nHow do we handle refunds? The customer sends the goods back first.\n",
    "policies/signing.md": "# Who signs what\n\nContracts are signed by the director. A refund is signed by its team.\n",
}
DISPLAY = re.compile(r'^\.\\" example: ([^\n]+)\n\.Bd [^\n]*\n(.*?)^\.Ed$', re.M | re.S)


def examples(kind: str) -> list:
    """The shell text of each example of this kind, called by its page and number."""
    found = []
    for page in sorted((ROOT / "man").glob("*.[1-9]")):
        for number, (how, text) in enumerate(DISPLAY.findall(page.read_text())):
            if how == kind:
                found.append(
                    pytest.param(text.replace("\\&", "").replace("\\e", "\\"), id=f"{page.name}-{number}")
                )
    return found


def session() -> str:
    return re.search(r"^```sh session\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)[1]


def at_home(home: pathlib.Path) -> pathlib.Path:
    """A home with notes, an empty mountpoint and the command `lsfs` on its PATH."""
    for name, text in NOTES.items():
        (home / "notes" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "notes" / name).write_text(text)
    (home / "ctx").mkdir()
    (home / "bin").mkdir()
    (home / "bin/lsfs").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m lsfs "$@"\n')
    (home / "bin/lsfs").chmod(0o755)
    return home


def sh(home: pathlib.Path, text: str, where: pathlib.Path | None = None) -> subprocess.CompletedProcess:
    """Run lines in bash, stopping at the first that fails."""
    inherited = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    environ = {
        **inherited,
        "HOME": str(home),
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", text],
        capture_output=True,
        text=True,
        env=environ,
        cwd=where or home,
        timeout=PATIENCE,
    )


def unmount(home: pathlib.Path) -> None:
    if f" {home}/ctx " in pathlib.Path("/proc/self/mountinfo").read_text():
        done = sh(home, "lsfs umount ~/ctx")
        assert done.returncode == 0, done.stderr


@pytest.fixture
def home(tmp_path):
    """A fresh home, in which nothing stays mounted."""
    yield at_home(tmp_path)
    unmount(tmp_path)


@pytest.fixture(scope="module")
def mounted_home(tmp_path_factory):
    """A home with ~/notes mounted at ~/ctx and indexed; the examples leave it as they found it, or add to it."""
    place = at_home(tmp_path_factory.mktemp("home"))
    try:
        done = sh(place, "lsfs mount ~/notes ~/ctx && lsfs status --wait ~/ctx")
        assert done.returncode == 0, done.stderr
        yield place
    finally:
        unmount(place)


@pytest.mark.parametrize("text", examples("mounted"))
def test_an_example_of_the_manual_works_in_a_mount(mounted_home, text):
    done = sh(mounted_home, text, mounted_home / "ctx")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", examples("unmounted"))
def test_an_example_of_the_manual_works_and_leaves_nothing_mounted(home, text):
    done = sh(home, text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(home) not in pathlib.Path("/proc/self/mountinfo").read_text()


def test_the_session_of_the_readme_works_and_does_what_it_says(home):
    text = session()
    assert len(text.splitlines()) == 27
    done = sh(home, text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (home / "notes/refunds-2.md").read_text() == "Refunds over 500 need two signatures.\n"
    by_words = done.stderr.partition('"two signatures"')[2]
    assert by_words  # bash said the line, so the lines before it went well
    assert "refunds-2.md" in done.stdout.partition("passages.md")[2]
    assert '"path": "files/refunds-2.md"' in done.stdout
