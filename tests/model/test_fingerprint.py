"""Does a fingerprint tell one set of weights from another, whatever way they were changed, and wherever they lie?"""

import dataclasses
import hashlib
import warnings

import pytest
import torch
from conftest import engines
from torch import nn
from transformers import AutoModelForCausalLM

import value_lens as vl
from value_lens.errors import MismatchError
from value_lens.model import LensModel, transformer_lens_version
from value_lens.model._fingerprint import KINDS, SAMPLE, _bits, _sample, _step, fingerprint, weights
from value_lens.model._modules import walk


@pytest.fixture(params=engines())
def fresh(request, folders):
    """A model of its own to change."""
    return vl.load_model(folders["llama"], vl.Loading(engine=request.param))


def heavy(model):
    """A weight of many numbers, most of which no sample looks at."""
    return max(model.parameters(), key=torch.Tensor.numel)


def through_data(model):
    for weight in model.parameters():
        weight.data.mul_(1.5)


def through_numpy(model):
    heavy(model).detach().numpy()[:] += 0.25


def under_inference_mode(model):
    with torch.inference_mode():
        heavy(model).add_(0.25)


def one_number(model):
    with torch.no_grad():
        heavy(model)[3, 5] += 0.25


def loaded(model):
    root = getattr(model, "original_model", model)
    root.load_state_dict({name: 2 * value for name, value in root.state_dict().items()})


def replaced(model):
    part = next(part for part in walk(model).all if part._parameters)
    name, weight = next((name, weight) for name, weight in part._parameters.items() if weight is not None and weight.any())
    part._parameters[name] = nn.Parameter(2 * weight.detach())


def other_dtype(model):
    getattr(model, "original_model", model).to(torch.bfloat16)


def low_rank(model):
    """As merging an adapter of rank 1 does."""
    weight = heavy(model)
    weight.data.add_(torch.outer(torch.ones(weight.shape[0]), torch.full((weight.shape[1],), 1e-3)))


def one_column(model):
    heavy(model).data[:, 7].add_(1e-3)


