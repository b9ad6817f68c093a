"""/files against the disk below it, and against C passthroughs, at what people do all day: build, clone, search, copy, read.

Each line is one kind of work, done in the same folder directly ("native") and through each mount, round by round in turn;
figures are medians of the rounds, as multiples of native. "cold" is a fresh mount over a folder whose bytes are in memory:
what it costs is the file system, not the disk. The index is off (history and the watch are not), unless --index is given.

    scripts/bench files                            lsfs alone
    scripts/bench files --peers                    bindfs and mergerfs, too (apt install bindfs mergerfs)
    scripts/bench files --peers --passthrough B    and the example passthrough_ll of libfuse, built at B
    scripts/bench files --without spin             and lsfs a second time without one of its tricks (benches/without.py)
    scripts/bench files --json now.json --compare before.json
"""

import argparse
import json
import math
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator

from common import CHECKOUT, LSFS, median

WITHOUT = pathlib.Path(__file__).with_name("without.py")


class Scale:
    """How much of each work is done; --quick divides."""

    def __init__(self, part: int) -> None:
        self.small = 15_000 // part
        self.listed = 10_000 // part
        self.tree = 3_000 // part
        self.stream = (1 << 30) // part
        self.transactions = 200 // part


# --- Mounts ----------------------------------------------------------------------------------------------------------


class Native:
    """The folder itself."""

    name = "native"

    def __init__(self, root: pathlib.Path) -> None:
        self.folder = root / self.name
        self.folder.mkdir()
        self.at = self.folder

    def fresh(self) -> None:
        """Forget what the kernel knows of this mount."""

    def close(self) -> None:
        """Take the mount away."""


class Mount(Native):
    """A folder seen through a FUSE mount, which `fresh` replaces by a new one."""

    def __init__(self, root: pathlib.Path) -> None:
        super().__init__(root)
        self.point = root / f"{self.name}-mount"
        self.point.mkdir()
        self.at = self.point
        self.start()

    def start(self) -> None:
        raise NotImplementedError

    def fresh(self) -> None:
        self.close()
        self.start()

    def close(self) -> None:
        if os.path.ismount(self.point):
            subprocess.run(["umount", self.point], check=True)


class Lsfs(Mount):
    name = "lsfs"

    def __init__(self, root: pathlib.Path, index: bool, options: list[str], without: str = "") -> None:
        self.options = options
        self.without = without
        self.daemon: subprocess.Popen | None = None
        if not index:
            state = root / self.name / ".lsfs"
            state.mkdir(parents=True, mode=0o700)
            (state / "lsfs.conf").write_text("[index]\nenabled = no\n")
        self.folder = root / self.name
        self.folder.mkdir(exist_ok=True)
        self.point = root / f"{self.name}-mount"
        self.point.mkdir()
        self.at = self.point / "files"
        self.start()

    def start(self) -> None:
        if self.without:
            command = [
                sys.executable,
                WITHOUT,
                self.without,
                "mount",
                "-f",
                self.folder,
                self.point,
                *self.options,
            ]
            self.daemon = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL)
            while not (self.point / "status.json").exists():
                time.sleep(0.05)
        else:
            subprocess.run([*LSFS, "mount", self.folder, self.point, *self.options], check=True, cwd=CHECKOUT)
        while json.loads((self.point / "status.json").read_text())["scanning"]:
            time.sleep(0.05)

    def close(self) -> None:
        if os.path.ismount(self.point):
            subprocess.run([*LSFS, "umount", self.point], check=True, cwd=CHECKOUT)
        if self.daemon is not None:
            self.daemon.wait()
            self.daemon = None


class Bindfs(Mount):
    name = "bindfs"

    def start(self) -> None:
        subprocess.run(["bindfs", self.folder, self.point], check=True)


class Mergerfs(Mount):
    name = "mergerfs"

    def start(self) -> None:
        subprocess.run(["mergerfs", self.folder, self.point], check=True)


class Passthrough(Mount):
    name = "passthrough_ll"
    binary = ""

    def start(self) -> None:
        subprocess.run([self.binary, "-o", f"source={self.folder}", self.point], check=True)

    def close(self) -> None:
        super().close()
        time.sleep(0.1)  # its daemon ends after the mount does


# --- Work ------------------------------------------------------------------------------------------------------------


