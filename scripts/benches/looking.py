"""`grep -r`, `find` and `du` over a whole mount, saved questions included: no search, no embedding. Exits 1 if there was one."""

import pathlib
import subprocess
import sys
import time

from common import fill, scratch, show, timed

SAVED = ("warranty and liability", "how to install it")


def run(command: list[str], path: pathlib.Path) -> None:
    subprocess.run(command, cwd=path, capture_output=True)


def main() -> int:
    with scratch() as bench:
        fill(bench.folder, 200, 2000)
        bench.mount()
        bench.indexed(600)
        for question in SAVED:
            (bench.path / "query" / question).mkdir()
        while (before := bench.status())["prompts"] < len(
            SAVED
        ):  # saving asks each once; the engine tells its numbers once a second
            time.sleep(0.2)
        for command in (["grep", "-r", "nowhere to be found"], ["find"], ["du", "-s"], ["ls", "-lR"]):
            seconds = timed(run, [*command, "."], bench.path)
            after = bench.status()
            figures = {key: after[key] - before[key] for key in ("searches", "embeddings", "prompts")}
            show(command=" ".join(command), seconds=seconds, **figures)
            if any(figures.values()):
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
