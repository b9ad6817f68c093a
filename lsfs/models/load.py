"""load: a model becomes an encoder, by the fastest backend that computes it exactly.

`openvino` (`compiled.py`) takes models of the BERT family on a CPU, `torch` (`sentence.py`) takes every sentence-transformers model, and
CUDA where there is some. Each import is made here, when it is needed.
"""

import logging
from pathlib import Path

from lsfs.models import Encoder, Model, ModelMissing
from lsfs.models.suitable import unsuitable

log = logging.getLogger(__name__)

DEVICES = Path("/dev")
AUTO, OPENVINO, TORCH = BACKENDS = ("auto", "openvino", "torch")
GPUS = ("nvidia[0-9]*", "dxg", "kfd")  # below /dev: CUDA, CUDA in WSL2, ROCm


def load(model: Model, backend: str = AUTO, threads: int = 0) -> Encoder:
    """`model`, loaded for `threads` threads (0: as the backend likes). Raises ModelMissing where it cannot be."""
    if backend == TORCH or (backend == AUTO and _cuda()):
        return _torch(model, threads)
    try:
        reason = unsuitable(model.folder)
    except Exception as error:  # somebody else's JSON can be of any shape
        reason = f"its files cannot be read ({type(error).__name__}: {error})"
    if reason is None:
        try:
            from lsfs.models.compiled import Compiled

            return Compiled(model, threads)
        except (ModelMissing, ImportError) as error:
            reason = str(error)
    if backend == OPENVINO:
        raise ModelMissing(
            f"OpenVINO cannot compute the model {model.name!r}: {reason.rstrip('.')}; set backend = auto."
        )
    log.info("OpenVINO cannot compute the model %s (%s): torch does", model.name, reason)
    return _torch(model, threads)


def _torch(model: Model, threads: int) -> Encoder:
    try:
        from lsfs.models.sentence import Sentence
    except Exception as error:  # what versions that do not fit each other raise is of every kind
        raise ModelMissing(f"torch cannot be loaded ({error}): install lsfs again.") from error
    return Sentence(model, threads)


def _cuda() -> bool:
    """Whether torch has a GPU to compute on. Asking it costs seconds, so the device is looked for first."""
    if not any(True for pattern in GPUS for _ in DEVICES.glob(pattern)):
        return False
    try:
        import torch

        return torch.cuda.is_available()
    except Exception as error:  # a library that does not fit the driver
        log.warning("there is a GPU, and torch does not use it: %s", error)
        return False
