"""Interventions do what they say, and nothing once left: against models whose weights were changed by hand."""

import pytest
import torch
from transformers import AutoModelForCausalLM

import value_lens as vl
from value_lens.errors import InterventionError, MismatchError, NeuronError

TOKENS = torch.tensor([[0, 30, 41, 52, 63], [0, 77, 65, 12, 90]])


def some_neurons(lens, site="post", offset=0):
    pairs = [(0, 3 + offset), (0, 11 + offset), (1, 5 + offset)]
    return vl.NeuronSet.from_pairs(pairs, site=site, n_layers=lens.info.n_layers, d_mlp=lens.info.d_mlp)


def kind_of(model):
    return {37: "llama", 45: "gpt2", 50: "neox"}[model.cfg.d_mlp]


def hooks_of(model):
    return [handle for point in model.hook_dict.values() for handle in (*point.fwd_hooks, *point._forward_hooks.values())]


def silenced_by_hand(folder, neurons):
    """Logits of plain transformers with those neurons' output weights set to 0."""
    plain = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        for layer, index in neurons:
            if plain.config.model_type == "gpt2":
                plain.transformer.h[layer].mlp.c_proj.weight[index] = 0  # stored [d_mlp, d_model]
            elif plain.config.model_type == "gpt_neox":
                plain.gpt_neox.layers[layer].mlp.dense_4h_to_h.weight[:, index] = 0
            else:
                plain.model.layers[layer].mlp.down_proj.weight[:, index] = 0
        return plain(TOKENS).logits


@pytest.mark.parametrize("site", ["post", "gate"])
def test_zeroing_equals_removing_the_output_weights(lens, model, folders, site):
    neurons = some_neurons(lens, site)
    with torch.no_grad():
        expected = silenced_by_hand(folders[kind_of(model)], neurons)
        with lens.editing(neurons, vl.zero()) as log:
            found = model(TOKENS)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        assert log.changed and log.n_calls == 2
        assert not torch.allclose(found, model(TOKENS), atol=1e-4)


@pytest.mark.parametrize("site", ["post", "gate"])
def test_mean_ablation_writes_the_mean_of_the_site(lens, model, texts, site):
    stats = lens.collect(texts, site=site)
    neurons = some_neurons(lens, site)
    seen = {}
    gated = bool(model.cfg.gated_mlp) and site == "gate"

    def keep(name):
        return lambda x, hook: seen.__setitem__(name, x.detach().clone())

    names = [f"blocks.{layer}.mlp.{n}" for layer in (0, 1) for n in ("hook_post", *(["hook_pre_linear"] if gated else []))]
    with lens.editing(neurons, vl.mean(stats, value="care")), torch.no_grad():
        model.run_with_hooks(TOKENS, fwd_hooks=[(name, keep(name)) for name in names])
    means = stats.mean(value="care")
    for layer, index in neurons:
        written = seen[f"blocks.{layer}.mlp.hook_post"][..., index]
        expected = means[layer, index].float().expand_as(written)
        if gated:
            expected = expected * seen[f"blocks.{layer}.mlp.hook_pre_linear"][..., index]
        torch.testing.assert_close(written, expected, rtol=1e-5, atol=1e-6)


def test_nested_edits_add_up_and_leave_in_order(lens, model):
    first, second = some_neurons(lens), some_neurons(lens, offset=1)
    with torch.no_grad():
        clean = model(TOKENS)
        with lens.editing(first | second):
            both = model(TOKENS)
        with lens.editing(first):
            only = model(TOKENS)
            with lens.editing(second):
                assert torch.equal(model(TOKENS), both)
            assert torch.equal(model(TOKENS), only)
        assert torch.equal(model(TOKENS), clean)
    assert not hooks_of(model)


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_after_an_exception(lens, model, kind):
    with torch.no_grad():
        clean = model(TOKENS)
    with pytest.raises(kind), lens.editing(some_neurons(lens)), lens.editing(some_neurons(lens, offset=2)):
        model(TOKENS)
        raise kind
    assert not hooks_of(model)
    with torch.no_grad():
        assert torch.equal(model(TOKENS), clean)


def test_an_interrupt_inside_the_forward_pass_leaves_nothing(lens, model):
    def interrupt(activations, context):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), lens.editing(some_neurons(lens), vl.pointwise("interrupt", interrupt)):
        model(TOKENS)
    assert not hooks_of(model)


