"""Intervals are what their definitions say and hold the truth: against plain loops, scipy and simulation."""

import math
import statistics

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import slow_difference, slow_rate, slow_residuals
from scipy import stats

from value_lens.causal._intervals import (
    difference_interval,
    linearised_residuals,
    mean_interval,
    rate_interval,
    variance_of_mean,
)

support = st.sampled_from([0.0, 0.0, 0.5, 1.0, 1.0])
level_of = st.sampled_from([0.5, 0.8, 0.95])


@st.composite
def answers(draw, n_columns=2, element=support):
    """Some columns of values for the same items, and the cluster of each: 2 to 5 clusters of unlike sizes, in any order."""
    clusters = draw(st.lists(st.integers(0, 4), min_size=2, max_size=14).filter(lambda names: len(set(names)) > 1))
    column = st.lists(element, min_size=len(clusters), max_size=len(clusters))
    return clusters, *(draw(column) for _ in range(n_columns))


def row(values):
    return torch.tensor([values], dtype=torch.float64)


def cluster_tensor(clusters):
    return torch.tensor(clusters, dtype=torch.int64)


# The definitions


@settings(deadline=None, max_examples=30)
@given(answers(2, st.floats(-3, 3)))
def test_residuals_are_those_of_the_ratio_of_sum_to_size(given_answers):
    clusters, first, second = given_answers
    found = linearised_residuals(torch.tensor([first, second]), cluster_tensor(clusters))
    for values, residuals in zip((first, second), found.tolist(), strict=True):
        assert residuals == pytest.approx(slow_residuals(values, clusters), abs=1e-6)
        assert sum(residuals) == pytest.approx(0, abs=1e-6)


def test_with_clusters_of_one_size_the_variance_is_that_of_their_mean():
    values = [0.3, 2.0, -1.0, 0.0, 5.0, 0.25]
    means = [statistics.mean(values[i : i + 2]) for i in (0, 2, 4)]
    found = variance_of_mean(linearised_residuals(row(values), cluster_tensor([7, 7, 3, 3, 4, 4])))
    assert float(found) == pytest.approx(statistics.variance(means) / 3)


