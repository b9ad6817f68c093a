"""complete: whether a call has all that it needs, and nothing that excludes the rest: what the kinds of its arguments do not say."""

from collections.abc import Mapping
from typing import Any

# of each line: how many of these a call has, at least and at most
_COUNTS: dict[str, tuple[tuple[int, int, str], ...]] = {
    "append": ((1, 1, "text from"),),
    "replace": ((1, 1, "text from"),),
    "create": ((0, 1, "text from"),),
    "rollback": ((1, 1, "to version versions"),),
    "delete": ((1, 1, "PATH matching token"),),
    "lock": ((0, 1, "for until"),),
    "link": ((0, 1, "for until"), (0, 1, "PATH revoke check")),
    "join": ((1, 1, "into in-place"), (1, 2, "PATH matching")),
    "translate": ((1, 2, "to into"),),
}
_WITH = {  # what is only said beside something else
    ("delete", "dry-run"): "matching",
    ("snapshot", "drop"): "NAME",
    ("group", "drop"): "NAME",
    ("group", "links"): "into",
    ("link", "for"): "PATH",
    ("link", "until"): "PATH",
    ("link", "name"): "PATH",
    ("join", "in-place"): "PATH",
    ("compare", "to"): "from",
}
_ALONE = {("group", "drop"): "NAME", ("link", "revoke"): "", ("link", "check"): "", ("delete", "token"): ""}
_NOT_WITH = {("compare", "with"): ("from", "to")}


def complete(word: str, slots: Mapping[str, Any]) -> bool:
    for least, most, names in _COUNTS.get(word, ()):
        if not least <= sum(name in slots for name in names.split()) <= most:
            return False
    for name in slots:
        if _WITH.get((word, name), name) not in slots:
            return False
        if (word, name) in _ALONE and set(slots) - {name, _ALONE[word, name]}:
            return False
        if any(other in slots for other in _NOT_WITH.get((word, name), ())):
            return False
    return word != "join" or "matching" in slots or len(slots["PATH"]) > 1
