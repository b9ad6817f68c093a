"""child: a process that parses what may kill its parser, and the way to ask it.

Threading: a Child belongs to one thread at a time. It is started at the first request, killed after the timeout, started afresh after a
crash or some hundred documents, and dies with the *thread* that started it (PR_SET_PDEATHSIG), so use it from one that lives as long as
the engine.
"""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsfs.engine.protocol import ProtocolError, receive, send

log = logging.getLogger(__name__)
_DOCUMENTS = 500  # a child is replaced after so many: parsers leak
_STARTING = 20.0  # seconds more for a fresh child, which has Python and a parser to load, on a busy machine


def command(fd: int, memory: int, seconds: int) -> list[str]:
    return [sys.executable, "-m", "lsfs.engine.extractor", str(fd), str(memory), str(seconds)]


class Child:
    """One process (`lsfs.engine.extractor`). `memory` in bytes of address space, `timeout` in seconds for each request; `seconds` of them
    on the processor, twice the timeout where nothing is said: a fresh child has longer than the timeout, but no more of that."""

    def __init__(
        self,
        memory: int,
        timeout: float,
        command: Callable[[int, int, int], list[str]] = command,
        seconds: int | None = None,
    ) -> None:
        self.memory = memory
        self.timeout = timeout
        self.seconds = max(1, int(timeout * 2)) if seconds is None else seconds
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        self._served = 0

    @property
    def pid(self) -> int | None:
        """The process id, None while there is none."""
        return self._child.pid if self._child is not None else None

    def close(self) -> None:
        """End the process, if there is one. A later request starts another."""
        self._stop()

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        package = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
        try:
            self._child = subprocess.Popen(
                self._command(theirs.fileno(), self.memory, self.seconds),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._sock = ours
        self._served = 0
        return ours

    def _stop(self, grace: float = 0.0) -> int | None:
        """Kill the child after `grace` seconds and reap it; its exit status, None where there was none."""
        child, sock = self._child, self._sock
        self._child = self._sock = None
        self._served = 0
        if sock is not None:
            sock.close()
        if child is None:
            return None
        try:
            return child.wait(grace)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()

    def ask(self, request: dict[str, Any], data: bytes) -> dict[str, Any] | None:
        """One request over `data`. {"ok": …} or {"error": sentence}; None where the process ended without an answer."""
        worn = self._served > 0
        answer = self._once(request, data)
        if worn and (answer is None or answer.get("fatal")):
            # what earlier documents leaked, a signal from outside, or the end of the thread that started it is not this one's fault
            answer = self._once(request, data)
        return answer

    def _once(self, request: dict[str, Any], data: bytes) -> dict[str, Any] | None:
        if self._served >= _DOCUMENTS or (self._child is not None and self._child.poll() is not None):
            self._stop()
        allowed = self.timeout if self._sock is not None else self.timeout + _STARTING
        try:
            sock = self._sock or self._start()
        except OSError as error:
            return {"error": f"The parser could not be started: {error.strerror}."}
        until = time.monotonic() + allowed
        memory_file = os.memfd_create("document", os.MFD_CLOEXEC)
        try:
            with os.fdopen(memory_file, "wb", closefd=False) as out:
                out.write(data)
            socket.send_fds(sock, [b"+"], [memory_file])
            send(sock, request)
            answer = self._wait(sock, until)
        except TimeoutError:
            self._stop()
            return {"error": f"Parsing took longer than {self.timeout:g} s (extract_timeout)."}
        except (OSError, ProtocolError) as error:
            log.info("the extractor went away: %s", error)
            answer = None
        finally:
            os.close(memory_file)
        self._served += 1
        if answer is None or answer.get("fatal"):
            status = self._stop(grace=1.0)  # it is ending by itself; its status says why
            if answer is None and status == -signal.SIGXCPU:
                return {"error": f"Parsing took longer than {self.timeout:g} s (extract_timeout)."}
        return answer

    @staticmethod
    def _wait(sock: socket.socket, until: float) -> dict[str, Any] | None:
        if not select.select([sock], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TimeoutError
        sock.settimeout(
            max(1.0, until - time.monotonic())
        )  # the answer has begun; it may take a moment to come whole
        try:
            return receive(sock)
        finally:
            sock.settimeout(None)
