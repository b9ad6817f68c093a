"""control: the commands that are one line to `ctl`: lsfs-save(1), lsfs-scan(1), lsfs-rebuild(1).

Their words, arguments and help are rows of `syscalls.table`.
"""

import json

import click

from lsfs.cli import client
from lsfs.cli.words import Prompted
from syscalls.table import CALLS, Argument


def client_of(word: str) -> click.Command:
    """The command that writes `word` and its argument to `ctl` and prints the answer."""
    call = next(call for call in CALLS if call.word == word)

    def run(mountpoint: str | None, as_json: bool, **arguments: tuple[str, ...]) -> int:
        said = {name: " ".join(parts) for name, parts in arguments.items()}
        reply = client.control(client.locate(mountpoint), " ".join([word, *said.values()]).rstrip())
        click.echo(json.dumps({"call": word, **said, "reply": reply}) if as_json else reply)
        return 0

    params: list[click.Parameter] = [
        click.Argument(
            [argument.name.lower()], nargs=-1, required=argument.required, metavar=metavar(argument)
        )
        for argument in call.arguments
    ]
    params.append(
        click.Option(["--json", "as_json"], is_flag=True, help="One JSON object instead of a sentence.")
    )
    params.append(
        click.Option(["--mount", "mountpoint"], metavar="MNT", help="Which mount, where there are several.")
    )
    notes = "".join(f"\n\n{argument.name}: {argument.help}." for argument in call.arguments)
    kind = Prompted if any(argument.kind == "prompt" for argument in call.arguments) else click.Command
    return kind(word, params=params, callback=run, help=call.summary + notes)


def metavar(argument: Argument) -> str:
    return f"{argument.name}..." if argument.required else f"[{argument.name}]"


save, scan, rebuild = client_of("save"), client_of("scan"), client_of("rebuild")
