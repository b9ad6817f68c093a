"""forget: take a question off the list of /query. Reached as `rmdir query/PROMPT` and as `forget PROMPT` in /ctl."""

from typing import TYPE_CHECKING

from syscalls.errors import NotFound, NotPermitted
from syscalls.names import normal
from syscalls.ports import Questions
from syscalls.values import Viewer

if TYPE_CHECKING:
    from syscalls.control import Command


async def forget(prompt: str, *, folder: bytes, questions: Questions, viewer: Viewer, owner: int) -> None:
    """Forget a saved prompt of `folder`; no file is touched. NotFound if it is not saved, NotPermitted as in save."""
    prompt = normal(prompt)
    if viewer.uid not in (0, owner):
        raise NotPermitted("The list of saved questions belongs to the owner of the mount.")
    if prompt not in questions.saved(folder):
        raise NotFound("This question is not saved; `ls query` shows those that are.")
    await questions.forget(folder, prompt)


async def reply(command: "Command") -> str:
    await forget(
        command.text, folder=b"", questions=command.questions, viewer=command.viewer, owner=command.owner
    )
    return "forgotten"
