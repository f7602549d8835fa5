"""Is a neuron set a set, does it keep its site, and are its random controls matched to it?"""

import math
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import value_lens as vl
from value_lens import store
from value_lens.artefact import Kind
from value_lens.errors import ArtefactError, MismatchError, NeuronError
from value_lens.neurons import overlap

N_LAYERS, D_MLP = 3, 7
pairs = st.sets(st.tuples(st.integers(0, N_LAYERS - 1), st.integers(0, D_MLP - 1)))
laws = settings(deadline=None, max_examples=40)


def made(neurons, **changes):
    return vl.NeuronSet.of(neurons, **{"site": "post", "n_layers": N_LAYERS, "d_mlp": D_MLP, **changes})


# The set


@laws
@given(pairs, pairs)
def test_algebra_is_that_of_python_sets(a, b):
    first, second = made(a), made(b)
    for found, expected in (
        (first | second, a | b),
        (first & second, a & b),
        (first - second, a - b),
        (first ^ second, a ^ b),
    ):
        assert found.neurons == tuple(sorted(expected))
        assert len(found) == len(expected) and list(found) == sorted(expected)
        assert all((neuron in found) == (neuron in expected) for neuron in a | b)


@laws
@given(pairs, pairs, pairs)
def test_laws_of_algebra(a, b, c):
    a, b, c = made(a), made(b), made(c)
    assert a | b == b | a and a & b == b & a and a ^ b == b ^ a
    assert (a | b) | c == a | (b | c) and (a ^ b) ^ c == a ^ (b ^ c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) & (a - c)
    assert (a ^ b) == (a | b) - (a & b)
    assert a | a == a and len(a - a) == 0


@laws
@given(pairs)
def test_mask_there_and_back(neurons):
    given_set = made(neurons)
    mask = given_set.mask()
    assert mask.shape == (N_LAYERS, D_MLP) and int(mask.sum()) == len(neurons)
    assert all(bool(mask[neuron]) for neuron in neurons)
    assert vl.NeuronSet.from_mask(mask, site="post") == given_set


@laws
@given(pairs)
def test_per_layer_holds_every_neuron_once(neurons):
    found = made(neurons).per_layer()
    assert sorted(found) == sorted({layer for layer, _ in neurons})
    assert [(layer, index) for layer in sorted(found) for index in found[layer].tolist()] == sorted(neurons)


@laws
@given(pairs, st.sampled_from(["post", "gate"]), st.text(max_size=5).filter(str.isprintable))
def test_saved_and_loaded_it_is_the_same(neurons, site, model):
    given_set = made(neurons, site=site, model=model, provenance={"value": "自由", "rule": {"top": 0.01}})
    with tempfile.TemporaryDirectory() as folder:
        found = vl.NeuronSet.load(given_set.save(Path(folder) / "set.json"))
    assert found == given_set and hash(found) == hash(given_set)
    assert found.provenance == given_set.provenance


def test_order_and_repetition_of_what_is_given_do_not_matter():
    assert made([(2, 1), (0, 3), (2, 1)]) == made([[0, 3], [2, 1]])
    assert made([(2, 1), (0, 3), (2, 1)]).neurons == ((0, 3), (2, 1))


def test_equality_is_of_neurons_site_shape_and_model_not_of_origin():
    base = made([(0, 1)])
    assert base == made([(0, 1)], provenance={"method": "vape"})
    for change in ({"site": "gate"}, {"n_layers": 4}, {"d_mlp": 8}, {"model": "abc"}):
        assert base != made([(0, 1)], **change)


def test_a_combination_says_what_it_was_made_of():
    found = made([(0, 1)], provenance={"value": "care"}) - made([(0, 2)], provenance={"value": "duty"})
    assert found.provenance == {"operation": "difference", "of": [{"value": "care"}, {"value": "duty"}]}


@pytest.mark.parametrize("neuron", [(3, 0), (-1, 0), (0, 7), (0, -1), (7, 3)])
def test_an_index_out_of_range_is_refused(neuron):
    layer, index = neuron
    expected = rf"neuron \(layer {layer}, index {index}\) is out of range: the model has 3 layers of 7 neurons, counted from 0"
    with pytest.raises(NeuronError, match=expected):
        made([(0, 0), neuron])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"site": "gate"}, "cannot combine site 'post' with site 'gate'"),
        ({"n_layers": 4}, "cannot combine number of layers 3 with number of layers 4"),
        ({"d_mlp": 8}, "cannot combine d_mlp 7 with d_mlp 8"),
        ({"model": "bbb"}, r"different weights \(fingerprints aaa and bbb\); if that is meant, make a copy with model=''"),
    ],
)
def test_sets_of_different_things_do_not_combine(change, message):
    first, second = made([(0, 1)], model="aaa"), made([(0, 1)], **change)
    for combine in (vl.NeuronSet.__or__, vl.NeuronSet.__and__, vl.NeuronSet.__sub__, vl.NeuronSet.__xor__):
        with pytest.raises(MismatchError, match=message):
            combine(first, second)


def test_an_unknown_model_combines_and_the_known_one_is_kept():
    assert (made([(0, 1)]) | made([(0, 2)], model="aaa")).model == "aaa"
    assert (made([(0, 1)], model="aaa") & made([(0, 1)])).model == "aaa"


def test_it_cannot_be_changed():
    with pytest.raises(AttributeError):
        made([(0, 1)]).neurons = ()  # type: ignore[misc]


