"""Is the norm of a neuron's output weights how far its MLP's output moves with it, however the weights are laid out and kept?"""

import warnings

import pytest
import tiny
import torch
from test_fingerprint import bridge_of
from transformers import AutoModelForCausalLM, Conv1D, FalconConfig, FalconForCausalLM, OPTConfig, OPTForCausalLM

import value_lens as vl
from value_lens.errors import SiteError
from value_lens.model import LensModel, output_norms, transformer_lens_version
from value_lens.model import _norms as norms


def opt(vocab_size):
    """No module of its own holds the MLP, and its width is not the configuration's."""
    shape = dict(hidden_size=32, word_embed_proj_dim=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4)
    return OPTForCausalLM(OPTConfig(vocab_size=vocab_size, max_position_embeddings=96, **shape))


def falcon(vocab_size):
    """Attention and MLP side by side."""
    return FalconForCausalLM(FalconConfig(vocab_size=vocab_size, hidden_size=32, num_hidden_layers=2, num_attention_heads=4))


def square(vocab_size):
    """As many neurons as the residual stream is wide: the weight's shape does not tell which way it lies."""
    return tiny.gpt2(vocab_size, n_embd=20, n_inner=20)


def moved(view, layer, neuron):
    """How far the output of the last map of an MLP moves when hook_post of one neuron goes from 0 to 1, all others being 0."""
    mlp, found = view.model.blocks[layer].mlp, []
    tokens = torch.tensor([[3, 4, 5]])
    handle = (mlp.out if view.adapter.engine == "bridge" else mlp).register_forward_hook(lambda _, __, out: found.append(out))
    last = []
    try:
        for to in (0.0, 1.0):

            def put(activation, to=to):
                return torch.zeros_like(activation).index_fill(-1, torch.tensor([neuron]), to)

            with view.hooks([(f"blocks.{layer}.mlp.hook_post", put)]):
                view.forward(tokens, torch.ones_like(tokens, dtype=torch.bool))
            last.append(found[-1])
    finally:
        handle.remove()
    return (last[1] - last[0]).flatten(end_dim=-2).norm(dim=-1)


def check(model, rel=1e-5):
    view = LensModel(model)
    found = output_norms(view)
    assert found.shape == (view.n_layers, view.d_mlp) and found.dtype == torch.float64
    for layer in range(view.n_layers):
        for neuron in (0, 5, view.d_mlp - 1):
            for by_hook in moved(view, layer, neuron).tolist():
                assert float(found[layer, neuron]) == pytest.approx(by_hook, rel=rel)


def test_it_is_how_far_the_output_moves_with_the_neuron(model):
    check(model)


@pytest.mark.parametrize("make", [opt, falcon, square])
def test_so_it_is_in_other_layouts(tmp_path, make):
    check(vl.load_model(tiny.folder(tmp_path, make.__name__, make)))


def test_and_with_processed_weights(folders):
    from transformer_lens.model_bridge import TransformerBridge

    model = TransformerBridge.boot_transformers(str(folders["gpt2"]))
    model.enable_compatibility_mode()
    check(model)


def test_a_weight_that_is_not_read_rightly_or_not_at_all_is_found_by_running(models, monkeypatch):
    """As of offloaded and quantised weights, of which only the module's own forward knows."""
    for (engine, _), model in models.items():
        if engine != "bridge":
            continue
        view = LensModel(model)
        expected = output_norms(view)
        out = model.blocks[0].mlp.out.original_component
        for weight in (None, out.weight.detach().abs().T if isinstance(out, Conv1D) else out.weight.detach().T * 2):
            kept = None if weight is None or len(weight) != view.d_mlp else weight
            monkeypatch.setattr(norms, "_readable_weight", lambda lens, layer, kept=kept: kept)
            torch.testing.assert_close(output_norms(view), expected, rtol=1e-5, atol=1e-6)
            monkeypatch.undo()


@pytest.mark.parametrize("part", ["model", "layer", "map"])
def test_so_it_is_with_offloaded_weights(folders, part):
    """To the CPU, to be loaded when they are used: the model itself then holds empty ones."""
    from accelerate import cpu_offload

    hf = AutoModelForCausalLM.from_pretrained(folders["llama"], attn_implementation="eager")
    layer = hf.model.layers[1]
    cpu_offload({"model": hf, "layer": layer, "map": layer.mlp.down_proj}[part], execution_device=torch.device("cpu"))
    view = LensModel(bridge_of(hf, folders["llama"]))
    empty = [weight.is_meta for weight in view.model.parameters()]
    found, expected = output_norms(view), output_norms(LensModel(vl.load_model(folders["llama"])))
    torch.testing.assert_close(found, expected)
    assert any(empty) and empty == [weight.is_meta for weight in view.model.parameters()]


@pytest.mark.skipif(transformer_lens_version().startswith("3."), reason="that generation refuses weights on disk")
def test_so_it_is_with_weights_on_disk(folders, tmp_path):
    from transformer_lens.model_bridge import TransformerBridge

    parts = {"model.embed_tokens": "disk", "model.layers.0": "cpu", "model.layers.1": "disk", "model.layers.2": "disk"}
    rest = {"model.norm": "cpu", "model.rotary_emb": "cpu", "lm_head": "cpu"}
    model = TransformerBridge.boot_transformers(str(folders["llama"]), device_map=parts | rest, offload_folder=str(tmp_path))
    expected = output_norms(LensModel(vl.load_model(folders["llama"])))
    torch.testing.assert_close(output_norms(LensModel(model)), expected)


def test_so_it_is_with_packed_weights_as_far_as_packing_keeps_them(folders):
    hf = AutoModelForCausalLM.from_pretrained(folders["llama"], attn_implementation="eager")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch is about to move its quantisation elsewhere
        for layer in hf.model.layers:
            layer.mlp = torch.ao.quantization.quantize_dynamic(layer.mlp, {torch.nn.Linear}, dtype=torch.qint8)
    found = output_norms(LensModel(bridge_of(hf, folders["llama"])))
    expected = output_norms(LensModel(vl.load_model(folders["llama"])))
    assert 0 < float((found / expected - 1).abs().max()) < 0.02


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_weights_without_numbers_that_nothing_loads_are_refused(folders, name):
    """On the meta device; PyTorch multiplies by some of them without complaint, and gives any numbers."""
    view = LensModel(vl.load_model(folders[name]))
    view.model.original_model.to("meta")
    with pytest.raises(
        SiteError, match=r"W_out of layer 0 cannot be read, .*\(its weights are on the meta device, and nothing loads"
    ):
        output_norms(view)


def test_what_cannot_be_read_at_all_is_refused_with_the_way_out(folders, monkeypatch):
    view = LensModel(vl.load_model(folders["llama"]))

    def broken(*_):
        raise RuntimeError("Tensor on device meta is not on the expected device cpu")

    monkeypatch.setattr(norms, "_rows_by_running", broken)
    message = r"W_out of layer 0 cannot be read, .* in loudness \(Tensor on device meta.*\); load the model whole .*controls=0"
    with pytest.raises(SiteError, match=message):
        output_norms(view)
