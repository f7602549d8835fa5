"""Does the shipped organism keep its bars, and does the pipeline find a planted neuron? Ground truth for everything else."""

import sys
from pathlib import Path

import pytest
import torch
from conftest import engines

import value_lens as vl
from value_lens.organisms import organism_folder

sys.path.insert(0, str(Path(__file__).parents[1] / "organisms"))
import measure


@pytest.fixture(scope="module")
def organism():
    return vl.load_organism("selective-gelu")


@pytest.mark.slow
def test_every_bar_is_kept_on_fillings_never_seen(organism):
    found = measure.measure(organism.folder, per_value=20, controls=1)
    assert measure.failures(found) == []


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
    model = vl.load_model(organism_folder("selective-gelu"), engine=engine)
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


def test_a_planted_neuron_is_found_and_its_effect_seen(folders, dilemmas):
    """A random model in which one neuron is made to fire on one value's word, and nothing else changed."""
    model = vl.load_model(folders["gpt2"])
    layer, index = 1, 17
    words = {"honesty": "river", "care": "market", "duty": "bridge"}
    texts = [
        vl.LabelledText(
            f"{value}{aspect}{k}", f"{'the quiet teacher ' * k}{word if aspect == '+' else 'letter'}", value, aspect, "en"
        )
        for value, word in words.items()
        for aspect in "+-"
        for k in range(1, 9)
    ]
    lens = vl.ValueLens(model)
    inputs = {}
    hook = model.hook_dict[f"blocks.{layer}.mlp.hook_in"]
    for value, word in words.items():
        hook.add_hook(lambda x, hook, value=value: inputs.__setitem__(value, x[0, -1].detach()))
        with torch.no_grad():
            model(torch.tensor([model.tokenizer.encode(f" {word}")]))
        hook.remove_hooks()
    others = (inputs["care"] + inputs["duty"]) / 2
    direction = inputs["honesty"] - others
    with torch.no_grad():
        column = model.blocks[layer].mlp.get_submodule("in").weight
        (column[:, index] if column.shape[0] == 20 else column[index]).copy_(50 * direction / direction.norm())
        threshold = float(50 * direction @ (inputs["honesty"] * 0.7 + others * 0.3) / direction.norm())
        model.blocks[layer].mlp.get_submodule("in").bias[index] = -threshold
    stats = lens.collect(texts)
    for scores in (vl.vape(stats, aspect="+"), vl.opposition(stats)):
        ranked = scores.of("honesty").flatten().argsort(descending=True)[:3].tolist()
        assert layer * 45 + index in ranked, scores.method
