"""control: one command line of /ctl as a call, and its reply.

The line is a word of `syscalls.table` and the rest of the line as its argument, quoted or not (`query refunds`,
`scan "files/my papers"`). Runs in the daemon's loop; the call that it reaches may wait, within its own deadline.
"""

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from syscalls.arguments import given
from syscalls.asking.proposals import Proposals
from syscalls.errors import InvalidArgument, NotPermitted, ReadOnly
from syscalls.names import LongNames, normal
from syscalls.ports import Asking, Converter, Files, Folder, Insight, Links, Locks, Questions, Writer
from syscalls.table import CALLS, Argument, Call
from syscalls.values import Viewer

_BY_WORD = {call.word: call for call in CALLS}


@dataclass(frozen=True, slots=True)
class Command:
    """A command line that was understood, and the ports that its call may use.

    text     the argument, "" for none
    owner    the uid of who mounted
    given    the arguments and options of a typed call, by name (`syscalls.arguments`)
    say      (line) -> reply: another command line, for the same viewer, with all that is asked of it checked
    proposals  what `ask` has shown and nobody has said yes to yet
    """

    viewer: Viewer
    text: str
    files: Files
    questions: Questions
    report: Callable[[Viewer], dict[str, Any]]
    names: LongNames
    owner: int
    history: Any = None
    read_only: bool = False
    writer: Writer | None = None
    given: dict[str, Any] = field(default_factory=dict)
    folder: Folder | None = None
    insight: Insight | None = None
    locks: Locks | None = None
    links: Links | None = None
    ask: Asking | None = None
    converter: Converter | None = None
    say: Callable[[str], Awaitable[str]] | None = None
    proposals: Proposals | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """The callable behind `Ports.control`: (line, viewer) -> reply. read_only is that of the mount.

    folder, insight, locks, links, ask, converter   the ports of `syscalls.ports`; None where there is none
    """

    files: Files
    questions: Questions
    report: Callable[[Viewer], dict[str, Any]]
    names: LongNames
    owner: int
    read_only: bool = False
    history: Any = None
    writer: Writer | None = None
    folder: Folder | None = None
    insight: Insight | None = None
    locks: Locks | None = None
    links: Links | None = None
    ask: Asking | None = None
    converter: Converter | None = None
    proposals: Proposals = field(default_factory=Proposals)

    async def __call__(self, line: str, viewer: Viewer) -> str:
        """The reply to `line`, without a line break at its end.

        Raises InvalidArgument for a line that is no command, ReadOnly for a call that changes something in a mount
        that is read-only, NotPermitted for a command on the whole mount by someone else than its owner or root, and
        what the call raises.
        """
        call, text = understood(line)
        if call.changes and self.read_only:
            raise ReadOnly(
                f"This mount is read-only, so `{call.word}` is refused; questions can be asked all the same."
            )
        if call.whole and viewer.uid not in (0, self.owner):
            raise NotPermitted(
                f"`{call.word}` concerns the whole mount: only its owner and root may ask for it."
            )
        command = Command(
            viewer, text, self.files, self.questions, self.report, self.names, self.owner, self.history, self.read_only,
            self.writer, given(call, text) if call.typed else {}, self.folder, self.insight, self.locks, self.links, self.ask,
            self.converter, lambda line: self(line, viewer), self.proposals,
        )  # fmt: skip
        reply: str = await importlib.import_module(call.module).reply(command)
        return reply


def understood(line: str) -> tuple[Call, str]:
    """The call and the argument that `line` names; InvalidArgument, with a sentence, if it names none."""
    if "\0" in line:
        raise InvalidArgument("A command line is text, without NUL bytes.")
    word, text = (*line.split(None, 1), "", "")[:2]
    call = _BY_WORD.get(word)
    if call is None:
        known = ", ".join(_BY_WORD)
        raise InvalidArgument(f"There is no command {word[:40]!r}; write one of {known}.")
    text = text.strip()
    if call.typed:
        return call, text
    if not call.arguments and text:
        raise InvalidArgument(f"`{word}` takes no argument.")
    for argument in call.arguments:
        text = _argument(word, argument, text)
    return call, text


def _argument(word: str, argument: Argument, text: str) -> str:
    if argument.required and not text:
        raise InvalidArgument(f"`{word}` needs {argument.name}: {argument.help}.")
    return _KINDS[argument.kind](text)


def _path(text: str) -> str:
    """A path below /files, relative to the folder: quotes, a leading slash and files/ are how people write it."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    path = text.strip("/")
    path = "" if path == "files" else path.removeprefix("files/").strip("/")
    if any(part in ("", ".", "..") for part in path.split("/")) and path:
        raise InvalidArgument("A path is written as ls shows it below files/, without `.` and `..`.")
    return path


def _prompt(text: str) -> str:
    return normal(text).encode("utf-8", "replace").decode()


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))


_KINDS: dict[str, Callable[[str], str]] = {
    "prompt": lambda text: _prompt(_one_line(text)),
    "path": lambda text: _path(_one_line(text)),
    "line": str,  # a name in it may hold a line break, quoted
}
