"""insight: what the engine's model says of texts and files: the port `syscalls.ports.Insight`.

Runs in the daemon's loop; numpy and the model are the engine's.
"""

from collections.abc import Sequence

from lsfs.config import NO_MODEL, Settings
from lsfs.engine.supervisor import Engine
from syscalls.values import Topic

MOST = 2_000  # characters of a text that are sent: the model's window is shorter


class Insight:
    """Asks the engine, whichever lives; a mount without a model or an index has nothing to ask."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._engine = engine
        self._able = settings.index_enabled and settings.model != NO_MODEL

    async def similar(self, text: str, texts: Sequence[str], deadline: float) -> list[float] | None:
        """The cosines of `text` to each of `texts`; None without a model. Raises TryAgain."""
        if not self._able:
            return None
        arguments = {"text": text[:MOST], "texts": [one[:MOST] for one in texts], "deadline": deadline}
        cosines: list[float] | None = (await self._engine.call("similar", arguments, deadline))["cosines"]
        return cosines

    async def salient(
        self, question: str, sentences: Sequence[str], most: int, deadline: float
    ) -> list[int] | None:
        """Which of `sentences` say together what matters to `question`, best first; None without a model. Raises TryAgain."""
        if not self._able:
            return None
        arguments = {
            "question": question[:MOST],
            "sentences": [one[:MOST] for one in sentences],
            "most": most,
            "deadline": deadline,
        }
        chosen: list[int] | None = (await self._engine.call("salient", arguments, deadline))["chosen"]
        return chosen

    async def topics(
        self, paths: Sequence[bytes], deadline: float, sequence: int | None = None
    ) -> list[Topic] | None:
        """These files by what they are about, now or as they were at a sequence; None without a model. Raises TryAgain."""
        if not self._able:
            return None
        arguments = {"paths": list(paths), "sequence": sequence, "deadline": deadline}
        found = (await self._engine.call("topics", arguments, deadline))["topics"]
        return None if found is None else [Topic(name, tuple(members)) for name, members in found]
