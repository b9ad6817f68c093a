"""readme: /README.md, how to use the mount with plain file tools. Made from the tables, once for each mount.

Its size is exact and it never changes, so the kernel may keep it.
"""

import shlex
import textwrap

from mounts.nodes import Node, VirtualFile
from mounts.ports import Ports
from mounts.root import Root
from mounts.tree import ROWS
from syscalls.help import usage
from syscalls.table import CALLS

HEAD = """\
# This is a semantic file system

{folder} is mounted here.
Files are files; a question is a directory. Plain tools (ls, cat, cp, mkdir, rm) are enough. The examples work when pasted, after

    cd {mountpoint}
"""

PROMPTS = """\
## Questions

A question is words and, where they help: `"a phrase"`, `-word`, `AND OR NOT ( )`, `in:folder/`, `type:pdf,md`, `after:2025` (from its
start on), `before:2026-03-01` (strictly), `by:USER`, `limit:50`, `mode:words|meaning`. `like:folder/a.md` finds more like that file. What
does not parse is searched as words; `read` in results.json says how it was understood. `/` is written `∕` or `%2F` except after `in:` and
`like:`. A question longer than a file name (255 bytes) goes through ctl.

Hits are links. Read them, `cp` them, append with `>>`, open them in an editor; for `sed -i` say `--follow-symlinks`, for other tools
that replace a file give its own path, `readlink -f LINK`. `ls -l` shows where hits of the same name lie.

Looking searches nothing until a question's directory or document is opened. New files are found by their words at once, by meaning a
little later; `pending` says how many files are not fully indexed yet.
"""

HISTORY = """\
## The past

What you overwrite or remove is kept: in `.versions`, in trash/, in each snapshot before. `lsfs rollback PATH --to NAME` brings it back.
"""


CALLING = """\
## Calls

One line to ctl, the same words after `lsfs`; `--json` gives an object, `help WORD` the options. Where a write to ctl fails, a read on the
same descriptor says why. What changes files is taken back by `undo`; `delete --matching`, `rollback` and `ask` answer with a plan and a
token. `ask "lock the plan for two hours"` finds the call for plain words.

    exec 3<>ctl; echo "semantic 'who approves refunds' --k 3 --json" >&3; cat <&3
"""


def text(ports: Ports) -> str:
    """README.md of this mount."""
    rows = []
    for row in ROWS:
        writing = f" Writing: {row.writing}." if row.writing else ""
        rows.append(f"- `{row.path}` {row.reading}.{writing}\n      {row.example}\n")
    parts = [
        HEAD.format(folder=ports.folder, mountpoint=shlex.quote(ports.mountpoint)),
        "".join(rows),
        PROMPTS,
        HISTORY,
        CALLING,
    ]
    known = ", ".join(f"`{usage(call)}`" for call in CALLS)
    parts.append(
        textwrap.fill(
            f"Commands, for ctl and mostly after `lsfs`: {known}; `cat ctl` explains.",
            136,
            break_on_hyphens=False,
        )
        + "\n"
    )
    return "\n".join(parts)


def serve(root: Root) -> Node:
    """The file /README.md."""
    return VirtualFile.of(text(root.ports).encode("utf-8", "replace"))
