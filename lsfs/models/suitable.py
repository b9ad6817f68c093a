"""suitable: which model folders `bert` computes exactly as sentence-transformers does.

A list of what is known, not of what is not: each file may say only what stands in these tables, since sentence-transformers acts on more
settings than any list of exceptions could follow. What else is there is left to torch. Pure but for reading the folder.
"""

import json
from pathlib import Path
from typing import Any

WEIGHTS = "model.safetensors"
ANY = object()
# of tokenizer_config.json: what computes nothing, or not here
PASSING = (
    *(
        "backend",
        "name_or_path",
        "is_local",
        "local_files_only",
        "special_tokens_map_file",
        "model_input_names",
        "max_length",
    ),
    *(
        "clean_up_tokenization_spaces",
        "model_max_length",
        "padding_side",
        "pad_to_multiple_of",
        "pad_token_type_id",
    ),
)
SPECIAL = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
LEAST = 3  # tokens: [CLS], one, [SEP]

# file: key: the values that change nothing. A key that is not listed is not known, and so is a file in NEVER.
KNOWN: dict[str, dict[str, Any]] = {
    "sentence_bert_config.json": {
        "max_seq_length": ANY,
        "do_lower_case": (False,),
        "transformer_task": ("feature-extraction",),
        "modality_config": ({"text": {"method": "forward", "method_output_name": "last_hidden_state"}},),
        "module_output_name": ("token_embeddings",),
    },
    "config_sentence_transformers.json": {
        "__version__": ANY,
        "model_type": ("SentenceTransformer",),
        "prompts": (None, {}, {"query": "", "document": ""}),
        "default_prompt_name": (None,),
        "similarity_fn_name": ANY,
    },
    "special_tokens_map.json": {key: (value,) for key, value in SPECIAL.items()},
    "tokenizer_config.json": {key: (value,) for key, value in SPECIAL.items()}
    | {
        "tokenizer_class": ("BertTokenizer", "BertTokenizerFast"),
        "do_lower_case": ANY,  # these three are compared with tokenizer.json
        "strip_accents": ANY,
        "tokenize_chinese_chars": ANY,
        "do_basic_tokenize": (True,),
        "never_split": (None,),
        "truncation_side": ("right",),
        "truncation_strategy": ("longest_first",),
        "stride": (0,),
        "added_tokens_decoder": ANY,
        "extra_special_tokens": ({}, [], None),
        "additional_special_tokens": ([], None),
    }
    | dict.fromkeys(
        PASSING,
        ANY,
    ),
}
NEVER = (
    *("adapter_config.json", "added_tokens.json"),
    # of older releases, which sentence-transformers still reads
    *(
        f"sentence_{kind}_config.json"
        for kind in ("roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
    ),
)
# of config.json, which says much that computes nothing, the keys that choose another computation
CONFIG: dict[str, tuple[Any, ...]] = {
    "model_type": ("bert",),
    "position_embedding_type": ("absolute", None),
    "hidden_act": ("gelu", "relu", None),
    "is_decoder": (False, None),
    "add_cross_attention": (False, None),
    "is_causal": (False, None),
    "chunk_size_feed_forward": (0, None),
    "dtype": ("float32", None),
    "torch_dtype": ("float32", None),
    "tokenizer_class": ("BertTokenizer", "BertTokenizerFast", None),
    "quantization_config": (None,),
    "auto_map": (None,),
    "transformers_weights": (None,),
}
POOLING = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}
MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])


def unsuitable(folder: Path) -> str | None:
    """Why the model in `folder` is left to torch, in a few words; None where `bert` can compute it. Raises OSError or ValueError."""
    for name in NEVER:
        if (folder / name).exists():
            return f"it has a file {name}"
    if not (folder / WEIGHTS).is_file():
        return f"its weights are not in {WEIGHTS}"
    config = read(folder, "config.json")
    for key, values in CONFIG.items():
        if config.get(key) not in values:
            return f"config.json says {key} = {config.get(key)!r}"
    for name, known in KNOWN.items():
        for key, value in read(folder, name).items():
            value = value["content"] if isinstance(value, dict) and "content" in value else value
            if key not in known or (known[key] is not ANY and value not in known[key]):
                return f"{name} says {key} = {str(value)[:60]!r}"
    return _modules(folder) or _sizes(folder, config) or _tokenizer(folder)


