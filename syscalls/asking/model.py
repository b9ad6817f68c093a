"""model: what a language model may propose, where one is named in lsfs.conf and nothing else has understood: one of the calls, as JSON.

It is told the sentence and the table of calls, never a line of a file. What it answers is not believed: the call has to be one of the
table, its arguments of their kinds, and each of them has to stand in the sentence, letter for letter but for capitals and blanks; numbers,
times and durations have to be those that the sentence says. Then it is shown, marked as the model's, and waits for the yes like any other.
"""

import json
import re
from typing import Any

from syscalls.arguments import value
from syscalls.asking.calls import BY_WORD, read
from syscalls.asking.masks import Said, said
from syscalls.asking.saying import Slots
from syscalls.asking.words import denied
from syscalls.errors import InvalidArgument
from syscalls.ports import Writer

TASK = (
    "Choose the one command that the user's sentence asks for, from this table, and answer with one JSON object and nothing else:"
    ' {"call": WORD, "arguments": {NAME: VALUE}}. Values are strings copied from the sentence, true for a flag, a list where the table says'
    ' "many". Where the sentence asks for none of them, for two, or says that something is not to be done: {"call": null}.'
)
_WORDS = {
    "no-llm": ("llm", "model"),
    "dry-run": ("dry", "without", "show"),
    "in-place": ("place",),
    "everywhere": ("everywhere",),
}
_HOW = {
    "both": ("both", "and"),
    "either": ("either", "or"),
    "only": ("not", "without", "except", "only", "minus"),
}


async def proposed(writer: Writer, prompt: str) -> tuple[str, Slots]:
    """A call and its arguments, which the sentence bears out. Raises InvalidArgument, ModelFailed."""
    answer = await writer.complete(
        f"{TASK} Table: {table()}", json.dumps({"sentence": prompt}, ensure_ascii=False), writer.timeout
    )
    return checked(answer, prompt)


def table() -> str:
    """The calls as the model is told them."""
    rows = {}
    for word, call in BY_WORD.items():
        rows[word] = {
            "does": call.summary,
            **{
                one.name: one.kind + (" many" if one.many else "") + ("" if one.required else " optional")
                for one in call.arguments
            },
            **{one.name: one.kind + " optional" for one in call.options if one.name != "token"},
        }
    return json.dumps(rows, ensure_ascii=False)


def checked(answer: str, prompt: str) -> tuple[str, Slots]:
    """What a model answered, if it is a call and the sentence says all of it. Raises InvalidArgument."""
    match = re.search(r"\{.*\}", answer, re.DOTALL)
    try:
        found = json.loads(match[0]) if match else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("arguments", {}), dict):
        raise InvalidArgument("The language model chose no command.")
    word, slots = found.get("call"), found.get("arguments", {})
    if not isinstance(word, str) or word not in BY_WORD:
        raise InvalidArgument("The language model chose no command.")
    sentence = said(prompt)
    if denied(word, sentence.text):
        raise InvalidArgument("The sentence says what is not to be done.")
    if "token" in slots:
        raise InvalidArgument("The language model may not use a token.")
    kinds: dict[str, Any] = {one.name: one for one in BY_WORD[word].arguments}
    kinds |= {one.name: one for one in BY_WORD[word].options}
    for name, given in slots.items():
        if name not in kinds:
            raise InvalidArgument(f"`{word}` has no {name[:40]}.")
        for one in given if isinstance(given, list) else [given]:
            if not _said(word, kinds[name], one, prompt, sentence):
                raise InvalidArgument(
                    f"The language model gave {name} a value that the sentence does not have."
                )
    try:
        read(word, slots)
    except (TypeError, AttributeError) as error:
        raise InvalidArgument("The language model gave an argument of another kind.") from error
    return word, slots


def _said(word: str, of: Any, given: Any, prompt: str, sentence: Said) -> bool:
    plain = _plain(prompt)
    if of.kind == "flag":
        return given is True and any(one in plain for one in _WORDS.get(of.name, (of.name,)))
    if not isinstance(given, str) or not given.strip():
        return False
    if of.kind in ("number", "time", "duration"):
        marks = {"number": "nvb", "time": "t", "duration": "l"}[of.kind]
        return any(_equal(word, of, given, thing.value) for thing in sentence.things if thing.kind in marks)
    if "|" in of.kind:
        return any(re.search(rf"\b{one}\b", plain) for one in _HOW.get(given, (given.casefold(),)))
    if of.name in ("EXPRESSION", "WORDS"):
        words = re.sub(r"\b(?:AND|OR|NOT)\b|[()\"]", " ", given).split()
        return bool(words) and all(
            re.search(rf"(?<!\w){re.escape(_plain(one))}(?!\w)", plain) for one in words
        )
    edge = r"\w./-" if of.kind == "file" else r"\w"
    return (
        re.search(rf"(?<![{edge}]){re.escape(_plain(given))}(?![{edge.replace('.', '')}]|\.\w)", plain)
        is not None
    )


def _equal(word: str, of: Any, one: str, other: str) -> bool:
    try:
        return bool(value(word, of, one) == value(word, of, other))
    except InvalidArgument:
        return False


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
