"""undo: take the last rollback back. It is a rollback itself, so the next `undo` does it again.

    undo                      answers with the plan, as JSON, as `rollback PATH --to X` does
    rollback --token T        does what the plan says

What is edited meanwhile goes back, too, and stays in history.
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
