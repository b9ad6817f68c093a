"""retrieve: find the files that answer a prompt, of those that the viewer may read.

Reached as `ls /query/<prompt>`, as `query PROMPT` in /ctl and as `lsfs query`. The index knows no permissions, so
more is asked of it than is wanted, and more again, until enough of it is readable or there is no more.

A score is relative to the best of all that was found. So for others than root and the owner of the mount it is
computed again, over what they may read: otherwise it would tell them which words stand in the rest. The confidence
is computed from these scores' parts, and from nothing else. What a file borrowed from its neighbours counts where
they may read all of them. Nor do they get
the passages of a file whose content was replaced since: it may have been written for other readers. What others are
compared with (`like:`) is only what the viewer may read, too (`syscalls.alike`).
"""

import functools
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syscalls.alike import Alike
from syscalls.confidence import SIGNALS, of_answer
from syscalls.errors import InvalidArgument
from syscalls.permission import name_of, uid_of
from syscalls.ports import Files, Searcher
from syscalls.prompt import MOST_HITS, parse
from syscalls.values import Hit, Passage, Prompt, Results, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

MOST = 10_000  # candidates asked of the index, at most
GROWTH = 4
PROSE = 8  # plain words; with more than these a question is prose, in which quotes point words out and demand nothing
ABSENT = "no file has the quoted words in that order: they were searched as words (mode:words insists)"
LONG = "in a question as long as this one quoted words are searched as words (mode:words insists)"
MORE = "there are more files that fulfil this: {} are listed, limit:all lists every one"
ONLY_NEAR = "none of the files listed has any of these words: they are nearest by meaning and may not fit"
LATEST = (1 << 63) - 1
RESERVED = 1.0  # seconds of the deadline that waiting for files just closed leaves to the search
AT_ONCE = 200  # hits looked at before others have their turn: some milliseconds
LEAST = 0.05  # seconds; what the index gets even if settling took all the time


# signal → path → value, the words of the prompt, and which of the paths are source code: (score, parts) of each
Fuse = Callable[
    [Mapping[str, Mapping[bytes, float]], Sequence[str], Collection[bytes]],
    Mapping[bytes, tuple[float, dict[str, float]]],
]
"""The index's way from signals to scores: {signal: {path: value}} -> {path: (score, parts)}."""


async def _at_once() -> None:
    """Nobody else waits."""


