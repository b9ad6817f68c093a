"""serve: the links of a mount over HTTP, to programs on this machine: 127.0.0.1 and ::1, and nothing else.

A process of its own, for as long as somebody wants it. Nothing that a client does reaches the mount but "what does this token lead to" and
"these bytes of that file", a few at a time (`lsfs.shared`). Each connection is for one request; whoever is slow, or one too many, is let go
(the limits below).

While it runs it holds a lock on <state>/serve, which has its port: by that `link` knows the whole address, and a second one is refused.

Threading: trio; the mount is asked in threads.
"""

import contextlib
import errno
import fcntl
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import h11
import trio

from lsfs import http
from lsfs.http import Refused
from lsfs.links import SERVER
from lsfs.refusals import CommandRefused, NoPermission, NotMounted
from lsfs.shared import Place, Shared, place

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

MOST = 64  # connections; what is more is closed unread
READERS = 4  # questions to the mount at a time: it answers 24 lines of ctl at once, and serves others, too
REQUEST = 10.0  # seconds until a request is there
PATIENCE = 15.0  # seconds that the mount may take for one answer
STALL = 30.0  # seconds that a client may take for one piece
PARTING = 2.0  # seconds for a client to see that all was said
PIECE = 256 << 10
LONGEST = 16 << 10  # bytes of a request's head
LOOK = 1.0  # seconds between two looks at the table of mounts
TRIES = 20  # ports that are free on one address, and not on the other


class Server:
    """What answers on the sockets. `port` is that of the sockets."""

    def __init__(self, shared: Shared, port: int) -> None:
        self.shared = shared
        self.own = http.hosts(port)
        self.count = 0
        self.readers = trio.CapacityLimiter(READERS)

    async def client(self, stream: trio.SocketStream) -> None:
        """One connection: one request, one answer. Nothing that goes wrong in it ends more than it."""
        if self.count >= MOST:
            await trio.aclose_forcefully(stream)
            return
        self.count += 1
        try:
            async with stream:
                with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError, _Cut):
                    await self._answer(stream)
                    await _part(stream)
        except Exception:
            log.exception("a request failed")
        finally:
            self.count -= 1

    async def _answer(self, stream: trio.SocketStream) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST)
        head = False
        try:
            request = await _request(connection, stream)
            head = request.method == b"HEAD"
            wanted = http.wanted(request.method, request.target, request.headers, self.own)
            seen = await self._mount(self.shared.look, wanted.token)
            if wanted.name != seen.name:
                raise Refused(404)
            part = http.span(wanted.range, seen.size)
        except Refused as error:
            status, headers, text = http.of_refusal(error)
            await _send(stream, connection.send(_response(status, headers)))
            if not head:
                await _send(stream, connection.send(h11.Data(data=text)))
            await _send(stream, connection.send(h11.EndOfMessage()))
            return
        status, headers = http.of_file(seen.name, seen.size, part)
        await _send(stream, connection.send(_response(status, headers)))
        first, end = part or (0, seen.size)
        for start in range(first, first if head else end, PIECE):
            try:
                data = await self._mount(
                    self.shared.piece, wanted.token, seen, start, min(PIECE, end - start)
                )
            except Refused as error:
                raise _Cut from error  # the client was told how much there is, and sees that it is less
            await _send(stream, connection.send(h11.Data(data=data)))
        await _send(stream, connection.send(h11.EndOfMessage()))

    async def _mount(self, call: Callable[..., Answer], *arguments: object) -> Answer:
        with trio.move_on_after(PATIENCE):
            return await trio.to_thread.run_sync(
                call, *arguments, limiter=self.readers, abandon_on_cancel=True
            )
        raise Refused(503)


class _Cut(Exception):
    """An answer that was begun cannot be ended."""


async def _request(connection: h11.Connection, stream: trio.SocketStream) -> h11.Request:
    with trio.move_on_after(REQUEST):
        try:
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(await stream.receive_some(LONGEST))
                elif isinstance(event, h11.Request):
                    return event
                else:
                    raise _Cut  # the client has gone without a word
        except h11.RemoteProtocolError as error:
            raise Refused(400) from error
    raise Refused(408)


def _response(status: int, headers: http.Headers) -> h11.Response:
    return h11.Response(status_code=status, headers=headers, reason=http.REASONS[status])


async def _send(stream: trio.SocketStream, data: bytes | None) -> None:
    if data:
        with trio.move_on_after(STALL) as scope:
            await stream.send_all(data)
        if scope.cancelled_caught:
            raise _Cut


