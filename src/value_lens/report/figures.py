"""What does a result look like? A circle of values, where neurons lie over layers, and how they fire along a text."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ..corpus.audit import Bars, CorpusAudit
from ..errors import DataError
from ..neurons import NeuronSet
from ..trials import Picture
from ..trials.figure import shown
from ..values import ValueSystem, in_order


def draw_layers(sets: Mapping[str, NeuronSet], title: str = "Neurons found per layer") -> Picture:
    """Heat map of set sizes: a row a value, a column a layer, the number written in each cell."""
    values = list(sets)
    n_layers = max(neurons.n_layers for neurons in sets.values())
    counts = [[sum(layer == place for layer, _ in sets[value]) for place in range(n_layers)] for value in values]
    figure = Picture(figsize=(max(5.0, 2.4 + 0.45 * n_layers), max(3.0, 1.4 + 0.36 * len(values))), layout="constrained")
    panel = figure.subplots()
    image = panel.imshow(counts, cmap="Greens", aspect="auto", vmin=0)
    panel.set_yticks(range(len(values)), [shown(value) for value in values])
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


def draw_firing(
    tokens: Sequence[str], activations: Float[Tensor, "pos neuron"], neurons: Sequence[tuple[int, int]], title: str = ""
) -> Picture:
    """Activations along one text: tokens across, chosen neurons down; red fires (above 0), blue is below 0."""
    grid = activations.T.float().numpy()
    largest = max(float(abs(grid).max()), 1e-6)
    width = min(30.0, max(6.0, 2.0 + 0.2 * len(tokens)))
    figure = Picture(figsize=(width, max(2.4, 1.7 + 0.17 * len(neurons))), layout="constrained")
    panel = figure.subplots()
    image = panel.imshow(grid, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
    panel.set_xticks(range(len(tokens)), [token.strip() or "·" for token in tokens], rotation=90, fontsize=7)
    step = max(1, len(neurons) // 24)
    panel.set_yticks(range(0, len(neurons), step), [f"{layer}.{index}" for layer, index in neurons[::step]], fontsize=7)
    panel.set_ylabel("neuron (layer.index)")
    panel.set_title(title)
    figure.colorbar(image, ax=panel, label="activation")
    return figure


def draw_circle(system: ValueSystem, language: str = "en") -> Picture:
    """A circular value system: values around, higher-order values in the ring outside, opposites across.

    Raises `DataError` for a system that is no circle.
    """
    if not system.circle:
        raise DataError(f"value system {system.name!r} has no circle to draw")
    figure = Picture(figsize=(7.0, 7.0), layout="constrained")
    panel: Any = figure.add_subplot(projection="polar")
    panel.set_theta_zero_location("N")
    panel.set_theta_direction(-1)
    panel.set_axis_off()
    panel.set_ylim(0, 1.32)
    step = 2 * math.pi / len(system)
    for value in system:
        angle = system.angle(value.name)
        panel.bar(angle, 0.62, width=step, bottom=0.38, color="0.93", edgecolor="white", linewidth=2)
        panel.text(angle, 0.69, value.label(language).replace("-", "-\n"), ha="center", va="center", fontsize=9)
    for place, (group, members) in enumerate(system.higher_order.items()):
        angles = sorted(system.names.index(member) for member in members)
        first = next(a for a in angles if (a - 1) % len(system) not in angles)  # a group is one stretch of the circle
        middle = (first + (len(angles) - 1) / 2) * step
        depth = 1.02 if place % 2 == 0 else 1.12
        width = step * len(angles) * 0.98
        panel.bar(middle, 0.08, width=width, bottom=depth, color=f"C{place}", edgecolor="white")
        turned = -math.degrees(middle) % 360
        upright = turned if turned < 90 or turned > 270 else turned + 180
        panel.text(middle, 1.27, shown(group), ha="center", va="center", fontsize=11, color=f"C{place}", rotation=upright)
    panel.set_title(f"{shown(system.name)}: neighbours agree, opposites conflict")
    return figure


def draw_giveaway(audit: CorpusAudit) -> Picture:
    """How often a bag of words tells the aligned option, by value and language, with chance and the bar of the audit."""
    measured = {language: each.giveaway.accuracy for language, each in audit.languages.items() if each.giveaway}
    if not measured:
        raise DataError("the audit measured no giveaways: there were no dilemmas")
    values = in_order({value for accuracy in measured.values() for value in accuracy})
    figure = Picture(figsize=(7.0, max(2.5, 1.2 + 0.32 * len(values))), layout="constrained")
    panel = figure.subplots()
    for place, (language, accuracy) in enumerate(measured.items()):
        rows = [row + 0.28 * (place - (len(measured) - 1) / 2) for row, value in enumerate(values) if value in accuracy]
        panel.scatter([100 * accuracy[v] for v in values if v in accuracy], rows, label=language, color=f"C{place}", zorder=3)
    panel.axvline(50, color="0.6", linestyle=":", label="chance")
    panel.axvline(100 * Bars().giveaway, color="C3", linestyle="--", label="bar")
    panel.set_yticks(range(len(values)), [shown(value) for value in values])
    panel.invert_yaxis()
    panel.set_xlim(0, 100)
    panel.grid(axis="y", color="0.93")
    panel.set_xlabel("dilemmas whose aligned option a bag of words tells, without the scenario (%)")
    panel.set_title(f"Do the options give themselves away? ({audit.source or 'a corpus'})")
    panel.legend(ncols=2, fontsize=8)
    return figure
