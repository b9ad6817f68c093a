"""links: the links that expire, as symlinks that vanish at their time.

    ls -l links                                       what each leads to, and, as its time, until when
    ln -s ../files/plan.md links/plan.md              makes one, valid for 24 hours
    touch -h -d "+2 hours" links/plan.md              sets the time; without -d it is now, so that the link is gone at once
    mv links/plan.md links/the-plan.md; rm links/the-plan.md
    cat links/urls.tsv                                with the path of the URL of each, for `lsfs serve`

Each sees what he made, the owner of the mount and root see all. A symlink gives no rights: whoever follows one needs those of the file.

Threading: in the loop. The kernel keeps no name of this directory (its timeouts are 0): it asks at every look, so that nothing is served
past its time, nor to another user than the one it was looked up for.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from typing import Any
from weakref import WeakValueDictionary

from mounts.nodes import (
    AttributeChanges,
    Attributes,
    Caller,
    Handle,
    Node,
    Symlink,
    VirtualDirectory,
    VirtualFile,
    refuse,
)
from mounts.ports import Ports
from mounts.root import Root
from syscalls.arguments import line
from syscalls.errors import LsfsError
from syscalls.link import URLS, seen, table, visible
from syscalls.table import CALLS
from syscalls.values import Link

FILES = b"../files/"
NOREPLACE = 1
_LINK = next(call for call in CALLS if call.name == "link")
_OWN_MISTAKES = (
    errno.EACCES, errno.EEXIST, errno.EINVAL, errno.ENAMETOOLONG, errno.ENOENT, errno.EPERM, errno.EROFS,
)  # fmt: skip


class Links(VirtualDirectory):
    """The directory /links. Sticky: everybody may make a link, and remove his own."""

    __slots__ = ("ports", "known", "urls")

    negative_timeout = 0.0

    def __init__(self, ports: Ports) -> None:
        super().__init__(mode=0o1777)
        self.ports = ports
        self.known: WeakValueDictionary[bytes, Valid] = WeakValueDictionary()
        self.urls = Urls(ports)

    async def lookup(self, name: bytes, caller: Caller) -> Node | None:
        if name == os.fsencode(URLS):
            return self.urls
        return self.node(name, caller)

    async def list(self, caller: Caller) -> list[tuple[bytes, Node]]:
        entries: list[tuple[bytes, Node]] = [(os.fsencode(URLS), self.urls)]
        links = self.ports.links
        if links is not None:
            for one in seen(links, self.ports.viewer(caller), os.getuid()):
                name = os.fsencode(one.name)
                entries.append((name, self._valid(name, one)))
        return entries

    def node(self, name: bytes, caller: Caller) -> Valid | None:
        """The link called so, if it is valid and `caller` may see it."""
        one = self.find(name)
        if one is None or not visible(one, self.ports.viewer(caller), os.getuid()):
            return None
        return self._valid(name, one)

    def find(self, name: bytes) -> Link | None:
        """The valid link called so."""
        if self.ports.links is None:
            return None
        return self.ports.links.named(os.fsdecode(name))

    def _valid(self, name: bytes, one: Link) -> Valid:
        node = self.known.get(name)
        if node is None or node.since != one.since:
            node = self.known[name] = Valid(self, name, one.since)
        return node

    async def symlink(self, name: bytes, target: bytes, caller: Caller) -> Node:
        if name == os.fsencode(URLS):
            raise refuse(errno.EEXIST)
        if len(name) > 255:
            raise refuse(errno.ENAMETOOLONG)
        path = leads_to(target, os.fsencode(self.ports.mountpoint), os.fsencode(self.ports.folder))
        said = line(_LINK, {"name": os.fsdecode(name), "PATH": path})
        await self._call(self.ports.control(said, self.ports.viewer(caller)))
        node = self.node(name, caller)
        if node is None:
            raise refuse(errno.ENOENT)
        return node

    async def unlink(self, name: bytes, caller: Caller) -> None:
        if name == os.fsencode(URLS):
            raise refuse(errno.EPERM)
        if self.ports.links is None:
            raise refuse(errno.ENOENT)
        await self._call(self.ports.links.revoke(os.fsdecode(name), self.ports.viewer(caller)))
        self.known.pop(name, None)

    async def rename(self, old: bytes, new_parent: Node, new: bytes, flags: int, caller: Caller) -> None:
        if new_parent is not self or self.ports.read_only:
            raise refuse(errno.EROFS)
        if os.fsencode(URLS) in (old, new):
            raise refuse(errno.EPERM)
        if flags & ~NOREPLACE or len(new) > 255:
            raise refuse(errno.ENAMETOOLONG if len(new) > 255 else errno.EINVAL)
        if self.ports.links is None:
            raise refuse(errno.ENOENT)
        viewer = self.ports.viewer(caller)
        await self._call(
            self.ports.links.rename(os.fsdecode(old), os.fsdecode(new), viewer, over=not flags & NOREPLACE)
        )
        node = self.known.pop(old, None)
        self.known.pop(new, None)
        if node is not None:
            node.name = new
            self.known[new] = node

    async def create(self, name: bytes, mode: int, flags: int, caller: Caller) -> tuple[Node, Handle]:
        raise refuse(errno.EPERM)

    async def mknod(self, name: bytes, mode: int, device: int, caller: Caller) -> Node:
        raise refuse(errno.EPERM)

    async def mkdir(self, name: bytes, mode: int, caller: Caller) -> Node:
        raise refuse(errno.EPERM)

    async def link(self, node: Node, name: bytes, caller: Caller) -> Node:
        raise refuse(errno.EPERM)

    async def retime(self, name: bytes, until: float, caller: Caller) -> None:
        """A link is valid until then."""
        assert self.ports.links is not None
        await self._call(self.ports.links.retime(os.fsdecode(name), until, self.ports.viewer(caller)))

    async def _call(self, call: Any) -> None:
        """What every Unix program expects of ln, mv and rm is no error to note in /status."""
        try:
            await call
        except LsfsError as error:
            if error.errno in _OWN_MISTAKES:
                raise refuse(error.errno) from None
            raise


class Valid(Symlink):
    """A link. Once it has ended, it is gone for those who still hold it, too."""

    __slots__ = ("links", "name", "since", "__weakref__")

    entry_timeout = attr_timeout = 0.0

    def __init__(self, links: Links, name: bytes, since: float) -> None:
        super().__init__(b"")
        self.links = links
        self.name = name
        self.since = since

    def one(self) -> Link:
        """What it is now. ENOENT when it is valid no more."""
        found = self.links.find(self.name)
        if found is None or found.since != self.since:
            raise refuse(errno.ENOENT)
        return found

    async def getattr(self) -> Attributes:
        return _attributes(self.one())

    async def readlink(self) -> bytes:
        return FILES + self.one().path

    async def setattr(self, changes: AttributeChanges, handle: Handle | None, caller: Caller) -> Attributes:
        one = self.one()
        if (changes.mode, changes.uid, changes.gid, changes.size) != (None, None, None, None):
            raise refuse(errno.EPERM)
        if not visible(one, self.links.ports.viewer(caller), os.getuid()):
            raise refuse(errno.ENOENT)
        if changes.mtime_ns is None:  # touch -a: there is no time of access
            return _attributes(one)
        until = changes.mtime_ns / 1e9
        if self.links.ports.read_only and until > one.until:
            raise refuse(errno.EROFS)
        await self.links.retime(self.name, until, caller)
        return _attributes(Link(one.name, one.path, one.uid, one.since, until))


class Urls(VirtualFile):
    """urls.tsv, for who opens it."""

    attr_timeout = 0.0

    def __init__(self, ports: Ports) -> None:
        async def render(caller: Caller) -> bytes:
            links, owner = ports.links, os.getuid()
            if links is None:
                return b""
            text = table(links, seen(links, ports.viewer(caller), owner), owner)
            return text.encode("utf-8", "surrogateescape")

        super().__init__(render)


def _attributes(one: Link) -> Attributes:
    """Its time is that at which it vanishes, its change that at which it was made, its size that of its target."""
    attributes = Attributes(
        stat.S_IFLNK | 0o777, len(FILES + one.path), round(one.until * 1000) * 10**6, uid=one.uid
    )
    attributes.st_ctime_ns = round(one.since * 1000) * 10**6
    return attributes


def leads_to(target: bytes, mountpoint: bytes, folder: bytes) -> bytes:
    """The path below /files that a symlink in /links leads to: `../files/a`, `files/a`, or an absolute one into the mount or the folder
    behind it. EPERM for every other."""
    if target.startswith(b"/"):
        for above in (mountpoint.rstrip(b"/") + b"/files", folder.rstrip(b"/")):
            if target.startswith(above + b"/"):
                return _below(target[len(above) :])
        raise refuse(errno.EPERM)
    if not target.startswith(b"files/"):
        target = posixpath.join(b"links", target)
        parts: list[bytes] = []
        for part in target.split(b"/"):
            if part == b".." and parts:
                parts.pop()
            elif part == b"..":
                raise refuse(errno.EPERM)
            elif part not in (b"", b"."):
                parts.append(part)
        target = b"/".join(parts)
    if not target.startswith(b"files/"):
        raise refuse(errno.EPERM)
    return _below(target.removeprefix(b"files"))


def _below(rest: bytes) -> bytes:
    parts = [part for part in rest.split(b"/") if part not in (b"", b".")]
    if not parts or b".." in parts:
        raise refuse(errno.EPERM)
    return b"/".join(parts)


def serve(root: Root) -> Node:
    """The directory /links."""
    return Links(root.ports)
