"""rollback: make an old version the newest one: of a file, a folder, or everything; all of it or nothing.

    rollback PATH --to X            X is a snapshot, `latest`, or a time: answers with the plan, as JSON, and changes nothing
    rollback PATH --version 3       v3 of a file;  --versions 2: two contents back
    rollback --token T [--force]    does what the plan with this token says

A token dies after ten minutes, and as soon as anything in the scope of its plan has changed. `--dry-run` gives none.
"""

import json
from typing import TYPE_CHECKING, Any

from syscalls.errors import InvalidArgument
from syscalls.options import parse, path_of

if TYPE_CHECKING:
    from syscalls.control import Command

HOW = ("to", "version", "versions")
WORDS = {
    "restore": "restored",
    "create": "created",
    "attributes": "given their old rights or time",
    "remove": "removed",
}


async def reply(command: "Command") -> str:
    """The plan, on one line; with a token, a sentence that says what was done."""
    words, options = parse("rollback", command.text, flags=("dry-run", "force"), values=(*HOW, "token"))
    if "token" in options:
        if words or set(options) - {"token", "force"}:
            raise InvalidArgument("`rollback --token T` does what the plan says; only --force may be added.")
        done = await command.history.rollback.execute(
            options["token"], command.viewer, force="force" in options
        )
        return outcome(done)
    how = [name for name in HOW if name in options]
    if not words or len(how) != 1 or "force" in options:
        raise InvalidArgument(
            "Write `rollback PATH --to X`, `--version N` or `--versions N`, and then `rollback --token T [--force]` with the plan's token."
        )
    number = None if how[0] == "to" else count(how[0], options[how[0]])
    plan = await command.history.rollback.plan(
        path_of(words[0]),
        command.viewer,
        to=options.get("to"),
        version=number,
        token="dry-run" not in options,
    )
    return json.dumps(plan)


def count(option: str, text: str) -> int:
    """The version that is meant: from 1, or, of --versions, so many back. Raises InvalidArgument."""
    digits = text.removeprefix("v")
    if not (digits.isascii() and digits.isdigit()) or not 0 < int(digits) < 1 << 31:
        raise InvalidArgument(f"--{option} {text[:20]!r} is no number of a version; `lsfs log` lists them.")
    return -int(digits) if option == "versions" else int(digits)


def counted(counts: dict[str, int]) -> str:
    """`2 restored, 1 removed`."""
    return ", ".join(f"{number} {WORDS[kind]}" for kind, number in counts.items() if number)


def outcome(done: Any) -> str:
    """What a rollback did, as a sentence."""
    if not done.plan.changes:
        return "Everything is as it was then; nothing was changed."
    left = "".join(
        f" {path.decode('utf-8', 'surrogateescape')} was left alone: {why}."
        for path, why in done.left.items()
    )
    name = done.snapshot.decode("utf-8", "surrogateescape")
    return f"{counted(done.plan.counts())}; `lsfs undo` takes it back, snapshots/{name} has what was there.{left}"
