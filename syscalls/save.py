"""save: keep a question in the list of /query. Reached as `mkdir query/PROMPT` and as `save PROMPT` in /ctl."""

from typing import TYPE_CHECKING

from syscalls.errors import Exists, InvalidArgument, NotPermitted
from syscalls.names import normal
from syscalls.ports import Questions
from syscalls.values import Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

LONGEST = 16_384  # characters of a prompt that is kept


async def save(prompt: str, *, folder: bytes, questions: Questions, viewer: Viewer, owner: int) -> None:
    """Save `prompt` below `folder` (b"" is /query).

    Raises InvalidArgument for an empty or far too long prompt, Exists for one that is saved, NotPermitted for
    anyone but the owner of the mount and root: the list is theirs.
    """
    prompt = normal(prompt)
    if viewer.uid not in (0, owner):
        raise NotPermitted("The list of saved questions belongs to the owner of the mount.")
    if not prompt.strip():
        raise InvalidArgument("A question needs at least one word.")
    if len(prompt) > LONGEST:
        raise InvalidArgument(f"A question that is kept has {LONGEST} characters at most.")
    if prompt in questions.saved(folder):
        raise Exists("This question is saved already.")
    if prompt in questions.names(folder):
        raise Exists("A saved question has this name; add a word, or `lsfs group NAME --drop` it first.")
    await questions.save(folder, prompt)


async def reply(command: "Command") -> str:
    await save(
        command.text, folder=b"", questions=command.questions, viewer=command.viewer, owner=command.owner
    )
    return f"saved /query/{command.names.name(command.text).decode()}"
