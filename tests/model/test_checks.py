"""Does a user see what the trial runs of a model showed: before, after, where one failed, and where the model changed?"""

import pytest
import tiny
import torch
from conftest import engines

import value_lens as vl
from value_lens.errors import SiteError
from value_lens.model import Checks

NAMES = ("neurons", "gate_product", "fast_path", "padding")


def statuses(checks):
    return {name: check.status for name, check in checks}


@pytest.mark.parametrize("engine", engines())
def test_nothing_is_run_before_it_is_needed_and_what_was_run_is_seen(folders, texts, engine):
    lens = vl.ValueLens(vl.load_model(folders["llama"], vl.Loading(engine=engine)))
    assert statuses(lens.checks) == dict.fromkeys(NAMES, "not run")
    lens.collect(texts, batching=vl.Batching(max_texts=1))
    alone = statuses(lens.checks)
    assert alone["neurons"] == "passed" and alone["padding"] == alone["gate_product"] == "not run"
    lens.collect(texts, site="gate")
    assert lens.checks.padding.status == lens.checks.gate_product.status == "passed"
    assert lens.checks.fast_path.status == ("passed" if engine == "bridge" else "not run")
    before = lens.checks
    assert lens.check() is before or statuses(lens.check()) == statuses(before)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_all_are_run_at_once(folders, kind):
    lens = vl.ValueLens(vl.load_model(folders[kind]))
    found = lens.check()
    assert isinstance(found, Checks) and found is lens.checks
    expected = dict.fromkeys(NAMES, "passed") | ({"gate_product": "does not apply"} if kind == "gpt2" else {})
    assert statuses(found) == expected
    for name in ("fast_path", "padding"):
        check = getattr(found, name)
        assert 0 <= check.difference <= check.allowed
    lines = repr(found).splitlines()
    assert lines[0].endswith("(bridge)") and [line.split()[0] for line in lines[1:]] == list(NAMES)
    assert "3 layers of 37 at site 'gate'" in lines[1] or kind == "gpt2"


def test_a_measured_difference_is_that_of_the_model(folders):
    """Of a gate that is scaled by 1.5 behind its hook: the product is off by a part of itself."""
    model = vl.load_model(folders["llama"])
    lens = vl.ValueLens(model)
    assert lens.check().gate_product.difference < 1

    class Scaled(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.silu(1.5 * x)

    model.blocks[1].mlp.original_component.act_fn = Scaled()
    fresh = vl.ValueLens(model)
    check = fresh.check().gate_product
    assert check.status == "failed" and check.difference > 1000 and "blocks.1.mlp.hook_post" in check.detail
    with pytest.raises(SiteError, match="is not what hook_post holds"):
        fresh.site("gate")


def test_a_hook_of_the_users_own_is_part_of_what_is_checked(folders, texts):
    model = vl.load_model(folders["llama"])
    lens = vl.ValueLens(model)
    assert lens.check().padding.status == "passed"
    with model.hooks([("blocks.1.hook_resid_pre", lambda x, hook: x / x.abs().mean(1, keepdim=True))]):
        check = lens.check().padding
        assert check.status == "failed" and check.difference > check.allowed and "forward hooks on it" in check.detail
    lens.collect(texts[:6])
    assert lens.checks.padding.status == "passed" and lens.checks.padding.detail != check.detail


def test_a_fast_path_that_disagrees_is_seen_after_the_first_run(folders, texts):
    bridge = vl.load_model(folders["llama"])
    bridge.blocks[1].attn.original_component.forward = lambda hidden_states, **kwargs: (torch.zeros_like(hidden_states), None)
    lens = vl.ValueLens(bridge)
    with pytest.warns(UserWarning, match="differ from those of the Hugging Face model"):
        lens.collect(texts[:2])
    check = lens.checks.fast_path
    assert check.status == "failed" and check.difference > check.allowed == 1 and "the bridge's own are used" in check.detail


def test_other_weights_make_the_checks_of_runs_unknown(folders):
    bridge = vl.load_model(folders["llama"])
    lens = vl.ValueLens(bridge)
    lens.check()
    part = bridge.blocks[0].mlp.out.original_component
    part.weight = torch.nn.Parameter(2 * part.weight.detach())
    tokens = torch.tensor([[3, 4, 5]])
    lens.forward(tokens, torch.ones_like(tokens, dtype=torch.bool))  # without padding
    assert statuses(lens.checks)["padding"] == "not run" and statuses(lens.checks)["fast_path"] == "passed"


def test_a_model_without_neurons_is_checked_and_told(tmp_path):
    lens = vl.ValueLens(vl.load_model(tiny.folder(tmp_path, "mixtral")))
    found = lens.check()
    for check in (found.neurons, found.gate_product):
        assert check.status == "failed" and "mixture of 3 experts" in check.detail
