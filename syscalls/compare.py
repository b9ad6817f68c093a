"""compare: what changed between two versions of a file, between two files, or in a folder between two moments, in words.

    cat files/.versions/plan.md/v2..v3.md           in the mount
    compare PATH [--from X] [--to Y] [--diff] [--no-llm]
                                                    in /ctl and as `lsfs compare`; X and Y: v3, a snapshot, a time, latest
    compare PATH --with OTHER                       two files, as they are now
    compare FOLDER --from X [--to Y]                a folder, or `files` for everything (`syscalls.overview`); Y is `now` without it

Markdown that begins with one sentence; then what was added, removed, changed and moved, by section, function, key or row, as the file's
name tells. Everything is read from the two contents alone: no model, no network, the same answer every time. Text of the files is
quoted and never interpreted. Only the call, never a file of the tree, may add a paragraph by a language model: where the user named one
in lsfs.conf, under what was said here, and marked as what it is (`syscalls.written`).

Nothing here raises for a content, whatever it holds: what is not of the form that its name promises is compared by lines, what is no text
by bytes, what is too large is counted.

`compare` is pure; it takes up to a few seconds of processor time for the largest content it takes apart, so a worker thread calls it.
"""

import json
import os
import re
import stat
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syscalls.changes.bytes import described, differ, large, size
from syscalls.changes.code import compare_code
from syscalls.changes.keys import compare_keys
from syscalls.changes.layout import ends, lines_in, normal, only, whitespace
from syscalls.changes.lines import TELLING, compare_lines
from syscalls.changes.prose import compare_prose
from syscalls.changes.source import SUFFIXES
from syscalls.changes.table import compare_table
from syscalls.changes.text import Changes, Unreadable, code, counted, decode, shown
from syscalls.changes.unified import is_large, unified
from syscalls.errors import InvalidArgument, IsFolder, NotFound, NotPermitted
from syscalls.written import nothing, told, written

if TYPE_CHECKING:
    from syscalls.control import Command
    from syscalls.ports import Writer

MOST_STRUCTURED = 1 << 20  # bytes of either side; a larger file is compared by lines
MOST_ITEMS = 40  # told in one section
MOST_SECTIONS = 40
MOST_CHARACTERS = 64 << 10  # of the whole answer

Reader = Callable[[str, str], Changes]


def _reading(reader: Callable[[str, str, str], Changes], form: str) -> Reader:
    return lambda old, new: reader(old, new, form)


_READERS: dict[str, Reader] = {
    **{
        suffix: _reading(compare_prose, "md")
        for suffix in ["md", "markdown", "mdown", "mkd", "mdx", "qmd", "rmd"]
    },
    **{suffix: _reading(compare_prose, "adoc") for suffix in ["adoc", "asciidoc", "asc"]},
    **{suffix: _reading(compare_prose, suffix) for suffix in ["rst", "org", "tex", "txt"]},
    "text": _reading(compare_prose, "txt"),
    **{suffix: _reading(compare_code, suffix) for suffix in SUFFIXES},
    **{
        suffix: _reading(compare_keys, "json")
        for suffix in ["json", "geojson", "ipynb", "webmanifest", "jsonld"]
    },
    "toml": _reading(compare_keys, "toml"),
    **{
        suffix: _reading(compare_keys, "ini")
        for suffix in ["ini", "cfg", "conf", "desktop", "service", "editorconfig", "gitconfig"]
    },
    **{suffix: _reading(compare_keys, "env") for suffix in ["env", "properties"]},
    **{suffix: _reading(compare_keys, "yaml") for suffix in ["yaml", "yml"]},
    **{suffix: _reading(compare_table, suffix) for suffix in ["csv", "tsv", "tab"]},
}
KEYED = frozenset(
    ["json", "geojson", "jsonld", "toml", "ini", "cfg", "conf", "env", "properties", "yaml", "yml"]
)
INDENTED = frozenset(["py", "pyi", "pyw", "yaml", "yml"])
_NAMES = {
    b"readme": "txt",
    b"pipfile": "toml",
    b"cargo.lock": "toml",
    b"poetry.lock": "toml",
    b"uv.lock": "toml",
}


