"""The effect matrix is read by labelled rows, with the labels and the order of its values, wherever it is loaded."""

import dataclasses
import math

import pytest
import torch
from changes import NAMES, clusters, controls, matrix_of, planted
from matplotlib.text import Text

import value_lens as vl
from value_lens.cli._tables import show
from value_lens.core import _order as order
from value_lens.report import plain_words, support_summary

MINE = ("thrift", "patience", "care", "mercy")


@pytest.fixture
def system(monkeypatch):
    """A user's value system with labels, known for the time of a test."""
    monkeypatch.setattr(order, "_SYSTEMS", dict(order._SYSTEMS))
    labels = {name: {"en": f"{name.title()} of mind", "zh": f"中{number}"} for number, name in enumerate(MINE)}
    return vl.register_system(vl.ValueSystem("mine", tuple(vl.Value(name, labels[name], "a value") for name in MINE)))


def labelled(languages=("en", "zh")):
    return matrix_of(clusters(MINE, n=3, languages=languages, sets=4), own=MINE)


def test_a_cell_has_the_numbers_of_its_place():
    matrix = matrix_of(planted(), controls=controls(19))
    cells = matrix.cells()
    assert [(cell.language, cell.intervened, cell.evaluated) for cell in cells] == [("en", a, v) for a in NAMES for v in NAMES]
    for cell in cells:
        at = (0, NAMES.index(cell.evaluated), NAMES.index(cell.intervened))
        for name in ("rate", "effect", "p", "margin_effect", "margin_p", "control_mean", "rank", "rank_p", "margin_rank_p"):
            assert getattr(cell, name) == float(getattr(matrix, name)[at])
        assert cell.interval == tuple(matrix.interval[at].tolist()) and cell.clean == float(matrix.clean[at[:2]])
        assert cell.margin_interval == tuple(matrix.margin_interval[at].tolist())
        assert cell.control_rates == tuple(matrix.control_rate[at].tolist()) and len(cell.control_rates) == 19
        assert cell.specific == float(matrix.specific.effect[at]) and cell.n_items == 24 and cell.n_clusters == 12
        assert cell.is_own == (at[1] == at[2]) == (cell.verdict is not None) == bool(cell.specific_controls)
        assert (cell.specific_p is None) != cell.is_own
        with pytest.raises(dataclasses.FrozenInstanceError):
            cell.effect = 0.0


def test_cells_of_one_language_and_of_none():
    matrix = matrix_of(clusters(n=2, languages=("en", "zh")))
    assert {cell.language for cell in matrix.cells("zh")} == {"zh"} and len(matrix.cells("zh")) == len(matrix.cells()) / 2
    with pytest.raises(vl.ValueLensError, match="unknown language 'fr'; known: en, zh"):
        matrix.cells("fr")


def test_an_empty_set_and_no_controls_are_nan_and_empty():
    changes = clusters(n=2)
    for row in changes.values():
        row[4] = math.nan
    cell = matrix_of(changes).cells()[-1]
    assert cell.intervened == "mercy" and cell.n_neurons == 0 and cell.control_rates == () and cell.outside_effects == ()
    assert all(math.isnan(number) for number in (cell.effect, cell.p, *cell.interval, cell.rank, cell.control_mean))


def test_values_are_shown_by_their_labels_in_the_language_of_the_panel_and_table(system, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    matrix = labelled()
    cell = matrix.cells("zh")[1]
    assert (cell.intervened, cell.evaluated) == ("thrift", "patience")
    assert (cell.intervened_label, cell.evaluated_label) == ("中0", "中1")
    for language, expected in (("en", [f"{name.title()} of mind" for name in MINE]), ("zh", [f"中{k}" for k in range(4)])):
        panel = matrix.plot(language).axes[0]
        assert [tick.get_text() for tick in panel.get_xticklabels()] == expected
        assert [tick.get_text() for tick in panel.get_yticklabels()] == expected
    show(matrix, [])
    printed = capsys.readouterr().out
    assert "Thrift of mind" in printed and "中0" in printed
    words = " ".join(plain_words(matrix, {}, "vape"))
    assert " of mind neurons on " in words and not any(f" {name}" in words for name in MINE)


def test_the_order_is_that_of_the_system_in_rows_figure_frame_summary_and_file(system, tmp_path):
    matrix = labelled()
    assert matrix.values == matrix.intervened == MINE
    assert list(dict.fromkeys(matrix.to_frame().ablated)) == list(dict.fromkeys(matrix.to_frame().evaluated)) == list(MINE)
    summary = support_summary(matrix)["en"]
    assert list(summary["clean"]) == list(summary["ablated"]) == list(summary["specific"]["verdict"]) == list(MINE)
    matrix.save(tmp_path / "matrix")
    del order._SYSTEMS["mine"]
    loaded = vl.EffectMatrix.load(tmp_path / "matrix")
    assert loaded.values == loaded.intervened == MINE and str(loaded.cells()) == str(matrix.cells())
    shown = {text.get_text() for text in loaded.plot("en").findobj(Text)}
    assert {f"{name.title()} of mind" for name in MINE} <= shown


def test_labels_that_are_no_labels_are_passed_over():
    matrix = labelled(("en",))
    for labels in (3, {"care": 3}, {"care": {"en": 3}}, {"thrift": {"en": "T"}}):
        assert dataclasses.replace(matrix, meta={"labels": labels}).label("care") == "care"


def test_a_matrix_is_saved_and_loaded_with_its_scores_and_numbers(tmp_path):
    matrix = matrix_of(planted(), controls=controls(19))
    loaded = vl.EffectMatrix.load(matrix.save(tmp_path / "matrix"))
    assert str(loaded.cells()) == str(matrix.cells()) and loaded.resampling == matrix.resampling
    for name in ("clean", "own", "control"):
        assert torch.equal(getattr(loaded.scores, name), getattr(matrix.scores, name))
    assert loaded.scores.outside is None and loaded.specific.verdicts == matrix.specific.verdicts


def test_scores_of_unlisted_values_are_refused():
    matrix = labelled(("en",))
    with pytest.raises(vl.ValueLensError, match="has items of value 'care', which is none of its values"):
        dataclasses.replace(matrix.scores, values=("thrift", "patience", "mercy"))
