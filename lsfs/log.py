"""log: what the daemon writes down, in `<state>/daemon.log`, rotated at 1 MiB, three old ones kept.

In the background the daemon's stdout and stderr are that file, too (a crash in C code, an early error), and follow it when it is rotated.
Records carry names and errors, never the content of files. `start` is called once, before the daemon is made.
"""

import contextlib
import errno
import logging
import logging.handlers
import os
import sys
from pathlib import Path

FILE = "daemon.log"
LIMIT, KEPT = 1 << 20, 3
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Rotated(logging.handlers.RotatingFileHandler):
    """A rotating file that stdout and stderr are taken along by, when they are that file."""

    takes_stdio = False

    def doRollover(self) -> None:
        super().doRollover()
        if self.takes_stdio and self.stream is not None:
            for number in (1, 2):
                os.dup2(self.stream.fileno(), number)


def start(state: Path, attached: bool) -> None:
    """Send the records of this process to the log in `state`; when it is attached to a terminal, to stderr too.

    Raises OSError when the file cannot be written.
    """
    if (state / FILE).is_symlink():
        raise OSError(errno.ELOOP, f"{FILE} is a symlink")
    file = Rotated(
        state / FILE, maxBytes=LIMIT, backupCount=KEPT, encoding="utf-8", errors="backslashreplace"
    )
    file.takes_stdio = not attached
    handlers: list[logging.Handler] = [file, logging.StreamHandler(sys.stderr)] if attached else [file]
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(logging.Formatter(FORMAT))
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)


def stdio(state: Path) -> int:
    """A descriptor, for appending, that a background daemon gets as stdout and stderr. Raises OSError."""
    return os.open(state / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def last_line(state: Path) -> str:
    """The last line of the log, empty when there is none."""
    with contextlib.suppress(OSError):
        lines = (state / FILE).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else ""
    return ""
