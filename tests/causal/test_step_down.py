"""The step-down correction keeps the level, whatever the tests are: on statistics whose null is known."""

import pytest
import torch

from value_lens.causal._specific import deal_p
from value_lens.causal._step_down import step_down


def ranks(statistics):
    """Own p-values in one pool of what was seen (first) and the draws."""
    far = (statistics[:, None, :] >= statistics[:, :, None]).double().sum(-1)
    return far / statistics.shape[1]


@pytest.mark.parametrize("n_tests", [1, 40])
def test_alarms_are_kept_to_the_level(n_tests):
    """As many tests as half of the draws: one of them is the first among its draws in a third of all cases."""
    generator = torch.Generator().manual_seed(2)
    alarms = 0
    for _ in range(300):
        p = ranks(torch.rand(n_tests, 100, generator=generator, dtype=torch.float64))
        alarms += min(step_down(p[:, 0].tolist(), list(p[:, 1:]))) < 0.05
    assert alarms <= 27  # 15 expected at most; 28 or more has a chance of about 1 in 900


def test_a_surer_test_alone_is_corrected_for_all_and_the_last_for_none():
    own = [0.5, 0.01]
    drawn = [torch.tensor([0.2, 0.005, 0.9, 0.3]), torch.tensor([0.6, 0.4, 0.02, 0.7])]
    assert step_down(own, drawn) == pytest.approx([(1 + 3) / 5, (1 + 1) / 5])
    assert step_down(own, drawn, plain=[0.9, 0.3]) == pytest.approx([0.9, 0.3 + 0.1])


def test_dealt_clusters_rank_what_was_found_among_the_deals():
    """Many cells, few deals: else some cell would be the first of all in most matrices."""
    generator = torch.Generator().manual_seed(4)
    of = torch.arange(4).repeat_interleave(6)
    alarms = 0
    for trial in range(100):
        cells = [(v, torch.randn(24, generator=generator, dtype=torch.float64)) for v in range(4) for _ in range(5)]
        found = deal_p(cells, of, n_resamples=99, generator=torch.Generator().manual_seed(trial))
        alarms += min(found) < 0.05
    assert alarms <= 12  # 5 expected; 13 or more has a chance of about 1 in 700