def pooling_of(folder: Path) -> str | None:
    """`mean` or `cls`; None for every other way of making one vector of many. As in sentence-transformers, `pooling_mode` wins."""
    modules = _list(folder, "modules.json")
    said = read(folder / modules[1]["path"], "config.json")
    sizes = {"word_embedding_dimension", "embedding_dimension", "include_prompt", "pooling_mode"}
    modes = {key for key, value in said.items() if key not in sizes and value}
    if any(not key.startswith("pooling_mode_") for key in modes):
        return None
    if "pooling_mode" in said:
        return said["pooling_mode"] if said["pooling_mode"] in POOLING and len(modes) == 0 else None
    return next((name for name, key in POOLING.items() if modes == {key}), None)


def window_of(folder: Path) -> int | None:
    """How many tokens of a text the model reads, [CLS] and [SEP] among them; None where it does not say."""
    said = read(folder, "sentence_bert_config.json").get("max_seq_length")
    if said is None:  # sentence-transformers 6 writes it elsewhere
        numbers = [
            read(folder, "tokenizer_config.json").get("model_max_length"),
            read(folder, "config.json").get("max_position_embeddings"),
        ]
        said = min((number for number in numbers if isinstance(number, int)), default=None)
    return said if isinstance(said, int) and said >= LEAST else None


def read(folder: Path, name: str) -> dict[str, Any]:
    """A JSON object; empty where there is none."""
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"{name} holds no object")
    return found


def _list(folder: Path, name: str) -> list[Any]:
    found = json.loads((folder / name).read_text(encoding="utf-8"))
    if not isinstance(found, list) or not all(isinstance(part, dict) for part in found):
        raise ValueError(f"{name} holds no list of modules")
    return found


def _modules(folder: Path) -> str | None:
    if not (folder / "modules.json").is_file():
        return "it has no modules.json"
    modules = _list(folder, "modules.json")
    kinds = [str(module.get("type")) for module in modules]
    if [kind.rpartition(".")[2] for kind in kinds] not in MODULES or not all(
        kind.startswith("sentence_transformers.") for kind in kinds
    ):
        return "modules.json lists others than Transformer, Pooling and Normalize"
    if modules[0].get("path") != "" or not isinstance(modules[1].get("path"), str):
        return "its modules lie elsewhere"
    return None if pooling_of(folder) else "it pools in another way"


def _sizes(folder: Path, config: dict[str, Any]) -> str | None:
    window, vocabulary = window_of(folder), read(folder, "tokenizer.json").get("model", {}).get("vocab", {})
    if window is None:
        return "it does not say how many tokens it reads"
    if window > config.get("max_position_embeddings", 0):
        return "it reads more tokens than it has positions"
    if max(vocabulary.values(), default=0) >= config.get("vocab_size", 0):
        return "its tokenizer knows more tokens than it has embeddings"
    return None


def _tokenizer(folder: Path) -> str | None:
    """transformers makes a tokenizer of its own of these files: only where tokenizer.json is just that one, is it the same."""
    file, said = read(folder, "tokenizer.json"), read(folder, "tokenizer_config.json")
    normalizer, model = file.get("normalizer") or {}, file.get("model") or {}
    template = file.get("post_processor") or {}
    expected = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": said.get("tokenize_chinese_chars", True),
        "strip_accents": said.get("strip_accents"),
        "lowercase": said.get("do_lower_case", True),
    }
    single = [
        next(iter(part.values())).get("id") if isinstance(part, dict) else None
        for part in template.get("single", [])
    ]
    words = {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
    }
    vocabulary = model.get("vocab") or {}
    reasons = {
        "its normalizer is another": normalizer != expected,
        "its words are cut in another way": (file.get("pre_tokenizer") or {}) != {"type": "BertPreTokenizer"}
        or any(model.get(key, value) != value for key, value in words.items()),
        "it truncates in another way": (file.get("truncation") or {}).get("direction", "Right") != "Right",
        "it puts other tokens around a text": template.get("type") != "TemplateProcessing"
        or single != ["[CLS]", "A", "[SEP]"]
        or any(
            (template.get("special_tokens") or {}).get(token)
            != {"id": token, "ids": [vocabulary.get(token)], "tokens": [token]}
            for token in ("[CLS]", "[SEP]")
        ),
        "it has tokens of its own": not _special(file.get("added_tokens", []), vocabulary)
        or ("added_tokens_decoder" in said and not _special(_decoder(said), vocabulary)),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _decoder(said: dict[str, Any]) -> list[dict[str, Any]]:
    return [token | {"id": int(number)} for number, token in (said["added_tokens_decoder"] or {}).items()]


def _special(tokens: list[dict[str, Any]], vocabulary: dict[str, int]) -> bool:
    """Whether these are just the five that BERT has, found as they stand in a text."""
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    expected = {token: plain | {"content": token, "id": vocabulary.get(token)} for token in SPECIAL.values()}
    return {token.get("content"): token for token in tokens} == expected and None not in (
        token["id"] for token in expected.values()
    )
