"""summarise: what the files say to a question, in their own sentences, each with where it stands.

    cat query/PROMPT/summary.md                       in the mount
    summarise PROMPT [--sentences N] [--in PATH] [--no-llm] [--json]

Without a language model nothing is written: sentences are taken (`syscalls.summary`). Where the user named one in lsfs.conf, this call, and
no look at the tree, lets it write too: it is told the best passages, numbered, as data, and is to cite one after every sentence. Each of
its sentences is then held against the passage that it cites (`syscalls.support`), and marked `[unsupported]` where that does not bear it
out. What it wrote stands beside the files' own sentences, never instead of them.
"""

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syscalls.changes.text import shown
from syscalls.errors import InvalidArgument, LsfsError, ModelFailed, NotRegular, TryAgain
from syscalls.sentences import spans
from syscalls.summary import SENTENCES, as_json, lines_of, shown_path, summary
from syscalls.support import lacking
from syscalls.values import Passage, Results
from syscalls.written import DATA, harmless, nothing, told

if TYPE_CHECKING:
    from syscalls.control import Command
    from syscalls.ports import Insight, Writer

MOST = 100  # sentences
DEADLINE = 8.0  # seconds for choosing them; a model that has to be loaded takes some
PASSAGES, EACH = 12, 1_000  # that a language model is told, and characters of each
WRITTEN = 20  # sentences of a language model that are looked at
TASK = (
    "You are told a question and numbered passages of files. Sum up, in at most {} sentences and from these passages alone, what they say"
    " to the question. End every sentence with the number of the passage that it is taken from, in brackets, like [2]."
)
_CITES = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_AFTER = re.compile(r"([.!?\u2026\u3002]+)((?:\s*\[[\d,;\s]{1,20}\])+)")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a language model wrote. places: what it cites, of what it was told; why: what is not borne out, None where all is."""

    text: str
    places: tuple[str, ...]
    why: str | None


async def reply(command: "Command") -> str:
    """The summary as Markdown, or one JSON object. Raises NotFound, Denied, InvalidArgument, NotRegular, TryAgain."""
    given = command.given
    most = given.get("sentences", SENTENCES)
    if most > MOST:
        raise InvalidArgument(f"A summary has {MOST} sentences at most: ask for fewer, or read passages.md.")
    folder = given.get("in", b"")
    await _seen(command, folder)
    if command.ask is None:
        raise TryAgain("Questions cannot be asked here.")
    results = await command.ask(given["PROMPT"], folder, command.viewer)
    made = await summary(results, command.insight, DEADLINE, most)
    written = None
    trusted = command.viewer.uid in (0, command.owner)
    if command.writer is not None and trusted and "no-llm" not in given and made.sentences:
        written = await checked(command.writer, results, command.insight, most)
    if "json" in given:
        answer = as_json(made) | {"llm": written}
        return json.dumps(answer, ensure_ascii=True)
    return lines_of(made, "" if written is None else _paragraph(command.writer, written)).rstrip("\n")


async def _seen(command: "Command", path: bytes) -> None:
    """Raises where there is nothing at `path` that could be asked: a file or a folder."""
    if path and command.folder is not None:
        kind = (await command.folder.stat(path, command.viewer)).st_mode & 0o170000
        if kind not in (0o040000, 0o100000):
            raise NotRegular("--in names a folder or a file; this is neither.")


async def checked(writer: "Writer", results: Results, insight: "Insight | None", most: int) -> dict[str, Any]:
    """What a language model makes of `results`, sentence by sentence, and whether the passages bear it out:
    {"model", "sentences": [{"text", "cites", "supported", "why"}]}, or {"model", "error"}."""
    passages = best(results)
    data = {
        "question": results.prompt.text,
        "passages": [
            {
                "number": number,
                "file": shown_path(path),
                "text": told(passage.text.encode("utf-8", "replace"), EACH),
            }
            for number, (path, passage) in enumerate(passages, 1)
        ],
    }
    name = shown(writer.name, 80)
    try:
        answer = await writer.complete(
            f"{TASK.format(min(most, WRITTEN))} {DATA}", json.dumps(data, ensure_ascii=False), writer.timeout
        )
    except ModelFailed as error:
        return {"model": name, "error": str(error)}
    claims = [await _claim(text, cites, passages, insight) for text, cites in cited(answer)]
    return {
        "model": name,
        "sentences": [
            {"text": one.text, "cites": list(one.places), "supported": one.why is None, "why": one.why}
            for one in claims
        ],
    }


def best(results: Results) -> list[tuple[bytes, Passage]]:
    """The passages that a language model is told, best first."""
    found = [(hit.path, passage) for hit in results.hits for passage in hit.passages]
    return sorted(found, key=lambda pair: -pair[1].score)[:PASSAGES]


def cited(answer: str) -> list[tuple[str, tuple[int, ...]]]:
    """The sentences of what a model wrote, without citations, and the numbers that each cites."""
    text = " ".join(_AFTER.sub(lambda match: f"{match[2]}{match[1]}", answer).split())
    found: list[tuple[str, tuple[int, ...]]] = []
    for start, end in spans(text):
        numbers = [
            int(one) for match in _CITES.finditer(text[start:end]) for one in re.findall(r"\d+", match[1])
        ]
        said = re.sub(r"\s+([.!?\u2026])", r"\1", " ".join(_CITES.sub("", text[start:end]).split()))
        if any(letter.isalnum() for letter in said):
            found.append((said, tuple(dict.fromkeys(numbers))))
    return found[:WRITTEN]


async def _claim(
    text: str, cites: tuple[int, ...], passages: list[tuple[bytes, Passage]], insight: "Insight | None"
) -> Claim:
    known = [passages[number - 1] for number in cites if 0 < number <= len(passages)]
    places = tuple(
        f"{shown_path(path)}:{passage.first_line}"
        + (f"-{passage.last_line}" if passage.last_line > passage.first_line else "")
        for path, passage in known
    )
    said = harmless(text, 600)
    if not cites:
        return Claim(said, places, "it cites nothing")
    if len(known) < len(cites):
        return Claim(said, places, "it cites what it was not told")
    # what several passages say together may stand in none of them alone
    whole = "\n".join(passage.text for _, passage in known)
    return Claim(said, places, lacking(text, whole, await _near(text, whole, insight)))


async def _near(text: str, passage: str, insight: "Insight | None") -> float | None:
    """The cosine to the passage or to the nearest of its sentences."""
    if insight is None:
        return None
    joined = " ".join(passage.split())
    parts = [joined[start:end] for start, end in spans(joined)][:60]
    try:
        cosines = await insight.similar(text, [joined, *parts], DEADLINE)
    except LsfsError:
        return None
    return max(cosines) if cosines else None


def _paragraph(writer: "Writer | None", written: dict[str, Any]) -> str:
    assert writer is not None
    if "error" in written:
        return nothing(writer, written["error"])
    lines = [
        f"> Written by {written['model']}; lsfs looked whether each sentence is borne out by the passage that it cites:"
    ]
    for one in written["sentences"]:
        places = ", ".join(shown(place, 400) for place in one["cites"])
        mark = "" if one["supported"] else f" [unsupported]: {shown(one['why'], 200)}"
        lines.append(f"> - {one['text']}" + (f" \u2014 {places}" if places else "") + mark)
    if not written["sentences"]:
        return nothing(writer, "What it answered has no sentence.")
    return "\n".join(lines)