def compare(old: bytes | None, new: bytes | None, *, name: bytes, old_label: str, new_label: str) -> str:
    """What changed from `old` to `new`, as Markdown.

    old, new   the contents; None where the file did not exist then
    name       of the file, with or without the folders above it: its suffix tells what it is
    *_label    what the versions are called, such as `v2` and `v3`
    """
    base = os.path.basename(name)
    title = code(base.decode("utf-8", "replace"), 120)
    labels = shown(old_label, 80), shown(new_label, 80)
    way = f"{title}, {labels[0]} → {labels[1]}" if all(labels) else title
    at = [f" in {label}" if label else "" for label in labels]
    if old is None or new is None:
        if old is new:
            return f"{title} does not exist in either version.\n"
        if new is not None:
            return f"{title} was created{at[1]}: {described(new)}.\n"
        return f"{title} was deleted{at[1]}; it had {described(old or b'')}.\n"
    if old == new:
        return f"{way}: nothing changed; both are the same {size(new)}.\n"
    first, second = decode(old), decode(new)
    if first is None or second is None:
        return f"{way}: {differ(old, new)}.\n"
    if is_large(old) or is_large(new):
        return f"{way}: {large(old, new)}.\n"
    return _rendered(way, _texts(first, second, base, max(len(old), len(new)) <= MOST_STRUCTURED))


def _texts(old: tuple[str, str], new: tuple[str, str], base: bytes, structured: bool) -> Changes:
    (before, encoding), (after, encoding_after) = old, new
    aspects = (
        [f"the encoding changed from {encoding} to {encoding_after}"] if encoding != encoding_after else []
    )
    kinds = ends(before), ends(after)
    if before != after:
        before, after = normal(before), normal(after)
        if kinds[0] != kinds[1] and "" not in kinds:
            aspects.append(f"the line endings changed from {kinds[0]} to {kinds[1]}")
        elif before == after:
            aspects.append("the line endings changed in some lines")
    if before == after:
        return Changes((only(aspects),))
    if before.removesuffix("\n") == after.removesuffix("\n"):
        verb = "added" if after.endswith("\n") else "removed"
        return Changes((only([*aspects, f"the newline at the end of the file was {verb}"]),))
    if before.split() == after.split():
        said = [*aspects, whitespace(before.split("\n"), after.split("\n"))]
        # where indentation has a meaning, what it changed is told, too
        meant = _structured(before, after, base) if structured and _suffix(base) in INDENTED else None
        return Changes((only(said), *meant.clauses), meant.sections) if meant else Changes((only(said),))
    changes = _structured(before, after, base) if structured else None
    order = Counter(lines_in(before)) == Counter(lines_in(after))
    if changes is None or not changes.clauses:
        unsaid = changes is not None
        changes = compare_lines(lines_in(before), lines_in(after), telling=1 if order else TELLING)
        if unsaid and _suffix(base) in KEYED:
            alike = "no key or value changed, only their order, layout or comments"
            changes = Changes((alike, *changes.clauses), changes.sections)
    clauses = changes.clauses
    if order:
        clauses = ("only the order of lines changed", *clauses)
    elif "".join(before.split()) == "".join(after.split()):
        clauses = ("only whitespace changed", *clauses)
    return Changes((*clauses, *aspects), changes.sections)


def _structured(old: str, new: str, base: bytes) -> Changes | None:
    reader = _READERS.get(_suffix(base))
    if reader is None:
        return None
    try:
        return reader(old, new)
    except (Unreadable, RecursionError):
        return None


def _suffix(base: bytes) -> str:
    lower = base.lower()
    return _NAMES.get(lower) or (
        lower.rpartition(b".")[2].decode("ascii", "replace") if b"." in lower else ""
    )


