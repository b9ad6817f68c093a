"""meaning: the model, loaded when it is first needed, and shared by prompts and passages.

Loading costs .7 seconds and .3 GiB (by torch 5 seconds and .7 GiB), so the first who needs the model has a thread of its own load it; who
asks meanwhile waits as long as it likes. `Turns` lets a waiting prompt go before the next batch of passages.

Threading: everything here may be called by any thread.
"""

import collections
import contextlib
import logging
import math
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lsfs.models import Encoder, Model, ModelMissing

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

REMEMBERED = 128  # vectors of prompts
QUIET = 0.05  # seconds: most questions are answered 30 ms after their prompt has its vector
LEAST = 0.25  # seconds: of questions that come one after the other, one in eight waits for a batch
# what a model raises over a text that it cannot take: a token it has no row for, a length it was not made for
REFUSALS = (IndexError, RuntimeError, ValueError, KeyError, TypeError)


class Turns:
    """One user of the model at a time: prompts, then sentences that somebody waits for, then batches."""

    def __init__(self, quiet: float = QUIET, least: float = LEAST) -> None:
        """quiet: seconds after a prompt in which no batch begins, since the rest of its question is answered meanwhile; least: after so
        many seconds a batch that waits begins all the same."""
        self._changed = threading.Condition()
        self._quiet, self._least, self._asked = quiet, least, -math.inf
        self._busy = False
        self._prompts = 0
        self._sentences = 0

    @contextlib.contextmanager
    def prompt(self) -> Iterator[None]:
        """The next turn that comes free."""
        with self._changed:
            self._prompts += 1
            self._changed.wait_for(lambda: not self._busy)
            self._prompts -= 1
            self._busy = True
        yield from self._turn(asked=True)

    @contextlib.contextmanager
    def sentence(self) -> Iterator[None]:
        """A turn when no prompt waits for one."""
        with self._changed:
            self._sentences += 1
            self._changed.wait_for(lambda: not self._busy and not self._prompts)
            self._sentences -= 1
            self._busy = True
        yield from self._turn()

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """A turn when nobody else waits for one, and nobody just had a prompt."""
        with self._changed:
            began = time.monotonic()
            while True:
                self._changed.wait_for(lambda: not self._busy and not self._prompts and not self._sentences)
                rest = min(self._asked + self._quiet, began + self._least) - time.monotonic()
                if rest <= 0:
                    break
                self._changed.wait(rest)
            self._busy = True
        yield from self._turn()

    def _turn(self, asked: bool = False) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                if asked:  # before a batch that waits may look
                    self._asked = time.monotonic()
                self._changed.notify_all()


class Meaning:
    """The model, loaded when somebody needs it. state: idle, loading, ready, unavailable."""

    def __init__(self, model: Model | None, error: str | None, threads: int, backend: str = "auto") -> None:
        """model: what was found on this machine; None with an `error` sentence: there is none. backend: as lsfs.conf names it."""
        self._model, self._threads, self._backend = model, threads, backend
        self.state = "idle" if model is not None else "unavailable"
        self.error = error
        self.turns = Turns()
        self.prompts = 0
        self.encoder: Encoder | None = None
        self._lock = threading.Lock()
        self._loaded = threading.Event()
        self._remembered: collections.OrderedDict[str, np.ndarray] = collections.OrderedDict()
        if model is None:
            self._loaded.set()

    def load(self) -> None:
        """Begin to load, unless that was begun; returns at once."""
        with self._lock:
            if self.state != "idle":
                return
            self.state = "loading"
        threading.Thread(target=self._load, name="model", daemon=True).start()

    def _load(self) -> None:
        assert self._model is not None
        try:
            from lsfs.models.load import load

            self.encoder = load(self._model, self._backend, self._threads)
            self.state = "ready"
        except ModelMissing as error:
            self.broke(str(error))
        except (
            Exception
        ) as error:  # outermost of its thread: without an end the state would be "loading" for ever
            log.exception("the model does not load")
            self.broke(f"The model does not load ({type(error).__name__}: {str(error)[:300]}).")
        finally:
            self._loaded.set()

    def broke(self, error: str) -> None:
        """The model is of no use; `error`: a sentence."""
        self.encoder, self.state, self.error = None, "unavailable", error
        log.error("no search by meaning: %s", error)

    def wait(self, seconds: float | None = None) -> bool:
        """Load, wait so long at most, and say whether the model is there."""
        self.load()
        self._loaded.wait(None if seconds is None else max(0.0, seconds))
        return self.encoder is not None

    def of_prompt(self, text: str, seconds: float) -> "np.ndarray | None":
        """The vector of a prompt; None where the model is not there within `seconds`. Raises REFUSALS where the model cannot take it."""
        with self._lock:
            if text in self._remembered:
                self._remembered.move_to_end(text)
                return self._remembered[text]
        if not self.wait(seconds) or (encoder := self.encoder) is None:
            return None
        with self.turns.prompt():
            vector = encoder.embed_prompt(text)
        with self._lock:
            self.prompts += 1
            self._remembered[text] = vector
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return vector
