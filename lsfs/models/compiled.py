"""compiled: texts become vectors by OpenVINO, without torch. With `bert`, which builds their graph, the only user of it.

Loads in half a second and 0.3 GiB where `sentence` takes five and 0.7, and embeds twice as many passages a second where the processor
computes in bfloat16, a third more where it does not. The default model keeps a cosine of .9999 and more to the reference in bfloat16, which
a test demands; with any other one that is tried when it is loaded, and float32 taken where it does not.

Threading: a Compiled is not thread-safe; `meaning.Turns` gives its callers their turn.
"""

import logging
import os
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from lsfs.models import Model, ModelMissing, grouped, verify
from lsfs.models.bert import graph, library

log = logging.getLogger(__name__)

STEP = 16  # tokens: a batch is padded to a multiple of it, so that there are few shapes: OpenVINO prepares its kernels for each new one
EXACT = 0.9999  # cosine
SAMPLE = [
    "Refunds over 500 need two signatures.",
    "def parse_header(line: str) -> dict[str, str]:",
    "Wer zahlt, wenn der Mieter auszieht?",
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files, to "
    "deal in the software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute. "
    * 8,
]


class Compiled:
    """A loaded model of the BERT family. `dimension`: the length of its vectors; they have length 1, so a dot product is the cosine."""

    tokens = 512  # of a forward pass, padding counted: 35 ms on two cores; larger ones are no faster. By characters, code and prose of one
    # length are padded to the longest of them: a third fewer short passages a second

    def __init__(self, model: Model, threads: int = 0) -> None:
        """Load `model` for `threads` threads (0: as many as there are cores). Raises ModelMissing where the files are not usable."""
        verify(model)
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        self._window = model.window
        try:
            self._tokenizer = Tokenizer.from_file(str(model.folder / "tokenizer.json"))
            self._tokenizer.enable_truncation(model.window)
            self._tokenizer.no_padding()
            core, made = library().Core(), graph(model.folder)
            self._compiled = core.compile_model(made, "CPU", settings)
            self.dimension = int(self._compiled.output(0).partial_shape[1].get_length())
            self._precision = self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
            if model.sha256 is None and self._precision != "f32":
                self._check(core.compile_model(made, "CPU", settings | {"INFERENCE_PRECISION_HINT": "f32"}))
        except Exception as error:  # tokenizers raises bare Exceptions
            raise ModelMissing(
                f"The model {model.name!r} does not load ({type(error).__name__}: {str(error)[:300]})."
            ) from error
        self.backend = f"openvino in {self._precision}"
        log.info(
            "model %s: %s, %d numbers a vector, pid %d", model.name, self.backend, self.dimension, os.getpid()
        )

    def embed(self, texts: list[str]) -> np.ndarray:
        """Vectors of passages, float32, one row a text. One forward pass over all of them: the caller bounds the batch."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        try:
            tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        except Exception as error:  # tokenizers raises bare Exceptions
            raise ValueError(str(error)) from error
        width = min(self._window, -(-max(map(len, tokens)) // STEP) * STEP)
        ids: np.ndarray = np.zeros((len(texts), width), dtype=np.int32)
        mask: np.ndarray = np.zeros((len(texts), width), dtype=np.float32)
        for row, found in enumerate(tokens):
            ids[row, : len(found)] = found
            mask[row, : len(found)] = 1.0
        vectors = self._compiled([ids, mask])[0]
        if vectors.shape != (len(texts), self.dimension):
            raise RuntimeError(f"OpenVINO gave {vectors.shape} for {len(texts)} texts")
        return np.ascontiguousarray(
            vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32
        )

    def parts(self, texts: list[str]) -> list[list[int]]:
        """The places of texts in groups for one forward pass each."""
        try:
            tokens = [len(encoding.ids) for encoding in self._tokenizer.encode_batch(texts)]
        except Exception:  # tokenizers raises bare Exceptions: `embed` says which text it is
            return [[place] for place in range(len(texts))]
        return grouped([-(-count // STEP) * STEP for count in tokens], self.tokens)

    def _check(self, exact: Any) -> None:
        """Compute in float32 from now on where the processor's own precision gives other vectors: the deeper a model, the more it loses."""
        ours = self.embed(SAMPLE)
        rounded, self._compiled = self._compiled, exact
        if float((ours * self.embed(SAMPLE)).sum(axis=1).min()) > EXACT:
            self._compiled = rounded
        else:
            self._precision = "f32"

    def embed_prompt(self, text: str) -> np.ndarray:
        """The vector of a question, float32."""
        return self.embed([text])[0]
