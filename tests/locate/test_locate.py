"""Scores and selections against slow plain-Python oracles of the papers' formulas, ties included."""

import math
import random
import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import places, slow_average_precision, slow_d, slow_p, slow_vape, slow_vape_rule

import value_lens as vl
from value_lens.core import Kind
from value_lens.core import _store as store
from value_lens.errors import ArtefactError, DataError, MismatchError, UnknownNameError
from value_lens.locate._rules import kth_value

VALUES = ("care", "duty", "honesty", "zeal")
laws = settings(deadline=None, max_examples=25)


@st.composite
def counts(draw):
    """Plain-integer counts of a few values, odd shapes, few distinct numbers: ties everywhere, dead neurons included."""
    rng = random.Random(draw(st.integers(0, 10**6)))
    n_values, n_layers, d_mlp = draw(st.integers(2, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 9))
    groups = [(v, a, l) for v in VALUES[:n_values] for a in "+-" for l in ("en", "zh")]
    rng.shuffle(groups)
    n_tokens = [rng.choice((2, 4, 8)) for _ in groups]
    fired = [
        [[rng.choice((0, 0, n // 2, n, rng.randint(0, n))) for _ in range(d_mlp)] for _ in range(n_layers)] for n in n_tokens
    ]
    for layer in range(n_layers):
        if rng.random() < 0.5:
            dead = rng.randrange(d_mlp)
            for of_group in fired:
                of_group[layer][dead] = 0
    return groups, n_tokens, fired


def stats_of(given_counts):
    groups, n_tokens, fired = given_counts
    return vl.FiringStats.from_counts(groups, n_tokens, torch.tensor(fired), site="gate", model="m")


def at(tensor, neuron):
    """A [value layer neuron] tensor's numbers at one neuron."""
    return tensor[:, neuron[0], neuron[1]].tolist()


# VAPE


@laws
@given(counts(), st.sampled_from([(None, None), ("+", None), ("-", ["zh"]), (None, ["en", "zh"])]))
def test_vape_is_the_formula(given_counts, choice):
    aspect, languages = choice
    scores = vl.vape(stats_of(given_counts), aspect=aspect, languages=languages)
    expected = slow_p(given_counts, aspect or "+-", languages or ("en", "zh"))
    for neuron, p in expected.items():
        q, h, specificity = slow_vape(p)
        assert at(scores.parts["p"], neuron) == p
        assert float(scores.parts["entropy"][neuron]) == pytest.approx(h, abs=1e-12)
        assert float(scores.parts["specificity"][neuron]) == pytest.approx(specificity, abs=1e-12)
        assert at(scores.scores, neuron) == pytest.approx([x * specificity for x in q], abs=1e-12)
    assert bool((scores.scores >= 0).all()) and bool((scores.scores <= 1 + 1e-12).all())


def test_vape_of_the_clear_cases():
    """Fires for one value alone, for all alike, for two of three, never."""
    groups = [(value, "+", "en") for value in VALUES[:3]]
    fired = torch.tensor([[[8, 4, 4, 0]], [[0, 4, 4, 0]], [[0, 4, 0, 0]]])
    scores = vl.vape(vl.FiringStats.from_counts(groups, [8, 8, 8], fired))
    half = (1 - math.log(2) / math.log(3)) / 2
    expected = torch.tensor([[1, 0, half, 0], [0, 0, half, 0], [0, 0, 0, 0]], dtype=torch.float64)
    assert torch.allclose(scores.scores[:, 0], expected, atol=1e-12)
    assert scores.parts["entropy"][0].tolist() == pytest.approx([0, math.log(3), math.log(2), 0])


def test_vape_in_float32_keeps_the_rounding_of_the_reference():
    groups = [("care", "+", "en"), ("duty", "+", "en")]
    scores = vl.vape(vl.FiringStats.from_counts(groups, [3, 7], torch.ones(2, 1, 1)), dtype=torch.float32)
    assert scores.parts["p"].dtype == scores.parts["entropy"].dtype == torch.float32
    assert scores.parts["p"].flatten().tolist() == [torch.tensor(1 / 3).item(), torch.tensor(1 / 7).item()]


def test_scores_remember_where_they_come_from():
    stats = vl.FiringStats.from_counts([(v, a, "en") for v in "ab" for a in "+-"], [4] * 4, torch.ones(4, 2, 3), site="gate")
    for method in (vl.vape, vl.opposition):
        scores = method(stats, languages=["en"])
        assert (scores.method, scores.site, scores.values) == (method.__name__, "gate", ("a", "b"))
        assert (scores.n_layers, scores.d_mlp) == (2, 3)
        assert scores.params["languages"] == ["en"]


def test_vape_needs_two_values_and_tokens_for_each():
    one = vl.FiringStats.from_counts([("care", "+", "en")], [4], torch.zeros(1, 1, 2))
    with pytest.raises(DataError, match=r"VAPE compares values, but the statistics hold 1 \(care\)"):
        vl.vape(one)
    empty = vl.FiringStats.from_counts([("care", "+", "en"), ("duty", "-", "en")], [4, 0], torch.zeros(2, 1, 2))
    with pytest.raises(DataError, match="value 'duty' has no counted tokens, so its firing probability is undefined"):
        vl.vape(empty)
    with pytest.raises(UnknownNameError, match="unknown language 'fr'; known: en"):
        vl.vape(empty, languages=["fr"])


# The published selection


def by_hand(p, h):
    """Scores as `vape` hands them on, with chosen p and H."""
    n_layers, d_mlp = (1 + max(neuron[axis] for neuron in p) for axis in (0, 1))
    n_values = len(next(iter(p.values())))
    parts = {"p": torch.zeros(n_values, n_layers, d_mlp, dtype=torch.float64), "entropy": torch.zeros(n_layers, d_mlp)}
    for neuron in p:
        parts["p"][:, neuron[0], neuron[1]] = torch.tensor(p[neuron], dtype=torch.float64)
        parts["entropy"][neuron] = h[neuron]
    return vl.NeuronScores("vape", VALUES[:n_values], torch.zeros_like(parts["p"]), "post", parts=parts)


quantiles = st.sampled_from([0.25, 0.5, 0.7, 0.95, 1.0])


@laws
@given(counts(), quantiles, st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]), quantiles, st.integers(0, 999))
def test_vape_rule_is_the_published_one_ties_included(given_counts, filter, top, bar, seed):
    p = slow_p(given_counts)
    assume(round(len(p) * len(p[0, 0]) * min(filter, bar)) >= 1)
    rng = random.Random(seed)
    h = {neuron: rng.randrange(4) / 4 for neuron in p}
    found = vl.select(by_hand(p, h), vl.vape_rule(filter=filter, top=top, bar=bar))
    expected = slow_vape_rule(p, h, filter, top, bar)
    assert [list(found[value]) for value in found] == expected


@laws
@given(counts(), st.sampled_from([0.4, 0.5, 0.8]))
def test_vape_rule_on_counts(given_counts, quantile):
    """From counts to sets: p by the oracle, H as scored (its formula is tested above; here its ties matter)."""
    scores = vl.vape(stats_of(given_counts))
    p, h = slow_p(given_counts), {neuron: float(scores.parts["entropy"][neuron]) for neuron in places(given_counts)}
    found = vl.select(scores, vl.vape_rule(filter=quantile, top=0.4, bar=quantile))
    assert [list(found[value]) for value in scores.values] == slow_vape_rule(p, h, quantile, 0.4, quantile)


def test_a_neuron_may_serve_several_values_or_none():
    p = {(0, 0): [0.9, 0.9, 0.0], (0, 1): [0.2, 0.1, 0.2], (1, 0): [0.5, 0.3, 0.3], (1, 1): [0.1, 0.1, 0.1]}
    h = dict.fromkeys(p, 0.5)
    found = vl.select(by_hand(p, h), vl.vape_rule(filter=0.5, top=1.0, bar=0.9))  # bar: the 11th of 12, which is 0.9
    assert [list(neurons) for neurons in found.values()] == [[], [], []]
    found = vl.select(by_hand(p, h), vl.vape_rule(filter=0.5, top=0.75, bar=0.8))  # bar: the 10th of 12, which is 0.5
    assert [list(neurons) for neurons in found.values()] == [[(0, 0)], [(0, 0)], []]


def test_a_neuron_that_never_fires_is_not_taken_for_its_entropy_of_0():
    groups = [("care", "+", "en"), ("duty", "+", "en")]
    fired = torch.tensor([[[0, 8, 4, 4]], [[0, 1, 4, 3]]])
    found = vl.select(vl.vape(vl.FiringStats.from_counts(groups, [8, 8], fired)), vl.vape_rule(filter=0.5, top=0.25, bar=0.5))
    assert list(found["care"]) == [(0, 1)] and list(found["duty"]) == []


@laws
@given(counts(), st.sampled_from([0.2, 0.5]))
def test_topk_ties_take_as_many_of_the_same_entropies(given_counts, top):
    """And, where no two are equal, the same neurons."""
    p = slow_p(given_counts)
    n_taken = round(len(p) * top)
    sure = {neuron: [x + 1 for x in p[neuron]] for neuron in p}
    sure[0, 0] = [0.0] * len(sure[0, 0])  # the quantile: every other neuron passes
    distinct = {neuron: (7 * place % 64) / 64 for place, neuron in enumerate(p)}
    equal = {neuron: 0.5 if place % 3 else 0.25 for place, neuron in enumerate(p)}
    low = 1.5 / (len(p) * len(p[0, 0]))
    for h in (distinct, equal):
        rules = [vl.vape_rule(filter=low, top=top, bar=low, ties=ties) for ties in ("first", "topk")]
        first, topk = ([list(neurons) for neurons in vl.select(by_hand(sure, h), rule).values()] for rule in rules)
        assert sorted(h[neuron] for neuron in topk[0]) == sorted(h[neuron] for neuron in first[0])
        assert len(first[0]) == min(n_taken, len(p) - 1)
        if h is distinct:
            assert first == topk


@pytest.mark.parametrize(
    ("n", "quantile", "k"), [(10, 0.25, 2), (10, 0.35, 4), (20, 0.95, 19), (7, 0.5, 4), (3, 1.0, 3), (1, 0.9, 1)]
)
def test_the_quantile_is_the_kth_smallest_by_pythons_round(n, quantile, k):
    numbers = list(range(n))
    random.Random(n).shuffle(numbers)
    assert float(kth_value(torch.tensor(numbers, dtype=torch.float64), quantile)) == k - 1


@pytest.mark.parametrize("quantile", [0.0, 0.04, 1.06, -1.0])
def test_a_quantile_that_asks_for_nothing_is_refused(quantile):
    p = {(0, index): [index / 10, 0.5] for index in range(5)}
    scores = by_hand(p, dict.fromkeys(p, 0.0))
    with pytest.raises(DataError, match=rf"quantile {quantile} of 10 numbers asks for the -?\d+th smallest; there is none"):
        vl.select(scores, vl.vape_rule(filter=quantile))
    with pytest.raises(DataError, match=f"quantile {quantile} of 10 numbers"):
        vl.select(scores, vl.vape_rule(bar=quantile))


def test_selecting_leaves_the_scores_alone_and_says_how_it_chose():
    p = {(0, index): [index / 10, 0.5] for index in range(5)}
    scores = by_hand(p, dict.fromkeys(p, 0.25))
    found = vl.select(scores, vl.vape_rule(top=0.4, filter=0.9))
    assert bool((scores.parts["entropy"] == 0.25).all())
    assert found["duty"].provenance["value"] == "duty" and found["duty"].provenance["method"] == "vape"
    assert found["duty"].provenance["rule"] == {"name": "vape", "filter": 0.9, "top": 0.4, "bar": 0.95, "ties": "first"}
    assert (found["care"].site, found["care"].n_layers, found["care"].d_mlp) == ("post", 1, 5)


# Opposition


@laws
@given(counts())
def test_opposition_is_the_difference_of_probabilities(given_counts):
    scores = vl.opposition(stats_of(given_counts))
    for neuron, d in slow_d(given_counts).items():
        assert at(scores.scores, neuron) == d
        assert at(scores.parts["p_upheld"] - scores.parts["p_opposed"], neuron) == d
    assert torch.equal(vl.opposition(stats_of(given_counts), languages=["en", "zh"]).scores, scores.scores)


def test_opposition_refuses_a_value_without_one_aspect():
    groups = [("care", "+", "en"), ("care", "-", "en"), ("duty", "+", "en")]
    stats = vl.FiringStats.from_counts(groups, [4, 4, 4], torch.zeros(3, 1, 1))
    with pytest.raises(DataError, match="value 'duty' has no counted tokens of aspect '-'"):
        vl.opposition(stats)


@laws
@given(counts(), st.sampled_from([0.03, 0.125, 0.25, 0.5, 1.0]), st.sampled_from("+-"))
def test_threshold_rule_takes_what_reaches_it(given_counts, threshold, sign):
    found = vl.select(vl.opposition(stats_of(given_counts)), vl.threshold_rule(threshold, sign=sign))
    exact, threshold = slow_d(given_counts, Fraction), Fraction(str(threshold))  # so that ties are ties
    for v, neurons in enumerate(found.values()):
        reach = {neuron: d[v] if sign == "+" else -d[v] for neuron, d in exact.items()}
        assert list(neurons) == sorted(neuron for neuron in reach if reach[neuron] >= threshold)


@laws
@given(counts(), st.sampled_from([0.1, 0.25, 0.5]), st.integers(1, 40), st.sampled_from("+-"))
def test_npti_rule_takes_all_above_and_at_least_so_many(given_counts, threshold, at_least, sign):
    found = vl.select(vl.opposition(stats_of(given_counts)), vl.npti_rule(threshold=threshold, at_least=at_least, sign=sign))
    exact, threshold = slow_d(given_counts, Fraction), Fraction(str(threshold))  # so that ties are ties
    for v, neurons in enumerate(found.values()):
        reach = {neuron: d[v] if sign == "+" else -d[v] for neuron, d in exact.items()}
        edge = sorted(reach.values(), reverse=True)[:at_least][-1]
        assert list(neurons) == sorted(neuron for neuron in reach if reach[neuron] >= threshold or reach[neuron] >= edge)
        assert len(neurons) >= min(at_least, len(reach))


@laws
@given(counts())
def test_the_signs_are_mirror_images_and_disjoint(given_counts):
    scores = vl.opposition(stats_of(given_counts))
    mirrored = vl.NeuronScores("opposition", scores.values, -scores.scores, scores.site, scores.model)
    upheld, opposed = (vl.select(scores, vl.threshold_rule(0.1, sign=sign)) for sign in "+-")
    assert [list(s) for s in vl.select(mirrored, vl.threshold_rule(0.1)).values()] == [list(s) for s in opposed.values()]
    assert all(len(upheld[value] & opposed[value]) == 0 for value in scores.values)


def test_a_threshold_of_nothing_is_refused():
    for threshold in (0.0, -0.1):
        with pytest.raises(DataError, match=f"threshold {threshold} would take neurons without a difference"):
            vl.threshold_rule(threshold)


def test_a_difference_at_the_threshold_reaches_it_however_it_is_rounded():
    """a / 100 - b / 100 = 0.03 for 98 pairs, of which floating point puts a quarter below 0.03."""
    fired = torch.stack([torch.arange(3, 101), torch.arange(98)]).reshape(2, 1, 98)
    scores = vl.opposition(vl.FiringStats.from_counts([("a", "+", "en"), ("a", "-", "en")], [100, 100], fired))
    assert 0 < int((scores.scores < 0.03).sum()) < 98
    assert len(vl.select(scores, vl.threshold_rule(0.03))["a"]) == 98


# The top


@laws
@given(counts(), st.integers(1, 30), st.sampled_from(["vape", "opposition"]))
def test_top_rule_takes_the_highest_above_0_the_first_of_equals(given_counts, n_neurons, method):
    scores = getattr(vl, method)(stats_of(given_counts))
    found = vl.select(scores, vl.top_rule(n_neurons))
    for value in scores.values:
        score = {neuron: float(scores.for_value(value)[neuron]) for neuron in places(given_counts)}
        best = sorted(score, key=lambda neuron: (-score[neuron], neuron))[:n_neurons]
        assert list(found[value]) == sorted(neuron for neuron in best if score[neuron] > 0)


def test_a_top_of_nothing_is_refused():
    with pytest.raises(DataError, match="n_neurons is 0; give at least 1"):
        vl.top_rule(0)


def test_a_rule_of_another_method_is_refused_and_the_default_is_the_published_one():
    stats = vl.FiringStats.from_counts([(v, a, "en") for v in "ab" for a in "+-"], [40] * 4, torch.arange(40).reshape(4, 2, 5))
    with pytest.raises(MismatchError, match="rule 'vape' applies to scores of 'vape', not of 'opposition'"):
        vl.select(vl.opposition(stats), vl.vape_rule())
    with pytest.raises(MismatchError, match="rule 'npti' applies to scores of 'opposition', not of 'vape'"):
        vl.select(vl.vape(stats), vl.npti_rule())
    assert vl.select(vl.vape(stats)) == vl.select(vl.vape(stats), vl.vape_rule(filter=0.95, top=0.01, bar=0.95))
    assert vl.select(vl.opposition(stats)) == vl.select(vl.opposition(stats), vl.threshold_rule(0.03, sign="+"))


# Scores


ranked = st.integers(1, 12).flatmap(
    lambda d_mlp: st.tuples(
        st.lists(st.lists(st.integers(-2, 2), min_size=d_mlp, max_size=d_mlp), min_size=1, max_size=3), st.randoms()
    )
)


@laws
@given(ranked)
def test_average_precision_is_the_loop_ties_included(drawn):
    rows, rng = drawn
    scores = {(l, i): number for l, row in enumerate(rows) for i, number in enumerate(row)}
    true = set(rng.sample(sorted(scores), rng.randint(1, len(scores))))
    neurons = vl.NeuronSet.from_pairs(true, site="post", n_layers=len(rows), d_mlp=len(rows[0]))
    tensor = torch.tensor(rows, dtype=torch.float64)
    found = vl.average_precision(tensor, neurons)
    assert found == pytest.approx(slow_average_precision(scores, true), abs=1e-12)
    assert vl.average_precision(tensor * 3 + 7, neurons) == pytest.approx(found, abs=1e-12)
    assert vl.average_precision(torch.zeros_like(tensor), neurons) == pytest.approx(len(true) / len(scores))
    assert vl.average_precision(neurons.mask().double(), neurons) == 1.0


def test_average_precision_refuses_another_shape():
    neurons = vl.NeuronSet.from_pairs([(0, 1)], site="post", n_layers=2, d_mlp=4)
    with pytest.raises(MismatchError, match=r"scores of shape \(2, 5\) for a set over 2 x 4 neurons"):
        vl.average_precision(torch.zeros(2, 5), neurons)


@laws
@given(counts(), st.sampled_from(["vape", "opposition"]))
def test_saved_and_loaded_scores_are_the_same(given_counts, method):
    scores = getattr(vl, method)(stats_of(given_counts), languages=["zh", "en"])
    with tempfile.TemporaryDirectory() as folder:
        found = vl.NeuronScores.load(scores.save(Path(folder) / "scores"))
    for name in ("method", "values", "site", "model", "params"):
        assert getattr(found, name) == getattr(scores, name)
    assert torch.equal(found.scores, scores.scores)
    assert found.parts.keys() == scores.parts.keys()
    assert all(
        torch.equal(found.parts[name], part) and found.parts[name].dtype == part.dtype for name, part in scores.parts.items()
    )
    rule = vl.top_rule(3)
    assert vl.select(found, rule) == vl.select(scores, rule)


def test_scores_of_an_unknown_value_and_of_the_wrong_number_of_values_are_refused():
    scores = vl.NeuronScores("vape", ("care", "duty"), torch.zeros(2, 1, 3), "post")
    with pytest.raises(UnknownNameError, match="unknown value 'zeal'; known: care, duty"):
        scores.for_value("zeal")
    with pytest.raises(MismatchError, match="3 values for scores of 2"):
        vl.NeuronScores("vape", ("care", "duty", "zeal"), torch.zeros(2, 1, 3), "post")


def test_a_damaged_or_foreign_file_is_refused(tmp_path):
    path = vl.NeuronScores("vape", ("care", "duty"), torch.zeros(2, 1, 3), "post").save(tmp_path / "scores")
    content = path.read_bytes()
    path.write_bytes(content[:-2] + b"\x01" + content[-1:])
    with pytest.raises(ArtefactError, match="damaged: its checksum"):
        vl.NeuronScores.load(path)
    store.save(path, Kind("neuron set", fields={}), {})
    with pytest.raises(ArtefactError, match="holds a neuron set, not a neuron scores"):
        vl.NeuronScores.load(path)
