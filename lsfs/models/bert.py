"""bert: a model of the BERT family as an OpenVINO graph, built from the model's own files, without torch.

`suitable` is asked first: what it lets through is computed as sentence-transformers does, which a test compares for the packaged model and
for small ones of each kind. The layers are those of Devlin et al., "BERT" (2018): embed,
then for each layer attention, add and norm, feed forward, add and norm (the norms after, as BERT has them).

Called by `compiled`; pure but for reading the folder.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lsfs.models.suitable import WEIGHTS, pooling_of, read

if TYPE_CHECKING:
    import openvino

MASKED = -10_000.0  # added to the scores of padding: exp(-10000) is 0, and it fits a bfloat16


def library() -> Any:
    """The module openvino, imported in such a way that nothing reports its use."""
    # its converter, which is not needed here, would load a package that sends statistics; without it openvino takes its own stub
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def weights(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file by their names in a BertModel, float32."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        keys = list(file.keys())
        if len({key.removeprefix("bert.") for key in keys}) < len(keys):
            raise ValueError(f"{path.name} has two tensors of one name")
        return {key.removeprefix("bert."): file.get_tensor(key).astype(np.float32) for key in keys}


def graph(folder: Path) -> "openvino.Model":
    """The model as a graph. Inputs: `ids`, int32 (texts, tokens), and `mask`, float32 of the same shape, 1 for a token, 0 for padding.

    Output: float32 (texts, dimension), not normalised. Raises KeyError, ValueError, OSError or RuntimeError where the files do not fit."""
    return _Graph(read(folder, "config.json"), weights(folder / WEIGHTS)).model(pooling_of(folder) or "mean")


class _Graph:
    """The layers, each a method from tensor to tensor."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        self._openvino = library()
        self._op = self._openvino.opset15
        self._weights = weights
        self._layers: int = config["num_hidden_layers"]
        self._heads: int = config["num_attention_heads"]
        self._size: int = config["hidden_size"]
        self._epsilon: float = config.get("layer_norm_eps", 1e-12)
        self._activation: str = config.get("hidden_act") or "gelu"
        for name, rows in (("word", config["vocab_size"]), ("position", config["max_position_embeddings"])):
            if len(weights[f"embeddings.{name}_embeddings.weight"]) != rows:
                raise ValueError(f"{WEIGHTS} has not the {rows} {name}s that config.json says")

    def model(self, pooling: str) -> "openvino.Model":
        op, constant = self._op, self._constant
        ids = op.parameter([-1, -1], self._openvino.Type.i32, name="ids")
        mask = op.parameter([-1, -1], self._openvino.Type.f32, name="mask")
        hidden = self._embedded(ids)
        padding = op.multiply(
            op.subtract(constant(np.float32(1)), op.unsqueeze(mask, constant(np.array([1, 2])))),
            constant(np.float32(MASKED)),
        )
        for number in range(self._layers):
            hidden = self._layer(f"encoder.layer.{number}.", hidden, padding)
        pooled = self._first(hidden) if pooling == "cls" else self._mean(hidden, mask)
        return self._openvino.Model([pooled], [ids, mask], "bert")

    def _constant(self, value: Any) -> Any:
        return self._op.constant(np.array(value, order="C"))

    def _weight(self, name: str) -> Any:
        return self._constant(self._weights[name])

    def _embedded(self, ids: Any) -> Any:
        op, constant = self._op, self._constant
        tokens = op.gather(op.shape_of(ids, "i64"), constant(np.array([1], np.int64)), constant(np.int64(0)))
        # there is one text in each row, so each token is of the first type
        table = (
            self._weights["embeddings.position_embeddings.weight"]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        zero, one = constant(np.array([0], np.int64)), constant(np.array([1], np.int64))
        places = op.slice(constant(table), zero, tokens, one, zero)
        words = op.gather(self._weight("embeddings.word_embeddings.weight"), ids, constant(np.int64(0)))
        return self._norm(op.add(words, places), "embeddings.LayerNorm")

    def _layer(self, name: str, hidden: Any, padding: Any) -> Any:
        op, constant = self._op, self._constant
        query, key, value = (
            self._split(self._linear(hidden, f"{name}attention.self.{part}"))
            for part in ("query", "key", "value")
        )
        attended = op.scaled_dot_product_attention(query, key, value, padding)
        joined = op.reshape(
            op.transpose(attended, constant(np.array([0, 2, 1, 3]))),
            constant(np.array([0, 0, self._size])),
            True,
        )
        hidden = self._norm(
            op.add(self._linear(joined, f"{name}attention.output.dense"), hidden),
            f"{name}attention.output.LayerNorm",
        )
        inner = self._linear(hidden, f"{name}intermediate.dense")
        inner = op.relu(inner) if self._activation == "relu" else op.gelu(inner, "ERF")
        return self._norm(
            op.add(self._linear(inner, f"{name}output.dense"), hidden), f"{name}output.LayerNorm"
        )

    def _split(self, hidden: Any) -> Any:
        """(texts, tokens, size) as (texts, heads, tokens, size of a head)."""
        op, constant = self._op, self._constant
        shape = constant(np.array([0, 0, self._heads, self._size // self._heads]))
        return op.transpose(op.reshape(hidden, shape, True), constant(np.array([0, 2, 1, 3])))

    def _linear(self, hidden: Any, name: str) -> Any:
        op = self._op
        return op.add(
            op.matmul(hidden, self._weight(f"{name}.weight"), False, True), self._weight(f"{name}.bias")
        )

    def _norm(self, hidden: Any, name: str) -> Any:
        op = self._op
        even = op.mvn(hidden, self._constant(np.array([-1], np.int64)), True, self._epsilon, "INSIDE_SQRT")
        return op.add(op.multiply(even, self._weight(f"{name}.weight")), self._weight(f"{name}.bias"))

    def _mean(self, hidden: Any, mask: Any) -> Any:
        """The mean of the tokens' vectors, padding left out (Reimers and Gurevych, "Sentence-BERT", 2019)."""
        op, tokens = self._op, self._constant(np.array([1]))
        weight = op.unsqueeze(mask, self._constant(np.array([2])))
        total = op.reduce_sum(op.multiply(hidden, weight), tokens, False)
        return op.divide(
            total, op.maximum(op.reduce_sum(weight, tokens, False), self._constant(np.float32(1e-9)))
        )

    def _first(self, hidden: Any) -> Any:
        """The vector of the first token, [CLS]."""
        return self._op.gather(hidden, self._constant(np.int64(0)), self._constant(np.int64(1)))
