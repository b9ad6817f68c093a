"""The daemon: one mount, wired together. Everything that lives in this process is made here, and ends here.

    kernel ── mounts.fuse ── mounts.tree ──┬── /files: the folder itself
                                           ├── Follow ── Catalogue (history.db, one thread)
                                           └── Engine (child process) ── words, vectors, model

Each thing is made in one line and registers its end in the next, on one exit stack, so that they end in the opposite order:
first the mount is gone, then nothing changes any more, then what was noted is committed, then the engine ends, then the
state folder is let go.
"""

import collections
import contextlib
import functools
import gc
import logging
import os
import pathlib
import resource
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pyfuse3
import trio

from lsfs import mountinfo, report
from lsfs.config import NO_MODEL, STATE, Settings
from lsfs.conversion import Converter
from lsfs.editing.folder import LiveFolder
from lsfs.engine.supervisor import Engine
from lsfs.history.catalogue import Catalogue
from lsfs.history.follow import NO_INDEX, Follow, IndexOff
from lsfs.history.history import AskedPast, History
from lsfs.history.ignore import Ignore
from lsfs.history.lookback import Lookback
from lsfs.history.questions import Questions
from lsfs.history.store import State
from lsfs.history.watch import Watch
from lsfs.index.code import fused
from lsfs.insight import Insight
from lsfs.links import Links, Sees
from lsfs.locks import Locks
from lsfs.refusals import NoFuse, NoPermission
from mounts import fuse, tree
from mounts.ports import Ports, Unguarded
from syscalls.control import Control
from syscalls.names import LongNames
from syscalls.retrieve import retrieve
from syscalls.values import Results, Viewer

if TYPE_CHECKING:
    from lsfs.models.llm import Llm

log = logging.getLogger(__name__)

# File systems that nobody writes to but this machine, and that report every failed write at write(2) or fsync(2), nothing new at
# close(2).
LOCAL = {
    "bcachefs",
    "btrfs",
    "exfat",
    "ext2",
    "ext3",
    "ext4",
    "f2fs",
    "jfs",
    "ntfs3",
    "overlay",
    "ramfs",
    "tmpfs",
    "vfat",
    "xfs",
    "zfs",
}
TASKS = 512  # requests served at once; a question occupies one until its deadline, and files must not wait for questions
READ_AHEAD = 512  # KiB: more fetches faster, but with twice of it only two requests are under way at a time
SHARE = 0.0002  # seconds a thread may keep the interpreter from the loop, in which somebody waits for a reply
YOUNG = 20_000  # objects made until the garbage collector looks at the young ones: a node of the tree is four of them
FAREWELL = 10.0  # seconds from the end of the mount to the end of the daemon, at most
REST, PAUSE = (
    0.2,
    5.0,
)  # seconds: saved questions are asked anew after a rest; while the index grows, not all the time
WEIGH = 30.0  # seconds between two measurements of the state folder
ERRORS = 100  # sentences kept for /status


def main(settings: Settings, ready: Callable[[], None]) -> int:
    """Mount `settings.folder` and serve it until it is unmounted or a signal comes.

    `ready()` is called once the mount answers. Returns 0. Raises `lsfs.refusals.Refusal` before that when it cannot be.
    """
    os.chdir("/")  # so that no folder is held busy
    os.umask(0o077)  # what the state folder holds is nobody else's
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with contextlib.ExitStack() as stack:
        try:
            root_fd = os.open(settings.folder, os.O_PATH | os.O_DIRECTORY)
        except OSError as error:
            raise NoPermission(f"The folder {settings.folder} cannot be opened: {error.strerror}.") from error
        stack.callback(os.close, root_fd)
        state = State(settings.state)
        stack.callback(state.close)
        os.umask(0)  # the caller's is applied by whoever makes something for him
        sys.setswitchinterval(SHARE)
        gc.freeze()
        gc.set_threshold(YOUNG, 20, 100)
        return trio.run(Daemon(settings, root_fd, state).serve, ready)


