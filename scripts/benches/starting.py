"""How long `lsfs --help` takes, against the `import click` that it cannot avoid.

The two are run in turn, so that a busy machine is as unkind to one as to the other; printed are medians and their ratio.
"""

import json
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "lsfs --help": [sys.executable, "-m", "lsfs", "--help"],
    "import click": [sys.executable, "-c", "import click"],
}


def once(command: list[str]) -> float:
    """Milliseconds that the command takes."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - started)


def main() -> int:
    runs = max(9, int(sys.argv[1]) if len(sys.argv) > 1 else 15)
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for command in COMMANDS.values():  # once beforehand, for the byte code
        once(command)
    for _ in range(runs):
        for name, command in COMMANDS.items():
            times[name].append(once(command))
    medians = {name: round(statistics.median(values), 1) for name, values in times.items()}
    ratio = medians["lsfs --help"] / medians["import click"]
    print(json.dumps({"runs": runs, "median_ms": medians, "ratio": round(ratio, 2)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
