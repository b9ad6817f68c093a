"""`python -m lsfs.engine`: started by the daemon, never by a person.

Settings: one JSON object in LSFS_ENGINE (root_fd, socket_fd, state, catalogue, and optionally model, backend, threads, max_file_size,
extract_timeout, extract_memory, engine_memory). Log lines go to stderr. Exit status 0: stopped, or to be replaced after `recycle`; 2: the
settings or the state folder are not usable.
"""

import ctypes
import logging
import os
import signal
import sys

from lsfs.engine import serve

PR_SET_PDEATHSIG = 1
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
LARGE = 64 << 20


def frugal() -> None:
    """Keep malloc to few arenas, and to its heap for what a model's layers come and go with: from mmap they would cost the kernel
    a quarter of the time. `embedder` gives the holes back (TRIM)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc
        for option, value in ((M_ARENA_MAX, 2), (M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, LARGE)):
            mallopt(option, value)


def main() -> int:
    """Serve the daemon until it ends."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s engine %(levelname)s %(message)s"
    )
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return 0
    frugal()
    os.umask(0o077)  # what is kept here was read with the daemon's rights
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then stops this process
    try:
        settings = serve.settings_of(dict(os.environ))
    except (KeyError, ValueError) as error:
        print(
            f"LSFS_ENGINE holds no settings ({error}): this program is started by the daemon.",
            file=sys.stderr,
        )
        return 2
    sock = serve.open_socket(settings)
    serve.usable(lambda: serve.Engine(settings, sock)).run()
    return 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # torch and LanceDB keep threads of their own that do not survive the interpreter's end; everything of ours is committed
    os._exit(status)
