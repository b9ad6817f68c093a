"""aligned: which tokens of a prompt say which argument. Values nearly always stand in the prompt, so nobody has to mark them by hand.

A value is looked for among all runs of tokens that are read as it (`syscalls.asking.roles`); long ones take their place first. What is
found nowhere makes the prompt teach its frame only.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syscalls.arguments import value
from syscalls.asking.calls import BY_WORD
from syscalls.asking.roles import PATHS, WORDED, bare, role_of, said, usual
from syscalls.asking.tokens import Token, plain, tokens
from syscalls.errors import InvalidArgument

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "scripts/eval/data/parser/templates.jsonl"
COUNTED = ("count", "sentences", "version", "back", "older", "newer", "for", "format")
Span = tuple[int, int]


@dataclass(slots=True)
class Aligned:
    """A prompt with a tag for each token. call: "" where it must be refused; constants: arguments that no token says; lost: what was
    found nowhere."""

    prompt: str
    call: str
    arguments: dict[str, Any]
    text: str
    tokens: list[Token]
    tags: list[str]
    constants: dict[str, Any] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def spans(self) -> Iterator[Span]:
        """Runs of tokens that are one thing, and single tokens that are nothing."""
        at = 0
        while at < len(self.tags):
            end = at + 1
            if self.tags[at] != "O":
                while end < len(self.tags) and self.tags[end] == f"I-{self.tags[at][2:]}":
                    end += 1
            yield at, end
            at = end


def writers() -> dict[str, Path]:
    """The files of prompts, by writer."""
    found = {path.stem: path for path in sorted((ROOT / "scripts/asking/prompts").glob("*.jsonl"))}
    return {**found, "templates": TEMPLATES}


def rows(path: Path) -> list[dict[str, Any]]:
    """The prompts of a file: `call` is "" where there must be no plan."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            row = json.loads(line)
            call = "" if row.get("refused") or row.get("call") in (None, "refused") else row["call"]
            found.append(
                {
                    "prompt": row["prompt"],
                    "call": call,
                    "arguments": row.get("arguments") or {} if call else {},
                }
            )
    return found


def aligned(row: dict[str, Any]) -> Aligned:
    text = plain(row["prompt"])
    found = tokens(text)
    one = Aligned(row["prompt"], row["call"], row["arguments"], text, found, ["O"] * len(found))
    if one.call:
        _Aligning(one).done()
    return one


