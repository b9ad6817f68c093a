"""names: what a sentence calls a file, as a path that is there: `the cnn file` is papers/cnn.txt where no other name has cnn in it.

Looked for is with the rights of who asks, and no further than MOST names: nobody is told of a file that he could not list.
"""

import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syscalls.asking.calls import NEW
from syscalls.errors import Denied, LsfsError, NotFolder, NotFound
from syscalls.ports import Folder
from syscalls.values import Viewer

_WHOSE = re.compile(r"^(?:the|my|our|your|his|her|their|that|this)\s+(?=\S)")
_SORT = re.compile(
    r"(?<=\S)\s+(?:file|folder|directory|document|doc|sheet|spreadsheet|note|notes|paper|draft|list|report)$"
)
MOST = 20_000  # names that are looked at
SHOWN = 10  # candidates
PAST = frozenset(("log", "rollback", "undelete", "purge", "compare"))  # they also know what is there no more


@dataclass(frozen=True, slots=True)
class Name:
    """path: what is meant, None where that is not known; candidates: what may be meant."""

    path: bytes | None
    candidates: tuple[bytes, ...] = ()


async def meant(word: str, argument: str, path: bytes, folder: Folder | None, viewer: Viewer) -> Name:
    """What `path`, an argument of a call, stands for. Raises NotFound where it is nothing."""
    if folder is None or not path or (word, argument) in NEW:
        return Name(path)
    try:
        await folder.stat(path, viewer)
        return Name(path)
    except (NotFound, NotFolder):
        pass
    except LsfsError:
        return Name(path)  # the call says what is wrong with it
    found = nearest(path, await _listed(folder, viewer))
    if len(found) == 1:
        return Name(found[0])
    if found:
        return Name(None, tuple(found[:SHOWN]))
    if word in PAST:
        return Name(path)
    raise NotFound(
        f"There is no file {path.decode('utf-8', 'replace')[:200]}; say its path as ls shows it below files/."
    )


def nearest(text: bytes, paths: Sequence[bytes]) -> list[bytes]:
    """Those of `paths` that `text` may mean: where it is the path, or the end of one, only these; otherwise every name that has it in
    it, those first that are it but for the suffix. Where there is none, `the meeting notes file` is looked for as `meeting notes`, which
    may be meeting-notes.md."""
    wanted = _plain(text)
    short = _spaced(_SORT.sub("", _WHOSE.sub("", wanted)))
    return _nearest(wanted, paths, _plain) or _nearest(short, paths, lambda path: _spaced(_plain(path)))


def _nearest(wanted: str, paths: Sequence[bytes], read: Callable[[bytes], str]) -> list[bytes]:
    if not wanted.strip("/"):
        return []
    same, stems, parts = [], [], []
    for path in sorted(paths):
        whole = read(path)
        base = whole.rpartition("/")[2]
        if whole == wanted or whole.endswith("/" + wanted):
            same.append(path)
        elif (base.rpartition(".")[0] or base) == wanted or whole.rpartition(".")[0].endswith("/" + wanted):
            stems.append(path)
        elif "/" not in wanted and wanted in base:
            parts.append(path)
    return same or [*stems, *parts]


def _spaced(name: str) -> str:
    return re.sub(r"[-_ ]+", " ", name)


def _plain(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape").casefold()


async def _listed(folder: Folder, viewer: Viewer) -> list[bytes]:
    """Every path that `viewer` may list, nearest to the root first, MOST at most."""
    found: list[bytes] = []
    waiting = [b""]
    while waiting and len(found) < MOST:
        path = waiting.pop(0)
        try:
            names = await folder.names(path, viewer)
        except (NotFound, NotFolder, Denied):
            continue
        for base, status in names:
            below = path + b"/" + base if path else base
            found.append(below)
            if stat.S_ISDIR(status.st_mode):
                waiting.append(below)
    return found
