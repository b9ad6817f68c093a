"""Paths as history keeps them: bytes below the folder, split into parent and name, and the words in them."""

import os
import re
from collections.abc import Iterable

from lsfs.index import dates

_BREAKS = re.compile(r"[^\w]+|_+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])")


LAST = b"\xff" * 256  # above every path: a name has 255 bytes at most


def split(path: bytes) -> tuple[bytes, bytes]:
    """b"a/b.md" -> (b"a", b"b.md"); b"b.md" -> (b"", b"b.md")."""
    parent, _, name = path.rpartition(b"/")
    return parent, name


def join(parent: bytes, name: bytes) -> bytes:
    """The opposite of `split`."""
    return parent + b"/" + name if parent else name


def below(folder: bytes) -> tuple[bytes, bytes]:
    """The half-open range [low, high) of the parents that lie under `folder`; itself counts only for the top, b""."""
    return (folder + b"/", folder + b"0") if folder else (b"", LAST)


def above(path: bytes) -> list[bytes]:
    """The folders above a path, the outermost first, without the top: b"a/b/c" -> [b"a", b"a/b"]."""
    parts = path.split(b"/")
    return [b"/".join(parts[:depth]) for depth in range(1, len(parts))]


def tops(some: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those of some paths that are below none of the others, in the order in which a listing has them."""
    known = set(some)
    return tuple(sorted(path for path in known if not any(one in known for one in above(path))))


def common(some: Iterable[bytes]) -> bytes:
    """The nearest path at or above all of these."""
    parts = [path.split(b"/") for path in some]
    shared = os.path.commonprefix(parts) if parts else []
    return b"/".join(shared)


def suffix(name: bytes) -> str:
    """b"plan.MD" -> "md"; "" when there is none (a leading dot starts no suffix)."""
    stem, dot, tail = name.rpartition(b".")
    return tail.decode("utf-8", "replace").lower() if dot and stem.strip(b".") else ""


def words(path: bytes) -> str:
    """The words a person would look for in a path: "src/userProfile_v2.py" -> "src user Profile v 2 py userProfile v2", and its dates."""
    text = path.decode("utf-8", "replace")
    plain = [word for word in _BREAKS.split(text) if word]
    pieces = [piece for word in plain for piece in _CAMEL.split(word) if piece]
    return " ".join([*pieces, *(word for word in plain if word not in pieces), *dates.said(text)])


MOST = (1 << 63) - 1
"""The greatest integer that SQLite keeps."""


def stamp(nanoseconds: int) -> int:
    """A time as the database keeps it: the year 2262 stands for all that come later. Disks keep times until 2446 and beyond."""
    return max(-MOST, min(nanoseconds, MOST - 1))


def number(inode: int) -> int:
    """An inode number as the database keeps it: some file systems use all 64 bits."""
    return inode & MOST


def signature(found: os.stat_result) -> tuple[int, int, int]:
    """What a row of history and lstat have to agree on to speak of the same content: size, mtime, inode, as the database keeps them."""
    return found.st_size, stamp(found.st_mtime_ns), number(found.st_ino)
