"""What history costs: untar and clone with it on and off, a snapshot, a look into the past, a rollback, its space; all as ratios.

    scripts/bench history                     everything (about ten minutes)
    scripts/bench history untar snapshot      only these: untar clone snapshot question rollback versions space
    scripts/bench history --quick 10          a tenth of each work

Each ratio is taken in one run: history on against off (two mounts, in turn), a snapshot against an empty commit of SQLite with
synchronous=FULL on the same disk, a listing of the past against the live one, a question in the past against the same one live, a rollback
against cp -a and a sync of the same files, space against the bytes that changed.
"""

import argparse
import contextlib
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Iterator

from common import Bench, fill, median, scratch, show, timed

WORDS_ONLY = "[engine]\nmodel = none\n"
NO_INDEX = "[index]\nenabled = no\n"
OFF = "[history]\nenabled = no\n"


@contextlib.contextmanager
def mounted(conf: str) -> Iterator[Bench]:
    """A mount over an empty folder."""
    with scratch() as bench:
        configure(bench, conf)
        bench.mount()
        yield bench


def configure(bench: Bench, conf: str) -> None:
    """Write the lsfs.conf of a folder that is not mounted."""
    state = bench.folder / ".lsfs"
    state.mkdir(mode=0o700, exist_ok=True)
    (state / "lsfs.conf").write_text(conf)


def captured(bench: Bench, seconds: float = 900.0) -> None:
    """Wait until nothing waits to be captured."""
    deadline = time.monotonic() + seconds
    query = (
        "select count(*) from content c join entry e on e.content = c.id and e.died is null"
        " where c.digest is null and e.indexed and c.size <= 1048576"
    )
    while time.monotonic() < deadline:
        with contextlib.closing(
            sqlite3.connect(f"file:{bench.folder}/.lsfs/history.db?mode=ro", uri=True)
        ) as database:
            if not database.execute(query).fetchone()[0] and not bench.status()["scanning"]:
                return
        time.sleep(0.5)


def on_and_off(name: str, work, rounds: int, conf: str = NO_INDEX) -> None:
    """Seconds of a work with history on and off, in turn."""
    seconds: dict[str, list[float]] = {"on": [], "off": []}
    with mounted(conf) as on, mounted(conf + OFF) as off:
        for number in range(rounds):
            for which, bench in (("on", on), ("off", off)):
                place = bench.path / "files" / f"{name}{number}"
                place.mkdir()
                os.sync()
                seconds[which].append(timed(work, place))
    on_s, off_s = median(seconds["on"]), median(seconds["off"])
    show(figure=name, on_s=on_s, off_s=off_s, ratio=on_s / off_s, asked="at most 1.3")


