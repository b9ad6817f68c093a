"""What the experiments share: a mount that is always taken away again, a conversation with its ctl, tables, and promises.

main(experiment)      runs it by the Python of .venv (scripts/setup makes it); the exit code is 1 where a promise was not kept
mounted(conf)         an empty folder, mounted at `bench.path`; both are gone afterwards, whatever happens
promise(kept, what)   what the experiment is for; all of them are said again at its end
"""

import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(CHECKOUT), str(CHECKOUT / "scripts")]  # lsfs, and the benches

from benches.common import LSFS, Bench, median, scratch, texts, timed  # noqa: E402

__all__ = [
    "CHECKOUT", "Bench", "LSFS", "ctl", "failed", "lsfs", "main", "median", "mounted", "promise", "table", "texts", "timed",
]  # fmt: skip

WORDS_ONLY = "[engine]\nmodel = none\n"
NO_INDEX = WORDS_ONLY + "[index]\nenabled = no\n"

_promises: list[tuple[bool, str]] = []


def main(experiment: Callable[[argparse.Namespace], None], about: str, **extra: dict) -> int:
    """Run an experiment with its command line: --quick, and the options in `extra` (name=what argparse is told; with nargs: arguments)."""
    _by_venv()
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller sizes: a minute or two")
    for name, told in extra.items():
        parser.add_argument(name if "nargs" in told else f"--{name}", **told)
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # so that everything is unmounted and removed
    with tempfile.TemporaryDirectory(prefix="lsfs-eval-") as own:
        os.environ["XDG_CONFIG_HOME"] = own  # the settings of who runs it are not measured
        experiment(options)
    print()
    for kept, what in _promises:
        print("kept  " if kept else "BROKEN", what)
    return 0 if _promises and all(kept for kept, _ in _promises) else 1


def _by_venv() -> None:
    """Become the Python of .venv, unless this is it."""
    venv = CHECKOUT / os.environ.get("LSFS_VENV", ".venv")
    if pathlib.Path(sys.prefix).resolve() == venv.resolve():
        return
    python = venv / "bin/python"
    if not python.exists():
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {python} is not there: run scripts/setup first")
    os.execv(python, [str(python), *sys.argv])


def promise(kept: bool, what: str) -> bool:
    """Note a promise; main's exit code is 1 where one was not kept."""
    _promises.append((bool(kept), what))
    return bool(kept)


@contextlib.contextmanager
def mounted(conf: str = "", fill: Callable[[pathlib.Path], object] | None = None) -> Iterator[Bench]:
    """A mount with this lsfs.conf over a folder that `fill` has filled."""
    with scratch() as bench:
        configure(bench.folder, conf)
        if fill is not None:
            fill(bench.folder)
        try:
            bench.mount()
            yield bench
        finally:
            unmount(bench)


def configure(folder: pathlib.Path, conf: str) -> None:
    """Write the lsfs.conf of a folder that is not mounted."""
    state = folder / ".lsfs"
    state.mkdir(mode=0o700, exist_ok=True)
    (state / "lsfs.conf").write_text(conf)


def unmount(bench: Bench) -> None:
    """As a user would, and by force where that fails, so that nothing is left."""
    if f" {bench.path} " not in pathlib.Path("/proc/self/mountinfo").read_text():
        return
    with contextlib.suppress(subprocess.CalledProcessError):
        bench.umount()
        return
    subprocess.run(["fusermount3", "-u", "-z", bench.path], check=False)


def lsfs(bench: Bench, *words: object, check: bool = True) -> str:
    """What the command `lsfs` prints, asked about this mount."""
    command = [*LSFS, *map(str, words), "--mount", str(bench.path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT)
    if check and done.returncode:
        raise RuntimeError(f"lsfs {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def ctl(top: pathlib.Path, line: str) -> str:
    """The reply to a line. Raises OSError with its errno where it is refused; the sentence is in `strerror`."""
    with open(top / "ctl", "r+b", buffering=0) as stream:
        try:
            stream.write(line.encode())
        except OSError as error:
            raise OSError(error.errno, stream.read().decode().strip() or error.strerror) from error
        return stream.read().decode()


def failed(call: Callable[..., object], *arguments: object) -> int:
    """The errno that a call fails with, 0 where it does not."""
    try:
        call(*arguments)
    except OSError as error:
        return error.errno or -1
    return 0


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table in Markdown, its columns aligned."""
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    print(f"\n{title}\n")
    for number, row in enumerate(cells):
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |")
        if not number:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    sys.stdout.flush()


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 100
        else f"{value:.0f}"
        if isinstance(value, float)
        else str(value)
    )
