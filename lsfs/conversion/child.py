"""child: the process that makes one content of another.

`python -m lsfs.conversion.child MEMORY SECONDS`: reads one msgpack map from stdin, writes one to stdout, and ends.

    {"do": "convert", "data", "source", "target", "name"}     {"data"} or {"error": sentence, "kind": the error's class}
    {"do": "join", "kind", "parts": [(name, data), …]}

It has limits on memory and CPU time, writes no file, and dies with the daemon.
"""

import ctypes
import os
import resource
import signal
import sys
from typing import Any

import msgpack

from syscalls.errors import InvalidArgument, LsfsError

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer the one request."""
    memory, seconds = (int(word) for word in sys.argv[1:3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(5)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    request = msgpack.unpackb(sys.stdin.buffer.read(), max_bin_len=1 << 31)
    sys.stdout.buffer.write(msgpack.packb(answer(request)))
    sys.stdout.buffer.flush()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What is said to a request."""
    try:
        if request["do"] == "join":
            return {"data": _joined(request["kind"], request["parts"])}
        from lsfs.conversion.ways import converted

        return {"data": converted(request["data"], request["source"], request["target"], request["name"])}
    except LsfsError as error:
        return {"error": str(error), "kind": type(error).__name__}
    except MemoryError:
        return {"error": "This takes more memory than one file may; split it.", "kind": "TooLarge"}
    except RecursionError:
        return {"error": "The file is nested too deeply.", "kind": "InvalidArgument"}


def _joined(kind: str, parts: list[tuple[bytes, bytes]]) -> bytes:
    named = [(name.decode("utf-8", "surrogateescape"), data) for name, data in parts]
    if kind != "pdf":
        from syscalls.joining import joined

        return joined(kind, named)
    import io

    import pypdfium2

    whole = pypdfium2.PdfDocument.new()
    for name, data in named:
        try:
            with pypdfium2.PdfDocument(data) as one:
                whole.import_pages(one)
        except pypdfium2.PdfiumError as error:
            raise InvalidArgument(f"{name} cannot be read as PDF ({error}).".replace("..", ".")) from None
    made = io.BytesIO()
    whole.save(made)
    return made.getvalue()


if __name__ == "__main__":
    main()
