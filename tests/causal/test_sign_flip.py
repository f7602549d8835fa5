"""Sign-flip p-values and their correction are what the definitions say: against exact enumeration."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import generator, slow_sign_flip

from value_lens.causal._sign_flip import sign_flip_p

supports = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])
margins = st.integers(-300, 300).map(lambda hundredths: hundredths / 100)  # sums that tie but for rounding


def rows(*given_rows):
    return torch.tensor(given_rows, dtype=torch.float64)


def own(blocks):
    """Clusters of one item each."""
    numbers = iter(range(1000))
    return [[next(numbers) for _ in block[0]] for block in blocks]


def flipped(blocks, n_resamples=4000, seed=0, clusters=None):
    of = [torch.tensor(numbers) for numbers in clusters or own(blocks)]
    found = sign_flip_p([rows(*block) for block in blocks], of, n_resamples=n_resamples, generator=generator(seed))
    return [block.tolist() for block in found]


def block_of(n_rows, element):
    return st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(element, min_size=n, max_size=n), min_size=n_rows, max_size=n_rows)
    )


some_blocks = st.tuples(st.integers(1, 3), st.sampled_from([supports, margins])).flatmap(
    lambda kind: st.lists(block_of(*kind), min_size=1, max_size=3)
)


@settings(deadline=None, max_examples=40)
@given(some_blocks, st.integers(0, 99), st.sampled_from([1, 2, 3, 5, 1000]))
def test_p_values_are_those_of_the_definition(blocks, seed, n_clusters):
    """Also where items of several blocks are of one cluster, and where some are of none but their own."""
    clusters = [[number % n_clusters for number in of] for of in own(blocks)]
    expected = slow_sign_flip(blocks, clusters, 100, seed)
    for found, exact in zip(flipped(blocks, 100, seed, clusters), expected, strict=True):
        assert found == pytest.approx(exact, abs=1e-9)


def test_one_row_is_the_plain_test_never_zero_and_one_without_a_difference():
    for row, expected in (([1.0] * 40, 1 / 501), ([0.0] * 40, 1.0), ([1.0, -1.0] * 20, 1.0)):
        assert flipped([[row]], 500) == [[expected]]


def test_more_cells_never_make_an_effect_surer():
    row, noise = [1.0, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0], [1.0, -1.0, 1.0, -1.0, 0.5, -1.0, 1.0]
    alone = flipped([[row]])[0][0]
    assert alone <= flipped([[row, noise]])[0][0] <= flipped([[row, noise], [[1.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])[0][0]
    assert alone == flipped([[row, [0.0] * 7], [[0.0, 0.0], [0.0, 0.0]]])[0][0]  # cells in which nothing moved cost nothing


def test_a_strong_effect_survives_hundreds_of_cells():
    """Twelve of twelve dilemmas lost, among 24 cells of which 12 rows each were tested."""
    still = [[0.0] * 12 for _ in range(11)]
    found = flipped([[[-1.0] * 12, *still] for _ in range(24)], 5000)
    assert all(block[0] < 0.05 for block in found)
    assert all(p == 1.0 for block in found for p in block[1:])


@settings(deadline=None, max_examples=20)
@given(st.one_of(st.lists(supports, min_size=2, max_size=12), st.lists(margins, min_size=2, max_size=15)))
def test_sign_flip_is_two_sided_and_knows_no_scale(row):
    for factor in (-1, 2, -0.25, 0.1, 1e-6):
        assert flipped([[row]], 300) == flipped([[[factor * x for x in row]]], 300)


def test_fillings_prove_no_more_than_their_frames():
    """Ten copies of each item leave the p-value as it was, if the copies are of one cluster; as items of their own they do not."""
    row = [1.0, 0.5, 1.0, 0.0, 1.0, 0.5]
    copies, frames = row * 10, [list(range(6)) * 10]
    assert flipped([[copies]], clusters=frames) == flipped([[row]])
    assert flipped([[copies]])[0][0] < 0.001 < 0.05 < flipped([[row]])[0][0]


def test_a_large_effect_does_not_hide_a_smaller_one():
    """Seven of twelve frames lost, beside 22 cells in which all twelve were: a single-step correction would say 0.6."""
    still = [[0.0] * 12 for _ in range(11)]
    smaller = [-1.0] * 7 + [0.0] * 5
    found = flipped([[[-1.0] * 12, *still] for _ in range(22)] + [[smaller, *still]], 5000)
    assert found[-1][0] == pytest.approx(2 / 2**7, abs=0.006)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_cell_of_few_clusters_does_not_hide_a_sure_one(n):
    """All n dilemmas of a thinly sampled value lost: its own p-value is large, that of the others as it was."""
    sure = [-1.0] * 12
    alone = flipped([[sure]], 5000)[0][0]
    found = flipped([[sure], [[-1.0] * n]], 5000)
    assert found[0][0] <= 2 * alone + 0.002 and found[1][0] >= 2 / 2**n


def test_p_values_are_exact_where_few_clusters_moved():
    """Five of twelve lost: 2 of 32 assignments, whatever the draws."""
    row = [-1.0] * 5 + [0.0] * 7
    for seed in range(5):
        assert flipped([[row]], 50, seed)[0][0] >= 2 / 2**5
    assert flipped([[row]], 20_000)[0][0] == pytest.approx(2 / 2**5, abs=0.007)


def test_few_clusters_bound_the_p_value():
    for n in (3, 5):
        assert flipped([[[-1.0] * 40]], clusters=[[k % n for k in range(40)]])[0][0] == pytest.approx(2 / 2**n, abs=0.03)


def test_a_frame_in_two_languages_is_one_toss():
    """Two blocks of the same clusters cost no more than one: their largest mean is the same draw for draw."""
    row = [1.0] * 6
    assert flipped([[row], [row]], clusters=[list(range(6))] * 2)[0] == flipped([[row]])[0]
    assert flipped([[row], [row]])[0][0] > flipped([[row]])[0][0]


@pytest.mark.parametrize("per_frame", [1, 10])
def test_false_alarms_over_frames_are_kept_to_the_level(per_frame):
    """Every frame moves all of its fillings its own way, at random: as independent items they would be called significant."""
    draws = generator(9)
    of = torch.arange(12).repeat_interleave(per_frame)
    right = wrong = 0
    for trial in range(200):
        cells = [torch.randint(-1, 2, (1, 12), generator=draws).double().repeat_interleave(per_frame, 1) for _ in range(8)]
        clusters = [of + 12 * number for number in range(8)]
        items = [torch.arange(len(of)) + len(of) * number for number in range(8)]
        right += any(bool((p < 0.05).any()) for p in sign_flip_p(cells, clusters, n_resamples=400, generator=generator(trial)))
        wrong += any(bool((p < 0.05).any()) for p in sign_flip_p(cells, items, n_resamples=400, generator=generator(trial)))
    assert right <= 20
    assert (wrong > 150) == (per_frame > 1)


def change(n_frames, effect, noise, generator):
    """Changes of margin of one value under twelve ablations: `noise` in every frame, and `effect` under its own."""
    changes = noise * torch.randn(12, n_frames, generator=generator, dtype=torch.float64)
    changes[0] -= effect * (1 + 0.3 * torch.randn(n_frames, generator=generator, dtype=torch.float64))
    return changes


def test_where_every_margin_moves_a_clear_effect_is_still_told_from_chance():
    """Twelve frames, 24 values and languages, twelve ablations: with signs alone some cell would look as sure in 13% of draws."""
    draws = generator(3)
    blocks = [change(12, 0.0, 0.1, draws) for _ in range(23)] + [change(12, 1.0, 0.1, draws)]
    found = sign_flip_p(blocks, [torch.arange(12) + 12 * n for n in range(24)], n_resamples=3000, generator=generator())
    assert float(found[-1][0]) < 0.005
    assert all(bool((p > 0.05).all()) for p in found[:-1]) and bool((found[-1][1:] > 0.05).all())


@pytest.mark.parametrize("n_frames", [5, 20])
def test_false_alarms_on_margins_are_kept_to_the_level(n_frames):
    draws = generator(8)
    clusters = [torch.arange(n_frames) + n_frames * number for number in range(4)]
    alarms = 0
    for trial in range(100):
        blocks = [change(n_frames, 0.0, 1.0, draws) for _ in range(4)]
        alarms += any(
            bool((p < 0.05).any()) for p in sign_flip_p(blocks, clusters, n_resamples=300, generator=generator(trial))
        )
    assert alarms <= 12  # 5 expected; 13 or more has a chance of about 1 in 700


@pytest.mark.slow
def test_false_alarms_are_kept_to_the_level():
    """Coin-toss differences in 24 cells of 12 rows: some cell is called significant in about 5 of 100 trials, not in 70."""
    draws = generator(5)
    alarms = 0
    for trial in range(200):
        cells = [torch.randint(-1, 2, (12, 16), generator=draws).double() for _ in range(24)]
        clusters = [torch.arange(16) + 16 * number for number in range(24)]
        found = sign_flip_p(cells, clusters, n_resamples=400, generator=generator(trial))
        alarms += any(bool((p < 0.05).any()) for p in found)
    assert alarms <= 20  # 10 expected; 20 or more has a chance below 1 in 300
