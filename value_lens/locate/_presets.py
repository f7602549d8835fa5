"""Presets: a method with the selection rule of its publication, statistics to neuron sets."""

import torch

from ..core import FiringStats, NeuronSet
from ._opposition import opposition
from ._registries import BOTH_ASPECTS, SEVERAL_VALUES, presets
from ._rules import npti_rule, select, threshold_rule, vape_rule
from ._vape import vape

Sets = dict[str, NeuronSet]


@presets.register("vape", needs=SEVERAL_VALUES, source="ValueExploration (arXiv 2504.04994)")
def vape_published(stats: FiringStats) -> Sets:
    """VAPE in float32 with filter 0.95, top 0.01 and bar 0.95, as ValueExploration reports it.

    Args:
        stats: firing statistics over at least two values.

    Returns:
        {value: its neurons}.

    Raises:
        DataError: for fewer than two values.
    """
    return select(vape(stats, dtype=torch.float32), vape_rule())


@presets.register("threshold", needs=BOTH_ASPECTS, source="ValueLocate (arXiv 2505.17712)")
def threshold_published(stats: FiringStats) -> Sets:
    """Opposition of at least 0.03, as ValueLocate reports it.

    Args:
        stats: firing statistics over both aspects of every value.

    Returns:
        {value: the neurons that fire for it}.

    Raises:
        DataError: for a value that lacks texts of one aspect.
    """
    return select(opposition(stats), threshold_rule())


@presets.register("npti", needs=BOTH_ASPECTS, source="NPTI (arXiv 2410.12327)")
def npti_published(stats: FiringStats) -> Sets:
    """Opposition of at least 0.1, and at least 2,000 neurons a value, as NPTI's and ValueLocate's code runs it.

    Args:
        stats: firing statistics over both aspects of every value.

    Returns:
        {value: the neurons that fire for it}.

    Raises:
        DataError: for a value that lacks texts of one aspect.
    """
    return select(opposition(stats), npti_rule())
