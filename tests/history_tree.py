"""The row /files with history behind it, wired as the daemon wires them, and nothing mounted: what the tests of history share.

    with World(folder, pace=1000) as world:
        world.call(world.write, b"a", b"text")      # as a process writes through the mount
        world.call(world.settled)                   # the sequence it is in
        world.crash(); world.start()                # everything thrown away, as kill -9 does; then the next mount

Threading: trio runs in a thread of its own, on a clock that stands still until `later`: nothing is committed of its own accord, so a
test decides what is pending when the next thing happens. `call` runs an async function there, and then waits until all is quiet. With
`held_up` the catalogue's thread is kept busy, so that what a commit has taken up is changed again before it looks at the folder.
"""

import concurrent.futures
import contextlib
import errno
import os
import pathlib
import stat
import threading
import types

import trio
import trio.testing
from files_tree import ME, Tree

from lsfs.config import Settings
from lsfs.engine.supervisor import Engine
from lsfs.history import chain as chain_of
from lsfs.history import entries
from lsfs.history.catalogue import Catalogue
from lsfs.history.follow import Follow
from lsfs.history.history import History
from lsfs.history.ignore import Ignore
from lsfs.history.store import State
from lsfs.history.watch import Watch
from mounts.files_directory import Directory
from mounts.files_linux import RENAME_EXCHANGE
from mounts.nodes import AttributeChanges, refuse
from mounts.ports import Unguarded

HIDDEN = frozenset({b".lsfs"})
PATIENCE = float(os.environ.get("P", "20"))  # real seconds, for a test that hangs


class Loop:
    """A trio loop in a thread, on a clock that stands still."""

    def __init__(self) -> None:
        self.clock = trio.testing.MockClock()
        ready = concurrent.futures.Future()
        # a daemon: what a test leaves waiting on the clock that stands still would keep Python from ending
        self._thread = threading.Thread(
            target=trio.run, args=(self._main, ready), kwargs={"clock": self.clock}, daemon=True
        )
        self._thread.start()
        self._token, self.nursery, self._end = ready.result(PATIENCE)

    async def _main(self, ready):
        async with trio.open_nursery() as nursery:
            end = trio.Event()
            ready.set_result((trio.lowlevel.current_trio_token(), nursery, end))
            await end.wait()
            nursery.cancel_scope.cancel()

    def call(self, function, *arguments):
        """Run an async function there; what it returns or raises."""
        future = concurrent.futures.Future()

        async def run():
            try:
                future.set_result(await function(*arguments))
            except BaseException as error:
                future.set_exception(error)

        self._token.run_sync_soon(self.nursery.start_soon, run)
        try:
            return future.result(PATIENCE)
        except concurrent.futures.TimeoutError:
            raise AssertionError(f"{function.__qualname__} does not end") from None

    def close(self) -> None:
        self._token.run_sync_soon(self._end.set)
        self._thread.join(PATIENCE)


