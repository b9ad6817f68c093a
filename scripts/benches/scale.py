"""Indexing many small files: memory of both processes as their number grows, the pace, and what an engine that is killed loses.

Every tenth file is a copy of another one, which embeds nothing. Once half of the files have a vector, the engine is killed with SIGKILL;
what it had embedded and not yet written down is lost: at most one batch. grows = the engine's memory at the end / when a tenth was
embedded.
"""

import argparse
import itertools
import os
import pathlib
import random
import signal
import sqlite3
import time

from common import Bench, resident, scratch, show, texts

PER_FOLDER = 500
LENGTH = 240  # characters
COPIED = 10  # every so manieth file


def fill(folder: pathlib.Path, count: int) -> int:
    """Notes; returns how many different ones."""
    some = [text[:2000] for text in itertools.islice(texts(), 2000)]
    cut = {text[start : start + LENGTH] for text in some for start in range(0, len(text), LENGTH)}
    found = {" ".join(part.split()) for part in cut}
    parts = sorted(part for part in found if len(part) > LENGTH // 2)
    chooser, before = random.Random(3), ""
    for number in range(count):
        if number % PER_FOLDER == 0:
            within = folder / f"part{number // PER_FOLDER:04d}"
            within.mkdir()
        if number % COPIED or not before:
            before = f"{chooser.choice(parts)} Note {number}.\n"
        (within / f"note-{number:06d}.txt").write_text(before, encoding="utf-8", errors="replace")
    return count - (count - 1) // COPIED


def vectors(bench: Bench) -> int:
    """How many are on the disk."""
    db = sqlite3.connect(f"file:{bench.folder}/.lsfs/vectors.db?mode=ro", uri=True)
    try:
        return db.execute("select count(*) from vector").fetchone()[0]
    finally:
        db.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--every", type=float, default=15.0, help="seconds between two looks")
    parser.add_argument("--scratch", help="where to make the folder")
    options = parser.parse_args()
    with scratch(options.scratch) as bench:
        different = fill(bench.folder, options.files)
        began = time.monotonic()
        bench.mount()
        early = read = killed = before = told = 0.0
        while True:
            status, seconds = bench.status(), time.monotonic() - began
            engine = status["engine"]
            progress = status["progress"] or {}
            passages, files = progress.get("passages") or {}, progress.get("files") or {}
            done = passages.get("done", 0)
            memory = resident(engine["pid"])
            show(after_s=seconds, files_read=files.get("done"), embedded=done, rate=passages.get("rate"), left_s=progress.get("left"),
                 pending=status["pending"], engine_MiB=memory, daemon_MiB=resident(status["pid"]))  # fmt: skip
            if not read and status["pending"] and files.get("done") == files.get("whole"):
                read = seconds
            if not early and done >= options.files / 10:
                early = memory
            if not killed and done >= options.files / 2:
                told, before = done, vectors(bench)
                os.kill(engine["pid"], signal.SIGKILL)
                killed = seconds
            if status["pending"] == 0 and not status["scanning"]:
                break
            time.sleep(options.every)
        kept = vectors(bench)
        last = resident(bench.status()["engine"]["pid"])
        show(files=options.files, different=different, words_s=read, whole_s=seconds, files_per_s=options.files / seconds,
             killed_at_s=killed, told_at_the_kill=told,
             kept_at_the_kill=before, vectors=kept, engine_MiB=last, grows=last / early if early else None)  # fmt: skip


if __name__ == "__main__":
    main()
