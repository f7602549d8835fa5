"""Are intervals, p-values and their correction what the definitions say? Against exact enumeration and scipy."""

import math
import random
from itertools import pairwise, permutations, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import value_lens as vl
from value_lens.errors import DataError
from value_lens.trials.inference import holm, paired_interval, sign_flip_p

supports = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(*given_rows):
    return torch.tensor(given_rows, dtype=torch.float64)


# Holm


def slow_holm(p):
    """Sort; multiply the i-th smallest of m by m - i; never below an earlier one; at most 1."""
    tested = sorted((number, place) for place, number in enumerate(p) if not math.isnan(number))
    found, highest = [math.nan] * len(p), 0.0
    for rank, (number, place) in enumerate(tested):
        highest = max(highest, (len(tested) - rank) * number)
        found[place] = min(1.0, highest)
    return found


p_values = st.one_of(st.just(math.nan), st.integers(0, 20).map(lambda k: k / 20))


@settings(deadline=None, max_examples=40)
@given(st.lists(p_values, max_size=12))
def test_holm_equals_the_step_down_loop(p):
    found = holm(torch.tensor(p, dtype=torch.float64))
    assert found.tolist() == pytest.approx(slow_holm(p), abs=1e-12, nan_ok=True)


def test_holm_worked_example():
    assert holm(torch.tensor([0.01, 0.04, 0.03, 0.005], dtype=torch.float64)).tolist() == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )


def test_holm_does_not_depend_on_the_order_of_cells():
    p = [0.02, math.nan, 0.02, 0.3, 0.001]
    expected = dict(zip(p, slow_holm(p), strict=True))
    for order in permutations(p[2:] + p[:1]):
        assert holm(torch.tensor(order, dtype=torch.float64)).tolist() == pytest.approx([expected[x] for x in order])


def test_holm_counts_tested_cells_only_and_keeps_shape():
    p = torch.tensor([[0.01, math.nan], [math.nan, 0.5]], dtype=torch.float64)
    found = holm(p)
    assert found.shape == (2, 2)
    assert found[0, 0] == pytest.approx(0.02) and found[1, 1] == pytest.approx(0.5)
    assert torch.equal(torch.isnan(found), torch.isnan(p))
    assert bool(torch.isnan(holm(torch.full((3,), math.nan))).all())
    assert holm(torch.zeros(0)).shape == (0,)


def test_holm_leaves_what_it_is_given():
    p = torch.tensor([0.2, 0.1])
    holm(p)
    assert p.tolist() == pytest.approx([0.2, 0.1])


# Sign flip


def exact_sign_flip(differences):
    """The share of all 2^n assignments of signs whose sum is as far from 0."""
    seen = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True))) for signs in product((-1, 1), repeat=len(differences))
    ]
    return sum(total >= seen - 1e-9 for total in sums) / len(sums)


@settings(deadline=None, max_examples=25)
@given(st.lists(supports, min_size=1, max_size=9), st.integers(0, 99))
def test_sign_flip_is_the_enumeration_or_within_its_error(differences, seed):
    exact = exact_sign_flip(differences)
    assert float(sign_flip_p(rows(differences), n_resamples=512, generator=generator(seed))) == exact
    longer = [*differences, *[0.0] * 6, *[1.0] * 6]  # too many to enumerate
    exact, n_resamples = exact_sign_flip([*differences, *[1.0] * 6]), 4000
    found = float(sign_flip_p(rows(longer), n_resamples=n_resamples, generator=generator(seed)))
    assert abs(found - exact) <= 5 * math.sqrt(exact * (1 - exact) / n_resamples) + 1 / n_resamples


def test_sign_flip_is_never_zero_and_one_without_a_difference():
    found = sign_flip_p(rows([1.0] * 40, [0.0] * 40, [1.0, -1.0] * 20), n_resamples=500, generator=generator())
    assert found.tolist() == [1 / 501, 1.0, 1.0]


@settings(deadline=None, max_examples=20)
@given(st.lists(supports, min_size=2, max_size=12))
def test_sign_flip_is_two_sided_and_knows_no_scale(differences):
    a = sign_flip_p(rows(differences), n_resamples=300, generator=generator(4))
    for factor in (-1, 2, -0.25):
        assert torch.equal(a, sign_flip_p(factor * rows(differences), n_resamples=300, generator=generator(4)))


