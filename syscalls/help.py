"""help: the commands of /ctl, or one of them. Reached as `cat ctl`, as `help [WORD]` in /ctl and as `lsfs --help`."""

from typing import TYPE_CHECKING

from syscalls.arguments import options_of
from syscalls.errors import InvalidArgument
from syscalls.table import CALLS, Call, Option

if TYPE_CHECKING:
    from syscalls.control import Command


def text() -> str:
    """One line for each call, from the table."""
    width = max(len(usage(call)) for call in CALLS)
    lines = [f"{usage(call):<{width}}  {call.summary}" for call in CALLS]
    return "Write one command line, read the reply on the same descriptor.\n\n" + "\n".join(lines)


def usage(call: Call) -> str:
    """The call as it is written: its word and its arguments, optional ones in brackets."""
    words = (argument.name if argument.required else f"[{argument.name}]" for argument in call.arguments)
    return " ".join((call.word, *words))


def of(word: str) -> str:
    """What one call takes. Raises InvalidArgument where there is none of that name."""
    call = next((call for call in CALLS if call.word == word), None)
    if call is None:
        raise InvalidArgument(
            f"There is no command {word[:40]!r}; write one of {', '.join(call.word for call in CALLS)}."
        )
    lines = [usage(call), "", call.summary, f"By plain tools: {call.where}", ""]
    lines += [f"  {argument.name}  {argument.help}" for argument in call.arguments]
    if call.typed:
        lines += [f"  {_option(option)}  {option.help}" for option in options_of(call)]
    return "\n".join(lines).rstrip()


def _option(option: Option) -> str:
    return f"--{option.name}" if option.kind == "flag" else f"--{option.name} {option.kind.upper()}"


async def reply(command: "Command") -> str:
    """All of them, or one with its arguments and options."""
    return of(command.text.strip()) if command.text.strip() else text()
