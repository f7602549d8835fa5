"""Matched random sets are alike in layer, rate and loudness, drawn as a rank needs, and told where they cannot be fair."""

import itertools
import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import value_lens as vl
from value_lens.causal._bins import Bins, _join_neighbours
from value_lens.causal._random_sets import overlap
from value_lens.causal._strata import Strata
from value_lens.errors import MismatchError, NeuronError

N_LAYERS, D_MLP = 3, 61
laws = settings(deadline=None, max_examples=40)
pairs = st.sets(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=12)


def made(neurons, d_mlp=D_MLP, **changes):
    return vl.NeuronSet.from_pairs(neurons, **{"site": "post", "n_layers": N_LAYERS, "d_mlp": d_mlp, **changes})


def some(seed=3, d_mlp=D_MLP):
    return torch.rand(N_LAYERS, d_mlp, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_ties(seed):
    """Rates of a few kinds, many of them 0."""
    return torch.randint(0, 5, (N_LAYERS, D_MLP), generator=torch.Generator().manual_seed(seed)) / 4


CHOSEN = [(0, 1), (0, 5), (0, 9), (1, 0), (2, 60), (2, 30)]


# Bins and strata


@laws
@given(st.integers(0, 1000), st.integers(1, 400))
def test_bins_hold_alike_neurons_together_and_in_order(seed, d_mlp):
    g = torch.Generator().manual_seed(seed)
    rate, loudness = (torch.randint(0, 30, (2, d_mlp), generator=g) / 7 for _ in range(2))
    bins = Bins.build(rate, loudness)
    n_layers, n_rows, n_columns = bins.shape
    column, row, layer = bins.bin % n_columns, bins.bin // n_columns % n_rows, bins.bin // n_columns // n_rows
    for at in range(n_layers):
        here = layer == at
        assert here.view(n_layers, d_mlp)[at].all()
        for numbers, kind in ((rate[at], column[here]), (loudness[at], row[here])):
            order = numbers.argsort()
            assert (kind[order].diff() >= 0).all()  # a larger number is never in an earlier bin
            assert (kind[order].diff()[numbers[order].diff() == 0] == 0).all()  # equal numbers share their bin


def test_the_loudest_have_rows_of_their_own():
    loudness = torch.arange(2000.0).flip(0)[None]
    bins = Bins.build(torch.zeros(1, 2000), loudness)
    n_in_row = torch.bincount(bins.bin // bins.shape[2]).flip(0)
    assert n_in_row[:4].tolist() == [5, 5, 10, 20] and len(n_in_row) == bins.shape[1]
    usual = n_in_row[6:]
    assert usual.float().std() < 2 and usual.max() < 2000 / 30


def cheapest_grouping(sizes, counts, pool):
    """All groupings of neighbours, one by one: the least sum of count * size, infinite where none is roomy enough."""
    best = math.inf
    for cuts in itertools.product([False, True], repeat=len(sizes) - 1):
        ends = [0, *(k + 1 for k, cut in enumerate(cuts) if cut), len(sizes)]
        groups = [(sum(sizes[a:b]), sum(counts[a:b])) for a, b in itertools.pairwise(ends)]
        if all(size >= pool * count for size, count in groups):
            best = min(best, sum(size * count for size, count in groups))
    return best


@laws
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), min_size=1, max_size=8), st.integers(2, 6))
def test_neighbours_are_merged_as_little_as_can_be(bins, pool):
    sizes = [size for size, _ in bins]
    counts = [min(count, size) for size, count in bins]
    chain = torch.tensor([sizes, [50, *[0] * (len(bins) - 1)]])  # another chain beside it changes nothing
    found = _join_neighbours(chain, torch.tensor([counts, [0] * len(bins)]), pool)[0].tolist()
    assert found[0] == 0 and all(b - a in (0, 1) for a, b in itertools.pairwise(found))
    total = lambda numbers, group: sum(n for n, k in zip(numbers, found, strict=True) if k == group)  # noqa: E731
    groups = [(total(sizes, group), total(counts, group)) for group in set(found)]
    if sum(sizes) < pool * sum(counts):
        assert set(found) == {0}
    else:
        assert all(size >= pool * count for size, count in groups)
        assert sum(size * count for size, count in groups) == cheapest_grouping(sizes, counts, pool)


