"""slots: what each call is given: from a sentence that is thought to mean it, the arguments as somebody would type them.

Each function takes from a `Reading` what belongs to its call, and raises Missing, with what the sentence does not say. What it leaves
there is not understood, and whoever called it decides whether that matters.
"""

from collections.abc import Callable

from syscalls.asking import gathering, keeping, looking_back, searching, writing
from syscalls.asking.masks import Said
from syscalls.asking.reading import Reading
from syscalls.asking.saying import Slots

SLOTS: dict[str, Callable[[Reading], Slots]] = {
    "create": writing.create,
    "get": writing.get,
    "append": writing.append,
    "replace": writing.replace,
    "delete": writing.delete,
    "touch": writing.touch,
    "translate": writing.translate,
    "keywords": searching.keywords,
    "semantic": searching.semantic,
    "integrated": searching.integrated,
    "combine": searching.combine,
    "summarise": searching.summarise,
    "query": searching.query,
    "save": searching.save,
    "forget": searching.forget,
    "group": gathering.group,
    "join": gathering.join,
    "compare": looking_back.compare,
    "log": looking_back.log,
    "rollback": looking_back.rollback,
    "undo": looking_back.undo,
    "undelete": looking_back.undelete,
    "purge": looking_back.purge,
    "snapshot": looking_back.snapshot,
    "link": keeping.link,
    "lock": keeping.lock,
    "unlock": keeping.unlock,
    "watch": keeping.watch,
    "scan": keeping.scan,
    "rebuild": keeping.rebuild,
    "status": keeping.nothing,
}


def filled(word: str, said: Said) -> tuple[Slots, Reading]:
    """What a call is given by a sentence, and what nobody took. Raises Missing."""
    reading = Reading(said)
    return SLOTS[word](reading), reading
