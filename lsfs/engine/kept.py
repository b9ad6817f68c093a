"""kept: the contents that history keeps, as the index reads files.

A file may be overwritten before the engine comes to it; a snapshot shows it all the same, so its words are read from history, by digest.
It is judged by the name it had, exactly as the file would have been.

Threading: a Kept may be used by both lanes of the indexer, one read at a time. It reads over a connection of its own.
"""

import logging
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lsfs.engine.document import Content
from lsfs.engine.reader import of_bytes, too_large
from lsfs.index.store import read_only
from syscalls.errors import LsfsError

if TYPE_CHECKING:
    from lsfs.history.contents import Contents

log = logging.getLogger(__name__)


class Object(NamedTuple):
    """A content that history keeps, and a name that it once had."""

    digest: bytes
    name: bytes


class Kept:
    """The contents of one state folder, opened when the first one is asked for."""

    def __init__(self, catalogue: str, state: Path, max_size: int) -> None:
        """catalogue: history.db."""
        self._catalogue, self._state, self._max_size = catalogue, state, max_size
        self._lock = threading.Lock()
        self._contents: Contents | None = None

    def _open(self) -> "Contents":
        from lsfs.history.contents import (
            Contents,  # zstandard is loaded by those engines alone that are asked for the past
        )

        if self._contents is None:
            db = sqlite3.connect(
                read_only(self._catalogue), uri=True, isolation_level=None, check_same_thread=False
            )
            db.execute("pragma busy_timeout = 10000")
            self._contents = Contents(db, self._state)
        return self._contents

    def read(self, object: Object) -> Content:
        """As `read_file`, but for the stat. "unreadable": history has it no more, or damaged; "unstable": it may be had later."""
        try:
            with self._lock:
                found = self._open().open(object.digest)
                if found.size > self._max_size:
                    return Content("other", error=too_large(self._max_size))
                data = found.bytes()
        except LsfsError as error:
            log.warning("%r is not read from history: %s", object.name, error)
            return Content("unreadable", error=str(error))
        except (sqlite3.Error, OSError) as error:
            log.warning("%r cannot be read from history now: %s", object.name, error)
            return Content("unstable", error=str(error))
        return of_bytes(data, object.name, self._max_size)
