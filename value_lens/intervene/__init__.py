"""Interventions on activations, and applying them."""

from ._applying import EditLog, editing, require_neurons_of
from ._interventions import Edit, Place, mean, zero

__all__ = ["Edit", "EditLog", "Place", "editing", "mean", "require_neurons_of", "zero"]
