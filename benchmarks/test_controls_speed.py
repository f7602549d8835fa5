"""Are matched controls of a large model drawn in little time? Twelve sets of 500 neurons among 32 layers of 14,336, twenty each."""

import pytest
import torch

from value_lens import NeuronSet
from value_lens.causal._bins import Bins
from value_lens.causal._strata import Strata

N_LAYERS, D_MLP, N_SETS, N_CONTROLS, SIZE = 32, 14_336, 12, 20, 500
MOST_SECONDS = 3.0


@pytest.mark.benchmark(group="matched controls")
def test_drawing(benchmark):
    """Bins, strata, and for every control both draws: for the rank, and without the set's own."""
    g = torch.Generator().manual_seed(0)
    rate = torch.rand((N_LAYERS, D_MLP), generator=g, dtype=torch.float64) ** 3
    loudness = torch.randn((N_LAYERS, D_MLP), generator=g, dtype=torch.float64).exp()
    scores = (loudness.log() + torch.randn(rate.shape, generator=g, dtype=torch.float64) for _ in range(N_SETS))
    sets = [NeuronSet.from_mask(score >= score.flatten().topk(SIZE).values[-1], site="post") for score in scores]

    def draw():
        bins, made = Bins.build(rate, loudness), []
        for neurons in sets:
            strata = Strata.build(neurons, bins)
            strata.require_room()
            for number in range(N_CONTROLS):
                drawn = strata.draw(number, 0)
                made += [drawn, strata.without_members(drawn, number, 0)]
        return made

    made = benchmark.pedantic(draw, rounds=3, warmup_rounds=1)
    assert len(made) == 2 * N_SETS * N_CONTROLS and all(len(drawn) == SIZE for drawn in made)
    if benchmark.enabled:
        assert benchmark.stats["min"] < MOST_SECONDS
