"""How often does each neuron fire, in each group? Mergeable counts."""

from .collect import Progress, activations, collect
from .firing import CountingStoppedError, FiringStats, sort_groups
from .fold import FiringFold

__all__ = ["CountingStoppedError", "FiringFold", "FiringStats", "Progress", "activations", "collect", "sort_groups"]
