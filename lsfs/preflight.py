"""preflight: every reason not to mount that can be seen before the daemon starts.

Called by `lsfs mount` in the process that the user started, so that the sentence reaches them at once. What only the daemon can know
(the state is held, or newer; a race with another mount) it refuses itself, with the same refusals.
"""

import errno
import os
import shutil
import stat
from pathlib import Path

from lsfs import mountinfo
from lsfs.config import NO_MODEL, STATE, Settings
from lsfs.refusals import (
    AlreadyMounted,
    FolderMissing,
    ModelMissing,
    MountpointMissing,
    MountpointNotEmpty,
    NoFuse,
    NoPermission,
    NotAFolder,
    Overlap,
    StateUnusable,
)

DEVICE = Path("/dev/fuse")
FUSE_CONF = Path("/etc/fuse.conf")
STATE_FILES = frozenset(("history.db", "lock", "lsfs.conf"))  # any of them says: this is a state folder
BEGUN = frozenset(("daemon.log", ".gitignore"))  # all that a mount leaves that failed before it had a lock


def check(settings: Settings) -> list[str]:
    """Raise the first Refusal that applies; otherwise return sentences on what was mended on the way."""
    notes: list[str] = []
    _folder(settings.folder)
    _overlap(settings)
    if mountinfo.recover(settings.mountpoint):
        notes.append(f"{settings.mountpoint} was a dead mount of lsfs; it was unmounted")
    _mountpoint(settings.mountpoint)
    fuse()
    _allow_other(settings)
    _model(settings)
    _state(settings)
    return notes


def _folder(folder: Path) -> None:
    try:
        mode = os.stat(folder).st_mode
    except FileNotFoundError as error:
        raise FolderMissing(f"{folder} does not exist; name a folder that does") from error
    except PermissionError as error:
        raise NoPermission(f"{folder} cannot be reached: you may not enter a folder above it") from error
    except OSError as error:
        raise FolderMissing(
            f"{folder} cannot be reached ({error.strerror}); see to it, then mount again"
        ) from error
    if not stat.S_ISDIR(mode):
        raise NotAFolder(f"{folder} is not a folder; name the folder that holds it")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise NoPermission(f"you may not read {folder}")


def _overlap(settings: Settings) -> None:
    folder, mountpoint, state = settings.folder, settings.mountpoint, settings.state
    if _holds(folder, mountpoint):
        raise Overlap(f"the mountpoint {mountpoint} lies inside the folder {folder}; choose one outside")
    if _holds(mountpoint, folder):
        raise Overlap(
            f"the folder {folder} lies inside the mountpoint {mountpoint}; choose another mountpoint"
        )
    if _holds(mountpoint, state) or _holds(state, mountpoint):
        raise Overlap(
            f"the state folder {state} and the mountpoint {mountpoint} overlap; choose another with --state"
        )
    if _holds(state, folder):
        raise Overlap(
            f"the folder {folder} lies inside the state folder {state}; choose another with --state"
        )
    if _holds(folder, state) and state.parent != folder:
        raise Overlap(
            f"the state folder {state} lies deep inside the folder; put it outside, or directly in {folder}"
        )


def _holds(outer: Path, inner: Path) -> bool:
    """Whether `inner` is `outer` or below it, also when one of them is reached through a bind mount."""
    if inner == outer or outer in inner.parents:
        return True
    try:
        wanted = os.stat(outer)
    except OSError:
        return False
    for path in (inner, *inner.parents):
        try:
            if os.path.samestat(os.stat(path), wanted):
                return True
        except OSError:
            continue
    return False