def untar(part: int, rounds: int) -> None:
    """Closing written files: an untar of 3,000."""
    with scratch() as source:
        fill(source.folder, 3000 // part, 8000)
        archive = source.path / "tree.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(source.folder, "tree")
        on_and_off(
            "untar", lambda place: subprocess.run(["tar", "-xf", archive, "-C", place], check=True), rounds
        )


def clone(part: int, rounds: int) -> None:
    """git clone of a repository of a thousand files and two hundred commits."""
    with scratch() as source:
        fill(source.folder, 1000 // part, 6000)
        git = ["git", "-c", "user.name=b", "-c", "user.email=b@example.org", "-C", os.fspath(source.folder)]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", "first"], check=True)
        files = sorted(source.folder.rglob("*.md"))
        for number in range(200 // part):
            with open(files[number % len(files)], "a") as stream:
                stream.write(f"line {number}\n")
            subprocess.run([*git, "commit", "-qam", f"{number}"], check=True)
        command = ["git", "clone", "-q", "--no-local", source.folder]
        on_and_off("clone", lambda place: subprocess.run([*command, place / "c"], check=True), rounds)


def snapshot(part: int, rounds: int) -> None:
    """A snapshot of a clean tree of 100,000 files, against an empty commit; a listing of a folder in it, against the live one."""
    with scratch() as bench:
        count = 100_000 // part
        for number in range(count):
            folder = bench.folder / f"{number // 1000:03d}"
            if number % 1000 == 0:
                folder.mkdir()
            (folder / f"{number}").write_text(f"{number}\n")
        configure(bench, NO_INDEX + "[history]\ncapture = lazy\n")
        bench.mount()
        while bench.status()["scanning"]:
            time.sleep(0.2)
        os.mkdir(bench.path / "snapshots/first")
        taken = [timed(os.mkdir, bench.path / f"snapshots/s{number}") for number in range(4 * rounds)]
        database = sqlite3.connect(bench.folder.parent / "empty.db", isolation_level=None)
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.execute("create table t (n)")

        def commit(number: int) -> None:
            database.execute("begin immediate")
            database.execute("insert into t values (?)", (number,))
            database.execute("commit")

        commits = [timed(commit, number) for number in range(8 * rounds)]
        database.close()
        show(figure="snapshot", files=count, snapshot_ms=1000 * median(taken), commit_ms=1000 * median(commits),
             ratio=median(taken) / median(commits), asked="at most 3")  # fmt: skip
        live, past = [], []
        for number in range(min(20, count // 1000)):
            live.append(timed(os.listdir, bench.path / f"files/{number:03d}"))
            past.append(timed(os.listdir, bench.path / f"snapshots/s0/files/{number:03d}"))
        if live:
            show(figure="listing", live_ms=1000 * median(live), past_ms=1000 * median(past),
                 ratio=median(past) / median(live), asked="at most 3")  # fmt: skip


def question(part: int, rounds: int) -> None:
    """The same questions live and in the past, the first time each."""
    from questions import prompts

    with scratch() as bench:
        fill(bench.folder, max(60, 650 // part), 5000)
        bench.mount()
        bench.indexed(1800)
        captured(bench)
        os.mkdir(bench.path / "snapshots/then")
        os.listdir(bench.path / "query/warm up")
        os.listdir(bench.path / "snapshots/then/query/warm up")
        live, past = [], []
        for prompt in prompts(40 * rounds):
            live.append(timed(os.listdir, bench.path / "query" / prompt))
            past.append(timed(os.listdir, bench.path / "snapshots/then/query" / prompt))
        show(figure="question", live_p50_ms=1000 * median(live), past_p50_ms=1000 * median(past),
             ratio=median(past) / median(live), asked="at most 1.3")  # fmt: skip


def rollback(part: int, rounds: int) -> None:
    """Rollback of 1, 100 and 2,000 files, against cp -a and a sync of as many."""
    with mounted(NO_INDEX) as bench:
        for count in (1, 100, 2000 // part):
            folder = bench.path / "files" / f"r{count}"
            folder.mkdir()
            fill(folder, count, 8000)
            ratios, seconds, copies = [], [], []
            for number in range(rounds):
                os.mkdir(bench.path / f"snapshots/r{count}-{number}")
                for path in sorted(folder.rglob("*.md")):
                    path.write_text(f"changed {number} {path.name}\n" * 200)
                os.mkdir(bench.path / f"snapshots/c{count}-{number}")
                copy = bench.folder.parent / "copy"
                shutil.rmtree(copy, ignore_errors=True)
                os.sync()
                then = bench.folder / f"r{count}"

                def native(then: pathlib.Path = then, copy: pathlib.Path = copy) -> None:
                    subprocess.run(["cp", "-a", then, copy], check=True)
                    subprocess.run(["sync", "-f", copy], check=True)

                copies.append(timed(native))
                command = [
                    "lsfs",
                    "rollback",
                    f"files/r{count}",
                    "--to",
                    f"r{count}-{number}",
                    "--yes",
                    "--mount",
                    bench.path,
                ]
                seconds.append(timed(run_lsfs, command[1:]))
                ratios.append(seconds[-1] / copies[-1])
            show(
                figure="rollback",
                files=count,
                rollback_s=median(seconds),
                copy_s=median(copies),
                ratio=median(ratios),
            )


def run_lsfs(arguments: list) -> None:
    """One command of lsfs."""
    from common import CHECKOUT, LSFS

    subprocess.run([*LSFS, *arguments], check=True, cwd=CHECKOUT, stdout=subprocess.DEVNULL)


def versions(part: int, rounds: int) -> None:
    """Rollback of one file across 1, 40 and 1,000 versions."""
    with mounted(NO_INDEX + "[history]\npace = 100000\n") as bench:
        path = bench.path / "files/plan.md"
        most = max(50, 1000 // part)
        for number in range(most + 1):
            path.write_text(f"version {number}\n" * 100)
        first = None
        for count in (1, 40, most):
            command = [
                "rollback",
                "files/plan.md",
                "--versions",
                str(count),
                "--yes",
                "--mount",
                os.fspath(bench.path),
            ]
            seconds = []
            for _ in range(rounds):
                seconds.append(timed(run_lsfs, command))
                run_lsfs(["undo", "--yes", "--mount", os.fspath(bench.path)])
            first = first or median(seconds)
            show(
                figure="versions",
                back=count,
                rollback_s=median(seconds),
                ratio=median(seconds) / first,
                asked="flat",
            )


def space(part: int, rounds: int) -> None:
    """What is stored: of a text-heavy tree with capture = all, and of a hundred snapshots with 1 % change each."""
    with scratch() as bench:
        total = fill(bench.folder, 20_000 // part, 12_000)
        configure(bench, NO_INDEX + "[history]\ncapture = all\n")
        bench.mount()
        bench.indexed(600)
        captured(bench)
        wait_for_rest(bench)
        taken = size_of(bench)
        show(figure="space", bytes=total, stored=taken, ratio=taken / total, asked="at most 0.7")
    with mounted(NO_INDEX) as bench:
        chooser = random.Random(3)
        files = [bench.path / f"files/f{number}" for number in range(1000)]
        for path in files:
            path.write_bytes(chooser.randbytes(20_000))
        os.mkdir(bench.path / "snapshots/first")
        wait_for_rest(bench)
        before, changed = size_of(bench), 0
        for number in range(100 // min(part, 10)):
            for path in chooser.sample(files, 10):
                path.write_bytes(chooser.randbytes(20_000))
                changed += 20_000
            os.mkdir(bench.path / f"snapshots/s{number}")
        bench.umount()
        grown = size_of(bench) - before
        bench.mount()
        show(figure="snapshots", changed=changed, grown=grown, ratio=grown / changed, asked="at most 1.05")


def wait_for_rest(bench: Bench) -> None:
    """Until what was closed is committed and held files are stored."""
    while any((bench.folder / ".lsfs/held").glob("[0-9]*")):
        time.sleep(0.1)
    bench.umount()  # which checkpoints the database
    bench.mount()


def size_of(bench: Bench) -> int:
    """Bytes of history on the disk."""
    state = bench.folder / ".lsfs"
    paths = [state / "history.db", *(state / "packs").rglob("*")]
    return sum(path.stat().st_blocks * 512 for path in paths if path.is_file())


FIGURES = {
    "untar": untar, "clone": clone, "snapshot": snapshot, "question": question, "rollback": rollback,
    "versions": versions, "space": space,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", nargs="*", choices=[*FIGURES, []], default=[], metavar="FIGURE")
    parser.add_argument("--quick", type=int, default=1, metavar="N", help="one N-th of each work")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for name in options.figures or FIGURES:
        FIGURES[name](options.quick, options.rounds)


if __name__ == "__main__":
    main()
