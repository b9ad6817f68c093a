"""matching: which files of an answer a call may act upon: those in which something of the question occurs, none that is merely near.

A question that is only read gets the nearest files where nothing fits better. What removes, joins or copies files takes no guess: where
a question was read more loosely than it was written, nothing is done. `mode:meaning` asks for the nearest files, and gets them.
"""

import re
from typing import NamedTuple

from syscalls.errors import InvalidArgument, NotFound
from syscalls.retrieve import ABSENT, LONG, MORE
from syscalls.values import Hit, Results

NEAREST = "nothing was done; `mode:meaning` takes the nearest ones"
# in a note: what was to demand something demands nothing, or what hits are to be like is not there
LOOSER = re.compile(r"\bsearched as (a )?words?\b|\bwas left out\b")


class Matched(NamedTuple):
    """The files to act upon, best first, and what is to be known about them."""

    hits: tuple[Hit, ...]
    notes: tuple[str, ...]


def matched(results: Results) -> Matched:
    """What of an answer fits. Raises NotFound, with the reason, where nothing of it may be taken; InvalidArgument for a question that
    cannot be read as it is written."""
    prompt, notes = results.prompt, list(results.prompt.notes)
    asked = f"“{prompt.text[:80]}”"
    hits = results.hits
    if ABSENT in notes:
        raise NotFound(f"No file has the quoted words of {asked} in that order; {NEAREST}.")
    if LONG in notes:
        raise NotFound(
            f"{asked} is so long that its quotes demand nothing, so nothing was done; ask in fewer words, or say `mode:words`."
        )
    for note in notes:
        if LOOSER.search(note):
            raise InvalidArgument(f"Nothing was done, as {asked} is not read as it is written: {note}.")
    if prompt.mode == "both" and (prompt.words or prompt.like) and not _demands(prompt.condition):
        hits = tuple(hit for hit in hits if _occurs(hit))
        if results.hits and not hits:
            raise NotFound(f"No file has any word of {asked}; {NEAREST}.")
    return Matched(hits, (*notes, *cut_off(results)))


def cut_off(results: Results) -> tuple[str, ...]:
    """A note where the limit may have left files out and none says so yet."""
    limit, count = results.prompt.limit, len(results.hits)
    if count < limit or MORE.format(count) in results.prompt.notes:
        return ()
    return (f"only the first {limit} were looked at, there may be more (`limit:all` takes them all)",)


def _demands(condition: tuple | None) -> bool:
    """Must something be in a file? What only must not be there leaves the rest to what is near."""
    if condition is None or condition[0] == "not":
        return False
    kind, value = condition
    return any(_demands(part) for part in value) if kind in ("and", "or") else True


def _occurs(hit: Hit) -> bool:
    """Is a telling word of the question in the file, or in its path?"""
    return any(hit.parts.get(signal, 0) > 0 for signal in ("words", "path"))


def with_notes(said: str, notes: tuple[str, ...]) -> str:
    """A sentence, and each note on a line of its own."""
    return "\n".join((said, *(f"note: {note}" for note in notes)))
