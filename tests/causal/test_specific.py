"""What is called specific is beyond what so strong a set does to so fragile a value; plain loops are the oracle."""

import itertools
import statistics

import pytest
import torch
from changes import NAMES, again, clusters, controls, draw, matrix_of, planted
from oracles import effect_by_loops
from scipy import stats

from value_lens.causal._specific import contrast_of, deal_p


@pytest.mark.parametrize("shift", [0.0, -0.15, -3.0])  # the slope is not used, used in part, used
def test_effects_are_those_of_plain_loops(shift):
    """One value without a set, one set empty, one set of no evaluated value, clusters of unlike number, two languages."""
    own = ("honesty", "care", "duty", "peace", "mercy")
    changes = clusters(languages=("en", "zh"))
    changes = {key: row + shift * (1 + torch.arange(5.0)) for key, row in changes.items() if key[1:] != ("care", "care0")}
    for row in changes.values():
        row[4] = torch.nan
    found = matrix_of(changes, own=own).specific
    values = ("honesty", "care", "duty", "justice", "mercy")
    for (l, language), (v, value), (a, name) in itertools.product(
        enumerate(("en", "zh")), enumerate(values), enumerate(own[:4])
    ):
        both = [effect_by_loops(changes, own, language, value, name, multiply) for multiply in (False, True)]
        assert float(found.effect[l, v, a]) == pytest.approx(min(both, key=abs), abs=1e-9)
    assert found.effect[:, :, 4].isnan().all()
    assert found.p.isnan().tolist() == [[False, False, False, True, True]] * 2


def test_the_contrast_is_welchs_where_values_have_equally_many_clusters():
    residual, of = draw(30), torch.arange(30) // 6
    residual[6:12] *= 5
    found = contrast_of(residual, of, 1)
    theirs = stats.ttest_ind(residual[of == 1].numpy(), residual[of != 1].numpy(), equal_var=False)
    assert float(found.difference / found.error) == pytest.approx(theirs.statistic)
    assert float(found.freedom) == pytest.approx(theirs.df)
    assert found.interval(0.9).tolist() == pytest.approx(theirs.confidence_interval(0.9))


def test_an_own_p_value_is_that_of_all_ways_to_deal_the_clusters():
    residual, of = draw(9, seed=3), torch.arange(9) // 3
    residual[:3] -= 1.5

    def size(dealt):
        found = contrast_of(residual, torch.tensor(dealt), 0)
        return abs(float(found.difference / found.error))

    every = set(itertools.permutations(of.tolist()))
    exact = statistics.mean(size(dealt) >= size(of.tolist()) - 1e-9 for dealt in every)
    generator = torch.Generator().manual_seed(0)
    (found,) = deal_p([(0, residual)], of, n_resamples=20_000, generator=generator)
    assert found == pytest.approx(exact, abs=0.01)


def test_two_languages_that_agree_are_no_more_tests_than_one():
    changes = clusters()
    for key, row in changes.items():
        row[NAMES.index(key[1])] -= 0.3
    twice = changes | {("zh", *key[1:]): row for key, row in changes.items()}
    one, two = matrix_of(changes).specific, matrix_of(twice).specific
    torch.testing.assert_close(two.p[0], one.p[0])
    torch.testing.assert_close(two.p[1], one.p[0])
    assert 0.003 < float(one.p.max()) < 0.9  # neither certain nor nothing


@pytest.mark.parametrize("how", ["add", "multiply"])
def test_damage_is_not_specific_and_what_is_planted_in_it_is_measured(how):
    fragile, strong = 1 + draw(5, seed=4).abs(), 1 + draw(5, seed=5).abs()
    changes = clusters(noise=0.01, n=12)
    for (_, value, _), row in changes.items():
        v = NAMES.index(value)
        row -= fragile[v] + strong if how == "add" else fragile[v] * strong
    none = matrix_of(changes).specific
    assert float(none.effect[0].diagonal().abs().max()) < 0.05 and float(none.effect.abs().max()) < 0.1  # of 6
    assert float(none.p.min()) > 0.05
    for (_, value, _), row in changes.items():
        row[2] -= 0.5 * (value == "duty")
    found = matrix_of(changes).specific
    assert found.effect[0].diagonal().tolist() == pytest.approx([0, 0, -0.5, 0, 0], abs=0.15)
    assert (found.p[0] < 0.05).tolist() == [False, False, True, False, False]
    assert float(found.interval[0, 2, 2, 0]) < float(found.effect[0, 2, 2]) < float(found.interval[0, 2, 2, 1]) < 0