def _mountpoint(mountpoint: Path) -> None:
    mounted = mountinfo.find(mountpoint)
    if mounted is not None and mounted.is_lsfs:
        raise AlreadyMounted(f"{mounted.source} is mounted at {mountpoint} already; `lsfs umount` it first")
    if mounted is not None and mounted.fstype.startswith("fuse"):
        raise AlreadyMounted(f"a {mounted.fstype} file system is mounted at {mountpoint}; unmount it first")
    try:
        mode = os.stat(mountpoint).st_mode
    except FileNotFoundError as error:
        raise MountpointMissing(f"{mountpoint} does not exist; make it with mkdir") from error
    except PermissionError as error:
        raise NoPermission(f"{mountpoint} cannot be reached: you may not enter a folder above it") from error
    except OSError as error:
        raise MountpointMissing(
            f"{mountpoint} cannot be reached ({error.strerror}); choose another"
        ) from error
    if not stat.S_ISDIR(mode):
        raise MountpointMissing(f"{mountpoint} is not a folder; name an empty folder")
    if not os.access(mountpoint, os.R_OK | os.W_OK | os.X_OK):
        raise NoPermission(
            f"you may not write to {mountpoint}, so you may not mount there; choose a folder of your own"
        )
    with os.scandir(mountpoint) as entries:
        first = next(entries, None)
    if first is not None:
        raise MountpointNotEmpty(
            f"{mountpoint} is not empty (it holds {first.name}); mount on an empty folder"
        )


def fuse() -> None:
    """Raise NoFuse or NoPermission where /dev/fuse or fusermount3 is not to be had."""
    try:
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except PermissionError as error:
        raise NoPermission(
            f"you may not open {DEVICE}; ask for the group that owns it, or mount as root"
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            raise NoFuse(f"{DEVICE} does not open ({error.strerror})") from error
        raise NoFuse(
            f"there is no {DEVICE}; load the kernel module fuse, or start the container with it"
        ) from error
    if os.geteuid() and shutil.which("fusermount3") is None:
        raise NoFuse("fusermount3 is missing; install the package fuse3")


def _allow_other(settings: Settings) -> None:
    if not settings.allow_other or not os.geteuid():
        return
    try:
        lines = FUSE_CONF.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    if not any(line.split("#")[0].strip() == "user_allow_other" for line in lines):
        raise NoPermission(
            f"--allow-other needs a line user_allow_other in {FUSE_CONF}, which only root may add"
        )


def _model(settings: Settings) -> None:
    if not settings.index_enabled:
        return
    if settings.model == NO_MODEL:
        return
    from lsfs import models

    try:
        models.find(settings.model)
    except models.ModelMissing as error:
        raise ModelMissing(str(error)) from error


def _state(settings: Settings) -> None:
    state = settings.state
    _made_for_lsfs(state, settings.folder / STATE)
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateUnusable(
            f"the state folder {state} cannot be made ({error.strerror}); choose one with --state"
        ) from error
    if not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        raise StateUnusable(f"you may not write to the state folder {state}; choose another with --state")
    if os.stat(state).st_uid != os.geteuid():
        raise StateUnusable(f"the state folder {state} belongs to another user; choose one with --state")


def _made_for_lsfs(state: Path, own: Path) -> None:
    """Refuse a folder that is there and is somebody's for another purpose: a state folder is closed to others and filled.

    `own` is the place of the state folder without --state: it may be open, since the daemon closes it.
    """
    try:
        found = os.lstat(state)
    except OSError:
        return  # it is made, or making it says what is wrong
    if stat.S_ISLNK(found.st_mode):
        raise StateUnusable(f"the state folder {state} is a symbolic link; name the folder that it leads to")
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return  # said below
    if state != own and found.st_mode & 0o077:
        raise StateUnusable(
            f"{state} is open to other users, and lsfs changes no folder that it did not make; name with --state one "
            "that does not exist yet, or close this one with chmod 700"
        )
    try:
        names = set(os.listdir(state))
    except OSError as error:
        raise StateUnusable(
            f"the state folder {state} cannot be listed ({error.strerror}); choose another with --state"
        ) from error
    for name in sorted(names):  # the log is written before the daemon can look
        if (state / name).is_symlink():
            raise StateUnusable(f"{state / name} is a symbolic link, and lsfs writes through none; remove it")
    if state != own and not names & STATE_FILES and not names <= BEGUN:
        raise StateUnusable(
            f"{state} holds other things, such as {min(names - BEGUN)}; name with --state a folder that is empty or "
            "does not exist yet"
        )
