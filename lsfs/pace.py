"""pace: how fast a work goes just now, how long the rest of it takes, and what status.json says of both (`progress`).

The rate is that of the last minute, not an average since the start: the first files of a folder say nothing of the last ones. After
a standstill it is unknown again, as it is in the first seconds; then nothing is said of the time left.

Pure: the caller brings the clock, a monotonic one.
"""

import math
from collections import deque
from typing import Any, NamedTuple

WINDOW = 60.0  # seconds that a rate looks back
LEAST = 3.0  # seconds of work before there is one
SLACK = (
    5.0  # seconds between two steps that are no pause: vectors are counted by the batch, files by the commit
)
STILL = 30.0  # seconds without a step after which the work counts as standing still
LONGEST = 30 * 86_400.0  # a time left that is longer is not worth saying
EVERY = 1.0  # seconds between two steps that are remembered


class Step(NamedTuple):
    """When it was and how much had been done by then."""

    time: float
    done: int


class Pace:
    """The steps of one work within the last minute."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()

    def add(self, count: int, now: float) -> None:
        """So much more was done by `now`."""
        if count <= 0:
            return
        steps = self._steps
        if steps and now - steps[-1].time > STILL:
            steps.clear()
        step = Step(now, (steps[-1].done if steps else 0) + count)
        if len(steps) > 2 and steps[-1].time - steps[-2].time < EVERY:
            steps.pop()
        steps.append(step)
        while len(steps) > 2 and steps[1].time <= now - WINDOW:
            steps.popleft()

    def rate(self, now: float) -> float | None:
        """How much is done in a second; None: unknown, or nothing moves. What the first step did was done before it, and does not count."""
        if len(self._steps) < 2 or now - self._steps[-1].time > STILL:
            return None
        first, last = self._steps[0], self._steps[-1]
        span = max(last.time, now - SLACK) - first.time
        return (last.done - first.done) / span if span >= LEAST else None


def left(rest: float, rate: float | None) -> int | None:
    """Whole seconds until `rest` is done; None where nobody can say."""
    if rest <= 0:
        return 0
    if rate is None or rate <= 0 or rest > LONGEST * rate:
        return None
    return math.ceil(rest / rate)


def progress(
    files: int,
    unread: int,
    reading: float | None,
    stats: dict[str, Any],
    embedding: float | None,
    meaning: bool,
    scanning: bool,
) -> dict[str, Any]:
    """The member `progress` of status.json. files, unread: of the catalogue; reading, embedding: rates; stats: the engine's, {} while
    there are none; meaning: passages shall have vectors; scanning: there may be more files, so that no time is said.

    Files that were not read yet are taken to have as many passages as those that were."""
    unread = max(0, min(unread, files))
    read, waiting, embedded = files - unread, stats.get("waiting", 0), stats.get("embedded", 0)
    rest = math.inf if scanning else unread
    words = _tier(read, files, reading, rest)
    first = passages = None
    if meaning and (whole := embedded + waiting):
        more = rest * whole / read if read else math.inf
        passages = _tier(embedded, whole, embedding, waiting + more)
        contents = stats.get("contents", 0)
        first = {"done": max(0, contents - stats.get("unbegun", 0)), "whole": contents}
    lefts = [words["left"], passages["left"] if passages else None] if meaning else [words["left"]]
    return {
        "left": None if None in lefts else max(lefts),
        "files": words,
        "first": first,
        "passages": passages,
    }


def _tier(done: int, whole: int, rate: float | None, rest: float) -> dict[str, Any]:
    return {
        "done": done,
        "whole": whole,
        "rate": round(rate, 2) if rate and rest else None,
        "left": left(rest, rate),
    }
