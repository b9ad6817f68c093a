"""A few files in memory, asked as `syscalls.ports.Asking` is: conditions are met by whole words, and what is plain is ranked by how many of
its words a file has; every file answers a plain question a little, as it does by meaning."""

import os
import types
from dataclasses import replace

import trio

from syscalls.errors import Denied, NotFound
from syscalls.retrieve import demands, understood
from syscalls.values import Hit, Passage, Results, Viewer

ME = Viewer(500, 500)

FILES = {
    b"faq.md": "refund goods back month",
    b"policies/refund.md": "refund money card goods",
    b"policies/travel.md": "train flight hotel money",
    b"recipes/soup.md": "lentil onion",
    b"src/pay.py": "card money function",
}


class Library:
    """`asked` has each question: (prompt, among, every)."""

    def __init__(self, files=None, closed=()):
        self.files = FILES if files is None else files
        self.closed = set(closed)
        self.asked = []

    async def ask(self, text, folder, viewer, sequence=None, *, among=None, every=False, limit=None):
        self.asked.append((text, None if among is None else sorted(among), every))
        prompt = understood(text, viewer)
        prompt = prompt if limit is None else replace(prompt, limit=limit)
        whole = every and demands(prompt)
        scored = []
        for path, content in sorted(self.files.items()):
            if among is not None and path not in among:
                continue
            if folder and not path.startswith(folder + b"/"):
                continue
            if path in self.closed and not whole:
                continue
            words = content.split()
            count = sum(word.lower() in words for word in prompt.words)
            if not meets(path, words, prompt) or (prompt.mode == "words" and prompt.words and not count):
                continue
            scored.append((round(0.1 + count / (1 + len(prompt.words)), 6), path, content))
        scored.sort(key=lambda one: -one[0])
        if not whole:
            scored = scored[: prompt.limit]
        hits = tuple(
            Hit(path, score, {"words" if score > 0.1 else "meaning": score}, (Passage(1, 1, text, score),))
            for score, path, text in scored
        )
        return Results(prompt, folder, hits, 7, 0, "used", 1.0)


def meets(path, words, prompt):
    if prompt.within and not any(path.startswith(place.encode() + b"/") for place in prompt.within):
        return False
    if prompt.types and path.decode().rpartition(".")[2] not in prompt.types:
        return False
    return prompt.condition is None or _holds(prompt.condition, words)


def _holds(condition, words):
    kind, value = condition
    if kind == "not":
        return not _holds(value, words)
    if kind in ("and", "or"):
        return (all if kind == "and" else any)(_holds(part, words) for part in value)
    return value in " ".join(words) if kind == "phrase" else value in words


def paths(results):
    return [hit.path.decode() for hit in results.hits]


class Folders:
    """The port `Folder`, as far as it says what is a folder."""

    async def stat(self, path, viewer):
        if path == b"closed":
            raise Denied("Closed.")
        if path == b"gone":
            raise NotFound("Gone.")
        return os.stat("/" if path == b"policies" else __file__)


def say(reply, given, library=None, **more):
    """What a call replies to what it was given, over a library."""
    fields = {
        "ask": (library or Library()).ask,
        "viewer": ME,
        "folder": Folders(),
        "owner": 500,
        "read_only": False,
    }
    return trio.run(reply, types.SimpleNamespace(**fields | {"given": given} | more))
