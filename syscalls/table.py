"""The calls, as a table. /ctl, the command line, README.md, the manual and the tests walk it.

A new call is one module, one row here, one paragraph of manual, one test file. The module of a row that /ctl can
reach has `async def reply(command: Command) -> str`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """A word (or the rest) of a command line. kind: "prompt" (the rest of the line) or "path" (below /files)."""

    name: str
    kind: str
    required: bool
    help: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call: `word` is what /ctl and `lsfs` call it, `where` how plain file tools reach it.

    whole    it concerns the whole mount, so only its owner and root may call it
    changes  it changes what the mount keeps, so a mount that is read-only refuses it
    """

    name: str
    word: str
    module: str
    arguments: tuple[Argument, ...]
    summary: str
    where: str
    whole: bool = False
    changes: bool = False


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
    Call("help", "help", "syscalls.help", (),
         "Lists these commands.", "cat ctl"),
)
# fmt: on
