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
    Call("log", "log", "syscalls.log",
         (Argument("PATH", "file", False, "a file or folder below files/, also one that was removed; all of it without"),),
         "Lists everything that happened to a file, or in a folder, as a table.", "cat files/.versions/PATH/log", typed=True,
         options=(Option("since", "time", "only what happened from then on"),
                  Option("limit", "number", "the newest so many lines; 1000 of a folder without it"))),
    Call("watch", "watch", "syscalls.watch", (Argument("PATH", "file", True, "a file or folder below files/"),),
         "Answers with the path that yields one line for each change, as it happens.", "cat files/.versions/.watch", typed=True),
    Call("compare", "compare", "syscalls.compare",
         (Argument("PATH", "file", True, "a file or folder below files/; `files` is everything"),),
         "Says in words what changed between two versions of a file, two files, or two moments of a folder.",
         "cat files/.versions/PATH/v1..v2.md", typed=True,
         options=(Option("from", "text", "the older one: v3, a snapshot, a time; of a file the version before without it"),
                  Option("to", "text", "the newer one; the newest without it"),
                  Option("with", "file", "another file, as both are now"),
                  Option("diff", "flag", "as a unified diff, for patch(1)"),
                  Option("no-llm", "flag", "without what a language model says of it, where one is named in lsfs.conf"))),
    Call("rollback", "rollback", "syscalls.rollback",
         (Argument("PATH", "line", True, "a path below files/, `.` is all of it; and --to SNAPSHOT or TIME, --version N, --versions N"),),
         "Makes an old version the newest one: answers with the plan; `rollback --token T` does what it says.",
         "cp -a snapshots/NAME/files/PATH files/", changes=True),
    Call("undo", "undo", "syscalls.undo", (Argument("--dry-run", "line", False, "no token is given"),),
         "Answers with the plan that takes the last rollback or edit back.", "echo undo > ctl", changes=True),
    Call("undelete", "undelete", "syscalls.undelete",
         (Argument("PATH", "line", True, "a path in trash/, or one below files/ where something was removed; --as PATH: to there"),),
         "Puts back what was removed: a file, or a folder with what went with it.", "mv trash/DAY/PATH files/", changes=True),
    Call("purge", "purge", "syscalls.purge",
         (Argument("PATH", "line", True, "a file or folder below files/; --live removes it, too, --everywhere what has the same bytes"),),
         "Removes all that a file ever was, for good: answers with the plan; `purge --token T` does it.",
         "echo purge PATH > ctl", whole=True, changes=True),
    Call("join", "join", "syscalls.join",
         (Argument("PATH", "file", False, "files below files/, in this order", many=True),),
         "Makes one file of two or more, as their format wants it.", "cat files/a.txt files/b.txt > files/c.txt", changes=True, typed=True,
         options=(Option("into", "file", "the new file; one that is there is not overwritten"),
                  Option("in-place", "flag", "the others come to the end of the first"),
                  Option("matching", "prompt", "the files that answer a question, best first, behind those that are named"))),
    Call("translate", "translate", "syscalls.translate", (Argument("PATH", "file", True, "a file below files/"),),
         "Makes a file in another format, beside it.", "echo translate PATH --to html > ctl", changes=True, typed=True,
         options=(Option("to", "text", "the format: md, html, docx or txt"),
                  Option("into", "file", "the new file; without it the same name with another suffix"))),
    Call("lock", "lock", "syscalls.lock", (Argument("PATH", "file", True, "a file or folder below files/"),),
         "Lets nobody change a file, or a folder with all that is in it.", "setfattr -n user.lsfs.lock -v 2h files/PATH", changes=True,
         typed=True,
         options=(Option("for", "duration", "how long: 90s, 15m, 2h, 3d, 1w"),
                  Option("until", "time", "when it ends: 2026-12-01, 2026-12-01T18:00"),
                  Option("why", "text", "what for, on one line"))),
    Call("unlock", "unlock", "syscalls.unlock", (Argument("PATH", "file", True, "what is locked, below files/"),),
         "Ends a lock: for who locked, root, and the owner of the mount.", "setfattr -x user.lsfs.lock files/PATH",
         changes=True, typed=True),
    Call("link", "link", "syscalls.link",
         (Argument("PATH", "file", False, "a file or folder below files/; without it the links are listed"),),
         "Makes a link that expires, as a path in links/ and as an address for `lsfs serve`, or lists them.", "ln -s ../files/PATH links/",
         typed=True,
         options=(Option("for", "duration", "how long it is valid, such as 2h; a day without it"),
                  Option("until", "time", "when it ends"),
                  Option("name", "name", "what it is called in links/; without it as the file"),
                  Option("revoke", "name", "the link that is taken back"),
                  Option("check", "text", "a token; answers, to the owner and root, what it leads to"))),
    Call("summarise", "summarise", "syscalls.summarise", (_PROMPT,),
         "Says what the files answer to PROMPT, in their own sentences, each with where it stands.", "cat query/PROMPT/summary.md",
         typed=True,
         options=(Option("sentences", "number", "how many, at most; 7 without it"),
                  Option("in", "file", "only what is below this folder, or this file"),
                  Option("no-llm", "flag", "ask no language model"))),
    Call("semantic", "semantic", "syscalls.semantic", (Argument("PROMPT", "prompt", True, "a question"),),
         "Lists the files whose meaning is nearest to PROMPT.", 'ls query/"mode:meaning limit:K PROMPT"', typed=True,
         options=(Option("k", "number", "how many files; more than there are is no error"),
                  Option("in", "file", "the folder that is asked"))),
    Call("integrated", "integrated", "syscalls.integrated",
         (Argument("WORDS", "text", True, "what must occur: words, phrases, AND, OR, NOT, parentheses"),
          Argument("PROMPT", "prompt", True, "the question that ranks")),
         "Lists the files that fulfil WORDS, those nearest to PROMPT first.", "ls query/WORDS/and/PROMPT", typed=True,
         options=(Option("k", "number", "how many files; more than there are is no error"),
                  Option("in", "file", "the folder that is asked"))),
    Call("combine", "combine", "syscalls.combine",
         (Argument("A", "prompt", True, "a question"), Argument("B", "prompt", True, "another one")),
         "Lists the files of two questions: of both, of either, or only of the first.",
         "ls query/A/and/B; ls query/A/or/B; ls query/A/not/B", typed=True,
         options=(Option("how", "both|either|only", "which files; both without it"), Option("in", "file", "the folder that is asked"))),
    Call("group", "group", "syscalls.group",
         (Argument("NAME", "prompt", False, "the name of a group, or a question"),
          Argument("PROMPT", "prompt", False, "the question that the group of this name answers from now on")),
         "Names what answers a question, puts it in a folder, or sorts it.", "mkdir query/PROMPT; mv query/PROMPT query/NAME", typed=True,
         options=(Option("into", "file", "a new folder, which gets copies of the files"),
                  Option("links", "flag", "symlinks instead of copies"),
                  Option("by", "folder|type|month|author|topic", "the files in groups"),
                  Option("drop", "flag", "the name and the question are forgotten"))),
    Call("create", "create", "syscalls.create",
         (Argument("PATH", "file", True, "the new file below files/; a folder where it ends in a slash"),),
         "Makes a file or a folder, all of it at once.", "cp FILE files/PATH", changes=True, typed=True,
         options=(Option("text", "text", "what is in it"),
                  Option("from", "file", "a file or a folder that it is a copy of"),
                  Option("adopt", "flag", "nothing is made: `undo` takes back what was just brought to PATH"))),
    Call("get", "get", "syscalls.get", (Argument("PATH", "file", True, "a file below files/"),),
         "Answers with what a file holds and what it is, as JSON.", "cat files/PATH; stat files/PATH", typed=True,
         options=(Option("version", "number", "as it was then: 3 is the v3 of `log`"),)),
    Call("append", "append", "syscalls.append", (Argument("PATH", "file", True, "a file below files/"),),
         "Puts text at the end of a file.", "echo TEXT >> files/PATH", changes=True, typed=True,
         options=(Option("text", "text", "the text, as it is"), Option("from", "file", "a file that has it"))),
    Call("replace", "replace", "syscalls.replace", (Argument("PATH", "file", True, "a file below files/"),),
         "Gives a file another content, all at once.", "echo TEXT > files/PATH", changes=True, typed=True,
         options=(Option("text", "text", "what is in it then"), Option("from", "file", "a file that has it"))),
    Call("delete", "delete", "syscalls.delete",
         (Argument("PATH", "file", False, "files and folders below files/", many=True),),
         "Removes files and folders, all of them or none; they are in trash/ then.", "rm files/PATH", changes=True, typed=True,
         options=(Option("matching", "prompt", "the files that answer a question: answers with the plan"),
                  Option("token", "text", "does what the plan with this token says"),
                  Option("dry-run", "flag", "no token is given"))),
    Call("touch", "touch", "syscalls.touch", (Argument("PATH", "file", True, "a file or folder below files/"),),
         "Sets the times of a file or folder.", "touch files/PATH", changes=True, typed=True,
         options=(Option("at", "time", "the time; without it, now"),)),
    Call("keywords", "keywords", "syscalls.keywords",
         (Argument("EXPRESSION", "text", True, "what must occur: words, phrases, refund*, AND, OR, NOT, parentheses"),),
         "Lists every file that fulfils EXPRESSION, and no other.", 'ls query/"mode:words limit:all (EXPRESSION)"', typed=True,
         options=(Option("in", "file", "the folder that is asked"),)),
    Call("ask", "ask", "syscalls.ask",
         (Argument("PROMPT", "text", False, "a sentence that says what is to be done", many=True),),
         "Makes a plan of a sentence, shown as the command that would run; `ask --token T` runs it.", "echo 'ask PROMPT' > ctl", typed=True,
         options=(Option("token", "text", "does what the plan with this token shows, and nothing else"),
                  Option("dry-run", "flag", "no token is given"))),
    Call("help", "help", "syscalls.help", (Argument("WORD", "prompt", False, "one of them: what it takes"),),
         "Lists these commands, or what one takes.", "cat ctl"),
)
# fmt: on