def run(*command: object, where: pathlib.Path) -> None:
    subprocess.run([str(part) for part in command], cwd=where, check=True, stdout=subprocess.DEVNULL)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def create(at: pathlib.Path, count: int) -> None:
    text = b"a line of text, and another one that is a little longer\n" * 2
    for number in range(count):
        parent = f"{at}/{number // 300:03d}"
        if number % 300 == 0:
            os.mkdir(parent)
        fd = os.open(f"{parent}/file-{number:05d}.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(fd, text)
        os.close(fd)


def stat_all(paths: list[str]) -> None:
    for path in paths:
        os.stat(path)


def miss_all(paths: list[str]) -> None:
    for path in paths:
        try:
            os.stat(path)
        except FileNotFoundError:
            continue
        raise AssertionError(path)


def write_stream(path: pathlib.Path, size: int) -> None:
    block = os.urandom(1 << 20)
    with open(path, "wb", buffering=0) as stream:
        for _ in range(size >> 20):
            stream.write(block)


def read_stream(path: pathlib.Path) -> None:
    block = bytearray(1 << 17)
    with open(path, "rb", buffering=0) as stream:
        while stream.readinto(block):
            pass


def write_lines(path: pathlib.Path, count: int) -> None:
    line = b"2026-11-25T10:00:00 a line of a log that is about a hundred bytes long, as such lines tend to be ....\n"
    with open(path, "ab", buffering=0) as stream:
        for _ in range(count):
            stream.write(line)


def transact(path: pathlib.Path, count: int) -> None:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("create table entry (id integer primary key, text)")
    for number in range(count):
        base.execute("insert into entry (text) values (?)", (f"text {number}",))
    base.close()


def work(target: Native, scale: Scale, given: "Given") -> Iterator[tuple[str, float]]:
    """All work in one target, a pair of line and seconds at a time. Every line begins with what the one before left."""
    at = target.at / "work"
    at.mkdir()
    small = at / "small"
    small.mkdir()
    yield "create", timed(lambda: create(small, scale.small))
    paths = [f"{small}/{n // 300:03d}/file-{n:05d}.txt" for n in range(scale.small)]
    target.fresh()
    look = ("find", ".", "-size", "+9k")
    yield "find, cold", timed(lambda: run(*look, where=small))
    yield "find, warm", timed(lambda: run(*look, where=small))
    yield "stat, warm", timed(lambda: stat_all(paths))
    missing = [path + ".not" for path in paths]
    yield "stat of missing, first", timed(lambda: miss_all(missing))
    yield "stat of missing, again", timed(lambda: miss_all(missing))
    yield "rm -rf", timed(lambda: run("rm", "-rf", "small", where=at))

    listed = at / "listed"
    listed.mkdir()
    for number in range(scale.listed):
        (listed / f"entry-{number:05d}").touch()
    run("ls", "-l", where=listed)
    yield "ls -l, warm", timed(lambda: run("ls", "-l", where=listed))

    yield "untar", timed(lambda: run("tar", "-xf", given.tar, where=at))
    target.fresh()
    yield "grep -r, cold", timed(lambda: run("grep", "-rc", "import", "tree", where=at))
    yield "grep -r, warm", timed(lambda: run("grep", "-rc", "import", "tree", where=at))
    yield "cp -r", timed(lambda: run("cp", "-r", "tree", "copy", where=at))
    yield (
        "compileall",
        timed(lambda: run(sys.executable, "-m", "compileall", "-q", "copy/compiled", where=at)),
    )
    yield (
        "git clone",
        timed(lambda: run("git", "clone", "-q", "--no-hardlinks", given.repository, "clone", where=at)),
    )
    run("git", "status", where=at / "clone")
    yield "git status, warm", timed(lambda: run("git", "status", where=at / "clone"))

    stream = at / "stream"
    yield "write, stream", timed(lambda: write_stream(stream, scale.stream))
    target.fresh()
    yield "read, cold", timed(lambda: read_stream(stream))
    yield "read, warm", timed(lambda: read_stream(stream))
    yield "append 100 bytes", timed(lambda: write_lines(at / "log", scale.small))
    yield "sqlite", timed(lambda: transact(at / "base.db", scale.transactions))


class Given:
    """What is worked on: a tree of real source files as a tar, and as a git repository."""

    def __init__(self, root: pathlib.Path, files: int) -> None:
        library = pathlib.Path(os.__file__).parent
        found = sorted(
            path
            for path in library.rglob("*")
            if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
        )
        # compileall takes seconds a hundred files: it gets a part of its own
        tree = root / "given/tree"
        for number, path in enumerate(found[: files - files // 10]):
            self._copy(path, tree / f"{number // 100:03d}" / path.name)
        modules = [path for path in found if path.suffix == ".py" and "test" not in str(path)]
        for number, path in enumerate(modules[: files // 10]):
            self._copy(path, tree / "compiled" / f"m{number:03d}_{path.name}")
        self.tar = root / "given/tree.tar"
        with tarfile.open(self.tar, "w") as archive:
            archive.add(tree, "tree")
        self.repository = root / "given/repository"
        shutil.copytree(tree, self.repository)
        git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c")
        run(*git, "init", "-q", ".", where=self.repository)
        run(*git, "add", "-A", ".", where=self.repository)
        run(*git, "commit", "-qm", "all", where=self.repository)

    @staticmethod
    def _copy(path: pathlib.Path, to: pathlib.Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        if to.exists():
            to = to.with_name(f"{path.parent.name}_{path.name}")
        shutil.copyfile(path, to)


# --- The table -------------------------------------------------------------------------------------------------------


def geometric(values: list[float]) -> float:
    """The geometric mean: the only one that fits ratios."""
    return math.exp(sum(map(math.log, values)) / len(values))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", action="store_true", help="bindfs and mergerfs, where they are installed")
    parser.add_argument("--passthrough", metavar="BINARY", help="a built passthrough_ll of libfuse")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", type=int, default=1, metavar="N", help="an N-th of everything")
    parser.add_argument("--index", action="store_true", help="with the index at work")
    parser.add_argument("--only", metavar="WORD", help="print the lines that contain it (all are run)")
    parser.add_argument("--json", type=pathlib.Path, help="write all figures there")
    parser.add_argument("--compare", type=pathlib.Path, help="figures of another run of this bench")
    parser.add_argument("--dir", help="where to work: a folder of the file system to measure")
    parser.add_argument(
        "--option", action="append", default=[], metavar="O", help="an option for lsfs mount; repeatable"
    )
    parser.add_argument(
        "--without", action="append", default=[], metavar="NAME", help="lsfs without this, too; repeatable"
    )
    options = parser.parse_args()
    scale = Scale(options.quick)
    kinds: dict[str, Callable[[pathlib.Path], Native]] = {
        "native": Native,
        "lsfs": lambda root: Lsfs(root, options.index, options.option),
    }
    for name in options.without:
        kinds[f"-{name}"] = lambda root, name=name: Lsfs(root, options.index, options.option, name)  # type: ignore[misc]
    if options.peers:
        for name, kind in (("bindfs", Bindfs), ("mergerfs", Mergerfs)):
            if shutil.which(name):
                kinds[name] = kind
            else:
                print(f"{name} is not installed: apt install {name}", file=sys.stderr)
    if options.passthrough:
        Passthrough.binary = os.path.abspath(options.passthrough)
        kinds["passthrough_ll"] = Passthrough
    root = pathlib.Path(tempfile.mkdtemp(prefix="lsfs-bench-", dir=options.dir))
    seconds: dict[str, dict[str, list[float]]] = {name: {} for name in kinds}
    try:
        given = Given(root, scale.tree)
        for number in range(options.rounds):
            for name, kind in kinds.items():
                where = root / f"round{number}-{name}"
                where.mkdir()
                target = kind(where)
                try:
                    for line, took in work(target, scale, given):
                        seconds[name].setdefault(line, []).append(took)
                        print(f"round {number + 1} {name}: {line} {took:.3f} s", file=sys.stderr)
                finally:
                    target.close()
                    shutil.rmtree(where)
    finally:
        shutil.rmtree(root)
    medians = {
        name: {line: median(taken) for line, taken in lines.items()} for name, lines in seconds.items()
    }
    ratios = {
        name: {line: took / medians["native"][line] for line, took in lines.items()}
        for name, lines in medians.items()
        if name != "native"
    }
    before = json.loads(options.compare.read_text())["ratios"]["lsfs"] if options.compare else {}
    table(medians, ratios, before, options.only)
    if options.json:
        options.json.write_text(
            json.dumps({"rounds": options.rounds, "seconds": seconds, "ratios": ratios}, indent=1) + "\n"
        )


def table(medians: dict, ratios: dict, before: dict, only: str | None) -> None:
    """The table, and below it the geometric means and what they are held against."""
    peers = [name for name in ratios if name != "lsfs" and not name.startswith("-")]
    heads = ["native s", *ratios, *(["lsfs/best"] if peers else []), *(["lsfs/before"] if before else [])]
    print(f"{'':24}" + "".join(f"{head:>15}" for head in heads))
    for line, native in medians["native"].items():
        if only and only not in line:
            continue
        cells = [f"{native:.3f}", *(f"{ratios[name][line]:.2f}" for name in ratios)]
        if peers:
            cells.append(f"{ratios['lsfs'][line] / min(ratios[name][line] for name in peers):.2f}")
        if before:
            cells.append(f"{ratios['lsfs'][line] / before[line]:.2f}" if line in before else "-")
        print(f"{line:24}" + "".join(f"{cell:>15}" for cell in cells))
    means = {name: geometric(list(lines.values())) for name, lines in ratios.items()}
    print(f"{'geometric mean':24}{'':15}" + "".join(f"{means[name]:15.2f}" for name in ratios))
    for name in means:
        if name != "lsfs":
            print(f"lsfs / {name}: {means['lsfs'] / means[name]:.2f}")


if __name__ == "__main__":
    main()
