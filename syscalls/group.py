"""group: the files that answer a question, under a name, in a folder of their own, or apart by what they are.

    group                              lists the groups that have a name
    group NAME PROMPT                  query/NAME answers PROMPT from now on, always up to date; --drop takes the name back
    group PROMPT                       the files, one a line; a NAME is as good as its PROMPT, here and below
    group PROMPT --into FOLDER         copies of the files in a new folder; --links: relative symlinks
    group PROMPT --by topic            the files in groups: by folder, type, month, author or topic

A group with a name is a saved question; it belongs to the owner of the mount, as the list of /query does.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syscalls.answer_names import link_names
from syscalls.errors import Exists, InvalidArgument, LsfsError, NotFound, NotPermitted, ReadOnly
from syscalls.grouping import grouped
from syscalls.matching import cut_off, matched, with_notes
from syscalls.names import encode_name, normal
from syscalls.options import shown
from syscalls.ports import Folder, Insight, Questions
from syscalls.results import from_json
from syscalls.save import save
from syscalls.values import Edit, Hit, Results, Topic, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

PATIENCE = 5.0  # seconds that finding topics may take
SAYS = "Write `group NAME PROMPT`, `group NAME --drop`, `group PROMPT --into FOLDER [--links]`, or `group PROMPT --by GROUPING`."


async def rename(
    prompt: str, *, name: str, folder: bytes, questions: Questions, viewer: Viewer, owner: int
) -> None:
    """Give a saved question a name.

    Raises NotFound where it is not saved, Exists where the name is that of another one, InvalidArgument for a name that no
    directory below /query can have, and NotPermitted for anyone but the owner of the mount and root.
    """
    if viewer.uid not in (0, owner):
        raise NotPermitted("The names of saved questions belong to the owner of the mount.")
    if encode_name(name) is None:
        raise InvalidArgument(
            "A name of a group has 255 bytes at most, no line break and no dot in front, and is none that file managers ask for."
        )
    if prompt not in questions.saved(folder):
        raise NotFound("This question is not saved; `ls query` shows those that are.")
    await questions.call(folder, prompt, normal(name))


async def group(
    name: str, prompt: str, *, folder: bytes, questions: Questions, viewer: Viewer, owner: int
) -> None:
    """Save a question under a name. Raises as `save` and `rename`, and Exists where it has a name or the name is taken."""
    name, prompt = normal(name), normal(prompt)
    called = {asked: known for known, asked in questions.names(folder).items()}
    if prompt in called:
        raise Exists(f"This question is the group {called[prompt]!r} already; `mv` in query/ renames it.")
    if name in questions.names(folder) or (name in questions.saved(folder) and name != prompt):
        raise Exists("A saved question has this name; `lsfs group NAME --drop` takes it back.")
    if encode_name(name) is None:  # before anything is saved
        await rename(prompt, name=name, folder=folder, questions=questions, viewer=viewer, owner=owner)
    if prompt not in questions.saved(folder):
        await save(prompt, folder=folder, questions=questions, viewer=viewer, owner=owner)
    await rename(prompt, name=name, folder=folder, questions=questions, viewer=viewer, owner=owner)


async def drop(name: str, *, folder: bytes, questions: Questions, viewer: Viewer, owner: int) -> None:
    """Forget a group by its name; no file is touched. NotFound where there is none, NotPermitted as in `rename`."""
    if viewer.uid not in (0, owner):
        raise NotPermitted("The names of saved questions belong to the owner of the mount.")
    prompt = questions.names(folder).get(normal(name))
    if prompt is None:
        raise NotFound(f"There is no group {name!r}; `lsfs group` lists them.")
    await questions.forget(folder, prompt)


async def freeze(results: Results, into: bytes, *, files: Folder, viewer: Viewer, links: bool = False) -> int:
    """Copies of the hits of an answer in a new folder, or relative symlinks to them, under their names in the answer; how many.

    All at once, with the viewer's rights. Raises NotFound where nothing answers, and what `Folder.change` raises: Exists where the
    folder is there.
    """
    if not results.hits:
        raise NotFound(f"No file answers {results.prompt.text[:80]!r}, so no folder was made.")
    edits = [Edit(into, "folder")]
    for name, hit in link_names(results.hits).items():
        path = into + b"/" + name
        if links:
            edits.append(Edit(path, "symlink", target=os.path.relpath(b"/" + hit.path, b"/" + into)))
        else:
            edits.append(Edit(path, "create", source=hit.path))
    shown = into.decode("utf-8", "replace")
    await files.change(f"group --into {shown}", edits, viewer)
    return len(results.hits)


async def topics_of(
    insight: Insight | None, hits: Sequence[Hit], deadline: float = PATIENCE
) -> list[Topic] | None:
    """What the hits are about; None where nothing that knows it is there."""
    if insight is None or not hits:
        return None
    try:
        return await insight.topics([hit.path for hit in hits], deadline)
    except LsfsError:
        return None


async def reply(command: "Command") -> str:
    """What was done, or what there is: a line for each group or file."""
    given: dict[str, Any] = command.given
    first, prompt = given.get("NAME"), given.get("PROMPT")
    wanted = [option for option in ("into", "by", "drop") if option in given]
    if (
        len(wanted) > 1
        or (wanted and (first is None or prompt is not None))
        or ("links" in given) > ("into" in given)
    ):
        raise InvalidArgument(SAYS)
    if prompt is not None or "drop" in given:
        return await _named(command, first or "", prompt)
    if first is None:
        return await _list(command)
    prompt = command.questions.names(b"").get(normal(first), first)
    assert command.ask is not None
    results = await command.ask(prompt, b"", command.viewer)
    if "into" in given:
        return await _frozen(command, results)
    by = given.get("by")
    if by is None:
        found = [shown(hit.path) for hit in results.hits]
        if "json" in given:
            return json.dumps({"prompt": prompt, "paths": found})
        return "\n".join(found) or f"No file answers {prompt[:80]!r}."
    topics = await topics_of(command.insight, results.hits) if by == "topic" else None
    groups = grouped(by, results.hits, b"", topics)
    notes = (*results.prompt.notes, *cut_off(results))
    if "json" in given:
        said = [{"name": name, "paths": [shown(hit.path) for hit in hits]} for name, hits in groups.items()]
        return json.dumps({"prompt": prompt, "by": by, "groups": said, "notes": list(notes)})
    lines = [
        line
        for name, hits in groups.items()
        for line in (f"{name}:", *(f"    {shown(hit.path)}" for hit in hits))
    ]
    return with_notes("\n".join(lines) or f"No file answers {prompt[:80]!r}.", notes)


async def _named(command: "Command", name: str, prompt: str | None) -> str:
    if command.read_only:
        raise ReadOnly(
            "This mount is read-only, so no group is named or dropped; questions can be asked all the same."
        )
    scope: dict[str, Any] = {
        "folder": b"", "questions": command.questions, "viewer": command.viewer, "owner": command.owner,
    }  # fmt: skip
    if prompt is None:
        await drop(name, **scope)
        said = {"dropped": name}
        sentence = f"The group {name} is dropped; no file was touched."
    else:
        await group(name, prompt, **scope)
        path = f"query/{command.names.name(normal(name)).decode()}"
        said = {"name": name, "prompt": prompt, "path": path}
        sentence = f"{path} answers {prompt} from now on."
    return json.dumps(said) if "json" in command.given else sentence


async def _list(command: "Command") -> str:
    """The groups, to the owner of the mount and root: name, how many files, prompt."""
    found = []
    if command.viewer.uid in (0, command.owner):
        for name, prompt in sorted(command.questions.names(b"").items()):
            found.append((name, prompt, await _count(command, prompt)))
    if "json" in command.given:
        return json.dumps(
            {"groups": [{"name": name, "prompt": prompt, "files": count} for name, prompt, count in found]}
        )
    lines = [
        f"{name}\t{count} {'file' if count == 1 else 'files'}\t{prompt}" for name, prompt, count in found
    ]
    return "\n".join(lines) or 'There are no groups yet: `group NAME "a question"` makes one.'


async def _count(command: "Command", prompt: str) -> int:
    """How many files a group has, from the answer that is kept for it where there is one."""
    kept = command.questions.kept(b"", prompt)
    if kept is not None:
        try:
            hits = from_json(kept).hits
            return sum(command.files.readable(hit.path, command.viewer) for hit in hits)
        except ValueError:
            pass
    assert command.ask is not None
    return len((await command.ask(prompt, b"", command.viewer)).hits)


async def _frozen(command: "Command", results: Results) -> str:
    if command.read_only:
        raise ReadOnly("This mount is read-only, so no folder is made in it.")
    assert command.folder is not None
    into: bytes = command.given["into"]
    links = "links" in command.given
    hits, notes = matched(results)
    results = replace(results, hits=hits)
    count = await freeze(results, into, files=command.folder, viewer=command.viewer, links=links)
    path = shown(into)
    if "json" in command.given:
        paths = [f"{path}/{os.fsdecode(name)}" for name in link_names(results.hits)]
        return json.dumps(
            {
                "prompt": results.prompt.text,
                "folder": path,
                "paths": paths,
                "scores": [hit.score for hit in link_names(hits).values()],
                "notes": list(notes),
            }
        )
    what = "link" if links else "file"
    said = f"{path} has {count} {what}{'' if count == 1 else 's'} now; `lsfs undo` takes it back."
    return with_notes(said, notes)
