"""A warm question in a folder of many passages, new and repeated, as `ls` sees it (os.listdir of its directory).

Against: one embedding of the same prompts by the engine's own encoder in this process, and one exact matrix product over as many vectors,
asked in turn with the mount, so that a busy machine is busy for both. ratio = new / (embedding + product).

The passages are paragraphs found on this machine, embedded, and noise: copies that lost a quarter of their words, with vectors moved a
little. Their files are real, PER_FILE passages each; the index over them is written down at once, since embedding them would take hours.
`--recall` holds the nearest passages that LanceDB finds against the exact ones.
`--writes N` writes N small files through the mount, one after the other, and asks on: slowed_while, slowed_after = the p50 while they are
being indexed, and right after, to the p50 before.
"""

import argparse
import os
import pathlib
import random
import re
import threading
import time
from collections.abc import Iterator

import numpy
from common import Bench, fill_index, median, percentile, scratch, show, texts, timed

PER_FILE = 20
REAL = 2000  # paragraphs that are embedded
PARAGRAPH = 800  # characters
LOST = 0.25  # of a copy's words
MOVED = 0.035  # in each dimension: cosines of .8 to the original
BATCH = 5000


def paragraphs(count: int) -> list[str]:
    """Different real paragraphs."""
    found: dict[str, None] = {}
    for text in texts():
        found[" ".join(text[:PARAGRAPH].split())] = None
        if len(found) == count:
            break
    return list(found)


def prompts(real: list[str], count: int) -> list[str]:
    """Different questions: three to seven words of a paragraph, most of them common ones."""
    chooser, found = random.Random(7), {}
    while len(found) < count:
        words = re.findall(r"[A-Za-z]{3,}", chooser.choice(real))
        if len(words) > 10:
            found[" ".join(["how", *chooser.sample(words, chooser.randint(3, 7))])] = None
    return list(found)


def passages(
    real: list[str], vectors: numpy.ndarray, count: int
) -> Iterator[list[tuple[str, numpy.ndarray]]]:
    """Files of PER_FILE (text, vector)."""
    chooser, noise = random.Random(1), numpy.random.default_rng(1)
    for first in range(0, count, PER_FILE):
        file = []
        for number in range(first, min(first + PER_FILE, count)):
            of = number if number < len(real) else chooser.randrange(len(real))
            text, vector = real[of], vectors[of]
            if number >= len(real):
                text = " ".join(word for word in text.split() if chooser.random() > LOST)
                vector = vector + noise.normal(0, MOVED, len(vector)).astype("f4")
                vector /= numpy.linalg.norm(vector)
            file.append((f"{text} #{number}", vector))
        yield file


def settled(bench: Bench, seconds: float) -> dict:
    """Wait until all is indexed, Lance answers, and the segments of its words are made; the last status."""
    deadline = time.monotonic() + seconds
    status = bench.indexed(seconds)
    index = bench.folder / ".lsfs" / "index"
    asked = 0
    while time.monotonic() < deadline:
        asked += 1
        answer = (bench.path / "query" / f"warm up {asked}" / "results.json").read_text()
        if '"meaning": "used"' in answer and not list(index.glob("*.coming")):
            names = sorted(index.glob("*.segment"))
            time.sleep(15)
            if names == sorted(index.glob("*.segment")):
                break
        time.sleep(2)
    return status


def recall(
    table: numpy.ndarray, ids: numpy.ndarray, folder: pathlib.Path, asked: list[numpy.ndarray]
) -> float:
    """Of the ten nearest passages, how many LanceDB finds."""
    from lsfs.index.lance import Table

    lance = Table(folder, table.shape[1])
    found = 0
    for vector in asked:
        exact = set(ids[numpy.argpartition(-(table @ vector), 10)[:10]].tolist())
        found += len(exact & {passage for passage, _ in lance.search(vector, 100)[:10]})
    return found / (10 * len(asked))