class World:
    """A folder, its history, and somebody who uses both."""

    def __init__(self, folder: pathlib.Path, loop: Loop | None = None, **settings) -> None:
        self.folder = folder
        self.loop = Loop() if loop is None else loop
        self._own = loop is None
        values = {"state": folder / ".lsfs", "capture": "lazy", "pace": 10_000, "index_enabled": False}
        self.settings = Settings(folder=folder, mountpoint=folder / "nowhere", **(values | settings))
        self.handles: list = []
        self.running = False
        self._holder: object | None = None

    def __enter__(self) -> "World":
        self.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    # Life ---------------------------------------------------------------------------------------------------------------

    def start(self) -> "World":
        """What the daemon does at a mount."""
        self.loop.call(self._start)
        self.running = True
        return self

    async def _start(self) -> None:
        settings = self.settings
        self.root_fd = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        self.state = State(settings.state)
        self.history = History(settings, self.state, self.root_fd)
        self.watch = Watch(self.root_fd)
        self.catalogue = Catalogue(
            self.state.database, self.root_fd, Ignore(self.root_fd), self.history.entries
        )
        self.follow = Follow(
            self.catalogue, Engine(settings, self.root_fd), self.watch, hidden=HIDDEN, indexing=settings.index_enabled,
            capture=self.history.capture,
        )  # fmt: skip
        self.history.attach(self.follow)
        self.tree = Tree(
            self.folder, changes=self.follow, guard=self.history.guard or Unguarded(), history=self.history
        )
        self.tree.files.attach(self.tree.nodes, self.tree.kernel, self.watch)
        self.follow.busy = self.tree.files.busy
        self.history.busy = self.tree.files.keep_open
        self.history.drain = self.watch.drain
        self._scope = trio.CancelScope()
        self._ended = trio.Event()
        await self.loop.nursery.start(self._live)

    async def _live(self, task_status: trio.TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.follow.run)
                nursery.start_soon(self.watch.run, self._changed, self.follow.lost)
                task_status.started()
        self._ended.set()

    def _changed(self, path, settled, modified=False):
        if path.split(b"/", 1)[0] not in HIDDEN:
            self.tree.files.stale(path)
            self.follow.hinted(path, settled, modified)

    def crash(self) -> None:
        """The daemon is gone, between two operations: nothing more is committed, closed or tidied up."""
        self.loop.call(self._crash)

    async def _crash(self) -> None:
        self._scope.cancel()
        self._holder = None
        await self._ended.wait()
        for handle in self.handles:
            os.close(handle.fd)
        self.handles.clear()
        for fd in (self.history.held._journal, self.history.held._fd):
            if fd >= 0:
                os.close(fd)
        self._let_go()

    def close(self) -> None:
        """Unmount: what was noted is committed."""
        if self.running:
            self.loop.call(self._close)
        if self._own:
            self.loop.close()

    async def _close(self) -> None:
        await self._until_free()
        for handle in list(self.handles):
            await self.finish(handle)
        self._scope.cancel()
        await self._ended.wait()
        await self.follow.finish()
        self.history.held.close()
        self._let_go()

    def _let_go(self) -> None:
        self.running = False
        self.watch.close()
        self.history.capture.close()
        self.history._per_thread.close()
        self.history.past.close()
        self.tree.close()
        self.state.close()
        os.close(self.root_fd)

    # Time ---------------------------------------------------------------------------------------------------------------

    def call(self, function, *arguments):
        """Run an async function in the loop, and wait until nothing is under way any more."""
        try:
            return self.loop.call(function, *arguments)
        except AssertionError as error:
            follow = self.follow
            error.add_note(
                f"trouble {follow.trouble}, changes {follow._changes}, scans {follow._scans}, walking {follow._walking}"
            )
            raise
        finally:
            self.loop.call(self._quiet)

    async def _quiet(self) -> None:
        limiters = [self.follow._thread, *((self.history.capture._thread,) if self.history.capture else ())]
        while True:
            await trio.testing.wait_all_tasks_blocked()
            if self._holder is not None or not any(limiter.borrowed_tokens for limiter in limiters):
                return

    async def later(self, seconds: float = 1.0) -> None:
        """The clock goes on."""
        self.loop.clock.jump(seconds)
        await trio.lowlevel.checkpoint()

    async def held_up(self) -> None:
        """The catalogue's thread is busy; a commit is asked for, and waits for it."""
        if self._holder is None:
            self._holder = object()
            await self.follow._thread.acquire_on_behalf_of(self._holder)
            self.follow._urgent.set()
            self.follow._changed.set()

    async def scan_held_up(self) -> None:
        """A scan has begun, and looks at the folder when more has happened."""
        if self._holder is None:
            await self.settled()
            self._holder = object()
            await self.follow._thread.acquire_on_behalf_of(self._holder)
            self.follow.lost()

    async def _until_free(self) -> None:
        if self._holder is not None:
            self.follow._thread.release_on_behalf_of(self._holder)
            self._holder = None
        await trio.lowlevel.checkpoint()

    async def settled(self) -> int:
        """The sequence that all is in which was closed so far."""
        await self._until_free()
        self.follow._urgent.set()  # the clock stands still: no burst is over of its own accord
        try:
            return await self.history.settled()
        finally:
            if self.follow._urgent.is_set():  # (else a burst that goes on may wait for it)
                self.follow._urgent = trio.Event()

    async def committed(self) -> None:
        """All that was noted so far is committed; what the watch has to tell of it comes later."""
        await self._until_free()
        self.follow._urgent.set()
        try:
            await self.follow.committed()
        finally:
            if self.follow._urgent.is_set():
                self.follow._urgent = trio.Event()

    async def told(self) -> None:
        """The watch tells what it has seen so far."""
        await trio.lowlevel.checkpoint()
        self.watch.drain()

    async def scanned(self) -> int:
        """The same, after the whole folder was looked at."""
        await self.settled()
        self.follow.lost()
        while b"" in self.follow._scans or self.follow._walking is not None or self.follow._changes:
            await self.follow.moved_on()
        return await self.history.settled()

    def captured(self) -> None:
        """All that is there is in the store: what the background does when nothing else is to do."""
        self.call(self.settled)
        self.call(self._capture, "all")
        while not self.history.capture.idle:
            self.call(self.later)
        self.call(self._capture, self.settings.capture)

    async def _capture(self, mode: str) -> None:
        capture = self.history.capture
        capture.mode, capture.idle = mode, False
        capture._work.set()

    async def take(self, name: bytes) -> None:
        await self.settled()
        await self.history.take(name)

    # What a process does through the mount ----------------------------------------------------------------------------------

    async def node(self, path: bytes):
        """What the kernel finds at a path; None where nothing is."""
        node = self.tree.files.root
        for name in path.split(b"/") if path else ():
            if not isinstance(node, Directory):
                raise refuse(errno.ENOTDIR)
            node = self.tree.told(await node.lookup(name, ME))
            if node is None:
                return None
        return node

    async def parent(self, path: bytes):
        above, _, name = path.rpartition(b"/")
        folder = await self.node(above)
        if folder is None:
            raise refuse(errno.ENOENT)
        if not isinstance(folder, Directory):
            raise refuse(errno.ENOTDIR)
        return folder, name

    async def open(self, path: bytes, flags: int, mode: int = 0o644):
        """open(2); the handle is closed by `finish`."""
        folder, name = await self.parent(path)
        node = self.tree.told(await folder.lookup(name, ME))
        if node is None:
            if not flags & os.O_CREAT:
                raise refuse(errno.ENOENT)
            node, handle = await folder.create(name, mode, flags, ME)
            self.tree.told(node)
        elif isinstance(node, Directory):
            raise refuse(errno.EISDIR)
        elif node.kind != stat.S_IFREG:
            raise refuse(errno.ELOOP)
        else:
            handle = await node.open(flags & ~os.O_CREAT, ME)
        self.handles.append(handle)
        return handle

    async def finish(self, handle) -> None:
        """close(2), of the last descriptor."""
        self.handles.remove(handle)
        await handle.release()

    async def write(self, path: bytes, content: bytes, mode: int = 0o644) -> None:
        """`printf content > path`"""
        handle = await self.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            if content:
                await handle.write(0, content)
        finally:
            await self.finish(handle)

    async def append(self, path: bytes, content: bytes) -> None:
        """`printf content >> path`"""
        handle = await self.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            await handle.write(os.fstat(handle.fd).st_size, content)
        finally:
            await self.finish(handle)

    async def patch(self, path: bytes, offset: int, content: bytes) -> None:
        """Write in the middle of what is there."""
        handle = await self.open(path, os.O_RDWR)
        try:
            await handle.write(offset, content)
        finally:
            await self.finish(handle)

    async def truncate(self, path: bytes, size: int) -> None:
        node = await self._there(path)
        if node.kind != stat.S_IFREG:
            raise refuse(errno.EINVAL)
        await node.setattr(AttributeChanges(size=size), None, ME)

    async def _there(self, path: bytes):
        node = await self.node(path)
        if node is None:
            raise refuse(errno.ENOENT)
        return node

    async def unlink(self, path: bytes) -> None:
        folder, name = await self.parent(path)
        node = await self._there(path)
        if isinstance(node, Directory):
            raise refuse(errno.EISDIR)
        await folder.unlink(name, ME)

    async def mkdir(self, path: bytes) -> None:
        folder, name = await self.parent(path)
        if await self.node(path) is not None:
            raise refuse(errno.EEXIST)
        self.tree.told(await folder.mkdir(name, 0o755, ME))

    async def rmdir(self, path: bytes) -> None:
        folder, name = await self.parent(path)
        if not isinstance(await self._there(path), Directory):
            raise refuse(errno.ENOTDIR)
        await folder.rmdir(name, ME)

    async def symlink(self, path: bytes, target: bytes) -> None:
        folder, name = await self.parent(path)
        if await self.node(path) is not None:
            raise refuse(errno.EEXIST)
        self.tree.told(await folder.symlink(name, target, ME))

    async def link(self, old: bytes, new: bytes) -> None:
        node = await self._there(old)
        folder, name = await self.parent(new)
        if isinstance(node, Directory):
            raise refuse(errno.EPERM)
        if await self.node(new) is not None:
            raise refuse(errno.EEXIST)
        self.tree.told(await folder.link(node, name, ME))

    async def rename(self, old: bytes, new: bytes, *, exchange: bool = False) -> None:
        """rename(2), with what the kernel refuses before it asks the mount."""
        source, target = await self._there(old), await self.node(new)
        folder, name = await self.parent(old)
        new_folder, new_name = await self.parent(new)
        if (new + b"/").startswith(old + b"/") and new != old:
            raise refuse(errno.EINVAL)
        if (old + b"/").startswith(new + b"/") and new != old:
            raise refuse(errno.EINVAL if exchange else errno.ENOTEMPTY)
        if exchange and target is None:
            raise refuse(errno.ENOENT)
        if source is target:
            return
        if (
            not exchange
            and target is not None
            and isinstance(source, Directory) != isinstance(target, Directory)
        ):
            raise refuse(errno.EISDIR if isinstance(target, Directory) else errno.ENOTDIR)
        await folder.rename(name, new_folder, new_name, RENAME_EXCHANGE if exchange else 0, ME)

    async def chmod(self, path: bytes, mode: int) -> None:
        await self._change(path, AttributeChanges(mode=mode))

    async def utime(self, path: bytes, when: int) -> None:
        await self._change(path, AttributeChanges(mtime_ns=when))

    async def _change(self, path: bytes, changes: AttributeChanges) -> None:
        node = await self._there(path)
        if node.kind == stat.S_IFLNK:
            raise refuse(errno.ELOOP)
        await node.setattr(changes, None, ME)

    async def setxattr(self, path: bytes, name: bytes, value: bytes) -> None:
        node = await self._there(path)
        if node.kind == stat.S_IFLNK:
            raise refuse(errno.EPERM)
        await node.setxattr(name, value, ME)

    # What history says ------------------------------------------------------------------------------------------------------

    @property
    def past(self):
        """For this thread, while the loop is quiet."""
        return self.history.past

    def versions(self, path: bytes) -> list[bytes]:
        """The contents of a file, oldest first."""
        return [self.past.whole(version.last) for version in self.past.versions(path)]

    def then(self, sequence: int) -> dict:
        """The tree at a sequence, as `now` says it."""
        found = {}
        for row in self.past.at_or_below(b"", sequence):
            kind = stat.S_IFMT(row.mode)
            content = self.past.whole(row) if kind == stat.S_IFREG else None
            found[row.path] = thing(
                row, row.mtime_ns, content, row.target, entries.msgpack.unpackb(row.xattrs or b"\x80")
            )
        return found

    def now(self) -> dict:
        """The folder, by plain calls."""
        return look(self.folder)

    def removed(self) -> dict[bytes, list]:
        """What the trash has: the removed rows of each path, newest first."""
        found: dict[bytes, list] = {}
        for row in self.past.removed(0, 1e12):
            found.setdefault(row.path, []).append(row)
        return found

    def verify(self) -> None:
        """The chain of sequences says what each of them did."""
        chain = chain_of.GENESIS
        database = self.state.database
        for sequence, at, total, link, pruned in database.execute("select * from moment order by sequence"):
            if not pruned:
                assert chain_of.sum_of(database, sequence) == total, sequence
            chain = chain_of.link(chain, sequence, at, total)
            assert chain == link, sequence
        (told,) = database.execute("pragma integrity_check").fetchone()
        assert told == "ok"
        overlapping = database.execute(
            "select a.parent, a.name from entry a join entry b on a.parent = b.parent and a.name = b.name and a.id < b.id"
            " where a.born < coalesce(b.died, 1e18) and b.born < coalesce(a.died, 1e18)"
        ).fetchall()
        assert overlapping == []

    def left(self) -> str:
        """Why something is still held, for a test that wonders."""
        capture = self.history.capture
        rows = self.state.database.execute(
            "select c.id, c.size, c.held, e.name, e.size, e.ino, e.born, e.died from content c left join entry e on e.content = c.id"
            " where c.held is not null"
        ).fetchall()
        files = [(name, os.stat(self.history.held.path(name))) for name in self.history.held.names()]
        return f"{rows}, waiting {capture._large}, changes {self.follow._changes}, trouble {capture.trouble}, idle {capture.idle}, {files}"

    def held(self) -> list[str]:
        """What is in held/: "" for a journal that is not empty."""
        folder = self.history.held.folder
        names = os.listdir(folder) if folder.exists() else []
        return [name for name in names if name != "journal"] + [
            "" for name in names if name == "journal" and (folder / name).stat().st_size
        ]


