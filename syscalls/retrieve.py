"""retrieve: find the files that answer a prompt, of those that the viewer may read.

Reached as `ls /query/<prompt>`, as `query PROMPT` in /ctl and as `lsfs query`. The index knows no permissions, so
more is asked of it than is wanted, and more again, until enough of it is readable or there is no more.
"""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syscalls.errors import InvalidArgument
from syscalls.permission import uid_of
from syscalls.ports import Files, Searcher
from syscalls.prompt import parse
from syscalls.values import Hit, Passage, Prompt, Results, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

SETTLE = 1.0  # seconds at most of the deadline that are spent on waiting for files just closed
MOST = 10_000  # candidates asked of the index, at most
GROWTH = 4
LEAST = 0.05  # seconds; what the index gets even if settling took all the time


async def retrieve(
    text: str, *, folder: bytes, viewer: Viewer, searcher: Searcher, files: Files, deadline: float = 5.0
) -> Results:
    """Answer `text` from the files below `folder`; no hits is an answer.

    `deadline` is in seconds and holds for everything together. Raises TryAgain when the engine is down and does
    not come back in time.
    """
    started = time.monotonic()
    prompt = parse(text)
    owner = None if prompt.by is None else uid_of(prompt.by, viewer)
    if prompt.by is not None and owner is None:
        prompt = _searched_as_word(prompt)
    await files.settle(min(SETTLE, deadline))

    query = _query(prompt, folder, owner)
    answer, hits = await _searched(query, prompt.limit, viewer, searcher, files, started + deadline)
    if not hits and prompt.mode == "both" and _only_phrases(prompt.condition):
        prompt = _loosened(prompt)
        query = _query(prompt, folder, owner)
        answer, hits = await _searched(query, prompt.limit, viewer, searcher, files, started + deadline)

    pending = 0
    for path in _outermost(query["within"]) or [folder]:
        pending += await files.pending(path, viewer)
    return Results(
        prompt,
        folder,
        tuple(_hit(hit) for hit in hits),
        answer["sequence"],
        pending,
        answer["meaning"],
        (time.monotonic() - started) * 1000,
    )


async def _searched(
    query: dict[str, Any], limit: int, viewer: Viewer, searcher: Searcher, files: Files, end: float
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The last answer of the index, and those of its hits that `viewer` may read, `limit` at most; until `end`."""
    candidates = limit * 2
    while True:
        left = max(end - time.monotonic(), LEAST)
        answer = await searcher.search({**query, "limit": candidates, "deadline": left})
        hits = [hit for hit in answer["hits"] if files.readable(hit["path"], viewer)][:limit]
        if len(hits) == limit or not answer["more"] or candidates >= MOST or time.monotonic() >= end:
            return answer, hits
        candidates = min(candidates * GROWTH, MOST)


def _only_phrases(condition: tuple | None) -> bool:
    """Is it nothing but quoted phrases? People quote titles in plain questions; operators they write on purpose."""
    if condition is None:
        return False
    kind, *rest = condition
    return kind == "phrase" or (kind == "and" and all(_only_phrases(part) for part in rest[0]))


def _loosened(prompt: Prompt) -> Prompt:
    note = "no file has the quoted words in that order: they were searched as words (mode:words insists)"
    return replace(prompt, condition=None, notes=(*prompt.notes, note))


def _query(prompt: Prompt, folder: bytes, owner: int | None) -> dict[str, Any]:
    return {
        "words": list(prompt.words),
        "meaning": prompt.meaning if prompt.mode != "words" else "",
        "condition": prompt.condition,
        "folder": folder,
        "within": _within(prompt, folder),
        "types": list(prompt.types),
        "after": prompt.after,
        "before": prompt.before,
        "uid": owner,
        "mode": prompt.mode,
    }


def _within(prompt: Prompt, folder: bytes) -> list[bytes]:
    """The paths of `in:` from the folder's root. Hits are shown as files/…, so that spelling is taken, too."""
    paths = []
    for text in prompt.within:
        path = text.encode("utf-8", "surrogatepass")
        paths.append(folder + b"/" + path if folder else path)
        if path.startswith(b"files/"):
            paths.append(path.removeprefix(b"files/"))
    return [path for path in paths if not folder or path == folder or path.startswith(folder + b"/")]


def _outermost(paths: list[bytes]) -> list[bytes]:
    """The paths that lie below no other one: a file is pending once."""
    return [path for path in paths if not any(path.startswith(other + b"/") for other in paths)]


def _searched_as_word(prompt: Prompt) -> Prompt:
    note = f"`by:{prompt.by}` was searched as a word: there is no such user here"
    return replace(
        prompt,
        by=None,
        words=(*prompt.words, "by", str(prompt.by)),
        meaning=f"{prompt.meaning} by:{prompt.by}".strip(),
        notes=(*prompt.notes, note),
    )


def _hit(hit: dict[str, Any]) -> Hit:
    passages = tuple(
        Passage(found["lines"][0], found["lines"][1], found["text"], found["score"])
        for found in hit["passages"]
    )
    return Hit(hit["path"], hit["score"], dict(hit["parts"]), passages)


async def reply(command: "Command") -> str:
    """The path that answers: /ctl only names it, listing it searches."""
    if not command.text.strip():
        raise InvalidArgument("A question needs at least one word.")
    return f"/query/{command.names.name(command.text).decode()}"
