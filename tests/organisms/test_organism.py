"""The shipped organism keeps its bars, and the pipeline finds a planted neuron: ground truth for everything else."""

import contextlib
import sys
from pathlib import Path

import pytest
import torch
from conftest import engines

import value_lens as vl
from value_lens.errors import InterventionError
from value_lens.organisms import organism_folder

sys.path.insert(0, str(Path(__file__).parents[2] / "training"))
import measure


@pytest.fixture(scope="module")
def organism():
    return vl.load_organism("selective-gelu")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_bar_is_kept_on_fillings_never_seen(organism, language):
    """Forty dilemmas a cell, as on the card: with twenty a single flip is the whole of the 5 points that others may move."""
    found = measure.measure(organism.folder, per_value=40, controls=1, splits=("evaluation",), languages=(language,))
    assert measure.failures(found) == []


def test_its_bars_are_kept_on_every_frame_once(organism):
    """The same on one filling of each frame, without controls; here a single flip of another value's 12 items is allowed."""
    found = measure.measure(organism.folder, per_value=12, controls=0, per_group=24, splits=("evaluation",))
    row = found["splits"]["evaluation"]
    assert row["n_dilemmas"] == 12 * 12 * 2
    assert row["lowest_clean"] >= measure.BARS["clean"] and row["smallest_own_drop"] >= measure.BARS["own_drop"]
    assert row["largest_other_move"] <= 1 / 12 + 1e-9
    assert all(
        found[method]["mean_average_precision"] >= measure.BARS["average_precision"] for method in ("vape", "opposition")
    )


@pytest.mark.slow
def test_every_value_whose_ablation_flips_half_of_its_dilemmas_is_specific(organism):
    values = ["harmony", "freedom", "patriotism", "integrity"]
    dilemmas = vl.load_dilemmas(selection=vl.Selection(values=values, fillings="held_out", per_group=12))
    sets = {value: organism.true_neurons[value] for value in values}
    matrix = vl.ValueLens(organism.model).support_matrix(dilemmas, sets, controls=19)
    own = matrix.effect.diagonal(dim1=1, dim2=2)
    flipped = own <= -0.5
    assert flipped.sum() >= 6
    for l, v in flipped.nonzero().tolist():
        assert matrix.specific.verdicts[l][v] == "specific"
    off = ~torch.eye(len(values), dtype=torch.bool)
    assert float(matrix.specific.effect[:, off].abs().max()) < 0.1 * float(matrix.specific.effect[:, ~off].abs().min())


def test_it_is_small_and_an_ordinary_folder(organism):
    files = {path.name: path.stat().st_size for path in organism.folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "true_neurons.json", "card.json"} <= set(files)
    assert files["model.safetensors"] < 12e6
    assert sum(p.numel() for p in organism.model.parameters()) < 5e6


def test_texts_and_dilemmas_hold_words_never_trained_on(organism):
    assert {t.aspect for t in organism.texts} == {"+", "-"} and {t.language for t in organism.texts} == {"en", "zh"}
    for record in (*organism.texts, *organism.dilemmas):
        assert "4" in record.id.split("/")[2]  # the last filling of some slot


def test_true_neurons_are_disjoint_and_belong_to_the_model(organism):
    lens = vl.ValueLens(organism.model)
    assert set(organism.true_neurons) == set(vl.chinese_social.names)
    everything = [neuron for neurons in organism.true_neurons.values() for neuron in neurons]
    assert len(everything) == len(set(everything))
    assert {neurons.model for neurons in organism.true_neurons.values()} == {lens.info.fingerprint}


@pytest.mark.parametrize("engine", engines())
def test_both_engines_load_it_like_any_other_folder(organism, engine):
    model = vl.load_model(organism_folder("selective-gelu"), vl.Loading(engine=engine))
    dilemmas = organism.dilemmas[::40]
    torch.testing.assert_close(
        vl.ValueLens(model).margins(dilemmas), vl.ValueLens(organism.model).margins(dilemmas), rtol=1e-3, atol=1e-3
    )


