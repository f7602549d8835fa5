"""The support matrix is what one gets by intervening and asking, cell by cell."""

import contextlib
import dataclasses

import matplotlib.image
import pytest
import torch
from changes import again
from scipy import stats

import value_lens as vl
from value_lens.causal._bins import Bins
from value_lens.causal._drawing import loudness
from value_lens.causal._sign_flip import sign_flip_p
from value_lens.causal._strata import Strata
from value_lens.errors import DataError, MismatchError
from value_lens.report import plain_words


@pytest.fixture
def sets(lens):
    shape = {"site": "post", "n_layers": lens.info.n_layers, "d_mlp": lens.info.d_mlp}
    return {
        "honesty": vl.NeuronSet.from_pairs([(0, 1), (0, 2), (1, 3)], **shape),
        "care": vl.NeuronSet.from_pairs([(1, index) for index in range(10, 22)], **shape),
        "duty": vl.NeuronSet.from_pairs([], **shape),
    }


@pytest.fixture
def matrix(lens, dilemmas, sets, texts):
    return lens.support_matrix(dilemmas, sets, controls=3, stats=lens.collect(texts))


def test_cells_are_support_under_each_edit(lens, dilemmas, sets, matrix):
    clean = lens.support(dilemmas)
    for l, language in enumerate(matrix.languages):
        for v, value in enumerate(matrix.values):
            assert float(matrix.clean[l, v]) == clean[language][value]
    for a, ablated in enumerate(matrix.intervened):
        if not len(sets[ablated]):
            assert matrix.rate[:, :, a].isnan().all() and matrix.p[:, :, a].isnan().all()
            continue
        with lens.editing(sets[ablated]):
            margins = lens.margins(dilemmas)
            edited = lens.support(dilemmas)
        torch.testing.assert_close(matrix.scores.own[a], margins)
        for l, language in enumerate(matrix.languages):
            for v, value in enumerate(matrix.values):
                assert float(matrix.rate[l, v, a]) == edited[language][value]
                assert float(matrix.effect[l, v, a]) == pytest.approx(edited[language][value] - clean[language][value])


def test_controls_are_the_seeded_draws_from_the_strata_and_their_mean_is_of_those_without_members(lens, dilemmas, sets, texts):
    stats, n_controls = lens.collect(texts), 8
    matrix = lens.support_matrix(dilemmas, sets, controls=n_controls, stats=stats)
    bins = Bins.build(stats.rate(), loudness(lens, stats, vl.zero()))
    for value, fewest in (("honesty", 5), ("care", 5)):
        strata, a = Strata.build(sets[value], bins), matrix.intervened.index(value)
        assert strata.fairness["expected_overlap"] > 0
        n_more = 5
        for number in range(n_controls):
            drawn = strata.draw(number, 0)
            other = strata.without_members(drawn, number, 0)
            with lens.editing(strata.control(drawn, number, 0)):
                torch.testing.assert_close(matrix.scores.control[a, number], lens.margins(dilemmas))
            if matrix.scores.outside[a, number].isnan().any():
                assert other is not drawn  # one that holds no member is always counted in
                continue
            n_more -= 1
            outside = strata.control(other, number, 0)
            assert not set(outside) & set(sets[value])
            with lens.editing(outside):
                torch.testing.assert_close(matrix.scores.outside[a, number], lens.margins(dilemmas))
        assert n_more <= 5 - fewest


def test_a_set_whose_values_are_added_or_left_out_keeps_its_controls(lens, dilemmas, sets, texts, matrix):
    alone = lens.support_matrix(dilemmas, {"care": sets["care"]}, controls=3, stats=lens.collect(texts))
    torch.testing.assert_close(alone.scores.control[0], matrix.scores.control[matrix.intervened.index("care")])


@pytest.mark.parametrize("site", ["post", "gate"])
def test_loudness_is_how_far_the_edit_of_a_neuron_moves_the_output_of_its_mlp(lens, texts, site):
    """Root mean square over tokens of the change of the MLP's output, by editing one neuron and looking."""
    stats, view, layer = lens.collect(texts, site=site), lens, 1
    few = [text for text in texts if len(text.text) < 120][:12]
    stats_of_few = lens.collect(few, site=site)
    for edit in (vl.zero(), vl.mean(lens.collect(few))):
        expected = loudness(view, stats_of_few, edit)
        for index in (0, 7):
            moved = torch.cat([moves(lens, text.text, layer, index, edit) for text in few])
            assert float(expected[layer, index]) == pytest.approx(float((moved**2).mean().sqrt()), rel=1e-3)
    assert (loudness(view, stats, vl.zero()) >= loudness(view, stats, vl.mean(stats)) - 1e-9).all()