def write(folder: pathlib.Path, texts: list[str], count: int) -> None:
    """Small notes, each a file of its own."""
    folder.mkdir()
    for number in range(count):
        (folder / f"note-{number:05d}.txt").write_text(f"{texts[number % len(texts)][:200]} note {number}\n")


def asked_beside(bench: Bench, real: list[str], questions: list[str], count: int, before: float) -> None:
    """What a question takes while small files are written and indexed, and afterwards."""
    writer = threading.Thread(target=write, args=(bench.path / "files" / "notes", real, count))
    began, took, left = time.monotonic(), [], iter(questions)
    writer.start()
    while writer.is_alive() or bench.status()["pending"]:
        took += [
            timed(os.listdir, bench.path / "query" / prompt)
            for prompt, _ in zip(left, range(5), strict=False)
        ]
    writer.join()
    seconds = time.monotonic() - began
    after = [
        timed(os.listdir, bench.path / "query" / prompt) for prompt, _ in zip(left, range(200), strict=False)
    ]
    show(
        writes=count, indexed_s=seconds, asked_while=len(took), asked_after=len(after),
        while_p50_ms=1000 * median(took), while_p95_ms=1000 * percentile(took, 0.95), after_p50_ms=1000 * median(after),
        slowed_while=median(took) / before, slowed_after=median(after) / before,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--patience", type=float, default=1800.0, help="seconds to wait for the index")
    parser.add_argument("--recall", action="store_true")
    parser.add_argument("--writes", type=int, default=0, help="small files written while questions are asked")
    parser.add_argument("--scratch", help="where to make the folder (10 GB for 1,000,000 passages)")
    options = parser.parse_args()
    from lsfs.models import find
    from lsfs.models.load import load

    model = find("all-MiniLM-L6-v2")
    encoder = load(model, threads=min(2, os.cpu_count() or 1))
    real = paragraphs(REAL)
    vectors = numpy.concatenate([encoder.embed(real[n : n + 32]) for n in range(0, len(real), 32)])
    asked = prompts(real, options.questions)
    with scratch(options.scratch) as bench:
        began = time.monotonic()
        ids, table = fill_index(bench.folder, model.identity, passages(real, vectors, options.passages))
        show(passages=len(ids), made_s=time.monotonic() - began)
        began = time.monotonic()
        bench.mount()
        status = settled(bench, options.patience)
        show(pending=status["pending"], files=status.get("files"), settled_s=time.monotonic() - began)
        encoder.embed_prompt("warm up")
        new, bare = [], []
        for prompt in asked:
            new.append(timed(os.listdir, bench.path / "query" / prompt))
            bare.append((timed(encoder.embed_prompt, prompt), timed(lambda: table @ vectors[0])))
        again = [timed(os.listdir, bench.path / "query" / prompt) for prompt in asked[-100:]]
        embedding, product = median(part[0] for part in bare), median(part[1] for part in bare)
        show(new_p50_ms=1000 * median(new), new_p95_ms=1000 * percentile(new, 0.95), slowest_ms=1000 * max(new),
             repeated_p50_ms=1000 * median(again), repeated_p95_ms=1000 * percentile(again, 0.95))  # fmt: skip
        show(
            embedding_ms=1000 * embedding,
            product_ms=1000 * product,
            ratio=median(new) / (embedding + product),
        )
        if options.writes:
            fresh = prompts(real, options.questions + 5000)[options.questions :]
            asked_beside(bench, real, fresh, options.writes, median(new))
        show(engine_mib=bench.status()["engine"]["memory"] / (1 << 20))
        if options.recall:
            bench.umount()
            (folder,) = (
                path for path in (bench.folder / ".lsfs" / "index" / "lance").iterdir() if path.is_dir()
            )
            show(recall_at_10=recall(table, ids, folder, [encoder.embed_prompt(prompt) for prompt in asked]))


if __name__ == "__main__":
    main()