async def _part(stream: trio.SocketStream) -> None:
    """Close it so that the answer arrives: a socket that is closed with something unread in it takes the answer back."""
    await stream.send_eof()
    with trio.move_on_after(PARTING):
        for _ in range(64):
            if not await stream.receive_some(LONGEST):
                return


# --- The process


def sockets(port: int) -> list[socket.socket]:
    """Listening on both loopback addresses: a name such as localhost means either, and nobody else may have the other. One that this
    machine does not have is left out. Raises OSError."""
    for last in (number == TRIES - 1 for number in range(TRIES)):
        one = _bound(socket.AF_INET, "127.0.0.1", port)
        try:
            other = _bound(socket.AF_INET6, "::1", one.getsockname()[1])
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                return [one]
            one.close()
            if port or last or error.errno != errno.EADDRINUSE:
                raise
        else:
            return [one, other]
    raise AssertionError


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        made.listen(MOST)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


@contextlib.contextmanager
def only_one(state: Path) -> Iterator[Callable[[int], None]]:
    """The lock that says that this mount is served; gives what writes down the port. Raises CommandRefused, NoPermission."""
    try:
        fd = os.open(
            state / SERVER, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600
        )
    except OSError as error:
        raise NoPermission(f"{state / SERVER} cannot be written ({error.strerror})") from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandRefused("this mount is served already; `lsfs link` shows where") from None
        os.ftruncate(fd, 0)
        yield lambda port: (os.pwrite(fd, b"%d" % port, 0), None)[1]
        os.ftruncate(fd, 0)
    finally:
        os.close(fd)


def owned(mountpoint: str) -> Place:
    """The mount, if it is the caller's: what is served is opened with his rights. Raises NoPermission, NotMounted."""
    there = place(mountpoint)
    if there is None:
        raise NotMounted(f"{mountpoint} is not mounted here")
    if there.uid != os.geteuid():
        raise NoPermission(f"only who mounted {mountpoint} may serve it")
    return there


def main(mountpoint: str, state: Path, pid: int, port: int, ready: Callable[[int, int], None]) -> str | None:
    """Serve until a signal comes (None), or the mount goes (a sentence). `ready` is told the port, and how many addresses there are.

    Raises CommandRefused where the port is taken or the mount is served already, NoPermission.
    """
    there = owned(mountpoint)
    os.chdir("/")  # so that the mount is not busy for our sake
    with contextlib.ExitStack() as stack:
        written = stack.enter_context(only_one(state))
        try:
            listening = sockets(port)
        except PermissionError as error:
            raise NoPermission(f"you may not listen on port {port}; take one above 1023") from error
        except OSError as error:
            raise CommandRefused(f"port {port} of this machine cannot be had ({error.strerror})") from error
        for one in listening:
            stack.callback(one.close)
        number = listening[0].getsockname()[1]
        written(number)
        return trio.run(_serve, Server(Shared(mountpoint), number), listening, mountpoint, there, pid, ready)


async def _serve(
    server: Server,
    listening: list[socket.socket],
    mountpoint: str,
    there: Place,
    pid: int,
    ready: Callable[[int, int], None],
) -> str | None:
    ended: list[str] = []
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async with trio.open_nursery() as nursery:
            listeners = [trio.SocketListener(trio.socket.from_stdlib_socket(one)) for one in listening]

            async def over(wait: Callable, *arguments: object) -> None:
                said = await wait(*arguments)
                if said:
                    ended.append(said)
                nursery.cancel_scope.cancel()

            nursery.start_soon(over, _signalled, signals)
            nursery.start_soon(over, _gone, mountpoint, there)
            nursery.start_soon(over, _died, mountpoint, pid)
            await nursery.start(trio.serve_listeners, server.client, listeners)
            ready(listening[0].getsockname()[1], len(listening))
    return ended[0] if ended else None


async def _signalled(signals: AsyncIterator[int]) -> None:
    async for _ in signals:
        return


async def _gone(mountpoint: str, there: Place) -> str:
    """Until another mount, or none, is there."""
    while place(mountpoint) == there:
        await trio.sleep(LOOK)
    return f"{mountpoint} is not mounted any more"


async def _died(mountpoint: str, pid: int) -> str:
    """Until the daemon has ended: a mount outlives one that was killed."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return await trio.sleep_forever()  # it is in another world of processes; `_gone` has to do
    try:
        await trio.lowlevel.wait_readable(fd)
    finally:
        os.close(fd)
    return f"the daemon of {mountpoint} has ended"
