"""Are settings of loading checked when made, and passed on to the engine that has them?"""

import pytest
import torch
from conftest import engines
from transformers import AutoModelForCausalLM

import value_lens as vl
from value_lens.errors import DataError, ModelLoadError, UnknownNameError
from value_lens.model import adapter_of


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"engine": "steam"}, ModelLoadError, "unknown engine 'steam'; known: bridge, hooked"),
        ({"dtype": "int8"}, UnknownNameError, "unknown dtype 'int8'; known: float32"),
        ({"dtype": torch.int8}, UnknownNameError, "unknown dtype 'torch.int8'; known: float32"),
        ({"device": "abacus"}, UnknownNameError, "unknown device 'abacus'; known: cpu"),
        ({"device": "meta"}, UnknownNameError, "unknown device 'meta'"),
        ({"n_devices": 0}, DataError, "n_devices is 0; give at least 1"),
        ({"engine": "hooked", "revision": "main", "n_devices": 2}, ModelLoadError, "'hooked' has no n_devices, revision; use"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        vl.Loading(**options)


@pytest.mark.parametrize("engine", engines())
@pytest.mark.parametrize("dtype", ["bfloat16", torch.bfloat16])
def test_the_weights_have_the_type_and_the_model_its_engine(folders, engine, dtype):
    model = vl.load_model(folders["llama"], vl.Loading(engine=engine, dtype=dtype))
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    assert adapter_of(model).engine == vl.ValueLens(model).info.engine == engine


def test_a_bridge_gets_all_that_it_takes(folders, monkeypatch):
    from transformer_lens.model_bridge import TransformerBridge

    calls = []
    monkeypatch.setattr(TransformerBridge, "boot_transformers", lambda name, **options: calls.append((name, options)))
    spread = {"device_map": {"": "cpu"}, "n_devices": 2, "max_memory": {"cpu": "1GiB"}}
    vl.load_model("some/model", vl.Loading(**spread, revision="abc", trust_remote_code=True))
    vl.load_model("some/model")
    given = {**spread, "revision": "abc", "trust_remote_code": True, "hf_model": None, "device": None, "dtype": torch.float32}
    usual = dict.fromkeys(given) | {"trust_remote_code": False, "device": "cpu", "dtype": torch.float32}
    assert calls == [("some/model", given), ("some/model", usual)]


def test_a_model_that_is_loaded_already_is_used(folders, texts):
    """Its weights count, not those of the folder."""
    hf = AutoModelForCausalLM.from_pretrained(folders["llama"], attn_implementation="eager")
    with torch.no_grad():
        hf.model.layers[1].mlp.down_proj.weight.mul_(2)
    model = vl.load_model(folders["llama"], vl.Loading(hf_model=hf))
    assert model.original_model is hf
    usual = vl.ValueLens(vl.load_model(folders["llama"]))
    assert vl.ValueLens(model).collect(texts[:6]).model != usual.collect(texts[:6]).model


def test_a_device_map_of_one_device_gives_the_same_numbers(folders, texts):
    model = vl.load_model(folders["llama"], vl.Loading(device_map={"": "cpu"}))
    found, expected = (vl.ValueLens(m).collect(texts[:12]) for m in (model, vl.load_model(folders["llama"])))
    assert torch.equal(found.fired, expected.fired) and found.model == expected.model
