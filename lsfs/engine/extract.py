"""extract: from a file's bytes to its text: plain text here, rich formats in a child that may die of them.

Threading: `extract` is a function; an Extractor belongs to one thread at a time (the indexer's) and owns its child: started at the first
rich document, killed after the timeout, started afresh after a crash or some hundred documents. The child dies with the *thread*
that started it (PR_SET_PDEATHSIG), so use it from one that lives as long as the engine.
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
from types import TracebackType
from typing import Any

from lsfs.engine import encoding
from lsfs.engine.document import Content, Document, Extraction
from lsfs.engine.protocol import ProtocolError, receive, send
from lsfs.engine.reader import has_key
from lsfs.engine.types import RICH

log = logging.getLogger(__name__)
_DOCUMENTS = 500  # a child is replaced after so many: parsers leak
_STARTING = 20.0  # seconds more for a fresh child, which has Python and a parser to load, on a busy machine


def _command(fd: int, memory: int, seconds: int) -> list[str]:
    return [sys.executable, "-m", "lsfs.engine.extractor", str(fd), str(memory), str(seconds)]


class Extractor:
    """The child that parses rich documents. `memory` in bytes of address space, `timeout` in seconds for each document."""

    def __init__(
        self,
        memory: int = 2 << 30,
        timeout: float = 30.0,
        command: Callable[[int, int, int], list[str]] = _command,
    ) -> None:
        self.memory = memory
        self.timeout = timeout
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        self._served = 0

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._child.pid if self._child is not None else None

    def __enter__(self) -> "Extractor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one. A later extract starts another."""
        self._stop()

    def extract(self, kind: str, data: bytes) -> Extraction:
        """Parse `data` as the rich type `kind`. A crash, a hang or a lack of memory is state "failed" with a sentence."""
        worn = self._served > 0
        answer = self._ask(kind, data)
        if worn and (answer is None or answer.get("fatal")):
            # what earlier documents leaked, or a signal from outside, may not be held against this one
            answer = self._ask(kind, data)
        if answer is None:
            answer = {"error": f"The {kind} parser crashed on this file."}
        if "error" in answer:
            return Extraction("failed", kind, error=str(answer["error"]))
        found = answer["ok"]
        document = Document(found["type"], found["text"], found["title"], tuple(found["pages"]))
        return Extraction("text", kind, document)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        package = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
        seconds = max(1, int(self.timeout * 2))
        try:
            self._child = subprocess.Popen(
                self._command(theirs.fileno(), self.memory, seconds),
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

    def _ask(self, kind: str, data: bytes) -> dict[str, Any] | None:
        """One request. None where the child ended without an answer."""
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
            send(sock, {"type": kind})
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


def extract(content: Content, extractor: Extractor) -> Extraction:
    """The text of what `read_file` gave with state "text"; other states are passed on. Never raises for a bad document."""
    if content.state != "text" or content.data is None:
        return Extraction(content.state, content.type, error=content.error)
    if content.type in RICH and content.data:
        extraction = extractor.extract(content.type, content.data)
    else:
        text = encoding.decode(content.data)
        if text is None:
            return Extraction("other", "binary", error="The file is in no encoding that lsfs knows.")
        extraction = Extraction(
            "text", content.type, Document(content.type, text, title_of(text, content.type))
        )
    if extraction.document is not None and _hides_key(extraction.document.text):
        return Extraction("secret", content.type)
    return extraction


def _hides_key(text: str) -> bool:
    """A private key that the file's bytes did not show: UTF-16, or inside a document."""
    if "PRIVATE KEY" not in text and "PuTTY-User-Key-File-" not in text and "AGE-SECRET-KEY-1" not in text:
        return False
    return has_key(text.encode("utf-8"))


def title_of(text: str, kind: str) -> str:
    """A plain text's title: the first heading or, failing that, its first line that says something; at most 160 characters."""
    start = text[:16384].split("\n")
    if start[0].strip() == "---":  # front matter
        for line in start[1:50]:
            if line.startswith("title:"):
                return line[6:].strip().strip("\"'")[:160]
            if line.strip() in ("---", "..."):
                break
    if kind == "markdown":
        for line in start:
            if line.startswith("# "):
                return line[2:].strip().rstrip("#").strip()[:160]
    for line in start:
        words = line.strip(" \t#*=-/;\"'<>!_~`|+{}[]()%.:")
        if words and not line.startswith("#!"):
            return words[:160]
    return ""
