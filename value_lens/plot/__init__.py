"""Figures, one a file."""

from ._circle import draw_circle
from ._effects import draw_effects
from ._firing import draw_firing
from ._giveaway import draw_giveaway
from ._layers import draw_layers
from ._picture import LABEL, Picture, short

__all__ = ["LABEL", "Picture", "draw_circle", "draw_effects", "draw_firing", "draw_giveaway", "draw_layers", "short"]
