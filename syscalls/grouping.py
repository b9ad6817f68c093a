"""grouping: the hits of an answer by folder, type, month, author or topic: every hit in exactly one group of each.

    query/<prompt>/by-type/md/01-refund-policy.md       the same links as in the answer, under the same names
    group PROMPT --by month

folder  where it lies below the folder that was asked, `∕` for a slash; `∕` alone is that folder itself
type    the suffix, without its dot; `none`
month   of its last change, in local time: 2026-11
author  whom the file names, otherwise the user who owns it
topic   what it is about, as the embeddings say (`Insight.topics`); without them, the word that tells most of the hits apart

Groups come in the order of their best hit. Pure.
"""

import math
import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from syscalls.names import LONGEST, SLASH, digest_name
from syscalls.values import Hit, Topic

GROUPINGS = ("folder", "type", "month", "author", "topic")
REST = "other"
TELLING = 3  # words in the name of a topic
_WORD = re.compile(r"[^\W\d_]{3,}")
# Without meaning of their own; the index has a longer list, of what is never searched for.
_EMPTY = """
    about after all also and any are because been before being between both but can could did does doing down each few for from further
    had has have having her here his how into its just more most not now off once only other our out over own same she should some such than
    that the their them then there these they this those through too under until very was were what when where which while who why will with
    would you your
"""
_WITHOUT_MEANING = frozenset(_EMPTY.split())


def grouped(
    by: str, hits: Sequence[Hit], folder: bytes = b"", topics: Sequence[Topic] | None = None
) -> dict[str, tuple[Hit, ...]]:
    """The groups, by name. folder: where was asked; topics: what Insight said of these hits, if anything."""
    names = {hit.path: _OF[by](hit, folder) for hit in hits} if by in _OF else _topics(hits, topics)
    found: dict[str, list[Hit]] = {}
    for hit in hits:
        found.setdefault(_fitting(names.get(hit.path, REST)), []).append(hit)
    return {name: tuple(some) for name, some in found.items()}


def by_words(hits: Sequence[Hit]) -> dict[bytes, str]:
    """Topics without a model: the word that many hits have and the others do not makes a group, and again of those that are left."""
    words = {hit.path: _words(hit) for hit in hits}
    files = Counter(word for some in words.values() for word in some)
    worth = {word: math.log(len(words) / count) for word, count in files.items()}
    left, names = dict.fromkeys(words), {}
    while left:
        counts = Counter(word for path in left for word in words[path])
        ranked = sorted(
            (word for word in counts if counts[word] > 1 and worth[word] > 0),
            key=lambda word: (-counts[word] * worth[word], word),
        )
        if not ranked:
            break
        chosen = [path for path in left if ranked[0] in words[path]]
        within = Counter(word for path in chosen for word in words[path])
        telling = sorted(within, key=lambda word: (-within[word] * worth[word], word != ranked[0], word))
        telling = [ranked[0], *(word for word in telling if word != ranked[0] and within[word] > 1)]
        for path in chosen:
            names[path] = "-".join(telling[:TELLING])
            del left[path]
    return names | dict.fromkeys(left, REST)


def _topics(hits: Sequence[Hit], topics: Sequence[Topic] | None) -> dict[bytes, str]:
    return {path: topic.name for topic in topics for path in topic.paths} if topics else by_words(hits)


def _words(hit: Hit) -> set[str]:
    text = " ".join((posixpath.basename(_text(hit.path)), *(passage.text for passage in hit.passages)))
    return {word for word in _WORD.findall(text.lower()) if word not in _WITHOUT_MEANING}


def _folder(hit: Hit, folder: bytes) -> str:
    below = hit.path.removeprefix(folder + b"/") if folder else hit.path
    return _text(below.rpartition(b"/")[0]).replace("/", SLASH) or SLASH


def _type(hit: Hit, folder: bytes) -> str:
    stem, dot, suffix = _text(hit.path).rpartition("/")[2].rpartition(".")
    return suffix.lower() if dot and suffix and stem.strip(".") else "none"


def _month(hit: Hit, folder: bytes) -> str:
    if hit.modified is None:
        return "unknown"
    try:
        return datetime.fromtimestamp(hit.modified // 1_000_000_000).strftime("%Y-%m")
    except (OverflowError, ValueError, OSError):
        return "unknown"


def _author(hit: Hit, folder: bytes) -> str:
    return hit.author or "unknown"


_OF = {"folder": _folder, "type": _type, "month": _month, "author": _author}


def _fitting(name: str) -> str:
    """A name of a group as a name of a directory."""
    name = "".join(SLASH if character == "/" else character for character in name if character >= " ").strip()
    if name in ("", ".", ".."):
        return REST
    data = name.encode("utf-8", "surrogateescape")
    if len(data) <= LONGEST:
        return name
    digest = digest_name(name).decode()
    return data[: LONGEST - len(digest) - 4].decode("utf-8", "ignore") + digest


def names(groups: Mapping[str, Sequence[Hit]]) -> dict[bytes, Sequence[Hit]]:
    """The groups by the bytes of their names."""
    return {name.encode("utf-8", "surrogateescape"): hits for name, hits in groups.items()}


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
