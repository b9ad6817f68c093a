"""Ports: what the mount needs from the daemon. Built once by the daemon, faked by tests.

Threading: everything here is called in the daemon's loop. Only `ask` and `control` may wait, and both have a deadline.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import trio

from mounts.attributes import groups_of
from syscalls.names import LongNames
from syscalls.ports import Insight, Links, Locks, Questions
from syscalls.values import Results, Viewer

if TYPE_CHECKING:
    from mounts.nodes import Caller, Node


class Changes(Protocol):
    """Where /files reports what it did. Both return at once."""

    def touched(self, path: bytes, written: bool = False) -> None:
        """Content, metadata or existence at `path` may have changed; `written`: its bytes did. Called after the operation; for writes
        at flush and release."""
        ...

    def moved(
        self, old: bytes, new: bytes, exchange: bool = False, found: os.stat_result | None = None
    ) -> None:
        """`found`: the attributes of a file just before it was renamed, if it was not being written."""
        ...

    def retimed(self, path: bytes, before: os.stat_result, after: os.stat_result) -> None:
        """The times of a file were set, its bytes are the same; `touched` follows."""
        ...


class Guard(Protocol):
    """Who keeps what is about to be overwritten or removed. Both return at once; what they return, if anything, is to be awaited before
    the operation goes on."""

    def overwrites(self, path: bytes, fd: int, found: os.stat_result) -> Awaitable[None] | None:
        """The bytes of the file open at `fd` (attributes `found`) are about to be changed."""
        ...

    def keeps(self, path: bytes, fd: int, found: os.stat_result) -> Awaitable[None] | None:
        """The file open at `fd` is being written; what it is now shall be a version all the same."""
        ...

    def closed(self, path: bytes, fd: int, found: os.stat_result) -> None:
        """The file open at `fd` was written and closed by one, while another goes on writing."""
        ...

    def path_of(self, found: os.stat_result) -> bytes | None:
        """A path by which history knows an inode."""
        ...

    def retimes(self, path: bytes, before: os.stat_result, after: os.stat_result) -> bool:
        """The times of a file were set, its bytes are the same. Whether that is noted; otherwise `Changes.retimed` is to be told."""
        ...

    def relieve(self) -> bool:
        """The disk is full: let go of what only waits to be kept. Whether there was any."""
        ...

    def removes(
        self, path: bytes, at: int, name: bytes, found: os.stat_result, *, written: bool
    ) -> Awaitable[None] | None:
        """`name` in the directory `at` is about to lose its last name; `written`: somebody may go on writing to it."""
        ...


class Unguarded:
    """Nobody keeps anything."""

    def overwrites(self, path: bytes, fd: int, found: os.stat_result) -> None: ...

    def keeps(self, path: bytes, fd: int, found: os.stat_result) -> None: ...

    def closed(self, path: bytes, fd: int, found: os.stat_result) -> None: ...

    def path_of(self, found: os.stat_result) -> None: ...

    def retimes(self, path: bytes, before: os.stat_result, after: os.stat_result) -> bool:
        return False

    def relieve(self) -> bool:
        return False

    def removes(self, path: bytes, at: int, name: bytes, found: os.stat_result, *, written: bool) -> None: ...


@dataclass
class Ports:
    """The mount's side of the daemon.

    hidden      names at the folder's top that the mount does not show (b".lsfs")
    ask         (prompt, folder, viewer, sequence=None) -> Results; with a sequence of what was there then; TryAgain when the engine is
                down; counts as one search
    generation  a number that moves when any answer may have become another one: a file changed, became searchable, got other rights
    control     (line, viewer) -> reply, the command lines of /ctl (`syscalls.control`)
    note_error  keeps a sentence for /status
    insight     what the model says of texts (`syscalls.ports.Insight`); None in a mount without
    watched     whether edits behind the mount are seen
    readable    (path, viewer) -> whether he may read it now (`Files.readable`); asked of each hit of an answer that was kept
    guard       keeps what is about to be overwritten or removed through the mount
    heard       wait until what was closed so far is known to be closed (`Files.heard`); set by `tree.build`
    history     versions, snapshots and the past (`lsfs.history.history`)
    past_query  sequence -> the directory in which questions are asked about it; filled by `tree.build`
    links       the links that expire, which /links shows
    names       names of prompts that fit no file name; the same object that `control` answers from
    locks       what nobody may change now (`lsfs.locks`)
    follow      (path, viewer) -> the file that a link below /query or a `.query` leads to, or None; filled by `tree.build`
    inner       name -> factory(folder) of the directories found by name below any folder of /files (b".query"); filled by `tree.build`
    """

    root_fd: int
    folder: str
    mountpoint: str
    read_only: bool
    hidden: set[bytes]
    changes: Changes
    ask: Callable[..., Awaitable[Results]]
    questions: Questions
    report: Callable[[Viewer], dict[str, Any]]
    control: Callable[[str, Viewer], Awaitable[str]]
    generation: Callable[[], int]
    note_error: Callable[[str], None]
    watched: Callable[[], bool]
    history: Any = None
    insight: Insight | None = None
    locks: Locks | None = None
    past_query: Callable[[int], Node] | None = None
    follow: Callable[[bytes, Viewer], Awaitable[bytes | None]] | None = None
    guard: Guard = field(default_factory=Unguarded)
    readable: Callable[[bytes, Viewer], bool] = field(default=lambda path, viewer: True)
    heard: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
    links: Links | None = None
    names: LongNames = field(default_factory=LongNames)
    inner: dict[bytes, Callable[[bytes], Node]] = field(default_factory=dict)

    @staticmethod
    def viewer_of_owner() -> Viewer:
        """The daemon's own user, as `viewer` says it."""
        groups = frozenset() if os.getuid() == 0 else frozenset(os.getgroups())
        return Viewer(os.getuid(), os.getgid(), groups)

    def viewer(self, caller: Caller) -> Viewer:
        """Who `caller` is, supplementary groups included. Root is asked for none: nothing is closed to root."""
        if caller.uid == 0:
            return Viewer(0, caller.gid, frozenset())
        return Viewer(caller.uid, caller.gid, groups_of(caller.pid))
