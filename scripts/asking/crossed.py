"""crossed: what each reader makes of prompts whose writers it did not learn from, and how sure it has to be.

The writers are parted in folds; for each, networks are trained on all other writers. The weights of the evidence
are those of a logistic regression on what came of it; each writer is judged by weights that the others gave.
"""

import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from scripts.asking.aligned import ROOT, digest, rows, writers
from syscalls.asking.agreed import considered
from syscalls.asking.evidence import spread
from syscalls.asking.intents import Understood, understood
from syscalls.asking.learned import Guess, guesses
from syscalls.asking.network import loaded

FOLDS = (("d", "e", "f", "g", "r", "s"), ("h", "i", "j", "k", "q", "t"), ("l", "m", "n", "o", "p", "u"))
# What is said has to be so likely (`least`) that of requests by writers who were held out, 2.5 % at most become another plan, and of what
# must be refused, 3.5 % at most become one, in the mean of the writers; chosen before any prompt is judged that is not here. The networks
# that are installed learned from half as many writers more than those that are judged, so both are fewer there.
WRONG, SAID = 0.025, 0.035
Weights = dict[str, list[float]]  # what is weighed -> the weights
Same = Callable[[str, dict[str, Any], dict[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Judged:
    """A prompt of a writer, and what each reader makes of it."""

    writer: str
    row: dict[str, Any]
    grammar: Understood
    guesses: tuple[Guess, ...]
    proposals: tuple[tuple[str, tuple[float, ...], bool], ...]  # side, evidence, right

    def verdict(self, word: str, right: bool) -> str:
        if not self.row["call"]:
            return "said" if word else "kept"
        return "right" if word and right else "wrong" if word else "refused"


def judged(folder: Path, same: Same, short: bool = False) -> list[Judged]:
    """All prompts of all folds. folder: where networks are, or are made, and what was judged before; short: only the folds whose networks
    are there."""
    found: list[Judged] = []
    for names in FOLDS:
        path = folder / f"without-{''.join(names)}.bin"
        if not path.exists():
            if short:
                continue
            subprocess.run(
                [sys.executable, ROOT / "scripts/asking/train", "--without", ",".join(names), "--to", path],
                check=True,
                env={**os.environ, "LSFS_ASKING": "1"},
            )
        found += _of_fold(names, path, same)
    return found


def _of_fold(names: Sequence[str], path: Path, same: Same) -> list[Judged]:
    kept = path.with_suffix(".pickle")
    if kept.exists():
        return list(pickle.loads(kept.read_bytes()))
    by = loaded(path.read_bytes())
    found = []
    for name in names:
        for row in rows(writers()[name]):
            grammar, some = understood(row["prompt"]), guesses(row["prompt"], by)
            proposals = () if grammar.final else tuple(
                (one.side, one.evidence, bool(row["call"]) and one.word == row["call"] and same(one.word, one.slots, row["arguments"]))
                for one in considered(row["prompt"], grammar, some)
            )  # fmt: skip
            found.append(Judged(name, row, grammar, some, proposals))
    kept.write_bytes(pickle.dumps(found))
    return found


def weighed(some: Iterable[Judged]) -> Weights:
    """The weights of the evidence: that anything is asked for, and if so, that the proposal is right."""
    all_of = [
        (spread(side, evidence), bool(one.row["call"]), right)
        for one in some
        for side, evidence, right in one.proposals
    ]
    return {
        "asked": regressed([(e, asked) for e, asked, _ in all_of]),
        "right": regressed([(e, right) for e, asked, right in all_of if asked]),
    }


def regressed(samples: Sequence[tuple[tuple[float, ...], bool]], ridge: float = 3.0) -> list[float]:
    """Logistic regression by Newton's method, the weights kept small."""
    evidence = numpy.array([one for one, _ in samples])
    right = numpy.array([float(one) for _, one in samples])
    weights = numpy.zeros(evidence.shape[1])
    for _ in range(60):
        likely = 1 / (1 + numpy.exp(-numpy.clip(evidence @ weights, -40, 40)))
        slope = evidence.T @ (right - likely) - ridge * weights
        bend = (evidence * (likely * (1 - likely))[:, None]).T @ evidence + ridge * numpy.eye(len(weights))
        step = numpy.linalg.solve(bend, slope)
        weights = weights + step
        if numpy.abs(step).max() < 1e-6:
            break
    return [round(float(one), 4) for one in weights]


@dataclass(frozen=True, slots=True)
class Best:
    """The likeliest proposal for a prompt, and whether it is right."""

    one: Judged
    likely: float
    right: bool

    def verdict(self, least: float) -> str:
        """What comes of it, if it has to be so likely."""
        return self.one.verdict("x" if self.likely >= least else "", self.right)


def best(one: Judged, weights: Weights) -> Best:
    found = [
        Best(one, _likely(weights["asked"], pieces) * _likely(weights["right"], pieces), right)
        for pieces, right in ((spread(side, evidence), right) for side, evidence, right in one.proposals)
    ]
    return max(found, key=lambda each: each.likely, default=Best(one, 0.0, False))


def _likely(weights: Sequence[float], evidence: Sequence[float]) -> float:
    return float(1 / (1 + numpy.exp(-numpy.clip(numpy.dot(weights, evidence), -40, 40))))


def across(some: Sequence[Judged]) -> list[Best]:
    """Every prompt, judged by weights that other writers gave."""
    found = []
    for name in dict.fromkeys(one.writer for one in some):
        weights = weighed(one for one in some if one.writer != name)
        found += [best(one, weights) for one in some if one.writer == name]
    return found


def counts(verdicts: Iterable[str]) -> Counter[str]:
    return Counter(verdicts)


def shares(count: Counter[str]) -> tuple[float, float, float]:
    """Right, wrong, and kept of what must be refused, in per cent."""
    meant = count["right"] + count["wrong"] + count["refused"]
    barred = count["said"] + count["kept"]
    return (
        100 * count["right"] / max(1, meant),
        100 * count["wrong"] / max(1, meant),
        100 * count["kept"] / max(1, barred),
    )


def least(found: Sequence[Best]) -> float:
    """How likely a proposal has to be, so that no more are wrong, and no more are said, of a writer in the mean, than may be."""
    for step in range(30, 100):
        at = step / 100
        each = [
            shares(counts(one.verdict(at) for one in found if one.one.writer == name))
            for name in {one.one.writer for one in found}
        ]
        wrong, kept = (sum(one[which] for one in each) / len(each) for which in (1, 2))
        if wrong <= 100 * WRONG and kept >= 100 * (1 - SAID):
            return at
    return 1.0


def made(some: Sequence[Judged], at: float) -> dict[str, Any]:
    """What weighed.json says."""
    names = sorted({one.writer for one in some})
    return {"digest": digest(), "least": at, "writers": names, **weighed(some)}


def written(path: Path, what: dict[str, Any]) -> None:
    path.write_text(json.dumps(what, indent=1) + "\n", encoding="utf-8")
