"""summary: an answer in its own files' words: the sentences that say together what matters, each with where it stands.

    # who signs refunds

    - A refund above 500 needs two signatures. — files/refund-policy.md:3

    ## Sources

    - files/refund-policy.md

Taken from the best passages of `query/PROMPT/`, chosen by the model (`Insight.salient`), or by their words where there is none; a summary
says which. Nothing is written here that does not stand in a file: a sentence is verbatim but for line breaks (`syscalls.sentences`).

As few as do: what has neither a telling word of the question (`syscalls.telling`) nor is near it in meaning is left out. A row, a heading
and a line of code are quoted where they have such a word, or where there is no prose. The best hit is quoted, or a note says that it cannot
be; and the reply comes with a question that somebody asks in a dialogue.

`summary` waits for the engine within its deadline; the rest is pure.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syscalls.confidence import doubt
from syscalls.errors import LsfsError
from syscalls.names import escaped
from syscalls.ports import Insight
from syscalls.results import advice, remarks, unindexed
from syscalls.sentences import KINDS, LONGEST, Sentence, sentences
from syscalls.telling import UNSPACED, WORD, bag, telling
from syscalls.values import Results

SENTENCES = 7
CANDIDATES = 160  # sentences that are weighed: the model reads some 200 in a second
LEAST_WORDS, LEAST_UNSPACED = 4, 10
NEAR = 0.3  # the cosine to the question that a sentence without a word of it has at least; chosen by eye, on some twenty questions
SHORTENED = 300  # characters that are quoted of a row that is longer than a sentence may be
EACH = 4  # of the best hit that are weighed beside what the model chose
REPLY = 2  # lines from a question to its reply, at most
ASKED, NEW = 0.7, 0.3  # of `by_words`: as `lsfs.engine.salience`
SAME = 0.75  # the share of words from which two sentences say the same


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
    read = _read(results)
    asked = telling(" ".join(results.prompt.words))
    found = _candidates(read, most, asked)
    texts = [one.text for one in found]
    question = _question(results)
    chosen: list[int] | None = None
    scores: list[float] = []
    why = "there is no model (see /status)"
    own = _of_the_best(results, found, asked)
    if found and insight is not None and results.prompt.mode != "words":
        try:
            chosen = await insight.salient(question, texts, most, until - time.monotonic())
            if chosen is not None:
                chosen += [one for one in own if one not in chosen]
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
        shares = dict(by_words(question, [texts[one] for one in own], len(own)))
        weighed += [(one, shares.get(at, 0.0)) for at, one in enumerate(own) if one not in dict(weighed)]
        chosen, scores = [one for one, _ in weighed], [score for _, score in weighed]
    ranked = list(zip(chosen, scores, strict=True))
    picked = [
        (replace(found[one], score=round(score, 4)), one in own)
        for one, score in ranked
        if not results.prompt.words or telling(texts[one]) & asked or (method == "meaning" and score >= NEAR)
    ]
    if own and not any(best for _, best in picked):
        one, score = max((pair for pair in ranked if pair[0] in own), key=lambda pair: pair[1])
        picked.append((replace(found[one], score=round(score, 4)), True))
    if not picked and chosen:  # rather this than nothing
        picked = [(replace(found[chosen[0]], score=round(scores[0], 4)), False)]
    cited = with_replies(_fitting(picked, most), read, most)
    notes = _notes(results, cited, why if method == "words" else None)
    text = " ".join(results.prompt.text.split())
    return Summary(text, _by_file(cited), method, notes, doubt(results))


def _question(results: Results) -> str:
    """What sentences are held against: what was asked, and of `like:` alone what is most alike."""
    prompt = results.prompt
    said = prompt.meaning.strip() or " ".join(prompt.words)
    if not said and prompt.like:
        said = next((passage.text for hit in results.hits for passage in hit.passages), "")
    return said or prompt.text


def _of_the_best(results: Results, found: Sequence[Cited], asked: Collection[str]) -> list[int]:
    """The candidates of the best hit that have a word of the question, those with the most first, or where it has them in its path, any:
    one of them is to be quoted."""
    if not results.hits or not results.prompt.words:
        return []
    path = results.hits[0].path
    shared = {at: len(telling(one.text) & set(asked)) for at, one in enumerate(found) if one.path == path}
    if not any(shared.values()) and telling(path.decode("utf-8", "replace")) & set(asked):
        return list(shared)[:EACH]
    return sorted((at for at in shared if shared[at]), key=lambda at: (-shared[at], at))[:EACH]


def _fitting(picked: Sequence[tuple[Cited, bool]], most: int) -> list[Cited]:
    """`most` of those that were picked, best first, one of the best hit among them: (sentence, whether it may stand for the best hit)."""
    chosen = list(picked[:most])
    if most and not any(own for _, own in chosen):
        rest = [pair for pair in picked[most:] if pair[1]]
        if rest:
            chosen[most - 1 :] = [max(rest, key=lambda pair: pair[0].score)]
    return [one for one, _ in chosen]


def with_replies(cited: Sequence[Cited], read: Sequence[tuple[Cited, Sentence]], most: int) -> list[Cited]:
    """The sentences, after each question of a dialogue the turn that follows it; `most` in all."""
    found: list[Cited] = []
    for one in cited:
        if one not in found:
            found.append(one)
        if not one.text.rstrip("\"'\u201d\u00bb)*_ ").endswith(("?", "\uff1f", "\u061f")):
            continue
        after = [
            other
            for other, sentence in read
            if sentence.turn and other.path == one.path and one.line < other.line <= one.line + REPLY
        ]
        if after:
            reply = min(after, key=lambda other: other.line)
            if not any(
                (other.path, other.line, other.text) == (reply.path, reply.line, reply.text)
                for other in found
            ):
                found.append(replace(reply, score=one.score))
    return found[:most]


def candidates(results: Results, most: int) -> list[Cited]:
    """Sentences of the best passages, in the passages' order, and rows, headings and code where they have a word of the question; where
    there is little prose, the other ones as well."""
    return _candidates(_read(results), most, telling(" ".join(results.prompt.words)))


def _read(results: Results) -> list[tuple[Cited, Sentence]]:
    """Everything that the best passages are made of, in their order."""
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
    return read


def _candidates(read: Sequence[tuple[Cited, Sentence]], most: int, asked: Collection[str]) -> list[Cited]:
    found: list[Cited] = []
    texts: set[str] = set()

    def take(cited: Cited) -> None:
        key = " ".join(WORD.findall(cited.text.casefold()))
        if key not in texts:
            texts.add(key)
            found.append(cited)

    # what was asked for comes in, however it is said: at most half, so that there is room for what is said in other words
    for cited, one in read:
        short = len(WORD.findall(one.text)) < 2 if one.kind in ("row", "code") else not _long_enough(one.text)
        if asked and (one.kind != "prose" or not one.whole) and not short and telling(one.text) & set(asked):
            take(_shortened(cited, asked))
            if len(found) == CANDIDATES // 2:
                break
    for kind in KINDS:
        for whole in (True, False):
            if len(found) >= most and (kind, whole) != (KINDS[0], True):
                return found
            for cited, one in read:
                fits = len(one.text) <= LONGEST and _long_enough(one.text)
                if one.kind == kind and one.whole == whole and fits:
                    take(cited)
                if len(found) == CANDIDATES:
                    return found
    return found


def _shortened(cited: Cited, asked: Collection[str]) -> Cited:
    """A row as it stands, or where it is long, what stands there around the first word of the question."""
    text = cited.text
    if len(text) <= LONGEST:
        return cited
    at = next((word.start() for word in WORD.finditer(text) if telling(word[0]) & set(asked)), 0)
    first = max(0, at - SHORTENED // 2)
    part = text[first : first + SHORTENED]
    part = part.partition(" ")[2] if first and " " in part[: SHORTENED // 4] else part
    end = first + SHORTENED < len(text)
    part = part.rpartition(" ")[0] if end and " " in part[-SHORTENED // 4 :] else part
    return replace(cited, text=("\u2026 " if first else "") + part.strip() + (" \u2026" if end else ""))


def by_words(question: str, texts: Sequence[str], most: int) -> list[tuple[int, float]]:
    """Which of `texts` share the most telling words with the question and with each other, without saying the same twice; each with its
    nearness to the question, from 0 to 1."""
    bags = [bag(text) for text in texts]
    often = Counter(word for one in bags for word in one)
    weigh = {word: math.log(1 + len(texts) / count) for word, count in often.items()}
    vectors = [{word: (1 + math.log(count)) * weigh[word] for word, count in one.items()} for one in bags]
    asked = {word: weigh.get(word, 0.0) for word in bag(question)}
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
        notes.append(
            "Nothing to be summed up: the files found have no sentences that are near to the question (see passages.md)."
        )
    elif by_words is not None:
        notes.append(f"The sentences were chosen by their words: {by_words}.")
    if cited and results.prompt.words and not any(one.path == results.hits[0].path for one in cited):
        notes.append(
            f"The best hit, {shown_path(results.hits[0].path)}, could not be quoted: nothing in it reads as a sentence near to the"
            " question (see passages.md)."
        )
    notes += remarks(results)
    if results.pending:
        notes.append(f"{unindexed(results.pending)}; the summary may still change.")
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
        len(text) >= LEAST_UNSPACED and UNSPACED.search(text) is not None
    )


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    if len(other) < len(one):
        one, other = other, one
    product = sum(value * other[word] for word, value in one.items() if word in other)
    if not product:
        return 0.0
    lengths = [math.sqrt(sum(value * value for value in vector.values())) for vector in (one, other)]
    return product / (lengths[0] * lengths[1])
