"""Activations of chosen neurons in one text, token by token."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ._views import view_of


@dataclass(frozen=True)
class TokenActivations:
    """Activations of chosen neurons in one text, token by token.

    Args:
        text: The text.
        tokens: Its tokens as strings, BOS included where the model uses one.
        activations: One row a token, one column a neuron.
        neurons: The (layer, index) of each column, sorted.
        site: The site of the activations.
    """

    text: str
    tokens: tuple[str, ...]
    activations: Float[Tensor, "pos neuron"]
    neurons: tuple[tuple[int, int], ...]
    site: str

    def plot(self, title: str = "") -> Any:
        """Heat map of the activations, tokens across and neurons down: a figure that a notebook shows by itself."""
        return view_of("token activations", "plot")(self, title)
