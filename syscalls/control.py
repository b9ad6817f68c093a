"""control: one command line of /ctl as a call, and its reply.

The line is a word of `syscalls.table` and the rest of the line as its argument, quoted or not (`query refunds`,
`scan "files/my papers"`). Runs in the daemon's loop; the call that it reaches may wait, within its own deadline.
"""

import importlib
import re
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from syscalls.arguments import given, options_of
from syscalls.asking.proposals import Proposals
from syscalls.errors import InvalidArgument, LsfsError, NotPermitted, ReadOnly
from syscalls.names import LongNames, normal
from syscalls.options import shown
from syscalls.ports import Asking, Converter, Files, Folder, Insight, Links, Locks, Questions, Writer
from syscalls.table import CALLS, Argument, Call, Option
from syscalls.values import Viewer

_BY_WORD = {call.word: call for call in CALLS}
_LED = re.compile(r"(?s)/?query/.|(?:.*/)?\.query/.")  # what may be a link of an answer

Follow = Callable[[bytes, Viewer], Awaitable[bytes | None]]


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
    follow  (path, viewer) -> the file that a link below /query leads to (`query/PROMPT/01-a.md`), None where it is none
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
    follow: Follow | None = None

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
        if call.typed:
            values = await self._led(call, given(call, text), viewer)
        else:
            values, text = {}, await self._led_line(call, text, viewer)
        command = Command(
            viewer, text, self.files, self.questions, self.report, self.names, self.owner, self.history, self.read_only,
            self.writer, values, self.folder, self.insight, self.locks, self.links, self.ask,
            self.converter, lambda line: self(line, viewer), self.proposals,
        )  # fmt: skip
        reply: str = await importlib.import_module(call.module).reply(command)
        return reply

    async def _led(self, call: Call, values: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
        """The values of a typed call, paths of links followed to the files that they lead to."""
        every: tuple[Argument | Option, ...] = (*call.arguments, *options_of(call))
        for one in every:
            if one.kind != "file" or one.name not in values:
                continue
            said = values[one.name]
            if isinstance(said, tuple):
                values[one.name] = tuple([await self._file(path, viewer) for path in said])
            else:
                values[one.name] = await self._file(said, viewer)
        return values

    async def _led_line(self, call: Call, text: str, viewer: Viewer) -> str:
        """The same of a call that reads its line itself."""
        kind = call.arguments[0].kind if call.arguments else ""
        if kind not in ("path", "line") or not _LED.search(text):
            return text
        try:
            words = [text] if kind == "path" else shlex.split(text)
        except ValueError:
            return text  # the call says what is wrong with it
        led = [await self._word(word, viewer) for word in words]
        if led == words:
            return text
        return led[0].removeprefix("files/") if kind == "path" else shlex.join(led)

    async def _word(self, word: str, viewer: Viewer) -> str:
        if not _LED.match(word):
            return word
        path = word.strip("/").removeprefix("files/").encode("utf-8", "surrogateescape")
        found = await self._file(path, viewer)
        return word if found == path else shown(found)

    async def _file(self, path: bytes, viewer: Viewer) -> bytes:
        """What a path leads to: itself, where nothing is to be followed, or something of this name is in the folder."""
        if self.follow is None or not _LED.match(path.decode("utf-8", "surrogateescape")):
            return path
        if self.folder is not None and b"/.query/" not in b"/" + path:
            try:
                await self.folder.stat(path, viewer)
            except LsfsError:
                pass
            else:
                return path
        found = await self.follow(path, viewer)
        return path if found is None else found


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
