"""keywords: every file that fulfils an expression of words, and no other.

    keywords 'refund AND "two signatures"'             ls query/'mode:words limit:all (refund AND "two signatures")'
    keywords 'sign* NOT draft' --in policies           ls files/policies/.query/'mode:words limit:all (sign* AND NOT draft)'

What a word is, and when a text has it, is defined in `syscalls.terms`; a word may also stand in the path. Words side by side must all
occur. No model is asked or waited for. The best come first (BM25), equal ones by path.
"""

from typing import TYPE_CHECKING

from syscalls.combine import listed
from syscalls.ports import Asking
from syscalls.prompt import demanded
from syscalls.values import Results, Viewer
from syscalls.within import folder_of

if TYPE_CHECKING:
    from syscalls.control import Command


async def keywords(expression: str, *, ask: Asking, viewer: Viewer, folder: bytes = b"") -> Results:
    """All files below `folder` that fulfil `expression`. Raises InvalidArgument for what is no expression."""
    return await ask(demanded(expression), folder, viewer)


async def reply(command: "Command") -> str:
    """The paths, best first, one a line."""
    given = command.given
    assert command.ask is not None
    folder = await folder_of(command, given.get("in"))
    found = await keywords(given["EXPRESSION"], ask=command.ask, viewer=command.viewer, folder=folder)
    return listed(found, as_json="json" in given)
