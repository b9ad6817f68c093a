"""purging: the one call that cannot be undone, step by step.

    plan     what would go, and what shares it; a token, which dies when any of that changes
    nobody's contents that no version has any more, of whatever file, go before a plan is made: retention has taken their rows, so that no
             path leads to them
    let go   one commit: versions without contents, objects and chunks removed (`lsfs.history.purge`); their packs hollowed out, held files
             unlinked; with --live the files themselves
    rewrite  the database without its free pages, its log emptied
    engine   passages, words, vectors (`lsfs.engine.purge`); it comes last, since it may not be there
    caches   answers, decoded pieces, what the kernel keeps of the past
    prove    a search for some of the words, and a look into every file of the state folder for some of the bytes

A kill in between leaves it half done, and it can be asked for again: tombstones know the digests, and as long as the daemon lives it knows
what to look for.

Threading: in the loop; one at a time, as a job of `run`, so that a caller who does not wait that long finds it done.
"""

import contextlib
import logging
import os
import secrets
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import trio

from lsfs.beneath import open_beneath
from lsfs.history import paths
from lsfs.history.entries import Entry
from lsfs.history.past import Past
from lsfs.history.purge import Freed, Plan, apply, plan_of, whole
from lsfs.history.purge_proof import Needles, Proof, needles, scan
from syscalls.errors import InvalidArgument, LsfsError, NotPermitted, TryAgain
from syscalls.values import Viewer

if TYPE_CHECKING:
    from lsfs.history.history import History

log = logging.getLogger(__name__)

LIFE = 600.0  # seconds in which a plan may be executed
SHOWN = 20  # paths that a plan names
PATIENCE = 600.0  # seconds that the engine may take
_INDEX = "index/ and vectors.db"
TRIES = 20  # to empty the log of the database, which a reader may hold for a moment


class Asked(NamedTuple):
    """A plan that was shown."""

    plan: Plan
    live: bool
    everywhere: bool
    uid: int
    until: float


