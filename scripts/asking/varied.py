"""varied: what a prompt may have in place of what it has, so that it is never learned twice as it stands.

Spans are exchanged with those of other prompts, an opening comes in front, features and words drop out. A file is called by a bare name
(`the budget file`), as nobody writes prompts who knows its path; or by no name at all (`that file`), which then has to be refused.
"""

import random
import re
from collections.abc import Sequence

from scripts.asking.pieces import AT, Piece, Prompt, Vectors, made
from syscalls.asking.learned import MOST

SWAPPED = frozenset(("question", "A", "B", "text", "path", "source", "into", "name", "why", "in", "with"))
FREE = frozenset(("question", "A", "B", "why"))
ASKED = frozenset(("question", "A", "B"))
LINKS = [
    "for",
    "of",
    "in",
    "about",
    "with",
    "to",
    "at",
    "on",
    "from",
    "by",
    "and",
    "or",
    "during",
    "after",
    "between",
    "against",
    "the",
    "a",
    "is",
    "are",
    "was",
    "do",
    "we",
    "how",
]
NAMED = frozenset(("path", "source", "into", "in", "with"))
OPENINGS = (
    "Task:",
    "Step 3:",
    "Step 2 -",
    "Hi there,",
    "please",
    "Agent request:",
    "Action required:",
    "Hey,",
    "Could you",
    "ok so",
    "1.",
    "FYI:",
)
NAMELESS, BARE = 0.04, 0.2  # how often files have no name, or a bare one
SORTS = ("file", "file", "file", "file", "document", "doc", "sheet", "draft", "folder", "paper", "list")
WHOSE = ("the", "the", "the", "my", "our", "that", "this")
FILED = frozenset(("path", "path/", "source", "with"))
ORDINARY = frozenset(
    (
        "new",
        "old",
        "file",
        "live",
        "last",
        "final",
        "same",
        "copy",
        "all",
        "current",
        "latest",
        "first",
        "next",
    )
)
NOBODY = (
    "it", "that", "the file", "that file", "this file", "the other file", "the other one", "the document", "the same one", "one of them",
    "some file", "the file", "them", "those files", "the old file", "my file", "the one I mean",
)  # fmt: skip


