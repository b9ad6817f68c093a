"""sentence: texts become vectors by sentence-transformers: the reference, any model, CUDA. Its only importer.

Importing this module costs 5 CPU-seconds and some 400 MiB: the engine does it in a thread, when the first vector is needed.

Threading: a Sentence is not thread-safe; `meaning.Turns` gives its callers their turn.
"""

import logging
import os

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils.logging import disable_progress_bar

from lsfs.models import Model, ModelMissing, grouped, verify

log = logging.getLogger(__name__)


class Sentence:
    """A loaded model. `dimension`: the length of its vectors; they have length 1, so a dot product is the cosine."""

    characters = 8_000  # 0.2 s on two cores; smaller ones are slower

    def __init__(self, model: Model, threads: int = 0, device: str | None = None) -> None:
        """Load `model` on `device` (None: cuda where there is one, else cpu). Raises ModelMissing where the files are not usable."""
        verify(model)
        if threads:
            torch.set_num_threads(threads)
        disable_progress_bar()
        try:
            self._model = SentenceTransformer(str(model.folder), device=device, local_files_only=True)
        except (
            Exception
        ) as error:  # what a broken file makes the loaders raise is of every kind, and the model's fault
            raise ModelMissing(
                f"The model {model.name!r} does not load ({type(error).__name__}: {error})."
            ) from error
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.backend = f"torch on {self._model.device}"
        log.info(
            "model %s loaded on %s, %d numbers a vector, pid %d",
            model.name,
            self._model.device,
            self.dimension,
            os.getpid(),
        )

    def embed(self, texts: list[str]) -> np.ndarray:
        """Vectors of passages, float32, one row a text. One forward pass over all of them: the caller bounds the batch."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode_document(
            texts,
            batch_size=len(texts),
            show_progress_bar=False,
            normalize_embeddings=True,
            convert_to_numpy=True,
        )
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def parts(self, texts: list[str]) -> list[list[int]]:
        """The places of texts in groups for one forward pass each."""
        return grouped([len(text) for text in texts], self.characters)

    def embed_prompt(self, text: str) -> np.ndarray:
        """The vector of a question, float32.

        By one thread: OpenMP's threads spin while they wait for each other. That makes batches a third faster (35 passages a
        second against 26 with sleeping threads), and a question take seconds where something else keeps a core busy.
        """
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            vector = self._model.encode_query(
                text, show_progress_bar=False, normalize_embeddings=True, convert_to_numpy=True
            )
        finally:
            torch.set_num_threads(threads)
        return np.ascontiguousarray(vector, dtype=np.float32)
