"""Are settings of batches refused when they mean nothing, and used as a call or the model's own say?"""

import inspect

import pytest

import value_lens as vl
from value_lens.errors import DataError, UnknownNameError
from value_lens.model import LensModel


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"too_long": "foo"}, UnknownNameError, "unknown too_long 'foo'; known: refuse, cut"),
        ({"padding_side": "top"}, UnknownNameError, "unknown padding_side 'top'; known: left, right"),
        ({"max_tokens": 0}, DataError, "max_tokens is 0; give at least 1"),
        ({"max_texts": -2}, DataError, "max_texts is -2; give at least 1"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(options, error, message):
    """Without the suite's own shape checks, which users do not have."""
    with pytest.raises(error, match=message):
        inspect.unwrap(vl.Batching.__init__)(object.__new__(vl.Batching), **options)


def shapes_of(verb, lens, **options):
    """The shapes of the batches that a run puts to the model, without the trial runs."""
    verb(lens, **options)
    shapes, original = [], lens.run

    def noted(function, mask, hooks=()):
        shapes.append(tuple(mask.shape))
        return original(function, mask, hooks)

    lens.run = noted
    verb(lens, **options)
    return shapes


def test_a_call_without_batching_uses_the_models_own(models, texts, dilemmas):
    """In every verb that runs the model on many texts; a call's own goes before it."""
    model = models["bridge", "llama"]
    prompts = [vl.Prompt(id=d.id, system="", user=d.scenario, value="v", aspect="+", language="en") for d in dilemmas]
    single, usual = vl.Batching(max_texts=1), vl.Batching()
    verbs = {
        "collect": lambda lens, **options: lens.collect(texts, **options),
        "margins": lambda lens, **options: lens.margins(dilemmas, **options),
        "respond": lambda lens, **options: vl.respond(lens, prompts, max_new_tokens=1, **options),
    }
    for name, verb in verbs.items():
        own = shapes_of(verb, vl.ValueLens(model, batching=single))
        assert len(own) > 8 and {n_texts for n_texts, _ in own} == {1}, name
        other = shapes_of(verb, vl.ValueLens(model, batching=single), batching=usual)
        assert len(other) < len(own) and other == shapes_of(verb, vl.ValueLens(model)), name


def test_an_experiment_uses_the_models_own(models, dilemmas):
    sets = {"care": vl.NeuronSet.from_pairs([(0, 1)], site="post", n_layers=3, d_mlp=37)}
    one, many = (
        shapes_of(
            lambda lens: lens.support_matrix(dilemmas, sets, controls=1), vl.ValueLens(models["bridge", "llama"], batching=b)
        )
        for b in (vl.Batching(max_texts=1), vl.Batching())
    )
    assert {n_texts for n_texts, _ in one} == {1} and len(many) < len(one)


def test_sites_are_found_once(models):
    lens = LensModel(models["bridge", "llama"])
    assert lens.site("gate") is lens.site("gate") and lens.site("gate").name == "gate"


def test_activations_are_those_of_the_tokens_on_either_side(models):
    """Texts of unlike length share a batch that is padded on the side of the model's own batching."""
    model = models["bridge", "llama"]
    neurons = vl.NeuronSet.from_pairs([(0, 1), (2, 5)], site="post", n_layers=3, d_mlp=37)
    sentences = ["the river", "a quiet evening letter", "help the others now and wait at home"]
    right, left = (
        vl.ValueLens(model, batching=vl.Batching(padding_side=side)).activations(sentences, neurons)
        for side in ("right", "left")
    )
    for one, other in zip(right, left, strict=True):
        assert one.tokens == other.tokens and len(one.tokens) == len(one.activations)
        assert (one.activations - other.activations).abs().max() < 1e-5