class Other:
    """What a prompt may have in place of what it has."""

    def __init__(self, prompts: Sequence[Prompt], vectors: Vectors) -> None:
        self.spans: dict[tuple[str, bool], list[list[Piece]]] = {}
        self.openings: list[list[Piece]] = [made(text, vectors) for text in OPENINGS]
        for prompt in prompts:
            one = prompt.one
            for start, end in one.spans():
                if one.tags[start] != "O":
                    quoted = one.tokens[start].kind == "q"
                    self.spans.setdefault((one.tags[start][2:], quoted), []).append(prompt.pieces[start:end])
            if prompt.teaches_tags:
                for at, token in enumerate(one.tokens[:-3]):
                    if one.tags[at] != "O":
                        break
                    if at >= 4 and token.text in (".", "!", ";", "—", "–"):
                        self.openings.append(prompt.pieces[: at + 1])
                        break
        plain_words = [one for one in vectors.words if len(one) > 3 and one.isalpha()]
        rng = random.Random(1)
        self.some = [
            made(f"x {one} x", vectors)[1] for one in rng.sample(plain_words, min(4000, len(plain_words)))
        ]
        self.links = [made(f"x {one} x", vectors)[1] for one in LINKS]
        self.sorts, self.whose = ([made(f"x {one} x", vectors)[1] for one in some] for some in (SORTS, WHOSE))
        self.nobody = [made(f"x {one} x", vectors)[1:-1] for one in NOBODY]
        self.stems = [made(f"x {one} x", vectors)[1:-1] for one in stems(prompts)]
        self.names = []
        for _ in range(600):
            words = [
                one.capitalize() if rng.random() < 0.8 else one
                for one in rng.sample(plain_words, rng.choice((1, 1, 2)))
            ]
            if rng.random() < 0.25:
                words.append(str(rng.randrange(1, 60)))
            last = rng.choice(plain_words)
            last = last.capitalize() if rng.random() < 0.6 else last
            words.append(
                f"{last}.{rng.choice(('md', 'txt', 'docx', 'pdf', 'csv', 'py', 'xlsx'))}"
                if rng.random() < 0.65
                else last
            )
            self.names.append(made("x " + " ".join(words) + " x", vectors)[1:-1])

    def of(self, prompt: Prompt, rng: random.Random) -> tuple[list[Piece], bool]:
        """Another prompt of the same kind; whether it does not say which file, and has to be refused."""
        found: list[Piece] = []
        if rng.random() < 0.12:
            found += rng.choice(self.openings)
        how = rng.random()
        vague = how < NAMELESS and [tag for tag in prompt.one.tags if tag[2:] in FILED] == ["B-path"]
        vague = vague and any(
            token.kind == "f" and tag == "B-path"
            for token, tag in zip(prompt.one.tokens, prompt.one.tags, strict=True)
        )
        for start, end in prompt.one.spans():
            tag, span = prompt.one.tags[start], prompt.pieces[start:end]
            role = tag[2:]
            if (
                end == start + 1
                and prompt.one.tokens[start].kind == "f"
                and (tag == "O" or role in FILED)
                and (vague or NAMELESS < how < BARE)
            ):
                span = self._called(prompt, start, role, vague, rng)
            elif role in SWAPPED:
                quoted = prompt.one.tokens[start].kind == "q"
                chance = rng.random()
                if role in NAMED and not quoted and chance < 0.06:
                    span = rng.choice(self.names)
                elif chance < 0.3:
                    bare = quoted and role in ASKED and chance < 0.08
                    span = rng.choice(self.spans[role, quoted and not bare])
                elif role in FREE and not quoted and chance < 0.4:
                    span = [
                        *rng.choice(self.spans[role, False]),
                        rng.choice(self.links),
                        *rng.choice(self.spans[role, False]),
                    ]
                elif role in FREE and not quoted and chance < 0.55:
                    span = [
                        rng.choice(self.some) if piece[0] and rng.random() < 0.5 else piece for piece in span
                    ]
                span = [
                    (one, some, AT[f"{'I' if at else 'B'}-{role}"]) for at, (one, some, _) in enumerate(span)
                ]
            found += span
        return [_fainter(piece, rng) for piece in found][:MOST], vague

    def _called(self, prompt: Prompt, at: int, role: str, vague: bool, rng: random.Random) -> list[Piece]:
        """`the budget file` in place of a path, or `that file` where it is vague."""
        there = prompt.one.tokens
        before = there[at - 1].text.lower() if at else ""
        after = there[at + 1].text.lower() if at + 1 < len(there) else ""
        sort = before in SORTS or after in SORTS
        if vague:
            return [] if sort else rng.choice(self.nobody)
        name = rng.choice(self.stems) if rng.random() < 0.7 else [rng.choice(self.some)]
        found = [
            (one, some, AT[f"{'I' if place else 'B'}-{role}"] if role else 0)
            for place, (one, some, _) in enumerate(name)
        ]
        if sort or rng.random() < 0.2:
            return found
        article = [] if before in WHOSE else [rng.choice(self.whose)]
        return [*article, *found, rng.choice(self.sorts)]


def _fainter(piece: Piece, rng: random.Random) -> Piece:
    one, some, tag = piece
    if rng.random() < 0.12:
        one = 0
    if rng.random() < 0.12:
        some = some[:1]
    elif rng.random() < 0.5:
        some = [each for each in some if rng.random() > 0.15]
    return one, some, tag


def stems(prompts: Sequence[Prompt]) -> list[str]:
    """What a file may be called for short: the words that its name begins with."""
    found = set()
    for prompt in prompts:
        for token in prompt.one.tokens:
            if token.kind == "f":
                base = token.text.rstrip("/").rpartition("/")[2].partition(".")[0]
                words = [one for one in re.split(r"[-_]+", base.lower()) if re.fullmatch(r"[a-z]{3,}", one)]
                if words and not set(words) & ORDINARY:
                    found |= {words[0], " ".join(words[:2]), "-".join(words[:2])}
    return sorted(found)
