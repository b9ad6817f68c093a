"""report: what /status and /status.json say. Read from memory alone: looking never waits for the engine or a disk.

A viewer who neither is root nor owns the daemon gets the numbers, not the sentences: those name paths.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from lsfs import __version__
from lsfs.config import NO_MODEL
from lsfs.history.keeper import Numbers
from lsfs.pace import progress
from syscalls.values import Viewer

if TYPE_CHECKING:
    from lsfs.daemon import Daemon


def report(daemon: Daemon, viewer: Viewer) -> dict[str, Any]:
    """The keys of status.json, as lsfs-tree(7) lists them. Sizes in bytes, times in seconds since the epoch."""
    follow, engine, settings = daemon.follow, daemon.engine, daemon.settings
    trusted = viewer.uid in (0, os.geteuid())
    disk = os.statvfs(daemon.catalogue.root_fd)
    return {
        "version": __version__,
        "pid": os.getpid(),
        "folder": os.fspath(settings.folder),
        "mountpoint": os.fspath(settings.mountpoint),
        "state": os.fspath(settings.state),
        "read_only": settings.read_only,
        "mounted_since": daemon.began,
        "time": time.time(),
        "files": follow.counts.files,
        "pending": follow.pending_files,
        "scanning": follow.scanning,
        "progress": _progress(daemon) if follow.pending_files else None,
        "watched": daemon.watch.complete,
        "generation": follow.generation,
        "searches": daemon.root.answers.searches,
        "embeddings": engine.counted["embeddings"],
        "reused": engine.counted["reused"],
        "prompts": engine.counted["prompts"],
        "engine": {
            "state": engine.state if settings.index_enabled else "off",
            "pid": engine.pid,
            "starts": engine.starts,
            "model": settings.model,
            "meaning": engine.stats.get("meaning", "idle"),
            "memory": engine.stats.get("memory"),
            "passages": engine.stats.get("passages"),
            "embedded": engine.stats.get("embedded"),
            "error": (engine.failure or engine.stats.get("error"))
            if trusted and settings.model != NO_MODEL
            else None,
        },
        "history": _history(daemon, trusted),
        "locks": daemon.locks.report(viewer),
        "disk": {"free": disk.f_bavail * disk.f_frsize, "state": daemon.state_bytes},
        "errors": _errors(daemon) if trusted else [],
        "error_count": bool(follow.trouble)
        + bool(daemon.history.trouble)
        + _gone(daemon)
        + len(daemon.errors)
        + follow.counts.failed
        + len(follow.unscanned)
        + len(daemon.catalogue.ignore.errors()),
    }


def _progress(daemon: Daemon) -> dict[str, Any]:
    follow, engine, now = daemon.follow, daemon.engine, time.monotonic()
    return progress(
        follow.counts.files,
        follow.counts.unread,
        follow.feed.pace.rate(now),
        engine.stats,
        engine.pace.rate(now),
        meaning=daemon.settings.model != NO_MODEL,
        scanning=follow.scanning,
    )


def _history(daemon: Daemon, trusted: bool) -> dict[str, Any]:
    history = daemon.history
    if not history.enabled:
        return {"enabled": False}
    numbers = history.numbers._asdict() if history.numbers is not None else dict.fromkeys(Numbers._fields)
    return {"enabled": True, **numbers, "trouble": history.trouble if trusted else None}


def _errors(daemon: Daemon) -> list[dict[str, Any]]:
    noted = [{"time": when, "path": None, "error": sentence} for when, sentence in reversed(daemon.errors)]
    failed = [{"time": None, "path": path, "error": sentence} for path, sentence in daemon.follow.failures]
    blind = [
        {"time": None, "path": os.fsdecode(path), "error": f"this folder cannot be listed: {why}"}
        for path, why in daemon.follow.unscanned.items()
    ]
    patterns = [
        {"time": None, "path": None, "error": sentence} for sentence in daemon.catalogue.ignore.errors()
    ]
    troubles = (daemon.follow.trouble, daemon.history.trouble)
    trouble = [{"time": None, "path": None, "error": sentence} for sentence in troubles if sentence]
    if _gone(daemon):
        sentence = f"the folder {daemon.settings.folder} was removed: unmount, or put it back and mount again"
        trouble.insert(0, {"time": None, "path": None, "error": sentence})
    return trouble + noted + failed + blind + patterns


def _gone(daemon: Daemon) -> bool:
    return os.fstat(daemon.catalogue.root_fd).st_nlink == 0
