"""What mounted tests share besides fixtures."""

import contextlib
import errno
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

import pytest

LSFS = [sys.executable, "-m", "lsfs"]
WORDS_ONLY = "[engine]\nmodel = none\n"  # no embedding: for tests that are not about meaning, and want no seconds for a model
PATIENCE = 120.0  # seconds: for waits that must end, on a machine that may be busy


def processes_of(state: pathlib.Path) -> list[int]:
    """The daemon that holds a state folder's lock, if one does."""
    found = []
    inode = os.stat(state / "lock").st_ino if (state / "lock").exists() else None
    for line in pathlib.Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if inode is not None and words[5].endswith(f":{inode}") and words[1] == "FLOCK":
            found.append(int(words[4]))
    return found


class Mounted:
    """A mount made by a test. Paths below it are ordinary ones."""

    def __init__(
        self, folder: pathlib.Path, path: pathlib.Path, state: pathlib.Path, options: tuple[str, ...]
    ) -> None:
        self.folder, self.path, self.state, self.options = folder, path, state, options
        self.files, self.query = path / "files", path / "query"

    def mount(self) -> "Mounted":
        """Mount (again)."""
        command = [*LSFS, "mount", os.fspath(self.folder), os.fspath(self.path), *self.options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self.log()}"
        return self

    def umount(self) -> None:
        """Unmount, and wait for the daemon to end."""
        done = subprocess.run(
            [*LSFS, "umount", os.fspath(self.path)], capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self.log()}"

    def log(self) -> str:
        """What daemon and engine have logged."""
        logs = [self.state / name for name in ("daemon.log", "engine.log")]
        return "\n".join(log.read_text(errors="replace")[-4000:] for log in logs if log.exists())

    def status(self) -> dict:
        """status.json, read through the mount."""
        return json.loads((self.path / "status.json").read_text())

    @property
    def pid(self) -> int:
        """The daemon's."""
        return self.status()["pid"]

    def wait(self, predicate, patience: float = PATIENCE) -> dict:
        """Look at status.json until `predicate(status)` holds."""
        return self.until(self.status, predicate, patience)

    def until(self, look, predicate=bool, patience: float = PATIENCE):
        """Call `look` until `predicate` of its answer holds, and return that answer."""
        deadline = time.monotonic() + patience
        pause = 0.01
        while True:
            seen = look()
            if predicate(seen):
                return seen
            assert time.monotonic() < deadline, f"not within {patience} s; last seen {seen!r}\n{self.log()}"
            # A poll of a public interface, bounded by a deadline; there is no event to wait for from outside.
            threading.Event().wait(pause)
            pause = min(0.2, pause * 1.5)

    def indexed(self) -> dict:
        """Wait until nothing is pending."""
        return self.wait(lambda status: status["pending"] == 0 and not status["scanning"])

    def ask(self, prompt: str, below: str = "") -> dict:
        """results.json of a question."""
        folder = self.files / below / ".query" if below else self.query
        return json.loads((folder / prompt.replace("/", "\u2215") / "results.json").read_text())

    def found(self, prompt: str, below: str = "") -> list[str]:
        """The paths of the hits, best first, without files/."""
        return [hit["path"].removeprefix("files/") for hit in self.ask(prompt, below)["hits"]]

    def kill_all(self) -> None:
        """SIGKILL to the engine and the daemon, as a power cut would."""
        status = self.status()
        for pid in (status["pid"], status["engine"]["pid"]):
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def dead(self) -> bool:
        """Is the mount point one whose daemon has gone?"""
        try:
            os.listdir(self.path)
        except OSError:
            return True
        return False

    def clean(self) -> None:
        """Unmount however it takes."""
        if subprocess.run(["mountpoint", "-q", self.path]).returncode == 0 or self.dead():
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                self.umount()
                return
            for pid in processes_of(self.state):
                os.kill(pid, signal.SIGKILL)
            subprocess.run(["umount", "-l", self.path])


LIBRARY = {
    "refund-policy.md": "# Refund policy\n\nCustomers get their money back within 30 days of a purchase.\n"
    "Send the goods back unused and we pay to the original card.\n",
    "faq.md": "# Questions we hear\n\n## How long does shipping take?\n\nThree to five days.\n\n"
    "## Can I return something?\n\nYes, returns are free for a month; the refund follows in a week.\n",
    "policies/travel.md": "# Travel\n\nBook trains before flights. Hotels up to 120 a night need no approval.\n",
    "policies/security.md": "# Security\n\nLaptops are encrypted. Report a lost phone within an hour.\n",
    "policies/holidays.txt": "Everybody has thirty days of paid leave a year.\n",
    "recipes/bread.md": "# Bread\n\nFlour, water, salt and a sourdough starter. Bake at 240 degrees for 40 minutes.\n",
    "recipes/soup.md": "# Lentil soup\n\nFry onions and cumin, add red lentils and stock, simmer for 20 minutes.\n",
    "src/parse_config.py": 'def parse_config(path):\n    """Read the settings file and return a dictionary."""\n'
    "    with open(path) as stream:\n        return dict(line.strip().split('=') for line in stream)\n",
    "src/retry.py": "import time\n\n\ndef call_with_backoff(function, attempts=5):\n"
    '    """Call a flaky function again and again, waiting longer each time."""\n    for n in range(attempts):\n'
    "        try:\n            return function()\n        except OSError:\n            time.sleep(2 ** n)\n",
}


def reachable(path: pathlib.Path) -> None:
    """Let every user reach a path below pytest's own folders, which are closed to others."""
    for above in path.parents:
        if above.is_relative_to(tempfile.gettempdir()) and os.stat(above).st_uid == os.geteuid():
            os.chmod(above, os.stat(above).st_mode & 0o7777 | 0o755)


def write_library(folder: pathlib.Path) -> None:
    """Nine small documents whose answers differ."""
    for name, text in LIBRARY.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


root = pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
NOBODY = 65534


def as_nobody(act):
    """Call *act* as another user, in a fork (nobody need not be able to start this Python); what it returns as text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.umask(0o022)
            os.write(write, str(act()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    with open(read) as stream:
        said = stream.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return said


def refused(act):
    try:
        act()
    except PermissionError:
        return True
    return False


def code(act, *arguments):
    """The name of the error of a call; "" when it succeeds."""
    try:
        act(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return ""


EVERY = 0xFFFFFFFF


def acl(*entries):
    """The value of system.posix_acl_access: a tag, bits and a number (EVERY where the tag has none) for each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