def _rendered(way: str, changes: Changes) -> str:
    sentence = "; ".join(changes.clauses) or "the layout changed"
    parts = [f"{way}: {sentence.rstrip('.')}.\n"]
    length = len(parts[0])
    for index, (title, items) in enumerate(changes.sections):
        told = items[:MOST_ITEMS]
        block = [f"\n## {shown(title, 120)}\n\n", *(f"- {item}\n" for item in told)]
        if len(items) > len(told):
            block.append(f"- … and {len(items) - len(told):,} more\n")
        text = "".join(block)
        if index >= MOST_SECTIONS or length + len(text) > MOST_CHARACTERS:
            rest = changes.sections[index:]
            number = sum(len(items) for _, items in rest)
            parts.append(f"\n… and {number:,} more in {counted(len(rest), 'section')}\n")
            break
        parts.append(text)
        length += len(text)
    return re.sub(r"[\ud800-\udfff]", "\ufffd", "".join(parts))


LARGEST = 64 << 20  # bytes of a version that is compared; of larger ones the sizes are told
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")
MOST_WORDS, MOST_DIFF = 4_000, 8_000  # characters that a language model is told
TASK = (
    "You are told what changed between two versions of a file: a comparison made by a program, and a unified diff."
    " Say in at most four sentences what the changes come to for somebody who knows the file. Say nothing that the diff does not show."
)


async def reply(command: "Command") -> str:
    """What changed, by default between the two newest versions of a file. Raises NotFound, NotPermitted, InvalidArgument."""
    text = await _compared(command)
    return json.dumps({"compare": text}) if "json" in command.given else text


async def _compared(command: "Command") -> str:
    given, history, viewer = command.given, command.history, command.viewer
    path: bytes = given["PATH"]
    name = os.fsdecode(path) or "files"
    await history.noted(2.0)
    trusted = viewer.uid in (0, command.owner)
    if not trusted and not history.permits(path, viewer):
        raise NotPermitted(f"You may not read {name}, so its versions are not yours to read either.")
    if "with" in given:
        return await _two(command, path, given["with"], trusted)
    if not path or await history.in_thread(_is_folder, path):
        return await _moments(command, path, trusted)
    versions = await history.in_thread(lambda past: past.versions(path))
    if not versions:
        raise NotFound(f"History knows no file {name}; write the path as ls shows it below files/.")
    new = _row(history, path, versions, given.get("to", "latest"))
    default = max(1, next((v.number for v in versions if new in v.rows), len(versions)) - 1)
    old = _row(history, path, versions, given.get("from", f"v{default}"))
    labels = (given.get("from", f"v{default}"), given.get("to", f"v{len(versions)}"))
    return await _rows(command, old, new, labels, trusted, f"{name} as it was then")


async def _rows(
    command: "Command", old: Any, new: Any, labels: tuple[str, str], trusted: bool, what: str
) -> str:
    """Two rows of history, with the paragraph of a language model where the owner has one."""
    history = command.history
    for row in (old, new):
        if not trusted and not history.permits_then(row.path, row, command.viewer):
            raise NotPermitted(f"You may not read {what}.")
    make = difference if "diff" in command.given else in_words
    answer: bytes = await history.in_thread(make, old, new, *labels)
    text = answer.decode("utf-8", "surrogateescape").rstrip("\n")
    if command.writer is None or not trusted or "diff" in command.given or "no-llm" in command.given:
        return text  # the model is that of the mount's owner
    paragraph = await _paragraph(command.writer, history, old, new, labels, answer)
    return f"{text}\n\n{paragraph}" if paragraph else text


async def _two(command: "Command", path: bytes, other: bytes, trusted: bool) -> str:
    """Two files, as they are now."""
    if "from" in command.given or "to" in command.given:
        raise InvalidArgument("Say either --with and another file, or --from and --to for versions of one.")
    history, rows = command.history, []
    for one in (path, other):
        if not trusted and not history.permits(one, command.viewer):
            raise NotPermitted(f"You may not read {os.fsdecode(one)}.")
        row = await history.in_thread(_live, one)
        if row is None:
            raise NotFound(
                f"There is no file {os.fsdecode(one) or 'files'}; write the path as ls shows it below files/."
            )
        if stat.S_ISDIR(row.mode):
            raise IsFolder(
                f"{os.fsdecode(one)} is a folder; compare files, or one folder --from and --to a moment."
            )
        rows.append(row)
    labels = (os.fsdecode(path), os.fsdecode(other))
    return await _rows(command, rows[0], rows[1], labels, trusted, "both files")


