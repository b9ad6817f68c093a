"""The calls, as a table. /ctl, the command line, README.md, the manual and the tests walk it.

A new call is one module, one row here, one paragraph of manual, one test file. The module of a row that /ctl can
reach has `async def reply(command: Command) -> str`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """A word (or the rest) of a command line.

    kind  "prompt" (the rest of the line), "path" (below /files) or "line" (words as in a shell, options among them, which the call reads
          itself: `syscalls.options`); of a call that is `typed`, a kind of `syscalls.arguments`
    many  all words that are left; only the last argument of a typed call
    """

    name: str
    kind: str
    required: bool
    help: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """`--name VALUE` of a typed call. kind: "flag", which has no value, or as of an argument."""

    name: str
    kind: str
    help: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call: `word` is what /ctl and `lsfs` call it, `where` how plain file tools reach it.

    whole    it concerns the whole mount, so only its owner and root may call it
    changes  it changes what the mount keeps, so a mount that is read-only refuses it
    options  of a typed call; `--json` is one of every typed call
    typed    its line is read by `syscalls.arguments`, and its module is given the values: `Command.given`
    """

    name: str
    word: str
    module: str
    arguments: tuple[Argument, ...]
    summary: str
    where: str
    whole: bool = False
    changes: bool = False
    options: tuple[Option, ...] = ()
    typed: bool = False


_PROMPT = Argument("PROMPT", "prompt", True, "a question, as one would write it below /query")

# fmt: off
CALLS = (
    Call("retrieve", "query", "syscalls.retrieve", (_PROMPT,),
         "Answers with the path below which the files are listed that answer PROMPT.", "ls query/PROMPT"),
    Call("save", "save", "syscalls.save", (_PROMPT,),
         "Keeps PROMPT in the list of /query; its answer follows the files.", "mkdir query/PROMPT", changes=True),
    Call("forget", "forget", "syscalls.forget", (_PROMPT,),
         "Takes a saved PROMPT off the list; no file is touched.", "rmdir query/PROMPT", changes=True),
    Call("status", "status", "syscalls.status", (),
         "Says how far the index is and what went wrong.", "cat status"),
    Call("scan", "scan", "syscalls.scan", (Argument("PATH", "path", False, "a file or folder below files/; all of it without"),),
         "Looks for changes that were made behind the mount, now.", "echo scan > ctl", whole=True),
    Call("rebuild", "rebuild", "syscalls.rebuild", (),
         "Makes the index anew; vectors that are kept are not computed again.", "echo rebuild > ctl", whole=True),
    Call("snapshot", "snapshot", "syscalls.snapshot",
         (Argument("NAME", "line", False, "what to call it; without it the snapshots are listed; --drop NAME takes one back"),),
         "Gives a name to everything that is there now.", "mkdir snapshots/NAME"),
    Call("log", "log", "syscalls.log", (Argument("PATH", "line", True, "a file below files/, also one that was removed"),),
         "Lists everything that happened to a file, as a table.", "cat files/.versions/PATH/log"),
    Call("compare", "compare", "syscalls.compare",
         (Argument("PATH", "line", True, "a file below files/; --from X, --to Y: v3, a snapshot, a time; --diff for patch(1); --no-llm"),),
         "Says in words what changed between two versions of a file.", "cat files/.versions/PATH/v1..v2.md"),
    Call("rollback", "rollback", "syscalls.rollback",
         (Argument("PATH", "line", True, "a path below files/, `.` is all of it; and --to SNAPSHOT or TIME, --version N, --versions N"),),
         "Makes an old version the newest one: answers with the plan; `rollback --token T` does what it says.",
         "cp -a snapshots/NAME/files/PATH files/", changes=True),
    Call("undo", "undo", "syscalls.undo", (Argument("--dry-run", "line", False, "no token is given"),),
         "Answers with the plan that takes the last rollback back.", "echo undo > ctl", changes=True),
    Call("undelete", "undelete", "syscalls.undelete",
         (Argument("PATH", "line", True, "a path in trash/, or one below files/ where something was removed; --as PATH: to there"),),
         "Puts back what was removed: a file, or a folder with what went with it.", "mv trash/DAY/PATH files/", changes=True),
    Call("purge", "purge", "syscalls.purge",
         (Argument("PATH", "line", True, "a file or folder below files/; --live removes it, too, --everywhere what has the same bytes"),),
         "Removes all that a file ever was, for good: answers with the plan; `purge --token T` does it.",
         "echo purge PATH > ctl", whole=True, changes=True),
    Call("help", "help", "syscalls.help", (),
         "Lists these commands.", "cat ctl"),
)
# fmt: on