async def retrieve(
    text: str,
    *,
    folder: bytes,
    viewer: Viewer,
    searcher: Searcher,
    files: Files,
    owner: int,
    fuse: Fuse,
    deadline: float = 5.0,
    sequence: int | None = None,
    among: Collection[bytes] | None = None,
    every: bool = False,
    limit: int | None = None,
    pause: Callable[[], Awaitable[None]] = _at_once,
) -> Results:
    """Answer `text` from the files below `folder`; no hits is an answer. With a `sequence`, from those that were there then.

    among   only these files are looked at
    every   what answers, instead of the best of it: where the prompt demands something (`demands`), all files that fulfil it, bare and in
            no order that means anything, those included that the viewer may not read; where it does not, the same answer as ever
    limit   how many hits at most, instead of what the prompt says

    pause   awaited between every AT_ONCE of many hits, so that whoever shares the loop is not kept waiting

    `owner` is the uid of who mounted, `fuse` what the index makes scores with. `deadline` is in seconds and holds for
    everything together. Raises TryAgain when the engine is down and does not come back in time.
    """
    started = time.monotonic()
    end = started + deadline
    trusted = viewer.uid in (0, owner)
    prompt = understood(text, viewer)
    uid = None if prompt.by is None else uid_of(prompt.by, viewer)
    if limit is not None:
        prompt = replace(prompt, limit=min(limit, MOST_HITS))
    await files.settle(max(0.0, deadline - RESERVED))
    extra: dict[str, Any] = {} if among is None else {"only": list(among)}
    alike = Alike(prompt, folder, lambda path: files.readable(path, viewer), trusted)

    async def readable(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = []
        for start in range(0, len(hits), AT_ONCE):
            some = (hit for hit in hits[start : start + AT_ONCE] if trusted or not hit.get("stale"))
            seen += [hit for hit in some if files.readable(hit["path"], viewer)]
            await pause()
        return seen

    async def shown(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen = await readable(hits)
        if trusted:
            return seen
        open_ = functools.cache(lambda path: files.readable(path, viewer))
        openly = (_openly(hit, open_, prompt.exact) for hit in seen)
        return _scored_again([hit for hit in openly if hit is not None], fuse, prompt.words)

    async def all_of_them(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return hits

    async def searched(
        prompt: Prompt, keep: Callable[[list], Awaitable[list]], limit: int, **more: Any
    ) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
        query = _query(prompt, folder, uid, sequence) | extra | more
        while True:
            found = await _searched(query | _compared(prompt, alike), limit, keep, searcher, end)
            if not prompt.like or alike.hold(found[0]):
                return found

    loose = among is None and _is_loose(prompt)
    if every and demands(prompt):
        # whether a phrase is searched as words must not tell that it stands in a file that the viewer may not read
        keep = readable if loose else all_of_them
        answer, hits, _ = await searched(_fulfilled(prompt), keep, MOST_HITS, bare=True)
        if hits or not loose:
            prompt = replace(prompt, notes=(*prompt.notes, *alike.notes))
            took = (time.monotonic() - started) * 1000
            some = tuple(Hit(hit["path"], hit["score"]) for hit in hits)
            return Results(
                prompt, folder, some, answer["sequence"], 0, answer["meaning"], took, like=alike.used
            )
    answer, hits, more = await searched(prompt, shown, prompt.limit)
    if not hits and loose:
        prompt = _loosened(prompt, ABSENT)
        answer, hits, more = await searched(prompt, shown, prompt.limit)
    prompt = replace(prompt, notes=(*prompt.notes, *alike.notes))
    # the index counts files that others may not read
    if is_exact(prompt) and (more or (trusted and answer["more"])):
        prompt = replace(prompt, notes=(*prompt.notes, MORE.format(len(hits))))
    if _only_near(prompt, hits):
        prompt = replace(prompt, notes=(*prompt.notes, ONLY_NEAR))

    await pause()
    found = tuple(_hit(hit) for hit in hits)
    used = tuple(name for name in SIGNALS if any(name in hit.get("values", {}) for hit in hits))
    pending = 0
    for path in _outermost(_within(prompt, folder)) or [folder]:
        pending += await files.pending(path, viewer, max(0.0, end - time.monotonic()))
    return Results(
        prompt,
        folder,
        found,
        answer["sequence"],
        pending,
        answer["meaning"],
        (time.monotonic() - started) * 1000,
        used,
        of_answer(prompt, found, used),
        alike.used,
    )


def is_exact(prompt: Prompt) -> bool:
    """Whether nothing but conditions and fields was asked: what is listed is what fulfils them, and nothing that is only near."""
    return prompt.exact or not ranks(prompt)


def ranks(prompt: Prompt) -> bool:
    """Whether a prompt says which files come first: by words, or by a file that they are to be like."""
    return bool(prompt.words or prompt.meaning.strip() or prompt.like)


def understood(text: str, viewer: Viewer) -> Prompt:
    """How a question is read here: as it parses, but quotes in prose demand nothing, and `by:` somebody unknown is a word."""
    prompt = parse(text)
    if prompt.by is not None and uid_of(prompt.by, viewer) is None:
        prompt = _searched_as_word(prompt)
    if _is_loose(prompt) and len(prompt.words) - _quoted(prompt.condition) > PROSE:
        prompt = _loosened(prompt, LONG)
    return prompt


def _is_loose(prompt: Prompt) -> bool:
    return prompt.mode == "both" and _only_phrases(prompt.condition)


async def _searched(
    query: dict[str, Any],
    limit: int,
    shown: Callable[[list], Awaitable[list]],
    searcher: Searcher,
    end: float,
) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
    """The last answer of the index, what of its hits is `shown`, `limit` at most, and whether it has more of those; until `end`."""
    candidates = limit * 2
    while True:
        left = max(end - time.monotonic(), LEAST)
        answer = await searcher.search({**query, "limit": candidates, "deadline": left})
        every = await shown(answer["hits"])
        hits = every[:limit]
        if len(hits) == limit or not answer["more"] or candidates >= MOST or time.monotonic() >= end:
            return answer, hits, len(every) > limit
        candidates = min(candidates * GROWTH, MOST)


def _scored_again(hits: list[dict[str, Any]], fuse: Fuse, words: Sequence[str]) -> list[dict[str, Any]]:
    """The hits with scores that say nothing of any other file, best first.

    Those of passages, which are relative to the best passage of all, become shares of their file's.
    """
    signals: dict[str, dict[bytes, float]] = {}
    for hit in hits:
        for signal, value in hit.get("values", {}).items():
            signals.setdefault(signal, {})[hit["path"]] = value
    if not signals:  # nothing was ranked
        return hits
    scored = fuse(signals, words, {hit["path"] for hit in hits if hit.get("code")})
    again = []
    for hit in hits:
        score, parts = scored.get(hit["path"], (0.0, {}))
        passages = [
            {**passage, "score": round(score / rank, 6)} for rank, passage in enumerate(hit["passages"], 1)
        ]
        again.append({**hit, "score": round(score, 6), "parts": parts, "passages": passages})
    again.sort(key=lambda hit: (-hit["score"], hit["path"]))
    return again


def _openly(hit: dict[str, Any], readable: Callable[[bytes], bool], exact: bool) -> dict[str, Any] | None:
    """The hit without what it borrowed, unless all who lent it are said and may be read: it would tell of words that stand in them. None
    where nothing else speaks for it."""
    values = hit.get("values", {})
    if not values.get("context") or (hit.get("lenders") and all(map(readable, hit["lenders"]))):
        return hit
    values = {**values, "context": 0.0}
    return {**hit, "values": values} if exact or any(value > 0 for value in values.values()) else None


def demands(prompt: Prompt) -> bool:
    """Whether a prompt says which files answer it, and not only which do so best: by words alone, by operators or phrases, by a field."""
    narrowed = (prompt.condition, prompt.within, prompt.types, prompt.after, prompt.before, prompt.by)
    return prompt.mode == "words" or any(one not in (None, ()) for one in narrowed)


def _fulfilled(prompt: Prompt) -> Prompt:
    """What is to be searched for all that a prompt demands: of soft words, only where nothing but words counts, one must occur."""
    if prompt.mode == "words" and (prompt.words or prompt.like) and not prompt.exact:
        return prompt
    return replace(prompt, words=(), meaning="", like=())


def _only_near(prompt: Prompt, hits: list[dict[str, Any]]) -> bool:
    """Were words searched, and do none of them occur in what was found?"""
    if not hits or not prompt.words or prompt.mode == "meaning" or prompt.exact:
        return False
    return not any(hit["parts"].get(signal, 0) > 0 for hit in hits for signal in ("words", "path"))


def _only_phrases(condition: tuple | None) -> bool:
    """Is it nothing but quoted phrases? People quote titles in plain questions; operators they write on purpose."""
    if condition is None:
        return False
    kind, *rest = condition
    return kind == "phrase" or (kind == "and" and all(_only_phrases(part) for part in rest[0]))


def _quoted(condition: tuple | None) -> int:
    """How many words stand in quotes."""
    if condition is None:
        return 0
    kind, value = condition
    return len(value.split()) if kind == "phrase" else sum(_quoted(part) for part in value)


def _loosened(prompt: Prompt, note: str) -> Prompt:
    return replace(prompt, condition=None, exact=False, notes=(*prompt.notes, note))


def _query(prompt: Prompt, folder: bytes, owner: int | None, sequence: int | None) -> dict[str, Any]:
    then = {} if sequence is None else {"sequence": sequence}
    return then | {
        "words": list(prompt.words),
        "meaning": prompt.meaning if prompt.mode != "words" else "",
        "condition": prompt.condition,
        "exact": prompt.exact,
        "folder": folder,
        "within": _within(prompt, folder),
        "types": list(prompt.types),
        "after": _kept(prompt.after),
        "before": _kept(prompt.before),
        "uid": owner,
        "mode": prompt.mode,
    }


def _compared(prompt: Prompt, alike: Alike) -> dict[str, Any]:
    """What of a query says which files others are compared with; those are no hits, also where nothing is to be ranked."""
    if not prompt.like:
        return {"without": list(alike.used)} if alike.used else {}
    return {"like": list(alike.used), "without": list(alike.used)}


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
    author = hit.get("author") or (name_of(hit["uid"]) if "uid" in hit else "")
    return Hit(hit["path"], hit["score"], dict(hit["parts"]), passages, hit.get("mtime_ns"), author)


async def reply(command: "Command") -> str:
    """The path that answers: /ctl only names it, listing it searches."""
    if not command.text.strip():
        raise InvalidArgument("A question needs at least one word.")
    return f"/query/{command.names.name(command.text).decode()}"


def _kept(moment: int | None) -> int | None:
    """A time in ns as the engine takes it: in 64 bits, which end in the year 2262."""
    return None if moment is None else max(-LATEST, min(moment, LATEST))
