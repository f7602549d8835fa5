"""Figures, one a file. matplotlib is loaded with the first of them."""

import importlib
from typing import TYPE_CHECKING, Any

from ..core import TokenActivations, attach_view
from ._words import LABEL, short

if TYPE_CHECKING:
    from ._circle import draw_circle
    from ._effects import draw_effects
    from ._firing import draw_firing
    from ._giveaway import draw_giveaway
    from ._layers import draw_layers
    from ._picture import Picture

__all__ = ["LABEL", "Picture", "draw_circle", "draw_effects", "draw_firing", "draw_giveaway", "draw_layers", "short"]
_FILES = {
    "Picture": "_picture",
    "draw_circle": "_circle",
    "draw_effects": "_effects",
    "draw_firing": "_firing",
    "draw_giveaway": "_giveaway",
    "draw_layers": "_layers",
}


def __getattr__(name: str) -> Any:
    """A figure, from its file (PEP 562)."""
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)


def _plot_effects(*arguments: Any) -> Any:
    return __getattr__("draw_effects")(*arguments)


def _plot_activations(result: TokenActivations, title: str) -> Any:
    return __getattr__("draw_firing")(result.tokens, result.activations, result.neurons, title)


attach_view("effect matrix", "plot", _plot_effects)
attach_view("token activations", "plot", _plot_activations)
