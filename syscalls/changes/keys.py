"""keys: what changed in a file of keys and values (JSON, TOML, INI, YAML, .env): `server.port: 80 -> 8080`.

Everything read becomes a tree whose equal parts have the same number, so that two parts are compared at once, however large. A key that
went with the value it had was renamed or moved, and is said to be.
"""

import datetime
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from syscalls.changes.forms import FORMS, Literal
from syscalls.changes.matching import opcodes
from syscalls.changes.text import Changes, Unreadable, code, counted, shown, tally

MOST_CHANGES = 20_000
VALUE = 100  # characters of a value that are shown
IDENTITIES = ("id", "name", "key", "uuid", "slug", "title")  # members that tell the entries of a list apart
NAMED = 3


@dataclass(slots=True, eq=False)
class _Part:
    number: int  # equal parts of both versions have the same
    scalar: str = ""  # as shown
    members: dict[str, "_Part"] | None = None
    entries: list["_Part"] | None = None


@dataclass(slots=True)
class _Found:
    path: str
    last: str  # the last key of the path
    old: _Part | None
    new: _Part | None


@dataclass(slots=True)
class _Numbers:
    known: dict[object, int] = field(default_factory=dict)

    def part(self, value: object) -> _Part:
        if isinstance(value, dict):
            members = {str(key): self.part(item) for key, item in value.items()}
            same: object = ("{", frozenset((key, item.number) for key, item in members.items()))
            return _Part(self._number(same), members=members)
        if isinstance(value, list):
            entries = [self.part(item) for item in value]
            return _Part(self._number(("[", tuple(item.number for item in entries))), entries=entries)
        text = _scalar(value)
        return _Part(self._number(text), scalar=text)

    def _number(self, same: object) -> int:
        return self.known.setdefault(same, len(self.known))


def compare_keys(old: str, new: str, form: str) -> Changes:
    """The keys added, removed, changed, renamed and moved. `form` is a key of FORMS. Unreadable where a version is not of that form.

    RecursionError where one is nested deeper than Python takes.
    """
    numbers = _Numbers()
    read, comment = FORMS[form]
    before, after = numbers.part(read(old)), numbers.part(read(new))
    found = []
    for change in _differences("", "", before, after):
        found.append(change)
        if len(found) > MOST_CHANGES:
            raise Unreadable("more changes than are worth telling one by one")
    said = _said(found)
    clauses = []
    total = sum(map(len, said.values()))
    if 0 < total <= NAMED:
        clauses += [text for texts in said.values() for text in texts]
    else:
        clauses += [tally({verb: {"key": len(texts)} for verb, texts in said.items()})] if total else []
    comments = _comments(old, new, comment) if comment else ()
    if comments:
        counts = Counter(text.partition(":")[0] for text in comments)
        clauses.append(tally({verb: {"comment": number} for verb, number in counts.items()}))
    sections = [(f"Keys {verb}", tuple(texts)) for verb, texts in said.items()]
    sections += [("Comments", comments)] if comments else []
    return Changes(tuple(clauses), tuple(sections))


def _said(found: list[_Found]) -> dict[str, list[str]]:
    gone: dict[tuple[str, str, int], list[_Found]] = {}
    for change in found:
        if change.new is None and change.old is not None:
            for key in _traces(change, change.old.number):
                gone.setdefault(key, []).append(change)
    used: set[int] = set()
    said: dict[str, list[str]] = {verb: [] for verb in ("added", "removed", "changed", "renamed", "moved")}
    for change in found:
        if change.old is not None or change.new is None:
            continue
        for key in _traces(change, change.new.number):
            origins = [origin for origin in gone.get(key, ())[:9] if id(origin) not in used]
            # what is true of many keys (false, 0, an empty list) tells nothing about one
            if len(origins) == 1 and (key[0] == "moved" or len(_value(change.new)) > 5):
                used |= {id(origins[0]), id(change)}
                said[key[0]].append(f"{code(origins[0].path, 160)} {key[0]} to {code(change.path, 160)}")
                break
    for change in found:
        if id(change) in used:
            continue
        path = code(change.path or "(the whole)", 160)
        if change.old is None and change.new is not None:
            said["added"].append(f"{path} added: {code(_value(change.new))}")
        elif change.new is None and change.old is not None:
            said["removed"].append(f"{path} removed (was {code(_value(change.old))})")
        elif change.old is not None and change.new is not None:
            said["changed"].append(f"{path}: {code(_value(change.old))} → {code(_value(change.new))}")
    return {verb: texts for verb, texts in said.items() if texts}


