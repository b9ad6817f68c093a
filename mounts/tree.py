"""tree: what lsfs looks like, as a table. README.md, the manual and the tests walk it, and `build` makes it so.

A new mount is one row here and one module, whose function (`make`) takes the root and gives the node. For a path with
`**` it gives a factory: folder -> node, found by name below any folder of /files.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from mounts.answers import Answers
from mounts.files import Files
from mounts.ports import Ports
from mounts.query import followed
from mounts.query_past import past
from mounts.root import Root


@dataclass(frozen=True, slots=True)
class Row:
    """A path of the mount: what reading and writing it means, and an example to paste, from the mount's top.

    module, make   what serves it; "" where the row above does
    """

    path: str
    reading: str
    writing: str
    example: str
    module: str = ""
    make: str = "serve"


# fmt: off
ROWS = (
    Row("/README.md", "is this text", "", "cat README.md", "mounts.readme"),
    Row("/files/", "is the folder, live, byte for byte", "as on a local disk", "ls -l files", "mounts.root", "live"),
    Row("/query/", "lists the saved questions; every other name below it is a question, too",
        "mkdir saves a question, mv names it, rmdir forgets it",
        'mkdir query/"open questions"; mv query/"open questions" query/open; ls query; rmdir query/open',
        "mounts.query"),
    Row("/query/<prompt>/", "is the answer: 01-name, 02-name … are links to the files, best first", "",
        'ls query/"how do we handle refunds"'),
    Row("/query/<prompt>/passages.md", "has the best passages, each below its path:line", "",
        'cat query/"how do we handle refunds"/passages.md'),
    Row("/query/<prompt>/results.json", "has scores, lines, how the question was read, and what is not indexed yet", "",
        'cat query/"refunds type:md limit:5"/results.json'),
    Row("/query/<prompt>/why.tsv", "has one row for each hit: rank, file, score, what each signal says of it, lines", "",
        'cat query/"how do we handle refunds"/why.tsv'),
    Row("/query/<prompt>/summary.md", "has what they say together: their own sentences, each with its path:line", "",
        'cat query/"how do we handle refunds"/summary.md'),
    Row("/query/<prompt>/by-topic/", "has the same links in groups; also by-folder/, by-type/, by-month/, by-author/", "",
        'ls query/"refunds"/by-topic; ls query/"refunds"/by-type/md'),
    Row("/query/<a>/and/<b>/", "asks b within the files that answer a; or/ beside them, not/ leaves out what answers b (not listed)", "",
        'ls query/"type:md"/and/"how do we handle refunds"/not/"draft AND old"'),
    Row("/files/**/.query/<prompt>/", "asks below that folder only (.query is not listed)", "as /query",
        'ls files/.query/"refunds"', "mounts.query", "inner"),
    Row("/files/**/.versions/<name>/",
        "has what a file was: v1, v2 …, latest, log; v1..v2.diff and .md; a time; watch; .versions/.log and .watch: of the folder", "",
        "ls files/.versions", "mounts.versions", "inner"),
    Row("/snapshots/<name>/", "is the whole tree then, its query/ included; at/<time>/ is any instant, diff/<a>..<b> what changed",
        "mkdir takes a snapshot, rmdir drops its name, mv renames it",
        "mkdir snapshots/before; ls snapshots/before/files; cat snapshots/diff/before..now; rmdir snapshots/before", "mounts.snapshots"),
    Row("/trash/<day>/<path>", "has what was removed", "mv out of it puts a file back, under any name", "ls trash", "mounts.trash"),
    Row("/links/", "lists the links that are valid, each until its time; urls.tsv has the paths of their URLs, for lsfs serve",
        "ln -s makes one, for a day; touch -h -d sets its time, mv renames, rm revokes it",
        "mkdir -p files/drafts; ln -s ../files/drafts links/; ls -l links; cat links/urls.tsv; rm links/drafts", "mounts.links"),
    Row("/status", "says how far the index is and what went wrong", "", "cat status", "mounts.status"),
    Row("/status.json", "says the same to programs", "", "cat status.json", "mounts.status", "serve_json"),
    Row("/ctl", "lists the commands; after a write, has the reply", "one command line; an unknown one is EINVAL",
        'exec 3<>ctl; echo "query who approves refunds" >&3; cat <&3', "mounts.ctl"),
)
# fmt: on


def build(ports: Ports) -> Root:
    """The top of the mount, every row below it, and `ports.inner` filled. The daemon attaches `files` to the kernel."""
    files = Files(ports)
    ports.heard = files.heard
    root = Root(ports, Answers(ports), files)
    ports.past_query = lambda sequence: past(root, sequence)
    ports.follow = followed(root)
    for row in ROWS:
        if not row.module:
            continue
        made = getattr(importlib.import_module(row.module), row.make)(root)
        above, _, below = row.path.strip("/").partition("/**/")
        if below:
            ports.inner[below.split("/")[0].encode()] = made
        else:
            root.children[above.split("/")[0].encode()] = made
    return root
