"""One pass over texts with accumulators."""

from ._firing import FiringFold
from ._pass import Progress, collect_firing, token_activations

__all__ = ["FiringFold", "Progress", "collect_firing", "token_activations"]