def moves(lens, text, layer, index, edit):
    """How far the MLP's output moves at each token of a text, by norm, when hook_post of one neuron is edited."""
    view, found, last = lens, [], []
    mlp = lens.model.blocks[layer].mlp
    writer = mlp.out if view.adapter.engine == "bridge" else mlp
    neurons = vl.NeuronSet.from_pairs([(layer, index)], site="post", n_layers=view.n_layers, d_mlp=view.d_mlp)
    ids = [lens.model.tokenizer.bos_token_id] if view.prepends_bos else []
    tokens = torch.tensor([ids + lens.model.tokenizer.encode(text, add_special_tokens=False)])
    mask = torch.ones_like(tokens, dtype=torch.bool)
    for edited in (False, True):
        with lens.editing(neurons, edit) if edited else contextlib.nullcontext():
            handle = writer.register_forward_hook(lambda _, __, out: found.append(out))
            try:
                view.forward(tokens, mask)
            finally:
                handle.remove()
        last.append(found[-1])  # before it may come runs of the library's own trials
    return (last[1] - last[0])[0, len(ids) :].norm(dim=-1)


def test_without_activation_sums_controls_are_refused_with_what_to_collect(lens, dilemmas, sets, texts):
    stats = lens.collect(texts, moments=False)
    with pytest.raises(DataError, match="hold no sums of hook_post, .*; collect them anew with moments=True"):
        lens.support_matrix(dilemmas, sets, controls=1, stats=stats)
    assert lens.support_matrix(dilemmas, sets, controls=0, stats=stats).n_controls == 0


def test_rank_counts_controls_at_least_as_strong_on_rates_and_on_margins(matrix):
    tested = [a for a, count in enumerate(matrix.n_neurons) if count]
    assert len(tested) == 2 and matrix.least_rank_p == 1 / 4
    for l, v, a in [(l, v, a) for l in range(2) for v in range(2) for a in tested]:
        stronger = int(((matrix.control_rate[l, v, a] - matrix.clean[l, v]).abs() >= matrix.effect[l, v, a].abs()).sum())
        assert int(matrix.rank[l, v, a]) == 1 + stronger
        assert float(matrix.rank_p[l, v, a]) == (1 + stronger) / 4
        items = matrix.scores.items_of(matrix.languages[l], matrix.values[v])

        def moved(margins, items=items):
            return abs(sum(float(margins[i] - matrix.scores.clean[i]) for i in items) / len(items))

        larger = [control for control in matrix.scores.control[a] if moved(control) >= moved(matrix.scores.own[a])]
        assert float(matrix.margin_rank_p[l, v, a]) == (1 + len(larger)) / 4
    untested = matrix.intervened.index("duty")
    assert matrix.rank[:, :, untested].isnan().all() and matrix.margin_rank_p[:, :, untested].isnan().all()


def test_a_rank_among_controls_of_which_one_is_unknown_is_unknown(matrix):
    broken = matrix.scores.control.clone()
    a = matrix.intervened.index("care")
    broken[a, 1, matrix.scores.items_of("en", "honesty")[0]] = torch.nan
    found = again(matrix, control=broken)
    at = (matrix.languages.index("en"), matrix.values.index("honesty"), a)
    unknown = matrix.rank.isnan()
    unknown[at] = True
    for name in ("rank", "rank_p", "margin_rank_p"):
        assert torch.equal(getattr(found, name).isnan(), unknown)


def test_the_mean_of_controls_is_that_of_the_sets_outside(matrix):
    outside = matrix.scores.control.flip(1) + 0.01
    outside[:, 1] = torch.nan  # was not run
    found = again(matrix, outside=outside)
    for a in [a for a, count in enumerate(matrix.n_neurons) if count]:
        for v, value in enumerate(matrix.values):
            support = (outside[a][:, matrix.scores.items_of("zh", value)] > 0).double().mean(1)
            assert float(found.control_mean[1, v, a]) == pytest.approx(float(support[[0, 2]].mean()))
    without = again(matrix, outside=None)
    torch.testing.assert_close(without.control_mean, matrix.control_rate.mean(-1), equal_nan=True)


