"""Values that calls take and give back: viewer, prompt, passage, hit, results. All frozen; none does anything."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: the identity of the process at the moment of open or lookup, its supplementary groups included."""

    uid: int
    gid: int
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question as it was read.

    words      every positive word, for ranking (phrases and hard terms contribute theirs)
    meaning    the positive text, punctuation kept, for the embedding
    condition  what a hit must fulfil: nested tuples ("word", w) ("phrase", p) ("and", (…)) ("or", (…)) ("not", c), or None
    within     paths below the folder that is asked, no slash at either end; none means everywhere
    after      first mtime that counts, ns since the epoch, inclusive; before: first that no longer does, exclusive
    like       paths of files that hits are to be like, below the folder that is asked
    exact      nothing but conditions and fields were said: what fulfils them is the answer, all of it
    notes      sentences on what was read otherwise than it may have been meant
    """

    text: str
    words: tuple[str, ...] = ()
    meaning: str = ""
    condition: tuple | None = None
    within: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    after: int | None = None
    before: int | None = None
    by: str | None = None
    limit: int = 20
    mode: str = "both"
    exact: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a file: lines from 1, both ends included (pages where a format has no lines)."""

    first_line: int
    last_line: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A file that answers. `path` is relative to the user's folder; `parts` says what the score is made of.

    modified  its mtime, ns since the epoch; author: who wrote it, as the file itself says, otherwise the user who owns it
    """

    path: bytes
    score: float
    parts: dict[str, float] = field(default_factory=dict)
    passages: tuple[Passage, ...] = ()
    modified: int | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """An answer: hits best first, and what it was answered from.

    folder    where it was asked (b"" is the whole folder)
    sequence  of the index that answered; pending: files there that were not fully indexed and that the viewer may read
    meaning   "used", "off", "loading" or "unavailable": whether embeddings took part
    signals   that were in use, of those that parts of hits are named by (`syscalls.confidence.SIGNALS`)
    confidence  from 0 to 1: that something of it answers the question; None where nothing was ranked, or files were compared with files
    like      the files that it was compared with
    """

    prompt: Prompt
    folder: bytes
    hits: tuple[Hit, ...]
    sequence: int
    pending: int
    meaning: str
    took_ms: float
    signals: tuple[str, ...] = ()
    confidence: float | None = None
    like: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """One path of what `Folder.change` does.

    kind    "create": a file where nothing is; "replace": other bytes in a file that is there; "write": either; "folder": a folder where
            nothing is; "symlink": one where nothing is; "remove": a file, or a folder with all that is in it
    data    the bytes of a file
    source  a path, instead of data: the bytes, mode and time of that file (of a "replace" the bytes alone); instead of target: that
            of this symlink
    target  of a symlink
    mode    permission bits of what is new; None: as umask 022 gives them
    """

    path: bytes
    kind: Literal["create", "replace", "write", "folder", "symlink", "remove"]
    data: bytes | None = None
    source: bytes | None = None
    target: bytes | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """Files that are about one thing: `name` is its most telling words, joined by `-`."""

    name: str
    paths: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """Who locked, when, until when (seconds since the epoch; None: until it is taken back), and what for."""

    uid: int
    since: float
    until: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that expires: `name` in /links, `path` below /files, `until` in seconds since the epoch."""

    name: str
    path: bytes
    uid: int
    since: float
    until: float
