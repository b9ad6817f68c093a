"""ends: work that hangs fails its test instead of stopping the suite. No measure of speed: the bound is far from what the work takes."""

import contextlib
import signal
from collections.abc import Iterator


class Hung(AssertionError):
    """What was done did not end."""


@contextlib.contextmanager
def ends(seconds: int = 120) -> Iterator[None]:
    """Fail what is inside when it runs longer. In the main thread; regular expressions let themselves be interrupted."""

    def ring(number: int, frame: object) -> None:
        raise Hung(f"still at work after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
