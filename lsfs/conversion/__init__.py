"""conversion: contents in another format, each made by a process of its own (`lsfs.conversion.child`).

Threading: in the loop, which waits; two at once at most. A content that makes its parser crash, loop or swell ends that process, and
is refused with a sentence.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import msgpack
import trio

from syscalls.errors import InvalidArgument, LsfsError, NotText, TooLarge, TryAgain

SECONDS = 50  # of one conversion; a line to /ctl has 60
MEMORY = 2 << 30
AT_ONCE = 2
_RAISED = {error.__name__: error for error in (InvalidArgument, NotText, TooLarge)}


class Converter:
    """The port `syscalls.ports.Converter`."""

    def __init__(self) -> None:
        self._turns = trio.CapacityLimiter(AT_ONCE)

    async def convert(self, data: bytes, source: str, target: str, name: str) -> bytes:
        return await self._ask(
            {"do": "convert", "data": data, "source": source, "target": target, "name": name}
        )

    async def join(self, kind: str, parts: Sequence[tuple[str, bytes]]) -> bytes:
        # a name may hold bytes that are no UTF-8
        named = [(name.encode("utf-8", "surrogateescape"), data) for name, data in parts]
        return await self._ask({"do": "join", "kind": kind, "parts": named})

    async def _ask(self, request: dict[str, Any]) -> bytes:
        async with self._turns:
            with trio.move_on_after(SECONDS) as scope:
                code, output = await _run(
                    [sys.executable, "-m", "lsfs.conversion.child", str(MEMORY), str(SECONDS)],
                    msgpack.packb(request),
                )
        if scope.cancelled_caught:
            raise TryAgain(f"This takes longer than {SECONDS} seconds; try a smaller file.")
        if code or not output:
            raise InvalidArgument(
                "The file made its parser fail, or takes more memory or time than one may: it is damaged, or too large."
            )
        answer = msgpack.unpackb(output)
        if "error" in answer:
            kind: type[LsfsError] = _RAISED.get(answer["kind"], InvalidArgument)
            raise kind(answer["error"])
        made: bytes = answer["data"]
        return made


async def _run(command: list[str], data: bytes) -> tuple[int, bytes]:
    """What a process says to `data`, and its exit status; where this is cancelled, it is killed.

    It is started by the loop's own thread: it asks to die with its parent, and to the kernel that is the thread that started it.
    `trio.run_process` takes one that ends ten seconds later."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.stdin is not None and process.stdout is not None
        with process.stdin, process.stdout:
            to = trio.lowlevel.FdStream(os.dup(process.stdin.fileno()))
            process.stdin.close()
            from_ = trio.lowlevel.FdStream(os.dup(process.stdout.fileno()))
            async with to, from_, trio.open_nursery() as nursery:
                nursery.start_soon(_send, to, data)
                output = b"".join([part async for part in from_])
        return await trio.to_thread.run_sync(process.wait), output
    finally:
        if process.returncode is None:
            process.kill()
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(process.wait)


async def _send(stream: trio.lowlevel.FdStream, data: bytes) -> None:
    with contextlib.suppress(trio.BrokenResourceError):  # it has ended: its exit status says why
        await stream.send_all(data)
    await stream.aclose()
