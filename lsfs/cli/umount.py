"""umount: end a mount and wait until its daemon has, lsfs-umount(1).

The daemon's end is awaited by a pidfd, so when the command returns nothing of that mount writes to the folder any more.
"""

import contextlib
import os
import select

import click

from lsfs import mountinfo
from lsfs.cli import say
from lsfs.mountinfo import Mount
from lsfs.refusals import DaemonFailed, MountBusy, NoPermission, NotMounted, Refusal

PATIENCE = 60.0
NAMED = 3


@click.command()
@click.argument("mountpoint")
def umount(mountpoint: str) -> int:
    """Unmount MOUNTPOINT, and wait until its daemon has ended."""
    found = mountinfo.find(mountpoint)
    if found is None or not found.is_lsfs:
        raise NotMounted(f"nothing of lsfs is mounted at {mountpoint}; `lsfs status` says what is")
    if mountinfo.recover(found.mountpoint):
        say(f"{found.mountpoint} was a dead mount of lsfs; it was unmounted")
        return 0
    with contextlib.ExitStack() as stack:
        pid, descriptor, trouble = daemon_of(found)
        if descriptor is not None:
            stack.callback(os.close, descriptor)
        os.chdir("/")  # this process itself may stand in the mount
        done = mountinfo.unmount(found.mountpoint)
        if done.returncode:
            raise why(found, done.stderr)
        if descriptor is not None:
            await_end(pid, descriptor)
        if trouble:
            say(trouble)
    return 0


def daemon_of(mount: Mount) -> tuple[int, int | None, str | None]:
    """The daemon's pid and a pidfd of it, taken while the mount still answers, and what troubles history; (0, None, None) when it cannot
    be told."""
    from lsfs.cli import client

    try:
        report = client.report(mount)
        trouble = (report.get("history") or {}).get("trouble")
        return int(report["pid"]), os.pidfd_open(int(report["pid"])), trouble
    except (Refusal, OSError, KeyError, ValueError, TypeError):
        return 0, None, None


def await_end(pid: int, descriptor: int) -> None:
    """Return when the process has ended. Raises DaemonFailed when it takes too long."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(PATIENCE * 1000):
        raise DaemonFailed(
            f"it is unmounted, but the daemon (pid {pid}) is still at work; its daemon.log says more"
        )


def why(mount: Mount, stderr: str) -> Refusal:
    """fusermount3's or umount's complaint as a refusal."""
    lines = stderr.strip().splitlines() or ["no reason given"]
    if "busy" in stderr.lower():
        names = users(mount.mountpoint)
        who = f" by {', '.join(names)}" if names else ""
        return MountBusy(f"{mount.mountpoint} is in use{who}; leave it and try again")
    if "permitted" in stderr.lower() or "permission" in stderr.lower() or "not found in" in stderr.lower():
        return NoPermission(f"you may not unmount {mount.mountpoint} ({lines[-1]})")
    return DaemonFailed(f"{mount.mountpoint} was not unmounted ({lines[-1]})")


def users(mountpoint: str) -> list[str]:
    """A few of the programs that hold a file or the current directory below the mount, as far as /proc tells."""
    found: list[str] = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if len(found) == NAMED:
            break
        with contextlib.suppress(OSError):
            links = [f"/proc/{pid}/cwd", *(f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd"))]
            targets = (_target(link) for link in links)
            if any(target == mountpoint or target.startswith(mountpoint + "/") for target in targets):
                with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as stream:
                    found.append(f"{stream.read().strip()} (pid {pid})")
    return found


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
