"""Real mounts for tests: made by the `lsfs` command itself, in the background, and always unmounted.

pair      one mount for the whole session with indexing off: `.live` is a fresh folder inside it, `.backing` the same folder behind it
mount     a factory: mount(folder, *options, conf="...") -> Mounted
library   one indexed mount over a small set of documents; do not change its files
"""

import os
import pathlib
import shutil

import pytest
from mounted_helpers import Mounted, write_library


def _mounted_below(folder: pathlib.Path) -> list[str]:
    text = pathlib.Path("/proc/self/mountinfo").read_text()
    return [line for line in text.splitlines() if f" {folder}" in line]


@pytest.fixture
def mount(tmp_path):
    """A factory of mounts; all of them are gone after the test, or it fails."""
    made: list[Mounted] = []

    def factory(
        folder: pathlib.Path | None = None, *options: str, conf: str = "", start: bool = True
    ) -> Mounted:
        number = len(made)
        if folder is None:
            folder = tmp_path / f"folder{number}"
        folder.mkdir(exist_ok=True)
        path = tmp_path / f"mount{number}"
        path.mkdir()
        state = folder / ".lsfs"
        if conf:
            state.mkdir(mode=0o700, exist_ok=True)
            (state / "lsfs.conf").write_text(conf)
        made.append(Mounted(folder, path, state, options))
        return made[-1].mount() if start else made[-1]

    yield factory
    left = []
    for mounted in made:
        if _mounted_below(mounted.path) and not mounted.dead():
            mounted.umount()
        mounted.clean()
        left += _mounted_below(mounted.path)
        log = mounted.log()
        assert "Traceback" not in log, log
    assert not left


@pytest.fixture(scope="session")
def shared_pair(tmp_path_factory):
    root = tmp_path_factory.mktemp("pair")
    folder, path, state = root / "folder", root / "mount", root / "folder/.lsfs"
    folder.mkdir()
    path.mkdir()
    state.mkdir(mode=0o700)
    (state / "lsfs.conf").write_text("[index]\nenabled = no\n")
    os.chmod(root, 0o755)
    os.chmod(root.parent, 0o755)
    os.chmod(root.parent.parent, 0o755)
    mounted = Mounted(folder, path, state, ("--allow-other",) if os.geteuid() == 0 else ())
    try:
        yield mounted.mount()
        mounted.umount()
        assert "Traceback" not in mounted.log(), mounted.log()
    finally:
        mounted.clean()


class Pair:
    """The same fresh folder twice: `live` through the mount, `backing` behind it."""

    def __init__(self, mounted: Mounted, name: str) -> None:
        self.mounted = mounted
        self.live, self.backing = mounted.files / name, mounted.folder / name
        self.live.mkdir()


@pytest.fixture
def pair(shared_pair, request):
    """A fresh folder in the session's unindexed mount."""
    number = getattr(shared_pair, "used", 0)
    shared_pair.used = number + 1
    made = Pair(shared_pair, f"{number:03d}")
    yield made
    shutil.rmtree(made.backing, ignore_errors=True)


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """An indexed mount of nine documents, for questions. Its files are not changed by any test."""
    root = tmp_path_factory.mktemp("library")
    folder, path = root / "folder", root / "mount"
    folder.mkdir()
    path.mkdir()
    for above in (root, root.parent, root.parent.parent):
        os.chmod(above, 0o755)
    write_library(folder)
    mounted = Mounted(folder, path, folder / ".lsfs", ("--allow-other",) if os.geteuid() == 0 else ())
    try:
        mounted.mount().indexed()
        yield mounted
        mounted.umount()
        assert "Traceback" not in mounted.log(), mounted.log()
    finally:
        mounted.clean()
