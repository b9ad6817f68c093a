"""The promises of every encoder: sentence-transformers is the reference, OpenVINO has to give its vectors."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lsfs import models
from lsfs.models.load import load
from lsfs.models.suitable import unsuitable

EXACT = 0.9999  # cosine to the reference
TEXTS = [
    "Refunds over 500 need two signatures.",
    "",
    " \t\n",
    "x",
    "Café ÉCOLE naïve Straße İstanbul ﬁ ligature",
    "漢字とかな交じり文。 中文字符",
    "русский текст, العربية, עברית",
    "\x00\x01 control\u200bzero width\ufeff",
    "emoji 🙂👩‍👩‍👧‍👦 and \ufffd",
    "[CLS] [SEP] [MASK] [PAD] in the text",
    "a" * 5_000,
    "def parse_header(line: str) -> dict[str, str]:\n    return dict(part.split('=') for part in line.split(';'))",
    "word " * 1_000,
    " ".join(
        f"{place} {number}" for number, place in enumerate(["refund", "cat", "licence", "river", "gcc"] * 200)
    ),
    "1234567890 " * 40,
]


def documents() -> list[str]:
    """Real passages: the manual and the sources of lsfs, as the engine would cut them."""
    root = Path(__file__).resolve().parents[2]
    found = []
    for path in (root / "README.md", *sorted((root / "man").glob("*.[157]")), root / "lsfs/engine/serve.py"):
        text = path.read_text("utf-8")
        found += [text[at : at + 900] for at in range(0, len(text), 900)]
    return found


@pytest.fixture(scope="module")
def packaged():
    return models.find("all-MiniLM-L6-v2")


@pytest.fixture(scope="module")
def reference(packaged):
    return load(packaged, "torch")


@pytest.fixture(scope="module", params=["openvino", "torch"])
def encoder(request, packaged):
    return load(packaged, request.param)


def cosines(ours, theirs) -> np.ndarray:
    return (np.asarray(ours) * np.asarray(theirs)).sum(axis=1)


@pytest.mark.parametrize("texts", [TEXTS, documents()], ids=["hostile", "documents"])
def test_vectors_are_those_of_the_reference(packaged, reference, texts):
    encoder = load(packaged, "openvino")
    ours = np.stack([encoder.embed_prompt(text) for text in texts])
    assert cosines(ours, [reference.embed_prompt(text) for text in texts]).min() > EXACT


def test_a_text_has_the_same_vector_alone_and_in_a_batch(encoder):
    together = encoder.embed(TEXTS)
    assert cosines(together, [encoder.embed([text])[0] for text in TEXTS]).min() > EXACT


def test_vectors_are_float32_of_length_one_in_the_order_of_the_texts(encoder):
    vectors = encoder.embed(["the cat sleeps", "a refund is paid", "money is returned"])
    assert vectors.dtype == np.float32 and vectors.shape == (3, encoder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    prompt = encoder.embed_prompt("refund")
    assert prompt.dtype == np.float32 and prompt.shape == (encoder.dimension,)
    assert vectors[1] @ prompt > vectors[2] @ prompt > vectors[0] @ prompt


def test_no_texts_are_no_vectors(encoder):
    assert encoder.embed([]).shape == (0, encoder.dimension)


def test_what_is_beyond_the_window_changes_nothing(encoder):
    long = "refund " * 300
    assert cosines(encoder.embed([long]), encoder.embed([long + "cat " * 300]))[0] > EXACT


KINDS = {
    "mean": ({}, {"pooling_mode_mean_tokens": True}),
    "cls": ({}, {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}),
    "named": ({}, {"pooling_mode": "mean"}),
    "relu": ({"hidden_act": "relu", "layer_norm_eps": 1e-5}, {"pooling_mode_mean_tokens": True}),
}


@pytest.fixture
def make(tmp_path, packaged):
    """make(config, pooling): a small BERT of random weights in the form of sentence-transformers."""

    def made(config: dict, pooling: dict) -> Path:
        import torch
        from transformers import BertConfig, BertModel

        torch.manual_seed(1)
        shutil.copytree(
            packaged.folder, tmp_path / "model", ignore=shutil.ignore_patterns("model.safetensors")
        )
        folder = tmp_path / "model"
        settings = json.loads((folder / "config.json").read_text())
        sizes = {
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 128,
        }
        (folder / "config.json").write_text(
            json.dumps(settings | sizes | {"initializer_range": 0.2} | config)
        )
        BertModel(BertConfig.from_pretrained(folder)).save_pretrained(folder)
        (folder / "config.json").write_text(json.dumps(settings | sizes | config))
        (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": 64} | pooling))
        return folder

    return made


@pytest.mark.parametrize("kind", KINDS)
def test_other_models_of_the_family_have_the_vectors_of_the_reference(make, kind):
    model = models.find(str(make(*KINDS[kind])))
    ours, theirs = load(model, "openvino"), load(model, "torch")
    assert cosines(ours.embed(TEXTS), theirs.embed(TEXTS)).min() > EXACT


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        ("config.json", {"model_type": "distilbert"}, "model_type"),
        ("config.json", {"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ("config.json", {"hidden_act": "silu"}, "hidden_act"),
        ("config.json", {"is_decoder": True}, "is_decoder"),
        ("config.json", {"dtype": "bfloat16"}, "dtype"),
        ("config.json", {"max_position_embeddings": 200}, "positions"),
        ("config.json", {"vocab_size": 30521}, "more tokens"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "pools"),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": 1}, "pools"),
        ("1_Pooling/config.json", {"pooling_mode": "cls"}, "pools"),
        ("1_Pooling/config.json", {"include_prompt": False}, None),
        ("sentence_bert_config.json", {"max_seq_length": None}, None),  # 512, which the tokenizer's file says
        ("sentence_bert_config.json", {"max_seq_length": 513}, "positions"),
        ("sentence_bert_config.json", {"max_seq_length": 1}, "how many tokens"),
        ("sentence_bert_config.json", {"do_lower_case": True}, "do_lower_case"),
        ("sentence_bert_config.json", {"query_length": 32}, "query_length"),
        ("sentence_bert_config.json", {"tokenizer_args": {"do_lower_case": False}}, "tokenizer_args"),
        ("tokenizer_config.json", {"do_lower_case": False}, "normalizer"),
        ("tokenizer_config.json", {"strip_accents": False}, "normalizer"),
        ("tokenizer_config.json", {"truncation_side": "left"}, "truncation_side"),
        ("tokenizer_config.json", {"unk_token": "[MASK]"}, "unk_token"),
        ("tokenizer_config.json", {"added_tokens_decoder": {"7": {"content": "<x>"}}}, "tokens of its own"),
        ("tokenizer.json", {"normalizer": None}, "normalizer"),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}, "cut"),
        ("tokenizer.json", {"post_processor": None}, "around"),
        ("tokenizer.json", {"added_tokens": [{"content": "<x>"}]}, "tokens of its own"),
        ("special_tokens_map.json", {"cls_token": "[SEP]"}, "cls_token"),
        ("config_sentence_transformers.json", {"prompts": {"query": "query: "}}, "prompts"),
        ("config_sentence_transformers.json", {"truncate_dim": 16}, "truncate_dim"),
        ("adapter_config.json", {}, "adapter"),
        ("sentence_roberta_config.json", {"max_seq_length": 16}, "roberta"),
        ("config.json", {"is_causal": True}, "is_causal"),
        ("tokenizer.json", {"added_tokens": []}, "tokens of its own"),
    ],
)
def test_what_would_be_computed_otherwise_is_left_to_torch(packaged, tmp_path, file, change, reason):
    folder = tmp_path / "model"
    shutil.copytree(packaged.folder, folder)
    assert unsuitable(folder) is None
    said = json.loads((folder / file).read_text()) if (folder / file).exists() else {}
    (folder / file).write_text(json.dumps(said | change))
    found = unsuitable(folder)
    assert found is None if reason is None else reason in found


def test_modules_that_are_not_known_are_left_to_torch(packaged, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(packaged.folder, folder)
    modules = json.loads((folder / "modules.json").read_text())
    dense = {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}
    (folder / "modules.json").write_text(json.dumps([*modules, dense]))
    assert "others than" in (unsuitable(folder) or "")


def test_a_model_saved_by_todays_sentence_transformers_is_taken(packaged, tmp_path):
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(str(packaged.folder), device="cpu").save(str(tmp_path / "saved"))
    found = models.find(str(tmp_path / "saved"))
    assert (unsuitable(found.folder), found.window) == (None, 256)


def test_what_bfloat16_would_change_is_computed_in_float32(make):
    """Twelve layers of large random weights: rounding each of them leads elsewhere."""
    folder = make({"num_hidden_layers": 12, "initializer_range": 0.5}, {"pooling_mode_mean_tokens": True})
    model = models.find(str(folder))
    ours, theirs = load(model, "openvino"), load(model, "torch")
    assert ours.backend == "openvino in f32"
    assert cosines(ours.embed(TEXTS), theirs.embed(TEXTS)).min() > EXACT


@pytest.mark.parametrize("tensor", ["word", "position"])
def test_weights_of_another_size_are_refused(make, tensor):
    from safetensors.numpy import load_file, save_file

    folder = make(*KINDS["mean"])
    weights = load_file(folder / "model.safetensors")
    name = f"embeddings.{tensor}_embeddings.weight"
    weights[name] = weights[name][:-10]
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(models.ModelMissing, match=tensor):
        load(models.find(str(folder)), "openvino")


def test_a_gpu_that_torch_cannot_use_costs_nothing(packaged, monkeypatch, tmp_path):
    (tmp_path / "nvidia1").touch()
    monkeypatch.setattr("lsfs.models.load.DEVICES", tmp_path)
    assert load(packaged).backend.startswith("openvino")


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json", "modules.json"])
def test_a_broken_model_is_refused_with_a_sentence(make, file):
    folder = make(*KINDS["mean"])
    (folder / file).write_bytes(b"{ this is no model")
    with pytest.raises(models.ModelMissing, match=r"\.$"):
        load(models.find(str(folder)), "openvino")
    with pytest.raises(models.ModelMissing, match=r"\.$"):
        load(models.find(str(folder)), "auto")


def test_the_default_is_openvino_and_loads_neither_torch_nor_anything_that_reports():
    code = (
        "import sys, pathlib; from lsfs import models; from lsfs.models import load as loading; from lsfs.models.load import load;"
        "loading.DEVICES = pathlib.Path('/nowhere');"
        "encoder = load(models.find('all-MiniLM-L6-v2')); encoder.embed(['a']);"
        "print(encoder.backend.split()[0], sorted(name for name in ('torch', 'sentence_transformers', 'transformers', "
        "'openvino_telemetry') if sys.modules.get(name)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino []"


@pytest.mark.parametrize("backend", ["openvino", "torch"])
def test_texts_are_grouped_for_a_forward_pass_by_their_length(packaged, backend):
    encoder = load(packaged, backend)
    texts = ["x", "a longer text of some words " * 40, "two words", "", "a longer text of some words " * 39]
    parts = encoder.parts(texts)
    assert sorted(place for part in parts for place in part) == list(range(len(texts)))
    first = [place for part in parts for place in part]
    assert set(first[:2]) == {1, 4} and encoder.parts([]) == []
    assert sorted(place for part in encoder.parts(["fine", "\ud800"]) for place in part) == [0, 1]
    assert max(map(len, encoder.parts(["x"] * 1000))) <= models.MOST
    assert encoder.embed([texts[place] for place in parts[-1]]).shape == (len(parts[-1]), encoder.dimension)


@pytest.mark.parametrize(
    ("sizes", "room", "groups"), [([], 9, []), ([99], 9, [[0]]), ([1, 4, 5, 4], 10, [[2, 1], [3, 0]])]
)
def test_groups_take_no_more_than_there_is_room(sizes, room, groups):
    assert models.grouped(sizes, room) == groups
