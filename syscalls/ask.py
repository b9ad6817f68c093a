"""ask: a sentence becomes a plan, shown as the very command that would run. Nothing happens before a yes.

    ask "roll the cnn file back to the state it was in 3 versions ago"
                                     answers with the plan, as JSON: the commands, what they would do, and a token
    ask --token T                    does exactly that, and answers with what was replied; a token is good once, for ten minutes
    ask --dry-run "…"                no token is given

A grammar and a small network that learned from many sentences read it (`syscalls.asking.agreed`); what
they do not understand, or not as the same, is refused, with the nearest calls. A
language model is asked only where one is named in lsfs.conf, and then only which of the same calls is meant. Where a name may be one of
several files, the answer has the commands to choose from, and no token. Text in files is never looked at to find out what to do.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from syscalls.asking.calls import TOKENED
from syscalls.asking.names import meant
from syscalls.asking.plan import Plan, paths, planned
from syscalls.changes.text import shown
from syscalls.errors import InvalidArgument, ModelFailed
from syscalls.options import path_of

if TYPE_CHECKING:
    from syscalls.asking.intents import Understood
    from syscalls.control import Command

USAGE = 'Say what is to be done, as in `ask "lock plan.md for 2 hours"`; then `ask --token T` does it.'
HARMLESS = frozenset(  # they only read: `changes` of the table says less, as a snapshot or a link is refused by no read-only mount
    (
        "get",
        "keywords",
        "semantic",
        "integrated",
        "combine",
        "compare",
        "watch",
        "summarise",
        "log",
        "query",
        "status",
    )
)
FIRST = 10  # changes of a call's own plan that are shown


async def reply(command: "Command") -> str:
    """The plan, on one line of JSON; with a token, what the commands replied."""
    given = command.given
    if "token" in given:
        if set(given) - {"token", "json"}:
            raise InvalidArgument("`ask --token T` does what was shown, and takes nothing else.")
        return await confirmed(command, given["token"])
    if "PROMPT" not in given:
        return USAGE
    prompt = sentence_of(given["PROMPT"])
    answer = await proposal(command, prompt, token="dry-run" not in given)
    return json.dumps(answer)


def sentence_of(words: tuple[str, ...]) -> str:
    """The sentence: one quoted word, or words as they were written; of these, one that had blanks was quoted itself."""
    if len(words) == 1:
        return words[0]
    return " ".join(f'"{word}"' if re.search(r"\s", word) else word for word in words)


async def proposal(command: "Command", prompt: str, *, token: bool) -> dict[str, Any]:
    """What a sentence asks for, as JSON says it. Raises InvalidArgument where it is not understood, and what a call says to its plan."""
    notes: list[str] = []
    found = await _thought(command, lambda: _readers().understood(prompt))
    if not found.word:
        found = await _by_model(command, prompt, found, notes)
    word, slots = found.word, dict(found.slots)
    plan = planned(word, slots)
    choices = await _named(command, plan, slots, notes)
    answer: dict[str, Any] = {
        "prompt": prompt,
        "commands": [],
        "reads": [],
        "says": "",
        "token": None,
        "notes": notes,
        "sure": found.sure or word in HARMLESS,
    }
    if choices:
        answer["candidates"] = choices
        answer["says"] = "Several files may be meant; choose one of these commands."
        return answer
    plan = planned(word, slots)
    answer |= {
        "commands": [plan.line],
        "reads": [
            f"files/{path.decode('utf-8', 'surrogateescape')}".rstrip("/")
            for _, path in paths(word, plan.values)
        ],
        "says": plan.says,
    }
    line = plan.line
    if plan.planned:
        line = await _planned(command, plan, answer, token)
    if token and line and command.proposals is not None:
        answer["token"] = command.proposals.keep((line,), command.viewer.uid)
    return answer


async def confirmed(command: "Command", token: str) -> str:
    """Do what a token stands for; what was replied, a line break between two."""
    assert command.proposals is not None and command.say is not None
    lines = command.proposals.take(token, command.viewer.uid)
    return "\n".join([await command.say(line) for line in lines])


def _intents() -> Any:
    """The grammar: its patterns take a part of a second to be made, when the first sentence comes."""
    from syscalls.asking import intents

    return intents


def _readers() -> Any:
    """The grammar and the network together: the weights are read when the first sentence comes."""
    from syscalls.asking import agreed

    return agreed


async def _thought(command: "Command", work: Callable[[], Any]) -> Any:
    """What `work` returns, in a thread where there is one: the mount does not wait for it."""
    if command.history is None:
        return work()
    return await command.history.in_thread(lambda past: work())


async def _by_model(command: "Command", prompt: str, found: "Understood", notes: list[str]) -> "Understood":
    """What the language model makes of what nobody understood; it belongs to the owner of the mount. Raises InvalidArgument."""
    why = found.why + (
        f" Nearest: {', '.join(f'`{one}`' for one in found.nearest)}." if found.nearest else ""
    )
    if command.writer is None or found.final or command.viewer.uid not in (0, command.owner):
        raise InvalidArgument(why)
    from syscalls.asking import model

    try:
        word, slots = await model.proposed(command.writer, prompt)
    except (ModelFailed, InvalidArgument) as error:
        raise InvalidArgument(f"{why} {shown(str(error), 300)}") from None
    notes.append(
        f"Proposed by the language model {shown(command.writer.name, 80)}; nothing else had understood the sentence."
    )
    understood: Understood = _intents().Understood(word, slots)
    return understood


async def _named(command: "Command", plan: Plan, slots: dict[str, Any], notes: list[str]) -> list[str]:
    """Put the paths that are meant into `slots`; the lines to choose from where one may be several. Raises NotFound."""
    for argument, path in paths(plan.word, plan.values):
        name = await meant(plan.word, argument, path, command.folder, command.viewer)
        if name.path is None:
            return [planned(plan.word, _with(slots, argument, path, one)).line for one in name.candidates]
        if name.path != path:
            slots.update(_with(slots, argument, path, name.path))
            notes.append(f"{_text(path)} was taken as files/{_text(name.path)}.")
    return []


def _with(slots: Mapping[str, Any], argument: str, old: bytes, new: bytes) -> dict[str, Any]:
    """The arguments with another path in the place of one."""
    said = slots[argument]
    text = new.decode("utf-8", "surrogateescape")
    if isinstance(said, (list, tuple)):
        return {**slots, argument: [text if path_of(one) == old else one for one in said]}
    return {**slots, argument: text}


async def _planned(command: "Command", plan: Plan, answer: dict[str, Any], token: bool) -> str:
    """Ask a call for its own plan and show it; the line that does what it says, "" where there is nothing to do."""
    assert command.say is not None
    inner = json.loads(
        await command.say(
            plan.line if token else f"{plan.line.split(' ', 1)[0]} --dry-run{plan.line[len(plan.word) :]}"
        )
    )
    changes = inner.get("changes") or [{"path": path} for path in inner.get("files", ())]
    answer["plan"] = {
        name: inner[name]
        for name in ("counts", "bytes", "to", "versions", "busy", "stay", "live")
        if name in inner
    }
    answer["plan"]["changes"] = changes[:FIRST]
    answer["plan"]["more"] = max(0, len(changes) - FIRST) + int(inner.get("more") or 0)
    if not inner.get("token"):
        if token:
            answer["notes"].append("There is nothing to do.")
        return ""
    return f"{TOKENED.get(plan.word, plan.word)} --token {inner['token']}"


def _text(path: bytes) -> str:
    return path.decode("utf-8", "replace")
