"""Is a model loaded whole, or refused with the names of what it lacks?"""

import json
import shutil

import pytest
import tiny
from conftest import engines
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

import value_lens as vl
from value_lens.errors import ModelLoadError

GATE = "model.layers.1.mlp.gate_proj.weight"


def lacking(folder, where, *names):
    """A copy of a model's folder whose checkpoint lacks some weights."""
    shutil.copytree(folder, where)
    weights = load_file(where / "model.safetensors")
    save_file({k: w for k, w in weights.items() if k not in names}, where / "model.safetensors", metadata={"format": "pt"})
    return where


@pytest.mark.parametrize("engine", engines())
@pytest.mark.parametrize("name", [GATE, "lm_head.weight"])
def test_a_checkpoint_that_lacks_a_weight_is_refused_with_its_name(folders, tmp_path, engine, name):
    before = PreTrainedModel.__dict__["from_pretrained"]
    with pytest.raises(ModelLoadError, match=f"lacks 1 of the 30 weights of a LlamaForCausalLM: {name}; they would be random"):
        vl.load_model(lacking(folders["llama"], tmp_path / "m", name), vl.Loading(engine=engine))
    assert PreTrainedModel.__dict__["from_pretrained"] is before


def test_many_missing_weights_are_counted_and_some_named(folders, tmp_path):
    names = [f"model.layers.{layer}.mlp.{part}_proj.weight" for layer in range(3) for part in ("down", "gate")]
    with pytest.raises(ModelLoadError, match=rf"lacks 6 of .*{names[0]}, {names[1]}, {names[2]}, \.\.\.;"):
        vl.load_model(lacking(folders["llama"], tmp_path / "m", *names))


def test_a_hub_name_is_looked_at_as_a_folder_is(folders, tmp_path, monkeypatch):
    (tmp_path / "models--some--model" / "refs").mkdir(parents=True)
    (tmp_path / "models--some--model" / "refs" / "main").write_text("abc")
    lacking(folders["llama"], tmp_path / "models--some--model" / "snapshots" / "abc", GATE)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelLoadError, match=f"the checkpoint of 'some/model' lacks 1 .*{GATE}"):
        vl.load_model("some/model")


@pytest.mark.parametrize("engine", engines())
def test_tied_weights_are_not_missed(tmp_path, engine):
    folder = tiny.folder(tmp_path, "llama", tie_word_embeddings=True)
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    assert json.loads((folder / "config.json").read_text())["tie_word_embeddings"]
    assert vl.ValueLens(vl.load_model(folder, vl.Loading(engine=engine))).info.n_layers == 3


def test_a_name_that_cannot_be_loaded_is_one_line():
    with pytest.raises(ModelLoadError) as found:
        vl.load_model("nobody/nothing")
    assert "\n" not in str(found.value) and ".." not in str(found.value)