def test_effects_in_nats_are_mean_changes_of_margin(matrix):
    """Cell by cell by a plain loop; their intervals are Student's, their p-values are corrected together."""
    rows = [a for a, count in enumerate(matrix.n_neurons) if count]
    blocks, clusters, places = [], [], []
    for l, language in enumerate(matrix.languages):
        for v, value in enumerate(matrix.values):
            items = matrix.scores.items_of(language, value)
            changes = [[float(matrix.scores.own[a, i] - matrix.scores.clean[i]) for i in items] for a in rows]
            for a, row in zip(rows, changes, strict=True):
                assert float(matrix.margin_effect[l, v, a]) == pytest.approx(sum(row) / len(row))
                assert len({matrix.scores.item_clusters[i] for i in items}) == len(items)
                theirs = stats.ttest_1samp(row, 0).confidence_interval(0.95)
                assert matrix.margin_interval[l, v, a].tolist() == pytest.approx(list(theirs))
            blocks.append(torch.tensor(changes, dtype=torch.float64))
            clusters.append(torch.tensor([matrix.scores.item_clusters.index(matrix.scores.item_clusters[i]) for i in items]))
            places.append((l, v))
    generator = torch.Generator().manual_seed(0)
    for place, p in zip(places, sign_flip_p(blocks, clusters, n_resamples=5000, generator=generator), strict=True):
        torch.testing.assert_close(matrix.margin_p[place][rows], p)
    untested = matrix.intervened.index("duty")
    for unknown in (matrix.margin_effect, matrix.margin_interval, matrix.margin_p):
        assert unknown[:, :, untested].isnan().all()


def test_frame_has_a_row_a_cell(matrix):
    frame = matrix.to_frame()
    assert len(frame) == 2 * 3 * 2
    row = frame[(frame.language == "en") & (frame.ablated == "care") & (frame.evaluated == "honesty")].iloc[0]
    at = (0, matrix.values.index("honesty"), matrix.intervened.index("care"))
    assert row.effect == pytest.approx(float(matrix.effect[at]))
    assert row.n_neurons == 12 and row.n_dilemmas == 4
    assert row.interval_low <= row.effect <= row.interval_high
    assert row.margin_effect == pytest.approx(float(matrix.margin_effect[at])) and row.margin_p == float(matrix.margin_p[at])
    assert row.margin_low < row.margin_effect < row.margin_high


def test_controls_are_told_how_like_their_neurons_they_are(lens, dilemmas, sets, texts, matrix):
    rate = lens.collect(texts).rate()
    found = matrix.meta["matching"]
    assert set(found) == {"honesty", "care"}
    for value, row in found.items():
        assert row["rate"] == pytest.approx(float(rate[sets[value].mask()].mean()), abs=1e-6)
        assert 0 <= row["control_overlap"] <= 1 and 0 < row["control_rate"] < 1
        assert row["control_loudness"] > 0 and 0 < row["expected_overlap"] < 0.5
        assert row["not_widened"] == (1 if value == "care" and lens.info.d_mlp < 5 * 12 else 0)
    alone = lens.support_matrix(dilemmas, sets, controls=1)
    assert alone.meta["matching"]["care"]["control_overlap"] is None
    assert "matching" not in lens.support_matrix(dilemmas, sets, controls=0).meta


def test_statistics_of_another_site_or_model_are_refused(lens, dilemmas, sets, texts):
    with pytest.raises(MismatchError, match="cannot combine site 'gate' with site 'post'"):
        lens.support_matrix(dilemmas, sets, stats=lens.collect(texts, site="gate"))
    strange = dataclasses.replace(lens.collect(texts), model="0" * 16)
    known = {value: dataclasses.replace(neurons, model=lens.info.fingerprint) for value, neurons in sets.items()}
    with pytest.raises(MismatchError, match="different weights"):
        lens.support_matrix(dilemmas, known, stats=strange)


def test_fillings_of_one_frame_count_once(lens, dilemmas, sets):
    """Each dilemma four times over: the same rates, and with clusters the same p-values and intervals."""
    copies = [dataclasses.replace(d, id=f"{d.id}/{k}", cluster=d.id) for k in range(4) for d in dilemmas]
    once = lens.support_matrix(dilemmas, sets, controls=0)
    often = lens.support_matrix(copies, sets, controls=0)
    torch.testing.assert_close(often.rate, once.rate, equal_nan=True)
    assert often.scores.n_clusters("en", "care") == once.scores.n_clusters("en", "care") == 4
    torch.testing.assert_close(often.p, once.p, equal_nan=True, atol=0.03, rtol=0)
    for name in ("interval", "margin_effect", "margin_interval"):
        torch.testing.assert_close(getattr(often, name), getattr(once, name), equal_nan=True, atol=1e-6, rtol=0)


