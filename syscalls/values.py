"""Values that calls take and give back: viewer, prompt, passage, hit, results. All frozen; none does anything."""

from dataclasses import dataclass, field


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
    notes      sentences on what was read otherwise than it may have been meant
    """

    text: str
    words: tuple[str, ...] = ()
    meaning: str = ""
    condition: tuple | None = None
    within: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    after: int | None = None
    before: int | None = None
    by: str | None = None
    limit: int = 20
    mode: str = "both"
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
    """A file that answers. `path` is relative to the user's folder; `parts` says what the score is made of."""

    path: bytes
    score: float
    parts: dict[str, float] = field(default_factory=dict)
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """An answer: hits best first, and what it was answered from.

    folder    where it was asked (b"" is the whole folder)
    sequence  of the index that answered; pending: files there that were not fully indexed and that the viewer may read
    meaning   "used", "off", "loading" or "unavailable": whether embeddings took part
    """

    prompt: Prompt
    folder: bytes
    hits: tuple[Hit, ...]
    sequence: int
    pending: int
    meaning: str
    took_ms: float
