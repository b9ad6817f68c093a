"""mount: show a folder through a mount, lsfs-mount(1).

In the foreground this process is the daemon. In the background it starts itself again, in a session of its own (a re-exec, not a fork:
nothing half-initialised is shared), and returns when the child says over a pipe that the mount answers, or why it does not.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from lsfs import config, log, preflight
from lsfs.cli import say
from lsfs.config import Settings
from lsfs.refusals import DaemonFailed, Refusal, StateUnusable, refusal

PATIENCE = 60.0  # seconds until a child that says nothing is given up; an answer takes about one


@click.command()
@click.argument("folder")
@click.argument("mountpoint")
@click.option("-f", "--foreground", is_flag=True, help="Stay in the terminal; log to stderr.")
@click.option("-r", "--read-only", is_flag=True, default=None, help="Refuse every change through the mount.")
@click.option("--state", metavar="DIR", help="Keep history and index here [FOLDER/.lsfs].")
@click.option("--model", metavar="NAME|DIR", help="The sentence-transformers model.")
@click.option(
    "--shared", is_flag=True, default=None, help="Others edit the folder all the time: believe for a second."
)
@click.option(
    "--allow-other",
    is_flag=True,
    default=None,
    help="Let other users in; each sees what the folder lets them.",
)
@click.option("--ready-fd", type=int, hidden=True)
def mount(
    folder: str, mountpoint: str, foreground: bool, state: str | None, ready_fd: int | None, **flags: Any
) -> int:
    """Show FOLDER at MOUNTPOINT: its files, and a folder for every question.

    Returns when the mount answers; the index fills behind it.
    """
    attached = foreground and ready_fd is None
    load = partial(config.load, folder, mountpoint, state, {**flags, "foreground": attached})
    if ready_fd is not None:
        return child(ready_fd, load)
    settings = load()
    for note in preflight.check(settings):
        say(note)
    if attached:
        return serve(
            settings, lambda: say(f"{settings.folder} is mounted at {settings.mountpoint}; ctrl-C ends it")
        )
    background(settings)
    return 0


def serve(settings: Settings, ready: Callable[[], None]) -> int:
    """Be the daemon until the mount ends; `ready` is called when it answers."""
    from lsfs import daemon

    try:
        log.start(settings.state, attached=settings.foreground)
    except OSError as error:
        raise StateUnusable(
            f"{settings.state} cannot be written to ({error.strerror}); choose another with --state"
        ) from error
    return daemon.main(settings, ready)


def child(ready_fd: int, load: Callable[[], Settings]) -> int:
    """The re-executed half: be the daemon, and tell the parent over the pipe how it went."""
    os.set_inheritable(ready_fd, False)  # the engine must not hold the pipe open

    def tell(answer: dict[str, object]) -> None:
        with contextlib.suppress(OSError):  # the parent may have given up
            os.write(ready_fd, json.dumps(answer).encode() + b"\n")
            os.close(ready_fd)

    try:
        return serve(load(), lambda: tell({"ok": True, "pid": os.getpid()}))
    except Refusal as error:
        tell({"code": error.code, "error": str(error)})
        return error.code
    except Exception as error:  # the daemon's outermost: a sentence for the parent, all of it for daemon.log
        traceback.print_exc()
        tell(
            {
                "code": DaemonFailed.code,
                "error": f"the daemon did not start ({type(error).__name__}: {error})",
            }
        )
        return DaemonFailed.code


def background(settings: Settings) -> None:
    """Start the daemon in a session of its own and wait until its mount answers. Raises the Refusal that it reports."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        stdio = log.stdio(settings.state)
    except OSError as error:
        raise StateUnusable(
            f"{settings.state} cannot be written to ({error.strerror}); choose another with --state"
        ) from error
    with open(reading, "rb", buffering=0), open(stdio, "wb", buffering=0) as output:
        try:
            process = subprocess.Popen(
                command(settings, writing),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(writing,),
                start_new_session=True,
                env=environment(),
            )
        finally:
            os.close(writing)
        try:
            answer = wait(reading)
        except BaseException:
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
    process.returncode = 0  # it outlives this process on purpose; Popen would warn
    if not answer:
        why = log.last_line(settings.state) or "it left no word"
        raise DaemonFailed(
            f"the daemon ended before it mounted: {why}; more is in {settings.state / log.FILE}"
        )
    said = json.loads(answer)
    if not said.get("ok"):
        raise refusal(said.get("code", 0), said.get("error", "the daemon did not say why it failed"))


def wait(reading: int) -> bytes:
    """The line that the child writes; empty when it ended without one. Raises DaemonFailed when it says nothing for long."""
    answer, until = b"", time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while not answer.endswith(b"\n"):
            if not selector.select(max(0.0, until - time.monotonic())):
                raise DaemonFailed(
                    f"the daemon did not mount within {PATIENCE:.0f} seconds; it was told to end"
                )
            part = os.read(reading, 65536)
            if not part:
                break
            answer += part
    return answer


def command(settings: Settings, writing: int) -> list[str]:
    """The command line of the child. -P: the current directory may hold a `queue.py`, which must not be imported."""
    words = [sys.executable, "-P", "-m", "lsfs", "mount", "--foreground", "--ready-fd", str(writing)]
    words += ["--state", str(settings.state), "--model", settings.model]
    words += ["--read-only"] if settings.read_only else []
    words += ["--shared"] if settings.shared else []
    words += ["--allow-other"] if settings.allow_other else []
    return [*words, "--", str(settings.folder), str(settings.mountpoint)]


def environment() -> dict[str, str]:
    """The child's environment; where lsfs runs from a checkout without being installed, -P must not hide it."""
    root = Path(__file__).resolve().parents[2]
    surroundings = dict(os.environ)
    if root == Path.cwd():
        surroundings["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return surroundings
