"""status: what a mount has indexed and what it has not yet, lsfs-status(1)."""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click

from lsfs.cli import client
from lsfs.mountinfo import Mount
from lsfs.refusals import EngineDown, NotMounted
from syscalls.status import time_left

EVERY = 0.25  # seconds between two looks; the file costs the daemon well under a millisecond


@click.command()
@click.argument("mountpoint", required=False, metavar="[MNT]")
@click.option("-w", "--watch", is_flag=True, help="Go on until interrupted or unmounted.")
@click.option("--wait", "until_done", is_flag=True, help="Return when nothing is pending.")
@click.option("--json", "as_json", is_flag=True, help="Print status.json as it is.")
def status(mountpoint: str | None, watch: bool, until_done: bool, as_json: bool) -> int:
    """Say how the mount MNT is.

    Without MNT: the mount that holds the current directory, else the only one.
    """
    mount = client.locate(mountpoint)
    if watch or until_done:
        follow(mount, until_done, as_json)
    if not watch:
        show(mount, as_json)
    return 0


def show(mount: Mount, as_json: bool) -> None:
    """The mount's own page, with a bar below it when a person looks on; or status.json."""
    if as_json:
        click.echo(json.dumps(client.report(mount), indent=2))
        return
    report = client.report(mount)
    try:
        click.echo(
            Path(mount.mountpoint, "status").read_text(encoding="utf-8", errors="replace").rstrip("\n")
        )
    except OSError as error:
        raise NotMounted(
            f"{mount.mountpoint}/status cannot be read ({error.strerror}); its daemon may be ending"
        ) from error
    if sys.stdout.isatty():
        click.echo(bar(report))


def follow(mount: Mount, until_done: bool, as_json: bool) -> None:
    """On a terminal one line that is drawn again; elsewhere a line for each change. JSON: one object a line."""
    terminal = sys.stdout.isatty() and not as_json
    before = ""
    try:
        while True:
            try:
                report = client.report(mount)
            except NotMounted:
                if until_done:
                    raise
                break
            line = json.dumps(report) if as_json else bar(report)
            if line != before and not (until_done and not terminal):
                click.echo(f"\r\033[K{line}" if terminal else line, nl=not terminal)
                before = line
            if until_done and not report.get("scanning"):
                engine = report.get("engine") or {}
                if not report.get("pending"):
                    break
                if engine.get("meaning") == "unavailable" and engine.get("error"):
                    raise EngineDown(f"this will never be done: {engine['error']}")
            time.sleep(EVERY)
    except KeyboardInterrupt:
        if until_done:
            raise
    finally:
        if terminal and before:
            click.echo()


def bar(report: dict[str, Any]) -> str:
    """`[#####-----] 50% 10 of 20 files, engine ready, about 5 min left`, as wide as the terminal allows."""
    files, pending = int(report.get("files", 0)), int(report.get("pending", 0))
    done = max(0, files - pending)
    share = done / files if files else 1.0
    engine = report.get("engine") or {}
    words = f"{share:4.0%} {done} of {files} files, engine {engine.get('state', 'unknown')}"
    words += ", scanning" if report.get("scanning") else ""
    if said := time_left((report.get("progress") or {}).get("left")):
        words += f", {said}"
    width = max(10, min(40, shutil.get_terminal_size().columns - len(words) - 4))
    filled = int(share * width)
    return f"[{'#' * filled}{'-' * (width - filled)}] {words}"