CHANGES = (
    through_data,
    through_numpy,
    under_inference_mode,
    one_number,
    loaded,
    replaced,
    other_dtype,
    low_rank,
    one_column,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_seen_at_the_next_entry(fresh, change):
    view = LensModel(fresh)
    before = view.info.fingerprint
    assert view.info.fingerprint == before == fingerprint(fresh)
    change(fresh)
    assert view.info.fingerprint == fingerprint(fresh) != before


def test_what_the_sample_misses_is_seen_by_the_next_collect(fresh, texts):
    """One number, by a way that PyTorch does not count: stated, and bounded by a run."""
    lens = vl.ValueLens(fresh)
    before = lens.collect(texts[:6])
    weight = heavy(fresh)
    looked_at = set(range(0, weight.numel(), _step(tuple(weight.shape))))
    place = next(place for place in range(weight.numel()) if place not in looked_at)
    weight.data.view(-1)[place] += 0.25
    assert lens.info.fingerprint == before.model  # missed
    after = lens.collect(texts[:6])
    assert after.model == lens.info.fingerprint != before.model
    with pytest.raises(MismatchError, match="different weights"):
        before.merge(after)


def test_what_stays_is_not_read_again(fresh, monkeypatch):
    lens = vl.ValueLens(fresh)
    neurons = vl.NeuronSet.from_pairs([(0, 1)], site="post", n_layers=3, d_mlp=lens.info.d_mlp)
    neurons = dataclasses.replace(neurons, model=lens.info.fingerprint)
    calls = []
    monkeypatch.setattr("value_lens.model._fingerprint.fingerprint", lambda model: calls.append(1) or "other")
    for _ in range(3):
        with lens.editing(neurons):
            fresh(torch.tensor([[3, 4, 5]]))
    assert not calls


def test_neurons_of_other_weights_are_refused_after_a_silent_change(fresh):
    lens = vl.ValueLens(fresh)
    neurons = vl.NeuronSet.from_pairs([(0, 1)], site="post", n_layers=3, d_mlp=lens.info.d_mlp)
    neurons = dataclasses.replace(neurons, model=lens.info.fingerprint)
    through_data(fresh)
    with pytest.raises(MismatchError, match="a model with other weights"), lens.editing(neurons):
        pass


@pytest.mark.parametrize("shape", [(1,), (5,), (3000,), (1, 768), (300, 1), (257, 24), (1024, 1024), (2, 3, 4096)])
def test_a_sample_is_even(shape):
    """At most 256 numbers, the whole weight through, in every column of one with enough rows."""
    step, n = _step(shape), torch.Size(shape).numel()
    places = list(range(0, n, step))
    assert _sample(torch.arange(n).view(shape)).tolist() == places
    assert len(places) <= SAMPLE and n - places[-1] <= step
    if len(shape) > 1 and len(places) == SAMPLE:
        assert len({place % shape[-1] for place in places}) >= min(shape[-1], SAMPLE // 2)
    across = torch.arange(n).view(shape).transpose(0, -1) if len(shape) > 1 else torch.arange(2 * n)[::2]
    assert set(_sample(across).tolist()) <= set(across.flatten().tolist())  # of the weight itself, not of its neighbours


def test_the_weights_are_the_parameters(models):
    for model in models.values():
        expected = {id(weight) for weight in model.parameters()}
        assert {id(weight) for weight in weights(model)} == expected <= {id(weight) for weight in walk(model).weights}


def test_the_bits_are_summed_exactly():
    """Over more numbers than are summed at one time, as Python's own integers."""
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        numbers = torch.randn(300_001, generator=torch.Generator().manual_seed(0)).to(dtype)
        exact = sum(numbers.view(KINDS[numbers.element_size()]).tolist())
        assert _bits(numbers) == (exact + 2**63) % 2**64 - 2**63


def test_fingerprints_are_those_of_what_was_saved_so_far(models):
    """The definition, written plainly: statistics and neuron sets in files carry it."""
    for model in [*models.values(), vl.load_organism("selective-gelu").model]:
        marks = set()
        for weight in model.parameters():
            flat = weight.detach().flatten()
            if flat.count_nonzero():
                bits = int(flat.view(KINDS[flat.element_size()]).to(torch.int64).sum())
                even = flat[:: max(1, len(flat) // 4096)][:4096].float().numpy().tobytes()
                marks.add(hashlib.sha256(f"{tuple(weight.shape)} {bits}".encode() + even).hexdigest())
        assert LensModel(model).info.fingerprint == hashlib.sha256("".join(sorted(marks)).encode()).hexdigest()[:16]


# Offloaded and quantised weights


def bridge_of(hf, folder):
    from transformer_lens.model_bridge import TransformerBridge

    return TransformerBridge.boot_transformers(str(folder), hf_model=hf)


def test_offloaded_weights_are_those_they_were(folders, texts):
    """Some lie on the CPU, to be loaded when they are used; the model itself then holds empty ones."""
    from accelerate import cpu_offload

    hf = AutoModelForCausalLM.from_pretrained(folders["llama"], attn_implementation="eager")
    cpu_offload(hf.model.layers[1], execution_device=torch.device("cpu"))
    model = bridge_of(hf, folders["llama"])
    assert sum(weight.is_meta for weight in model.parameters()) >= 7
    plain = vl.ValueLens(vl.load_model(folders["llama"]))
    view = LensModel(model)
    assert view.info.fingerprint == plain.info.fingerprint
    assert view.device == torch.device("cpu") and view.d_mlp == 37 and view.n_embedded == plain.model.cfg.d_vocab


@pytest.mark.skipif(transformer_lens_version().startswith("3."), reason="that generation refuses weights on disk")
def test_weights_on_disk_are_those_they_were(folders, texts, dilemmas, tmp_path):
    from transformer_lens.model_bridge import TransformerBridge

    parts = {"model.embed_tokens": "disk", "model.layers.0": "cpu", "model.layers.1": "disk", "model.layers.2": "disk"}
    rest = {"model.norm": "cpu", "model.rotary_emb": "cpu", "lm_head": "cpu"}
    model = TransformerBridge.boot_transformers(str(folders["llama"]), device_map=parts | rest, offload_folder=str(tmp_path))
    lens, plain = vl.ValueLens(model), vl.ValueLens(vl.load_model(folders["llama"]))
    found, expected = lens.collect(texts), plain.collect(texts)
    assert found.model == expected.model and torch.equal(found.fired, expected.fired)
    found.merge(expected)
    torch.testing.assert_close(lens.margins(dilemmas), plain.margins(dilemmas))
    neurons = vl.NeuronSet.from_pairs([(1, 3), (2, 5)], site="post", n_layers=3, d_mlp=37)
    with lens.editing(neurons), plain.editing(neurons):
        torch.testing.assert_close(lens.margins(dilemmas[:4]), plain.margins(dilemmas[:4]))


def quantised(folder, change=0.0):
    """Linear layers whose weights are packed integers, held outside of the parameters."""
    model = vl.load_model(folder)
    with torch.no_grad():
        model.blocks[1].mlp.out.weight[0, 0] += change
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch is about to move its quantisation elsewhere
        torch.ao.quantization.quantize_dynamic(model.original_model, {nn.Linear}, dtype=torch.qint8, inplace=True)
    return model


def test_packed_weights_count(folders, texts):
    first, same, other = (quantised(folders["llama"], change) for change in (0.0, 0.0, 3.0))
    marks = [vl.ValueLens(model).info.fingerprint for model in (first, same, other)]
    assert marks[0] == marks[1] and len({*marks, vl.ValueLens(vl.load_model(folders["llama"])).info.fingerprint, ""}) == 4
    assert vl.ValueLens(first).collect(texts[:6], batching=vl.Batching(max_tokens=1)).model == marks[0]


def test_buffers_of_a_quantised_model_count(folders):
    """As layers have them whose whole weights are stored as integers with scales."""

    def marked(code, is_quantized):
        model = vl.load_model(folders["llama"])
        model.original_model.is_quantized = is_quantized
        model.original_model.lm_head.register_buffer("codes", torch.full((3, 4), code, dtype=torch.int32))
        model.original_model.lm_head.register_buffer("scratch", torch.full((3, 4), code), persistent=False)
        return fingerprint(model)

    assert marked(1, True) != marked(2, True)
    assert marked(1, False) == marked(2, False)


class Opaque(torch.Tensor):
    """A tensor of another library that does nothing that it was not made for."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("flatten", "any", "as_strided"):
            raise NotImplementedError("packed")
        return super().__torch_function__(func, types, args, kwargs or {})


def test_weights_that_cannot_be_read_are_unknown_and_said_to_be(folders, texts):
    model, known = vl.load_model(folders["llama"]), vl.ValueLens(vl.load_model(folders["llama"])).collect(texts[:6])
    part = model.blocks[0].mlp.out.original_component
    part._parameters["weight"] = part.weight.detach().as_subclass(Opaque)
    lens = vl.ValueLens(model)
    with pytest.warns(UserWarning, match=r"weights of llama-0 cannot be read \(NotImplementedError: packed\).*unknown") as told:
        stats = lens.collect(texts[:6])
        lens.collect(texts[:6])
    assert len(told) == 1 and stats.model == lens.info.fingerprint == ""
    stats.merge(known)  # nothing is known that speaks against it
    neurons = vl.NeuronSet.from_pairs([(0, 1)], site="post", n_layers=3, d_mlp=37, model=known.model)
    with lens.editing(neurons) as log:
        model(torch.tensor([[3, 4, 5]]))
    assert log.changed