@settings(deadline=None, max_examples=30)
@given(answers(1), level_of)
def test_a_rate_has_the_interval_of_the_definition(given_answers, level):
    clusters, values = given_answers
    found = rate_interval(row(values), cluster_tensor(clusters), level=level)[0].tolist()
    assert found == pytest.approx(list(slow_rate(values, clusters, level)), abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(answers(2), level_of)
def test_a_difference_has_the_interval_of_the_definition(given_answers, level):
    clusters, edited, clean = given_answers
    found = difference_interval(row(edited), row(clean), cluster_tensor(clusters), level=level)[0].tolist()
    assert found == pytest.approx(list(slow_difference(edited, clean, clusters, level)), abs=1e-9)


def test_margins_have_the_t_interval_of_scipy():
    changes = [0.31, -1.2, 0.04, 2.2, 0.7]
    theirs = stats.ttest_1samp(changes, 0).confidence_interval(0.9)
    assert mean_interval(row(changes), torch.arange(5), level=0.9)[0].tolist() == pytest.approx(list(theirs))
    halves = [x + y for x in changes for y in (-0.5, 0.5)]  # two fillings of each frame
    found = mean_interval(row(halves), torch.arange(5).repeat_interleave(2), level=0.9)[0].tolist()
    assert found == pytest.approx(list(theirs))


# What follows from them


@settings(deadline=None, max_examples=40)
@given(answers(2), level_of)
def test_an_interval_holds_the_estimate_and_lies_within_a_wider_one(given_answers, level):
    clusters, edited, clean = given_answers
    change = statistics.mean(edited) - statistics.mean(clean)
    ends = [
        difference_interval(row(edited), row(clean), cluster_tensor(clusters), level=some)[0].tolist() for some in (0.99, level)
    ]
    (lowest, highest), (low, high) = ends
    slack = 0.01  # with a correlation of gain and loss, distances added in squares need not grow with the level (1e-4 was seen)
    assert -1 - 1e-9 <= lowest <= low + slack and high <= highest + slack and highest <= 1 + 1e-9
    assert low - 1e-9 <= change <= high + 1e-9


@settings(deadline=None, max_examples=40)
@given(answers(2), level_of)
def test_support_of_the_other_option_has_the_mirrored_interval(given_answers, level):
    clusters, edited, clean = given_answers
    low, high = difference_interval(row(edited), row(clean), cluster_tensor(clusters), level=level)[0].tolist()
    mirrored = difference_interval(1 - row(edited), 1 - row(clean), cluster_tensor(clusters), level=level)[0].tolist()
    assert mirrored == pytest.approx([-high, -low], abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(answers(2, st.sampled_from([0.0, 1.0])), st.integers(2, 7))
def test_fillings_of_a_frame_do_not_narrow_the_interval(given_answers, times):
    """Frames answered once; then every filling as its frame."""
    _, edited, clean = given_answers
    frames = list(range(len(edited)))
    once = difference_interval(row(edited), row(clean), cluster_tensor(frames), level=0.95)
    often = difference_interval(row(edited * times), row(clean * times), cluster_tensor(frames * times), level=0.95)
    torch.testing.assert_close(often, once, atol=1e-9, rtol=0)


def test_where_all_agree_the_interval_is_the_exact_bound_of_what_was_not_seen():
    """Of 12 clusters none lost or all lost: up to 1 - 0.025^(1/12) of all may be otherwise."""
    most = stats.binomtest(0, 12).proportion_ci(0.95, method="exact").high
    none, every = rate_interval(torch.tensor([[0.0] * 12, [1.0] * 12]), torch.arange(12), level=0.95).tolist()
    assert none == pytest.approx([0, most]) and every == pytest.approx([1 - most, 1])
    still = difference_interval(row([1.0] * 12), row([1.0] * 12), torch.arange(12), level=0.95)[0].tolist()
    # Other frames may be answered otherwise without the edit: `most` of them, of which `most` could be gained.
    assert still == pytest.approx([-most, most * most])
    tied = difference_interval(row([0.5] * 12), row([0.5] * 12), torch.arange(12), level=0.95)[0]
    assert float(tied[0]) == pytest.approx(-float(tied[1])) and 0.5 * most < float(tied[1]) < most


def test_one_exception_does_not_bound_more_tightly_than_none():
    """Of 48 frames of 8 fillings one filling was lost: its variance says 1.4%, but none lost at all allows 7.4%."""
    lost = torch.zeros(48, 8, dtype=torch.float64)
    frames = torch.arange(48).repeat_interleave(8)
    none = rate_interval(lost.reshape(1, -1), frames, level=0.95)[0]
    lost[5, 3] = 1
    one = rate_interval(lost.reshape(1, -1), frames, level=0.95)[0]
    assert float(one[1]) >= float(none[1]) > 0.07 and 0 < float(one[0]) < 1 / 384


def test_one_cluster_has_no_interval():
    values, same = torch.rand(2, 3, dtype=torch.float64), cluster_tensor([3, 3, 3])
    assert rate_interval(values, same, level=0.9).isnan().all()
    assert difference_interval(values, values.flip(0), same, level=0.9).isnan().all()
    assert mean_interval(values, same, level=0.9).isnan().all()


# Coverage; `simulations/coverage.py` goes through the whole grid


def held(low, high, truth):
    return float(((low - 1e-9 <= truth) & (truth <= high + 1e-9)).double().mean())


def alike(rate, n_clusters, n_fillings, correlation, generator, times=600):
    """Supports of the fillings of each frame: with chance sqrt(correlation) the frame's own, else a fresh toss."""
    shape = (times, n_clusters, n_fillings)
    draw = lambda *size: torch.rand(size, generator=generator)  # noqa: E731
    common, own = draw(times, n_clusters, 1) < rate, draw(*shape) < rate
    return torch.where(draw(*shape) < math.sqrt(correlation), common, own).double()


@pytest.mark.parametrize("n_clusters", [4, 12, 48])
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("n_fillings", [1, 2, 8])
@pytest.mark.parametrize("clean_rate", [1.0, 0.7])
def test_intervals_hold_the_truth(n_clusters, correlation, n_fillings, clean_rate):
    """Also where all items are lost, which the published grid does not reach."""
    generator = torch.Generator().manual_seed(1)
    draw = lambda rate: alike(rate, n_clusters, n_fillings, correlation, generator)  # noqa: E731
    clusters = torch.arange(n_clusters).repeat_interleave(n_fillings)
    for flipped, back in ((0.0, 0.1), (0.05, 0.0), (0.5, 0.1), (1.0, 0.0)):
        clean = draw(clean_rate)
        edited = torch.where(clean > 0, 1 - draw(flipped), draw(back))
        flat = [x.reshape(len(x), -1) for x in (edited, clean)]
        low, high = difference_interval(*flat, clusters, level=0.95).unbind(-1)
        assert held(low, high, (1 - clean_rate) * back - clean_rate * flipped) >= 0.93
        low, high = rate_interval(flat[0], clusters, level=0.95).unbind(-1)
        assert held(low, high, clean_rate * (1 - flipped) + (1 - clean_rate) * back) >= 0.93
