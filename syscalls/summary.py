"""summary: an answer in its own files' words: the sentences that say together what matters, each with where it stands.

    # who signs refunds

    - A refund above 500 needs two signatures. — files/refund-policy.md:3

    ## Sources

    - files/refund-policy.md

Taken from the best passages of `query/PROMPT/`, chosen by the model (`Insight.salient`), or by their words where there is none; a summary
says which. Nothing is written here that does not stand in a file: a sentence is verbatim but for line breaks (`syscalls.sentences`).

`summary` waits for the engine within its deadline; the rest is pure.
"""

import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syscalls.confidence import doubt
from syscalls.errors import LsfsError
from syscalls.names import escaped
from syscalls.ports import Insight
from syscalls.results import advice, remarks
from syscalls.sentences import KINDS, Sentence, sentences
from syscalls.values import Results

SENTENCES = 7
CANDIDATES = 160  # sentences that are weighed: the model reads some 200 in a second
LEAST_WORDS, LEAST_UNSPACED = 4, 10
ASKED, NEW = 0.7, 0.3  # of `by_words`: as `lsfs.engine.salience`
SAME = 0.75  # the share of words from which two sentences say the same

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]")


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence of a file. line: that it begins in, from 1 (its page, in a format that has pages; `last` is another one where the passage
    lies on several); score: how near it is to the question, from 0 to 1."""

    text: str
    path: bytes
    line: int
    last: int
    score: float

    @property
    def place(self) -> str:
        """`files/a.md:3`."""
        return f"{shown_path(self.path)}:{self.line}" + (f"-{self.last}" if self.last != self.line else "")


@dataclass(frozen=True, slots=True)
class Summary:
    """method: how the sentences were chosen, "meaning" or "words"; notes: sentences that a reader should know; doubt: that probably nothing
    of it answers, or ""."""

    prompt: str
    sentences: tuple[Cited, ...]
    method: str
    notes: tuple[str, ...]
    doubt: str = ""


async def summary(
    results: Results, insight: Insight | None, deadline: float, most: int = SENTENCES
) -> Summary:
    """The `most` sentences at most that say what `results` come to; none where nothing was found. Never raises for want of a model."""
    until = time.monotonic() + deadline
    found = candidates(results, most)
    texts = [one.text for one in found]
    question = results.prompt.meaning.strip() or " ".join(results.prompt.words) or results.prompt.text
    chosen: list[int] | None = None
    scores: list[float] = []
    why = "there is no model (see /status)"
    if found and insight is not None and results.prompt.mode != "words":
        try:
            chosen = await insight.salient(question, texts, most, until - time.monotonic())
            if chosen is not None:
                said = [texts[one] for one in chosen]
                near = await insight.similar(question, said, max(0.1, until - time.monotonic()))
                scores = [max(0.0, min(1.0, score)) for score in near or [0.0] * len(said)]
        except LsfsError:  # late, down or broken
            chosen, why = None, "the model did not answer in time; ask again in a moment"
    elif results.prompt.mode == "words":
        why = "mode:words was asked for"
    method = "words" if chosen is None else "meaning"
    if chosen is None:
        weighed = by_words(question, texts, most)
        chosen, scores = [one for one, _ in weighed], [score for _, score in weighed]
    cited = tuple(
        Cited(found[one].text, found[one].path, found[one].line, found[one].last, round(score, 4))
        for one, score in zip(chosen, scores, strict=True)
    )
    notes = _notes(results, cited, why if method == "words" else None)
    asked = " ".join(results.prompt.text.split())
    return Summary(asked, _by_file(cited), method, notes, doubt(results))


def candidates(results: Results, most: int) -> list[Cited]:
    """Sentences of the best passages, in the passages' order; where there is little prose, rows, headings and code as well."""
    passages = [(hit.path, passage) for hit in results.hits for passage in hit.passages]
    passages.sort(key=lambda pair: -pair[1].score)
    read: list[tuple[Cited, Sentence]] = []
    places: set[tuple[bytes, int, str]] = set()
    for path, passage in passages:
        lines = passage.text.count("\n") == passage.last_line - passage.first_line
        for one in sentences(passage.text, passage.first_line, path.decode("utf-8", "replace")):
            # where a passage has pages, no line of it says on which it stands
            first, last = (one.line, one.line) if lines else (passage.first_line, passage.last_line)
            if (path, first, one.text) not in places:
                places.add((path, first, one.text))
                read.append((Cited(one.text, path, first, last, passage.score), one))
        if len(read) > 4 * CANDIDATES:
            break
    found: list[Cited] = []
    texts: set[str] = set()
    for kind in KINDS:
        for whole in (True, False):
            if len(found) >= most and (kind, whole) != (KINDS[0], True):
                return found
            for cited, one in read:
                key = " ".join(_WORD.findall(cited.text.casefold()))
                if one.kind == kind and one.whole == whole and key not in texts and _long_enough(one.text):
                    texts.add(key)
                    found.append(cited)
                if len(found) == CANDIDATES:
                    return found
    return found


