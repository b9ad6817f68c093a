"""fuse: the kernel's requests, each handed to the node that it is about. It knows no row of the tree.

Besides the daemon, this and `fuse_entries` are the only modules that import pyfuse3. A handler finds its node, calls the method of
the same name, translates the answer; `answering` translates what goes wrong.

Threading: handlers run in the trio loop, one to a task of pyfuse3. `Kernel` is called in the loop too; what
may block there (dropping pages waits for reads in flight, which wait for us) goes through a thread of its
own.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import os
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

import pyfuse3
import trio
from pyfuse3 import EntryAttributes, FileInfo, FUSEError, SetattrFields, StatvfsData

from mounts.fuse_entries import known, translated
from mounts.fuse_init import Agreement, devices, pending
from mounts.fuse_wait import Waits
from mounts.nodes import AttributeChanges, Caller, Handle, Listing, Node, Nodes
from syscalls.errors import LsfsError

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
PATIENCE = 2.0
"""Seconds to wait at the end for pages to be dropped: a read that nobody answers any more may hold one."""
CHANGES = os.O_ACCMODE | os.O_TRUNC
"""Flags of open(2), of which any lets a file be changed."""
DOTS = 2
"""`.` and `..` stand before the entries of every listing."""


def answering(
    handler: Callable[..., Awaitable[Answer]], *, changes: bool = False
) -> Callable[..., Awaitable[Answer]]:
    """Make every failure of a handler an errno: any other exception that leaves it would end the mount. What *changes* something
    waits while nothing may be changed (`Operations.still`)."""

    @functools.wraps(handler)
    async def answer(self: Operations, *arguments: Any) -> Answer:
        try:
            if changes and self.waiting is not None:
                await self.waiting.wait()
            return await handler(self, *arguments)
        except OSError as error:
            raise FUSEError(error.errno or errno.EIO) from None
        except FUSEError:
            raise
        except LsfsError as error:
            self.note_error(str(error))
            raise FUSEError(error.errno) from None
        except Exception:
            log.exception("%s failed", handler.__name__)
            raise FUSEError(errno.EIO) from None

    return answer


changing = functools.partial(answering, changes=True)


class Operations(pyfuse3.Operations):
    """What pyfuse3 calls. *root* is the top of the mount, *note_error* keeps a sentence for /status.

    Without *flushes* the kernel is told, at the first close(2), not to ask again: a request less for every
    close, where the disk reports all errors at write(2).
    """

    supports_dot_lookup = False
    enable_writeback_cache = False
    enable_acl = True

    def __init__(self, root: Node, note_error: Callable[[str], None], *, flushes: bool = True) -> None:
        super().__init__()
        self.root = root
        self.note_error = note_error
        self.flushes = flushes
        self.nodes = Nodes(root)
        self._table = self.nodes.table
        self._open: dict[int, Any] = {}
        self._last = 0
        self.waiting: trio.Event | None = None

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """While it is entered, operations that would change something wait: a rollback puts its files in place. Looking, reading
        and closing go on."""
        self.waiting = waiting = trio.Event()
        try:
            yield
        finally:
            self.waiting = None
            waiting.set()

    # --- Names

    @answering
    async def lookup(self, parent: int, name: bytes, ctx: Caller) -> EntryAttributes:
        directory = self._table[parent]
        node = await directory.lookup(name, ctx)
        if node is not None:
            return await self._entry(node)
        if not directory.negative_timeout:
            raise FUSEError(errno.ENOENT)
        absent = EntryAttributes()  # st_ino 0: the kernel remembers that there is no such name
        absent.entry_timeout = directory.negative_timeout
        return absent

    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None:
        try:
            self.nodes.forget(inode_list)
        except Exception:
            log.exception("forget failed")

    @changing
    async def mkdir(self, parent: int, name: bytes, mode: int, ctx: Caller) -> EntryAttributes:
        return await self._entry(await self._table[parent].mkdir(name, mode, ctx))

    @changing
    async def mknod(self, parent: int, name: bytes, mode: int, rdev: int, ctx: Caller) -> EntryAttributes:
        return await self._entry(await self._table[parent].mknod(name, mode, rdev, ctx))

    @changing
    async def symlink(self, parent: int, name: bytes, target: bytes, ctx: Caller) -> EntryAttributes:
        return await self._entry(await self._table[parent].symlink(name, target, ctx))

    @changing
    async def link(self, inode: int, parent: int, name: bytes, ctx: Caller) -> EntryAttributes:
        return await self._entry(await self._table[parent].link(self._table[inode], name, ctx))

    @changing
    async def unlink(self, parent: int, name: bytes, ctx: Caller) -> None:
        await self._table[parent].unlink(name, ctx)

    @changing
    async def rmdir(self, parent: int, name: bytes, ctx: Caller) -> None:
        await self._table[parent].rmdir(name, ctx)

    @changing
    async def rename(
        self, parent: int, old: bytes, new_parent: int, new: bytes, flags: int, ctx: Caller
    ) -> None:
        await self._table[parent].rename(old, self._table[new_parent], new, flags, ctx)

    @answering
    async def readlink(self, inode: int, ctx: Caller) -> bytes:
        return await self._table[inode].readlink()

    # --- Attributes

    @answering
    async def getattr(self, inode: int, ctx: Caller) -> EntryAttributes:
        node = self._table[inode]
        return translated(node, await node.getattr())

    @changing
    async def setattr(
        self, inode: int, attr: EntryAttributes, fields: SetattrFields, fh: int | None, ctx: Caller
    ) -> EntryAttributes:
        node = self._table[inode]
        handle = None if fh is None else self._open.get(fh)
        return translated(node, await node.setattr(changes(attr, fields), handle, ctx))

    @answering
    async def getxattr(self, inode: int, name: bytes, ctx: Caller) -> bytes:
        return await self._table[inode].getxattr(name, ctx)

    @changing
    async def setxattr(self, inode: int, name: bytes, value: bytes, ctx: Caller) -> None:
        await self._table[inode].setxattr(name, value, ctx)

    @answering
    async def listxattr(self, inode: int, ctx: Caller) -> Sequence[bytes]:
        return await self._table[inode].listxattr(ctx)

    @changing
    async def removexattr(self, inode: int, name: bytes, ctx: Caller) -> None:
        await self._table[inode].removexattr(name, ctx)

    @answering
    async def statfs(self, ctx: Caller) -> StatvfsData:
        found, answer = await self.root.statfs(), StatvfsData()
        for field in STATFS:
            setattr(answer, field, getattr(found, field))
        return answer

    # --- Open files

    @answering
    async def open(self, inode: int, flags: int, ctx: Caller) -> FileInfo:
        if flags & CHANGES and self.waiting is not None:
            await self.waiting.wait()
        return self._opened(await self._table[inode].open(flags, ctx))

    @changing
    async def create(
        self, parent: int, name: bytes, mode: int, flags: int, ctx: Caller
    ) -> tuple[FileInfo, EntryAttributes]:
        node, handle = await self._table[parent].create(name, mode, flags, ctx)
        return self._opened(handle), await self._entry(node)

    @answering
    async def read(self, fh: int, offset: int, size: int) -> bytes:
        return await self._open[fh].read(offset, size)

    @changing
    async def write(self, fh: int, offset: int, data: bytes) -> int:
        return await self._open[fh].write(offset, data)

    @answering
    async def flush(self, fh: int) -> None:
        await self._open[fh].flush()
        if not self.flushes:
            raise FUSEError(errno.ENOSYS)  # close(2) succeeds all the same

    @answering
    async def fsync(self, fh: int, datasync: bool) -> None:
        await self._open[fh].fsync(datasync)

    @answering
    async def release(self, fh: int) -> None:
        await self._open.pop(fh).release()

    # --- Open directories

    @answering
    async def opendir(self, inode: int, ctx: Caller) -> int:
        listing = await self._table[inode].opendir(ctx)
        self._last = listing.id = self._last + 1
        self._open[listing.id] = listing
        return listing.id

    @answering
    async def readdir(self, fh: int, start: int, token: pyfuse3.ReaddirToken) -> None:
        listing: Listing = self._open[fh]
        if start == 0:
            await listing.rewind()
        if start < DOTS and not dots(listing, start, token):
            return
        nodes, reply, entries = self.nodes, pyfuse3.readdir_reply, listing.shown
        for index in range(max(start - DOTS, 0), len(listing.entries)):
            shown = entries[index] if entries is not None else None
            if shown is not None and shown[1].listed is shown[2]:
                if reply(token, shown[0], shown[2], index + DOTS + 1):
                    continue
                break
            found = await listing.entry(index)
            if found is None:
                continue
            name, node, attributes = found
            nodes.register(node)
            told = translated(node, attributes)
            if not reply(token, name, told, index + DOTS + 1):
                nodes.drop(node)
                break
            node.lookups += 1
            if entries is not None and node.steady(attributes):
                node.listed = quiet = known(told)
                entries[index] = None if quiet is None else (name, node, quiet)

    @answering
    async def fsyncdir(self, fh: int, datasync: bool) -> None:
        await self._open[fh].fsync(datasync)

    @answering
    async def releasedir(self, fh: int) -> None:
        await self._open.pop(fh).release()

    # --- What the handlers share

    async def _entry(self, node: Node) -> EntryAttributes:
        """Tell the kernel of *node*: one more lookup for it to forget."""
        attributes = node.fresh
        if attributes is None:
            attributes = await node.getattr()
        else:
            node.fresh = None
        self.nodes.remember(node)
        return translated(node, attributes)

    def _opened(self, handle: Handle) -> FileInfo:
        self._last = handle.id = self._last + 1
        self._open[handle.id] = handle
        return FileInfo(handle.id, handle.direct_io, handle.keep_cache, handle.nonseekable)


STATFS = (
    "f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_namemax",
)  # fmt: skip


def changes(attr: EntryAttributes, fields: SetattrFields) -> AttributeChanges:
    return AttributeChanges(
        attr.st_mode & 0o7777 if fields.update_mode else None,
        attr.st_uid if fields.update_uid else None,
        attr.st_gid if fields.update_gid else None,
        attr.st_size if fields.update_size else None,
        attr.st_atime_ns if fields.update_atime else None,
        attr.st_mtime_ns if fields.update_mtime else None,
    )


def dots(listing: Listing, start: int, token: pyfuse3.ReaddirToken) -> bool:
    """List `.` and `..`: the kernel takes their numbers and types, and counts no lookup of them."""
    for offset, name in enumerate((b".", b"..")[start:], start):
        entry = EntryAttributes()
        entry.st_ino = listing.above if offset and listing.above else listing.node.id
        entry.st_mode = 0o040555
        if not pyfuse3.readdir_reply(token, name, entry, offset + 1):
            return False
    return True


def mount(operations: Operations, mountpoint: str, options: set[str]) -> Agreement | None:
    """Mount with libfuse's *options*; `serve` it next. RuntimeError when it cannot be."""
    before = devices()
    pyfuse3.init(operations, mountpoint, options)
    opened = devices() - before
    # a libfuse that agreed with the kernel while it mounted has left nothing to read
    return Agreement(opened.pop()) if len(opened) == 1 and all(map(pending, opened)) else None


