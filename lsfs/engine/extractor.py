"""extractor: the child process that parses PDF, DOCX, HTML and the like, one document at a time.

`python -m lsfs.engine.extractor FD MEMORY SECONDS`, started by child.Child with exec. A request is one byte that carries the
document as a memory file's descriptor, then a frame {"type"}; with {"want": "outline"} the document is a source in UTF-8, of which the
definitions are asked. The answer is {"ok": {…}} or {"error": sentence, "fatal": bool}.

Threading: one thread, blocking. It has limits on memory and CPU time, sees end-of-file when the engine goes, and loads a
parser when the first document needs it.
"""

import ctypes
import math
import mmap
import os
import resource
import signal
import socket
import sys

from lsfs.engine.document import Document
from lsfs.engine.formats import MAX_TEXT, Unreadable, module
from lsfs.engine.outline import outline
from lsfs.engine.protocol import receive, send

_PR_SET_PDEATHSIG = 1
_MAX_FILES = 64


def _limit(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # a parser has nothing to write
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_FILES, _MAX_FILES))
    os.nice(10)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _grant(seconds: int) -> None:
    """CPU time for one more document: what is used, and `seconds`."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = math.ceil(
        usage.ru_utime + usage.ru_stime
    )  # whole ones only: rounded down, little of a second would be left
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _document(fd: int, kind: str) -> dict[str, object]:
    size = os.fstat(fd).st_size
    if size == 0:
        raise Unreadable("The file is empty.")
    with mmap.mmap(fd, size, prot=mmap.PROT_READ) as view:
        found: Document = module(kind).parse(view[:])
    return {
        "type": found.type,
        "text": found.text[:MAX_TEXT],
        "title": found.title,
        "pages": list(found.pages),
        "sections": found.sections,
    }


def _outline(fd: int, kind: str) -> dict[str, object]:
    with mmap.mmap(fd, os.fstat(fd).st_size, prot=mmap.PROT_READ) as view:
        return {"sections": outline(view[:], kind)}


def _answer(fd: int, kind: str, want: str) -> dict[str, object]:
    try:
        return {"ok": _outline(fd, kind) if want == "outline" else _document(fd, kind)}
    except Unreadable as error:
        return {"error": str(error), "fatal": False}
    except MemoryError:
        return {"error": "Parsing the file takes more memory than extract_memory allows.", "fatal": True}
    except RecursionError:
        return {"error": "The file is nested too deeply to be parsed.", "fatal": True}
    except ImportError as error:
        return {"error": f"The {kind} parser is not installed ({error.name}).", "fatal": False}
    except Exception as error:  # the outermost: a parser may raise anything, and it costs this file alone
        return {"error": f"The {kind} parser failed ({type(error).__name__}).", "fatal": False}


def serve(sock: socket.socket, seconds: int) -> None:
    """Answer requests until the engine closes the socket or a parser has used up the memory."""
    while True:
        byte, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
        request = receive(sock) if byte and descriptors else None
        if request is None:
            return
        _grant(seconds)
        answer = _answer(descriptors[0], str(request["type"]), str(request.get("want", "")))
        os.close(descriptors[0])
        send(sock, answer)
        if answer.get("fatal"):
            return


def main() -> None:
    """Take the socket and the limits from the command line, then serve."""
    fd, memory, seconds = (int(word) for word in sys.argv[1:4])
    _limit(memory)
    with socket.socket(fileno=fd) as sock:
        try:
            serve(sock, seconds)
        except (BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main()
