"""words: a command whose arguments are a prompt: lsfs-query(1), lsfs-save(1), lsfs-forget(1).

`-word` excludes a word in a prompt, and these commands have long options and -h alone: so a word behind a single dash is a
part of the prompt. A long option that does not exist stays a mistake of the command line; after `--` everything is prompt.
"""

import re
from typing import Any

import click

MARK = "\0"  # no argument of a process holds it
WORD = re.compile(r"-(?!-|h$).", re.DOTALL)


class Prompted(click.Command):
    """A click command that takes `-word` for an argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, [MARK + word if WORD.match(word) else word for word in args])
        ctx.params = {name: _unmarked(value) for name, value in ctx.params.items()}
        return rest


def _unmarked(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_unmarked(part) for part in value)
    return value.removeprefix(MARK) if isinstance(value, str) else value
