"""What does the support matrix look like? A heat map per language: evaluated value down, ablated value across."""

import io
import logging
import math
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font, get_font_names
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter
from torch import Tensor

from ..errors import shortened

if TYPE_CHECKING:
    from .matrix import SupportMatrix

LABEL = 48  # letters of a name that are shown

FONTS = (  # tried in this order for what the figure's own font lacks
    *(f"{family} {region}" for family in ("Noto Sans CJK", "Source Han Sans") for region in ("SC", "TC", "JP", "KR")),
    *("Source Han Sans CN", "Noto Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback"),
    *(
        "Microsoft YaHei",
        "SimHei",
        "SimSun",
        "Microsoft JhengHei",
        "PingFang SC",
        "PingFang HK",
        "Hiragino Sans GB",
        "Heiti TC",
    ),
    *("Hiragino Sans", "STHeiti", "Songti SC", "Arial Unicode MS", "Unifont"),
)
NO_FONT = "Boxes: no installed font has {codes}.\nInstall one that has them, such as Noto Sans CJK (Debian: fonts-noto-cjk)."


class Picture(Figure):
    """A figure that a notebook shows by itself, without pyplot and whatever its backend.

    Its words are shown as they are, never read as mathematics, in the figure's font and in `FONTS` for what that lacks; a line
    below the figure names the characters that no font has.
    """

    def draw(self, renderer: RendererBase) -> None:
        with _no_line_a_glyph():
            words = _words(self)
            fonts, missing = _fonts_for(words)
            for text in words:
                text.set_parse_math(False)
                text.set_usetex(False)
                text.set_fontfamily([*text.get_fontfamily(), *fonts])
            if missing and not self.get_supxlabel():
                codes = ", ".join(f"U+{ord(c):04X}" for c in missing[:4]) + (", ..." if len(missing) > 4 else "")
                self.supxlabel(NO_FONT.format(codes=codes), fontsize=6, color="0.4")
            super().draw(renderer)

    def png(self, dpi: int) -> bytes:
        """The same bytes every time: no date, no version."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png(90)


@contextmanager
def _no_line_a_glyph() -> Iterator[None]:
    """matplotlib warns of each glyph that no font has, and logs each weight; the line below the figure tells it once."""
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            log.setLevel(level)


def shown(name: str) -> str:
    """A value's key as a reader wants it: without underscores, and no longer than a figure has room for."""
    return shortened(name.replace("_", " "), LABEL)


def _words(figure: Figure) -> list[Text]:
    """All texts but the numbers that matplotlib itself writes along an axis."""
    numbered = [
        axis for axis in figure.findobj(Axis) if not isinstance(axis.get_major_formatter(), (FixedFormatter, FuncFormatter))
    ]
    numbers = {text for axis in numbered for text in axis.findobj(Text) if text is not axis.label}
    return [text for text in figure.findobj(Text) if text not in numbers]


def _fonts_for(words: list[Text]) -> tuple[list[str], list[str]]:
    """Those of `FONTS` that have what the words' own fonts lack, and the characters that none has, in order."""
    lacked = {c for text in words for c in text.get_text() if not _has(text.get_fontfamily(), c)}
    lacked = {c for c in lacked if unicodedata.category(c) not in ("Cc", "Cf")}  # line breaks and the like have no glyph
    fonts, installed = [], set(get_font_names() if lacked else ())
    for font in FONTS:
        found = {c for c in lacked if _has([font], c)} if font in installed else set()
        if found:
            fonts.append(font)
            lacked -= found
    return fonts, sorted(lacked)


def _has(families: list[str], character: str) -> bool:
    return any(ord(character) in _codes(findfont(FontProperties(family=[family]))) for family in families)


@cache
def _codes(path: str) -> frozenset[int]:
    return frozenset(get_font(path).get_charmap())


def draw_effects(matrix: "SupportMatrix", languages: tuple[str, ...]) -> Picture:
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
    matrix: "SupportMatrix",
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
