"""The figure of activations along a text, token by token."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from ._picture import Picture


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