def test_a_cell_without_dilemmas_or_with_unknown_margins_has_no_inference(matrix):
    broken = matrix.scores.own.clone()
    a, items = matrix.intervened.index("care"), matrix.scores.items_of("en", "honesty")
    broken[a, items[0]] = torch.nan
    found = again(matrix, own=broken)
    at = (matrix.languages.index("en"), matrix.values.index("honesty"), a)
    others = ~found.effect.isnan()
    for name in ("effect", "p", "interval", "margin_effect", "margin_p", "margin_interval"):
        assert getattr(found, name)[at].isnan().all() and not getattr(found, name)[others].isnan().any()


def test_words_speak_of_measured_cells_only(lens, dilemmas, sets):
    """A value asked in one language alone is not counted in the other."""
    some = [d for d in dilemmas if not (d.language == "zh" and d.value == "care")]
    matrix = lens.support_matrix(some, sets, controls=2)
    words = " ".join(plain_words(matrix, {}, "vape"))
    assert "nan" not in words and "of 2 values" in words and "of 1 values" in words
    assert "their controls on" in words and "rest on 4 independent dilemmas" in words


def test_save_and_load(matrix, tmp_path):
    matrix.save(tmp_path / "matrix.safetensors")
    loaded = vl.EffectMatrix.load(tmp_path / "matrix.safetensors")
    torch.testing.assert_close(loaded.effect, matrix.effect, equal_nan=True)
    torch.testing.assert_close(loaded.interval, matrix.interval, equal_nan=True)
    torch.testing.assert_close(loaded.control_mean, matrix.control_mean, equal_nan=True)
    again(matrix, outside=None).save(tmp_path / "older.safetensors")
    assert vl.EffectMatrix.load(tmp_path / "older.safetensors").scores.outside is None
    assert loaded.intervened == matrix.intervened and loaded.meta == dict(matrix.meta)
    assert str(loaded.cells()) == str(matrix.cells())  # NaN is not equal to itself


def test_plot_draws_a_panel_a_language(matrix, tmp_path):
    matrix.plot().savefig(tmp_path / "both.png")
    matrix.plot("en").savefig(tmp_path / "en.png")
    both, one = (matplotlib.image.imread(tmp_path / f"{name}.png") for name in ("both", "en"))
    assert both.shape[1] == 2 * one.shape[1]
    assert matrix.plot("en")._repr_png_().startswith(b"\x89PNG")  # a notebook shows it
    with pytest.raises(vl.ValueLensError, match="unknown language 'fr'; known: en, zh"):
        matrix.plot("fr")


def test_no_neurons_at_all_is_an_error(lens, dilemmas, sets):
    with pytest.raises(DataError, match="no value has any neurons"):
        lens.support_matrix(dilemmas, {"duty": sets["duty"]}, controls=0)


def test_without_statistics_the_scenarios_give_the_rates(lens, dilemmas, sets):
    found = lens.support_matrix(dilemmas, sets, controls=1)
    assert found.scores.control.shape == (3, 1, len(dilemmas))
    for a, ablated in enumerate(found.intervened):
        assert bool(found.scores.control[a].isnan().any()) == (not len(sets[ablated]))


def test_a_set_too_large_for_fair_controls_is_told_and_one_too_large_for_any_refused(lens, dilemmas):
    shape = {"site": "post", "n_layers": lens.info.n_layers, "d_mlp": lens.info.d_mlp}
    size = int(0.4 * lens.info.d_mlp)
    crowded = {
        "care": vl.NeuronSet.from_pairs([(1, index) for index in range(size)], **shape),
        "honesty": vl.NeuronSet.from_pairs([(1, size + 1)], **shape),
    }
    found = lens.support_matrix(dilemmas, crowded, controls=2)
    assert found.meta["matching"]["care"]["not_widened"] == 1
    assert 0.2 < found.meta["matching"]["care"]["expected_overlap"] < 0.8
    assert found.meta["matching"]["honesty"]["not_widened"] == 0
    words = " ".join(plain_words(found, {}, "vape"))
    assert "No fair control exists for care:" in words and "for honesty" not in words
    most = {"care": vl.NeuronSet.from_pairs([(1, index) for index in range(2 * size)], **shape)}
    with pytest.raises(vl.ValueLensError, match=f"outside the set, too few for a control of {2 * size}"):
        lens.support_matrix(dilemmas, most, controls=1)
