"""Do measures encode and the engine run? Scores of hand-made tasks against the model's own logits."""

import pytest
import torch

import value_lens as vl
from value_lens.errors import NotFiniteError
from value_lens.model import Batching, encode


def endings(lens, texts):
    """A task that scores the last token of each text."""
    encoded = [encode(lens, text, origin=place) for place, text in enumerate(texts)]
    scored = [vl.ScoredText(e, place, ((len(e.ids) - 2, e.ids[-1], 1.0),)) for place, e in enumerate(encoded)]
    return encoded, scored


TEXTS = ["the river keeps", "a quiet evening letter", "storm"]


def test_scores_are_the_models_own_log_probabilities(lens, model):
    encoded, scored = endings(lens, TEXTS)
    task = vl.TokenTask(TEXTS, scored)
    found = vl.score_items(lens, task)
    with torch.no_grad():
        logits = [model(torch.tensor([e.ids]))[0, -2] for e in encoded]
    expected = [row.log_softmax(-1)[e.ids[-1]] for row, e in zip(logits, encoded, strict=True)]
    torch.testing.assert_close(found, torch.stack(expected).double(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(task.reduce(torch.stack(logits)), found, rtol=1e-4, atol=1e-5)


def test_an_item_with_a_reason_has_no_score_and_no_other_lacks_one(lens):
    _, scored = endings(lens, TEXTS)
    found = vl.score_items(lens, vl.TokenTask([*TEXTS, "mute"], scored, reasons={3: "it says nothing"}))
    assert found.isnan().tolist() == [False, False, False, True]
    endless = [vl.ScoredText(s.encoded, s.item, ((s.scored[0][0], s.scored[0][1], float("inf")),)) for s in scored]
    with pytest.raises(NotFiniteError, match="of text 'the river keeps' are not finite"):
        vl.score_items(lens, vl.TokenTask(TEXTS, endless, kind="text"))


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_engine_tells_interventions_what_it_runs(lens, side):
    contexts = []
    spy = vl.pointwise("spy", lambda activations, context: contexts.append(context) or activations + 1)
    neurons = vl.NeuronSet.from_pairs([(0, 1)], site="post", n_layers=lens.info.n_layers, d_mlp=lens.info.d_mlp)
    encoded, scored = endings(lens, TEXTS)
    with lens.intervening(neurons, spy):
        vl.score_items(lens, vl.TokenTask(TEXTS, scored), Batching(padding_side=side))
    (context,) = contexts
    assert sorted(context.item_ids) == sorted(TEXTS) and (context.layer, context.step, context.phase) == (0, 0, "prompt")
    for name, positions in zip(context.item_ids, context.positions.tolist(), strict=True):
        length = len(encoded[TEXTS.index(name)].ids)
        padding = [-1] * (len(positions) - length)
        assert positions == ([*padding, *range(length)] if side == "left" else [*range(length), *padding])


def test_choice_is_registered_with_its_question(dilemmas):
    measure = vl.measures["choice"](vl.Question("continuation"))
    assert (measure.name, measure.unit) == ("choice", "nats")
    assert vl.measures["choice"].parameters["question"].default == "label"
