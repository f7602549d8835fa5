"""Lengths of what upholds a value over lengths of what goes against it."""

from collections.abc import Sequence
from statistics import fmean

from ..core import ASPECTS, Dilemma, LabelledText
from ._origins import by_value_of


def option_length_ratios(dilemmas: Sequence[Dilemma]) -> dict[str, float]:
    """By value, the mean number of characters of aligned options over that of violating ones."""
    return {
        value: fmean(len(d.aligned) for d in members) / fmean(len(d.violating) for d in members)
        for value, members in by_value_of(dilemmas).items()
    }


def text_length_ratios(texts: Sequence[LabelledText]) -> dict[str, float]:
    """By value with texts of both aspects, the mean number of characters of those that uphold it over that of the others."""
    ratios: dict[str, float] = {}
    for value, members in by_value_of(texts).items():
        upholding, opposing = ([len(text.text) for text in members if text.aspect == aspect] for aspect in ASPECTS)
        if upholding and opposing:
            ratios[value] = fmean(upholding) / fmean(opposing)
    return ratios
