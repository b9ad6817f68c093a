"""doctor: what lsfs needs, tried for real; CHECKS is the list.

A check takes the folder that was named (or None) and returns what it found, or raises Problem or Refusal with a sentence that says what to
do. Checks that load torch or LanceDB run in a process of their own (`apart`): on a processor that such a library was not built for it dies
by a signal, and that is a finding, too.
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lsfs import preflight
from lsfs.config import NO_MODEL, STATE, Settings, load
from lsfs.refusals import Refusal

PATIENCE = 180.0  # seconds for one check apart
SQLITE = (3, 37, 0)
COUNTED = 200_000  # folders; beyond, the count stops
ROOM = 200 << 20
OFF = "switched off in lsfs.conf: questions are answered by words alone"
INOTIFY = Path("/proc/sys/fs/inotify")


class Problem(Exception):
    """What is wrong and what to do about it, in one sentence."""


class Check(NamedTuple):
    """One thing to try. apart: in a process of its own."""

    name: str
    run: Callable[[Path | None], str]
    apart: bool = False


def fuse(folder: Path | None) -> str:
    preflight.fuse()
    tool = shutil.which("fusermount3")
    if tool is None:
        raise Problem("fusermount3 is missing; install the package fuse3")
    said = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout
    version = re.search(r"[0-9]+(\.[0-9]+)+", said)
    return f"{preflight.DEVICE} opens; fusermount3 is version {version[0] if version else 'unknown'}"


def mount(folder: Path | None) -> str:
    """Mount a temporary folder by the command itself, without an index, and go through it both ways."""
    text = "what the doctor wrote\n"
    with tempfile.TemporaryDirectory(prefix="lsfs-doctor-") as name:
        base = Path(name)
        source, target, state = base / "folder", base / "mount", base / "state"
        for path in (source, target, state):
            path.mkdir(mode=0o700)
        (state / "lsfs.conf").write_text("[index]\nenabled = no\n", encoding="utf-8")
        (source / "there.txt").write_text(text, encoding="utf-8")
        lsfs("mount", "--state", str(state), str(source), str(target))
        try:
            if (target / "files/there.txt").read_text(encoding="utf-8") != text:
                raise Problem("a file reads otherwise through a mount than it is; report this")
            (target / "files/new.txt").write_text(text, encoding="utf-8")
        finally:
            lsfs("umount", str(target))
        if (source / "new.txt").read_text(encoding="utf-8") != text:
            raise Problem("a file written through a mount is not what was written; report this")
    return "a temporary folder was mounted, read, written and unmounted"


def lsfs(*arguments: str) -> str:
    """Run a command of lsfs and return what it printed. Raises Problem with the sentence that it ended with."""
    command = [sys.executable, "-m", "lsfs", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise Problem(f"`lsfs {arguments[0]}` did not end within {PATIENCE:.0f} seconds") from error
    if done.returncode < 0:
        raise Problem(f"`lsfs {arguments[0]}` was ended by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise Problem(
            said[-1].removeprefix("lsfs: ") if said else f"`lsfs {arguments[0]}` failed without a word"
        )
    return done.stdout.strip()


def model(folder: Path | None) -> str:
    from lsfs import models

    name = _model(folder)
    if name == NO_MODEL:
        return OFF
    try:
        found = models.find(name)
        models.verify(found)
    except models.ModelMissing as error:
        raise Problem(str(error)) from error
    return f"{found.name} is at {found.folder}" + ("; its checksum is right" if found.sha256 else "")


def embedding(folder: Path | None) -> str:
    name = _model(folder)
    if name == NO_MODEL:
        return OFF
    from lsfs import models
    from lsfs.models.load import load as load_model

    try:
        encoder = load_model(models.find(name), settings(folder).backend)
    except models.ModelMissing as error:
        raise Problem(str(error)) from error
    one, same, other = encoder.embed(["money is returned", "a refund is paid", "the cat sleeps"])
    if not float(one @ same) > float(one @ other):
        raise Problem("sentences that mean the same are not nearer than others; install the model again")
    return f"three sentences became vectors of {encoder.dimension} numbers by {encoder.backend}; what means the same is near"


def vectors(folder: Path | None) -> str:
    import numpy as np

    from lsfs.index.lance import Table

    with tempfile.TemporaryDirectory(prefix="lsfs-doctor-") as name:
        table = Table(Path(name), 3)
        table.add([1, 2], [1, 2], [b"01234567", b"89abcdef"], np.eye(3, dtype=np.float32)[:2])
        found = table.search(np.array([0.1, 1, 0], dtype=np.float32), 1)
    if not found or found[0][0] != 2:
        raise Problem("LanceDB does not find the nearest vector; install lancedb again")
    return "LanceDB made a table, added to it and found the nearest"


def sqlite(folder: Path | None) -> str:
    if sqlite3.sqlite_version_info < SQLITE:
        raise Problem(f"SQLite is {sqlite3.sqlite_version}; lsfs needs {'.'.join(map(str, SQLITE))}")
    try:
        base = sqlite3.connect(":memory:")
        base.execute(
            "create virtual table t using fts5(words, tokenize='porter unicode61 remove_diacritics 2')"
        )
        base.execute("insert into t values ('refunds')")
        found = base.execute("select count(*) from t where t match 'refund'").fetchone()
    except sqlite3.Error as error:
        raise Problem(
            f"SQLite has no full-text search ({error}); use a Python whose SQLite has FTS5"
        ) from error
    if found != (1,):
        raise Problem("SQLite's full-text search does not find a word; use a Python with another SQLite")
    return f"version {sqlite3.sqlite_version}, with full-text search"


def state(folder: Path | None) -> str:
    """Write and sync a file where the state folder is or would be made."""
    place = Path(tempfile.gettempdir()) if folder is None else folder / STATE
    while not place.exists():
        place = place.parent
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".lsfs-doctor-") as file:
            file.write(b"doctor\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Problem(
            f"{place} cannot be written to ({error.strerror}); name another place with --state"
        ) from error
    free = shutil.disk_usage(place).free
    if free < ROOM:
        raise Problem(
            f"only {free >> 20} MiB are free in {place}; make room, or name another place with --state"
        )
    return f"{place} can be written to; {free >> 20} MiB are free"


def inotify(folder: Path | None) -> str:
    try:
        watches = int((INOTIFY / "max_user_watches").read_text())
        instances = int((INOTIFY / "max_user_instances").read_text())
    except (OSError, ValueError) as error:
        raise Problem(
            "this kernel has no inotify; edits behind the mount are found by `lsfs scan` alone"
        ) from error
    if instances < 8:
        raise Problem(
            f"only {instances} inotify instances are allowed; raise fs.inotify.max_user_instances to 128"
        )
    count = 0
    for _ in os.walk(folder) if folder is not None else ():
        count += 1
        if count > COUNTED:
            break
    if count > watches * 0.9:
        raise Problem(
            f"{folder} has {count} folders, {watches} may be watched; raise fs.inotify.max_user_watches"
        )
    return f"{watches} folders may be watched" + (f"; {folder} has {count}" if folder is not None else "")


def _model(folder: Path | None) -> str:
    """The model that a mount of `folder` would use."""
    return settings(folder).model


def settings(folder: Path | None) -> Settings:
    """What a mount of `folder` would run with. Raises SettingInvalid."""
    return load(folder or tempfile.gettempdir(), tempfile.gettempdir())


CHECKS: tuple[Check, ...] = (
    Check("fuse", fuse),
    Check("mount", mount),
    Check("model", model),
    Check("embedding", embedding, apart=True),
    Check("vectors", vectors, apart=True),
    Check("sqlite", sqlite),
    Check("state", state),
    Check("inotify", inotify),
)


def tried(check: Check, folder: Path | None) -> tuple[bool, str]:
    """Whether the check went well, and its sentence."""
    try:
        if check.apart:
            arguments = [str(folder)] if folder is not None else []
            try:
                return True, lsfs("doctor", "--only", check.name, *arguments).split(maxsplit=2)[2]
            except Problem as error:  # the line that it printed, without its first two columns
                raise Problem(str(error).removeprefix(f"{'problem':<8} {check.name:<10} ")) from error
        return True, check.run(folder)
    except (Problem, Refusal) as error:
        return False, str(error)
    except (OSError, ImportError) as error:
        return False, f"{type(error).__name__}: {error}; install lsfs again if this is one of its own files"
