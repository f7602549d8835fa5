"""Option-only baseline: how often a bag of words tells the aligned option without the situation."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from ..core import Dilemma
from ._duplicates import is_unspaced
from ._origins import by_value_of, frame_of

FOLDS = 8


@dataclass(frozen=True)
class Giveaway:
    """How well options alone tell aligned from violating, by value: accuracy of a bag of words on frames it never saw.

    0.5 is chance; far below it, dilemmas of different frames share options with exchanged roles, and should share a `cluster`.
    `n_frames` is the number of groups of the cross-validation, `n_items` that of dilemmas.
    """

    accuracy: Mapping[str, float]
    n_frames: Mapping[str, int]
    n_items: Mapping[str, int]

    def interval(self, value: str) -> tuple[float, float]:
        """Wilson's 95% interval of the accuracy, as if dilemmas were independent: narrower than the truth where frames repeat."""
        p, n, z = self.accuracy[value], self.n_items[value], 1.96
        middle, half = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def giveaway(dilemmas: Sequence[Dilemma], language: str) -> Giveaway | None:
    """How well a bag of words that never sees the scenario tells the aligned option, by value, cross-validated by frame.

    Logistic regression on counts of words and pairs of words (characters in Chinese) of one option; a dilemma counts as correct when
    the aligned option gets the higher score of its two (a half for a tie). A value with fewer than two frames is left out; None
    when all are, since no classifier can then be tested on unseen frames.
    """
    accuracy, n_frames, n_items = {}, {}, {}
    for value, members in by_value_of(dilemmas).items():
        groups = np.array([frame_of(dilemma) for dilemma in members])
        if len(set(groups)) >= 2:
            accuracy[value] = _accuracy(members, groups, language)
            n_frames[value], n_items[value] = len(set(groups)), len(members)
    return Giveaway(accuracy, n_frames, n_items) if accuracy else None


def _accuracy(dilemmas: Sequence[Dilemma], groups: "np.ndarray", language: str) -> float:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline

    units: dict[str, Any] = {"analyzer": "char"} if is_unspaced(language) else {"token_pattern": r"(?u)\b\w+\b"}
    correct: list[float] = []
    options = np.array([[d.aligned, d.violating] for d in dilemmas], dtype=object)
    for train, test in GroupKFold(min(FOLDS, len(set(groups)))).split(options, groups=groups):
        words = CountVectorizer(ngram_range=(1, 2), **units)
        model = make_pipeline(words, LogisticRegression(max_iter=1000))
        if not any(map(words.build_analyzer(), options[train].reshape(-1))):
            correct += [0.5] * len(test)  # options without a single word
            continue
        model.fit(options[train].reshape(-1), np.tile([1, 0], len(train)))
        scores = model.decision_function(options[test].reshape(-1)).reshape(-1, 2)
        gap = scores[:, 0] - scores[:, 1]
        correct += [1.0 if g > 1e-9 else 0.5 if g > -1e-9 else 0.0 for g in gap]
    return fmean(correct)
