"""help: the commands of /ctl. Reached as `cat ctl`, as `help` in /ctl and as `lsfs --help`."""

from typing import TYPE_CHECKING

from syscalls.table import CALLS, Call

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


async def reply(command: "Command") -> str:
    return text()
