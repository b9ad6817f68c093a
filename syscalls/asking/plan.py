"""plan: what was understood as a line of /ctl, and as a sentence for a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syscalls.asking.calls import BY_WORD, PLANNED, RAW, again, read, written
from syscalls.errors import InvalidArgument
from syscalls.table import Argument, Option

_SAYS = {
    "create": "Makes the new file {PATH}",
    "get": "Shows {PATH}",
    "append": "Adds to the end of {PATH}",
    "replace": "Replaces all that is in {PATH}",
    "touch": "Sets the times of {PATH}",
    "keywords": "Lists the files that have {EXPRESSION}",
    "semantic": "Lists the files nearest to “{PROMPT}”",
    "integrated": "Lists the files that have {WORDS}, nearest to “{PROMPT}” first",
    "combine": "Lists the files of “{A}” and “{B}” ({how})",
    "watch": "Says which file to read for the changes of {PATH}",
    "summarise": "Summarises what the files say about “{PROMPT}”",
    "lock": "Locks {PATH}",
    "unlock": "Unlocks {PATH}",
    "translate": "Makes {PATH} anew as {to}",
    "undo": "Takes the last rollback back, or the last call that changed files where that was later",
    "undelete": "Puts {PATH} back",
    "purge": "Removes all that {PATH} ever was from history, for good",
    "query": "Says where the files are listed that answer “{PROMPT}”",
    "save": "Keeps the question “{PROMPT}”",
    "forget": "Takes the question “{PROMPT}” off the list; no file is touched",
    "status": "Says how far the index is",
    "scan": "Looks for changes behind the mount in {PATH}",
    "rebuild": "Makes the index anew",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """word, values: the call; line: what /ctl reads; says: one sentence; planned: the call answers with a plan of its own first."""

    word: str
    values: Mapping[str, Any]
    line: str
    says: str
    planned: bool


def planned(word: str, said: Mapping[str, Any]) -> Plan:
    """The plan of a call with arguments as somebody typed them. Raises InvalidArgument, also where the line would be read as anything
    else than these very arguments."""
    values = read(word, said)
    if word == "group" and "PROMPT" in values and "NAME" not in values:
        values["NAME"] = values.pop("PROMPT")  # a question stands where the name does, when there is no name
    if word in RAW:
        values["PROMPT"] = " ".join(values["PROMPT"].split())
    text = written(word, values)
    if again(text) != (word, values):
        raise InvalidArgument(f"`{word}` cannot be asked for with these words; write the command itself.")
    return Plan(
        word,
        values,
        text,
        sentence(word, values),
        word in PLANNED or (word == "delete" and "matching" in values and "dry-run" not in values),
    )


def paths(word: str, values: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    """The paths among the values of a call: (argument, path)."""
    call = BY_WORD[word]
    found: list[tuple[str, bytes]] = []
    ones: list[Argument | Option] = [*call.arguments, *call.options]
    for one in ones:
        if one.kind == "file" and one.name in values:
            value = values[one.name]
            found += [(one.name, path) for path in (value if isinstance(value, tuple) else (value,))]
    return found


def sentence(word: str, values: Mapping[str, Any]) -> str:
    """What a call would do, for a person."""
    shown = {name: _shown(value) for name, value in values.items()}
    text = _special(word, shown)
    if text is None:
        pattern = _SAYS[word]
        text = pattern.format_map({"PATH": "everything", "how": "both", **shown})
    return f"{text}{_more(word, shown)}."


def _special(word: str, shown: Mapping[str, str]) -> str | None:
    if word == "delete" and "token" in shown:
        return f"Does what the plan with the token {shown['token']} says"
    if word == "delete":
        return (
            f"Removes {shown['PATH']}"
            if "PATH" in shown
            else f"Removes the files about “{shown['matching']}”"
        )
    if word == "translate" and "to" not in shown:  # what into is called says it
        return f"Makes {shown['PATH']} anew"
    if word == "create" and shown["PATH"].endswith("/"):
        return f"Makes the new folder {shown['PATH']}"
    if word == "join":
        what = " and ".join(
            [
                *([shown["PATH"]] if "PATH" in shown else []),
                *([f"the files about “{shown['matching']}”"] if "matching" in shown else []),
            ]
        )
        return (
            f"Joins {what} {'in place: the first grows' if 'in-place' in shown else 'into ' + shown['into']}"
        )
    if word == "compare":
        return (
            f"Says what differs between {shown['PATH']} and {shown['with']}"
            if "with" in shown
            else f"Says what changed in {shown['PATH']}"
        )
    if word == "link":
        if "check" in shown:
            return f"Says what the token {shown['check']} leads to"
        if "revoke" in shown:
            return f"Ends the link {shown['revoke']}"
        return f"Makes a link to {shown['PATH']} for whoever has it" if "PATH" in shown else "Lists the links"
    if word == "group":
        if "drop" in shown:
            return f"Drops the group {shown['NAME']}; no file is touched"
        about = shown.get("PROMPT", shown.get("NAME", ""))
        return f"Groups the files about “{about}”"
    if word == "rollback":
        how = (
            f"by {shown['versions']} version{'' if shown['versions'] == '1' else 's'}"
            if "versions" in shown
            else f"to version {shown['version']}"
            if "version" in shown
            else f"to {shown['to']}"
        )
        return f"Rolls {shown['PATH']} back {how}"
    if word == "snapshot":
        if "NAME" not in shown:
            return "Lists the snapshots"
        return (
            f"Drops the snapshot {shown['NAME']}"
            if "drop" in shown
            else f"Calls everything as it is now {shown['NAME']}"
        )
    if word == "log":
        return (
            f"Lists what happened to {shown['PATH']}" if "PATH" in shown else "Lists everything that happened"
        )
    return None


def _more(word: str, shown: Mapping[str, str]) -> str:
    """What else the options say."""
    parts = []
    for name, text in (("version", " in version {}"), ("text", ": “{}”"), ("from", " from {}"), ("with", ""), ("to", " to {}"), ("at", " to {}"), ("in", " in {}"), ("k", ", {} at most"),
                       ("sentences", " in {} sentences"), ("for", " for {}"), ("until", " until {}"), ("name", " as {}"), ("why", " ({})"), ("into", " into {}"), ("links", " as links"),
                       ("by", " by {}"), ("as", " as {}"), ("live", ", the file itself, too"), ("dry-run", ", only to show it"), ("no-llm", ", without a language model")):  # fmt: skip
        if name in shown and (word, name) not in _TOLD:
            parts.append(text.format(shown[name]))
    return "".join(parts)


_TOLD = {("rollback", "to"), ("rollback", "version"), ("join", "into"), ("translate", "to"), ("get", "from")}


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return "files/" + value.decode("utf-8", "replace") if value else "everything"
    if isinstance(value, tuple):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, float):
        return _lasting(value)
    if isinstance(value, int) and value > 1 << 40:  # a time
        from datetime import UTC, datetime

        return f"{datetime.fromtimestamp(value // 10**9, UTC).astimezone():%Y-%m-%d %H:%M}"
    text = " ".join(str(value).split())
    return text if len(text) <= 120 else text[:119] + "…"


def _lasting(seconds: float) -> str:
    for unit, length in (("week", 7 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f} {unit}{'' if seconds == length else 's'}"
    return f"{seconds:g} seconds"
