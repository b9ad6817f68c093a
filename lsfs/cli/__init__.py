"""cli: the command `lsfs`.

COMMANDS is the whole of it; a command's module is imported when that command runs, so that `lsfs --help` and completion load click alone
(a test reads sys.modules). Every error leaves through `main`, as one sentence on stderr and an exit code that lsfs(1) lists.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from lsfs import __version__
from lsfs.refusals import Refusal

BUG = 70
INTERRUPTED, PIPE_CLOSED = 130, 141


class Command(NamedTuple):
    """A row of COMMANDS: the word, the module below lsfs.cli that holds a click command of that
    name, its line in the help."""

    name: str
    module: str
    summary: str


COMMANDS: tuple[Command, ...] = (
    Command("mount", "mount", "Mount a folder."),
    Command("umount", "umount", "Unmount, and wait until the daemon has ended."),
    Command("status", "status", "Say what is indexed, and what is not yet."),
    Command("query", "query", "Ask a question; print the best passages."),
    Command("save", "control", "Keep a question in the list of query/."),
    Command("forget", "forget", "Take a saved question off the list, or purge a file."),
    Command("scan", "control", "Look for changes that were made behind the mount."),
    Command("rebuild", "control", "Drop the index and build it again."),
    Command("snapshot", "past", "Give a name to everything that is there now, or list the names."),
    Command("log", "call", "List everything that happened to a file, or in a folder."),
    Command("watch", "watch", "Print each change of a file, or in a folder, as it happens."),
    Command("compare", "past", "Say in words what changed between two versions of a file."),
    Command("rollback", "rollback", "Make an old version the newest one; shows the plan first."),
    Command("undo", "rollback", "Take the last rollback or edit back."),
    Command("undelete", "rollback", "Put back what was removed."),
    Command("join", "call", "Make one file of two or more, as their format wants it."),
    Command("translate", "call", "Make a file in another format, beside it."),
    Command("lock", "call", "Let nobody change a file or folder, for a time."),
    Command("unlock", "call", "End a lock."),
    Command("link", "call", "Make a link that expires, or list those there are."),
    Command("serve", "serve", "Serve the links on this machine, and to nobody else."),
    Command("summarise", "call", "Say what the files answer, in their own sentences, cited."),
    Command("keywords", "found", "List every file that has some words, and no other."),
    Command("semantic", "found", "List the files whose meaning is nearest to a question."),
    Command("integrated", "found", "List the files with some words, nearest to a question first."),
    Command("combine", "found", "List the files of both questions, of either, or of one only."),
    Command("group", "call", "Name what answers a question, put it in a folder, or sort it."),
    Command("create", "create", "Make a file or a folder, or bring one in from outside."),
    Command("get", "call", "Print what a file holds and what it is, as JSON."),
    Command("append", "create", "Put text at the end of a file."),
    Command("replace", "create", "Give a file another content, all at once."),
    Command("delete", "delete", "Remove files and folders, by name or by what is in them."),
    Command("touch", "call", "Set the times of a file or folder."),
    Command("ask", "ask", "Do what a sentence says; shows the command first."),
    Command("fsck", "fsck", "Look whether history and index are whole."),
    Command("doctor", "doctor", "Try everything that lsfs needs, for real."),
    Command("completion", "completion", "Print the completion script of a shell."),
)


class ReaderGone(Exception):
    """Nobody reads stdout any more. (A BrokenPipeError would become exit code 1 in click, which means something here.)"""


class Lazy(click.Group):
    """A group that knows its commands from COMMANDS and imports one when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        row = next((row for row in COMMANDS if row.name == cmd_name), None)
        if row is None:
            return None
        module = importlib.import_module(f"lsfs.cli.{row.module}")
        found: click.Command = getattr(module, row.name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.summary) for row in COMMANDS])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        rows = [row for row in COMMANDS if row.name.startswith(incomplete)]
        return [CompletionItem(row.name, help=row.summary) for row in rows]


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lsfs", message="%(prog)s %(version)s")
def group() -> None:
    """A file system in which a question is a directory.

    lsfs mount ~/notes ~/ctx; ls ~/ctx/query/"how do we handle refunds"; cat ~/ctx/README.md
    """


def say(sentence: str) -> None:
    """One sentence on stderr, as every message of lsfs."""
    click.echo(f"lsfs: {sentence.rstrip('.')}.", err=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; the only place where an error becomes one."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if _is_mount_helper(words):
            from lsfs.cli.helper import translate

            words = translate(words)
        code = group.main(args=words, prog_name="lsfs", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except Refusal as error:
        say(str(error))
        return error.code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        say(
            f"{error.format_message().rstrip('.')}; see `{context.command_path if context else 'lsfs'} --help`"
        )
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except SystemExit as error:  # click's own, after a completion
        return int(error.code or 0)
    except (ReaderGone, BrokenPipeError):
        # the interpreter flushes stdout once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        say(f"{error.filename or ''}: {error.strerror}".lstrip(": ") if error.strerror else str(error))
        return 1
    except Exception as error:
        if os.environ.get("LSFS_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}"
        say(f"this should not happen ({what}); run it again with LSFS_DEBUG=1 and report what it prints")
        return BUG


def _is_mount_helper(words: Sequence[str]) -> bool:
    """Whether mount(8) called: `mount -t fuse.lsfs SOURCE MOUNTPOINT -o …` runs `lsfs SOURCE MOUNTPOINT -o …`."""
    names = {row.name for row in COMMANDS}
    return len(words) >= 3 and words[0] not in names and not words[0].startswith("-") and "-o" in words[2:]
