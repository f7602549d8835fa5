"""Sentences about matched controls: how alike they are, where effects rank, where none is fair."""

from collections.abc import Callable, Mapping
from typing import Any

from ..causal import LEAST_CONTROLS
from ..core import EffectMatrix
from ..plot import short
from ._numbers import not_nan

MOST = 0.2  # of a set in strata without room, or in its own controls, or louder than these: beyond it no control is fair


def control_words(matrix: EffectMatrix) -> list[str]:
    """Sentences on the controls; none where there are none."""
    if not matrix.n_controls or "matching" not in matrix.meta:
        return []
    matching = dict(matrix.meta["matching"])
    return [
        _likeness_sentence(matching),
        *(_rank_sentence(matrix, language) for language in matrix.languages),
        *_unfair_sentences(matrix, matching),
    ]


def _likeness_sentence(matching: Mapping[str, Mapping[str, Any]]) -> str:
    rows = list(matching.values())
    mean = lambda name: 100 * sum(row[name] for row in rows) / len(rows)  # noqa: E731
    line = (
        f"The neurons ablated fire on {mean('rate'):.1f}% of all tokens counted, their controls on {mean('control_rate'):.1f}%"
    )
    if "loudness" in rows[0]:  # not in files written before controls were matched in it
        ratios = [row["control_loudness"] / row["loudness"] for row in rows if row["loudness"]]
        line += f"; these are {100 * sum(ratios) / max(1, len(ratios)):.0f}% as loud (size of activations times norm of output weights)"
    if rows[0]["control_overlap"] is not None:
        line += f"; two controls of one value share {mean('control_overlap'):.0f}% of their neurons"
    return line + "."


def _rank_sentence(matrix: EffectMatrix, language: str) -> str:
    """How many effects on a value's own support are larger than those of all controls."""
    ranks = not_nan([cell.rank for cell in matrix.cells(language) if cell.is_own])
    n_controls, least = matrix.n_controls, matrix.least_rank_p
    line = (
        f"In {language}, {sum(rank == 1 for rank in ranks)} of {len(ranks)} values lose or gain more support by their own "
        f"neurons than by any of {n_controls} controls (p = {least:.2g} each, the least that {n_controls} can give; not corrected)"
    )
    return line + (f"; for p = 0.05 it takes {LEAST_CONTROLS} controls." if least > 0.05 else ".")


def _unfair_sentences(matrix: EffectMatrix, matching: Mapping[str, Mapping[str, Any]]) -> list[str]:
    def values(is_so: Callable[[Mapping[str, Any]], bool]) -> str:
        return ", ".join(short(matrix.label(value)) for value, row in matching.items() if "loudness" in row and is_so(row))

    sentences = []
    if crowded := values(lambda row: max(row["not_widened"], row["expected_overlap"]) > MOST):
        sentences.append(
            f"No fair control exists for {crowded}: the set takes more than a fifth of what is like it in its layers, so that "
            "controls are largely the set itself or neurons unlike it; use a smaller set."
        )
    if louder := values(lambda row: row["loudness"] > (1 + MOST) * row["control_loudness"]):
        sentences.append(
            f"The neurons of {louder} are more than a fifth louder than their controls, since too few others are as loud; their "
            "rank may say no more than that."
        )
    return sentences
