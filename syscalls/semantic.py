"""semantic: the files whose meaning is nearest to a question, best first.

    semantic "how to pay a customer back" --k 5        ls query/"mode:meaning limit:5 how to pay a customer back"

`--k` may be any number: where it is more than there are files, the answer has all of them that have a vector.
"""

from typing import TYPE_CHECKING

from syscalls.combine import listed
from syscalls.ports import Asking
from syscalls.prompt import parse
from syscalls.values import Results, Viewer
from syscalls.within import folder_of

if TYPE_CHECKING:
    from syscalls.control import Command


async def semantic(
    prompt: str, *, ask: Asking, viewer: Viewer, folder: bytes = b"", k: int | None = None
) -> Results:
    """The `k` files nearest to `prompt` by meaning alone; by words where there is no model, as the answer's `meaning` says."""
    wanted = f"{prompt} mode:meaning"
    if parse(wanted).mode != "meaning":  # the prompt ends in the middle of something: `bread NOT`
        wanted = f"mode:meaning {prompt}"
    return await ask(wanted, folder, viewer, limit=k)


async def reply(command: "Command") -> str:
    """The paths, best first, one a line."""
    given = command.given
    assert command.ask is not None
    folder = await folder_of(command, given.get("in"))
    found = await semantic(
        given["PROMPT"], ask=command.ask, viewer=command.viewer, folder=folder, k=given.get("k")
    )
    return listed(found, as_json="json" in given)
