"""completion: print a shell's completion script, for `eval "$(lsfs completion bash)"`."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> int:
    """Print the completion script of SHELL."""
    from lsfs.cli import group

    kind = get_completion_class(shell)
    if kind is None:
        raise click.BadParameter(f"{shell} is not one of {', '.join(SHELLS)}")
    click.echo(kind(group, {}, "lsfs", "_LSFS_COMPLETE").source())
    return 0
