"""What happens when neurons are changed? Pure edits, and the context manager that applies them."""

from .editing import EditLog, editing, require_neurons_of
from .edits import Edit, Place, mean, zero

__all__ = ["Edit", "EditLog", "Place", "editing", "mean", "require_neurons_of", "zero"]