def test_a_damaged_or_foreign_file_is_refused(tmp_path):
    path = made([(0, 1), (2, 6)]).save(tmp_path / "set.json")
    path.write_text(path.read_text().replace('"d_mlp": 7', '"d_mlp": 9'))
    with pytest.raises(ArtefactError, match="checksum does not match"):
        vl.NeuronSet.load(path)
    store.save(tmp_path / "other", Kind("support matrix", fields={}), {})
    with pytest.raises(ArtefactError, match="holds a support matrix, not a neuron set"):
        vl.NeuronSet.load(tmp_path / "other")


# Matched random sets


def wide(neurons, d_mlp=61, **changes):
    return made(neurons, d_mlp=d_mlp, **changes)


@laws
@given(
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=12),
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=12),
    st.integers(0, 1000),
)
def test_controls_match_per_layer_and_touch_nothing_barred(neurons, excluded, seed):
    chosen, exclude = wide(neurons), wide(excluded)
    rate = torch.randint(0, 5, (N_LAYERS, 61), generator=torch.Generator().manual_seed(seed)) / 4  # many ties
    controls = vl.matched_random(chosen, rate, n_sets=3, seed=seed, exclude=exclude)
    assert len(controls) == 3
    for control in controls:
        assert Counter(layer for layer, _ in control) == Counter(layer for layer, _ in neurons)
        assert not set(control) & (neurons | excluded)
        assert (control.site, control.n_layers, control.d_mlp) == ("post", N_LAYERS, 61)


def some_rate(seed=3, n_layers=N_LAYERS, d_mlp=61):
    return torch.rand(n_layers, d_mlp, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


CHOSEN = [(0, 1), (0, 5), (0, 9), (1, 0), (2, 60), (2, 30)]


def test_the_seed_and_the_set_decide_the_draws():
    chosen, rate = wide(CHOSEN), some_rate()
    first = vl.matched_random(chosen, rate, n_sets=4, seed=5)
    torch.manual_seed(99)  # the global generator has no say
    assert vl.matched_random(chosen, rate, n_sets=4, seed=5) == first
    assert vl.matched_random(chosen, rate, n_sets=2, seed=5) == first[:2]
    assert vl.matched_random(chosen, rate, n_sets=4, seed=6) != first
    assert len(set(first)) > 1


def test_drawing_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    vl.matched_random(wide(CHOSEN), some_rate(), n_sets=2, seed=5)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_rates_are_nearer_than_those_of_random_choice():
    chosen, rate = wide(CHOSEN, d_mlp=400), some_rate(d_mlp=400)

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


def test_a_single_neuron_is_replaced_by_one_of_its_pool_nearest_each_of_them_in_turn():
    rate, d_mlp = some_rate(), 61
    chosen, barred = wide([(1, 17)]), wide([(1, 4), (1, 5)])
    free = [index for index in range(d_mlp) if index not in (17, 4, 5)]
    nearest = sorted(free, key=lambda index: abs(float(rate[1, index]) - float(rate[1, 17])))
    drawn = {control.neurons for control in vl.matched_random(chosen, rate, n_sets=150, seed=1, exclude=barred, pool=5)}
    assert drawn == {((1, index),) for index in nearest[:5]}
    assert vl.matched_random(chosen, rate, n_sets=1, seed=1, exclude=barred, pool=1)[0].neurons == ((1, nearest[0]),)


@pytest.mark.parametrize("spread", [0.0, 0.001, 1.0], ids=["one rate", "nearly one rate", "every rate"])
def test_controls_of_a_set_that_fires_alike_are_not_the_same_few_neurons(spread):
    """Two random fifths of a pool share a fifth; with ties broken by index, or a pool of fixed size, they shared most."""
    rate = 0.2 + spread * some_rate(d_mlp=2000)
    chosen = wide([(1, index) for index in range(0, 2000, 40)], d_mlp=2000)
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
    control = vl.matched_random(wide([], provenance={"value": "care"}), some_rate(), n_sets=2, seed=8)[1]
    assert len(control) == 0
    assert control.provenance == {"matched_random": {"seed": 8, "number": 1, "pool": 5}, "for": {"value": "care"}}


def test_a_layer_with_just_enough_others_will_do_and_with_one_fewer_not():
    half = made([(1, index) for index in range(3)])
    exclude = made([(1, 3)])
    for control in vl.matched_random(half, some_rate(d_mlp=D_MLP), n_sets=5, seed=0, exclude=exclude):
        assert control.neurons == ((1, 4), (1, 5), (1, 6))
    with pytest.raises(
        NeuronError, match="layer 1 has 2 neurons outside the set, too few for a control of 3; use a smaller set"
    ):
        vl.matched_random(half, some_rate(d_mlp=D_MLP), n_sets=1, seed=0, exclude=exclude | made([(1, 4)]))


def test_rates_and_excluded_sets_of_another_shape_or_site_are_refused():
    with pytest.raises(MismatchError, match=r"rate has shape \(3, 8\), the set needs \(3, 7\)"):
        vl.matched_random(made([(0, 1)]), some_rate(d_mlp=8), n_sets=1, seed=0)
    with pytest.raises(MismatchError, match="cannot combine site 'post' with site 'gate'"):
        rate = some_rate(d_mlp=D_MLP)
        vl.matched_random(made([(0, 1)]), rate, n_sets=1, seed=0, exclude=made([(0, 2)], site="gate"))
