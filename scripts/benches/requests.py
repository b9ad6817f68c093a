"""What one file operation costs, µs each: natively, through lsfs, and through bindfs where it is installed.

Every operation is done N times in a row by one process, so that the figure is one round trip to the file system (or none,
where the kernel answers from its caches). Medians of the rounds; the targets take turns.

    scripts/bench requests [--count 2000] [--rounds 3] [--peers] [--json FILE]
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator

from common import median
from files import Bindfs, Lsfs, Native

WRITE = os.O_WRONLY | os.O_CREAT


def operations(at: str, count: int) -> Iterator[tuple[str, int, Callable[[], None]]]:
    """(what, how many of it, the work), each on what the one before left."""
    names = [f"{at}/d/file-{number:05d}" for number in range(count)]

    def each(call: Callable[[str], object]) -> Callable[[], None]:
        def work() -> None:
            for name in names:
                call(name)

        return work

    def missing(name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.stat(name + ".not")

    def make(name: str) -> None:
        os.close(os.open(name, WRITE | os.O_EXCL, 0o644))

    def read(name: str) -> None:
        fd = os.open(name, os.O_RDONLY)
        os.read(fd, 4096)
        os.close(fd)

    def write(name: str) -> None:
        fd = os.open(name, os.O_WRONLY)
        os.write(fd, b"a line of text\n")
        os.close(fd)

    def no_xattr(name: str) -> None:
        with contextlib.suppress(OSError):
            os.getxattr(name, "user.none")

    def append() -> None:
        fd = os.open(f"{at}/log", WRITE | os.O_APPEND, 0o644)
        for _ in range(count):
            os.write(fd, b"0123456789" * 10)
        os.close(fd)

    def listing() -> None:
        with os.scandir(f"{at}/d") as found:
            for entry in found:
                entry.stat(follow_symlinks=False)

    os.mkdir(f"{at}/d")
    yield "create", count, each(make)
    yield "stat of missing", count, each(missing)
    yield "write and close", count, each(write)
    yield "open, read, close", count, each(read)
    yield "open, read, close; again", count, each(read)
    yield "list with stat", count, listing
    yield "list with stat, again", count, listing
    yield "xattr that is not there", count, each(no_xattr)
    yield "append 100 bytes", count, append
    yield "chmod", count, each(lambda name: os.chmod(name, 0o600))
    yield "rename", count, each(lambda name: os.rename(name, name + "~"))
    names[:] = [name + "~" for name in names]
    yield "unlink", count, each(os.unlink)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true", help="bindfs, too")
    parser.add_argument("--json", type=pathlib.Path, help="write all figures there")
    options = parser.parse_args()
    kinds: dict[str, Callable[[pathlib.Path], Native]] = {
        "native": Native,
        "lsfs": lambda root: Lsfs(root, False, []),
    }
    if options.peers and shutil.which("bindfs"):
        kinds["bindfs"] = Bindfs
    micros: dict[str, dict[str, list[float]]] = {name: {} for name in kinds}
    root = pathlib.Path(tempfile.mkdtemp(prefix="lsfs-bench-"))
    try:
        for number in range(options.rounds):
            for name, kind in kinds.items():
                where = root / f"{number}-{name}"
                where.mkdir()
                target = kind(where)
                try:
                    for what, count, work in operations(str(target.at), options.count):
                        began = time.perf_counter()
                        work()
                        took = time.perf_counter() - began
                        micros[name].setdefault(what, []).append(took / count * 1e6)
                finally:
                    target.close()
                    shutil.rmtree(where)
    finally:
        shutil.rmtree(root)
    print(f"{'µs':28}" + "".join(f"{name:>12}" for name in kinds))
    for what in micros["native"]:
        print(f"{what:28}" + "".join(f"{median(micros[name][what]):12.1f}" for name in kinds))
    if options.json:
        options.json.write_text(json.dumps(micros, indent=1) + "\n")


if __name__ == "__main__":
    main()
