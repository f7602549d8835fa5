"""A figure that a notebook shows by itself, and the fonts of its words."""

import io
import logging
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font, get_font_names
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter

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
        with _silence_missing_glyphs():
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
def _silence_missing_glyphs() -> Iterator[None]:
    """Silence matplotlib's warning of each glyph that no font has, and its log of weights; the line below the figure tells it once."""
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            log.setLevel(level)


def _words(figure: Figure) -> list[Text]:
    """All texts but the numbers that matplotlib itself writes along an axis."""
    numbered = [
        axis for axis in figure.findobj(Axis) if not isinstance(axis.get_major_formatter(), (FixedFormatter, FuncFormatter))
    ]
    numbers = {text for axis in numbered for text in axis.findobj(Text) if text is not axis.label}
    return [text for text in figure.findobj(Text) if text not in numbers]


def _fonts_for(words: list[Text]) -> tuple[list[str], list[str]]:
    """Those of `FONTS` that have what the words' own fonts lack, and the characters that none has, in order."""
    lacking = {c for text in words for c in text.get_text() if not _has(text.get_fontfamily(), c)}
    lacking = {c for c in lacking if unicodedata.category(c) not in ("Cc", "Cf")}  # line breaks and the like have no glyph
    fonts, installed = [], set(get_font_names() if lacking else ())
    for font in FONTS:
        covered = {c for c in lacking if _has([font], c)} if font in installed else set()
        if covered:
            fonts.append(font)
            lacking -= covered
    return fonts, sorted(lacking)


def _has(families: list[str], character: str) -> bool:
    return any(ord(character) in _codes(findfont(FontProperties(family=[family]))) for family in families)


@cache
def _codes(path: str) -> frozenset[int]:
    return frozenset(get_font(path).get_charmap())
