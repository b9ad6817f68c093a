"""lookback: the engine reads what a snapshot shows and no live file holds any more, so that questions in the past find it.

Mostly the engine has read a content while its file was there. What was overwritten or removed before its turn came, or after the index was
thrown away, it reads from history, by digest. Named snapshots and automatic ones count; for other instants (`snapshots/at/…`) a question
finds what the engine happened to read.

Runs in the daemon's loop, when nothing else happens; the rows are read in a thread.
"""

import logging
from typing import Any

import trio

from lsfs.engine.supervisor import Engine
from lsfs.history.history import History
from lsfs.history.past import Past
from syscalls.errors import LsfsError

log = logging.getLogger(__name__)

PAUSE = 3.0  # seconds between two looks
BATCH = 256  # contents asked of the engine at once

_QUERY = (
    "select distinct c.digest, e.name, e.died from entry e join content c on c.id = e.content"
    " where e.died > ? and e.indexed = 1 and c.digest is not null"
    " and exists (select 1 from snapshot s where s.sequence >= e.born and s.sequence < e.died) order by e.died limit ?"
)


class Lookback:
    """One task of the daemon. `asked`: contents that the engine of this epoch was asked for."""

    def __init__(self, history: History, engine: Engine) -> None:
        self.history = history
        self.engine = engine
        self._epoch = ""
        self._asked: set[bytes] = set()
        self._upto = 0
        self._snapshots = 0

    async def run(self, epoch: Any) -> None:
        """Look until cancelled. `epoch()`: that of the index; another one has forgotten everything."""
        while True:
            await self.history.follow.moved_on()
            await trio.sleep(PAUSE)
            if not self.history.enabled or self.engine.state != "ready" or not self.history.follow.quiet():
                continue
            if not self.history.snapshots():
                continue
            try:
                await self._look(epoch())
            except LsfsError as error:
                log.info("contents of the past are read later: %s", error)

    async def _look(self, epoch: str) -> None:
        taken = len(self.history.snapshots())
        if epoch != self._epoch:
            self._epoch, self._upto = epoch, 0
            self._asked.clear()
        if (
            taken > self._snapshots
        ):  # it may show what died before it was taken: nothing; but one may have got its name back
            self._upto = 0
        self._snapshots = taken
        while True:
            rows = await self.history.in_thread(_dead, self._upto)
            if not rows:
                return
            wanted = {digest: name for digest, name, _ in rows if digest not in self._asked}
            if wanted:
                await self.engine.call(
                    "index_objects", {"objects": [[d, n] for d, n in wanted.items()]}, 30.0
                )
                self._asked.update(wanted)
            last = rows[-1][2]
            if len(rows) < BATCH:
                self._upto = last
                return
            self._upto = last - 1 if last - 1 > self._upto else last


def _dead(past: Past, after: int) -> list[tuple[bytes, bytes, int]]:
    return past.database.execute(_QUERY, (after, BATCH)).fetchall()
