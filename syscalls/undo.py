"""undo: take back the last rollback, or the last call that changed files. It is a rollback itself: the next `undo` does it again.

    undo                      answers with the plan, as JSON, as `rollback PATH --to X` does
    rollback --token T        does what the plan says

`redo` in the plan says that the last one was an undo, so that this does again what that took back.

What is edited meanwhile goes back, too, and stays in history; of a call that changed files, only what it changed.
"""

import json
from typing import TYPE_CHECKING

from syscalls.options import parse

if TYPE_CHECKING:
    from syscalls.control import Command


async def reply(command: "Command") -> str:
    """The plan, on one line."""
    _, options = parse("undo", command.text, flags=("dry-run",), most=0)
    return json.dumps(await command.history.rollback.undo(command.viewer, token="dry-run" not in options))
