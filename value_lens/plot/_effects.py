"""The figure of an effect matrix: a heat map per language, evaluated value down, intervened value across."""

import math

from jaxtyping import Float64
from matplotlib.axes import Axes
from torch import Tensor

from ..causal import SupportMatrix
from ..core import attach_view
from ._picture import Picture, shown


def draw_effects(matrix: SupportMatrix, languages: tuple[str, ...]) -> Picture:
    """Change of support in percentage points above, change of margin in nats below, a column a language.

    Blue lowers, red raises, grey was not tested. A star marks a value whose own neurons are specific. Cells off the diagonal are
    leakage and bear no mark: a damaged model has many that are significant.
    """
    n_rows, n_columns = len(matrix.values), len(matrix.ablated)
    width, height = max(5.0, 2.2 + 0.62 * n_columns), max(4.0, 2.2 + 0.5 * n_rows)
    figure = Picture(figsize=(width * len(languages), 2 * height), layout="constrained")
    panels = figure.subplots(2, len(languages), squeeze=False)
    for column, language in enumerate(languages):
        place = matrix.languages.index(language)
        support, margin = 100 * matrix.effect[place], matrix.margin_effect[place]
        _draw_cells(
            matrix, place, panels[0, column], support, 100.0, 0, f"Change of support rate ({language}), percentage points"
        )
        largest = max(float(margin.nan_to_num().abs().max()), 0.1)
        _draw_cells(matrix, place, panels[1, column], margin, largest, 1, f"Change of margin ({language}), nats")
    return figure


def _draw_cells(
    matrix: SupportMatrix,
    place: int,
    panel: Axes,
    effect: Float64[Tensor, "value ablated"],
    most: float,
    digits: int,
    title: str,
) -> None:
    panel.set_facecolor("0.85")
    image = panel.imshow(effect.numpy(), cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto")
    panel.set_xticks(range(len(matrix.ablated)), [shown(name) for name in matrix.ablated], rotation=45, ha="right")
    panel.set_yticks(range(len(matrix.values)), [shown(name) for name in matrix.values])
    few = "too few controls" in matrix.specific.verdicts[place]
    mark = "too few controls to call a value's neurons specific" if few else "* specific to the value"
    panel.set_xlabel(f"neurons ablated\n{mark}; off the diagonal: leakage, not marked")
    panel.set_ylabel("value measured")
    panel.set_title(title)
    for row, value in enumerate(matrix.values):
        for column, ablated in enumerate(matrix.ablated):
            number = float(effect[row, column])
            if math.isnan(number):
                continue
            specific = value == ablated and matrix.specific.verdicts[place][row] == "specific"
            written = f"{number:+.{digits}f}" if round(number, digits) else "0"
            colour = "white" if abs(number) > 0.6 * most else "black"
            panel.text(column, row, written + "*" * specific, ha="center", va="center", fontsize=8, color=colour)
    panel.figure.colorbar(image, ax=panel, shrink=0.8)


attach_view("support matrix", "plot", draw_effects)
