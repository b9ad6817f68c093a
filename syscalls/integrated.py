"""integrated: words say which files, meaning says in which order.

    integrated "refund AND (goods OR card)" "how to pay a customer back"
    ls query/"refund AND (goods OR card)"/and/"how to pay a customer back"

Only files that fulfil WORDS, an expression as of `keywords`, are in the answer, and PROMPT ranks them.
"""

from typing import TYPE_CHECKING

from syscalls.combine import combine, listed
from syscalls.ports import Asking
from syscalls.prompt import demanded
from syscalls.values import Results, Viewer
from syscalls.within import folder_of

if TYPE_CHECKING:
    from syscalls.control import Command


async def integrated(
    words: str, prompt: str, *, ask: Asking, viewer: Viewer, folder: bytes = b"", k: int | None = None
) -> Results:
    """The `k` best answers to `prompt` among the files that fulfil `words`. Raises InvalidArgument for words that are no expression."""
    chain = (demanded(words), "and", prompt)
    return await combine(chain, ask=ask, folder=folder, viewer=viewer, limit=k)


async def reply(command: "Command") -> str:
    """The paths, best first, one a line."""
    given = command.given
    assert command.ask is not None
    folder = await folder_of(command, given.get("in"))
    found = await integrated(
        given["WORDS"],
        given["PROMPT"],
        ask=command.ask,
        viewer=command.viewer,
        folder=folder,
        k=given.get("k"),
    )
    return listed(found, as_json="json" in given)
