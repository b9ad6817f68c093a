"""calls: what can be asked for, each with its arguments and options as a line takes them.

A typed call is its row in `syscalls.table`. The calls from before there were types read their own lines; what they take is said here in
the same words, so that one function writes all lines, and reads them again.
"""

import shlex
from collections.abc import Mapping
from typing import Any

from syscalls.arguments import given, line, value
from syscalls.errors import InvalidArgument
from syscalls.table import CALLS, Argument, Call, Option

_ROWS = {call.word: call for call in CALLS}
WORDS = (
    "create", "get", "append", "replace", "delete", "touch", "keywords", "semantic", "integrated", "group", "join", "combine", "compare",
    "watch", "summarise", "link", "lock", "unlock", "translate", "log", "rollback", "undo", "undelete", "purge", "snapshot", "query",
    "save", "forget", "status", "scan", "rebuild",
)  # fmt: skip
RAW = ("query", "save", "forget")  # all that follows the word is the question, as it stands
PLANNED = (
    "rollback",
    "undo",
    "purge",
)  # they answer with a plan, and its token does it; `delete --matching` does, too
TOKENED = {"undo": "rollback"}  # the word that takes the token, where it is another one
NEW = {
    ("create", "PATH"),
    ("join", "into"),
    ("group", "into"),
    ("translate", "into"),
    ("undelete", "as"),
}  # nothing is there yet

_PATH = Argument("PATH", "file", True, "a file or folder below files/")
_PROMPT = Argument("PROMPT", "prompt", True, "a question")


def _of(word: str, *arguments: Argument, **options: str) -> Call:
    """A call from before there were types. Where its row has types, that is the description."""
    row = _ROWS.get(word)
    if row is not None and row.typed:
        return row
    named = tuple(Option(name.replace("_", "-"), kind, name) for name, kind in options.items())
    summary = row.summary if row is not None else ""
    return Call(word, word, row.module if row else "", arguments, summary, "", options=named, typed=True)


def _known() -> dict[str, Call]:
    path, prompt = (_PATH,), (_PROMPT,)
    older = (
        _of("rollback", *path, to="text", version="number", versions="number"),
        _of("undo"),
        _of("undelete", *path, **{"as": "file"}),
        _of("purge", *path, live="flag", everywhere="flag"),
        _of("snapshot", Argument("NAME", "text", False, "what it is called"), drop="flag"),
        _of("query", *prompt),
        _of("save", *prompt),
        _of("forget", *prompt),
        _of("status"),
        _of("scan", Argument("PATH", "file", False, "a file or folder below files/; all of it without")),
        _of("rebuild"),
    )
    found = {call.word: call for call in older}
    return {word: found.get(word) or _ROWS[word] for word in WORDS if word in found or word in _ROWS}


BY_WORD: Mapping[str, Call] = _known()


def read(word: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call, as somebody said them, as its kinds read them. Raises InvalidArgument."""
    call = BY_WORD[word]
    found: dict[str, Any] = {}
    for one in call.arguments:
        if one.name in said:
            many = isinstance(said[one.name], (list, tuple))
            if many != one.many:
                raise InvalidArgument(
                    f"`{word}` takes {'several words' if one.many else 'one word'} as {one.name}."
                )
            found[one.name] = (
                tuple(value(word, one, text) for text in said[one.name])
                if many
                else value(word, one, said[one.name])
            )
        elif one.required:
            raise InvalidArgument(f"`{word}` needs {one.name}: {one.help}.")
    for option in call.options:
        if option.name in said:
            found[option.name] = True if option.kind == "flag" else value(word, option, said[option.name])
    if word == "create" and found["PATH"] and said["PATH"].endswith("/"):
        found["PATH"] += b"/"  # a folder
    if set(said) - set(found):
        raise InvalidArgument(f"`{word}` has no {', '.join(sorted(set(said) - set(found)))}.")
    return found


def written(word: str, values: Mapping[str, Any]) -> str:
    """The line that gives a call these values: what /ctl reads. Raises InvalidArgument where no line can."""
    call = BY_WORD[word]
    if word in RAW:
        text = " ".join(values["PROMPT"].split())
        if not text:
            raise InvalidArgument(f"`{word}` needs a question.")
        return f"{word} {text}"
    if word == "scan" and "PATH" in values and not _typed("scan"):
        path = values["PATH"].decode("utf-8", "surrogateescape")
        if "\n" in path:
            raise InvalidArgument("`scan` takes no path with a line break in it.")
        return f'scan "files/{path}"' if path else "scan"
    if word == "rollback" and not values.get("PATH") and not _typed("rollback"):
        return line(call, {**values, "PATH": b"."})
    return line(call, values)


def again(text: str) -> tuple[str, dict[str, Any]]:
    """A line that `written` made, as its word and values."""
    word, rest = (*text.split(None, 1), "")[:2]
    if word in RAW:
        return word, {"PROMPT": rest}
    if word == "scan" and not _typed("scan"):
        return word, read(word, {"PATH": rest[1:-1]} if rest else {})
    values = given(BY_WORD[word], rest)
    if word == "create" and shlex.split(rest)[-1].endswith("/"):
        values["PATH"] += b"/"
    return word, values


def _typed(word: str) -> bool:
    row = _ROWS.get(word)
    return row is not None and row.typed