def by_words(question: str, texts: Sequence[str], most: int) -> list[tuple[int, float]]:
    """Which of `texts` share the most telling words with the question and with each other, without saying the same twice; each with its
    nearness to the question, from 0 to 1."""
    bags = [_bag(text) for text in texts]
    often = Counter(word for bag in bags for word in bag)
    weigh = {word: math.log(1 + len(texts) / count) for word, count in often.items()}
    vectors = [{word: (1 + math.log(count)) * weigh[word] for word, count in bag.items()} for bag in bags]
    asked = {word: weigh.get(word, 0.0) for word in _bag(question)}
    middle: dict[str, float] = defaultdict(float)
    for vector in vectors:
        length = math.sqrt(sum(value * value for value in vector.values())) or 1.0
        for word, value in vector.items():
            middle[word] += value / length
    near = [_cosine(vector, asked) for vector in vectors]
    central = [_cosine(vector, middle) for vector in vectors]
    worth = [
        ASKED * n / (max(near) or 1.0) + (1 - ASKED) * c / (max(central) or 1.0)
        for n, c in zip(near, central, strict=True)
    ]
    said, left = [0.0] * len(texts), set(range(len(texts)))
    chosen: list[tuple[int, float]] = []
    while left and len(chosen) < most:
        best = max(left, key=lambda one: ((1 - NEW) * worth[one] - NEW * said[one], -one))
        left.remove(best)
        if chosen and not near[best] and any(near):
            break  # it has no word of the question
        chosen.append((best, near[best]))
        for one in list(left):
            alike = _cosine(vectors[one], vectors[best])
            said[one] = max(said[one], alike)
            if alike >= SAME:
                left.remove(one)
    return chosen


def summary_md(made: Summary) -> bytes:
    """A summary as Markdown, in UTF-8."""
    return lines_of(made).encode("utf-8", "replace")


def lines_of(made: Summary, after: str = "") -> str:
    """A summary as Markdown; `after`: what stands between its sentences and its sources."""
    lines = [f"# {escaped(made.prompt)}", "", *((made.doubt, "") if made.doubt else ())]
    lines += [f"- {escaped(one.text)} \u2014 {escaped(one.place)}" for one in made.sentences]
    if not made.sentences:
        lines += [made.notes[0]]
    if after:
        lines += ["", after]
    if sources := list(dict.fromkeys(one.path for one in made.sentences)):
        lines += ["", "## Sources", "", *(f"- {escaped(shown_path(path))}" for path in sources)]
    if notes := made.notes[0 if made.sentences else 1 :]:
        lines += ["", "## Notes", "", *(f"- {escaped(note)}" for note in notes)]
    return "\n".join(lines) + "\n"


def as_json(made: Summary) -> dict[str, Any]:
    """A summary as the members of one JSON object."""
    return {
        "prompt": made.prompt,
        "sentences": [
            {"text": one.text, "path": shown_path(one.path), "line": one.line, "score": one.score}
            | ({"last_line": one.last} if one.last != one.line else {})
            for one in made.sentences
        ],
        "method": made.method,
        "notes": [*((made.doubt,) if made.doubt else ()), *made.notes],
    }


def _notes(results: Results, cited: Sequence[Cited], by_words: str | None) -> tuple[str, ...]:
    notes: list[str] = []
    if not results.hits:
        notes.append(f"Nothing found. {advice(results.prompt)}")
    elif not cited:
        notes.append("Nothing to be summed up: the files found have no sentences (see passages.md).")
    elif by_words is not None:
        notes.append(f"The sentences were chosen by their words: {by_words}.")
    notes += remarks(results)
    if results.pending:
        notes.append(f"{results.pending} files are not fully indexed yet; the summary may still change.")
    return tuple(notes)


def _by_file(cited: Sequence[Cited]) -> tuple[Cited, ...]:
    """File by file, that of the best sentence first; in a file from its top to its end."""
    files = list(dict.fromkeys(one.path for one in cited))
    return tuple(sorted(cited, key=lambda one: (files.index(one.path), one.line)))


def shown_path(path: bytes) -> str:
    """`files/…`, as it is written in answers."""
    return "files/" + path.decode("utf-8", "surrogateescape")


def _long_enough(text: str) -> bool:
    return len(text.split()) >= LEAST_WORDS or (
        len(text) >= LEAST_UNSPACED and _UNSPACED.search(text) is not None
    )


def _bag(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for word in _WORD.findall(text.casefold()):
        if _UNSPACED.search(word):
            found.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        else:
            found[stem(word)] += 1
    return found


def stem(word: str) -> str:
    """What a word and its plural have in common; `word` in lower case."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return (
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
    )


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    if len(other) < len(one):
        one, other = other, one
    product = sum(value * other[word] for word, value in one.items() if word in other)
    if not product:
        return 0.0
    lengths = [math.sqrt(sum(value * value for value in vector.values())) for vector in (one, other)]
    return product / (lengths[0] * lengths[1])
