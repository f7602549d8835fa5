"""Are sums right on a device that has no float64, and is no number put there as one?"""

import pytest
import torch
from elsewhere import DEVICE, Elsewhere, Literals, WithoutFloat64, put
from test_firing import GROUPS, N_LAYERS, new_fold, new_post, random_batches, same, text_batch

import value_lens as vl
from value_lens.measure import choice, score_items
from value_lens.model import LensModel, has_float64, to_float64


@pytest.fixture
def pretending():
    """Whether a device has float64 is asked anew in and after it."""
    has_float64.cache_clear()
    with Literals(), WithoutFloat64():
        yield
    has_float64.cache_clear()


def test_the_pretended_device_refuses_float64_and_tensors_of_another(pretending):
    """Else the tests below would show nothing."""
    there = torch.zeros(3, device=DEVICE)
    assert isinstance(there, Elsewhere) and (there + 1).cpu().tolist() == [1, 1, 1]
    for convert in (lambda: there.double(), lambda: there.to(torch.float64), lambda: torch.zeros(1, device=DEVICE).double()):
        with pytest.raises(TypeError, match="float64"):
            convert()
    for convert in (
        lambda: torch.ones(3, dtype=torch.float64).to(DEVICE),
        lambda: torch.zeros(2, dtype=torch.float64, device=DEVICE),
    ):
        with pytest.raises(TypeError, match="float64"):
            convert()
    with pytest.raises(RuntimeError, match="same device"):
        there + torch.ones(3)


def test_a_device_is_tried_not_known_by_name(pretending):
    assert has_float64(torch.device("cpu")) and not has_float64(DEVICE)
    there = to_float64(put(torch.tensor([0.1, 2**30 + 1])))
    assert not isinstance(there, Elsewhere) and there.dtype == torch.float64
    assert there.tolist() == torch.tensor([0.1, 2**30 + 1]).double().tolist()


@pytest.mark.parametrize(
    ("new", "options"),
    [(new_fold, {"moments": True, "n_blocks": 2}), (new_fold, {"moments": False, "n_blocks": 2}), (new_post, {})],
    ids=["with moments", "without", "post"],
)
@pytest.mark.parametrize("junk", [0.0, 1e30], ids=["as usual", "padding that overflows"])
def test_an_accumulator_there_gives_what_one_on_the_cpu_gives(pretending, new, options, junk):
    """Bit by bit: the numbers are quarters, whose sums are exact."""
    batches = list(random_batches(GROUPS[:3], seed=7))
    here, there = new(**options), new(**options, device=DEVICE)
    assert there.sums.device.type == "cpu" and there.sums.dtype == torch.float64
    for keys, counted, layers in batches:
        groups = [group for group, _ in keys]
        here.begin(text_batch(keys, counted), groups)
        there.begin(text_batch(keys, put(counted)), groups)
        for layer in range(N_LAYERS):
            activations = layers[layer].masked_fill(~counted[..., None], junk)
            here.update(layer, activations)
            there.update(layer, put(activations))
    equal = torch.equal if new is new_post else same
    assert equal(here.result(), there.result())


def test_margins_there_are_those_of_the_cpu(pretending, folders, dilemmas):
    view = LensModel(vl.load_model(folders["gpt2"]))
    asked = choice(vl.Question()).encode(view, dilemmas)
    here = score_items(view, asked)
    logits_at, moved = view.logits_at, []

    def elsewhere(*arguments):
        moved.append(put(logits_at(*arguments)))
        return moved[-1]

    view.logits_at = elsewhere  # type: ignore[method-assign]
    assert torch.equal(score_items(view, asked), here) and moved


def test_a_mean_is_written_there_in_the_type_of_its_activations(pretending, folders, texts):
    lens = vl.ValueLens(vl.load_model(folders["gpt2"]))
    stats, index = lens.collect(texts[:12]), torch.tensor([3, 8])
    neurons = vl.NeuronSet.from_pairs([(1, 3), (1, 8)], site="post", n_layers=3, d_mlp=45)
    change = vl.mean(stats).prepare(lens, neurons, ())
    found = change(put(torch.zeros(2, 4, 2)), vl.Context(layer=1))
    assert isinstance(found, Elsewhere)
    torch.testing.assert_close(found.cpu(), stats.mean()[1, index].float().expand(2, 4, 2))