class _Aligning:
    def __init__(self, one: Aligned) -> None:
        self.one = one
        self.waiting: list[tuple[float, str, str, list[Span]]] = []
        call = BY_WORD[one.call]
        self.of = {each.name: each for each in (*call.arguments, *call.options)}

    def done(self) -> None:
        one = self.one
        for name, given in usual(one.call, one.arguments).items():
            role = role_of(one.call, name)
            if name in WORDED:
                self._condition(name, given)
            elif given is True or role is None:
                one.constants[name] = given
            else:
                for text in given if isinstance(given, list) else [given]:
                    self._value(name, role, text)
        for _, name, role, spans in sorted(self.waiting, key=lambda each: -each[0]):
            self._place(name, role, spans)
        if (
            one.call == "join"
            and one.constants.get("in-place")
            and not one.lost
            and one.arguments.get("PATH")
        ):
            self._first(one.arguments["PATH"][0].strip("/"))

    def _first(self, name: str) -> None:
        """The first file of a join in place is what it is joined into."""
        one = self.one
        for start, end in one.spans():
            if (
                one.tags[start] == "B-path"
                and (said("path", one.text, one.tokens[start:end]) or "").strip("/") == name
            ):
                one.tags[start:end] = ["B-into"] + ["I-into"] * (end - start - 1)
                return

    def _spans(self, role: str, most: int, same: Callable[[str], bool]) -> list[Span]:
        one, found = self.one, []
        for start in range(len(one.tokens)):
            for end in range(start + 1, min(len(one.tokens), start + most) + 1):
                text = said(role, one.text, one.tokens[start:end])
                if text is not None and same(text):
                    found.append((start, end))
        return found

    def _same(self, name: str, role: str, text: str) -> Callable[[str], bool]:
        if role in ("question", "A", "B"):
            return lambda one: bare(one) == bare(text)
        if role == "format":
            return lambda one: one == text
        of = self.of[name]
        try:
            wanted = value(self.one.call, of, text)
        except InvalidArgument:
            return lambda one: False

        def same(one: str) -> bool:
            try:
                return bool(value(self.one.call, of, one) == wanted)
            except InvalidArgument:
                return False

        return same

    def _value(self, name: str, role: str, text: str) -> None:
        if role in PATHS and text.strip("/") in ("files", ".", ""):
            self.one.constants[name] = "files"
            return
        spans = self._spans(
            role, 40 if role in ("text", "question", "A", "B", "why") else 12, self._same(name, role, text)
        )
        if role in COUNTED:
            spans = [
                each
                for each in spans
                if role != "back" or any(self.one.tokens[at].kind in "nvb" for at in range(*each))
            ]
            spans.sort(
                key=lambda each: (
                    role != "format" and not any(self.one.tokens[at].kind in "nvbltq" for at in range(*each)),
                    each[1] - each[0],
                    each[0],
                )
            )
        path = text.strip("/").removeprefix("files/") if role in ("path", "into", "source") else ""
        if not spans and "/" in path and self._folder(name, role, path):
            return
        if spans:
            self.waiting.append(
                (
                    0 if role in ("count", "sentences", "version", "back", "format") else len(text),
                    name,
                    role,
                    spans,
                )
            )
        else:
            self.one.lost.append(name)

    def _folder(self, name: str, role: str, path: str) -> bool:
        """`a.md in the folder work` as work/a.md."""
        for at, char in enumerate(path):
            if char == "/":
                folder, base = path[:at], path[at + 1 :]
                where = self._spans(
                    role, 8, lambda one, folder=folder: one.strip("/").removeprefix("files/") == folder
                )  # type: ignore[misc]
                what = self._spans(role, 8, lambda one, base=base: one.strip("/") == base)  # type: ignore[misc]
                if where and what:
                    self.waiting += [
                        (len(base), name, role, what),
                        (len(folder) - 0.5, name, f"{role}/", where),
                    ]
                    return True
        return False

    def _condition(self, name: str, text: str) -> None:
        if re.search(r"\b(?:AND|OR|NOT)\b", text):
            whole = self._spans("expr", 24, lambda one: " ".join(one.split()) == text)
            if whole:
                self.waiting.append((100, name, "expr", whole))
                return
        terms = condition(text)
        if terms is None:
            self.one.lost.append(name)
            return
        for role, term in terms:
            spans = self._spans(
                role, 6, lambda one, term=term: one.rstrip("*").strip('"').casefold() == term.casefold()
            )  # type: ignore[misc]
            if spans:
                self.waiting.append((len(term), name, role, spans))
            else:
                self.one.lost.append(name)

    def _place(self, name: str, role: str, spans: list[Span]) -> None:
        one = self.one
        free = [each for each in spans if all(one.tags[at] == "O" for at in range(*each))]
        if not free:
            if not (role.endswith("/") and any(one.tags[each[0]] == f"B-{role}" for each in spans)):
                one.lost.append(name)
            return
        if role not in COUNTED:
            free.sort(
                key=lambda each: (
                    not (one.tokens[each[0]].kind == "q" and each[1] - each[0] == 1),
                    one.tokens[each[0]].kind != "f",
                    role == "question" and each[1] - each[0] > 1 and one.tokens[each[1] - 1].kind == ".",
                    (each[1] - each[0]) * (-1 if role == "question" else 1),
                    each[0],
                )
            )
        start, end = free[0]
        one.tags[start:end] = [f"B-{role}"] + [f"I-{role}"] * (end - start - 1)


def condition(text: str) -> list[tuple[str, str]] | None:
    """`a AND b`, `(a OR b) AND NOT c`, `a*` as terms, each with its role. None where it is more than that."""
    parts = re.findall(r'"[^"]*"\*?|\(|\)|[^\s()"]+', text)
    if parts.count("(") > 1 or "OR" in parts and "(" not in parts and {"AND", "NOT"} & set(parts):
        return None
    found, deny, within = [], False, False
    for part in parts:
        if part in "()":
            within = part == "("
            deny = deny and within
        elif part == "NOT":
            deny = True
        elif part not in ("AND", "OR"):
            role = "not" if deny else "or" if "OR" in parts and (within or "(" not in parts) else "and"
            deny = deny and within
            found.append((role + ("*" if part.endswith("*") else ""), part.rstrip("*").strip('"')))
    return found


CODE = (
    *(
        f"syscalls/asking/{name}.py"
        for name in ("tokens", "roles", "features", "network", "decoding", "numbers")
    ),
    *(f"scripts/asking/{name}" for name in ("aligned.py", "pieces.py", "varied.py", "learning.py", "train")),
)


def learn_from(without: Sequence[str] = ()) -> list[Aligned]:
    """All prompts but those of these writers; each sentence once."""
    found: dict[str, Aligned] = {}
    for name, path in writers().items():
        if name not in without:
            for row in rows(path):
                found.setdefault(row["prompt"], aligned(row))
    return list(found.values())


def digest() -> str:
    """Of all that the weights are made from."""
    whole = hashlib.sha256()
    for path in (*writers().values(), *(ROOT / name for name in CODE)):
        whole.update(path.read_bytes())
    return whole.hexdigest()
