"""network: a small recurrent network over the tokens of a sentence, in whole numbers: gated recurrent units (Cho et al. 2014) that read it
from both ends (Schuster and Paliwal 1997), and on top of them what the sentence is about and what each token is (Liu and Lane 2016).

The weights are bytes, times a scale for each row. A column of a matrix is one long integer with a field of 32 bits for each row, so that a
matrix times a vector is a sum of long integers times short ones, which Python does in C. No library is needed, and every machine gets the
same numbers but for the last bit of exp and tanh.
"""

import json
import math
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

STEP = 64  # activations are whole numbers of 1/STEP
MAGIC = b"lsfs asking 1\n"
Vector = list[float]


class Matrix:
    """rows x columns of bytes; times a vector of floats, plus a bias."""

    def __init__(
        self, rows: int, columns: int, weights: Sequence[int], scale: Sequence[float], bias: Sequence[float]
    ) -> None:
        """weights: column by column, each weight + 128."""
        self.rows = rows
        self.ones = sum(1 << (32 * row) for row in range(rows))
        self.columns = [
            int.from_bytes(array("I", list(weights[at * rows : (at + 1) * rows])).tobytes(), "little")
            - 128 * self.ones
            for at in range(columns)
        ]
        self.positive = self.ones << 31
        self.scale = [one / STEP for one in scale]
        self.bias = [one - 2.0**31 * by for one, by in zip(bias, self.scale, strict=True)]

    def times(self, whole: Sequence[int]) -> Vector:
        """The product with a vector in whole numbers of 1/STEP."""
        total = self.positive + sum(map(mul, self.columns, whole))
        fields = array("I")
        fields.frombytes(total.to_bytes(4 * self.rows, "little"))
        return [one * by + bias for one, by, bias in zip(fields, self.scale, self.bias, strict=True)]


def whole(values: Sequence[float]) -> list[int]:
    return [round(one * STEP) for one in values]


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -60 else 0.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One direction of one layer: what comes in, and what was before, each times three gates."""

    comes: Matrix
    was: Matrix

    def run(self, inputs: Sequence[Sequence[int]]) -> list[Vector]:
        size = self.was.rows // 3
        state = [0.0] * size
        found = []
        for one in inputs:
            new, old = self.comes.times(one), self.was.times(whole(state))
            reset = [sigmoid(a + b) for a, b in zip(new[:size], old[:size], strict=True)]
            keep = [sigmoid(a + b) for a, b in zip(new[size : 2 * size], old[size : 2 * size], strict=True)]
            state = [
                (1 - z) * math.tanh(a + r * b) + z * h
                for z, a, r, b, h in zip(keep, new[2 * size :], reset, old[2 * size :], state, strict=True)
            ]
            found.append(state)
        return found


class Reader:
    """What is left of a file."""

    def __init__(self, body: bytes) -> None:
        self.body, self.at = body, 0

    def _next(self, kind: str, count: int) -> "array[Any]":
        found = array(kind)
        size = found.itemsize * count
        found.frombytes(self.body[self.at : self.at + size])
        self.at += size
        return found

    def whole(self, count: int) -> "array[int]":
        return self._next("b", count)

    def matrix(self) -> Matrix:
        rows, columns = self._next("i", 2)
        scale, bias, weights = self._next("f", rows), self._next("f", rows), self._next("B", rows * columns)
        return Matrix(rows, columns, weights, scale, bias)

    def floats(self) -> list[Vector]:
        rows, columns = self._next("i", 2)
        values = self._next("f", rows * columns)
        return [list(values[at * columns : (at + 1) * columns]) for at in range(rows)]


class Network:
    """`sentence` reads tokens; `frames`, `trust` and `tags` say what it makes of them. between, start: how tags follow each other."""

    def __init__(self, head: Mapping[str, Any], which: Mapping[str, Any], body: Reader) -> None:
        self._wide = head["embedded"]
        self._by_row = which["by_row"] * STEP
        self._rows = body.whole(head["rows"] * self._wide)
        self._layers = [
            tuple(Unit(body.matrix(), body.matrix()) for _ in range(2)) for _ in range(which["layers"])
        ]
        self.attention, self.frame = body.matrix(), body.matrix()
        self.doubt, self.sure = body.matrix(), body.matrix()
        self.mixed, self.tagged = body.matrix(), body.matrix()
        self.of_frame = body.floats()
        self.between = body.floats()
        self.start = body.floats()[0]

    def sentence(self, words: Sequence[list[int]], rows: Sequence[Sequence[int]]) -> list[Vector]:
        """What each token is in its sentence. words: their vectors; rows: of their features."""
        wide = self._wide
        inputs = []
        for one, some in zip(words, rows, strict=True):
            total = [
                sum(each)
                for each in zip(*(self._rows[row * wide : (row + 1) * wide] for row in some), strict=True)
            ]
            inputs.append(one + [round(x * self._by_row) for x in total])
        states: list[Vector] = []
        for forth, back in self._layers:
            ahead, behind = forth.run(inputs), back.run(inputs[::-1])[::-1]
            states = [one + other for one, other in zip(ahead, behind, strict=True)]
            inputs = [whole(one) for one in states]
        return states

    def frames(self, states: Sequence[Vector]) -> list[float]:
        """The probability of each frame."""
        return softmax(self.frame.times(whole(self._pooled(self.attention, states))))

    def trust(self, states: Sequence[Vector]) -> float:
        """How far the sentence is a request at all: the log of its odds."""
        return self.sure.times(whole(self._pooled(self.doubt, states)))[0]

    def tags(self, states: Sequence[Vector], frame: int) -> list[Vector]:
        """The score of each tag for each token, if this is the frame."""
        about = self.of_frame[frame]
        mixed = [
            [max(0.0, a + b) for a, b in zip(self.mixed.times(whole(one)), about, strict=True)]
            for one in states
        ]
        return [self.tagged.times(whole(one)) for one in mixed]

    def _pooled(self, attention: Matrix, states: Sequence[Vector]) -> Vector:
        share = softmax([attention.times(whole(one))[0] for one in states])
        mean = [sum(map(mul, share, column)) for column in zip(*states, strict=True)]
        return [*mean, *(max(column) for column in zip(*states, strict=True))]


def softmax(values: Sequence[float]) -> Vector:
    most = max(values)
    powers = [math.exp(one - most) for one in values]
    total = sum(powers)
    return [one / total for one in powers]


class Weights:
    """What is in the file: the table of words, and networks that were trained apart, whose mean is what counts."""

    def __init__(self, head: Mapping[str, Any], body: Reader) -> None:
        self.head = head
        self._size, self._by = head["vector"], head["by_word"] * STEP
        self._at = {one: at for at, one in enumerate(head["words"])}
        self._vectors = body.whole(len(self._at) * self._size)
        self.networks = [Network(head, which, body) for which in head["networks"]]

    def vector(self, word: str) -> list[int]:
        """What a word is like, in whole numbers of 1/STEP."""
        at = self._at.get(word)
        if at is None:
            return [0] * self._size
        return [round(one * self._by) for one in self._vectors[at * self._size : (at + 1) * self._size]]


def loaded(data: bytes) -> Weights:
    """The weights in a file. Raises ValueError where it has none."""
    if not data.startswith(MAGIC):
        raise ValueError("These are no weights of `lsfs ask`.")
    raw = zlib.decompress(data[len(MAGIC) :])
    length = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + length])
    return Weights(head, Reader(raw[4 + length :]))


def mean(vectors: Sequence[Sequence[float]]) -> Vector:
    return [sum(each) / len(vectors) for each in zip(*vectors, strict=True)]
