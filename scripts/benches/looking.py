"""`grep -r`, `find` and `du` over a whole mount, saved questions included: no search, no embedding. Exits 1 if there was one."""

import pathlib
import subprocess
import sys

from common import fill, scratch, show, timed


def run(command: list[str], path: pathlib.Path) -> None:
    subprocess.run(command, cwd=path, capture_output=True)


def main() -> int:
    with scratch() as bench:
        fill(bench.folder, 200, 2000)
        bench.mount()
        bench.indexed(600)
        (bench.path / "query" / "warranty and liability").mkdir()
        (bench.path / "query" / "how to install it").mkdir()
        bench.indexed(60)
        before = bench.status()
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
