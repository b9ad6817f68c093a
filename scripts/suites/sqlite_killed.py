"""A database on a mount, written under kill -9: of the writer, and in every third round of the daemon below it.

    sqlite_killed.py LSFS FOLDER MOUNTPOINT ROUNDS

After each round the database has to be whole, and every transaction that was acknowledged has to be in it. Rollback journal and WAL
take turns. Prints a line for each round; ends with 1 at the first that fails.
"""

import json
import os
import pathlib
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time

WRITER = """
import sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
base.execute("pragma synchronous = full")
first = base.execute("select coalesce(max(id), 0) from entry").fetchone()[0]
for number in range(first + 1, first + 100000):
    base.execute("insert into entry values (?, ?)", (number, "x" * (number % 3000)))
    print(number, flush=True)
"""


def written(path: pathlib.Path, seconds: float, kill) -> int:
    """Let a writer work for some seconds, then kill; the last transaction that it said was done."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert writer.stdout is not None
    last, until = b"", time.monotonic() + seconds
    while time.monotonic() < until:
        if select.select([writer.stdout], [], [], 0.01)[0]:
            last = writer.stdout.readline() or last
    kill(writer)
    rest, _ = writer.communicate()
    lines = (last + rest).split(b"\n")[:-1]
    return int(lines[-1]) if lines else 0


def main() -> int:
    lsfs, folder, mountpoint, rounds = sys.argv[1:]
    chooser = random.Random(1)
    work = pathlib.Path(mountpoint, "files/work")
    for journal in ("delete", "wal"):
        base = sqlite3.connect(work / f"{journal}.db")
        base.execute(f"pragma journal_mode = {journal}")
        base.execute("create table entry (id integer primary key, text)")
        base.commit()
        base.close()

    def kill_daemon(writer: subprocess.Popen) -> None:
        pid = json.loads(pathlib.Path(mountpoint, "status.json").read_text())["pid"]
        daemon = os.pidfd_open(pid)
        signal.pidfd_send_signal(daemon, signal.SIGKILL)
        select.select([daemon], [], [], 10)
        os.close(daemon)
        writer.wait()
        subprocess.run([lsfs, "mount", "--allow-other", folder, mountpoint], check=True, capture_output=True)

    for number in range(int(rounds)):
        journal = ("delete", "wal")[number % 2]
        path = work / f"{journal}.db"
        daemon = number % 3 == 2
        last = written(path, chooser.uniform(0.2, 0.8), kill_daemon if daemon else subprocess.Popen.kill)
        base = sqlite3.connect(path)
        whole = base.execute("pragma integrity_check").fetchone()[0]
        count, most = base.execute("select count(*), max(id) from entry").fetchone()
        base.close()
        victim = "the daemon" if daemon else "the writer"
        print(f"{journal}: {victim} killed after transaction {last}; {count} are there; integrity: {whole}")
        if whole != "ok" or count != most or most < last:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
