"""A neuron set is a set, and keeps its site."""

import functools
import operator
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import value_lens as vl
from value_lens.core import Kind
from value_lens.core import _store as store
from value_lens.errors import ArtefactError, MismatchError, NeuronError

N_LAYERS, D_MLP = 3, 7
pairs = st.sets(st.tuples(st.integers(0, N_LAYERS - 1), st.integers(0, D_MLP - 1)))
laws = settings(deadline=None, max_examples=40)


def made(neurons, **changes):
    return vl.NeuronSet.from_pairs(neurons, **{"site": "post", "n_layers": N_LAYERS, "d_mlp": D_MLP, **changes})


# The set


def test_the_union_of_many_sets_is_saved_and_names_them_all(tmp_path):
    sets = [made([(0, k % 4)], provenance={"value": f"v{k}"}) for k in range(1500)]
    union = functools.reduce(operator.or_, sets)
    again = vl.NeuronSet.load(union.save(tmp_path / "union.json"))
    assert again == union and again.provenance == {"operation": "union", "of": [{"value": f"v{k}"} for k in range(1500)]}
    apart = functools.reduce(operator.sub, sets[:3]).provenance
    assert apart["of"] == [{"operation": "difference", "of": [{"value": "v0"}, {"value": "v1"}]}, {"value": "v2"}]


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