def test_sign_flip_rows_share_their_draws():
    row = [1.0, 0.0, 1.0, -1.0, 0.5, 1.0]
    both = sign_flip_p(rows(row, row), n_resamples=200, generator=generator(1))
    assert both[0] == both[1] == sign_flip_p(rows(row), n_resamples=200, generator=generator(1))[0]


# Bootstrap


def exact_means(differences):
    """Every mean of a resample, n^n of them."""
    return sorted(sum(draw) / len(draw) for draw in product(differences, repeat=len(differences)))


@pytest.mark.parametrize("differences", [[-1.0, 0.0, 1.0, 1.0, 1.0], [0.5, 0.5, -0.5, 0.0], [0.1, 0.27, -0.4, 0.9, 0.33]])
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_the_interval_ends_at_quantiles_of_the_enumeration(differences, level):
    """About (1 - level) / 2 of all resamples lie below each end, strictly or not, within the error of 20,000 draws."""
    means = exact_means(differences)
    ends = paired_interval(rows(differences), n_resamples=20_000, level=level, generator=generator())[0].tolist()
    for end, share in zip(ends, ((1 - level) / 2, (1 + level) / 2), strict=True):
        slack = 5 * math.sqrt(share * (1 - share) / 20_000) + 1e-3
        assert sum(mean < end - 1e-9 for mean in means) / len(means) <= share + slack
        assert sum(mean <= end + 1e-9 for mean in means) / len(means) >= share - slack


def test_the_interval_is_that_of_scipy():
    from scipy import stats

    rng = random.Random(0)
    differences = [rng.choice([-1.0, -0.5, 0.0, 0.0, 0.5]) + rng.gauss(0, 0.1) for _ in range(57)]
    mean_of = lambda x, axis: x.mean(axis)  # noqa: E731
    theirs = stats.bootstrap((differences,), mean_of, n_resamples=20_000, method="percentile", random_state=0)
    mine = paired_interval(rows(differences), n_resamples=20_000, level=0.95, generator=generator())[0].tolist()
    assert mine == pytest.approx(list(theirs.confidence_interval), abs=0.06 * theirs.standard_error)


def test_items_are_resampled_together():
    """So rows that differ by a constant have intervals that differ by it, and a copy has the same."""
    row = [0.3, -1.0, 0.0, 0.5, 0.5, 1.0, -0.5]
    first, second, third = paired_interval(
        rows(row, [x + 0.25 for x in row], row), n_resamples=300, level=0.8, generator=generator(2)
    )
    assert torch.allclose(second, first + 0.25, atol=1e-12)
    assert torch.equal(third, first)


@settings(deadline=None, max_examples=20)
@given(st.lists(supports, min_size=1, max_size=9), st.sampled_from([0.5, 0.8, 0.95]))
def test_an_interval_lies_within_the_data_and_inside_a_wider_one(differences, level):
    low, high = paired_interval(rows(differences), n_resamples=200, level=level, generator=generator())[0].tolist()
    lower, higher = paired_interval(rows(differences), n_resamples=200, level=0.99, generator=generator())[0].tolist()
    ends = [min(differences), lower, low, high, higher, max(differences)]
    assert all(first <= second + 1e-12 for first, second in pairwise(ends))


def test_equal_differences_have_an_interval_of_no_width():
    assert paired_interval(rows([0.5] * 7), n_resamples=50, level=0.95, generator=generator()).tolist() == [[0.5, 0.5]]


def test_the_generator_alone_decides():
    row = rows([0.13, 0.7, 0.7, 0.0, 1.0, -1.0, 0.5])
    draw = lambda seed: paired_interval(row, n_resamples=40, level=0.9, generator=generator(seed))  # noqa: E731
    before = torch.random.get_rng_state()
    assert torch.equal(draw(3), draw(3))
    assert not torch.equal(draw(3), draw(4))
    assert torch.equal(torch.random.get_rng_state(), before)


# Settings


@pytest.mark.parametrize("change", [{"n_resamples": 0}, {"n_flips": 0}, {"level": 0.0}, {"level": 1.0}, {"level": 95.0}])
def test_settings_that_mean_nothing_are_refused(change):
    with pytest.raises(DataError, match="draws must be positive and level between 0 and 1, got"):
        vl.Inference(**change)
