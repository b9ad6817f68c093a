"""evidence: what speaks for a proposal being right, and for anything being asked for: numbers that `agreed` weighs.

`spread` makes a sum of weighed numbers follow bends and crossings, too: each score is counted beyond some points again (a spline of first
degree), scores are multiplied with each other, and with the call.
"""

from math import exp, log

from syscalls.asking.calls import WORDS
from syscalls.asking.doubts import doubts
from syscalls.asking.intents import Understood
from syscalls.asking.learned import Guess

SIDES = ("same", "alone", "other", "second", "grammar")
MISSED = -8.0  # of a score that nobody gave
BENDS = {  # number of a piece of evidence -> the points beyond which it counts again
    1: (-0.3, -0.1), 2: (-0.5, -0.1), 3: (0.4, 1.7, 2.5, 3.4), 4: (1.8, 5.7, 7.9), 6: (0.4, 0.6, 0.9, 1.2), 10: (1.0, 2.4, 3.4, 4.4),
    11: (0.6, 2.0, 3.7, 5.2), 12: (1.2, 2.6, 3.6, 4.6), 13: (0.9, 2.4, 4.1, 5.4), 14: (-0.1, 1.2, 2.1, 3.0), 18: (0.3, 0.5, 0.8),
}  # fmt: skip
CROSSED = (
    (3, 6.0),
    (14, 6.0),
    (12, 5.8),
    (13, 5.8),
    (6, 3.0),
    (18, 1.0),
    (7, 3.0),
    (8, 3.0),
    (15, 5.0),
)  # and what each is divided by


def evidence(prompt: str, guess: Guess, rival: float, call: bool, grammar: Understood) -> tuple[float, ...]:
    """The evidence for a guess. rival: the score of the best guess of another call; call: whether the grammar means the same one."""
    return (
        1.0,
        max(MISSED, guess.frame),
        max(MISSED, guess.tags),
        min(6.0, max(-6.0, guess.trust)),
        min(8.0, max(-8.0, guess.score - rival)),
        float(call),
        min(3.0, len(guess.left) / 10),
        float(min(3, guess.strange)),
        float(min(3, guess.foreign)),
        float(guess.strange > 0),
        _sure(guess.least_frame),
        _sure(guess.least_tags),
        _sure(guess.frame),
        _sure(guess.tags),
        min(6.0, max(-6.0, guess.least_trust)),
        float(len(guess.slots)),
        float(grammar.unknown),
        float(bool(grammar.word) and not grammar.unknown),
        min(10.0, grammar.score) / 10 if grammar.word else 0.0,
        *doubts(prompt, guess.word, guess.slots, guess.left),
        *(float(one == guess.word) for one in WORDS),
    )


def spread(side: str, found: tuple[float, ...]) -> tuple[float, ...]:
    """Evidence as it is weighed. side: of SIDES."""
    crossed = [found[at] / by for at, by in CROSSED]
    calls = found[-len(WORDS) :]
    return (
        *found,
        *(float(one == side) for one in SIDES),
        *(max(0.0, found[at] - point) for at, points in BENDS.items() for point in points),
        *(one * other for at, one in enumerate(crossed) for other in crossed[at:]),
        *(one * by for by in (found[3] / 3, found[12] / 3) for one in calls),
    )


def _sure(score: float) -> float:
    """How near a probability is to one: 0.9 is 2.3, 0.99 is 4.6. score: its log."""
    return -log(1.003 - exp(min(0.0, score)))
