"""Tilted draws have the chances that are claimed of them, and the loudness of their set."""

import pytest
import torch

import value_lens as vl
from value_lens.causal._bins import Bins
from value_lens.causal._strata import Strata
from value_lens.causal._tilt import _chances, fit_odds


def crowd(favour, *, d_mlp=600, size=40, seed=0):
    """A layer's loudness, and a set of which membership goes by log loudness times `favour` plus noise."""
    g = torch.Generator().manual_seed(seed)
    logs = torch.randn(1, d_mlp, generator=g, dtype=torch.float64)
    score = favour * logs + torch.randn(logs.shape, generator=g, dtype=torch.float64)
    return logs.exp(), vl.NeuronSet.from_mask(score >= score.flatten().topk(size).values[-1], site="post")


@pytest.mark.parametrize("favour", [0.0, 1.0, -1.0, 3.0])
def test_controls_are_on_average_as_loud_as_their_set(favour):
    loudness, neurons = crowd(favour)
    strata = Strata.build(neurons, Bins.build(torch.zeros_like(loudness), loudness))
    own = float(loudness.log()[neurons.mask()].mean())
    assert strata.mean(loudness.log()) == pytest.approx(own, abs=0.02)
    drawn = torch.stack([loudness.log().flatten()[strata.draw(number, 0)].mean() for number in range(300)])
    assert float(drawn.mean()) == pytest.approx(own, abs=0.02 + 3 * float(drawn.std()) / 300**0.5)


def test_chances_are_how_often_a_neuron_is_drawn():
    loudness, neurons = crowd(1.5, d_mlp=150, size=12)
    strata = Strata.build(neurons, Bins.build(torch.zeros_like(loudness), loudness))
    n_draws = 3000
    times = torch.zeros(150, dtype=torch.float64)
    for number in range(n_draws):
        times[strata.draw(number, 0)] += 1
    assert float(strata.odds.max() / strata.odds.min()) > 2
    assert float((times[strata.order] / n_draws - strata.chance).abs().max()) < 0.05
    assert int(times.sum()) == 12 * n_draws
    shared = sum(len(set(strata.draw(k, 0).tolist()) & {index for _, index in neurons}) for k in range(400)) / 400 / 12
    assert strata.fairness["expected_overlap"] == pytest.approx(shared, abs=0.02)


def test_without_favour_every_neuron_of_a_stratum_has_the_same_odds():
    logs = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0, 7.0, 7.0, 7.0], dtype=torch.float64)
    stratum = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1])
    members = torch.tensor([False, False, True, False, False, True, False, False])  # the middle of the one, any of the other
    odds, chance = fit_odds(logs, stratum, members)
    torch.testing.assert_close(odds, torch.ones_like(odds), atol=1e-4, rtol=0)
    torch.testing.assert_close(chance, torch.tensor([0.2] * 5 + [1 / 3] * 3, dtype=torch.float64), atol=1e-4, rtol=0)


@pytest.mark.parametrize("steep", [0.0, 1.0, 10.0, 30.0])
def test_as_many_are_expected_as_there_are_members(steep):
    stratum = torch.tensor([0] * 50 + [1] * 9)
    odds = torch.cat([torch.linspace(-steep, steep, 50), torch.linspace(0, steep, 9)]).double().exp()
    count = torch.tensor([10.0, 2.0], dtype=torch.float64)
    chance = _chances(odds, stratum, count)
    assert float(chance[:50].sum()) == pytest.approx(10, abs=0.01) and float(chance[50:].sum()) == pytest.approx(2, abs=0.01)
    assert (chance.diff()[:49] >= 0).all()


def test_the_loudest_of_all_have_their_own_controls_and_that_is_told():
    loudness = torch.arange(1.0, 201.0, dtype=torch.float64)[None] ** 2
    loudest = vl.NeuronSet.from_mask(loudness > 190**2, site="post")
    strata = Strata.build(loudest, Bins.build(torch.zeros_like(loudness), loudness))
    assert strata.fairness["expected_overlap"] > 0.3 and strata.fairness["not_widened"] == 0
    control = strata.control(strata.without_members(strata.draw(0, 0), 0, 0), 0, 0)
    assert len(control) == 10 and not set(control) & set(loudest)


def test_a_single_neuron_is_not_its_own_control_for_being_the_loudest_of_its_stratum():
    loudness = torch.linspace(0, 3, 200, dtype=torch.float64).exp()[None]
    for index in (195, 197, 199):
        single = vl.NeuronSet.from_pairs([(0, index)], site="post", n_layers=1, d_mlp=200)
        strata = Strata.build(single, Bins.build(torch.zeros_like(loudness), loudness))
        assert 0.15 < strata.fairness["expected_overlap"] < 0.25
