"""control: the commands that are one line to `ctl`: lsfs-save(1), lsfs-scan(1), lsfs-rebuild(1).

Their words, arguments and help are rows of `syscalls.table`.
"""

import click

from lsfs.cli import client
from lsfs.cli.words import Prompted
from syscalls.table import CALLS, Argument


def client_of(word: str) -> click.Command:
    """The command that writes `word` and its argument to `ctl` and prints the answer."""
    call = next(call for call in CALLS if call.word == word)

    def run(mountpoint: str | None, **arguments: tuple[str, ...]) -> int:
        line = " ".join([word, *(part for parts in arguments.values() for part in parts)])
        click.echo(client.control(client.locate(mountpoint), line))
        return 0

    params: list[click.Parameter] = [
        click.Argument(
            [argument.name.lower()], nargs=-1, required=argument.required, metavar=metavar(argument)
        )
        for argument in call.arguments
    ]
    params.append(
        click.Option(["--mount", "mountpoint"], metavar="MNT", help="Which mount, where there are several.")
    )
    notes = "".join(f"\n\n{argument.name}: {argument.help}." for argument in call.arguments)
    kind = Prompted if any(argument.kind == "prompt" for argument in call.arguments) else click.Command
    return kind(word, params=params, callback=run, help=call.summary + notes)


def metavar(argument: Argument) -> str:
    return f"{argument.name}..." if argument.required else f"[{argument.name}]"


save, scan, rebuild = client_of("save"), client_of("scan"), client_of("rebuild")
