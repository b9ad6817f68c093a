"""indexer: files become words: read, extracted, cut into passages, committed to words.db, announced.

Two lanes. Plain files are read and indexed in the first one at once; a rich format (PDF, docx …) is only recognised there and handed to the
second, whose child may take half a minute for one of them without any other file waiting. What a user just wrote goes before the backlog in
both. The words of a content are committed before its outcome is told. A content that only history has (`kept`) goes the same way as a file.

Threading: `run` (first lane, the only writer of contents) and `run_rich` (second lane) are a thread each; `put` may be called by any.
"""

import collections
import dataclasses
import functools
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsfs.engine.document import Content, Cut, Extraction
from lsfs.engine.extract import Extractor, extract
from lsfs.engine.formats import picture
from lsfs.engine.kept import Kept, Object
from lsfs.engine.passages import cut
from lsfs.engine.reader import read_file
from lsfs.engine.types import PARSED, PICTURES
from lsfs.history.paths import number, stamp
from lsfs.index import terms
from lsfs.index.store import SLICE, Row, Store, rows_of, size_of

log = logging.getLogger(__name__)

COMMIT_FILES = 64  # of the backlog, in one transaction: a commit costs as much as indexing a small file
COMMIT_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that needs only be written down. item: its path, or what history keeps. rows: of its cuts, and said: of its text
    (`terms.slices`), None where they are written in slices."""

    item: bytes | Object
    content: Content
    extraction: Extraction | None
    cuts: Sequence[Cut]
    fresh: bool
    size: int = 0
    rows: Sequence[Row] | None = None
    said: Sequence[str] | None = None


class Queue:
    """What is to be read (paths, objects), each once, fresh ones first; and what the second lane has made ready, before all of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._fresh: dict[bytes | Object, None] = {}
        self._backlog: dict[bytes | Object, None] = {}
        self._ready: collections.deque[Any] = collections.deque()
        self._closed = False

    def put(self, items: Sequence[bytes | Object], fresh: bool) -> None:
        """Add items; one that waits already is not added twice, but becomes fresh."""
        with self._changed:
            for item in items:
                if fresh:
                    self._backlog.pop(item, None)
                    self._fresh[item] = None
                elif item not in self._fresh:
                    self._backlog[item] = None
            self._changed.notify()

    def hand(self, item: Any) -> None:
        """Add something that goes before all paths."""
        with self._changed:
            self._ready.append(item)
            self._changed.notify()

    def get(self, wait: bool) -> Any:
        """A handed item, an (item, fresh), or None: nothing there (`wait` false) or closed."""
        with self._changed:
            while wait and not (self._ready or self._fresh or self._backlog or self._closed):
                self._changed.wait()
            if self._closed:
                return None
            if self._ready:
                return self._ready.popleft()
            for queue, fresh in ((self._fresh, True), (self._backlog, False)):
                if queue:
                    item = next(iter(queue))
                    del queue[item]
                    return item, fresh
            return None

    def close(self) -> None:
        """Let every `get` end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._fresh) + len(self._backlog) + len(self._ready)


class Indexer:
    """Turns paths into outcomes. tell: sends an event; wake(fresh): the embedder has work; changed: `stats` are others now."""

    def __init__(
        self,
        store: Store,
        root_fd: int,
        count_tokens: Callable[[list[str]], list[int]],
        meaning: bool,
        settings: dict,
        tell: Callable[[dict], None],
        wake: Callable[[bool], None],
        changed: Callable[[], None],
    ) -> None:
        """meaning: passages shall have vectors. settings: max_file_size, extract_timeout, extract_memory, ocr (all optional), and for
        contents that only history has catalogue and state."""
        self._store, self._root_fd, self._count, self._meaning = store, root_fd, count_tokens, meaning
        self._max_size: int = settings.get("max_file_size", 64 << 20)
        self._extractor = Extractor(
            settings.get("extract_memory", 2 << 30), settings.get("extract_timeout", 30.0)
        )
        self._ocr = bool(settings.get("ocr"))
        self._pictures = self._ocr and picture.available()
        self._tell, self._wake, self._changed = tell, wake, changed
        self._settings = settings
        self._queue, self._rich = Queue(), Queue()
        self.outcomes = 0
        self.after_batch: Callable[[], None] = lambda: None

    def put(self, items: Sequence[bytes | Object], fresh: bool) -> None:
        """Read these files and objects; their outcomes come as events."""
        self._queue.put(items, fresh)

    def do(self, job: Callable[[], None]) -> None:
        """Run `job` in the first lane, between two transactions."""
        self._queue.hand(job)

    def __len__(self) -> int:
        """Files without an outcome."""
        return len(self._queue) + len(self._rich)

    def stop(self) -> None:
        """End both lanes after the file at hand."""
        self._queue.close()
        self._rich.close()

    # the first lane

    def run(self) -> None:
        """The thread of the first lane."""
        self._store.sweep()
        while (item := self._queue.get(wait=True)) is not None:
            batch: list[Ready] = []
            started = time.monotonic()
            while item is not None:
                if callable(item):
                    break
                ready = item if isinstance(item, Ready) else self._read(*item)
                if ready is not None:
                    batch.append(ready)
                if (
                    len(batch) >= COMMIT_FILES
                    or time.monotonic() - started > COMMIT_SECONDS
                    or sum(ready.size for ready in batch) > SLICE
                    or (batch and batch[-1].fresh)
                ):
                    item = None
                else:
                    item = self._queue.get(wait=False)
            self._write(batch)
            if item is not None:
                self._job(item)

    def _job(self, job: Callable[[], None]) -> None:
        try:
            job()
        except (sqlite3.Error, OSError, RuntimeError, ValueError):
            log.exception("a job of the index failed")

    def _read(self, item: bytes | Object, fresh: bool) -> Ready | None:
        """Read and cut one file; None when it went to the second lane."""
        content = self._content(item)
        if content.state != "text" or content.digest is None or self._store.known(content.digest) is not None:
            return Ready(item, content, None, (), fresh)
        if content.type in PARSED:
            self._rich.put([item], fresh)
            return None
        return self._cut(item, content, fresh)

    def _content(self, item: bytes | Object) -> Content:
        if not isinstance(item, Object):
            content = read_file(self._root_fd, item, self._max_size, self._pictures)
            if self._ocr and not self._pictures and content.state == "other" and content.type in PICTURES:
                return dataclasses.replace(content, error=picture.MISSING)
            return content
        if self._store.known(item.digest) is not None:  # another version, or another file, has brought it
            return Content("text", digest=item.digest)
        return self._kept.read(item)

    @functools.cached_property
    def _kept(self) -> Kept:
        return Kept(self._settings["catalogue"], Path(self._settings["state"]), self._max_size)

    def _cut(self, item: bytes | Object, content: Content, fresh: bool) -> Ready:
        extraction = self._extracted(content)
        cuts: Sequence[Cut] = ()
        if extraction.document is not None:
            try:
                cuts = cut(extraction.document, self._count)
            except Exception as error:  # outermost for one file: whatever a strange text does to a parser, it costs that file alone
                log.exception("cannot cut %r", item)
                extraction = Extraction(
                    "failed",
                    content.type,
                    error=f"The text could not be cut into passages ({type(error).__name__}).",
                )
        size = size_of(cuts)
        rows = rows_of(cuts, extraction.type, self._meaning) if size <= SLICE else None
        said = None if rows is None else list(terms.slices(text_of(extraction)))
        return Ready(item, content, extraction, cuts, fresh, size, rows, said)

    def _extracted(self, content: Content) -> Extraction:
        try:
            return extract(content, self._extractor)
        except Exception as error:  # outermost for one file
            log.exception("cannot extract a file of type %s", content.type)
            return Extraction(
                "failed", content.type, error=f"Its text could not be extracted ({type(error).__name__})."
            )

    def _write(self, batch: list[Ready]) -> None:
        """Commit a batch, then tell its outcomes."""
        if not batch:
            return
        outcomes, objects, added, fresh = [], [], False, False
        for ready in batch:
            self._write_large(ready)
        with self._store.writing():
            for ready in batch:
                content, extraction = ready.content, ready.extraction
                state, complete = content.state if extraction is None else extraction.state, True
                if state == "text" and content.digest is not None:
                    known = self._store.known(content.digest)
                    if known is None:
                        known = self._store.add(
                            content.digest,
                            _type(ready),
                            ready.cuts,
                            self._meaning,
                            ready.fresh,
                            ready.rows,
                            ready.said,
                        )
                    elif not known:
                        self._store.backlog.hurry(content.digest, ready.fresh)
                    complete = known
                    added |= not known
                    fresh |= ready.fresh and not known
                if not isinstance(ready.item, Object):
                    outcomes.append(outcome(ready, state, complete))
                elif state != "unstable":
                    objects.append(ready.item.digest)
        self.outcomes += len(batch)
        if outcomes:
            self._tell({"event": "indexed", "epoch": self._store.epoch, "outcomes": outcomes})
        if objects:
            self._tell({"event": "objects", "epoch": self._store.epoch, "digests": objects})
        # the embedder may have been quicker, and its `complete` have come before anybody knew whose content it is
        late = {o["digest"] for o in outcomes if o["state"] == "text" and not o["complete"]}
        if done := [digest for digest in late if self._store.known(digest)]:
            self._tell({"event": "complete", "digests": done})
        self._changed()
        if added:
            self._wake(fresh)
        self.after_batch()

    def _write_large(self, ready: Ready) -> None:
        """Write a huge content in transactions of its own, so that nobody waits for it."""
        digest, extraction = ready.content.digest, ready.extraction
        if ready.size <= SLICE or digest is None or extraction is None or extraction.state != "text":
            return
        if self._store.known(digest) is None:
            said = terms.slices(text_of(extraction))
            self._store.add_large(digest, _type(ready), ready.cuts, self._meaning, ready.fresh, said)

    # the second lane

    def run_rich(self) -> None:
        """The thread of the second lane."""
        with self._extractor:
            while (item := self._rich.get(wait=True)) is not None:
                item, fresh = item
                content = self._content(item)
                if (
                    content.state != "text"
                    or content.digest is None
                    or self._store.known(content.digest) is not None
                ):
                    self._queue.hand(Ready(item, content, None, (), fresh))
                else:
                    self._queue.hand(self._cut(item, content, fresh))


def text_of(extraction: Extraction) -> str:
    """The whole text, "" where there is none."""
    return "" if extraction.document is None else extraction.document.text


def _type(ready: Ready) -> str:
    return ready.extraction.type if ready.extraction is not None else ready.content.type


def outcome(ready: Ready, state: str, complete: bool) -> dict:
    """What the daemon is told of a file."""
    found: os.stat_result | None = ready.content.stat
    error = ready.content.error if ready.extraction is None else ready.extraction.error or ready.content.error
    return {
        "path": ready.item,
        "state": state,
        "digest": ready.content.digest,
        "type": _type(ready),
        "size": found.st_size if found else None,
        "mtime_ns": stamp(found.st_mtime_ns) if found else None,
        "ctime_ns": stamp(found.st_ctime_ns) if found else None,
        "ino": number(found.st_ino) if found else None,
        "complete": complete,
        "error": error,
    }