class Thing(types.SimpleNamespace):
    """What is at a path."""


def thing(found, mtime, content, target, xattrs) -> Thing:
    kind = stat.S_IFMT(found.mode if hasattr(found, "mode") else found.st_mode)
    mode = found.mode if hasattr(found, "mode") else found.st_mode
    return Thing(
        mode=oct(mode),
        mtime=None if kind == stat.S_IFDIR else mtime,
        content=content,
        target=target,
        xattrs=xattrs,
    )


def look(folder: pathlib.Path) -> dict:
    """Everything below a folder but .lsfs: path -> Thing."""
    found = {}
    top = os.fsencode(folder)
    for above, folders, files in os.walk(top):
        if above == top and b".lsfs" in folders:
            folders.remove(b".lsfs")
        for name in folders + files:
            whole = os.path.join(above, name)
            status = os.lstat(whole)
            kind = stat.S_IFMT(status.st_mode)
            content = target = None
            xattrs = {}
            if kind == stat.S_IFREG:
                content = pathlib.Path(os.fsdecode(whole)).read_bytes()
            elif kind == stat.S_IFLNK:
                target = os.readlink(whole)
            if kind != stat.S_IFLNK:
                with contextlib.suppress(OSError):
                    xattrs = {
                        name: os.getxattr(whole, name)
                        for name in os.listxattr(whole)
                        if name.startswith("user.")
                    }
            found[os.path.relpath(whole, top)] = thing(status, status.st_mtime_ns, content, target, xattrs)
    return found
