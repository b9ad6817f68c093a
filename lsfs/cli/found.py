"""found: lsfs-keywords(1), lsfs-semantic(1), lsfs-integrated(1), lsfs-combine(1).

The paths go to stdout, one a line, what is to be known of them to stderr. The exit code is 1 where nothing was found, as that of
lsfs-query(1).
"""

import json
from typing import Any

import click

from lsfs.cli import client, say
from lsfs.cli.call import command, show
from lsfs.mountinfo import Mount
from syscalls.arguments import line
from syscalls.table import CALLS, Call

NOTHING = 1
_CALLS = {call.word: call for call in CALLS}


def listed(call: Call, values: dict[str, Any], mount: Mount) -> int:
    """Print the hits of an answer, and what its reader should know."""
    answer = client.control(mount, line(call, values | {"json": True}))
    found: dict[str, Any] = json.loads(answer)
    if "json" in values:
        show(answer)
    else:
        for note in found["read"]["notes"]:
            say(note)
        if found["pending"]:
            from syscalls.results import unindexed

            say(f"{unindexed(found['pending'])}; what they say may be missing")
        show("\n".join(hit["path"] for hit in found["hits"]))
    return 0 if found["hits"] else NOTHING


keywords: click.Command = command(_CALLS["keywords"], listed)
semantic: click.Command = command(_CALLS["semantic"], listed)
integrated: click.Command = command(_CALLS["integrated"], listed)
combine: click.Command = command(_CALLS["combine"], listed)
