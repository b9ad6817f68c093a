"""query_past: /snapshots/<name>/query/: the same questions, asked of what was there then. None is saved there."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import trio

from mounts.answers import Answers
from mounts.nodes import Node, refuse
from mounts.query import Questions
from mounts.root import Root
from syscalls.values import Results, Topic, Viewer


class Unsaved:
    """No saved questions: in the past there are none."""

    def saved(self, folder: bytes) -> tuple[str, ...]:
        return ()

    def all(self) -> tuple[tuple[bytes, str], ...]:
        return ()

    def names(self, folder: bytes) -> Mapping[str, str]:
        return {}

    def kept(self, folder: bytes, prompt: str) -> None:
        return None

    async def keep(self, folder: bytes, prompt: str, answer: bytes) -> None: ...

    async def save(self, folder: bytes, prompt: str) -> None:
        raise refuse(errno.EROFS)

    async def forget(self, folder: bytes, prompt: str) -> None:
        raise refuse(errno.EROFS)

    async def call(self, folder: bytes, prompt: str, name: str) -> None:
        raise refuse(errno.EROFS)


class Then:
    """What the model says, of files as they were at a sequence."""

    def __init__(self, insight: Any, sequence: int) -> None:
        self._insight = insight
        self._sequence = sequence

    async def similar(self, text: str, texts: Sequence[str], deadline: float) -> list[float] | None:
        found: list[float] | None = await self._insight.similar(text, texts, deadline)
        return found

    async def salient(
        self, question: str, sentences: Sequence[str], most: int, deadline: float
    ) -> list[int] | None:
        found: list[int] | None = await self._insight.salient(question, sentences, most, deadline)
        return found

    async def topics(
        self, paths: Sequence[bytes], deadline: float, sequence: int | None = None
    ) -> list[Topic] | None:
        found: list[Topic] | None = await self._insight.topics(paths, deadline, self._sequence)
        return found


def past(root: Root, sequence: int) -> Node:
    """The directory `query` of a snapshot."""
    now = root.ports

    async def ask(prompt: str, folder: bytes, viewer: Viewer, **how: Any) -> Results:
        return await now.ask(prompt, folder, viewer, sequence, **how)

    ports = replace(
        now,
        read_only=True,
        ask=ask,
        insight=None if now.insight is None else Then(now.insight, sequence),
        questions=Unsaved(),
        readable=lambda path, viewer: now.history.readable_at(path, sequence, viewer),
        heard=trio.lowlevel.checkpoint,
    )
    answers = Answers(ports)
    root.answers.others.add(answers)
    return Questions(ports, answers, b"", "", b"../files/", mode=0o555)
