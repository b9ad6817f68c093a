"""call: a typed call of `syscalls.table` as a command: its words and options, one line to `ctl`, its answer printed as it is.

    lsfs lock ~/ctx/files/plan.md --for 2h          the mount is that of the path; without a path, `--mount` or the only one

The command of a row is made when it is asked for: `lsfs.cli.call.lock` is the one of the row whose word is `lock`.
"""

import sys
from collections.abc import Callable
from typing import Any

import click

from lsfs.cli import client
from lsfs.cli.inside import inside
from lsfs.cli.query import plain
from lsfs.mountinfo import Mount
from lsfs.refusals import CommandRefused
from syscalls.arguments import line, options_of, value
from syscalls.errors import InvalidArgument
from syscalls.table import CALLS, Argument, Call, Option

_BY_NAME = {call.word.replace("-", "_"): call for call in CALLS if call.typed}


def __getattr__(name: str) -> click.Command:
    call = _BY_NAME.get(name)
    if call is None:
        raise AttributeError(name)
    return command(call)


def command(call: Call, run: Callable[[Call, dict[str, Any], Mount], int] | None = None) -> click.Command:
    """The command of a typed call. `run` is given what was understood, and the mount; without it the answer of `ctl` is printed."""
    parameters: list[click.Parameter] = [
        click.Argument(
            [_variable(one.name)],
            required=one.required,
            nargs=-1 if one.many or _is_rest(call, one) else 1,
            metavar=_metavar(one),
        )
        for one in call.arguments
    ]
    parameters += [_option(option) for option in options_of(call)]
    parameters.append(
        click.Option(["--mount", "mountpoint"], metavar="MNT", help="Which mount, where there are several.")
    )

    def callback(mountpoint: str | None, **typed: Any) -> int:
        values, mount = understood(call, typed, mountpoint)
        return (run or printed)(call, values, mount)

    return click.Command(call.word, params=parameters, callback=callback, help=call.summary)


def understood(call: Call, typed: dict[str, Any], mountpoint: str | None) -> tuple[dict[str, Any], Mount]:
    """The values that were typed, paths resolved, and the mount that is meant. Raises CommandRefused, NotMounted."""
    values: dict[str, Any] = {}
    mount: Mount | None = None
    all_of_it: tuple[Argument | Option, ...] = (*call.arguments, *options_of(call))
    for one in all_of_it:
        given = typed[_variable(one.name)]
        if given is None or given is False or given == ():
            continue
        if isinstance(one, Argument) and _is_rest(call, one):
            given = " ".join(given)
        if isinstance(one, Option) and one.kind == "flag":
            values[one.name] = True
            continue
        read = []
        for word in given if isinstance(given, tuple) else (given,):
            if one.kind == "file":
                there, word = inside(word, mountpoint)
                if mount is not None and there.mountpoint != mount.mountpoint:
                    raise CommandRefused(
                        f"{mount.mountpoint} and {there.mountpoint} are two mounts; say paths of one"
                    )
                mount = there
            try:
                read.append(value(call.word, one, word))
            except InvalidArgument as error:
                raise CommandRefused(str(error)) from None
        values[one.name] = tuple(read) if isinstance(given, tuple) else read[0]
    return values, mount or client.locate(mountpoint)


def printed(call: Call, values: dict[str, Any], mount: Mount) -> int:
    """One line to `ctl`, its answer on stdout."""
    show(client.control(mount, line(call, values)))
    return 0


def show(answer: str) -> None:
    """Print an answer byte for byte; on a terminal without what that would obey. (`click.echo` would take colours out of a diff.)"""
    if not answer:
        return
    if sys.stdout.isatty():
        click.echo(plain(answer))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(answer.encode("utf-8", "surrogateescape") + b"\n")
    sys.stdout.buffer.flush()


def _is_rest(call: Call, one: Argument) -> bool:
    """A question that comes last need not be quoted."""
    return one.kind == "prompt" and not one.many and one is call.arguments[-1]


def _variable(name: str) -> str:
    return name.lower().replace("-", "_") + "_"


def _metavar(one: Argument) -> str:
    name = one.name if one.required else f"[{one.name}]"
    return f"{name}..." if one.many else name


def _option(option: Option) -> click.Option:
    text = option.help[:1].upper() + option.help[1:] + "."
    if option.kind == "flag":
        return click.Option([f"--{option.name}", _variable(option.name)], is_flag=True, help=text)
    metavar = option.kind.upper() if "|" not in option.kind else option.kind
    return click.Option(
        [f"--{option.name}", _variable(option.name)], metavar=metavar.replace("FILE", "PATH"), help=text
    )
