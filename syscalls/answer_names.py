"""answer_names: what the hits of an answer are called, below /query and in a folder that was made of it: 01-name.md, 02-name.md, …"""

import posixpath
from collections.abc import Sequence

from syscalls.names import LONGEST
from syscalls.values import Hit


def link_names(hits: Sequence[Hit]) -> dict[bytes, Hit]:
    """The hits by their names, in their order."""
    width = max(2, len(str(len(hits))))
    return {_name(rank, width, hit): hit for rank, hit in enumerate(hits, 1)}


def _name(rank: int, width: int, hit: Hit) -> bytes:
    """01-name.md: the name of the file behind its rank, cut before the suffix where both do not fit a name."""
    prefix = b"%0*d-" % (width, rank)
    name = posixpath.basename(hit.path)
    if len(prefix) + len(name) <= LONGEST:
        return prefix + name
    stem, suffix = posixpath.splitext(name)
    if len(suffix) > LONGEST // 4:
        stem, suffix = name, b""
    room = LONGEST - len(prefix) - len(suffix)
    start = room
    while start > room - 4 and stem[start] & 0xC0 == 0x80:  # not within a character of UTF-8
        start -= 1
    return prefix + stem[: start if start > room - 4 else room] + suffix
