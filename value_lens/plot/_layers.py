"""The figure of neuron counts by value and layer."""

from collections.abc import Mapping

from ..core import NeuronSet, label_of
from ._picture import Picture
from ._words import short


def draw_layers(sets: Mapping[str, NeuronSet], title: str = "Neurons found per layer", language: str = "en") -> Picture:
    """Heat map of set sizes: a row a value, a column a layer, the number written in each cell; values by their labels in `language`."""
    values = list(sets)
    n_layers = max(neurons.n_layers for neurons in sets.values())
    counts = [[sum(layer == layer_index for layer, _ in sets[value]) for layer_index in range(n_layers)] for value in values]
    figure = Picture(figsize=(max(5.0, 2.4 + 0.45 * n_layers), max(3.0, 1.4 + 0.36 * len(values))), layout="constrained")
    panel = figure.subplots()
    image = panel.imshow(counts, cmap="Greens", aspect="auto", vmin=0)
    panel.set_yticks(range(len(values)), [short(label_of(value, language)) for value in values])
    panel.set_xticks(range(0, n_layers, max(1, n_layers // 16)))
    panel.set_xlabel("layer")
    panel.set_title(title)
    largest = max(max(row) for row in counts)
    for row, numbers in enumerate(counts if n_layers <= 24 else []):
        for column, number in enumerate(numbers):
            colour = "white" if number > 0.6 * largest else "black"
            panel.text(column, row, str(number) if number else "", ha="center", va="center", fontsize=8, color=colour)
    figure.colorbar(image, ax=panel, label="neurons")
    return figure