@laws
@given(pairs, st.integers(0, 1000), st.sampled_from([2, 5]))
def test_strata_are_roomy_within_a_layer_and_of_neighbouring_bins(neurons, seed, pool):
    chosen, bins = made(neurons), Bins.build(with_ties(seed), some(seed))
    strata = Strata.build(chosen, bins, pool=pool)
    assert torch.equal(torch.bincount(strata.stratum), strata.size)
    member_flat = [layer * D_MLP + index for layer, index in chosen]
    for number in range(len(strata.size)):
        inside = strata.order[strata.stratum == number]
        n_members = len(set(inside.tolist()) & set(member_flat))
        assert n_members == int((strata.members == number).sum()) > 0
        layer = set((inside // D_MLP).tolist())
        assert len(layer) == 1
        assert len(inside) >= pool * n_members or len(inside) == D_MLP  # roomy, or all of the layer
        rows = (bins.bin[inside] // bins.shape[2]).unique()
        columns = (bins.bin[inside] % bins.shape[2]).unique()
        between = torch.isin(bins.bin // bins.shape[2], torch.arange(int(rows.min()), int(rows.max()) + 1))
        between &= (bins.bin % bins.shape[2] >= columns.min()) & (bins.bin % bins.shape[2] <= columns.max())
        assert set(between.nonzero().flatten().tolist()) == set(inside.tolist())


def test_fairness_is_what_draws_show():
    crowded = made([(0, index) for index in range(25)] + [(1, 7), (1, 8)])
    strata = Strata.build(crowded, Bins.build(some(1), some(2)))
    strata.require_room()
    shares = [len(set(strata.control(strata.draw(k, 0), k, 0)) & set(crowded)) / len(crowded) for k in range(400)]
    assert sum(shares) / len(shares) == pytest.approx(strata.fairness["expected_overlap"], abs=0.01)
    assert strata.fairness["not_widened"] == 25 / 27
    assert strata.mean(some(2)) == pytest.approx(
        sum(float(some(2)[strata.control(strata.draw(k, 0), k, 0).mask()].mean()) for k in range(400)) / 400, abs=0.01
    )
    assert Strata.build(made([]), Bins.build(some(1))).fairness == {"not_widened": 0.0, "expected_overlap": 0.0}


# Draws


def test_every_choice_of_a_stratum_is_as_likely_with_the_set_and_without():
    """Two of ten: 45 pairs for the rank; for the mean the 28 pairs of the eight outside."""
    chosen = vl.NeuronSet.from_pairs([(0, 3), (0, 8)], site="post", n_layers=1, d_mlp=10)
    strata = Strata.build(chosen, Bins.build(torch.zeros(1, 10)))
    n_draws = 3000
    drawn = [strata.draw(number, 1) for number in range(n_draws)]
    outside = [strata.without_members(control, number, 1) for number, control in enumerate(drawn)]
    for draws, n_pairs in ((drawn, 45), (outside, 28)):
        counts = Counter(tuple(sorted(draw.tolist())) for draw in draws)
        expected = n_draws / n_pairs
        assert len(counts) == n_pairs
        chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
        assert chi_square < n_pairs - 1 + 4 * (2 * (n_pairs - 1)) ** 0.5
    for control, other in zip(drawn, outside, strict=True):
        kept = set(control.tolist()) - {3, 8}
        assert kept <= set(other.tolist()) and not {3, 8} & set(other.tolist())
        assert (other is control) == (len(kept) == 2)


@pytest.mark.parametrize("favours_loud", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_set_without_effect_is_larger_than_all_its_controls_one_time_in_twenty(favours_loud):
    g = torch.Generator().manual_seed(0)
    loudness = torch.randn(N_LAYERS, 400, generator=g, dtype=torch.float64).exp()
    bins, first, n_trials = Bins.build(some(d_mlp=400), loudness), 0, 400 if favours_loud else 200
    for trial in range(n_trials):
        score = favours_loud * loudness.log() + torch.randn(loudness.shape, generator=g, dtype=torch.float64)
        neurons = vl.NeuronSet.from_mask(score >= score.flatten().topk(24).values[-1], site="post")
        effect = (loudness * torch.randn(loudness.shape, generator=g, dtype=torch.float64)).flatten()
        strata = Strata.build(neurons, bins)
        own = abs(float(effect[neurons.mask().flatten()].sum()))
        first += all(abs(float(effect[strata.draw(k, trial)].sum())) < own for k in range(19))
    assert first / n_trials <= 0.05 + 2 * (0.05 * 0.95 / n_trials) ** 0.5


def test_controls_are_as_loud_as_the_set_where_loudness_is_known():
    d_mlp = 2000
    g = torch.Generator().manual_seed(0)
    loudness = torch.randn(N_LAYERS, d_mlp, generator=g, dtype=torch.float64).mul(1.5).exp()
    score = loudness.log() + 1.5 * torch.randn(loudness.shape, generator=g, dtype=torch.float64)
    chosen = vl.NeuronSet.from_mask(score > score.flatten().topk(60).values[-1], site="post")
    rate = some(d_mlp=d_mlp)

    def ratio(**known):
        drawn = vl.matched_random(chosen, rate, n_sets=30, seed=0, **known)
        return sum(float(loudness[control.mask()].mean()) for control in drawn) / 30 / float(loudness[chosen.mask()].mean())

    assert ratio() < 0.4 < 0.75 < ratio(loudness=loudness) < 1.25


@laws
@given(pairs, pairs, st.integers(0, 1000), st.booleans())
def test_controls_match_per_layer_and_touch_nothing_barred(neurons, excluded, seed, loud):
    chosen, exclude = made(neurons), made(excluded)
    loudness = some(seed) if loud else None
    controls = vl.matched_random(chosen, with_ties(seed), loudness=loudness, n_sets=3, seed=seed, exclude=exclude)
    assert len(controls) == 3
    for control in controls:
        assert Counter(layer for layer, _ in control) == Counter(layer for layer, _ in neurons)
        assert not set(control) & (neurons | excluded)
        assert (control.site, control.n_layers, control.d_mlp) == ("post", N_LAYERS, D_MLP)


def test_the_seed_and_the_set_decide_the_draws():
    chosen, rate = made(CHOSEN), some()
    first = vl.matched_random(chosen, rate, n_sets=4, seed=5)
    torch.manual_seed(99)  # the global generator has no say
    assert vl.matched_random(chosen, rate, n_sets=4, seed=5) == first
    assert vl.matched_random(chosen, rate, n_sets=2, seed=5) == first[:2]
    assert vl.matched_random(chosen, rate, n_sets=4, seed=6) != first
    assert len(set(first)) > 1


def test_drawing_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    vl.matched_random(made(CHOSEN), some(), n_sets=2, seed=5)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_rates_are_nearer_than_those_of_random_choice():
    chosen, rate = made(CHOSEN, d_mlp=400), some(d_mlp=400)

    def distance(sets):
        """Mean difference in rate, the neurons of a layer paired in order of rate."""
        gaps = []
        for one in sets:
            for layer, indices in one.per_layer().items():
                mine, theirs = rate[layer, chosen.per_layer()[layer]].sort().values, rate[layer, indices].sort().values
                gaps += (mine - theirs).abs().tolist()
        return sum(gaps) / len(gaps)

    matched = distance(vl.matched_random(chosen, rate, n_sets=30, seed=0))
    anyone = distance(vl.matched_random(chosen, rate, n_sets=30, seed=0, pool=400))
    assert matched < 0.02 < 0.1 < anyone


def test_a_single_neuron_is_replaced_by_any_of_its_bin_and_no_other():
    rate = torch.arange(60).flip(0)[None] / 60  # bins of five
    chosen = vl.NeuronSet.from_pairs([(0, 17)], site="post", n_layers=1, d_mlp=60)
    drawn = {control.neurons for control in vl.matched_random(chosen, rate, n_sets=150, seed=1)}
    assert drawn == {((0, index),) for index in (15, 16, 18, 19)}
    barred = vl.NeuronSet.from_pairs([(0, 15), (0, 16), (0, 18)], site="post", n_layers=1, d_mlp=60)
    wider = {control.neurons[0][1] for control in vl.matched_random(chosen, rate, n_sets=150, seed=1, exclude=barred)}
    assert 19 in wider and len(wider) >= 4 and not wider & {15, 16, 17, 18} and wider <= set(range(10, 25))


@pytest.mark.parametrize("spread", [0.0, 0.001, 1.0], ids=["one rate", "nearly one rate", "every rate"])
def test_controls_of_a_set_that_fires_alike_are_not_the_same_few_neurons(spread):
    """Two random fifths of a pool share a fifth; with ties broken by index, or a pool of fixed size, they shared most."""
    rate = 0.2 + spread * some(d_mlp=2000)
    chosen = made([(1, index) for index in range(0, 2000, 40)], d_mlp=2000)
    controls = vl.matched_random(chosen, rate, n_sets=12, seed=0)
    assert overlap(controls) < 0.3
    drawn = [index for control in controls for _, index in control]
    assert max(drawn) > 1500 and min(drawn) < 500  # no preference for low indices
    gaps = [float(rate[1, index]) for index in drawn]
    assert abs(sum(gaps) / len(gaps) - float(rate[1, ::40].mean())) < 0.02


def test_overlap_is_the_mean_share_of_pairs():
    sets = [made([(0, 1), (0, 2)]), made([(0, 2), (0, 3)]), made([(0, 5), (0, 6)])]
    assert overlap(sets) == pytest.approx((0.5 + 0 + 0) / 3)
    assert math.isnan(overlap(sets[:1]))


def test_an_empty_set_has_empty_controls_and_the_origin_is_told():
    control = vl.matched_random(made([], provenance={"value": "care"}), some(), n_sets=2, seed=8)[1]
    assert len(control) == 0
    assert control.provenance == {"matched_random": {"seed": 8, "number": 1, "pool": 5}, "for": {"value": "care"}}


def test_a_layer_with_just_enough_others_will_do_and_with_one_fewer_not():
    half, rate = made([(1, index) for index in range(3)], d_mlp=7), some(d_mlp=7)
    exclude = made([(1, 3)], d_mlp=7)
    for control in vl.matched_random(half, rate, n_sets=5, seed=0, exclude=exclude):
        assert control.neurons == ((1, 4), (1, 5), (1, 6))
    with pytest.raises(
        NeuronError, match="layer 1 has 2 neurons outside the set, too few for a control of 3; use a smaller set"
    ):
        vl.matched_random(half, rate, n_sets=1, seed=0, exclude=exclude | made([(1, 4)], d_mlp=7))


def test_what_does_not_fit_is_refused():
    with pytest.raises(MismatchError, match=r"rate has shape \(3, 8\), the set needs \(3, 61\)"):
        vl.matched_random(made([(0, 1)]), some(d_mlp=8), n_sets=1, seed=0)
    with pytest.raises(MismatchError, match=r"loudness has shape \(3, 8\), the set needs \(3, 61\)"):
        vl.matched_random(made([(0, 1)]), some(), loudness=some(d_mlp=8), n_sets=1, seed=0)
    with pytest.raises(MismatchError, match="cannot combine site 'post' with site 'gate'"):
        vl.matched_random(made([(0, 1)]), some(), n_sets=1, seed=0, exclude=made([(0, 2)], site="gate"))
    with pytest.raises(NeuronError, match="pool is 1; give at least 2"):
        vl.matched_random(made([(0, 1)]), some(), n_sets=1, seed=0, pool=1)
