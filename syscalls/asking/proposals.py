"""proposals: what was shown and waits for a yes: a token is for who was shown it, for ten minutes, and once. A remount ends them all.

Not thread-safe: in the daemon's loop, and nothing here waits.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from syscalls.errors import InvalidArgument

VALID = 600.0
MOST = 256  # of one user; his oldest goes first, and nobody else's


@dataclass(frozen=True, slots=True)
class Proposal:
    """lines: what is said to /ctl, in this order; uid: who may say yes; until: by the clock of `Proposals`."""

    lines: tuple[str, ...]
    uid: int
    until: float


@dataclass(slots=True)
class Proposals:
    """The proposals of one mount."""

    clock: Callable[[], float] = time.monotonic
    kept: OrderedDict[str, Proposal] = field(default_factory=OrderedDict)

    def keep(self, lines: tuple[str, ...], uid: int) -> str:
        """A token for these lines."""
        now = self.clock()
        for token in [token for token, one in self.kept.items() if one.until <= now]:
            del self.kept[token]
        own = [token for token, one in self.kept.items() if one.uid == uid]
        for token in own[: max(0, len(own) - MOST + 1)]:
            del self.kept[token]
        token = secrets.token_urlsafe(12)
        self.kept[token] = Proposal(lines, uid, now + VALID)
        return token

    def take(self, token: str, uid: int) -> tuple[str, ...]:
        """The lines of a token, which is void from now on. Raises InvalidArgument."""
        found = self.kept.get(token)
        if found is None or found.uid != uid or found.until <= self.clock():
            raise InvalidArgument(
                "There is no such proposal: a token is good once, for ten minutes, and for who got it; ask again."
            )
        del self.kept[token]
        return found.lines
