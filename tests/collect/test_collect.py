"""Counts against a slow loop over single texts, on both engines, gated and ungated, at both sites."""

import random

import pytest
import torch
from oracles import activations_of, slow_counts, token_ids

import value_lens as vl
from value_lens.errors import DataError, MismatchError, NotFiniteError
from value_lens.model import LensModel


@pytest.mark.parametrize("site", ["post", "gate"])
def test_equals_a_loop_over_single_texts(lens, model, texts, site):
    stats = lens.collect(texts, site=site, batching=vl.Batching(max_tokens=150))
    expected = slow_counts(model, texts, site)
    assert set(stats.groups) == set(expected)
    allowed = sum(row[5] for row in expected.values())
    assert allowed <= 2e-4 * int(stats.n_tokens.sum()) * stats.n_layers * stats.d_mlp
    differing = 0
    for place, group in enumerate(stats.groups):
        n_texts, n_tokens, fired, total, total_sq, _ = expected[group]
        assert (int(stats.n_texts[place]), int(stats.n_tokens[place])) == (n_texts, n_tokens)
        differing += int((stats.fired[place] - fired).abs().sum())
        torch.testing.assert_close(stats.total[place], total, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(stats.total_sq[place], total_sq, rtol=1e-4, atol=1e-4)
    assert differing <= allowed


@pytest.mark.parametrize(
    "options",
    [{"max_tokens": 1}, {"max_texts": 3}, {"max_tokens": 10_000}, {"padding_side": "left", "max_tokens": 400}],
    ids=["one text a batch", "three texts a batch", "one batch", "left padding"],
)
@pytest.mark.parametrize("site", ["post", "gate"])
def test_counts_do_not_depend_on_batching_order_or_padding(lens, texts, site, options):
    first = lens.collect(texts, site=site)
    shuffled = random.Random(3).sample(texts, len(texts))
    second = lens.collect(shuffled, site=site, batching=vl.Batching(**options))
    assert first.groups == second.groups
    assert torch.equal(first.n_tokens, second.n_tokens)
    assert int((first.fired - second.fired).abs().sum()) <= 2
    torch.testing.assert_close(first.total, second.total, rtol=1e-5, atol=1e-4)


def test_sites_differ_on_a_gated_model_and_agree_on_an_ungated_one(models, texts):
    for (_, kind), model in models.items():
        lens = vl.ValueLens(model)
        post, gate = lens.collect(texts, site="post"), lens.collect(texts, site="gate")
        share = float((post.fired != gate.fired).double().mean())
        assert share > 0.9 if kind == "llama" else share == 0


def test_at_the_gate_hook_post_is_summed_as_at_post(lens, texts):
    post, gate = (
        lens.collect(texts, site="post"),
        lens.collect(texts, site="gate", batching=vl.Batching(max_tokens=300, padding_side="left")),
    )
    torch.testing.assert_close(gate.post_total, post.total, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(gate.post_total_sq, post.total_sq, rtol=1e-5, atol=1e-4)
    for centred in (False, True):
        torch.testing.assert_close(gate.post_size(centred=centred), post.post_size(centred=centred), rtol=1e-4, atol=1e-5)
    assert post.post_total is None and lens.collect(texts[:5], site="gate", moments=False).post_total_sq is None


def test_merging_parts_equals_the_whole(lens, texts):
    whole = lens.collect(texts)
    merged = lens.collect(texts[:30]).merge(lens.collect(texts[30:]))
    assert merged.groups == whole.groups
    assert int((merged.fired - whole.fired).abs().sum()) <= 2  # other batches: rounding near zero
    torch.testing.assert_close(merged.total, whole.total, rtol=1e-5, atol=1e-4)


def test_text_blocks_split_the_counts(lens, texts):
    stats = lens.collect(texts, n_blocks=3)
    plain = lens.collect(texts)
    assert torch.equal(stats.block_fired.sum(0), plain.fired)
    assert torch.equal(stats.block_n_tokens.sum(0), plain.n_tokens)
    assert (stats.block_n_tokens.sum(1) > 0).all()
    again = lens.collect(texts[::-1], n_blocks=3)
    assert torch.equal(stats.block_n_tokens, again.block_n_tokens)


def test_prompts_are_read_but_not_counted(lens, model):
    texts = [
        vl.LabelledText(
            id="a", text=" helps the teacher", value="care", aspect="+", language="en", prompt="the quiet neighbour"
        )
    ]
    stats = lens.collect(texts)
    acts = activations_of(model, "the quiet neighbour helps the teacher", "post")
    n_prompt = len(token_ids(model, "the quiet neighbour"))
    assert int(stats.n_tokens.sum()) == acts.shape[1] - n_prompt
    torch.testing.assert_close(stats.fired[0], (acts[:, n_prompt:] > 0).sum(1))


def test_special_tokens_inside_a_text_are_not_counted(lens, model):
    plain = lens.collect([vl.LabelledText(id="a", text="the river", value="care", aspect="+", language="en")])
    marked = lens.collect([vl.LabelledText(id="a", text="the river</s>", value="care", aspect="+", language="en")])
    assert int(marked.n_tokens.sum()) == int(plain.n_tokens.sum())
    assert torch.equal(marked.fired, plain.fired)  # a later token cannot change an earlier one
    with pytest.raises(DataError, match="special tokens only"):
        lens.collect([vl.LabelledText(id="a", text="</s>", value="care", aspect="+", language="en")])


def test_the_run_ends_before_the_unembedding(lens, model, texts):
    calls = []
    handle = model.unembed.register_forward_pre_hook(lambda *_: calls.append(1))
    try:
        lens.collect(texts)  # with the trial runs, which are made once for the hooks that a model has
        calls.clear()
        lens.collect(texts)
        assert not calls
        model(torch.tensor([[0, 3]]))
        assert calls
    finally:
        handle.remove()


def test_long_texts_are_refused_or_cut_and_told(lens, model):
    long = vl.LabelledText(id="long", text="the river " * 80, value="care", aspect="+", language="en")
    with pytest.raises(DataError, match=r"'long' is \d+ tokens long, but the model's context is 96.*too_long='cut'"):
        lens.collect([long])
    stats = lens.collect([long], batching=vl.Batching(too_long="cut"))
    assert stats.meta["n_texts_cut"] == 1
    assert int(stats.n_tokens.sum()) == 96 - int(bool(model.cfg.default_prepend_bos))


def test_no_texts_is_an_error(lens):
    with pytest.raises(DataError, match="no texts"):
        lens.collect([])


def test_nan_activations_are_located(folders, texts):
    model = vl.load_model(folders["llama"])
    with torch.no_grad():
        model.blocks[1].mlp.gate.weight[5] = torch.nan
    with pytest.raises(NotFiniteError, match=r"activation nan at layer 1, neuron 5, .*token \d+.*weights or the dtype.*'t\d+'"):
        vl.ValueLens(model).collect(texts)


def test_bfloat16_counts_in_full_precision(folders, texts):
    """Hooks that do nothing keep the run as TransformerLens's own cache has it, so the counts must be equal."""
    model = vl.load_model(folders["llama"], vl.Loading(dtype=torch.bfloat16))
    looked_at = [name for name in model.hook_dict if name.endswith(("hook_pattern", "hook_normalized"))]
    with model.hooks([(name, lambda activation, hook: None) for name in looked_at]):
        stats = vl.ValueLens(model).collect(texts, batching=vl.Batching(max_tokens=1))
    expected = slow_counts(model, texts, "post")
    for place, group in enumerate(stats.groups):
        assert torch.equal(stats.fired[place], expected[group][2])
        torch.testing.assert_close(stats.total[place], expected[group][3], rtol=1e-4, atol=1e-4)


def test_bfloat16_attention_rounds_otherwise_only_near_zero(folders, texts):
    model = vl.load_model(folders["llama"], vl.Loading(dtype=torch.bfloat16))
    stats = vl.ValueLens(model).collect(texts, batching=vl.Batching(max_tokens=1))
    expected = slow_counts(model, texts, "post", near_zero=0.002)
    differing = sum(int((stats.fired[place] - expected[group][2]).abs().sum()) for place, group in enumerate(stats.groups))
    assert differing <= 0.1 * sum(row[5] for row in expected.values())
    assert differing <= 0.005 * int(stats.n_tokens.sum()) * stats.n_layers * stats.d_mlp


def test_bfloat16_batching_changes_only_activations_near_zero(folders, texts):
    model = vl.load_model(folders["gpt2"], vl.Loading(dtype=torch.bfloat16))
    lens = vl.ValueLens(model)
    one, many = (
        lens.collect(texts, batching=vl.Batching(max_tokens=1)),
        lens.collect(texts, batching=vl.Batching(padding_side="left")),
    )
    n_activations = int(one.n_tokens.sum()) * one.n_layers * one.d_mlp
    assert int((one.fired - many.fired).abs().sum()) <= 0.002 * n_activations


def test_activations_of_chosen_neurons_token_by_token(lens, model):
    info = lens.info
    pairs = [(info.n_layers - 1, 7), (0, 3), (info.n_layers - 1, 1)]
    neurons = vl.NeuronSet.from_pairs(pairs, site="gate", n_layers=info.n_layers, d_mlp=info.d_mlp)
    found = lens.activations(["the river bridge", "你在学校"], neurons)
    for one in found:
        acts = activations_of(model, one.text, "gate")
        expected = torch.stack([acts[layer, :, index] for layer, index in neurons], dim=-1)
        torch.testing.assert_close(one.activations, expected, rtol=1e-4, atol=1e-5)
        assert len(one.tokens) == expected.shape[0] == len(token_ids(model, one.text))
    assert found[0].tokens[-1].strip() in "the river bridge"


def test_collecting_leaves_the_model_as_it_was(lens, model, texts):
    tokens = torch.tensor([[0, 9, 8, 7]])
    before = model(tokens)
    model.train()
    lens.collect(texts[:5])
    assert model.training
    model.eval()
    assert torch.equal(model(tokens), before)
    assert not any(point.fwd_hooks or point._forward_hooks for point in model.hook_dict.values())


def test_parts_in_training_mode_are_evaluated_and_put_back(folders, texts):
    """A trainer may call train() on the wrapped model alone; a user may keep one block in eval."""
    model = vl.load_model(folders["gpt2"])
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.5
    lens = vl.ValueLens(model)
    expected = lens.collect(texts).fired
    model.original_model.train()
    model.blocks[0].eval()
    before = [part.training for part in model.modules()]
    assert True in before and False in before
    assert torch.equal(lens.collect(texts).fired, expected)
    assert [part.training for part in model.modules()] == before


def test_a_written_weight_makes_another_model(folders, texts):
    model = vl.load_model(folders["llama"])
    lens = vl.ValueLens(model)
    before = lens.collect(texts)
    with torch.no_grad():
        model.blocks[2].mlp.out.weight[3, 5] += 0.25  # one number among many
    after = lens.collect(texts)
    assert before.model != after.model == LensModel(model).info.fingerprint
    with pytest.raises(MismatchError, match="different weights"):
        before.merge(after)


def test_one_model_has_one_fingerprint(folders, models):
    again = LensModel(vl.load_model(folders["gpt2"]))
    assert again.info.fingerprint == LensModel(models["bridge", "gpt2"]).info.fingerprint
    assert again.info.fingerprint != LensModel(models["bridge", "neox"]).info.fingerprint


def test_gradients_flow_as_before_after_counting(lens, model, texts):
    """Nothing that counting does may stay in the model."""

    def gradients():
        model.zero_grad()
        model(torch.tensor([[0, 30, 41, 52, 63, 77, 65, 12]])).logsumexp(-1).sum().backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    trained = [p.requires_grad for p in model.parameters()]
    model.requires_grad_(True)
    try:
        before = gradients()
        lens.collect(texts, batching=vl.Batching(max_tokens=64))
        after = gradients()
    finally:
        for p, asked in zip(model.parameters(), trained, strict=True):
            p.requires_grad_(asked)
        model.zero_grad()
    assert len(before) == len(after) > 0
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
