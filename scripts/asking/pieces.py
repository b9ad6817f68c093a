"""pieces: prompts as numbers: the words that the network knows, with a vector each, the rows of features, and the tags."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy

from scripts.asking.aligned import Aligned
from syscalls.asking.calls import WORDS
from syscalls.asking.features import features, row, word
from syscalls.asking.roles import roles
from syscalls.asking.tokens import plain, tokens

VECTOR = 48
RANKED = 20_000  # lines of the vocabulary of the embedding model, the more frequent words first
ROLES = sorted({role for call in WORDS for role in roles(call)})
TAGS = ["O", *(f"{kind}-{role}" for role in ROLES for kind in "BI")]
AT = {tag: at for at, tag in enumerate(TAGS)}
Piece = tuple[int, list[int], int]  # row of the word, rows of the features, tag


def frame(one: Aligned) -> str:
    return json.dumps([one.call, dict(sorted(one.constants.items()))])


class Vectors:
    """The words that the network knows, and what each is like: vectors of the embedding model, made small by their principal components."""

    def __init__(self, words: Sequence[str], size: int = VECTOR) -> None:
        from lsfs.models import find
        from lsfs.models.load import load

        encoder = load(find("all-MiniLM-L6-v2"), "auto", 2)
        long = numpy.concatenate(
            [encoder.embed(list(words[at : at + 256])) for at in range(0, len(words), 256)]
        )
        long = long - long.mean(0)
        values, axes = numpy.linalg.eigh(long.T @ long)
        axes = axes[:, numpy.argsort(-values)[:size]]
        axes = axes * numpy.sign(axes[numpy.abs(axes).argmax(0), numpy.arange(size)])
        short = long @ axes
        self.words = list(words)
        self.scale = float(numpy.abs(short / short.std()).max() / 127)
        self.whole = numpy.clip(numpy.round(short / short.std() / self.scale), -127, 127).astype("int8")
        self.at = {one: at + 1 for at, one in enumerate(words)}

    def table(self) -> Any:
        """The vectors, with that of no word first."""
        return numpy.concatenate([numpy.zeros((1, self.whole.shape[1])), self.whole * self.scale]).astype(
            "float32"
        )


def vocabulary(prompts: Iterable[Aligned]) -> list[str]:
    """The words of the prompts, and those that the embedding model has whole."""
    from lsfs.models import find

    known = (find("all-MiniLM-L6-v2").folder / "vocab.txt").read_text(encoding="utf-8").split()[:RANKED]
    met = Counter(
        one
        for prompt in prompts
        for token in prompt.tokens
        for one in [word(token)]
        if re.fullmatch(r"[a-z][a-z'-]*", one)
    )
    return sorted(
        {one for one in known if re.fullmatch(r"[a-z]{3,14}", one)}
        | {one for one, count in met.items() if count > 1}
    )


class Prompt:
    """An aligned prompt as numbers."""

    def __init__(self, one: Aligned, vectors: Vectors) -> None:
        self.one = one
        self.frame = frame(one)
        self.pieces: list[Piece] = [
            (
                vectors.at.get(word(token), 0),
                [row(each) for each in features(one.tokens, at)],
                AT[one.tags[at]],
            )
            for at, token in enumerate(one.tokens)
        ]
        self.teaches_tags = bool(one.call) and not one.lost


def made(text: str, vectors: Vectors) -> list[Piece]:
    """A text as numbers, no token of it tagged."""
    found = tokens(plain(text))
    return [
        (vectors.at.get(word(one), 0), [row(each) for each in features(found, at)], 0)
        for at, one in enumerate(found)
    ]


def left(prompts: Iterable[Aligned]) -> dict[str, int]:
    """The words that are no part of an argument in two prompts at least; in which calls, as bits."""
    found: dict[str, int] = {}
    count: Counter[str] = Counter()
    for one in prompts:
        if one.call and not one.lost:
            words = {
                token.text.lower()
                for token, tag in zip(one.tokens, one.tags, strict=True)
                if tag == "O" and token.kind != "."
            }
            count.update(words)
            for word in words:
                found[word] = found.get(word, 0) | 1 << WORDS.index(one.call)
    return {word: bits for word, bits in sorted(found.items()) if count[word] > 1}