class Daemon:
    """The wiring of one mount."""

    def __init__(self, settings: Settings, root_fd: int, state: State) -> None:
        self.settings = settings
        self.began = time.time()
        self.errors: collections.deque[tuple[float, str]] = collections.deque(maxlen=ERRORS)
        self.state_bytes: int | None = None
        hidden = frozenset({STATE.encode()})
        if settings.state.parent == settings.folder:
            hidden |= {os.fsencode(settings.state.name)}
        kinds = mountinfo.types_below(settings.folder)
        self.local = bool(kinds) and kinds <= LOCAL
        believing = self.local and not settings.shared  # inotify does not hear of other machines
        self.watch = Watch(root_fd)
        self.engine = Engine(settings, root_fd)
        self.history = History(settings, state, root_fd)
        self.catalogue = Catalogue(state.database, root_fd, Ignore(root_fd), self.history.entries)
        self.follow = Follow(
            self.catalogue,
            self.engine,
            self.watch,
            hidden=hidden,
            indexing=settings.index_enabled,
            settle=settings.settle,
            capture=self.history.capture,
        )
        self.history.attach(self.follow)
        self.lookback = Lookback(self.history, self.engine)
        self.questions = Questions(state.database, self.follow.commit, self.follow.in_thread)
        self.locks = Locks(
            state.database, self.follow.in_thread, self.history.past, owner=os.geteuid(), hidden=hidden
        )
        self.links = Links(state.database, self.follow.commit, settings.state, Sees(root_fd, hidden))
        self.llm = _llm(settings)
        self.insight = Insight(settings, self.engine)
        self.folder = LiveFolder(
            self.history, hidden=hidden, guard=self.history.guard or Unguarded(), read_only=settings.read_only
        )
        names = LongNames()
        owner = os.geteuid()
        self.ports = Ports(
            root_fd=root_fd,
            folder=os.fspath(settings.folder),
            mountpoint=os.fspath(settings.mountpoint),
            read_only=settings.read_only,
            hidden=set(hidden),
            changes=self.follow,
            ask=self.ask,
            questions=self.questions,
            report=self.report,
            control=Control(
                self.follow,
                self.questions,
                self.report,
                names,
                owner,
                read_only=settings.read_only,
                history=self.history,
                writer=self.llm,
                folder=self.folder,
                links=self.links,
                locks=self.locks,
                insight=self.insight,
                ask=self.ask,
                converter=Converter(),
                follow=self._led,
            ),
            names=names,
            links=self.links,
            history=self.history,
            locks=self.locks,
            guard=self.history.guard or Unguarded(),
            readable=self.follow.readable,
            generation=lambda: self.follow.generation,
            insight=self.insight,
            note_error=self.note,
            watched=lambda: believing and self.watch.complete and not self.follow.scanning,
        )
        self.root = tree.build(self.ports)
        self.follow.busy = self.root.files.busy
        self.history.heard = self.root.files.heard
        self.history.rollback.carry.writers = self.root.files.writers
        self.history.rollback.carry.stale = self.folder.stale = self.root.files.stale
        self.history.rollback.carry.veil = self.root.files.veil
        self.history.rollback.carry.unsettled = self.root.files.unsettle
        self.folder.virtual = self.ports.inner
        self.history.rollback.carry.locked = self.locks.refuse
        self.history.purging.locked = self.locks.refuse
        self.locks.flush = self.root.files.flush
        self.history.purging.stale = self.root.files.stale
        self.history.purging.engine = self._purge_index
        self.history.purging.search = self._paths_with
        self.history.purging.caches = self._forget
        self.history.busy = self.root.files.keep_open
        self.history.drain = self.watch.drain

    # What the mount asks for ---------------------------------------------------------------------------------------

    async def ask(
        self, prompt: str, folder: bytes, viewer: Viewer, sequence: int | None = None, **how: Any
    ) -> Results:
        """The port `syscalls.ports.Asking`; with a sequence, of what was there then."""
        if not self.settings.index_enabled:
            raise IndexOff(NO_INDEX)
        return await retrieve(
            prompt,
            folder=folder,
            viewer=viewer,
            searcher=self,
            files=self.follow if sequence is None else AskedPast(self.history, sequence),
            owner=os.geteuid(),
            sequence=sequence,
            fuse=fused,
            deadline=self.settings.query_deadline,
            pause=trio.lowlevel.checkpoint,
            **how,
        )

    async def _led(self, path: bytes, viewer: Viewer) -> bytes | None:
        return None if self.ports.follow is None else await self.ports.follow(path, viewer)

    async def search(self, query: dict) -> dict:
        """The port `syscalls.ports.Searcher`: the engine, whichever lives."""
        answer = await self.engine.call("search", query, query["deadline"])
        if self.settings.model == NO_MODEL:
            answer["meaning"] = "off"
        if (
            self.follow.scanning and query.get("sequence") is None
        ):  # what happened while nothing was mounted is not known yet: any file may be another one now
            for found in (*answer["hits"], *answer.get("like", ())):
                found["stale"] = True
        return answer

    def report(self, viewer: Viewer) -> dict[str, Any]:
        """What /status says to `viewer`."""
        return report.report(self, viewer)

    def note(self, sentence: str) -> None:
        """Keep a sentence for /status; the same one again only makes it newer, so that a flood hides nothing else."""
        if self.errors and self.errors[-1][1] == sentence:
            self.errors.pop()
        self.errors.append((time.time(), sentence))

    # What a purge asks for -------------------------------------------------------------------------------------------

    async def _purge_index(self, digests: list[bytes]) -> dict[str, Any]:
        """Contents leave the index; where nobody is at work in it, all of it goes, and is made anew when indexing is switched on."""
        if self.settings.index_enabled:
            return await self.engine.call("purge", {"digests": digests}, 600.0)
        await trio.to_thread.run_sync(shutil.rmtree, self.settings.state / "index", True)
        return {}

    async def _paths_with(self, phrase: str) -> list[bytes]:
        if not self.settings.index_enabled:
            return []
        results = await self.ask(f'mode:words limit:100 "{phrase}"', b"", self.ports.viewer_of_owner())
        return [hit.path for hit in results.hits]

    def _forget(self) -> None:
        """What was read of answers and of the past is in memory no longer, nor in the kernel's."""
        self.root.answers.forget()
        self.questions.forget_kept()
        self.history.forget()
        self.root.files.forget_pages()

    # Life ----------------------------------------------------------------------------------------------------------------

    async def serve(self, ready: Callable[[], None]) -> int:
        """Mount, serve, unmount. A failure of ours leaves the mount behind, dead: an empty mountpoint would look like an
        emptied folder."""
        operations = fuse.Operations(self.root, self.note, flushes=not self.local)
        mountpoint = os.fspath(self.settings.mountpoint)
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            try:
                agreement = fuse.mount(operations, mountpoint, self._options())
            except RuntimeError as error:
                raise _refusal(self.settings, error) from error
            kernel = fuse.Kernel()
            self.root.files.attach(operations.nodes, kernel, self.watch)
            self.history.rollback.carry.gate = operations.still
            self.history.rollback.carry.told = kernel.told
            unmounted = False
            try:
                async with trio.open_nursery() as background:
                    background.start_soon(self._background)
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._signals, signals)
                        nursery.start_soon(self._answers, mountpoint, ready)
                        await fuse.serve(TASKS, agreement)
                        nursery.cancel_scope.cancel()
                    kernel.close()
                    self.history.rollback.carry.stale = self.folder.stale = lambda path: (
                        None
                    )  # there is no kernel any more that could be told
                    self.history.rollback.carry.told = lambda seconds: True
                    pyfuse3.close(unmount=True)
                    unmounted = True
                    log.info("unmounted")
                    if self.history.capture is not None:
                        self.history.capture.stop()
                    background.cancel_scope.cancel()
            finally:
                if not unmounted:
                    kernel.close()
                    pyfuse3.close(unmount=False)
                with trio.move_on_after(FAREWELL) as scope:
                    scope.shield = True
                    await self.follow.finish()
                if self.history.trouble:
                    log.error("history is not whole: %s", self.history.trouble)
                self.watch.close()
                self.history.close()
        return 0

    def _options(self) -> set[str]:
        # pyfuse3 takes ASCII, and libfuse splits options at commas, unless they are escaped. The name is only shown.
        source = os.fsencode(self.settings.folder).decode("ascii", "backslashreplace")
        source = source.replace("\\", "\\\\").replace(",", "\\,")
        options = {f"fsname={source}", "subtype=lsfs", "default_permissions"}
        return options | {"allow_other"} if self.settings.allow_other else options

    async def _background(self) -> None:
        """All that goes on behind the mount; the engine gets the time to end well when the mount has."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.follow.run)
            nursery.start_soon(self.watch.run, self._changed, self._lost)
            nursery.start_soon(self._lasting, self.history.rollback.run)
            nursery.start_soon(self._lasting, self.folder.jobs.run)
            nursery.start_soon(self._lasting, self.history.purging.run)
            nursery.start_soon(self._lasting, self._weigh)
            if self.settings.index_enabled:
                nursery.start_soon(
                    self.engine.run, self.follow.feed.hello, self.follow.feed.event, self._died
                )
                nursery.start_soon(self._lasting, self._refresh)
                nursery.start_soon(
                    self._lasting, functools.partial(self.lookback.run, lambda: self.follow.feed.epoch)
                )
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await self.engine.stop()

    async def _lasting(self, task: Callable[[], Awaitable[None]]) -> None:
        """A task that looks after something, and must not take the mount along when it fails: it is begun again a little later."""
        while True:
            try:
                await task()
                return
            except Exception as error:
                log.exception("a task in the background failed")
                self.note(
                    f"Something in the background failed ({error}), and is tried again; files are served as ever."
                )
                await trio.sleep(PAUSE)

    def _died(self) -> None:
        """The engine ended, on its own account or not."""
        self.follow.feed.died()
        if self.engine.state != "stopped" and not self.engine.replaced:
            self.note(
                f"The search engine ended and is started again (start {self.engine.starts + 1}); files are not touched by that."
            )

    def _changed(self, path: bytes, settled: bool, modified: bool = False) -> None:
        if path.split(b"/", 1)[0] in self.ports.hidden:
            return  # the state folder itself: following it would never end
        self.root.files.stale(path)
        self.follow.hinted(path, settled, modified)

    def _lost(self) -> None:
        """Events were dropped: believe nothing for long until the scan has looked everywhere."""
        self.root.files.distrust()
        self.follow.lost()

    async def _refresh(self) -> None:
        """Keep the answers to saved questions true: they are served as they are kept, so that looking searches nothing."""
        asked = self.follow.generation
        while True:
            if asked == self.follow.generation:
                await self.follow.moved_on()
            before = None
            with trio.move_on_after(PAUSE):
                while before != self.follow.generation:  # a burst of changes is one
                    before = self.follow.generation
                    await trio.sleep(REST)
            began, asked = trio.current_time(), self.follow.generation
            if await self.root.answers.refresh() and self.follow.pending_files:
                await trio.sleep(max(PAUSE, 10 * (trio.current_time() - began)))

    async def _weigh(self) -> None:
        while True:
            self.state_bytes = await trio.to_thread.run_sync(_bytes_below, self.settings.state)
            await self.history.weigh()
            await trio.sleep(WEIGH)

    async def _signals(self, signals: AsyncIterator[int]) -> None:
        async for number in signals:  # the first one ends the mount; more of them change nothing
            log.info("%s: unmounting", signal.Signals(number).name)
            if self.llm is not None:
                self.llm.stop()  # a request of the kernel that waits for it would keep the mount
            self.follow.leave()
            pyfuse3.terminate()
            return

    async def _answers(self, mountpoint: str, ready: Callable[[], None]) -> None:
        """Say that the mount is ready once it has answered; asked in a thread, since a handler must never wait for itself."""
        found = await trio.to_thread.run_sync(os.stat, os.path.join(mountpoint, "status"))
        _read_ahead(found.st_dev)
        log.info("mounted %s on %s", self.settings.folder, mountpoint)
        ready()


def _llm(settings: Settings) -> "Llm | None":
    """The language model that the user named, if any: without one, nothing that could open a connection is even imported."""
    if not settings.llm_endpoint:
        return None
    from lsfs.models.llm import Llm

    return Llm(settings.llm_endpoint, settings.llm_model, settings.llm_key_file, settings.llm_timeout)


def _read_ahead(device: int) -> None:
    """Let the kernel read far ahead in a file that is read from its start to its end; only root may say so."""
    with contextlib.suppress(OSError):
        path = pathlib.Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
        path.write_text(str(READ_AHEAD))


def _bytes_below(folder: pathlib.Path) -> int:
    total = 0
    for parent, _, names in os.walk(os.fspath(folder)):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
    return total


def _refusal(settings: Settings, error: RuntimeError) -> Exception:
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return NoFuse("/dev/fuse cannot be opened: load the fuse module, or ask for access to it.")
    return NoPermission(
        f"{settings.mountpoint} could not be mounted ({error}). Ordinary users need fusermount3 (package fuse3), own the "
        "mountpoint, and need user_allow_other in /etc/fuse.conf for --allow-other."
    )
