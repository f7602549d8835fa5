"""Words, summary, table and figure tell what is specific from damage and from leakage."""

import json

import pytest
import torch
from changes import NAMES, again, clusters, controls, matrix_of, planted
from matplotlib.text import Text

from value_lens.cli._tables import MARGIN, margin_row, show
from value_lens.report import plain_words, support_summary
from value_lens.report._specific import specific_words


def cells_of(matrix, value):
    """The cells of one evaluated value, in the first language."""
    return [cell for cell in matrix.cells(matrix.languages[0]) if cell.evaluated == value]


def damaged():
    """Every set harms every value, and hardly its own more than others."""
    return {key: row - 1.0 for key, row in clusters(n=12).items()}


def test_words_name_what_is_specific_and_the_largest_leakage():
    changes = planted()
    for key, row in changes.items():
        row[1] += 0.8 * (key[1] == "mercy")
    matrix = matrix_of(changes, controls=controls(19))
    words = specific_words(matrix, "en")
    assert words.startswith(
        "In en, a value's own neurons are specific for 5 of 5 values: ablating them lowers its margin by more"
    )
    assert "and by more than any matched control." in words
    effect = float(matrix.specific.effect[0, NAMES.index("mercy"), 1])
    low, high = matrix.specific.interval[0, NAMES.index("mercy"), 1].tolist()
    assert f"at most (care neurons on mercy: {effect:+.1f} [{low:+.1f}, {high:+.1f}])." in words
    off = matrix.specific.effect[0][~torch.eye(5, dtype=torch.bool)].abs()
    assert f"is {float(off.mean()):.1f} nats on average and {float(off.max()):.1f} at most" in words


def test_words_of_a_damaged_model_claim_nothing():
    matrix = matrix_of(damaged(), controls=controls(19))
    assert float(matrix.margin_effect.mean()) < -0.8
    words = " ".join(plain_words(matrix, {}, "vape"))
    assert "In en, no value's neurons are specific: whatever ablating them changes may be damage to the model." in words
    assert "p < 0.05 after correction for all cells (which a merely damaged model may show, too)" in words
    assert "changes the margin by -1.0 nats on average" in words


def test_words_tell_some_from_others_and_what_is_missing():
    changes = planted()
    for key, row in changes.items():
        row[3] -= 4.0 * (key[1] == "justice") - 4.0
        row[4] += 2.0 * (key[1] == "mercy")
    words = specific_words(matrix_of(changes, controls=controls(19)), "en")
    assert "specific for 4 of 5 values (honesty, care, duty, Justice)" in words
    assert "Not specific, so perhaps mere damage: mercy." in words
    for n, told in ((0, "0 matched controls"), (1, "1 matched control;"), (18, "18 matched controls")):
        words = specific_words(matrix_of(changes, controls=controls(n)), "en")
        assert "a value's own neurons may be specific for 4 of 5 values" in words and "own neurons are specific" not in words
        assert told in words and "give at least 19." in words
    assert "ablating them changes its margin" in specific_words(matrix_of(changes, edit="twice"), "en")


def test_words_say_when_nothing_can_be_tested():
    words = specific_words(matrix_of(clusters(NAMES[:2], sets=2), own=NAMES[:2]), "en")
    assert "specific effects are not testable: that takes 3 values that have neurons" in words and "nan" not in words


def test_the_summary_holds_effects_in_nats_and_verdicts():
    matrix = matrix_of(planted(), controls=controls(19))
    found = json.loads(json.dumps(support_summary(matrix), allow_nan=False))["en"]
    at = (0, NAMES.index("duty"), NAMES.index("care"))
    assert found["margin"]["effect"]["care"]["duty"] == pytest.approx(float(matrix.margin_effect[at]), abs=1e-6)
    assert found["margin"]["interval"]["care"]["duty"] == pytest.approx(matrix.margin_interval[at].tolist(), abs=1e-6)
    assert found["margin"]["p"]["care"]["duty"] == pytest.approx(float(matrix.margin_p[at]), abs=1e-6)
    specific = found["specific"]
    assert specific["effect"]["care"]["duty"] == pytest.approx(float(matrix.specific.effect[at]), abs=1e-6)
    assert specific["interval"]["care"]["duty"] == pytest.approx(matrix.specific.interval[at].tolist(), abs=1e-6)
    assert specific["p"]["care"] == pytest.approx(float(matrix.specific.p[0, 1]), abs=1e-6)
    assert specific["verdict"] == dict.fromkeys(NAMES, "specific")
    some = matrix.specific.controls[0, 1]
    assert specific["control"]["care"] == pytest.approx([float(x) for x in (some.min(), some.mean(), some.max())], abs=1e-6)
    bare = json.loads(json.dumps(support_summary(matrix_of(clusters(NAMES[:2], sets=2), own=NAMES[:2])), allow_nan=False))
    assert bare["en"]["specific"]["p"] == {"honesty": None, "care": None} and bare["en"]["specific"]["control"]["care"] is None


def test_the_frame_has_p_and_verdict_on_the_diagonal_alone():
    matrix = matrix_of(planted(), controls=controls(19))
    frame = matrix.to_frame()
    own = frame.ablated == frame.evaluated
    assert set(frame.verdict[own]) == {"specific"} and frame.verdict[~own].isna().all()
    assert (frame.specific_p[own] < 0.05).all() and frame.specific_p[~own].isna().all()
    assert ((frame.specific_low < frame.specific) & (frame.specific < frame.specific_high)).all()


def test_tables_are_80_columns_wide_with_numbers_of_two_digits(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    matrix = matrix_of(planted(-22.0), controls=controls(19))
    long = {"values": ("friendliness", *NAMES[1:]), "intervened": ("friendliness", *NAMES[1:])}
    owners = tuple("friendliness" if value == NAMES[0] else value for value in matrix.scores.item_values)
    show(again(matrix, item_values=owners, **long), [])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and "…" not in "".join(lines)
    row = next(line for line in lines[lines.index(next(x for x in lines if "Margin in nats" in x)) :] if "care" in line)
    assert row.split()[-1] == "specific" and row.split()[1].startswith("-2")


def test_a_row_says_why_there_is_no_verdict():
    few = matrix_of(planted(), controls=controls(3))
    assert margin_row(cells_of(few, "care"))[-1] == "p only"
    assert margin_row(cells_of(few, "care")[:1]) == ["-"] * (len(MARGIN) - 1)
    assert margin_row(cells_of(matrix_of(damaged(), controls=controls(19)), "care"))[-1] == "no"
    two = margin_row(cells_of(matrix_of(clusters(NAMES[:2], sets=2), own=NAMES[:2]), "care"))
    assert two[2:] == ["-", "-", "-"] and "nan" not in " ".join(two)


def test_figures_mark_specific_values_and_no_leakage():
    changes = planted()
    for key, row in changes.items():
        row[0] -= 2.0 * (key[1] == "care")  # significant leakage
        row[4] += 2.0 * (key[1] == "mercy")
    matrix = matrix_of(changes, controls=controls(19))
    assert float(matrix.margin_p[0, 1, 0]) < 0.05
    verdicts = matrix.specific.verdicts[0]
    picture = matrix.plot("en")
    support, margin, *_ = (panel for panel in picture.axes if panel.get_title())
    assert "percentage points" in support.get_title() and "nats" in margin.get_title()
    for panel in (support, margin):
        marked = {text.get_position() for text in panel.findobj(Text) if text.get_text()[-1:] == "*"}
        assert marked == {(v, v) for v, verdict in enumerate(verdicts) if verdict == "specific"} and 0 < len(marked) < 5
