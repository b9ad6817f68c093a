"""What the benches share: a mount that is always taken away again, real text, medians and ratios."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

LSFS = [sys.executable, "-m", "lsfs"]
CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def texts(seed: int = 1) -> Iterator[str]:
    """Paragraphs of real English prose and code found on any Debian machine with Python, in a repeatable order."""
    roots = [pathlib.Path("/usr/share/doc"), pathlib.Path(os.__file__).parent]
    found = []
    for root in roots:
        for pattern in ("*.txt", "*.md", "README*", "copyright", "*.py", "*.rst"):
            found += [path for path in root.rglob(pattern) if path.is_file() and path.suffix != ".gz"]
    found = sorted(set(found))
    chooser = random.Random(seed)
    chooser.shuffle(found)
    while True:
        for path in found:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                yield from (part for part in path.read_text("utf-8").split("\n\n") if len(part) > 40)


def fill(folder: pathlib.Path, files: int, median: int, seed: int = 1) -> int:
    """Write `files` text files, sizes log-normal around `median` bytes, 200 a folder. Returns the bytes written."""
    chooser = random.Random(seed)
    parts = texts(seed)
    total = 0
    for number in range(files):
        parent = folder / f"part{number // 200:03d}"
        parent.mkdir(exist_ok=True)
        wanted = int(chooser.lognormvariate(0, 0.8) * median)
        text = f"# Document {number}\n\n"
        while len(text) < wanted:
            text += next(parts) + "\n\n"
        (parent / f"document-{number:05d}.md").write_text(text[: max(wanted, 64)], encoding="utf-8")
        total += wanted
    return total


class Bench:
    """One mounted folder of a bench."""

    def __init__(self, folder: pathlib.Path, path: pathlib.Path) -> None:
        self.folder, self.path = folder, path
        self.mount_seconds = 0.0

    def mount(self, *options: str) -> None:
        began = time.perf_counter()
        subprocess.run([*LSFS, "mount", self.folder, self.path, *options], check=True, cwd=CHECKOUT)
        self.mount_seconds = time.perf_counter() - began

    def umount(self) -> None:
        subprocess.run([*LSFS, "umount", self.path], check=True, cwd=CHECKOUT)

    def status(self) -> dict:
        return json.loads((self.path / "status.json").read_text())

    def indexed(self, seconds: float) -> dict:
        """Wait until nothing is pending, or `seconds` have gone; the last status."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.status()
            if (status["pending"] == 0 and not status["scanning"]) or time.monotonic() > deadline:
                return status
            time.sleep(0.5)


@contextlib.contextmanager
def scratch(keep: str | None = None) -> Iterator[Bench]:
    """An empty folder and an empty mountpoint, both gone afterwards; the mount is taken away whatever happens."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="lsfs-bench-", dir=keep))
    bench = Bench(root / "folder", root / "mount")
    bench.folder.mkdir()
    bench.path.mkdir()
    try:
        yield bench
    finally:
        if os.path.ismount(bench.path):
            bench.umount()
        shutil.rmtree(root)


def resident(pid: int | None) -> float:
    """Resident memory of a process in MiB; 0 when there is none."""
    with contextlib.suppress(OSError, TypeError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def percentile(values: list[float], part: float) -> float:
    """The value below which `part` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def timed(call, *arguments) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - began


def show(**figures: object) -> None:
    """One line of JSON: a figure that another run can be held against."""
    print(
        json.dumps(
            {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}
        )
    )


median = statistics.median


def fill_index(folder, identity, files):
    """Write files of passages, and the index of them as if the engine had read and embedded them.

    folder: the folder to be mounted; identity: the model's; files: of each its (text, vector)s. Returns (ids, vectors) of all passages."""
    import hashlib

    import numpy

    from lsfs.engine.document import Cut
    from lsfs.history.store import open_history
    from lsfs.index.backlog import SHIFT
    from lsfs.index.store import Store, key_of
    from lsfs.index.vectors import Vectors

    state = folder / ".lsfs"
    state.mkdir(mode=0o700)
    open_history(state / "history.db").close()
    store = Store(state / "index", str(state / "history.db"), f"{identity}:vectors")
    kept = Vectors(state / "vectors.db", identity)
    ids: list[int] = []
    table = []
    batch: list[tuple[bytes, numpy.ndarray]] = []
    with contextlib.ExitStack() as stack:
        for number, file in enumerate(files):
            if number % 200 == 0:  # files of one folder, and of one transaction
                stack.close()
                kept.put(batch)
                batch = []
                parent = folder / f"part{number // 200:04d}"
                parent.mkdir()
                db = stack.enter_context(store.writing())
            text = "\n\n".join(part for part, _ in file) + "\n"
            (parent / f"document-{number:06d}.md").write_text(text, encoding="utf-8")
            digest = hashlib.blake2b(text.encode(), digest_size=32).digest()
            cuts = [Cut(2 * n + 1, 2 * n + 1, "", part) for n, (part, _) in enumerate(file)]
            store.add(digest, "markdown", cuts, True, False)
            (content,) = db.execute("select id from content where digest = ?", (digest,)).fetchone()
            ids += [(content << SHIFT) + n for n in range(len(file))]
            table += [vector for _, vector in file]
            batch += [(key_of("", part), vector) for part, vector in file]
            db.execute("delete from waiting")
            db.execute("update content set embedded = 1 where id = ?", (content,))
        stack.close()
        kept.put(batch)
    kept.close()
    store.close()
    return numpy.array(ids), numpy.array(table, dtype="f4")
