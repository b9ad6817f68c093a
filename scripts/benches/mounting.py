"""20,000 files, median 15 KiB: mount, list, ask, while the index has hardly begun; and the memory of both processes.

Ratios: `ls files` of the fresh mount against `ls` of the folder itself.
"""

import argparse
import os
import subprocess
import time

from common import fill, median, resident, scratch, show, timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--median", type=int, default=15 * 1024, help="bytes")
    parser.add_argument(
        "--watch", type=float, default=120.0, help="seconds to look at memory while indexing goes on"
    )
    options = parser.parse_args()
    with scratch() as bench:
        written = fill(bench.folder, options.files, options.median)
        show(files=options.files, bytes=written)
        bench.mount()
        first = timed(lambda: subprocess.run(["ls", bench.path / "files"], stdout=subprocess.DEVNULL))
        began = time.perf_counter()
        hits = os.listdir(bench.path / "query" / "how is a license granted")
        show(
            mount_s=bench.mount_seconds,
            first_ls_s=first,
            first_answer_s=time.perf_counter() - began,
            entries=len(hits),
        )
        mounted = [timed(os.listdir, bench.path / "files") for _ in range(9)]
        native = [timed(os.listdir, bench.folder) for _ in range(9)]
        show(ls_median_s=median(mounted), ratio_to_native=median(mounted) / median(native))
        peak = {"daemon": 0.0, "engine": 0.0}
        deadline = time.monotonic() + options.watch
        while time.monotonic() < deadline:
            status = bench.status()
            peak["daemon"] = max(peak["daemon"], resident(status["pid"]))
            peak["engine"] = max(peak["engine"], resident(status["engine"]["pid"]))
            if status["pending"] == 0:
                break
            time.sleep(1)
        show(daemon_MiB=peak["daemon"], engine_MiB=peak["engine"], files=status["files"], pending=status["pending"],
             passages=status["engine"]["passages"], embedded=status["engine"]["embedded"])  # fmt: skip


if __name__ == "__main__":
    main()