class Job:
    """A purge under way, and those who wait for it."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.over = trio.Event()
        self.done: dict[str, Any] | None = None
        self.error: LsfsError | None = None


async def _no_engine(digests: list[bytes]) -> dict[str, Any]:
    return {}


async def _no_search(phrase: str) -> list[bytes]:
    return []


class Purging:
    """Owned by `History`; the daemon sets what it calls.

    engine  digests -> what the engine says that it removed; an LsfsError where it cannot
    search  a phrase -> the paths that have it
    caches  everything that is kept in memory of answers and of the past goes
    stale   tells the kernel that a path is another one
    """

    def __init__(self, history: "History") -> None:
        self.history = history
        self.engine: Callable[[list[bytes]], Awaitable[dict[str, Any]]] = _no_engine
        self.search: Callable[[str], Awaitable[list[bytes]]] = _no_search
        self.caches: Callable[[], None] = lambda: None
        self.stale: Callable[[bytes], None] = lambda path: None
        self.locked: Callable[[Iterable[bytes]], None] = lambda some: None
        """Raises NotPermitted where one of these paths is locked, or something in it is."""
        self._asked: dict[str, Asked] = {}
        self._jobs: dict[str, Job] = {}
        self._cut: dict[bytes, Needles] = {}
        """What is to be looked for of purges that were cut off, by their paths."""
        self._nobodys: set[bytes] = set()
        """Digests of contents that no version had, which the index may still know."""
        self._give, self._take = trio.open_memory_channel[Job](16)

    # The plan ----------------------------------------------------------------------------------------------------------

    async def plan(
        self, path: bytes, viewer: Viewer, *, live: bool, everywhere: bool, token: bool = True
    ) -> dict[str, Any]:
        """What would go, as JSON says it; `token` is null where it is refused, and `refused` says why. Raises NotFound, TryAgain."""
        self._owner(viewer)
        plan = await self._look(path, live=live, release=token)
        said = shown(plan, live, everywhere)
        if token and not said["refused"]:
            now = trio.current_time()
            self._asked = {name: asked for name, asked in self._asked.items() if asked.until > now}
            said["token"] = secrets.token_hex(8)
            self._asked[said["token"]] = Asked(plan, live, everywhere, viewer.uid, now + LIFE)
        return said

    async def _look(self, path: bytes, *, live: bool, release: bool) -> Plan:
        history = self.history
        if history.rollback.pending:
            raise TryAgain("A rollback is under way; ask again when it is done.")
        if live:
            self.locked((path,))
        await history.settled()
        await history.follow.scan(
            path if await history.follow.in_thread(history.follow.catalogue.knows, path) else b""
        )
        await history.settled()
        if release and history.capture is not None and history.keeper is not None:
            async with history.capture.chunks:
                self._nobodys |= await history.follow.in_thread(history.keeper.collection.nobodys)
        return await history.in_thread(plan_of, path)

    @staticmethod
    def _owner(viewer: Viewer) -> None:
        if viewer.uid not in (0, os.geteuid()):
            raise NotPermitted("Only the owner of the mount and root may purge what was written.")

    # The act -----------------------------------------------------------------------------------------------------------

    async def execute(self, token: str, viewer: Viewer) -> dict[str, Any]:
        """Do what the plan with this token says; what was removed, and the proof. Raises InvalidArgument where the token is dead."""
        self._owner(viewer)
        job = self._jobs.get(token)
        if job is None:
            asked = self._asked.pop(token, None)
            if asked is None or asked.uid != viewer.uid or asked.until < trio.current_time():
                raise InvalidArgument("There is no such plan (any more): ask for it again, and look at it.")
            job = self._jobs[token] = Job(asked)
            self._give.send_nowait(job)
        await job.over.wait()
        self._jobs.pop(token, None)
        if job.error is not None:
            raise job.error
        assert job.done is not None
        return job.done

    async def run(self) -> None:
        """One purge after the other, until cancelled."""
        async for job in self._take:
            job.error = TryAgain("The mount is ending; ask again after the next one.")
            try:
                job.done = await self._perform(job.asked)
                job.error = None
            except LsfsError as error:
                job.error = error
            except (OSError, sqlite3.Error) as error:
                log.exception("a purge was not completed")
                job.error = TryAgain(
                    f"It was not completed ({error}): ask for it again, what is done stays done."
                )
            finally:
                job.over.set()

    async def _perform(self, asked: Asked) -> dict[str, Any]:
        history, follow = self.history, self.history.follow
        assert history.capture is not None
        plan = await self._look(asked.plan.path, live=asked.live, release=True)
        if not plan.same(asked.plan):
            raise InvalidArgument(
                "What it is about has changed since, so the plan is void: ask for it again."
            )
        if asked.everywhere:
            plan = whole(plan)
        taken = await history.in_thread(self._needles, plan)
        if plan.path in self._cut:
            taken.join(self._cut[plan.path])
        self._cut[plan.path] = taken
        log.warning("purging %d contents of %r", len(plan.digests), os.fsdecode(plan.path))
        async with history.capture.chunks:
            history.capture.forget(plan.cells)
            await follow.in_thread(self._secure, True)
            freed = await follow.commit(
                apply, history.database, history.objects, plan, time.time(), asked.uid
            )
            await follow.in_thread(self._give_back, freed)
        if asked.live:
            self.locked((plan.path,))
        unlinked = await trio.to_thread.run_sync(self._unlink, plan) if asked.live else []
        for path in unlinked:
            follow.hinted(path, True)
            self.stale(path)
        await history.settled()
        self.caches()
        await follow.in_thread(self._rewrite)
        nobodys = frozenset(self._nobodys)
        try:
            removed = await self.engine(sorted(plan.digests | nobodys))
        except LsfsError as error:
            await follow.in_thread(self._secure, False)
            raise TryAgain(
                f"History holds nothing of it any more, and history.db was written anew; the index ({_INDEX}) may still have it"
                f" ({error}): ask for the same purge again."
            ) from error
        self._nobodys -= nobodys
        self.caches()
        await follow.in_thread(self._forget_answers)
        await follow.in_thread(self._secure, False)
        done = await self._prove(plan, taken, unlinked, removed)
        self._cut.pop(plan.path, None)
        return done

    def _needles(self, past: Past, plan: Plan) -> Needles:
        folder = self.history.settings.folder
        files = [folder / os.fsdecode(row.path) for row in plan.live]
        return needles(past.contents, plan.digests, files, _stored(past, plan))

    def _secure(self, on: bool) -> None:
        self.history.database.execute(f"pragma secure_delete = {'on' if on else 'off'}")

    def _give_back(self, freed: Freed) -> None:
        self.history.objects.discard(freed.packs)
        for name in freed.held:
            self.history.held.drop(name)

    def _unlink(self, plan: Plan) -> list[bytes]:
        """The files themselves, those that are still what the plan was made of, and not locked. In a thread."""
        done = []
        for row in plan.live:
            if not (row.path == plan.path or not plan.path or row.path.startswith(plan.path + b"/")):
                continue
            with contextlib.suppress(OSError, NotPermitted):
                at = open_beneath(self.history.root_fd, row.parent, os.O_PATH | os.O_DIRECTORY)
                try:
                    found = os.stat(row.name, dir_fd=at, follow_symlinks=False)
                    self.locked((row.path,))  # meanwhile
                    if stat.S_ISREG(found.st_mode) and paths.number(found.st_ino) == row.ino:
                        os.unlink(row.name, dir_fd=at)
                        done.append(row.path)
                finally:
                    os.close(at)
        return done

    def _rewrite(self) -> None:
        """No free page and no log is left that could hold a word of it."""
        database = self.history.database
        database.execute("insert into dead_path_words (dead_path_words) values ('optimize')")
        database.execute("vacuum")
        self._empty_log()

    def _forget_answers(self) -> None:
        """What was answered, and kept, until the index had let go of it, too. `secure_delete` is on."""
        self.history.database.execute("update question set kept = null where kept is not null")
        self._empty_log()

    def _empty_log(self) -> None:
        database = self.history.database
        for _ in range(TRIES):
            if not database.execute("pragma wal_checkpoint(truncate)").fetchone()[0]:
                return
            time.sleep(0.1)

    # The proof ---------------------------------------------------------------------------------------------------------

    async def _prove(
        self, plan: Plan, taken: Needles, unlinked: list[bytes], removed: dict[str, Any]
    ) -> dict[str, Any]:
        mine = {row.path for row in plan.rows}
        found: set[bytes] = set()
        searched = 0
        for phrase in taken.phrases:
            with contextlib.suppress(LsfsError):
                found |= mine & set(await self.search(phrase))
                searched += 1
        history = self.history
        folders = dict.fromkeys((history.settings.state, history.held.folder.parent))
        proof: Proof = await trio.to_thread.run_sync(scan, list(folders), taken.pieces)
        holds: bool | None = not found and not proof.left and not removed.get("left")
        if not holds:
            log.error(
                "after a purge: found %r, bytes in %r, words %r", found, proof.left, removed.get("left")
            )
        elif taken.untold or not taken.pieces:
            holds = None  # nothing was found, and not all of it could be looked for
        return {
            "path": os.fsdecode(plan.path),
            "contents": len(plan.digests),
            "versions": sum(row.content is not None for row in plan.rows),
            "unlinked": [os.fsdecode(path) for path in unlinked],
            "index": {key: value for key, value in removed.items() if key != "left"},
            "proof": {
                "holds": holds,
                "unproven": len(taken.untold),
                "phrases": searched,
                "found": sorted(os.fsdecode(path) for path in found),
                "pieces": proof.pieces,
                "files": proof.files,
                "bytes": proof.bytes,
                "left": proof.left,
                "words": removed.get("left", []),
            },
        }


def _stored(past: Past, plan: Plan) -> Iterator[tuple[bytes, bytes]]:
    """The bytes as they lie in the store: of objects, and of the pieces of large ones. With the digest of their content."""
    for digest in plan.digests:
        row = past.database.execute(
            "select encoding, data from object where digest = ?", (digest,)
        ).fetchone()
        if row is None:
            continue
        if row[0] != "chunks":
            yield digest, row[1]
            continue
        for at in range(0, min(len(row[1]), 32 * 64), 32):
            found = past.database.execute(
                "select pack, offset, length from chunk where digest = ?", (row[1][at : at + 32],)
            ).fetchone()
            if found is not None and found[0].isalnum():
                with contextlib.suppress(OSError), open(past.state / "packs" / found[0], "rb") as stream:
                    yield digest, os.pread(stream.fileno(), found[2], found[1])


def shown(plan: Plan, live: bool, everywhere: bool) -> dict[str, Any]:
    """The plan as JSON says it."""
    rows = whole(plan).rows if everywhere else plan.rows
    refused = None
    if not plan.cells and not plan.digests and not (live and plan.live):
        refused = "There is nothing of it that could be purged: no version of it is kept."
    elif plan.shared and not everywhere:
        refused = (
            f"{len(_names(plan.shared))} other files have, or had, some of the same bytes, {_names(plan.shared)[0]!r} for one;"
            " with --everywhere their versions go too."
        )
    return {
        "path": os.fsdecode(plan.path),
        "versions": sum(row.content is not None for row in rows),
        "contents": len({row.content for row in rows if row.content}),
        "bytes": sum({row.content: row.size for row in rows if row.content}.values()),
        "files": _names(rows)[:SHOWN],
        "more": max(0, len(_names(rows)) - SHOWN),
        "live": [os.fsdecode(row.path) for row in plan.live] if live else [],
        "stay": [] if live else [os.fsdecode(row.path) for row in plan.live],
        "shared": _names(plan.shared)[:SHOWN],
        "everywhere": everywhere,
        "refused": refused,
        "token": None,
    }


def _names(rows: tuple[Entry, ...]) -> list[str]:
    return [os.fsdecode(path) for path in dict.fromkeys(row.path for row in rows)]
