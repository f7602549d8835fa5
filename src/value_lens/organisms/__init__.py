"""Where do we know the true neurons? Shipped organisms."""

from .shipped import Organism, load_organism, organism_folder, organism_names, read_true_neurons

__all__ = ["Organism", "load_organism", "organism_folder", "organism_names", "read_true_neurons"]
