"""results: an answer as JSON for programs and as Markdown for readers.

`results.json`:

    {"prompt", "read": {"words", "meaning", "condition", "in", "like", "types", "after", "before", "by", "limit",
     "mode", "notes"}, "exact", "folder", "sequence", "pending", "meaning", "took_ms",
     "confidence", "signals", "like",
     "hits": [{"path": "files/…", "score", "parts": {…}, "modified", "author",
               "passages": [{"lines": [first, last], "text", "score"}]}]}

Both are valid UTF-8. A byte of a path that is none is the escape \\udcXX in JSON (Python's surrogateescape) and
`?` in Markdown, where a control character of a path is escaped too. Times are UTC.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from syscalls.confidence import doubt
from syscalls.kinds import is_known
from syscalls.names import escaped
from syscalls.prompt import MOST_HITS, describe, parse
from syscalls.retrieve import MORE, ONLY_NEAR, is_exact
from syscalls.values import Hit, Passage, Prompt, Results

MOST_SHOWN = 1000  # hits that the index gives passages of
READABLE_PASSAGES = 20  # in passages.md, or as many as the prompt's limit if that is more

LIKE = "Name another file after like:, or add words."
_MEANING = {
    "off": "Found by words only: embeddings are switched off.",
    "loading": "Found by words only: the model is still loading; ask again in a moment.",
    "unavailable": "Found by words only: the model is not available (see /status).",
}

_FRESH = "Found by words only: the model is still loading, or has not come to the file after like: yet; ask again in a moment."


def unindexed(count: int) -> str:
    """How many files are not fully indexed yet, as a sentence without its end."""
    return f"{count} file{' is' if count == 1 else 's are'} not fully indexed yet"


def results_json(results: Results) -> bytes:
    """The answer as one JSON object, indented, ending in a line break."""
    answer = {
        "prompt": results.prompt.text,
        "read": _reading(results.prompt),
        "exact": is_exact(results.prompt),
        "folder": _shown(results.folder),
        "sequence": results.sequence,
        "pending": results.pending,
        "meaning": results.meaning,
        "took_ms": round(results.took_ms, 1),
        "confidence": results.confidence,
        "signals": list(results.signals),
        "like": [_shown(path) for path in results.like],
        "hits": [_hit(hit) for hit in results.hits],
    }
    # Lone surrogates occur in strings only, where Python's \udcXX is JSON's own escape.
    return (json.dumps(answer, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def from_json(data: bytes) -> Results:
    """The answer that `results_json` wrote; the prompt is read anew, but for its notes. ValueError if it is no such thing."""
    try:
        answer = json.loads(data)
        prompt = replace(parse(answer["prompt"]), notes=tuple(answer["read"]["notes"]))
        if not answer["read"]["condition"]:
            prompt = replace(prompt, condition=None, exact=False)
        hits = tuple(
            Hit(
                _path(hit["path"]),
                hit["score"],
                hit["parts"],
                tuple(
                    Passage(found["lines"][0], found["lines"][1], found["text"], found["score"])
                    for found in hit["passages"]
                ),
                _moment(hit.get("modified")),
                hit.get("author", ""),
            )
            for hit in answer["hits"]
        )
        return Results(
            prompt,
            _path(answer["folder"]),
            hits,
            answer["sequence"],
            answer["pending"],
            answer["meaning"],
            answer["took_ms"],
            tuple(answer.get("signals", ())),
            answer.get("confidence"),
            tuple(_path(path) for path in answer.get("like", ())),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError("this is no results.json") from error


def passages_md(results: Results) -> bytes:
    """The best passages of all hits, best first, each below its `path:line`."""
    lines = [
        f"# {escaped(' '.join(results.prompt.text.split()))}",
        "",
        *((doubt(results), "") if doubt(results) else ()),
        *(f"- {escaped(line)}" for line in _honest(results)),
        "",
    ]
    passages = [(hit, passage) for hit in results.hits for passage in hit.passages]
    passages.sort(key=lambda pair: -pair[1].score)
    for hit, passage in passages[: max(READABLE_PASSAGES, results.prompt.limit)]:
        lines += [f"## {escaped(_shown(hit.path))}:{passage.first_line}", "", *_quoted(passage), ""]
    silent = [hit for hit in results.hits[:MOST_SHOWN] if not hit.passages]
    if silent:
        lines += ["## Found by name alone", "", *(f"- {escaped(_shown(hit.path))}" for hit in silent), ""]
    if len(results.hits) > MOST_SHOWN:
        lines += [f"## And {len(results.hits) - MOST_SHOWN} more files, which results.json lists", ""]
    return "\n".join(lines).encode("utf-8", "replace")


def _reading(prompt: Prompt) -> dict[str, Any]:
    return {
        "words": list(prompt.words),
        "meaning": prompt.meaning,
        "condition": describe(prompt.condition),
        "in": list(prompt.within),
        "like": list(prompt.like),
        "types": list(prompt.types),
        "after": _time(prompt.after),
        "before": _time(prompt.before),
        "by": prompt.by,
        "limit": "all" if prompt.limit == MOST_HITS else prompt.limit,
        "mode": prompt.mode,
        "notes": list(prompt.notes),
    }


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "path": _shown(hit.path),
        "score": round(hit.score, 6),
        "parts": {name: round(value, 6) for name, value in hit.parts.items()},
        "modified": _modified(hit.modified),
        "author": hit.author,
        "passages": [
            {
                "lines": [passage.first_line, passage.last_line],
                "text": passage.text,
                "score": round(passage.score, 6),
            }
            for passage in hit.passages
        ],
    }


def _honest(results: Results) -> list[str]:
    """What a reader should know before believing the answer."""
    count = len(results.hits)
    found = f"{count} {'file' if count == 1 else 'files'}."
    more = not is_exact(results.prompt) and count == results.prompt.limit
    if count and (more or MORE.format(count) in results.prompt.notes):
        found = f"The first {found}" if count > 1 else "The first file."
    if not count:
        found = "Nothing found. " + advice(results.prompt)
    lines = [found, *remarks(results)]
    if results.pending:
        lines.append(f"{unindexed(results.pending)}; the answer may still change.")
    if results.meaning in _MEANING and results.prompt.mode != "words" and _means(results):
        fresh = results.meaning == "loading" and results.prompt.like
        lines.append(_FRESH if fresh else _MEANING[results.meaning])
    return lines


def _means(results: Results) -> bool:
    """Whether there is something in a prompt that embeddings could say more of: a file that was left out is nothing."""
    return bool(results.prompt.meaning.strip() or results.like)


def remarks(results: Results) -> list[str]:
    """The notes on how the prompt was read and answered, but for what `doubt` says as well."""
    doubted = bool(doubt(results))
    return [note for note in results.prompt.notes if not (doubted and note == ONLY_NEAR)]


def advice(prompt: Prompt) -> str:
    """What to try next, by what narrowed the question."""
    lacking = prompt.like and not prompt.words and any(note.startswith("`like:") for note in prompt.notes)
    tries: list[tuple[Any, str]] = [
        (lacking, LIKE),
        (
            prompt.condition,
            f"Every hit must fulfil {describe(prompt.condition)}: leave out the quotes or operators.",
        ),
        (prompt.within, f"Only {', '.join(prompt.within)} was searched: leave out in:."),
        (prompt.types, _only_types(prompt)),
        (
            prompt.after or prompt.before or prompt.by,
            "Only some times or owners were searched: leave those out.",
        ),
        (prompt.like, LIKE),
    ]
    return next((advice for narrowed, advice in tries if narrowed), "Try fewer or other words.")


def _only_types(prompt: Prompt) -> str:
    """What to try where `type:` narrowed a question."""
    said = ", ".join(prompt.types)
    if not any(map(is_known, prompt.types)):
        return f"There is no type {said}: write another one, or leave out type:."
    return f"Only {said} files were searched: leave out type:."


def _quoted(passage: Passage) -> list[str]:
    """Text of files is data: it is quoted, so that no heading in it reads as one of ours."""
    return [f"> {line}".rstrip() for line in passage.text.splitlines()]


def _time(nanoseconds: int | None) -> str | None:
    if nanoseconds is None:
        return None
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).isoformat()


def _modified(nanoseconds: int | None) -> str | None:
    try:
        return _time(nanoseconds)
    except (OverflowError, ValueError):  # a file may say that it is of the year 40,000
        return None


def _moment(said: str | None) -> int | None:
    return None if said is None else int(datetime.fromisoformat(said).timestamp()) * 1_000_000_000


def _shown(path: bytes) -> str:
    return ("files/" + path.decode("utf-8", "surrogateescape")).rstrip("/")


def _path(shown: str) -> bytes:
    return shown.removeprefix("files").removeprefix("/").encode("utf-8", "surrogateescape")