def _traces(change: _Found, number: int) -> list[tuple[str, str, int]]:
    """By what the other half of a move is found: the same key elsewhere, another key or place beside it."""
    beside = change.path[: len(change.path) - len(change.last)]
    if change.last.endswith("]"):
        return [("moved", beside, number)]
    return [("moved", f".{change.last}", number), ("renamed", beside, number)]


def _differences(path: str, last: str, old: _Part, new: _Part) -> Iterator[_Found]:
    if old.number == new.number:
        return
    if old.members is not None and new.members is not None:
        for key, part in old.members.items():
            name = _name(key)
            inner = f"{path}.{name}" if path else name
            if key in new.members:
                yield from _differences(inner, name, part, new.members[key])
            else:
                yield _Found(inner, name, part, None)
        for key, part in new.members.items():
            if key not in old.members:
                name = _name(key)
                yield _Found(f"{path}.{name}" if path else name, name, None, part)
    elif old.entries is not None and new.entries is not None:
        yield from _entries(path, old.entries, new.entries)
    else:
        yield _Found(path, last, old, new)


def _entries(path: str, old: list[_Part], new: list[_Part]) -> Iterator[_Found]:
    identity = _identity(old, new)
    if identity is not None:
        ours, theirs = ({_identified(part, identity): part for part in side} for side in (old, new))
        for value, part in ours.items():
            place = f"[{identity}={shown(value, 40)}]"
            if value in theirs:
                yield from _differences(path + place, place, part, theirs[value])
            else:
                yield _Found(path + place, place, part, None)
        for value, part in theirs.items():
            place = f"[{identity}={shown(value, 40)}]"
            if value not in ours:
                yield _Found(path + place, place, None, part)
        if list(ours) != list(theirs) and sorted(ours) == sorted(theirs):
            yield _Found(f"{path}[]", "[]", _order(ours), _order(theirs))
        return
    for tag, i1, i2, j1, j2 in opcodes([part.number for part in old], [part.number for part in new]):
        if tag == "equal":
            continue
        both = min(i2 - i1, j2 - j1)
        for offset in range(both):
            place = f"[{j1 + offset}]"
            yield from _differences(path + place, place, old[i1 + offset], new[j1 + offset])
        for i in range(i1 + both, i2):
            yield _Found(f"{path}[{i}]", f"[{i}]", old[i], None)
        for j in range(j1 + both, j2):
            yield _Found(f"{path}[{j}]", f"[{j}]", None, new[j])


def _order(values: dict[str, _Part]) -> _Part:
    return _Part(-1, scalar="order " + ", ".join(list(values)[:20]))


def _identity(old: list[_Part], new: list[_Part]) -> str | None:
    for name in IDENTITIES:
        if all(
            len({_identified(part, name) for part in side} - {""}) == len(side) and side
            for side in (old, new)
        ):
            return name
    return None


def _identified(part: _Part, name: str) -> str:
    member = (part.members or {}).get(name)
    return member.scalar if member is not None else ""


def _name(key: str) -> str:
    return key if re.fullmatch(r"[\w@$/+-]{1,200}", key) else json.dumps(shown(key, 80), ensure_ascii=False)


def _scalar(value: object) -> str:
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def _value(part: _Part) -> str:
    """A value as JSON, cut off where enough is shown."""
    pieces: list[str] = []
    length = 0
    waiting: list[_Part | str] = [part]
    while waiting and length <= VALUE:
        item = waiting.pop()
        more: list[_Part | str] = []
        if isinstance(item, str):
            piece = item
        elif item.members is not None:
            piece, more = "{", ["}"]
            for key, member in reversed(list(item.members.items())[:VALUE]):
                more += [", ", member, f"{_name(key)}: "]
            more = [*more[:1], *more[2:]] if len(more) > 1 else more
        elif item.entries is not None:
            piece, more = "[", ["]"]
            for entry in reversed(item.entries[:VALUE]):
                more += [", ", entry]
            more = [*more[:1], *more[2:]] if len(more) > 1 else more
        else:
            piece = item.scalar
        pieces.append(piece[: VALUE * 2])
        length += len(piece)
        waiting += more
    text = "".join(pieces)
    if len(text) <= VALUE and not waiting:
        return text
    number = len(part.members) if part.members is not None else len(part.entries or ())
    total = f" ({counted(number, 'entry')})" if part.members is not None or part.entries is not None else ""
    return shown(text, VALUE).removesuffix("…") + f"…{total}"


def _comments(old: str, new: str, mark: str) -> tuple[str, ...]:
    before, after = (
        Counter(line.strip() for line in text.split("\n") if line.lstrip().startswith(tuple(mark)))
        for text in (old, new)
    )
    added, removed = after - before, before - after
    return tuple(f"added: {code(text)}" for text in added.elements()) + tuple(
        f"removed: {code(text)}" for text in removed.elements()
    )
