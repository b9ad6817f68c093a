"""What an encoder does in a CPU-second, how long it takes for a question, and how near its vectors are: the engine's own, against torch.

Passages: of documents found on this machine, as long as lsfs cuts them. Each encoder has a process of its own, takes the passages sorted by
length (sentence-transformers sorts them itself) and, of several sizes of batches, the one that costs it least. A CPU-second is one of user
and system time of all its threads. ratio = ours / sentence-transformers in passages, sentence-transformers / ours in time.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
from common import median, show, texts, timed

LENGTH = 900  # characters: about 200 tokens
SIZES = (8, 16, 32)


def passages(count: int) -> list[str]:
    """Different passages of the length that lsfs cuts."""
    found: dict[str, None] = {}
    for text in texts():
        for start in range(0, min(len(text), 4 * LENGTH), LENGTH):
            if len(part := text[start : start + LENGTH].strip()) > 200:
                found[part] = None
        if len(found) >= count:
            break
    return sorted(list(found)[:count], key=len)


def child(backend: str, given: pathlib.Path) -> None:
    """Measure one encoder, in a process that never heard of the other."""
    from lsfs.models import find
    from lsfs.models.load import load

    encoder = load(find("all-MiniLM-L6-v2"), backend, min(2, os.cpu_count() or 1))
    texts, prompts = json.loads(given.read_text())
    encoder.embed(texts[:8])
    best, best_cpu, vectors = 0.0, 0.0, None
    for size in SIZES:
        wall, cpu = time.perf_counter(), time.process_time()
        vectors = numpy.concatenate([encoder.embed(texts[n : n + size]) for n in range(0, len(texts), size)])
        best = max(best, len(texts) / (time.perf_counter() - wall))
        best_cpu = max(best_cpu, len(texts) / (time.process_time() - cpu))
    encoder.embed_prompt("warm up")
    question = median([timed(encoder.embed_prompt, prompt) for prompt in prompts])
    numpy.save(given.with_name(f"{backend}.npy"), vectors)
    torch = "torch" in sys.modules
    print(
        json.dumps(
            {"s": best, "cpu_s": best_cpu, "question": question, "name": encoder.backend, "torch": torch}
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=300)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child[0], pathlib.Path(options.child[1]))
    with tempfile.TemporaryDirectory(prefix="lsfs-bench-") as folder:
        given = pathlib.Path(folder) / "given.json"
        texts = passages(options.passages)
        given.write_text(json.dumps([texts, [" ".join(text.split()[3:11]) for text in texts[:100]]]))
        found, vectors = {}, {}
        for backend in ("openvino", "torch"):
            command = [sys.executable, __file__, "--child", backend, str(given)]
            out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            found[backend] = json.loads(out)
            vectors[backend] = numpy.load(given.with_name(f"{backend}.npy"))
            show(encoder=found[backend]["name"], passages=len(texts), passages_per_s=found[backend]["s"],
                 passages_per_cpu_s=found[backend]["cpu_s"], question_ms=1000 * found[backend]["question"],
                 imports_torch=found[backend]["torch"])  # fmt: skip
    ours, theirs = found["openvino"], found["torch"]
    cosines = (vectors["openvino"] * vectors["torch"]).sum(axis=1)
    show(ratio_of_passages_per_cpu_s=ours["cpu_s"] / theirs["cpu_s"], ratio_of_passages_per_s=ours["s"] / theirs["s"],
         ratio_of_a_question=theirs["question"] / ours["question"],
         least_cosine=float(cosines.min()), mean_cosine=float(cosines.mean()))  # fmt: skip


if __name__ == "__main__":
    main()
