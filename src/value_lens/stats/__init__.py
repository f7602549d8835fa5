"""How often does each neuron fire, in each group? Mergeable counts."""

from .collect import Progress, activations, collect
from .firing import FiringStats, sort_groups
from .fold import FiringFold

__all__ = ["FiringFold", "FiringStats", "Progress", "activations", "collect", "sort_groups"]
