"""roles: what tokens of a sentence are to a call, and what they say as that: `for 2 hours` is `for: 2h`, `the third version` is `version: 3`.

A role is shared by the arguments that are said alike, whatever the call: what one learns of `k` of `semantic` holds for `limit` of `log`.
`said` reads tokens as a role, or refuses; `given` makes the arguments of a call from all that were read. What words have to occur is said
by one role for each way a word can stand in the condition: `and`, `or`, `not`, and with a star for the beginning of a word.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from syscalls.asking.calls import BY_WORD
from syscalls.asking.numbers import (
    _ORD,
    _VALUES,
    BACK,
    BEFORE,
    DURATION,
    SECOND,
    TIME,
    duration,
    number,
    time,
)
from syscalls.asking.reading import SUFFIX
from syscalls.asking.tokens import Token
from syscalls.table import Argument, Option
from syscalls.terms import tokens as terms

ROLES: Mapping[tuple[str, str], str] = {
    ("append", "from"): "source", ("create", "from"): "source", ("replace", "from"): "source",
    ("compare", "from"): "older", ("compare", "to"): "newer", ("compare", "with"): "with",
    ("rollback", "to"): "moment", ("touch", "at"): "time", ("log", "since"): "since", ("lock", "until"): "until", ("link", "until"): "until",
    ("lock", "for"): "for", ("link", "for"): "for", ("translate", "to"): "format",
    ("rollback", "version"): "version", ("get", "version"): "version", ("rollback", "versions"): "back",
    ("semantic", "k"): "count", ("integrated", "k"): "count", ("log", "limit"): "count", ("summarise", "sentences"): "sentences",
    ("combine", "A"): "A", ("combine", "B"): "B", ("lock", "why"): "why",
    ("link", "name"): "name", ("link", "revoke"): "revoke", ("link", "check"): "code", ("delete", "token"): "code", ("snapshot", "NAME"): "name", ("group", "NAME"): "name",
    ("undelete", "as"): "into", ("join", "matching"): "question", ("delete", "matching"): "question",
}  # fmt: skip
_ALWAYS = {"PATH": "path", "PROMPT": "question", "text": "text", "into": "into", "in": "in"}
CONDITION = ("and", "or", "not", "and*", "or*", "not*", "expr")
PATHS = ("path", "source", "with", "into", "in")
_QUESTIONS = ("question", "A", "B", "in", "with", "name")
WORDED = ("EXPRESSION", "WORDS")
_FORMATS = {
    "md": "md", "markdown": "md", "mark down": "md", "html": "html", "htm": "html", "web page": "html", "webpage": "html", "web": "html", "txt": "txt", "text": "txt",
    "plain text": "txt", "plain-text": "txt", "plaintext": "txt", "docx": "docx", "word": "docx", "doc": "docx", "ms word": "docx", "word document": "docx", "microsoft word": "docx",
}  # fmt: skip
_ARTICLE = re.compile(r"(?:the|an?)\s+(?=\S)", re.IGNORECASE)


def named(word: str) -> list[Argument | Option]:
    """The arguments and the options of a call."""
    return [*BY_WORD[word].arguments, *BY_WORD[word].options]


def role_of(word: str, argument: str) -> str | None:
    """The role of an argument of a call; None where no token says it."""
    return ROLES.get((word, argument)) or _ALWAYS.get(argument)


def roles(word: str) -> tuple[str, ...]:
    """All roles that a call has."""
    found: list[str] = []
    for one in named(word):
        role = role_of(word, one.name)
        if one.name in WORDED:
            found += CONDITION
        elif role in ("path", "into", "source"):
            found += [role, f"{role}/"]
        elif role and role not in found:
            found.append(role)
    return tuple(found)


def written(text: str, span: Sequence[Token]) -> str:
    """What was written, without the quotation marks of one quotation."""
    return span[0].inner if len(span) == 1 else text[span[0].start : span[-1].end]


def said(role: str, text: str, span: Sequence[Token]) -> str | None:
    """What tokens say in a role, as an argument takes it. None where they say nothing."""
    while len(span) > 1 and span[-1].kind == "." and role in _QUESTIONS:
        span = span[:-1]
    if len(span) > 1 and not _one_thing(role, span):
        return None
    one = written(text, span)
    plain = " ".join(one.lower().split())
    if role in ("count", "sentences", "version"):
        return _number(plain)
    if role == "back":
        return _number(plain) or _back(one)
    if role in ("older", "newer", "moment"):
        counted = any(one.kind in "vb" for one in span) or re.fullmatch(
            rf"(?:version )?v?\d+|(?:the|its) (?:{_ORD})", plain
        )
        count = _number(plain) if role != "moment" and counted else None
        return f"v{count}" if count else _time(one) or one
    if role in ("time", "since", "until"):
        return _time(one)
    if role == "for":
        match = DURATION.fullmatch(one)
        return None if match is None or match["ago"] else duration(match)
    if role == "format":
        return _FORMATS.get(plain.lstrip("."))
    if role.rstrip("*") in ("and", "or", "not"):
        return _term(one, star=role.endswith("*"))
    if role == "expr":
        return _expression(one, text[: span[0].start], text[span[-1].end :])
    if role in ("question", "A", "B") and span[0].kind == "." and span[0].text in "=:;,.|)":
        return None
    return one.strip() or None


def _expression(one: str, before: str, after: str) -> str | None:
    """A condition in its own language, with the parentheses that stand around it. None where it is none."""
    if one.count("(") == one.count(")") + 1 and after[:1] == ")":
        one += ")"
    if one.count(")") == one.count("(") + 1 and before[-1:] == "(":
        one = f"({one}"
    words = [
        part not in ("AND", "OR", "NOT", "(", ")") for part in re.findall(r'"[^"]*"\*?|[()]|[^\s()"]+', one)
    ]
    beside = any(map(all, zip(words, words[1:], strict=False)))
    return None if beside or not re.search(r"\b(?:AND|OR|NOT)\b", one) else one.strip()


def _one_thing(role: str, span: Sequence[Token]) -> bool:
    """Whether tokens may be one name or text: what looks like a path ends a name, and a quotation stands alone or in the middle."""
    if role.rstrip("/") in (*PATHS, "name"):
        return span[-1].kind != "q" and not any(
            one.kind == "q" or one.text == "," or one.kind == "f" and SUFFIX.search(one.text)
            for one in span[:-1]
        )
    return role == "expr" or span[0].kind != "q" and (span[-1].kind != "q" or role == "text")


_OR, _NOT = (
    re.compile(r"\b(?:or|either)\b|\|", re.IGNORECASE),
    re.compile(
        r"\b(?:not|without|lacks?|lacking|except|excluding|excludes?|but no|minus|nor|never|no|omit|omitting|leaving out|free of|isn't|doesn't|don't|aren't)\b",
        re.IGNORECASE,
    ),
)
_AND = re.compile(r"\W*(?:and|&|\+|plus)(?: the| the word| also)?\W*", re.IGNORECASE)
_ANY = re.compile(r"\b(?:any|either|one|some|least one) of\b", re.IGNORECASE)
_BEGIN = re.compile(r"\b(?:begin|beginning|begins|start|starts|starting|prefix|prefixed)\b", re.IGNORECASE)


def agrees(text: str, span: Sequence[Sequence[Token]], found: Sequence[str]) -> bool:
    """Whether the terms of a condition are what the words between them say: `or`, `not`, `that begins with`."""
    for at, role in enumerate(found):
        start = span[at - 1][-1].end if at else max(0, span[at][0].start - 40)
        gap, term = text[start : span[at][0].start], text[span[at][0].start : span[at][-1].end]
        begins = _BEGIN.search(gap) is not None or term.rstrip("\"'”’").endswith("*")
        if (not at or begins) and role != "expr" and begins != role.endswith("*"):
            return False
        if not at or role == "expr":
            continue
        if _NOT.search(gap):
            if not role.startswith("not") and "not only" not in gap:
                return False
        elif _OR.search(gap):
            if (
                not role.startswith(("or", "not"))
                or role.startswith("not")
                and not found[at - 1].startswith("not")
            ):
                return False
        elif (
            _AND.fullmatch(gap)
            and role.startswith("or")
            and "(" not in gap
            and not _ANY.search(text[: span[at][0].start])
        ):
            return False
    return True


def _number(text: str) -> str | None:
    text = re.sub(r"^(?:versions?|revisions?|rev\.?|no\.?|number|the)\s|^v(?=\d)|^#", "", text)
    if not re.fullmatch(r"\d{1,9}(?:st|nd|rd|th)?", text) and (
        text not in _VALUES or _VALUES[text] % 1 or text in ("a", "an")
    ):
        return None
    found = number(text)
    return str(found) if found > 0 else None


def _back(text: str) -> str | None:
    match = BACK.fullmatch(text)
    if match is not None:
        return str(number(match["n"]))
    before = BEFORE.match(f"{text} to")
    return (
        "1" if before is not None and before.end() == len(text) else "2" if SECOND.fullmatch(text) else None
    )


def _time(text: str) -> str | None:
    match = TIME.fullmatch(text.strip())
    return None if match is None else time(match)


def _term(text: str, star: bool) -> str | None:
    text = " ".join(text.split())
    if '"' in text or not terms(text):
        return None
    if star:
        text = text.rstrip("*-… .")
        return f"{text}*" if re.fullmatch(r"\w+", text) else None
    if len(terms(text)) == 1 and re.fullmatch(r"\w+\*?", text) and text not in ("AND", "OR", "NOT"):
        return text
    return f'"{text}"'


def expression(found: Sequence[tuple[str, str]]) -> str | None:
    """The condition that terms make: all of the `and`, one of the `or`, none of the `not`."""
    raw = [one for role, one in found if role == "expr"]
    if raw:
        return raw[0] if len(found) == 1 else None
    every = [one for role, one in found if role.rstrip("*") == "and"]
    some = [one for role, one in found if role.rstrip("*") == "or"]
    none = [one for role, one in found if role.rstrip("*") == "not"]
    if not every and not some or len(some) == 1 and every:
        return None
    either = " OR ".join(some)
    parts = [*every, *([f"({either})" if len(some) > 1 and (every or none) else either] if some else [])]
    return " AND ".join([*parts, *(f"NOT {one}" for one in none)])


def given(word: str, constants: Mapping[str, Any], found: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
    """The arguments of a call: `found` is what was read, each with its role, in the order of the sentence. None where a role is filled
    twice, or cannot be an argument. What is joined in place has its first file as `into`, wherever that stands."""
    slots: dict[str, Any] = dict(constants)
    if word == "join" and constants.get("in-place"):
        found = [("path", one) for role, one in found if role == "into"] + [
            each for each in found if each[0] != "into"
        ]
    folders = {role.rstrip("/"): one for role, one in found if role.endswith("/")}
    if len(folders) != sum(role.endswith("/") for role, _ in found):
        return None
    condition = [(role, one) for role, one in found if role in CONDITION]
    left = [(role, one) for role, one in found if role not in CONDITION and not role.endswith("/")]
    for one in named(word):
        if one.name in constants:
            continue
        if one.name in WORDED:
            if condition:
                made = expression(condition)
                if made is None:
                    return None
                slots[one.name], condition = made, []
            continue
        role = role_of(word, one.name)
        if role is None:
            continue
        values = [_in(folders.get(role), value) for have, value in left if have == role]
        left = [(have, value) for have, value in left if have != role]
        if getattr(one, "many", False):
            if values:
                slots[one.name] = list(dict.fromkeys(values))
        elif len(values) > 1:
            return None
        elif values:
            slots[one.name] = values[0]
    if word == "join" and slots.get("into", "") in (slots.get("PATH") or ()):  # into one of them is in place
        into = slots.pop("into")
        slots |= {"PATH": [into, *(one for one in slots["PATH"] if one != into)], "in-place": True}
    return None if left or condition else slots


def _in(folder: str | None, name: str) -> str:
    return name if folder is None else f"{folder.rstrip('/')}/{name}"


def bare(text: str) -> str:
    """A question as two are compared: without article, capitals, or a mark at its end."""
    return _ARTICLE.sub("", text.strip().rstrip(" .?!").casefold(), count=1)


def usual(word: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The very same call as it is mostly written: a default is left out, and a group's only word is its question."""
    found = dict(arguments)
    if word == "combine" and found.get("how") == "both":
        del found["how"]
    if (
        word in ("scan", "log")
        and str(found.get("PATH", "")).strip("/") in ("files", ".")
        and "PATH" in found
    ):
        del found["PATH"]
    if word == "group":
        if "drop" in found and "NAME" not in found and "PROMPT" in found:
            found["NAME"] = found.pop("PROMPT")
        elif "drop" not in found and "PROMPT" not in found and "NAME" in found:
            found["PROMPT"] = found.pop("NAME")
    return found
