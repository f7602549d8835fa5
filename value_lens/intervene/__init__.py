"""Interventions on activations, and applying them."""

from ._applying import InterventionLog, intervening, require_neurons_of
from ._intervention import Bound, Context, Intervention, interventions, pointwise
from ._mean import mean
from ._running import Running, positions_of, running
from ._zero import zero

__all__ = [
    "Bound",
    "Context",
    "Intervention",
    "InterventionLog",
    "Running",
    "intervening",
    "interventions",
    "mean",
    "pointwise",
    "positions_of",
    "require_neurons_of",
    "running",
    "zero",
]
