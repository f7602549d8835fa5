"""One pass over texts with accumulators."""

from ._accumulator import Accumulator, TextBatch
from ._firing import FiringAccumulator, PostAccumulator
from ._pass import Progress, Tally, accumulate, collect_firing, token_activations

__all__ = [
    "Accumulator",
    "FiringAccumulator",
    "PostAccumulator",
    "Progress",
    "Tally",
    "TextBatch",
    "accumulate",
    "collect_firing",
    "token_activations",
]