def test_hooks_of_the_user_survive(lens, model):
    with lens.editing(some_neurons(lens)):
        pass  # the site is resolved, by a trial run, before the user hooks in
    seen = []
    model.hook_dict["blocks.0.mlp.hook_post"].add_hook(lambda x, hook: seen.append(1))
    own = hooks_of(model)
    try:
        with lens.editing(some_neurons(lens)):
            model(TOKENS)
        model(TOKENS)
        assert own and len(seen) == 2 and hooks_of(model) == own
    finally:
        model.reset_hooks()


def test_resetting_hooks_inside_leaves_the_edit_and_nothing_after_it(lens, model):
    with torch.no_grad():
        clean = model(TOKENS)
        with lens.editing(some_neurons(lens)):
            edited = model(TOKENS)
            model.reset_hooks()
            assert torch.equal(model(TOKENS), edited)
        assert torch.equal(model(TOKENS), clean) and not torch.equal(edited, clean)
    assert not hooks_of(model)


def test_generation_is_edited_and_restored(lens, model):
    everything = vl.NeuronSet.from_mask(torch.ones(lens.info.n_layers, lens.info.d_mlp, dtype=torch.bool), site="post")
    options = {"max_new_tokens": 6, "do_sample": False, "verbose": False}
    clean = model.generate(TOKENS[:1], **options)
    with lens.editing(everything) as log:
        edited = model.generate(TOKENS[:1], **options)
    assert log.n_calls >= 6 and not torch.equal(edited, clean)
    assert torch.equal(model.generate(TOKENS[:1], **options), clean)


def test_what_cannot_be_edited_is_refused(lens, texts):
    info = lens.info
    with pytest.raises(NeuronError, match="empty"), lens.editing(some_neurons(lens) - some_neurons(lens)):
        pass
    with pytest.raises(
        NeuronError, match=rf"layer {info.n_layers}, index 0\) is out of range.*{info.n_layers} layers of {info.d_mlp}"
    ):
        vl.NeuronSet.from_pairs([(info.n_layers, 0)], site="post", n_layers=info.n_layers, d_mlp=info.d_mlp)
    other = vl.NeuronSet.from_pairs([(0, 0)], site="post", n_layers=info.n_layers, d_mlp=info.d_mlp + 1)
    with pytest.raises(MismatchError, match=r"the set is over .* the model has"), lens.editing(other):
        pass
    foreign = vl.NeuronSet.from_pairs([(0, 0)], site="post", n_layers=info.n_layers, d_mlp=info.d_mlp, model="feedfeed")
    with pytest.raises(MismatchError, match=r"other weights .*replace\(neurons, model=''\)"), lens.editing(foreign):
        pass
    means = vl.mean(lens.collect(texts, site="gate"))
    with pytest.raises(MismatchError, match="made at site 'gate', but the neurons are at site 'post'"):
        with lens.editing(some_neurons(lens), means):
            pass


def test_an_edit_that_changed_nothing_is_an_error(lens, model):
    same = vl.pointwise("same", lambda activations, context: activations)
    with pytest.raises(InterventionError, match="'same' ran 2 times and changed no activation of its 3 neurons"):
        with lens.editing(some_neurons(lens), same):
            model(TOKENS)
    with lens.editing(some_neurons(lens), same):
        pass  # the model did not run: nothing to judge


def test_an_edit_must_keep_the_shape(lens, model):
    broken = vl.pointwise("broken", lambda activations, context: activations[..., :1])
    with (
        pytest.raises(InterventionError, match=r"'broken' turned shape \(2, 5, 2\) into \(2, 5, 1\)"),
        lens.editing(some_neurons(lens), broken),
    ):
        model(TOKENS)


def test_an_edit_must_keep_the_dtype(lens, model):
    wide = vl.pointwise("wide", lambda activations, context: activations.double())
    with pytest.raises(InterventionError, match=r"'wide' turned dtype torch.float32 into torch.float64"):
        with lens.intervening(some_neurons(lens), wide):
            model(TOKENS)


def test_a_run_of_the_users_own_tells_the_layer_and_nothing_that_it_cannot_know(lens, model):
    contexts = []
    spy = vl.pointwise("spy", lambda activations, context: contexts.append(context) or activations + 1)
    with lens.intervening(some_neurons(lens), spy):
        model(TOKENS)
    assert contexts == [vl.Context(layer=0), vl.Context(layer=1)]


def test_an_intervention_is_prepared_once_for_its_neurons_and_items(lens, model):
    calls = []

    def prepare(model, neurons, items):
        calls.append((model, neurons, items))
        return lambda activations, context: activations + 1

    with lens.intervening(some_neurons(lens), vl.Intervention("once", prepare), items=["a"]):
        model(TOKENS), model(TOKENS)
    assert calls == [(lens, some_neurons(lens), ["a"])]
