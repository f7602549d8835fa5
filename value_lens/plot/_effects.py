"""The figure of an effect matrix: a heat map per language, evaluated value down, intervened value across."""

import math
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from ..core import Cell, EffectMatrix
from ._picture import Picture
from ._words import short


def draw_effects(matrix: EffectMatrix, languages: tuple[str, ...]) -> Picture:
    """Change of support in percentage points above, change of margin in nats below, a column a language.

    Blue lowers, red raises, grey was not tested. A star marks a value whose own neurons are specific. Cells off the diagonal are
    leakage and bear no mark: a damaged model has many that are significant.
    """
    n_rows, n_columns = len(matrix.values), len(matrix.intervened)
    width, height = max(5.0, 2.2 + 0.62 * n_columns), max(4.0, 2.2 + 0.5 * n_rows)
    figure = Picture(figsize=(width * len(languages), 2 * height), layout="constrained")
    panels = figure.subplots(2, len(languages), squeeze=False)
    for column, language in enumerate(languages):
        cells = matrix.cells(language)
        largest = max([0.1, *(abs(cell.margin_effect) for cell in cells if not math.isnan(cell.margin_effect))])
        title = f"Change of support rate ({language}), percentage points"
        _draw_cells(cells, panels[0, column], lambda cell: 100 * cell.effect, 100.0, 0, title)
        title = f"Change of margin ({language}), nats"
        _draw_cells(cells, panels[1, column], lambda cell: cell.margin_effect, largest, 1, title)
    return figure


def _draw_cells(
    cells: Sequence[Cell], panel: Axes, effect: Callable[[Cell], float], largest: float, digits: int, title: str
) -> None:
    across = {cell.intervened: short(cell.intervened_label) for cell in cells}
    down = {cell.evaluated: short(cell.evaluated_label) for cell in cells}
    columns, rows = list(across), list(down)
    grid = [[math.nan] * len(columns) for _ in rows]
    for cell in cells:
        grid[rows.index(cell.evaluated)][columns.index(cell.intervened)] = effect(cell)
    panel.set_facecolor("0.85")
    image = panel.imshow(grid, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
    panel.set_xticks(range(len(columns)), list(across.values()), rotation=45, ha="right")
    panel.set_yticks(range(len(rows)), list(down.values()))
    few = any(cell.verdict == "too few controls" for cell in cells)
    mark = "too few controls to call a value's neurons specific" if few else "* specific to the value"
    panel.set_xlabel(f"neurons ablated\n{mark}; off the diagonal: leakage, not marked")
    panel.set_ylabel("value measured")
    panel.set_title(title)
    for cell in cells:
        number = effect(cell)
        if math.isnan(number):
            continue
        label = f"{number:+.{digits}f}" if round(number, digits) else "0"
        mark = "*" if cell.verdict == "specific" else ""
        colour = "white" if abs(number) > 0.6 * largest else "black"
        position = columns.index(cell.intervened), rows.index(cell.evaluated)
        panel.text(*position, label + mark, ha="center", va="center", fontsize=8, color=colour)
    panel.figure.colorbar(image, ax=panel, shrink=0.8)
