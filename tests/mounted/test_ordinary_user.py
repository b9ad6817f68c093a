"""An ordinary user mounts by fusermount3 and has files/ as on a disk of their own."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
from mounted_helpers import NOBODY, root

ROOT = pathlib.Path(__file__).parents[2]
SESSION = """
set -e
mkdir folder mount
echo one > folder/a.md
$LSFS mount --model none "$PWD/folder" "$PWD/mount"
trap '$LSFS umount "$PWD/mount"' EXIT
cd mount/files
ln a.md b.md; mkdir -m 750 c; mkfifo d; ln -s a.md e
echo two >> b.md
cat a.md
chmod 000 a.md
if cat a.md 2>/dev/null; then echo "a closed file was read"; fi
chmod 644 a.md
stat -c '%n %h %a %u' a.md c
if mkdir ../nothing 2>/dev/null; then echo "a folder was made at the top"; fi
touch f; (chown 0 f 2>/dev/null && echo "a file was given away") || true
ls ../query/two
cd ../..
"""


def python() -> list[str] | None:
    """A Python that other users may run and that finds lsfs."""
    packages = [path for path in sys.path if path.endswith("-packages")]
    for command in (sys.executable, "/usr/bin/python3"):
        words = ["env", f"PYTHONPATH={os.pathsep.join([os.fspath(ROOT), *packages])}", command]
        tried = subprocess.run(
            [*words, "-c", "import lsfs.daemon"],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
            capture_output=True,
        )
        if tried.returncode == 0:
            return [*words, "-m", "lsfs"]
    return None


@root
def test_an_ordinary_user_mounts_works_and_unmounts():
    if os.stat("/dev/fuse").st_mode & 0o006 != 0o006:
        pytest.skip("/dev/fuse is closed to other users on this machine")
    if shutil.which("fusermount3") is None:
        pytest.skip("fusermount3 is not installed")
    command = python()
    if command is None:
        pytest.skip("no other user may run this Python and its packages")
    home = tempfile.mkdtemp(prefix="lsfs-user-")
    try:
        os.chown(home, NOBODY, NOBODY)
        done = subprocess.run(
            ["bash", "-c", SESSION], user=NOBODY, group=NOBODY, extra_groups=[], cwd=home, capture_output=True, text=True,
            env={"HOME": home, "PATH": os.environ["PATH"], "LSFS": " ".join(command)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            "one", "two", f"a.md 2 644 {NOBODY}", f"c 2 750 {NOBODY}", "01-a.md", "02-b.md",
            "passages.md", "results.json", "summary.md", "why.tsv",
        ]  # fmt: skip
        assert (pathlib.Path(home) / "folder/b.md").read_text() == "one\ntwo\n"
        assert not os.path.ismount(f"{home}/mount")
    finally:
        shutil.rmtree(home)
