"""watch: lsfs-watch(1): reads the file that yields a line for each change, and prints them as they come."""

import json
import os
import sys
from typing import Any

import click

from lsfs.cli import client
from lsfs.cli.call import command
from lsfs.cli.query import plain
from lsfs.mountinfo import Mount
from syscalls.arguments import line
from syscalls.log import HAPPENED
from syscalls.table import CALLS, Call


def follow(call: Call, values: dict[str, Any], mount: Mount) -> int:
    """Print each change of a file or in a folder, until interrupted."""
    as_json = values.pop("json", False)
    place = client.control(mount, line(call, values))
    on_terminal = sys.stdout.isatty()
    with open(mount.mountpoint + place, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for one in lines:
            text = one.rstrip("\n")
            if as_json:
                text = json.dumps(dict(zip(HAPPENED, text.split("\t"), strict=False)))
            if on_terminal:
                click.echo(plain(text))
                continue
            show_now(text)
    return 0


def show_now(text: str) -> None:
    """Whoever reads a pipe has each line when it comes."""
    os.write(sys.stdout.fileno(), text.encode("utf-8", "surrogateescape") + b"\n")


watch = command(next(call for call in CALLS if call.word == "watch"), follow)
watch.help = (
    "Print a line for each change of the file PATH, or at and below the folder PATH, until interrupted."
)