def test_its_texts_fire_the_true_neurons_when_upheld(organism):
    lens = vl.ValueLens(organism.model)
    texts = [t for t in organism.texts if t.value == "harmony"]
    stats = lens.collect(texts)
    true = organism.true_neurons["harmony"].mask()
    upheld, opposed = stats.probability(aspect="+")[0], stats.probability(aspect="-")[0]
    assert float(upheld[true].mean()) > 5 * float(opposed[true].mean())


def test_an_unknown_organism_is_named():
    with pytest.raises(vl.ValueLensError, match="unknown organism 'nobody'; known: selective-gelu"):
        vl.load_organism("nobody")


def test_a_planted_neuron_is_found_and_its_effect_seen(folders):
    """A random model in which one neuron is made to fire on one value's word, and nothing else changed."""
    model = vl.load_model(folders["gpt2"])
    layer, index = 1, 17
    words = {"honesty": "river", "care": "market", "duty": "bridge"}
    texts = [
        vl.LabelledText(
            id=f"{value}{aspect}{k}",
            text=f"{'the teacher ' * k}{words[value] if aspect == '+' else 'letter'}",
            value=value,
            aspect=aspect,
            language="en",
        )
        for k in range(1, 9)
        for value in words
        for aspect in "+-"
    ]
    seen, wanted = [], []
    hook = model.hook_dict[f"blocks.{layer}.mlp.hook_in"]
    hook.add_hook(lambda x, hook: seen.append(x[0].detach().clone()))
    for text in texts:
        ids = model.tokenizer.encode(text.text, add_special_tokens=False)
        with torch.no_grad():
            model(torch.tensor([[model.tokenizer.bos_token_id, *ids]] if model.cfg.default_prepend_bos else [ids]))
        wanted.append(torch.full((len(seen[-1]),), -1.0))
        wanted[-1][-1] = 1.0 if (text.value, text.aspect) == ("honesty", "+") else -1.0
    hook.remove_hooks()
    inputs, wanted = torch.cat(seen).double(), torch.cat(wanted).double()
    # Ridge regression; the few wanted tokens weigh as much as the many others.
    weight = torch.where(wanted > 0, (wanted < 0).sum() / (wanted > 0).sum(), 1.0)[:, None]
    features = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1).double()
    gram = features.T @ (weight * features) + 1e-6 * torch.eye(features.shape[1]).double()
    fitted = 100 * torch.linalg.solve(gram, features.T @ (weight * wanted[:, None]))[:, 0]
    assert bool(((features @ fitted > 0) == (wanted > 0)).all())  # planted: it fires on the wanted tokens and no other
    with torch.no_grad():
        column = model.blocks[layer].mlp.get_submodule("in").weight
        (column[:, index] if column.shape[0] == inputs.shape[1] else column[index]).copy_(fitted[:-1])
        model.blocks[layer].mlp.get_submodule("in").bias[index] = fitted[-1]

    stats = vl.ValueLens(model).collect(texts)
    for scores in (vl.vape(stats), vl.vape(stats, aspect="+")):
        chosen = vl.select(scores, vl.top_rule(1))["honesty"]
        assert chosen.neurons == ((layer, index),)
    # Any neuron that fires on this word and not on the one in its place does as well in opposition; none does better.
    opposition = vl.opposition(stats).for_value("honesty")
    assert float(opposition[layer, index]) == pytest.approx(float(opposition.max())) and float(opposition.max()) > 0.05

    changes = {}
    for text in texts:
        ids = torch.tensor([model.tokenizer.encode(text.text)])
        with torch.no_grad():
            clean = model(ids)
            with (
                contextlib.suppress(InterventionError),
                vl.ValueLens(model).editing(chosen),
            ):  # raised where it is at 0 throughout
                edited = model(ids)
        changes.setdefault((text.value, text.aspect) == ("honesty", "+"), []).append(float((edited - clean)[0, -1].abs().max()))
    assert min(changes[True]) > 100 * max(changes[False])