async def serve(tasks: int, agreement: Agreement | None) -> None:
    """Answer the kernel, *tasks* requests at a time, until the mount goes or pyfuse3.terminate() is called."""
    pyfuse3.trio = Waits(None if agreement is None else agreement.complete)  # type: ignore[attr-defined]
    await pyfuse3.main(max_tasks=tasks)


class Kernel:
    """What the kernel is told to forget, because it changed behind the mount. `close` it after unmounting,
    before pyfuse3.close(): its thread uses the session."""

    def __init__(self) -> None:
        self._pages = Later("pages", pyfuse3.invalidate_inode)
        self._entries = Later("entries", pyfuse3.invalidate_entry)

    def attributes(self, id: int) -> None:
        """Forget the attributes of a node. Never blocks, so a handler may call it."""
        with contextlib.suppress(OSError):  # ENOENT: the kernel has forgotten the node already
            pyfuse3.invalidate_inode(id, True)

    def contents(self, id: int) -> None:
        """Forget attributes and pages of a node: the attributes at once, the pages soon."""
        self.attributes(id)
        self._pages.call(id)

    async def flush(self, id: int) -> None:
        """Have the pages of a node that were changed by mmap(2) written, and forget them: for a moment, if it takes longer."""
        with trio.move_on_after(PATIENCE):
            await trio.to_thread.run_sync(_flushed, id, abandon_on_cancel=True)

    def entry(self, parent: int, name: bytes) -> None:
        """Forget what, or that nothing, is called *name*; soon."""
        self._entries.call(parent, name)

    def told(self, seconds: float) -> bool:
        """Wait until it has forgotten all that it was told to, `seconds` at most: who looks while it is told may be in the way. Has it?
        In a thread."""
        heard = threading.Event()
        self._entries.call(heard)
        return heard.wait(seconds)

    def close(self) -> None:
        self._pages.close()
        self._entries.close()


def _flushed(id: int) -> None:
    with contextlib.suppress(OSError):
        pyfuse3.invalidate_inode(id)


class Later:
    """Calls that may block, in a thread of their own, one after the other. What fails was forgotten already (ENOENT), or is
    something else by now (ENOTDIR)."""

    def __init__(self, name: str, act: Callable[..., None]) -> None:
        self._name = name
        self._act = act
        self._calls: queue.SimpleQueue[tuple | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def call(self, *arguments: Any) -> None:
        """Soon. Never blocks."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._calls.put(arguments)

    def close(self) -> None:
        """Wait a moment for what is under way."""
        if self._thread is not None:
            self._calls.put(None)
            self._thread.join(PATIENCE)
            self._thread = None

    def _run(self) -> None:
        while (arguments := self._calls.get()) is not None:
            if isinstance(arguments[0], threading.Event):
                arguments[0].set()
                continue
            with contextlib.suppress(OSError):
                self._act(*arguments)
