"""The result of a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core import EffectMatrix, FiringStats, NeuronScores, NeuronSet


@dataclass(frozen=True)
class StudyResult:
    """Everything that a study found.

    Args:
        stats: How often each neuron fired, per group.
        scores: {method: scores} of each method that applies.
        sets: {value: neurons} of the method whose neurons were ablated.
        matrix: The effects.
        summary: The content of summary.json.
        words: The summary in sentences.
    """

    stats: FiringStats
    scores: Mapping[str, NeuronScores]
    sets: Mapping[str, NeuronSet]
    matrix: EffectMatrix
    summary: Mapping[str, Any]
    words: Sequence[str] = field(default_factory=list)
