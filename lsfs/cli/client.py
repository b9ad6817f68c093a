"""client: how a command reaches a mount: by its files, as any script could.

The files are `ctl` (write one line, read the answer on the same descriptor) and `status.json`; nothing else is needed.
"""

import errno
import json
import os
from pathlib import Path
from typing import Any

from lsfs import mountinfo
from lsfs.mountinfo import Mount
from lsfs.refusals import CommandRefused, EngineDown, NoPermission, NotMounted

ANSWER = 128 << 20  # bytes that are read of an answer; `get` gives 16 MiB, and JSON makes more of them


def locate(path: str | None) -> Mount:
    """The mount meant: the one at or above `path`; without it the one that holds the current directory, else the only one.

    Raises NotMounted, which names the mounts that there are.
    """
    if path is not None:
        found = mountinfo.find(path) or mountinfo.for_path(path)
        if found is None or not found.is_lsfs:
            raise NotMounted(f"nothing of lsfs is mounted at {path}; {_known()}")
    else:
        found = mountinfo.for_path(os.getcwd()) or _only()
    if mountinfo.is_dead(found.mountpoint):
        raise NotMounted(
            f"the daemon of {found.mountpoint} is gone; `lsfs mount` or `lsfs umount` puts that right"
        )
    return found


def _only() -> Mount:
    there = [mount for mount in mountinfo.mounts() if mount.is_lsfs]
    if len(there) != 1:
        raise NotMounted(
            "nothing of lsfs is mounted" if not there else f"say which mount you mean; {_known()}"
        )
    return there[0]


def _known() -> str:
    there = [mount.mountpoint for mount in mountinfo.mounts() if mount.is_lsfs]
    return f"mounted are {', '.join(there)}" if there else "nothing of lsfs is mounted"


def report(mount: Mount) -> dict[str, Any]:
    """What `status.json` of the mount says now. Raises NotMounted when it cannot be read."""
    try:
        answer: dict[str, Any] = json.loads(Path(mount.mountpoint, "status.json").read_bytes())
    except PermissionError as error:
        raise NoPermission(f"{mount.mountpoint} is mounted for another user only") from error
    except (OSError, ValueError) as error:
        raise NotMounted(
            f"{mount.mountpoint} does not say how it is ({error}); its daemon may be ending"
        ) from error
    return answer


def control(mount: Mount, line: str) -> str:
    """Write one command line to `ctl` and return the answer, without its last newline.

    Raises CommandRefused with the mount's sentence, EngineDown when the engine is not there, NoPermission.
    """
    try:
        descriptor = os.open(os.path.join(mount.mountpoint, "ctl"), os.O_RDWR | os.O_CLOEXEC)
    except PermissionError as error:
        raise NoPermission(f"you may not write to {mount.mountpoint}/ctl") from error
    except OSError as error:
        raise NotMounted(
            f"{mount.mountpoint}/ctl does not open ({error.strerror}); its daemon may be ending"
        ) from error
    try:
        os.write(descriptor, line.encode("utf-8", "surrogateescape") + b"\n")
        answer = b""
        while len(answer) < ANSWER and (part := os.read(descriptor, 65536)):
            answer += part
    except OSError as error:
        raise _refused(descriptor, error) from error
    finally:
        os.close(descriptor)
    return answer.decode("utf-8", "surrogateescape").removesuffix("\n")


def _refused(descriptor: int, error: OSError) -> Exception:
    """The errno of a refused line as a refusal, with the sentence that the mount keeps on the same descriptor, if it does."""
    try:
        sentence = os.read(descriptor, 65536).decode("utf-8", "replace").strip()
    except OSError:
        sentence = ""
    sentence = sentence.removeprefix("lsfs: ") or f"the mount answered {error.strerror}"
    if error.errno == errno.EAGAIN:
        return EngineDown(sentence)
    if error.errno in (errno.EPERM, errno.EACCES):
        return NoPermission(sentence)
    return CommandRefused(sentence)
