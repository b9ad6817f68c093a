"""mkdir: whether a thread is inside mkdir(2) or rename(2), and for which new name.

Every name below /query is a directory, so the kernel would answer EEXIST to each mkdir, and to each mv(1), which first
tries RENAME_NOREPLACE, without asking us. It looks the name up first, though, while the caller is inside the call, and
/proc/<tid>/syscall tells. That file needs the rights of ptrace (the daemon's own user, or root); where it cannot be
read, the name of the program decides.

Memory of a process may be a page of a file in our own mount, and reading it then waits for us. So it is read in a
thread that is given up after a moment, and only of the daemon's own user; for others the number of the call decides.

Threading: called in the loop on each lookup below /query; two small reads of /proc, some 30 µs.
"""

import os

import trio

# Machine -> number of the system call -> which of its arguments is the path: mkdir, mkdirat, rename, renameat, renameat2.
_CALLS = {
    "x86_64": {83: 0, 258: 1, 82: 1, 264: 3, 316: 3},
    "aarch64": {34: 1, 38: 3, 276: 3},
    "riscv64": {34: 1, 276: 3},
    "loongarch64": {34: 1, 276: 3},
}
_PROGRAMS = (b"mkdir", b"install")
_LONGEST_PATH = 4096
_PATIENCE = 0.5  # seconds
_threads = trio.CapacityLimiter(4)

_numbers = _CALLS.get(os.uname().machine, {})


async def is_making(tid: int, name: bytes) -> bool:
    """Whether thread `tid` is making a directory called `name`, or giving something that name, right now.

    A name further up in the path that it makes is only passed through, so the path that the thread passed is read; if
    that is not allowed, `name` is taken for the last of it.
    """
    try:
        with open(f"/proc/{tid}/syscall", "rb") as stream:
            words = stream.read().split()
    except OSError:
        return _program(tid) in _PROGRAMS
    try:
        which = _numbers.get(int(words[0]))
    except (IndexError, ValueError):  # "running": it is in no call
        return False
    if which is None:
        return False
    if not _is_ours(tid):
        return True
    last = None
    with trio.move_on_after(_PATIENCE):
        last = await trio.to_thread.run_sync(
            _last_component, tid, int(words[1 + which], 16), limiter=_threads, abandon_on_cancel=True
        )
    return last in (name, None)


def _is_ours(tid: int) -> bool:
    """Whether the thread belongs to the user of the daemon."""
    try:
        return os.stat(f"/proc/{tid}").st_uid == os.geteuid()
    except OSError:
        return False


def _program(tid: int) -> bytes:
    try:
        with open(f"/proc/{tid}/comm", "rb") as stream:
            return stream.read().strip()
    except OSError:
        return b""


def _last_component(tid: int, address: int) -> bytes | None:
    """The last name of the path at `address` of the thread; None if it cannot be read."""
    try:
        memory = os.open(f"/proc/{tid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        path = os.pread(memory, page - address % page, address)
        if b"\0" not in path:
            path += os.pread(memory, _LONGEST_PATH, address + len(path))
    except (OSError, OverflowError):
        return None
    finally:
        os.close(memory)
    return path.split(b"\0", 1)[0].rstrip(b"/").rpartition(b"/")[2]
