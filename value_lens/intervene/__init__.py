"""Interventions on activations, and applying them."""

from ._applying import EditLog, editing, require_neurons_of
from ._interventions import Edit, Place, interventions, mean, zero

__all__ = ["Edit", "EditLog", "Place", "editing", "interventions", "mean", "require_neurons_of", "zero"]
