"""Shipped model organisms with known neurons."""

from ._shipped import Organism, load_organism, organism_folder, organism_names, read_true_neurons

__all__ = ["Organism", "load_organism", "organism_folder", "organism_names", "read_true_neurons"]