def test_a_verdict_needs_a_loss_a_small_p_and_more_than_nineteen_controls_do():
    specific = matrix_of(planted(), controls=controls(19)).specific
    assert specific.verdicts == (("specific",) * 5,)
    assert specific.controls.shape == (1, 5, 19) and float(specific.controls.abs().max()) < 0.5
    assert matrix_of(planted(), controls=controls(18)).specific.verdicts == (("too few controls",) * 5,)
    assert matrix_of(planted()).specific.verdicts == (("too few controls",) * 5,)
    assert matrix_of(planted(+2.0), controls=controls(19)).specific.verdicts == (("not specific",) * 5,)
    assert matrix_of(planted(+2.0), controls=controls(19), edit="twice").specific.verdicts == (("specific",) * 5,)
    assert matrix_of(planted(0.0), controls=controls(19)).specific.verdicts == (("not specific",) * 5,)
    rival = controls(19)
    for key, row in rival[3].items():
        row[0] -= 2.5 * (key[1] == "honesty")
    assert matrix_of(planted(), controls=rival).specific.verdicts == (("not specific", *("specific",) * 4),)


def test_controls_that_did_not_run_do_not_count():
    some = controls(20)
    for row in some[0].values():
        row[1] = torch.nan
    matrix = matrix_of(planted(), controls=some)
    assert matrix.specific.verdicts == (("specific",) * 5,)
    for row in some[1].values():
        row[1] = torch.nan
    assert matrix_of(planted(), controls=some).specific.verdicts[0][1] == "too few controls"
    assert matrix.specific.controls[0, 1].isnan().tolist() == [True] + [False] * 19


def test_fewer_than_three_values_with_sets_are_not_testable():
    for names, own in ((NAMES[:2], NAMES[:2]), (NAMES, NAMES[:2]), (NAMES[:2], NAMES)):
        found = matrix_of(clusters(names, sets=len(own)), own=own).specific
        assert found.effect.isnan().all() and found.p.isnan().all() and found.interval.isnan().all()
        assert set(found.verdicts[0]) == {"not testable"}
    found = matrix_of(clusters(NAMES[:3], sets=3), own=NAMES[:3]).specific
    assert (~found.effect[0].isnan()).nonzero().tolist() == [[0, 0], [1, 1], [2, 2]]  # leakage needs a fourth
    assert not found.p.isnan().any()
    assert not matrix_of(clusters(NAMES[:4], sets=4), own=NAMES[:4]).specific.effect.isnan().any()


def test_a_language_with_other_values_and_margins_unknown_spoil_no_other_cell():
    changes = {key: row for key, row in planted().items() if key[1] != "mercy"}
    changes |= {("zh", *key[1:]): row.clone() for key, row in planted().items() if key[1] in NAMES[:2]}
    whole = matrix_of(changes)
    assert whole.specific.verdicts[1] == ("not testable",) * 4  # two values alone
    assert whole.specific.verdicts[0] == ("too few controls",) * 4
    broken = whole.scores.own.clone()
    broken[NAMES.index("care"), whole.scores.items_of("en", "honesty")[0]] = torch.nan
    found = again(whole, own=broken).specific
    assert found.effect[0].isnan().nonzero().tolist() == [[0, 1]]
    assert found.verdicts[0] == ("too few controls",) * 4
    broken[NAMES.index("honesty"), whole.scores.items_of("en", "honesty")[0]] = torch.nan
    found = again(whole, own=broken).specific
    assert found.verdicts[0] == ("not testable", *("too few controls",) * 3)


def test_an_edit_that_changes_nothing_and_a_single_cluster_are_no_evidence():
    still = {key: torch.zeros(5).double() for key in planted()}
    found = matrix_of(still, controls=controls(19)).specific
    assert found.p.tolist() == [[1.0] * 5] and set(found.verdicts[0]) == {"not specific"}
    alone = {key: row for key, row in planted().items() if key[1] != "care" or key[2] == "care0"}
    found = matrix_of(alone, controls=controls(19)).specific
    assert found.verdicts[0] == ("specific", "not testable", *("specific",) * 3)
    assert not found.effect.isnan().any() and found.interval[0, 1].isnan().all()
