"""purge: remove everything that a file ever was from history and index. The one call that cannot be undone.

    purge PATH                  answers with the plan, as JSON, and changes nothing
    purge PATH --live           the file itself is to go too; without it its bytes stay, and are no version until they change
    purge PATH --everywhere     versions of other files with the same bytes, too; without it they are a reason to refuse
    purge --token T             does what the plan with this token says, and proves it

A token dies after ten minutes, and as soon as anything that its plan is about has changed. Only the owner of the mount and root may ask.
"""

import json
from typing import TYPE_CHECKING, Any

from syscalls.errors import InvalidArgument
from syscalls.options import parse, path_of

if TYPE_CHECKING:
    from syscalls.control import Command


async def reply(command: "Command") -> str:
    """The plan, or what was done with its proof: one line of JSON."""
    words, options = parse("purge", command.text, flags=("live", "everywhere", "dry-run"), values=("token",))
    purging = command.history.purging
    if "token" in options:
        if words or len(options) > 1:
            raise InvalidArgument("`purge --token T` does what the plan says, and takes nothing else.")
        return json.dumps(await purging.execute(options["token"], command.viewer))
    if not words or not words[0]:
        raise InvalidArgument("Write `purge PATH`, and then `purge --token T` with the token of the plan.")
    plan = await purging.plan(
        path_of(words[0]),
        command.viewer,
        live="live" in options,
        everywhere="everywhere" in options,
        token="dry-run" not in options,
    )
    return json.dumps(plan)


def planned(plan: dict[str, Any]) -> str:
    """What would go, in sentences."""
    said = f"{plan['path'] or 'everything'}: {_of(plan['versions'], 'version')} with {_of(plan['contents'], 'content')}"
    said += f", {plan['bytes']} bytes, under {_of(len(plan['files']) + plan['more'], 'name')}."
    if plan["live"]:
        said += f" The files themselves go, too: {_listed(plan['live'])}."
    elif plan["stay"]:
        said += f" What is there now stays: {_listed(plan['stay'])}; --live removes it."
    if plan["shared"]:
        said += f" The same bytes are in {_listed(plan['shared'])}."
    return said


def outcome(done: dict[str, Any]) -> str:
    """What was done, and whether it holds, in sentences."""
    proof = done["proof"]
    said = f"{_of(done['versions'], 'version')} of {done['path'] or 'everything'} are purged"
    said += f"; {_of(len(done['unlinked']), 'file')} removed." if done["unlinked"] else "."
    looked = f"{_of(proof['phrases'], 'phrase')} searched for, {_of(proof['pieces'], 'piece')} looked for in {_of(proof['files'], 'file')}"
    if proof["holds"]:
        return f"{said} Nothing of them is left in the state folder: {looked} of {proof['bytes']} bytes."
    if proof["holds"] is None and proof["unproven"]:
        return (
            f"{said} NOT PROVEN for {_of(proof['unproven'], 'content')}: too short, too plain or too damaged to be looked for."
            f" Of the others nothing was found: {looked}."
        )
    if proof["holds"] is None:
        return (
            f"{said} NOT PROVEN: its bytes were gone before, so none of them could be looked for ({looked})."
        )
    where = [*proof["left"], *(f"files/{path}" for path in proof["found"])]
    words = f" The words {', '.join(proof['words'])} are still in the index." if proof["words"] else ""
    found = (
        f" Some of their bytes are still in {_listed(where)}: another file may have them too."
        if where
        else ""
    )
    return f"{said} NOT PROVEN ({looked}).{found}{words}"


def _of(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