async def _moments(command: "Command", path: bytes, trusted: bool) -> str:
    """A folder between two moments."""
    from syscalls.differences import differences
    from syscalls.overview import overview

    history, given = command.history, command.given
    name = os.fsdecode(path) or "files"
    if "from" not in given:
        raise InvalidArgument(
            f"{name} is a folder: say --from and a snapshot or a time, and --to another one."
        )
    names = (given["from"], given.get("to", "now"))
    one, other = (history.sequence_of(os.fsencode(text)) for text in names)

    def make(past: Any) -> bytes:
        def readable(path: bytes, row: Any) -> bool:
            return trusted or (
                history.permits(path, command.viewer)
                and history.permits_then(path, row, command.viewer, past)
            )

        if "diff" in given:
            return differences(past, one, other, os.fsencode(names[0]), os.fsencode(names[1]), readable, path)
        return overview(past, one, other, names, readable, path)

    answer: bytes = await history.apart(make)
    return answer.decode("utf-8", "surrogateescape").rstrip("\n")


def _live(past: Any, path: bytes) -> Any:
    return past.entry(path, past.sequence()) if path else None


def _is_folder(past: Any, path: bytes) -> bool:
    """Is a folder there, or was one there and never a file?"""
    row = past.entry(path, past.sequence())
    if row is not None:
        return stat.S_ISDIR(row.mode)
    return not past.knows(path) and any(stat.S_ISDIR(row.mode) for row in past.history(path))


async def _paragraph(
    writer: "Writer", history: Any, old: Any, new: Any, labels: tuple[str, str], words: bytes
) -> str:
    """What a language model makes of a comparison, or why it does not; "" where no lines differ."""
    if not all(row.indexed and history.reads(row.path) for row in (old, new)):
        return nothing(
            writer,
            "The index does not read this file (secret, ignored or no regular file), so its text is sent nowhere.",
        )
    diff: bytes = await history.in_thread(difference, old, new, *labels)
    if b"\n@@ " not in diff:
        return ""
    data = {"file": os.fsdecode(new.path), "from": labels[0], "to": labels[1]}
    return await written(
        writer, TASK, data | {"comparison": told(words, MOST_WORDS), "diff": told(diff, MOST_DIFF)}
    )


def _row(history: Any, path: bytes, versions: list[Any], text: str) -> Any:
    """The row of a file that `v3`, `latest`, a snapshot's name or a time stands for."""
    number = _VERSION.fullmatch(text)
    if number is not None or text == "latest":
        wanted = len(versions) if number is None else int(number[1])
        if wanted > len(versions):
            raise NotFound(f"There is no {text}; the newest version is v{len(versions)}.")
        return versions[wanted - 1].last
    sequence = history.sequence_of(os.fsencode(text))
    rows = [row for version in versions for row in version.rows]
    then = [row for row in rows if row.born <= sequence and (row.died is None or row.died > sequence)]
    if not then:
        raise NotFound(f"There was no such file at {text}.")
    return then[-1]


def difference(past: Any, old: Any, new: Any, old_label: str, new_label: str) -> bytes:
    """Two rows of history as a unified diff under the newer name, for patch(1). `past` is `lsfs.history.past.Past`; call it in a
    thread."""
    one, other = past.whole(old, LARGEST), past.whole(new, LARGEST)
    if one is None or other is None:
        return (
            f"# {old.size:,} bytes -> {new.size:,} bytes: too large to be compared line by line.\n".encode()
        )
    return unified(one, other, old_path=new.path, new_path=new.path, old_label=old_label, new_label=new_label)


def in_words(past: Any, old: Any, new: Any, old_label: str, new_label: str) -> bytes:
    """What changed between two rows of history, in words; in a thread."""
    one, other = past.whole(old, LARGEST), past.whole(new, LARGEST)
    if one is None or other is None:
        return f"{old_label} has {old.size:,} bytes, {new_label} has {new.size:,}: too large to be compared.\n".encode()
    text = compare(one, other, name=new.path, old_label=old_label, new_label=new_label)
    return text.encode("utf-8", "replace")
