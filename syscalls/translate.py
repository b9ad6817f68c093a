"""translate: a file in another format, beside it: Markdown, HTML and Word into each other; these, PDF, workbooks, mail and more to text.

    translate notes/plan.md --to html               makes notes/plan.html
    translate report.pdf --to txt --into report.txt

A file is never overwritten: what is there already is EEXIST. Which way is possible says `WAYS`; the rest is EOPNOTSUPP.
"""

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls.errors import InvalidArgument, NotSupported
from syscalls.options import shown
from syscalls.ports import Converter, Folder
from syscalls.values import Edit, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

MOST = 64 << 20
"""Bytes of a file that is translated."""
FORMATS = {
    "md": "md", "markdown": "md", "html": "html", "htm": "html", "xhtml": "html", "docx": "docx", "pdf": "pdf",
    "odt": "odt", "odp": "odp", "pptx": "pptx", "epub": "epub", "txt": "txt", "text": "txt",
    "xlsx": "xlsx", "xlsm": "xlsx", "xlsb": "xlsx", "xls": "xls", "ods": "ods", "ipynb": "ipynb", "eml": "eml", "mbox": "eml",
}  # fmt: skip
"""suffix, or the word behind --to -> format."""
WAYS = {
    "md": ("html", "docx", "txt"),
    "html": ("md", "docx", "txt"),
    "docx": ("md", "html", "txt"),
    "pdf": ("txt",),
    "odt": ("txt",),
    "odp": ("txt",),
    "pptx": ("txt",),
    "epub": ("txt",),
    "xlsx": ("txt",),
    "xls": ("txt",),
    "ods": ("txt",),
    "ipynb": ("txt",),
    "eml": ("txt",),
}
NAMES = {
    "txt": "text",
    "md": "Markdown",
    "html": "HTML",
    "docx": "Word",
    "pdf": "PDF",
    "odt": "ODT",
    "odp": "ODP",
    "pptx": "PPTX",
    "epub": "EPUB",
    "xlsx": "XLSX",
    "xls": "XLS",
    "ods": "ODS",
    "ipynb": "Jupyter",
    "eml": "mail",
}


@dataclass(frozen=True, slots=True)
class Translated:
    """What a translation made: the file at `path`, `size` bytes."""

    path: bytes
    source: bytes
    size: int


def way(path: bytes, to: str) -> tuple[str, str]:
    """The formats from which and into which `path` is to be translated. Raises InvalidArgument for a format that nobody knows,
    NotSupported where there is no way."""
    target = FORMATS.get(to.lower().lstrip("."))
    if target is None:
        raise InvalidArgument(
            f"{to[:40]!r} is no format; there are {', '.join(sorted(set(FORMATS.values())))}."
        )
    suffix = os.path.splitext(path)[1].decode("utf-8", "surrogateescape").lstrip(".").lower()
    source = FORMATS.get(suffix, "")
    if target == source:
        raise InvalidArgument(f"{shown(path)} is {NAMES[target]} already.")
    if target not in WAYS.get(source, ()):
        ways = ", ".join(NAMES[one] for one in WAYS.get(source, ()))
        raise NotSupported(
            f"There is no good way from {'.' + suffix if suffix else 'a file without a suffix'} to {NAMES[target]}; "
            + (
                f"{NAMES[source]} becomes {ways}."
                if ways
                else f"only {', '.join(NAMES[one] for one in WAYS)} are translated."
            )
        )
    return source, target


async def translate(
    path: bytes, to: str, *, into: bytes | None, folder: Folder, converter: Converter, viewer: Viewer
) -> Translated:
    """Make `path` anew in the format `to`, at `into` or beside it with the suffix of the format.

    Raises as `way`, `Folder.read`, `Converter.convert` and `Folder.change` do; Exists where a file is there already.
    """
    source, target = way(path, to)
    place = os.path.splitext(path)[0] + b"." + target.encode() if into is None else into
    data = await folder.read(path, viewer, MOST)
    made = await converter.convert(data, source, target, os.path.basename(path).decode("utf-8", "replace"))
    await folder.change(f"translate {shown(path)}", [Edit(place, "create", made)], viewer)
    return Translated(place, path, len(made))


async def reply(command: "Command") -> str:
    """A sentence, or JSON, that says what was made."""
    given = command.given
    if "to" not in given:
        raise InvalidArgument("Say --to and a format: md, html, docx or txt.")
    assert command.folder is not None and command.converter is not None
    done = await translate(
        given["PATH"],
        given["to"],
        into=given.get("into"),
        folder=command.folder,
        converter=command.converter,
        viewer=command.viewer,
    )
    if "json" in given:
        return json.dumps({"path": shown(done.path), "source": shown(done.source), "size": done.size})
    return f"{shown(done.path)} has what {shown(done.source)} says, {done.size} bytes."
