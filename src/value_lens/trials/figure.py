"""What does the support matrix look like? A heat map per language: evaluated value down, ablated value across."""

import io
import math
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from .matrix import SupportMatrix


class Picture(Figure):
    """A figure that a notebook shows by itself, without pyplot and whatever its backend."""

    def png(self, dpi: int) -> bytes:
        """The same bytes every time: no date, no version."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png(90)


def draw_effects(matrix: "SupportMatrix", languages: tuple[str, ...]) -> Picture:
    """Effects in percentage points: blue lowers support, red raises it, grey was not tested; a dot marks p < 0.05 (corrected)."""
    n_rows, n_columns = len(matrix.values), len(matrix.ablated)
    width = max(5.0, 2.2 + 0.62 * n_columns)
    figure = Picture(figsize=(width * len(languages), max(4.0, 2.2 + 0.5 * n_rows)), layout="constrained")
    panels = figure.subplots(1, len(languages), squeeze=False)[0]
    for panel, language in zip(panels, languages, strict=True):
        place = matrix.languages.index(language)
        effect = (100 * matrix.effect[place]).numpy()
        panel.set_facecolor("0.85")
        image = panel.imshow(effect, cmap="RdBu_r", vmin=-100, vmax=100, aspect="auto")
        panel.set_xticks(range(n_columns), [name.replace("_", " ") for name in matrix.ablated], rotation=45, ha="right")
        panel.set_yticks(range(n_rows), [name.replace("_", " ") for name in matrix.values])
        panel.set_xlabel("neurons ablated          • p < 0.05, corrected for all cells")
        panel.set_ylabel("support measured")
        panel.set_title(f"Change of support rate ({language}), percentage points")
        for row in range(n_rows):
            for column in range(n_columns):
                number = float(effect[row, column])
                if math.isnan(number):
                    continue
                mark = "•" if float(matrix.p[place, row, column]) < 0.05 else ""
                shown = f"{number:+.0f}" if round(number) else "0"
                colour = "white" if abs(number) > 60 else "black"
                panel.text(column, row, shown + mark, ha="center", va="center", fontsize=8, color=colour)
        figure.colorbar(image, ax=panel, shrink=0.8)
    return figure
