"""salience: which sentences say together what matters to a question.

Maximal marginal relevance (Carbonell and Goldstein 1998): the next sentence is near to the question and to what the others say, and far
from those chosen before it. One that says the same as a chosen one is never taken, however few are left.

Threading: pure function.
"""

import numpy as np

ASKED = 0.7  # the share of the question in what matters; the rest is what the other sentences say
NEAR = 0.25  # of the best cosine to the question: what is further from it answers something else
NEW = 0.3  # how much having been said before takes away
SAME = 0.86  # the cosine from which two sentences say the same


def salient(question: np.ndarray, sentences: np.ndarray, most: int) -> list[int]:
    """The rows of `sentences`, `most` at most, best first. All vectors have length 1."""
    count = len(sentences)
    if not count or most < 1:
        return []
    alike = sentences @ sentences.T
    central = (alike.sum(1) - 1) / max(1, count - 1)
    asked = sentences @ question
    worth = ASKED * _ranged(asked) + (1 - ASKED) * _ranged(central)
    left = asked >= NEAR * float(asked.max())
    chosen: list[int] = []
    said: np.ndarray = np.zeros(count, dtype=np.float64)
    while len(chosen) < most and left.any():
        value = np.where(left, (1 - NEW) * worth - NEW * said, -np.inf)
        best = int(np.argmax(value))
        chosen.append(best)
        said = np.maximum(said, alike[best])
        left &= alike[best] < SAME
        left[best] = False
    return chosen


def _ranged(values: np.ndarray) -> np.ndarray:
    """From 0 to 1: cosines to a question lie in one range, those to other sentences in another."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.ones(len(values))
