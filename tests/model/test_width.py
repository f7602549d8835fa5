"""Is a layer as wide as its weights say, whatever its configuration states? Counted against Hugging Face's own modules."""

import re

import pytest
import tiny
import torch
from conftest import engines
from transformers import (
    AutoModelForCausalLM,
    Lfm2Config,
    Lfm2ForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    Qwen3MoeConfig,
    XGLMConfig,
    XGLMForCausalLM,
)
from transformers import Qwen3MoeForCausalLM as SparseQwen

import value_lens as vl
from value_lens.errors import SiteError
from value_lens.model import LensModel
from value_lens.model._width import layer_widths

ENDS = dict(bos_token_id=0, eos_token_id=1, pad_token_id=2)


def opt(width):
    shape = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, word_embed_proj_dim=32, max_position_embeddings=96)
    return lambda n: OPTForCausalLM(OPTConfig(**shape, **ENDS, ffn_dim=width, vocab_size=n))


def lfm2(n):
    shape = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=96)
    kinds = ["conv", "full_attention"]
    return Lfm2ForCausalLM(Lfm2Config(**shape, **ENDS, intermediate_size=48, layer_types=kinds, vocab_size=n))


def xglm(n):
    shape = dict(d_model=32, num_layers=2, attention_heads=4, ffn_dim=48, max_position_embeddings=96)
    return XGLMForCausalLM(XGLMConfig(**shape, **ENDS, vocab_size=n))


def qwen(**which):
    shape = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=96)
    experts = dict(num_experts=4, moe_intermediate_size=24, num_experts_per_tok=2, intermediate_size=24)
    return lambda n: SparseQwen(Qwen3MoeConfig(**shape, **experts, **ENDS, head_dim=8, vocab_size=n, **which))


MAKERS = {"opt narrow": opt(48), "opt as wide as its stream": opt(32), "opt usual": opt(128), "lfm2": lfm2, "xglm": xglm}
WIDTHS = {"opt narrow": 48, "opt as wide as its stream": 32, "opt usual": 128, "lfm2": 256, "xglm": 48}  # LFM2 rounds up to 256


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    where = tmp_path_factory.mktemp("width")
    made = {
        **MAKERS,
        "all sparse": qwen(),
        "half sparse": qwen(mlp_only_layers=[0]),
        "none sparse": qwen(mlp_only_layers=[0, 1]),
    }
    return {kind: tiny.folder(where, kind.replace(" ", "-"), make) for kind, make in made.items()}


def fired_in_huggingface(folder, texts):
    """Tokens on which each input of the last linear map of every MLP is above 0, text by text, BOS not counted."""
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    last = [m for name, m in model.named_modules() if re.search(r"(fc2|feed_forward\.w2|mlp\.down_proj)$", name)]
    bridge = vl.load_model(folder)
    tokenizer, start = bridge.tokenizer, [bridge.tokenizer.bos_token_id] if bridge.cfg.default_prepend_bos else []
    counts = [0] * len(last)

    def count(place):
        def hook(module, arguments):
            counts[place] = counts[place] + (arguments[0].reshape(-1, arguments[0].shape[-1])[len(start) :] > 0).long().sum(0)

        return hook

    handles = [module.register_forward_pre_hook(count(place)) for place, module in enumerate(last)]
    with torch.no_grad():
        for text in texts:
            model(torch.tensor([[*start, *tokenizer(text.text, add_special_tokens=False)["input_ids"]]]))
    for handle in handles:
        handle.remove()
    return torch.stack(counts)


@pytest.mark.parametrize("kind", [*MAKERS, "none sparse"])
def test_neurons_are_counted_by_the_width_of_the_weights(places, texts, kind):
    lens = vl.ValueLens(vl.load_model(places[kind]))
    assert lens.info.d_mlp == WIDTHS.get(kind, 24)
    stats, expected = lens.collect(texts[:20]), fired_in_huggingface(places[kind], texts[:20])
    assert stats.fired.sum(0).shape == expected.shape
    assert int((stats.fired.sum(0) - expected).abs().sum()) <= 2  # rounding near zero
    assert int(expected.sum()) > 1000


@pytest.mark.parametrize("engine", engines())
def test_either_engine_has_the_width_of_its_weights(places, engine):
    model = vl.load_model(places["opt narrow"], vl.Loading(engine=engine))
    model.cfg.d_mlp = 128  # as transformer-lens states it where the folder's configuration does not
    assert LensModel(model).d_mlp == 48 and layer_widths(LensModel(model).adapter) == [48, 48]


@pytest.mark.parametrize(("kind", "sparse"), [("all sparse", 2), ("half sparse", 1)])
def test_sparse_layers_are_refused_even_where_they_are_as_wide_as_neurons(places, kind, sparse):
    """The experts' mixed output is 24 wide, as the stated MLP is."""
    lens = vl.ValueLens(vl.load_model(places[kind]))
    text = vl.LabelledText(id="a", text="the river", value="care", aspect="+", language="en")
    with pytest.raises(SiteError, match=rf"mixture of 4 experts \(in {sparse} of its 2 layers\).*not neurons"):
        lens.collect([text])


def test_layers_of_different_widths_are_refused_with_the_widths(places):
    model = vl.load_model(places["opt usual"])
    narrow = torch.nn.Linear(16, 32)
    model.blocks[1].mlp.out.original_component.weight = narrow.weight
    text = vl.LabelledText(id="a", text="the river", value="care", aspect="+", language="en")
    with pytest.raises(SiteError, match=r"MLPs of different widths \(128, 16\)"):
        vl.ValueLens(model).collect([text])
